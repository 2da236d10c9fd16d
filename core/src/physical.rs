//! What physically happens when the true participants keep a commitment. Policies settle on it; nobody chooses it.

use crate::market::{Market, Plan};
use crate::mechanism::MechanismError;
use crate::outcome::Outcome;
use std::sync::Arc;

/// The physical side of an outcome.
#[derive(Clone, Debug)]
pub struct Physical {
    /// What each member does.
    pub plans: Vec<Arc<Plan>>,
    /// Net energy from upstream per period, kWh (negative: fed back): as the power flow has it, losses and passive load
    /// included; without a network the members' net exchange with the grid.
    pub upstream_import_kwh: Vec<f64>,
    /// Average carbon intensity at each member's connection point per member and period, kg/kWh; `None` where nothing
    /// flows. Empty without a network.
    pub intensity_kg_per_kwh: Vec<Vec<Option<f64>>>,
    /// Intensity of what each member exports, per member and period, kg/kWh; `None` where it exports nothing. Empty
    /// without a network.
    pub export_intensity_kg_per_kwh: Vec<Vec<Option<f64>>>,
}

impl Physical {
    /// The members' net exchange with the grid per period, kWh: imports minus exports.
    pub fn community_exchange_kwh(&self, period: usize) -> f64 {
        self.plans.iter().map(|p| p.import_kwh[period] - p.export_kwh[period]).sum()
    }

    /// Direct emissions of all members in a period, kg.
    pub fn direct_kg(&self, period: usize) -> f64 {
        self.plans.iter().map(|p| p.emission_kg[period]).sum()
    }
}

/// Lets every true participant keep its part of an outcome at least cost, under the terms in force and those imposed.
///
/// # Errors
/// If a participant cannot operate at all.
pub fn keep(truth: &Market, outcome: &Outcome) -> Result<Physical, MechanismError> {
    let market = truth.imposing(&outcome.imposed);
    let plans: Vec<Arc<Plan>> = market.each(|l| l.delivered(&outcome.net[l.id()]).map(Arc::new))?;
    let mut physical = Physical {
        plans,
        upstream_import_kwh: vec![],
        intensity_kg_per_kwh: vec![],
        export_intensity_kg_per_kwh: vec![],
    };
    physical.upstream_import_kwh =
        (0..truth.setting().periods.count).map(|t| physical.community_exchange_kwh(t)).collect();
    Ok(physical)
}
