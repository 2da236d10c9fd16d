//! What tests and benchmarks share: the three agents, the five plants, a feeder with limits, a participant alone, two
//! together, and assertions. A dev-dependency only: nothing here is part of a program.
//!
//! Everything is a fixed instance whose figures are known from elsewhere (closed forms or other programs), so that a test says
//! what it expects and not how its market is built.

pub mod agents;
pub mod alone;
pub mod feeder_day;
pub mod files;
pub mod five_vpps;
pub mod measured;
pub mod plant_day;
pub mod shapes;

use coase_core::policy::CarbonPolicy;
use coase_core::setting::{Periods, Tariff};

/// One period of an hour.
pub const HOUR: Periods = Periods { count: 1, hours: 1.0 };

/// One buying price per period, one selling price and one intensity (kg/kWh) in all of them.
pub fn tariff(buy_per_kwh: &[f64], sell_per_kwh: f64, intensity_kg_per_kwh: f64) -> Tariff {
    Tariff {
        buy_per_kwh: buy_per_kwh.to_vec(),
        sell_per_kwh: vec![sell_per_kwh; buy_per_kwh.len()],
        intensity_kg_per_kwh: vec![intensity_kg_per_kwh; buy_per_kwh.len()],
        upstream_carbon_per_tonne: 0.0,
    }
}

/// RON as files write it: `Some` and the brackets of what is wrapped may be left out.
pub fn ron() -> ron::Options {
    use ron::extensions::Extensions;
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    ron::Options::default().with_default_extension(extensions)
}

/// A carbon policy as files write it.
#[track_caller]
pub fn policy(text: &str) -> Box<dyn CarbonPolicy> {
    ron().from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Each number is as expected, to within a tolerance.
#[track_caller]
pub fn assert_all(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{found:?} instead of {expected:?}");
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{found:?} instead of {expected:?}");
    }
}
