//! `differences`: every mechanism against the experiment's baseline, every policy against the first, over the same draws.

use super::cases::{Cases, Name, OverSeeds, shared_point};
use super::sheet::{Sheet, plain};
use super::{decimals, fixed};
use crate::study::SAME;
use coase_core::statistics::against::{Against, Difference, Order};
use coase_core::statistics::hypothesis::holm;
use coase_core::statistics::ranks::Better;
use rayon::prelude::*;

/// Column of `runs`, name, unit where it is not money. Less of each is better.
const METRICS: [(&str, &str, Option<&str>); 3] = [
    ("social_cost", "Social cost", None),
    ("total_cost", "Total cost", None),
    ("emissions_kg", "Emissions", Some("kg")),
];

/// One row: who is compared with whom in which metric.
struct Row {
    metric: usize,
    scenario: String,
    point: Vec<String>,
    /// "mechanism" or "policy".
    compared: &'static str,
    /// The policy that two mechanisms share, or the mechanism that two policies share.
    within: Name,
    one: Name,
    baseline: Name,
    /// Seeds at which one of the two has no answer.
    left_out: usize,
    difference: Option<Difference>,
    /// BCa interval of the mean for independent draws, percentile interval by blocks for days in order.
    interval: Option<(f64, f64)>,
    /// Probabilities of Student's paired test and of the signed-rank test, adjusted for all rows of the metric.
    adjusted: [Option<f64>; 2],
}

pub(super) fn sheet(cases: &Cases) -> Option<Sheet> {
    let rows = rows(cases);
    let order = cases.order();
    (!rows.is_empty()).then(|| Sheet {
        caption: "Differences over the same draws: every mechanism against the baseline under the same carbon policy, and every \
                  carbon policy against the first under the same mechanism. Less is better."
            .to_owned(),
        note: note(&rows, order),
        columns: Sheet::heads(&heads(cases)),
        rows: written(cases, &rows),
        tidy: tidy(cases, &rows),
    })
}

/// Pairs of series that are compared: one, baseline, what differs.
fn pairs<'a>(cases: &'a Cases<'a>) -> Vec<(&'a OverSeeds<'a>, &'a OverSeeds<'a>, &'static str)> {
    let told = &cases.store.data().manifest().baseline;
    let known = cases.identity.mechanism(told);
    let baseline = known.or_else(|| cases.identity.mechanisms.iter().position(|m| m.id == "grid-only"));
    let mut pairs = Vec::new();
    for scenario in &cases.scenarios {
        let here = || cases.series.iter().filter(|series| series.scenario == *scenario);
        let first = here().map(|series| series.policy).min();
        for one in here().filter(|one| Some(one.mechanism) != baseline) {
            let others = here().filter(|b| Some(b.mechanism) == baseline && b.policy == one.policy);
            pairs.extend(others.map(|b| (one, b, "mechanism")));
        }
        for one in here().filter(|one| Some(one.policy) != first) {
            let others = here().filter(|b| Some(b.policy) == first && b.mechanism == one.mechanism);
            pairs.extend(others.map(|b| (one, b, "policy")));
        }
    }
    pairs
}

fn rows(cases: &Cases) -> Vec<Row> {
    let against = Against { better: Better::Low, order: cases.order(), ..Against::default() };
    let pairs = pairs(cases);
    let asked: Vec<_> = (0..METRICS.len()).flat_map(|k| pairs.iter().map(move |pair| (k, pair))).collect();
    let mut rows: Vec<Row> = asked
        .par_iter()
        .filter_map(|(metric, (one, base, compared))| {
            let point = shared_point(one.point, base.point)?;
            let (values, of_base) = (cases.values(one, METRICS[*metric].0), cases.values(base, METRICS[*metric].0));
            let known = |values: &std::collections::BTreeMap<u64, Option<f64>>| values.values().any(Option::is_some);
            if !known(&values) && !known(&of_base) {
                return None;
            }
            let mut seeds: Vec<u64> = values.keys().chain(of_base.keys()).copied().collect();
            seeds.sort_unstable();
            seeds.dedup();
            let base_values: Vec<Option<f64>> = seeds.iter().map(|s| of_base.get(s).copied().flatten()).collect();
            let own: Vec<Option<f64>> = seeds.iter().map(|s| values.get(s).copied().flatten()).collect();
            let own = own.into_iter().zip(&base_values).map(|(value, base)| level(value, *base)).collect();
            let difference = against.baseline(&base_values, &[own]).pop().flatten();
            let interval = difference.as_ref().and_then(Difference::interval);
            let by_mechanism = *compared == "mechanism";
            let names = |s: &OverSeeds| {
                let (m, p) = (cases.mechanism(s.mechanism), cases.policy(s.policy));
                if by_mechanism { (m, p) } else { (p, m) }
            };
            let ((name, within), (baseline, _)) = (names(one), names(base));
            Some(Row {
                metric: *metric,
                scenario: one.scenario.to_owned(),
                point,
                compared,
                within,
                one: name,
                baseline,
                left_out: seeds.len() - difference.as_ref().map_or(0, |d| d.n),
                difference,
                interval,
                adjusted: [None; 2],
            })
        })
        .collect();
    adjust(&mut rows);
    rows
}

/// The value, or the baseline's where the two differ by no more than a solver may be off.
pub(super) fn level(value: Option<f64>, base: Option<f64>) -> Option<f64> {
    let (v, b) = (value?, base);
    Some(b.filter(|b| (v - b).abs() <= SAME * (1.0 + b.abs())).unwrap_or(v))
}

/// Adjusts probabilities for all rows of their metric.
fn adjust(rows: &mut [Row]) {
    for metric in 0..METRICS.len() {
        let family: Vec<usize> = (0..rows.len()).filter(|k| rows[*k].metric == metric).collect();
        let several = |row: &Row| row.difference.as_ref().filter(|d| d.n > 1).cloned();
        let found: Vec<Option<Difference>> = family.iter().map(|k| several(&rows[*k])).collect();
        let of_t: Vec<_> = found.iter().map(|d| d.as_ref()?.t.map(|t| t.p)).collect();
        let of_ranks: Vec<_> = found.iter().map(|d| d.as_ref().map(|d| d.wilcoxon.p)).collect();
        for (place, (t, ranks)) in family.into_iter().zip(holm(&of_t).into_iter().zip(holm(&of_ranks))) {
            rows[place].adjusted = [t, ranks];
        }
    }
}

impl Row {
    fn numbers(&self) -> [Option<f64>; 3] {
        let interval = self.interval;
        [self.difference.as_ref().map(|d| d.mean), interval.map(|i| i.0), interval.map(|i| i.1)]
    }
}

fn heads(cases: &Cases) -> Vec<&'static str> {
    let mut heads = vec!["Metric", "Scenario"];
    if !cases.store.sweeps.is_empty() {
        heads.push("At");
    }
    heads.extend(["Compared", "Within", "One", "Baseline", "#n", "#Mean difference", "#95 % from", "#to", "#p (Holm)"]);
    heads.push("#Wins/ties/losses");
    heads
}

fn written(cases: &Cases, rows: &[Row]) -> Vec<Vec<String>> {
    let row = |row: &Row| {
        let (_, name, unit) = METRICS[row.metric];
        let unit = unit.map_or_else(|| cases.currency(&row.scenario), str::to_owned);
        let mut cells = vec![format!("{name} ({unit})"), row.scenario.clone()];
        if !cases.store.sweeps.is_empty() {
            cells.push(cases.point_in_words(&row.point));
        }
        cells.push(row.compared.to_owned());
        cells.extend([&row.within, &row.one, &row.baseline].map(|name| name.written.clone()));
        cells.push(row.difference.as_ref().map_or(0, |d| d.n).to_string());
        let digits = digits(crate::study::largest(row.numbers().into_iter().flatten()));
        cells.extend(row.numbers().map(|v| v.map_or_else(String::new, |v| fixed(v, digits))));
        cells.push(row.adjusted[0].map_or_else(String::new, probability));
        let tally = |d: &Difference| format!("{}/{}/{}", d.tally.wins, d.tally.ties, d.tally.losses);
        cells.push(row.difference.as_ref().map_or_else(String::new, tally));
        cells
    };
    rows.iter().map(row).collect()
}

/// Decimals of a row: a difference of some grams is none of 0.0 kg.
fn digits(largest: f64) -> usize {
    if largest > 0.0 && largest < 0.1 { (2.0 - largest.log10().floor()).min(9.0) as usize } else { decimals(largest) }
}

fn probability(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { fixed(p, 3) }
}

fn tidy(cases: &Cases, rows: &[Row]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut head: Vec<String> = ["metric", "scenario"].map(str::to_owned).to_vec();
    head.extend(cases.store.sweeps.iter().cloned());
    let rest = [
        "compared",
        "within",
        "one",
        "baseline",
        "n",
        "left_out",
        "mean_difference",
        "low_95",
        "high_95",
        "p_holm",
        "p_signed_rank_holm",
        "wins",
        "ties",
        "losses",
    ];
    head.extend(rest.map(str::to_owned));
    let row = |row: &Row| {
        let mut cells = vec![METRICS[row.metric].0.to_owned(), row.scenario.clone()];
        cells.extend(row.point.iter().cloned());
        cells.push(row.compared.to_owned());
        cells.extend([&row.within, &row.one, &row.baseline].map(|name| name.key.clone()));
        let n = row.difference.as_ref().map_or(0, |d| d.n);
        cells.extend([n.to_string(), row.left_out.to_string()]);
        cells.extend(row.numbers().into_iter().chain(row.adjusted).map(plain));
        let tally = row.difference.as_ref().map(|d| d.tally).unwrap_or_default();
        cells.extend([tally.wins, tally.ties, tally.losses].map(|k| k.to_string()));
        cells
    };
    (head, rows.iter().map(row).collect())
}

fn note(rows: &[Row], order: Order) -> String {
    let interval = match order {
        Order::Independent => "95 % BCa bootstrap interval of the mean over independent draws",
        Order::Days(_) => {
            "95 % percentile bootstrap interval of the mean by circular blocks, for the draws are days in order, which the test \
             takes for independent"
        }
    };
    let left_out: usize = rows.iter().map(|r| r.left_out).sum();
    let pairs = left_out + rows.iter().filter_map(|r| r.difference.as_ref()).map(|d| d.n).sum::<usize>();
    format!(
        "The unit of replication is a seed, one draw that all mechanisms and policies meet: one minus baseline within each seed, \
         with the {interval}, p of Student's paired test adjusted by Holm's method over all rows of a metric, and a win where \
         the one has less; {left_out} of {pairs} pairs are left out because a run has no answer."
    )
}

#[cfg(test)]
mod tests {
    use super::{digits, probability};

    #[test]
    fn small_differences_keep_three_digits() {
        assert_eq!([0.0, 0.034_5, 0.000_345, 3.45, 345.0].map(digits), [3, 4, 6, 3, 1]);
        assert_eq!([0.000_9, 0.01, 1.0].map(probability), ["<0.001", "0.010", "1.000"]);
    }
}
