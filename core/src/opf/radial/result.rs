//! The answer: dispatch, flow, prices with their parts, and how good all of it is.

use super::{LimitDuals, OptimalityCertificate};
use crate::network::{Network, NodeId};
use crate::opf::Price;

/// How an optimal power flow ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Proven globally optimal up to `gap_per_h`.
    Certified {
        /// What the objective may be too high, money per hour.
        gap_per_h: f64,
    },
    /// An AC-feasible optimum, not proven to be the best one.
    Local {
        /// Distance to the bound, money per hour.
        gap_per_h: f64,
        /// No dispatch costs less than this.
        bound_per_h: f64,
    },
    /// Limits cannot all be kept; the answer is the dispatch that misses them least at a high price.
    Violated(Vec<Violation>),
    /// The load is beyond what the network can carry at any voltage, or what import and controls can serve.
    NoPowerFlow,
    /// No answer was found, and no proof that there is none.
    NotConverged,
}

/// A limit that is missed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Violation {
    /// Voltage below its lower limit.
    Undervoltage {
        /// Position of the bus.
        node: usize,
        /// By how much, pu of the magnitude.
        by_pu: f64,
    },
    /// Voltage above its upper limit.
    Overvoltage {
        /// Position of the bus.
        node: usize,
        /// By how much, pu of the magnitude.
        by_pu: f64,
    },
    /// More apparent power than the rating at one end of a branch.
    Overload {
        /// Position of the branch.
        branch: usize,
        /// By how much, kVA.
        by_kva: f64,
    },
}

/// A bus in the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BusResult {
    /// Voltage magnitude, pu.
    pub voltage_pu: f64,
    /// Worth of a kWh more of active load, in parts.
    pub price: Price,
    /// Worth of a kvarh more of reactive load.
    pub reactive_price: f64,
    /// Emission that one kWh more of load causes along the optimum, kg/kWh.
    pub marginal_emission_kg_per_kwh: f64,
}

/// The answer to one hour.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch {
    /// How it ended.
    pub status: Status,
    /// Cost of import and controls, money per hour.
    pub objective_per_h: f64,
    /// Active and reactive power of each control, kW and kvar, in the order of the hour.
    pub controls: Vec<(f64, f64)>,
    /// Active import over all slacks, kW.
    pub import_kw: f64,
    /// Reactive import over all slacks, kvar.
    pub import_kvar: f64,
    /// Active loss of all branches, kW.
    pub loss_kw: f64,
    /// Buses in the order of the network; `None` where no closed path leads to a slack.
    pub buses: Vec<Option<BusResult>>,
    /// Active power into each branch at its sending end and out of it at its receiving end, kW; 0 in open branches.
    pub branches: Vec<(f64, f64)>,
    /// Proof, where there is one.
    pub certificate: Option<OptimalityCertificate>,
    /// Duals of the limits that the proof rests on: with them [`certify`](crate::opf::certify) repeats it.
    pub duals: Option<LimitDuals>,
    /// Largest difference `l v - P^2 - Q^2` of the relaxation, pu^2 on the base of the network; 0 for an exact answer.
    pub max_cone_gap: f64,
    /// Whether flows and controls are a power flow: always, but for a relaxation that is not exact (a difference above 1e-5 of
    /// `P^2 + Q^2` on some branch). Such a point bounds the cost and is nothing that could be done.
    pub is_power_flow: bool,
    /// Iterations of all solves.
    pub iterations: usize,
}

impl Dispatch {
    /// No dispatch at all.
    pub(super) fn nothing(network: &Network, status: Status, iterations: usize) -> Self {
        Self {
            status,
            objective_per_h: f64::NAN,
            controls: vec![],
            import_kw: f64::NAN,
            import_kvar: f64::NAN,
            loss_kw: f64::NAN,
            buses: vec![None; network.buses.len()],
            branches: vec![],
            certificate: None,
            duals: None,
            max_cone_gap: 0.0,
            is_power_flow: false,
            iterations,
        }
    }

    /// Whether there is a dispatch that keeps all limits.
    pub fn is_feasible(&self) -> bool {
        matches!(self.status, Status::Certified { .. } | Status::Local { .. })
    }

    /// Price at a bus, per kWh.
    pub fn price_per_kwh(&self, node: NodeId) -> Option<f64> {
        self.buses[node.0].map(|b| b.price.per_kwh())
    }
}
