//! Conventions of units, and the few conversions there are.
//!
//! Inside and outside: power in kW, energy in kWh, emissions in kg CO2, intensity in kg/kWh (the same number as t/MWh),
//! money in the scenario's currency, energy prices per kWh. Carbon prices are quoted per tonne and become per kg once,
//! here. Networks are per unit inside the power flow and the optimal power flow only.

/// Kilograms in a tonne.
pub const KG_PER_TONNE: f64 = 1000.0;

/// Price per kg of a price per tonne.
pub fn per_kg(price_per_tonne: f64) -> f64 {
    price_per_tonne / KG_PER_TONNE
}
