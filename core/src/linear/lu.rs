//! Sparse LU factors of square matrices, for the power flow and the carbon flow.
//!
//! Left-looking elimination (Gilbert and Peierls 1988) in an approximate minimum degree order, with a preference for
//! diagonal pivots. A matrix of the same pattern is factorised again in place, without search or allocation, which is
//! what Newton's method asks for. A singular matrix is an error, never a panic: flows on odd networks produce them.

use super::ordering::approximate_minimum_degree;

/// A square matrix by columns; row indices within a column in any order, without duplicates.
#[derive(Debug, Clone)]
pub(crate) struct SparseMatrix {
    /// Start of each column in `row` and `value`, and their length at the end.
    pub start: Vec<usize>,
    /// Row of each entry.
    pub row: Vec<usize>,
    /// Value of each entry.
    pub value: Vec<f64>,
}

impl SparseMatrix {
    /// Gathers entries (row, column, value); those at one place are added.
    pub(crate) fn from_entries(n: usize, entries: &[(usize, usize, f64)]) -> Self {
        let mut columns: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n];
        for &(row, column, value) in entries {
            columns[column].push((row, value));
        }
        let mut matrix = Self { start: vec![0], row: Vec::new(), value: Vec::new() };
        for column in &mut columns {
            // Stable: equal places are added in the order given.
            column.sort_by_key(|entry| entry.0);
            let first = matrix.row.len();
            for &(row, value) in column.iter() {
                if matrix.row.len() > first && matrix.row.last() == Some(&row) {
                    *matrix.value.last_mut().expect("invariant: as long as row") += value;
                } else {
                    matrix.row.push(row);
                    matrix.value.push(value);
                }
            }
            matrix.start.push(matrix.row.len());
        }
        matrix
    }

    /// Number of rows and of columns.
    pub(crate) fn order(&self) -> usize {
        self.start.len() - 1
    }

    fn column(&self, j: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.start[j]..self.start[j + 1];
        self.row[range.clone()].iter().copied().zip(self.value[range].iter().copied())
    }
}

/// The matrix has no (trustworthy) inverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the matrix is singular in column {column}")]
pub(crate) struct Singular {
    /// Where no pivot was left.
    pub column: usize,
}

/// A pivot this much smaller than the largest candidate of its column is still taken from the diagonal.
const DIAGONAL_PREFERENCE: f64 = 0.05;
/// Below this the old pivots no longer fit the new values.
const STALE_PIVOT: f64 = 1e-4;

/// Factors P·A·Q = L·U.
#[derive(Debug, Clone)]
pub(crate) struct SparseLu {
    /// Column of A that is eliminated k-th.
    column_of: Vec<usize>,
    /// Position at which a row of A is pivot.
    position_of: Vec<usize>,
    lower: Triangle,
    upper: Triangle,
    pivot: Vec<f64>,
    /// Whether P and Q together are an odd permutation.
    odd: bool,
    work: Vec<f64>,
}

/// A strict triangle by columns, rows ascending.
#[derive(Debug, Clone, Default)]
struct Triangle {
    start: Vec<usize>,
    row: Vec<usize>,
    value: Vec<f64>,
}

impl Triangle {
    fn column(&self, k: usize) -> (&[usize], &[f64]) {
        let range = self.start[k]..self.start[k + 1];
        (&self.row[range.clone()], &self.value[range])
    }
}

impl SparseLu {
    /// Orders and factorises.
    pub(crate) fn new(matrix: &SparseMatrix) -> Result<Self, Singular> {
        Self::with_order(matrix, fill_reducing_order(matrix))
    }

    /// Factorises a matrix of the same pattern, in place with the old pivots where they still serve.
    pub(crate) fn refactor(&mut self, matrix: &SparseMatrix) -> Result<(), Singular> {
        if self.refactor_in_place(matrix) {
            return Ok(());
        }
        *self = Self::with_order(matrix, self.column_of.clone())?;
        Ok(())
    }

    /// Whether the determinant is negative.
    pub(crate) fn is_determinant_negative(&self) -> bool {
        self.pivot.iter().fold(self.odd, |odd, pivot| odd != (*pivot < 0.0))
    }

    /// Replaces `b` by the solution x of A·x = b.
    pub(crate) fn solve(&mut self, b: &mut [f64]) {
        let n = self.pivot.len();
        let x = &mut self.work[..n];
        for (value, position) in b.iter().zip(&self.position_of) {
            x[*position] = *value;
        }
        for k in 0..n {
            let xk = x[k];
            if xk != 0.0 {
                let (rows, values) = self.lower.column(k);
                for (i, l) in rows.iter().zip(values) {
                    x[*i] -= l * xk;
                }
            }
        }
        for k in (0..n).rev() {
            x[k] /= self.pivot[k];
            let xk = x[k];
            if xk != 0.0 {
                let (rows, values) = self.upper.column(k);
                for (i, u) in rows.iter().zip(values) {
                    x[*i] -= u * xk;
                }
            }
        }
        for (value, column) in x.iter().zip(&self.column_of) {
            b[*column] = *value;
        }
        x.fill(0.0);
    }

    /// Replaces `b` by the solution x of Aᵀ·x = b.
    pub(crate) fn solve_transposed(&mut self, b: &mut [f64]) {
        let n = self.pivot.len();
        let x = &mut self.work[..n];
        for (value, column) in x.iter_mut().zip(&self.column_of) {
            *value = b[*column];
        }
        for k in 0..n {
            let (rows, values) = self.upper.column(k);
            let sum: f64 = rows.iter().zip(values).map(|(i, u)| u * x[*i]).sum();
            x[k] = (x[k] - sum) / self.pivot[k];
        }
        for k in (0..n).rev() {
            let (rows, values) = self.lower.column(k);
            let sum: f64 = rows.iter().zip(values).map(|(i, l)| l * x[*i]).sum();
            x[k] -= sum;
        }
        for (value, position) in b.iter_mut().zip(&self.position_of) {
            *value = x[*position];
        }
        x.fill(0.0);
    }

    /// False if a pivot has become too small; the factors are then unusable.
    fn refactor_in_place(&mut self, matrix: &SparseMatrix) -> bool {
        let x = &mut self.work;
        let mut good = true;
        for (k, &column) in self.column_of.iter().enumerate() {
            for (row, value) in matrix.column(column) {
                x[self.position_of[row]] = value;
            }
            for entry in self.upper.start[k]..self.upper.start[k + 1] {
                let j = self.upper.row[entry];
                let u = x[j];
                x[j] = 0.0;
                self.upper.value[entry] = u;
                if u != 0.0 {
                    let (rows, values) = self.lower.column(j);
                    for (i, l) in rows.iter().zip(values) {
                        x[*i] -= l * u;
                    }
                }
            }
            let pivot = x[k];
            x[k] = 0.0;
            let below = self.lower.start[k]..self.lower.start[k + 1];
            let mut largest = pivot.abs();
            for entry in below {
                let i = self.lower.row[entry];
                largest = largest.max(x[i].abs());
                self.lower.value[entry] = x[i] / pivot;
                x[i] = 0.0;
            }
            self.pivot[k] = pivot;
            // Written so that NaN fails.
            if !(pivot.abs() >= STALE_PIVOT * largest && pivot != 0.0 && pivot.is_finite()) {
                good = false;
                break;
            }
        }
        if !good {
            x.fill(0.0);
        }
        good
    }

    fn with_order(matrix: &SparseMatrix, column_of: Vec<usize>) -> Result<Self, Singular> {
        const OPEN: usize = usize::MAX;
        let n = matrix.order();
        let mut position_of = vec![OPEN; n];
        // While eliminating, rows are those of A; they are renumbered at the end.
        let mut lower = Triangle { start: vec![0], ..Triangle::default() };
        let mut upper = Triangle { start: vec![0], ..Triangle::default() };
        let mut pivots = Vec::with_capacity(n);
        let mut x = vec![0.0; n];
        let mut reach = Reach { seen: vec![OPEN; n], found: Vec::new(), stack: Vec::new() };
        for (k, &column) in column_of.iter().enumerate() {
            reach.search(k, matrix, column, &lower, &position_of);
            for (row, value) in matrix.column(column) {
                x[row] = value;
            }
            // Depth-first finish order, reversed, is topological.
            for &row in reach.found.iter().rev() {
                let j = position_of[row];
                if j != OPEN {
                    let u = x[row];
                    upper.row.push(j);
                    upper.value.push(u);
                    let (rows, values) = lower.column(j);
                    for (i, l) in rows.iter().zip(values) {
                        x[*i] -= l * u;
                    }
                }
            }
            let (mut best, mut largest) = (OPEN, 0.0);
            for &row in reach.found.iter().rev().filter(|row| position_of[**row] == OPEN) {
                if x[row].abs() > largest {
                    (best, largest) = (row, x[row].abs());
                }
            }
            if best == OPEN || !largest.is_finite() {
                return Err(Singular { column });
            }
            let diagonal = position_of[column] == OPEN && x[column].abs() >= DIAGONAL_PREFERENCE * largest;
            let pivot_row = if diagonal { column } else { best };
            let pivot = x[pivot_row];
            position_of[pivot_row] = k;
            pivots.push(pivot);
            for &row in &reach.found {
                if position_of[row] == OPEN {
                    lower.row.push(row);
                    lower.value.push(x[row] / pivot);
                }
                x[row] = 0.0;
            }
            lower.start.push(lower.row.len());
            upper.start.push(upper.row.len());
        }
        for row in &mut lower.row {
            *row = position_of[*row];
        }
        sort_columns(&mut lower);
        sort_columns(&mut upper);
        let odd = is_odd(&column_of) != is_odd(&position_of);
        Ok(Self { column_of, position_of, lower, upper, pivot: pivots, odd, work: x })
    }
}

/// Rows that become non-zero in a column, by depth-first search through the factor so far.
struct Reach {
    seen: Vec<usize>,
    found: Vec<usize>,
    stack: Vec<(usize, usize)>,
}

impl Reach {
    fn search(&mut self, k: usize, matrix: &SparseMatrix, column: usize, lower: &Triangle, position_of: &[usize]) {
        self.found.clear();
        for (root, _) in matrix.column(column) {
            if self.seen[root] == k {
                continue;
            }
            self.seen[root] = k;
            self.stack.push((root, 0));
            while let Some((row, tried)) = self.stack.pop() {
                let children = match position_of[row] {
                    usize::MAX => &[][..],
                    j => lower.column(j).0,
                };
                match children[tried..].iter().position(|child| self.seen[*child] != k) {
                    Some(skipped) => {
                        let child = children[tried + skipped];
                        self.stack.push((row, tried + skipped + 1));
                        self.seen[child] = k;
                        self.stack.push((child, 0));
                    }
                    None => self.found.push(row),
                }
            }
        }
    }
}

/// Whether a permutation takes an odd number of exchanges: a cycle of even length does.
fn is_odd(permutation: &[usize]) -> bool {
    let mut seen = vec![false; permutation.len()];
    let mut odd = false;
    for first in 0..permutation.len() {
        let mut at = first;
        let mut length = 0;
        while !std::mem::replace(&mut seen[at], true) {
            at = permutation[at];
            length += 1;
        }
        odd ^= length > 0 && length % 2 == 0;
    }
    odd
}

fn sort_columns(triangle: &mut Triangle) {
    let mut column: Vec<(usize, f64)> = Vec::new();
    for k in 0..triangle.start.len() - 1 {
        let range = triangle.start[k]..triangle.start[k + 1];
        column.clear();
        column.extend(range.clone().map(|e| (triangle.row[e], triangle.value[e])));
        column.sort_unstable_by_key(|entry| entry.0);
        for (e, (row, value)) in range.zip(&column) {
            triangle.row[e] = *row;
            triangle.value[e] = *value;
        }
    }
}

/// Order of elimination (k-th: which) that fills little, by approximate minimum degree on the pattern of A + Aᵀ.
pub(crate) fn fill_reducing_order(matrix: &SparseMatrix) -> Vec<usize> {
    let n = matrix.order();
    // The diagonal changes no order, but the routine counts on n entries or more.
    let (mut start, mut row) = (vec![0], Vec::with_capacity(matrix.row.len() + n));
    for j in 0..n {
        row.extend(matrix.column(j).map(|(i, _)| i));
        if matrix.column(j).all(|(i, _)| i != j) {
            row.push(j);
        }
        start.push(row.len());
    }
    approximate_minimum_degree(&start, &row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dense(matrix: &SparseMatrix) -> nalgebra::DMatrix<f64> {
        let n = matrix.order();
        let mut dense = nalgebra::DMatrix::zeros(n, n);
        for j in 0..n {
            for (i, value) in matrix.column(j) {
                dense[(i, j)] += value;
            }
        }
        dense
    }

    fn residual(a: &nalgebra::DMatrix<f64>, x: &[f64], b: &[f64]) -> f64 {
        (a * nalgebra::DVector::from_column_slice(x) - nalgebra::DVector::from_column_slice(b)).amax()
    }

    /// A sparse matrix with a dominant but shuffled diagonal, so that pivoting has to work.
    fn some_matrix() -> impl Strategy<Value = (SparseMatrix, Vec<f64>)> {
        (2_usize..25).prop_flat_map(|n| {
            let entries = prop::collection::vec((0..n, 0..n, -1.0..1.0), 0..4 * n);
            let rows = Just((0..n).collect::<Vec<_>>()).prop_shuffle();
            let b = prop::collection::vec(-1.0..1.0, n);
            (entries, rows, b).prop_map(move |(mut entries, rows, b)| {
                entries.extend(rows.into_iter().enumerate().map(|(j, i)| (i, j, 9.0)));
                (SparseMatrix::from_entries(n, &entries), b)
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn solutions_satisfy_the_equations((matrix, b) in some_matrix()) {
            let a = dense(&matrix);
            prop_assume!(a.clone().svd(false, false).singular_values.min() > 1e-3);
            let mut lu = SparseLu::new(&matrix).unwrap();
            prop_assert_eq!(lu.is_determinant_negative(), a.determinant() < 0.0);
            let mut x = b.clone();
            lu.solve(&mut x);
            prop_assert!(residual(&a, &x, &b) < 1e-9);
            let mut y = b.clone();
            lu.solve_transposed(&mut y);
            prop_assert!(residual(&a.transpose(), &y, &b) < 1e-9);
        }

        #[test]
        fn factors_of_new_values_are_those_of_the_new_matrix((mut matrix, b) in some_matrix(), seed in 0.1_f64..2.0) {
            let mut lu = SparseLu::new(&matrix).unwrap();
            for (k, value) in matrix.value.iter_mut().enumerate() {
                *value *= 1.0 + 0.5 * (seed * (k as f64)).sin();
            }
            let a = dense(&matrix);
            prop_assume!(a.clone().svd(false, false).singular_values.min() > 1e-3);
            lu.refactor(&matrix).unwrap();
            prop_assert_eq!(lu.is_determinant_negative(), a.determinant() < 0.0);
            let mut x = b.clone();
            lu.solve(&mut x);
            prop_assert!(residual(&a, &x, &b) < 1e-9);
        }
    }

    #[test]
    fn a_vanishing_pivot_is_replaced() {
        let mut matrix = SparseMatrix::from_entries(2, &[(0, 0, 5.0), (1, 0, 1.0), (0, 1, 1.0), (1, 1, 5.0)]);
        let mut lu = SparseLu::new(&matrix).unwrap();
        matrix.value = vec![0.0, 1.0, 1.0, 0.0];
        lu.refactor(&matrix).unwrap();
        let mut x = [3.0, 4.0];
        lu.solve(&mut x);
        assert_eq!(x, [4.0, 3.0]);
    }

    #[test]
    fn singular_matrices_are_refused() {
        let missing = SparseMatrix::from_entries(3, &[(0, 0, 1.0), (1, 1, 1.0)]);
        assert!(SparseLu::new(&missing).is_err());
        let equal = SparseMatrix::from_entries(2, &[(0, 0, 1.0), (1, 0, 1.0), (0, 1, 1.0), (1, 1, 1.0)]);
        assert!(SparseLu::new(&equal).is_err());
        let nan = SparseMatrix::from_entries(1, &[(0, 0, f64::NAN)]);
        assert!(SparseLu::new(&nan).is_err());
        let mut fine = SparseMatrix::from_entries(1, &[(0, 0, 2.0)]);
        let mut lu = SparseLu::new(&fine).unwrap();
        fine.value[0] = f64::NAN;
        assert!(lu.refactor(&fine).is_err());
    }
}
