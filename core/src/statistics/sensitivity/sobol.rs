//! Shares of the variance of a result that parameters explain (Sobol, 1993).

use super::super::luck::{Luck, Sampling};
use super::super::resample::{Blocks, Bootstrap};
use super::{Mismatch, answered};

/// Two designs `A` and `B`, and for every parameter `A` with that column from `B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saltelli {
    /// Number of parameters `k`.
    pub parameters: usize,
    /// Number of rows `n`; the design takes `n (k + 2)` runs. Rows are a Latin hypercube in `2 k` dimensions.
    pub rows: usize,
    /// Seed.
    pub seed: u64,
}

/// An index and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Index {
    /// Estimate; sampling error may take it a little below 0 or above 1.
    pub value: f64,
    /// 95 % percentile bootstrap interval over the rows.
    pub interval: Option<(f64, f64)>,
}

/// Indices of all parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Indices {
    /// Share of the variance that each explains alone, estimated as `mean of f(B) (f(AB_i) - f(A)) / V` (Saltelli and others,
    /// 2010), results centred.
    pub first: Vec<Index>,
    /// Share of the variance that each has a part in, `mean of (f(A) - f(AB_i))^2 / (2 V)` (Jansen, 1999).
    pub total: Vec<Index>,
    /// Variance of the results over `A` and `B`.
    pub variance: f64,
}

const RESAMPLES: usize = 999;

impl Saltelli {
    /// The points of the unit cube: all of `A`, all of `B`, then for every parameter all of `AB_i`.
    pub fn points(&self) -> Vec<Vec<f64>> {
        let luck = Luck { seed: self.seed, sampling: Sampling::Latin { draws: self.rows } };
        let column = |dimension| luck.uniforms(self.rows, "variance design", dimension, 0);
        let columns: Vec<Vec<f64>> = (0..2 * self.parameters).map(column).collect();
        let row = |r: usize, from_b: &dyn Fn(usize) -> bool| -> Vec<f64> {
            (0..self.parameters).map(|k| columns[if from_b(k) { k + self.parameters } else { k }][r]).collect()
        };
        let mut points: Vec<Vec<f64>> = (0..self.rows).map(|r| row(r, &|_| false)).collect();
        points.extend((0..self.rows).map(|r| row(r, &|_| true)));
        for parameter in 0..self.parameters {
            points.extend((0..self.rows).map(|r| row(r, &|k| k == parameter)));
        }
        points
    }

    /// The indices from the results at [`Saltelli::points`]; all 0 where the result does not vary.
    ///
    /// # Errors
    /// If there is not a finite result for every point.
    pub fn indices(&self, results: &[f64]) -> Result<Indices, Mismatch> {
        answered(self.rows * (self.parameters + 2), results)?;
        let n = self.rows;
        // Centred results: the estimator's variance would grow with the mean.
        let centre = results[..2 * n].iter().sum::<f64>() / (2 * n).max(1) as f64;
        let at = |block: usize, row: usize| results[block * n + row] - centre;
        let variance = |rows: &[usize]| {
            let count = 2.0 * rows.len() as f64;
            let both = || rows.iter().flat_map(|r| [at(0, *r), at(1, *r)]);
            let mean = both().sum::<f64>() / count;
            both().map(|f| (f - mean).powi(2)).sum::<f64>() / count
        };
        let first = |rows: &[usize], k: usize| {
            let sum: f64 = rows.iter().map(|r| at(1, *r) * (at(k + 2, *r) - at(0, *r))).sum();
            share(sum / rows.len() as f64, variance(rows))
        };
        let total = |rows: &[usize], k: usize| {
            let sum: f64 = rows.iter().map(|r| (at(0, *r) - at(k + 2, *r)).powi(2)).sum();
            share(0.5 * sum / rows.len() as f64, variance(rows))
        };
        let bootstrap = Bootstrap { seed: self.seed, resamples: RESAMPLES, blocks: Blocks::Single };
        let whole: Vec<usize> = (0..n).collect();
        let places: Vec<f64> = whole.iter().map(|r| *r as f64).collect();
        let index = |of: &dyn Fn(&[usize]) -> f64| Index {
            value: of(&whole),
            interval: bootstrap
                .percentile(&places, 0.95, |drawn| of(&drawn.iter().map(|place| *place as usize).collect::<Vec<_>>())),
        };
        Ok(Indices {
            first: (0..self.parameters).map(|k| index(&|rows| first(rows, k))).collect(),
            total: (0..self.parameters).map(|k| index(&|rows| total(rows, k))).collect(),
            variance: variance(&whole),
        })
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn indices(parameters: usize, rows: usize, f: impl Fn(&[f64]) -> f64) -> Indices {
        let design = Saltelli { parameters, rows, seed: 2 };
        design.indices(&design.points().iter().map(|x| f(x)).collect::<Vec<_>>()).unwrap()
    }

    fn compare(found: &Indices, first: &[f64], total: &[f64], within: f64) {
        for (k, index) in found.first.iter().enumerate() {
            assert!((index.value - first[k]).abs() < within, "first {k}: {index:?}, {}", first[k]);
        }
        for (k, index) in found.total.iter().enumerate() {
            assert!((index.value - total[k]).abs() < within, "total {k}: {index:?}, {}", total[k]);
        }
    }

    #[test]
    fn ishigami_function() {
        // Closed form with a = 7, b = 0.1 (Saltelli and others, 2008).
        let (a, b) = (7.0, 0.1);
        let variance = a * a / 8.0 + b * PI.powi(4) / 5.0 + b * b * PI.powi(8) / 18.0 + 0.5;
        let alone = 0.5 * (1.0 + b * PI.powi(4) / 5.0).powi(2);
        let shared = b * b * PI.powi(8) * (1.0 / 18.0 - 1.0 / 50.0);
        let first = [alone / variance, a * a / 8.0 / variance, 0.0];
        let total = [(alone + shared) / variance, first[1], shared / variance];
        assert!((first[0] - 0.3139).abs() < 1e-4 && (total[2] - 0.2437).abs() < 1e-4, "the published values");
        let found = indices(3, 4000, |u| {
            let x = |k: usize| -PI + 2.0 * PI * u[k];
            x(0).sin() + a * x(1).sin().powi(2) + b * x(2).powi(4) * x(0).sin()
        });
        assert!((found.variance / variance - 1.0).abs() < 0.03, "{}", found.variance);
        compare(&found, &first, &total, 0.05);
        let (low, high) = found.total[0].interval.unwrap();
        assert!(low < total[0] && total[0] < high && high - low < 0.1, "{low} {high}");
    }

    #[test]
    fn g_function_of_sobol() {
        // Parts V_i = 1 / (3 (1 + a_i)^2); variance = product of (1 + V_i) - 1; total V_i product of the others' (1 + V_j).
        let a = [0.0, 0.5, 3.0, 9.0, 99.0];
        let part = a.map(|a: f64| 1.0 / (3.0 * (1.0 + a).powi(2)));
        let all: f64 = part.iter().map(|v| 1.0 + v).product();
        let first = part.map(|v| v / (all - 1.0));
        let total = part.map(|v| v * all / (1.0 + v) / (all - 1.0));
        let found =
            indices(5, 4000, |u| u.iter().zip(a).map(|(x, a)| ((4.0 * x - 2.0).abs() + a) / (1.0 + a)).product());
        compare(&found, &first, &total, 0.05);
    }

    #[test]
    fn sums_have_no_company_and_constants_no_variance() {
        // y = 2 x0 + x1: shares 4/5 and 1/5, alone as in all.
        compare(&indices(2, 4000, |x| 100.0 + 2.0 * x[0] + x[1]), &[0.8, 0.2], &[0.8, 0.2], 0.05);
        compare(&indices(2, 50, |_| 3.0), &[0.0; 2], &[0.0; 2], 1e-12);
        let design = Saltelli { parameters: 2, rows: 3, seed: 0 };
        assert_eq!(design.points().len(), 12);
        assert_eq!(design.indices(&[1.0; 11]), Err(Mismatch::Count { points: 12, results: 11 }));
    }
}
