//! What is publicly known of members from before anybody reports: on which side they stand, what meters saw of them, and, of
//! those with a prior, at which price they trade.

use super::Market;
use crate::book::Order;
use crate::program::SolveError;
use crate::setting::{Product, Role};
use rayon::prelude::*;

/// Quantities below this are none, kWh.
const NOTHING_KWH: f64 = 1e-6;

/// What is publicly known of a member.
pub(super) struct Standing {
    pub roles: Vec<Role>,
    /// Net output without trade per slot; empty where there is none.
    pub baseline_kwh: Vec<f64>,
    pub price_level_per_kwh: Option<f64>,
}

/// What a kWh of a quantity is worth on average on one side of a participant's own steps (those of positive quantity sell):
/// the price at which it is ready to trade all of it or nothing. What the steps do not reach has the price `missing_per_kwh`,
/// the worst that there is on this side. `None` of nothing.
pub fn reserve_price(orders: &[Order], sells: bool, quantity_kwh: f64, missing_per_kwh: f64) -> Option<f64> {
    if quantity_kwh <= NOTHING_KWH {
        return None;
    }
    let sign = if sells { 1.0 } else { -1.0 };
    let mut steps: Vec<(f64, f64)> =
        orders.iter().filter(|o| sign * o.quantity > 0.0).map(|o| (o.price, o.quantity.abs())).collect();
    // The steps of one side are traded best price first.
    steps.sort_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0)));
    let (mut left, mut money) = (quantity_kwh, 0.0);
    for (price, quantity) in steps {
        let taken = quantity.min(left);
        money += price * taken;
        left -= taken;
    }
    Some((money + missing_per_kwh * left.max(0.0)) / quantity_kwh)
}

impl Market {
    /// Side of every member in every slot: the sign of its autarky output, or of its orders where there is no grid; and that
    /// output itself. A participant that cannot operate by itself is idle here, and fails with a reason when it is asked.
    pub(super) fn standings(&self) -> Vec<Standing> {
        (0..self.len()).into_par_iter().map(|i| self.standing(i)).collect()
    }

    fn standing(&self, i: usize) -> Standing {
        let sign = |x: f64| match x {
            x if x > NOTHING_KWH => Role::Seller,
            x if x < -NOTHING_KWH => Role::Buyer,
            _ => Role::Idle,
        };
        let slots = self.setting.slots.len();
        let offers = |k: usize| self.seats[i].participant.orders(k).map(|o| o.iter().map(|o| o.quantity).sum::<f64>());
        let offers: Option<Vec<f64>> = (0..slots).map(offers).collect();
        let output = match (&self.setting.tariff, offers) {
            (None, Some(offers)) => Ok(offers),
            _ => self.local(i).remembered_autarky().map(|plan| plan.output.clone()),
        };
        let Ok(output) = output else {
            return Standing { roles: vec![Role::Idle; slots], baseline_kwh: vec![], price_level_per_kwh: None };
        };
        let roles = output.iter().map(|x| sign(*x)).collect();
        let known = self.setting.members[i].prior.is_some();
        let price_level_per_kwh = if known { self.price_level(i, &output).unwrap_or(None) } else { None };
        let baseline_kwh = if self.setting.tariff.is_some() { output } else { vec![] };
        Standing { roles, baseline_kwh, price_level_per_kwh }
    }

    /// Mean worth of a kWh of what a member exchanges without trade.
    fn price_level(&self, i: usize, output: &[f64]) -> Result<Option<f64>, SolveError> {
        let (mut money, mut energy) = (0.0, 0.0);
        for (k, kwh) in output.iter().enumerate() {
            if self.setting.slots[k].product != Product::Energy || kwh.abs() <= NOTHING_KWH {
                continue;
            }
            let orders = self.local(i).remembered_orders(k)?.orders;
            let last = orders.last().map_or(0.0, |order| order.price);
            if let Some(price) = reserve_price(&orders, *kwh > 0.0, kwh.abs(), last) {
                money += price * kwh.abs();
                energy += kwh.abs();
            }
        }
        Ok((energy > 0.0).then(|| money / energy))
    }
}

#[cfg(test)]
mod tests {
    use super::reserve_price;
    use crate::book::Order;

    #[test]
    fn the_reserve_price_is_the_mean_of_what_is_traded_first() {
        let orders = [(0.7, 2.0), (0.4, 3.0), (0.9, -1.0), (0.6, -2.0)];
        let orders = orders.map(|(price, quantity)| Order { who: 0, price, quantity });
        assert!((reserve_price(&orders, true, 3.0, 1.0).unwrap() - 0.4).abs() < 1e-15);
        assert!((reserve_price(&orders, true, 4.0, 1.0).unwrap() - 1.9 / 4.0).abs() < 1e-15);
        // Five are asked for and three are wanted: the rest is worth what the grid pays.
        assert!((reserve_price(&orders, false, 5.0, 0.1).unwrap() - (0.9 + 1.2 + 0.2) / 5.0).abs() < 1e-15);
        assert_eq!(reserve_price(&orders, true, 0.0, 1.0), None);
    }
}
