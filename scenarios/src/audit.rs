//! An experiment audited: every run of it is searched for counter-examples to what its mechanism claims. Nothing is stored.

use crate::experiment::{Experiment, Run};
use crate::run::{NoThreads, guarded, threads};
use crate::sweep::shown;
use crate::text::options;
use coase_core::Market;
use coase_core::evaluate::audit::{Audit, Audited, Watch, Within};
use coase_core::participant::Distortion;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How runs are audited.
#[derive(Clone, Debug)]
pub struct AuditOptions {
    /// Number of threads; `None`: as many as the machine has.
    pub jobs: Option<usize>,
    /// Only the runs of this mechanism, by its label; `None`: all.
    pub variant: Option<String>,
    /// About how many times the mechanism may be run for each.
    pub budget: usize,
    /// Reports, by participants, that are taken to be the truth.
    pub as_if: Vec<(String, Distortion)>,
    /// Between which numbers prices and quantities are misreported.
    pub within: Within,
}

/// Whoever watches an audit.
pub trait AuditWatch: Watch + Send {
    /// A run is taken up.
    fn begun(&self, _run: &Run) {}

    /// What was found of it.
    fn finished(&self) {}
}

impl AuditWatch for () {}

/// What came of the audit of a run.
#[derive(Clone, Debug)]
pub struct AuditedRun {
    /// The run.
    pub run: Arc<Run>,
    /// What was found, or why nothing could be.
    pub found: Result<Audited, String>,
}

impl Experiment {
    /// Audits runs one after the other, each on all threads.
    ///
    /// # Errors
    /// If the threads cannot be started. A mechanism that has no outcome on a market is what came of that run.
    pub fn audit(&self, options: &AuditOptions, watch: &dyn AuditWatch) -> Result<Vec<AuditedRun>, NoThreads> {
        let audit = |run: &Arc<Run>| {
            watch.begun(run);
            let searched = || audited(run, options, watch);
            let found = guarded("the mechanism or policy broke off", searched).and_then(|found| found);
            watch.finished();
            AuditedRun { run: run.clone(), found }
        };
        Ok(threads(options.jobs)?.install(|| self.audited(options).map(audit).collect()))
    }

    /// The runs that are audited: an audit begins with the truth, however a run is played.
    pub fn audited<'a>(&'a self, options: &'a AuditOptions) -> impl Iterator<Item = &'a Arc<Run>> {
        let played = self.runs.first().map(|run| run.reporting.as_str());
        let is_wanted = |run: &Run| options.variant.as_ref().is_none_or(|variant| run.variant == *variant);
        self.runs.iter().filter(move |run| Some(run.reporting.as_str()) == played && is_wanted(run))
    }

    /// The value of `only` that leaves nothing of the experiment but a run, however it is played; `None` where there is nothing
    /// else.
    pub fn selecting(&self, run: &Run) -> Option<String> {
        let is_other = |other: &&Arc<Run>| other.run_id != run.run_id;
        self.runs.iter().find(is_other)?;
        let axes = [("scenario", &run.scenario), ("mechanism", &run.variant), ("carbon", &run.carbon_label)];
        let axes = axes.map(|(axis, value)| (axis, value.clone())).into_iter();
        let swept = self.swept().into_iter().zip(run.swept.iter().map(shown));
        Some(only(axes.chain([("seed", run.seed.to_string())]).chain(swept)))
    }
}

/// The value of `experiment.only` that leaves the runs with the values of some axes, as tables show them: `scenario`,
/// `mechanism`, `carbon` and `reporting` (labels), `seed`, and swept paths. Axes without a value are left out.
pub fn only<'a>(axes: impl Iterator<Item = (&'a str, String)>) -> String {
    let entry = |(axis, value): (&str, String)| {
        // A label that looks like a number is a label.
        let is_number = (axis == "seed" || axis.contains('.')) && value.parse::<f64>().is_ok();
        if is_number { format!("{axis:?}: {value}") } else { format!("{axis:?}: {value:?}") }
    };
    let entries: Vec<String> = axes.filter(|(_, value)| !value.is_empty()).map(entry).collect();
    format!("[{{{}}}]", entries.join(", "))
}

/// Reports by participants as they are written: `{"vpp1": (price_factor: 1.25)}`.
///
/// # Errors
/// What cannot be read or reported, in words.
pub fn read_reports(text: &str) -> Result<Vec<(String, Distortion)>, String> {
    let expected = r#"expected reports by participant, such as `{"vpp1": (price_factor: 1.25)}`"#;
    let read: Result<BTreeMap<String, Distortion>, _> = options().from_str(text);
    let reports = read.map_err(|error| format!("{}: {expected}", error.code))?;
    for (id, report) in &reports {
        report.check().map_err(|error| format!("{id}: {error}"))?;
    }
    Ok(reports.into_iter().collect())
}

/// Reads bounds of misreports as they are written: `(price_shift_per_kwh: (-0.2, 0.2))`.
///
/// # Errors
/// What cannot be read, or does not hold the truth, in words.
pub fn read_within(text: &str) -> Result<Within, String> {
    let expected = "expected bounds such as `(price_shift_per_kwh: (-0.2, 0.2), quantity_factor: (1, 1))`";
    let within: Within = options().from_str(text).map_err(|error| format!("{}: {expected}", error.code))?;
    within.check().map(|()| within)
}

fn audited(run: &Run, options: &AuditOptions, watch: &dyn AuditWatch) -> Result<Audited, String> {
    let truth = Market::new(run.instance.setting.clone(), run.instance.participants.clone());
    let named = |id: String| {
        let there = truth.setting().members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>().join(", ");
        format!("there is no participant `{id}`; there are {there}")
    };
    let market = Audit::market_as_if(&truth, &options.as_if).map_err(named)?;
    let audit = Audit {
        mechanism: &*run.mechanism,
        market: &market,
        policy: &*run.policy,
        yardstick: &run.yardstick,
        seed: run.seed,
        budget: options.budget,
        within: options.within,
        watch: &Watching(watch),
    };
    audit.run().map_err(|error| error.to_string())
}

/// A watcher of experiments as one of a single audit.
pub(crate) struct Watching<'a>(pub(crate) &'a dyn AuditWatch);

impl Watch for Watching<'_> {
    fn ran(&self) {
        self.0.ran();
    }
}
