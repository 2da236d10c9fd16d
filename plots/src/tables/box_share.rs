//! `box_share`: in which share of the box of parameters one beats another.

use super::cases::{Name, point_in_words, shared_point};
use super::differences::level;
use super::fixed;
use super::sheet::{Sheet, plain};
use crate::designed::{Cell, Designed};
use crate::identity::Identity;
use crate::store::Store;
use coase_core::statistics::ranks::Better;
use coase_core::statistics::sensitivity::Share;

/// Column of `runs` and name; less of each is better.
const METRICS: [(&str, &str); 3] =
    [("social_cost", "Social cost"), ("total_cost", "Total cost"), ("emissions_kg", "Emissions")];
const LEVEL: f64 = 0.95;

struct Row<'a> {
    metric: usize,
    scenario: &'a str,
    others: Vec<String>,
    /// "mechanism" or "policy".
    compared: &'static str,
    within: Name,
    one: Name,
    baseline: Name,
    left_out: usize,
    share: Option<Share>,
}

pub(super) fn sheet(store: &Store, identity: &Identity, designed: &Designed) -> Option<Sheet> {
    if designed.study.all_over() == 0 {
        return None;
    }
    let rows = rows(store, identity, designed);
    if rows.is_empty() {
        return None;
    }
    let swept = store.sweeps.len() > designed.study.over.len();
    let mut names = vec!["Metric", "Scenario"];
    names.extend(swept.then_some("At"));
    names.extend(["Compared", "Within", "One", "Baseline", "#n", "#Share", "#95 % from", "#to", "#Wins/ties/losses"]);
    let numbers = |row: &Row| row.share.map_or([None; 3], |s| [Some(s.share), Some(s.wilson.0), Some(s.wilson.1)]);
    let tally = |row: &Row| row.share.map(|s| s.tally).unwrap_or_default();
    let written = |row: &Row| {
        let mut cells = vec![METRICS[row.metric].1.to_owned(), row.scenario.to_owned()];
        cells.extend(swept.then(|| point_in_words(store, &row.others)));
        cells.push(row.compared.to_owned());
        cells.extend([&row.within, &row.one, &row.baseline].map(|name| name.written.clone()));
        cells.push(tally(row).cases().to_string());
        cells.extend(numbers(row).map(|v| v.map_or_else(String::new, |v| fixed(v, 3))));
        cells.push(format!("{}/{}/{}", tally(row).wins, tally(row).ties, tally(row).losses));
        cells
    };
    let tidy = |row: &Row| {
        let mut cells = vec![METRICS[row.metric].0.to_owned(), row.scenario.to_owned()];
        let others = row.others.iter().enumerate().filter(|(column, _)| !designed.has_column(*column));
        cells.extend(others.map(|(_, value)| value.clone()));
        cells.push(row.compared.to_owned());
        cells.extend([&row.within, &row.one, &row.baseline].map(|name| name.key.clone()));
        cells.extend([tally(row).cases(), row.left_out].map(|n| n.to_string()));
        cells.extend(numbers(row).map(plain));
        cells.extend([tally(row).wins, tally(row).ties, tally(row).losses].map(|n| n.to_string()));
        cells
    };
    let mut head: Vec<String> = ["metric", "scenario"].map(str::to_owned).to_vec();
    let others = store.sweeps.iter().enumerate().filter(|(column, _)| !designed.has_column(*column));
    head.extend(others.map(|(_, path)| path.clone()));
    let rest = [
        "compared", "within", "one", "baseline", "n", "left_out", "share", "low_95", "high_95", "wins", "ties",
        "losses",
    ];
    head.extend(rest.map(str::to_owned));
    let left_out: usize = rows.iter().map(|row| row.left_out).sum();
    Some(Sheet {
        caption: "Share of the box of parameters in which one beats the baseline: less of the metric is better."
            .to_owned(),
        note: format!(
            "Points lie all over the box, {} of them; ties are no wins; intervals are Wilson's. A share of a box says nothing \
             about how likely its points are. {left_out} comparisons are left out because a run has no answer.",
            designed.study.all_over()
        ),
        columns: Sheet::heads(&names),
        rows: rows.iter().map(written).collect(),
        tidy: (head, rows.iter().map(tidy).collect()),
    })
}

/// Every mechanism against the baseline under the same policy, every policy against the first under the same mechanism.
fn rows<'a>(store: &Store, identity: &Identity, designed: &'a Designed<'a>) -> Vec<Row<'a>> {
    let cells = &designed.cells;
    let told = identity.mechanism(&store.data().manifest().baseline);
    let baseline = told.or_else(|| identity.mechanisms.iter().position(|m| m.id == "grid-only"));
    let mut rows = vec![];
    for metric in 0..METRICS.len() {
        for one in cells {
            let first = cells.iter().filter(|c| c.scenario == one.scenario).map(|c| c.policy).min();
            let of_mechanism =
                |c: &&Cell| Some(c.mechanism) == baseline && c.policy == one.policy && one.mechanism != c.mechanism;
            let of_policy =
                |c: &&Cell| Some(c.policy) == first && c.mechanism == one.mechanism && one.policy != c.policy;
            let here = || cells.iter().filter(|c| c.scenario == one.scenario);
            let mechanisms = here().filter(of_mechanism).map(|c| (c, "mechanism"));
            for (base, compared) in mechanisms.chain(here().filter(of_policy).map(|c| (c, "policy"))) {
                if let Some(others) = shared_point(&one.others, &base.others) {
                    rows.extend(row(store, identity, designed, metric, (one, base), (compared, others)));
                }
            }
        }
    }
    rows
}

fn row<'a>(
    store: &Store,
    identity: &Identity,
    designed: &'a Designed<'a>,
    metric: usize,
    (one, base): (&'a Cell<'a>, &'a Cell<'a>),
    (compared, others): (&'static str, Vec<String>),
) -> Option<Row<'a>> {
    if !one.varies && !base.varies {
        return None;
    }
    let points = designed.study.all_over();
    let (mut own, mut of_base) = (one.results(store, METRICS[metric].0), base.results(store, METRICS[metric].0));
    own.truncate(points);
    of_base.truncate(points);
    if own.iter().chain(&of_base).all(Option::is_none) {
        return None;
    }
    let differences: Vec<f64> =
        own.iter().zip(&of_base).filter_map(|(value, base)| Some(level(*value, *base)? - (*base)?)).collect();
    let names = |cell: &Cell| {
        let (m, p) = (Name::of(&identity.mechanisms[cell.mechanism]), Name::of(&identity.policies[cell.policy]));
        if compared == "mechanism" { (m, p) } else { (p, m) }
    };
    let ((name, within), (baseline, _)) = (names(one), names(base));
    Some(Row {
        metric,
        scenario: one.scenario,
        others,
        compared,
        within,
        one: name,
        baseline,
        left_out: points - differences.len(),
        share: Share::of(&differences, Better::Low, 0.0, LEVEL),
    })
}
