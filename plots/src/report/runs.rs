//! Every run with its figures: what the table `runs` holds, those that a reader asks for first in front.

use super::html::Html;
use super::panel::{Panel, tolerance};
use super::table::{Cell, Column, Table};
use super::{Page, name, paragraph};
use crate::text::unmarked;
use coase_core::record::METRICS;
use coase_store::RunStatus;
use std::collections::BTreeMap;

/// Metrics that are shown at once, and whether less of them is better where it is a question of better.
const SHOWN: [(&str, Option<bool>); 10] = [
    ("social_cost", Some(true)),
    ("emissions_kg", Some(true)),
    ("total_cost", Some(true)),
    ("welfare_gain", Some(false)),
    ("resource_gain", Some(false)),
    ("jain_index", Some(false)),
    ("carbon_cost", None),
    ("p2p_share", None),
    ("peak_import_kw", Some(true)),
    ("residual", None),
];
/// Cells of metrics that are not shown at once; beyond, the page would be too large.
const MOST_FURTHER: usize = 40_000;
/// Rows; beyond, the page would be too large.
const MOST_ROWS: usize = 4000;
/// Characters of the id of a run.
const ID: usize = 8;

pub(super) fn write(page: &Page, panels: &[Panel], html: &mut Html) {
    let store = page.store;
    if store.runs.is_empty() {
        return paragraph(html, "There are no runs.");
    }
    let has = |metric: &str| (0..store.runs.len()).any(|run| value(page, run, metric).is_some());
    let shown: Vec<(&str, Option<bool>)> = SHOWN.into_iter().filter(|(metric, _)| has(metric)).collect();
    let known = |metric: &str| SHOWN.iter().any(|(name, _)| *name == metric);
    let mut further: Vec<&str> =
        METRICS.iter().map(|c| c.name).filter(|metric| !known(metric) && has(metric)).collect();
    let rows = store.runs.len().min(MOST_ROWS);
    let all = further.len();
    further.truncate(MOST_FURTHER / rows);
    let (many_scenarios, many_seeds) = (panels.len() > 1, store.runs.iter().any(|run| run.seed != store.runs[0].seed));
    let mut columns = vec![Column::words("Run")];
    columns.extend(many_scenarios.then(|| Column::filter("Scenario")));
    columns.extend([Column::filter("Mechanism"), Column::filter("Carbon policy")]);
    columns.extend(store.sweeps.iter().map(|path| Column::filter(&unmarked(path))));
    columns.extend(many_seeds.then(|| Column::filter("Seed")));
    columns.push(Column::filter("Status"));
    let currency = page.currency(&store.runs[0].scenario);
    columns.extend(shown.iter().map(|(metric, _)| metric_column(metric, &currency, false)));
    columns.extend(further.iter().map(|metric| metric_column(metric, &currency, true)));
    let best = best(page, &shown);
    let row = |run: usize| {
        let of = &store.runs[run];
        let mut cells = vec![Cell::Code(of.id.chars().take(ID).collect())];
        cells.extend(many_scenarios.then(|| Cell::Words(of.scenario.clone())));
        let named = |entity: Option<String>, key: &str| Cell::Words(entity.unwrap_or_else(|| key.to_owned()));
        let mechanism = page.identity.mechanism(&of.variant).map(|m| name(page.mechanism(m)));
        let policy = page.identity.policy(&of.carbon_label).map(|p| name(page.policy(p)));
        cells.extend([named(mechanism, &of.variant), named(policy, &of.carbon_label)]);
        cells.extend(of.sweep.iter().map(|value| Cell::Words(value.clone())));
        cells.extend(many_seeds.then(|| Cell::Words(of.seed.to_string())));
        let status = of.status.name().replace('_', " ");
        cells.push(if of.status.is_answer() { Cell::Words(status) } else { Cell::Alarm(status) });
        cells.extend(shown.iter().map(|(metric, _)| match value(page, run, metric) {
            Some(v) if best.contains(&(run, *metric)) => Cell::Best(v),
            other => Cell::Number(other),
        }));
        cells.extend(further.iter().map(|metric| Cell::Number(value(page, run, metric))));
        (format!("run-{}", of.id), cells)
    };
    Table {
        id: "table-runs".to_owned(),
        caption: "Every run. Bold: the best of the mechanisms under the same scenario, policy, swept values and seed, where they \
                  differ. The same and more is in `runs.csv`."
            .to_owned(),
        columns,
        rows: (0..rows).map(row).collect(),
    }
    .write(html);
    if rows < store.runs.len() {
        paragraph(html, &format!("{} further runs are in `runs.csv`.", store.runs.len() - rows));
    }
    if further.len() < all {
        paragraph(html, &format!("{} further metrics are in `runs.csv`.", all - further.len()));
    }
}

fn value(page: &Page, run: usize, metric: &str) -> Option<f64> {
    if metric == "residual" {
        return page.store.runs[run].residual;
    }
    // What a solver may be off is no figure.
    page.store.metric(run, metric).map(crate::study::without_noise)
}

fn metric_column(metric: &str, currency: &str, is_further: bool) -> Column {
    let Some(declared) = METRICS.iter().find(|column| column.name == metric) else {
        return Column { is_further, ..Column::number(&in_words(metric), "") };
    };
    let unit = declared.unit.replace("money", currency);
    // The unit is behind it already.
    let unit_in_name = ["_kg", "_kwh", "_kw", "_pu", "_kva", "_kw2", "_per_tonne"];
    let bare = unit_in_name.iter().find_map(|end| metric.strip_suffix(end)).unwrap_or(metric);
    let meaning = declared.meaning.to_owned();
    Column { meaning, is_further, ..Column::number(&in_words(bare), &unit) }
}

/// `social_cost` as "Social cost".
fn in_words(metric: &str) -> String {
    let spaced = metric.replace('_', " ");
    let mut chars = spaced.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    (first + chars.as_str()).replace("P2p", "P2P")
}

/// Runs that are the best of their group in a metric.
fn best<'a>(page: &Page, shown: &[(&'a str, Option<bool>)]) -> std::collections::BTreeSet<(usize, &'a str)> {
    let mut groups: BTreeMap<(&str, &str, &[String], u64), Vec<usize>> = BTreeMap::new();
    for (k, run) in page.store.runs.iter().enumerate().filter(|(_, run)| run.status == RunStatus::Converged) {
        groups.entry((&run.scenario, &run.carbon_label, &run.sweep, run.seed)).or_default().push(k);
    }
    let mut found = std::collections::BTreeSet::new();
    for runs in groups.values() {
        for (metric, less) in shown {
            let Some(sign) = less.map(|less| if less { 1.0 } else { -1.0 }) else { continue };
            let values: Vec<(usize, f64)> =
                runs.iter().filter_map(|run| Some((*run, sign * value(page, *run, metric)?))).collect();
            let Some(least) = values.iter().map(|v| v.1).min_by(f64::total_cmp) else { continue };
            let winners: Vec<usize> = values.iter().filter(|v| v.1 <= least + tolerance(least)).map(|v| v.0).collect();
            if winners.len() < values.len() {
                found.extend(winners.into_iter().map(|run| (run, *metric)));
            }
        }
    }
    found
}
