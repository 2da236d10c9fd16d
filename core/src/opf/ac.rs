//! AC-OPF of a radial network as its file has it: generators with their costs and limits, loads, carbon.
//!
//! Translates a network into an hour of [`RadialOpf`] and the answer back. A slack with one generator at a linear cost
//! is the import; where it has another cost, its generators stand beside an import of nothing.

use crate::carbon_flow::{FlowGraph, LossRule, trace};
use crate::network::{BusKind, Generator, Network, Topology};
use crate::power_flow::{Injections, PowerFlow, PowerFlowError};

use super::carbon::{CarbonPricing, OpfCarbon};
use super::error::OpfError;
use super::prices::Price;
use super::radial::{Control, Dispatch, Hour, Import, RadialOpf, Status, Violation};
use super::slack::SlackVoltage;
use super::supply::{Offer, Supply};

/// An optimal AC dispatch of a radial network. Vectors follow the generators, buses and branches of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct AcOpf {
    /// How it ended; never without a flow.
    pub status: Status,
    /// Cost per hour, carbon included.
    pub objective_per_h: f64,
    /// No dispatch costs less than this; `None` where limits are missed.
    pub bound_per_h: Option<f64>,
    /// Active output of each generator, kW; 0 where it is out of service or not energised.
    pub generation_kw: Vec<f64>,
    /// Its reactive output, kvar.
    pub generation_kvar: Vec<f64>,
    /// Voltage magnitude, pu; `None` at isolated nodes.
    pub voltage_pu: Vec<Option<f64>>,
    /// Active loss, kW.
    pub loss_kw: f64,
    /// Active power into the sending and out of the receiving end of each branch, kW.
    pub branch_kw: Vec<(f64, f64)>,
    /// Prices of active power and their parts; of the relaxation in one piece.
    pub prices: Vec<Option<Price>>,
    /// Prices of reactive power, per kvarh.
    pub reactive_price_per_kvarh: Vec<Option<f64>>,
    /// Emissions; `None` where no intensities were given.
    pub carbon: Option<OpfCarbon>,
    /// Largest `l v - P^2 - Q^2`, pu^2 on the base of the network: 0 for a flow.
    pub max_cone_gap: f64,
    /// Whether the dispatch is a power flow; only a relaxation may be none, and then bounds the cost and nothing else.
    pub is_power_flow: bool,
}

/// Solves the AC-OPF of a radial network.
///
/// # Errors
/// See [`OpfError`]. Limits that cannot be kept are a status, not an error.
pub fn ac_opf(network: &Network, carbon: Option<&CarbonPricing>, slack: SlackVoltage) -> Result<AcOpf, OpfError> {
    solve(network, carbon, slack, RadialOpf::solve)
}

/// Solves its convex relaxation: a bound on the cost, and a dispatch only where it is a power flow.
///
/// # Errors
/// See [`OpfError`].
pub fn relaxed_opf(network: &Network, carbon: Option<&CarbonPricing>, slack: SlackVoltage) -> Result<AcOpf, OpfError> {
    solve(network, carbon, slack, RadialOpf::relaxed)
}

fn solve(
    network: &Network,
    carbon: Option<&CarbonPricing>,
    slack: SlackVoltage,
    ask: fn(&RadialOpf, &Hour) -> Result<Dispatch, OpfError>,
) -> Result<AcOpf, OpfError> {
    let radial = RadialOpf::with_slack(network, slack)?;
    if let Some(carbon) = carbon {
        carbon.check(network)?;
    }
    let topology = Topology::new(network);
    let question = Question::new(network, &topology, carbon)?;
    let dispatch = ask(&radial, &question.hour)?;
    match dispatch.status {
        Status::NoPowerFlow => Err(beyond_capability(network).unwrap_or(OpfError::NoPowerFlow)),
        // Without supply, and where no power flow was found, there is no dispatch to show.
        Status::Violated(missed) if missed.iter().any(Violation::is_of_supply) || !dispatch.is_power_flow => {
            Err(OpfError::Infeasible { what: missed.iter().map(|v| v.describe(network)).collect() })
        }
        Status::NotConverged => Err(OpfError::NotConverged),
        _ => question.answer(network, &topology, carbon, &dispatch),
    }
}

/// Costs and limits of reactive power beyond a range: to solve without them would answer another question.
pub(super) fn refuse_reactive_terms(network: &Network, supply: &Supply) -> Result<(), OpfError> {
    for offer in &supply.offers {
        let generator = &network.generators[offer.generator];
        let what = match (&generator.q_cost_per_h, &generator.pq_curve) {
            (Some(_), _) => "a cost of reactive power (`q_cost_per_h`)",
            (_, Some(_)) => "reactive limits that depend on its power (`pq_curve`)",
            (None, None) if is_load_of_one_power_factor(generator) => {
                "negative power only and one reactive limit, which makes it a dispatchable load of one power factor"
            }
            (None, None) => continue,
        };
        return Err(OpfError::Unsupported { number: offer.generator + 1, bus: network.bus(offer.node).id, what });
    }
    Ok(())
}

/// A load written as a generator, whose reactive power follows its active power: one of its reactive limits is 0, the other
/// gives the power factor (the convention of MATPOWER).
fn is_load_of_one_power_factor(g: &Generator) -> bool {
    let (low, high) = (g.q_min_kvar, g.q_max_kvar);
    g.p_min_kw < 0.0 && g.p_max_kw == 0.0 && (low == 0.0) != (high == 0.0) && (low + high).is_finite()
}

/// Where the voltage gives way if the loads alone are more than the network carries.
fn beyond_capability(network: &Network) -> Option<OpfError> {
    match PowerFlow::new(network).ok()?.solve(&Injections::loads_of(network)) {
        Err(PowerFlowError::BeyondCapability { bus, share }) => {
            let what = format!("bus {bus}: its voltage gives way at {:.2} % of the loads", share * 100.0);
            Some(OpfError::Infeasible { what: vec![what] })
        }
        _ => None,
    }
}

struct Question {
    hour: Hour,
    supply: Supply,
    /// Generator that is the import.
    import: Option<usize>,
    /// Generator of each control, its bus and its intensity.
    generator: Vec<usize>,
    /// Cost that nothing changes, per hour.
    constant_per_h: f64,
}

impl Question {
    fn new(network: &Network, topology: &Topology, carbon: Option<&CarbonPricing>) -> Result<Self, OpfError> {
        let supply = Supply::new(network, topology, carbon)?;
        refuse_reactive_terms(network, &supply)?;
        let tax = carbon.map_or(0.0, CarbonPricing::price_per_kg);
        let mut question = Self {
            hour: Hour {
                load_kw: network.buses.iter().map(|b| b.p_load_kw).collect(),
                load_kvar: network.buses.iter().map(|b| b.q_load_kvar).collect(),
                controls: vec![],
                import: Import::at(0.0),
            },
            import: None,
            generator: vec![],
            constant_per_h: tax * supply.fixed_kg_per_h,
            supply,
        };
        let at_slack = |offer: &&Offer| network.bus(offer.node).kind == BusKind::Slack;
        let linear = |offer: &Offer| match offer.blocks.as_slice() {
            [block] if block.square == 0.0 => Some(block.linear),
            _ => None,
        };
        // Generation that stands at the slack anyway, as a carbon file adds it, leaves the import what it is.
        let free = |offer: &&Offer| {
            let g = &network.generators[offer.generator];
            g.p_min_kw < g.p_max_kw
        };
        let roots: Vec<&Offer> = question.supply.offers.iter().filter(at_slack).filter(free).collect();
        let import = match roots.as_slice() {
            [offer] => linear(offer).map(|price| (offer.generator, price, offer.kg_per_kwh)),
            _ => None,
        };
        if network.slacks().count() > 1 && import.is_none() {
            return Err(OpfError::SeveralSlacks);
        }
        question.hour.import = if let Some((generator, price_per_kwh, kg_per_kwh)) = import {
            let g = &network.generators[generator];
            question.import = Some(generator);
            Import {
                price_per_kwh,
                carbon_per_kwh: tax * kg_per_kwh,
                emission_kg_per_kwh: kg_per_kwh,
                p_min_kw: g.p_min_kw,
                p_max_kw: g.p_max_kw,
                q_min_kvar: g.q_min_kvar,
                q_max_kvar: g.q_max_kvar,
            }
        } else {
            let kg_per_kwh = roots.first().map_or(0.0, |offer| offer.kg_per_kwh);
            let block = roots.first().and_then(|offer| offer.blocks.first());
            Import {
                price_per_kwh: block.map_or(0.0, |b| b.linear),
                carbon_per_kwh: tax * kg_per_kwh,
                emission_kg_per_kwh: kg_per_kwh,
                p_min_kw: 0.0,
                p_max_kw: 0.0,
                q_min_kvar: 0.0,
                q_max_kvar: 0.0,
            }
        };
        for offer in &question.supply.offers {
            let g = &network.generators[offer.generator];
            question.constant_per_h += offer.base_cost_per_h;
            if question.import == Some(offer.generator) {
                continue;
            }
            for (k, block) in offer.blocks.iter().enumerate() {
                // The first block carries what is below it.
                let below = if k == 0 { offer.base_kw } else { 0.0 };
                question.constant_per_h -= block.linear * below;
                question.hour.controls.push(Control {
                    node: offer.node,
                    p_min_kw: below + block.lower_kw,
                    p_max_kw: below + block.upper_kw,
                    q_min_kvar: if k == 0 { g.q_min_kvar } else { 0.0 },
                    q_max_kvar: if k == 0 { g.q_max_kvar } else { 0.0 },
                    s_max_kva: None,
                    cost_per_kwh: block.linear + tax * offer.kg_per_kwh,
                    cost_per_kwh2: block.square,
                    emission_kg_per_kwh: offer.kg_per_kwh,
                });
                question.generator.push(offer.generator);
            }
        }
        Ok(question)
    }

    fn answer(
        &self,
        network: &Network,
        topology: &Topology,
        carbon: Option<&CarbonPricing>,
        dispatch: &Dispatch,
    ) -> Result<AcOpf, OpfError> {
        let machines = network.generators.len();
        let (mut generation_kw, mut generation_kvar) = (vec![0.0; machines], vec![0.0; machines]);
        if let Some(import) = self.import {
            (generation_kw[import], generation_kvar[import]) = (dispatch.import_kw, dispatch.import_kvar);
        }
        for (generator, (p, q)) in self.generator.iter().zip(&dispatch.controls) {
            generation_kw[*generator] += p;
            generation_kvar[*generator] += q;
        }
        let objective_per_h = dispatch.objective_per_h + self.constant_per_h;
        let bound_per_h = match dispatch.status {
            Status::Certified { gap_per_h } => Some(objective_per_h - gap_per_h),
            Status::Local { bound_per_h, .. } => Some(bound_per_h + self.constant_per_h),
            _ => None,
        };
        let bus = |k: usize| dispatch.buses[k].as_ref();
        let nodes = 0..network.buses.len();
        let carbon = carbon.map(|c| self.emissions(network, topology, c, dispatch, &generation_kw)).transpose()?;
        Ok(AcOpf {
            status: dispatch.status.clone(),
            objective_per_h,
            bound_per_h,
            generation_kw,
            generation_kvar,
            voltage_pu: nodes.clone().map(|k| bus(k).map(|b| b.voltage_pu)).collect(),
            loss_kw: dispatch.loss_kw,
            branch_kw: dispatch.branches.clone(),
            prices: nodes.clone().map(|k| bus(k).map(|b| b.price)).collect(),
            reactive_price_per_kvarh: nodes.map(|k| bus(k).map(|b| b.reactive_price)).collect(),
            carbon,
            max_cone_gap: dispatch.max_cone_gap,
            is_power_flow: dispatch.is_power_flow,
        })
    }

    fn emissions(
        &self,
        network: &Network,
        topology: &Topology,
        carbon: &CarbonPricing,
        dispatch: &Dispatch,
        generation_kw: &[f64],
    ) -> Result<OpfCarbon, OpfError> {
        let branches = network.branches.iter().zip(&dispatch.branches);
        let branches = branches.map(|(branch, (sent, received))| (branch.from, branch.to, *sent, -received));
        let offers = &self.supply.offers;
        let offers = offers.iter().map(|offer| (offer.node, generation_kw[offer.generator], offer.kg_per_kwh));
        let unmetered = topology.order().iter().filter(|n| network.bus(**n).p_load_kw < 0.0);
        let unmetered = unmetered.map(|n| (*n, -network.bus(*n).p_load_kw, carbon.node_kg_per_kwh[n.0]));
        let emissions_kg_per_h =
            offers.clone().fold(self.supply.fixed_kg_per_h, |sum, (_, kw, kg_per_kwh)| sum + kg_per_kwh * kw);
        let mut graph = FlowGraph::of(network, branches, offers.chain(unmetered));
        graph.threshold_kw = 1e-8 * network.base_kva();
        Ok(OpfCarbon {
            emissions_kg_per_h,
            intensity_kg_per_kwh: trace(&graph, LossRule::Explicit)?.intensity_kg_per_kwh,
            marginal_kg_per_kwh: dispatch
                .buses
                .iter()
                .map(|b| b.as_ref().map(|b| b.marginal_emission_kg_per_kwh))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Cost, built_in};
    use crate::opf::{dc_opf, lin_dist_opf};

    #[track_caller]
    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }

    #[test]
    fn the_congested_15_bus_feeder_as_its_file_has_it() {
        // Mieth and Dvorkin's prices per MWh for Papavasiliou's feeder; the file keeps 0.9 to 1.1 pu.
        let n = built_in("ap-15").unwrap().network().unwrap();
        let answer = ac_opf(&n, None, SlackVoltage::Held).unwrap();
        assert!(matches!(answer.status, Status::Certified { .. }), "{:?}", answer.status);
        close(answer.objective_per_h, 71.126_713_64, 1e-5);
        close(answer.generation_kw[0], 1_368.733_85, 1e-2);
        close(answer.generation_kw[1], 269.002_13, 1e-2);
        for (id, per_mwh) in [(1, 50.0), (11, 46.958_970_60), (12, 10.0), (15, 50.692_444_06)] {
            close(answer.prices[n.node(id).unwrap().0].unwrap().per_kwh() * 1e3, per_mwh, 5e-6);
        }
        assert!(relaxed_opf(&n, None, SlackVoltage::Held).unwrap().objective_per_h <= answer.objective_per_h + 1e-6);
    }

    /// 33 buses with generators at 18, 33 and 25, fixed as in the integrated price of the design.
    fn integrated(root: Cost) -> (Network, CarbonPricing) {
        let mut n = built_in("ieee-33").unwrap().network().unwrap();
        n.generators[0].cost_per_h = Some(root);
        let slack = n.generators[0].clone();
        let unit = |id: u64, p: (f64, f64), q: f64, cost: Cost| Generator {
            node: n.node(id).unwrap(),
            p_min_kw: p.0,
            p_max_kw: p.1,
            q_min_kvar: q,
            q_max_kvar: q,
            cost_per_h: Some(cost),
            ..slack.clone()
        };
        let line = |per_kwh| Cost::Polynomial(vec![0.0, per_kwh]);
        let units = [
            unit(18, (0.0, 0.0), 300.0, line(0.0)),
            unit(33, (0.0, 2000.0), 400.0, Cost::Piecewise(vec![(0.0, 0.0), (500.0, 325.0), (2000.0, 1300.0)])),
            unit(25, (500.0, 500.0), 0.0, line(0.1)),
        ];
        n.generators.extend(units);
        let mut carbon = CarbonPricing::uniform(&n, 0.0, 280.0);
        (carbon.generator_kg_per_kwh[0], carbon.generator_kg_per_kwh[2]) = (0.581, 0.45);
        (n, carbon)
    }

    #[test]
    fn an_integrated_price_with_its_parts_and_signals() {
        let (n, carbon) = integrated(Cost::Polynomial(vec![0.0, 0.6]));
        let answer = ac_opf(&n, Some(&carbon), SlackVoltage::Held).unwrap();
        close(answer.generation_kw[2], 976.353_655_6, 1e-2);
        close(answer.generation_kw[0], 2_313.906_180_8, 1e-2);
        let found = answer.carbon.unwrap();
        close(found.emissions_kg_per_h, 1_783.738_636_1, 1e-2);
        let at = |id: u64| n.node(id).unwrap().0;
        close(answer.prices[at(18)].unwrap().per_kwh() * 1e3, 838.759_863_88, 1e-5);
        close(answer.prices[at(18)].unwrap().carbon * 1e3, 178.907_870_48, 1e-5);
        close(found.marginal_kg_per_kwh[at(18)].unwrap(), 0.586_286_51, 1e-6);
        close(found.intensity_kg_per_kwh[0].unwrap(), 0.581, 1e-12);
        close(found.intensity_kg_per_kwh[at(33)].unwrap(), 0.45, 1e-9);
        // A kWh costs what is lost, too: cost = price of all energy at the sources.
        let fuel = 0.6 * answer.generation_kw[0] + 0.65 * answer.generation_kw[2] + 0.1 * 500.0;
        close(answer.objective_per_h, fuel + 0.28 * found.emissions_kg_per_h, 1e-6);
    }

    #[test]
    fn a_root_with_a_quadratic_cost_has_its_marginal_cost_for_a_price() {
        let (n, carbon) = integrated(Cost::Polynomial(vec![7.0, 0.5, 2e-5]));
        let answer = ac_opf(&n, Some(&carbon), SlackVoltage::Held).unwrap();
        let p = answer.generation_kw[0];
        let root = answer.prices[0].unwrap();
        close(root.per_kwh(), 0.5 + 4e-5 * p + 0.28 * 0.581, 1e-7);
        close(root.carbon, 0.28 * 0.581, 1e-12);
        let kg = answer.carbon.unwrap().emissions_kg_per_h;
        let fuel = 7.0 + 0.5 * p + 2e-5 * p * p + 0.65 * answer.generation_kw[2] + 50.0;
        close(answer.objective_per_h, fuel + 0.28 * kg, 1e-5);
        // The generator at 33 is interior: its price is its cost.
        close(answer.prices[n.node(33).unwrap().0].unwrap().per_kwh(), 0.65 + 0.28 * 0.45, 1e-7);
    }

    #[test]
    fn reactive_terms_without_a_place_are_refused_by_name() {
        let network = built_in("ap-15").unwrap().network().unwrap();
        let mut load = network.clone();
        let g = &mut load.generators[1];
        (g.p_min_kw, g.p_max_kw, g.q_min_kvar, g.q_max_kvar) = (-100.0, 0.0, -30.0, 0.0);
        let mut costly = network;
        costly.generators[1].q_cost_per_h = Some(Cost::Polynomial(vec![0.0, 0.01]));
        for (n, says) in [(load, "power factor"), (costly, "q_cost_per_h")] {
            let answers = [
                ac_opf(&n, None, SlackVoltage::Held).unwrap_err(),
                relaxed_opf(&n, None, SlackVoltage::Held).unwrap_err(),
                lin_dist_opf(&n, None, SlackVoltage::Held).unwrap_err(),
            ];
            for error in answers {
                assert!(matches!(error, OpfError::Unsupported { number: 2, bus: 12, .. }), "{error}");
                assert!(error.to_string().contains(says), "{error}");
            }
            // Which does not know reactive power.
            assert!(dc_opf(&n, None).is_ok());
        }
    }
}
