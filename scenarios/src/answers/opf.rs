//! An optimal power flow as it is answered: dispatch, and what a kilowatt-hour costs at every bus.

use super::{AnswerError, CarbonFile};
use coase_core::network::{Cost, Generator, Network, Topology};
use coase_core::opf::{
    AcOpf, CarbonPricing, DcOpf, LinDistOpf, OpfCarbon, OpfError, Price, SlackVoltage, Status, ac_opf, dc_opf,
    lin_dist_opf, relaxed_opf,
};
use coase_core::program::Certificate;
use coase_core::units::per_kg;
use serde::Serialize;
use std::borrow::Cow;

/// What equations an optimal power flow keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpfFormulation {
    /// The AC flow of a radial network.
    Ac,
    /// Its convex relaxation, which bounds it.
    Relaxed,
    /// Angles only: no losses, no voltages; any network.
    Dc,
    /// Voltages but no losses; radial networks.
    LinDistFlow,
}

impl OpfFormulation {
    /// As answers have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ac => "ac",
            Self::Relaxed => "relaxed",
            Self::Dc => "dc",
            Self::LinDistFlow => "lindistflow",
        }
    }

    /// The most that can be asked of a network: the AC flow of a radial one, angles of any other.
    pub fn of(network: &Network) -> Self {
        if Topology::new(network).is_radial() { Self::Ac } else { Self::Dc }
    }
}

/// What is asked of a network: its cheapest dispatch.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpfQuestion<'a> {
    /// Which equations; `None`: [`OpfFormulation::of`] the network.
    pub formulation: Option<OpfFormulation>,
    /// What generates at which intensity; without it nothing is charged for carbon.
    pub carbon: Option<&'a CarbonFile>,
    /// Price of a tonne.
    pub carbon_price_per_tonne: f64,
    /// Whether slacks stay at the voltage of their set point.
    pub hold_slack: bool,
}

impl OpfQuestion<'_> {
    /// Solves it. What is infeasible, unbounded or not found is an answer: [`OpfAnswer::reason`] says why.
    ///
    /// # Errors
    /// A price that is none, or a question that the network or its costs do not permit.
    pub fn ask(&self, network: &Network) -> Result<OpfAnswer, AnswerError> {
        let price = self.carbon_price_per_tonne;
        if !(price.is_finite() && price >= 0.0) {
            return Err(AnswerError::CarbonPrice(price));
        }
        let mut network = Cow::Borrowed(network);
        let mut notes = vec![];
        if !has_a_cost(&network) {
            count_energy(network.to_mut());
            notes.push(format!("no generator of `{}` has a cost; every kWh generated counts 1", network.name));
        }
        let pricing = self.carbon.map(|carbon| {
            add_generation(network.to_mut(), carbon);
            CarbonPricing {
                price_per_tonne: price,
                generator_kg_per_kwh: network.generators.iter().map(|g| carbon.intensity(g.node)).collect(),
                node_kg_per_kwh: network.nodes().map(|n| carbon.intensity(n)).collect(),
            }
        });
        let formulation = self.formulation.unwrap_or_else(|| OpfFormulation::of(&network));
        let slack = if self.hold_slack { SlackVoltage::Held } else { SlackVoltage::WithinLimits };
        let with_voltages = formulation != OpfFormulation::Dc;
        if self.hold_slack && !with_voltages {
            notes.push("--hold-slack changes nothing: the DC formulation has no voltages".to_owned());
        }
        let pricing = pricing.as_ref();
        let solved = match formulation {
            OpfFormulation::Dc => dc_opf(&network, pricing).map(|found| OpfAnswer::dc(&network, &found, price)),
            OpfFormulation::LinDistFlow => {
                lin_dist_opf(&network, pricing, slack).map(|found| OpfAnswer::lin_dist(&network, &found, price))
            }
            OpfFormulation::Ac => {
                ac_opf(&network, pricing, slack).map(|found| OpfAnswer::ac(&network, "ac", &found, price))
            }
            OpfFormulation::Relaxed => {
                relaxed_opf(&network, pricing, slack).map(|found| OpfAnswer::ac(&network, "relaxed", &found, price))
            }
        };
        let mut answer = match solved {
            Ok(mut answer) => {
                answer.slack_voltage = with_voltages.then_some(if self.hold_slack { "held" } else { "chosen" });
                answer
            }
            Err(lost) => match OpfAnswer::lost(&network, formulation.name(), &lost) {
                Some(answer) => answer,
                None => return Err(lost.into()),
            },
        };
        if answer.status == "inexact" {
            let name = &network.name;
            notes.push(format!("the relaxation of `{name}` is no power flow: its value is a bound, not a dispatch"));
        }
        answer.notes = notes;
        Ok(answer)
    }
}

/// Networks for power flow studies name no costs: the least generation is a question all the same.
fn has_a_cost(network: &Network) -> bool {
    let mut running = network.generators.iter().filter(|g| g.in_service).peekable();
    running.peek().is_none() || running.any(|g| g.cost_per_h.is_some())
}

fn count_energy(network: &mut Network) {
    for generator in network.generators.iter_mut().filter(|g| g.in_service) {
        generator.cost_per_h = Some(Cost::Polynomial(vec![0.0, 1.0]));
    }
}

/// What a carbon file adds is there anyway: no decision and no cost.
fn add_generation(network: &mut Network, carbon: &CarbonFile) {
    for (node, p_kw, q_kvar) in carbon.added() {
        network.generators.push(Generator {
            node,
            p_kw,
            q_kvar,
            p_min_kw: p_kw,
            p_max_kw: p_kw,
            q_min_kvar: q_kvar,
            q_max_kvar: q_kvar,
            v_pu: None,
            cost_per_h: Some(Cost::Polynomial(vec![])),
            ..Generator::default()
        });
    }
}

/// An optimal power flow in the units and under the names of the command line.
#[derive(Clone, Debug, Serialize)]
pub struct OpfAnswer {
    /// Name of the network.
    pub network: String,
    /// Its formulation.
    pub formulation: &'static str,
    /// Cost, money per hour.
    pub objective_per_h: Option<f64>,
    /// Whether there is a dispatch, or the bound that was asked for, that keeps all limits.
    pub converged: bool,
    /// `optimal` for the linear formulations; `certified` (proven globally optimal), `local` (optimal nearby, bounded),
    /// `violated` (limits cannot all be kept; the dispatch misses them least) for `ac`; `relaxed` where the relaxation is a
    /// power flow, `inexact` where it is none and only its value, which is a bound, and its prices are given; without a
    /// dispatch `infeasible`, `unbounded` or `not_converged`.
    pub status: &'static str,
    /// Distance from the bound, money per hour.
    pub gap: Option<f64>,
    /// What no dispatch costs less than, money per hour.
    pub bound_per_h: Option<f64>,
    /// How far the relaxation is from a power flow at the worst branch.
    pub max_cone_gap: Option<f64>,
    /// Emitted, kg/h.
    pub emissions_kg_per_h: Option<f64>,
    /// `chosen` within the limits of the slacks, or `held` at their set point; nothing without voltages.
    pub slack_voltage: Option<&'static str>,
    /// In the order of the network, what the carbon file adds behind them.
    pub generators: Vec<OpfGenerator>,
    /// In the order of the network.
    pub buses: Vec<OpfBus>,
    /// Limits that are not kept, in words.
    #[serde(skip)]
    pub missed: Vec<String>,
    /// Why there is no dispatch.
    #[serde(skip)]
    pub reason: Option<String>,
    /// What the reader should know of the question.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// A generator.
#[derive(Clone, Debug, Serialize)]
pub struct OpfGenerator {
    /// Number of its bus.
    pub bus: u64,
    /// Active power, kW.
    pub p_kw: Option<f64>,
    /// Reactive power, kvar.
    pub q_kvar: Option<f64>,
}

/// A bus and the parts of its price, money per kWh.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OpfBus {
    /// Its number.
    pub id: u64,
    /// Voltage, pu.
    pub voltage_pu: Option<f64>,
    /// Locational marginal price: the sum of the next five.
    pub price_per_kwh: Option<f64>,
    /// Price at the slack.
    pub energy: Option<f64>,
    /// Marginal losses.
    pub loss: Option<f64>,
    /// Ratings of branches.
    pub congestion: Option<f64>,
    /// Limits of voltages.
    pub voltage: Option<f64>,
    /// Carbon of what serves the next kWh.
    pub carbon: Option<f64>,
    /// The other split: price of carbon x marginal emission; the rest of the price is electricity.
    pub carbon_response: Option<f64>,
    /// Average intensity of what is drawn there, kg/kWh.
    pub carbon_intensity_kg_per_kwh: Option<f64>,
    /// Emission of the next kWh, kg/kWh.
    pub marginal_emission_kg_per_kwh: Option<f64>,
}

impl OpfAnswer {
    /// A DC dispatch: 1 pu wherever there is an angle, no losses, no reactive power.
    fn dc(network: &Network, found: &DcOpf, carbon_price_per_tonne: f64) -> Self {
        let mut answer = Self::empty(network, "dc");
        answer.optimal(found.objective_per_h, &found.certificate);
        answer.outputs(&found.generation_kw, &vec![0.0; found.generation_kw.len()]);
        for (bus, angle) in answer.buses.iter_mut().zip(&found.angle_deg) {
            bus.voltage_pu = angle.map(|_| 1.0);
        }
        answer.price(&found.prices);
        answer.account(found.carbon.as_ref(), carbon_price_per_tonne);
        answer
    }

    /// A LinDistFlow dispatch.
    fn lin_dist(network: &Network, found: &LinDistOpf, carbon_price_per_tonne: f64) -> Self {
        let mut answer = Self::empty(network, "lindistflow");
        answer.optimal(found.objective_per_h, &found.certificate);
        answer.outputs(&found.generation_kw, &found.generation_kvar);
        for (bus, voltage) in answer.buses.iter_mut().zip(&found.voltage_pu) {
            bus.voltage_pu = *voltage;
        }
        answer.price(&found.prices);
        answer.account(found.carbon.as_ref(), carbon_price_per_tonne);
        answer
    }

    /// An AC dispatch of a radial network, or of its relaxation.
    fn ac(network: &Network, formulation: &'static str, found: &AcOpf, carbon_price_per_tonne: f64) -> Self {
        let mut answer = Self::empty(network, formulation);
        answer.status = match (&found.status, formulation) {
            (Status::Violated(missed), _) => {
                answer.missed = missed.iter().map(|v| v.describe(network)).collect();
                "violated"
            }
            (_, "relaxed") => {
                if found.is_power_flow {
                    "relaxed"
                } else {
                    "inexact"
                }
            }
            (Status::Certified { .. }, _) => "certified",
            _ => "local",
        };
        answer.converged = answer.missed.is_empty();
        answer.objective_per_h = Some(found.objective_per_h + 0.0);
        answer.bound_per_h = found.bound_per_h;
        answer.gap = found.bound_per_h.map(|bound| (found.objective_per_h - bound).max(0.0));
        answer.max_cone_gap = Some(found.max_cone_gap);
        answer.price(&found.prices);
        // What is no power flow is nobody's dispatch.
        if found.is_power_flow {
            answer.outputs(&found.generation_kw, &found.generation_kvar);
            for (bus, voltage) in answer.buses.iter_mut().zip(&found.voltage_pu) {
                bus.voltage_pu = *voltage;
            }
            answer.account(found.carbon.as_ref(), carbon_price_per_tonne);
        }
        answer
    }

    /// No answer, where that is an answer; `None` where the question was wrong.
    fn lost(network: &Network, formulation: &'static str, why: &OpfError) -> Option<Self> {
        let status = match why {
            OpfError::Infeasible { .. } | OpfError::NoPowerFlow => "infeasible",
            OpfError::Unbounded { .. } => "unbounded",
            OpfError::NotSolved(_) | OpfError::NotConverged | OpfError::Tangents { .. } => "not_converged",
            _ => return None,
        };
        Some(Self { status, reason: Some(why.to_string()), ..Self::empty(network, formulation) })
    }

    fn empty(network: &Network, formulation: &'static str) -> Self {
        let generator = |g: &Generator| OpfGenerator { bus: network.bus(g.node).id, p_kw: None, q_kvar: None };
        Self {
            network: network.name.clone(),
            formulation,
            objective_per_h: None,
            converged: false,
            status: "not_converged",
            gap: None,
            bound_per_h: None,
            max_cone_gap: None,
            emissions_kg_per_h: None,
            slack_voltage: None,
            generators: network.generators.iter().map(generator).collect(),
            buses: network.buses.iter().map(|bus| OpfBus { id: bus.id, ..OpfBus::default() }).collect(),
            missed: vec![],
            reason: None,
            notes: vec![],
        }
    }

    fn optimal(&mut self, objective_per_h: f64, certificate: &Certificate) {
        self.converged = true;
        self.status = "optimal";
        self.objective_per_h = Some(objective_per_h + 0.0);
        // Rounding may make a proof of optimality a little negative.
        let gap = certificate.gap.max(0.0);
        self.gap = Some(gap);
        self.bound_per_h = Some(objective_per_h - gap);
    }

    fn outputs(&mut self, kw: &[f64], kvar: &[f64]) {
        for (generator, (kw, kvar)) in self.generators.iter_mut().zip(kw.iter().zip(kvar)) {
            (generator.p_kw, generator.q_kvar) = (Some(kw + 0.0), Some(kvar + 0.0));
        }
    }

    fn price(&mut self, prices: &[Option<Price>]) {
        for (bus, price) in self.buses.iter_mut().zip(prices) {
            let Some(price) = price else { continue };
            bus.price_per_kwh = Some(price.per_kwh() + 0.0);
            bus.energy = Some(price.energy + 0.0);
            bus.loss = Some(price.loss + 0.0);
            bus.congestion = Some(price.congestion + 0.0);
            bus.voltage = Some(price.voltage + 0.0);
            bus.carbon = Some(price.carbon + 0.0);
        }
    }

    fn account(&mut self, carbon: Option<&OpfCarbon>, price_per_tonne: f64) {
        let Some(carbon) = carbon else { return };
        self.emissions_kg_per_h = Some(carbon.emissions_kg_per_h + 0.0);
        let nodes = carbon.intensity_kg_per_kwh.iter().zip(&carbon.marginal_kg_per_kwh);
        for (bus, (average, marginal)) in self.buses.iter_mut().zip(nodes) {
            bus.carbon_intensity_kg_per_kwh = *average;
            bus.marginal_emission_kg_per_kwh = marginal.map(|kg| kg + 0.0);
            bus.carbon_response = marginal.map(|kg| per_kg(price_per_tonne) * kg + 0.0);
        }
    }
}
