//! How evenly gains are shared.

/// Jain's index `(sum x)^2 / (n sum x^2)`; `None` where a share is negative or there is nothing to share.
pub fn jain(gains: &[f64], turnover: f64) -> Option<f64> {
    let gains = shareable(gains, turnover)?;
    let sum: f64 = gains.iter().sum();
    Some(sum * sum / (gains.len() as f64 * gains.iter().map(|x| x * x).sum::<f64>()))
}

/// Gini coefficient `sum |x_i - x_j| / (2 n^2 mean)`; `None` where a share is negative or there is nothing to share.
pub fn gini(gains: &[f64], turnover: f64) -> Option<f64> {
    let gains = shareable(gains, turnover)?;
    let n = gains.len() as f64;
    let mean = gains.iter().sum::<f64>() / n;
    let spread: f64 = gains.iter().flat_map(|x| gains.iter().map(move |y| (x - y).abs())).sum();
    Some(spread / (2.0 * n * n * mean))
}

/// Gains of which none is negative and whose mean is more than a solver's rounding; tiny negative ones are rounding.
fn shareable(gains: &[f64], turnover: f64) -> Option<Vec<f64>> {
    let noise = 1e-9 * turnover.max(1.0);
    let mean = gains.iter().sum::<f64>() / gains.len().max(1) as f64;
    (mean > noise && gains.iter().all(|x| *x >= -noise)).then(|| gains.iter().map(|x| x.max(0.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::{gini, jain};

    /// Indices of the ways to share the gain of the three-participant instance (design tables, computed independently).
    #[test]
    fn indices_of_the_three_participant_splits() {
        let close = |found: Option<f64>, expected: f64| {
            assert!((found.expect("defined") - expected).abs() < 1e-8, "{found:?} {expected}");
        };
        let equal = [21.644_736_842; 3];
        close(jain(&equal, 1.0), 1.0);
        close(gini(&equal, 1.0), 0.0);
        let shapley = [81877.0 / 3192.0, 4153.0 / 798.0, 108_781.0 / 3192.0];
        close(jain(&shapley, 1.0), 0.761_186_540);
        close(gini(&shapley, 1.0), 0.296_453_901);
        let uniform = [11715.0 / 361.0, 5625.0 / 1444.0, 10320.0 / 361.0];
        close(jain(&uniform, 1.0), 0.745_414_291);
        close(gini(&uniform, 1.0), 0.293_179_758);
    }

    #[test]
    fn there_is_no_index_of_losses_or_of_nothing() {
        assert_eq!(jain(&[1.0, -1.0, 3.0], 1.0), None);
        assert_eq!(gini(&[0.0, 0.0], 1.0), None);
    }
}
