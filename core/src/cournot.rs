//! Sellers who choose quantities against a falling price (Cournot), and a market operator who takes a quotation on every kWh.
//!
//! Buyers pay `P(Q) = A - B Q` for what is sold in all; the operator keeps `sigma` of it, sellers receive `p = P(Q) - sigma`. A
//! seller of marginal cost `m(q)` sells where `p - B q = m(q)`, so that its quantity is a function of the net price `p` alone:
//! piecewise linear and not falling, with bends where its cost has steps. Total sales `Q(p)` and the quotation `sigma(p) = A -
//! B Q(p) - p` that makes it the equilibrium follow; the latter falls strictly, so that every quotation has one equilibrium (Rosen,
//! 1965), and what the operator earns, `sigma Q`, is a parabola between any two bends. Numbers only: knows no market.

use thiserror::Error;

/// A part of what a seller can sell: so much at one marginal cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostStep {
    /// Marginal cost, per kWh.
    pub cost_per_kwh: f64,
    /// How much; infinite where nothing limits it.
    pub quantity_kwh: f64,
}

/// Sellers and what buyers pay.
#[derive(Clone, Debug, PartialEq)]
pub struct Cournot {
    intercept_per_kwh: f64,
    slope_per_kwh2: f64,
    sellers: Vec<Vec<CostStep>>,
    /// Net prices at which some quantity bends, increasing.
    bends: Vec<f64>,
}

/// Why numbers are no game.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum CournotError {
    /// A price that does not fall, or is no number.
    #[error("a price of {intercept} - {slope} Q: expected finite numbers, the slope above 0")]
    Demand {
        /// Price of the first kWh.
        intercept: f64,
        /// How it falls.
        slope: f64,
    },
    /// Costs of a seller that are none, or fall.
    #[error(
        "the costs of seller {seller} (they count from 0): expected finite costs that do not fall, of quantities above 0"
    )]
    Costs {
        /// Which.
        seller: usize,
    },
}

/// What sellers do at a quotation.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// The quotation, per kWh.
    pub quotation_per_kwh: f64,
    /// What sellers receive, per kWh: what buyers pay less the quotation.
    pub price_per_kwh: f64,
    /// What each sells, kWh.
    pub quantity_kwh: Vec<f64>,
    /// What each earns.
    pub profit: Vec<f64>,
}

impl Played {
    /// What all sell, kWh.
    pub fn total_kwh(&self) -> f64 {
        self.quantity_kwh.iter().sum()
    }

    /// What the operator earns.
    pub fn operator_revenue(&self) -> f64 {
        self.quotation_per_kwh * self.total_kwh()
    }

    /// Sum of squared shares of sales, 1 where one sells everything (Herfindahl and Hirschman); `None` where nothing is sold.
    pub fn concentration(&self) -> Option<f64> {
        let total = self.total_kwh();
        (total > 0.0).then(|| self.quantity_kwh.iter().map(|q| (q / total).powi(2)).sum())
    }
}

impl Cournot {
    /// Sellers against the price `intercept - slope Q`; the steps of a seller in the order of its marginal cost.
    ///
    /// # Errors
    /// Numbers that make no game.
    pub fn new(intercept_per_kwh: f64, slope_per_kwh2: f64, sellers: Vec<Vec<CostStep>>) -> Result<Self, CournotError> {
        let (intercept, slope) = (intercept_per_kwh, slope_per_kwh2);
        if !(intercept.is_finite() && slope.is_finite() && slope > 0.0) {
            return Err(CournotError::Demand { intercept, slope });
        }
        for (seller, steps) in sellers.iter().enumerate() {
            let fine = |s: &CostStep| s.cost_per_kwh.is_finite() && s.quantity_kwh > 0.0;
            if !steps.iter().all(fine) || steps.windows(2).any(|w| w[1].cost_per_kwh < w[0].cost_per_kwh) {
                return Err(CournotError::Costs { seller });
            }
        }
        let mut bends = vec![intercept];
        for steps in &sellers {
            let mut sold = 0.0;
            for step in steps {
                bends.push(step.cost_per_kwh + slope * sold);
                sold += step.quantity_kwh;
                bends.push(step.cost_per_kwh + slope * sold);
            }
        }
        bends.retain(|p| p.is_finite() && *p <= intercept);
        bends.sort_by(f64::total_cmp);
        bends.dedup();
        Ok(Self { intercept_per_kwh, slope_per_kwh2, sellers, bends })
    }

    /// The equilibrium at a quotation, the only one.
    pub fn equilibrium(&self, quotation_per_kwh: f64) -> Played {
        self.played(self.net_price(quotation_per_kwh), quotation_per_kwh)
    }

    /// The quotation between 0 and a limit that earns the operator most, with what sellers then do: the least one among equals.
    pub fn best_quotation(&self, max_per_kwh: f64) -> Played {
        let (dearest, cheapest) = (self.net_price(0.0), self.net_price(max_per_kwh));
        let inside = self.bends.iter().copied().filter(|p| *p > cheapest && *p < dearest);
        let mut edges = vec![cheapest];
        edges.extend(inside);
        edges.push(dearest);
        let mut prices = edges.clone();
        for w in edges.windows(2) {
            prices.extend(self.top(w[0], w[1]));
        }
        let mut quotations: Vec<f64> = prices.iter().map(|p| self.quotation(*p).clamp(0.0, max_per_kwh)).collect();
        quotations.sort_by(f64::total_cmp);
        let mut best = self.equilibrium(0.0);
        for quotation in quotations {
            let played = self.equilibrium(quotation);
            let (now, least) = (played.operator_revenue(), best.operator_revenue());
            if now > least + 1e-12 * least.abs() {
                best = played;
            }
        }
        best
    }

    /// The quotations at which sellers leave: from there on each sells nothing. `None` of a seller that never sells.
    pub fn leave_at(&self) -> Vec<Option<f64>> {
        let leaves = |steps: &Vec<CostStep>| {
            let quotation = self.quotation(steps.first()?.cost_per_kwh);
            (quotation > 0.0).then_some(quotation)
        };
        self.sellers.iter().map(leaves).collect()
    }

    /// The most that a seller gains by another quantity while the others keep theirs, summed over sellers: the gap of Nikaido and
    /// Isoda (1955), 0 at an equilibrium and nowhere else.
    pub fn nikaido_isoda(&self, played: &Played) -> f64 {
        let total = played.total_kwh();
        let gain = |(j, steps): (usize, &Vec<CostStep>)| {
            let others = total - played.quantity_kwh[j];
            let price = self.intercept_per_kwh - played.quotation_per_kwh - self.slope_per_kwh2 * others;
            let profit = |q: f64| (price - self.slope_per_kwh2 * q) * q - cost(steps, q);
            // On every step the profit is a parabola: its top, or the nearer end.
            let mut best = profit(0.0);
            let mut sold = 0.0;
            for step in steps {
                let top = (price - step.cost_per_kwh) / (2.0 * self.slope_per_kwh2);
                best = best.max(profit(top.clamp(sold, sold + step.quantity_kwh)));
                sold += step.quantity_kwh;
            }
            (best - profit(played.quantity_kwh[j])).max(0.0)
        };
        self.sellers.iter().enumerate().map(gain).sum()
    }

    /// What a seller sells at a net price.
    fn sold(&self, steps: &[CostStep], price: f64) -> f64 {
        let mut sold = 0.0;
        for step in steps {
            let wanted = (price - step.cost_per_kwh) / self.slope_per_kwh2;
            if wanted <= sold {
                break;
            }
            sold = wanted.min(sold + step.quantity_kwh);
            if sold == wanted {
                break;
            }
        }
        sold
    }

    fn total(&self, price: f64) -> f64 {
        self.sellers.iter().map(|steps| self.sold(steps, price)).sum()
    }

    /// The quotation that makes a net price that of the equilibrium.
    fn quotation(&self, price: f64) -> f64 {
        self.intercept_per_kwh - self.slope_per_kwh2 * self.total(price) - price
    }

    /// The net price of the equilibrium at a quotation: between two bends everything is a straight line.
    fn net_price(&self, quotation: f64) -> f64 {
        // The greatest bend that asks for no less: with any price above it the quotation is smaller.
        let above = self.bends.partition_point(|p| self.quotation(*p) > quotation);
        if above == 0 {
            // Below the first bend nothing is sold.
            return self.intercept_per_kwh - quotation;
        }
        let Some(&high) = self.bends.get(above) else { return self.intercept_per_kwh - quotation };
        let low = self.bends[above - 1];
        let (at_low, at_high) = (self.quotation(low), self.quotation(high));
        low + (high - low) * (at_low - quotation) / (at_low - at_high)
    }

    /// The net price between two bends at which the operator earns most, where that is not at an end.
    fn top(&self, low: f64, high: f64) -> Option<f64> {
        let (s0, s1, q0, q1) = (self.quotation(low), self.quotation(high), self.total(low), self.total(high));
        let (ds, dq) = (s1 - s0, q1 - q0);
        // (s0 + x ds)(q0 + x dq)
        let bend = 2.0 * ds * dq;
        let x = -(s0 * dq + q0 * ds) / bend;
        (bend < 0.0 && x > 0.0 && x < 1.0).then_some(low + x * (high - low))
    }

    fn played(&self, price_per_kwh: f64, quotation_per_kwh: f64) -> Played {
        let quantity_kwh: Vec<f64> = self.sellers.iter().map(|steps| self.sold(steps, price_per_kwh)).collect();
        let profit =
            self.sellers.iter().zip(&quantity_kwh).map(|(steps, q)| price_per_kwh * q - cost(steps, *q)).collect();
        Played { quotation_per_kwh, price_per_kwh, quantity_kwh, profit }
    }
}

/// What a quantity costs.
fn cost(steps: &[CostStep], quantity: f64) -> f64 {
    let (mut left, mut money) = (quantity, 0.0);
    for step in steps {
        let taken = left.min(step.quantity_kwh);
        money += step.cost_per_kwh * taken;
        left -= taken;
    }
    money
}

#[cfg(test)]
mod tests {
    use super::{CostStep, Cournot, CournotError};
    use proptest::prelude::*;

    fn constant(cost_per_kwh: f64) -> Vec<CostStep> {
        vec![CostStep { cost_per_kwh, quantity_kwh: f64::INFINITY }]
    }

    /// `P = 1.05 - 0.002 Q`, sellers at 0.30, 0.36 and 0.45.
    fn three() -> Cournot {
        Cournot::new(1.05, 0.002, [0.30, 0.36, 0.45].map(constant).to_vec()).unwrap()
    }

    fn near(found: &[f64], expected: &[f64]) {
        let fits = found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-9);
        assert!(fits, "{found:?} instead of {expected:?}");
    }

    #[test]
    fn quantities_are_those_of_the_closed_form_at_every_quotation() {
        for (quotation, quantity, revenue) in [
            (0.0, [120.0, 90.0, 45.0], 0.0),
            (0.1, [107.5, 77.5, 32.5], 21.75),
            (0.3, [82.5, 52.5, 7.5], 42.75),
            (0.5, [155.0 / 3.0, 65.0 / 3.0, 0.0], 110.0 / 3.0),
            (0.7, [12.5, 0.0, 0.0], 8.75),
            (0.8, [0.0, 0.0, 0.0], 0.0),
        ] {
            let played = three().equilibrium(quotation);
            near(&played.quantity_kwh, &quantity);
            near(&[played.operator_revenue()], &[revenue]);
            assert!(three().nikaido_isoda(&played) < 1e-12, "{played:?}");
        }
        let free = three().equilibrium(0.0);
        near(&[free.price_per_kwh], &[0.54]);
        near(&free.profit, &[28.8, 16.2, 4.05]);
    }

    #[test]
    fn the_best_quotation_is_the_vertex_of_its_parabola_and_a_limit_counts_only_below_it() {
        for max in [0.34, 0.5, 0.7, 5.0] {
            let best = three().best_quotation(max);
            near(&[best.quotation_per_kwh, best.operator_revenue()], &[0.34, 43.35]);
            near(&best.quantity_kwh, &[77.5, 47.5, 2.5]);
        }
        near(&[three().best_quotation(0.2).quotation_per_kwh], &[0.2]);
        // The third seller leaves where (1.05 - s - 4 x 0.45 + 1.11) = 0.
        let leave: Vec<f64> = three().leave_at().into_iter().flatten().collect();
        near(&leave, &[0.75, 0.63, 0.36]);
    }

    #[test]
    fn a_cheaper_seller_sells_more_and_past_half_the_intercept_earns_less_from_buyers() {
        // Three alike at 0.35, then at 0.20: revenue falls, profit rises.
        let sold = |cost: f64| {
            let game = Cournot::new(1.05, 0.002, [cost; 3].map(constant).to_vec()).unwrap();
            let played = game.equilibrium(0.0);
            (played.price_per_kwh * played.total_kwh(), played.profit.iter().sum::<f64>())
        };
        let ((dear, dear_profit), (cheap, cheap_profit)) = (sold(0.35), sold(0.20));
        assert!(cheap < dear && cheap_profit > dear_profit, "{dear} {cheap} {dear_profit} {cheap_profit}");
    }

    #[test]
    fn numbers_that_make_no_game_are_refused() {
        assert!(matches!(Cournot::new(1.0, 0.0, vec![]), Err(CournotError::Demand { .. })));
        assert!(matches!(Cournot::new(1.0, 1.0, vec![constant(f64::NAN)]), Err(CournotError::Costs { seller: 0 })));
        let falling = [0.5, 0.4].map(|cost_per_kwh| CostStep { cost_per_kwh, quantity_kwh: 1.0 }).to_vec();
        assert!(matches!(Cournot::new(1.0, 1.0, vec![falling]), Err(CournotError::Costs { seller: 0 })));
    }

    proptest! {
        /// Whatever the steps: nobody gains by another quantity, sales fall in the quotation, no quotation of a fine grid earns more.
        #[test]
        fn an_equilibrium_is_one_and_the_best_quotation_is_best(
            intercept in 0.5_f64..1.5,
            slope in 0.001_f64..0.05,
            sellers in proptest::collection::vec(proptest::collection::vec((0.0_f64..1.0, 1.0_f64..50.0), 1..4), 1..4),
            max in 0.01_f64..1.5,
        ) {
            let steps = |of: Vec<(f64, f64)>| {
                let mut steps: Vec<CostStep> =
                    of.into_iter().map(|(cost_per_kwh, quantity_kwh)| CostStep { cost_per_kwh, quantity_kwh }).collect();
                steps.sort_by(|a, b| a.cost_per_kwh.total_cmp(&b.cost_per_kwh));
                steps
            };
            let game = Cournot::new(intercept, slope, sellers.into_iter().map(steps).collect()).unwrap();
            let best = game.best_quotation(max);
            prop_assert!(best.quotation_per_kwh >= 0.0 && best.quotation_per_kwh <= max);
            let mut before = f64::INFINITY;
            for k in 0..=200 {
                let played = game.equilibrium(max * f64::from(k) / 200.0);
                let pays = intercept - slope * played.total_kwh() - played.quotation_per_kwh;
                prop_assert!((pays - played.price_per_kwh).abs() < 1e-9, "{played:?} pays {pays}");
                prop_assert!(game.nikaido_isoda(&played) < 1e-9, "{played:?}");
                prop_assert!(played.total_kwh() <= before + 1e-9);
                prop_assert!(played.operator_revenue() <= best.operator_revenue() + 1e-9);
                before = played.total_kwh();
            }
        }
    }
}
