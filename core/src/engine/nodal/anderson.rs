//! Anderson acceleration of a fixed-point iteration `c -> c + d(c)`, in weighted coordinates.

use nalgebra::{DMatrix, DVector};

/// Pairs kept.
const MEMORY: usize = 5;
/// Regularisation relative to the trace.
const REGULARISATION: f64 = 1e-10;

/// An iterate and its step, or its residual.
type Pair<V> = (V, V);

/// A step beyond this multiple of the least one stored says that the memory misleads.
const ASTRAY: f64 = 2.0;

/// The last iterates and their residuals: their steps times the weights under which they were found. Weights may change
/// from round to round.
#[derive(Debug, Default)]
pub(super) struct Anderson {
    pairs: Vec<Pair<Vec<f64>>>,
}

impl Anderson {
    /// Next iterate from this one and its residual, in the metric of the weights.
    pub fn next(&mut self, point: &[f64], residual: &[f64], weight: &[f64]) -> Vec<f64> {
        let root: Vec<f64> = weight.iter().map(|w| w.sqrt()).collect();
        let weighted = |(point, residual): &Pair<Vec<f64>>| {
            let size = root.len();
            let point = DVector::from_iterator(size, point.iter().zip(&root).map(|(c, r)| c * r));
            (point, DVector::from_iterator(size, residual.iter().zip(&root).map(|(f, r)| f / r)))
        };
        self.pairs.push((point.to_vec(), residual.to_vec()));
        let mut pairs: Vec<Pair<DVector<f64>>> = self.pairs.iter().map(weighted).collect();
        let k = pairs.len() - 1;
        let least = pairs[..k].iter().map(|p| p.1.norm()).fold(f64::INFINITY, f64::min);
        let forgotten = if pairs[k].1.norm() > ASTRAY * least { k.saturating_sub(1) } else { k.saturating_sub(MEMORY) };
        self.pairs.drain(..forgotten);
        pairs.drain(..forgotten);
        let next = extrapolated(&pairs);
        next.iter().zip(&root).map(|(c, r)| c / r).collect()
    }
}

/// The iterate that the last steps point to.
fn extrapolated(pairs: &[Pair<DVector<f64>>]) -> DVector<f64> {
    let k = pairs.len() - 1;
    let (point, step) = &pairs[k];
    let plain = point + step;
    if k == 0 {
        return plain;
    }
    let difference = |pick: fn(&Pair<DVector<f64>>) -> &DVector<f64>| {
        DMatrix::from_fn(plain.len(), k, |row, column| pick(&pairs[column + 1])[row] - pick(&pairs[column])[row])
    };
    let (points, steps) = (difference(|p| &p.0), difference(|p| &p.1));
    let mut normal = steps.transpose() * &steps;
    let ridge = REGULARISATION * normal.trace();
    for i in 0..k {
        normal[(i, i)] += ridge.max(f64::MIN_POSITIVE);
    }
    let rhs = steps.transpose() * step;
    match normal.cholesky() {
        Some(factor) => plain - (points + steps) * factor.solve(&rhs),
        None => plain,
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
        for round in 0..6 {
            let residual = &map * &point + &shift - &point;
            // The metric may change on the way.
            let weight = DVector::from_vec(vec![1.0, 1.0 + 0.1 * f64::from(round), 1.0]);
            point = anderson.next(point.as_slice(), residual.as_slice(), weight.as_slice()).into();
        }
        assert!((point - exact).norm() < 1e-6);
    }
}
