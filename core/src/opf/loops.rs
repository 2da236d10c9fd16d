//! Loops of a meshed network, short ones: around each, differences of angles add up to nothing.
//!
//! A tree has no loop, and every further branch closes one. Which one is free to choose, as long as it runs over the tree
//! and branches taken before: the shortest of these (Hörsch et al. 2018 write the DC-OPF in loops). Slacks keep their angle,
//! as if each were joined to one reference by a branch across which the angle is given.

use super::lines::Line;
use crate::network::{Network, Topology};

/// A loop: `sum of sign (theta_from - theta_to) = given` over its lines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loop {
    /// Lines by position, the closing one first, with 1 where they are passed from their sending end, else -1.
    pub lines: Vec<(usize, f64)>,
    /// What slacks on the way give, rad.
    pub given_rad: f64,
}

/// A way across: where to, over which line, and what it adds to the loop.
#[derive(Debug, Clone, Copy)]
struct Step {
    to: usize,
    /// Nothing between a slack and the reference.
    line: Option<usize>,
    /// Sign of the line, or the difference of the angle that is given, rad.
    amount: f64,
}

/// One loop for every line beyond a tree.
pub(super) fn loops(network: &Network, topology: &Topology, lines: &[Line]) -> Vec<Loop> {
    let reference = network.buses.len();
    let mut graph = Graph { ways: vec![vec![]; reference + 1], from: [(); 2].map(|()| vec![None; reference + 1]) };
    for slack in network.slacks() {
        graph.join(slack.0, reference, None, network.bus(slack).angle_deg.to_radians());
    }
    let mut depth = vec![0_usize; reference];
    let mut line_of = vec![usize::MAX; network.branches.len()];
    for (k, line) in lines.iter().enumerate() {
        line_of[line.branch] = k;
    }
    let mut in_tree = vec![false; lines.len()];
    for node in topology.order() {
        let Some(parent) = topology.parent(*node) else { continue };
        depth[node.0] = depth[parent.node.0] + 1;
        let k = line_of[parent.branch];
        in_tree[k] = true;
        graph.join(lines[k].from.0, lines[k].to.0, Some(k), 1.0);
    }
    let mut closing: Vec<usize> = (0..lines.len()).filter(|&k| !in_tree[k]).collect();
    // Short loops first: later ones may run over their lines.
    let along_tree = |k: usize| {
        let (mut a, mut b, mut count) = (lines[k].from, lines[k].to, 0);
        while a != b {
            let deeper = if depth[a.0] >= depth[b.0] { &mut a } else { &mut b };
            let Some(parent) = topology.parent(*deeper) else { return count + depth[a.0] + depth[b.0] + 2 };
            (*deeper, count) = (parent.node, count + 1);
        }
        count
    };
    closing.sort_by_cached_key(|&k| along_tree(k));
    closing
        .into_iter()
        .map(|k| {
            let (from, to) = (lines[k].from.0, lines[k].to.0);
            let mut found = Loop { lines: vec![(k, 1.0)], given_rad: 0.0 };
            // Back from the receiving end to the sending end.
            graph.shortest(to, from, &mut found);
            graph.join(from, to, Some(k), 1.0);
            found
        })
        .collect()
}

struct Graph {
    ways: Vec<Vec<Step>>,
    /// For a search from both ends: the step back towards the end by which a node was reached.
    from: [Vec<Option<Step>>; 2],
}

impl Graph {
    fn join(&mut self, a: usize, b: usize, line: Option<usize>, amount: f64) {
        self.ways[a].push(Step { to: b, line, amount });
        self.ways[b].push(Step { to: a, line, amount: -amount });
    }

    /// Adds a shortest way from `a` to `b`; there is one.
    fn shortest(&mut self, a: usize, b: usize, found: &mut Loop) {
        if a == b {
            return;
        }
        let mut touched = [vec![a], vec![b]];
        let mut rim = [0, 0];
        let meet = 'search: loop {
            // The side that has less to look at goes on by one step.
            let left = |side: usize| touched[side].len() - rim[side];
            let side = usize::from(left(1) < left(0));
            let ends = touched[side].len();
            let own = [a, b][side];
            for at in rim[side]..ends {
                let here = touched[side][at];
                for step in &self.ways[here] {
                    if step.to == own || self.from[side][step.to].is_some() {
                        continue;
                    }
                    self.from[side][step.to] = Some(Step { to: here, line: step.line, amount: -step.amount });
                    touched[side].push(step.to);
                    if step.to == [b, a][side] || self.from[1 - side][step.to].is_some() {
                        break 'search step.to;
                    }
                }
            }
            rim[side] = ends;
        };
        for (side, sign) in [(0, -1.0), (1, 1.0)] {
            let mut at = meet;
            while let Some(step) = self.from[side][at] {
                match step.line {
                    Some(line) => found.lines.push((line, sign * step.amount)),
                    None => found.given_rad -= sign * step.amount,
                }
                at = step.to;
            }
        }
        for (side, nodes) in touched.iter().enumerate() {
            for &node in nodes {
                self.from[side][node] = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Branch, Bus, BusKind, NodeId};
    use crate::opf::lines::lines;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Whatever the angles are, their differences add up to what slacks give; and there is a loop for each line beyond
        /// a tree, which no other loop before it passes.
        #[test]
        fn differences_add_up_around_every_loop(
            nodes in 1_usize..12,
            joined in prop::collection::vec((0_usize..12, 0_usize..12), 0..30),
            slacks in prop::collection::vec(0_usize..12, 0..3),
            angle in prop::collection::vec(-3.0..3.0_f64, 12),
        ) {
            let mut buses: Vec<Bus> = (0..nodes).map(|k| Bus { id: k as u64, ..Bus::default() }).collect();
            for k in slacks.into_iter().chain([0]).map(|k| k % nodes) {
                (buses[k].kind, buses[k].angle_deg) = (BusKind::Slack, angle[k].to_degrees());
            }
            let branch = |(a, b): (usize, usize)| Branch {
                from: NodeId(a % nodes),
                to: NodeId(b % nodes),
                x_pu: 0.1,
                in_service: true,
                ..Branch::default()
            };
            let branches = joined.into_iter().map(branch).filter(|b| b.from != b.to).collect();
            let network = Network { name: String::new(), base_mva: 1.0, buses, branches, generators: vec![] };
            let topology = Topology::new(&network);
            let lines = lines(&network, &topology).unwrap();
            let found = loops(&network, &topology, &lines);
            let trees = network.slacks().count();
            // Slacks that are joined stand at given angles: one loop more each.
            prop_assert_eq!(found.len(), lines.len() + trees - topology.order().len());
            let mut passed = vec![false; lines.len()];
            for around in &found {
                let differences = around.lines.iter().map(|&(k, sign)| {
                    sign * (angle[lines[k].from.0] - angle[lines[k].to.0])
                });
                prop_assert!((differences.sum::<f64>() - around.given_rad).abs() < 1e-12, "{around:?}");
                prop_assert!(!passed[around.lines[0].0], "{found:?}");
                around.lines.iter().for_each(|&(k, _)| passed[k] = true);
            }
        }
    }
}
