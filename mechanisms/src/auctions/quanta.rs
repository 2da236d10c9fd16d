//! The whole numbers in which auctions count, so that ties, budgets and removal values are exact.
//!
//! A price is a multiple of 1e-9 of the currency per kWh, energy one of 1e-9 kWh, and money, their product, one of 1e-18.
//! Decimal input with up to nine places after the point is kept as written; what is finer is rounded once, on entry.

use coase_core::MechanismError;
use coase_core::book::{MOST_ENERGY_KWH, MOST_PRICE_PER_KWH};

/// Price per kWh, in billionths.
pub(crate) type Price = i64;
/// Energy, in billionths of a kWh.
pub(crate) type Energy = i64;
/// Money, in units of 1e-18.
pub(crate) type Money = i128;

/// Quanta of a price or of energy in one unit: 1 / [`LEAST_ENERGY_KWH`](coase_core::book::LEAST_ENERGY_KWH).
const PER_UNIT: f64 = 1e9;

/// A price in quanta.
///
/// # Errors
/// Not a number, or beyond [`MOST_PRICE_PER_KWH`].
pub(crate) fn price_of(price_per_kwh: f64) -> Result<Price, MechanismError> {
    quanta("price_per_kwh", price_per_kwh, -MOST_PRICE_PER_KWH, MOST_PRICE_PER_KWH, "a price from -1e6 to 1e6 per kWh")
}

/// Energy in quanta.
///
/// # Errors
/// Not a number, negative, or beyond [`MOST_ENERGY_KWH`].
pub(crate) fn energy_of(quantity_kwh: f64) -> Result<Energy, MechanismError> {
    quanta("quantity_kwh", quantity_kwh, 0.0, MOST_ENERGY_KWH, "a quantity from 0 to 1e9 kWh")
}

fn quanta(name: &'static str, x: f64, low: f64, high: f64, expected: &'static str) -> Result<i64, MechanismError> {
    // The comparison is false for what is not a number.
    if x >= low && x <= high {
        Ok((x * PER_UNIT).round() as i64)
    } else {
        Err(MechanismError::Parameter { name, value: x.to_string(), expected })
    }
}

/// A price as a plain number, per kWh.
pub(crate) fn price(quanta: Price) -> f64 {
    quanta as f64 / PER_UNIT
}

/// Energy as a plain number, kWh.
pub(crate) fn energy(quanta: Energy) -> f64 {
    quanta as f64 / PER_UNIT
}

/// Money as a plain number.
pub(crate) fn money(quanta: Money) -> f64 {
    quanta as f64 / (PER_UNIT * PER_UNIT)
}

/// What a quantity costs at a price.
pub(crate) fn times(price: Price, energy: Energy) -> Money {
    Money::from(price) * Money::from(energy)
}

#[cfg(test)]
mod tests {
    use super::{energy, energy_of, money, price, price_of, times};
    use proptest::prelude::*;

    #[test]
    fn what_is_no_number_or_out_of_range_is_refused() {
        for x in [f64::NAN, f64::INFINITY, 1.000_001e6, -1.000_001e6] {
            assert!(price_of(x).is_err(), "{x}");
        }
        for x in [f64::NAN, f64::INFINITY, -1e-9, 1.1e9] {
            assert!(energy_of(x).is_err(), "{x}");
        }
        assert_eq!(price_of(-1e6).ok(), Some(-1_000_000_000_000_000));
    }

    proptest! {
        /// Nine decimals and back are the same number, and their product is exact.
        #[test]
        fn decimals_are_kept(p in -1_000_000_000_000_i64..1_000_000_000_000, q in 0_i64..1_000_000_000_000) {
            let (written, size) = (p as f64 / 1e9, q as f64 / 1e9);
            prop_assert_eq!(price_of(written).unwrap(), p);
            prop_assert_eq!(energy_of(size).unwrap(), q);
            prop_assert_eq!((price(p), energy(q)), (written, size));
            prop_assert_eq!(money(times(p, q)), (i128::from(p) * i128::from(q)) as f64 / 1e18);
        }
    }
}
