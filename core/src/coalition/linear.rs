//! Linear programs over divisions with a row for every coalition, of which few are written: those that an answer misses are
//! added until it misses none.
//!
//! Every program is solved and certified by [`crate::program`]; that no coalition is missed is then looked up for all of them.

use super::{Coalition, CoalitionError, CoalitionGame};
use crate::program::{Cost, Expr, Program, SolveError, Var};

/// An answer may miss a row by this share of the game's scale.
const MISSED: f64 = 1e-11;
/// Rows added in a round for each player.
const ROWS_PER_PLAYER: usize = 2;
/// Rounds of adding rows; each adds at least one, and some tens of rows bind.
const MOST_ROUNDS: usize = 10_000;

/// What holds in a program.
pub(super) struct Constraints<'a> {
    pub game: &'a CoalitionGame,
    /// Coalitions that get exactly this; everybody is among them.
    pub settled: Vec<(Coalition, f64)>,
    /// Whether a coalition is to get at least its value less the excess.
    pub is_open: Box<dyn Fn(Coalition) -> bool + 'a>,
    /// Least and greatest that each player may get.
    pub reach: Vec<(f64, f64)>,
    /// Rows that were needed before.
    pub rows: Vec<Coalition>,
}

/// What is sought.
#[derive(Clone, Copy)]
pub(super) enum Aim {
    /// The least excess, between two bounds.
    Excess(f64, f64),
    /// Most that a coalition gets where no open coalition's excess is above this.
    Most(Coalition, f64),
    /// Least.
    Least(Coalition, f64),
}

/// An answer.
pub(super) struct Point {
    pub division: Vec<f64>,
    /// The least excess, or the one that was given.
    pub excess: f64,
    /// Proven distance from the optimum, in money.
    pub gap: f64,
}

impl Constraints<'_> {
    pub fn solve(&mut self, aim: Aim) -> Result<Point, CoalitionError> {
        let tolerance = MISSED * self.game.scale();
        for _ in 0..MOST_ROUNDS {
            let point = self.of_rows(aim)?;
            let mut missed: Vec<(f64, Coalition)> = self
                .game
                .proper()
                .filter(|s| (self.is_open)(*s))
                .map(|s| (self.game.value(s) - point.excess - s.sum(&point.division), s))
                .filter(|(by, s)| *by > tolerance && !self.rows.contains(s))
                .collect();
            if missed.is_empty() {
                return Ok(point);
            }
            missed.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            missed.truncate(ROWS_PER_PLAYER * self.game.players());
            self.rows.extend(missed.into_iter().map(|(_, s)| s));
        }
        Err(SolveError::Undecided { nodes: MOST_ROUNDS }.into())
    }

    /// The same with the rows that are written.
    fn of_rows(&self, aim: Aim) -> Result<Point, CoalitionError> {
        let mut program = Program::new();
        program.scope("division of a gain");
        let shares: Vec<Var> = self.reach.iter().map(|(low, high)| program.var(*low, *high)).collect();
        let sum = |s: Coalition| s.members().fold(Expr::default(), |sum, player| sum.plus(1.0, shares[player]));
        let excess = match aim {
            Aim::Excess(low, high) => program.var(low, high),
            Aim::Most(_, at) | Aim::Least(_, at) => program.var(at, at),
        };
        for (s, gets) in &self.settled {
            program.equal(sum(*s), *gets, "a coalition gets what is settled", None);
        }
        for s in self.rows.iter().filter(|s| (self.is_open)(**s)) {
            let row = sum(*s).plus(1.0, excess);
            program.within(row, self.game.value(*s), f64::INFINITY, "a coalition's excess", None);
        }
        let mut cost = Cost::default();
        match aim {
            Aim::Excess(..) => cost.add(1.0, excess),
            Aim::Most(s, _) => cost.add(-1.0, sum(s)),
            Aim::Least(s, _) => cost.add(1.0, sum(s)),
        };
        program.add_cost(&cost);
        let solution = program.compile().instance().solve()?;
        Ok(Point {
            division: shares.iter().map(|share| solution.value(*share)).collect(),
            excess: solution.value(excess),
            gap: solution.certificate.gap,
        })
    }
}
