//! The schema of the result tables: every column's name, unit, meaning and equation, and what a run leaves under them.
//!
//! Every table starts with `run_id`, which the result store adds; `runs` has one more column per swept parameter, after
//! `information`. Columns of devices come from the devices, all others from the functions of `evaluate` that fill them.

pub use crate::evaluate::metrics::METRICS;
pub use crate::evaluate::tables::DeviceColumns;
pub use crate::table::{Column, Kind, Row, RunRecord, Table, Value};

use crate::evaluate::tables;
use crate::table::{integer, number, text};

impl Table {
    /// Its columns after `run_id`; those of `runs` are [`RUN_KEYS`] (then swept parameters) and [`METRICS`].
    pub fn columns(self) -> Vec<&'static Column> {
        match self {
            Table::Runs => RUN_KEYS.iter().chain(METRICS).collect(),
            other => tables::columns(other),
        }
    }
}

impl RunRecord {
    /// A record without a single figure: a run that failed.
    pub fn empty() -> Self {
        Self { metrics: vec![Value::Missing; METRICS.len()], ..Self::default() }
    }
}

/// Columns of `runs` that say what was run and how it ended.
pub const RUN_KEYS: &[Column] = &[
    text("scenario", "Name of the scenario."),
    text("mechanism", "Id of the mechanism."),
    text("variant", "Label of the mechanism's variant; its id where none was given."),
    text("carbon_policy", "Id of the carbon policy."),
    text("carbon_label", "Label of the policy; its id where none was given."),
    text("reporting", "Label of the rule by which participants report; its id where none was given."),
    integer("seed", "Seed of all random streams."),
    text("status", "converged, not_converged, no_equilibrium, infeasible or failed."),
    text("reason", "Why a run is not converged."),
    number("residual", "", "Distance from convergence, in the mechanism's or the fixed point's own measure."),
    text("behaviour", "How participants report: truthful, distorted, random, best_response, learned or equilibrium."),
    text("information", "What participants reveal: full_types, reports, prior or prices."),
];

#[cfg(test)]
mod tests {
    use super::{DeviceColumns, Table, Value};

    #[test]
    fn columns_of_devices_stand_where_they_always_stood() {
        let known = [
            "pv_kw",
            "wind_kw",
            "micro_turbine_kw",
            "storage_kw",
            "load_kw",
            "interruptible_kw",
            "shiftable_kw",
            "ev_fleet_kw",
            "hvac_kw",
            "quadratic_kw",
            "soc_kwh",
            "ev_soc_kwh",
        ];
        let found: Vec<&str> =
            DeviceColumns::all().iter().map(|c| c.name).filter(|name| known.contains(name)).collect();
        assert_eq!(found, known);
        assert!(
            Table::Periods
                .columns()
                .iter()
                .map(|c| c.name)
                .collect::<Vec<_>>()
                .ends_with(&DeviceColumns::all().iter().map(|c| c.name).collect::<Vec<_>>())
        );
    }

    #[test]
    fn column_names_are_unique_within_a_table() {
        for table in Table::ALL {
            let mut names: Vec<_> = table.columns().iter().map(|c| c.name).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{}", table.name());
        }
    }

    #[test]
    fn what_is_not_a_number_is_missing() {
        assert_eq!(Value::from(f64::NAN), Value::Missing);
        let Value::Number(zero) = Value::from(-0.0) else { panic!("a number") };
        assert!(zero.is_sign_positive());
    }
}
