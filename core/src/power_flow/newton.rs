//! Newton's method in polar coordinates for PQ, PV and slack buses (Tinney and Hart 1967).
//!
//! Unknowns are the angles of all live buses but the slacks, and the *relative* magnitudes Δ|V|/|V| of the PQ buses,
//! which keeps the Jacobian free of divisions: with t_ij = V_i (Y_ij V_j)*,
//! ∂P_i/∂θ_j = Im t_ij, ∂Q_i/∂θ_j = −Re t_ij, |V_j| ∂P_i/∂|V_j| = Re t_ij, |V_j| ∂Q_i/∂|V_j| = Im t_ij for i ≠ j.

use std::f64::consts::TAU;
use std::sync::OnceLock;

use crate::linear::{Singular, SparseLu, SparseMatrix};
use crate::network::{BusKind, Network, Topology};

use super::admittance::Admittance;
use super::complex::Complex;
use super::start::Start;

/// Largest mismatch of a solved flow, pu, where round-off allows it.
const TOLERANCE: f64 = 1e-10;
/// A mismatch that no longer falls is the floor of round-off if it is below this, pu: short lines have large
/// admittances.
const FLOOR: f64 = 1e-7;
const MAX_STEPS: usize = 40;
/// A step of the careful search that is shorter than this leads nowhere.
const SHORTEST: f64 = 1e-3;
/// Magnitudes, pu, outside of which a solution has to prove itself.
pub(super) const ORDINARY_PU: std::ops::Range<f64> = 0.7..1.5;
/// No unknown.
pub(super) const FIXED: usize = usize::MAX;

/// The equations of a network with the factors of their flat start.
#[derive(Debug, Clone)]
pub(super) struct Newton {
    admittance: Admittance,
    /// Unknown of each node's angle and of its magnitude.
    angle_at: Vec<usize>,
    pub(super) magnitude_at: Vec<usize>,
    /// Node of each unknown.
    node_of: Vec<usize>,
    slacks: Vec<usize>,
    /// Ends of each live branch, and the angle between them at which nothing drives a flow.
    pub(super) spans: Vec<(usize, usize, f64)>,
    pub(super) flat_start: Start,
    /// Pattern of the Jacobian, and its values at the flat start.
    jacobian: SparseMatrix,
    /// Where the four derivatives of each admittance entry stand in the Jacobian.
    place: Vec<[usize; 4]>,
    pub(super) flat: SparseLu,
    /// Found when a solution is in doubt.
    pub(super) idle: OnceLock<Option<Idle>>,
}

/// The state of the network without injections.
#[derive(Debug, Clone)]
pub(super) struct Idle {
    pub voltages: Start,
    pub steps: usize,
    /// Whether the determinant of the Jacobian is negative there, and so on the whole branch.
    pub negative: bool,
}

/// How a search takes its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steps {
    /// Whole ones unless they lead far astray: a good start needs no more.
    Bold,
    /// None that does not bring the mismatch down; the length is that of the best point of a parabola.
    Careful,
}

/// Where the search ended.
#[derive(Debug)]
pub(super) struct Found {
    pub voltage: Vec<Complex>,
    /// Angles that turned with the search, so that a whole turn between neighbours shows.
    pub angle: Vec<f64>,
    pub steps: usize,
    pub mismatch: f64,
    /// Whether the determinant of the Jacobian was negative at the last step.
    pub negative: bool,
}

/// Where it failed.
#[derive(Debug)]
pub(super) struct Lost {
    pub steps: usize,
    pub mismatch: f64,
    pub worst_node: usize,
}

/// Voltages in both forms with the injections they imply.
pub(super) struct Point {
    pub angle: Vec<f64>,
    pub magnitude: Vec<f64>,
    pub voltage: Vec<Complex>,
    pub power: Vec<Complex>,
}

impl Newton {
    /// Sets up the equations; `flat_start` are the voltages by node, `kinds` what each node really holds fixed.
    pub(super) fn new(
        network: &Network,
        topology: &Topology,
        kinds: &[BusKind],
        flat_start: Start,
    ) -> Result<Self, SingularAt> {
        let n = network.buses.len();
        let (mut angle_at, mut magnitude_at, mut node_of) = (vec![FIXED; n], vec![FIXED; n], Vec::new());
        let live = || (0..n).filter(|i| topology.is_energised(crate::network::NodeId(*i)));
        for i in live().filter(|i| kinds[*i] != BusKind::Slack) {
            angle_at[i] = node_of.len();
            node_of.push(i);
            if kinds[i] == BusKind::Pq {
                magnitude_at[i] = node_of.len();
                node_of.push(i);
            }
        }
        let admittance = Admittance::new(network, topology);
        let (mut jacobian, place) = pattern(&admittance, &angle_at, &magnitude_at, node_of.len());
        let voltage = flat_start.voltages();
        let power: Vec<Complex> = (0..n).map(|i| voltage[i] * admittance.current(i, &voltage).conj()).collect();
        fill(&mut jacobian, &admittance, &place, &voltage, &power);
        let flat = SparseLu::new(&jacobian).map_err(|s| SingularAt { node: node_of[s.column] })?;
        let slacks = network.slacks().map(|slack| slack.0).collect();
        let closed = network.branches.iter().filter(|b| b.in_service && topology.is_energised(b.from));
        let spans = closed
            .map(|b| {
                let (from, to, shift) = (b.from.0, b.to.0, b.shift_deg.to_radians());
                let apart = flat_start.angle[from] - flat_start.angle[to];
                (from, to, shift + TAU * ((apart - shift) / TAU).round())
            })
            .collect();
        Ok(Self {
            admittance,
            angle_at,
            magnitude_at,
            node_of,
            slacks,
            spans,
            flat_start,
            jacobian,
            place,
            flat,
            idle: OnceLock::new(),
        })
    }

    /// Solves for given injections by node, pu, from given voltages or the flat start.
    pub(super) fn solve(&self, from: Option<&Start>, injection: &[Complex], how: Steps) -> Result<Found, Lost> {
        let mut lu = self.flat.clone();
        let mut jacobian = self.jacobian.clone();
        let mut step = vec![0.0; self.node_of.len()];
        let start = from.unwrap_or(&self.flat_start);
        let mut at = self.point(start.angle.clone(), start.magnitude.clone());
        let mut mismatch = self.mismatch(&at, injection, &mut step);
        for steps in 0..MAX_STEPS {
            let solved = mismatch <= TOLERANCE;
            if steps > 0 && solved {
                return Ok(self.polish(at, steps, mismatch, injection, &mut lu, step));
            }
            let lost = |at: &Point, mismatch| self.lost(at, injection, steps, mismatch);
            // The factors of the flat start are there.
            if steps > 0 || from.is_some() {
                self.fill(&mut jacobian, &at.voltage, &at.power);
                if lu.refactor(&jacobian).is_err() {
                    return Err(lost(&at, mismatch));
                }
            }
            if solved {
                return Ok(self.polish(at, steps, mismatch, injection, &mut lu, step));
            }
            let size = |residual: &[f64]| residual.iter().map(|r| r * r).sum::<f64>();
            let square = size(&step);
            lu.solve(&mut step);
            let mut length = 1.0;
            let (next, smaller) = loop {
                let next = self.moved(&at, &step, length);
                let mut residual = vec![0.0; step.len()];
                let smaller = self.mismatch(&next, injection, &mut residual);
                let taken = match how {
                    // Half as far where the whole way leads astray.
                    Steps::Bold => {
                        let astray = smaller > 4.0 * mismatch || !smaller.is_finite();
                        if astray && length < 0.1 && !smaller.is_finite() {
                            return Err(lost(&at, mismatch));
                        }
                        !astray || length < 0.1
                    }
                    Steps::Careful => {
                        let found = size(&residual);
                        let falls = found <= (1.0 - 1e-4 * length) * square;
                        if !falls && length < SHORTEST && mismatch > FLOOR {
                            return Err(lost(&at, mismatch));
                        }
                        if !falls && length >= SHORTEST {
                            // Lowest point of the parabola with the slope of Newton's direction.
                            let best = length * length * square / (found - (1.0 - 2.0 * length) * square);
                            length =
                                if best.is_finite() { best.clamp(0.1 * length, 0.5 * length) } else { 0.1 * length };
                            continue;
                        }
                        true
                    }
                };
                if taken {
                    step = residual;
                    break (next, smaller);
                }
                length /= 2.0;
            };
            if mismatch < FLOOR && smaller > 0.5 * mismatch {
                return Ok(Found::at(at, steps, mismatch, &lu));
            }
            (at, mismatch) = (next, smaller);
        }
        Err(self.lost(&at, injection, MAX_STEPS, mismatch))
    }

    pub(super) fn admittance(&self) -> &Admittance {
        &self.admittance
    }

    /// The lowest voltage magnitude of the live nodes.
    pub(super) fn lowest_pu(&self, voltage: &[Complex]) -> f64 {
        voltage[self.lowest(voltage)].norm()
    }

    /// The live node with the lowest voltage.
    pub(super) fn lowest(&self, voltage: &[Complex]) -> usize {
        let live = self.node_of.iter().copied();
        live.min_by(|a, b| voltage[*a].norm().total_cmp(&voltage[*b].norm())).unwrap_or(0)
    }

    /// Factors of the Jacobian at a solved flow.
    pub(super) fn factors(&self, voltage: &[Complex]) -> Result<SparseLu, SingularAt> {
        let power: Vec<Complex> = (0..voltage.len()).map(|i| self.power(i, voltage)).collect();
        let mut jacobian = self.jacobian.clone();
        self.fill(&mut jacobian, voltage, &power);
        let mut lu = self.flat.clone();
        lu.refactor(&jacobian).map_err(|singular| self.locate(singular))?;
        Ok(lu)
    }

    /// Puts the factors of the Jacobian at a point in place of others; nothing if it is singular.
    pub(super) fn refresh(&self, at: &Point, factors: &mut SparseLu) -> Option<()> {
        let mut jacobian = self.jacobian.clone();
        self.fill(&mut jacobian, &at.voltage, &at.power);
        factors.refactor(&jacobian).ok()
    }

    /// The node whose voltage falls most along a tangent; where none falls, the one whose angle turns most.
    pub(super) fn giving_way(&self, tangent: &[f64]) -> usize {
        let falls = |node: usize| match self.magnitude_at[node] {
            FIXED => 0.0,
            at => tangent[at],
        };
        let turns = |node: usize| tangent[self.angle_at[node]].abs();
        let order = |a: &usize, b: &usize| falls(*a).total_cmp(&falls(*b)).then(turns(*b).total_cmp(&turns(*a)));
        self.node_of.iter().copied().min_by(order).unwrap_or(0)
    }

    /// Gradient of `p`·ΣP_slack + `q`·ΣQ_slack by the unknowns, added to `gradient`.
    pub(super) fn add_slack_gradient(&self, voltage: &[Complex], p: f64, q: f64, gradient: &mut [f64]) {
        for &s in &self.slacks {
            for (j, y) in self.admittance.row(s) {
                let t = voltage[s] * (y * voltage[j]).conj();
                if self.angle_at[j] != FIXED {
                    gradient[self.angle_at[j]] += p * t.im - q * t.re;
                }
                if self.magnitude_at[j] != FIXED {
                    gradient[self.magnitude_at[j]] += p * t.re + q * t.im;
                }
            }
        }
    }

    /// Number of unknowns.
    pub(super) fn unknowns(&self) -> usize {
        self.node_of.len()
    }

    /// Unknown of a node's angle, to which its active balance belongs.
    pub(super) fn angle(&self, node: usize) -> Option<usize> {
        Some(self.angle_at[node]).filter(|at| *at != FIXED)
    }

    /// Unknown of a node's magnitude, to which its reactive balance belongs.
    pub(super) fn magnitude(&self, node: usize) -> Option<usize> {
        Some(self.magnitude_at[node]).filter(|at| *at != FIXED)
    }

    /// Further steps with the old factors, as long as they help: a solved flow should be as good as round-off allows.
    fn polish(
        &self,
        mut at: Point,
        steps: usize,
        mut mismatch: f64,
        injection: &[Complex],
        lu: &mut SparseLu,
        mut step: Vec<f64>,
    ) -> Found {
        for _ in 0..2 {
            lu.solve(&mut step);
            let next = self.moved(&at, &step, 1.0);
            let smaller = self.mismatch(&next, injection, &mut step);
            if smaller >= mismatch || smaller.is_nan() {
                break;
            }
            let settled = smaller > 0.1 * mismatch;
            (at, mismatch) = (next, smaller);
            if settled {
                break;
            }
        }
        Found::at(at, steps, mismatch, lu)
    }

    pub(super) fn point(&self, angle: Vec<f64>, magnitude: Vec<f64>) -> Point {
        let voltage: Vec<Complex> = magnitude.iter().zip(&angle).map(|(m, a)| Complex::polar(*m, *a)).collect();
        let power = (0..voltage.len()).map(|i| self.power(i, &voltage)).collect();
        Point { angle, magnitude, voltage, power }
    }

    pub(super) fn moved(&self, from: &Point, step: &[f64], length: f64) -> Point {
        let (mut angle, mut magnitude) = (from.angle.clone(), from.magnitude.clone());
        for i in 0..angle.len() {
            if self.angle_at[i] != FIXED {
                angle[i] += length * step[self.angle_at[i]];
            }
            if self.magnitude_at[i] != FIXED {
                // A magnitude that changed its sign would be half a turn in disguise.
                magnitude[i] *= (1.0 + length * step[self.magnitude_at[i]]).max(0.1);
            }
        }
        self.point(angle, magnitude)
    }

    fn power(&self, i: usize, voltage: &[Complex]) -> Complex {
        voltage[i] * self.admittance.current(i, voltage).conj()
    }

    /// Writes given less found injections by unknown; the largest.
    pub(super) fn mismatch(&self, at: &Point, injection: &[Complex], residual: &mut [f64]) -> f64 {
        let mut largest = 0.0_f64;
        for (i, (given, found)) in injection.iter().zip(&at.power).enumerate() {
            let missing = *given - *found;
            for (unknown, value) in [(self.angle_at[i], missing.re), (self.magnitude_at[i], missing.im)] {
                if unknown != FIXED {
                    residual[unknown] = value;
                    largest = if value.abs() > largest || value.is_nan() { value.abs() } else { largest };
                }
            }
        }
        largest
    }

    pub(super) fn lost(&self, at: &Point, injection: &[Complex], steps: usize, mismatch: f64) -> Lost {
        let mut residual = vec![0.0; self.node_of.len()];
        self.mismatch(at, injection, &mut residual);
        let worst = residual.iter().zip(&self.node_of).max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()));
        Lost { steps, mismatch, worst_node: worst.map_or(0, |(_, node)| *node) }
    }

    fn locate(&self, singular: Singular) -> SingularAt {
        SingularAt { node: self.node_of[singular.column] }
    }

    fn fill(&self, jacobian: &mut SparseMatrix, voltage: &[Complex], power: &[Complex]) {
        fill(jacobian, &self.admittance, &self.place, voltage, power);
    }
}

impl Found {
    pub(super) fn at(point: Point, steps: usize, mismatch: f64, lu: &SparseLu) -> Self {
        let negative = lu.is_determinant_negative();
        Self { voltage: point.voltage, angle: point.angle, steps, mismatch, negative }
    }
}

/// The Jacobian has no inverse; a node near which it fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct SingularAt {
    pub node: usize,
}

/// Writes the Jacobian's values at a point.
fn fill(
    jacobian: &mut SparseMatrix,
    admittance: &Admittance,
    place: &[[usize; 4]],
    voltage: &[Complex],
    power: &[Complex],
) {
    // A place without an unknown writes to a last value that nobody reads.
    jacobian.value.push(0.0);
    for i in 0..voltage.len() {
        for e in admittance.start[i]..admittance.start[i + 1] {
            let j = admittance.column[e];
            let t = voltage[i] * (admittance.value[e] * voltage[j]).conj();
            let s = if i == j { power[i] } else { Complex::ZERO };
            let [p_angle, p_magnitude, q_angle, q_magnitude] = place[e];
            jacobian.value[p_angle] = t.im - s.im;
            jacobian.value[p_magnitude] = t.re + s.re;
            jacobian.value[q_angle] = s.re - t.re;
            jacobian.value[q_magnitude] = t.im + s.im;
        }
    }
    jacobian.value.pop();
}

/// The Jacobian's pattern, and for each admittance entry (i, j) the places of ∂P_i/∂θ_j, ∂P_i/∂|V_j|, ∂Q_i/∂θ_j and
/// ∂Q_i/∂|V_j|.
fn pattern(
    admittance: &Admittance,
    angle_at: &[usize],
    magnitude_at: &[usize],
    unknowns: usize,
) -> (SparseMatrix, Vec<[usize; 4]>) {
    let mut cells: Vec<[(usize, usize); 4]> = Vec::with_capacity(admittance.column.len());
    for i in 0..angle_at.len() {
        for (j, _) in admittance.row(i) {
            let (p, q) = (angle_at[i], magnitude_at[i]);
            let (angle, magnitude) = (angle_at[j], magnitude_at[j]);
            cells.push([(p, angle), (p, magnitude), (q, angle), (q, magnitude)]);
        }
    }
    let entries: Vec<(usize, usize, f64)> = cells
        .iter()
        .flatten()
        .filter(|(row, column)| *row != FIXED && *column != FIXED)
        .map(|(row, column)| (*row, *column, 0.0))
        .collect();
    let matrix = SparseMatrix::from_entries(unknowns, &entries);
    let spill = matrix.row.len();
    let find = |(row, column): (usize, usize)| {
        if row == FIXED || column == FIXED {
            return spill;
        }
        let first = matrix.start[column];
        let rows = &matrix.row[first..matrix.start[column + 1]];
        first + rows.binary_search(&row).expect("invariant: the entry was gathered above")
    };
    let place = cells.iter().map(|four| four.map(find)).collect();
    (matrix, place)
}
