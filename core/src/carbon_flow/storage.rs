//! Embodied carbon of storage ("virtual carbon state of charge").
//!
//! A storage holds energy `S` (kWh) and the carbon `K` (kg) that came with it. It charges at the intensity `w` of its
//! node and discharges as a source of the carbon flow. The intensity of the discharge uses the state at the *start* of
//! the period, so that the carbon flow of a period needs nothing that depends on it.
//!
//! ```text
//! S' = kappa S + eta_c P_c dt - P_d dt / eta_d          (kappa = retention_per_h ^ dt)
//! ```
//!
//! Whatever the rule, `carbon in - carbon out - carbon charged to the owner = K_end - K_start`.
//!
//! This module knows no network: the intensity is a number.
//!
//! ```
//! use coase_core::carbon_flow::storage::{StorageCarbon, StorageEfficiency, StorageRule};
//!
//! let efficiency = StorageEfficiency { charge: 0.95, discharge: 0.95, retention_per_h: 1.0 };
//! let mut storage = StorageCarbon::new(StorageRule::Conserving, efficiency, 2000.0, 0.5)?;
//! storage.charge(2000.0, 0.3, 1.0)?;
//! let discharged = storage.discharge(1500.0, 1.0)?;
//! let report = storage.report();
//! assert!((report.in_kg - report.out_kg - report.owner_kg - report.carbon_change_kg).abs() < 1e-9);
//! assert!((discharged.out_kg - 1500.0 * discharged.export_kg_per_kwh).abs() < 1e-9);
//! # Ok::<(), coase_core::carbon_flow::storage::StorageCarbonError>(())
//! ```

use crate::units::per_kg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Stored energy below this (kWh) holds no carbon.
const EMPTY_KWH: f64 = 1e-9;

/// How far (kWh, and relative) a schedule may overdraw the storage: the accuracy of a dispatch solver.
const OVERDRAFT: f64 = 1e-5;

/// Who answers for the carbon of stored energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub enum StorageRule {
    /// Carbon is conserved: `K' = K + w P_c dt - (sigma / eta_d) P_d dt` with `sigma = K / S`. Losses concentrate the
    /// carbon of what is left, and whoever takes the discharge bears it.
    #[default]
    Conserving,
    /// A tank of water (Chen, Sun, Shi and Li): `K' = kappa K + eta_c w P_c dt - sigma P_d dt / eta_d`. The discharge
    /// carries `sigma`, the owner is charged with the carbon of the losses.
    Tank,
    /// Charging is a load and discharging a source without carbon; the owner is charged with all of `w P_c dt`.
    Generator,
}

/// Efficiencies of a storage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StorageEfficiency {
    /// Energy stored per energy taken, in (0, 1].
    pub charge: f64,
    /// Energy given per energy taken out of the store, in (0, 1].
    pub discharge: f64,
    /// Energy left after an hour of rest per energy stored, in (0, 1].
    pub retention_per_h: f64,
}

/// Energy and embodied carbon of a storage, period after period.
#[derive(Debug, Clone, PartialEq)]
pub struct StorageCarbon {
    rule: StorageRule,
    efficiency: StorageEfficiency,
    energy_kwh: f64,
    carbon_kg: f64,
    energy_start_kwh: f64,
    carbon_start_kg: f64,
    in_kg: f64,
    out_kg: f64,
    owner_kg: f64,
}

/// The carbon of one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoragePeriod {
    /// Intensity of the discharge (kg/kWh): that of a source of the carbon flow.
    pub export_kg_per_kwh: f64,
    /// Carbon of the energy charged, `w P_c dt` (kg).
    pub in_kg: f64,
    /// Carbon of the energy discharged (kg).
    pub out_kg: f64,
    /// Carbon the owner is charged with (kg): losses, all of it, or what was left in an empty store.
    pub owner_kg: f64,
}

/// What happened since the beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StorageReport {
    /// Stored energy, end less start (kWh).
    pub energy_change_kwh: f64,
    /// Embodied carbon, end less start (kg).
    pub carbon_change_kg: f64,
    /// Carbon of all energy charged (kg).
    pub in_kg: f64,
    /// Carbon of all energy discharged (kg).
    pub out_kg: f64,
    /// Carbon charged to the owner (kg).
    pub owner_kg: f64,
}

/// A storage or a schedule that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum StorageCarbonError {
    /// An efficiency outside (0, 1].
    #[error("an efficiency of {value} is outside (0, 1]")]
    Efficiency {
        /// The efficiency.
        value: f64,
    },
    /// A power or an initial energy that is negative or not finite.
    #[error("{value} is not a finite, non-negative power or energy")]
    Quantity {
        /// The number.
        value: f64,
    },
    /// An intensity that is not finite.
    #[error("an intensity is not a finite number")]
    Intensity,
    /// A period without a positive, finite length.
    #[error("a period of {period_h} h is not positive")]
    Period {
        /// Its length.
        period_h: f64,
    },
    /// The discharge draws more than what was stored when the period began. The carbon of energy that is charged and
    /// discharged within one period is not defined; net the two powers first.
    #[error("{drawn_kwh} kWh are drawn from a store that began the period with {stored_kwh} kWh")]
    Overdrawn {
        /// Energy taken out of the store, discharge losses included.
        drawn_kwh: f64,
        /// Energy there, after self-discharge.
        stored_kwh: f64,
    },
}

impl StorageCarbon {
    /// A storage that begins with `energy_kwh` of intensity `initial_kg_per_kwh` (usually the grid's average; without
    /// meaning under [`StorageRule::Generator`]).
    ///
    /// # Errors
    /// Efficiencies outside (0, 1]; negative energy; numbers that are not finite.
    pub fn new(
        rule: StorageRule,
        efficiency: StorageEfficiency,
        energy_kwh: f64,
        initial_kg_per_kwh: f64,
    ) -> Result<Self, StorageCarbonError> {
        for value in [efficiency.charge, efficiency.discharge, efficiency.retention_per_h] {
            if !(value > 0.0 && value <= 1.0) {
                return Err(StorageCarbonError::Efficiency { value });
            }
        }
        non_negative(energy_kwh)?;
        if !initial_kg_per_kwh.is_finite() {
            return Err(StorageCarbonError::Intensity);
        }
        let carbon_kg = match rule {
            StorageRule::Generator => 0.0,
            _ if energy_kwh < EMPTY_KWH => 0.0,
            _ => energy_kwh * initial_kg_per_kwh,
        };
        Ok(Self {
            rule,
            efficiency,
            energy_kwh,
            carbon_kg,
            energy_start_kwh: energy_kwh,
            carbon_start_kg: carbon_kg,
            in_kg: 0.0,
            out_kg: 0.0,
            owner_kg: 0.0,
        })
    }

    /// Stored energy `S` (kWh).
    pub fn energy_kwh(&self) -> f64 {
        self.energy_kwh
    }

    /// Embodied carbon `K` (kg).
    pub fn carbon_kg(&self) -> f64 {
        self.carbon_kg
    }

    /// Intensity of what is stored, `sigma = K / S` (kg/kWh); 0 if the store is empty.
    pub fn stored_kg_per_kwh(&self) -> f64 {
        if self.energy_kwh < EMPTY_KWH { 0.0 } else { self.carbon_kg / self.energy_kwh }
    }

    /// Intensity of a discharge in the next period (kg/kWh), known before it begins.
    pub fn export_kg_per_kwh(&self) -> f64 {
        match self.rule {
            StorageRule::Conserving => self.stored_kg_per_kwh() / self.efficiency.discharge,
            StorageRule::Tank => self.stored_kg_per_kwh(),
            StorageRule::Generator => 0.0,
        }
    }

    /// Goes through one period with both powers (kW, at the terminals), `w` the intensity of the node.
    ///
    /// # Errors
    /// Powers that are negative or not finite, and a discharge beyond what was stored at the start.
    /// The state is then unchanged.
    pub fn step(
        &mut self,
        charge_kw: f64,
        discharge_kw: f64,
        w_kg_per_kwh: f64,
        period_h: f64,
    ) -> Result<StoragePeriod, StorageCarbonError> {
        non_negative(charge_kw)?;
        non_negative(discharge_kw)?;
        if !w_kg_per_kwh.is_finite() {
            return Err(StorageCarbonError::Intensity);
        }
        if !(period_h > 0.0 && period_h.is_finite()) {
            return Err(StorageCarbonError::Period { period_h });
        }
        let StorageEfficiency { charge, discharge, retention_per_h } = self.efficiency;
        let kappa = retention_per_h.powf(period_h);
        let stored_kwh = kappa * self.energy_kwh;
        let drawn_kwh = discharge_kw * period_h / discharge;
        if drawn_kwh > stored_kwh + OVERDRAFT * (1.0 + stored_kwh) {
            return Err(StorageCarbonError::Overdrawn { drawn_kwh, stored_kwh });
        }

        let sigma = self.stored_kg_per_kwh();
        let export_kg_per_kwh = self.export_kg_per_kwh();
        let in_kg = w_kg_per_kwh * charge_kw * period_h;
        let out_kg = export_kg_per_kwh * discharge_kw * period_h;
        let (mut carbon_kg, mut owner_kg) = match self.rule {
            StorageRule::Conserving => (self.carbon_kg + in_kg - out_kg, 0.0),
            StorageRule::Tank => {
                let losses_kg = (1.0 - charge) * in_kg + (sigma * drawn_kwh - out_kg) + (1.0 - kappa) * self.carbon_kg;
                (kappa * self.carbon_kg + charge * in_kg - sigma * drawn_kwh, losses_kg)
            }
            StorageRule::Generator => (0.0, in_kg),
        };
        let energy_kwh = (stored_kwh + charge * charge_kw * period_h - drawn_kwh).max(0.0);
        if energy_kwh < EMPTY_KWH {
            // An empty store holds no carbon; what self-discharge left behind is the owner's.
            owner_kg += carbon_kg;
            carbon_kg = 0.0;
        }
        self.energy_kwh = energy_kwh;
        self.carbon_kg = carbon_kg;
        self.in_kg += in_kg;
        self.out_kg += out_kg;
        self.owner_kg += owner_kg;
        Ok(StoragePeriod { export_kg_per_kwh, in_kg, out_kg, owner_kg })
    }

    /// [`StorageCarbon::step`] that only charges.
    ///
    /// # Errors
    /// As [`StorageCarbon::step`].
    pub fn charge(
        &mut self,
        charge_kw: f64,
        w_kg_per_kwh: f64,
        period_h: f64,
    ) -> Result<StoragePeriod, StorageCarbonError> {
        self.step(charge_kw, 0.0, w_kg_per_kwh, period_h)
    }

    /// [`StorageCarbon::step`] that only discharges.
    ///
    /// # Errors
    /// As [`StorageCarbon::step`].
    pub fn discharge(&mut self, discharge_kw: f64, period_h: f64) -> Result<StoragePeriod, StorageCarbonError> {
        self.step(0.0, discharge_kw, 0.0, period_h)
    }

    /// The account since the beginning: `in - out - owner = carbon change`.
    pub fn report(&self) -> StorageReport {
        StorageReport {
            energy_change_kwh: self.energy_kwh - self.energy_start_kwh,
            carbon_change_kg: self.carbon_kg - self.carbon_start_kg,
            in_kg: self.in_kg,
            out_kg: self.out_kg,
            owner_kg: self.owner_kg,
        }
    }
}

impl StorageReport {
    /// What the change of embodied carbon is worth at a carbon price: the terminal settlement (money).
    pub fn terminal_value(&self, price_per_tonne: f64) -> f64 {
        per_kg(price_per_tonne) * self.carbon_change_kg
    }
}

fn non_negative(value: f64) -> Result<(), StorageCarbonError> {
    if value >= 0.0 && value.is_finite() { Ok(()) } else { Err(StorageCarbonError::Quantity { value }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHARGE_KW: [f64; 4] = [2.0, 1.0, 0.0, 0.0];
    const DISCHARGE_KW: [f64; 4] = [0.0, 0.0, 1.5, 1.2];
    const W: [f64; 4] = [0.3, 0.2, 0.7, 0.8];

    fn worked(rule: StorageRule, retention_per_h: f64) -> (StorageCarbon, Vec<f64>, Vec<f64>, Vec<f64>) {
        let efficiency = StorageEfficiency { charge: 0.95, discharge: 0.95, retention_per_h };
        let mut storage = StorageCarbon::new(rule, efficiency, 2.0, 0.5).unwrap();
        let (mut energy, mut carbon, mut export) = (vec![], vec![], vec![]);
        for t in 0..4 {
            let period = storage.step(CHARGE_KW[t], DISCHARGE_KW[t], W[t], 1.0).unwrap();
            energy.push(storage.energy_kwh());
            carbon.push(storage.carbon_kg());
            export.push(period.export_kg_per_kwh);
        }
        (storage, energy, carbon, export)
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-10, "{found:?} {expected:?}");
        }
    }

    /// The worked example of the specification, computed there by two independent methods.
    #[test]
    fn conserving_rule_meets_the_worked_example() {
        let (storage, energy, carbon, export) = worked(StorageRule::Conserving, 1.0);
        close(&energy, &[3.9, 4.85, 3.2710526316, 2.0078947368]);
        close(&carbon, &[1.6, 1.8, 1.2139989148, 0.7451980467]);
        close(&export[2..], &[0.3906673901, 0.3906673901]);
        close(&[storage.report().out_kg, storage.report().owner_kg], &[1.0548019533, 0.0]);
        close(&[worked(StorageRule::Conserving, 0.999).0.carbon_kg()], &[0.7432163760]);
    }

    #[test]
    fn tank_rule_meets_the_worked_example() {
        let (storage, _, carbon, export) = worked(StorageRule::Tank, 1.0);
        close(&carbon, &[1.57, 1.76, 1.1870211612, 0.7286380901]);
        close(&export[2..], &[0.3628865979, 0.3628865979]);
        close(&[storage.report().out_kg, storage.report().owner_kg], &[0.9797938144, 0.0915680955]);
        let (storage, ..) = worked(StorageRule::Tank, 0.999);
        close(&[storage.carbon_kg(), storage.report().owner_kg], &[0.7233803461, 0.0970647849]);
    }

    #[test]
    fn generator_rule_charges_the_owner_with_everything() {
        let (storage, _, carbon, export) = worked(StorageRule::Generator, 1.0);
        close(&carbon, &[0.0; 4]);
        close(&export, &[0.0; 4]);
        close(&[storage.report().owner_kg], &[2.0 * 0.3 + 0.2]);
    }

    #[test]
    fn half_hours_retain_as_much_as_hours() {
        let efficiency = StorageEfficiency { charge: 1.0, discharge: 1.0, retention_per_h: 0.9 };
        let mut storage = StorageCarbon::new(StorageRule::Tank, efficiency, 10.0, 0.5).unwrap();
        storage.charge(0.0, 0.0, 0.5).unwrap();
        storage.charge(0.0, 0.0, 0.5).unwrap();
        close(&[storage.energy_kwh(), storage.carbon_kg(), storage.report().owner_kg], &[9.0, 4.5, 0.5]);
    }

    #[test]
    fn an_emptied_store_leaves_its_rest_to_the_owner() {
        let efficiency = StorageEfficiency { charge: 1.0, discharge: 1.0, retention_per_h: 0.9 };
        let mut storage = StorageCarbon::new(StorageRule::Conserving, efficiency, 10.0, 0.5).unwrap();
        let period = storage.discharge(9.0, 1.0).unwrap();
        close(&[period.out_kg, period.owner_kg, storage.carbon_kg()], &[4.5, 0.5, 0.0]);
        assert_eq!(storage.stored_kg_per_kwh(), 0.0);
    }

    #[test]
    fn terminal_settlement_values_the_change_per_tonne() {
        let report = worked(StorageRule::Conserving, 1.0).0.report();
        close(&[report.terminal_value(280.0)], &[0.28 * (0.7451980467 - 1.0)]);
    }

    /// A feeder with a lossy line and a storage at its end, charged at noon and discharged in the evening.
    #[test]
    fn traced_carbon_over_a_day_balances_with_what_stays_in_the_store() {
        use crate::carbon_flow::{FlowGraph, LossRule, trace};
        let efficiency = StorageEfficiency { charge: 0.95, discharge: 0.93, retention_per_h: 0.998 };
        for rule in [StorageRule::Conserving, StorageRule::Tank, StorageRule::Generator] {
            let mut storage = StorageCarbon::new(rule, efficiency, 20.0, 0.581).unwrap();
            let (mut emitted_kg, mut consumed_kg, mut lost_kg) = (0.0, 0.0, 0.0);
            for (panel_kw, storage_kw) in [(0.0, 0.0), (40.0, -30.0), (25.0, -15.0), (0.0, 20.0), (0.0, 18.0)] {
                let load_kw = 30.0;
                let mut graph = FlowGraph::new(2);
                graph.source(1, panel_kw, 0.0);
                let import_kw: f64 = load_kw - panel_kw - storage_kw;
                let grid_kw = import_kw + 1e-3 * import_kw.powi(2);
                let grid = graph.source(0, grid_kw, 0.581);
                graph.branch(0, 1, grid_kw, -import_kw);
                let discharge_kw = storage_kw.max(0.0);
                let discharge = graph.source(1, discharge_kw, storage.export_kg_per_kwh());
                let flow = trace(&graph, LossRule::Explicit).unwrap();
                let w = flow.intensity_kg_per_kwh[1].unwrap();
                let period = storage.step((-storage_kw).max(0.0), discharge_kw, w, 1.0).unwrap();
                assert!((period.out_kg - flow.source_kg_per_h[discharge]).abs() < 1e-12);
                emitted_kg += flow.source_kg_per_h[grid];
                consumed_kg += load_kw * w;
                lost_kg += flow.total_loss_kg_per_h();
            }
            let report = storage.report();
            let accounted_kg = consumed_kg + lost_kg + report.owner_kg + report.carbon_change_kg;
            assert!((emitted_kg - accounted_kg).abs() < 1e-9, "{rule:?}: {emitted_kg} {accounted_kg}");
        }
    }

    #[test]
    fn bad_input_is_named() {
        let efficiency = StorageEfficiency { charge: 0.95, discharge: 0.95, retention_per_h: 1.0 };
        let new = |efficiency, energy| StorageCarbon::new(StorageRule::Conserving, efficiency, energy, 0.5);
        let too_good = StorageEfficiency { charge: 1.05, ..efficiency };
        assert_eq!(new(too_good, 1.0), Err(StorageCarbonError::Efficiency { value: 1.05 }));
        assert_eq!(new(efficiency, -1.0), Err(StorageCarbonError::Quantity { value: -1.0 }));
        let mut storage = new(efficiency, 1.0).unwrap();
        let before = storage.clone();
        assert!(matches!(storage.discharge(2.0, 1.0), Err(StorageCarbonError::Overdrawn { .. })));
        assert!(matches!(storage.charge(1.0, f64::NAN, 1.0), Err(StorageCarbonError::Intensity)));
        assert!(matches!(storage.charge(1.0, 0.5, 0.0), Err(StorageCarbonError::Period { .. })));
        assert_eq!(storage, before);
    }

    proptest! {
        #[test]
        fn what_comes_in_goes_out_or_stays_or_is_the_owners(
            rule in prop::sample::select(vec![StorageRule::Conserving, StorageRule::Tank, StorageRule::Generator]),
            efficiencies in (0.5..=1.0f64, 0.5..=1.0f64, 0.9..=1.0f64),
            start in (0.0..50.0f64, 0.0..1.0f64),
            periods in prop::collection::vec((-1.0..=1.0f64, 0.0..1.0f64), 1..30),
        ) {
            let efficiency = StorageEfficiency {
                charge: efficiencies.0, discharge: efficiencies.1, retention_per_h: efficiencies.2,
            };
            let mut storage = StorageCarbon::new(rule, efficiency, start.0, start.1).unwrap();
            for (action, w) in periods {
                if action >= 0.0 {
                    storage.charge(20.0 * action, w, 0.5).unwrap();
                } else {
                    // A part of what is there, or all of it.
                    let available_kw =
                        storage.energy_kwh() * efficiency.retention_per_h.powf(0.5) * efficiency.discharge / 0.5;
                    storage.discharge((-2.0 * action).min(1.0) * available_kw, 0.5).unwrap();
                }
                let report = storage.report();
                let rest = report.in_kg - report.out_kg - report.owner_kg - report.carbon_change_kg;
                prop_assert!(rest.abs() < 1e-9);
                prop_assert!(storage.carbon_kg() >= -1e-9);
            }
        }
    }
}
