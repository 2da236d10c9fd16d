//! Buses, branches, generators, and what must hold between them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{BranchEnds, NetworkError};

/// Position of a bus in [`Network::buses`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub usize);

/// What a bus holds fixed in the power flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BusKind {
    /// Active and reactive injection.
    #[default]
    Pq,
    /// Active injection and voltage magnitude; without a generator in service it is a [`Pq`](Self::Pq) bus.
    Pv,
    /// Voltage magnitude and angle: the connection to the upstream grid. There may be several.
    Slack,
}

/// A node of the network with its own load and shunt.
#[derive(Debug, Clone, PartialEq)]
pub struct Bus {
    /// The id that files and people use.
    pub id: u64,
    /// What the power flow holds fixed here.
    pub kind: BusKind,
    /// Active load, kW; negative is generation.
    pub p_load_kw: f64,
    /// Reactive load, kvar.
    pub q_load_kvar: f64,
    /// Shunt conductance: kW consumed at 1 pu.
    pub g_kw: f64,
    /// Shunt susceptance: kvar *injected* at 1 pu.
    pub b_kvar: f64,
    /// Line-to-line base voltage, kV, where it is known.
    pub base_kv: Option<f64>,
    /// Lower voltage limit, pu.
    pub v_min_pu: f64,
    /// Upper voltage limit, pu.
    pub v_max_pu: f64,
    /// Voltage set-point of a slack or PV bus, pu; a generator's own set-point comes first.
    pub v_pu: f64,
    /// Voltage angle of a slack bus, degrees.
    pub angle_deg: f64,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            id: 0,
            kind: BusKind::Pq,
            p_load_kw: 0.0,
            q_load_kvar: 0.0,
            g_kw: 0.0,
            b_kvar: 0.0,
            base_kv: None,
            v_min_pu: 0.9,
            v_max_pu: 1.1,
            v_pu: 1.0,
            angle_deg: 0.0,
        }
    }
}

/// A line or transformer: series impedance r + jx, half the charging at each end, ideal transformer `tap`∠`shift` at
/// the sending side.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Sending bus: reference direction and side of the tap, not direction of flow.
    pub from: NodeId,
    /// Receiving bus.
    pub to: NodeId,
    /// Series resistance, pu.
    pub r_pu: f64,
    /// Series reactance, pu.
    pub x_pu: f64,
    /// Total line charging susceptance, pu.
    pub b_pu: f64,
    /// Off-nominal turns ratio at the sending side; 1 for a line.
    pub tap: f64,
    /// Phase shift at the sending side, degrees; positive delays.
    pub shift_deg: f64,
    /// Apparent power limit at either end, kVA, where there is one.
    pub rate_kva: Option<f64>,
    /// Least angle of the sending bus ahead of the receiving one, degrees; minus infinity where there is no limit.
    pub angle_min_deg: f64,
    /// Greatest such angle, degrees; infinity where there is no limit.
    pub angle_max_deg: f64,
    /// Whether it is closed.
    pub in_service: bool,
}

impl Default for Branch {
    fn default() -> Self {
        Self {
            from: NodeId(0),
            to: NodeId(0),
            r_pu: 0.0,
            x_pu: 0.0,
            b_pu: 0.0,
            tap: 1.0,
            shift_deg: 0.0,
            rate_kva: None,
            angle_min_deg: f64::NEG_INFINITY,
            angle_max_deg: f64::INFINITY,
            in_service: true,
        }
    }
}

/// Cost of active power per hour, in whatever currency the file has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Cost {
    /// c₀ + c₁P + c₂P² + …, P in kW.
    Polynomial(Vec<f64>),
    /// Linear between points (kW, cost per hour), power increasing.
    Piecewise(Vec<(f64, f64)>),
}

impl Cost {
    /// Cost per hour at `p_kw`; a piecewise cost goes on with its outermost slopes.
    pub fn per_h(&self, p_kw: f64) -> f64 {
        match self {
            Self::Polynomial(c) => c.iter().rev().fold(0.0, |sum, c| sum * p_kw + c),
            Self::Piecewise(points) => {
                let Some(pair) = points.windows(2).find(|w| p_kw <= w[1].0).or_else(|| points.windows(2).last()) else {
                    return points.first().map_or(0.0, |p| p.1);
                };
                let slope = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
                pair[0].1 + slope * (p_kw - pair[0].0)
            }
        }
    }
}

/// A generator; several may share a bus.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator {
    /// Its bus.
    pub node: NodeId,
    /// Scheduled active power, kW.
    pub p_kw: f64,
    /// Scheduled reactive power, kvar.
    pub q_kvar: f64,
    /// Least active power, kW.
    pub p_min_kw: f64,
    /// Most active power, kW.
    pub p_max_kw: f64,
    /// Least reactive power, kvar; not enforced by the power flow.
    pub q_min_kvar: f64,
    /// Most reactive power, kvar; not enforced by the power flow.
    pub q_max_kvar: f64,
    /// Voltage set-point, pu; matters at slack and PV buses.
    pub v_pu: Option<f64>,
    /// Cost of active power, where known.
    pub cost_per_h: Option<Cost>,
    /// Cost of reactive power, where it has one; P stands for Q in kvar.
    pub q_cost_per_h: Option<Cost>,
    /// How the reactive limits depend on the active power, where they do.
    pub pq_curve: Option<PqCurve>,
    /// Whether it runs.
    pub in_service: bool,
}

impl Default for Generator {
    fn default() -> Self {
        Self {
            node: NodeId(0),
            p_kw: 0.0,
            q_kvar: 0.0,
            p_min_kw: 0.0,
            p_max_kw: f64::INFINITY,
            q_min_kvar: f64::NEG_INFINITY,
            q_max_kvar: f64::INFINITY,
            v_pu: None,
            cost_per_h: None,
            q_cost_per_h: None,
            pq_curve: None,
            in_service: true,
        }
    }
}

/// Reactive limits that are lines through two points of active power, beside the limits of the generator (the
/// capability curve of MATPOWER).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PqCurve {
    /// The two active powers, kW, increasing.
    pub p_kw: (f64, f64),
    /// Least reactive power at either, kvar.
    pub q_min_kvar: (f64, f64),
    /// Most reactive power at either, kvar.
    pub q_max_kvar: (f64, f64),
}

/// An electricity network.
///
/// The fields are open: change a load, close a tie, add a generator. Readers and solvers [`check`](Self::check) what
/// they get.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Name for people and tables.
    pub name: String,
    /// Three-phase power base, MVA.
    pub base_mva: f64,
    /// The buses; a [`NodeId`] is a position here.
    pub buses: Vec<Bus>,
    /// The branches, open ones included.
    pub branches: Vec<Branch>,
    /// The generators, those at slack buses included.
    pub generators: Vec<Generator>,
}

/// No figure of a network is greater: its products with others would leave the range of numbers.
const GREATEST: f64 = 1e15;
const WITHIN_GREATEST: &str = "a number between -1e15 and 1e15";
/// Magnitudes of voltages and turns ratios, pu.
const VOLTAGES_PU: std::ops::RangeInclusive<f64> = 1e-3..=1e3;

fn is_moderate(value: f64) -> bool {
    value.abs() <= GREATEST
}

/// Limits may be infinite.
fn is_limit(value: f64) -> bool {
    is_moderate(value) || value.is_infinite()
}

impl Network {
    /// Power base, kVA.
    pub fn base_kva(&self) -> f64 {
        self.base_mva * 1e3
    }

    /// The node with this bus id.
    pub fn node(&self, id: u64) -> Option<NodeId> {
        // Most files number their buses 1, 2, 3, ...
        let guess = (id as usize).wrapping_sub(1);
        if self.buses.get(guess).is_some_and(|bus| bus.id == id) {
            return Some(NodeId(guess));
        }
        self.buses.iter().position(|bus| bus.id == id).map(NodeId)
    }

    /// The bus at a node.
    ///
    /// # Panics
    /// If the node is not of this network.
    pub fn bus(&self, node: NodeId) -> &Bus {
        &self.buses[node.0]
    }

    /// Every node, in the order of the file.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        (0..self.buses.len()).map(NodeId)
    }

    /// The slack nodes, in the order of the file.
    pub fn slacks(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes().filter(|n| self.bus(*n).kind == BusKind::Slack)
    }

    /// Position of the first branch between two buses, whichever way it is written.
    pub fn branch_between(&self, a: NodeId, b: NodeId) -> Option<usize> {
        self.branches.iter().position(|branch| (branch.from, branch.to) == (a, b) || (branch.from, branch.to) == (b, a))
    }

    /// The ids at the ends of a branch.
    pub fn ends(&self, branch: &Branch) -> BranchEnds {
        BranchEnds { from: self.bus(branch.from).id, to: self.bus(branch.to).id }
    }

    /// Impedance base V²/S of a branch, ohm; `None` where the base voltage is not known. The series impedance of a
    /// transformer is referred to its receiving side.
    pub fn impedance_base_ohm(&self, branch: &Branch) -> Option<f64> {
        self.bus(branch.to).base_kv.map(|kv| kv * kv / self.base_mva)
    }

    /// Voltage set-point of a bus, pu: that of its last generator in service, else the bus's own.
    pub fn voltage_set_point(&self, node: NodeId) -> f64 {
        let of_generator = |g: &Generator| if g.node == node && g.in_service { g.v_pu } else { None };
        self.generators.iter().rev().find_map(of_generator).unwrap_or(self.bus(node).v_pu)
    }

    /// Whether the data make sense.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn check(&self) -> Result<(), NetworkError> {
        if !(1e-6..=1e6).contains(&self.base_mva) {
            return Err(NetworkError::PowerBase { value: self.base_mva });
        }
        self.check_buses()?;
        for (k, branch) in self.branches.iter().enumerate() {
            self.check_branch(k + 1, branch)?;
        }
        for (k, generator) in self.generators.iter().enumerate() {
            self.check_generator(k + 1, generator)?;
        }
        Ok(())
    }

    fn check_buses(&self) -> Result<(), NetworkError> {
        if self.buses.is_empty() {
            return Err(NetworkError::NoBus);
        }
        let mut ids: Vec<u64> = self.buses.iter().map(|bus| bus.id).collect();
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(NetworkError::DuplicateBus { id: pair[0] });
        }
        if self.slacks().next().is_none() {
            return Err(NetworkError::NoSlack);
        }
        for bus in &self.buses {
            let wrong = |field, value, must_be| Err(NetworkError::Bus { id: bus.id, field, value, must_be });
            for (field, value) in [
                ("p_load_kw", bus.p_load_kw),
                ("q_load_kvar", bus.q_load_kvar),
                ("g_kw", bus.g_kw),
                ("b_kvar", bus.b_kvar),
                ("angle_deg", bus.angle_deg),
            ] {
                if !is_moderate(value) {
                    return wrong(field, value, WITHIN_GREATEST);
                }
            }
            if let Some(kv) = bus.base_kv.filter(|kv| !(1e-6..=1e6).contains(kv)) {
                return wrong("base_kv", kv, "between 1e-6 and 1e6 (leave it out where unknown)");
            }
            if !VOLTAGES_PU.contains(&bus.v_pu) {
                return wrong("v_pu", bus.v_pu, "between 1e-3 and 1e3");
            }
            if bus.v_min_pu.is_nan() || bus.v_min_pu < 0.0 {
                return wrong("v_min_pu", bus.v_min_pu, "0 or more");
            }
            if bus.v_max_pu.is_nan() || bus.v_max_pu < bus.v_min_pu {
                return wrong("v_max_pu", bus.v_max_pu, "at least v_min_pu");
            }
        }
        Ok(())
    }

    fn check_branch(&self, number: usize, branch: &Branch) -> Result<(), NetworkError> {
        let buses = self.buses.len();
        if let Some(end) = [branch.from, branch.to].into_iter().find(|end| end.0 >= buses) {
            return Err(NetworkError::NodeOutOfRange { element: "branch", number, node: end.0, buses });
        }
        if branch.from == branch.to {
            return Err(NetworkError::Loop { number, id: self.bus(branch.from).id });
        }
        let ends = self.ends(branch);
        let wrong = |field, value, must_be| Err(NetworkError::Branch { number, ends, field, value, must_be });
        for (field, value) in
            [("r_pu", branch.r_pu), ("x_pu", branch.x_pu), ("b_pu", branch.b_pu), ("shift_deg", branch.shift_deg)]
        {
            if !is_moderate(value) {
                return wrong(field, value, WITHIN_GREATEST);
            }
        }
        let impedance = branch.r_pu.hypot(branch.x_pu);
        if branch.in_service && impedance < 1e-15 {
            return wrong("impedance", impedance, "at least 1e-15 pu (merge the two buses instead)");
        }
        if !VOLTAGES_PU.contains(&branch.tap) {
            return wrong("tap", branch.tap, "between 1e-3 and 1e3");
        }
        if branch.angle_min_deg.is_nan() {
            return wrong("angle_min_deg", branch.angle_min_deg, "a number");
        }
        if branch.angle_max_deg.is_nan() || branch.angle_max_deg < branch.angle_min_deg {
            return wrong("angle_max_deg", branch.angle_max_deg, "at least angle_min_deg");
        }
        if let Some(rate) = branch.rate_kva.filter(|rate| !(*rate > 0.0 && is_limit(*rate))) {
            return wrong("rate_kva", rate, "positive and at most 1e15 (leave it out for no limit)");
        }
        Ok(())
    }

    fn check_generator(&self, number: usize, generator: &Generator) -> Result<(), NetworkError> {
        let buses = self.buses.len();
        let node = generator.node;
        if node.0 >= buses {
            return Err(NetworkError::NodeOutOfRange { element: "generator", number, node: node.0, buses });
        }
        let id = self.bus(node).id;
        let wrong = |field, value, must_be| Err(NetworkError::Generator { number, id, field, value, must_be });
        for (field, value) in [("p_kw", generator.p_kw), ("q_kvar", generator.q_kvar)] {
            if !is_moderate(value) {
                return wrong(field, value, WITHIN_GREATEST);
            }
        }
        if let Some(v) = generator.v_pu.filter(|v| !VOLTAGES_PU.contains(v)) {
            return wrong("v_pu", v, "between 1e-3 and 1e3");
        }
        for (field, value) in [("p_min_kw", generator.p_min_kw), ("q_min_kvar", generator.q_min_kvar)] {
            if !is_limit(value) {
                return wrong(field, value, "a number between -1e15 and 1e15, or infinite");
            }
        }
        // A unit that is off may carry limits that nobody keeps in order.
        if !is_limit(generator.p_max_kw) || (generator.in_service && generator.p_max_kw < generator.p_min_kw) {
            return wrong("p_max_kw", generator.p_max_kw, "at least p_min_kw, and at most 1e15 or infinite");
        }
        if !is_limit(generator.q_max_kvar) || (generator.in_service && generator.q_max_kvar < generator.q_min_kvar) {
            return wrong("q_max_kvar", generator.q_max_kvar, "at least q_min_kvar, and at most 1e15 or infinite");
        }
        for (field, cost) in [("cost_per_h", &generator.cost_per_h), ("q_cost_per_h", &generator.q_cost_per_h)] {
            match cost {
                Some(Cost::Polynomial(c)) => {
                    if let Some(bad) = c.iter().find(|c| !is_moderate(**c)) {
                        return wrong(field, *bad, WITHIN_GREATEST);
                    }
                }
                Some(Cost::Piecewise(points)) => {
                    if let Some(bad) = points.iter().flat_map(|p| [p.0, p.1]).find(|c| !is_moderate(*c)) {
                        return wrong(field, bad, WITHIN_GREATEST);
                    }
                    if points.len() < 2 {
                        return wrong(field, points.len() as f64, "a line through 2 points or more");
                    }
                    if let Some(pair) = points.windows(2).find(|pair| pair[1].0 <= pair[0].0) {
                        return wrong(field, pair[1].0, "by points of increasing power");
                    }
                }
                None => {}
            }
        }
        if let Some(curve) = &generator.pq_curve {
            let PqCurve { p_kw, q_min_kvar, q_max_kvar } = *curve;
            let all = [p_kw.0, p_kw.1, q_min_kvar.0, q_min_kvar.1, q_max_kvar.0, q_max_kvar.1];
            if let Some(bad) = all.into_iter().find(|value| !is_moderate(*value)) {
                return wrong("pq_curve", bad, WITHIN_GREATEST);
            }
            if p_kw.1 <= p_kw.0 {
                return wrong("p_kw of pq_curve", p_kw.1, "greater than that of the first point");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::built_in;

    fn feeder() -> Network {
        built_in("das-15").expect("embedded").network().expect("valid")
    }

    #[test]
    fn polynomial_and_piecewise_costs_agree_where_they_are_the_same_function() {
        let line = Cost::Polynomial(vec![5.0, 2.0]);
        let points = Cost::Piecewise(vec![(0.0, 5.0), (10.0, 25.0), (20.0, 45.0)]);
        for p in [-3.0, 0.0, 7.0, 10.0, 13.0, 25.0] {
            assert!((line.per_h(p) - points.per_h(p)).abs() < 1e-12, "{p}");
        }
        assert_eq!(Cost::Polynomial(vec![1.0, 2.0, 3.0]).per_h(2.0), 17.0);
    }

    #[test]
    fn contradictions_are_named() {
        let mut n = feeder();
        n.base_mva = 0.0;
        assert!(matches!(n.check(), Err(NetworkError::PowerBase { .. })));
        let mut n = feeder();
        n.buses[0].kind = BusKind::Pq;
        assert_eq!(n.check(), Err(NetworkError::NoSlack));
        let mut n = feeder();
        n.buses[3].id = 7;
        assert_eq!(n.check(), Err(NetworkError::DuplicateBus { id: 7 }));
        let mut n = feeder();
        n.branches[2].to = NodeId(15);
        assert!(matches!(n.check(), Err(NetworkError::NodeOutOfRange { number: 3, node: 15, buses: 15, .. })));
        let mut n = feeder();
        n.branches[2].rate_kva = Some(-1.0);
        assert!(matches!(n.check(), Err(NetworkError::Branch { number: 3, field: "rate_kva", .. })));
        let mut n = feeder();
        n.buses[5].p_load_kw = f64::NAN;
        assert!(matches!(n.check(), Err(NetworkError::Bus { id: 6, field: "p_load_kw", .. })));
        let mut n = feeder();
        n.generators[0].p_max_kw = -1.0;
        assert!(matches!(n.check(), Err(NetworkError::Generator { number: 1, id: 1, field: "p_max_kw", .. })));
        let mut n = feeder();
        n.buses.clear();
        assert_eq!(n.check(), Err(NetworkError::NoBus));
    }

    #[test]
    fn a_generator_in_service_sets_the_voltage_of_its_bus() {
        let mut n = feeder();
        n.generators[0].v_pu = Some(1.02);
        assert_eq!(n.voltage_set_point(NodeId(0)), 1.02);
        n.generators[0].in_service = false;
        assert_eq!(n.voltage_set_point(NodeId(0)), 1.0);
    }
}
