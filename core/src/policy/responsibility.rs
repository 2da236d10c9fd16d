//! Who is charged for which kilograms, and what the next one costs.

use crate::outcome::Certificate;
use crate::terms::Charge;

/// Name of the certificates of a policy's claims; their witness begins with the claim.
pub const POLICY_CLAIM: &str = "policy_claim";

/// Who is charged for which kilograms, before quotas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Responsibility {
    /// Charged base of each member over the horizon, kg; zero under a policy that charges nobody.
    pub charged_kg: Vec<f64>,
    /// Kilograms that were emitted and are charged to somebody.
    pub covered_kg: f64,
    /// Kilograms that were emitted and are charged to nobody.
    pub uncovered_kg: f64,
    /// Kilograms charged that nobody emitted.
    pub phantom_kg: f64,
    /// Kilograms charged twice.
    pub double_charged_kg: f64,
    /// What the next kilogram costs everybody who pays; payers with the same price may stand in one entry.
    pub marginal_prices: Vec<MarginalPrice>,
}

impl Responsibility {
    /// Certificate of a claim that every tonne is charged once: what is charged twice or was emitted by nobody, against what
    /// is charged.
    pub fn charged_once(&self) -> Certificate {
        let (wrong, charged) = (self.phantom_kg.abs() + self.double_charged_kg.abs(), self.covered_kg.abs());
        let witness = format!(
            "{:.3} kg charged twice, {:.3} kg that nobody emitted, of {charged:.3} kg",
            self.double_charged_kg, self.phantom_kg
        );
        Certificate::check(POLICY_CLAIM, wrong, 1e-6 * charged + 1e-9, witness)
    }

    /// What everybody together is charged for, network operator included, kg.
    pub fn total_charged_kg(&self) -> f64 {
        self.covered_kg + self.phantom_kg + self.double_charged_kg
    }
}

/// What the next kilogram costs somebody who pays for carbon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginalPrice {
    /// Kilograms that are charged, before quotas.
    pub charged_kg: f64,
    /// Price of the next kilogram; where it is not that of the last one, the mean of both.
    pub price_per_kg: f64,
}

impl MarginalPrice {
    /// That of a balance under a charge.
    pub fn at(charge: &Charge, balance_kg: f64, charged_kg: f64) -> Self {
        let (low, high) = charge.slopes_at(balance_kg);
        Self { charged_kg, price_per_kg: 0.5 * (low + high) }
    }

    /// The realised marginal price: the mean over payers, weighted by what each is charged for. Whoever is charged for
    /// nothing does not count unless that is everybody; then all count alike. `None` where there is no price.
    pub fn mean_per_kg(all: &[Self]) -> Option<f64> {
        let charged_kg: f64 = all.iter().map(|payer| payer.charged_kg.max(0.0)).sum();
        let weight = |payer: &Self| {
            if charged_kg > 0.0 { payer.charged_kg.max(0.0) / charged_kg } else { 1.0 / all.len() as f64 }
        };
        (!all.is_empty()).then(|| all.iter().map(|payer| weight(payer) * payer.price_per_kg).sum())
    }
}
