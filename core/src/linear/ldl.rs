//! Sparse `K = L D L'` of symmetric matrices that share one pattern.
//!
//! Every matrix of an analysed [`Pattern`] is one pass over stored lists, without search and without allocation. Pivots are
//! taken in the fixed order, which is safe for positive definite and for quasidefinite matrices, whose pivots have known
//! signs. Knows no program.

use super::ordering::NONE;
use super::pattern::Pattern;

/// Rounds of refinement at most.
pub(super) const REFINEMENTS: usize = 3;

/// What happens to a pivot that is not safely of its known sign.
pub(crate) enum Pivots<'a> {
    /// It is replaced by its sign times `replacement(i)`; "safely" means above `floor_i` and above 1e-12 of the diagonal.
    Signed { floor: Option<&'a [f64]>, replacement: &'a dyn Fn(usize) -> f64 },
    /// Any nonzero sign is taken as it comes, and the negative ones are counted: the inertia of `K`.
    Free,
}

/// Values over a pattern, and their factors.
#[derive(Clone, Debug)]
pub(crate) struct Ldl<'p> {
    pattern: &'p Pattern,
    /// Upper triangle of `K`, at the slots that [`Pattern::new`] returned.
    pub values: Vec<f64>,
    lower: Vec<f64>,
    /// Inverse pivots; while factoring, what is left of the diagonal.
    inverse_pivot: Vec<f64>,
    /// A column before it is divided by its pivot.
    column: Vec<f64>,
    solution: Vec<f64>,
    residual: Vec<f64>,
}

impl<'p> Ldl<'p> {
    /// A matrix of zeros.
    pub fn new(pattern: &'p Pattern) -> Self {
        let n = pattern.dimension();
        let longest = pattern.lower_start.windows(2).map(|r| (r[1] - r[0]) as usize).max().unwrap_or(0);
        Self {
            pattern,
            values: vec![0.0; pattern.entries()],
            lower: vec![0.0; pattern.lower_row.len()],
            inverse_pivot: vec![0.0; n],
            column: vec![0.0; longest],
            solution: vec![0.0; n],
            residual: vec![0.0; n],
        }
    }

    /// Factors the current values; returns the number of negative pivots.
    pub fn factor(&mut self, pivots: &Pivots) -> usize {
        let p = self.pattern;
        self.lower.fill(0.0);
        for (k, left) in self.inverse_pivot.iter_mut().enumerate() {
            let (first, diagonal) = (p.column_start[k] as usize, p.column_start[k + 1] as usize - 1);
            for (&at, &v) in p.landing[first..diagonal].iter().zip(&self.values[first..diagonal]) {
                self.lower[at as usize] = v;
            }
            *left = self.values[diagonal];
        }
        let (mut rows, mut lower, mut target, mut apart) =
            (&p.lower_row[..], &mut self.lower[..], &p.target[..], &p.apart[..]);
        let mut negative = 0;
        for (k, range) in p.lower_start.windows(2).enumerate() {
            let mut pivot = self.inverse_pivot[k];
            match pivots {
                Pivots::Signed { floor, replacement } => {
                    let (i, own) = (p.order[k] as usize, self.values[p.column_start[k + 1] as usize - 1]);
                    let least = floor.map_or(0.0, |f| f[i]).max(1e-12 * own.abs());
                    if p.sign[k] * pivot <= least {
                        pivot = p.sign[k] * replacement(i);
                    }
                }
                // Singular to the last digit: any sign will do, the caller refines or counts.
                Pivots::Free if pivot == 0.0 => pivot = f64::EPSILON * p.sign[k],
                Pivots::Free => {}
            }
            negative += usize::from(pivot < 0.0);
            let inverse = 1.0 / pivot;
            self.inverse_pivot[k] = inverse;

            let count = (range[1] - range[0]) as usize;
            let (own, later) = std::mem::take(&mut lower).split_at_mut(count);
            let (own_rows, later_rows) = rows.split_at(count);
            let (own_target, later_target) = target.split_at(count);
            let whole = &mut self.column[..count];
            whole.copy_from_slice(own);
            for (b, (l, &row)) in own.iter_mut().zip(own_rows).enumerate() {
                let w = *l;
                *l = w * inverse;
                self.inverse_pivot[row as usize] -= *l * w;
                let following = &whole[b + 1..];
                if own_target[b] == NONE {
                    let (at, rest) = apart.split_at(following.len());
                    apart = rest;
                    for (&to, &w) in at.iter().zip(following) {
                        later[to as usize] -= *l * w;
                    }
                } else {
                    let begin = own_target[b] as usize;
                    for (to, &w) in later[begin..begin + following.len()].iter_mut().zip(following) {
                        *to -= *l * w;
                    }
                }
            }
            (rows, lower, target) = (later_rows, later, later_target);
        }
        negative
    }

    /// Solves `K out = rhs` with the factors.
    pub fn solve(&mut self, rhs: &[f64], out: &mut [f64]) {
        self.refined(rhs, out, f64::INFINITY);
    }

    /// [`solve`](Self::solve), and rounding (or a replaced pivot) refined away while the residual exceeds `tolerance`.
    pub fn refined(&mut self, rhs: &[f64], out: &mut [f64], tolerance: f64) {
        let p = self.pattern;
        for (t, &i) in self.solution.iter_mut().zip(&p.order) {
            *t = rhs[i as usize];
        }
        substitute(p, &self.lower, &self.inverse_pivot, &mut self.solution);
        for _ in 0..if tolerance < f64::INFINITY { REFINEMENTS } else { 0 } {
            for (r, &i) in self.residual.iter_mut().zip(&p.order) {
                *r = rhs[i as usize];
            }
            subtract_product(p, &self.values, &self.solution, &mut self.residual);
            let worst = self.residual.iter().fold(0.0, |most: f64, r| most.max(r.abs()));
            if worst <= tolerance || !worst.is_finite() {
                break;
            }
            substitute(p, &self.lower, &self.inverse_pivot, &mut self.residual);
            for (x, c) in self.solution.iter_mut().zip(&self.residual) {
                *x += c;
            }
        }
        for (&t, &i) in self.solution.iter().zip(&p.order) {
            out[i as usize] = t;
        }
    }

    /// `t` becomes the solution of `K x = t`, both in the order of elimination.
    pub(super) fn substitute(&self, t: &mut [f64]) {
        substitute(self.pattern, &self.lower, &self.inverse_pivot, t);
    }

    /// `out -= K x`, both in the order of elimination.
    pub(super) fn subtract_product(&self, x: &[f64], out: &mut [f64]) {
        subtract_product(self.pattern, &self.values, x, out);
    }
}

/// `out -= K x`, both in the order of elimination.
fn subtract_product(p: &Pattern, values: &[f64], x: &[f64], out: &mut [f64]) {
    let (mut rows, mut values) = (&p.column_row[..], values);
    for (k, range) in p.column_start.windows(2).enumerate() {
        let count = (range[1] - range[0]) as usize;
        let (own_rows, later_rows) = rows.split_at(count);
        let (own, later) = values.split_at(count);
        let v = x[k];
        let mut sum = own[count - 1] * v;
        for (&i, &a) in own_rows[..count - 1].iter().zip(own) {
            sum += a * x[i as usize];
            out[i as usize] -= a * v;
        }
        out[k] -= sum;
        (rows, values) = (later_rows, later);
    }
}

/// `t` becomes the solution of `L D L' x = t`.
fn substitute(p: &Pattern, lower: &[f64], inverse_pivot: &[f64], t: &mut [f64]) {
    let (mut rows, mut values) = (&p.lower_row[..], lower);
    for (k, range) in p.lower_start.windows(2).enumerate() {
        let count = (range[1] - range[0]) as usize;
        let (own_rows, later_rows) = rows.split_at(count);
        let (own, later) = values.split_at(count);
        let v = t[k];
        if v != 0.0 {
            for (&i, &l) in own_rows.iter().zip(own) {
                t[i as usize] -= l * v;
            }
        }
        (rows, values) = (later_rows, later);
    }
    let (mut rows, mut values) = (&p.lower_row[..], lower);
    for (k, range) in p.lower_start.windows(2).enumerate().rev() {
        let start = range[0] as usize;
        let (earlier_rows, own_rows) = rows.split_at(start);
        let (earlier, own) = values.split_at(start);
        let mut v = t[k] * inverse_pivot[k];
        for (&i, &l) in own_rows.iter().zip(own) {
            v -= l * t[i as usize];
        }
        t[k] = v;
        (rows, values) = (earlier_rows, earlier);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{DMatrix, DVector};
    use proptest::prelude::*;

    const STOP: Pivots = Pivots::Signed { floor: None, replacement: &|_| 1e30 };

    fn loaded<'p>(pattern: &'p Pattern, slots: &[u32], values: &[f64]) -> Ldl<'p> {
        let mut ldl = Ldl::new(pattern);
        for (&s, &v) in slots.iter().zip(values) {
            ldl.values[s as usize] += v;
        }
        ldl
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Quasidefinite `[W J'; J -D]` against a dense LU.
        #[test]
        fn quasidefinite_systems_agree_with_dense_elimination(
            n in 1_usize..12, m in 0_usize..8, seed in proptest::collection::vec(-1.0_f64..1.0, 200),
        ) {
            let mut draw = seed.iter().cycle().copied();
            let mut next = || draw.next().expect("cycles");
            let size = n + m;
            let (mut entries, mut values) = (vec![], vec![]);
            for i in 0..size {
                entries.push((i, i));
                values.push(if i < n { 0.1 + next().abs() } else { -0.1 - next().abs() });
                for j in 0..i {
                    let v = next();
                    if j < n && i >= n && v > -0.2 {
                        entries.push(if v > 0.3 { (i, j) } else { (j, i) });
                        values.push(v);
                    }
                }
            }
            let signs: Vec<f64> = (0..size).map(|i| if i < n { 1.0 } else { -1.0 }).collect();
            let (pattern, slots, diagonal) = Pattern::new(&signs, &entries);
            let mut ldl = loaded(&pattern, &slots, &values);
            let mut dense = DMatrix::zeros(size, size);
            for (&(i, j), &v) in entries.iter().zip(&values) {
                dense[(i, j)] = v;
                dense[(j, i)] = v;
            }
            for i in 0..size {
                prop_assert_eq!(ldl.values[diagonal[i] as usize], dense[(i, i)]);
            }
            let rhs: Vec<f64> = (0..size).map(|_| next()).collect();
            let mut x = vec![0.0; size];
            prop_assert_eq!(ldl.factor(&STOP), m);
            ldl.solve(&rhs, &mut x);
            let residual = |x: Vec<f64>| (&dense * DVector::from_vec(x) - DVector::from_column_slice(&rhs)).amax();
            prop_assert!(residual(x.clone()) < 1e-11, "{}", residual(x));
            // From factors of another matrix only refinement leads to the solution.
            for v in &mut ldl.values {
                *v *= 1.0 + 1e-4;
            }
            ldl.factor(&STOP);
            for v in &mut ldl.values {
                *v /= 1.0 + 1e-4;
            }
            ldl.refined(&rhs, &mut x, 1e-14);
            prop_assert!(residual(x.clone()) < 1e-11, "{}", residual(x));
        }
    }

    #[test]
    fn an_empty_row_stands_still_and_the_rest_is_solved() {
        let (pattern, slots, _) = Pattern::new(&[1.0; 3], &[(0, 0), (0, 2), (2, 2)]);
        let mut ldl = loaded(&pattern, &slots, &[2.0, 1.0, 3.0]);
        ldl.factor(&STOP);
        let mut x = [0.0; 3];
        ldl.solve(&[3.0, 1.0, 4.0], &mut x);
        assert!((x[0] - 1.0).abs() < 1e-15 && x[1] < 1e-29 && (x[2] - 1.0).abs() < 1e-15, "{x:?}");
    }

    #[test]
    fn free_pivots_count_the_inertia_of_an_indefinite_matrix() {
        // Eigenvalues of [[1, 2], [2, 1]] are 3 and -1.
        let (pattern, slots, _) = Pattern::new(&[1.0; 2], &[(0, 0), (0, 1), (1, 1)]);
        let mut ldl = loaded(&pattern, &slots, &[1.0, 2.0, 1.0]);
        assert_eq!(ldl.factor(&Pivots::Free), 1);
    }

    #[test]
    fn an_empty_matrix_is_solved() {
        let (pattern, _, _) = Pattern::new(&[], &[]);
        let mut ldl = Ldl::new(&pattern);
        assert_eq!(ldl.factor(&Pivots::Free), 0);
        ldl.solve(&[], &mut []);
    }
}
