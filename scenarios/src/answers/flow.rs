//! A power flow as it is answered, and the carbon that flows with it.

use super::{AnswerError, CarbonFile};
use coase_core::carbon_flow::{FlowGraph, LossRule, trace};
use coase_core::network::{Bus, Network, NodeId};
use coase_core::power_flow::{self, DcFlow, Flow, Injections, Method, PowerFlow, PowerFlowError};
use serde::Serialize;

/// What is asked of a network: the flow of its loads and machines as its file has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlowQuestion<'a> {
    /// Angles only, instead of the AC power flow.
    pub dc: bool,
    /// What generates at which intensity; without it no carbon is traced.
    pub carbon: Option<&'a CarbonFile>,
}

impl FlowQuestion<'_> {
    /// Solves the power flow and traces the carbon. A flow that was not found is an answer: [`FlowAnswer::reason`] says why.
    ///
    /// # Errors
    /// A network without a power flow of its kind, or whose carbon cannot be traced.
    pub fn ask(&self, network: &Network) -> Result<FlowAnswer, AnswerError> {
        let mut injections = Injections::of(network);
        if let Some(carbon) = self.carbon {
            carbon.add_to(&mut injections);
        }
        let solved = if self.dc {
            power_flow::dc_flow(network, &injections).map(|flow| FlowAnswer::dc(network, &flow))
        } else {
            PowerFlow::new(network)
                .and_then(|flow| flow.solve_from_file(&injections))
                .map(|flow| FlowAnswer::ac(network, &flow))
        };
        let mut answer = match solved {
            Ok(answer) => answer,
            Err(
                lost @ (PowerFlowError::NotConverged { .. }
                | PowerFlowError::Singular { .. }
                | PowerFlowError::BeyondCapability { .. }
                | PowerFlowError::NoOperatingState { .. }),
            ) => return Ok(FlowAnswer::not_converged(network, &lost)),
            Err(wrong) => return Err(wrong.into()),
        };
        if let Some(carbon) = self.carbon {
            answer.trace(network, carbon)?;
        }
        Ok(answer)
    }
}

/// A power flow with its carbon, in the units and under the names of the command line.
#[derive(Clone, Debug, Serialize)]
pub struct FlowAnswer {
    /// Name of the network.
    pub network: String,
    /// Whether a flow was found.
    pub converged: bool,
    /// Steps of the solver.
    pub iterations: usize,
    /// Greatest mismatch of power at a bus, pu.
    pub mismatch_pu: Option<f64>,
    /// Active power lost, kW.
    pub loss_kw: Option<f64>,
    /// Reactive power lost, kvar.
    pub loss_kvar: Option<f64>,
    /// Active power of the slacks, kW.
    pub slack_kw: Option<f64>,
    /// Reactive power of the slacks, kvar.
    pub slack_kvar: Option<f64>,
    /// Lowest voltage, pu.
    pub min_voltage_pu: Option<f64>,
    /// Number of its bus.
    pub min_voltage_bus: Option<u64>,
    /// In the order of the network.
    pub buses: Vec<FlowBus>,
    /// In the order of the network.
    pub branches: Vec<FlowBranch>,
    /// Totals of the carbon; empty where none is traced.
    pub carbon: CarbonAnswer,
    /// How it was solved: `Newton steps`, `backward-forward sweeps`, `linear solve`; empty where it was not.
    #[serde(skip)]
    pub method: &'static str,
    /// Why no flow was found.
    #[serde(skip)]
    pub reason: Option<String>,
    #[serde(skip)]
    physical: Option<Physical>,
}

/// A bus.
#[derive(Clone, Debug, Serialize)]
pub struct FlowBus {
    /// Its number.
    pub id: u64,
    /// Voltage, pu; none at a bus that is not connected.
    pub voltage_pu: Option<f64>,
    /// Angle, degrees.
    pub angle_deg: Option<f64>,
    /// Average intensity of what is drawn there, kg/kWh.
    pub carbon_intensity_kg_per_kwh: Option<f64>,
}

/// A branch.
#[derive(Clone, Debug, Serialize)]
pub struct FlowBranch {
    /// Number of the bus at the sending end.
    pub from: u64,
    /// Number of the bus at the receiving end.
    pub to: u64,
    /// Whether it is closed.
    pub in_service: bool,
    /// Active power into it at `from`, kW.
    pub p_from_kw: Option<f64>,
    /// Reactive power into it at `from`, kvar.
    pub q_from_kvar: Option<f64>,
    /// Active power lost in it, kW.
    pub loss_kw: Option<f64>,
    /// Carbon into it at `from`, signed as its power, kg/h.
    pub carbon_flow_kg_per_h: Option<f64>,
}

/// Where the carbon comes from and goes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CarbonAnswer {
    /// Emitted, kg/h.
    pub source_kg_per_h: Option<f64>,
    /// Borne by loads, kg/h.
    pub load_kg_per_h: Option<f64>,
    /// Borne by losses, kg/h.
    pub loss_kg_per_h: Option<f64>,
}

/// What the carbon tracing needs: power into both ends of every branch, and the supply of the slacks, kW.
#[derive(Clone, Debug)]
struct Physical {
    branch_kw: Vec<(f64, f64)>,
    slack_kw: Vec<(NodeId, f64)>,
}

impl FlowAnswer {
    /// An AC flow.
    fn ac(network: &Network, flow: &Flow) -> Self {
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
    fn dc(network: &Network, flow: &DcFlow) -> Self {
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
    fn not_converged(network: &Network, lost: &PowerFlowError) -> Self {
        let mut answer = Self { reason: Some(lost.to_string()), ..Self::empty(network) };
        if let PowerFlowError::NotConverged { iterations, mismatch_pu, .. } = lost {
            answer.iterations = *iterations;
            answer.mismatch_pu = mismatch_pu.is_finite().then_some(*mismatch_pu);
        }
        answer
    }

    /// Traces the carbon of all sources; losses are an account of their own.
    fn trace(&mut self, network: &Network, carbon: &CarbonFile) -> Result<(), AnswerError> {
        let Some(physical) = &self.physical else { return Ok(()) };
        let branches = network.branches.iter().zip(&physical.branch_kw);
        let branches = branches.map(|(branch, (from_kw, to_kw))| (branch.from, branch.to, *from_kw, *to_kw));
        // An isolated node is not served, and so generates nothing.
        let alive = |node: NodeId| self.buses[node.0].angle_deg.is_some();
        let generation = carbon.generation(network).filter(|(node, _)| alive(*node));
        let sources = physical.slack_kw.iter().copied().chain(generation);
        let sources = sources.map(|(node, kw)| (node, kw, carbon.intensity(node)));
        let mut graph = FlowGraph::of(network, branches, sources);
        // What the power flow leaves as a mismatch is no generation.
        let noise_pu = self.mismatch_pu.unwrap_or(0.0) * 10.0;
        graph.threshold_kw = network.base_kva() * noise_pu.max(1e-9);
        let traced = trace(&graph, LossRule::Explicit)?;
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

    fn empty(network: &Network) -> Self {
        let bus =
            |bus: &Bus| FlowBus { id: bus.id, voltage_pu: None, angle_deg: None, carbon_intensity_kg_per_kwh: None };
        let branch = |branch| {
            let ends = network.ends(branch);
            FlowBranch {
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
            reason: None,
            physical: None,
        }
    }
}
