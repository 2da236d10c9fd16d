//! The linear system of proportional sharing, prepared once for any number of right-hand sides.

use super::{LossRule, elimination::Elimination, orient::Oriented};

/// `D w - B w = f` over the nodes that have an intensity, in an order in which carbon flows.
///
/// `Explicit`: `B` holds what is received and `D` the throughflow (rows sum to the node's own generation).
/// `LoadsPay`: `B` holds what is sent and `D` load and sendings (columns sum to the node's own load).
#[derive(Debug, Clone)]
pub(super) struct System {
    /// Whether a node has an intensity.
    pub live: Vec<bool>,
    /// Groups of nodes through which power runs without coming from a source, each sorted.
    pub circulations: Vec<Vec<usize>>,
    diagonal: Vec<f64>,
    into: Adjacency,
    out_of: Adjacency,
    order: Vec<usize>,
    rest: Option<Rest>,
}

/// The nodes on or behind a directed circle.
#[derive(Debug, Clone)]
struct Rest {
    nodes: Vec<usize>,
    /// Where a node stands in `nodes`.
    position: Vec<Option<usize>>,
    elimination: Elimination,
    rule: LossRule,
}

/// Neighbours of every node with the weight of the branch, in one array.
#[derive(Debug, Clone)]
struct Adjacency {
    start: Vec<usize>,
    entries: Vec<(usize, f64)>,
}

impl System {
    pub fn new(oriented: &Oriented, rule: LossRule) -> Self {
        let n = oriented.throughflow_kw.len();
        let threshold = oriented.threshold_kw;
        let arcs: Vec<(usize, usize)> = oriented.throughs.iter().map(|t| (t.tail, t.head)).collect();
        let fed = reach(n, arcs.iter().copied(), |node| oriented.generation_kw[node] > threshold);
        let circulations = groups(&arcs, |node| !fed[node] && oriented.throughflow_kw[node] > threshold, n);
        let live = match rule {
            LossRule::Explicit => fed,
            LossRule::LoadsPay => {
                let back = arcs.iter().map(|&(tail, head)| (head, tail));
                let pays = reach(n, back, |node| oriented.load_kw[node] > threshold);
                fed.iter().zip(pays).map(|(&fed, pays)| fed && pays).collect()
            }
        };

        let active = oriented.throughs.iter().filter(|t| live[t.tail] && live[t.head]).map(|t| match rule {
            LossRule::Explicit => (t.tail, t.head, t.received_kw),
            LossRule::LoadsPay => (t.tail, t.head, t.sent_kw),
        });
        let active: Vec<(usize, usize, f64)> = active.collect();
        let own = match rule {
            LossRule::Explicit => &oriented.generation_kw,
            LossRule::LoadsPay => &oriented.load_kw,
        };
        let mut diagonal = own.clone();
        for &(tail, head, weight) in &active {
            diagonal[match rule {
                LossRule::Explicit => head,
                LossRule::LoadsPay => tail,
            }] += weight;
        }
        let into = Adjacency::new(n, active.iter().map(|&(tail, head, weight)| (head, tail, weight)));
        let out_of = Adjacency::new(n, active.iter().copied());
        let (order, rest) = topological(&live, &into, &out_of);
        let rest = (!rest.is_empty()).then(|| Rest::new(rest, own, &into, rule));
        Self { live, circulations, diagonal, into, out_of, order, rest }
    }

    /// Replaces the carbon entering each node (kg/h) by intensities; meaningless where a node is not live.
    pub fn solve(&self, x: &mut [f64]) {
        for &node in &self.order {
            let sum: f64 = self.into.of(node).iter().map(|&(tail, weight)| weight * x[tail]).sum();
            x[node] = (x[node] + sum) / self.diagonal[node];
        }
        if let Some(rest) = &self.rest {
            let mut local: Vec<f64> = rest
                .nodes
                .iter()
                .map(|&node| {
                    let known = self.into.of(node).iter().filter(|&&(tail, _)| rest.position[tail].is_none());
                    x[node] + known.map(|&(tail, weight)| weight * x[tail]).sum::<f64>()
                })
                .collect();
            rest.solve(&mut local);
            for (&node, value) in rest.nodes.iter().zip(local) {
                x[node] = value;
            }
        }
    }

    /// The same with the transposed matrix: what a kg more at a node costs, from what the outflows cost.
    pub fn solve_transposed(&self, x: &mut [f64]) {
        if let Some(rest) = &self.rest {
            let mut local: Vec<f64> = rest.nodes.iter().map(|&node| x[node]).collect();
            rest.solve_transposed(&mut local);
            for (&node, value) in rest.nodes.iter().zip(local) {
                x[node] = value;
            }
        }
        for &node in self.order.iter().rev() {
            let sum: f64 = self.out_of.of(node).iter().map(|&(head, weight)| weight * x[head]).sum();
            x[node] = (x[node] + sum) / self.diagonal[node];
        }
    }
}

impl Rest {
    fn new(nodes: Vec<usize>, own: &[f64], into: &Adjacency, rule: LossRule) -> Self {
        let mut position = vec![None; own.len()];
        for (k, &node) in nodes.iter().enumerate() {
            position[node] = Some(k);
        }
        let mut feed: Vec<f64> = nodes.iter().map(|&node| own[node]).collect();
        let mut entries = Vec::new();
        for (row, &node) in nodes.iter().enumerate() {
            for &(tail, weight) in into.of(node) {
                match (rule, position[tail]) {
                    (LossRule::Explicit, Some(column)) => entries.push((row, column, weight)),
                    // Columns are dominant, so the transposed system is the one with feeds.
                    (LossRule::LoadsPay, Some(column)) => entries.push((column, row, weight)),
                    (LossRule::Explicit, None) => feed[row] += weight,
                    (LossRule::LoadsPay, None) => {}
                }
            }
        }
        Self { elimination: Elimination::new(&feed, &entries), nodes, position, rule }
    }

    fn solve(&self, x: &mut [f64]) {
        match self.rule {
            LossRule::Explicit => self.elimination.solve(x),
            LossRule::LoadsPay => self.elimination.solve_transposed(x),
        }
    }

    fn solve_transposed(&self, x: &mut [f64]) {
        match self.rule {
            LossRule::Explicit => self.elimination.solve_transposed(x),
            LossRule::LoadsPay => self.elimination.solve(x),
        }
    }
}

impl Adjacency {
    fn new(n: usize, arcs: impl Iterator<Item = (usize, usize, f64)> + Clone) -> Self {
        let mut start = vec![0; n + 1];
        for (node, _, _) in arcs.clone() {
            start[node + 1] += 1;
        }
        for node in 0..n {
            start[node + 1] += start[node];
        }
        let mut next = start.clone();
        let mut entries = vec![(0, 0.0); start[n]];
        for (node, other, weight) in arcs {
            entries[next[node]] = (other, weight);
            next[node] += 1;
        }
        Self { start, entries }
    }

    fn of(&self, node: usize) -> &[(usize, f64)] {
        &self.entries[self.start[node]..self.start[node + 1]]
    }
}

/// Nodes that can be reached from a seed.
fn reach(n: usize, arcs: impl Iterator<Item = (usize, usize)> + Clone, seed: impl Fn(usize) -> bool) -> Vec<bool> {
    let out_of = Adjacency::new(n, arcs.map(|(tail, head)| (tail, head, 0.0)));
    let mut reached: Vec<bool> = (0..n).map(seed).collect();
    let mut stack: Vec<usize> = (0..n).filter(|&node| reached[node]).collect();
    while let Some(node) = stack.pop() {
        for &(head, _) in out_of.of(node) {
            if !reached[head] {
                reached[head] = true;
                stack.push(head);
            }
        }
    }
    reached
}

/// Connected groups among the chosen nodes, in order of their smallest node.
fn groups(arcs: &[(usize, usize)], chosen: impl Fn(usize) -> bool, n: usize) -> Vec<Vec<usize>> {
    let inside = arcs.iter().filter(|&&(tail, head)| chosen(tail) && chosen(head));
    let both = inside.flat_map(|&(tail, head)| [(tail, head, 0.0), (head, tail, 0.0)]);
    let neighbours = Adjacency::new(n, both);
    let mut seen = vec![false; n];
    let mut found = Vec::new();
    for first in (0..n).filter(|&node| chosen(node)) {
        if seen[first] {
            continue;
        }
        seen[first] = true;
        let mut group = vec![first];
        let mut done = 0;
        while done < group.len() {
            for &(other, _) in neighbours.of(group[done]) {
                if !seen[other] {
                    seen[other] = true;
                    group.push(other);
                }
            }
            done += 1;
        }
        group.sort_unstable();
        found.push(group);
    }
    found
}

/// Live nodes in the order of the flow, then those on or behind a circle (Kahn 1962).
fn topological(live: &[bool], into: &Adjacency, out_of: &Adjacency) -> (Vec<usize>, Vec<usize>) {
    let n = live.len();
    let mut waiting: Vec<usize> = (0..n).map(|node| into.of(node).len()).collect();
    let mut order: Vec<usize> = (0..n).filter(|&node| live[node] && waiting[node] == 0).collect();
    let mut done = 0;
    while done < order.len() {
        for &(head, _) in out_of.of(order[done]) {
            waiting[head] -= 1;
            if waiting[head] == 0 {
                order.push(head);
            }
        }
        done += 1;
    }
    let rest = (0..n).filter(|&node| live[node] && waiting[node] > 0).collect();
    (order, rest)
}
