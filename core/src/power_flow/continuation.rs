//! The branch of solutions that goes on from no load: which solution of the power flow is the operating state, and how
//! much of the injections the network can carry where there is none.
//!
//! Injections are scaled from none to those given, S(x) = a + λ(b − a), and the solution is followed with tangents and
//! Newton's method (Ajjarapu and Christy 1992, without the turn at the nose). A step counts only if the solution moves
//! little and the determinant of the Jacobian keeps its sign, so that no step leaves the branch.

use std::f64::consts::{FRAC_PI_2, TAU};

use crate::linear::{SparseLu, SparseMatrix};

use super::complex::Complex;
use super::newton::{FIXED, Found, Idle, Newton, ORDINARY_PU, Point, Steps};
use super::start::Start;

/// Share of the way that is tried first.
const FIRST: f64 = 0.25;
/// A step this short says that the branch ends.
const SHORTEST: f64 = 1e-7;
const MOST_STEPS: usize = 400;
const MOST_CORRECTIONS: usize = 10;
/// Furthest that a voltage may go in one step, rad or relative magnitude: solutions apart are further.
const FURTHEST: f64 = 0.35;
const TOLERANCE: f64 = 1e-9;
/// A bus below this, pu, has no voltage to speak of.
const LIVELY_PU: f64 = 0.3;

/// How following the branch ended.
#[derive(Debug)]
pub(super) enum Branch {
    /// At the injections given.
    Arrived(Found),
    /// Before them: at the share that can be carried at most, where the voltage of a node gives way first.
    Ended { share: f64, node: usize },
    /// Nowhere: not even the network without injections has a solution near the flat start.
    NotBegun,
}

impl Newton {
    /// Whether a solution is beyond doubt on the branch of solutions that goes on from no load: no voltage has collapsed,
    /// no branch is turned by more than a right angle, and the determinant of the Jacobian has the sign that it has there.
    pub(super) fn is_ordinary(&self, found: &Found) -> bool {
        let upright =
            |(from, to, rest): &(usize, usize, f64)| (found.angle[*from] - found.angle[*to] - rest).abs() < FRAC_PI_2;
        (0..found.voltage.len())
            .filter(|i| self.magnitude_at[*i] != FIXED)
            .all(|i| ORDINARY_PU.contains(&found.voltage[i].norm()))
            && self.spans.iter().all(upright)
            // As a rule the flat start is near enough to no load.
            && (found.negative == self.flat.is_determinant_negative()
                || self.idle().is_some_and(|idle| found.negative == idle.negative))
    }

    /// The state without injections; nothing if there is none near the flat start.
    pub(super) fn idle(&self) -> Option<&Idle> {
        self.idle.get_or_init(|| self.find_idle()).as_ref()
    }

    /// Follows the solutions from no load to the injections given, pu by node.
    pub(super) fn continue_from_no_load(&self, injection: &[Complex]) -> Branch {
        let none = vec![Complex::ZERO; injection.len()];
        if let Some(idle) = self.idle() {
            let at = self.point(idle.voltages.angle.clone(), idle.voltages.magnitude.clone());
            return match self.follow(&at, &none, injection, idle.steps) {
                Ok(found) => Branch::Arrived(found),
                Err(end) => Branch::Ended { share: end.share, node: end.node },
            };
        }
        // Without a state at no load there is still the way straight from the flat voltages, which solve the network for
        // the injections that they imply.
        let flat = self.point(self.flat_start.angle.clone(), self.flat_start.magnitude.clone());
        match self.follow(&flat, &flat.power.clone(), injection, 0) {
            Ok(found) => Branch::Arrived(found),
            Err(_) => Branch::NotBegun,
        }
    }

    /// The state at no load. Power alone does not tell it from a bus without voltage, which takes no power either; so the
    /// search begins where no *current* enters at the buses without a voltage of their own.
    pub(super) fn find_idle(&self) -> Option<Idle> {
        let none = vec![Complex::ZERO; self.flat_start.angle.len()];
        let start = self.without_currents();
        let lively = |found: &Found| self.lowest_pu(&found.voltage) > LIVELY_PU;
        let found = match self.solve(start.as_ref(), &none, Steps::Bold) {
            Ok(found) if lively(&found) => found,
            _ => {
                let start = start.as_ref().unwrap_or(&self.flat_start);
                let at = self.point(start.angle.clone(), start.magnitude.clone());
                self.follow(&at, &at.power.clone(), &none, 0).ok().filter(lively)?
            }
        };
        let magnitude = found.voltage.iter().map(|v| v.norm()).collect();
        Some(Idle { voltages: Start { angle: found.angle, magnitude }, steps: found.steps, negative: found.negative })
    }

    /// Voltages with Σ Y_ij V_j = 0 at the buses that hold none, the others as in the flat start.
    fn without_currents(&self) -> Option<Start> {
        let mut voltage = self.flat_start.voltages();
        let free: Vec<usize> = (0..voltage.len()).filter(|i| self.magnitude(*i).is_some()).collect();
        let mut at = vec![None; voltage.len()];
        for (k, node) in free.iter().enumerate() {
            at[*node] = Some(2 * k);
        }
        let mut entries = Vec::new();
        let mut right = vec![0.0; 2 * free.len()];
        for (row, node) in free.iter().enumerate() {
            let row = 2 * row;
            for (j, y) in self.admittance().row(*node) {
                if let Some(column) = at[j] {
                    entries.extend([
                        (row, column, y.re),
                        (row, column + 1, -y.im),
                        (row + 1, column, y.im),
                        (row + 1, column + 1, y.re),
                    ]);
                } else {
                    let current = y * voltage[j];
                    right[row] -= current.re;
                    right[row + 1] -= current.im;
                }
            }
        }
        let mut factors = SparseLu::new(&SparseMatrix::from_entries(right.len(), &entries)).ok()?;
        factors.solve(&mut right);
        for (k, node) in free.iter().enumerate() {
            voltage[*node] = Complex::new(right[2 * k], right[2 * k + 1]);
        }
        let mut start = self.flat_start.clone();
        for node in free {
            let (norm, near) = (voltage[node].norm(), self.flat_start.angle[node]);
            if !(norm.is_finite() && norm > 0.0) {
                return None;
            }
            start.magnitude[node] = norm;
            let angle = voltage[node].angle();
            start.angle[node] = angle + TAU * ((near - angle) / TAU).round();
        }
        Some(start)
    }

    /// From the solution `at` for the injections `from` to that for `to`.
    fn follow(&self, at: &Point, from: &[Complex], to: &[Complex], steps_before: usize) -> Result<Found, End> {
        let mut at = self.point(at.angle.clone(), at.magnitude.clone());
        let mut steps = steps_before;
        let mut factors = self.factors(&at.voltage).map_err(|lost| End { share: 0.0, node: lost.node })?;
        let negative = factors.is_determinant_negative();
        let (mut share, mut length) = (0.0, FIRST);
        let mut tangent = self.tangent(from, to, &mut factors);
        for _ in 0..MOST_STEPS {
            let next = (share + length).min(1.0);
            let given = between(from, to, next);
            let started = self.moved(&at, &tangent, next - share);
            match self.correct(&at, started, &given, &mut factors.clone(), &mut steps) {
                Some((point, mismatch, lu, corrections)) if lu.is_determinant_negative() == negative => {
                    if next >= 1.0 {
                        return Ok(Found::at(point, steps, mismatch, &lu));
                    }
                    (at, factors, share) = (point, lu, next);
                    tangent = self.tangent(from, to, &mut factors);
                    length *= if corrections <= 3 { 2.0 } else { 1.0 };
                }
                _ => {
                    length *= 0.4;
                    if length < SHORTEST {
                        break;
                    }
                }
            }
        }
        Err(End { share, node: self.giving_way(&tangent) })
    }

    /// dx/dλ.
    fn tangent(&self, from: &[Complex], to: &[Complex], factors: &mut SparseLu) -> Vec<f64> {
        let mut way = vec![0.0; self.unknowns()];
        for (i, (a, b)) in from.iter().zip(to).enumerate() {
            let missing = *b - *a;
            for (unknown, value) in [(self.angle(i), missing.re), (self.magnitude(i), missing.im)] {
                if let Some(unknown) = unknown {
                    way[unknown] = value;
                }
            }
        }
        factors.solve(&mut way);
        way
    }

    /// Newton's method from a point near a solution, to nothing but a solution near `before`.
    fn correct(
        &self,
        before: &Point,
        started: Point,
        given: &[Complex],
        factors: &mut SparseLu,
        steps: &mut usize,
    ) -> Option<(Point, f64, SparseLu, usize)> {
        let mut at = started;
        let mut residual = vec![0.0; self.unknowns()];
        let mut mismatch = self.mismatch(&at, given, &mut residual);
        for corrections in 0..=MOST_CORRECTIONS {
            let moved = at.angle.iter().zip(&before.angle).map(|(a, b)| (a - b).abs());
            let grown = at.magnitude.iter().zip(&before.magnitude).filter(|(_, b)| **b > 0.0);
            let furthest = moved.chain(grown.map(|(a, b)| (a / b - 1.0).abs())).fold(0.0, f64::max);
            // Written so that NaN fails.
            if !(mismatch.is_finite() && furthest <= FURTHEST) {
                return None;
            }
            self.refresh(&at, factors)?;
            if mismatch <= TOLERANCE {
                return Some((at, mismatch, factors.clone(), corrections));
            }
            factors.solve(&mut residual);
            let next = self.moved(&at, &residual, 1.0);
            let smaller = self.mismatch(&next, given, &mut residual);
            *steps += 1;
            // As exact as round-off allows.
            if mismatch < 1e-7 && smaller > 0.5 * mismatch {
                return Some((at, mismatch, factors.clone(), corrections));
            }
            (at, mismatch) = (next, smaller);
        }
        None
    }
}

/// Where a branch ended.
struct End {
    share: f64,
    node: usize,
}

fn between(from: &[Complex], to: &[Complex], share: f64) -> Vec<Complex> {
    from.iter().zip(to).map(|(a, b)| if share >= 1.0 { *b } else { *a + (*b - *a).scale(share) }).collect()
}
