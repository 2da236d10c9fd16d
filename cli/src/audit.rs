//! `coase audit`: counter-examples to what mechanisms claim, each with the command that shows it.

use crate::args::Audit;
use crate::offence::Offence;
use crate::progress::{Show, bar};
use crate::{Finish, console};
use anyhow::bail;
use coase_core::evaluate::audit::{Audited, Finding, Found, Gain, Regret, Watch};
use coase_core::outcome::Verdict;
use coase_core::participant::Distortion;
use coase_core::words::number;
use coase_scenarios::{AuditOptions, AuditWatch, AuditedRun, Experiment, Override, Run, load, read_reports};
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Audits the runs of a file and prints what was found.
pub fn audit(args: &Audit) -> anyhow::Result<Finish> {
    let (experiment, variant, set) = loaded(args)?;
    let as_if = match args.as_if.as_deref().map(read_reports) {
        None => vec![],
        Some(Ok(reports)) => reports,
        Some(Err(wrong)) => bail!("--as-if: {wrong}"),
    };
    let options = AuditOptions { jobs: args.jobs.map(usize::from), variant, budget: args.budget as usize, as_if };
    let show = if args.json { Show::Never } else { Show::OnTerminals };
    let watch = AuditBar::new(show, experiment.audited(&options).count());
    let found = experiment.audit(&options, &watch)?;
    watch.bar.finish_and_clear();
    let again = Again { args, set: &set, experiment: &experiment };
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
    set: &'a [Override],
    experiment: &'a Experiment,
}

impl Again<'_> {
    /// The command that shows a finding; `None` where there is nothing to be shown.
    fn command(&self, run: &Run, finding: &Finding) -> Option<String> {
        let shows = |reports: &[(String, Distortion)]| !reports.is_empty();
        // Below this a gain is a solver's rounding, whether or not something is claimed.
        let nothing = finding.certificate.tolerance.unwrap_or(1e-6);
        if finding.certificate.value.is_none_or(|value| value <= nothing) {
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
            Found::AsIf(reports) if shows(reports) && as_if.is_none() => {
                let as_if = format!(" --as-if {}", quoted(&written(reports)));
                Some(self.of("audit", run, &[], &as_if))
            }
            Found::Reports(_) | Found::AsIf(_) | Found::Split { .. } | Found::Nowhere => {
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
        let budget = if verb == "audit" { format!(" --budget {}", self.args.budget) } else { String::new() };
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
                    let finding = |finding: &Finding| self.finding(run, finding);
                    let regret = |regret: &Regret| regret_json(run, regret);
                    entry["findings"] = found.findings.iter().map(finding).collect();
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
        json!({"file": self.args.file, "budget": self.args.budget, "audits": found.iter().map(of_run).collect::<Vec<_>>()})
    }

    fn finding(&self, run: &Run, finding: &Finding) -> Value {
        let declared = declared(run, finding);
        let certificate = &finding.certificate;
        json!({
            "claim": finding.name,
            "declared": declared.is_some(),
            "condition": declared.filter(|condition| !condition.is_empty()),
            "verdict": certificate.verdict.name(),
            "value": certificate.value,
            "tolerance": certificate.tolerance,
            "witness": certificate.witness,
            "searched": finding.searched,
            "tried": finding.tried,
            "failed": finding.failed,
            "command": self.command(run, finding),
        })
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
                Ok(found) => self.table(run, found, &mut text),
                Err(why) => {
                    let _ = writeln!(text, "  nothing to audit: {why}");
                }
            }
        }
        text
    }

    fn table(&self, run: &Run, found: &Audited, text: &mut String) {
        let head = ["", "verdict", "value", "tolerance", "runs", "failed"].map(str::to_owned).to_vec();
        let row = |finding: &Finding| {
            let certificate = &finding.certificate;
            let of = |x: Option<f64>| x.map_or(String::new(), number);
            let is_unclaimed = finding.claim.is_some() && declared(run, finding).is_none();
            let claimed = if is_unclaimed { " (not claimed)" } else { "" };
            let (runs, failed) = (finding.tried.to_string(), finding.failed.to_string());
            let verdict = certificate.verdict.name().to_owned();
            vec![
                format!("{}{claimed}", finding.name),
                verdict,
                of(certificate.value),
                of(certificate.tolerance),
                runs,
                failed,
            ]
        };
        let rows: Vec<Vec<String>> = std::iter::once(head).chain(found.findings.iter().map(row)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
        for (k, row) in rows.iter().enumerate() {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = widths[column];
                let _ = if column < 2 { write!(line, "  {cell:<width$}") } else { write!(line, "  {cell:>width$}") };
            }
            let _ = writeln!(text, "{}", line.trim_end());
            let Some(finding) = k.checked_sub(1).map(|k| &found.findings[k]) else { continue };
            if !finding.certificate.witness.is_empty() {
                let _ = writeln!(text, "      {}", finding.certificate.witness);
            }
            if let Some(command) = self.command(run, finding) {
                let _ = writeln!(text, "      {command}");
            }
        }
        let refuted = found.findings.iter().filter(|f| f.certificate.verdict == Verdict::Refuted).count();
        let verdict = match refuted {
            0 => "no claim is refuted by what was searched".to_owned(),
            1 => "one claim is refuted".to_owned(),
            count => format!("{count} claims are refuted"),
        };
        let _ = writeln!(text, "  {verdict}");
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

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
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
    use super::{quoted, ron};
    use coase_core::participant::Distortion;

    #[test]
    fn words_are_quoted_for_the_shell_where_they_must_be() {
        assert_eq!(quoted("a/b_1.ron"), "a/b_1.ron");
        assert_eq!(quoted("x=[\"a\"]"), "'x=[\"a\"]'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }

    #[test]
    fn of_a_report_only_what_is_not_true_is_written() {
        assert_eq!(ron(Distortion { price_factor: 1.25, ..Distortion::TRUTH }), "(price_factor: 1.25)");
        assert_eq!(ron(Distortion::TRUTH), "()");
    }
}
