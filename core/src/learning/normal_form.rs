//! A finite game: what everybody gets at every profile.

use crate::error::MechanismError;
use crate::game::{Game, Profile, Strategy};

/// Payoffs of a game that are listed, at most: profiles times players.
pub const MOST_NUMBERS: usize = 1 << 22;

/// Why a list of payoffs is no game.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NormalFormError {
    /// Nobody plays, or somebody has nothing to play.
    #[error("a strategic form has at least one player, and each player at least one strategy")]
    Empty,
    /// Too many to list.
    #[error("{profiles} profiles of {players} players: at most {MOST_NUMBERS} payoffs are listed")]
    TooMany {
        /// Profiles, or the greatest number there is.
        profiles: usize,
        /// Players.
        players: usize,
    },
    /// A list of another length.
    #[error("{found} payoffs: expected {expected}, one for each player at each profile")]
    Payoffs {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A payoff that is no finite number.
    #[error("the payoff at place {at} is {value}, which is no finite number")]
    Value {
        /// Its place in the list, from 0.
        at: usize,
        /// What it is.
        value: f64,
    },
    /// A profile has no payoffs.
    #[error("no outcome at a profile: {0}")]
    NoOutcome(Box<MechanismError>),
}

/// A finite game in strategic form.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalForm {
    strategies: Vec<usize>,
    /// At each profile, the last player's strategy moving fastest, one number for each player.
    payoffs: Vec<f64>,
}

fn count(strategies: &[usize]) -> Result<usize, NormalFormError> {
    if strategies.is_empty() || strategies.contains(&0) {
        return Err(NormalFormError::Empty);
    }
    let players = strategies.len();
    let all = strategies.iter().try_fold(1_usize, |all, k| all.checked_mul(*k));
    match all {
        Some(profiles) if profiles.saturating_mul(players) <= MOST_NUMBERS => Ok(profiles),
        _ => Err(NormalFormError::TooMany { profiles: all.unwrap_or(usize::MAX), players }),
    }
}

impl NormalForm {
    /// Players with so many strategies, and their payoffs: at each profile one for each player, the last player's strategy moving
    /// fastest.
    ///
    /// # Errors
    /// No player or strategy, too many of them, another number of payoffs, or one that is not finite.
    pub fn new(strategies: Vec<usize>, payoffs: Vec<f64>) -> Result<Self, NormalFormError> {
        let expected = count(&strategies)? * strategies.len();
        if payoffs.len() != expected {
            return Err(NormalFormError::Payoffs { found: payoffs.len(), expected });
        }
        if let Some((at, value)) = payoffs.iter().copied().enumerate().find(|(_, x)| !x.is_finite()) {
            return Err(NormalFormError::Value { at, value });
        }
        Ok(Self { strategies, payoffs })
    }

    /// The game of which a function says what everybody gets at each profile.
    ///
    /// # Errors
    /// As [`NormalForm::new`].
    pub fn of(strategies: Vec<usize>, mut payoffs: impl FnMut(&[usize]) -> Vec<f64>) -> Result<Self, NormalFormError> {
        let profiles = count(&strategies)?;
        let all = (0..profiles).flat_map(|k| payoffs(&places(&strategies, k))).collect();
        Self::new(strategies, all)
    }

    /// Any game on grids: for each player the strategies that it may play.
    ///
    /// # Errors
    /// As [`NormalForm::new`], and where a profile has no outcome.
    pub fn of_game(game: &dyn Game, grids: &[Vec<Strategy>]) -> Result<Self, NormalFormError> {
        let strategies: Vec<usize> = grids.iter().map(Vec::len).collect();
        let mut payoffs = vec![];
        for k in 0..count(&strategies)? {
            let profile: Profile = places(&strategies, k).iter().zip(grids).map(|(s, grid)| grid[*s].clone()).collect();
            for player in 0..grids.len() {
                let payoff =
                    game.payoff(player, &profile).map_err(|error| NormalFormError::NoOutcome(Box::new(error)))?;
                payoffs.push(payoff);
            }
        }
        Self::new(strategies, payoffs)
    }

    /// Number of players.
    pub fn players(&self) -> usize {
        self.strategies.len()
    }

    /// How many strategies each has.
    pub fn strategies(&self) -> &[usize] {
        &self.strategies
    }

    /// Number of profiles.
    pub fn profiles(&self) -> usize {
        self.payoffs.len() / self.players()
    }

    /// The strategies of a profile.
    pub fn profile(&self, place: usize) -> Vec<usize> {
        places(&self.strategies, place)
    }

    /// The place of a profile.
    pub fn place(&self, profile: &[usize]) -> usize {
        profile.iter().zip(&self.strategies).fold(0, |place, (s, k)| place * k + s)
    }

    /// What everybody gets at a profile.
    pub fn payoffs(&self, place: usize) -> &[f64] {
        let n = self.players();
        &self.payoffs[place * n..(place + 1) * n]
    }

    /// Greatest less least payoff of a player.
    pub fn range(&self, player: usize) -> f64 {
        let of_player = || self.payoffs.iter().skip(player).step_by(self.players());
        let most = of_player().copied().fold(f64::NEG_INFINITY, f64::max);
        most - of_player().copied().fold(f64::INFINITY, f64::min)
    }

    /// Places that a step of a player's strategy is apart.
    fn stride(&self, player: usize) -> usize {
        self.strategies[player + 1..].iter().product()
    }

    /// What a player would get by each of its strategies, the others staying.
    pub fn alternatives(&self, place: usize, player: usize) -> impl Iterator<Item = f64> + '_ {
        let stride = self.stride(player);
        let own = place / stride % self.strategies[player];
        let first = place - own * stride;
        (0..self.strategies[player]).map(move |s| self.payoffs(first + s * stride)[player])
    }

    /// What players gain in all by moving alone from a profile.
    pub fn pure_gap(&self, place: usize) -> f64 {
        let gain = |player: usize| {
            self.alternatives(place, player).fold(f64::NEG_INFINITY, f64::max) - self.payoffs(place)[player]
        };
        (0..self.players()).map(gain).sum()
    }

    /// Profiles from which nobody gains by moving alone.
    pub fn pure_equilibria(&self) -> Vec<Vec<usize>> {
        (0..self.profiles()).filter(|place| self.pure_gap(*place) <= 0.0).map(|place| self.profile(place)).collect()
    }

    /// What each strategy of each player is worth where the others mix.
    pub fn expected(&self, mixed: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let n = self.players();
        let mut worth: Vec<Vec<f64>> = self.strategies.iter().map(|k| vec![0.0; *k]).collect();
        let mut profile = vec![0; n];
        let mut chances = vec![0.0; n];
        for payoffs in self.payoffs.chunks_exact(n) {
            let mut never = 0;
            for player in 0..n {
                chances[player] = mixed[player][profile[player]];
                never += usize::from(chances[player] == 0.0);
            }
            // Where two never do this, nobody who moves alone can meet it.
            for player in 0..if never > 1 { 0 } else { n } {
                let others = (0..n).filter(|other| *other != player);
                let likely: f64 = others.map(|other| chances[other]).product();
                worth[player][profile[player]] += likely * payoffs[player];
            }
            for player in (0..n).rev() {
                profile[player] += 1;
                if profile[player] < self.strategies[player] {
                    break;
                }
                profile[player] = 0;
            }
        }
        worth
    }

    /// What each player gains by its best reply to a mixed profile; their sum is its exploitability.
    pub fn gains(&self, mixed: &[Vec<f64>]) -> Vec<f64> {
        let gain = |(worth, x): (Vec<f64>, &Vec<f64>)| {
            let now: f64 = worth.iter().zip(x).map(|(u, x)| u * x).sum();
            (worth.iter().copied().fold(f64::NEG_INFINITY, f64::max) - now).max(0.0)
        };
        self.expected(mixed).into_iter().zip(mixed).map(gain).collect()
    }
}

fn places(strategies: &[usize], mut place: usize) -> Vec<usize> {
    let mut profile = vec![0; strategies.len()];
    for (at, k) in profile.iter_mut().zip(strategies).rev() {
        *at = place % k;
        place /= k;
    }
    profile
}
