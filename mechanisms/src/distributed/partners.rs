//! With whom a member trades, where it does not trade with everybody.
//!
//! Members stand in the order of a walk through the feeder, branch by branch from the root, and by position at one bus. A few
//! neighbours alone would make a long thin chain, along which prices meet slowly; each member therefore also knows those 1, 2,
//! 4, .. places further on the walk. Any two of `n` members are then at most some `log2 n` pairs apart, and because what is
//! bought can be sold on, the least cost is that of everybody trading with everybody.

use super::graph::Graph;
use coase_core::Market;
use coase_core::network::{Network, NodeId, Topology};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// With whom a member trades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Partners {
    /// With everybody.
    #[default]
    All,
    /// With so many that are nearest along the resistances of a radial network (without one, in the order of the file), and with
    /// those 1, 2, 4, 8, .. places further on a walk through the feeder. The least cost is the same; messages are fewer.
    Nearest(#[schemars(range(min = 1))] usize),
}

impl Partners {
    /// The pairs of a market.
    pub(super) fn graph(self, market: &Market) -> Graph {
        let (n, slots) = (market.len(), market.setting().slots.len());
        let Partners::Nearest(near) = self else { return Graph::all(n, slots) };
        let feeder = market.setting().feeder.as_ref().map(|feeder| &*feeder.network);
        let nodes: Option<Vec<NodeId>> = market.setting().members.iter().map(|member| member.node).collect();
        let on_tree =
            feeder.zip(nodes).map(|(network, nodes)| (Tree::of(network), nodes)).filter(|(tree, _)| tree.radial);
        let (walk, nearest) = match &on_tree {
            Some((tree, nodes)) => {
                let walk = tree.walk(nodes);
                let at = tree.members_at(&walk, nodes);
                (walk, nodes.iter().enumerate().map(|(i, node)| tree.nearest(*node, i, near, &at)).collect())
            }
            None => ((0..n).collect(), in_a_row(n, near)),
        };
        joined(&walk, nearest, slots)
    }
}

/// The nearest of members in a row.
fn in_a_row(members: usize, near: usize) -> Vec<Vec<usize>> {
    let of = |i: usize| {
        let mut others: Vec<usize> = (i.saturating_sub(near)..members.min(i + near + 1)).filter(|j| *j != i).collect();
        others.sort_by_key(|j| (j.abs_diff(i), *j));
        others.truncate(near);
        others
    };
    (0..members).map(of).collect()
}

/// Pairs both ways, with those of the walk.
fn joined(walk: &[usize], nearest: Vec<Vec<usize>>, slots: usize) -> Graph {
    let mut partners = nearest;
    let pairs: Vec<(usize, usize)> =
        partners.iter().enumerate().flat_map(|(i, of)| of.iter().map(move |j| (*j, i))).collect();
    let steps = (0..usize::BITS).map(|k| 1_usize << k).take_while(|step| *step < walk.len());
    let along = steps.flat_map(|step| walk.iter().zip(&walk[step..]).map(|(i, j)| (*i, *j)));
    for (i, j) in along.flat_map(|(i, j)| [(i, j), (j, i)]).chain(pairs).collect::<Vec<_>>() {
        partners[i].push(j);
    }
    for of in &mut partners {
        of.sort_unstable();
        of.dedup();
    }
    Graph::of(partners, slots)
}

/// A radial network as distances go along it.
struct Tree {
    radial: bool,
    /// Neighbours of a node and the resistance between, parent first.
    beside: Vec<Vec<(NodeId, f64)>>,
    roots: Vec<NodeId>,
}

impl Tree {
    fn of(network: &Network) -> Self {
        let topology = Topology::new(network);
        let mut beside = vec![vec![]; network.buses.len()];
        let mut roots = vec![];
        for node in topology.order() {
            match topology.parent(*node) {
                None => roots.push(*node),
                Some(up) => {
                    let r_pu = network.branches[up.branch].r_pu;
                    beside[node.0].push((up.node, r_pu));
                    beside[up.node.0].push((*node, r_pu));
                }
            }
        }
        roots.extend(topology.isolated());
        Self { radial: topology.is_radial(), beside, roots }
    }

    /// Members in the order in which a walk meets their nodes, branch by branch.
    fn walk(&self, nodes: &[NodeId]) -> Vec<usize> {
        let (mut place, mut met) = (vec![usize::MAX; self.beside.len()], 0);
        let mut to_visit: Vec<NodeId> = self.roots.iter().rev().copied().collect();
        while let Some(node) = to_visit.pop() {
            place[node.0] = met;
            met += 1;
            let on = self.beside[node.0].iter().map(|(next, _)| *next).filter(|next| place[next.0] == usize::MAX);
            to_visit.extend(on.collect::<Vec<_>>().into_iter().rev());
        }
        let mut walk: Vec<usize> = (0..nodes.len()).collect();
        walk.sort_by_key(|i| (place[nodes[*i].0], *i));
        walk
    }

    /// Members at every node, in the order of the walk.
    fn members_at(&self, walk: &[usize], nodes: &[NodeId]) -> Vec<Vec<usize>> {
        let mut at = vec![vec![]; self.beside.len()];
        for i in walk {
            at[nodes[*i].0].push(*i);
        }
        at
    }

    /// The nearest members of one that stands at a node; of equally near ones those that follow it at its bus, then the earlier.
    fn nearest(&self, node: NodeId, member: usize, near: usize, at: &[Vec<usize>]) -> Vec<usize> {
        let mut found = vec![];
        let mut reached = BinaryHeap::from([Reached { distance: 0.0, node, from: node }]);
        while let Some(Reached { distance, node, from }) = reached.pop() {
            let here = &at[node.0];
            let first = here.iter().position(|i| *i == member).map_or(0, |own| own + 1);
            found.extend(here[first..].iter().chain(&here[..first]).filter(|i| **i != member).take(near - found.len()));
            if found.len() == near {
                break;
            }
            for (next, r_pu) in self.beside[node.0].iter().filter(|(next, _)| *next != from) {
                reached.push(Reached { distance: distance + r_pu.abs(), node: *next, from: node });
            }
        }
        found
    }
}

/// A node as a search meets it; the nearest is the greatest, the earlier of equals.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reached {
    distance: f64,
    node: NodeId,
    from: NodeId,
}

impl Eq for Reached {}

impl Ord for Reached {
    fn cmp(&self, other: &Self) -> Ordering {
        other.distance.total_cmp(&self.distance).then(other.node.0.cmp(&self.node.0))
    }
}

impl PartialOrd for Reached {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::{Partners, in_a_row};
    use coase_core::network::Topology;
    use coase_testkit::five_vpps::OnFeeder;

    #[test]
    fn those_in_a_row_know_the_ones_beside_them() {
        assert_eq!(in_a_row(5, 2), [vec![1, 2], vec![0, 2], vec![1, 3], vec![2, 4], vec![3, 2]]);
    }

    /// Oracle: all distances, sorted.
    #[test]
    fn on_a_feeder_the_nearest_are_those_of_least_resistance() {
        let market = OnFeeder::IEEE_33.market();
        let setting = market.setting();
        let network = &setting.feeder.as_ref().expect("a feeder").network;
        let topology = Topology::new(network);
        let node = |i: usize| setting.members[i].node.expect("a bus");
        let graph = Partners::Nearest(1).graph(&market);
        let list = graph.list();
        for i in 0..market.len() {
            let others = (0..market.len()).filter(|j| *j != i);
            let nearest = others.min_by(|a, b| {
                let of = |j: usize| topology.distance_pu(network, node(i), node(j)).expect("radial");
                of(*a).total_cmp(&of(*b))
            });
            let nearest = nearest.expect("others");
            assert!(list.contains(&(i.min(nearest), i.max(nearest))), "{i} {nearest} {list:?}");
        }
    }
}
