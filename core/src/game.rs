//! Strategic form: the one face that deviation search, learners and equilibrium certificates look at.

use crate::error::MechanismError;
use crate::outcome::{Certificate, Kind, Party};
use rayon::prelude::*;

/// A strategy: numbers whose meaning is the game's.
pub type Strategy = Vec<f64>;
/// One strategy per player.
pub type Profile = Vec<Strategy>;

/// Anything strategic: reports to a mechanism, prices, quantities, fees.
pub trait Game: Sync {
    /// Who plays.
    fn players(&self) -> Vec<Party>;

    /// Strategies worth trying against a profile; a best-response oracle may return just its answer.
    fn candidates(&self, player: usize, profile: &Profile) -> Vec<Strategy>;

    /// What a player gets.
    ///
    /// # Errors
    /// Where the game has no outcome at these strategies.
    fn payoff(&self, player: usize, profile: &Profile) -> Result<f64, MechanismError>;

    /// What a player does, in words, as in `vpp1 asks 0.70 times its cost`: for witnesses.
    fn words(&self, player: usize, strategy: &[f64]) -> String;
}

/// What a search over unilateral deviations found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deviations {
    /// Largest gain: a lower bound on regret (of a direct mechanism) or on the Nikaido-Isoda gap (of a game).
    pub gain: f64,
    /// Who gains it (by position in the game) and with what; `None` where nobody gains.
    pub by: Option<(usize, Strategy)>,
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
        for strategy in game.candidates(i, profile) {
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
        if found.gain > all.gain {
            (all.gain, all.by) = (found.gain, found.by);
        }
    }
    Ok(all)
}

/// [`deviations`] as a certificate; `not_searched` where there is no payoff to compare with.
pub fn certify(name: &'static str, game: &dyn Game, profile: &Profile, tolerance: Option<f64>) -> Certificate {
    let found = match deviations(game, profile) {
        Ok(found) => found,
        Err(error) => {
            return Certificate::not_searched(name, format!("the strategies played have no outcome: {error}"));
        }
    };
    let gains = found.by.map(|(player, strategy)| game.words(player, &strategy));
    let (unanswered, tried) = (found.unanswered, found.tried);
    let failed = (unanswered > 0).then(|| format!("{unanswered} of {tried} deviations had no outcome"));
    let witness = gains.into_iter().chain(failed).collect::<Vec<_>>().join("; ");
    match tolerance {
        Some(tolerance) => Certificate::check(name, found.gain, tolerance, witness),
        None => Certificate::measure(name, found.gain, witness),
    }
    .about(Kind::Claim)
}
