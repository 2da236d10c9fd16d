//! What is uncertain when a mechanism decides and certain when its outcome is kept: realisations with weights.
//!
//! An outcome is a commitment. In every realisation the participants that are true in it keep it at least cost, and the network
//! answers. Knows no evaluator.

use super::Cleared;
use crate::error::MechanismError;
use crate::market::Market;
use crate::physical::{self, Physical};
use crate::policy::CarbonPolicy;
use crate::terms::Terms;

/// One way in which what is uncertain turns out.
#[derive(Clone, Debug)]
pub struct Realisation {
    /// Its probability.
    pub weight: f64,
    /// What is then true of the participants, under the final terms.
    pub truth: Market,
    /// What physically happens.
    pub physical: Physical,
}

/// What the probabilities of all realisations may miss a whole by.
const WHOLE: f64 = 1e-9;

impl Cleared {
    /// The same commitment kept in several realisations of what is uncertain: markets of the same members, each with its
    /// probability. Nobody decides anew.
    ///
    /// # Errors
    /// Probabilities that are not positive or do not sum to 1, or a realisation in which the commitment cannot be kept.
    pub fn realised_in(
        mut self,
        policy: &dyn CarbonPolicy,
        truths: impl IntoIterator<Item = (f64, Market)>,
    ) -> Result<Self, MechanismError> {
        let terms: Vec<Terms> = (0..self.truth.len()).map(|i| self.truth.terms(i).clone()).collect();
        let keep = |(weight, market): (f64, Market)| -> Result<Realisation, MechanismError> {
            let truth = market.under(&terms);
            let physical = physical::keep(&truth, &self.outcome, policy.storage_rule())?;
            Ok(Realisation { weight, truth, physical })
        };
        let all: Vec<Realisation> = truths.into_iter().map(keep).collect::<Result<_, _>>()?;
        let sum: f64 = all.iter().map(|r| r.weight).sum();
        if all.iter().any(|r| r.weight.is_nan() || r.weight <= 0.0) || (sum - 1.0).abs() > WHOLE {
            return Err(MechanismError::Weights { sum });
        }
        self.realisations = all;
        Ok(self)
    }

    /// The run in each realisation with its weight, in order; where nothing is uncertain, itself.
    pub fn each(&self) -> Vec<(f64, Cleared)> {
        if self.realisations.is_empty() {
            return vec![(1.0, self.clone())];
        }
        let one = |r: &Realisation| {
            let (truth, physical) = (r.truth.clone(), r.physical.clone());
            let mut cleared = Cleared { truth, physical, realisations: vec![], ..self.clone() };
            cleared.certify_schedules();
            (r.weight, cleared)
        };
        self.realisations.iter().map(one).collect()
    }
}
