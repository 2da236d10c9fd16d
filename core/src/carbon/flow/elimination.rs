//! Solving the equations of proportional sharing where flows run in circles.

use std::collections::{BTreeMap, BTreeSet};

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
    pivots: Vec<Pivot>,
}

#[derive(Debug, Clone)]
struct Pivot {
    node: usize,
    diagonal: f64,
    /// What node `node` draws from nodes eliminated later.
    tails: Vec<(usize, f64)>,
    /// What nodes eliminated later draw from it.
    heads: Vec<(usize, f64)>,
}

impl Elimination {
    /// Factorises for nodes `0..feed.len()`; an entry `(head, tail, b)` says that `head` draws `b` from `tail`.
    ///
    /// Every node must be reachable from one with positive feed.
    pub fn new(feed: &[f64], entries: impl IntoIterator<Item = (usize, usize, f64)>) -> Self {
        let n = feed.len();
        let mut feed = feed.to_vec();
        let mut tails: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); n];
        let mut heads: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); n];
        for (head, tail, b) in entries {
            *tails[head].entry(tail).or_insert(0.0) += b;
            heads[tail].insert(head);
        }
        // Fewest possible new entries first (Markowitz), ties by number.
        let cost =
            |tails: &[BTreeMap<usize, f64>], heads: &[BTreeSet<usize>], k: usize| tails[k].len() * heads[k].len();
        let mut costs: Vec<usize> = (0..n).map(|k| cost(&tails, &heads, k)).collect();
        let mut queue: BTreeSet<(usize, usize)> = costs.iter().copied().zip(0..n).collect();
        let mut pivots = Vec::with_capacity(n);
        while let Some((_, k)) = queue.pop_first() {
            let own_tails = std::mem::take(&mut tails[k]);
            let own_heads: Vec<(usize, f64)> = std::mem::take(&mut heads[k])
                .into_iter()
                .map(|i| (i, tails[i].remove(&k).expect("invariant: heads mirror tails")))
                .collect();
            let diagonal = feed[k] + own_tails.values().sum::<f64>();
            for &j in own_tails.keys() {
                heads[j].remove(&k);
            }
            for &(i, b) in &own_heads {
                let share = b / diagonal;
                feed[i] += share * feed[k];
                for (&j, &inflow) in &own_tails {
                    // What comes back to its own sender is no inflow.
                    if i != j {
                        *tails[i].entry(j).or_insert(0.0) += share * inflow;
                        heads[j].insert(i);
                    }
                }
            }
            let touched: BTreeSet<usize> = own_tails.keys().copied().chain(own_heads.iter().map(|&(i, _)| i)).collect();
            for t in touched {
                queue.remove(&(costs[t], t));
                costs[t] = cost(&tails, &heads, t);
                queue.insert((costs[t], t));
            }
            pivots.push(Pivot { node: k, diagonal, tails: own_tails.into_iter().collect(), heads: own_heads });
        }
        Self { pivots }
    }

    /// Replaces the right-hand side by the solution.
    pub fn solve(&self, x: &mut [f64]) {
        self.substitute(x, |pivot| &pivot.heads, |pivot| &pivot.tails);
    }

    /// Replaces the right-hand side by the solution with the transposed matrix.
    pub fn solve_transposed(&self, x: &mut [f64]) {
        self.substitute(x, |pivot| &pivot.tails, |pivot| &pivot.heads);
    }

    fn substitute(
        &self,
        x: &mut [f64],
        later: impl Fn(&Pivot) -> &[(usize, f64)],
        earlier: impl Fn(&Pivot) -> &[(usize, f64)],
    ) {
        for pivot in &self.pivots {
            let share = x[pivot.node] / pivot.diagonal;
            for &(i, b) in later(pivot) {
                x[i] += b * share;
            }
        }
        for pivot in self.pivots.iter().rev() {
            let sum: f64 = earlier(pivot).iter().map(|&(j, b)| b * x[j]).sum();
            x[pivot.node] = (x[pivot.node] + sum) / pivot.diagonal;
        }
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
        let n = 13;
        let (feed, entries) = ring_with_chords(n);
        let mut a = DMatrix::<f64>::from_diagonal(&DVector::from_vec(feed.clone()));
        for &(head, tail, b) in &entries {
            a[(head, head)] += b;
            a[(head, tail)] -= b;
        }
        let rhs: Vec<f64> = (0..n).map(|k| (k as f64 - 4.0) / 3.0).collect();
        let elimination = Elimination::new(&feed, entries);
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

    #[test]
    fn a_trickle_into_a_large_circulation_gives_its_exact_intensity() {
        // All carbon of the ring comes from one trickle of intensity 0.7; the condition number is 1e18.
        let n = 6;
        let mut feed = vec![0.0; n];
        feed[2] = 1e-9;
        let elimination = Elimination::new(&feed, (0..n).map(|k| ((k + 1) % n, k, 1e9)));
        let mut w = vec![0.0; n];
        w[2] = 0.7e-9;
        elimination.solve(&mut w);
        for w in w {
            assert!((w - 0.7).abs() < 1e-14, "{w}");
        }
    }
}
