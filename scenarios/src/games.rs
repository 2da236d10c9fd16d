//! The games that runs play, as game files: whoever reads one elsewhere finds what the mechanism found.

use crate::answers::written_game;
use crate::experiment::Run;
use crate::run::guarded;
use coase_core::Market;
use coase_core::engine::{self, Reporting};

/// A game that a mechanism plays in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayedGame {
    /// The period, from 0.
    pub period: usize,
    /// The text of a game file.
    pub text: String,
}

impl Run {
    /// The games that the mechanism of this run plays on the true market, under the terms that its policy comes to; empty where what
    /// it plays is of no form of game files.
    ///
    /// # Errors
    /// Why there is no outcome, in words.
    pub fn played_games(&self) -> Result<Vec<PlayedGame>, String> {
        guarded("the mechanism or policy broke off", || self.games()).and_then(|games| games)
    }

    fn games(&self) -> Result<Vec<PlayedGame>, String> {
        let market = Market::new(self.instance.setting.clone(), self.instance.participants.clone());
        self.policy.check(market.setting()).map_err(|error| error.to_string())?;
        let market = engine::enter(&market, &*self.policy);
        let (mechanism, policy) = (&*self.mechanism, &*self.policy);
        let cleared = engine::clear(mechanism, &market, policy, &Reporting::Truthful, self.seed, ())
            .map_err(|error| error.to_string())?;
        let setting = cleared.truth.setting();
        let ids: Vec<&str> = setting.members.iter().map(|member| member.id.as_str()).collect();
        let games = mechanism.plain_games(&cleared.truth).map_err(|error| error.to_string())?;
        let written = |game: &coase_core::PlainGame| {
            let text = written_game(&game.played, &ids).map_err(|error| error.to_string())?;
            Ok(PlayedGame { period: setting.slots[game.slot].period, text })
        };
        games.iter().map(written).collect()
    }
}
