//! The share of a box of parameters in which something holds, from points drawn in it.
//!
//! A share of a box is a statement about the box, not about the world.

use super::super::distributions::{beta_quantile, normal_quantile};
use super::super::ranks::{Better, Tally, tally};

/// How often one beats another over points drawn in a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Points at which it is better, as good, worse.
    pub tally: Tally,
    /// Share of the points at which it is better; ties are no wins.
    pub share: f64,
    /// Wilson's interval of the share.
    pub wilson: (f64, f64),
    /// The interval of Clopper and Pearson, which covers at least as often as it says.
    pub clopper_pearson: (f64, f64),
}

impl Share {
    /// Counts differences, what is compared minus the other, at a level such as 0.95; `None` without any that is a number.
    pub fn of(differences: &[f64], better: Better, tolerance: f64, level: f64) -> Option<Self> {
        let tally = tally(differences, better, tolerance);
        let (k, n) = (tally.wins, tally.cases());
        (n > 0).then(|| Self {
            tally,
            share: k as f64 / n as f64,
            wilson: wilson(k, n, level),
            clopper_pearson: clopper_pearson(k, n, level),
        })
    }
}

/// Wilson's score interval (1927) of a probability after `k` of `n`, at a level such as 0.95; everything without trials.
pub fn wilson(k: usize, n: usize, level: f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (count, p) = (n as f64, k as f64 / n as f64);
    let z = normal_quantile(0.5 * (1.0 + level));
    let centre = p + z * z / (2.0 * count);
    let half = z * (p * (1.0 - p) / count + z * z / (4.0 * count * count)).sqrt();
    let whole = 1.0 + z * z / count;
    let low = if k == 0 { 0.0 } else { (centre - half) / whole };
    let high = if k == n { 1.0 } else { (centre + half) / whole };
    (low, high)
}

/// The exact interval of Clopper and Pearson (1934) of a probability after `k` of `n`, at a level such as 0.95; everything
/// without trials.
pub fn clopper_pearson(k: usize, n: usize, level: f64) -> (f64, f64) {
    let tail = 0.5 * (1.0 - level);
    let low = if k == 0 { 0.0 } else { beta_quantile(tail, k as f64, (n - k + 1) as f64) };
    (low, share_at_most(k, n, 1.0 - tail))
}

/// The one-sided exact bound: with this level the probability is at most so much after `k` of `n`.
pub fn share_at_most(k: usize, n: usize, level: f64) -> f64 {
    if k >= n { 1.0 } else { beta_quantile(level, (k + 1) as f64, (n - k) as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: (f64, f64), wanted: (f64, f64), within: f64) {
        assert!((found.0 - wanted.0).abs() < within && (found.1 - wanted.1).abs() < within, "{found:?} {wanted:?}");
    }

    #[test]
    fn intervals_of_newcombe() {
        // Newcombe (1998), table I: methods 3 (score) and 5 (Clopper-Pearson).
        for (k, n, score, exact) in [
            (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
            (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
            (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
            (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
        ] {
            near(wilson(k, n, 0.95), score, 5e-5 + 1e-9);
            near(clopper_pearson(k, n, 0.95), exact, 5e-5 + 1e-9);
        }
        assert_eq!((wilson(0, 0, 0.95), clopper_pearson(0, 0, 0.95)), ((0.0, 1.0), (0.0, 1.0)));
        assert_eq!((wilson(5, 5, 0.95).1, clopper_pearson(5, 5, 0.95).1), (1.0, 1.0));
    }

    #[test]
    fn rare_and_usual_shares_of_samples() {
        near((0.0, share_at_most(0, 1000, 0.95)), (0.0, 0.002991250), 1e-9);
        assert!((share_at_most(0, 1000, 0.95) - (1.0 - 0.05_f64.powf(1e-3))).abs() < 1e-14, "closed form");
        near(clopper_pearson(37, 200, 0.95), (0.133728660, 0.245863462), 1e-9);
    }

    #[test]
    fn ties_are_no_wins_and_what_is_not_a_number_does_not_count() {
        let found = Share::of(&[-2.0, -1.0, 1e-12, 3.0, f64::NAN], Better::Low, 1e-9, 0.95).unwrap();
        assert_eq!(found.tally, Tally { wins: 2, ties: 1, losses: 1 });
        assert_eq!(found.share, 0.5);
        assert_eq!(Share::of(&[f64::NAN], Better::Low, 0.0, 0.95), None);
    }
}
