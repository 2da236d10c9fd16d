//! Why a run has no outcome: the one error of mechanisms, of the engine and of what they ask.

use crate::coalition::CoalitionError;
use crate::outcome::MalformedOutcome;
use crate::physical::PhysicalError;
use crate::policy::PolicyError;
use crate::program::SolveError;

/// Why a mechanism has no outcome.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MechanismError {
    /// A question to participants has no answer.
    #[error(transparent)]
    Solve(SolveError),
    /// The gains of groups have no division of the kind that was asked for.
    #[error(transparent)]
    Coalitions(CoalitionError),
    /// The scenario lacks what the mechanism needs.
    #[error("needs {need}; this scenario does not offer it")]
    Unmet {
        /// What is missing.
        need: &'static str,
    },
    /// A parameter has no meaning.
    #[error("parameter `{name}` is {value}: expected {expected}")]
    Parameter {
        /// Which.
        name: &'static str,
        /// What it is.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// What was decided has no physical outcome.
    #[error(transparent)]
    Physical(PhysicalError),
    /// The outcome stands, and what it is compared with does not.
    #[error("without trade, which gains are measured against, there is no state: {0}")]
    WithoutTrade(Box<MechanismError>),
    /// No price holds a cap on emissions.
    #[error("the cap of {} kg is below what can be reached: emissions do not fall below {} kg ({}), however dear a kilogram is{}",
        kg(*cap_kg), kg(*attainable_kg), listed(who), together(*all_together_kg))]
    CapBelowReach {
        /// The cap, kg.
        cap_kg: f64,
        /// Least emissions under this mechanism, kg.
        attainable_kg: f64,
        /// Who must emit them, kg each.
        who: Vec<(String, f64)>,
        /// What all could reach if they acted as one, where that is less, kg.
        all_together_kg: Option<f64>,
    },
    /// The policy refuses the scenario.
    #[error("carbon policy refused: {0}")]
    Policy(#[from] PolicyError),
    /// Probabilities that are none.
    #[error("the weights of the realisations sum to {sum}: each is above 0 and they sum to 1")]
    Weights {
        /// Their sum.
        sum: f64,
    },
    /// What the mechanism says itself: whatever has no variant here.
    #[error("{0}")]
    Failed(String),
    /// What it returned cannot be read.
    #[error(transparent)]
    Outcome(#[from] MalformedOutcome),
}

impl From<SolveError> for MechanismError {
    /// A question that cannot be posed is an unmet need.
    fn from(error: SolveError) -> Self {
        match error {
            SolveError::Unmet { need } => MechanismError::Unmet { need },
            other => MechanismError::Solve(other),
        }
    }
}

impl From<CoalitionError> for MechanismError {
    /// A group that has no answer is that question's error.
    fn from(error: CoalitionError) -> Self {
        match error {
            CoalitionError::Program(error) => error.into(),
            other => MechanismError::Coalitions(other),
        }
    }
}

impl From<PhysicalError> for MechanismError {
    /// A question that a participant cannot answer is that question's error.
    fn from(error: PhysicalError) -> Self {
        match error {
            PhysicalError::Solve(error) => error.into(),
            other => MechanismError::Physical(other),
        }
    }
}

/// Kilograms in a message.
fn kg(x: f64) -> String {
    let digits = format!("{x:.3}");
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn listed(who: &[(String, f64)]) -> String {
    who.iter().map(|(id, x)| format!("{id} {}", kg(*x))).collect::<Vec<_>>().join(", ")
}

fn together(all_together_kg: Option<f64>) -> String {
    all_together_kg.map_or_else(String::new, |x| format!("; under another mechanism {} kg would be possible", kg(x)))
}
