//! Anderson acceleration of a fixed-point iteration `c -> c + d(c)`, in weighted coordinates.

use nalgebra::{DMatrix, DVector};

/// Pairs kept.
const MEMORY: usize = 5;
/// Regularisation relative to the trace.
const REGULARISATION: f64 = 1e-10;

/// An iterate and its step.
type Pair = (DVector<f64>, DVector<f64>);

/// The last iterates and their steps, both already multiplied by the root of the weights.
#[derive(Debug, Default)]
pub(super) struct Anderson {
    pairs: Vec<Pair>,
}

impl Anderson {
    /// Next iterate in weighted coordinates, from this one and its step.
    pub fn next(&mut self, point: DVector<f64>, step: DVector<f64>) -> DVector<f64> {
        let plain = &point + &step;
        self.pairs.push((point, step));
        if self.pairs.len() > MEMORY + 1 {
            self.pairs.remove(0);
        }
        let k = self.pairs.len() - 1;
        if k == 0 {
            return plain;
        }
        let size = plain.len();
        let difference = |pick: fn(&Pair) -> &DVector<f64>| {
            DMatrix::from_fn(size, k, |row, column| pick(&self.pairs[column + 1])[row] - pick(&self.pairs[column])[row])
        };
        let (points, steps) = (difference(|p| &p.0), difference(|p| &p.1));
        let mut normal = steps.transpose() * &steps;
        let ridge = REGULARISATION * normal.trace();
        for i in 0..k {
            normal[(i, i)] += ridge.max(f64::MIN_POSITIVE);
        }
        let rhs = steps.transpose() * &self.pairs[k].1;
        match normal.cholesky() {
            Some(factor) => plain - (points + steps) * factor.solve(&rhs),
            None => plain,
        }
    }

    /// Forgets all but the newest pair.
    pub fn restart(&mut self) {
        let newest = self.pairs.pop();
        self.pairs.clear();
        self.pairs.extend(newest);
    }

    /// Least norm of the stored steps.
    pub fn least_step(&self) -> f64 {
        self.pairs.iter().map(|p| p.1.norm()).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::Anderson;
    use nalgebra::{DMatrix, DVector};

    #[test]
    fn a_linear_iteration_ends_after_as_many_steps_as_it_has_dimensions() {
        let map = DMatrix::from_row_slice(3, 3, &[0.9, 0.1, 0.0, 0.0, 0.8, 0.1, 0.05, 0.0, 0.7]);
        let shift = DVector::from_vec(vec![1.0, 2.0, 3.0]);
        let exact = (DMatrix::identity(3, 3) - &map).lu().solve(&shift).expect("a contraction");
        let mut point = DVector::zeros(3);
        let mut anderson = Anderson::default();
        for _ in 0..6 {
            let step = &map * &point + &shift - &point;
            point = anderson.next(point, step);
        }
        assert!((point - exact).norm() < 1e-6);
    }
}
