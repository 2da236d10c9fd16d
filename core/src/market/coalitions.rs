//! What every group of members would gain by itself, as a game.

use super::{Allocation, Economy, Market, NetworkMode};
use crate::coalition::{Coalition, CoalitionError, CoalitionGame, MOST_PLAYERS};
use crate::program::SolveError;
use rayon::prelude::*;
use std::sync::Arc;

impl Market {
    /// The game of gains: `v(S)` is what the members of `S` would pay without trade, less the least that they can pay together,
    /// others aside. One question for every group of two or more, in parallel, each solved once however often it is asked.
    ///
    /// # Errors
    /// More than [`MOST_PLAYERS`] members; the first group, in the order of its bits, that has no answer.
    pub fn coalitions(&self, network: &NetworkMode) -> Result<CoalitionGame, CoalitionError> {
        let alone: Vec<f64> = self.each(|local| local.autarky())?.iter().map(|plan| plan.cost).collect();
        self.game_of(&alone, network, Market::solve)
    }

    /// The same without counting questions: evaluators.
    pub(crate) fn remembered_coalitions(&self, network: &NetworkMode) -> Result<CoalitionGame, CoalitionError> {
        let alone: Vec<f64> = self.each(|local| local.remembered_autarky())?.iter().map(|plan| plan.cost).collect();
        self.game_of(&alone, network, Market::remembered)
    }

    fn game_of(
        &self,
        alone: &[f64],
        network: &NetworkMode,
        answer: impl Fn(&Self, &Economy) -> Result<Arc<Allocation>, SolveError> + Sync,
    ) -> Result<CoalitionGame, CoalitionError> {
        let n = self.len();
        if !(1..=MOST_PLAYERS).contains(&n) {
            return Err(CoalitionError::Players { players: n });
        }
        let gain = |group: Coalition| -> Result<f64, SolveError> {
            // By itself everybody does what it does without trade.
            if group.size() < 2 {
                return Ok(0.0);
            }
            let members: Vec<usize> = group.members().collect();
            let best = answer(self, &self.grand().only(&members).network(network.clone()))?;
            Ok(group.sum(alone) - best.cost)
        };
        let groups: Vec<Coalition> = Coalition::each(n).collect();
        let gains: Vec<Result<f64, SolveError>> = groups.into_par_iter().map(gain).collect();
        let gains: Vec<f64> = gains.into_iter().collect::<Result<_, _>>()?;
        CoalitionGame::of(n, |group| gains[group.index()])
    }
}
