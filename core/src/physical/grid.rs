//! The network under given schedules, period by period: AC power flow, then carbon flow with every member as an internal
//! node behind its connection point, so that what it exports carries its own mix. Storages carry embodied carbon from one
//! period to the next.

use super::{InPeriod, PhysicalError};
use crate::carbon_flow::storage::{StorageCarbon, StorageCarbonError, StorageRule};
use crate::carbon_flow::{CarbonFlow, FlowGraph, LossRule, trace};
use crate::market::{DevicePlan, Plan};
use crate::network::BusKind;
use crate::power_flow::{Flow, Injections};
use crate::setting::{Feeder, Setting};
use std::sync::Arc;

/// State of the network in one period.
#[derive(Clone, Debug)]
pub struct GridState {
    /// Power flow.
    pub flow: Flow,
    /// Carbon flow; its first nodes are the network's, then one internal node per connected member.
    pub carbon: CarbonFlow,
    /// Intensity at each member's connection point, kg/kWh; `None` where nothing flows.
    pub member_intensity_kg_per_kwh: Vec<Option<f64>>,
    /// Intensity of what each member exports, kg/kWh; `None` where it exports nothing.
    pub export_intensity_kg_per_kwh: Vec<Option<f64>>,
    /// Carbon that storages took in less what they gave back, kg.
    pub stored_carbon_kg: f64,
}

/// A load or source below this is nothing, kW.
const NOTHING_KW: f64 = 1e-9;

pub(super) fn states(
    setting: &Setting,
    feeder: &Feeder,
    plans: &[Arc<Plan>],
    rule: StorageRule,
) -> Result<Vec<GridState>, PhysicalError> {
    let mut stores = Stores::new(setting, plans, rule)?;
    let mut states = vec![];
    for t in 0..setting.periods.count {
        let solved = feeder.power_flow.solve(&injections(setting, feeder, plans, t));
        let flow = solved.map_err(InPeriod::at(t))?;
        states.push(carbon_state(setting, feeder, plans, &mut stores, t, flow)?);
    }
    Ok(states)
}

/// Power that the network itself takes, kW: what enters at all buses.
pub(super) fn taken_kw(flow: &Flow) -> f64 {
    flow.p_kw.iter().sum()
}

/// Energy that the network itself takes per period, kWh.
pub(super) fn taken_kwh(setting: &Setting, feeder: &Feeder, plans: &[Arc<Plan>]) -> Result<Vec<f64>, PhysicalError> {
    let taken = |t: usize| {
        let solved = feeder.power_flow.solve(&injections(setting, feeder, plans, t));
        let flow = solved.map_err(InPeriod::at(t))?;
        Ok(setting.periods.hours * taken_kw(&flow))
    };
    (0..setting.periods.count).map(taken).collect()
}

/// Net output of a member in a period, kW.
fn net_output_kw(setting: &Setting, plan: &Plan, period: usize) -> f64 {
    setting.energy_slot(period).map_or(0.0, |k| plan.output[k]) / setting.periods.hours
}

fn injections(setting: &Setting, feeder: &Feeder, plans: &[Arc<Plan>], period: usize) -> Injections {
    let mut injections = feeder.without_members(period);
    for (member, plan) in setting.members.iter().zip(plans) {
        if let Some(node) = member.node {
            let p_kw = net_output_kw(setting, plan, period);
            injections.add(node, p_kw, p_kw * member.reactive_per_kw());
        }
    }
    injections
}

fn carbon_state(
    setting: &Setting,
    feeder: &Feeder,
    plans: &[Arc<Plan>],
    stores: &mut Stores,
    period: usize,
    flow: Flow,
) -> Result<GridState, PhysicalError> {
    let network = &feeder.network;
    let upstream = setting.intensity(period);
    let in_service = network.branches.iter().zip(&flow.branches).filter(|(b, _)| b.in_service);
    let branches = in_service.map(|(branch, ends)| (branch.from, branch.to, ends.p_from_kw, ends.p_to_kw));
    let fixed = network.generators.iter().filter(|g| g.in_service && network.bus(g.node).kind != BusKind::Slack);
    let slacks = flow.slacks.iter().map(|slack| (slack.node, slack.p_kw));
    let supplies = slacks.chain(fixed.map(|g| (g.node, g.p_kw))).map(|(node, kw)| (node, kw, upstream));
    let mut graph = FlowGraph::of(network, branches, supplies);
    // A negative passive load is somebody's unmetered generation: it counts at the grid's average.
    graph.negative_load_kg_per_kwh = Some(upstream);
    let mut inner = vec![None; plans.len()];
    for (i, (member, plan)) in setting.members.iter().zip(plans).enumerate() {
        let Some(node) = member.node else { continue };
        let joined = graph.join_member(node.0, -net_output_kw(setting, plan, period));
        sources(&mut graph, joined.node, plan, period, setting.periods.hours, stores.of(i));
        inner[i] = Some(joined);
    }
    let carbon = trace(&graph, LossRule::Explicit).map_err(InPeriod::at(period))?;
    let mut state = GridState {
        member_intensity_kg_per_kwh: inner
            .iter()
            .map(|j| j.and_then(|j| carbon.intensity_kg_per_kwh[j.connection]))
            .collect(),
        export_intensity_kg_per_kwh: inner
            .iter()
            .zip(plans)
            .map(|(j, plan)| {
                j.filter(|_| net_output_kw(setting, plan, period) > NOTHING_KW)
                    .and_then(|j| carbon.intensity_kg_per_kwh[j.node])
            })
            .collect(),
        flow,
        carbon,
        stored_carbon_kg: 0.0,
    };
    for (i, joined) in inner.iter().enumerate() {
        // Where nothing flows nothing is stored, whatever the intensity.
        let w = joined.and_then(|j| state.carbon.intensity_kg_per_kwh[j.node]).unwrap_or(upstream);
        state.stored_carbon_kg +=
            stores.advance(i, &plans[i], period, w).map_err(|source| not_followed(setting, i, period, source))?;
    }
    Ok(state)
}

/// Adds what a member generates inside: emitting devices at their own intensity, storages at what they carry, the rest
/// without carbon. Interrupted and shifted load is load, not generation.
fn sources(graph: &mut FlowGraph, node: usize, plan: &Plan, period: usize, hours: f64, stores: &[Store]) {
    let emitting_kw = plan.emitting_kwh[period] / hours;
    if emitting_kw > NOTHING_KW {
        graph.source(node, emitting_kw, plan.emission_kg[period] / plan.emitting_kwh[period]);
    }
    let mut clean_kw = -emitting_kw;
    for (d, device) in plan.devices.iter().enumerate() {
        let power = device.power_kw.get(period).copied().unwrap_or(0.0);
        if power <= NOTHING_KW || device.is_load() {
            continue;
        }
        match stores.iter().find(|s| s.device == d) {
            Some(store) => {
                graph.source(node, power, store.carbon.export_kg_per_kwh());
            }
            None => clean_kw += power,
        }
    }
    if clean_kw > NOTHING_KW {
        graph.source(node, clean_kw, 0.0);
    }
}

/// A storage with its carbon.
struct Store {
    device: usize,
    carbon: StorageCarbon,
}

fn not_followed(setting: &Setting, member: usize, period: usize, source: StorageCarbonError) -> PhysicalError {
    PhysicalError::StorageCarbon { who: setting.members[member].id.clone(), source: InPeriod { period, source } }
}

/// The storages of every member.
struct Stores {
    of_member: Vec<Vec<Store>>,
    hours: f64,
}

impl Stores {
    /// Every store begins at the grid's intensity of the first period.
    fn new(setting: &Setting, plans: &[Arc<Plan>], rule: StorageRule) -> Result<Self, PhysicalError> {
        let open = |(device, plan): (usize, &DevicePlan)| {
            plan.store.map(|s| {
                let carbon = StorageCarbon::new(rule, s.efficiency, s.start_kwh, setting.intensity(0));
                carbon.map(|carbon| Store { device, carbon })
            })
        };
        let of_member = plans
            .iter()
            .enumerate()
            .map(|(i, plan)| {
                let stores = plan.devices.iter().enumerate().filter_map(open).collect::<Result<_, _>>();
                stores.map_err(|source| not_followed(setting, i, 0, source))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { of_member, hours: setting.periods.hours })
    }

    fn of(&self, member: usize) -> &[Store] {
        &self.of_member[member]
    }

    /// Takes the member's storages through a period and returns the carbon they keep, kg.
    fn advance(
        &mut self,
        member: usize,
        plan: &Plan,
        period: usize,
        w_kg_per_kwh: f64,
    ) -> Result<f64, StorageCarbonError> {
        let mut kept = 0.0;
        for store in &mut self.of_member[member] {
            let power = plan.devices[store.device].power_kw[period];
            let step = store.carbon.step((-power).max(0.0), power.max(0.0), w_kg_per_kwh, self.hours)?;
            kept += step.in_kg - step.out_kg;
        }
        Ok(kept)
    }
}
