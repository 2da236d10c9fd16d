//! Strategic form: the one face that deviation search, learners and equilibrium certificates look at.

use crate::error::MechanismError;
use crate::outcome::{Certificate, Kind, Party};
use crate::words::number;
use rayon::prelude::*;

/// A strategy: numbers whose meaning is the game's.
pub type Strategy = Vec<f64>;
/// One strategy per player.
pub type Profile = Vec<Strategy>;

/// What the strategies of a player are made of, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    /// One per number of a strategy.
    pub axes: Vec<Axis>,
}

/// One number of a strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its name, with its unit: `price_per_kwh`.
    pub name: String,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
}

impl Space {
    /// A space of these axes: name, least and greatest value.
    pub fn new<'a>(axes: impl IntoIterator<Item = (&'a str, f64, f64)>) -> Self {
        Self { axes: axes.into_iter().map(|(name, min, max)| Axis { name: name.to_owned(), min, max }).collect() }
    }

    /// Whether a strategy has a number within bounds for every axis.
    pub fn contains(&self, strategy: &[f64]) -> bool {
        strategy.len() == self.axes.len() && self.axes.iter().zip(strategy).all(|(a, x)| (a.min..=a.max).contains(x))
    }

    /// A strategy by the names of its numbers, as in `price_per_kwh 0.71`.
    pub fn words(&self, strategy: &[f64]) -> String {
        let named = self.axes.iter().zip(strategy).map(|(axis, x)| format!("{} {}", axis.name, number(*x)));
        named.collect::<Vec<_>>().join(", ")
    }
}

/// Anything strategic: reports to a mechanism, prices, quantities, fees.
pub trait Game: Sync {
    /// Who plays.
    fn players(&self) -> Vec<Party>;

    /// What a player's strategies are made of.
    fn space(&self, player: usize) -> Space;

    /// Strategies worth trying against a profile; a best-response oracle may return just its answer.
    fn candidates(&self, player: usize, profile: &Profile) -> Vec<Strategy>;

    /// What a player gets.
    ///
    /// # Errors
    /// Where the game has no outcome at these strategies.
    fn payoff(&self, player: usize, profile: &Profile) -> Result<f64, MechanismError>;

    /// What a player does, in words, as in `vpp1 asks 0.70 times its cost`: for witnesses. By itself the names of the space.
    fn words(&self, player: usize, strategy: &[f64]) -> String {
        format!("player {player} plays {}", self.space(player).words(strategy))
    }
}

/// What a search over unilateral deviations found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deviations {
    /// Largest gain: a lower bound on regret (of a direct mechanism) or on the Nikaido-Isoda gap (of a game).
    pub gain: f64,
    /// Who gains it (by position in the game) and with what; `None` where nobody gains.
    pub by: Option<(usize, Strategy)>,
    /// The largest gain of each player, by position; zero where none is found.
    pub gain_of_each: Vec<f64>,
    /// Deviations tried.
    pub tried: usize,
    /// Those among them at which the game had no outcome.
    pub unanswered: usize,
}

/// The largest unilateral gain that is found.
///
/// # Errors
/// Where a player has no payoff at the profile itself.
pub fn deviations(game: &dyn Game, profile: &Profile) -> Result<Deviations, MechanismError> {
    let of_player = |i: usize| -> Result<Deviations, MechanismError> {
        let now = game.payoff(i, profile)?;
        let mut found = Deviations::default();
        let space = game.space(i);
        for strategy in game.candidates(i, profile).into_iter().filter(|strategy| space.contains(strategy)) {
            let mut other = profile.clone();
            other[i].clone_from(&strategy);
            found.tried += 1;
            match game.payoff(i, &other) {
                Ok(payoff) if payoff - now > found.gain => (found.gain, found.by) = (payoff - now, Some((i, strategy))),
                Ok(payoff) if payoff.is_nan() => found.unanswered += 1,
                Ok(_) => {}
                Err(_) => found.unanswered += 1,
            }
        }
        Ok(found)
    };
    let players: Vec<Result<Deviations, MechanismError>> =
        (0..game.players().len()).into_par_iter().map(of_player).collect();
    let mut all = Deviations::default();
    for found in players {
        let found = found?;
        all.tried += found.tried;
        all.unanswered += found.unanswered;
        all.gain_of_each.push(found.gain);
        if found.gain > all.gain {
            (all.gain, all.by) = (found.gain, found.by);
        }
    }
    Ok(all)
}

/// [`deviations`] as a certificate; `not_searched` where there is no payoff to compare with.
pub fn certify(name: &'static str, game: &dyn Game, profile: &Profile, tolerance: Option<f64>) -> Certificate {
    certified(name, game, &deviations(game, profile), tolerance)
}

/// What a search over unilateral deviations found, as a certificate.
pub fn certified(
    name: &'static str,
    game: &dyn Game,
    found: &Result<Deviations, MechanismError>,
    tolerance: Option<f64>,
) -> Certificate {
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            return Certificate::not_searched(name, format!("the strategies played have no outcome: {error}"));
        }
    };
    let gains = found.by.as_ref().map(|(player, strategy)| game.words(*player, strategy));
    let (unanswered, tried) = (found.unanswered, found.tried);
    let failed = (unanswered > 0).then(|| format!("{unanswered} of {tried} deviations had no outcome"));
    let witness = gains.into_iter().chain(failed).collect::<Vec<_>>().join("; ");
    match tolerance {
        Some(tolerance) => Certificate::check(name, found.gain, tolerance, witness),
        None => Certificate::measure(name, found.gain, witness),
    }
    .about(Kind::Claim)
}
