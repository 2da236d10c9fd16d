//! What physically happens when the true participants keep a commitment: schedules, power flow, carbon flow. Policies
//! settle on it and the evaluator measures it; nobody chooses it.

mod error;
mod grid;

pub use error::{InPeriod, PhysicalError};
pub use grid::GridState;

use crate::carbon_flow::storage::StorageRule;
use crate::market::{Market, Plan};
use crate::outcome::Outcome;
use crate::setting::Setting;
use std::sync::Arc;

/// The physical side of an outcome.
#[derive(Clone, Debug)]
pub struct Physical {
    /// What each member does.
    pub plans: Vec<Arc<Plan>>,
    /// Net energy from upstream per period, kWh (negative: fed back): as the power flow has it, losses and passive load
    /// included; without a network the members' net exchange with the grid.
    pub upstream_import_kwh: Vec<f64>,
    /// State of the network per period; empty without a network.
    pub grid: Vec<GridState>,
}

impl Physical {
    /// The members' net exchange with the grid in a period, kWh: imports minus exports.
    pub fn community_exchange_kwh(&self, period: usize) -> f64 {
        self.plans.iter().map(|p| p.net_exchange_kwh(period)).sum()
    }

    /// Direct emissions of all members in a period, kg.
    pub fn direct_kg(&self, period: usize) -> f64 {
        self.plans.iter().map(|p| p.emission_kg[period]).sum()
    }

    /// Source-side emissions in a period, kg: direct ones and the intensity of whatever comes from upstream.
    pub fn emissions_kg(&self, setting: &Setting, period: usize) -> f64 {
        self.direct_kg(period) + setting.intensity(period) * self.upstream_import_kwh[period].max(0.0)
    }

    /// Energy lost in the network in a period, kWh; zero without a network.
    pub fn loss_kwh(&self, setting: &Setting, period: usize) -> f64 {
        self.grid.get(period).map_or(0.0, |state| state.flow.loss_kw * setting.periods.hours)
    }

    /// Energy that the network itself takes in a period, kWh: lost in branches and consumed by shunts; zero without a network.
    pub fn network_kwh(&self, setting: &Setting, period: usize) -> f64 {
        self.grid.get(period).map_or(0.0, |state| grid::taken_kw(&state.flow) * setting.periods.hours)
    }

    /// Average carbon intensity at a member's connection point, kg/kWh; `None` without a network and where nothing flows.
    pub fn intensity_kg_per_kwh(&self, member: usize, period: usize) -> Option<f64> {
        self.grid.get(period).and_then(|state| state.member_intensity_kg_per_kwh[member])
    }

    /// Intensity of what a member exports, kg/kWh; `None` without a network and where it exports nothing.
    pub fn export_intensity_kg_per_kwh(&self, member: usize, period: usize) -> Option<f64> {
        self.grid.get(period).and_then(|state| state.export_intensity_kg_per_kwh[member])
    }
}

/// What every true participant does to keep its part of an outcome at least cost, under the terms in force and those imposed.
///
/// # Errors
/// If a participant cannot operate at all.
pub fn delivered(truth: &Market, outcome: &Outcome) -> Result<Vec<Arc<Plan>>, PhysicalError> {
    let market = truth.imposing(&outcome.imposed);
    Ok(market.each(|l| l.delivered(&outcome.net[l.id()]).map(Arc::new))?)
}

/// The same, and the network's answer to it. Stored carbon follows the given rule.
///
/// # Errors
/// If a participant cannot operate at all, or the network has no state for what they do.
pub fn keep(truth: &Market, outcome: &Outcome, storage: StorageRule) -> Result<Physical, PhysicalError> {
    of_plans(truth.setting(), delivered(truth, outcome)?, storage)
}

/// Energy that the network itself takes under given schedules per period, kWh: what is lost in branches and consumed by
/// shunts, whoever causes it. Zero without a network.
///
/// # Errors
/// If the network has no state for them.
pub fn losses_kwh(setting: &Setting, plans: &[Arc<Plan>]) -> Result<Vec<f64>, PhysicalError> {
    match &setting.feeder {
        Some(feeder) => grid::taken_kwh(setting, feeder, plans),
        None => Ok(vec![0.0; setting.periods.count]),
    }
}

/// The network's answer to given schedules.
///
/// # Errors
/// If the network has no state for them.
pub fn of_plans(setting: &Setting, plans: Vec<Arc<Plan>>, storage: StorageRule) -> Result<Physical, PhysicalError> {
    let mut physical = Physical { plans, upstream_import_kwh: vec![], grid: vec![] };
    if let Some(feeder) = &setting.feeder {
        physical.grid = grid::states(setting, feeder, &physical.plans, storage)?;
        let hours = setting.periods.hours;
        physical.upstream_import_kwh = physical.grid.iter().map(|state| state.flow.slack_kw() * hours).collect();
    } else {
        physical.upstream_import_kwh = (0..setting.periods.count).map(|t| physical.community_exchange_kwh(t)).collect();
    }
    Ok(physical)
}
