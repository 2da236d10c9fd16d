//! The form in which people write a network: `Network(base_mva: .., buses: [..], branches: [..])`.
//!
//! Ids instead of positions, ohms or per unit, and everything usual left out. A network is written back in the same
//! form, per unit.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::error::{BranchEnds, NetworkError};
use super::model::{Branch, Bus, BusKind, Cost, Generator, Network, NodeId, PqCurve};
use crate::declaration::Declaration;

impl Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        NetworkForm::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NetworkForm::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Network {
    fn schema_name() -> Cow<'static, str> {
        NetworkForm::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        "Network as a file".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        NetworkForm::json_schema(generator)
    }
}

/// What the forms of a network's parts say of themselves, by their names.
pub fn forms() -> [(&'static str, Declaration); 5] {
    [
        ("Network", Declaration::of::<NetworkForm>()),
        ("Bus", Declaration::of::<BusForm>()),
        ("Branch", Declaration::of::<BranchForm>()),
        ("Generator", Declaration::of::<GeneratorForm>()),
        ("PqCurve", Declaration::of::<PqCurve>()),
    ]
}

/// A network: buses, branches and generators.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Network", deny_unknown_fields)]
pub(super) struct NetworkForm {
    /// Name in tables.
    #[serde(default)]
    name: String,
    /// Power base of what is per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    base_mva: f64,
    /// Base voltage of every bus that does not give its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base_kv: Option<f64>,
    /// Lower voltage limit of every bus but slacks that does not give its own; not given: 0.9.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v_min_pu: Option<f64>,
    /// Upper voltage limit of every bus but slacks that does not give its own; not given: 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v_max_pu: Option<f64>,
    /// The buses; at least one is a slack.
    buses: Vec<BusForm>,
    /// Lines and transformers.
    branches: Vec<BranchForm>,
    /// Generators; a slack needs none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    generators: Vec<GeneratorForm>,
}

/// A node of the network with its own load and shunt.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Bus", deny_unknown_fields)]
struct BusForm {
    /// The id that files and people use.
    id: u64,
    /// What the power flow holds fixed here.
    #[serde(default, skip_serializing_if = "is_pq")]
    #[schemars(extend("default" = "Pq"))]
    kind: BusKind,
    /// Active load; negative is generation.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0.0))]
    p_kw: f64,
    /// Reactive load.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0.0))]
    q_kvar: f64,
    /// Shunt conductance: kW consumed at 1 pu.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0.0))]
    g_kw: f64,
    /// Shunt susceptance: kvar injected at 1 pu.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0.0))]
    b_kvar: f64,
    /// Line-to-line base voltage; not given: that of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base_kv: Option<f64>,
    /// Lower voltage limit; not given: that of the network, of a slack the voltage it is held at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v_min_pu: Option<f64>,
    /// Upper voltage limit; likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v_max_pu: Option<f64>,
    /// Voltage set-point of a slack or PV bus; a generator's own set-point comes first.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(extend("default" = 1.0))]
    v_pu: f64,
    /// Voltage angle of a slack bus.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0.0))]
    angle_deg: f64,
}

/// A line or a transformer.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Branch", deny_unknown_fields)]
struct BranchForm {
    /// Id of the bus at its sending end, where the tap is.
    from: u64,
    /// Id of the bus at its receiving end.
    to: u64,
    /// Series resistance; either in ohms and siemens or per unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r_ohm: Option<f64>,
    /// Series reactance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x_ohm: Option<f64>,
    /// Line charging susceptance of the whole branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b_siemens: Option<f64>,
    /// Series resistance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r_pu: Option<f64>,
    /// Series reactance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x_pu: Option<f64>,
    /// Line charging susceptance of the whole branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b_pu: Option<f64>,
    /// Turns ratio at the sending end; 1 of a line.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(extend("default" = 1.0))]
    tap: f64,
    /// Phase shift.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0.0))]
    shift_deg: f64,
    /// Thermal rating; not given: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_kva: Option<f64>,
    /// Least angle from its sending to its receiving end; not given: no limit.
    #[serde(default = "minus_infinity", skip_serializing_if = "is_minus_infinity")]
    angle_min_deg: f64,
    /// Greatest angle from its sending to its receiving end; not given: no limit.
    #[serde(default = "infinity", skip_serializing_if = "is_infinity")]
    angle_max_deg: f64,
    /// Whether it is closed.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(extend("default" = true))]
    in_service: bool,
}

/// A generator; several may share a bus.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Generator", deny_unknown_fields)]
struct GeneratorForm {
    /// Id of its bus.
    bus: u64,
    /// Scheduled active power.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0.0))]
    p_kw: f64,
    /// Scheduled reactive power.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0.0))]
    q_kvar: f64,
    /// Least active power.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0.0))]
    p_min_kw: f64,
    // Infinite limits are left out: JSON has no word for them.
    /// Greatest active power; not given: no limit.
    #[serde(default = "infinity", skip_serializing_if = "is_infinity")]
    p_max_kw: f64,
    /// Least reactive power, not enforced by the power flow; not given: no limit.
    #[serde(default = "minus_infinity", skip_serializing_if = "is_minus_infinity")]
    q_min_kvar: f64,
    /// Greatest reactive power, not enforced by the power flow; not given: no limit.
    #[serde(default = "infinity", skip_serializing_if = "is_infinity")]
    q_max_kvar: f64,
    /// Voltage set-point; matters at slack and PV buses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v_pu: Option<f64>,
    /// Cost of active power, P in kW.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost_per_h: Option<Cost>,
    /// Cost of reactive power; P stands for Q in kvar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    q_cost_per_h: Option<Cost>,
    /// How the reactive limits depend on the active power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pq_curve: Option<PqCurve>,
    /// Whether it runs.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(extend("default" = true))]
    in_service: bool,
}

impl TryFrom<NetworkForm> for Network {
    type Error = NetworkError;

    fn try_from(form: NetworkForm) -> Result<Self, NetworkError> {
        let usual = Bus::default();
        let v_min_pu = form.v_min_pu.unwrap_or(usual.v_min_pu);
        let v_max_pu = form.v_max_pu.unwrap_or(usual.v_max_pu);
        // A slack of which no limits are written stays where it is held, whoever may choose voltages.
        let held = |bus: &BusForm| {
            let of_generator =
                form.generators.iter().rev().find(|g| g.bus == bus.id && g.in_service && g.v_pu.is_some());
            of_generator.and_then(|g| g.v_pu).unwrap_or(bus.v_pu)
        };
        let limits = |bus: &BusForm| match bus.kind {
            BusKind::Slack => (bus.v_min_pu.unwrap_or_else(|| held(bus)), bus.v_max_pu.unwrap_or_else(|| held(bus))),
            _ => (bus.v_min_pu.unwrap_or(v_min_pu), bus.v_max_pu.unwrap_or(v_max_pu)),
        };
        let limits: Vec<(f64, f64)> = form.buses.iter().map(limits).collect();
        let buses = form.buses.into_iter().zip(limits).map(|(bus, (v_min_pu, v_max_pu))| Bus {
            id: bus.id,
            kind: bus.kind,
            p_load_kw: bus.p_kw,
            q_load_kvar: bus.q_kvar,
            g_kw: bus.g_kw,
            b_kvar: bus.b_kvar,
            base_kv: bus.base_kv.or(form.base_kv),
            v_min_pu,
            v_max_pu,
            v_pu: bus.v_pu,
            angle_deg: bus.angle_deg,
        });
        let mut network = Network {
            name: form.name,
            base_mva: form.base_mva,
            buses: buses.collect(),
            branches: Vec::new(),
            generators: Vec::new(),
        };
        // Bases before branches: ohms are divided by them.
        network.check()?;
        let find = |element, number, id| network.node(id).ok_or(NetworkError::UnknownBus { element, number, id });
        let mut branches = Vec::with_capacity(form.branches.len());
        for (k, branch) in form.branches.into_iter().enumerate() {
            let (from, to) = (find("branch", k + 1, branch.from)?, find("branch", k + 1, branch.to)?);
            branches.push(branch.per_unit(k + 1, from, to, &network)?);
        }
        let mut generators = Vec::with_capacity(form.generators.len());
        for (k, generator) in form.generators.into_iter().enumerate() {
            let node = find("generator", k + 1, generator.bus)?;
            generators.push(Generator {
                node,
                p_kw: generator.p_kw,
                q_kvar: generator.q_kvar,
                p_min_kw: generator.p_min_kw,
                p_max_kw: generator.p_max_kw,
                q_min_kvar: generator.q_min_kvar,
                q_max_kvar: generator.q_max_kvar,
                v_pu: generator.v_pu,
                cost_per_h: generator.cost_per_h,
                q_cost_per_h: generator.q_cost_per_h,
                pq_curve: generator.pq_curve,
                in_service: generator.in_service,
            });
        }
        network.branches = branches;
        network.generators = generators;
        network.check()?;
        Ok(network)
    }
}

impl BranchForm {
    fn per_unit(self, number: usize, from: NodeId, to: NodeId, network: &Network) -> Result<Branch, NetworkError> {
        let ends = BranchEnds { from: self.from, to: self.to };
        let either = |quantity, ohm: Option<f64>, pu: Option<f64>| match (ohm, pu) {
            (Some(_), Some(_)) => Err(NetworkError::ImpedanceUnit { number, ends, quantity, found: "not both" }),
            (None, None) => Err(NetworkError::ImpedanceUnit { number, ends, quantity, found: "neither is there" }),
            _ => Ok(()),
        };
        either("r", self.r_ohm, self.r_pu)?;
        either("x", self.x_ohm, self.x_pu)?;
        if self.b_siemens.is_some() && self.b_pu.is_some() {
            let (quantity, found) = ("b", "not both");
            return Err(NetworkError::ImpedanceUnit { number, ends, quantity, found });
        }
        let z_base = match (network.bus(from).base_kv, network.bus(to).base_kv) {
            (Some(a), Some(b)) if a == b => Ok(a * a / network.base_mva),
            _ => Err(NetworkError::OhmBase { number, ends }),
        };
        let physical = |value: Option<f64>, convert: fn(f64, f64) -> f64| match value {
            Some(value) => z_base.clone().map(|z| Some(convert(value, z))),
            None => Ok(None),
        };
        Ok(Branch {
            from,
            to,
            r_pu: physical(self.r_ohm, |r, z| r / z)?.or(self.r_pu).expect("invariant: one of the two"),
            x_pu: physical(self.x_ohm, |x, z| x / z)?.or(self.x_pu).expect("invariant: one of the two"),
            b_pu: physical(self.b_siemens, |b, z| b * z)?.or(self.b_pu).unwrap_or(0.0),
            tap: self.tap,
            shift_deg: self.shift_deg,
            rate_kva: self.rate_kva,
            angle_min_deg: self.angle_min_deg,
            angle_max_deg: self.angle_max_deg,
            in_service: self.in_service,
        })
    }
}

impl From<&Network> for NetworkForm {
    fn from(network: &Network) -> Self {
        let id = |node: NodeId| network.bus(node).id;
        let bus = |bus: &Bus| BusForm {
            id: bus.id,
            kind: bus.kind,
            p_kw: bus.p_load_kw,
            q_kvar: bus.q_load_kvar,
            g_kw: bus.g_kw,
            b_kvar: bus.b_kvar,
            base_kv: bus.base_kv,
            v_min_pu: Some(bus.v_min_pu),
            v_max_pu: Some(bus.v_max_pu),
            v_pu: bus.v_pu,
            angle_deg: bus.angle_deg,
        };
        let branch = |branch: &Branch| BranchForm {
            from: id(branch.from),
            to: id(branch.to),
            r_ohm: None,
            x_ohm: None,
            b_siemens: None,
            r_pu: Some(branch.r_pu),
            x_pu: Some(branch.x_pu),
            b_pu: Some(branch.b_pu).filter(|b| *b != 0.0),
            tap: branch.tap,
            shift_deg: branch.shift_deg,
            rate_kva: branch.rate_kva,
            angle_min_deg: branch.angle_min_deg,
            angle_max_deg: branch.angle_max_deg,
            in_service: branch.in_service,
        };
        let generator = |generator: &Generator| GeneratorForm {
            bus: id(generator.node),
            p_kw: generator.p_kw,
            q_kvar: generator.q_kvar,
            p_min_kw: generator.p_min_kw,
            p_max_kw: generator.p_max_kw,
            q_min_kvar: generator.q_min_kvar,
            q_max_kvar: generator.q_max_kvar,
            v_pu: generator.v_pu,
            cost_per_h: generator.cost_per_h.clone(),
            q_cost_per_h: generator.q_cost_per_h.clone(),
            pq_curve: generator.pq_curve,
            in_service: generator.in_service,
        };
        Self {
            name: network.name.clone(),
            base_mva: network.base_mva,
            base_kv: None,
            v_min_pu: None,
            v_max_pu: None,
            buses: network.buses.iter().map(bus).collect(),
            branches: network.branches.iter().map(branch).collect(),
            generators: network.generators.iter().map(generator).collect(),
        }
    }
}

// serde asks for functions.
fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

fn infinity() -> f64 {
    f64::INFINITY
}

fn minus_infinity() -> f64 {
    f64::NEG_INFINITY
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_one(value: &f64) -> bool {
    *value == 1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_infinity(value: &f64) -> bool {
    *value == f64::INFINITY
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_minus_infinity(value: &f64) -> bool {
    *value == f64::NEG_INFINITY
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_yes(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_pq(value: &BusKind) -> bool {
    *value == BusKind::Pq
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::BUILT_IN;
    use crate::network::ReadError;

    fn with(buses: &str, branches: &str) -> Result<Network, ReadError> {
        Network::from_ron(&format!(
            "Network(\n base_mva: 1, base_kv: 10,\n buses: [{buses}],\n branches: [{branches}])"
        ))
    }

    const TWO: &str = "(id: 1, kind: Slack), (id: 2, p_kw: 5)";

    #[test]
    fn impedances_come_in_one_unit_each_and_ohms_need_a_base() {
        let invalid = |buses, branch| match with(buses, branch) {
            // The branches stand in the fourth line.
            Err(ReadError::InvalidAt { line: 4, source }) => source,
            other => panic!("{other:?}"),
        };
        let error = invalid(TWO, "(from: 1, to: 2, r_ohm: 1, r_pu: 1, x_pu: 1)");
        assert!(matches!(error, NetworkError::ImpedanceUnit { quantity: "r", found: "not both", .. }));
        let error = invalid(TWO, "(from: 1, to: 2, r_ohm: 1)");
        assert!(matches!(error, NetworkError::ImpedanceUnit { quantity: "x", .. }));
        let error = invalid("(id: 1, kind: Slack), (id: 2, base_kv: 0.4)", "(from: 1, to: 2, r_ohm: 1, x_ohm: 1)");
        assert!(matches!(error, NetworkError::OhmBase { number: 1, .. }));
        let error = invalid(TWO, "(from: 1, to: 3, r_ohm: 1, x_ohm: 1)");
        assert_eq!(error, NetworkError::UnknownBus { element: "branch", number: 1, id: 3 });
        let n = with(TWO, "(from: 1, to: 2, r_ohm: 1, x_pu: 0.02, b_siemens: 1e-4)").unwrap();
        assert_eq!((n.branches[0].r_pu, n.branches[0].x_pu, n.branches[0].b_pu), (0.01, 0.02, 0.01));
    }

    #[test]
    fn a_network_survives_ron_and_json() {
        for built_in in BUILT_IN {
            let network = built_in.network().unwrap();
            let ron =
                ron::ser::to_string_pretty(&network, ron::ser::PrettyConfig::default().struct_names(true)).unwrap();
            assert_eq!(Network::from_ron(&ron).unwrap(), network);
            let json = serde_json::to_string(&network).unwrap();
            assert_eq!(serde_json::from_str::<Network>(&json).unwrap(), network);
        }
    }
}
