//! Solving the equations of proportional sharing where flows run in circles.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::linear::{SparseMatrix, fill_reducing_order};

/// Factorisation of a system `d_k w_k - sum over tails j of b_kj w_j = f_k` in which `d_k = feed_k + sum b_kj`, with
/// all `feed` and `b` non-negative (a diagonally dominant M-matrix).
///
/// Nodes are eliminated one by one, as the physics would do it: node `k` disappears, and each of its outflows draws on
/// its inflows in proportion. That is Gaussian elimination, but written for the pairs (`feed`, `b`) it never subtracts
/// (Grassmann, Taksar and Heyman 1985; Alfa, Xue and Ye 2002): every intensity stays between those of the sources
/// however large the circulating flow is against what feeds it, and no pivot vanishes while every node is fed, which
/// a general LU factorisation does not promise.
#[derive(Debug, Clone)]
pub(super) struct Elimination {
    /// Node eliminated k-th.
    order: Vec<usize>,
    pivots: Vec<Pivot>,
}

/// What is known of a node when it is eliminated. Others are named by their place in the order.
#[derive(Debug, Clone)]
struct Pivot {
    feed: f64,
    diagonal: f64,
    /// What it drew from nodes eliminated before, at their elimination.
    earlier: Vec<(usize, f64)>,
    /// What it draws from nodes eliminated later.
    later: Vec<(usize, f64)>,
}

impl Elimination {
    /// Factorises for nodes `0..feed.len()`; an entry `(head, tail, b)` says that `head` draws `b` from `tail`.
    ///
    /// Every node must be reachable from one with positive feed, and none may draw from itself.
    pub fn new(feed: &[f64], entries: &[(usize, usize, f64)]) -> Self {
        let n = feed.len();
        let by_head: Vec<_> = entries.iter().map(|&(head, tail, b)| (tail, head, b)).collect();
        let inflows = SparseMatrix::from_entries(n, &by_head);
        let order = fill_reducing_order(&inflows);
        let mut place = vec![0; n];
        for (k, &node) in order.iter().enumerate() {
            place[node] = k;
        }

        let mut pivots: Vec<Pivot> = Vec::with_capacity(n);
        let mut row = Row { drawn: vec![0.0; n], owner: vec![usize::MAX; n], ..Row::default() };
        for (k, &node) in order.iter().enumerate() {
            for entry in inflows.start[node]..inflows.start[node + 1] {
                row.add(k, place[inflows.row[entry]], inflows.value[entry]);
            }
            let mut own_feed = feed[node];
            let mut earlier = Vec::new();
            while let Some(Reverse(j)) = row.earlier.pop() {
                let share = row.drawn[j] / pivots[j].diagonal;
                own_feed += share * pivots[j].feed;
                for &(m, b) in &pivots[j].later {
                    // What comes back to its own sender is no inflow.
                    if m != k {
                        row.add(k, m, share * b);
                    }
                }
                earlier.push((j, row.drawn[j]));
            }
            row.later.sort_unstable();
            let later: Vec<(usize, f64)> = row.later.drain(..).map(|m| (m, row.drawn[m])).collect();
            let diagonal = own_feed + later.iter().map(|&(_, b)| b).sum::<f64>();
            pivots.push(Pivot { feed: own_feed, diagonal, earlier, later });
        }
        Self { order, pivots }
    }

    /// Replaces the right-hand side by the solution.
    pub fn solve(&self, x: &mut [f64]) {
        let mut permuted = self.permuted(x);
        for (k, pivot) in self.pivots.iter().enumerate() {
            let passed_on: f64 = pivot.earlier.iter().map(|&(j, b)| b * (permuted[j] / self.pivots[j].diagonal)).sum();
            permuted[k] += passed_on;
        }
        for (k, pivot) in self.pivots.iter().enumerate().rev() {
            let sum: f64 = pivot.later.iter().map(|&(m, b)| b * permuted[m]).sum();
            permuted[k] = (permuted[k] + sum) / pivot.diagonal;
        }
        self.restore(&permuted, x);
    }

    /// Replaces the right-hand side by the solution with the transposed matrix.
    pub fn solve_transposed(&self, x: &mut [f64]) {
        let mut permuted = self.permuted(x);
        for (k, pivot) in self.pivots.iter().enumerate() {
            let share = permuted[k] / pivot.diagonal;
            for &(m, b) in &pivot.later {
                permuted[m] += b * share;
            }
        }
        for (k, pivot) in self.pivots.iter().enumerate().rev() {
            permuted[k] /= pivot.diagonal;
            for &(j, b) in &pivot.earlier {
                permuted[j] += b * permuted[k];
            }
        }
        self.restore(&permuted, x);
    }

    fn permuted(&self, x: &[f64]) -> Vec<f64> {
        self.order.iter().map(|&node| x[node]).collect()
    }

    fn restore(&self, permuted: &[f64], x: &mut [f64]) {
        for (&node, &value) in self.order.iter().zip(permuted) {
            x[node] = value;
        }
    }
}

/// What the node at hand draws from others, while it is being worked out.
#[derive(Default)]
struct Row {
    drawn: Vec<f64>,
    /// For which node `drawn` was last begun.
    owner: Vec<usize>,
    earlier: BinaryHeap<Reverse<usize>>,
    later: Vec<usize>,
}

impl Row {
    fn add(&mut self, k: usize, from: usize, b: f64) {
        if self.owner[from] != k {
            self.owner[from] = k;
            self.drawn[from] = 0.0;
            if from < k {
                self.earlier.push(Reverse(from));
            } else {
                self.later.push(from);
            }
        }
        self.drawn[from] += b;
    }
}

#[cfg(test)]
mod tests {
    use super::Elimination;
    use nalgebra::{DMatrix, DVector};

    fn ring_with_chords(n: usize) -> (Vec<f64>, Vec<(usize, usize, f64)>) {
        let mut feed = vec![0.0; n];
        feed[0] = 2.0;
        feed[n / 2] = 0.5;
        let entries = (0..n)
            .flat_map(|k| [((k + 1) % n, k, 1.0 + k as f64), ((k + 5) % n, k, 0.25), ((k + 1) % n, k, 0.5)])
            .collect();
        (feed, entries)
    }

    #[test]
    fn solves_as_a_dense_factorisation_does() {
        for n in [7, 13, 90] {
            let (feed, entries) = ring_with_chords(n);
            let mut a = DMatrix::<f64>::from_diagonal(&DVector::from_vec(feed.clone()));
            for &(head, tail, b) in &entries {
                a[(head, head)] += b;
                a[(head, tail)] -= b;
            }
            let rhs: Vec<f64> = (0..n).map(|k| (k as f64 - 4.0) / 3.0).collect();
            let elimination = Elimination::new(&feed, &entries);
            let dense = a.clone().lu().solve(&DVector::from_vec(rhs.clone())).expect("invariant: regular");
            let mut x = rhs.clone();
            elimination.solve(&mut x);
            for (a, b) in x.iter().zip(dense.iter()) {
                assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a} {b}");
            }
            let dense = a.transpose().lu().solve(&DVector::from_vec(rhs.clone())).expect("invariant: regular");
            let mut x = rhs;
            elimination.solve_transposed(&mut x);
            for (a, b) in x.iter().zip(dense.iter()) {
                assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a} {b}");
            }
        }
    }

    #[test]
    fn a_trickle_into_a_large_circulation_gives_its_exact_intensity() {
        // All carbon of the ring comes from one trickle of intensity 0.7; the condition number is 1e18.
        let n = 6;
        let mut feed = vec![0.0; n];
        feed[2] = 1e-9;
        let elimination = Elimination::new(&feed, &(0..n).map(|k| ((k + 1) % n, k, 1e9)).collect::<Vec<_>>());
        let mut w = vec![0.0; n];
        w[2] = 0.7e-9;
        elimination.solve(&mut w);
        for w in w {
            assert!((w - 0.7).abs() < 1e-14, "{w}");
        }
    }
}
