//! Sections of a table with its figures: gains by participant, the balance of carbon, limits of the network, convergence, and
//! what has no answer.

use super::figures::{CARBON, CONVERGENCE, GAINS, NETWORK, figures};
use super::html::Html;
use super::panel::{Cell as At, Panel};
use super::table::{Cell, Column, Table};
use super::{Page, name, paragraph};
use crate::store::ParticipantRow;
use coase_core::statistics::mean;
use coase_store::RunStatus;
use std::collections::BTreeMap;

/// Rows of participants in a table; where there are more, those who lose most and gain most stand for them.
const MOST_PARTICIPANT_ROWS: usize = 600;
/// Of every combination, where there are too many for all.
const ENDS: usize = 6;
/// Runs in a table of single runs.
const MOST_RUNS: usize = 60;

type Figure = fn(&ParticipantRow) -> Option<f64>;
/// A value for each of [`PARTS`].
type Parts = Vec<Option<f64>>;

const PARTS: [(&str, Figure); 6] = [
    ("Gain", |r| r.gain),
    ("Resources", |r| r.gain_resource),
    ("Retail margin", |r| r.gain_retail_margin),
    ("Carbon", |r| r.gain_carbon),
    ("Network", |r| r.gain_network),
    ("Received", |r| r.payment.map(|paid| -paid)),
];

pub(super) fn gains(page: &Page, panels: &[Panel], html: &mut Html) {
    paragraph(
        html,
        "Gains are against no trade under the same policy: gain = resources saved + retail margin that the retailer loses + carbon \
         payment avoided + network charges avoided + what is received on balance from others. Only the resources are saved for \
         society as a whole. Who loses most stands first.",
    );
    for panel in panels {
        participants(page, panel, html);
    }
    figures(page, &|kind| GAINS.contains(&kind), html);
}

fn participants(page: &Page, panel: &Panel, html: &mut Html) {
    let mut of_run: BTreeMap<usize, Vec<&ParticipantRow>> = BTreeMap::new();
    for row in page.store.participants.iter().filter(|row| row.gain.is_some()) {
        of_run.entry(row.run).or_default().push(row);
    }
    let trading = |cell: &&At| Some(cell.0) != page.baseline();
    // By cell and participant, means over the points compared.
    let mut found: Vec<(At, Vec<(&str, Parts)>)> = vec![];
    for cell in panel.compared.keys().filter(trading) {
        let mut by: BTreeMap<&str, Vec<&ParticipantRow>> = BTreeMap::new();
        for row in panel.compared[cell].iter().filter_map(|run| of_run.get(run)).flatten() {
            by.entry(&row.participant).or_default().push(row);
        }
        let figures = |rows: &Vec<&ParticipantRow>| {
            let of = |figure: Figure| mean(&rows.iter().map(|row| figure(row)).collect::<Option<Vec<f64>>>()?);
            PARTS.iter().map(|(_, figure)| of(*figure)).collect::<Vec<_>>()
        };
        let mut rows: Vec<_> = by.iter().map(|(who, rows)| (*who, figures(rows))).collect();
        rows.sort_by(|a, b| a.1[0].unwrap_or(f64::MAX).total_cmp(&b.1[0].unwrap_or(f64::MAX)));
        found.push((*cell, rows));
    }
    let all: usize = found.iter().map(|(_, rows)| rows.len()).sum();
    if all == 0 {
        return;
    }
    let shortened = all > MOST_PARTICIPANT_ROWS;
    let mut rows: Vec<(Option<f64>, Vec<Cell>)> = vec![];
    for ((m, p), of_cell) in &found {
        let is_end = |k: usize| k < ENDS || k + ENDS >= of_cell.len();
        for (_, (who, figures)) in of_cell.iter().enumerate().filter(|(k, _)| !shortened || is_end(*k)) {
            let mut cells = vec![
                Cell::Words((*who).to_owned()),
                Cell::Words(name(page.mechanism(*m))),
                Cell::Words(name(page.policy(*p))),
            ];
            cells.extend(figures.iter().map(|figure| Cell::Number(*figure)));
            rows.push((figures[0], cells));
        }
    }
    rows.sort_by(|a, b| a.0.unwrap_or(f64::MAX).total_cmp(&b.0.unwrap_or(f64::MAX)));
    let currency = page.currency(panel.scenario);
    let mut columns = vec![Column::filter("Participant"), Column::filter("Mechanism"), Column::filter("Carbon policy")];
    columns.extend(PARTS.iter().map(|(words, _)| Column::number(words, &currency)));
    let which = if shortened {
        format!(
            " Of {all} rows those of the {ENDS} least and the {ENDS} greatest gains of every combination are shown; all are in \
             `participants.csv`."
        )
    } else {
        String::new()
    };
    Table {
        id: format!("table-gains-{}", panel.place),
        caption: format!("Gains by participant in {}.{which} {}", panel.scenario, panel.points_in_words())
            .trim()
            .to_owned(),
        columns,
        rows: rows.into_iter().map(|(_, cells)| (String::new(), cells)).collect(),
    }
    .write(html);
}

/// Column of `runs`, head, whether it is money.
const BALANCE: [(&str, &str, bool); 7] = [
    ("emissions_kg", "Emitted", false),
    ("covered_kg", "Charged to somebody", false),
    ("uncovered_kg", "Charged to nobody", false),
    ("phantom_kg", "Charged, not emitted", false),
    ("double_charged_kg", "Charged twice", false),
    ("carbon_revenue", "Revenue", true),
    ("actual_abatement_kg", "Abated", false),
];

pub(super) fn carbon(page: &Page, panels: &[Panel], html: &mut Html) {
    paragraph(
        html,
        "What is emitted is charged to somebody or to nobody: the two add up to it. Policies may also charge kilograms that nobody \
         emitted, or some twice. Abated: emissions without a policy less those with it, under the same mechanism.",
    );
    for panel in panels {
        let currency = page.currency(panel.scenario);
        let mut columns = vec![Column::filter("Mechanism"), Column::filter("Carbon policy")];
        columns.extend(
            BALANCE.iter().map(|(_, head, is_money)| Column::number(head, if *is_money { &currency } else { "kg" })),
        );
        columns.push(Column::words("Adds up"));
        let mut rows = vec![];
        for ((m, p), runs) in &panel.compared {
            let of = |metric: &str| {
                mean(&runs.iter().map(|run| page.store.metric(*run, metric)).collect::<Option<Vec<f64>>>()?)
            };
            let figures: Vec<Option<f64>> = BALANCE.iter().map(|(metric, _, _)| of(metric)).collect();
            let [Some(emitted), Some(covered), Some(uncovered)] = figures[..3] else { continue };
            let mut cells = vec![Cell::Words(name(page.mechanism(*m))), Cell::Words(name(page.policy(*p)))];
            cells.extend(figures.iter().map(|figure| Cell::Number(*figure)));
            let difference = (covered + uncovered - emitted).abs();
            cells.push(if difference <= 1e-6 * (1.0 + emitted.abs()) {
                Cell::Words("yes".to_owned())
            } else {
                Cell::Alarm(format!("off by {difference:.2e} kg"))
            });
            rows.push((String::new(), cells));
        }
        if !rows.is_empty() {
            let caption = format!("The balance of carbon in {}. {}", panel.scenario, panel.points_in_words());
            Table { id: format!("table-carbon-{}", panel.place), caption: caption.trim().to_owned(), columns, rows }
                .write(html);
        }
    }
    figures(page, &|kind| CARBON.contains(&kind), html);
}

pub(super) fn network(page: &Page, panels: &[Panel], html: &mut Html) {
    let known: Vec<usize> = (0..page.store.runs.len()).filter(|run| page.evidence[*run].voltage.is_some()).collect();
    let excess = |run: usize| {
        let of = &page.evidence[run];
        [&of.voltage, &of.rating].map(|e| e.as_ref().map_or(0.0, |e| e.by.max(0.0)))
    };
    let mut beyond: Vec<usize> = known.iter().copied().filter(|run| excess(*run).iter().any(|by| *by > 0.0)).collect();
    if known.is_empty() {
        paragraph(html, "There is no network, or nothing is known of its limits.");
    } else {
        let held = known.len() - beyond.len();
        paragraph(html, &format!("All limits are held in {held} of {} runs.", known.len()));
    }
    beyond.sort_by(|a, b| excess(*b)[0].total_cmp(&excess(*a)[0]));
    if !beyond.is_empty() {
        let row = |run: &usize| {
            let of = &page.store.runs[*run];
            let place = |e: &Option<super::evidence::Excess>| {
                Cell::Words(e.as_ref().filter(|e| e.by > 0.0).map_or_else(String::new, |e| e.place.clone()))
            };
            let [voltage, rating] = excess(*run);
            let evidence = &page.evidence[*run];
            let mut cells = run_cells(page, *run);
            cells.extend([
                Cell::Number(Some(voltage)),
                place(&evidence.voltage),
                Cell::Number(Some(rating)),
                place(&evidence.rating),
            ]);
            (format!("network-{}", of.id), cells)
        };
        let mut columns = run_columns();
        columns.extend([
            Column::number("Voltage beyond limits", "p.u."),
            Column::words("Where and when"),
            Column::number("Rating exceeded by", "kVA"),
            Column::words("Where and when"),
        ]);
        let caption = format!("Runs beyond limits, the worst place of each{}.", of_many(beyond.len()));
        let rows = beyond.iter().take(MOST_RUNS).map(row).collect();
        Table { id: "table-network".to_owned(), caption, columns, rows }.write(html);
    }
    super::feeder::write(page, panels, html);
    figures(page, &|kind| NETWORK.contains(&kind), html);
}

fn of_many(count: usize) -> String {
    if count > MOST_RUNS { format!(": {MOST_RUNS} of {count}") } else { String::new() }
}

/// Heads of what a run is.
pub(super) fn run_columns() -> Vec<Column> {
    ["Run", "Mechanism", "Carbon policy", "Scenario and swept values"].map(Column::words).to_vec()
}

/// What a run is; leads to its row among all runs.
pub(super) fn run_cells(page: &Page, run: usize) -> Vec<Cell> {
    let of = &page.store.runs[run];
    let mechanism = page.identity.mechanism(&of.variant).map(|m| name(page.mechanism(m)));
    let policy = page.identity.policy(&of.carbon_label).map(|p| name(page.policy(p)));
    let swept = page.store.sweeps.iter().zip(&of.sweep).filter(|(_, value)| !value.is_empty());
    let swept: Vec<String> = swept.map(|(path, value)| format!("{path} = {value}")).collect();
    let place = std::iter::once(of.scenario.clone()).chain(swept).collect::<Vec<_>>().join(", ");
    vec![
        Cell::Link(of.id.chars().take(8).collect(), format!("#run-{}", of.id)),
        Cell::Words(mechanism.unwrap_or_else(|| of.variant.clone())),
        Cell::Words(policy.unwrap_or_else(|| of.carbon_label.clone())),
        Cell::Words(format!("{place}, seed {}", of.seed)),
    ]
}

/// How large the problems were.
fn sizes(page: &Page, panels: &[Panel], html: &mut Html) {
    for panel in panels {
        let facts = page.store.facts(panel.scenario);
        let first = page.store.runs.iter().position(|run| run.scenario == panel.scenario);
        let members = page.store.participants.iter().filter(|row| Some(row.run) == first).count();
        let counts = [
            (members, "participants"),
            (facts.periods.unwrap_or(0), "periods"),
            (facts.feeder.iter().map(Vec::len).sum(), "buses"),
        ];
        let told = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, noun)| if *count == 1 { format!("1 {}", singular(noun)) } else { format!("{count} {noun}") });
        let told: Vec<String> = told.collect();
        if !told.is_empty() {
            paragraph(html, &format!("Size of {}: {}.", panel.scenario, crate::words::listed(&told)));
        }
    }
}

fn singular(noun: &str) -> &str {
    if noun == "buses" { "bus" } else { noun.strip_suffix('s').unwrap_or(noun) }
}

pub(super) fn convergence(page: &Page, panels: &[Panel], html: &mut Html) {
    let mut columns = vec![Column::words("Mechanism")];
    columns.extend(
        ["Runs", "Answered", "Largest residual", "Iterations", "Messages", "Local programs"]
            .map(|h| Column::number(h, "")),
    );
    let time = |run: &usize| {
        let timing = page.about.times?.get(&page.store.runs[*run].id)?;
        Some((timing.mechanism + timing.evaluation + timing.build).as_secs_f64())
    };
    let is_timed = (0..page.store.runs.len()).any(|run| time(&run).is_some());
    if is_timed {
        columns.extend(["Median time", "Longest time"].map(|h| Column::number(h, "s")));
    }
    let mut rows = vec![];
    for (m, entity) in page.identity.mechanisms.iter().enumerate() {
        let runs: Vec<usize> = (0..page.store.runs.len())
            .filter(|run| page.identity.mechanism(&page.store.runs[*run].variant) == Some(m))
            .collect();
        let answered: Vec<usize> =
            runs.iter().copied().filter(|run| page.store.runs[*run].status.is_answer()).collect();
        let of = |metric: &str| {
            mean(&answered.iter().filter_map(|run| page.store.metric(*run, metric)).collect::<Vec<f64>>())
        };
        let residual = runs.iter().filter_map(|run| page.store.runs[*run].residual).reduce(f64::max);
        let mut cells = vec![Cell::Words(name(entity))];
        let counts = [runs.len(), answered.len()].map(|n| Cell::Number(Some(n as f64)));
        cells.extend(counts);
        cells.push(Cell::Number(residual));
        cells.extend(["iterations", "messages", "local_solves"].map(|metric| Cell::Number(of(metric))));
        if is_timed {
            let mut times: Vec<f64> = runs.iter().filter_map(time).collect();
            times.sort_by(f64::total_cmp);
            cells.extend([times.get(times.len() / 2), times.last()].map(|time| Cell::Number(time.copied())));
        }
        rows.push((String::new(), cells));
    }
    let caption = "How mechanisms came to their answers: means over answered runs, but for the residual, which is the largest of \
                   all runs. Times are wall time on the machine named under Provenance, whatever else it did."
        .to_owned();
    Table { id: "table-convergence".to_owned(), caption, columns, rows }.write(html);
    sizes(page, panels, html);
    figures(page, &|kind| CONVERGENCE.contains(&kind), html);
}

pub(super) fn failures(page: &Page, _: &[Panel], html: &mut Html) {
    let failed: Vec<usize> =
        (0..page.store.runs.len()).filter(|run| !page.store.runs[*run].status.is_answer()).collect();
    let known: std::collections::BTreeSet<&str> = page.store.runs.iter().map(|run| run.id.as_str()).collect();
    let missing: Vec<&str> = page
        .store
        .data()
        .manifest()
        .runs
        .iter()
        .filter(|run| !known.contains(run.run_id.as_str()))
        .map(|run| if run.name.is_empty() { run.run_id.as_str() } else { run.name.as_str() })
        .collect();
    if failed.is_empty() && missing.is_empty() {
        return paragraph(html, "Every run found its answer.");
    }
    if !failed.is_empty() {
        let row = |run: &usize| {
            let of = &page.store.runs[*run];
            let reason = if of.reason.is_empty() { "no reason given" } else { &of.reason };
            let mut cells = run_cells(page, *run);
            cells.extend([
                Cell::Alarm(of.status.name().replace('_', " ")),
                Cell::Words(reason.to_owned()),
                Cell::Words(advice(of.status).to_owned()),
            ]);
            (String::new(), cells)
        };
        let mut columns = run_columns();
        columns.extend([Column::filter("Status"), Column::words("Reason"), Column::words("What to try")]);
        let rows: Vec<_> = failed.iter().take(MOST_RUNS).map(row).collect();
        let caption = format!("Runs without an answer{}.", of_many(failed.len()));
        Table { id: "table-failures".to_owned(), caption, columns, rows }.write(html);
    }
    if !missing.is_empty() {
        paragraph(html, &format!("{} runs are missing; running the experiment again makes them:", missing.len()));
        html.open("ul", &[]);
        for run in missing.iter().take(MOST_RUNS) {
            html.element("li", &[], run);
        }
        html.close();
    }
}

fn advice(status: RunStatus) -> &'static str {
    match status {
        RunStatus::NotConverged => {
            "See which certificate is refuted and how far it is off; allow more rounds, or a mechanism's own tolerance and damping."
        }
        RunStatus::Infeasible => {
            "Nobody can keep what is required at once: widen the limit that the reason names, or give participants more freedom there."
        }
        RunStatus::Failed => {
            "The mechanism or policy does not suit the scenario, for the reason given; change what it names."
        }
        RunStatus::Converged | RunStatus::NoEquilibrium => "",
    }
}
