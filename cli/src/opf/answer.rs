//! What `coase opf` prints.

use coase_core::network::Network;
use coase_core::opf::{AcOpf, DcOpf, LinDistOpf, OpfCarbon, OpfError, Price, Status};
use coase_core::program::Certificate;
use coase_core::units::per_kg;
use serde::Serialize;
use std::fmt::Write;

/// An optimal power flow in the units and under the names of the command line.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    pub network: String,
    pub formulation: &'static str,
    pub objective_per_h: Option<f64>,
    pub converged: bool,
    /// `optimal` for the linear formulations; `certified` (proven globally optimal), `local` (optimal nearby, bounded),
    /// `violated` (limits cannot all be kept; the dispatch misses them least) for `ac`; `relaxed` where the relaxation is a
    /// power flow, `inexact` where it is none and only its value, which is a bound, and its prices are given; without a
    /// dispatch `infeasible`, `unbounded` or `not_converged`.
    pub status: &'static str,
    /// Distance from the bound, money per hour.
    pub gap: Option<f64>,
    pub bound_per_h: Option<f64>,
    pub max_cone_gap: Option<f64>,
    pub emissions_kg_per_h: Option<f64>,
    /// `chosen` within the limits of the slacks, or `held` at their set point; nothing without voltages.
    pub slack_voltage: Option<&'static str>,
    pub generators: Vec<GeneratorAnswer>,
    pub buses: Vec<BusAnswer>,
    /// Limits that are not kept, in words.
    #[serde(skip)]
    pub missed: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct GeneratorAnswer {
    pub bus: u64,
    pub p_kw: Option<f64>,
    pub q_kvar: Option<f64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct BusAnswer {
    pub id: u64,
    pub voltage_pu: Option<f64>,
    pub price_per_kwh: Option<f64>,
    pub energy: Option<f64>,
    pub loss: Option<f64>,
    pub congestion: Option<f64>,
    pub voltage: Option<f64>,
    pub carbon: Option<f64>,
    /// The other split: price of carbon x marginal emission; the rest of the price is electricity.
    pub carbon_response: Option<f64>,
    pub carbon_intensity_kg_per_kwh: Option<f64>,
    pub marginal_emission_kg_per_kwh: Option<f64>,
}

impl Answer {
    /// A DC dispatch: 1 pu wherever there is an angle, no losses, no reactive power.
    pub fn dc(network: &Network, found: &DcOpf, carbon_price_per_tonne: f64) -> Self {
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
    pub fn lin_dist(network: &Network, found: &LinDistOpf, carbon_price_per_tonne: f64) -> Self {
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
    pub fn ac(network: &Network, formulation: &'static str, found: &AcOpf, carbon_price_per_tonne: f64) -> Self {
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
    pub fn lost(network: &Network, formulation: &'static str, why: &OpfError) -> Option<Self> {
        let status = match why {
            OpfError::Infeasible { .. } | OpfError::NoPowerFlow => "infeasible",
            OpfError::Unbounded { .. } => "unbounded",
            OpfError::NotSolved(_) | OpfError::NotConverged | OpfError::Tangents { .. } => "not_converged",
            _ => return None,
        };
        Some(Self { status, ..Self::empty(network, formulation) })
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| writeln!(text, "{}", words.trim_end()).expect("writing to a string");
        let Some(objective) = self.objective_per_h else {
            line(format!("{}: {} ({})", self.network, self.status, self.formulation));
            return text;
        };
        let gap = self.gap.map_or(String::new(), |gap| format!(", at most {gap:.1e} from the best"));
        line(format!("{}: {} ({}), {objective:.6} per h{gap}", self.network, self.status, self.formulation));
        match self.slack_voltage {
            Some("held") => line("  slacks held at their set point".into()),
            Some(_) => line("  slacks at the best voltage within their limits".into()),
            None => {}
        }
        if let Some(kg) = self.emissions_kg_per_h {
            line(format!("  emissions  {kg:.3} kg/h"));
        }
        line(format!("\n{:>8} {:>14} {:>14}", "at bus", "kW", "kvar"));
        for g in &self.generators {
            line(format!("{:>8} {} {}", g.bus, number(g.p_kw, 14, 3), number(g.q_kvar, 14, 3)));
        }
        let with_carbon = self.emissions_kg_per_h.is_some();
        let head = if with_carbon { "     carbon    average   marginal" } else { "" };
        line(format!(
            "\n{:>8} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}{head}",
            "bus", "voltage", "price", "energy", "loss", "congestion", "voltage"
        ));
        let units = if with_carbon { "    per kWh     kg/kWh     kg/kWh" } else { "" };
        line(format!("{:>8} {:>10}{}{units}", "", "pu", format!(" {:>10}", "per kWh").repeat(5)));
        for b in &self.buses {
            let price = [b.price_per_kwh, b.energy, b.loss, b.congestion, b.voltage].map(|v| number(v, 10, 6));
            let carbon = [b.carbon, b.carbon_intensity_kg_per_kwh, b.marginal_emission_kg_per_kwh];
            let carbon = if with_carbon { carbon.map(|v| number(v, 10, 6)).join(" ") } else { String::new() };
            line(format!("{:>8} {} {} {carbon}", b.id, number(b.voltage_pu, 10, 6), price.join(" ")));
        }
        text
    }

    fn empty(network: &Network, formulation: &'static str) -> Self {
        let generator = |g: &coase_core::network::Generator| GeneratorAnswer {
            bus: network.bus(g.node).id,
            p_kw: None,
            q_kvar: None,
        };
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
            buses: network.buses.iter().map(|bus| BusAnswer { id: bus.id, ..BusAnswer::default() }).collect(),
            missed: vec![],
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

/// Right-aligned with so many decimals; a dash where there is none.
fn number(x: Option<f64>, width: usize, decimals: usize) -> String {
    x.map_or_else(|| format!("{:>width$}", "-"), |x| format!("{:>width$.decimals$}", x + 0.0))
}
