//! Games as numbers alone, with the participants that they belong to: what it takes to check an answer elsewhere.
//!
//! A mechanism gives those that it plays by [`Mechanism::plain_games`](crate::Mechanism::plain_games). Knows neither the market that
//! they come from nor the files that they are written to.

use crate::cournot::CostStep;
use crate::population::Dynamics;
use crate::pricing::{Buyer, Method, Seller};

/// The game of one slot.
#[derive(Clone, Debug, PartialEq)]
pub struct PlainGame {
    /// The slot.
    pub slot: usize,
    /// What is played in it.
    pub played: Numbers,
}

/// A game by its numbers. Participants are named by their position.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Buyers who spread over options at given prices ([`crate::population`]).
    Population {
        /// What they choose among.
        options: Vec<Priced>,
        /// Who chooses.
        buyers: Vec<Spreading>,
        /// How they change their minds.
        dynamics: Dynamics,
    },
    /// Sellers who post prices, and buyers who spread over them ([`crate::pricing`]).
    Pricing {
        /// Who sells.
        sellers: Vec<(usize, Seller)>,
        /// Who buys.
        buyers: Vec<(usize, Buyer)>,
        /// Least and greatest price, per kWh.
        range: (f64, f64),
        /// How sellers look for prices.
        method: Method,
    },
    /// Sellers who choose quantities, of each kWh of which an operator keeps its quotation ([`crate::cournot`]).
    Cournot {
        /// What buyers pay for the first kWh.
        intercept_per_kwh: f64,
        /// How much less they pay per kWh for each further one.
        slope_per_kwh2: f64,
        /// Who sells, with the steps of its marginal cost in their order.
        sellers: Vec<(usize, Vec<CostStep>)>,
        /// The greatest quotation, per kWh.
        quotation_max_per_kwh: f64,
        /// The quotation, per kWh; `None`: the operator's best.
        quotation_per_kwh: Option<f64>,
    },
}

/// An option at a given price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Priced {
    /// Who sells; `None`: the grid.
    pub member: Option<usize>,
    /// What it asks for a kWh.
    pub price_per_kwh: f64,
    /// What it has, kWh.
    pub quantity_kwh: f64,
    /// What a kWh costs more, per kWh, where all that it has is asked for.
    pub congestion_per_kwh: f64,
}

/// A buyer who spreads over options.
#[derive(Clone, Debug, PartialEq)]
pub struct Spreading {
    /// Who buys.
    pub member: usize,
    /// What it needs, kWh.
    pub quantity_kwh: f64,
    /// What a kWh from each option costs it more, per kWh.
    pub adders_per_kwh: Vec<f64>,
}
