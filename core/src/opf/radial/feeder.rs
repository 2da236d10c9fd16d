//! The radial network in per unit of a base of its own choice, and its power flow in branch-flow variables.

use crate::network::{Network, NodeId, Topology};
use crate::opf::OpfError;

/// A forest in the order from the roots to the leaves; the squared voltages of roots are held.
#[derive(Clone, Debug)]
pub(super) struct Feeder {
    /// Power base, kVA.
    pub base_kva: f64,
    /// Node of each position.
    pub node: Vec<NodeId>,
    /// Position of each node.
    pub position: Vec<Option<usize>>,
    /// Number of roots; they come first.
    pub roots: usize,
    /// Squared voltage of each root.
    pub v_root: Vec<f64>,
    /// Shunt at each position: consumed and injected at 1 pu; half the charging of its branches included.
    pub g: Vec<f64>,
    pub b: Vec<f64>,
    pub v_min: Vec<f64>,
    pub v_max: Vec<f64>,
    /// The branch above each position but the roots.
    pub branch: Vec<Line>,
}

/// `down v_j = up v_i - 2 (r P + x Q) + |z|^2 l`, `l = (P^2 + Q^2) / (up v_i)`: series element, flows at its sending end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    pub index: usize,
    pub parent: usize,
    pub r: f64,
    pub x: f64,
    pub up: f64,
    pub down: f64,
    /// Charging at the two ends: reactive power given per unit of the squared voltage there.
    pub charging_up: f64,
    pub charging_down: f64,
    /// Limit of apparent power at both terminals.
    pub limit: Option<f64>,
    /// Whether the file writes it from the parent to the child.
    pub forward: bool,
}

/// Flows and voltages; entry `k` is the branch above position `k`, at its sending end.
#[derive(Clone, Debug, Default)]
pub(super) struct FlowState {
    pub p: Vec<f64>,
    pub q: Vec<f64>,
    pub l: Vec<f64>,
    pub v: Vec<f64>,
    /// Import over all roots.
    pub import: (f64, f64),
}

impl Line {
    pub fn z2(&self) -> f64 {
        self.r * self.r + self.x * self.x
    }
}

impl Feeder {
    pub fn new(network: &Network, base_kva: f64) -> Result<Self, OpfError> {
        network.check()?;
        let topology = Topology::new(network);
        if !topology.is_radial() {
            return Err(OpfError::Meshed);
        }
        let order = topology.order().to_vec();
        let mut position = vec![None; network.buses.len()];
        for (k, node) in order.iter().enumerate() {
            position[node.0] = Some(k);
        }
        // Impedances grow with the base, admittances and powers shrink.
        let ratio = base_kva / network.base_kva();
        let at = |node: NodeId| position[node.0].expect("the topology's order holds every energised node");
        let (mut g, mut b) = (vec![], vec![]);
        for node in &order {
            g.push(network.bus(*node).g_kw / base_kva);
            b.push(network.bus(*node).b_kvar / base_kva);
        }
        let mut branch = vec![Line::default(); order.len()];
        let roots = network.slacks().count();
        for (k, node) in order.iter().enumerate().skip(roots) {
            let step = topology.parent(*node).expect("only slacks have no parent");
            let data = &network.branches[step.branch];
            let forward = data.from == step.node;
            let squared = 1.0 / (data.tap * data.tap);
            let (up, down) = if forward { (squared, 1.0) } else { (1.0, squared) };
            let half = 0.5 * data.b_pu / ratio;
            let parent = at(step.node);
            branch[k] = Line {
                index: step.branch,
                parent,
                r: data.r_pu * ratio,
                x: data.x_pu * ratio,
                up,
                down,
                charging_up: up * half,
                charging_down: down * half,
                limit: data.rate_kva.map(|s| s / base_kva),
                forward,
            };
            b[parent] += up * half;
            b[k] += down * half;
        }
        let limits = |k: usize| network.bus(order[k]);
        Ok(Self {
            base_kva,
            roots,
            v_root: (0..roots).map(|k| network.voltage_set_point(order[k]).powi(2)).collect(),
            g,
            b,
            v_min: (0..order.len()).map(|k| limits(k).v_min_pu.powi(2)).collect(),
            v_max: (0..order.len()).map(|k| limits(k).v_max_pu.powi(2)).collect(),
            branch,
            position,
            node: order,
        })
    }

    pub fn len(&self) -> usize {
        self.node.len()
    }

    /// Power flow with net loads `p`, `q` by position, started from the voltages of `guess`; nothing beyond the nose.
    pub fn flow(&self, p: &[f64], q: &[f64], guess: &FlowState) -> Option<FlowState> {
        let n = self.len();
        let mut s =
            FlowState { p: vec![0.0; n], q: vec![0.0; n], l: vec![0.0; n], v: guess.v.clone(), import: (0.0, 0.0) };
        s.v[..self.roots].copy_from_slice(&self.v_root);
        for sweep in 0..400 {
            // Backward: what each node takes, at its voltage of the last sweep.
            let mut take_p: Vec<f64> = (0..n).map(|k| p[k] + self.g[k] * s.v[k]).collect();
            let mut take_q: Vec<f64> = (0..n).map(|k| q[k] - self.b[k] * s.v[k]).collect();
            for k in (self.roots..n).rev() {
                let line = &self.branch[k];
                let l = (take_p[k] * take_p[k] + take_q[k] * take_q[k]) / (line.down * s.v[k]);
                s.l[k] = l;
                s.p[k] = take_p[k] + line.r * l;
                s.q[k] = take_q[k] + line.x * l;
                take_p[line.parent] += s.p[k];
                take_q[line.parent] += s.q[k];
            }
            let mut moved = 0.0_f64;
            for k in self.roots..n {
                let line = &self.branch[k];
                let v = (line.up * s.v[line.parent] - 2.0 * (line.r * s.p[k] + line.x * s.q[k]) + line.z2() * s.l[k])
                    / line.down;
                if v.is_nan() || v < 0.01 {
                    return None;
                }
                moved = moved.max((v - s.v[k]).abs());
                s.v[k] = v;
            }
            s.import = (take_p[..self.roots].iter().sum(), take_q[..self.roots].iter().sum());
            if moved < 1e-15 || (sweep > 60 && moved < 1e-12) {
                return Some(s);
            }
        }
        None
    }

    /// Power at the two terminals of the branch above `k`: sending out of the parent, receiving into the child.
    pub fn terminals(&self, s: &FlowState, k: usize) -> [(f64, f64); 2] {
        let line = &self.branch[k];
        [
            (s.p[k], s.q[k] - line.charging_up * s.v[line.parent]),
            (s.p[k] - line.r * s.l[k], s.q[k] - line.x * s.l[k] + line.charging_down * s.v[k]),
        ]
    }
}
