//! How a player learns: from what each of its strategies would have brought, or from what the one that it played did.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A learning rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Learner {
    /// Weights `exp(rate sum u)` (Freund and Schapire, 1997). With `rate = sqrt(8 ln K / T) / range` regret over `T` rounds is at most
    /// `range sqrt(T ln K / 2)`.
    Hedge {
        /// Per unit of payoff; not given: the rate of the bound.
        rate: Option<f64>,
    },
    /// The same from the payoffs of what was played alone, each divided by its chance, exploring with a share of all play (Auer and
    /// others, 2002). Expected regret is at most `2 sqrt(e - 1) range sqrt(T K ln K)`.
    Exp3 {
        /// The share; not given: `min(1, sqrt(K ln K / ((e - 1) T)))`, that of the bound.
        exploration: Option<f64>,
    },
    /// In proportion to positive regret (Hart and Mas-Colell, 2000), regret at most `range sqrt(T (K - 1))`; with `plus` negative
    /// regret is forgotten in every round (Tammelin, 2014).
    RegretMatching {
        /// Whether it is.
        plus: bool,
    },
    /// The best reply to what the others did on average (Brown, 1951); of equal ones the first.
    FictitiousPlay,
    /// The reply `softmax(mean u / noise)` to what the others did on average (Fudenberg and Kreps, 1993).
    LogitResponse {
        /// Payoff by which a choice errs.
        noise: f64,
    },
}

impl Learner {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Learner::Hedge { .. } => "hedge",
            Learner::Exp3 { .. } => "exp3",
            Learner::RegretMatching { plus: false } => "regret_matching",
            Learner::RegretMatching { plus: true } => "regret_matching_plus",
            Learner::FictitiousPlay => "fictitious_play",
            Learner::LogitResponse { .. } => "logit_response",
        }
    }

    /// Whether what it plays is drawn: it learns from that alone.
    pub fn is_bandit(self) -> bool {
        matches!(self, Learner::Exp3 { .. })
    }

    /// What regret over all rounds is known not to exceed with parameters of its own: in expectation where play is drawn.
    pub fn bound(self, strategies: usize, rounds: usize, range: f64) -> Option<f64> {
        let (k, t) = (strategies as f64, rounds as f64);
        match self {
            Learner::Hedge { rate: None } => Some(range * (0.5 * t * k.ln()).sqrt()),
            // Of the general bound ln K / rate + rate T range^2 / 8.
            Learner::Hedge { rate: Some(rate) } => Some(k.ln() / rate + rate * t * range * range / 8.0),
            Learner::Exp3 { exploration: None } => {
                Some(2.0 * (std::f64::consts::E - 1.0).sqrt() * range * (t * k * k.ln()).sqrt())
            }
            Learner::RegretMatching { .. } => Some(range * (t * (k - 1.0)).sqrt()),
            Learner::Exp3 { .. } | Learner::FictitiousPlay | Learner::LogitResponse { .. } => None,
        }
    }
}

/// A player on its way.
#[derive(Clone, Debug)]
pub struct Agent {
    learner: Learner,
    /// Sum of payoffs of each strategy, of estimates of them, or of regrets.
    sums: Vec<f64>,
    rounds: usize,
    horizon: usize,
    /// Least payoff and range of payoffs, as far as they are known.
    least: f64,
    range: f64,
}

impl Agent {
    /// A player with so many strategies, who will play so many rounds for payoffs from `least` to `least + range`. `bonus` is what its
    /// strategies are credited with at the beginning: payoffs, or regrets.
    pub fn new(learner: Learner, bonus: Vec<f64>, horizon: usize, least: f64, range: f64) -> Self {
        Self { learner, sums: bonus, rounds: 0, horizon, least, range }
    }

    /// Takes note that payoffs lie between these; whether they range further than was known.
    pub fn widen(&mut self, least: f64, most: f64) -> bool {
        let top = most.max(self.least + self.range);
        let wider = least < self.least || most > self.least + self.range;
        self.least = self.least.min(least);
        self.range = top - self.least;
        wider
    }

    /// The range of payoffs, as far as it is known.
    pub fn range(&self) -> f64 {
        self.range
    }

    /// The chances with which it plays.
    pub fn strategy(&self) -> Vec<f64> {
        let k = self.sums.len() as f64;
        let range = if self.range > 0.0 { self.range } else { 1.0 };
        let uniform = || vec![1.0 / k; self.sums.len()];
        match self.learner {
            Learner::Hedge { rate } => {
                let rate = rate.unwrap_or((8.0 * k.ln() / self.horizon.max(1) as f64).sqrt() / range);
                softmax(&self.sums, rate)
            }
            Learner::Exp3 { .. } => {
                let share = self.exploration();
                let weights = softmax(&self.sums, share / k);
                weights.into_iter().map(|w| (1.0 - share) * w + share / k).collect()
            }
            Learner::RegretMatching { .. } => {
                let positive: Vec<f64> = self.sums.iter().map(|r| r.max(0.0)).collect();
                let sum: f64 = positive.iter().sum();
                if sum > 0.0 { positive.into_iter().map(|r| r / sum).collect() } else { uniform() }
            }
            Learner::FictitiousPlay => {
                let best = self.sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let first = self.sums.iter().position(|u| *u == best);
                (0..self.sums.len()).map(|s| if Some(s) == first { 1.0 } else { 0.0 }).collect()
            }
            Learner::LogitResponse { noise } => {
                if self.rounds == 0 {
                    return uniform();
                }
                softmax(&self.sums, 1.0 / (noise * self.rounds as f64))
            }
        }
    }

    fn exploration(&self) -> f64 {
        let k = self.sums.len() as f64;
        let Learner::Exp3 { exploration } = self.learner else { return 0.0 };
        let of_bound = (k * k.ln() / ((std::f64::consts::E - 1.0) * self.horizon.max(1) as f64)).sqrt().min(1.0);
        exploration.unwrap_or(of_bound)
    }

    /// Learns what each strategy would have brought where it played these chances.
    pub fn learn(&mut self, payoffs: &[f64], played: &[f64]) {
        self.rounds += 1;
        let got: f64 = payoffs.iter().zip(played).map(|(u, x)| u * x).sum();
        for (sum, payoff) in self.sums.iter_mut().zip(payoffs) {
            match self.learner {
                Learner::RegretMatching { plus } => {
                    *sum += payoff - got;
                    if plus {
                        *sum = sum.max(0.0);
                    }
                }
                _ => *sum += payoff,
            }
        }
    }

    /// Learns what the strategy that was drawn brought.
    pub fn learn_drawn(&mut self, drawn: usize, chance: f64, payoff: f64) {
        self.rounds += 1;
        let range = if self.range > 0.0 { self.range } else { 1.0 };
        self.sums[drawn] += (payoff - self.least) / range / chance;
    }
}

/// `exp(rate u)`, normalised.
fn softmax(values: &[f64], rate: f64) -> Vec<f64> {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = values.iter().map(|u| (rate * (u - most)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}
