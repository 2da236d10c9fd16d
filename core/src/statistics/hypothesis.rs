//! Tests of paired differences, all two-sided, and the correction for making several of them.

use super::distributions::{normal_cdf, student_quantile, student_tails};
use super::ranks::midranks;
use super::samples::mean;
use super::special::incomplete_beta;

/// What a test finds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Test {
    /// The statistic: `t`, the number of positive differences, or the sum of their ranks.
    pub statistic: f64,
    /// Probability of a statistic at least as far from what is expected, were there no difference.
    pub p: f64,
    /// Number of differences that count.
    pub n: usize,
}

/// Mean, standard deviation (with `n - 1`); `None` below two samples.
pub fn moments(samples: &[f64]) -> Option<(f64, f64)> {
    let (n, centre) = (samples.len(), mean(samples)?);
    let squares: f64 = samples.iter().map(|x| (x - centre).powi(2)).sum();
    (n > 1).then(|| (centre, (squares / (n - 1) as f64).sqrt()))
}

/// Student's paired test: `t = mean sqrt(n) / deviation`; `None` below two differences, or where all are zero.
pub fn paired_t(differences: &[f64]) -> Option<Test> {
    let (centre, deviation) = moments(differences)?;
    let n = differences.len();
    if deviation == 0.0 && centre == 0.0 {
        return None;
    }
    let statistic = centre * (n as f64).sqrt() / deviation;
    Some(Test { statistic, p: student_tails(statistic, (n - 1) as f64), n })
}

/// Student's interval of the mean at a level such as 0.95; `None` below two samples.
pub fn student_interval(samples: &[f64], level: f64) -> Option<(f64, f64)> {
    let (centre, deviation) = moments(samples)?;
    let n = samples.len() as f64;
    let half = student_quantile(0.5 * (1.0 + level), n - 1.0) * deviation / n.sqrt();
    Some((centre - half, centre + half))
}

/// The exact sign test: how often of the times that differ the difference is positive, against a fair coin. Zeros do not
/// count; without anything that does, nothing speaks against equality.
pub fn sign_test(differences: &[f64]) -> Test {
    let positive = differences.iter().filter(|d| **d > 0.0).count();
    let n = positive + differences.iter().filter(|d| **d < 0.0).count();
    let fewer = positive.min(n - positive);
    // P(X <= k) of n fair coins is the incomplete beta function at one half.
    let tail = if fewer == n { 1.0 } else { incomplete_beta(0.5, 0.5, (n - fewer) as f64, (fewer + 1) as f64).0 };
    Test { statistic: positive as f64, p: (2.0 * tail).min(1.0), n }
}

/// Most differences for which [`wilcoxon`] counts all sign patterns.
pub const EXACT: usize = 25;

/// Wilcoxon's signed-rank test with the zeros of Pratt (1959): zeros are ranked with the rest and then left out; equal sizes
/// share their mean rank. The statistic is the sum of the ranks of positive differences.
///
/// Up to [`EXACT`] differences that are not zero the distribution over all sign patterns, given the ranks, is counted exactly;
/// beyond, the normal one with the same mean `sum r / 2` and variance `sum r^2 / 4`, without a continuity correction.
pub fn wilcoxon(differences: &[f64]) -> Test {
    let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
    let signed: Vec<(f64, f64)> =
        midranks(&sizes).into_iter().zip(differences).filter(|(_, d)| **d != 0.0).map(|(r, d)| (r, *d)).collect();
    let statistic: f64 = signed.iter().filter(|(_, d)| *d > 0.0).map(|(r, _)| r).sum();
    let n = signed.len();
    let all: f64 = signed.iter().map(|(r, _)| r).sum();
    if n == 0 {
        return Test { statistic, p: 1.0, n };
    }
    let p = if n <= EXACT {
        // Mean ranks are multiples of one half: twice a rank is whole.
        let twice: Vec<usize> = signed.iter().map(|(r, _)| (2.0 * r).round() as usize).collect();
        let mut ways = vec![0.0; twice.iter().sum::<usize>() + 1];
        ways[0] = 1.0;
        for (done, rank) in twice.iter().enumerate() {
            let most: usize = twice[..done].iter().sum();
            for sum in (0..=most).rev() {
                ways[sum + rank] += ways[sum];
            }
        }
        let smaller = (2.0 * statistic.min(all - statistic)).round() as usize;
        2.0 * ways[..=smaller].iter().sum::<f64>() / 2f64.powi(n as i32)
    } else {
        let deviation = 0.5 * signed.iter().map(|(r, _)| r * r).sum::<f64>().sqrt();
        2.0 * normal_cdf(-((statistic - 0.5 * all) / deviation).abs())
    };
    Test { statistic, p: p.min(1.0), n }
}

/// Probabilities adjusted by Holm's step-down method (1979), in the order given: what is at most the level is rejected, and the
/// chance of one false rejection among all is at most the level, however they depend on each other. `None` stays `None` and
/// does not count.
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(k, p)| p.map(|p| (k, p))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (mut adjusted, mut most, count) = (vec![None; p.len()], 0.0_f64, order.len());
    for (done, (k, p)) in order.into_iter().enumerate() {
        most = most.max(((count - done) as f64 * p).min(1.0));
        adjusted[k] = Some(most);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Darwin's maize: heights of crossed minus self-fertilised plants of 15 pots, in eighths of an inch (Fisher, 1935).
    const MAIZE: [f64; 15] = [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];
    const DAYS: [f64; 8] = [1.2, 0.4, -0.3, 0.9, 0.7, 1.1, 0.2, -0.1];

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-9, "{found} instead of {wanted}");
    }

    #[test]
    fn students_test_and_interval() {
        // Fisher: t = 2.148, 14 degrees, 4.97 %.
        let maize = paired_t(&MAIZE).unwrap();
        near(maize.statistic, 2.1479874613311205);
        near(maize.p, 0.049702944021800866);
        let (low, high) = student_interval(&DAYS, 0.95).unwrap();
        near(low, 0.04930797775670709);
        near(high, 0.975692022243293);
        near(paired_t(&DAYS).unwrap().p, 0.03459259804833284);
        assert_eq!((paired_t(&[1.0]), paired_t(&[0.0; 5]), student_interval(&[1.0], 0.95)), (None, None, None));
        assert_eq!(paired_t(&[2.0; 5]).map(|t| t.p), Some(0.0), "always the same difference");
    }

    #[test]
    fn signs() {
        // 13 of 15: 2 (1 + 15 + 105) / 2^15
        near(sign_test(&MAIZE).p, 242.0 / 32768.0);
        let few = sign_test(&[1.0, 0.0, 2.0, 3.0, 0.0]);
        assert_eq!((few.statistic, few.n), (3.0, 3));
        near(few.p, 0.25);
        assert_eq!((sign_test(&[0.0, 0.0]).p, sign_test(&[1.0, -1.0]).p), (1.0, 1.0));
    }

    #[test]
    fn signed_ranks_counted_exactly() {
        let maize = wilcoxon(&MAIZE);
        assert_eq!((maize.statistic, maize.n), (96.0, 15));
        near(maize.p, 0.041259765625);
        near(wilcoxon(&DAYS).p, 0.0546875);
        // Ties and zeros: all 2^10 sign patterns enumerated in Python.
        let tied = wilcoxon(&[1.0, 1.0, 0.0, -1.0, 2.0, 2.0, -3.0, 0.0, 4.0, 5.0, 0.5, -2.0]);
        assert_eq!((tied.statistic, tied.n), (52.0, 10));
        near(tied.p, 0.27734375);
        // Least p of n: 2 / 2^n. Wilcoxon's table (1945): of 8, rank sum 3 or less is below 5 % and 4 is not.
        near(wilcoxon(&[1.0, 2.0, 3.0, 4.0, 5.0]).p, 2.0 / 32.0);
        let with = |losers: &[f64]| {
            let sizes = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
            wilcoxon(&sizes.map(|x| if losers.contains(&x) { -x } else { x })).p
        };
        assert!(with(&[3.0]) < 0.05 && with(&[1.0, 2.0]) < 0.05 && with(&[4.0]) > 0.05 && with(&[1.0, 3.0]) > 0.05);
        assert_eq!(wilcoxon(&[0.0; 4]), Test { statistic: 0.0, p: 1.0, n: 0 });
    }

    #[test]
    fn signed_ranks_of_many() {
        // SciPy 1.17: wilcoxon(zero_method="pratt", method="approx", correction=False).
        let many: Vec<f64> = (0..40).map(|k| f64::from((k * 37) % 23 - 9)).collect();
        let found = wilcoxon(&many);
        assert_eq!(found.n, 39);
        near(found.p, 0.11707541292121071);
        near(sign_test(&many).p, 0.3367836351899315);
        // Both sides of the border, a third negative; SciPy counts 0.14848 and 0.08903 exactly.
        let p = |n: i32| wilcoxon(&(1..=n).map(|k| f64::from(if k % 3 == 0 { -k } else { k })).collect::<Vec<_>>()).p;
        near(p(25), 0.14847958087921143);
        assert!((p(26) - 0.08902901411056519).abs() < 0.005, "{}", p(26));
    }

    #[test]
    fn holms_example() {
        // Holm (1979): 0.01, 0.04, 0.03, 0.005 give 0.03, 0.06, 0.06, 0.02. The rest by statsmodels.
        let adjusted = |p: &[f64]| holm(&p.iter().map(|p| Some(*p)).collect::<Vec<_>>());
        for (p, wanted) in [
            (vec![0.01, 0.04, 0.03, 0.005], vec![0.03, 0.06, 0.06, 0.02]),
            (vec![0.01, 0.04, 0.03, 0.005, 0.5, 0.04], vec![0.05, 0.12, 0.12, 0.03, 0.5, 0.12]),
            (vec![0.7, 0.6], vec![1.0, 1.0]),
        ] {
            for (found, wanted) in adjusted(&p).into_iter().zip(wanted) {
                near(found.unwrap(), wanted);
            }
        }
        assert_eq!(holm(&[None, Some(0.04)]), [None, Some(0.04)]);
    }
}
