//! Accounts of imports and direct emissions, `E = sum_t e_0 import + direct`, and who answers for what under them.
//!
//! Everything is a pure function of schedules. Knows no price and no concrete policy.

use super::error::PolicyError;
use super::modifiers::{Coverage, ImportBase, Modifiers};
use super::responsibility::{MarginalPrice, Responsibility};
use crate::market::Plan;
use crate::physical::Physical;
use crate::setting::{Product, Setting};
use crate::terms::{Account, Charge, at};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Free allowances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Quota {
    /// The participant's own `quota_kg` over the horizon.
    #[default]
    Fixed,
    /// In proportion to energy: an implicit subsidy of output. What is imported earns its allowance on the same base as it
    /// is charged ([`ImportBase`]).
    OutputBased {
        /// Allowance per kWh imported from the grid.
        #[serde(default = "typical_quota")]
        #[schemars(range(min = 0.0))]
        grid_kg_per_kwh: f64,
        /// Allowance per kWh from emitting devices.
        #[serde(default = "typical_quota")]
        #[schemars(range(min = 0.0))]
        turbine_kg_per_kwh: f64,
    },
}

fn typical_quota() -> f64 {
    0.40
}

impl Quota {
    /// No allowance at all.
    pub const NONE: Quota = Quota::OutputBased { grid_kg_per_kwh: 0.0, turbine_kg_per_kwh: 0.0 };

    /// Allowances per kWh from the grid and from emitting devices, as written.
    fn rates(self) -> (f64, f64) {
        match self {
            Quota::Fixed => (0.0, 0.0),
            Quota::OutputBased { grid_kg_per_kwh, turbine_kg_per_kwh } => (grid_kg_per_kwh, turbine_kg_per_kwh),
        }
    }

    /// Allowances per kWh from the grid and from emitting devices in the year of the modifiers.
    fn rates_in(self, modifiers: &Modifiers) -> (f64, f64) {
        let (grid, turbine) = self.rates();
        let left = modifiers.quota_factor();
        (left * grid, left * turbine)
    }

    /// Allowance per kWh from the grid in the year of the modifiers.
    pub fn per_imported_kwh(self, modifiers: &Modifiers) -> f64 {
        self.rates_in(modifiers).0
    }

    /// Fixed allowance of a member in the year of the modifiers, kg.
    pub fn fixed_kg(self, setting: &Setting, modifiers: &Modifiers, member: usize) -> f64 {
        match self {
            Quota::Fixed => setting.members[member].quota_kg * modifiers.quota_factor(),
            Quota::OutputBased { .. } => 0.0,
        }
    }

    /// Refuses allowances that are no numbers, and allowances for imports or emitting devices beyond what they emit: a price
    /// on them would be negative.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn check(self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError> {
        let (grid, turbine) = self.rates();
        for (name, value) in [("grid_kg_per_kwh", grid), ("turbine_kg_per_kwh", turbine)] {
            at_least(name, value, 0.0, "at least 0")?;
        }
        if modifiers.allow_negative_carbon_price {
            return Ok(());
        }
        let imports = setting.tariff.iter().flat_map(|t| &t.intensity_kg_per_kwh).copied();
        let devices = setting.members.iter().filter_map(|m| m.least_emission_kg_per_kwh);
        for (what, quota_kg_per_kwh, cleanest) in [
            ("imports from the grid", grid, imports.reduce(f64::min)),
            ("a member's own generation", turbine, devices.reduce(f64::min)),
        ] {
            if let Some(emission_kg_per_kwh) = cleanest.filter(|e| quota_kg_per_kwh > *e) {
                return Err(PolicyError::NegativePrice { what, quota_kg_per_kwh, emission_kg_per_kwh });
            }
        }
        Ok(())
    }
}

/// A number that is finite and not below a bound.
///
/// # Errors
/// Names the parameter otherwise.
pub fn at_least(name: &'static str, value: f64, least: f64, expected: &'static str) -> Result<(), PolicyError> {
    if value >= least && value.is_finite() { Ok(()) } else { Err(PolicyError::Parameter { name, value, expected }) }
}

/// Refuses a charge on imports whose price already contains one.
///
/// # Errors
/// If the tariff contains upstream carbon.
pub fn charged_once(setting: &Setting) -> Result<(), PolicyError> {
    match &setting.tariff {
        Some(tariff) if tariff.upstream_carbon_per_tonne > 0.0 => {
            Err(PolicyError::AlreadyInTariff { upstream_carbon_per_tonne: tariff.upstream_carbon_per_tonne })
        }
        _ => Ok(()),
    }
}

/// The account of a member: imports at the grid's intensity and direct emissions, less allowances.
pub fn account(setting: &Setting, modifiers: &Modifiers, quota: Quota, fixed_quota_kg: f64, charge: Charge) -> Account {
    let (grid, turbine) = quota.rates_in(modifiers);
    let rates: Vec<f64> = (0..setting.periods.count).map(|t| setting.intensity(t) - grid).collect();
    let credit = match modifiers.import_base {
        ImportBase::Gross => vec![],
        ImportBase::NetOfExports => rates.iter().map(|r| -r).collect(),
    };
    Account {
        import_kg_per_kwh: rates,
        export_kg_per_kwh: credit,
        withdrawal_kg_per_kwh: vec![],
        injection_kg_per_kwh: vec![],
        sold_kg_per_kwh: vec![],
        bought_kg_per_kwh: vec![],
        turbine_quota_kg_per_kwh: turbine,
        renewable_quota_kg_per_kwh: 0.0,
        quota_kg: fixed_quota_kg,
        charge,
    }
}

/// Balance of an account at a schedule, kg.
pub fn balance_kg(setting: &Setting, account: &Account, plan: &Plan) -> f64 {
    let mut kg = -account.quota_kg;
    for t in 0..setting.periods.count {
        kg += at(&account.import_kg_per_kwh, t) * plan.import_kwh[t];
        kg += at(&account.export_kg_per_kwh, t) * plan.export_kwh[t];
        kg += plan.emission_kg[t] - account.turbine_quota_kg_per_kwh * plan.emitting_kwh[t];
        let withdrawal = withdrawal_kwh(setting, plan, t);
        kg += at(&account.withdrawal_kg_per_kwh, t) * withdrawal.max(0.0);
        kg += at(&account.injection_kg_per_kwh, t) * (-withdrawal).max(0.0);
        if !account.sold_kg_per_kwh.is_empty() || !account.bought_kg_per_kwh.is_empty() {
            let sale = sale_kwh(setting, plan, t);
            kg += at(&account.sold_kg_per_kwh, t) * sale.max(0.0);
            kg += at(&account.bought_kg_per_kwh, t) * (-sale).max(0.0);
        }
        if account.renewable_quota_kg_per_kwh != 0.0 {
            kg -= account.renewable_quota_kg_per_kwh * plan.renewable_kwh(setting.periods.hours, t);
        }
    }
    kg
}

/// Net sale of a member to its peers in a period, kWh.
pub(super) fn sale_kwh(setting: &Setting, plan: &Plan, period: usize) -> f64 {
    let energy = |k: &usize| setting.slots[*k].product == Product::Energy && setting.slots[*k].period == period;
    (0..setting.slots.len()).filter(energy).map(|k| plan.trade[k]).sum()
}

/// Net physical withdrawal of a member at its connection point in a period, kWh.
pub fn withdrawal_kwh(setting: &Setting, plan: &Plan, period: usize) -> f64 {
    let energy = |k: &usize| setting.slots[*k].product == Product::Energy && setting.slots[*k].period == period;
    -(0..setting.slots.len()).filter(energy).map(|k| plan.output[k]).sum::<f64>()
}

/// Energy from upstream that no member imported, in a period, kWh: passive load and losses.
pub fn feeder_kwh(physical: &Physical, period: usize) -> f64 {
    physical.upstream_import_kwh[period].max(0.0) - physical.community_exchange_kwh(period).max(0.0)
}

/// Upstream carbon that no member imported, kg: of passive load and losses.
pub fn feeder_kg(setting: &Setting, physical: &Physical) -> f64 {
    (0..setting.periods.count).map(|t| setting.intensity(t) * feeder_kwh(physical, t)).sum()
}

/// Balance of the network operator's account, kg; zero if only members are covered.
pub fn feeder_balance_kg(setting: &Setting, modifiers: &Modifiers, account: &Account, physical: &Physical) -> f64 {
    match modifiers.coverage {
        Coverage::VppsOnly => 0.0,
        Coverage::Feeder => {
            let imports = (0..setting.periods.count)
                .map(|t| at(&account.import_kg_per_kwh, t) * feeder_kwh(physical, t))
                .sum::<f64>();
            imports - account.quota_kg
        }
    }
}

/// Marginal prices of members with these accounts, who are charged for so much before quotas. A cap has a price that nobody
/// charges.
pub fn marginal_prices(
    setting: &Setting,
    accounts: &[Account],
    physical: &Physical,
    charged_kg: &[f64],
) -> Vec<MarginalPrice> {
    let members = accounts.iter().zip(&physical.plans).zip(charged_kg);
    let priced = members.filter(|((account, _), _)| account.charge.cap_kg.is_none());
    priced.map(|((a, plan), kg)| MarginalPrice::at(&a.charge, balance_kg(setting, a, plan), *kg)).collect()
}

/// Base of a member before quotas, kg.
pub fn charged_kg(setting: &Setting, modifiers: &Modifiers, plan: &Plan) -> f64 {
    balance_kg(setting, &account(setting, modifiers, Quota::NONE, 0.0, Charge::linear(0.0)), plan)
}

/// Who answers for what where imports and direct emissions are charged. Per period: covered are direct emissions and the
/// members' imports taken together, `direct + e_0 [sum (m+ - m-)]+`; phantom is what is charged beyond that.
pub fn responsibility(setting: &Setting, modifiers: &Modifiers, physical: &Physical) -> Responsibility {
    let charged_kg: Vec<f64> = physical.plans.iter().map(|p| charged_kg(setting, modifiers, p)).collect();
    let mut covered_kg = 0.0;
    for t in 0..setting.periods.count {
        covered_kg += physical.direct_kg(t) + setting.intensity(t) * physical.community_exchange_kwh(t).max(0.0);
    }
    let feeder_kg = feeder_kg(setting, physical);
    let phantom_kg = charged_kg.iter().sum::<f64>() - covered_kg;
    let (also_covered_kg, uncovered_kg) = match modifiers.coverage {
        Coverage::VppsOnly => (0.0, feeder_kg),
        Coverage::Feeder => (feeder_kg, 0.0),
    };
    Responsibility {
        charged_kg,
        covered_kg: covered_kg + also_covered_kg,
        uncovered_kg,
        phantom_kg,
        double_charged_kg: 0.0,
        marginal_prices: vec![],
    }
}

/// Every tonne is paid for where it is emitted: by the owner of the device, or at the root by the network operator.
pub fn at_source(setting: &Setting, physical: &Physical) -> Responsibility {
    Responsibility {
        charged_kg: physical.plans.iter().map(|p| p.emission_kg.iter().sum()).collect(),
        covered_kg: (0..setting.periods.count).map(|t| physical.emissions_kg(setting, t)).sum(),
        ..Responsibility::default()
    }
}

/// Nobody answers for anything.
pub fn nobody(setting: &Setting, physical: &Physical) -> Responsibility {
    Responsibility {
        charged_kg: vec![0.0; setting.members.len()],
        uncovered_kg: (0..setting.periods.count).map(|t| physical.emissions_kg(setting, t)).sum(),
        ..Responsibility::default()
    }
}
