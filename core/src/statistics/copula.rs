//! Uniform numbers that hang together across participants and hours, through normal ones (a Gaussian copula).

use super::distributions::{normal_cdf, normal_quantile};
use super::luck::Luck;

/// A matrix that is no correlation matrix.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum NoCorrelation {
    /// Rows differ in length, or there are more or fewer of them.
    #[error("row {0} of the correlation matrix has not as many numbers as there are rows")]
    NotSquare(usize),
    /// The diagonal has to be 1.
    #[error("number {0} of the diagonal of the correlation matrix is not 1")]
    Diagonal(usize),
    /// It has to be symmetric.
    #[error("the correlations ({0}, {1}) and ({1}, {0}) differ")]
    NotSymmetric(usize, usize),
    /// No random numbers can have these correlations.
    #[error("the correlations contradict each other at row {0}: the matrix is not positive semidefinite")]
    Contradiction(usize),
    /// The correlation from hour to hour has to be within -1 and 1.
    #[error("the correlation from hour to hour has to be between -1 and 1, and is {0}")]
    Hourly(f64),
}

/// Pivots below this are zero: variables that others determine.
const DETERMINED: f64 = 1e-12;

/// Lower triangle `L` of a correlation matrix `R = L L'` (Cholesky).
#[derive(Clone, Debug, PartialEq)]
pub struct Correlation {
    rows: Vec<Vec<f64>>,
}

impl Correlation {
    /// Factorises a correlation matrix; perfect correlations are allowed.
    ///
    /// # Errors
    /// If it is not one; see [`NoCorrelation`].
    pub fn new(matrix: &[Vec<f64>]) -> Result<Self, NoCorrelation> {
        let n = matrix.len();
        for (i, row) in matrix.iter().enumerate() {
            if row.len() != n {
                return Err(NoCorrelation::NotSquare(i));
            }
            if (row[i] - 1.0).abs() > DETERMINED || row[i].is_nan() {
                return Err(NoCorrelation::Diagonal(i));
            }
            if let Some(j) = (0..i).find(|j| (row[*j] - matrix[*j][i]).abs() > DETERMINED) {
                return Err(NoCorrelation::NotSymmetric(i, j));
            }
        }
        let mut rows: Vec<Vec<f64>> = vec![];
        for i in 0..n {
            let mut row: Vec<f64> = vec![];
            for j in 0..i {
                let left = matrix[i][j] - (0..j).map(|k| row[k] * rows[j][k]).sum::<f64>();
                let pivot: f64 = rows[j][j];
                if pivot == 0.0 && left.abs() > 1e-9 {
                    return Err(NoCorrelation::Contradiction(i));
                }
                row.push(if pivot == 0.0 { 0.0 } else { left / pivot });
            }
            let pivot = 1.0 - row.iter().map(|l| l * l).sum::<f64>();
            if pivot < -DETERMINED || pivot.is_nan() {
                return Err(NoCorrelation::Contradiction(i));
            }
            row.push(if pivot <= DETERMINED { 0.0 } else { pivot.sqrt() });
            rows.push(row);
        }
        Ok(Self { rows })
    }

    /// The same correlation between any two of `n`.
    ///
    /// # Errors
    /// If it is not within `-1 / (n - 1)` and 1.
    pub fn even(n: usize, correlation: f64) -> Result<Self, NoCorrelation> {
        let entry = |i: usize, j: usize| if i == j { 1.0 } else { correlation };
        Self::new(&(0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect::<Vec<_>>())
    }

    /// Number of participants.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Uniform numbers by participant and hour, correlated across participants and from hour to hour.
///
/// The normal numbers behind them are `z_t = r z_(t-1) + sqrt(1 - r^2) e_t`, `z_0 = e_0`, each `e_t = L x_t`, with `x`
/// independent: corr(z_it, z_js) = R_ij r^|t - s|. Linear correlations of the uniform numbers are `6 asin(rho / 2) / pi`.
/// With a Latin hypercube the `x` are stratified, exactly; sums of several of them are so only nearly.
#[derive(Clone, Debug, PartialEq)]
pub struct Copula {
    luck: Luck,
    across: Correlation,
    hourly: f64,
}

impl Copula {
    /// A copula by its luck, the correlations across participants, and the correlation `hourly` from one hour to the next.
    ///
    /// # Errors
    /// If `hourly` is not within -1 and 1.
    pub fn new(luck: Luck, across: Correlation, hourly: f64) -> Result<Self, NoCorrelation> {
        if hourly.abs() <= 1.0 { Ok(Self { luck, across, hourly }) } else { Err(NoCorrelation::Hourly(hourly)) }
    }

    /// The uniform numbers of one participant in the first `periods` of a draw, strictly between 0 and 1. They depend on the
    /// seed, the draw, the purpose, the participant and the hour, not on how many further participants or hours there are.
    ///
    /// # Panics
    /// If there is no such participant.
    pub fn uniforms(&self, draw: usize, purpose: &str, participant: usize, periods: usize) -> Vec<f64> {
        let row = &self.across.rows[participant];
        let fresh = (1.0 - self.hourly * self.hourly).sqrt();
        let mut z = 0.0;
        let mut found = Vec::with_capacity(periods);
        for period in 0..periods {
            let shock: f64 = row
                .iter()
                .enumerate()
                .filter(|(_, weight)| **weight != 0.0)
                .map(|(k, weight)| weight * normal_quantile(self.luck.uniform(draw, purpose, k, period)))
                .sum();
            z = if period == 0 { shock } else { self.hourly * z + fresh * shock };
            found.push(normal_cdf(z).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::luck::Sampling;

    fn matrix(rows: &[&[f64]]) -> Vec<Vec<f64>> {
        rows.iter().map(|row| row.to_vec()).collect()
    }

    #[test]
    fn factor_of_a_known_matrix() {
        // 1; 0.6, 0.8; 0.3, (0.5 - 0.18) / 0.8 = 0.4, sqrt(1 - 0.09 - 0.16)
        let found = Correlation::new(&matrix(&[&[1.0, 0.6, 0.3], &[0.6, 1.0, 0.5], &[0.3, 0.5, 1.0]])).unwrap();
        let wanted = [vec![1.0], vec![0.6, 0.8], vec![0.3, 0.4, 0.75_f64.sqrt()]];
        for (row, expected) in found.rows.iter().zip(&wanted) {
            assert!(row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?}");
        }
        assert_eq!(Correlation::even(2, 1.0).unwrap().rows, [vec![1.0], vec![1.0, 0.0]]);
        assert_eq!((found.len(), found.is_empty()), (3, false));
    }

    #[test]
    fn what_is_no_correlation_matrix_is_named() {
        let refused = |rows: &[&[f64]]| Correlation::new(&matrix(rows)).unwrap_err();
        assert_eq!(refused(&[&[1.0, 0.0]]), NoCorrelation::NotSquare(0));
        assert_eq!(refused(&[&[0.9]]), NoCorrelation::Diagonal(0));
        assert_eq!(refused(&[&[1.0, 0.2], &[0.3, 1.0]]), NoCorrelation::NotSymmetric(1, 0));
        assert_eq!(Correlation::even(3, -0.6), Err(NoCorrelation::Contradiction(2)));
        assert!(Correlation::even(3, -0.5).is_ok(), "three may be as contrary as -1/2");
        // 1 = 2 and 1 = 3 but 2 and 3 unrelated
        let torn = refused(&[&[1.0, 1.0, 1.0], &[1.0, 1.0, 0.0], &[1.0, 0.0, 1.0]]);
        assert_eq!(torn, NoCorrelation::Contradiction(2));
        let luck = Luck { seed: 0, sampling: Sampling::Independent };
        assert_eq!(Copula::new(luck, Correlation::even(1, 0.0).unwrap(), 1.1), Err(NoCorrelation::Hourly(1.1)));
    }

    fn correlation(x: &[f64], y: &[f64]) -> f64 {
        let n = x.len() as f64;
        let (a, b) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
        let product =
            |u: &[f64], v: &[f64], p: f64, q: f64| u.iter().zip(v).map(|(u, v)| (u - p) * (v - q)).sum::<f64>();
        product(x, y, a, b) / (product(x, x, a, a) * product(y, y, b, b)).sqrt()
    }

    #[test]
    fn numbers_are_uniform_and_correlated_as_asked() {
        let n = 20_000;
        let luck = Luck { seed: 11, sampling: Sampling::Independent };
        let copula = Copula::new(luck, Correlation::even(3, 0.6).unwrap(), 0.8).unwrap();
        let draws: Vec<[Vec<f64>; 2]> =
            (0..n).map(|d| [copula.uniforms(d, "wind", 0, 3), copula.uniforms(d, "wind", 2, 3)]).collect();
        let column = |who: usize, hour: usize| -> Vec<f64> { draws.iter().map(|d| d[who][hour]).collect() };
        // Spearman's rank correlation of a Gaussian copula; standard error about 1 / sqrt(n) = 0.007.
        let rank = |rho: f64| 6.0 / std::f64::consts::PI * (0.5 * rho).asin();
        for ((who, hour), (other, at), rho) in [
            ((0, 0), (1, 0), 0.6),
            ((0, 2), (1, 2), 0.6),
            ((0, 0), (0, 1), 0.8),
            ((1, 0), (1, 2), 0.64),
            ((0, 0), (1, 1), 0.48),
        ] {
            let found = correlation(&column(who, hour), &column(other, at));
            assert!((found - rank(rho)).abs() < 0.02, "{who} {hour} {other} {at}: {found} {}", rank(rho));
        }
        for share in [0.05, 0.5, 0.95] {
            let below = column(1, 2).iter().filter(|u| **u < share).count() as f64 / n as f64;
            assert!((below - share).abs() < 4.0 * (share * (1.0 - share) / n as f64).sqrt(), "{share}: {below}");
        }
    }

    #[test]
    fn further_participants_and_hours_move_nobodys_numbers() {
        let luck = Luck { seed: 3, sampling: Sampling::Latin { draws: 10 } };
        let of = |n: usize| Copula::new(luck, Correlation::even(n, 0.3).unwrap(), 0.5).unwrap();
        assert_eq!(of(2).uniforms(4, "sun", 1, 6), of(5).uniforms(4, "sun", 1, 24)[..6]);
        // Without correlations the numbers are the luck itself.
        let free = Copula::new(luck, Correlation::even(2, 0.0).unwrap(), 0.0).unwrap();
        assert!((free.uniforms(4, "sun", 1, 3)[2] - luck.uniform(4, "sun", 1, 2)).abs() < 1e-12);
    }
}
