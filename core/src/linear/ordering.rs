//! Orders of elimination that fill little. Knows no values.

/// No position: patterns are smaller than this.
pub(super) const NONE: u32 = u32::MAX;

/// Who shares an entry with whom: ascending lists that contain the diagonal.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    start: Vec<usize>,
    index: Vec<usize>,
}

impl Graph {
    /// The graph of a symmetric pattern with these entries (either triangle, repetitions allowed).
    pub fn new(n: usize, entries: &[(usize, usize)]) -> Self {
        let both = || entries.iter().filter(|(i, j)| i != j).flat_map(|&(i, j)| [(i, j), (j, i)]);
        let mut first = vec![1_usize; n + 1];
        first[0] = 0;
        both().for_each(|(i, _)| first[i + 1] += 1);
        for i in 0..n {
            first[i + 1] += first[i];
        }
        let (mut index, mut next) = (vec![0; first[n]], first.clone());
        for (i, j) in (0..n).map(|i| (i, i)).chain(both()) {
            index[next[i]] = j;
            next[i] += 1;
        }
        let (mut start, mut kept) = (vec![0], 0);
        for i in 0..n {
            index[first[i]..first[i + 1]].sort_unstable();
            let mut last = usize::MAX;
            for at in first[i]..first[i + 1] {
                if index[at] != last {
                    last = index[at];
                    index[kept] = last;
                    kept += 1;
                }
            }
            start.push(kept);
        }
        index.truncate(kept);
        Self { start, index }
    }

    /// Number of unknowns.
    pub fn len(&self) -> usize {
        self.start.len() - 1
    }

    /// Those that share an entry with `i`, and `i` itself.
    pub fn of(&self, i: usize) -> &[usize] {
        &self.index[self.start[i]..self.start[i + 1]]
    }
}

/// Position of every index in an order.
pub(super) fn positions(order: &[usize]) -> Vec<u32> {
    let mut position = vec![0; order.len()];
    for (k, &i) in order.iter().enumerate() {
        position[i] = k as u32;
    }
    position
}

/// From so many unknowns on, few that share entries with very many others are eliminated last without being looked at:
/// where a sum over all participants couples them, looking at its degree after each of them takes quadratic time.
const LARGE: usize = 1 << 16;

/// Approximate minimum degree order.
pub(super) fn minimum_degree(graph: &Graph) -> Vec<usize> {
    let mut control = amd::Control::default();
    if graph.len() >= LARGE {
        // More than the square root of their number, instead of ten times that.
        control.dense = 1.0;
    }
    ordered(&graph.start, &graph.index, &control)
}

/// Approximate minimum degree order of a pattern by columns (start and index; every column with at least one entry), taken
/// with its transpose.
pub(super) fn approximate_minimum_degree(start: &[usize], index: &[usize]) -> Vec<usize> {
    ordered(start, index, &amd::Control::default())
}

fn ordered(start: &[usize], index: &[usize], control: &amd::Control) -> Vec<usize> {
    let n = start.len() - 1;
    // Any order is correct; AMD only refuses malformed input, which this is not.
    amd::order(n, start, index, control).map_or_else(|_| (0..n).collect(), |(order, _, _)| order)
}

/// An order that fills as little as `order`, in which columns that do not depend on each other stand side by side, so that
/// a processor works on several at a time: those far from the root of the elimination tree first, and among them those of
/// one length together, because loops of one length are foreseen.
pub(super) fn independent_neighbours(order: &[usize], graph: &Graph) -> Vec<usize> {
    let n = order.len();
    let position = positions(order);
    let (mut parent, mut seen, mut length) = (vec![NONE; n], vec![NONE; n], vec![0_u32; n]);
    for (k, &i) in order.iter().enumerate() {
        let end = k as u32;
        seen[k] = end;
        for &j in graph.of(i) {
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

#[cfg(test)]
mod tests {
    use super::{Graph, LARGE, minimum_degree};

    /// Chains of two whose ends enter two sums over all of them: the sums come last, as in a small system.
    #[test]
    fn sums_over_all_are_eliminated_last_however_many_there_are() {
        for chains in [100, LARGE / 2] {
            let n = 2 * chains + 2;
            let chain = |k: usize| [(2 * k, 2 * k + 1), (2 * k + 1, n - 2), (2 * k + 1, n - 1)];
            let entries: Vec<(usize, usize)> = (0..chains).flat_map(chain).collect();
            let order = minimum_degree(&Graph::new(n, &entries));
            let mut last = order[n - 2..].to_vec();
            last.sort_unstable();
            assert_eq!(last, [n - 2, n - 1]);
            let mut all = order;
            all.sort_unstable();
            assert!(all.iter().enumerate().all(|(k, i)| k == *i), "every unknown once");
        }
    }
}
