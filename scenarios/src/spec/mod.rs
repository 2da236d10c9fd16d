//! The written form of scenarios and experiments: what the file says, before anything is checked or looked up.
//!
//! One set of structs serves the form as written and the resolved one, in which every option is filled in and every series
//! is a list. Knows serde and nothing of the model.

mod device;
mod experiment;
mod scenario;
mod series;

pub use device::{Device, EvFleet, Hvac, HvacControl, MicroTurbine, Quadratic, Renewable, Session, Storage};
pub use experiment::{Evidence, Matching};
pub use scenario::{Grid, Network, NetworkSource, Participant, Scenario};
pub use series::{CsvColumn, Resample, Series};

pub(crate) use experiment::{ExperimentForm, Labelled};

fn one() -> f64 {
    1.0
}

fn ones() -> Series {
    Series::Constant(1.0)
}
