//! Daily shapes and tariffs of 24 periods of one hour.

use coase_core::setting::{Periods, Tariff};

/// A day of hours.
pub const DAY: Periods = Periods { count: 24, hours: 1.0 };

/// IEEE Reliability Test System, winter weekday: share of the daily peak (IEEE RTS Task Force, 1979).
pub const RTS_WINTER: [f64; 24] = [
    0.67, 0.63, 0.60, 0.59, 0.59, 0.60, 0.74, 0.86, 0.95, 0.96, 0.96, 0.95, 0.95, 0.95, 0.93, 0.94, 0.99, 1.00, 1.00,
    0.96, 0.91, 0.83, 0.73, 0.63,
];

/// IEEE Reliability Test System, summer weekday.
pub const RTS_SUMMER: [f64; 24] = [
    0.64, 0.60, 0.58, 0.56, 0.56, 0.58, 0.64, 0.76, 0.87, 0.95, 0.99, 1.00, 0.99, 1.00, 1.00, 0.97, 0.96, 0.96, 0.93,
    0.92, 0.92, 0.93, 0.87, 0.72,
];

/// Photovoltaic output on a clear day, share of the rating.
pub const PV: [f64; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.02, 0.10, 0.25, 0.43, 0.60, 0.74, 0.83, 0.86, 0.83, 0.74, 0.60, 0.43, 0.25, 0.10, 0.02,
    0.0, 0.0, 0.0, 0.0,
];

/// Wind output that peaks at night, share of the rating.
pub const WIND: [f64; 24] = [
    0.62, 0.64, 0.66, 0.67, 0.66, 0.63, 0.58, 0.52, 0.45, 0.40, 0.36, 0.33, 0.31, 0.30, 0.31, 0.34, 0.38, 0.43, 0.48,
    0.52, 0.55, 0.58, 0.60, 0.61,
];

/// Outdoor temperature of a summer day, degrees Celsius.
pub const OUTDOOR_C: [f64; 24] = [
    25.0, 24.5, 24.0, 23.7, 23.5, 23.8, 24.6, 26.0, 27.6, 29.2, 30.6, 31.8, 32.6, 33.0, 33.0, 32.6, 31.8, 30.6, 29.4,
    28.3, 27.4, 26.7, 26.1, 25.5,
];

/// Time-of-use price with three levels, per kWh.
pub const TARIFF_A: [f64; 24] = [
    0.385, 0.385, 0.385, 0.385, 0.385, 0.754, 0.754, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 0.754,
    0.754, 1.02, 1.02, 1.02, 0.754, 0.754, 0.385,
];

/// Emission intensity of upstream energy, kg/kWh.
pub const GRID_KG_PER_KWH: f64 = 0.581;

/// Buying at [`TARIFF_A`], selling at 0.35, 0.581 kg/kWh.
pub fn tariff_a() -> Tariff {
    Tariff {
        buy_per_kwh: TARIFF_A.to_vec(),
        sell_per_kwh: vec![0.35; 24],
        intensity_kg_per_kwh: vec![GRID_KG_PER_KWH; 24],
        upstream_carbon_per_tonne: 0.0,
    }
}

/// A shape times a number.
pub fn scaled(by: f64, shape: &[f64; 24]) -> Vec<f64> {
    shape.iter().map(|v| by * v).collect()
}
