//! Everybody against a baseline, replication by replication.
//!
//! The unit of replication is whatever was drawn: a day, a seed. Differences are taken within it, so that what is common to
//! both cancels (common random numbers).

use super::hypothesis::{Test, holm, moments, paired_t, sign_test, student_interval, wilcoxon};
use super::ranks::{Better, Tally, tally};
use super::resample::{Blocks, Bootstrap, block_length};
use super::samples::mean;

/// How differences are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Against {
    /// Level of the intervals.
    pub level: f64,
    /// Which values are good.
    pub better: Better,
    /// Differences up to this size are ties.
    pub tolerance: f64,
    /// Seed of the resamples.
    pub seed: u64,
    /// Number of resamples.
    pub resamples: usize,
    /// Whether replications are drawn apart or follow each other.
    pub order: Order,
}

/// How replications hang together.
///
/// It matters: of 365 days whose differences follow `d_t = 0.8 d_(t-1) + e_t`, intervals at 95 % that take the days for
/// independent hold the truth in 47 % of the cases, with blocks of the automatic length in 90 %, of length 7 in 83 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Drawn independently.
    Independent,
    /// In order of time; circular blocks of this length, or of [`block_length`] of each series where there is none. Missing
    /// replications close up.
    Days(Option<usize>),
}

impl Default for Against {
    fn default() -> Self {
        let Bootstrap { seed, resamples, .. } = Bootstrap::default();
        Self { level: 0.95, better: Better::High, tolerance: 0.0, seed, resamples, order: Order::Independent }
    }
}

/// One against the baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Replications that both have.
    pub n: usize,
    /// Mean of the differences, the one minus the baseline.
    pub mean: f64,
    /// Standard deviation of the differences; `None` for a single one.
    pub deviation: Option<f64>,
    /// Student's interval of the mean; meant for independent replications.
    pub student: Option<(f64, f64)>,
    /// Percentile bootstrap interval of the mean, by blocks for days in order.
    pub percentile: Option<(f64, f64)>,
    /// BCa interval of the mean; only for independent replications.
    pub bca: Option<(f64, f64)>,
    /// Length of the blocks.
    pub block: usize,
    /// In how many replications it is better, as good, worse.
    pub tally: Tally,
    /// Student's paired test.
    pub t: Option<Test>,
    /// The exact sign test.
    pub sign: Test,
    /// The signed-rank test.
    pub wilcoxon: Test,
    /// Probability of Student's test, adjusted for all comparisons of the family (Holm).
    pub t_holm: Option<f64>,
    /// That of the sign test, adjusted.
    pub sign_holm: Option<f64>,
    /// That of the signed-rank test, adjusted.
    pub wilcoxon_holm: Option<f64>,
}

impl Difference {
    /// The interval of the mean that suits the order: BCa for independent replications, by blocks for days.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.bca.or(self.percentile)
    }
}

impl Against {
    /// Differences that were taken already, one for each replication; `None` without any.
    pub fn taken(&self, differences: &[f64]) -> Option<Difference> {
        let others: Vec<Option<f64>> = differences.iter().copied().map(Some).collect();
        self.baseline(&vec![Some(0.0); differences.len()], &[others]).pop().flatten()
    }

    /// Compares every series with the baseline at the replications that both have; `None` for one that shares none. The
    /// comparisons are one family: their probabilities are adjusted together.
    pub fn baseline(&self, baseline: &[Option<f64>], others: &[Vec<Option<f64>>]) -> Vec<Option<Difference>> {
        let pairs = |other: &Vec<Option<f64>>| -> Vec<f64> {
            other.iter().zip(baseline).filter_map(|(x, y)| Some(x.as_ref()? - y.as_ref()?)).collect()
        };
        let mut found: Vec<Option<Difference>> = others.iter().map(|other| self.difference(&pairs(other))).collect();
        let adjusted =
            |p: fn(&Difference) -> Option<f64>| holm(&found.iter().map(|d| d.as_ref().and_then(p)).collect::<Vec<_>>());
        let t = adjusted(|d| d.t.map(|t| t.p));
        let sign = adjusted(|d| Some(d.sign.p));
        let wilcoxon = adjusted(|d| Some(d.wilcoxon.p));
        for (k, difference) in found.iter_mut().enumerate() {
            if let Some(d) = difference {
                (d.t_holm, d.sign_holm, d.wilcoxon_holm) = (t[k], sign[k], wilcoxon[k]);
            }
        }
        found
    }

    fn difference(&self, differences: &[f64]) -> Option<Difference> {
        let average = |samples: &[f64]| mean(samples).unwrap_or_default();
        let centre = mean(differences)?;
        let block = match self.order {
            Order::Independent => 1,
            Order::Days(length) => {
                length.unwrap_or_else(|| block_length(differences).map_or(1, |length| length.ceil() as usize))
            }
        };
        let blocks = if self.order == Order::Independent { Blocks::Single } else { Blocks::Circular(block) };
        let bootstrap = Bootstrap { seed: self.seed, resamples: self.resamples, blocks };
        let independent = self.order == Order::Independent;
        Some(Difference {
            n: differences.len(),
            mean: centre,
            deviation: moments(differences).map(|m| m.1),
            student: student_interval(differences, self.level),
            percentile: bootstrap.percentile(differences, self.level, average),
            bca: independent.then(|| bootstrap.bca(differences, self.level, average)).flatten(),
            block,
            tally: tally(differences, self.better, self.tolerance),
            t: paired_t(differences),
            sign: sign_test(differences),
            wilcoxon: wilcoxon(differences),
            t_holm: None,
            sign_holm: None,
            wilcoxon_holm: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;
    use crate::statistics::distributions::normal_quantile;
    use rand::RngExt;

    const DAYS: [f64; 8] = [1.2, 0.4, -0.3, 0.9, 0.7, 1.1, 0.2, -0.1];

    fn given(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().map(|x| Some(*x)).collect()
    }

    #[test]
    fn days_against_a_baseline() {
        let base: Vec<f64> = (0..8).map(|k| 100.0 + 30.0 * f64::from(k)).collect();
        let other: Vec<f64> = base.iter().zip(DAYS).map(|(b, d)| b + d).collect();
        let mut gappy = given(&other);
        gappy[1] = None;
        let found = Against::default().baseline(&given(&base), &[given(&other), gappy, vec![None; 8], given(&base)]);
        let first = found[0].as_ref().unwrap();
        assert!((first.mean - 0.5125).abs() < 1e-12 && first.n == 8 && first.block == 1);
        let (low, high) = first.student.unwrap();
        assert!((low - 0.049307978).abs() < 1e-8 && (high - 0.975692022).abs() < 1e-8, "what is common cancels");
        assert_eq!(first.tally, Tally { wins: 6, ties: 0, losses: 2 });
        for (low, high) in [first.percentile.unwrap(), first.bca.unwrap()] {
            // Closer than Student's by about sqrt(7/8) 1.96 / 2.36, and around the mean.
            assert!(low > 0.08 && low < 0.25 && high > 0.8 && high < 0.93, "{low} {high}");
        }
        assert_eq!(found[1].as_ref().unwrap().n, 7, "only days that both have");
        assert_eq!(found[2], None);
        let same = found[3].as_ref().unwrap();
        assert_eq!((same.mean, same.t, same.t_holm, same.wilcoxon.p), (0.0, None, None, 1.0));
        // Two of the four have a p of Student's test: that of the first is doubled, or taken as it is.
        let p = [0, 1].map(|k| found[k].as_ref().unwrap().t.unwrap().p);
        let adjusted = [0, 1].map(|k| found[k].as_ref().unwrap().t_holm.unwrap());
        let (small, great) = if p[0] < p[1] { (0, 1) } else { (1, 0) };
        assert_eq!((adjusted[small], adjusted[great]), (2.0 * p[small], p[great].max(2.0 * p[small])));
    }

    #[test]
    fn days_in_order_are_drawn_in_blocks() {
        // Weeks of good and bad days: the mean is far less sure than it looks day by day.
        let days: Vec<f64> =
            (0..84).map(|k| if (k / 7) % 2 == 0 { 1.0 } else { -0.5 } + 0.01 * f64::from(k % 7)).collect();
        let zero = given(&[0.0; 84]);
        let width = |order| {
            let against = Against { order, resamples: 1999, ..Against::default() };
            let found = against.baseline(&zero, &[given(&days)]).remove(0).unwrap();
            let (low, high) = found.percentile.unwrap();
            (high - low, found.block, found.bca)
        };
        let (apart, _, _) = width(Order::Independent);
        let (weekly, block, bca) = width(Order::Days(Some(7)));
        assert!(block == 7 && bca.is_none());
        // Blocks of 7 at any place of weeks that alternate: the variance grows by 1 + 2 sum (1 - k/7)(1 - 2k/7) = 33/7 for
        // k = 1..6.
        let growth: f64 =
            1.0 + 2.0 * (1..7).map(|k| f64::from(k) / 7.0).map(|s| (1.0 - s) * (1.0 - 2.0 * s)).sum::<f64>();
        assert!((weekly / apart / growth.sqrt() - 1.0).abs() < 0.1, "{weekly} {apart} {growth}");
        let (_, chosen, _) = width(Order::Days(None));
        assert!(chosen > 3, "{chosen}");
    }

    /// How often intervals of a mean of 0 hold it, over series `x = r x + e` of so many days.
    fn coverage(days: usize, r: f64, order: Order) -> f64 {
        let trials = 150;
        let holds = |trial: usize| {
            let (mut luck, mut x) = (stream(4, "trial", days, trial), 0.0);
            let series = (0..days + 50).map(|_| {
                x = r * x + normal_quantile(luck.random_range(1e-9..1.0));
                Some(x)
            });
            let series: Vec<Option<f64>> = series.skip(50).collect();
            let against = Against { order, resamples: 399, seed: trial as u64, ..Against::default() };
            let found = against.baseline(&given(&vec![0.0; days]), &[series]).remove(0).unwrap();
            found.percentile.is_some_and(|(low, high)| low <= 0.0 && 0.0 <= high)
        };
        (0..trials).filter(|trial| holds(*trial)).count() as f64 / f64::from(trials as u16)
    }

    #[test]
    fn intervals_hold_the_truth_about_as_often_as_they_say() {
        // Standard error of a share of 150: 0.018 at 95 %, 0.04 at one half.
        assert!(coverage(60, 0.0, Order::Independent) > 0.89);
        assert!(coverage(60, 0.0, Order::Days(None)) > 0.87, "looking for blocks where none are needed costs little");
        // Truth: the standard error of the mean is sqrt((1 + r) / (1 - r)) = 2.4 times what independent days would have, so
        // that an interval of 1.96 / 2.4 = 0.82 of them covers 59 %.
        let (apart, together) = (coverage(120, 0.7, Order::Independent), coverage(120, 0.7, Order::Days(None)));
        assert!((apart - 0.59).abs() < 0.13 && together > 0.78, "{apart} {together}");
    }
}
