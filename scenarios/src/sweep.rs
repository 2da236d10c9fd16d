//! What changes from run to run besides scenario, mechanism, policy and seed: parameters swept alone or in rows, and which
//! combinations are run.
//!
//! Knows the written form and paths, and nothing of what a parameter means.

use crate::fault::{Cause, Fault};
use crate::overrides::{ParameterPath, ROOTS, Root};
use crate::spec::ExperimentForm;
use crate::text::Text;
use coase_core::record::Value;
use coase_core::statistics::sensitivity::{NoStudy, Sensitivity};
use ron::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// Fields of an experiment that change from run to run only by being run, not by a sweep.
const SWEEPABLE: [&str; 2] = ["first_periods", "evidence"];

/// Parameters that change together, and the values they take, as written.
#[derive(Clone, Debug)]
pub(crate) struct Sweep {
    /// One, or those of a zip.
    pub(crate) paths: Vec<ParameterPath>,
    /// A row has a value for every path.
    pub(crate) rows: Vec<Vec<String>>,
    /// What tables show in the column of the first path, one for each row; empty: the value.
    pub(crate) labels: Vec<String>,
    /// Where it stands in the experiment: `sweep.0`, `zip.2`, `sensitivity`.
    pub(crate) at: String,
    kind: Kind,
}

/// What gives the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A list for one path.
    Sweep,
    /// Rows for several paths.
    Zip,
    /// The points of a box.
    Points,
}

impl Sweep {
    /// Where one of its paths stands in the experiment.
    pub(crate) fn at_path(&self, path: usize) -> String {
        match self.kind {
            Kind::Sweep => format!("{}.path", self.at),
            Kind::Zip => format!("{}.paths.{path}", self.at),
            Kind::Points => format!("{}.over.{path}.path", self.at),
        }
    }

    /// Where its values stand.
    pub(crate) fn at_values(&self) -> String {
        match self.kind {
            Kind::Sweep => format!("{}.values", self.at),
            Kind::Zip => format!("{}.rows", self.at),
            Kind::Points => format!("{}.over", self.at),
        }
    }

    /// Whether some of its paths begin so.
    pub(crate) fn has(&self, root: Root) -> bool {
        self.paths.iter().any(|path| path.root == root)
    }

    /// What the tables show of a row, one cell for every path.
    pub(crate) fn cells(&self, row: Option<usize>) -> Vec<Value> {
        let Some(row) = row else { return vec![Value::Missing; self.paths.len()] };
        let mut cells: Vec<Value> = self.rows[row].iter().map(|value| cell(value)).collect();
        if let (Some(first), Some(label)) = (cells.first_mut(), self.labels.get(row)) {
            *first = label.as_str().into();
        }
        cells
    }

    /// It as an entry of `sweep` or of `zip`; the points of a box are written as their box.
    pub(crate) fn written(&self) -> String {
        let labels = if self.labels.is_empty() { String::new() } else { format!(", labels: {:?}", self.labels) };
        if self.kind == Kind::Zip {
            let paths: Vec<&str> = self.paths.iter().map(ParameterPath::written).collect();
            let rows: Vec<String> = self.rows.iter().map(|row| format!("[{}]", row.join(", "))).collect();
            format!("(paths: {paths:?}, rows: [{}]{labels})", rows.join(", "))
        } else {
            let values: Vec<&str> = self.rows.iter().map(|row| row[0].as_str()).collect();
            format!("(path: {:?}, values: [{}]{labels})", self.paths[0].written(), values.join(", "))
        }
    }

    /// Whether it stands under `sweep`.
    pub(crate) fn is_sweep(&self) -> bool {
        self.kind == Kind::Sweep
    }

    /// Whether it stands under `zip`.
    pub(crate) fn is_zip(&self) -> bool {
        self.kind == Kind::Zip
    }
}

/// A swept value as a cell: a number where it is one, a string without its quotes.
fn cell(written: &str) -> Value {
    match written.parse::<f64>() {
        Ok(number) => number.into(),
        Err(_) => written.trim_matches('"').into(),
    }
}

/// The sweeps of an experiment, then its zips.
pub(crate) fn sweeps(form: &ExperimentForm, text: &Text) -> Result<Vec<Sweep>, Fault> {
    let mut all: Vec<Sweep> = vec![];
    for (k, written) in form.sweep.iter().enumerate() {
        let values = written.values.read().map_err(|expected| {
            let (field, found) = ("values".to_owned(), written.values.0.clone());
            text.fault(&format!("sweep.{k}.values"), Cause::Field { field, found, expected })
        })?;
        let rows = values.into_iter().map(|value| vec![value]).collect();
        let sweep =
            Sweep { paths: vec![], rows, labels: written.labels.clone(), at: format!("sweep.{k}"), kind: Kind::Sweep };
        all.push(checked(sweep, std::slice::from_ref(&written.path), &all, text)?);
    }
    for (k, written) in form.zip.iter().enumerate() {
        let row = |row: &Vec<Box<RawValue>>| row.iter().map(|value| value.get_ron().trim().to_owned()).collect();
        let sweep = Sweep {
            paths: vec![],
            rows: written.rows.iter().map(row).collect(),
            labels: written.labels.clone(),
            at: format!("zip.{k}"),
            kind: Kind::Zip,
        };
        all.push(checked(sweep, &written.paths, &all, text)?);
    }
    if let Some(study) = &form.sensitivity {
        all.push(points(study, &all, text)?);
    }
    Ok(all)
}

/// The points of a box, each once, in the order in which its design comes to them.
fn points(study: &Sensitivity, others: &[Sweep], text: &Text) -> Result<Sweep, Fault> {
    study.check().map_err(|wrong| match wrong {
        NoStudy::Empty => text.fault("sensitivity.over", Cause::Empty("the list of parameters")),
        NoStudy::Range { parameter, field, value, expected } => {
            text.fault(&format!("sensitivity.over.{parameter}.{field}"), Cause::Value { field, value, expected })
        }
        NoStudy::Count { field, value, expected } => {
            text.fault(&format!("sensitivity.method.{field}"), Cause::Value { field, value: value as f64, expected })
        }
    })?;
    let mut rows: Vec<Vec<String>> = vec![];
    let mut known = BTreeSet::new();
    for point in study.points() {
        let row: Vec<String> = point.iter().map(f64::to_string).collect();
        if known.insert(row.clone()) {
            rows.push(row);
        }
    }
    let sweep = Sweep { paths: vec![], rows, labels: vec![], at: "sensitivity".to_owned(), kind: Kind::Points };
    let paths: Vec<String> = study.over.iter().map(|parameter| parameter.path.clone()).collect();
    checked(sweep, &paths, others, text)
}

/// The sweep with its paths, if everything about it can be.
fn checked(mut sweep: Sweep, paths: &[String], others: &[Sweep], text: &Text) -> Result<Sweep, Fault> {
    if paths.is_empty() {
        return Err(text.fault(&format!("{}.paths", sweep.at), Cause::Empty("the list of paths")));
    }
    for (j, written) in paths.iter().enumerate() {
        let fault = |cause| text.fault(&sweep.at_path(j), cause);
        let path: ParameterPath = written.parse().map_err(|cause| fault(cause).with_hint(ROOTS.to_owned()))?;
        let known = || others.iter().flat_map(|other| &other.paths).chain(&sweep.paths);
        if known().any(|other| *other == path) {
            return Err(fault(Cause::Twice { kind: "sweep of", name: written.clone() }));
        }
        if let Some(other) = known().find(|other| contains(other, &path) || contains(&path, other)) {
            let what = format!("a sweep of {written} beside one of {}", other.written());
            return Err(fault(Cause::NotPossible { what, why: "one is a part of the other" }));
        }
        if path.root == Root::Experiment && !path.parts().first().is_some_and(|p| SWEEPABLE.contains(p)) {
            let what = format!("a sweep of {written}");
            let why = "of an experiment's own fields only `first_periods` and `evidence` can be swept";
            return Err(fault(Cause::NotPossible { what, why }));
        }
        sweep.paths.push(path);
    }
    let (at, n) = (sweep.at_values(), sweep.rows.len());
    if n == 0 {
        let what = if sweep.is_zip() { "the list of rows" } else { "the list of values" };
        return Err(text.fault(&at, Cause::Empty(what)));
    }
    for (v, row) in sweep.rows.iter().enumerate() {
        if row.len() != paths.len() {
            let (field, found) = (format!("row {v} of the zip"), format!("{} values", row.len()));
            let expected = format!("one for each of the {} paths", paths.len());
            return Err(text.fault(&format!("{at}.{v}"), Cause::Field { field, found, expected }));
        }
        if sweep.rows[..v].contains(row) {
            let (kind, name) = (if sweep.is_zip() { "row" } else { "value" }, row.join(", "));
            return Err(text.fault(&format!("{at}.{v}"), Cause::Twice { kind, name }));
        }
    }
    let labels = format!("{}.labels", sweep.at);
    if !sweep.labels.is_empty() && sweep.labels.len() != n {
        let (field, found) = ("labels".to_owned(), format!("a list of {}", sweep.labels.len()));
        let expected = format!("one for each of the {n} {}", if sweep.is_zip() { "rows" } else { "values" });
        return Err(text.fault(&labels, Cause::Field { field, found, expected }));
    }
    if let Some((v, label)) = sweep.labels.iter().enumerate().find(|(v, label)| sweep.labels[..*v].contains(label)) {
        return Err(text.fault(&format!("{labels}.{v}"), Cause::Twice { kind: "label", name: label.clone() }));
    }
    Ok(sweep)
}

/// Whether a parameter holds another one.
fn contains(outer: &ParameterPath, inner: &ParameterPath) -> bool {
    inner.written().strip_prefix(outer.written()).is_some_and(|rest| rest.starts_with('.'))
}

/// What an entry of `only` or `except` says of runs.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// What is named, and the values that fit.
    wanted: BTreeMap<String, Vec<String>>,
    at: String,
}

/// Which combinations are run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters {
    only: Vec<Filter>,
    except: Vec<Filter>,
}

/// What a run is told apart by: scenario, mechanism, carbon, reporting, seed, and swept paths, as tables show them.
pub(crate) type Axes<'a> = BTreeMap<&'a str, String>;

impl Filters {
    /// Those of an experiment; every name is an axis of it.
    pub(crate) fn of(form: &ExperimentForm, sweeps: &[Sweep], text: &Text) -> Result<Self, Fault> {
        let paths: Vec<&str> = sweeps.iter().flat_map(|sweep| &sweep.paths).map(ParameterPath::written).collect();
        let axes: Vec<&str> =
            ["scenario", "mechanism", "carbon", "reporting", "seed"].into_iter().chain(paths).collect();
        let read = |list: &[BTreeMap<String, Box<RawValue>>], field: &str| -> Result<Vec<Filter>, Fault> {
            let one = |(k, entry): (usize, &BTreeMap<String, Box<RawValue>>)| {
                let at = format!("{field}.{k}");
                let mut wanted = BTreeMap::new();
                for (name, value) in entry {
                    if !axes.contains(&name.as_str()) {
                        let (of, fields) = (format!("an entry of `{field}`"), axes.join(", "));
                        return Err(text.fault(&at, Cause::NoField { of, field: name.clone(), fields }));
                    }
                    wanted.insert(name.clone(), values(value.get_ron()));
                }
                if wanted.is_empty() {
                    return Err(text.fault(&at, Cause::Empty("an entry that would fit every run")));
                }
                Ok(Filter { wanted, at })
            };
            list.iter().enumerate().map(one).collect()
        };
        Ok(Self { only: read(&form.only, "only")?, except: read(&form.except, "except")? })
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }

    /// Whether a run is run.
    pub(crate) fn keep(&self, run: &Axes<'_>) -> bool {
        let fits = |filter: &Filter| {
            filter.wanted.iter().all(|(name, values)| run.get(name.as_str()).is_some_and(|is| values.contains(is)))
        };
        (self.only.is_empty() || self.only.iter().any(fits)) && !self.except.iter().any(fits)
    }

    /// Refuses values that no run of all combinations has: a slip would leave out nothing, or everything.
    pub(crate) fn check(&self, all: &[Axes<'_>], text: &Text) -> Result<(), Fault> {
        for filter in self.only.iter().chain(&self.except) {
            for (name, values) in &filter.wanted {
                let has = |value: &&String| all.iter().any(|run| run.get(name.as_str()) == Some(*value));
                if let Some(value) = values.iter().find(|value| !has(value)) {
                    let (field, found) = (format!("`{name}`"), format!("`{value}`"));
                    let cause = Cause::Field { field, found, expected: "a value that some run has".to_owned() };
                    return Err(text.fault(&filter.at, cause));
                }
            }
        }
        if all.iter().any(|run| self.keep(run)) {
            return Ok(());
        }
        let at = if self.only.is_empty() { "except" } else { "only" };
        Err(text.fault(at, Cause::Empty("what `only` and `except` leave")))
    }

    /// They as fields of an experiment.
    pub(crate) fn written(&self) -> String {
        let value = |value: &String| value.parse::<f64>().map_or_else(|_| format!("{value:?}"), |_| value.clone());
        let entry = |filter: &Filter| {
            let named = filter.wanted.iter().map(|(name, values)| {
                format!("{name:?}: [{}]", values.iter().map(value).collect::<Vec<_>>().join(", "))
            });
            format!("{{{}}}", named.collect::<Vec<_>>().join(", "))
        };
        let list = |filters: &[Filter]| filters.iter().map(entry).collect::<Vec<_>>().join(", ");
        format!("    only: [{}],\n    except: [{}],\n", list(&self.only), list(&self.except))
    }
}

/// The values of an entry as tables show them: one, or those of a list.
fn values(written: &str) -> Vec<String> {
    let one = |text: &str| shown(&cell(text.trim()));
    let list: Option<Vec<Box<RawValue>>> =
        written.trim().starts_with('[').then(|| ron::from_str(written).ok()).flatten();
    list.map_or_else(|| vec![one(written)], |list| list.iter().map(|value| one(value.get_ron())).collect())
}

/// A cell as it is compared and told.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Missing => String::new(),
    }
}
