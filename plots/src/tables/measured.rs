//! `metrics` and `participants`: the main figures by policy and mechanism, and by participant.

use super::paper::{Cell, Column, Group, Kind, Note, Paper};
use crate::footnote::Basis;
use crate::store::ParticipantRow;
use crate::study::{SAME, Study};
use crate::text::unmarked;
use coase_core::statistics::Estimate;

/// What a figure is measured in.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Unit {
    Money,
    Share,
    Carbon,
    Power,
    Energy,
}

impl Unit {
    fn written(self, study: &Study) -> String {
        match self {
            Unit::Money => unmarked(&study.currency()),
            Unit::Share => String::new(),
            Unit::Carbon => "kg".into(),
            Unit::Power => "kW".into(),
            Unit::Energy => "kWh".into(),
        }
    }
}

/// A figure of `runs` as a column.
struct Metric {
    column: &'static str,
    name: &'static str,
    unit: Unit,
    /// Whether less of it is better; `None` where it is no question of better.
    less: Option<bool>,
    /// Whether its change from the baseline stands beside it.
    changes: bool,
    /// Title of the block that begins with it.
    block: &'static str,
}

const fn metric(column: &'static str, name: &'static str, unit: Unit, less: Option<bool>) -> Metric {
    Metric { column, name, unit, less, changes: false, block: "" }
}

const METRICS: [Metric; 13] = [
    Metric {
        changes: true,
        block: "costs and emissions",
        ..metric("social_cost", "Social cost", Unit::Money, Some(true))
    },
    Metric { changes: true, ..metric("total_cost", "Private cost", Unit::Money, Some(true)) },
    Metric { changes: true, ..metric("emissions_kg", "Emissions", Unit::Carbon, Some(true)) },
    Metric { block: "gains and carbon", ..metric("welfare_gain", "Private gain", Unit::Money, Some(false)) },
    metric("resource_gain", "Resource gain", Unit::Money, Some(false)),
    metric("efficiency", "Efficiency", Unit::Share, Some(false)),
    metric("jain_index", "Jain index", Unit::Share, Some(false)),
    metric("carbon_cost", "Carbon cost", Unit::Money, None),
    metric("p2p_share", "P2P share", Unit::Share, None),
    Metric { block: "energy and network", ..metric("resold_kwh", "Relayed", Unit::Energy, None) },
    metric("self_sufficiency", "Self-suff.", Unit::Share, Some(false)),
    metric("peak_import_kw", "Peak import", Unit::Power, Some(true)),
    metric("loss_kwh", "Losses", Unit::Energy, Some(true)),
];

/// The certificate with the worst voltage beyond limits.
const VOLTAGE: &str = "voltage_excess_pu";

pub(super) fn metrics(study: &Study) -> Option<Paper> {
    let value = |m: usize, p: usize, name: &str| study.metric(m, p, name);
    let known =
        |name: &str| study.mechanisms.iter().any(|m| study.policies.iter().any(|p| value(*m, *p, name).is_some()));
    let shown: Vec<&Metric> = METRICS.iter().filter(|metric| known(metric.column)).collect();
    if shown.is_empty() {
        return None;
    }
    let worst = |m: usize, p: usize| worst_voltage(study, m, p);
    let all_worst: Vec<_> =
        study.mechanisms.iter().flat_map(|m| study.policies.iter().filter_map(|p| worst(*m, *p))).collect();
    let has_voltage = all_worst.iter().any(|(by, _)| *by > 0.0);
    let baseline = study.baseline();
    let mut columns: Vec<Column> = vec![];
    let mut block = "";
    let mut begun = "";
    for metric in &shown {
        if !metric.block.is_empty() {
            block = metric.block;
        } else if let Some(of) = METRICS[..place(metric)].iter().rev().find(|m| !m.block.is_empty()) {
            block = of.block;
        }
        let title = if block == begun { String::new() } else { block.to_owned() };
        begun = block;
        let unit = metric.unit.written(study);
        columns.push(Column { name: metric.name.to_owned(), unit, block: title, kind: Kind::Number });
        if metric.changes && baseline.is_some() {
            columns.push(Column {
                name: "Change".to_owned(),
                unit: "%".to_owned(),
                kind: Kind::Change,
                ..Column::default()
            });
        }
    }
    if has_voltage {
        let name = "Voltage".to_owned();
        columns.push(Column { name, unit: "p.u. beyond".to_owned(), ..Column::default() });
        columns.push(Column { name: "Worst place".to_owned(), kind: Kind::Words, ..Column::default() });
    }
    let groups: Vec<Group> = study
        .policies
        .iter()
        .map(|p| {
            let ran: Vec<usize> = study.mechanisms.iter().copied().filter(|m| !study.runs(*m, *p).is_empty()).collect();
            let rows = ran
                .iter()
                .map(|m| {
                    let mut cells = vec![];
                    for metric in &shown {
                        let own = value(*m, *p, metric.column);
                        cells.push(Cell {
                            interval: own.as_ref().and_then(|e| e.interval),
                            is_best: is_best(study, &ran, *p, *m, metric),
                            ..Cell::of(own.as_ref().map(|e| e.mean))
                        });
                        if let Some(b) = baseline.filter(|_| metric.changes) {
                            let base = value(b, *p, metric.column).map(|e| e.mean);
                            cells.push(Cell::of(change(base, own.map(|e| e.mean)).filter(|_| b != *m)));
                        }
                    }
                    if has_voltage {
                        let (by, place) = worst(*m, *p).unzip();
                        cells.push(Cell::of(by));
                        let words = place.filter(|_| by.is_some_and(|by| by > 0.0)).unwrap_or_default();
                        cells.push(Cell { words, ..Cell::default() });
                    }
                    (unmarked(&study.mechanism(*m).name), cells)
                })
                .collect();
            Group { name: unmarked(&study.policy(*p).name), rows }
        })
        .filter(|group: &Group| !group.rows.is_empty())
        .collect();
    Some(Paper {
        title: "Main metrics by carbon policy and mechanism".to_owned(),
        caption: unmarked(&format!(
            "Bold: the best under a policy, where mechanisms differ.{} Private gain and efficiency are of the participants' own \
             costs before payments: tariff margins and carbon payments avoided count. The resource gain is what is saved, whoever \
             has it.{}{}",
            baseline.map_or_else(String::new, |b| format!(
                " Changes are from {} under the same policy.",
                study.mechanism(b).name
            )),
            study.social_cost_in_words(),
            study.footnote(&Basis::Means)
        )),
        stub: ["Carbon policy", "Mechanism"],
        notes: notes(&columns, &groups, &shown),
        columns,
        groups,
        ..Paper::default()
    })
}

fn place(metric: &Metric) -> usize {
    METRICS.iter().position(|m| m.column == metric.column).unwrap_or(0)
}

/// What an empty cell means, and columns that do not explain themselves.
fn notes(columns: &[Column], groups: &[Group], shown: &[&Metric]) -> Vec<Note> {
    let is_empty = |k: usize, within: &dyn Fn(&str) -> bool| {
        let rows = groups.iter().flat_map(|g| &g.rows);
        columns[k].kind != Kind::Words
            && within(&columns[k].name)
            && rows.clone().any(|(_, cells)| cells[k].value.is_none())
    };
    let any = |within: &dyn Fn(&str) -> bool| (0..columns.len()).any(|k| is_empty(k, within));
    let note = |about: &'static str, words: &str| Note { about, words: words.to_owned() };
    let mut notes = vec![];
    if any(&|name| name == "Jain index") {
        notes.push(note("Jain index", "No Jain index where nobody gains or somebody loses."));
    }
    if any(&|name| name == "Change") {
        notes.push(note("Change", "No change of the baseline itself, or where a figure is no more than zero."));
    }
    if any(&|name| name != "Jain index" && name != "Change") {
        notes.push(note("", "--: does not apply, or was not asked for."));
    }
    if shown.iter().any(|metric| metric.column == "resold_kwh") {
        notes.push(note("Relayed", "Relayed energy is imported by some and sold to others in the same period."));
    }
    if columns.iter().any(|c| c.name == "Voltage") {
        notes.push(note("Voltage", "Voltage: the furthest beyond its limits, over all buses and periods."));
    }
    notes
}

fn change(base: Option<f64>, value: Option<f64>) -> Option<f64> {
    let (base, value) = (base.filter(|b| *b > 0.0)?, value.filter(|v| *v >= 0.0)?);
    Some(100.0 * (value / base - 1.0))
}

/// Whether a mechanism has the best of a figure under a policy, and not all have it.
fn is_best(study: &Study, ran: &[usize], p: usize, m: usize, metric: &Metric) -> bool {
    let Some(less) = metric.less else { return false };
    let sign = if less { 1.0 } else { -1.0 };
    let of = |m: usize| study.metric(m, p, metric.column).map(|e| sign * e.mean);
    let Some(own) = of(m) else { return false };
    let values: Vec<f64> = ran.iter().filter_map(|m| of(*m)).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let within = SAME * (1.0 + least.abs());
    own <= least + within && most > least + within
}

/// How far a voltage is beyond its limits at worst, and where; over all seeds.
fn worst_voltage(study: &Study, m: usize, p: usize) -> Option<(f64, String)> {
    let runs = study.runs(m, p).iter();
    let found = runs.flat_map(|run| study.store.certificates(*run)).filter(|row| row.name == VOLTAGE);
    found.filter_map(|row| Some((row.value?.max(0.0), row.witness))).max_by(|a, b| a.0.total_cmp(&b.0))
}

type Value = fn(&ParticipantRow) -> Option<f64>;

/// Name, value, unit, title of the block that begins with it.
const PARTICIPANTS: [(&str, Value, Unit, &str); 11] = [
    ("Total cost", |r| r.total_cost, Unit::Money, "cost and gain"),
    ("Gain", |r| r.gain, Unit::Money, ""),
    ("Resource", |r| r.gain_resource, Unit::Money, ""),
    ("Retail margin", |r| r.gain_retail_margin, Unit::Money, ""),
    ("Carbon", |r| r.gain_carbon, Unit::Money, ""),
    ("Network", |r| r.gain_network, Unit::Money, ""),
    ("Payment", |r| r.payment, Unit::Money, "payments, emissions and energy"),
    ("Emissions", |r| r.emissions_kg, Unit::Carbon, ""),
    ("Import", |r| r.import_kwh, Unit::Energy, ""),
    ("Sold", |r| r.sold_kwh, Unit::Energy, ""),
    ("Bought", |r| r.bought_kwh, Unit::Energy, ""),
];

/// Participants beyond which their distribution is shown in place of everybody.
const MOST_PARTICIPANTS: usize = 24;
/// Places in the order of the participants, from the least value to the greatest.
const PLACES: [(&str, f64); 5] =
    [("Least", 0.0), ("Lower quarter", 0.25), ("Median", 0.5), ("Upper quarter", 0.75), ("Greatest", 1.0)];

/// The distribution of every figure over the participants, each figure in an order of its own.
fn distribution(rows: &[(String, Vec<Cell>)]) -> Vec<(String, Vec<Cell>)> {
    let columns = rows.first().map_or(0, |(_, cells)| cells.len());
    let sorted: Vec<Vec<f64>> = (0..columns)
        .map(|k| {
            let mut values: Vec<f64> = rows.iter().filter_map(|(_, cells)| cells[k].value).collect();
            values.sort_by(f64::total_cmp);
            values
        })
        .collect();
    let of = |at: f64| sorted.iter().map(|values| Cell::of(quantile(values, at))).collect();
    PLACES.iter().map(|(name, at)| ((*name).to_owned(), of(*at))).collect()
}

/// On the straight line between the two values around a place.
fn quantile(sorted: &[f64], at: f64) -> Option<f64> {
    let place = at * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(below + (above - below) * place.fract())
}

/// Under the reference policy: one for each policy would fill pages. Of many participants their distribution.
pub(super) fn participants(study: &Study) -> Option<Paper> {
    let policy = study.reference_policy()?;
    let value = |m: usize, i: usize, value: Value| -> Option<Estimate> { study.of_participant((m, policy), i, value) };
    let known =
        |v: Value| study.mechanisms.iter().any(|m| study.participants.iter().any(|i| value(*m, *i, v).is_some()));
    let shown: Vec<_> = PARTICIPANTS.iter().filter(|(_, v, _, _)| known(*v)).collect();
    if shown.is_empty() {
        return None;
    }
    let are_many = study.participants.len() > MOST_PARTICIPANTS;
    let mut groups: Vec<Group> = study
        .mechanisms
        .iter()
        .filter(|m| !study.runs(**m, policy).is_empty())
        .map(|m| Group {
            name: unmarked(&study.mechanism(*m).name),
            rows: study
                .participants
                .iter()
                .map(|i| {
                    let cell = |v: Value| {
                        let own = value(*m, *i, v);
                        Cell { interval: own.as_ref().and_then(|e| e.interval), ..Cell::of(own.map(|e| e.mean)) }
                    };
                    let cells = shown.iter().map(|(_, v, _, _)| cell(*v)).collect();
                    (unmarked(&study.participant(*i).name), cells)
                })
                .collect(),
        })
        .filter(|group: &Group| !group.rows.is_empty())
        .collect();
    let mut many = String::new();
    if are_many {
        for group in &mut groups {
            group.rows = distribution(&group.rows);
        }
        many = format!(
            " Of {} participants, the least and the greatest value of every figure and what a quarter, half and three quarters of \
             them stay below: rows are of no participant, and figures of a row are of different ones. Everybody is in \
             participants.csv.",
            study.participants.len()
        );
    }
    let columns = shown
        .iter()
        .map(|(name, _, unit, block)| Column {
            name: (*name).to_owned(),
            unit: unit.written(study),
            block: (*block).to_owned(),
            kind: Kind::Number,
        })
        .collect();
    Some(Paper {
        title: unmarked(&format!("Participants by mechanism under carbon policy {}", study.policy(policy).name)),
        caption: unmarked(&format!(
            "Gain over grid only and its parts: gain = resource + retail margin + carbon + network - payment.{many}{}",
            study.footnote(&Basis::Means)
        )),
        stub: ["Mechanism", if are_many { "Participants" } else { "Participant" }],
        notes: vec![Note {
            about: "Emissions",
            words: "Emissions: imports at the grid's intensity and own fuel, whatever the policy charges; what one exports and \
                    another imports counts for the importer, so that they need not add up to the feeder's."
                .to_owned(),
        }],
        columns,
        groups,
        ..Paper::default()
    })
}

#[cfg(test)]
mod tests {
    use super::{Cell, distribution, quantile};

    #[test]
    fn a_quarter_of_the_participants_lies_below_the_lower_quarter() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|at| quantile(&values, at)), [0.0, 25.0, 50.0, 100.0].map(Some));
        assert_eq!((quantile(&[1.0, 2.0], 0.5), quantile(&[], 0.5)), (Some(1.5), None));
        // Who has no value of a figure counts for the others.
        let row = |k: u32| (k.to_string(), vec![Cell::of(Some(f64::from(k))), Cell::of((k > 4).then_some(7.0))]);
        let rows = distribution(&(0..9).rev().map(row).collect::<Vec<_>>());
        let found: Vec<(&str, Option<f64>)> =
            rows.iter().map(|(name, cells)| (name.as_str(), cells[0].value)).collect();
        let expected =
            [("Least", 0.0), ("Lower quarter", 2.0), ("Median", 4.0), ("Upper quarter", 6.0), ("Greatest", 8.0)];
        assert_eq!(found, expected.map(|(name, v)| (name, Some(v))));
        assert!(rows.iter().all(|(_, cells)| cells[1].value == Some(7.0)));
    }
}
