//! The answer: dispatch, flow, prices with their parts, and how good all of it is.

use super::{LimitDuals, OptimalityCertificate};
use crate::network::{Limit, Network, NodeId};
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
    /// Angle across a branch, sending before receiving bus, outside its limits.
    Angle {
        /// Position of the branch.
        branch: usize,
        /// By how much, degrees; negative below the least.
        by_deg: f64,
    },
    /// The slacks and the units cannot supply what is needed, losses included.
    Short {
        /// How much active power is missing, kW.
        by_kw: f64,
        /// How much reactive power is missing, kvar; 0 where it is the active power.
        by_kvar: f64,
    },
    /// The slacks cannot take what units and loads at least put in.
    Surplus {
        /// How much active power is too much, kW.
        by_kw: f64,
        /// How much reactive power is too much, kvar.
        by_kvar: f64,
    },
}

impl Violation {
    /// In words, with the bus or the branch, the limit and the amount.
    pub fn describe(&self, network: &Network) -> String {
        let branch_of = |k: usize| (k + 1, network.ends(&network.branches[k]));
        let slack = || network.slacks().next().map_or(0, |s| network.bus(s).id);
        let powers = |kw: f64, kvar: f64| {
            let parts =
                [(kw, "active power, kW"), (kvar, "reactive power, kvar")].into_iter().filter(|part| part.0 > 0.0);
            parts.collect::<Vec<_>>()
        };
        let each = |kw: f64, kvar: f64, how: &str| {
            let parts =
                powers(kw, kvar).into_iter().map(|(by, what)| format!("bus {}: {what}: {how} {by:.3}", slack()));
            parts.collect::<Vec<_>>().join("; ")
        };
        let beyond = |limit: Limit, by: f64| limit.missed(network, limit.bound(network) + by).words(network, None);
        match self {
            Self::Undervoltage { node, by_pu } => beyond(Limit::VoltageMin(NodeId(*node)), -by_pu),
            Self::Overvoltage { node, by_pu } => beyond(Limit::VoltageMax(NodeId(*node)), *by_pu),
            Self::Overload { branch, by_kva } => beyond(Limit::RatingFrom(*branch), *by_kva),
            Self::Angle { branch, by_deg } => {
                let (number, ends) = branch_of(*branch);
                let data = &network.branches[*branch];
                let (limit, word) =
                    if *by_deg < 0.0 { (data.angle_min_deg, "below") } else { (data.angle_max_deg, "above") };
                let (angle, by) = (limit + by_deg, by_deg.abs());
                format!("branch {number} ({ends}): {angle:.4} degrees is {by:.4} {word} its limit of {limit} degrees")
            }
            Self::Short { by_kw, by_kvar } => each(*by_kw, *by_kvar, "short by"),
            Self::Surplus { by_kw, by_kvar } => each(*by_kw, *by_kvar, "too much by"),
        }
    }

    /// Whether it is the units that fall short, so that there is no dispatch at all.
    pub fn is_of_supply(&self) -> bool {
        matches!(self, Self::Short { .. } | Self::Surplus { .. })
    }
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
