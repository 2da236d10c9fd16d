//! Who is connected with whom: energised parts, trees, paths, electrical distance.

use super::model::{Network, NodeId};

/// The way from a node one step towards its slack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The node nearer to the slack.
    pub node: NodeId,
    /// Position of the joining branch in [`Network::branches`].
    pub branch: usize,
}

/// A spanning forest over the closed branches, grown from the slack nodes breadth first.
///
/// It describes the network as it was when the forest was grown: grow another after switching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    order: Vec<NodeId>,
    parent: Vec<Option<Parent>>,
    root: Vec<Option<NodeId>>,
    depth: Vec<usize>,
    radial: bool,
}

impl Topology {
    /// Grows the forest. The network must have passed [`Network::check`].
    pub fn new(network: &Network) -> Self {
        let n = network.buses.len();
        let mut neighbours: Vec<Vec<Parent>> = vec![Vec::new(); n];
        for (k, branch) in network.branches.iter().enumerate().filter(|(_, b)| b.in_service) {
            neighbours[branch.from.0].push(Parent { node: branch.to, branch: k });
            neighbours[branch.to.0].push(Parent { node: branch.from, branch: k });
        }
        let mut topology = Self {
            order: Vec::with_capacity(n),
            parent: vec![None; n],
            root: vec![None; n],
            depth: vec![0; n],
            radial: true,
        };
        // All slacks at once: a node belongs to the slack that is fewest branches away.
        for slack in network.slacks() {
            topology.root[slack.0] = Some(slack);
            topology.order.push(slack);
        }
        let slacks = topology.order.len();
        let mut next = 0;
        while next < topology.order.len() {
            let here = topology.order[next];
            next += 1;
            for step in &neighbours[here.0] {
                if topology.root[step.node.0].is_some() {
                    continue;
                }
                topology.root[step.node.0] = topology.root[here.0];
                topology.depth[step.node.0] = topology.depth[here.0] + 1;
                topology.parent[step.node.0] = Some(Parent { node: here, branch: step.branch });
                topology.order.push(step.node);
            }
        }
        let live = network.branches.iter().filter(|b| b.in_service && topology.root[b.from.0].is_some()).count();
        topology.radial = live + slacks == topology.order.len();
        topology
    }

    /// The energised nodes, slacks first, every other node after its parent.
    pub fn order(&self) -> &[NodeId] {
        &self.order
    }

    /// One step towards the slack; `None` at slacks and isolated nodes.
    pub fn parent(&self, node: NodeId) -> Option<Parent> {
        self.parent[node.0]
    }

    /// The slack whose tree the node is in; `None` where no closed path leads to a slack.
    pub fn root(&self, node: NodeId) -> Option<NodeId> {
        self.root[node.0]
    }

    /// Whether a closed path leads from the node to a slack.
    pub fn is_energised(&self, node: NodeId) -> bool {
        self.root[node.0].is_some()
    }

    /// The nodes without a path to a slack, in the order of the file.
    pub fn isolated(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.root.len()).filter(|n| self.root[*n].is_none()).map(NodeId)
    }

    /// Whether the energised part is a forest with one slack per tree.
    pub fn is_radial(&self) -> bool {
        self.radial
    }

    /// The branches of the tree path between two nodes, from `a` to `b`; `None` if no tree holds both. On a meshed
    /// network this is one path of several.
    pub fn path(&self, a: NodeId, b: NodeId) -> Option<Vec<usize>> {
        if self.root[a.0].is_none() || self.root[a.0] != self.root[b.0] {
            return None;
        }
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let (mut a, mut b) = (a, b);
        while a != b {
            let (deeper, walked) =
                if self.depth[a.0] >= self.depth[b.0] { (&mut a, &mut up) } else { (&mut b, &mut down) };
            let step = self.parent[deeper.0].expect("invariant: below a common root every node has a parent");
            walked.push(step.branch);
            *deeper = step.node;
        }
        up.extend(down.into_iter().rev());
        Some(up)
    }

    /// The branches from a node to its slack, nearest first; empty at a slack, `None` if isolated.
    pub fn path_to_root(&self, node: NodeId) -> Option<Vec<usize>> {
        self.path(node, self.root(node)?)
    }

    /// Electrical distance D = R_aa + R_bb − 2R_ab, pu: the resistance of the tree path. `None` off a common tree or
    /// on a meshed network, where a path means little.
    pub fn distance_pu(&self, network: &Network, a: NodeId, b: NodeId) -> Option<f64> {
        self.radial_path(a, b)?.iter().map(|k| Some(network.branches[*k].r_pu)).sum()
    }

    /// [`distance_pu`](Self::distance_pu) in ohm, every branch at its own voltage; `None` also where a base voltage is
    /// not known.
    pub fn distance_ohm(&self, network: &Network, a: NodeId, b: NodeId) -> Option<f64> {
        self.radial_path(a, b)?.iter().map(|k| resistance_ohm(network, *k)).sum()
    }

    /// R_ab, pu: resistance that the paths from the slack to `a` and to `b` have in common. With it
    /// v_a ≈ v_0 − 2Σ_b(R_ab p_b + X_ab q_b) (Baran and Wu 1989).
    pub fn common_resistance_pu(&self, network: &Network, a: NodeId, b: NodeId) -> Option<f64> {
        self.common_path(a, b)?.iter().map(|k| Some(network.branches[*k].r_pu)).sum()
    }

    /// [`common_resistance_pu`](Self::common_resistance_pu) in ohm.
    pub fn common_resistance_ohm(&self, network: &Network, a: NodeId, b: NodeId) -> Option<f64> {
        self.common_path(a, b)?.iter().map(|k| resistance_ohm(network, *k)).sum()
    }

    fn radial_path(&self, a: NodeId, b: NodeId) -> Option<Vec<usize>> {
        if self.radial { self.path(a, b) } else { None }
    }

    fn common_path(&self, a: NodeId, b: NodeId) -> Option<Vec<usize>> {
        let between = self.radial_path(a, b)?;
        let mut to_root = self.path_to_root(a)?;
        to_root.retain(|k| !between.contains(k));
        Some(to_root)
    }
}

fn resistance_ohm(network: &Network, branch: usize) -> Option<f64> {
    let branch = &network.branches[branch];
    Some(branch.r_pu * network.impedance_base_ohm(branch)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::built_in;

    fn ieee_33() -> Network {
        built_in("ieee-33").expect("embedded").network().expect("valid")
    }

    fn at(network: &Network, id: u64) -> NodeId {
        network.node(id).expect("bus of the feeder")
    }

    #[test]
    fn electrical_distances_of_the_33_bus_feeder() {
        // Sums of the published ohms along the paths.
        let n = ieee_33();
        let t = Topology::new(&n);
        assert!(t.is_radial());
        for (a, b, ohm) in [(18, 33, 13.3953), (18, 25, 12.7228), (22, 25, 5.5248)] {
            let d = t.distance_ohm(&n, at(&n, a), at(&n, b)).unwrap();
            assert!((d - ohm).abs() < 1e-10, "D({a},{b}) = {d}");
            let pu = t.distance_pu(&n, at(&n, a), at(&n, b)).unwrap();
            assert!((pu * 12.66 * 12.66 / 10.0 - ohm).abs() < 1e-10);
        }
        for (a, b, ohm) in [(18, 18, 11.0628), (18, 33, 2.1513), (33, 18, 2.1513)] {
            let r = t.common_resistance_ohm(&n, at(&n, a), at(&n, b)).unwrap();
            assert!((r - ohm).abs() < 1e-10, "R({a},{b}) = {r}");
        }
        let r = |a, b| t.common_resistance_pu(&n, at(&n, a), at(&n, b)).unwrap();
        let d = t.distance_pu(&n, at(&n, 22), at(&n, 25)).unwrap();
        assert!((r(22, 22) + r(25, 25) - 2.0 * r(22, 25) - d).abs() < 1e-14);
    }

    #[test]
    fn a_closed_tie_makes_a_mesh_and_an_open_branch_an_island() {
        let mut n = ieee_33();
        n.branches[32].in_service = true;
        let t = Topology::new(&n);
        assert!(!t.is_radial());
        assert_eq!(t.distance_pu(&n, NodeId(3), NodeId(7)), None);
        n.branches[32].in_service = false;
        let last = n.branch_between(at(&n, 32), at(&n, 33)).unwrap();
        n.branches[last].in_service = false;
        let t = Topology::new(&n);
        assert!(t.is_radial());
        assert_eq!(t.isolated().collect::<Vec<_>>(), [at(&n, 33)]);
        assert_eq!(t.path(at(&n, 33), at(&n, 1)), None);
    }

    #[test]
    fn several_slacks_make_several_trees_until_a_branch_joins_them() {
        let mut n = ieee_33();
        n.buses[17].kind = crate::network::BusKind::Slack;
        assert!(!Topology::new(&n).is_radial());
        n.branches[6].in_service = false;
        let t = Topology::new(&n);
        assert!(t.is_radial());
        assert_eq!(t.root(at(&n, 9)), Some(at(&n, 18)));
        assert_eq!(t.root(at(&n, 26)), Some(at(&n, 1)));
        assert_eq!(t.path(at(&n, 9), at(&n, 26)), None);
        assert_eq!(t.order().len(), 33);
    }

    #[test]
    fn a_path_runs_from_its_first_node_to_its_second() {
        let n = ieee_33();
        let t = Topology::new(&n);
        // 22-21-20-19-2-3-23
        assert_eq!(t.path(at(&n, 22), at(&n, 23)).unwrap(), [20, 19, 18, 17, 1, 21]);
        assert_eq!(t.path_to_root(at(&n, 4)).unwrap(), [2, 1, 0]);
        assert!(t.path(at(&n, 5), at(&n, 5)).unwrap().is_empty());
    }
}
