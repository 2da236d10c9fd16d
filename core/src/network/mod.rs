//! The network: buses, branches, generators; topology; the file forms; the built-in test systems.
//!
//! Data in the units that people quote (kW, kvar, kVA; impedances per unit on `base_mva`). This module solves nothing:
//! it must not know power flow, carbon, participants or files (it reads text that somebody else has loaded).

mod built_in;
mod error;
mod limits;
mod matpower;
mod matpower_error;
mod model;
mod ron_form;
mod ron_text;
mod topology;

pub use built_in::{BUILT_IN, BuiltIn, built_in};
pub use error::{BranchEnds, NetworkError, ReadError};
pub use limits::{Limit, Measured, Missed, Slope};
pub use matpower_error::MatpowerError;
pub use model::{Branch, Bus, BusKind, Cost, Generator, Network, NodeId, PqCurve};
pub use ron_form::forms;
pub use topology::{Parent, Topology};
