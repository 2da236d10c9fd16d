//! Members who follow each for itself: nobody trades, everybody minimises its own cost at the operator's prices, and the limits of
//! the network are shared.
//!
//! Each member is free within what the others leave of the limits, so that there are many equilibria (Rosen, 1965). The variational
//! one is selected, in which a limit has one price for all: member `i` minimises `f_i(x_i) + sum_l mu_l a_li x_i`. As nobody's cost
//! depends on the others, it is the least sum of costs within the limits, and `sum_l mu_l a_li` the price at its bus; where nobody's
//! own best misses a limit it is that, and all prices are 0.

use crate::gap::least_cost_gap;
use coase_core::carbon_flow::storage::StorageRule;
use coase_core::market::{NetworkMode, Plan};
use coase_core::outcome::Kind;
use coase_core::physical::of_plans;
use coase_core::terms::Terms;
use coase_core::{Allocation, Certificate, Economy, Market, MechanismError, number, repair};
use std::sync::Arc;

/// Gaps of this share of the money at stake are none.
const GAP: f64 = 1e-6;

/// What members do.
pub(super) struct Shared {
    pub plans: Vec<Arc<Plan>>,
    /// The answer within the limits; `None` where nobody's own best misses one.
    bound: Option<Arc<Allocation>>,
}

/// Members within the limits of the network, which cost nobody anything by themselves.
fn within(market: &Market) -> Economy {
    let loss_price_per_kwh = vec![0.0; market.setting().periods.count];
    market.grand().apart().network(NetworkMode::Inside { loss_price_per_kwh })
}

/// The variational equilibrium of members under the operator's terms.
pub(super) fn equilibrium(led: &Market) -> Result<Shared, MechanismError> {
    let plans = led.each(|local| local.autarky())?;
    let setting = led.setting();
    let holds = setting.feeder.is_none() || {
        let physical = of_plans(setting, plans.clone(), StorageRule::default())?;
        repair::holds(setting, &physical)
    };
    if holds {
        return Ok(Shared { plans, bound: None });
    }
    let best = led.solve(&within(led))?;
    Ok(Shared { plans: best.plans.iter().flatten().cloned().collect(), bound: Some(best) })
}

impl Shared {
    /// Limits that hold everybody to its part, for by itself nobody sees the network.
    pub fn limits(&self) -> &[Terms] {
        self.bound.as_ref().map_or(&[], |best| &best.limits)
    }

    /// What is known of it: what members gain each alone within what the others leave, and what they would gain if they met the
    /// prices of the limits and no limit.
    pub fn certificates(&self, led: &Market) -> Result<Vec<Certificate>, MechanismError> {
        let Some(best) = &self.bound else {
            let what = "nobody's own best misses a limit of the network, and nobody gains by anything else";
            return Ok(vec![Certificate::check("nikaido_isoda", 0.0, 0.0, what).about(Kind::FixedPoint)]);
        };
        let setting = led.setting();
        let stake: f64 = self.plans.iter().map(|plan| plan.cost.abs()).sum::<f64>().max(1.0);
        let alone = |i: usize| -> Result<f64, MechanismError> {
            let held: Vec<Terms> = best
                .limits
                .iter()
                .enumerate()
                .map(|(j, t)| if i == j { Terms::default() } else { t.clone() })
                .collect();
            let others_stay = led.imposing(&held);
            let own = others_stay.solve(&within(&others_stay).only(&[i]))?;
            Ok(self.plans[i].cost - own.cost)
        };
        let gains = (0..led.len()).map(alone).collect::<Result<Vec<f64>, MechanismError>>()?;
        // The price at a bus is charged for what is drawn there and paid for what is fed in.
        let price = |i: usize, t: usize| setting.energy_slot(t).map_or(0.0, |k| best.nodal_price[i][k]);
        let prices: Vec<Vec<f64>> =
            (0..led.len()).map(|i| (0..setting.periods.count).map(|t| price(i, t)).collect()).collect();
        let charge = |prices: &Vec<f64>| Terms {
            withdrawal_adder: prices.clone(),
            injection_adder: prices.iter().map(|p| -p).collect(),
            ..Terms::default()
        };
        let priced = led.imposing(&prices.iter().map(charge).collect::<Vec<_>>());
        let at_prices = priced.each(|local| local.autarky())?;
        let charged = |i: usize| -> f64 {
            let drawn = |t: usize| setting.energy_slot(t).map_or(0.0, |k| -self.plans[i].output[k]);
            (0..setting.periods.count).map(|t| prices[i][t] * drawn(t)).sum()
        };
        let left: f64 = (0..led.len()).map(|i| self.plans[i].cost + charged(i) - at_prices[i].cost).sum();
        let dearest = (0..led.len())
            .flat_map(|i| prices[i].iter().copied().enumerate().map(move |(t, p)| (i, t, p)))
            .fold((0, 0, 0.0_f64), |most, here| if here.2.abs() > most.2.abs() { here } else { most });
        let at = format!(
            "in period {}, at the bus of {}: one price of a limit for all",
            dearest.1, setting.members[dearest.0].id
        );
        let sum: f64 = gains.iter().map(|gain| gain.max(0.0)).sum();
        let each: Vec<String> = gains
            .iter()
            .zip(&setting.members)
            .map(|(gain, member)| format!("{} {}", member.id, number(*gain)))
            .collect();
        let what = "what members gain in all by another plan, each alone within what the others leave of the limits";
        Ok(vec![
            Certificate::check("nikaido_isoda", sum, GAP * stake, format!("{what}: {}", each.join(", ")))
                .about(Kind::FixedPoint),
            Certificate::check(
                "shared_price_gap",
                left.abs(),
                GAP * stake,
                "what members would gain in all by other plans at the prices of the limits",
            ),
            Certificate::measure("shared_limit_price_per_kwh", dearest.2, at),
            least_cost_gap(best, "distance of the sum of members' costs from the least within the limits"),
        ])
    }
}
