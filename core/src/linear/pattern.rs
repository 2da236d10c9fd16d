//! Patterns of symmetric matrices, analysed once.
//!
//! The pattern is ordered (approximate minimum degree), and then says where every entry of `K` starts in `L`, and where every
//! column of `L` lands in the columns that it changes. Knows no values.

use super::ordering::{Graph, NONE, independent_neighbours, minimum_degree, positions};

/// The order, the pattern of `K` and the pattern of `L`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// Original index at each position, and position of each original index.
    pub(super) order: Vec<u32>,
    pub(super) position: Vec<u32>,
    pub(super) sign: Vec<f64>,
    /// Upper triangle of the permuted matrix by columns, rows ascending, the diagonal last.
    pub(super) column_start: Vec<u32>,
    pub(super) column_row: Vec<u32>,
    /// Position in `L` of every stored entry of `K` but the diagonal ones.
    pub(super) landing: Vec<u32>,
    /// Strictly lower `L` by columns, rows ascending.
    pub(super) lower_start: Vec<u32>,
    pub(super) lower_row: Vec<u32>,
    /// Entry `b` of column `k` changes the column of its row, at the rows that follow it in column `k`. Where those are
    /// neighbours: the first of them, counted from the end of column `k`. Else [`NONE`], and they are the next in `apart`.
    pub(super) target: Vec<u32>,
    pub(super) apart: Vec<u32>,
}

impl Pattern {
    /// Analyses the pattern with the given entries (either triangle, repetitions allowed; every diagonal entry is part of
    /// it) and signs of the pivots. Returns the slot of each entry, and of each diagonal entry.
    pub fn new(signs: &[f64], entries: &[(usize, usize)]) -> (Self, Vec<u32>, Vec<u32>) {
        let graph = Graph::new(signs.len(), entries);
        let order = independent_neighbours(&minimum_degree(&graph), &graph);
        let pattern = Self::in_order(signs, &graph, &order);
        let slots = entries.iter().map(|&(i, j)| pattern.slot(i, j)).collect();
        let diagonal = (0..signs.len()).map(|i| pattern.slot(i, i)).collect();
        (pattern, slots, diagonal)
    }

    /// Analyses a pattern in a given order of elimination.
    pub(super) fn in_order(signs: &[f64], graph: &Graph, order: &[usize]) -> Self {
        let n = signs.len();
        let position = positions(order);
        // Rows are met in ascending order, and so every column fills in ascending order, its diagonal last.
        let later = |k: usize| {
            let row = k as u32;
            graph.of(order[k]).iter().map(|&i| position[i]).filter(move |&c| c >= row)
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
        Self {
            sign: order.iter().map(|&i| signs[i]).collect(),
            order: order.iter().map(|&i| i as u32).collect(),
            position,
            column_start,
            column_row,
            landing,
            lower_start,
            lower_row,
            target,
            apart,
        }
    }

    /// Slot of an entry that is part of the pattern, from either triangle.
    pub(super) fn slot(&self, i: usize, j: usize) -> u32 {
        let (i, j) = (self.position[i], self.position[j]);
        let (row, column) = (i.min(j), i.max(j) as usize);
        let (first, end) = (self.column_start[column], self.column_start[column + 1]);
        first + self.column_row[first as usize..end as usize].partition_point(|&r| r < row) as u32
    }

    /// Multiplications that eliminating the first columns takes.
    pub(super) fn multiplications(&self, columns: usize) -> usize {
        let counts = self.lower_start[..=columns].windows(2).map(|r| (r[1] - r[0]) as usize);
        counts.map(|count| count * (count + 1) / 2).sum()
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
