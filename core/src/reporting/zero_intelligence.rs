//! Traders without intelligence: prices drawn at random, never at a loss.

use crate::context::RunContext;
use crate::engine::{ReportRule, Roles, Said};
use crate::error::MechanismError;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::participant::{Distortion, Report};
use crate::register_report_rule;
use crate::setting::{Role, Setting};
use rand_distr::{Distribution, Uniform};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A seller asks `d` per kWh more than its cost, a buyer bids `d` per kWh less than its value, `d` drawn from `U[0, reach]` for
/// each member once: nobody would trade at a loss, and nobody thinks. Who sells in as many slots as it buys tells the truth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ZeroIntelligence {
    /// Greatest distance from the truth, money per kWh; not given: the mean distance between the grid's two prices.
    #[schemars(range(min = 0.0))]
    pub reach_per_kwh: Option<f64>,
}

register_report_rule!(ZeroIntelligence, "zero-intelligence", "prices drawn at random, never at a loss", behaviour: Random,
    source: "Gode and Sunder (1993), constrained traders");

impl ZeroIntelligence {
    fn reach(&self, setting: &Setting) -> Option<f64> {
        let of_tariff = || {
            let tariff = setting.tariff.as_ref()?;
            let apart = tariff.buy_per_kwh.iter().zip(&tariff.sell_per_kwh).map(|(buy, sell)| (buy - sell).max(0.0));
            Some(apart.sum::<f64>() / tariff.buy_per_kwh.len().max(1) as f64)
        };
        self.reach_per_kwh.or_else(of_tariff)
    }
}

impl ReportRule for ZeroIntelligence {
    fn said(&self, truth: &Market, _: &dyn Mechanism, ctx: &mut RunContext) -> Result<Said, MechanismError> {
        let setting = truth.setting();
        self.check(setting).map_err(MechanismError::Failed)?;
        let reach = self.reach(setting).unwrap_or(0.0);
        let report = |member: usize| {
            let sides = setting.members[member].roles.iter().map(|role| match role {
                Role::Seller => 1,
                Role::Buyer => -1,
                Role::Idle => 0,
            });
            let side = f64::from(sides.sum::<i32>().signum());
            let mut stream = ctx.stream("zero intelligence", member, 0);
            let drawn = Uniform::new_inclusive(0.0, reach).map_or(0.0, |law| law.sample(&mut stream));
            Distortion { price_shift_per_kwh: side * drawn, ..Distortion::TRUTH }.report()
        };
        let reports: Vec<Report> = (0..truth.len()).map(report).collect();
        Ok(Said { reports, roles: Roles::Public, evidence: vec![] })
    }

    fn check(&self, setting: &Setting) -> Result<(), String> {
        match self.reach(setting) {
            None => Err("without a grid tariff `reach_per_kwh` has to be given".into()),
            Some(reach) if !(reach.is_finite() && reach >= 0.0) => {
                Err(format!("`reach_per_kwh` is {reach}: expected a number of at least 0"))
            }
            Some(_) => Ok(()),
        }
    }

    fn draws(&self) -> bool {
        true
    }
}
