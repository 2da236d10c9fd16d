//! Bargaining power from what everybody contributes to trade.

use crate::cooperation::Cooperation;
use coase_core::market::Plan;
use coase_core::setting::Setting;
use coase_core::{Market, MechanismError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bargaining power of the members. With `s_i`, `r_i` the energy sold and bought over the largest of its kind:
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Weights {
    /// Equal: the symmetric solution.
    #[default]
    Equal,
    /// `exp(s_i) - exp(-r_i)`: the nonlinear map of the multi-microgrid literature.
    Exponential,
    /// `ln(1 + s_i) + ln(1 + r_i) / 2`.
    Logarithmic,
    /// Energy, carbon and flexibility, each over the largest of its kind: `energy (exp(s_i) - exp(-r_i)) + carbon (exp(c_i) - 1) +
    /// flexibility (exp(f_i) - 1)`. `c_i` is by how much its emissions (direct ones, and imports at the grid's intensity) fall
    /// against no trade, `f_i` the energy that its storages and vehicles move to other periods than without trade.
    MultiAttribute {
        /// Weight of the energy that it trades.
        #[schemars(range(min = 0.0))]
        #[serde(default = "energy")]
        energy: f64,
        /// Weight of the emissions that it avoids.
        #[schemars(range(min = 0.0))]
        #[serde(default = "carbon")]
        carbon: f64,
        /// Weight of what its stores move.
        #[schemars(range(min = 0.0))]
        #[serde(default = "flexibility")]
        flexibility: f64,
    },
    /// As given, by the ids of members; whoever is not named has 1.
    Given(BTreeMap<String, f64>),
}

fn energy() -> f64 {
    0.5
}

fn carbon() -> f64 {
    0.3
}

fn flexibility() -> f64 {
    0.2
}

impl Weights {
    /// Weights that add up to 1; equal where nobody contributes anything.
    pub(super) fn of(&self, market: &Market, cooperation: &Cooperation) -> Result<Vec<f64>, MechanismError> {
        let n = market.len();
        let (mut sold, mut bought) = (vec![0.0; n], vec![0.0; n]);
        for trade in &cooperation.trades {
            sold[trade.seller] += trade.quantity;
            bought[trade.buyer] += trade.quantity;
        }
        let (sold, bought) = (relative(&sold), relative(&bought));
        let traded = |map: fn(f64, f64) -> f64| sold.iter().zip(&bought).map(|(s, r)| map(*s, *r)).collect();
        let exponential = |s: f64, r: f64| s.exp() - (-r).exp();
        let raw: Vec<f64> = match self {
            Weights::Equal => vec![1.0; n],
            Weights::Exponential => traded(exponential),
            Weights::Logarithmic => traded(|s, r| s.ln_1p() + 0.5 * r.ln_1p()),
            Weights::MultiAttribute { energy, carbon, flexibility } => {
                for (name, weight) in [("energy", energy), ("carbon", carbon), ("flexibility", flexibility)] {
                    positive(name, *weight)?;
                }
                let traded: Vec<f64> = traded(exponential);
                let (avoided, moved) =
                    (relative(&avoided_kg(market, cooperation)), relative(&moved_kwh(market, cooperation)));
                let of = |i: usize| energy * traded[i] + carbon * avoided[i].exp_m1() + flexibility * moved[i].exp_m1();
                (0..n).map(of).collect()
            }
            Weights::Given(given) => {
                for (id, weight) in given {
                    positive("weights", *weight)?;
                    if !market.setting().members.iter().any(|member| member.id == *id) {
                        let value = format!("Given({{\"{id}\": {weight}}})");
                        return Err(MechanismError::Parameter {
                            name: "weights",
                            value,
                            expected: "ids of participants",
                        });
                    }
                }
                let members = &market.setting().members;
                members.iter().map(|member| given.get(&member.id).copied().unwrap_or(1.0)).collect()
            }
        };
        let total: f64 = raw.iter().sum();
        Ok(if total > 0.0 { raw.iter().map(|a| a / total).collect() } else { vec![1.0 / n as f64; n] })
    }
}

fn positive(name: &'static str, weight: f64) -> Result<(), MechanismError> {
    if weight >= 0.0 && weight.is_finite() {
        return Ok(());
    }
    Err(MechanismError::Parameter { name, value: weight.to_string(), expected: "a finite weight, not negative" })
}

/// Over the largest; nothing where nobody has anything.
fn relative(of: &[f64]) -> Vec<f64> {
    let top = of.iter().copied().fold(0.0, f64::max);
    of.iter().map(|x| if top > 0.0 { x / top } else { 0.0 }).collect()
}

/// By how much the emissions of each fall against no trade, kg; nothing where they rise.
fn avoided_kg(market: &Market, cooperation: &Cooperation) -> Vec<f64> {
    let emitted = |plan: &Plan| emitted_kg(market.setting(), plan);
    let with = cooperation.best.plans.iter().flatten();
    cooperation.alone.iter().zip(with).map(|(before, with)| (emitted(before) - emitted(with)).max(0.0)).collect()
}

/// Direct emissions, and those of what is drawn from the grid, kg.
fn emitted_kg(setting: &Setting, plan: &Plan) -> f64 {
    let direct: f64 = plan.emission_kg.iter().sum();
    let intensity = setting.tariff.as_ref().map_or(&[][..], |tariff| &tariff.intensity_kg_per_kwh);
    direct + intensity.iter().zip(&plan.import_kwh).map(|(kg_per_kwh, kwh)| kg_per_kwh * kwh).sum::<f64>()
}

/// Energy that the storages and vehicles of each have moved to other periods than without trade, kWh.
fn moved_kwh(market: &Market, cooperation: &Cooperation) -> Vec<f64> {
    let hours = market.setting().periods.hours;
    let stores = |plan: &Plan| -> Vec<Vec<f64>> {
        plan.devices.iter().filter(|device| device.is_storage()).map(|device| device.power_kw.clone()).collect()
    };
    let moved = |before: &Plan, with: &Plan| -> f64 {
        let (before, with) = (stores(before).concat(), stores(with).concat());
        0.5 * hours * before.iter().zip(&with).map(|(a, b)| (a - b).abs()).sum::<f64>()
    };
    let with = cooperation.best.plans.iter().flatten();
    cooperation.alone.iter().zip(with).map(|(before, with)| moved(before, with)).collect()
}
