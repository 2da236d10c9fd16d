//! Truthfulness: does somebody gain by a report that is not true, the others being truthful?
//!
//! Regret is what the best report found gains, so a lower bound on the true regret. It is given by what is misreported: the
//! level of the price alone, its factor alone, the quantity alone, and all three jointly, for a rule can be safe against each
//! and not against their mixture.

use super::bench::Bench;
use super::search::{Best, best_of, golden, pattern};
use super::space::{Space, at, distortion};
use crate::error::MechanismError;
use crate::participant::Distortion;
use rayon::prelude::*;

/// What one member gains by a report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// Money above what the truth brings; 0 where nothing found is better.
    pub value: f64,
    /// The report.
    pub report: Distortion,
}

/// What one member gains by reports of several kinds, all others being truthful.
#[derive(Clone, Debug, PartialEq)]
pub struct Regret {
    /// Its position.
    pub seat: usize,
    /// By shifting its marginal cost.
    pub level: Gain,
    /// By multiplying its cost.
    pub factor: Gain,
    /// By scaling its quantities.
    pub quantity: Gain,
    /// By all three: at least the best of the others.
    pub joint: Gain,
}

/// Runs of the lines along the axes.
const LINES: usize = 21 + 21 + 7;
/// Runs of the refinement of one axis: a tenth of the axis shrinks to some 1e-10 of it.
const GOLDEN: usize = 45;
/// Runs of the coarse grid of all three.
const COARSE: usize = 5 * 9 * 3;

/// What is found of some members, with about this many runs of the mechanism for each.
///
/// # Errors
/// If the truth has no outcome.
pub(super) fn search(
    bench: &Bench<'_>,
    spaces: &[Space],
    allowance: usize,
) -> Result<(Vec<f64>, Vec<Regret>), MechanismError> {
    let now = bench.truthful()?;
    let least = |space: &Space| space.all.as_ref().map_or(LINES, Vec::len);
    let seats = chosen(spaces.len(), allowance, spaces.iter().map(least).max().unwrap_or(LINES));
    let each = allowance / seats.len().max(1);
    let found = seats.into_par_iter().map(|seat| of_seat(bench, &spaces[seat], seat, &now, each)).collect();
    Ok((now, found))
}

/// Which members are examined, evenly over all, where runs are too few for so many each.
pub(super) fn chosen(seats: usize, allowance: usize, each: usize) -> Vec<usize> {
    let count = (allowance / each.max(1)).clamp(1, seats.max(1)).min(seats);
    (0..count).map(|k| k * seats / count.max(1)).collect()
}

fn of_seat(bench: &Bench<'_>, space: &Space, seat: usize, now: &[f64], allowance: usize) -> Regret {
    let player = bench.truth.ownership()[seat];
    let f = |point: &[f64]| {
        let worth = bench.worth(&vec![(seat, distortion(point))], &[player])?;
        Some(worth[0] - now[player])
    };
    let truth = || Best { at: at(Distortion::TRUTH), value: 0.0 };
    let gain = |best: &Best| Gain { value: best.value, report: distortion(&best.at) };
    if let Some(all) = space.all.as_ref().filter(|all| all.len() <= allowance) {
        let points: Vec<Vec<f64>> = all.iter().map(|report| at(*report)).collect();
        let of = |keep: &dyn Fn(&Vec<f64>) -> bool, points: &[(Vec<f64>, Option<f64>)]| {
            let kept = points.iter().filter(|(at, _)| keep(at));
            let known = kept.filter_map(|(at, value)| Some(Best { at: at.clone(), value: (*value)? }));
            known.fold(truth(), |best, found| best.or(Some(found)))
        };
        let values: Vec<Option<f64>> = points.par_iter().map(|at| f(at)).collect();
        let known: Vec<(Vec<f64>, Option<f64>)> = points.into_iter().zip(values).collect();
        let (level, quantity, joint) =
            (of(&|at| at[2] == 1.0, &known), of(&|at| at[1] == 0.0, &known), of(&|_| true, &known));
        return Regret {
            seat,
            level: gain(&level),
            factor: gain(&truth()),
            quantity: gain(&quantity),
            joint: gain(&joint),
        };
    }
    let refines = allowance >= LINES + 3 * GOLDEN;
    let along = |axis: usize| {
        let line = space.along(axis);
        let best = truth().or(best_of(&line, &f));
        let width = line[1][axis] - line[0][axis];
        if !refines || width <= 0.0 {
            return best;
        }
        let (low, high) = space.bounds[axis];
        let around = ((best.at[axis] - width).max(low), (best.at[axis] + width).min(high));
        let refined = golden(&f, &best.at, axis, around, GOLDEN);
        best.or(refined)
    };
    let [factor, level, quantity] = [0, 1, 2].map(along);
    let mut joint = level.clone().or(Some(factor.clone())).or(Some(quantity.clone()));
    let left = allowance.saturating_sub(LINES + 3 * GOLDEN);
    if left > COARSE {
        let coarse = best_of(&space.coarse(), &f);
        let half = (left - COARSE) / 2;
        // From the best of the lines and from the best of the grid: either may lead to the better top.
        let from_lines = pattern(&f, joint.clone(), &space.bounds, 0.05, half);
        joint = from_lines.or(coarse.map(|start| pattern(&f, start, &space.bounds, 0.125, half)));
    }
    Regret { seat, level: gain(&level), factor: gain(&factor), quantity: gain(&quantity), joint: gain(&joint) }
}
