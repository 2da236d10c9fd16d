//! Games in coalitional form: what every group of players can gain by itself, and how the gain of all is divided.
//!
//! Numbers only. A game says `v(S)` for every coalition `S` of `n` players. Rules divide `v(N)`: [`CoalitionGame::shapley`],
//! [`CoalitionGame::nucleolus`], [`CoalitionGame::banzhaf`], [`CoalitionGame::marginal_proportional`]. The core are the
//! divisions `x` that no coalition can better, `x(S) >= v(S)`; [`CoalitionGame::excess`] finds the coalition that objects most,
//! [`CoalitionGame::least_core`] says by how much every division leaves somebody an objection.
//!
//! ```
//! use coase_core::coalition::{Coalition, CoalitionGame};
//!
//! // A seller and two buyers, of whom it can serve one.
//! let pays = |group: Coalition| if group.contains(0) && group.size() > 1 { 1.0 } else { 0.0 };
//! let game = CoalitionGame::of(3, pays)?;
//! assert!((game.shapley()[0] - 2.0 / 3.0).abs() < 1e-12);
//! // Two buyers compete: in the core the seller gets everything.
//! assert!((game.nucleolus()?.division[0] - 1.0).abs() < 1e-9);
//! assert_eq!(game.excess(&game.shapley()).coalition.members().collect::<Vec<_>>(), [0, 1]);
//! # Ok::<(), coase_core::coalition::CoalitionError>(())
//! ```

mod divisions;
mod least_core;
mod linear;
mod nucleolus;
mod properties;
mod sampled;
mod span;
#[cfg(test)]
mod tests;

pub use least_core::{Interval, LeastCore};
pub use nucleolus::Nucleolus;
pub use properties::{NotConvex, NotSuperadditive};
pub use sampled::{Sampled, antithetic_orders, sampled_shapley};

use crate::program::SolveError;

/// Players of a game whose coalitions are all listed: 65 536 of them.
pub const MOST_PLAYERS: usize = 16;

/// A set of players, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coalition(u32);

impl Coalition {
    /// The set of these players.
    ///
    /// # Panics
    /// If a player is not below 32.
    pub fn of(players: impl IntoIterator<Item = usize>) -> Self {
        Self(players.into_iter().fold(0, |bits, player| {
            assert!(player < 32, "a coalition has players below 32");
            bits | 1 << player
        }))
    }

    /// Everybody among `players`.
    pub fn all(players: usize) -> Self {
        Self::of(0..players)
    }

    /// All coalitions of `players` in the order of their bits, nobody first.
    pub fn each(players: usize) -> impl Iterator<Item = Self> {
        (0..1_u32 << players).map(Self)
    }

    /// Its players, in order.
    pub fn members(self) -> impl Iterator<Item = usize> {
        (0..32).filter(move |player| self.contains(*player))
    }

    /// Whether a player belongs to it.
    pub fn contains(self, player: usize) -> bool {
        self.0 >> player & 1 == 1
    }

    /// Number of players.
    pub fn size(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether nobody belongs to it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// It and one more player.
    pub fn with(self, player: usize) -> Self {
        Self(self.0 | 1 << player)
    }

    /// It without a player.
    pub fn without(self, player: usize) -> Self {
        Self(self.0 & !(1 << player))
    }

    /// Both together.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Its place among the coalitions in the order of [`Coalition::each`].
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// What its players get in a division.
    pub fn sum(self, division: &[f64]) -> f64 {
        division.iter().enumerate().filter(|(player, _)| self.contains(*player)).map(|(_, x)| x).sum()
    }
}

/// Why a game is none, or has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CoalitionError {
    /// Nobody plays, or too many.
    #[error("{players} players: a game whose coalitions are listed has 1 to {MOST_PLAYERS}")]
    Players {
        /// How many there are.
        players: usize,
    },
    /// A coalition is worth something that is no finite number.
    #[error("the coalition of players {} is worth {value}, which is no finite number", numbers(*coalition))]
    Value {
        /// Which.
        coalition: Coalition,
        /// What was given.
        value: f64,
    },
    /// A linear program was not solved.
    #[error(transparent)]
    Program(#[from] SolveError),
    /// No coalition is tight in all optima of a program, to the precision that its answers have.
    #[error("the nucleolus is not settled: after {settled} of {players} steps no coalition is tight in all optima")]
    Unsettled {
        /// Independent coalitions whose excess was settled.
        settled: usize,
        /// As many are needed.
        players: usize,
    },
}

fn numbers(coalition: Coalition) -> String {
    coalition.members().map(|player| player.to_string()).collect::<Vec<_>>().join(", ")
}

/// What every coalition gains by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct CoalitionGame {
    players: usize,
    /// By the index of the coalition; nobody gains nothing.
    values: Vec<f64>,
}

/// The coalition that objects most to a division.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    /// `v(S) - x(S)`; above 0 the coalition would do better by itself.
    pub value: f64,
    /// `S`; nobody in a game of one player.
    pub coalition: Coalition,
}

impl CoalitionGame {
    /// The game in which each coalition is worth what `value` says; nobody is worth nothing and is not asked about.
    ///
    /// # Errors
    /// No player or more than [`MOST_PLAYERS`], a value that is not finite.
    pub fn of(players: usize, mut value: impl FnMut(Coalition) -> f64) -> Result<Self, CoalitionError> {
        if !(1..=MOST_PLAYERS).contains(&players) {
            return Err(CoalitionError::Players { players });
        }
        let worth = |coalition: Coalition| {
            let value = if coalition.is_empty() { 0.0 } else { value(coalition) };
            if value.is_finite() { Ok(value) } else { Err(CoalitionError::Value { coalition, value }) }
        };
        let values = Coalition::each(players).map(worth).collect::<Result<_, _>>()?;
        Ok(Self { players, values })
    }

    /// Number of players.
    pub fn players(&self) -> usize {
        self.players
    }

    /// What a coalition gains by itself.
    pub fn value(&self, coalition: Coalition) -> f64 {
        self.values[coalition.index()]
    }

    /// What all gain together.
    pub fn total(&self) -> f64 {
        self.value(Coalition::all(self.players))
    }

    /// What the others lose without a player, `M_i = v(N) - v(N without i)`.
    pub fn marginals(&self) -> Vec<f64> {
        let all = Coalition::all(self.players);
        (0..self.players).map(|player| self.total() - self.value(all.without(player))).collect()
    }

    /// The coalition that objects most, `max over S of v(S) - x(S)`, among all but nobody and everybody; of those that object
    /// equally the first by its bits.
    pub fn excess(&self, division: &[f64]) -> Excess {
        let none = Excess { value: 0.0, coalition: Coalition::default() };
        self.proper()
            .fold(None, |worst: Option<Excess>, coalition| {
                let value = self.value(coalition) - coalition.sum(division);
                if worst.is_none_or(|w| value > w.value) { Some(Excess { value, coalition }) } else { worst }
            })
            .unwrap_or(none)
    }

    /// Every coalition but nobody and everybody.
    fn proper(&self) -> impl Iterator<Item = Coalition> + use<> {
        let all = Coalition::all(self.players);
        Coalition::each(self.players).filter(move |s| !s.is_empty() && *s != all)
    }

    /// What amounts are compared with: the largest value of any coalition, or 1 where all are worth nothing.
    pub fn scale(&self) -> f64 {
        let largest = self.values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        if largest > 0.0 { largest } else { 1.0 }
    }
}
