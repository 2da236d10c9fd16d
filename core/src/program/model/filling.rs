//! Quantities that are charged piece by piece: segments that fill in order, from zero outwards.
//!
//! ```text
//! x = sum of a_k - sum of b_k        a_1, a_2, .. above zero, b_1, b_2, .. below, each within its width
//! ```
//!
//! Where the price of the next piece is not lower than that of the last, least cost fills them in order. Where it falls
//! (a concave kink), which side of the kink `x` lies on is a choice. The relaxation then has the rows
//! `share of the piece before >= share of the next`, with which its cost is the convex hull of what is charged, whatever
//! the number of pieces (Croxton, Gendron and Magnanti 2003: the incremental formulation is sharp); for one kink at zero
//! between `L` and `U` that is the chord `a/U + b/(-L) <= 1`. Any `x` has its pieces in order, so every answer of the
//! relaxation can be put right at a known cost. Knows no participant.

use super::{Expr, Instance, Program, Restriction, Row, Var};

/// Segments of one quantity, and where their prices fall.
#[derive(Clone, Debug)]
pub(in crate::program) struct Filling {
    /// The row that adds up the segments, and the coefficient in it of those above zero; those below have minus that.
    row: (usize, f64),
    /// Segments from the least value of the quantity to the greatest: variable, and whether it is above zero.
    pieces: Vec<(usize, bool)>,
    /// Segments after which the price falls, by position.
    pub falls: Vec<usize>,
    /// Rows that hold in order and nowhere else in the program, with their slacks.
    hull: Vec<(usize, usize)>,
}

/// A filling whose pieces are out of order.
#[derive(Clone, Copy, Debug)]
pub(in crate::program) struct Disorder {
    /// The fall that is crossed most, by position among the falls.
    pub fall: usize,
    /// How far, as a share of a piece.
    pub share: f64,
    /// What putting the pieces in order costs at the prices of the answer.
    pub money: f64,
}

impl Program {
    /// Says that segments of a quantity fill in order. `row` adds them up: those `above` zero with `coefficient`, those
    /// `below` with minus that, each list from zero outwards; all reach from zero to a positive width. `falls` is asked for
    /// each pair of neighbours, from the least value of the quantity to the greatest, whether the price of the second is
    /// lower.
    pub fn in_order(
        &mut self,
        (row, coefficient): (Row, f64),
        below: &[Var],
        above: &[Var],
        falls: impl Fn(usize) -> bool,
    ) {
        let downwards = below.iter().rev().map(|v| (v.index(), false));
        let pieces: Vec<(usize, bool)> = downwards.chain(above.iter().map(|v| (v.index(), true))).collect();
        let falls: Vec<usize> = (1..pieces.len()).map(|k| k - 1).filter(|&k| falls(k)).collect();
        let mut hull = vec![];
        if !falls.is_empty() {
            for pair in pieces.windows(2) {
                let scale = self.upper[pair[0].0].min(self.upper[pair[1].0]);
                // Share of a segment: what is there above zero, what is missing below.
                let share = |(j, is_above): (usize, bool)| {
                    let part = Expr::from(Var(j)).times(scale / self.upper[j]);
                    if is_above { part } else { Expr::constant(scale).plus(-1.0, part) }
                };
                let (first, second) = (share(pair[0]), share(pair[1]));
                let slack = self.var(0.0, scale);
                let in_order = first.plus(-1.0, second).plus(-1.0, slack);
                let held = self.equal(in_order, 0.0, "pieces in order", None);
                hull.push((held.index(), slack.index()));
            }
        }
        self.fillings.push(Filling { row: (row.index(), coefficient), pieces, falls, hull });
    }
}

impl Filling {
    /// What it means to be above (`true`) or below the kink after a segment.
    pub fn side(&self, problem: &Instance, fall: usize, above: bool) -> Vec<Restriction> {
        let k = self.falls[fall];
        let side = if above { &self.pieces[..=k] } else { &self.pieces[k + 1..] };
        // Full above zero is as far as it goes, full below zero is nothing.
        let held = |&(j, is_above): &(usize, bool)| {
            let value = if is_above == above { problem.widest(Var(j)).1 } else { 0.0 };
            Restriction { variable: Var(j), lower: value, upper: value }
        };
        side.iter().map(held).collect()
    }

    /// Whether `x` lies above the kink after a segment, where its pieces are in order.
    pub fn is_above(&self, problem: &Instance, fall: usize, x: &[f64]) -> bool {
        let (j, above) = self.pieces[self.falls[fall]];
        let width = problem.widest(Var(j)).1;
        if above { x[j] >= width - ROOM * width } else { x[j] <= ROOM * width }
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.pieces.iter().map(|&(j, above)| if above { x[j] } else { -x[j] }).sum()
    }

    /// Segments of a value in order, and what is left over beyond the last.
    fn in_order(&self, problem: &Instance, value: f64) -> (Vec<(usize, f64)>, f64) {
        let mut left = value.abs();
        let mut filled = Vec::with_capacity(self.pieces.len());
        let outwards = |above: bool| -> Vec<usize> {
            let mut of: Vec<usize> = self.pieces.iter().filter(|p| p.1 == above).map(|p| p.0).collect();
            if !above {
                of.reverse();
            }
            of
        };
        for j in outwards(value > 0.0) {
            let amount = left.min(problem.widest(Var(j)).1);
            left -= amount;
            filled.push((j, amount));
        }
        filled.extend(outwards(value <= 0.0).into_iter().map(|j| (j, 0.0)));
        (filled, left)
    }

    /// Whether the pieces are out of order, and at what stake; `reduced` are reduced costs without the rows of the hulls.
    pub fn disorder(&self, problem: &Instance, x: &[f64], reduced: Option<&[f64]>) -> Option<Disorder> {
        let width = |j: usize| problem.widest(Var(j)).1;
        let missing = |&(j, above): &(usize, bool)| {
            let part = x[j] / width(j);
            if above { 1.0 - part } else { part }
        };
        // Across a fall: something is there beyond it while something before it is missing.
        let crossed = |&k: &usize| {
            let before = self.pieces[..=k].iter().map(missing).fold(0.0, f64::max);
            let beyond = self.pieces[k + 1..].iter().map(|piece| 1.0 - missing(piece)).fold(0.0, f64::max);
            before.min(beyond)
        };
        let all = self.falls.iter().map(crossed).enumerate();
        let (fall, share) = all.fold((0, 0.0), |most, next| if next.1 > most.1 { next } else { most });
        if share <= 0.0 {
            return None;
        }
        let money = reduced.map_or(0.0, |reduced| {
            let (ordered, _) = self.in_order(problem, self.value(x));
            ordered.iter().map(|&(j, amount)| reduced[j] * (amount - x[j])).sum()
        });
        Some(Disorder { fall, share, money })
    }
}

/// The same point with the pieces of all quantities in order: the quantities stay, what is counted by pieces follows. Nothing
/// if a quantity that follows has no room.
pub(in crate::program) fn put_in_order(problem: &Instance, x: &[f64]) -> Option<Vec<f64>> {
    let mut x = x.to_vec();
    for filling in problem.fillings() {
        let (row, coefficient) = filling.row;
        let sum: f64 = problem.rows()[row].iter().map(|&(v, a)| a * x[v.index()]).sum();
        let value = filling.value(&x);
        let wanted = value + (problem.rhs[row] - sum) / coefficient;
        let (ordered, left) = filling.in_order(problem, wanted);
        let size: f64 = filling.pieces.iter().map(|&(j, _)| problem.widest(Var(j)).1).sum();
        if left > ROOM * size {
            return None;
        }
        for (j, amount) in ordered {
            x[j] = amount;
        }
        for &(row, slack) in &filling.hull {
            let others = problem.rows()[row].iter().filter(|&&(v, _)| v.index() != slack);
            let sum: f64 = others.map(|&(v, a)| a * x[v.index()]).sum();
            x[slack] = (sum - problem.rhs[row]).clamp(problem.lower[slack], problem.upper[slack]);
        }
    }
    Some(x)
}

/// Rows that only hold pieces in order.
pub(in crate::program) fn hull_rows(problem: &Instance) -> impl Iterator<Item = usize> + '_ {
    problem.fillings().iter().flat_map(|filling| filling.hull.iter().map(|h| h.0))
}

/// What may be left over of a quantity, relative to its pieces: a solver's rounding.
const ROOM: f64 = 1e-9;
