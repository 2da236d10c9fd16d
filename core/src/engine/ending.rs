//! How a run ends: what it says of itself, held against the certificates of its answer. The one place that decides it.

use super::Cleared;
use crate::outcome::{Certificate, Kind, Status, Verdict};
use crate::words;

/// The status of a run with its reason and residual.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// How it ended.
    pub status: Status,
    /// Why it is not converged, where that is known.
    pub reason: Option<String>,
    /// The residual that the status names; of a converged one that of its fixed point, where there is one.
    pub residual: Option<f64>,
}

impl Cleared {
    /// How the run ends in view of these certificates: a run that asserts what one of them refutes has not converged. Its
    /// residual is that of the certificate that is missed by the largest factor.
    pub fn ending(&self, certificates: &[Certificate]) -> Ending {
        let status = &self.outcome.status;
        let mut refuted: Vec<&Certificate> =
            certificates.iter().filter(|c| c.verdict == Verdict::Refuted && c.kind.is_asserted_by(status)).collect();
        refuted.sort_by(|a, b| missed(b).total_cmp(&missed(a)));
        if let [worst, others @ ..] = &refuted[..] {
            let residual = worst.value.filter(|value| !value.is_nan()).unwrap_or(f64::INFINITY);
            let status = Status::NotConverged { residual };
            return Ending { status, reason: Some(said(worst, others)), residual: Some(residual) };
        }
        let fixed_point = || certificates.iter().find(|c| c.kind == Kind::FixedPoint).and_then(|c| c.value);
        let residual = match *status {
            Status::Converged => fixed_point(),
            Status::NotConverged { residual } => Some(residual),
            Status::NoEquilibriumFound { gap } => Some(gap),
        };
        Ending { status: status.clone(), reason: self.reason.clone(), residual }
    }

    /// The same run with the ending that its own evidence leaves it.
    pub(super) fn held_to_its_evidence(mut self) -> Self {
        let Ending { status, reason, .. } = self.ending(&self.outcome.evidence);
        self.outcome.status = status;
        self.reason = reason;
        self
    }
}

/// By which factor a certificate misses its tolerance; one that is no number by more than any.
fn missed(certificate: &Certificate) -> f64 {
    let value = certificate.value.filter(|value| !value.is_nan()).unwrap_or(f64::INFINITY);
    value / certificate.tolerance.unwrap_or(0.0).max(f64::MIN_POSITIVE)
}

fn said(worst: &Certificate, others: &[&Certificate]) -> String {
    let number = |x: Option<f64>| x.map_or("unknown".into(), words::number);
    let (value, tolerance) = (number(worst.value), number(worst.tolerance));
    let witness = if worst.witness.is_empty() { String::new() } else { format!(" ({})", worst.witness) };
    let names: Vec<String> = others.iter().map(|c| format!("`{}`", c.name)).collect();
    let also = if names.is_empty() { String::new() } else { format!("; so is {}", names.join(", ")) };
    format!("the certificate `{}` is refuted: {value}, at most {tolerance} is allowed{witness}{also}", worst.name)
}
