//! What carbon comes to in a run: tonnes, money, and the price of a tonne as it is realised. "The same price" can mean any of
//! these, so policies are made comparable by one of them. Knows no concrete policy.

use super::Yardstick;
use super::accounts::{Accounts, MemberAccount};
use crate::engine::Cleared;
use crate::policy::{CarbonPolicy, MarginalPrice, Responsibility};
use crate::units::KG_PER_TONNE;

/// Figures by which policies are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CarbonFigures {
    /// Source-side emissions of the whole feeder, kg.
    pub emissions_kg: f64,
    /// What the carbon authority receives before it recycles anything; what payers pay each other is not in it.
    pub payments: f64,
    /// Mean over payers of what the next tonne costs, weighted by what each is charged for before quotas. None where there
    /// is no price.
    pub marginal_price_per_tonne: Option<f64>,
    /// Payments over the tonnes that are charged before quotas. None where nobody is charged for anything.
    pub average_price_per_tonne: Option<f64>,
    /// What all participants pay.
    pub total_cost: f64,
}

impl CarbonFigures {
    /// Of a cleared outcome, without measuring anything else of it.
    pub fn new(cleared: &Cleared, policy: &dyn CarbonPolicy, yardstick: &Yardstick) -> Self {
        let setting = cleared.truth.setting();
        let (ledger, imposed) = (&cleared.outcome.ledger, &cleared.outcome.imposed);
        let accounts = Accounts::new(cleared, &cleared.physical, ledger, imposed, policy, yardstick);
        let answers = policy.responsibility(setting, &cleared.physical, &cleared.signal);
        Self::of(cleared, policy, &accounts, &answers)
    }

    pub(super) fn of(
        cleared: &Cleared,
        policy: &dyn CarbonPolicy,
        accounts: &Accounts,
        answers: &Responsibility,
    ) -> Self {
        let setting = cleared.truth.setting();
        let payments = accounts.carbon_payments;
        let charged_kg = answers.total_charged_kg();
        let marginal = policy.marginal_prices(setting, &cleared.physical, &cleared.signal);
        Self {
            emissions_kg: (0..setting.periods.count).map(|t| cleared.physical.emissions_kg(setting, t)).sum(),
            payments,
            marginal_price_per_tonne: MarginalPrice::mean_per_kg(&marginal).map(|price| KG_PER_TONNE * price),
            average_price_per_tonne: (charged_kg > 0.0).then(|| KG_PER_TONNE * payments / charged_kg),
            total_cost: accounts.sum(MemberAccount::total_cost),
        }
    }
}
