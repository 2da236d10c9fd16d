//! Paths to parameters, as `--set` and sweeps write them: `scenario.participants.vpp1.devices.0.p_max_kw`.

use crate::fault::{Cause, Fault};
use crate::text::options;
use ron::value::RawValue;
use std::fmt;
use std::str::FromStr;

/// What a path begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    Scenario,
    Mechanism,
    Carbon,
    Reporting,
    Experiment,
}

/// Where a parameter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParameterPath {
    pub(crate) root: Root,
    written: String,
}

impl ParameterPath {
    /// As written; the name of its column.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// What follows the root.
    pub(crate) fn parts(&self) -> Vec<&str> {
        self.written.split('.').skip(1).collect()
    }
}

impl FromStr for ParameterPath {
    type Err = Cause;

    fn from_str(written: &str) -> Result<Self, Cause> {
        let no_path = || Cause::Path { path: written.to_owned() };
        let (root, rest) = written.split_once('.').ok_or_else(no_path)?;
        if rest.split('.').any(str::is_empty) {
            return Err(no_path());
        }
        let root = match root {
            "scenario" => Root::Scenario,
            "mechanism" => Root::Mechanism,
            "carbon" => Root::Carbon,
            "reporting" => Root::Reporting,
            "experiment" => Root::Experiment,
            _ => return Err(no_path()),
        };
        Ok(Self { root, written: written.to_owned() })
    }
}

/// Roots of paths, for hints.
pub(crate) const ROOTS: &str = "a path begins with `scenario.`, `mechanism.`, `carbon.`, `reporting.` or `experiment.`";

/// A parameter and the value it is given on the command line: `PATH=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub(crate) path: ParameterPath,
    pub(crate) value: String,
}

impl Override {
    /// A fault of the override itself, which stands in no file.
    pub(crate) fn fault(&self, cause: Cause) -> Fault {
        Fault { file: self.source(), place: None, cause: Box::new(cause), hint: None }
    }

    /// How messages call it.
    pub(crate) fn source(&self) -> String {
        format!("--set {self}")
    }
}

impl fmt::Display for Override {
    /// As it can be given again: `PATH=VALUE`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.path.written(), self.value)
    }
}

impl FromStr for Override {
    type Err = Fault;

    fn from_str(written: &str) -> Result<Self, Fault> {
        let fault = |cause, hint| Fault { file: format!("--set {written}"), place: None, cause: Box::new(cause), hint };
        let (path, value) =
            written.split_once('=').ok_or_else(|| fault(Cause::Override { written: written.to_owned() }, None))?;
        let path: ParameterPath = path.trim().parse().map_err(|cause| fault(cause, Some(ROOTS.to_owned())))?;
        let value = value.trim();
        match options().from_str::<Box<RawValue>>(value) {
            Ok(_) => Ok(Self { path, value: value.to_owned() }),
            Err(error) => {
                Err(fault(Cause::Ron(error.code), Some("VALUE is written as in a file; text in quotes".into())))
            }
        }
    }
}
