//! Bounds of means that hold for any finite number of draws, and of the largest of several means.

use super::distributions::student_quantile;
use super::hypothesis::moments;

/// Hoeffding's inequality (1963) with a union bound: with probability `1 - risk` each of `means` averages of `draws` numbers
/// within a range of width `range` is closer to its expectation than `range sqrt(ln(2 means / risk) / (2 draws))`.
pub fn hoeffding(range: f64, means: usize, draws: usize, risk: f64) -> f64 {
    range * ((2.0 * means as f64 / risk).ln() / (2.0 * draws as f64)).sqrt()
}

/// The empirical Bernstein bound (Maurer and Pontil, 2009), both sides: with probability `1 - risk` the mean of samples within a
/// range of width `range` is closer to its expectation than
/// `sqrt(2 V ln(4 / risk) / n) + 7 range ln(4 / risk) / (3 (n - 1))`, `V` their variance with `n - 1`. `None` below two samples.
pub fn bernstein(samples: &[f64], range: f64, risk: f64) -> Option<f64> {
    let (_, deviation) = moments(samples)?;
    let (n, log) = (samples.len() as f64, (4.0 / risk).ln());
    Some((2.0 * deviation * deviation * log / n).sqrt() + 7.0 * range * log / (3.0 * (n - 1.0)))
}

/// Interval at a risk such as 0.05 of the largest of several expected gains and of none, 0: with
/// `t` the quantile `1 - risk / (2 J)` of Student's distribution for `J` rows, from `max(0, max (mean - t s / sqrt(n)))` to
/// `max(0, max (mean + t s / sqrt(n)))`. `None` without rows, or where one has fewer than two samples.
pub fn largest_gain(rows: &[Vec<f64>], risk: f64) -> Option<(f64, f64)> {
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    for row in rows {
        let (mean, deviation) = moments(row)?;
        let n = row.len() as f64;
        let half = student_quantile(1.0 - risk / (2.0 * rows.len() as f64), n - 1.0) * deviation / n.sqrt();
        low = low.max(mean - half);
        high = high.max(mean + half);
    }
    (!rows.is_empty()).then_some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64, within: f64) {
        assert!((found - wanted).abs() < within, "{found} instead of {wanted}");
    }

    #[test]
    fn uniform_bounds_of_means() {
        for (means, draws, wanted) in
            [(4, 100, 0.159298), (100, 200, 0.143997), (1000, 200, 0.162762), (1000, 1000, 0.072790)]
        {
            near(hoeffding(1.0, means, draws, 0.05), wanted, 1e-6);
        }
        near(hoeffding(3.0, 4, 100, 0.05), 3.0 * 0.159298, 3e-6);
    }

    #[test]
    fn largest_of_three_gains() {
        let rows = [
            vec![1.2, 0.4, -0.3, 0.9, 0.7, 1.1, 0.2, -0.1],
            vec![0.1, -0.2, 0.3, 0.0, 0.1, -0.1, 0.2, 0.0],
            vec![-0.5, 0.2, 0.1, -0.4, 0.0, -0.2, 0.3, -0.1],
        ];
        let (low, high) = largest_gain(&rows, 0.05).unwrap();
        near(low, 0.0, 1e-12);
        near(high, 1.125137404, 1e-8);
        near(student_quantile(1.0 - 0.05 / 6.0, 7.0), 3.127552274, 1e-8);
        // Alone the first is a gain: its interval is Student's.
        let (low, high) = largest_gain(&rows[..1], 0.05).unwrap();
        near(low, 0.049307978, 1e-8);
        near(high, 0.975692022, 1e-8);
        assert_eq!((largest_gain(&[], 0.05), largest_gain(&[vec![1.0]], 0.05)), (None, None));
    }

    #[test]
    fn variance_tightens_the_bound() {
        // By hand: 100 zeros and 100 ones, V = 50/199, ln(4 / 0.05) = 4.3820266.
        let coin: Vec<f64> = (0..200).map(|k| f64::from(k % 2)).collect();
        let wanted = (2.0 * 50.0 / 199.0 * 4.382026635_f64 / 200.0).sqrt() + 7.0 * 4.382026635 / (3.0 * 199.0);
        near(bernstein(&coin, 1.0, 0.05).unwrap(), wanted, 1e-9);
        // Of a gain that hardly varies it falls with 1 / n, far below Hoeffding's.
        let calm: Vec<f64> = (0..2000).map(|k| 0.5 + 1e-4 * f64::from(k % 2)).collect();
        assert!(bernstein(&calm, 1.0, 0.05).unwrap() < 0.25 * hoeffding(1.0, 1, 2000, 0.05));
        assert_eq!(bernstein(&[1.0], 1.0, 0.05), None);
    }
}
