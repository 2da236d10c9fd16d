//! Bootstrap intervals: percentile and BCa for independent samples, blocks for ordered ones.
//!
//! Everything drawn comes from keyed streams, one per resample, so that two series of the same length are resampled at the same
//! places: what is compared shares its luck.

use super::distributions::{normal_cdf, normal_quantile};
use super::quantiles::interpolated_quantile;
use super::samples::mean;
use crate::random::stream;
use rand::RngExt;

/// How samples are drawn again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Blocks {
    /// One by one: the samples are independent (Efron, 1979).
    #[default]
    Single,
    /// Runs of so many neighbours that lie within the series (Künsch, 1989); samples near its ends are drawn less often.
    Moving(usize),
    /// Runs of so many neighbours, the series closed to a circle: every sample is as likely (Politis and Romano, 1992).
    Circular(usize),
}

/// A bootstrap: its luck, its effort and its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Seed of the streams.
    pub seed: u64,
    /// Number of resamples.
    pub resamples: usize,
    /// What is drawn.
    pub blocks: Blocks,
}

impl Default for Bootstrap {
    /// 9999 resamples of single samples: `(resamples + 1) share` is whole for usual shares.
    fn default() -> Self {
        Self { seed: 0, resamples: 9999, blocks: Blocks::Single }
    }
}

impl Bootstrap {
    /// Places of `n` samples that one resample takes, with blocks cut at the end where they do not fit a whole number of times.
    fn places(&self, n: usize, resample: usize) -> Vec<usize> {
        let mut luck = stream(self.seed, "bootstrap", 0, resample);
        let (length, starts) = match self.blocks {
            Blocks::Single => (1, n),
            Blocks::Moving(length) => (length.clamp(1, n), n - length.clamp(1, n) + 1),
            Blocks::Circular(length) => (length.clamp(1, n), n),
        };
        let mut places = Vec::with_capacity(n);
        while places.len() < n {
            let start = luck.random_range(0..starts as u64) as usize;
            places.extend((start..start + length).map(|k| k % n));
        }
        places.truncate(n);
        places
    }

    /// The statistic of every resample, ascending; nothing without samples.
    pub fn replicates(&self, samples: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        if samples.is_empty() {
            return vec![];
        }
        let of = |resample| {
            let drawn: Vec<f64> = self.places(samples.len(), resample).into_iter().map(|k| samples[k]).collect();
            statistic(&drawn)
        };
        let mut replicates: Vec<f64> = (0..self.resamples).map(of).collect();
        replicates.sort_by(f64::total_cmp);
        replicates
    }

    /// Percentile interval of a statistic at a level such as 0.95: the replicates between the shares `(1 -+ level) / 2`.
    /// `None` below two samples.
    pub fn percentile(&self, samples: &[f64], level: f64, statistic: impl Fn(&[f64]) -> f64) -> Option<(f64, f64)> {
        let replicates = (samples.len() > 1).then(|| self.replicates(samples, statistic))?;
        between(&replicates, 0.5 * (1.0 - level), 0.5 * (1.0 + level))
    }

    /// Interval corrected for bias and acceleration (Efron, 1987), of second order accuracy, for independent samples.
    ///
    /// With `z0` the normal quantile of the share of replicates below the estimate (half of those that equal it) and `a` the
    /// acceleration from the jackknife, the shares are `Phi(z0 + (z0 + z) / (1 - a (z0 + z)))` at `z = -+z_level`. `None`
    /// below two samples, or where all replicates lie on one side of the estimate.
    pub fn bca(&self, samples: &[f64], level: f64, statistic: impl Fn(&[f64]) -> f64) -> Option<(f64, f64)> {
        let replicates = (samples.len() > 1).then(|| self.replicates(samples, &statistic))?;
        let estimate = statistic(samples);
        if replicates.first() == replicates.last() {
            return between(&replicates, 0.0, 1.0);
        }
        let bias = bias(&replicates, estimate)?;
        let acceleration = acceleration(samples, statistic);
        let share = |z: f64| normal_cdf(bias + (bias + z) / (1.0 - acceleration * (bias + z)));
        let z = normal_quantile(0.5 * (1.0 + level));
        between(&replicates, share(-z), share(z))
    }
}

fn between(sorted: &[f64], low: f64, high: f64) -> Option<(f64, f64)> {
    interpolated_quantile(sorted, low).zip(interpolated_quantile(sorted, high))
}

/// Bias correction `z0`: normal quantile of the share of replicates below the estimate.
fn bias(replicates: &[f64], estimate: f64) -> Option<f64> {
    let below = replicates.iter().filter(|r| **r < estimate).count() as f64;
    let equal = replicates.iter().filter(|r| **r == estimate).count() as f64;
    let share = (below + 0.5 * equal) / replicates.len() as f64;
    (share > 0.0 && share < 1.0).then(|| normal_quantile(share))
}

/// Acceleration by the jackknife: `sum d^3 / (6 (sum d^2)^(3/2))` with `d` the mean of the estimates without one sample minus
/// each of them.
fn acceleration(samples: &[f64], statistic: impl Fn(&[f64]) -> f64) -> f64 {
    let without = |left: usize| {
        let kept: Vec<f64> = samples.iter().enumerate().filter(|(k, _)| *k != left).map(|(_, x)| *x).collect();
        statistic(&kept)
    };
    let estimates: Vec<f64> = (0..samples.len()).map(without).collect();
    let centre = mean(&estimates).unwrap_or_default();
    let power = |p: i32| estimates.iter().map(|e| (centre - e).powi(p)).sum::<f64>();
    let squares = power(2);
    if squares > 0.0 { power(3) / (6.0 * squares.powf(1.5)) } else { 0.0 }
}

/// Length of the blocks for the mean of an ordered series, for the circular bootstrap (Politis and White, 2004, as corrected by
/// Patton, Politis and White, 2009), not rounded and at least 1; a whole length is its ceiling. `None` below four samples or
/// where all are equal.
///
/// `m` is the smallest lag after which five autocorrelations in a row are within `2 sqrt(log10(n) / n)`, or the last lag that is
/// not; with flat-top weights `w(s) = min(1, 2 (1 - |s|))` up to lag `M = 2 m`, `g = sum w(k/M) |k| R(k)` and
/// `v = sum w(k/M) R(k)` over lags of both signs, the length is `(3 g^2 / (2 v^2))^(1/3) n^(1/3)`, at most
/// `ceil(min(3 sqrt n, n / 3))`.
pub fn block_length(series: &[f64]) -> Option<f64> {
    let n = series.len();
    if n < 4 {
        return None;
    }
    let (count, centre) = (n as f64, mean(series)?);
    let covariance = |lag: usize| -> f64 {
        (lag..n).map(|t| (series[t] - centre) * (series[t - lag] - centre)).sum::<f64>() / count
    };
    let variance = covariance(0);
    if variance <= 0.0 {
        return None;
    }
    let run = 5;
    let far = (count.sqrt().ceil() as usize + run).min(n - 1);
    let bound = 2.0 * (count.log10() / count).sqrt();
    let small: Vec<bool> = (1..=far).map(|lag| (covariance(lag) / variance).abs() < bound).collect();
    let quiet = small.windows(run).position(|window| window.iter().all(|s| *s));
    // None in a row: the last lag that matters.
    let least = quiet.unwrap_or_else(|| small.iter().rposition(|s| !*s).map_or(1, |last| last + 1)).max(1);
    let lags = (2 * least).min(far);
    let weight = |lag: usize| (2.0 * (1.0 - lag as f64 / lags as f64)).min(1.0);
    let (mut g, mut v) = (0.0, variance);
    for lag in 1..=lags {
        let term = 2.0 * weight(lag) * covariance(lag);
        g += lag as f64 * term;
        v += term;
    }
    let most = (3.0 * count.sqrt()).min(count / 3.0).ceil();
    let length = (1.5 * (g / v).powi(2)).cbrt() * count.cbrt();
    Some(length.clamp(1.0, most))
}

/// The usual length of blocks without looking at the series: the cube root of `n`, rounded, at least 1.
pub fn cube_root_length(n: usize) -> usize {
    ((n as f64).cbrt().round() as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::hypothesis::student_interval;

    fn average(samples: &[f64]) -> f64 {
        samples.iter().sum::<f64>() / samples.len() as f64
    }

    fn variance(samples: &[f64]) -> f64 {
        let centre = average(samples);
        samples.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / samples.len() as f64
    }

    fn bootstrap(blocks: Blocks, resamples: usize) -> Bootstrap {
        Bootstrap { seed: 1, resamples, blocks }
    }

    /// `x = r x + u - 1/2` with the generator of the C standard's example, as in the Python that gave the numbers below.
    fn series(n: usize, r: f64) -> Vec<f64> {
        let (mut state, mut x) = (12345_u64, 0.0);
        (0..n)
            .map(|_| {
                state = (1_103_515_245 * state + 12345) % (1 << 31);
                x = r * x + state as f64 / f64::from(1_u32 << 31) - 0.5;
                x
            })
            .collect()
    }

    #[test]
    fn intervals_of_the_spatial_test_data() {
        // Efron and Tibshirani (1993), table 14.2: variance of the 26 values of table 14.1, 90 % intervals. Their 2000
        // resamples: percentile (100.8, 233.9), BCa (115.8, 259.6), acceleration 0.061. SciPy 1.17 with 200,000: percentile
        // (98.0, 235.5), BCa (115.4, 260.3).
        let values = [
            48.0, 36.0, 20.0, 29.0, 42.0, 42.0, 20.0, 42.0, 22.0, 41.0, 45.0, 14.0, 6.0, 0.0, 33.0, 28.0, 34.0, 4.0,
            32.0, 24.0, 47.0, 41.0, 24.0, 26.0, 30.0, 41.0,
        ];
        assert!((variance(&values) - 171.5).abs() < 0.05);
        assert!((acceleration(&values, variance) - 0.06124011981230745).abs() < 1e-12);
        let many = bootstrap(Blocks::Single, 9999);
        let (low, high) = many.percentile(&values, 0.9, variance).unwrap();
        assert!((low - 98.0).abs() < 3.0 && (high - 235.5).abs() < 3.0, "{low} {high}");
        let (low, high) = many.bca(&values, 0.9, variance).unwrap();
        assert!((low - 115.4).abs() < 3.0 && (high - 260.3).abs() < 3.0, "{low} {high}");
    }

    #[test]
    fn resamples_of_three_are_the_multinomial_ones() {
        // Means of three of (0, 1, 5): 27 equally likely; P(mean = 5) = 1/27, P(mean <= 1/3) = 4/27.
        let means = bootstrap(Blocks::Single, 40_000).replicates(&[0.0, 1.0, 5.0], average);
        let below = |x: f64| means.iter().filter(|m| **m <= x + 1e-9).count() as f64 / 4e4;
        assert!((1.0 - below(4.99) - 1.0 / 27.0).abs() < 0.004 && (below(1.0 / 3.0) - 4.0 / 27.0).abs() < 0.008);
        assert!(means.is_sorted());
    }

    #[test]
    fn circular_blocks_have_the_closed_variance() {
        // n Var* = R(0) + 2 sum over k < L of (1 - k/L) R(k), with covariances of the closed circle, if L divides n.
        let x = series(60, 0.7);
        let (n, length, centre) = (60, 6, average(&x));
        let circle = |k: usize| (0..n).map(|t| (x[t] - centre) * (x[(t + k) % n] - centre)).sum::<f64>() / n as f64;
        let wanted = (circle(0) + 2.0 * (1..length).map(|k| (1.0 - k as f64 / length as f64) * circle(k)).sum::<f64>())
            / n as f64;
        let means = bootstrap(Blocks::Circular(length), 20_000).replicates(&x, average);
        assert!((average(&means) - centre).abs() < 4.0 * (wanted / 2e4).sqrt());
        assert!((variance(&means) / wanted - 1.0).abs() < 0.04, "{} {wanted}", variance(&means));
        // One by one the neighbours are forgotten.
        let apart = variance(&bootstrap(Blocks::Single, 20_000).replicates(&x, average));
        assert!((apart * n as f64 / circle(0) - 1.0).abs() < 0.04 && apart < 0.6 * wanted);
    }

    #[test]
    fn moving_blocks_centre_on_the_mean_of_all_blocks() {
        // Of 0, 1, ..., 9 in blocks of 5: block means 2, 3, .., 7, their mean 4.5; of squares it differs from the samples'.
        let x: Vec<f64> = (0..10).map(|k| f64::from(k * k)).collect();
        let blocks: Vec<f64> = x.windows(5).map(average).collect();
        let means = bootstrap(Blocks::Moving(5), 20_000).replicates(&x, average);
        let error = 4.0 * (variance(&blocks) / 2.0 / 2e4).sqrt();
        assert!((average(&means) - average(&blocks)).abs() < error && (average(&x) - average(&blocks)).abs() > error);
        assert!((variance(&means) / (variance(&blocks) / 2.0) - 1.0).abs() < 0.04);
        // One block as long as the series is the series.
        assert_eq!(bootstrap(Blocks::Moving(99), 3).replicates(&x, average), [average(&x); 3]);
    }

    #[test]
    fn lengths_of_blocks() {
        // From the formulas, in Python.
        for (n, r, wanted) in [
            (200, 0.5, 4.16602746923023),
            (365, 0.8, 17.4424141685601),
            (30, 0.6, 2.28978485584483),
            (1000, -0.4, 11.8778713102035),
            (40, 0.99, 7.79875110075248),
            (200, 0.0, 1.0), // 0.62, and no block is shorter than 1
        ] {
            let found = block_length(&series(n, r)).unwrap();
            assert!((found / wanted - 1.0).abs() < 1e-9, "{n} {r}: {found}");
        }
        // Of x = r x + e the truth is (3/2 (2 r / (1 - r^2))^2)^(1/3) n^(1/3).
        let (n, r) = (20_000, 0.7_f64);
        let truth = (1.5 * (2.0 * r / (1.0 - r * r)).powi(2)).cbrt() * f64::from(n).cbrt();
        let found = block_length(&series(n as usize, r)).unwrap();
        assert!((found / truth - 1.0).abs() < 0.05, "{found} {truth}");
        assert_eq!((block_length(&[1.0; 3]), block_length(&[1.0; 30])), (None, None));
        assert_eq!([1, 27, 100, 365].map(cube_root_length), [1, 3, 5, 7]);
    }

    #[test]
    fn intervals_of_a_mean_are_near_students_and_few_samples_have_none() {
        let x = series(100, 0.0);
        let (low, high) = student_interval(&x, 0.95).unwrap();
        for found in [
            bootstrap(Blocks::Single, 9999).percentile(&x, 0.95, average),
            bootstrap(Blocks::Single, 9999).bca(&x, 0.95, average),
        ] {
            let found = found.unwrap();
            assert!((found.0 - low).abs() < 0.1 * (high - low) && (found.1 - high).abs() < 0.1 * (high - low));
        }
        let few = Bootstrap::default();
        assert_eq!((few.percentile(&[1.0], 0.95, average), few.bca(&[], 0.95, average)), (None, None));
        assert_eq!(few.bca(&[2.0; 4], 0.95, average), Some((2.0, 2.0)));
        assert!(few.replicates(&[], average).is_empty());
        assert_eq!(bias(&[1.0, 2.0], 0.0), None, "all on one side");
    }

    #[test]
    fn series_of_one_length_are_resampled_at_the_same_places() {
        let (x, scheme) = (series(30, 0.5), bootstrap(Blocks::Circular(4), 200));
        let moved: Vec<f64> = x.iter().map(|x| 10.0 + x).collect();
        let (a, b) = (scheme.replicates(&x, average), scheme.replicates(&moved, average));
        assert!(a.iter().zip(&b).all(|(a, b)| (b - a - 10.0).abs() < 1e-12));
        assert_ne!(a, Bootstrap { seed: 2, ..scheme }.replicates(&x, average));
    }
}
