//! Bargaining power from what everybody contributes to trade.

use coase_core::outcome::Trade;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bargaining power of the members. With `s_i`, `r_i` the energy sold and bought over the largest of its kind:
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Weights {
    /// Equal: the symmetric solution.
    #[default]
    Equal,
    /// `exp(s_i) - exp(-r_i)`: the nonlinear map of the multi-microgrid literature.
    Exponential,
    /// `ln(1 + s_i) + ln(1 + r_i) / 2`.
    Logarithmic,
}

impl Weights {
    /// Normalised weights; equal where nobody trades.
    pub(super) fn of(self, members: usize, trades: &[Trade]) -> Vec<f64> {
        let mut sold = vec![0.0; members];
        let mut bought = vec![0.0; members];
        for trade in trades {
            sold[trade.seller] += trade.quantity;
            bought[trade.buyer] += trade.quantity;
        }
        let relative = |x: &[f64]| {
            let top = x.iter().copied().fold(0.0, f64::max);
            x.iter().map(|v| if top > 0.0 { v / top } else { 0.0 }).collect::<Vec<f64>>()
        };
        let raw: Vec<f64> = relative(&sold)
            .into_iter()
            .zip(relative(&bought))
            .map(|(s, r)| match self {
                Weights::Equal => 1.0,
                Weights::Exponential => s.exp() - (-r).exp(),
                Weights::Logarithmic => s.ln_1p() + 0.5 * r.ln_1p(),
            })
            .collect();
        let total: f64 = raw.iter().sum();
        if total > 0.0 { raw.iter().map(|a| a / total).collect() } else { vec![1.0 / members as f64; members] }
    }
}
