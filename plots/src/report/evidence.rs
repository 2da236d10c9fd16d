//! What a page says of single runs beside their metrics: who loses, where limits are missed, what was claimed and found.

use crate::store::{CertificateRow, Store};

/// A share of what is at stake below which a loss is a solver's rounding.
const ROUNDING: f64 = 1e-6;

/// How far a run is beyond a kind of limit, and where.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Excess {
    pub by: f64,
    pub place: String,
}

/// What is known of a run beside its metrics.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Evidence {
    /// Participants that are worse off than without trade, and by how much.
    pub losers: Vec<(String, f64)>,
    /// Whether gains are known at all.
    pub has_gains: bool,
    /// Per unit beyond the limits of the voltage; `None` where there is no network.
    pub voltage: Option<Excess>,
    /// kVA beyond the ratings of branches.
    pub rating: Option<Excess>,
    /// What somebody claimed, be it found or not.
    pub claims: Vec<CertificateRow>,
}

impl Evidence {
    /// That of every run, in the order of the store.
    pub fn all(store: &Store) -> Vec<Evidence> {
        let mut all: Vec<Evidence> = vec![Evidence::default(); store.runs.len()];
        for row in &store.participants {
            let Some(gain) = row.gain else { continue };
            let stake = row.disagreement_cost.unwrap_or(0.0).abs() + row.payment.unwrap_or(0.0).abs() + 1.0;
            all[row.run].has_gains = true;
            if gain < -ROUNDING * stake {
                all[row.run].losers.push((row.participant.clone(), -gain));
            }
        }
        for (run, evidence) in all.iter_mut().enumerate() {
            evidence.losers.sort_by(|a, b| b.1.total_cmp(&a.1));
            for row in store.certificates(run) {
                let excess = || row.value.map(|by| Excess { by, place: row.witness.clone() });
                match row.name.as_str() {
                    "voltage_excess_pu" => evidence.voltage = excess(),
                    "rating_excess_kva" => evidence.rating = excess(),
                    _ if row.verdict != "measured" => evidence.claims.push(row),
                    _ => {}
                }
            }
        }
        all
    }

    /// Claims that do not hold.
    pub fn refuted(&self) -> impl Iterator<Item = &CertificateRow> {
        self.claims.iter().filter(|row| row.verdict == "refuted")
    }
}
