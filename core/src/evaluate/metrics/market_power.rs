//! How far prices lie above marginal costs.

use super::Metric;
use crate::evaluate::Case;
use crate::table::number;

pub(super) const METRICS: &[Metric] =
    &[number("lerner_index", "", "Volume-weighted (price - marginal cost) / price of sellers.")
        .equals("sum over trades of q * (p - m) / p / sum over trades of q; p: price, m: marginal cost of the seller at what it delivers")
        .by(|case| lerner(case).into())];

/// Volume-weighted `(p - m) / p` of the sellers of energy, `m` their marginal cost at what they deliver.
fn lerner(case: &Case) -> Option<f64> {
    let (mut weighted, mut volume) = (0.0, 0.0);
    for trade in case.traded.energy() {
        let price = case.traded.price_of(trade);
        let margin = case.cleared.physical.plans[trade.seller].marginal_cost.get(trade.slot);
        if let (Some(price), Some(marginal)) = (price, margin)
            && price > 1e-9
        {
            weighted += trade.quantity * (price - marginal) / price;
            volume += trade.quantity;
        }
    }
    (volume > 1e-9).then(|| weighted / volume)
}
