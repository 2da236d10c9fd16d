//! Why a program has no feasible point: the rows that cannot hold, in words.
//!
//! Every row may be missed at a price; the least total miss is itself a program, always feasible, and its certificate
//! proves a positive optimum. The rows it misses are the witness.

use super::exact::interior_then_face;
use crate::program::Instance;
use crate::program::model::normal_form::{Normal, Symbolic};

const MOST_NAMED: usize = 3;
/// Misses, relative to a row's size, below which a program counts as feasible.
const TOLERANCE: f64 = 1e-8;

/// A row that is missed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Miss {
    pub row: usize,
    /// What the row falls short (negative: exceeds), in its own units.
    pub amount: f64,
    /// What misses are compared by.
    pub weight: f64,
}

/// The rows that cannot hold together, or nothing when feasibility is not refuted.
pub(super) fn witness(symbolic: &Symbolic, normal: &Normal, problem: &Instance) -> Option<Vec<String>> {
    let alone = impossible_alone(normal);
    if !alone.is_empty() {
        return Some(named(problem, alone));
    }
    let prices = prices(normal, problem);
    let elastic = normal.elastic(symbolic, &prices);
    let point = interior_then_face(&elastic)?;
    let (n, m) = (normal.linear.len(), normal.rhs.len());
    let (mut reduced, mut residual) = (vec![0.0; n + 2 * m], vec![0.0; m]);
    let quality = elastic.certify(&point, &mut reduced, &mut residual);
    let misses: Vec<Miss> = (0..m)
        .map(|i| (i, point.x[n + 2 * i] - point.x[n + 2 * i + 1]))
        .map(|(i, miss)| Miss { row: i, amount: normal.row_amount(i, miss), weight: prices[i] * miss.abs() })
        .collect();
    let total: f64 = misses.iter().map(|m| m.weight).sum();
    // The optimum is at least the value less its gap, which is relative to one plus the value.
    (quality.residual <= 1e-9 && total - quality.gap * (1.0 + total) > TOLERANCE).then(|| named(problem, misses))
}

/// Rows that the bounds of their own variables contradict.
fn impossible_alone(normal: &Normal) -> Vec<Miss> {
    let m = normal.rhs.len();
    let (mut least, mut most) = (vec![0.0; m], vec![0.0; m]);
    for (i, j, a) in normal.entries() {
        let (at_lower, at_upper) = (a * normal.lower[j], a * normal.upper[j]);
        least[i] += at_lower.min(at_upper);
        most[i] += at_lower.max(at_upper);
    }
    (0..m)
        .map(|i| (i, (normal.rhs[i] - most[i]).max(0.0) - (least[i] - normal.rhs[i]).max(0.0)))
        .map(|(i, miss)| Miss { row: i, amount: normal.row_amount(i, miss), weight: miss.abs() / normal.size[i] })
        .filter(|m| m.weight > TOLERANCE)
        .collect()
}

/// What missing a row costs: misses count relative to the largest row of the same device, and where rows are equivalent
/// (an energy balance passes a shortage on from period to period) the last one is blamed.
fn prices(normal: &Normal, problem: &Instance) -> Vec<f64> {
    let m = normal.rhs.len();
    let scope = |i: usize| problem.row_scope(i);
    let mut size = vec![0.0_f64; problem.scopes().max(1)];
    for i in 0..m {
        size[scope(i)] = size[scope(i)].max(normal.size[i]);
    }
    (0..m).map(|i| (1.0 - 0.01 * i as f64 / m as f64) / size[scope(i)]).collect()
}

/// The worst of the missed rows in words.
pub(super) fn named(problem: &Instance, mut misses: Vec<Miss>) -> Vec<String> {
    misses.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let worst = misses.first().map_or(0.0, |m| m.weight);
    misses
        .iter()
        .take(MOST_NAMED)
        .filter(|m| m.weight > 1e-3 * worst)
        .map(|&Miss { row, amount: miss, .. }| {
            let (scope, what, period) = problem.row_label(row);
            let scope = if scope.is_empty() { String::new() } else { format!("{scope}: ") };
            let period = period.map_or(String::new(), |t| format!(", period {t}"));
            let direction = if miss > 0.0 { "short" } else { "over" };
            format!("{scope}{what}{period}: {direction} by {}", three_digits(miss.abs()))
        })
        .collect()
}

fn three_digits(v: f64) -> String {
    let digits = (2 - v.log10().floor() as i32).max(0) as usize;
    format!("{v:.digits$}")
}
