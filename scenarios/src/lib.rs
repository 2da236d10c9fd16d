//! Scenario files, experiments and the batch runner of Coase, which runs them in memory or into a result store.
//!
//! A file is read into its written form ([`spec`]), resolved (every series inline, every default filled in), and built into
//! the objects of the model; only what is resolved runs, is hashed and is archived. Errors are data with a place in the
//! file: [`Fault`].
//!
//! ```
//! use coase_mechanisms as _; // links the mechanisms
//! use coase_scenarios::{Loader, RunOptions, RunStatus};
//!
//! let text = r#"Experiment(scenarios: ["three_vpp"], mechanisms: ["grid-only", "nash-bargaining"], carbon: ["none", "tax"])"#;
//! let experiment = Loader::default().load_text("example", text, ".".as_ref(), &[])?;
//! let results = experiment.run(&RunOptions::default(), &())?;
//! assert_eq!(results.len(), 4);
//! assert!(results.iter().all(|result| result.status == RunStatus::Converged));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate knows no concrete mechanism or carbon policy (it meets them through the registry in the core), draws no
//! figure and never prints.

pub mod answers;
mod archive;
mod audit;
mod build;
mod csv_file;
mod dialect;
mod drawable;
mod draws;
mod experiment;
mod fault;
mod figures;
mod file;
mod forms;
mod games;
mod library;
mod load;
mod matched;
mod matching;
mod moment;
mod outline;
mod overrides;
mod pilot;
mod progress;
mod reading;
mod repeat;
mod resolve;
mod run;
mod single;
mod some;
pub mod spec;
mod store;
mod sweep;
mod text;
mod variant;
mod words;
mod zone;

pub use audit::{AuditOptions, AuditWatch, AuditedRun, only, read_reports, read_within};
pub use build::Instance;
pub use csv_file::CsvError;
pub use experiment::{Choices, Experiment, Matched, Run, VERSION};
pub use fault::{Cause, Fault, Place, nearest};
pub use figures::WrittenFigures;
pub use forms::{carbon_schema, experiment_schema, forms, scenario_schema};
pub use games::PlayedGame;
pub use library::{LIBRARY, LibraryFile, library_file};
pub use load::{Loader, load};
pub use overrides::Override;
pub use pilot::{Detectable, Pilot};
pub use progress::Progress;
pub use reading::read_text;
pub use resolve::{LeftOut, read_network};
pub use run::{NoShard, NoThreads, RunOptions, Shard};
pub use store::{Before, Existing, ExperimentError, Prepared, Ran, StoreOptions};
pub use sweep::shown;

pub use coase_store::{Build, Held, Left, RunFileError, RunResult, RunStatus, Store, StoreError, Summary, Timing};
