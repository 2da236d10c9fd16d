//! What `coase flow` prints.

use super::carbon::CarbonFile;
use anyhow::Context;
use coase_core::carbon_flow::{FlowGraph, LossRule, trace};
use coase_core::network::Network;
use coase_core::power_flow::{DcFlow, Flow, Method, PowerFlowError};
use serde::Serialize;
use std::fmt::Write;

/// A power flow with its carbon, in the units and under the names of the command line.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    pub network: String,
    pub converged: bool,
    pub iterations: usize,
    pub mismatch_pu: Option<f64>,
    pub loss_kw: Option<f64>,
    pub loss_kvar: Option<f64>,
    pub slack_kw: Option<f64>,
    pub slack_kvar: Option<f64>,
    pub min_voltage_pu: Option<f64>,
    pub min_voltage_bus: Option<u64>,
    pub buses: Vec<BusAnswer>,
    pub branches: Vec<BranchAnswer>,
    pub carbon: CarbonAnswer,
    #[serde(skip)]
    method: &'static str,
    #[serde(skip)]
    physical: Option<Physical>,
}

#[derive(Clone, Debug, Serialize)]
pub struct BusAnswer {
    pub id: u64,
    pub voltage_pu: Option<f64>,
    pub angle_deg: Option<f64>,
    pub carbon_intensity_kg_per_kwh: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct BranchAnswer {
    pub from: u64,
    pub to: u64,
    pub in_service: bool,
    pub p_from_kw: Option<f64>,
    pub q_from_kvar: Option<f64>,
    pub loss_kw: Option<f64>,
    pub carbon_flow_kg_per_h: Option<f64>,
}

#[derive(Clone, Debug, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the answer carry their units")]
pub struct CarbonAnswer {
    pub source_kg_per_h: Option<f64>,
    pub load_kg_per_h: Option<f64>,
    pub loss_kg_per_h: Option<f64>,
}

/// What the carbon tracing needs: power into both ends of every branch, and the supply of the slacks, kW.
#[derive(Clone, Debug)]
struct Physical {
    branch_kw: Vec<(f64, f64)>,
    slack_kw: Vec<(coase_core::network::NodeId, f64)>,
}

impl Answer {
    /// An AC flow.
    pub fn ac(network: &Network, flow: &Flow) -> Self {
        let mut answer = Self::empty(network);
        answer.converged = true;
        answer.method = match flow.method {
            Method::Sweep => "backward-forward sweeps",
            Method::Newton => "Newton steps",
        };
        answer.iterations = flow.iterations;
        answer.mismatch_pu = Some(flow.mismatch_pu);
        answer.loss_kw = Some(flow.loss_kw);
        answer.loss_kvar = Some(flow.loss_kvar);
        answer.slack_kw = Some(flow.slack_kw());
        answer.slack_kvar = Some(flow.slack_kvar());
        let lowest = flow.min_voltage();
        answer.min_voltage_pu = lowest.map(|(_, v)| v);
        answer.min_voltage_bus = lowest.map(|(node, _)| network.bus(node).id);
        for (bus, voltage) in answer.buses.iter_mut().zip(&flow.voltages) {
            bus.voltage_pu = voltage.map(|v| v.magnitude_pu);
            bus.angle_deg = voltage.map(|v| v.angle_deg);
        }
        for (branch, found) in answer.branches.iter_mut().zip(&flow.branches) {
            branch.p_from_kw = Some(found.p_from_kw + 0.0);
            branch.q_from_kvar = Some(found.q_from_kvar + 0.0);
            branch.loss_kw = Some(found.loss_kw() + 0.0);
        }
        answer.physical = Some(Physical {
            branch_kw: flow.branches.iter().map(|b| (b.p_from_kw, b.p_to_kw)).collect(),
            slack_kw: flow.slacks.iter().map(|s| (s.node, s.p_kw)).collect(),
        });
        answer
    }

    /// A DC flow: 1 pu wherever there is a voltage, no losses, no reactive power.
    pub fn dc(network: &Network, flow: &DcFlow) -> Self {
        let mut answer = Self::empty(network);
        answer.converged = true;
        answer.method = "linear solve";
        answer.iterations = 1;
        answer.mismatch_pu = Some(0.0);
        answer.loss_kw = Some(0.0);
        answer.loss_kvar = Some(0.0);
        answer.slack_kw = Some(flow.slack_kw.iter().map(|s| s.1).sum());
        answer.slack_kvar = Some(0.0);
        for (bus, angle) in answer.buses.iter_mut().zip(&flow.angle_deg) {
            bus.angle_deg = *angle;
            bus.voltage_pu = angle.map(|_| 1.0);
        }
        let first = answer.buses.iter().find(|b| b.voltage_pu.is_some());
        (answer.min_voltage_pu, answer.min_voltage_bus) = (first.and_then(|b| b.voltage_pu), first.map(|b| b.id));
        for (branch, kw) in answer.branches.iter_mut().zip(&flow.branch_kw) {
            branch.p_from_kw = Some(*kw + 0.0);
            branch.q_from_kvar = Some(0.0);
            branch.loss_kw = Some(0.0);
        }
        answer.physical = Some(Physical {
            branch_kw: flow.branch_kw.iter().map(|kw| (*kw, -kw)).collect(),
            slack_kw: flow.slack_kw.clone(),
        });
        answer
    }

    /// A flow that was not found.
    pub fn not_converged(network: &Network, lost: &PowerFlowError) -> Self {
        let mut answer = Self::empty(network);
        if let PowerFlowError::NotConverged { iterations, mismatch_pu, .. } = lost {
            answer.iterations = *iterations;
            answer.mismatch_pu = mismatch_pu.is_finite().then_some(*mismatch_pu);
        }
        answer
    }

    /// Traces the carbon of all sources; losses are an account of their own.
    pub fn trace(&mut self, network: &Network, carbon: &CarbonFile) -> anyhow::Result<()> {
        let Some(physical) = &self.physical else { return Ok(()) };
        let branches = network.branches.iter().zip(&physical.branch_kw);
        let branches = branches.map(|(branch, (from_kw, to_kw))| (branch.from, branch.to, *from_kw, *to_kw));
        // An isolated node is not served, and so generates nothing.
        let alive = |node: coase_core::network::NodeId| self.buses[node.0].angle_deg.is_some();
        let generation = carbon.generation(network).filter(|(node, _)| alive(*node));
        let sources = physical.slack_kw.iter().copied().chain(generation);
        let sources = sources.map(|(node, kw)| (node, kw, carbon.intensity(node)));
        let mut graph = FlowGraph::of(network, branches, sources);
        // What the power flow leaves as a mismatch is no generation.
        let noise_pu = self.mismatch_pu.unwrap_or(0.0) * 10.0;
        graph.threshold_kw = network.base_kva() * noise_pu.max(1e-9);
        let traced = trace(&graph, LossRule::Explicit).context("carbon flow")?;
        for (bus, intensity) in self.buses.iter_mut().zip(&traced.intensity_kg_per_kwh) {
            bus.carbon_intensity_kg_per_kwh = *intensity;
        }
        for (branch, found) in self.branches.iter_mut().zip(&traced.branches) {
            branch.carbon_flow_kg_per_h = Some(found.from_kg_per_h + 0.0);
        }
        self.carbon = CarbonAnswer {
            source_kg_per_h: Some(traced.total_source_kg_per_h()),
            load_kg_per_h: Some(traced.total_load_kg_per_h()),
            loss_kg_per_h: Some(traced.total_loss_kg_per_h()),
        };
        Ok(())
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| writeln!(text, "{}", words.trim_end()).expect("writing to a string");
        if !self.converged {
            line(format!("{}: no power flow found", self.network));
            return text;
        }
        line(format!("{}: solved in {} {}", self.network, self.iterations, self.method));
        line(format!("  supply  {} kW  {} kvar", number(self.slack_kw, 3), number(self.slack_kvar, 3)));
        line(format!("  losses  {} kW  {} kvar", number(self.loss_kw, 3), number(self.loss_kvar, 3)));
        if let (Some(lowest), Some(bus)) = (self.min_voltage_pu, self.min_voltage_bus) {
            line(format!("  lowest voltage  {lowest:.6} pu at bus {bus}"));
        }
        let CarbonAnswer { source_kg_per_h, load_kg_per_h, loss_kg_per_h } = self.carbon;
        let traced = source_kg_per_h.is_some();
        if traced {
            let [source, load, loss] = [source_kg_per_h, load_kg_per_h, loss_kg_per_h].map(|kg| number(kg, 3));
            line(format!("  carbon  sources {source} kg/h = loads {load} + losses {loss}"));
        }
        line(format!(
            "\n{:>8} {:>12} {:>12}{}",
            "bus",
            "voltage pu",
            "angle deg",
            if traced { "       kg/kWh" } else { "" }
        ));
        for bus in &self.buses {
            let intensity =
                if traced { format!(" {}", number(bus.carbon_intensity_kg_per_kwh, 6)) } else { String::new() };
            line(format!("{:>8} {} {}{intensity}", bus.id, number(bus.voltage_pu, 6), number(bus.angle_deg, 4)));
        }
        let carbon_head = if traced { "  carbon kg/h" } else { "" };
        line(format!("\n{:>8} {:>8} {:>12} {:>12} {:>12}{carbon_head}", "from", "to", "kW", "kvar", "loss kW"));
        for branch in &self.branches {
            if branch.in_service {
                let carbon =
                    if traced { format!(" {}", number(branch.carbon_flow_kg_per_h, 3)) } else { String::new() };
                let [p, q, loss] = [branch.p_from_kw, branch.q_from_kvar, branch.loss_kw].map(|kw| number(kw, 3));
                line(format!("{:>8} {:>8} {p} {q} {loss}{carbon}", branch.from, branch.to));
            } else {
                line(format!("{:>8} {:>8} {:>12}", branch.from, branch.to, "open"));
            }
        }
        text
    }

    fn empty(network: &Network) -> Self {
        let bus = |bus: &coase_core::network::Bus| BusAnswer {
            id: bus.id,
            voltage_pu: None,
            angle_deg: None,
            carbon_intensity_kg_per_kwh: None,
        };
        let branch = |branch| {
            let ends = network.ends(branch);
            BranchAnswer {
                from: ends.from,
                to: ends.to,
                in_service: branch.in_service,
                p_from_kw: None,
                q_from_kvar: None,
                loss_kw: None,
                carbon_flow_kg_per_h: None,
            }
        };
        Self {
            network: network.name.clone(),
            converged: false,
            iterations: 0,
            mismatch_pu: None,
            loss_kw: None,
            loss_kvar: None,
            slack_kw: None,
            slack_kvar: None,
            min_voltage_pu: None,
            min_voltage_bus: None,
            buses: network.buses.iter().map(bus).collect(),
            branches: network.branches.iter().map(branch).collect(),
            carbon: CarbonAnswer::default(),
            method: "",
            physical: None,
        }
    }
}

/// Right-aligned with so many decimals; a dash where there is none.
fn number(x: Option<f64>, decimals: usize) -> String {
    x.map_or_else(|| format!("{:>12}", "-"), |x| format!("{:>12.decimals$}", x + 0.0))
}
