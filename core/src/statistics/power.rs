//! How small a difference an experiment can see, and how many draws a difference takes: the two-sided paired test of Student,
//! exactly, by the noncentral distribution (Cohen, 1988).

use super::distributions::{noncentral_student_cdf, student_quantile};
use super::special::invert;

/// What is asked of a test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Chance of finding a difference that is there.
    pub power: f64,
    /// Chance of finding one that is not.
    pub level: f64,
}

impl Default for Demand {
    fn default() -> Self {
        Self { power: 0.8, level: 0.05 }
    }
}

/// Farthest noncentrality that is looked at: no power below 1 - 1e-9 needs it at usual levels.
const FAR: f64 = 36.0;

/// Chance that the test finds a mean difference, in standard deviations of the differences, with `n` pairs; 0 below two.
pub fn power(effect: f64, n: usize, level: f64) -> f64 {
    if n < 2 {
        return 0.0;
    }
    let freedom = (n - 1) as f64;
    let shift = (effect.abs() * (n as f64).sqrt()).min(FAR);
    let t = student_quantile(1.0 - 0.5 * level, freedom);
    1.0 - noncentral_student_cdf(t, freedom, shift) + noncentral_student_cdf(-t, freedom, shift)
}

impl Demand {
    /// The least mean difference that `n` pairs find as asked, in the units of the deviation of the differences. `None` below
    /// two pairs, or where it is beyond 36 standard errors.
    pub fn detectable(&self, deviation: f64, n: usize) -> Option<f64> {
        let root = (n as f64).sqrt();
        if n < 2 || power(FAR / root, n, self.level) < self.power {
            return None;
        }
        let shift = invert(self.power, 0.0, FAR, |shift| (power(shift / root, n, self.level), 0.0));
        Some(shift / root * deviation)
    }

    /// The least number of pairs that find a mean difference as asked. `None` without a difference, or beyond 1e9 pairs.
    pub fn draws(&self, effect: f64, deviation: f64) -> Option<usize> {
        let size = (effect / deviation).abs();
        let enough = |n: usize| power(size, n, self.level) >= self.power;
        let mut high = 2;
        while !enough(high) {
            high *= 2;
            if high > 1_000_000_000 || size.is_nan() {
                return None;
            }
        }
        let mut low = high / 2;
        while high - low > 1 {
            let middle = low.midpoint(high);
            if enough(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_pairs_are_those_of_cohens_tables() {
        // Solutions 198.15, 33.37, 14.30 of statsmodels 0.14 (TTestPower), rounded up.
        let found = [0.2, 0.5, 0.8].map(|effect| Demand::default().draws(effect, 1.0));
        assert_eq!(found, [Some(199), Some(34), Some(15)]);
        assert_eq!(Demand::default().draws(-6.0, 30.0), Some(199), "units and signs do not matter");
        assert_eq!(Demand::default().draws(0.0, 1.0), None);
        assert_eq!(Demand::default().draws(1.0, 0.0), Some(2));
    }

    // Roots of the power by SciPy 1.17 (nct, brentq).
    #[test]
    fn power_and_least_differences_are_those_of_scipy() {
        for (n, wanted) in [(10, 0.293175606514077), (33, 0.795365841487504), (34, 0.807777501279274)] {
            assert!((power(0.5, n, 0.05) - wanted).abs() < 1e-9);
        }
        for (n, wanted) in [
            (5, 1.68199696595555),
            (10, 0.996001371455444),
            (20, 0.660441654623026),
            (30, 0.52923561511295),
            (100, 0.282912632781386),
        ] {
            let found = Demand::default().detectable(1.0, n).unwrap();
            assert!((found - wanted).abs() < 1e-10, "{n}: {found}");
        }
        assert_eq!((power(0.5, 1, 0.05), Demand::default().detectable(1.0, 1)), (0.0, None));
        assert!((power(0.0, 20, 0.05) - 0.05).abs() < 1e-12, "without a difference the power is the level");
    }
}
