//! The misreport of price and quantity that every participant can make, as it is written in files and said in messages.

use super::Report;
use crate::words::number;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a participant says of itself: `f'(x) = s (k f(x/s) + d x/s)` instead of its cost `f(x)`. The truth is `k = 1`, `d = 0`,
/// `s = 1`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Distortion {
    /// `k`: factor on the whole cost.
    #[schemars(range(min = 0.0))]
    pub price_factor: f64,
    /// `d`: added to the marginal cost, money per kWh.
    pub price_shift_per_kwh: f64,
    /// `s`: factor on all quantities.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub quantity_factor: f64,
}

impl Default for Distortion {
    fn default() -> Self {
        Self::TRUTH
    }
}

/// A distortion that is none.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{field} is {value}: expected {expected}")]
pub struct DistortionError {
    /// Which number.
    pub field: &'static str,
    /// What it is.
    pub value: f64,
    /// What it must be.
    pub expected: &'static str,
}

impl Distortion {
    /// Nothing is distorted.
    pub const TRUTH: Self = Self { price_factor: 1.0, price_shift_per_kwh: 0.0, quantity_factor: 1.0 };

    /// The report to a market.
    pub fn report(self) -> Report {
        if self == Self::TRUTH {
            return Report::Truth;
        }
        let Self { price_factor, price_shift_per_kwh, quantity_factor } = self;
        Report::Distorted { price_factor, price_shift: price_shift_per_kwh, quantity_factor }
    }

    /// Whether it can be reported: a falling cost makes no convex problem, no quantity no participant.
    ///
    /// # Errors
    /// The first number that cannot be.
    pub fn check(self) -> Result<(), DistortionError> {
        let wrong = |field, value, expected| Err(DistortionError { field, value, expected });
        let Self { price_factor, price_shift_per_kwh, quantity_factor } = self;
        match (price_factor, price_shift_per_kwh, quantity_factor) {
            (k, _, _) if !(k.is_finite() && k >= 0.0) => wrong("price_factor", k, "a number of at least 0"),
            (_, d, _) if !d.is_finite() => wrong("price_shift_per_kwh", d, "a number"),
            (_, _, s) if !(s.is_finite() && s > 0.0) => wrong("quantity_factor", s, "a number above 0"),
            _ => Ok(()),
        }
    }

    /// What somebody does that reports this, as in `reports 1.25 times its cost`.
    pub fn words(self) -> String {
        let mut said = vec![];
        if self.price_factor != 1.0 {
            said.push(format!("{} times its cost", number(self.price_factor)));
        }
        if self.price_shift_per_kwh != 0.0 {
            let way = if self.price_shift_per_kwh > 0.0 { "more" } else { "less" };
            let than = if self.price_factor == 1.0 { " than its cost" } else { "" };
            said.push(format!("{} per kWh {way}{than}", number(self.price_shift_per_kwh.abs())));
        }
        if self.quantity_factor != 1.0 {
            said.push(format!("{} times its quantities", number(self.quantity_factor)));
        }
        if said.is_empty() { "tells the truth".to_owned() } else { format!("reports {}", said.join(" and ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::Distortion;
    use crate::participant::Report;

    #[test]
    fn a_distortion_says_what_is_reported() {
        let words = |price_factor, price_shift_per_kwh, quantity_factor| {
            Distortion { price_factor, price_shift_per_kwh, quantity_factor }.words()
        };
        assert_eq!(words(1.0, 0.0, 1.0), "tells the truth");
        assert_eq!(words(1.25, 0.0, 1.0), "reports 1.25 times its cost");
        assert_eq!(words(1.0, -0.1, 1.0), "reports 0.1 per kWh less than its cost");
        assert_eq!(
            words(0.5, 0.2, 0.75),
            "reports 0.5 times its cost and 0.2 per kWh more and 0.75 times its quantities"
        );
    }

    #[test]
    fn what_nobody_can_be_is_refused() {
        let of = |price_factor, price_shift_per_kwh, quantity_factor| {
            Distortion { price_factor, price_shift_per_kwh, quantity_factor }.check()
        };
        assert!(of(0.0, -1.0, 0.5).is_ok() && of(1.0, 0.0, 1.0).is_ok());
        assert_eq!(of(-0.1, 0.0, 1.0).unwrap_err().field, "price_factor");
        assert_eq!(of(1.0, f64::NAN, 1.0).unwrap_err().field, "price_shift_per_kwh");
        assert_eq!(of(1.0, 0.0, 0.0).unwrap_err().field, "quantity_factor");
    }

    #[test]
    fn the_truth_is_no_distortion() {
        assert!(matches!(Distortion::default().report(), Report::Truth));
        let said = Distortion { price_factor: 1.25, ..Distortion::TRUTH }.report();
        assert!(matches!(said, Report::Distorted { price_factor: 1.25, price_shift: 0.0, quantity_factor: 1.0 }));
    }
}
