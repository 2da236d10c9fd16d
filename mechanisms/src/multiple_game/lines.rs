//! Lines that show how prices and choices came to rest, played again from where they began.

use super::{MultipleGame, Round};
use crate::stalls::Stall;
use coase_core::Market;
use coase_core::curve::Curve;
use coase_core::pricing::Layered;

/// All of the first rounds are points of a line, then ever fewer, each so much later than the one before.
const FIRST_ROUNDS: usize = 30;
const LATER: f64 = 1.15;

/// Prices and shares of one slot, by round.
struct Course {
    rounds: Vec<usize>,
    /// By round and seller.
    prices: Vec<Vec<f64>>,
    /// By round, buyer and option.
    shares: Vec<Vec<Vec<f64>>>,
}

impl Course {
    /// Rounds count from 0, at which sellers ask what they begin with; shares are those at the prices of their round.
    fn of(rule: &MultipleGame, stall: &Stall, start: &[f64], last: &Layered) -> Self {
        let mut course = Self { rounds: vec![], prices: vec![], shares: vec![] };
        let mut asked: Vec<f64> = start.iter().map(|p| stall.game.clipped(*p)).collect();
        let mut next = 0;
        let _ = rule.layers(stall, start, &mut |now| {
            let round = now.outer - 1;
            if round >= next {
                course.push(round, asked.clone(), stall.game.shares(&now.shares));
                next = if round < FIRST_ROUNDS { round + 1 } else { (LATER * round as f64).ceil() as usize };
            }
            asked.clone_from(&now.prices);
            true
        });
        course.push(last.outer - 1, last.prices.clone(), stall.game.shares(&last.shares));
        course
    }

    fn push(&mut self, round: usize, prices: Vec<f64>, shares: Vec<Vec<f64>>) {
        if self.rounds.last() == Some(&round) {
            return;
        }
        self.rounds.push(round);
        self.prices.push(prices);
        self.shares.push(shares);
    }

    fn line(&self, value: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        self.rounds.iter().enumerate().map(|(at, round)| (*round as f64, value(at))).collect()
    }
}

/// All lines of a round, slot by slot; the prices of the day come last.
pub(super) fn of(rule: &MultipleGame, market: &Market, round: &Round) -> Vec<Curve> {
    let setting = market.setting();
    let mut curves = vec![];
    for ((stall, start), last) in round.stalls.iter().zip(&round.starts).zip(&round.layers) {
        let course = Course::of(rule, stall, start, last);
        let slot = Some(stall.slot);
        for (j, seller) in stall.sellers.iter().enumerate() {
            let points = course.line(|at| course.prices[at][j]);
            curves.push(Curve { name: "price_update", member: Some(*seller), other: None, slot, points });
        }
        for (i, buyer) in stall.buyers.iter().enumerate() {
            let options = stall.sellers.iter().map(|seller| Some(*seller)).chain([None]);
            for (j, other) in options.enumerate() {
                let points = course.line(|at| course.shares[at][i][j]);
                curves.push(Curve { name: "choice_probability", member: Some(*buyer), other, slot, points });
            }
        }
    }
    for member in 0..market.len() {
        let asked = round.stalls.iter().zip(&round.played).filter_map(|(stall, played)| {
            let j = stall.sellers.iter().position(|seller| *seller == member)?;
            Some((setting.slots[stall.slot].period as f64, played.prices[j]))
        });
        let points: Vec<(f64, f64)> = asked.collect();
        if !points.is_empty() {
            curves.push(Curve { name: "price_of_period", member: Some(member), other: None, slot: None, points });
        }
    }
    curves
}
