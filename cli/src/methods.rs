//! `coase methods`: the section of a paper that says what was solved, in LaTeX.
//!
//! Every sentence about a mechanism, a policy or a device is its own declaration, the one that `coase explain` prints; what was used is
//! read from the resolved experiment, as for the references.

mod latex;

use crate::Finish;
use crate::args::Methods;
use crate::cite::{self, Used};
use crate::console;
use coase_core::engine::report_rules;
use coase_core::mechanism::mechanisms;
use coase_core::participant::devices;
use coase_core::policy::policies;
use coase_core::record::Table;
use coase_store::{Manifest, Store};
use latex::{escaped, prose};
use std::fmt::Write;

/// Figures that every paper defines; others are a column away (`coase explain`).
const FIGURES: [&str; 6] = ["social_cost", "total_cost", "welfare_gain", "resource_gain", "efficiency", "emissions_kg"];

/// Prints the methods of some results.
pub fn methods(args: &Methods) -> anyhow::Result<Finish> {
    let store = Store::open(&args.folder)?;
    let manifest = store.manifest()?;
    let used = cite::used_in(&store)?;
    console::print(&section(&manifest, &used));
    Ok(Finish::Done)
}

fn section(manifest: &Manifest, used: &[Used]) -> String {
    let mut out =
        String::from("% Needs amsmath. Written by `coase methods`: every definition is that of the program.\n");
    let _ = write!(
        out,
        "\\section{{Method}}\n\nResults were computed with Coase {} (source revision \\texttt{{{}}})~\\cite{{Coase}}.\n",
        escaped(&manifest.program_version),
        escaped(manifest.source_revision.as_deref().unwrap_or("unknown"))
    );
    for (scenario, facts) in &manifest.scenarios {
        let _ = write!(out, "Scenario \\emph{{{}}}", escaped(scenario));
        if let (Some(periods), Some(hours)) = (facts.periods, facts.period_h) {
            let _ = write!(out, " has {periods} periods of {hours}~h");
        }
        if let Some(currency) = &facts.currency {
            let _ = write!(out, "; money is in {}", escaped(currency));
        }
        out.push_str(".\n");
    }
    out.push_str(PROBLEM);
    let is_used = |id: &str| used.iter().any(|u| u.id == id);
    let mut part = |title: &str, entries: Vec<(&str, &str, &str, String, Vec<String>)>| {
        let entries: Vec<_> = entries.into_iter().filter(|entry| is_used(entry.0)).collect();
        if entries.is_empty() {
            return;
        }
        let _ = write!(out, "\n\\subsection{{{title}}}\n\n\\begin{{description}}\n");
        for (id, summary, source, meaning, claims) in entries {
            let keys = cite::keys(source);
            let cited = if keys.is_empty() { String::new() } else { format!("~\\cite{{{}}}", keys.join(",")) };
            let _ = writeln!(out, "\\item[\\texttt{{{}}}] {}{cited}.", escaped(id), escaped(&capital(summary)));
            let meaning = prose(meaning.trim()).replace("\n\n", "\n\n  ");
            if !meaning.is_empty() {
                let _ = writeln!(out, "  {meaning}");
            }
            if !claims.is_empty() {
                let _ = writeln!(out, "  It claims: {}.", escaped(&claims.join("; ")));
            }
        }
        out.push_str("\\end{description}\n");
    };
    part(
        "Devices",
        devices().into_iter().map(|p| (p.id, p.summary, p.source, p.open.declaration().meaning, vec![])).collect(),
    );
    part(
        "Mechanisms",
        mechanisms()
            .into_iter()
            .map(|p| (p.id, p.summary, p.source, p.open.declaration().meaning, claims(p.claims)))
            .collect(),
    );
    part(
        "Carbon policies",
        policies().into_iter().map(|p| (p.id, p.summary, p.source, p.open.declaration().meaning, vec![])).collect(),
    );
    part(
        "Behaviour",
        report_rules().into_iter().map(|p| (p.id, p.summary, p.source, p.open.declaration().meaning, vec![])).collect(),
    );
    out.push_str("\n\\subsection{Figures reported}\n\n\\begin{description}\n");
    for column in Table::Runs.columns() {
        if FIGURES.contains(&column.name) {
            let _ = writeln!(out, "\\item[\\texttt{{{}}}] {}", escaped(column.name), prose(column.meaning));
        }
    }
    out + "\\end{description}\n"
}

fn claims(of: &[(coase_core::Claim, &str)]) -> Vec<String> {
    let claim = |(claim, condition): &(coase_core::Claim, &str)| {
        let name = claim.name().replace('_', " ");
        if condition.is_empty() { name } else { format!("{name} if {condition}") }
    };
    of.iter().map(claim).collect()
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// The problem of a participant, and what a mechanism is.
const PROBLEM: &str = r"
\subsection{Problem}

In period $t$ of length $\Delta$, participant $v$ buys $m^+_{vt}$ from the grid at the price $b_t$, sells $m^-_{vt}$ to it at $s_t$, and has the
net sale $q_{vt}$ to other participants. With the set $X_v$ of its feasible schedules, their own cost $c_v$, its emissions $E_v$ and what the
carbon policy charges, $F_v$,
\begin{equation}
  \Phi_v(q_v) = \min_{x \in X_v} \; c_v(x) + \sum_t \Delta \left( b_t m^+_{vt} - s_t m^-_{vt} \right) + F_v\left( E_v(x) \right) .
\end{equation}
A mechanism maps what participants report to net sales with $\sum_v q_{vt} = 0$ and to payments. The disagreement point is $\Phi_v(0)$. True
participants deliver what was agreed at least cost; power flow, carbon flow, tariff and carbon policy are settled by one evaluator for all mechanisms.
";
