//! Why there is no optimal power flow.

use crate::carbon_flow::CarbonFlowError;
use crate::network::NetworkError;
use crate::program::SolveError;

/// Why there is no optimal power flow.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpfError {
    /// The network contradicts itself.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The formulation is for radial networks with one slack per tree.
    #[error("the network is meshed: this formulation is for radial networks (the DC formulation is not)")]
    Meshed,
    /// An hour for another network.
    #[error("{found} loads for {expected} buses")]
    LoadCount {
        /// Number of buses.
        expected: usize,
        /// Number of loads.
        found: usize,
    },
    /// A figure that is not a number, or limits in the wrong order.
    #[error("bus {bus}: {field} must be {must_be}, not {value}")]
    Field {
        /// Where.
        bus: u64,
        /// Which figure.
        field: &'static str,
        /// What it is.
        value: f64,
        /// What it should be.
        must_be: &'static str,
    },
    /// A control at a bus that no closed path joins to a slack.
    #[error("bus {bus} has a control but no connection to a slack")]
    Isolated {
        /// Where.
        bus: u64,
    },
    /// A generator cost that is not convex, or of higher degree than a square.
    #[error("the cost of the generator at bus {bus} is neither a convex parabola nor convex and piecewise linear")]
    Cost {
        /// Where.
        bus: u64,
    },
    /// Something in the file that constrains a generator and that the formulation has no place for.
    #[error("generator {number} at bus {bus} has {what}, which this formulation does not know")]
    Unsupported {
        /// Its number in the list, from 1.
        number: usize,
        /// Its bus.
        bus: u64,
        /// What it has.
        what: &'static str,
    },
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
    /// A dispatch or duals to be certified that do not fit the hour.
    #[error("{found} figures for {expected} {of}")]
    ProofCount {
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
    /// Slacks of several trees with costs of their own.
    #[error("several slacks, but not one import at a linear cost that they share")]
    SeveralSlacks,
    /// The load is beyond what the network can carry.
    #[error("no power flow: the network cannot carry the load, or nothing can serve it")]
    NoPowerFlow,
    /// No answer was found, and no proof that there is none.
    #[error("not converged")]
    NotConverged,
    /// Tangents to the limits of apparent power did not settle.
    #[error("the limits of apparent power are not met after {rounds} rounds of tangents")]
    Tangents {
        /// Programs solved.
        rounds: usize,
    },
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
