//! Why there is no optimal power flow.

use crate::carbon::flow::CarbonFlowError;
use crate::network::NetworkError;
use crate::program::SolveError;

/// Why there is no optimal power flow.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpfError {
    /// The network contradicts itself.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The formulation needs a tree under every slack.
    #[error("the network is not radial")]
    NotRadial,
    /// A DC flow divides by reactances.
    #[error("branch {number} has no reactance, which the DC flow needs")]
    ZeroReactance {
        /// Its number in the list, from 1.
        number: usize,
    },
    /// A generator in service whose cost is unknown.
    #[error("generator {number} at bus {bus} has no cost")]
    NoCost {
        /// Its number in the list, from 1.
        number: usize,
        /// Its bus.
        bus: u64,
    },
    /// A cost that falls in its slope, so that a local optimum need not be the best.
    #[error("the cost of generator {number} at bus {bus} is not convex")]
    CostNotConvex {
        /// Its number in the list, from 1.
        number: usize,
        /// Its bus.
        bus: u64,
    },
    /// A polynomial beyond the square.
    #[error("the cost of generator {number} at bus {bus} is of degree {degree}; 2 is the most")]
    CostDegree {
        /// Its number in the list, from 1.
        number: usize,
        /// Its bus.
        bus: u64,
        /// Its degree.
        degree: usize,
    },
    /// Intensities for another network.
    #[error("{found} intensities for {expected} {of}")]
    CarbonCount {
        /// What they are for.
        of: &'static str,
        /// How many there are.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A carbon price or an intensity that is not a number.
    #[error("a carbon price or intensity is not finite")]
    CarbonNotFinite,
    /// The carbon of the dispatch cannot be traced.
    #[error(transparent)]
    CarbonFlow(#[from] CarbonFlowError),
    /// A generator without a limit that it is worth to run without end.
    #[error("generator {number} at bus {bus} would run without end")]
    Unbounded {
        /// Its number in the list, from 1.
        number: usize,
        /// Its bus.
        bus: u64,
    },
    /// Loads and limits contradict each other.
    #[error("infeasible: {}", what.join("; "))]
    Infeasible {
        /// What cannot hold, in words: bus or branch, by how many kW (or pu of squared voltage).
        what: Vec<String>,
    },
    /// The best point found is not proven good enough.
    #[error(transparent)]
    NotSolved(SolveError),
}

impl From<SolveError> for OpfError {
    fn from(why: SolveError) -> Self {
        match why {
            SolveError::Infeasible { rows } => Self::Infeasible { what: rows },
            other => Self::NotSolved(other),
        }
    }
}
