//! A radial network in per unit, without transformers, in sweep order: what every radial formulation works on.
//!
//! DistFlow (Baran and Wu 1989) for the branch of place `k`, from its parent `i` to `k`, children `c`:
//!
//! ```text
//! P_k - r l_k = p_k + G_k v_k + sum P_c      v_k = v_i - 2 (r P_k + x Q_k) + |z|^2 l_k
//! Q_k - x l_k = q_k - B_k v_k + sum Q_c      l_k v_i = P_k^2 + Q_k^2
//! ```
//!
//! with `p`, `q` the net withdrawals, `v` squared voltages, `l` squared currents. Off-nominal taps are moved into the
//! voltage base of the tree behind them; phase shifts change no power on a tree. Line charging stands at the two buses,
//! so that limits are on the power through the series impedance. Knows no generator and no price.

use crate::network::{Network, NodeId, Topology};

use super::error::OpfError;

/// A radial network in per unit. Vectors are by place: roots first, every other place after its parent.
#[derive(Debug, Clone)]
pub struct Feeder {
    /// Power base, kVA.
    pub base_kva: f64,
    /// Node of each place.
    pub node: Vec<NodeId>,
    /// Place of the parent; a root is its own.
    pub parent: Vec<usize>,
    /// Branch of the network that leads to each place, and whether it is written towards it; `None` at roots.
    pub branch: Vec<Option<(usize, bool)>>,
    /// Series resistance of that branch; 0 at roots.
    pub r: Vec<f64>,
    /// Its series reactance; 0 at roots.
    pub x: Vec<f64>,
    /// Limit of apparent power at both of its ends; infinite where there is none.
    pub limit: Vec<f64>,
    /// Shunt conductance at each place, consumed at 1 pu.
    pub g: Vec<f64>,
    /// Shunt susceptance, injected at 1 pu, half the charging of adjacent lines included.
    pub b: Vec<f64>,
    /// Active load.
    pub p_load: Vec<f64>,
    /// Reactive load.
    pub q_load: Vec<f64>,
    /// Least squared voltage; at a root the voltage itself.
    pub v_min: Vec<f64>,
    /// Greatest squared voltage; at a root the voltage itself.
    pub v_max: Vec<f64>,
    /// What `v` is to be divided by for the squared voltage of the bus in its own base.
    pub v_scale: Vec<f64>,
    roots: usize,
}

/// A flow on a [`Feeder`]: sending ends, per unit, by place. At a root, `p` and `q` are what it supplies to all of its
/// place, and `l` is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct FeederFlow {
    /// Active power into the branch.
    pub p: Vec<f64>,
    /// Reactive power into the branch.
    pub q: Vec<f64>,
    /// Squared current.
    pub l: Vec<f64>,
    /// Squared voltage.
    pub v: Vec<f64>,
}

impl Feeder {
    /// Lays out the energised part of a network.
    ///
    /// # Errors
    /// A network that does not pass [`Network::check`] or is not radial.
    pub fn new(network: &Network) -> Result<Self, OpfError> {
        network.check()?;
        let topology = Topology::new(network);
        if !topology.is_radial() {
            return Err(OpfError::NotRadial);
        }
        let node = topology.order().to_vec();
        let n = node.len();
        let base = network.base_kva();
        let mut place = vec![usize::MAX; network.buses.len()];
        for (k, id) in node.iter().enumerate() {
            place[id.0] = k;
        }
        let bus = |k: usize| network.bus(node[k]);
        let per_unit = |of: fn(&crate::network::Bus) -> f64| (0..n).map(|k| of(bus(k)) / base).collect::<Vec<f64>>();
        let mut feeder = Self {
            base_kva: base,
            parent: (0..n).collect(),
            branch: vec![None; n],
            r: vec![0.0; n],
            x: vec![0.0; n],
            limit: vec![f64::INFINITY; n],
            g: per_unit(|bus| bus.g_kw),
            b: per_unit(|bus| bus.b_kvar),
            p_load: per_unit(|bus| bus.p_load_kw),
            q_load: per_unit(|bus| bus.q_load_kvar),
            v_min: (0..n).map(|k| bus(k).v_min_pu.powi(2)).collect(),
            v_max: (0..n).map(|k| bus(k).v_max_pu.powi(2)).collect(),
            v_scale: vec![1.0; n],
            roots: network.slacks().count(),
            node,
        };
        for k in 0..n {
            let Some(step) = topology.parent(feeder.node[k]) else {
                let v = network.voltage_set_point(feeder.node[k]).powi(2);
                (feeder.v_min[k], feeder.v_max[k]) = (v, v);
                continue;
            };
            let (i, branch) = (place[step.node.0], &network.branches[step.branch]);
            let along = branch.to == feeder.node[k];
            feeder.parent[k] = i;
            feeder.branch[k] = Some((step.branch, along));
            feeder.limit[k] = branch.rate_kva.map_or(f64::INFINITY, |rate| rate / base);
            // The impedance stands at the receiving side of the tap: behind it if the branch is written this way.
            let (ratio, above) = (branch.tap * branch.tap, feeder.v_scale[i]);
            let (of_line, own) = if along { (above * ratio, above * ratio) } else { (above, above / ratio) };
            feeder.v_scale[k] = own;
            (feeder.r[k], feeder.x[k]) = (branch.r_pu * of_line, branch.x_pu * of_line);
            // In the base of the slack: the shunt of a bus is divided by its scale below, charging by the line's.
            feeder.b[i] += 0.5 * branch.b_pu * above / of_line;
            feeder.b[k] += 0.5 * branch.b_pu * own / of_line;
        }
        for k in 0..n {
            let scale = feeder.v_scale[k];
            feeder.g[k] /= scale;
            feeder.b[k] /= scale;
            if k >= feeder.roots {
                feeder.v_min[k] *= scale;
                feeder.v_max[k] *= scale;
            }
        }
        Ok(feeder)
    }

    /// Number of places.
    pub fn len(&self) -> usize {
        self.node.len()
    }

    /// Whether nothing is energised.
    pub fn is_empty(&self) -> bool {
        self.node.is_empty()
    }

    /// Number of roots; they are the first places.
    pub fn roots(&self) -> usize {
        self.roots
    }

    /// Place of a node; `None` if it is not energised.
    pub fn place(&self, node: NodeId) -> Option<usize> {
        self.node.iter().position(|n| *n == node)
    }

    /// |z|² of the branch to a place.
    pub fn z_square(&self, place: usize) -> f64 {
        self.r[place] * self.r[place] + self.x[place] * self.x[place]
    }

    /// The exact flow for net withdrawals by place (those of roots count as what their own place needs); `None` beyond
    /// the nose, where no flow exists, or too close to it.
    pub fn flow(&self, p: &[f64], q: &[f64]) -> Option<FeederFlow> {
        const MOST_SWEEPS: usize = 1000;
        let n = self.len();
        let mut flow = FeederFlow { p: vec![0.0; n], q: vec![0.0; n], l: vec![0.0; n], v: vec![0.0; n] };
        for k in 0..n {
            flow.v[k] = if k < self.roots { self.v_max[k] } else { flow.v[self.parent[k]] };
        }
        let mut before = f64::INFINITY;
        for _ in 0..MOST_SWEEPS {
            self.gather(p, q, &mut flow);
            let mut change = 0.0_f64;
            for k in self.roots..n {
                let drop = 2.0 * (self.r[k] * flow.p[k] + self.x[k] * flow.q[k]) - self.z_square(k) * flow.l[k];
                let v = flow.v[self.parent[k]] - drop;
                if v.is_nan() || v <= 1e-3 * self.v_max[0] {
                    return None;
                }
                change = change.max((v - flow.v[k]).abs());
                flow.v[k] = v;
            }
            // The floor of round-off lies a little above the tolerance on long feeders.
            if change <= 1e-15 || (change < 1e-12 && change >= before) {
                self.gather(p, q, &mut flow);
                for k in self.roots..n {
                    flow.l[k] = (flow.p[k].powi(2) + flow.q[k].powi(2)) / flow.v[self.parent[k]];
                }
                return Some(flow);
            }
            before = change;
        }
        None
    }

    /// Power leaving the sending end of the branch of a place that arrives at the other end: `(P - r l, Q - x l)`.
    pub fn received(&self, flow: &FeederFlow, place: usize) -> (f64, f64) {
        let l = flow.l[place];
        (flow.p[place] - self.r[place] * l, flow.q[place] - self.x[place] * l)
    }

    /// Leaf to root: flows that the voltages of `flow` ask for.
    fn gather(&self, p: &[f64], q: &[f64], flow: &mut FeederFlow) {
        for k in 0..self.len() {
            flow.p[k] = p[k] + self.g[k] * flow.v[k];
            flow.q[k] = q[k] - self.b[k] * flow.v[k];
        }
        for k in (self.roots..self.len()).rev() {
            let l = (flow.p[k].powi(2) + flow.q[k].powi(2)) / flow.v[k];
            flow.l[k] = l;
            flow.p[k] += self.r[k] * l;
            flow.q[k] += self.x[k] * l;
            let i = self.parent[k];
            flow.p[i] += flow.p[k];
            flow.q[i] += flow.q[k];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Branch, Bus, BusKind, built_in};
    use crate::power_flow::{Injections, PowerFlow};

    fn agrees(network: &Network) {
        let feeder = Feeder::new(network).unwrap();
        let flow = feeder.flow(&feeder.p_load, &feeder.q_load).unwrap();
        let expected = PowerFlow::new(network).unwrap().solve(&Injections::loads_of(network)).unwrap();
        for k in 0..feeder.len() {
            let v = (flow.v[k] / feeder.v_scale[k]).sqrt();
            let found = expected.voltages[feeder.node[k].0].unwrap().magnitude_pu;
            assert!((v - found).abs() < 1e-12, "{} {v} {found}", feeder.node[k].0);
            if let Some((branch, along)) = feeder.branch[k] {
                let flows = &expected.branches[branch];
                let kw = if along { flows.p_from_kw } else { flows.p_to_kw };
                assert!((flow.p[k] * feeder.base_kva - kw).abs() < 1e-7, "{branch}: {kw}");
            }
        }
        let supply: f64 = flow.p[..feeder.roots()].iter().sum::<f64>() * feeder.base_kva;
        assert!((supply - expected.slack_kw()).abs() < 1e-7 * (1.0 + supply.abs()));
        let reactive: f64 = flow.q[..feeder.roots()].iter().sum::<f64>() * feeder.base_kva;
        assert!((reactive - expected.slack_kvar()).abs() < 1e-7 * (1.0 + reactive.abs()));
    }

    #[test]
    fn flows_are_those_of_the_power_flow() {
        for id in ["das-15", "ap-15", "ieee-33", "ieee-69", "khodr-141"] {
            agrees(&built_in(id).unwrap().network().unwrap());
        }
    }

    /// Taps both ways, charging, shunts, two slacks.
    pub(in crate::opf) fn awkward() -> Network {
        let line = |from, to, tap, b_pu| Branch {
            from: NodeId(from),
            to: NodeId(to),
            r_pu: 0.02,
            x_pu: 0.05,
            b_pu,
            tap,
            shift_deg: 0.0,
            rate_kva: None,
            in_service: true,
        };
        let mut buses: Vec<Bus> =
            (0..7).map(|k| Bus { id: k + 1, p_load_kw: 100.0, q_load_kvar: 40.0, ..Bus::default() }).collect();
        buses[0].kind = BusKind::Slack;
        buses[0].v_pu = 1.02;
        buses[5].kind = BusKind::Slack;
        buses[2].b_kvar = 60.0;
        buses[3].g_kw = 25.0;
        Network {
            name: "awkward".into(),
            base_mva: 1.0,
            buses,
            branches: vec![
                line(0, 1, 1.0, 0.03),
                line(2, 1, 0.97, 0.02),
                line(2, 3, 1.04, 0.05),
                line(3, 4, 1.0, 0.0),
                line(5, 6, 0.95, 0.1),
            ],
            generators: vec![],
        }
    }

    #[test]
    fn taps_shunts_and_charging_change_nothing_but_the_bases() {
        agrees(&awkward());
    }

    #[test]
    fn beyond_the_nose_there_is_no_flow() {
        // One branch r = 0.02, x = 0.04, load 0.8 + 0.4j: it can carry 6.94 times the load.
        let mut network = awkward();
        network.buses.truncate(2);
        network.branches.truncate(1);
        network.buses[0] = Bus { id: 1, kind: BusKind::Slack, ..Bus::default() };
        network.branches[0].b_pu = 0.0;
        (network.branches[0].r_pu, network.branches[0].x_pu) = (0.02, 0.04);
        let feeder = Feeder::new(&network).unwrap();
        let at = |s: f64| feeder.flow(&[0.0, 0.8 * s], &[0.0, 0.4 * s]);
        let flow = at(1.0).unwrap();
        assert!((flow.v[1] - 0.934_287_464_983).abs() < 1e-12);
        assert!((flow.l[1] - 0.856_267_508_646).abs() < 1e-12);
        assert!((flow.p[0] - 0.817_125_350_173).abs() < 1e-12);
        assert!((flow.q[0] - 0.434_250_700_346).abs() < 1e-12);
        assert!(at(6.8).is_some());
        assert!(at(7.1).is_none());
    }

    #[test]
    fn a_mesh_is_refused() {
        let mesh = built_in("ieee-14").unwrap().network().unwrap();
        assert_eq!(Feeder::new(&mesh).unwrap_err(), OpfError::NotRadial);
    }
}
