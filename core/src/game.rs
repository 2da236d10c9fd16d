//! Strategic form: the one face that deviation search, learners and equilibrium certificates look at.

use crate::context::RunContext;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::outcome::{Certificate, Outcome, Party, Verdict};
use crate::participant::Report;
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
    fn payoff(&self, player: usize, profile: &Profile) -> f64;
}

/// The largest unilateral gain that was found: a lower bound on regret (of a direct mechanism) or on the Nikaido-Isoda gap
/// (of a game), with the player and the strategy that gains.
pub fn largest_gain(game: &dyn Game, profile: &Profile) -> (f64, Option<(Party, Strategy)>) {
    let players = game.players();
    let best: Vec<(f64, Strategy)> = (0..players.len())
        .into_par_iter()
        .map(|i| {
            let now = game.payoff(i, profile);
            let gain = |strategy: Strategy| {
                let mut other = profile.clone();
                other[i].clone_from(&strategy);
                (game.payoff(i, &other) - now, strategy)
            };
            game.candidates(i, profile).into_iter().map(gain).fold((0.0, vec![]), |a, b| if b.0 > a.0 { b } else { a })
        })
        .collect();
    best.into_iter().enumerate().fold((0.0, None), |found, (i, (gain, strategy))| {
        if gain > found.0 { (gain, Some((players[i], strategy))) } else { found }
    })
}

/// [`largest_gain`] as a certificate.
pub fn certify(name: &'static str, game: &dyn Game, profile: &Profile, tolerance: Option<f64>) -> Certificate {
    let (gain, witness) = largest_gain(game, profile);
    let witness = witness.map_or(String::new(), |(party, strategy)| format!("{party:?} plays {strategy:.4?}"));
    match tolerance {
        Some(tolerance) => Certificate::check(name, gain, tolerance, witness),
        None => Certificate { name, value: Some(gain), tolerance: None, verdict: Verdict::Measured, witness },
    }
}

/// Any mechanism as a game in reports: a strategy is (price factor, price shift, quantity factor), truth is (1, 0, 1).
pub struct ReportGame<'a> {
    /// The mechanism.
    pub mechanism: &'a dyn Mechanism,
    /// The true market.
    pub truth: &'a Market,
    /// Seed of the runs: the same luck for every report.
    pub seed: u64,
    /// Factors on price (and, less one, shifts of price) that are tried.
    pub price_factors: Vec<f64>,
    /// Factors on quantity that are tried; above 1 only where quantities cannot be verified.
    pub quantity_factors: Vec<f64>,
}

impl<'a> ReportGame<'a> {
    /// The standard deviations: prices x 0.5 .. 1.5 in steps of 0.05, quantities x 0.25, 0.5, 0.75.
    pub fn standard(mechanism: &'a dyn Mechanism, truth: &'a Market, seed: u64) -> Self {
        let price_factors = (10..=30).map(|k| f64::from(k) / 20.0).collect();
        Self { mechanism, truth, seed, price_factors, quantity_factors: vec![0.25, 0.5, 0.75] }
    }

    /// Everybody tells the truth.
    pub fn truthful(&self) -> Profile {
        vec![vec![1.0, 0.0, 1.0]; self.truth.len()]
    }

    /// The report behind a strategy.
    pub fn report(strategy: &[f64]) -> Report {
        match *strategy {
            [price_factor, price_shift, quantity_factor]
                if [price_factor, price_shift, quantity_factor] != [1.0, 0.0, 1.0] =>
            {
                Report::Distorted { price_factor, price_shift, quantity_factor }
            }
            _ => Report::Truth,
        }
    }

    fn outcome(&self, profile: &Profile) -> Option<Outcome> {
        let said = profile.iter().enumerate().fold(self.truth.clone(), |m, (i, s)| m.with_report(i, &Self::report(s)));
        self.mechanism.run(&said, &mut RunContext::new(self.seed, &())).ok()
    }
}

impl Game for ReportGame<'_> {
    fn players(&self) -> Vec<Party> {
        (0..self.truth.len()).map(Party::Member).collect()
    }

    fn candidates(&self, _: usize, _: &Profile) -> Vec<Strategy> {
        let prices = self
            .price_factors
            .iter()
            .filter(|k| **k != 1.0)
            .flat_map(|&k| [vec![k, 0.0, 1.0], vec![1.0, k - 1.0, 1.0]]);
        prices.chain(self.quantity_factors.iter().map(|&s| vec![1.0, 0.0, s])).collect()
    }

    fn payoff(&self, player: usize, profile: &Profile) -> f64 {
        self.outcome(profile).map_or(f64::NEG_INFINITY, |o| utility(self.truth, player, &o))
    }
}

/// True utility of a participant: what the ledger brings minus what keeping the commitment truly costs.
pub fn utility(truth: &Market, member: usize, outcome: &Outcome) -> f64 {
    match truth.imposing(&outcome.imposed).local(member).deliver(&outcome.net[member]) {
        Ok(plan) => outcome.ledger.balance(Party::Member(member)) - plan.cost,
        Err(_) => f64::NEG_INFINITY,
    }
}
