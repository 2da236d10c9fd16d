//! Why there is no physical outcome.

use crate::carbon_flow::CarbonFlowError;
use crate::carbon_flow::storage::StorageCarbonError;
use crate::power_flow::PowerFlowError;
use crate::program::SolveError;

/// Why a commitment has no physical outcome.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PhysicalError {
    /// A participant cannot keep its part.
    #[error(transparent)]
    Solve(#[from] SolveError),
    /// The network has no state for the outcome.
    #[error(transparent)]
    PowerFlow(#[from] InPeriod<PowerFlowError>),
    /// The outcome's carbon cannot be traced.
    #[error("{0}, so that its carbon cannot be traced")]
    CarbonFlow(#[from] InPeriod<CarbonFlowError>),
    /// A storage's carbon cannot be followed.
    #[error("the carbon in a storage of {who} cannot be followed: {source}")]
    StorageCarbon {
        /// Whose storage.
        who: String,
        /// When, and what is wrong with it.
        source: InPeriod<StorageCarbonError>,
    },
}

/// What went wrong, and when.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("period {period}: {source}")]
pub struct InPeriod<E: std::error::Error + 'static> {
    /// From 0.
    pub period: usize,
    /// What went wrong.
    pub source: E,
}

impl<E: std::error::Error + 'static> InPeriod<E> {
    /// Says when it went wrong.
    pub fn at(period: usize) -> impl FnOnce(E) -> Self {
        move |source| Self { period, source }
    }
}
