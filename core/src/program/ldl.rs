//! Sparse `K = L D L'` of symmetric matrices that share one pattern.
//!
//! The pattern is ordered (approximate minimum degree) and analysed once: where every entry of `K` starts in `L`, and where
//! every column of `L` lands in the columns that it changes. Then every matrix of it is one pass over stored lists, without
//! search and without allocation. Pivots are taken in the fixed order, which is safe for positive definite and for
//! quasidefinite matrices, whose pivots have known signs. Knows no program.

const NONE: u32 = u32::MAX;
/// Rounds of refinement at most.
const REFINEMENTS: usize = 3;

/// The order, the pattern of `K` and the pattern of `L`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// Original index at each position.
    order: Vec<u32>,
    sign: Vec<f64>,
    /// Upper triangle of the permuted matrix by columns, rows ascending, the diagonal last.
    column_start: Vec<u32>,
    column_row: Vec<u32>,
    /// Position in `L` of every stored entry of `K` but the diagonal ones.
    landing: Vec<u32>,
    /// Strictly lower `L` by columns, rows ascending.
    lower_start: Vec<u32>,
    lower_row: Vec<u32>,
    /// Entry `b` of column `k` changes the column of its row, at the rows that follow it in column `k`. Where those are
    /// neighbours: the first of them, counted from the end of column `k`. Else [`NONE`], and they are the next in `apart`.
    target: Vec<u32>,
    apart: Vec<u32>,
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
    /// Inverse pivots; while factoring, what is left of the diagonal.
    inverse_pivot: Vec<f64>,
    /// A column before it is divided by its pivot.
    column: Vec<f64>,
    solution: Vec<f64>,
    residual: Vec<f64>,
}

impl Pattern {
    /// Analyses the pattern with the given entries (either triangle, repetitions allowed; every diagonal entry is part of
    /// it) and signs of the pivots. Returns the slot of each entry, and of each diagonal entry.
    pub fn new(signs: &[f64], entries: &[(usize, usize)]) -> (Self, Vec<u32>, Vec<u32>) {
        let n = signs.len();
        let (start, index) = neighbours(n, entries);
        // Any order is correct; AMD only refuses malformed input, which this is not.
        let order = amd::order(n, &start, &index, &amd::Control::default())
            .map_or_else(|_| (0..n).collect::<Vec<usize>>(), |(order, _, _)| order);
        let order = independent_neighbours(&order, &start, &index);
        let mut position = vec![0_u32; n];
        for (k, &i) in order.iter().enumerate() {
            position[i] = k as u32;
        }
        // Rows are met in ascending order, and so every column fills in ascending order, its diagonal last.
        let later = |k: usize| {
            let row = k as u32;
            index[start[order[k]]..start[order[k] + 1]].iter().map(|&i| position[i]).filter(move |&c| c >= row)
        };
        let mut column_start = vec![0_u32; n + 1];
        for k in 0..n {
            later(k).for_each(|c| column_start[c as usize + 1] += 1);
        }
        running_sum(&mut column_start);
        let (mut column_row, mut next) = (vec![0_u32; column_start[n] as usize], column_start.clone());
        for k in 0..n {
            for c in later(k) {
                column_row[next[c as usize] as usize] = k as u32;
                next[c as usize] += 1;
            }
        }
        let column = |k: usize| &column_row[column_start[k] as usize..column_start[k + 1] as usize];
        let slot = |i: usize, j: usize| {
            let (row, of) = (position[i].min(position[j]), position[i].max(position[j]) as usize);
            column_start[of] + column(of).partition_point(|&r| r < row) as u32
        };
        let slots = entries.iter().map(|&(i, j)| slot(i, j)).collect();
        let diagonal = position.iter().map(|&k| column_start[k as usize + 1] - 1).collect();

        // Row k of L: everything on the elimination tree's paths from the entries of column k up to k.
        let (mut parent, mut seen) = (vec![NONE; n], vec![NONE; n]);
        let (mut row_start, mut row_column, mut lower_start) = (vec![0], vec![], vec![0_u32; n + 1]);
        for k in 0..n {
            let end = k as u32;
            seen[k] = end;
            for &entry in column(k) {
                let mut i = entry as usize;
                while seen[i] != end {
                    if parent[i] == NONE {
                        parent[i] = end;
                    }
                    row_column.push(i as u32);
                    lower_start[i + 1] += 1;
                    seen[i] = end;
                    i = parent[i] as usize;
                }
            }
            row_start.push(row_column.len());
        }
        running_sum(&mut lower_start);
        let (mut lower_row, mut next) = (vec![0; row_column.len()], lower_start.clone());
        for k in 0..n {
            for &i in &row_column[row_start[k]..row_start[k + 1]] {
                lower_row[next[i as usize] as usize] = k as u32;
                next[i as usize] += 1;
            }
        }
        let mut landing = vec![NONE; column_row.len()];
        for k in 0..n {
            for at in column_start[k] as usize..column_start[k + 1] as usize - 1 {
                landing[at] = found(&lower_start, &lower_row, column_row[at], k as u32);
            }
        }
        let (target, apart) = targets(&lower_start, &lower_row);
        let pattern = Self {
            sign: order.iter().map(|&i| signs[i]).collect(),
            order: order.iter().map(|&i| i as u32).collect(),
            column_start,
            column_row,
            landing,
            lower_start,
            lower_row,
            target,
            apart,
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

/// Adjacency lists, ascending and with the diagonal, as start and index.
fn neighbours(n: usize, entries: &[(usize, usize)]) -> (Vec<usize>, Vec<usize>) {
    let both = || entries.iter().filter(|(i, j)| i != j).flat_map(|&(i, j)| [(i, j), (j, i)]);
    let mut first = vec![1_usize; n + 1];
    first[0] = 0;
    both().for_each(|(i, _)| first[i + 1] += 1);
    for i in 0..n {
        first[i + 1] += first[i];
    }
    let (mut list, mut next) = (vec![0; first[n]], first.clone());
    for (i, j) in (0..n).map(|i| (i, i)).chain(both()) {
        list[next[i]] = j;
        next[i] += 1;
    }
    let (mut start, mut kept) = (vec![0], 0);
    for i in 0..n {
        list[first[i]..first[i + 1]].sort_unstable();
        let mut last = usize::MAX;
        for at in first[i]..first[i + 1] {
            if list[at] != last {
                last = list[at];
                list[kept] = last;
                kept += 1;
            }
        }
        start.push(kept);
    }
    list.truncate(kept);
    (start, list)
}

/// An order that fills as little as `order`, in which columns that do not depend on each other stand side by side, so that
/// a processor works on several at a time: those far from the root of the elimination tree first, and among them those of
/// one length together, because loops of one length are foreseen.
fn independent_neighbours(order: &[usize], start: &[usize], index: &[usize]) -> Vec<usize> {
    let n = order.len();
    let mut position = vec![0_u32; n];
    for (k, &i) in order.iter().enumerate() {
        position[i] = k as u32;
    }
    let (mut parent, mut seen, mut length) = (vec![NONE; n], vec![NONE; n], vec![0_u32; n]);
    for (k, &i) in order.iter().enumerate() {
        let end = k as u32;
        seen[k] = end;
        for &j in &index[start[i]..start[i + 1]] {
            let mut below = position[j] as usize;
            while below < k && seen[below] != end {
                if parent[below] == NONE {
                    parent[below] = end;
                }
                length[below] += 1;
                seen[below] = end;
                below = parent[below] as usize;
            }
        }
    }
    let mut depth = vec![0_u32; n];
    for k in (0..n).rev() {
        if parent[k] != NONE {
            depth[k] = depth[parent[k] as usize] + 1;
        }
    }
    let mut deepest_first: Vec<usize> = (0..n).collect();
    deepest_first.sort_by_key(|&k| (std::cmp::Reverse(depth[k]), length[k]));
    deepest_first.into_iter().map(|k| order[k]).collect()
}

/// Counts become starts.
fn running_sum(counts: &mut [u32]) {
    let mut sum = 0;
    for count in counts {
        sum += *count;
        *count = sum;
    }
}

/// Position of an entry of `L`.
fn found(lower_start: &[u32], lower_row: &[u32], column: u32, row: u32) -> u32 {
    let (a, b) = (lower_start[column as usize], lower_start[column as usize + 1]);
    a + lower_row[a as usize..b as usize].partition_point(|&r| r < row) as u32
}

/// Where the columns of `L` land in those they change: see [`Pattern::target`].
fn targets(lower_start: &[u32], lower_row: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let (mut target, mut apart) = (vec![NONE; lower_row.len()], vec![]);
    for range in lower_start.windows(2) {
        let (start, end) = (range[0] as usize, range[1] as usize);
        for at in start..end {
            let [column, following @ ..] = &lower_row[at..end] else { continue };
            let (Some(&first), Some(&last)) = (following.first(), following.last()) else { continue };
            let begin = found(lower_start, lower_row, *column, first) as usize;
            // All of them are rows of that column, which is ascending too.
            if lower_row[begin + following.len() - 1] == last {
                target[at] = (begin - end) as u32;
                continue;
            }
            let mut to = begin;
            for &row in following {
                while lower_row[to] != row {
                    to += 1;
                }
                apart.push((to - end) as u32);
            }
        }
    }
    (target, apart)
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
            self.subtract_product();
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

    /// `residual -= K solution`, both in the order of elimination.
    fn subtract_product(&mut self) {
        let p = self.pattern;
        let (x, out) = (&self.solution[..], &mut self.residual[..]);
        let (mut rows, mut values) = (&p.column_row[..], &self.values[..]);
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
