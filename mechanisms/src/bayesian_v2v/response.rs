//! How users respond to an incentive, and the price that a buyer posts who knows it.

use crate::leader_search::brent;
use coase_core::MechanismError;
use coase_core::statistics::bounded::Bounded;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The probability that a user responds, by how far a price is above the one at which nobody bothers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Response {
    /// Whatever the price is.
    Always,
    /// `1 - exp(-slope d)`.
    Exponential {
        /// How fast it rises, per money per kWh.
        #[schemars(range(min = 0.0))]
        slope: f64,
    },
    /// `1 / (1 + exp(-slope (d - middle)))`.
    Logistic {
        /// How fast it rises, per money per kWh.
        #[schemars(range(min = 0.0))]
        slope: f64,
        /// The incentive to which half of them respond, per kWh.
        #[schemars(range(min = 0.0))]
        middle_per_kwh: f64,
    },
    /// Nothing up to a threshold, then in proportion, all from where it is full.
    DeadZone {
        /// Up to here nobody responds, per kWh.
        #[schemars(range(min = 0.0))]
        threshold_per_kwh: f64,
        /// How much more it takes until all do, per kWh.
        #[schemars(extend("exclusiveMinimum" = 0.0))]
        span_per_kwh: f64,
    },
}

impl Response {
    /// The probability at an incentive per kWh.
    pub(super) fn probability(self, incentive: f64) -> f64 {
        match self {
            Response::Always => 1.0,
            Response::Exponential { slope } => 1.0 - (-slope * incentive.max(0.0)).exp(),
            Response::Logistic { slope, middle_per_kwh } => 1.0 / (1.0 + (-slope * (incentive - middle_per_kwh)).exp()),
            Response::DeadZone { threshold_per_kwh, span_per_kwh } => {
                ((incentive - threshold_per_kwh) / span_per_kwh).clamp(0.0, 1.0)
            }
        }
    }

    pub(super) fn check(self) -> Result<(), MechanismError> {
        let not_negative = "a finite number of at least 0";
        let all: Vec<(&'static str, f64, bool, &'static str)> = match self {
            Response::Always => vec![],
            Response::Exponential { slope } => vec![("slope", slope, slope >= 0.0, not_negative)],
            Response::Logistic { slope, middle_per_kwh: middle } => vec![
                ("slope", slope, slope >= 0.0, not_negative),
                ("middle_per_kwh", middle, middle >= 0.0, not_negative),
            ],
            Response::DeadZone { threshold_per_kwh: threshold, span_per_kwh: span } => vec![
                ("threshold_per_kwh", threshold, threshold >= 0.0, not_negative),
                ("span_per_kwh", span, span > 0.0, "a finite number above 0"),
            ],
        };
        match all.into_iter().find(|(_, x, fine, _)| !(*fine && x.is_finite())) {
            Some((name, x, _, expected)) => Err(MechanismError::Parameter { name, value: x.to_string(), expected }),
            None => Ok(()),
        }
    }
}

/// A price that a buyer posts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Posted {
    pub price: f64,
    /// What the buyer gains of a kWh in expectation.
    pub expected_gain: f64,
}

/// Prices tried to bracket the best.
const GRID: usize = 200;

/// The best price for a buyer to whom a kWh is worth `value`: `max (value - p) P(cost <= p) r(p - reference)`.
pub(super) fn posted(
    value: f64,
    seller: &Bounded,
    response: Response,
    reference: f64,
) -> Result<Posted, MechanismError> {
    let gain = |p: f64| (value - p) * seller.share_below(p) * response.probability(p - reference);
    let low = seller.bounds().0.min(value);
    let at = |k: usize| low + (value - low) * k as f64 / GRID as f64;
    let best = (0..=GRID).fold(0, |best, k| if gain(at(k)) > gain(at(best)) { k } else { best });
    let mut posted = Posted { price: at(best), expected_gain: gain(at(best)) };
    if value > low {
        let bracket = (at(best.saturating_sub(1)), at((best + 1).min(GRID)));
        if let Some(price) = brent(&|p| Ok(-gain(p)), bracket, 1e-9)?
            && gain(price) > posted.expected_gain
        {
            posted = Posted { price, expected_gain: gain(price) };
        }
    }
    Ok(posted)
}

#[cfg(test)]
mod tests {
    use super::{Response, posted};
    use coase_core::statistics::bounded::Bounded;

    const SELLER: Bounded = Bounded::Uniform { low: 0.3, high: 0.8 };

    #[test]
    fn the_posted_price_of_an_exponential_response_is_as_computed_elsewhere() {
        let response = Response::Exponential { slope: 4.0 };
        let found = posted(1.0, &SELLER, response, 0.35).unwrap();
        assert!((found.price - 0.719528634978).abs() < 1e-6, "{found:?}");
        assert!((found.expected_gain - 0.181660110565).abs() < 1e-10, "{found:?}");
        assert!((SELLER.share_below(found.price) - 0.839057269956).abs() < 2e-6);
        assert!((response.probability(found.price - 0.35) - 0.771932704964).abs() < 1e-6);
    }

    #[test]
    fn who_always_responds_is_offered_half_of_what_is_between() {
        // max (v - p)(p - 0.3): p = (v + 0.3) / 2, unless all sell below it.
        let found = posted(0.9, &SELLER, Response::Always, 0.0).unwrap();
        assert!((found.price - 0.6).abs() < 1e-6, "{found:?}");
        let found = posted(2.0, &SELLER, Response::Always, 0.0).unwrap();
        assert!((found.price - 0.8).abs() < 1e-4, "{found:?}");
        // Nobody offers more than a kWh is worth.
        assert_eq!(posted(0.2, &SELLER, Response::Always, 0.0).unwrap().expected_gain, 0.0);
    }

    #[test]
    fn responses_rise_from_none_to_all() {
        let laws = [
            Response::Exponential { slope: 4.0 },
            Response::Logistic { slope: 20.0, middle_per_kwh: 0.3 },
            Response::DeadZone { threshold_per_kwh: 0.1, span_per_kwh: 0.4 },
        ];
        for law in laws {
            let at = |k: i32| law.probability(f64::from(k) / 20.0);
            assert!((-10..60).all(|k| at(k + 1) >= at(k) && (0.0..=1.0).contains(&at(k))), "{law:?}");
            assert!(at(-10) < 1e-4 && at(60) > 0.99, "{law:?}");
        }
        assert!((laws[2].probability(0.3) - 0.5).abs() < 1e-12);
        assert!((laws[1].probability(0.3) - 0.5).abs() < 1e-12);
    }
}
