//! Findings as a table for people and as JSON, and words as a shell takes them.

use coase_core::evaluate::audit::Finding;
use coase_core::outcome::Verdict;
use coase_core::words::number;
use serde_json::{Value, json};
use std::fmt::Write;

/// A finding with what is said beside it.
pub struct Told<'a> {
    pub finding: &'a Finding,
    /// The condition of the claim, where the mechanism makes it; empty where it is made always.
    pub declared: Option<&'static str>,
    /// The command that shows it; `None` where there is nothing to be shown.
    pub command: Option<String>,
}

impl Told<'_> {
    pub fn json(&self) -> Value {
        let certificate = &self.finding.certificate;
        json!({
            "claim": self.finding.name,
            "declared": self.declared.is_some(),
            "condition": self.declared.filter(|condition| !condition.is_empty()),
            "verdict": certificate.verdict.name(),
            "value": certificate.value,
            "tolerance": certificate.tolerance,
            "witness": certificate.witness,
            "searched": self.finding.searched,
            "tried": self.finding.tried,
            "failed": self.finding.failed,
            "command": self.command,
        })
    }
}

/// Whether there is more to be shown than a solver's rounding, whether or not something is claimed.
pub fn is_something(finding: &Finding) -> bool {
    let nothing = finding.certificate.tolerance.unwrap_or(1e-6);
    finding.certificate.value.is_some_and(|value| value > nothing)
}

/// One line per finding, its witness and command below it, and how many claims are refuted.
pub fn table(all: &[Told<'_>], text: &mut String) {
    let head = ["", "verdict", "value", "tolerance", "runs", "failed"].map(str::to_owned).to_vec();
    let row = |told: &Told<'_>| {
        let (finding, certificate) = (told.finding, &told.finding.certificate);
        let of = |x: Option<f64>| x.map_or(String::new(), number);
        let is_unclaimed = finding.claim.is_some() && told.declared.is_none();
        let claimed = if is_unclaimed { " (not claimed)" } else { "" };
        let name = format!("{}{claimed}", finding.name);
        let (runs, failed) = (finding.tried.to_string(), finding.failed.to_string());
        vec![
            name,
            certificate.verdict.name().to_owned(),
            of(certificate.value),
            of(certificate.tolerance),
            runs,
            failed,
        ]
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(all.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    for (k, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let _ = if column < 2 { write!(line, "  {cell:<width$}") } else { write!(line, "  {cell:>width$}") };
        }
        let _ = writeln!(text, "{}", line.trim_end());
        let Some(told) = k.checked_sub(1).map(|k| &all[k]) else { continue };
        if !told.finding.certificate.witness.is_empty() {
            let _ = writeln!(text, "      {}", told.finding.certificate.witness);
        }
        if let Some(command) = &told.command {
            let _ = writeln!(text, "      {command}");
        }
    }
    let verdict = match all.iter().filter(|told| told.finding.certificate.verdict == Verdict::Refuted).count() {
        0 => "no claim is refuted by what was searched".to_owned(),
        1 => "one claim is refuted".to_owned(),
        count => format!("{count} claims are refuted"),
    };
    let _ = writeln!(text, "  {verdict}");
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_for_the_shell_where_they_must_be() {
        assert_eq!(quoted("a/b_1.ron"), "a/b_1.ron");
        assert_eq!(quoted("x=[\"a\"]"), "'x=[\"a\"]'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
