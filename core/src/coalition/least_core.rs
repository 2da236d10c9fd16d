//! The core, and what comes nearest to it where there is none.

use super::linear::{Aim, Constraints};
use super::{Coalition, CoalitionError, CoalitionGame};

/// Excesses below this share of the game's scale are rounding.
const ROUNDING: f64 = 1e-9;

/// The least excess that every division leaves some coalition.
#[derive(Clone, Debug, PartialEq)]
pub struct LeastCore {
    /// `min over x of max over S of v(S) - x(S)`, nobody and everybody left out: the core is empty where it is above 0. 0 in a
    /// game of one player.
    pub epsilon: f64,
    /// A division that reaches it.
    pub division: Vec<f64>,
    /// Proven distance of `epsilon` from the least, in money.
    pub gap: f64,
}

/// Least and most that a player gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Least.
    pub least: f64,
    /// Most.
    pub most: f64,
}

impl CoalitionGame {
    /// The least core (Maschler, Peleg and Shapley, 1979): `min epsilon` with `x(S) >= v(S) - epsilon` and `x(N) = v(N)`.
    ///
    /// # Errors
    /// If a linear program is not solved.
    pub fn least_core(&self) -> Result<LeastCore, CoalitionError> {
        if self.players == 1 {
            return Ok(LeastCore { epsilon: 0.0, division: vec![self.total()], gap: 0.0 });
        }
        let mut constraints = self.all_open();
        let point = constraints.solve(self.least_excess())?;
        Ok(LeastCore { epsilon: point.excess, division: point.division, gap: point.gap })
    }

    /// What each player gets at least and at most in the core, or in the least core where the core is empty.
    ///
    /// # Errors
    /// If a linear program is not solved.
    pub fn core_intervals(&self) -> Result<Vec<Interval>, CoalitionError> {
        if self.players == 1 {
            return Ok(vec![Interval { least: self.total(), most: self.total() }]);
        }
        let mut constraints = self.all_open();
        let epsilon = constraints.solve(self.least_excess())?.excess;
        // A little room: the least core may be a single point, which rounding would miss.
        let excess = if epsilon > ROUNDING * self.scale() { epsilon } else { epsilon.max(0.0) } + 1e-11 * self.scale();
        let mut interval = |player: usize| {
            let alone = Coalition::of([player]);
            let least = constraints.solve(Aim::Least(alone, excess))?.division[player];
            let most = constraints.solve(Aim::Most(alone, excess))?.division[player];
            Ok(Interval { least, most })
        };
        (0..self.players).map(&mut interval).collect()
    }

    /// Whether an excess is none, to the precision of the answers.
    pub fn is_none(&self, excess: f64) -> bool {
        excess <= ROUNDING * self.scale()
    }

    /// Every coalition may object, and players may get whatever some least core may give them.
    fn all_open(&self) -> Constraints<'_> {
        let all = Coalition::all(self.players);
        let Aim::Excess(_, most) = self.least_excess() else { unreachable!("the aim is the excess") };
        let alone = |player: usize| self.value(Coalition::of([player])) - most.max(0.0);
        let least: f64 = (0..self.players).map(alone).sum();
        let reach = (0..self.players).map(|i| (alone(i), self.total() - (least - alone(i)))).collect();
        Constraints {
            game: self,
            settled: vec![(all, self.total())],
            is_open: Box::new(|_| true),
            reach,
            rows: self.first_rows(),
        }
    }

    /// The rows to begin with: single players, and all but one.
    pub(super) fn first_rows(&self) -> Vec<Coalition> {
        let all = Coalition::all(self.players);
        let single = (0..self.players).map(|i| Coalition::of([i]));
        let mut rows: Vec<Coalition> = single.chain((0..self.players).map(|i| all.without(i))).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// The least excess, between what two groups that are everybody must leave and what equal shares leave.
    pub(super) fn least_excess(&self) -> Aim {
        let all = Coalition::all(self.players);
        let halves = |s: Coalition| 0.5 * (self.value(s) + self.value(Coalition(all.0 & !s.0)) - self.total());
        let low = self.proper().map(halves).fold(f64::NEG_INFINITY, f64::max);
        let room = 1e-6 * self.scale();
        Aim::Excess(low - room, self.excess(&self.equal()).value.max(low) + room)
    }
}
