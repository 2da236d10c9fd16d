//! `risk`: how bad the total cost can get over the draws.

use super::cases::{Cases, OverSeeds};
use super::sheet::{Sheet, plain};
use super::{decimals, fixed};
use coase_core::statistics::hypothesis::moments;
use coase_core::statistics::risk::{equally, risk};

/// Share of draws that the value at risk bounds.
const SHARE: f64 = 0.95;
const METRIC: &str = "total_cost";

/// Draws with an answer, draws without, and mean, standard deviation, value at risk and conditional value at risk.
struct Row<'a> {
    series: &'a OverSeeds<'a>,
    n: usize,
    left_out: usize,
    numbers: [Option<f64>; 4],
}

pub(super) fn sheet(cases: &Cases) -> Option<Sheet> {
    let rows: Vec<Row> = cases.series.iter().filter_map(|series| row(cases, series)).collect();
    let left_out: usize = rows.iter().map(|r| r.left_out).sum();
    let all = left_out + rows.iter().map(|r| r.n).sum::<usize>();
    let mut heads = vec!["Scenario"];
    if !cases.store.sweeps.is_empty() {
        heads.push("At");
    }
    heads.extend(["Mechanism", "Carbon policy", "Currency", "#n", "#Mean", "#Deviation", "#VaR 0.95", "#CVaR 0.95"]);
    (!rows.is_empty()).then(|| Sheet {
        caption: "Risk of the total cost over draws: mean, standard deviation, value at risk and conditional value at risk."
            .to_owned(),
        note: format!(
            "The unit of replication is a seed, all equally likely: the value at risk is the least total cost that at least 95 % \
             of the draws do not exceed, the conditional one the mean of the worst 5 %, so that both are the greatest cost below \
             20 draws; {left_out} of {all} runs are left out because they have no answer."
        ),
        columns: Sheet::heads(&heads),
        rows: written(cases, &rows),
        tidy: tidy(cases, &rows),
    })
}

fn row<'a>(cases: &Cases, series: &'a OverSeeds<'a>) -> Option<Row<'a>> {
    let values = cases.values(series, METRIC);
    let costs: Vec<f64> = values.values().flatten().copied().collect();
    let (mean, deviation) = moments(&costs)?;
    let risk = risk(&equally(&costs), SHARE).ok();
    let numbers = [Some(mean), Some(deviation), risk.map(|r| r.value_at_risk), risk.map(|r| r.conditional)];
    Some(Row { series, n: costs.len(), left_out: values.len() - costs.len(), numbers })
}

fn written(cases: &Cases, rows: &[Row]) -> Vec<Vec<String>> {
    let digits = decimals(crate::study::largest(rows.iter().flat_map(|r| r.numbers).flatten()));
    let row = |row: &Row| {
        let series = row.series;
        let mut cells = vec![series.scenario.to_owned()];
        if !cases.store.sweeps.is_empty() {
            cells.push(cases.point_in_words(series.point));
        }
        cells.extend([cases.mechanism(series.mechanism).written, cases.policy(series.policy).written]);
        cells.push(cases.currency(series.scenario));
        cells.push(row.n.to_string());
        cells.extend(row.numbers.map(|v| v.map_or_else(String::new, |v| fixed(v, digits))));
        cells
    };
    rows.iter().map(row).collect()
}

fn tidy(cases: &Cases, rows: &[Row]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut head = vec!["scenario".to_owned()];
    head.extend(cases.store.sweeps.iter().cloned());
    let rest = [
        "mechanism",
        "carbon_policy",
        "n",
        "left_out",
        "mean_total_cost",
        "deviation",
        "value_at_risk_95",
        "conditional_value_at_risk_95",
    ];
    head.extend(rest.map(str::to_owned));
    let row = |row: &Row| {
        let mut cells = vec![row.series.scenario.to_owned()];
        cells.extend(row.series.point.iter().cloned());
        cells.extend([cases.mechanism(row.series.mechanism).key, cases.policy(row.series.policy).key]);
        cells.extend([row.n.to_string(), row.left_out.to_string()]);
        cells.extend(row.numbers.map(plain));
        cells
    };
    (head, rows.iter().map(row).collect())
}
