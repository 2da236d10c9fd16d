//! `coase audit`: counter-examples to what mechanisms claim, each with the command that shows it.

mod findings;
mod list;

use crate::args::Audit;
use crate::offence::Offence;
use crate::progress::{Show, bar};
use crate::{Finish, console};
use anyhow::bail;
use coase_core::evaluate::audit::{Audited, DEFAULT_BUDGET, Finding, Found, Gain, Regret, Watch, Within};
use coase_core::participant::Distortion;
use coase_scenarios::answers::is_auction;
use coase_scenarios::{
    AuditOptions, AuditWatch, AuditedRun, Experiment, Override, Run, load, read_reports, read_within,
};
pub use findings::quoted;
use findings::{Told, is_something, table};
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Audits the runs of a file and prints what was found.
pub fn audit(args: &Audit) -> anyhow::Result<Finish> {
    if is_auction(&args.file) {
        return list::audit(args);
    }
    if args.seed.is_some() {
        bail!("--seed: the seeds of an experiment are its own, `--set experiment.seeds=[2]`");
    }
    let budget = args.budget.map_or(DEFAULT_BUDGET, |budget| budget as usize);
    let (experiment, variant, set) = loaded(args)?;
    let as_if = match args.as_if.as_deref().map(read_reports) {
        None => vec![],
        Some(Ok(reports)) => reports,
        Some(Err(wrong)) => bail!("--as-if: {wrong}"),
    };
    let within = match args.within.as_deref().map(read_within) {
        None => Within::default(),
        Some(Ok(within)) => within,
        Some(Err(wrong)) => bail!("--within: {wrong}"),
    };
    let options = AuditOptions { jobs: args.jobs.map(usize::from), variant, budget, as_if, within };
    let show = if args.json { Show::Never } else { Show::OnTerminals };
    let watch = AuditBar::new(show, experiment.audited(&options).count());
    let found = experiment.audit(&options, &watch)?;
    watch.bar.finish_and_clear();
    let again = Again { args, budget, set: &set, experiment: &experiment };
    if args.json {
        console::print_json(&again.json(&found))?;
    } else {
        console::print(&again.text(&found));
    }
    let is_bad = |run: &AuditedRun| run.found.as_ref().map_or(true, Audited::refutes);
    Ok(if found.iter().any(is_bad) { Finish::SomeFailed } else { Finish::Done })
}

/// The experiment, the label of the mechanism that is asked for, and the overrides that lead to it.
fn loaded(args: &Audit) -> anyhow::Result<(Experiment, Option<String>, Vec<Override>)> {
    let mut set = args.set.clone();
    let experiment = load(&args.file, &set).map_err(Offence::from)?;
    let Some(wanted) = &args.mechanism else { return Ok((experiment, None, set)) };
    // One of the file's own, by its label; otherwise another in their place.
    if experiment.runs.iter().any(|run| run.variant == *wanted) {
        return Ok((experiment, Some(wanted.clone()), set));
    }
    let element = if wanted.contains('(') { wanted.clone() } else { format!("{wanted:?}") };
    set.push(format!("experiment.mechanisms=[{element}]").parse().map_err(Offence::from)?);
    Ok((load(&args.file, &set).map_err(Offence::from)?, None, set))
}

/// How a finding is found again.
struct Again<'a> {
    args: &'a Audit,
    budget: usize,
    set: &'a [Override],
    experiment: &'a Experiment,
}

impl Again<'_> {
    /// The command that shows a finding; `None` where there is nothing to be shown.
    fn command(&self, run: &Run, finding: &Finding) -> Option<String> {
        let shows = |reports: &[(String, Distortion)]| !reports.is_empty();
        if !is_something(finding) {
            return None;
        }
        let as_if = self.args.as_if.as_ref();
        match &finding.found {
            Found::Reports(reports) if shows(reports) && as_if.is_none() => {
                let rule = format!("Distorted(of: {})", written(reports));
                let reporting =
                    format!("experiment.reporting=[\"truthful\", (label: \"misreport\", reporting: {rule})]");
                Some(self.of("run", run, &[reporting], ""))
            }
            Found::Rule { rule, .. } if as_if.is_none() => {
                let reporting =
                    format!("experiment.reporting=[\"truthful\", (label: \"misreport\", reporting: {rule})]");
                Some(self.of("run", run, &[reporting], ""))
            }
            Found::AsIf(reports) if shows(reports) && as_if.is_none() => {
                let as_if = format!(" --as-if {}", quoted(&written(reports)));
                Some(self.of("audit", run, &[], &as_if))
            }
            _ => {
                let as_if = as_if.map_or(String::new(), |reports| format!(" --as-if {}", quoted(reports)));
                Some(self.of("audit", run, &[], &as_if))
            }
        }
    }

    fn of(&self, verb: &str, run: &Run, further: &[String], end: &str) -> String {
        let file = quoted(&self.args.file.display().to_string());
        let only = self.experiment.selecting(run).map(|only| format!("experiment.only={only}"));
        let set = self.set.iter().map(ToString::to_string).chain(only).chain(further.iter().cloned());
        let set = set.fold(String::new(), |all, set| format!("{all} --set {}", quoted(&set)));
        let within = self.args.within.as_ref().map_or(String::new(), |within| format!(" --within {}", quoted(within)));
        let budget = if verb == "audit" { format!(" --budget {}{within}", self.budget) } else { String::new() };
        format!("coase {verb} {file}{set}{budget}{end}")
    }

    fn json(&self, found: &[AuditedRun]) -> Value {
        let of_run = |audited: &AuditedRun| {
            let run = &audited.run;
            let mut entry = json!({
                "scenario": run.scenario, "mechanism": run.mechanism.plugin().id, "variant": run.variant,
                "carbon_label": run.carbon_label, "seed": run.seed,
            });
            let swept: Map<String, Value> = self
                .experiment
                .swept()
                .into_iter()
                .zip(&run.swept)
                .map(|(path, value)| (path.to_owned(), json!(coase_scenarios::shown(value))))
                .collect();
            entry["swept"] = swept.into();
            match &audited.found {
                Ok(found) => {
                    let regret = |regret: &Regret| regret_json(run, regret);
                    entry["findings"] = self.told(run, found).iter().map(Told::json).collect();
                    entry["regrets"] = found.regrets.iter().map(regret).collect();
                    entry["refuted"] = found.refutes().into();
                    entry["error"] = Value::Null;
                }
                Err(why) => {
                    (entry["findings"], entry["regrets"], entry["refuted"]) = (json!([]), json!([]), false.into());
                    entry["error"] = why.as_str().into();
                }
            }
            entry
        };
        json!({"file": self.args.file, "budget": self.budget, "audits": found.iter().map(of_run).collect::<Vec<_>>()})
    }

    fn told<'b>(&self, run: &Run, found: &'b Audited) -> Vec<Told<'b>> {
        let told = |finding: &'b Finding| Told {
            finding,
            declared: declared(run, finding),
            command: self.command(run, finding),
        };
        found.findings.iter().map(told).collect()
    }

    fn text(&self, found: &[AuditedRun]) -> String {
        let mut text = String::new();
        for audited in found {
            let run = &audited.run;
            if !text.is_empty() {
                text.push('\n');
            }
            let swept = self.experiment.swept().into_iter().zip(&run.swept);
            let swept =
                swept.map(|(path, value)| (path, coase_scenarios::shown(value))).filter(|(_, value)| !value.is_empty());
            let with = swept.fold(String::new(), |with, (path, value)| format!("{with}, {path} = {value}"));
            let _ = writeln!(
                text,
                "{} under {} in {}{with}, seed {}",
                run.variant, run.carbon_label, run.scenario, run.seed
            );
            match &audited.found {
                Ok(found) => table(&self.told(run, found), &mut text),
                Err(why) => {
                    let _ = writeln!(text, "  nothing to audit: {why}");
                }
            }
        }
        text
    }
}

/// The condition of a claim that the mechanism makes; empty where it is made always, `None` where it is not made.
fn declared(run: &Run, finding: &Finding) -> Option<&'static str> {
    let claims = run.mechanism.plugin().claims;
    let claim = finding.claim?;
    claims.iter().find(|(declared, _)| *declared == claim).map(|(_, condition)| *condition)
}

fn regret_json(run: &Run, regret: &Regret) -> Value {
    let gain = |gain: &Gain| {
        let Distortion { price_factor, price_shift_per_kwh, quantity_factor } = gain.report;
        json!({"gain": gain.value, "price_factor": price_factor, "price_shift_per_kwh": price_shift_per_kwh, "quantity_factor": quantity_factor})
    };
    json!({
        "participant": run.instance.setting.members[regret.seat].id,
        "level": gain(&regret.level), "factor": gain(&regret.factor), "quantity": gain(&regret.quantity), "joint": gain(&regret.joint),
    })
}

/// Reports by participants as they are written.
fn written(reports: &[(String, Distortion)]) -> String {
    let of = reports.iter().map(|(id, what)| format!("{id:?}: {}", ron(*what)));
    format!("{{{}}}", of.collect::<Vec<_>>().join(", "))
}

/// A report as it is written: what is not true of it.
fn ron(what: Distortion) -> String {
    let Distortion { price_factor, price_shift_per_kwh, quantity_factor } = what;
    let fields = [
        ("price_factor", price_factor, 1.0),
        ("price_shift_per_kwh", price_shift_per_kwh, 0.0),
        ("quantity_factor", quantity_factor, 1.0),
    ];
    let written =
        fields.iter().filter(|(_, value, truth)| value != truth).map(|(name, value, _)| format!("{name}: {value}"));
    format!("({})", written.collect::<Vec<_>>().join(", "))
}

/// One bar over the runs that are audited; beside it, which one, and how often its mechanism was run.
struct AuditBar {
    bar: ProgressBar,
    ran: AtomicUsize,
}

impl AuditBar {
    fn new(show: Show, runs: usize) -> Self {
        let bar = bar(show, "audits");
        bar.set_length(runs as u64);
        Self { bar, ran: AtomicUsize::new(0) }
    }
}

impl Watch for AuditBar {
    fn ran(&self) {
        let ran = self.ran.fetch_add(1, Ordering::Relaxed) + 1;
        if ran.is_multiple_of(50) {
            self.bar.set_message(format!("{ran} runs of mechanisms"));
        }
    }
}

impl AuditWatch for AuditBar {
    fn begun(&self, run: &Run) {
        self.bar.set_message(format!("{} under {} in {}", run.variant, run.carbon_label, run.scenario));
        self.bar.tick();
    }

    fn finished(&self) {
        self.bar.inc(1);
    }
}

#[cfg(test)]
mod tests {
    use super::ron;
    use coase_core::participant::Distortion;

    #[test]
    fn of_a_report_only_what_is_not_true_is_written() {
        assert_eq!(ron(Distortion { price_factor: 1.25, ..Distortion::TRUTH }), "(price_factor: 1.25)");
        assert_eq!(ron(Distortion::TRUTH), "()");
    }
}
