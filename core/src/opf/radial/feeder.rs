//! The radial network in per unit of a base of its own choice, and its power flow in branch-flow variables.

use std::f64::consts::FRAC_PI_2;

use crate::network::{Network, NodeId, Topology};
use crate::opf::{OpfError, SlackVoltage};

/// A forest in the order from the roots to the leaves.
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
    /// Squared voltage of each root; where it may be chosen, in the middle of its range.
    pub v_root: Vec<f64>,
    /// Range of the squared voltage of each root that may choose it.
    pub choice: Vec<Option<(f64, f64)>>,
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
pub(in crate::opf) struct Line {
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
    /// Least and greatest angle across the series element, rad, parent before child.
    pub angle: (f64, f64),
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

/// A limit of an angle as `p P + q Q + v v_i >= 0`: with `a = x P - r Q` and `b = up v_i - r P - x Q` the angle is
/// `atan2(a, b)`, and below a right angle `angle <= limit` says `tan(limit) b - a >= 0`.
#[derive(Clone, Copy, Debug)]
pub(in crate::opf) struct AngleLimit {
    pub p: f64,
    pub q: f64,
    pub v: f64,
}

impl AngleLimit {
    pub fn slack(&self, p: f64, q: f64, v: f64) -> f64 {
        self.p * p + self.q * q + self.v * v
    }
}

impl Line {
    /// The lower and the upper limit of the angle, where there are any below a right angle: with others no network works.
    pub fn angle_limits(&self) -> [Option<AngleLimit>; 2] {
        let within = |limit: f64| (limit.abs() < FRAC_PI_2).then(|| limit.tan());
        let of = |sign: f64, tan: f64| AngleLimit {
            p: sign * (-tan * self.r - self.x),
            q: sign * (-tan * self.x + self.r),
            v: sign * tan * self.up,
        };
        [within(self.angle.0).map(|t| of(-1.0, t)), within(self.angle.1).map(|t| of(1.0, t))]
    }

    /// A branch seen from the bus `above` it, impedances times `ratio`; the parent's position is for the caller.
    pub fn of(network: &Network, index: usize, above: NodeId, ratio: f64) -> Result<Self, OpfError> {
        let data = &network.branches[index];
        let forward = data.from == above;
        let squared = 1.0 / (data.tap * data.tap);
        let (up, down) = if forward { (squared, 1.0) } else { (1.0, squared) };
        let half = 0.5 * data.b_pu / ratio;
        Ok(Self {
            index,
            parent: 0,
            r: data.r_pu * ratio,
            x: data.x_pu * ratio,
            up,
            down,
            charging_up: up * half,
            charging_down: down * half,
            limit: data.rate_kva.map(|s| s / (ratio * network.base_kva())),
            angle: across(network, index, forward)?,
            forward,
        })
    }

    pub fn z2(&self) -> f64 {
        self.r * self.r + self.x * self.x
    }
}

impl Feeder {
    pub fn new(network: &Network, base_kva: f64) -> Result<Self, OpfError> {
        Self::with_slack(network, base_kva, SlackVoltage::Held)
    }

    pub fn with_slack(network: &Network, base_kva: f64, slack: SlackVoltage) -> Result<Self, OpfError> {
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
            let parent = at(step.node);
            let line = Line { parent, ..Line::of(network, step.branch, step.node, ratio)? };
            branch[k] = line;
            // Charging at either end is a shunt of the bus there.
            b[parent] += line.charging_up;
            b[k] += line.charging_down;
        }
        let limits = |k: usize| network.bus(order[k]);
        let squared = |(low, high): (f64, f64)| (low * low, high * high);
        let ranges: Vec<(f64, f64)> = (0..roots).map(|k| squared(slack.range_pu(network, order[k]))).collect();
        Ok(Self {
            base_kva,
            roots,
            v_root: ranges.iter().map(|(low, high)| f64::midpoint(*low, *high)).collect(),
            choice: ranges.into_iter().map(|range| (range.1 > range.0).then_some(range)).collect(),
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
        for (k, choice) in self.choice.iter().enumerate() {
            s.v[k] = choice.map_or(self.v_root[k], |(low, high)| s.v[k].clamp(low, high));
        }
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

    /// Angle across the series element above `k`, rad, parent before child.
    pub fn angle(&self, s: &FlowState, k: usize) -> f64 {
        let line = &self.branch[k];
        let (p, q) = (s.p[k], s.q[k]);
        (line.x * p - line.r * q).atan2(line.up * s.v[line.parent] - line.r * p - line.x * q)
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

/// Limits of the angle across the series element, rad, parent before child: those of the file less the phase shift.
fn across(network: &Network, index: usize, forward: bool) -> Result<(f64, f64), OpfError> {
    let branch = &network.branches[index];
    let (least, most) = (branch.angle_min_deg - branch.shift_deg, branch.angle_max_deg - branch.shift_deg);
    if least >= 90.0 || most <= -90.0 {
        let ends = network.ends(branch);
        let (low, high, shift) = (branch.angle_min_deg, branch.angle_max_deg, branch.shift_deg);
        let what = format!(
            "branch {} ({ends}): its angle cannot be within {low} to {high} degrees behind a shift of {shift}",
            index + 1
        );
        return Err(OpfError::Infeasible { what: vec![what] });
    }
    let (low, high) = if forward { (least, most) } else { (-most, -least) };
    Ok((low.to_radians(), high.to_radians()))
}
