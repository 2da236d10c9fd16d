//! The carbon file: what each bus generates at which intensity, and generation added to it.

use crate::fault::{Cause, Fault};
use crate::reading::read_text;
use crate::text::Text;
use coase_core::network::{BusKind, Network, NodeId};
use coase_core::power_flow::Injections;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What generates in a network, and how much it emits: `(default_kg_per_kwh: 0.581, by_bus: {6: 0.45})`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Carbon {
    /// Emissions of a kWh generated at a bus that `by_bus` does not name, the slack included.
    pub default_kg_per_kwh: f64,
    /// Emissions of a kWh generated at a bus, by its number.
    #[serde(default)]
    pub by_bus: BTreeMap<u64, f64>,
    /// Generation added to what the network's file has, by the number of its bus.
    #[serde(default)]
    pub generation: BTreeMap<u64, Generation>,
}

/// Generation added at a bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// Active power.
    #[schemars(range(min = 0))]
    pub p_kw: f64,
    /// Reactive power.
    #[serde(default)]
    pub q_kvar: f64,
}

/// A carbon file that fits its network.
#[derive(Clone, Debug, PartialEq)]
pub struct CarbonFile {
    default_kg_per_kwh: f64,
    by_node: BTreeMap<NodeId, f64>,
    added: Vec<(NodeId, Generation)>,
}

impl CarbonFile {
    /// Reads a file and finds its buses.
    ///
    /// # Errors
    /// What is wrong, with its place in the file where that is known.
    pub fn read(path: &Path, network: &Network) -> Result<Self, Fault> {
        let shown = path.display().to_string();
        let content = read_text(path)?;
        let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        let form: Carbon = options.from_str(&content).map_err(|wrong| {
            let at = wrong.span.start;
            Text::new(shown.clone(), "", content.as_str()).ron_fault_at(wrong.code, at.line, at.col)
        })?;
        Self::new(form, network).map_err(|cause| Fault { file: shown, place: None, cause: Box::new(cause), hint: None })
    }

    /// Finds the buses of what was given in another way.
    ///
    /// # Errors
    /// A bus that is not there, a number that is not finite, generation below zero.
    pub fn new(carbon: Carbon, network: &Network) -> Result<Self, Cause> {
        let node = |bus: u64| network.node(bus).ok_or_else(|| Cause::NoBus { bus, network: network.name.clone() });
        let finite = |field: String, value: f64| {
            let expected = "a finite number".to_owned();
            if value.is_finite() { Ok(()) } else { Err(Cause::Field { field, found: value.to_string(), expected }) }
        };
        finite("default_kg_per_kwh".into(), carbon.default_kg_per_kwh)?;
        for (bus, kg_per_kwh) in &carbon.by_bus {
            finite(format!("the intensity at bus {bus}"), *kg_per_kwh)?;
        }
        for (bus, added) in &carbon.generation {
            let field = format!("the generation at bus {bus}");
            finite(field.clone(), added.p_kw)?;
            finite(field.clone(), added.q_kvar)?;
            if added.p_kw < 0.0 {
                let (found, expected) = (format!("{} kW", added.p_kw), "what is not negative".to_owned());
                return Err(Cause::Field { field, found, expected });
            }
        }
        Ok(Self {
            default_kg_per_kwh: carbon.default_kg_per_kwh,
            by_node: carbon.by_bus.into_iter().map(|(bus, e)| Ok((node(bus)?, e))).collect::<Result<_, Cause>>()?,
            added: carbon.generation.into_iter().map(|(bus, g)| Ok((node(bus)?, g))).collect::<Result<_, Cause>>()?,
        })
    }

    /// The generation that the file adds: where, kW, kvar.
    pub fn added(&self) -> impl Iterator<Item = (NodeId, f64, f64)> + '_ {
        self.added.iter().map(|(node, added)| (*node, added.p_kw, added.q_kvar))
    }

    /// Injects what the file adds.
    pub fn add_to(&self, injections: &mut Injections) {
        for (node, added) in &self.added {
            injections.add(*node, added.p_kw, added.q_kvar);
        }
    }

    /// Intensity of what a node generates, kg/kWh.
    pub fn intensity(&self, node: NodeId) -> f64 {
        self.by_node.get(&node).copied().unwrap_or(self.default_kg_per_kwh)
    }

    /// Everything that generates, kW: machines of the network that are not the slack's, negative loads, what is added.
    pub fn generation<'a>(&'a self, network: &'a Network) -> impl Iterator<Item = (NodeId, f64)> + 'a {
        let machines = network.generators.iter().filter(|g| g.in_service && network.bus(g.node).kind != BusKind::Slack);
        let negative = network.nodes().filter(|n| network.bus(*n).p_load_kw < 0.0);
        machines
            .map(|g| (g.node, g.p_kw))
            .chain(negative.map(|n| (n, -network.bus(n).p_load_kw)))
            .chain(self.added.iter().map(|(n, g)| (*n, g.p_kw)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Carbon, CarbonFile, Generation};
    use coase_core::network::built_in;
    use std::collections::BTreeMap;

    /// What a network cannot have is named with its bus.
    #[test]
    fn what_does_not_fit_the_network_is_refused() {
        let network = built_in("ieee-33").expect("built in").network().expect("readable");
        let said = |carbon: Carbon| CarbonFile::new(carbon, &network).expect_err("refused").to_string();
        let bus = said(Carbon { by_bus: BTreeMap::from([(99, 0.4)]), ..Carbon::default() });
        assert!(bus.contains("bus 99") && bus.contains("ieee-33"), "{bus}");
        let taken = BTreeMap::from([(6, Generation { p_kw: -3.0, q_kvar: 0.0 })]);
        let negative = said(Carbon { generation: taken, ..Carbon::default() });
        assert!(negative.contains("bus 6") && negative.contains("-3 kW"), "{negative}");
        let lost = said(Carbon { default_kg_per_kwh: f64::NAN, ..Carbon::default() });
        assert!(lost.contains("default_kg_per_kwh") && lost.contains("finite"), "{lost}");
    }
}
