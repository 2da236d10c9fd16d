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

/// Units of what a name ends with; the first that fits counts.
const ENDINGS: [(&str, &str); 31] = [
    // A share that is left, not money.
    ("retention_per_h", "1/h"),
    ("_kw_per_mhz", "kW/MHz"),
    ("_mhz", "MHz"),
    ("_mbps", "Mbit/s"),
    ("_kg_per_kwh", "kg/kWh"),
    ("_kw_per_h", "kW/h"),
    ("_c_per_kw", "K/kW"),
    ("_kwh_per_c", "kWh/K"),
    ("_kg_per_h", "kg/h"),
    ("_per_kwh2", "money/kWh^2"),
    ("_per_c2", "money/(K^2 h)"),
    ("_per_kwh", "money/kWh"),
    ("_per_kw", "money/kW"),
    ("_per_tonne", "money/t"),
    ("_per_kg", "money/kg"),
    ("_per_h", "money/h"),
    ("_per_year", "1/a"),
    ("_kwh", "kWh"),
    ("_kw2", "kW^2"),
    ("_kw", "kW"),
    ("_kvar", "kvar"),
    ("_kva", "kVA"),
    ("_kv", "kV"),
    ("_mva", "MVA"),
    ("_kg", "kg"),
    ("_pu", "pu"),
    ("_ohm", "ohm"),
    ("_siemens", "S"),
    ("_deg", "degrees"),
    ("_h", "h"),
    ("_c", "deg C"),
];

/// The unit that the name of a parameter or of a column says it is in; `money` is the scenario's currency.
pub fn of_name(name: &str) -> Option<&'static str> {
    ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, unit)| *unit)
}

#[cfg(test)]
mod tests {
    use super::of_name;

    #[test]
    fn the_longest_ending_says_the_unit() {
        for (name, unit) in [
            ("emission_kg_per_kwh", Some("kg/kWh")),
            ("cost_per_kwh", Some("money/kWh")),
            ("cost_per_kwh2", Some("money/kWh^2")),
            ("ramp_kw_per_h", Some("kW/h")),
            ("price_per_tonne", Some("money/t")),
            ("p_max_kw", Some("kW")),
            ("outdoor_c", Some("deg C")),
            ("retention_per_h", Some("1/h")),
            ("cost_per_h", Some("money/h")),
            ("snr_kw_per_mhz", Some("kW/MHz")),
            ("bandwidth_max_mhz", Some("MHz")),
            ("weights", None),
        ] {
            assert_eq!(of_name(name), unit, "{name}");
        }
    }
}
