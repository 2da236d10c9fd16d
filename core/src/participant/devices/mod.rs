//! The devices of Coase, one file each: parameters as scenario files have them, checks, equations, what the device says of
//! itself, and what it is tested against. Nothing else lists them.

mod base_station;
mod curtailable;
mod ev_fleet;
mod hvac;
mod interruptible;
mod load;
mod micro_turbine;
mod pv;
mod quadratic;
mod shiftable;
mod storage;
mod wind;

pub use base_station::{BaseStation, SPECTRUM};
pub use ev_fleet::{Disaggregation, EvFleet, EvSession, MOST_GROUPS};
pub use hvac::{Hvac, HvacControl};
pub use interruptible::Interruptible;
pub use load::Load;
pub use micro_turbine::MicroTurbine;
pub use pv::Pv;
pub use quadratic::Quadratic;
pub use shiftable::Shiftable;
pub use storage::Storage;
pub use wind::Wind;
