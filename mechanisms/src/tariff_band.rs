//! Between which prices nobody prefers the grid.

use coase_core::setting::Product;
use coase_core::terms::at;
use coase_core::{Market, MechanismError};

/// The pool's own tariff in one slot: the lowest price at which any member could buy instead, and the highest at which any
/// could sell, so that nobody prefers the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Band {
    /// Outside selling price, per kWh.
    pub sell: f64,
    /// Outside buying price, per kWh.
    pub buy: f64,
}

/// The pool's band per slot; `None` for what is not energy.
pub(crate) fn bands(market: &Market) -> Result<Vec<Option<Band>>, MechanismError> {
    let setting = market.setting();
    let tariff = setting.tariff.as_ref().ok_or(MechanismError::Unmet { need: "a grid tariff" })?;
    let band = |slot: usize, period: usize| {
        let mut band = Band { sell: f64::NEG_INFINITY, buy: f64::INFINITY };
        for i in 0..market.len() {
            let terms = market.terms(i);
            let trade = at(&terms.trade_adder, slot);
            band.buy = band.buy.min(tariff.buy_per_kwh[period] + at(&terms.import_adder, period) - trade);
            band.sell = band.sell.max(tariff.sell_per_kwh[period] + at(&terms.export_adder, period) - trade);
        }
        band
    };
    Ok(setting
        .slots
        .iter()
        .enumerate()
        .map(|(k, s)| (s.product == Product::Energy).then(|| band(k, s.period)))
        .collect())
}
