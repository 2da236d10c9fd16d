//! The written form of scenarios and experiments: what the file says, before anything is checked or looked up.
//!
//! One set of structs serves the form as written and the resolved one, in which every option is filled in and every series
//! is a list. Knows serde, and of the model only what a file may contain of it: networks, series, and devices as the registry
//! reads them.

mod experiment;
mod repeat;
mod scenario;
mod values;

pub use coase_core::series::{CsvColumn, DrawnSeries, Resample, Series};
pub use experiment::{Evidence, Matching};
pub use scenario::{Grid, Network, NetworkSource, Participant, Scenario};

pub(crate) use experiment::{Draws, ExperimentForm, Labelled, SweepForm, ZipForm};
pub(crate) use repeat::{Repeat, Varied, Vary};
pub(crate) use values::{Seeds, Values};

fn one() -> f64 {
    1.0
}

fn ones() -> Series {
    Series::Constant(1.0)
}
