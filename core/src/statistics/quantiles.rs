//! Quantiles by their definitions (Hyndman and Fan, 1996).

/// The quantile of definition 7: between the samples at the places around `share (n - 1)`, linearly. `None` without samples;
/// `sorted` ascends, `share` is held within 0 and 1.
pub fn interpolated_quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let (low, high) = (sorted[below], sorted[above]);
    Some(if low == high { low } else { low + (place - below as f64) * (high - low) })
}

#[cfg(test)]
mod tests {
    use super::interpolated_quantile;

    #[test]
    fn quantiles_are_those_of_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (share, wanted) in [(0.0, 1.0), (0.1, 1.4), (0.3, 2.4), (0.5, 4.0), (0.99, 15.68), (1.0, 16.0), (7.0, 16.0)]
        {
            assert!((interpolated_quantile(&sorted, share).unwrap() - wanted).abs() < 1e-12);
        }
        assert_eq!((interpolated_quantile(&[], 0.5), interpolated_quantile(&[3.0], 0.9)), (None, Some(3.0)));
    }
}
