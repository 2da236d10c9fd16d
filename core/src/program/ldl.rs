//! Sparse `K = L D L'` of symmetric matrices that share one pattern.
//!
//! The pattern is ordered (approximate minimum degree) and analysed once; then every matrix of it is one pass over stored
//! lists, without allocation. Pivots are taken in the fixed order, which is safe for positive definite and for
//! quasidefinite matrices, whose pivots have known signs. Knows no program.

const NONE: u32 = u32::MAX;

/// The order, the pattern of `K` and the pattern of `L`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// Original index at each position.
    order: Vec<u32>,
    sign: Vec<f64>,
    /// Upper triangle of the permuted matrix by columns, rows ascending, the diagonal last.
    column_start: Vec<u32>,
    column_row: Vec<u32>,
    /// Strictly lower `L` by columns.
    lower_start: Vec<u32>,
    lower_row: Vec<u32>,
    /// For every row of `L` its columns, ascending, which is a topological order.
    row_start: Vec<u32>,
    row_column: Vec<u32>,
}

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
    inverse_pivot: Vec<f64>,
    next: Vec<u32>,
    work: Vec<f64>,
    permuted: Vec<f64>,
}

impl Pattern {
    /// Analyses the pattern with the given entries (either triangle, repetitions allowed; every diagonal entry is part of
    /// it) and signs of the pivots. Returns the slot of each entry, and of each diagonal entry.
    pub fn new(signs: &[f64], entries: &[(usize, usize)]) -> (Self, Vec<u32>, Vec<u32>) {
        let n = signs.len();
        let mut neighbours: Vec<Vec<usize>> = vec![vec![]; n];
        for &(i, j) in entries {
            if i != j {
                neighbours[i].push(j);
                neighbours[j].push(i);
            }
        }
        for list in &mut neighbours {
            list.sort_unstable();
            list.dedup();
        }
        let order = minimum_degree(&neighbours);
        let mut position = vec![0; n];
        for (k, &i) in order.iter().enumerate() {
            position[i] = k;
        }
        let (mut column_start, mut column_row) = (vec![0], vec![]);
        for k in 0..n {
            let first = column_row.len();
            column_row.extend(neighbours[order[k]].iter().map(|&i| position[i] as u32).filter(|&i| (i as usize) < k));
            column_row[first..].sort_unstable();
            column_row.push(k as u32);
            column_start.push(column_row.len() as u32);
        }
        let slot = |i: usize, j: usize| {
            let (row, column) = (position[i].min(position[j]), position[i].max(position[j]));
            let (a, b) = (column_start[column] as usize, column_start[column + 1] as usize);
            (a + column_row[a..b].partition_point(|&r| (r as usize) < row)) as u32
        };
        let slots = entries.iter().map(|&(i, j)| slot(i, j)).collect();
        let diagonal = (0..n).map(|i| slot(i, i)).collect();

        // Row k of L: everything on the elimination tree's paths from the entries of column k up to k.
        let (mut parent, mut seen) = (vec![NONE; n], vec![NONE; n]);
        let (mut row_start, mut row_column, mut count) = (vec![0], vec![], vec![0; n]);
        for k in 0..n {
            let first = row_column.len();
            seen[k] = k as u32;
            for &entry in &column_row[column_start[k] as usize..column_start[k + 1] as usize] {
                let mut i = entry as usize;
                while i < k && seen[i] != k as u32 {
                    if parent[i] == NONE {
                        parent[i] = k as u32;
                    }
                    row_column.push(i as u32);
                    count[i] += 1;
                    seen[i] = k as u32;
                    i = parent[i] as usize;
                }
            }
            row_column[first..].sort_unstable();
            row_start.push(row_column.len() as u32);
        }
        let mut lower_start = vec![0; n + 1];
        for k in 0..n {
            lower_start[k + 1] = lower_start[k] + count[k];
        }
        let (mut lower_row, mut next) = (vec![0; row_column.len()], lower_start.clone());
        for k in 0..n {
            for &i in &row_column[row_start[k] as usize..row_start[k + 1] as usize] {
                lower_row[next[i as usize] as usize] = k as u32;
                next[i as usize] += 1;
            }
        }
        let pattern = Self {
            sign: order.iter().map(|&i| signs[i]).collect(),
            order: order.iter().map(|&i| i as u32).collect(),
            column_start,
            column_row,
            lower_start,
            lower_row,
            row_start,
            row_column,
        };
        (pattern, slots, diagonal)
    }

    /// Dimension of the matrix.
    pub fn dimension(&self) -> usize {
        self.order.len()
    }

    /// Stored entries of the upper triangle.
    pub fn entries(&self) -> usize {
        self.column_row.len()
    }
}

impl<'p> Ldl<'p> {
    /// A matrix of zeros.
    pub fn new(pattern: &'p Pattern) -> Self {
        let n = pattern.dimension();
        Self {
            pattern,
            values: vec![0.0; pattern.entries()],
            lower: vec![0.0; pattern.lower_row.len()],
            inverse_pivot: vec![0.0; n],
            next: vec![0; n],
            work: vec![0.0; n],
            permuted: vec![0.0; n],
        }
    }

    /// Factors the current values; returns the number of negative pivots.
    pub fn factor(&mut self, pivots: &Pivots) -> usize {
        let p = self.pattern;
        let (work, lower) = (&mut self.work, &mut self.lower);
        self.next.copy_from_slice(&p.lower_start[..p.dimension()]);
        let mut negative = 0;
        for k in 0..p.dimension() {
            let (first, diagonal) = (p.column_start[k] as usize, p.column_start[k + 1] as usize - 1);
            for (&i, &v) in p.column_row[first..diagonal].iter().zip(&self.values[first..diagonal]) {
                work[i as usize] = v;
            }
            let own = self.values[diagonal];
            let mut pivot = own;
            for &i in &p.row_column[p.row_start[k] as usize..p.row_start[k + 1] as usize] {
                let i = i as usize;
                let w = work[i];
                work[i] = 0.0;
                let (a, b) = (p.lower_start[i] as usize, self.next[i] as usize);
                if w != 0.0 {
                    for (&r, &v) in p.lower_row[a..b].iter().zip(&lower[a..b]) {
                        work[r as usize] -= v * w;
                    }
                }
                let l = w * self.inverse_pivot[i];
                pivot -= l * w;
                lower[b] = l;
                self.next[i] = b as u32 + 1;
            }
            match pivots {
                Pivots::Signed { floor, replacement } => {
                    let i = p.order[k] as usize;
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
            self.inverse_pivot[k] = 1.0 / pivot;
        }
        negative
    }

    /// `out -= K x` with the current values, factored or not.
    pub fn subtract_product(&self, x: &[f64], out: &mut [f64]) {
        let p = self.pattern;
        for k in 0..p.dimension() {
            let j = p.order[k] as usize;
            for at in p.column_start[k] as usize..p.column_start[k + 1] as usize {
                let i = p.order[p.column_row[at] as usize] as usize;
                out[i] -= self.values[at] * x[j];
                if i != j {
                    out[j] -= self.values[at] * x[i];
                }
            }
        }
    }

    /// Solves `K out = rhs` with the factors.
    pub fn solve(&mut self, rhs: &[f64], out: &mut [f64]) {
        let p = self.pattern;
        let t = &mut self.permuted;
        for (t, &i) in t.iter_mut().zip(&p.order) {
            *t = rhs[i as usize];
        }
        for k in 0..p.dimension() {
            let v = t[k];
            if v != 0.0 {
                let range = p.lower_start[k] as usize..p.lower_start[k + 1] as usize;
                for (&i, &l) in p.lower_row[range.clone()].iter().zip(&self.lower[range]) {
                    t[i as usize] -= l * v;
                }
            }
        }
        for k in (0..p.dimension()).rev() {
            let range = p.lower_start[k] as usize..p.lower_start[k + 1] as usize;
            let mut v = t[k] * self.inverse_pivot[k];
            for (&i, &l) in p.lower_row[range.clone()].iter().zip(&self.lower[range]) {
                v -= l * t[i as usize];
            }
            t[k] = v;
        }
        for (&t, &i) in t.iter().zip(&p.order) {
            out[i as usize] = t;
        }
    }
}

fn minimum_degree(neighbours: &[Vec<usize>]) -> Vec<usize> {
    let (mut start, mut index) = (vec![0], vec![]);
    for (i, list) in neighbours.iter().enumerate() {
        index.extend_from_slice(list);
        // The diagonal is of no consequence, but the routine counts on it.
        index.push(i);
        start.push(index.len());
    }
    // Any order is correct; AMD only refuses malformed input, which this is not.
    amd::order(neighbours.len(), &start, &index, &amd::Control::default())
        .map_or_else(|_| (0..neighbours.len()).collect(), |(order, _, _)| order)
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
            let mut own = rhs.clone();
            ldl.subtract_product(&x, &mut own);
            let residual = dense * DVector::from_vec(x) - DVector::from_vec(rhs);
            prop_assert!(residual.amax() < 1e-11, "{}", residual.amax());
            for (own, dense) in own.iter().zip(residual.iter()) {
                prop_assert!((own + dense).abs() < 1e-13, "{} {}", own, dense);
            }
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
