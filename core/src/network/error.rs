//! What can be wrong with a network, and with a text that should be one.

use std::fmt;

use super::matpower_error::MatpowerError;
use crate::Plain;

/// A branch as people name it: the ids of its two buses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BranchEnds {
    /// Id of the sending bus.
    pub from: u64,
    /// Id of the receiving bus.
    pub to: u64,
}

impl fmt::Display for BranchEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

/// A network that contradicts itself.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// There is no bus at all.
    #[error("the network has no bus")]
    NoBus,
    /// No bus holds the voltage and balances the power.
    #[error("no bus is a slack: mark one `kind: Slack` (MATPOWER: type 3)")]
    NoSlack,
    /// Two buses carry one id.
    #[error("bus {id} is there twice")]
    DuplicateBus {
        /// The id in question.
        id: u64,
    },
    /// A branch or generator names a bus that is not there.
    #[error("{element} {number} names bus {id}, which is not in the network")]
    UnknownBus {
        /// `branch` or `generator`.
        element: &'static str,
        /// Its number in its list, from 1.
        number: usize,
        /// The id that nobody has.
        id: u64,
    },
    /// A branch or generator built in code points past the last bus.
    #[error("{element} {number} points at node {node}, but there are {buses} buses")]
    NodeOutOfRange {
        /// `branch` or `generator`.
        element: &'static str,
        /// Its number in its list, from 1.
        number: usize,
        /// The index used.
        node: usize,
        /// The number of buses.
        buses: usize,
    },
    /// The power base is not a positive number.
    #[error("base_mva is {}, but must be between 1e-6 and 1e6", Plain(*value))]
    PowerBase {
        /// The value found.
        value: f64,
    },
    /// A bus quantity is out of its range.
    #[error("bus {id}: {field} is {}, but must be {must_be}", Plain(*value))]
    Bus {
        /// The bus.
        id: u64,
        /// The field.
        field: &'static str,
        /// The value found.
        value: f64,
        /// The range asked for.
        must_be: &'static str,
    },
    /// A branch quantity is out of its range.
    #[error("branch {number} ({ends}): {field} is {}, but must be {must_be}", Plain(*value))]
    Branch {
        /// Its number in the list, from 1.
        number: usize,
        /// Its buses.
        ends: BranchEnds,
        /// The field.
        field: &'static str,
        /// The value found.
        value: f64,
        /// The range asked for.
        must_be: &'static str,
    },
    /// A branch joins a bus with itself.
    #[error("branch {number} joins bus {id} with itself")]
    Loop {
        /// Its number in the list, from 1.
        number: usize,
        /// The bus.
        id: u64,
    },
    /// A branch states its impedance in neither unit or in both.
    #[error("branch {number} ({ends}): give {quantity} as `{quantity}_ohm` or as `{quantity}_pu`, {found}")]
    ImpedanceUnit {
        /// Its number in the list, from 1.
        number: usize,
        /// Its buses.
        ends: BranchEnds,
        /// `r` or `x`.
        quantity: &'static str,
        /// `neither is there` or `not both`.
        found: &'static str,
    },
    /// Ohms cannot become per unit.
    #[error("branch {number} ({ends}): ohms and siemens need one known base voltage at both ends; give per unit")]
    OhmBase {
        /// Its number in the list, from 1.
        number: usize,
        /// Its buses.
        ends: BranchEnds,
    },
    /// A generator quantity is out of its range.
    #[error("generator {number} at bus {id}: {field} is {}, but must be {must_be}", Plain(*value))]
    Generator {
        /// Its number in the list, from 1.
        number: usize,
        /// Its bus.
        id: u64,
        /// The field.
        field: &'static str,
        /// The value found.
        value: f64,
        /// The range asked for.
        must_be: &'static str,
    },
}

/// A text that is not a network.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text does not begin with the head word.
    #[error("line {line}: a network file begins with `Network(`, found `{found}`")]
    Head {
        /// Line of the first word, from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// The RON text does not parse or has a field that nobody knows.
    #[error("line {line}, column {column}: {source}")]
    Ron {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// RON's own account of it.
        source: ron::Error,
    },
    /// The MATPOWER text cannot be read faithfully.
    #[error("line {line}: {source}")]
    Matpower {
        /// Line, from 1.
        line: usize,
        /// Why.
        source: MatpowerError,
    },
    /// The network was read, but contradicts itself in this line.
    #[error("line {line}: {source}")]
    InvalidAt {
        /// Line, from 1.
        line: usize,
        /// How.
        source: NetworkError,
    },
    /// The network was read, but contradicts itself.
    #[error(transparent)]
    Invalid(#[from] NetworkError),
}
