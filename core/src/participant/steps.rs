//! A participant known by its bids alone: a block trader.

use super::{Contribution, DeviceSeries, Participant};
use crate::book::Order;
use crate::program::{Expr, Program};
use crate::setting::{Product, Setting};

/// One step: a positive quantity is sold at the price or above, a negative one bought at the price or below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Price per kWh.
    pub price_per_kwh: f64,
    /// kWh.
    pub quantity_kwh: f64,
}

/// Steps per slot. Selling costs the price of each step, buying is worth it, and whatever is left over costs nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    name: String,
    slots: Vec<Vec<Step>>,
}

/// Steps that are no bid list.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StepsError {
    /// A price or quantity is not a number.
    #[error("{name}, slot {slot}, step {step}: price and quantity must be finite numbers")]
    NotFinite {
        /// Whose bids they are.
        name: String,
        /// In which slot.
        slot: usize,
        /// Position in the list as given.
        step: usize,
    },
    /// It would buy from itself.
    #[error("{name}, slot {slot}: buys at {buys_at} and sells at {sells_at}, so it would trade with itself")]
    Crossed {
        /// Whose bids they are.
        name: String,
        /// In which slot.
        slot: usize,
        /// Its highest bid.
        buys_at: f64,
        /// Its lowest offer.
        sells_at: f64,
    },
}

impl Steps {
    /// Bid lists in any order, one per slot.
    ///
    /// # Errors
    /// Numbers that are not finite; a bid above an own offer.
    pub fn new(name: impl Into<String>, mut slots: Vec<Vec<Step>>) -> Result<Self, StepsError> {
        let name = name.into();
        for (slot, steps) in slots.iter_mut().enumerate() {
            if let Some(step) = steps.iter().position(|s| !(s.price_per_kwh.is_finite() && s.quantity_kwh.is_finite()))
            {
                return Err(StepsError::NotFinite { name, slot, step });
            }
            steps.retain(|s| s.quantity_kwh != 0.0);
            // The best step of each side first; equal prices stay as given.
            let rank = |s: &Step| s.price_per_kwh * s.quantity_kwh.signum();
            steps.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
            let prices =
                |sign: f64| steps.iter().filter(move |s| s.quantity_kwh.signum() == sign).map(|s| s.price_per_kwh);
            let buys_at = prices(-1.0).fold(f64::NEG_INFINITY, f64::max);
            let sells_at = prices(1.0).fold(f64::INFINITY, f64::min);
            if buys_at > sells_at {
                return Err(StepsError::Crossed { name, slot, buys_at, sells_at });
            }
        }
        Ok(Self { name, slots })
    }

    /// Its steps in a slot: the best of each side first.
    pub fn slot(&self, slot: usize) -> &[Step] {
        self.slots.get(slot).map_or(&[], Vec::as_slice)
    }
}

impl Participant for Steps {
    /// Slots without a list trade nothing.
    fn contribute(&self, program: &mut Program, setting: &Setting) -> Contribution {
        program.scope(format!("{}, bids", self.name));
        let periods = setting.periods.count;
        let mut all = Contribution {
            emission_kg: vec![Expr::default(); periods],
            emitting_kwh: vec![Expr::default(); periods],
            ..Contribution::default()
        };
        let mut series =
            DeviceSeries { kind: "bids", power_kw: vec![Expr::default(); periods], ..DeviceSeries::default() };
        for (k, slot) in setting.slots.iter().enumerate() {
            let mut output = Expr::default();
            for step in self.slot(k) {
                let x = program.var(step.quantity_kwh.min(0.0), step.quantity_kwh.max(0.0));
                all.cost.add(step.price_per_kwh, x);
                output.add(1.0, x);
            }
            if slot.product == Product::Energy && slot.period < periods {
                series.power_kw[slot.period].add(1.0 / setting.periods.hours, &output);
            }
            all.output.push(output);
        }
        all.devices.push(series);
        all
    }

    fn orders(&self, slot: usize) -> Option<Vec<Order>> {
        let order = |s: &Step| Order { who: 0, price: s.price_per_kwh, quantity: s.quantity_kwh };
        Some(self.slot(slot).iter().map(order).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, Steps, StepsError};
    use crate::book::Order;
    use crate::participant::Participant;
    use crate::participant::testing::{assert_all_close, assert_close, hourly, in_setting};
    use crate::setting::Setting;

    fn step(price_per_kwh: f64, quantity_kwh: f64) -> Step {
        Step { price_per_kwh, quantity_kwh }
    }

    fn trader() -> Steps {
        let lists =
            vec![vec![step(0.7, 4.0), step(0.5, 3.0), step(0.3, -2.0), step(0.4, -1.0), step(0.9, 0.0)], vec![]];
        Steps::new("trader", lists).unwrap()
    }

    #[test]
    fn orders_are_the_steps_best_first() {
        let orders = trader().orders(0).unwrap();
        let found: Vec<(f64, f64)> = orders.iter().map(|o| (o.price, o.quantity)).collect();
        assert_eq!(found, [(0.4, -1.0), (0.3, -2.0), (0.5, 3.0), (0.7, 4.0)]);
        assert_eq!(trader().orders(1).unwrap(), []);
    }

    #[test]
    fn the_response_to_a_price_is_the_sum_of_the_orders_it_fills() {
        let setting = Setting::energy(hourly(2), None, None, vec![]);
        for price in [0.2, 0.35, 0.45, 0.6, 0.8] {
            let found = in_setting(&trader(), &setting, &[price, price]).unwrap();
            let filled = |o: &Order| if o.quantity > 0.0 { o.price < price } else { o.price > price };
            let orders: Vec<Order> = trader().orders(0).unwrap().into_iter().filter(filled).collect();
            let quantity = orders.iter().map(|o| o.quantity).sum();
            let profit = orders.iter().map(|o| (price - o.price) * o.quantity).sum();
            assert_all_close(&found.values(&found.contribution.output), &[quantity, 0.0], 1e-9);
            assert_close(found.profit, profit, 1e-9);
        }
    }

    #[test]
    fn a_trader_that_would_trade_with_itself_is_refused() {
        let crossed = Steps::new("trader", vec![vec![step(0.5, 3.0), step(0.6, -1.0)]]);
        let expected = StepsError::Crossed { name: "trader".into(), slot: 0, buys_at: 0.6, sells_at: 0.5 };
        assert_eq!(crossed.unwrap_err(), expected);
        let undefined = Steps::new("trader", vec![vec![], vec![step(0.5, 1.0), step(f64::NAN, 1.0)]]);
        assert_eq!(undefined.unwrap_err(), StepsError::NotFinite { name: "trader".into(), slot: 1, step: 1 });
    }
}
