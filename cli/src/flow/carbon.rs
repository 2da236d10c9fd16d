//! The carbon file: what each bus generates at which intensity, and generation added to it.

use crate::offence::{Offence, Place};
use anyhow::{anyhow, bail, ensure};
use coase_core::network::{BusKind, Network, NodeId};
use coase_core::power_flow::Injections;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    default_kg_per_kwh: f64,
    #[serde(default)]
    by_bus: BTreeMap<u64, f64>,
    #[serde(default)]
    generation: BTreeMap<u64, Generation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generation {
    p_kw: f64,
    #[serde(default)]
    q_kvar: f64,
}

/// A carbon file that fits its network.
#[derive(Debug)]
pub struct CarbonFile {
    default_kg_per_kwh: f64,
    by_node: BTreeMap<NodeId, f64>,
    added: Vec<(NodeId, Generation)>,
}

impl CarbonFile {
    /// Reads a file and finds its buses.
    pub fn read(path: &Path, network: &Network) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = coase_scenarios::read_text(path).map_err(Offence::from)?;
        let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        let form: Form = options.from_str(&text).map_err(|wrong| Offence {
            file: shown.to_string(),
            place: Some(Place::of(&text, wrong.span.start.line, Some(wrong.span.start.col))),
            message: wrong.code.to_string(),
            hint: None,
        })?;
        let node = |bus: u64| {
            network.node(bus).ok_or_else(|| anyhow!("{shown}: bus {bus} is not in the network `{}`", network.name))
        };
        let intensities = form.by_bus.values().chain([&form.default_kg_per_kwh]);
        for value in intensities.chain(form.generation.values().flat_map(|g| [&g.p_kw, &g.q_kvar])) {
            ensure!(value.is_finite(), "{shown}: {value} is not a finite number");
        }
        if let Some((bus, added)) = form.generation.iter().find(|(_, g)| g.p_kw < 0.0) {
            bail!("{shown}: the generation at bus {bus} is {} kW, but must not be negative", added.p_kw);
        }
        Ok(Self {
            default_kg_per_kwh: form.default_kg_per_kwh,
            by_node: form.by_bus.into_iter().map(|(bus, e)| Ok((node(bus)?, e))).collect::<anyhow::Result<_>>()?,
            added: form.generation.into_iter().map(|(bus, g)| Ok((node(bus)?, g))).collect::<anyhow::Result<_>>()?,
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
