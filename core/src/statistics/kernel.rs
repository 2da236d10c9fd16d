//! Kernel density: what a history of values says about the next one.
//!
//! A normal curve around every value seen, `f(x) = 1/(M h Z) sum_m phi((x - x_m) / h)` within two bounds, `Z` the mass that
//! the curves have there. Shares and partial expectations are closed forms, so that nothing is drawn to find them.

use super::distributions::{normal_cdf, normal_density, normal_quantile};
use super::quantiles::interpolated_quantile;
use super::samples::mean;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::SQRT_2;

/// How wide the curve around each value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Bandwidth {
    /// `0.9 min(s, IQR / 1.34) M^(-1/5)` (Silverman, 1986): for histories that may have more than one hump.
    #[default]
    Silverman,
    /// `1.06 s M^(-1/5)`: best where the values are normal.
    NormalRule,
    /// Least squares of what is predicted of each value from the others (Rudemo, 1982; Bowman, 1984).
    LeastSquares,
    /// So wide, in the unit of the values.
    Given(f64),
}

/// Why a history says nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum KernelError {
    /// Less than two values.
    #[error("a history of {count}: at least 2 values are needed, or their spread is not known")]
    Short {
        /// How many there are.
        count: usize,
    },
    /// A value that cannot be.
    #[error("value {position} of the history is {value}: expected one between {low} and {high}")]
    Outside {
        /// Place in the history, from 0.
        position: usize,
        /// The value.
        value: f64,
        /// Least possible value.
        low: f64,
        /// Greatest possible value.
        high: f64,
    },
    /// A bandwidth that is none.
    #[error("a bandwidth of {0}: expected more than 0")]
    Bandwidth(f64),
}

/// Density of a value between two bounds, from values seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    values: Vec<f64>,
    bandwidth: f64,
    low: f64,
    high: f64,
    /// What each value's curve has within the bounds, added up.
    masses: Vec<f64>,
}

/// No bandwidth is below this share of the distance of the bounds: equal values would make a point of the density.
pub const LEAST_BANDWIDTH: f64 = 1e-3;

impl Bandwidth {
    /// The bandwidth for a history, by the rule alone.
    ///
    /// # Errors
    /// Less than two values, a given bandwidth that is none.
    pub fn of(self, values: &[f64]) -> Result<f64, KernelError> {
        let count = values.len();
        if count < 2 {
            return Err(KernelError::Short { count });
        }
        let shrunk = (count as f64).powf(-0.2);
        match self {
            Bandwidth::Silverman => {
                let mut sorted = values.to_vec();
                sorted.sort_by(f64::total_cmp);
                let quartile = |share| interpolated_quantile(&sorted, share).unwrap_or(0.0);
                let between = quartile(0.75) - quartile(0.25);
                // Where half of the values are equal the quartiles say nothing of the spread.
                let spread = if between > 0.0 { deviation(values).min(between / 1.34) } else { deviation(values) };
                Ok(0.9 * spread * shrunk)
            }
            Bandwidth::NormalRule => Ok(1.06 * deviation(values) * shrunk),
            Bandwidth::LeastSquares => Ok(least_squares(values)),
            Bandwidth::Given(h) if h > 0.0 && h.is_finite() => Ok(h),
            Bandwidth::Given(h) => Err(KernelError::Bandwidth(h)),
        }
    }
}

fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values).unwrap_or(0.0);
    let squares: f64 = values.iter().map(|x| (x - centre).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

/// The minimum of `1/(M^2 h sqrt 2) sum_ml phi(d_ml / (h sqrt 2)) - 2/(M (M-1) h) sum_(m != l) phi(d_ml / h)`, on a grid of
/// ratios and then by golden section. Where values repeat it falls without end towards 0; the search ends at a thousandth of
/// the normal rule.
fn least_squares(values: &[f64]) -> f64 {
    /// Steps of the grid.
    const STEPS: i32 = 120;
    let count = values.len() as f64;
    let rule = 1.06 * deviation(values) * count.powf(-0.2);
    if rule <= 0.0 {
        return 0.0;
    }
    let score = |h: f64| {
        let (mut all, mut others) = (0.0, 0.0);
        for (m, x) in values.iter().enumerate() {
            for y in &values[..m] {
                all += 2.0 * normal_density((x - y) / (h * SQRT_2));
                others += 2.0 * normal_density((x - y) / h);
            }
        }
        all += count * normal_density(0.0);
        all / (count * count * h * SQRT_2) - 2.0 * others / (count * (count - 1.0) * h)
    };
    let at = |k: i32| rule * 1000_f64.powf(f64::from(k) / f64::from(STEPS) * 4.0 / 3.0 - 1.0);
    let scores: Vec<f64> = (0..=STEPS).map(|k| score(at(k))).collect();
    let best = (0..=STEPS).fold(0, |best, k| if scores[k as usize] < scores[best as usize] { k } else { best });
    let (mut low, mut high) = (at((best - 1).max(0)).ln(), at((best + 1).min(STEPS)).ln());
    let ratio = 0.5 * (5_f64.sqrt() - 1.0);
    for _ in 0..80 {
        let (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
        if score(left.exp()) < score(right.exp()) {
            high = right;
        } else {
            low = left;
        }
    }
    (0.5 * (low + high)).exp()
}

impl Kernel {
    /// The density within two bounds that a history gives; no narrower than [`LEAST_BANDWIDTH`] of their distance.
    ///
    /// # Errors
    /// A history that says nothing, or a value outside the bounds.
    pub fn new(values: &[f64], rule: Bandwidth, low: f64, high: f64) -> Result<Self, KernelError> {
        if let Some((position, value)) = values.iter().enumerate().find(|(_, x)| !(**x >= low && **x <= high)) {
            return Err(KernelError::Outside { position, value: *value, low, high });
        }
        let bandwidth = rule.of(values)?.max(LEAST_BANDWIDTH * (high - low));
        Ok(Self::with(values.to_vec(), bandwidth, low, high))
    }

    fn with(values: Vec<f64>, bandwidth: f64, low: f64, high: f64) -> Self {
        let mut kernel = Self { values, bandwidth, low, high, masses: vec![] };
        let mut sum = 0.0;
        for x in &kernel.values {
            sum += kernel.curve(*x, low, high);
            kernel.masses.push(sum);
        }
        kernel
    }

    /// The same density given that the value lies between narrower bounds.
    #[must_use]
    pub fn within(&self, low: f64, high: f64) -> Self {
        Self::with(self.values.clone(), self.bandwidth, low.max(self.low), high.min(self.high))
    }

    /// Width of each value's curve.
    pub fn bandwidth(&self) -> f64 {
        self.bandwidth
    }

    /// The bounds.
    pub fn bounds(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Mean mass of the curves within the bounds.
    pub fn mass(&self) -> f64 {
        self.sum() / self.values.len() as f64
    }

    /// `f(x)`.
    pub fn density(&self, x: f64) -> f64 {
        if x < self.low || x > self.high {
            return 0.0;
        }
        let curves: f64 = self.values.iter().map(|m| normal_density((x - m) / self.bandwidth)).sum();
        curves / (self.bandwidth * self.sum())
    }

    /// `P(a <= X <= b)`.
    pub fn share(&self, a: f64, b: f64) -> f64 {
        let (a, b) = (a.max(self.low), b.min(self.high));
        if a >= b {
            return 0.0;
        }
        self.values.iter().map(|m| self.curve(*m, a, b)).sum::<f64>() / self.sum()
    }

    /// `E[X 1(a <= X <= b)]`.
    pub fn part(&self, a: f64, b: f64) -> f64 {
        let (a, b) = (a.max(self.low), b.min(self.high));
        if a >= b {
            return 0.0;
        }
        let h = self.bandwidth;
        let of = |m: &f64| {
            let fall = normal_density((b - m) / h) - normal_density((a - m) / h);
            m * self.curve(*m, a, b) - h * fall
        };
        self.values.iter().map(of).sum::<f64>() / self.sum()
    }

    /// The value that a number drawn evenly from [0, 1) stands for: first whose curve, then where in it.
    pub fn drawn(&self, share: f64) -> f64 {
        let target = share * self.sum();
        let k = self.masses.partition_point(|sum| *sum <= target).min(self.values.len() - 1);
        let before = if k == 0 { 0.0 } else { self.masses[k - 1] };
        let (m, h) = (self.values[k], self.bandwidth);
        // Counted from the nearer tail, where digits are not lost.
        let (from, left) = ((self.low - m) / h, target - before);
        let below = normal_cdf(from) + left;
        let z = if below < 0.5 { normal_quantile(below) } else { -normal_quantile(normal_cdf(-from) - left) };
        (m + h * z).clamp(self.low, self.high)
    }

    fn sum(&self) -> f64 {
        self.masses.last().copied().unwrap_or(1.0)
    }

    /// What the curve around a value has between two points.
    fn curve(&self, centre: f64, a: f64, b: f64) -> f64 {
        let (a, b) = ((a - centre) / self.bandwidth, (b - centre) / self.bandwidth);
        if a > 0.0 { normal_cdf(-a) - normal_cdf(-b) } else { normal_cdf(b) - normal_cdf(a) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIDS: [f64; 10] = [0.62, 0.71, 0.55, 0.80, 0.67, 0.74, 0.59, 0.69, 0.77, 0.64];
    const ASKS: [f64; 10] = [0.38, 0.45, 0.52, 0.41, 0.49, 0.35, 0.57, 0.44, 0.40, 0.47];

    fn near(found: f64, expected: f64, digits: f64) {
        assert!((found - expected).abs() <= digits, "{found} instead of {expected}");
    }

    /// Computed elsewhere, in Python.
    #[test]
    fn bandwidths_are_those_of_the_rules() {
        for (values, spread, silverman, normal, cross_validated) in [
            (BIDS, 0.079_833_159_359_59, 0.045_334_186_407_89, 0.053_393_597_324_85, 0.089_563_733),
            (ASKS, 0.066_965_994_687_19, 0.034_961_628_975_86, 0.044_787_847_349_00, 0.071_736_740),
        ] {
            near(deviation(&values), spread, 1e-14);
            near(Bandwidth::Silverman.of(&values).unwrap(), silverman, 1e-14);
            near(Bandwidth::NormalRule.of(&values).unwrap(), normal, 1e-14);
            near(Bandwidth::LeastSquares.of(&values).unwrap(), cross_validated, 1e-8);
        }
    }

    #[test]
    fn masses_and_parts_are_the_closed_forms() {
        let kernel = |values: &[f64]| Kernel::new(values, Bandwidth::Silverman, 0.3, 1.0).unwrap();
        let (bids, asks) = (kernel(&BIDS), kernel(&ASKS));
        near(bids.mass(), 0.999_999_465_36, 1e-11);
        near(asks.mass(), 0.990_961_551_75, 1e-11);
        near(10.0 * asks.part(0.3, 0.70), 4.494_801_204_866, 1e-11);
        near(10.0 * bids.part(0.45, 1.0), 6.773_566_497_965, 1e-11);
    }

    /// A midpoint sum of the density, and draws at the midpoints of 20,000 equal shares.
    #[test]
    fn shares_parts_and_draws_are_those_of_the_density() {
        let kernel = Kernel::new(&ASKS, Bandwidth::Silverman, 0.3, 1.0).unwrap().within(0.4, 0.9);
        let steps = 20_000;
        let (mut share, mut part) = (0.0, 0.0);
        for k in 0..steps {
            let x = 0.4 + 0.1 * (f64::from(k) + 0.5) / f64::from(steps);
            share += kernel.density(x) * 0.1 / f64::from(steps);
            part += x * kernel.density(x) * 0.1 / f64::from(steps);
        }
        near(kernel.share(0.4, 0.5), share, 1e-9);
        near(kernel.part(0.4, 0.5), part, 1e-9);
        near(kernel.share(0.0, 2.0), 1.0, 1e-15);
        assert_eq!((kernel.density(0.39), kernel.share(0.5, 0.4), kernel.part(0.95, 1.0)), (0.0, 0.0, 0.0));
        let draws = (0..steps).map(|k| kernel.drawn((f64::from(k) + 0.5) / f64::from(steps)));
        let (mut below, mut sum) = (0, 0.0);
        for x in draws {
            assert!((0.4..=0.9).contains(&x));
            below += u32::from(x <= 0.5);
            sum += x;
        }
        near(f64::from(below) / f64::from(steps), share, 2e-4);
        near(sum / f64::from(steps), kernel.part(0.0, 1.0), 1e-4);
    }

    #[test]
    fn histories_that_say_nothing_are_refused_and_equal_values_are_no_point() {
        let of = |values: &[f64], rule| Kernel::new(values, rule, 0.3, 1.0);
        assert_eq!(of(&[0.5], Bandwidth::Silverman), Err(KernelError::Short { count: 1 }));
        let outside = of(&[0.5, 1.2], Bandwidth::Silverman).unwrap_err().to_string();
        assert!(
            outside.contains("value 1 of the history is 1.2") && outside.contains("between 0.3 and 1"),
            "{outside}"
        );
        assert!(matches!(of(&[0.5, f64::NAN], Bandwidth::NormalRule), Err(KernelError::Outside { .. })));
        assert_eq!(of(&[0.5, 0.6], Bandwidth::Given(0.0)), Err(KernelError::Bandwidth(0.0)));
        for rule in [Bandwidth::Silverman, Bandwidth::NormalRule, Bandwidth::LeastSquares] {
            near(of(&[0.5; 4], rule).unwrap().bandwidth(), 0.7 * LEAST_BANDWIDTH, 1e-15);
        }
        // Half of the values are equal, and yet they are spread.
        let humps = of(&[0.5, 0.5, 0.5, 0.5, 0.4, 0.6], Bandwidth::Silverman).unwrap();
        assert!(humps.bandwidth() > 10.0 * 0.7 * LEAST_BANDWIDTH);
    }
}
