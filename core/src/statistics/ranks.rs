//! Ranks of several mechanisms over the same cases: whether they differ at all, which of them do, and who beats whom how often.

use super::distributions::{chi_square_above, f_above, studentised_range_quantile};
use std::f64::consts::SQRT_2;

/// Which values are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The least has rank 1, as of costs.
    Low,
    /// The greatest has rank 1, as of gains.
    High,
}

/// Ranks from 1 for the least; equal values share the mean of their ranks.
pub fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut begin = 0;
    while begin < order.len() {
        let equal = order[begin..].iter().take_while(|k| values[**k] == values[order[begin]]).count().max(1);
        for k in &order[begin..begin + equal] {
            ranks[*k] = begin as f64 + 0.5 * (equal + 1) as f64;
        }
        begin += equal;
    }
    ranks
}

/// Ranks of mechanisms over cases, and whether they differ.
#[derive(Clone, PartialEq, Debug)]
pub struct Ranking {
    /// Mean rank of every mechanism; 1 is best.
    pub ranks: Vec<f64>,
    /// Number of cases.
    pub cases: usize,
    /// Friedman's statistic (1937), corrected for ties.
    pub chi_square: f64,
    /// Probability of a greater one were there no difference, by the chi-square distribution with `k - 1` degrees.
    pub chi_square_p: f64,
    /// The less conservative statistic of Iman and Davenport (1980), `(n - 1) chi2 / (n (k - 1) - chi2)`.
    pub f: f64,
    /// Probability of a greater one were there no difference, by the F distribution with `k - 1` and `(k - 1)(n - 1)` degrees.
    pub f_p: f64,
}

/// Ranks mechanisms in every case: `scores[case][mechanism]`. `None` below two cases or mechanisms, where cases differ in
/// length, or where a score is not a number.
pub fn friedman(scores: &[Vec<f64>], better: Better) -> Option<Ranking> {
    let (cases, count) = (scores.len(), scores.first()?.len());
    let whole = scores.iter().all(|case| case.len() == count && case.iter().all(|s| !s.is_nan()));
    if cases < 2 || count < 2 || !whole {
        return None;
    }
    let (n, k) = (cases as f64, count as f64);
    let ranked: Vec<Vec<f64>> = scores
        .iter()
        .map(|case| match better {
            Better::Low => midranks(case),
            Better::High => midranks(&case.iter().map(|s| -s).collect::<Vec<_>>()),
        })
        .collect();
    let ranks: Vec<f64> = (0..count).map(|m| ranked.iter().map(|case| case[m]).sum::<f64>() / n).collect();
    let between: f64 = ranks.iter().map(|r| (n * (r - 0.5 * (k + 1.0))).powi(2)).sum();
    let within = ranked.iter().flatten().map(|r| r * r).sum::<f64>() - 0.25 * n * k * (k + 1.0).powi(2);
    // Everybody equal in every case: no evidence of a difference.
    let chi_square = if within > 0.0 { (k - 1.0) * between / within } else { 0.0 };
    let rest = n * (k - 1.0) - chi_square;
    let f = if rest > 1e-12 * n * k { (n - 1.0) * chi_square / rest } else { f64::INFINITY };
    Some(Ranking {
        ranks,
        cases,
        chi_square,
        chi_square_p: chi_square_above(chi_square, k - 1.0),
        f,
        f_p: f_above(f, k - 1.0, (k - 1.0) * (n - 1.0)),
    })
}

impl Ranking {
    /// The critical difference of Nemenyi (1963) at a level such as 0.05: mean ranks closer than
    /// `q sqrt(k (k + 1) / (6 n))` are not told apart, with `q` the quantile of the studentised range over the root of two.
    pub fn critical_difference(&self, level: f64) -> f64 {
        let (n, k) = (self.cases as f64, self.ranks.len() as f64);
        studentised_range_quantile(1.0 - level, self.ranks.len()) / SQRT_2 * (k * (k + 1.0) / (6.0 * n)).sqrt()
    }

    /// Groups of mechanisms whose mean ranks lie closer together than a critical difference, best first; only groups of two or
    /// more that lie in no greater one. These are the bars of a critical-difference diagram (Demšar, 2006).
    pub fn groups(&self, critical_difference: f64) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.ranks.len()).collect();
        order.sort_by(|a, b| self.ranks[*a].total_cmp(&self.ranks[*b]));
        let (mut groups, mut reached) = (vec![], 0);
        for first in 0..order.len() {
            let near = |m: &&usize| self.ranks[**m] - self.ranks[order[first]] < critical_difference;
            let end = first + order[first..].iter().take_while(near).count();
            if end > first + 1 && end > reached {
                groups.push(order[first..end].to_vec());
            }
            reached = reached.max(end);
        }
        groups
    }
}

/// How often one beats another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tally {
    /// Cases in which it is better.
    pub wins: usize,
    /// Cases in which they are as good as each other.
    pub ties: usize,
    /// Cases in which it is worse.
    pub losses: usize,
}

impl Tally {
    /// Number of cases.
    pub fn cases(self) -> usize {
        self.wins + self.ties + self.losses
    }
}

/// Counts differences, what is compared minus the other, that are within `tolerance` as ties. What is not a number is not
/// counted.
pub fn tally(differences: &[f64], better: Better, tolerance: f64) -> Tally {
    let mut tally = Tally::default();
    for difference in differences.iter().filter(|d| !d.is_nan()) {
        let good = match better {
            Better::Low => -difference,
            Better::High => *difference,
        };
        if good.abs() <= tolerance {
            tally.ties += 1;
        } else if good > 0.0 {
            tally.wins += 1;
        } else {
            tally.losses += 1;
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks of four classifiers on 14 data sets (Demšar, 2006, table 6).
    const DEMSAR: [[f64; 4]; 14] = [
        [4.0, 3.0, 2.0, 1.0],
        [1.0, 2.0, 3.0, 4.0],
        [4.0, 1.0, 2.0, 3.0],
        [4.0, 1.0, 3.0, 2.0],
        [4.0, 2.0, 3.0, 1.0],
        [1.0, 2.5, 4.0, 2.5],
        [3.0, 2.0, 4.0, 1.0],
        [2.5, 2.5, 4.0, 1.0],
        [4.0, 3.0, 2.0, 1.0],
        [2.5, 2.5, 2.5, 2.5],
        [4.0, 2.5, 1.0, 2.5],
        [3.0, 2.0, 4.0, 1.0],
        [4.0, 1.0, 2.0, 3.0],
        [3.0, 1.0, 4.0, 2.0],
    ];

    fn ranking(ranks: &[f64], cases: usize) -> Ranking {
        Ranking { ranks: ranks.to_vec(), cases, chi_square: 0.0, chi_square_p: 1.0, f: 0.0, f_p: 1.0 }
    }

    #[test]
    fn ranks_share_ties() {
        assert_eq!(midranks(&[3.0, 1.0, 3.0, 0.5, 3.0]), [4.0, 2.0, 4.0, 1.0, 4.0]);
        assert!(midranks(&[]).is_empty());
    }

    #[test]
    fn demsars_example() {
        let scores: Vec<Vec<f64>> = DEMSAR.iter().map(|case| case.to_vec()).collect();
        let found = friedman(&scores, Better::Low).unwrap();
        for (rank, wanted) in found.ranks.iter().zip([3.143, 2.000, 2.893, 1.964]) {
            assert!((rank - wanted).abs() < 5e-4);
        }
        // Corrected for ties, as by SciPy; without the correction, 1 - 78 / 840, Demšar's 9.28 and F = 3.69.
        assert!((found.chi_square - 10.228346456692925).abs() < 1e-12);
        assert!((found.chi_square_p - 0.016721580328441323).abs() < 1e-12);
        let plain = found.chi_square * (1.0 - 78.0 / 840.0);
        assert!((plain - 9.28).abs() < 5e-3 && (13.0 * plain / (14.0 * 3.0 - plain) - 3.69).abs() < 5e-3);
        assert!((found.f - 13.0 * found.chi_square / (42.0 - found.chi_square)).abs() < 1e-12);
        assert!((found.f_p - f_above(found.f, 3.0, 39.0)).abs() < 1e-15 && found.f_p < found.chi_square_p);
        // His critical difference, with q = 2.569: 1.25.
        let difference = found.critical_difference(0.05);
        assert!((difference - 1.25).abs() < 5e-3, "{difference}");
        // None of the four is told apart: 3.143 - 1.964 = 1.179.
        assert_eq!(found.groups(difference), [vec![3, 1, 2, 0]]);
    }

    #[test]
    fn critical_values_of_nemenyi() {
        // Demšar (2006), table 5: q over the root of two for k = 2, ..; cases such that sqrt(k (k + 1) / (6 n)) = 1.
        for (k, at_5, at_10) in
            [(2, 1.960, 1.645), (3, 2.343, 2.052), (4, 2.569, 2.291), (5, 2.728, 2.459), (10, 3.164, 2.920)]
        {
            let scale = (k as f64 * (k + 1) as f64 / 6.0).sqrt();
            let one = ranking(&vec![0.0; k], 1);
            assert!((one.critical_difference(0.05) / scale - at_5).abs() < 1e-3, "{k}");
            assert!((one.critical_difference(0.10) / scale - at_10).abs() < 1e-3, "{k}");
        }
    }

    #[test]
    fn groups_are_maximal() {
        let found = ranking(&[1.0, 4.0, 1.8, 2.6, 5.0], 10);
        assert_eq!(
            found.groups(1.0),
            [vec![0, 2], vec![2, 3]],
            "a chain is two bars, and what is just 1 apart differs"
        );
        assert_eq!(found.groups(1.7), [vec![0, 2, 3], vec![3, 1], vec![1, 4]]);
        assert_eq!(found.groups(9.0), [vec![0, 2, 3, 1, 4]]);
        assert!(found.groups(0.5).is_empty());
    }

    #[test]
    fn extreme_cases_of_friedman() {
        // Perfect agreement of n cases: chi2 = n (k - 1).
        let agree = friedman(&vec![vec![3.0, 2.0, 1.0]; 4], Better::High).unwrap();
        assert_eq!((agree.ranks.as_slice(), agree.f, agree.f_p), ([1.0, 2.0, 3.0].as_slice(), f64::INFINITY, 0.0));
        assert!((agree.chi_square - 8.0).abs() < 1e-12 && (agree.chi_square_p - (-4.0_f64).exp()).abs() < 1e-12);
        let equal = friedman(&vec![vec![1.0; 3]; 4], Better::Low).unwrap();
        assert_eq!((equal.chi_square, equal.chi_square_p, equal.f_p), (0.0, 1.0, 1.0));
        assert_eq!(friedman(&[vec![1.0, 2.0]], Better::Low), None);
        assert_eq!(friedman(&[vec![1.0, 2.0], vec![1.0]], Better::Low), None);
        assert_eq!(friedman(&[vec![1.0, 2.0], vec![1.0, f64::NAN]], Better::Low), None);
    }

    #[test]
    fn tallies_count_what_is_better() {
        let differences = [-1.0, 0.5, 1e-9, 2.0, f64::NAN];
        assert_eq!(tally(&differences, Better::High, 1e-6), Tally { wins: 2, ties: 1, losses: 1 });
        assert_eq!(tally(&differences, Better::Low, 0.6), Tally { wins: 1, ties: 2, losses: 1 });
        assert_eq!(tally(&differences, Better::Low, 0.0).cases(), 4);
    }
}
