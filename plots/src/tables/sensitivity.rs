//! `sensitivity`: what costs and emissions hinge on, parameter by parameter.

use super::cases::{Name, point_in_words};
use super::sheet::{Sheet, plain};
use super::{decimals, fixed};
use crate::designed::{Cell, Designed};
use crate::identity::Identity;
use crate::store::Store;
use coase_core::statistics::sensitivity::{Findings, Index, Method};

/// Column of `runs`.
const METRICS: [&str; 3] = ["social_cost", "total_cost", "emissions_kg"];

struct Row<'a> {
    metric: &'static str,
    cell: &'a Cell<'a>,
    parameter: usize,
    numbers: Vec<Option<f64>>,
}

/// Names of the numbers of a row: in the table, and as columns of the tidy data.
fn heads(method: Method) -> &'static [(&'static str, &'static str)] {
    match method {
        Method::OneAtATime => {
            &[("#At its least", "low"), ("#Base", "base"), ("#At its greatest", "high"), ("#Swing", "swing")]
        }
        Method::Morris { .. } => &[("#mu", "mu"), ("#mu*", "mu_star"), ("#sigma", "sigma")],
        Method::Sobol { .. } => &[
            ("#First", "first"),
            ("#95 % from", "first_low_95"),
            ("#to", "first_high_95"),
            ("#Total", "total"),
            ("#95 % from", "total_low_95"),
            ("#to", "total_high_95"),
        ],
        Method::LatinHypercube { .. } => &[],
    }
}

fn note(method: Method) -> &'static str {
    match method {
        Method::OneAtATime => {
            "Results with one parameter at its least and at its greatest value and all others at their base; the swing is the \
             greatest of the three less the least."
        }
        Method::Morris { .. } => {
            "Elementary effects (Morris, 1991) for a step over the whole range: mean, mean of the sizes (Campolongo, Cariboni and \
             Saltelli, 2007), and standard deviation, which is large where the effect depends on other parameters or is curved."
        }
        Method::Sobol { .. } => {
            "Shares of the variance over the box (Sobol, 1993): explained by the parameter alone (estimator of Saltelli and \
             others, 2010), and those that it has a part in (Jansen, 1999), with 95 % bootstrap intervals."
        }
        Method::LatinHypercube { .. } => "",
    }
}

pub(super) fn sheet(store: &Store, identity: &Identity, designed: &Designed) -> Option<Sheet> {
    let method = designed.study.method;
    let heads = heads(method);
    let mut rows: Vec<Row> = vec![];
    let mut silent = 0;
    for metric in METRICS {
        for cell in designed.cells.iter().filter(|cell| cell.varies && !heads.is_empty()) {
            let known = cell.results(store, metric);
            if known.iter().all(Option::is_none) {
                continue;
            }
            let found = designed.findings(store, cell, metric);
            silent += known.iter().filter(|result| result.is_none()).count();
            for parameter in 0..designed.study.over.len() {
                let numbers = found.as_ref().map_or_else(|| vec![None; heads.len()], |f| numbers(f, parameter));
                rows.push(Row { metric, cell, parameter, numbers });
            }
        }
    }
    if rows.is_empty() {
        return None;
    }
    let swept = store.sweeps.len() > designed.study.over.len();
    let mut names = vec!["Metric", "Scenario", "Mechanism", "Carbon policy"];
    names.extend(swept.then_some("At"));
    names.push("Parameter");
    names.extend(heads.iter().map(|(name, _)| *name));
    let unanswered = match silent {
        0 => String::new(),
        n => format!(" Rows are empty where a point of their design has no answer ({n} points in all)."),
    };
    let written = |row: &Row| {
        let scale = if matches!(method, Method::Sobol { .. }) {
            3
        } else {
            decimals(crate::study::largest(row.numbers.iter().flatten().copied()))
        };
        let cell = row.cell;
        let unit = if row.metric == "emissions_kg" {
            "kg".to_owned()
        } else {
            store.facts(cell.scenario).currency.unwrap_or_else(|| "currency units".to_owned())
        };
        let metric = match row.metric {
            "social_cost" => "Social cost",
            "total_cost" => "Total cost",
            _ => "Emissions",
        };
        let mut cells = vec![format!("{metric} ({unit})"), cell.scenario.to_owned()];
        cells.extend(
            [Name::of(&identity.mechanisms[cell.mechanism]), Name::of(&identity.policies[cell.policy])]
                .map(|n| n.written),
        );
        cells.extend(swept.then(|| point_in_words(store, &cell.others)));
        cells.push(designed.study.over[row.parameter].path.clone());
        cells.extend(row.numbers.iter().map(|v| v.map_or_else(String::new, |v| fixed(v, scale))));
        cells
    };
    let tidy = |row: &Row| {
        let cell = row.cell;
        let mut cells = vec![row.metric.to_owned(), cell.scenario.to_owned()];
        cells.extend(
            [Name::of(&identity.mechanisms[cell.mechanism]), Name::of(&identity.policies[cell.policy])].map(|n| n.key),
        );
        let others = cell.others.iter().enumerate().filter(|(column, _)| !designed.has_column(*column));
        cells.extend(others.map(|(_, value)| value.clone()));
        let parameter = &designed.study.over[row.parameter];
        cells.extend([parameter.path.clone(), parameter.from.to_string(), parameter.to.to_string()]);
        cells.extend(row.numbers.iter().copied().map(plain));
        cells
    };
    let mut head: Vec<String> = ["metric", "scenario", "mechanism", "carbon_policy"].map(str::to_owned).to_vec();
    let others = store.sweeps.iter().enumerate().filter(|(column, _)| !designed.has_column(*column));
    head.extend(others.map(|(_, path)| path.clone()));
    head.extend(["parameter", "from", "to"].map(str::to_owned));
    head.extend(heads.iter().map(|(_, column)| (*column).to_owned()));
    Some(Sheet {
        caption: format!(
            "What the results hinge on within the box of parameters: {}, {} points.",
            method.name(),
            designed.len()
        ),
        note: note(method).to_owned() + &unanswered,
        columns: Sheet::heads(&names),
        rows: rows.iter().map(written).collect(),
        tidy: (head, rows.iter().map(tidy).collect()),
    })
}

/// The numbers of one parameter.
fn numbers(findings: &Findings, parameter: usize) -> Vec<Option<f64>> {
    match findings {
        Findings::Swings(swings) => {
            let found = swings.iter().find(|swing| swing.parameter == parameter);
            found.map_or_else(|| vec![None; 4], |s| [s.low, s.base, s.high, s.size()].map(Some).to_vec())
        }
        Findings::Effects(effects) => {
            let effect = effects[parameter];
            [effect.mu, effect.mu_star, effect.sigma].map(Some).to_vec()
        }
        Findings::Indices(indices) => {
            let three = |index: &Index| [Some(index.value), index.interval.map(|i| i.0), index.interval.map(|i| i.1)];
            [three(&indices.first[parameter]), three(&indices.total[parameter])].concat()
        }
        Findings::Points => vec![],
    }
}
