//! Why a price leaves the band between what the grid pays and what it asks.

use super::Priced;
use crate::tariff_band::bands;
use coase_core::outcome::Trade;
use coase_core::{Certificate, Market, MechanismError, number};

/// Distances of a price from its band below this are rounding.
const ROUNDING_PER_KWH: f64 = 1e-6;

impl Priced {
    /// Certificate `price_outside_band`, where a price is not between what the grid pays and what it asks: by how much the worst
    /// is, between whom and when, and why. `shadow_price` is what the payments are nearest to.
    pub fn outside_the_band(
        &self,
        market: &Market,
        shadow_price: &[f64],
    ) -> Result<Option<Certificate>, MechanismError> {
        let setting = market.setting();
        let bands = bands(market)?;
        // Above its band positive, below it negative.
        let beyond = |t: &Trade| match (bands[t.slot], t.price) {
            (Some(band), Some(price)) if price > band.buy => price - band.buy,
            (Some(band), Some(price)) if price < band.sell => price - band.sell,
            _ => 0.0,
        };
        let outside = self.trades.iter().filter(|t| beyond(t).abs() > ROUNDING_PER_KWH);
        let count = outside.clone().count();
        let worst = outside.fold(None, |worst: Option<&Trade>, t| match worst {
            Some(known) if beyond(known).abs() >= beyond(t).abs() => worst,
            _ => Some(t),
        });
        let (Some(t), true) = (worst, count > 0) else { return Ok(None) };
        let (Some(band), Some(price)) = (bands[t.slot], t.price) else { return Ok(None) };
        let beside = |member: usize| -> f64 {
            let sign = |trade: &Trade| {
                f64::from(u8::from(trade.seller == member)) - f64::from(u8::from(trade.buyer == member))
            };
            let paid =
                self.trades.iter().map(|t| sign(t) * t.quantity * (t.price.unwrap_or(0.0) - shadow_price[t.slot]));
            paid.sum()
        };
        let name = |member: usize| setting.members[member].id.as_str();
        let (seller, buyer) = (name(t.seller), name(t.buyer));
        // What carbon on an account adds to it depends on the whole schedule.
        let aside = |member: usize| if market.terms(member).account.is_some() { " but for carbon" } else { "" };
        let limit = if price > band.buy {
            format!("above the {} at which {buyer} could buy elsewhere{}", number(band.buy), aside(t.buyer))
        } else {
            format!("below the {} at which {seller} could sell elsewhere{}", number(band.sell), aside(t.seller))
        };
        let share = |member: usize| {
            let more = beside(member);
            let word = if more < 0.0 { "less" } else { "more" };
            format!("{} {} {word}", name(member), number(more.abs()))
        };
        let others = if count > 1 { format!("; {count} trades are outside the band in all") } else { String::new() };
        let witness = format!(
            "{seller} sells {} kWh to {buyer} in period {} at {} per kWh, {limit}: the division gives {} and {} than their \
             trades at the shadow price ({} here), and what a trade has to carry of that leaves the band{others}",
            number(t.quantity),
            setting.slots[t.slot].period,
            number(price),
            share(t.seller),
            share(t.buyer),
            number(shadow_price[t.slot]),
        );
        Ok(Some(Certificate::measure("price_outside_band", beyond(t).abs(), witness)))
    }
}
