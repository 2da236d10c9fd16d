//! Means with the interval that figures show, and quantiles.

/// A mean and how sure it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
    /// Arithmetic mean.
    pub mean: f64,
    /// 95 % percentile bootstrap interval (Efron, 1979); `None` for a single sample.
    pub interval: Option<(f64, f64)>,
    /// Number of samples.
    pub n: usize,
}

const RESAMPLES: usize = 2000;

/// Arithmetic mean; `None` without samples.
pub fn mean(samples: &[f64]) -> Option<f64> {
    (!samples.is_empty()).then(|| samples.iter().sum::<f64>() / samples.len() as f64)
}

/// The sample below which a share of the others lies: of `n` in order, that at the rounded place `share * (n - 1)`. `None`
/// without samples.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    Some(sorted[((last as f64 * share).round() as usize).min(last)])
}

/// Mean and bootstrap interval of some samples; `None` without samples. The same samples give the same interval.
pub fn estimate(samples: &[f64]) -> Option<Estimate> {
    let (n, mean) = (samples.len(), mean(samples)?);
    if n == 1 {
        return Some(Estimate { mean, interval: None, n });
    }
    let mut state = 0x005E_ED0F_C0A5_E000_u64;
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| (0..n).map(|_| samples[(split_mix(&mut state) % n as u64) as usize]).sum::<f64>() / n as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    Some(Estimate { mean, interval: quantile(&means, 0.025).zip(quantile(&means, 0.975)), n })
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sample_has_no_interval_and_equal_ones_a_point() {
        assert_eq!(estimate(&[]), None);
        assert_eq!(estimate(&[3.0]), Some(Estimate { mean: 3.0, interval: None, n: 1 }));
        assert_eq!(estimate(&[3.0; 5]).and_then(|e| e.interval), Some((3.0, 3.0)));
    }

    #[test]
    fn interval_of_normal_samples_is_near_the_textbook_one() {
        // 0, 1, ..., 99: standard error of the mean 2.887, so 49.5 -+ 5.66
        let samples: Vec<f64> = (0..100).map(f64::from).collect();
        let (low, high) = estimate(&samples).and_then(|e| e.interval).unwrap();
        assert!((low - 43.84).abs() < 0.6 && (high - 55.16).abs() < 0.6, "{low} {high}");
    }

    #[test]
    fn split_mix_is_the_published_generator() {
        let mut state = 1234567;
        let first: Vec<u64> = (0..3).map(|_| split_mix(&mut state)).collect();
        assert_eq!(first, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }

    #[test]
    fn quantiles_are_samples() {
        assert_eq!((mean(&[]), quantile(&[], 0.5)), (None, None));
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert_eq!(mean(&sorted), Some(6.2));
        let found = [0.0, 0.2, 0.5, 0.9, 1.0].map(|share| quantile(&sorted, share).unwrap());
        assert_eq!(found, [1.0, 2.0, 4.0, 16.0, 16.0]);
    }
}
