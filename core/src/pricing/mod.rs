//! Sellers' pricing game: sellers post prices, and buyers spread over them as in [`crate::population`].
//!
//! Numbers only. Seller `j` has `E_j` kWh, each of which costs it `c_j`, and asks `p_j` within `[price_min, price_max]`. A kWh from it
//! costs buyer `i` `p_j + w_ij + k_j y_j / E_j`, where `y_j` is what all ask of it. It sells `min(y_j, E_j)` and earns
//! `U_j = (p_j - c_j) min(y_j, E_j)`. Buyers need a fixed quantity, or buy what its value pays, `q_i = (a_i - level_i) / b_i`; they may
//! buy from the grid at a price of their own.
//!
//! Where pairs add different `w_ij`, `U_j` has several peaks in `p_j`: stationary prices need not be an equilibrium, and there may
//! be none. So every answer carries its gap of Nikaido and Isoda (1955), `sum_j max_p U_j(p, p_-j) - U_j(p)`, in which the
//! maximum is sought over all prices ([`PricingGame::nikaido_isoda`]).

mod best_response;
mod concavity;
mod follower;
mod layered;
mod least_gap;
mod seek;
mod solve;
#[cfg(test)]
mod tests;

pub use best_response::{Gap, Response};
pub use follower::{Demand, Follower};
pub use layered::{Layered, Patience, Update};
pub use least_gap::Correlated;
pub use seek::{Method, Sought};
pub use solve::PriceEquilibrium;

use crate::population::{PopulationError, PopulationGame};

/// A seller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seller {
    /// `c_j`: what a kWh costs it, or what it brings elsewhere, per kWh.
    pub cost: f64,
    /// `E_j`: what it has, kWh.
    pub quantity: f64,
    /// `k_j`: what a kWh from it costs more, per kWh, where all that it has is asked for.
    pub congestion: f64,
}

impl Seller {
    /// `s_j = E_j / k_j`: kWh per unit of price.
    pub fn slope(&self) -> f64 {
        self.quantity / self.congestion
    }
}

/// A buyer.
#[derive(Clone, Debug, PartialEq)]
pub struct Buyer {
    /// What it needs, or buys at most, kWh.
    pub quantity: f64,
    /// `w_ij` by seller, per kWh.
    pub adders: Vec<f64>,
    /// What a kWh from the grid costs it; `None` where there is no grid.
    pub grid_price: Option<f64>,
    /// `(a_i, b_i)`: its `q`-th kWh is worth `a_i - b_i q`; `None` where it buys its quantity whatever that costs.
    pub value: Option<(f64, f64)>,
}

/// Why a game is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PricingError {
    /// What buyers play is no game.
    #[error(transparent)]
    Population(#[from] PopulationError),
    /// Some buyers know the grid, and some do not.
    #[error("some buyers have a price of the grid, and some have none: all have one or none has")]
    Grid,
    /// A number that is none, or has the wrong sign.
    #[error("{what} is {value}: expected {expected}")]
    Number {
        /// Which number.
        what: &'static str,
        /// What it is.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
}

/// Sellers, buyers and the range of prices.
#[derive(Clone, Debug)]
pub struct PricingGame {
    sellers: Vec<Seller>,
    /// The group of each buyer: buyers that stand alike are one.
    group: Vec<usize>,
    /// What each buyer needs, kWh.
    needs: Vec<f64>,
    price_min: f64,
    price_max: f64,
    /// What buyers play at prices of 0; options are the sellers, then the grid, then not to buy.
    at_zero: PopulationGame,
    grid: bool,
}

impl PricingGame {
    /// The game.
    ///
    /// # Errors
    /// Nobody on a side, a number that is not finite or has the wrong sign, or an empty range of prices.
    pub fn new(sellers: Vec<Seller>, buyers: &[Buyer], price_min: f64, price_max: f64) -> Result<Self, PricingError> {
        let number = |what, value: f64, fits: bool, expected| {
            if value.is_finite() && fits { Ok(()) } else { Err(PricingError::Number { what, value, expected }) }
        };
        number("the least price", price_min, true, "a finite number")?;
        number("the greatest price", price_max, price_max >= price_min, "at least the least price")?;
        for seller in &sellers {
            number("the cost of a seller", seller.cost, true, "a finite number")?;
            number("the quantity of a seller", seller.quantity, seller.quantity > 0.0, "a number above 0")?;
            number("the congestion of a seller", seller.congestion, seller.congestion > 0.0, "a number above 0")?;
        }
        for buyer in buyers {
            number("the quantity of a buyer", buyer.quantity, buyer.quantity > 0.0, "a number above 0")?;
        }
        let grid = buyers.iter().any(|buyer| buyer.grid_price.is_some());
        if grid && buyers.iter().any(|buyer| buyer.grid_price.is_none()) {
            return Err(PricingError::Grid);
        }
        // Buyers with the same costs are one: what each does is its part of what they do.
        let mut kinds: Vec<Buyer> = vec![];
        let mut group = vec![];
        for buyer in buyers {
            let alike = |kind: &Buyer| {
                kind.value.is_none()
                    && buyer.value.is_none()
                    && (&kind.adders, kind.grid_price) == (&buyer.adders, buyer.grid_price)
            };
            if let Some(k) = kinds.iter().position(alike) {
                kinds[k].quantity += buyer.quantity;
                group.push(k);
            } else {
                group.push(kinds.len());
                kinds.push(buyer.clone());
            }
        }
        let base: Vec<Vec<f64>> =
            kinds.iter().map(|kind| kind.adders.iter().copied().chain(kind.grid_price).collect()).collect();
        let mut slope: Vec<f64> = sellers.iter().map(|seller| 1.0 / seller.slope()).collect();
        slope.extend(grid.then_some(0.0));
        let mut at_zero = PopulationGame::new(kinds.iter().map(|kind| kind.quantity).collect(), &base, slope)?;
        if kinds.iter().any(|kind| kind.value.is_some()) {
            // Whoever needs its quantity values it above all that it can cost.
            let dearest = at_zero.range()
                + price_max.abs()
                + kinds.iter().flat_map(|kind| &kind.adders).fold(0.0, |most, w| w.abs().max(most));
            let value = |kind: &Buyer| kind.value.unwrap_or((2.0 * dearest + 1.0 + kind.quantity, 1.0));
            at_zero = at_zero.with_abstention(&kinds.iter().map(value).collect::<Vec<_>>())?;
        }
        let needs = buyers.iter().map(|buyer| buyer.quantity).collect();
        Ok(Self { sellers, group, needs, price_min, price_max, at_zero, grid })
    }

    /// The sellers.
    pub fn sellers(&self) -> &[Seller] {
        &self.sellers
    }

    /// Least and greatest price.
    pub fn range(&self) -> (f64, f64) {
        (self.price_min, self.price_max)
    }

    /// Prices in the middle of the range.
    pub fn middle(&self) -> Vec<f64> {
        vec![0.5 * (self.price_min + self.price_max); self.sellers.len()]
    }

    /// Where a search begins: each seller half-way between its cost and what buyers pay at most, which is the grid's price or that of
    /// the range; without a grid in the middle of the range.
    pub fn start(&self) -> Vec<f64> {
        if !self.grid {
            return self.middle();
        }
        let grid = (0..self.at_zero.buyers()).map(|i| self.at_zero.base(i, self.sellers.len()));
        let most = grid.fold(f64::NEG_INFINITY, f64::max).min(self.price_max);
        self.sellers.iter().map(|seller| self.clipped(0.5 * (seller.cost + most))).collect()
    }

    /// A price within the range.
    pub fn clipped(&self, price: f64) -> f64 {
        price.clamp(self.price_min, self.price_max)
    }

    /// What buyers play at these prices.
    pub fn buyers_at(&self, prices: &[f64]) -> PopulationGame {
        let mut game = self.at_zero.clone();
        game.add_to_options(prices);
        game
    }

    /// What of a total is sold: no seller sells more than it has.
    pub fn sold(&self, totals: &[f64]) -> Vec<f64> {
        self.sellers.iter().zip(totals).map(|(seller, y)| y.min(seller.quantity)).collect()
    }

    /// Profits where these totals are asked for, money.
    pub fn profits(&self, prices: &[f64], totals: &[f64]) -> Vec<f64> {
        let sold = self.sold(totals);
        self.sellers.iter().zip(prices).zip(sold).map(|((seller, p), q)| (p - seller.cost) * q).collect()
    }
}
