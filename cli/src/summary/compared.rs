//! The mechanisms compared under a policy: a row for each, the best of a column marked, and where their gains come from.

use super::panel::{Panel, mean};
use super::text::{decimals, fixed, line, number};
use super::{Excess, Gains, Run};
use crate::wrap;

/// Relayed energy that is told.
const LEAST_RELAYED_KWH: f64 = 1e-3;

/// A figure by which mechanisms are compared.
struct Figure {
    /// Head of the column, in two lines.
    head: [&'static str; 2],
    /// In a sentence; empty where another says the same: the greatest gain is the least cost.
    name: &'static str,
    best: Option<Best>,
    of: fn(&Run) -> Option<f64>,
}

/// A part of the gain.
type PartOf = fn(&Gains) -> f64;

#[derive(Clone, Copy, PartialEq)]
enum Best {
    Least,
    Most,
}

const FIGURES: [Figure; 6] = [
    Figure {
        head: ["social", "cost"],
        name: "least social cost",
        best: Some(Best::Least),
        of: |run| run.number("social_cost"),
    },
    Figure {
        head: ["emissions", "(kg)"],
        name: "least emissions",
        best: Some(Best::Least),
        of: |run| run.number("emissions_kg"),
    },
    Figure {
        head: ["members'", "cost"],
        name: "least cost to participants",
        best: Some(Best::Least),
        of: |run| run.number("total_cost"),
    },
    Figure { head: ["members'", "gain"], name: "", best: Some(Best::Most), of: |run| run.number("welfare_gain") },
    Figure {
        head: ["even", "(Jain)"],
        name: "most even gains",
        best: Some(Best::Most),
        of: |run| run.number("jain_index"),
    },
    Figure { head: ["who", "loses"], name: "losers", best: None, of: |run| Some(run.losers as f64) },
];

impl Panel<'_> {
    /// Over what the figures are means, and who is not among the compared.
    pub(super) fn write_points(&self, text: &mut String) {
        let what = if self.are_seeds { "seeds" } else { "swept points" };
        if self.asked > 1 {
            let all = if self.points == self.asked { "all " } else { "" };
            let rest = if self.points == self.asked { String::new() } else { format!(" of {}", self.asked) };
            let those = if self.points == self.asked { "" } else { ", those that all compared answered" };
            line(text, &format!("  means over {all}{}{rest} {what}{those}", self.points));
        }
        if !self.without.is_empty() {
            let there = if self.asked > 1 { " there" } else { "" };
            line(text, &format!("  without an answer{there}: {}", self.without.join(", ")));
        }
    }

    /// Mechanisms whose figure is the best, to a hundredth of a percent; none where all are equal.
    fn best(&self, figure: &Figure) -> Option<(Vec<&str>, f64)> {
        let sign = if figure.best? == Best::Least { 1.0 } else { -1.0 };
        let means: Vec<(&str, f64)> =
            self.compared.iter().filter_map(|(m, runs)| Some((*m, mean(runs, figure.of)?))).collect();
        let best = means.iter().map(|m| sign * m.1).min_by(f64::total_cmp)?;
        let tolerance = 1e-4 * best.abs() + 1e-9;
        let winners: Vec<&str> = means.iter().filter(|m| sign * m.1 <= best + tolerance).map(|m| m.0).collect();
        (winners.len() < means.len()).then_some((winners, sign * best))
    }

    /// A row for each mechanism: figures, the network's limits, claims.
    pub(super) fn write_figures(&self, text: &mut String, width: Option<usize>) {
        let mut columns: Vec<wrap::Column> = vec![];
        for figure in &FIGURES {
            let means: Vec<Option<f64>> = self.compared.iter().map(|(_, runs)| mean(runs, figure.of)).collect();
            if means.iter().all(Option::is_none) {
                continue;
            }
            let best = self.best(figure).map_or(vec![], |(winners, _)| winners);
            let largest = means.iter().flatten().fold(0.0, |m: f64, x| m.max(x.abs()));
            let whole = means.iter().flatten().all(|x| x.fract() == 0.0);
            let decimals = if whole && figure.best.is_none() { 0 } else { decimals(largest) };
            let cell = |(mean, (m, _)): (&Option<f64>, &(&str, Vec<&Run>))| {
                let star = if best.contains(m) { "*" } else { "" };
                mean.map_or("-".to_owned(), |x| format!("{star}{}", fixed(x, decimals)))
            };
            columns.push((figure.head, means.iter().zip(&self.compared).map(cell).collect()));
        }
        let limits = |runs: &Vec<&Run>| {
            let beyond: Option<Vec<[bool; 2]>> = runs.iter().map(|run| run.beyond_limits()).collect();
            beyond.map(|all| match (all.iter().any(|b| b[0]), all.iter().any(|b| b[1])) {
                (false, false) => "held",
                (true, false) => "voltage",
                (false, true) => "rating",
                (true, true) => "both",
            })
        };
        let held: Vec<Option<&str>> = self.compared.iter().map(|(_, runs)| limits(runs)).collect();
        if held.iter().any(Option::is_some) {
            let cells = held.iter().map(|cell| cell.unwrap_or("-").to_owned()).collect();
            columns.push((["limits", "missed"], cells));
        }
        let refuted = |runs: &[&Run]| runs.iter().map(|run| run.refuted).sum::<usize>();
        let cells = self.compared.iter().map(|(_, runs)| refuted(runs).to_string()).collect();
        columns.push((["claims", "refuted"], cells));
        *text += &wrap::columns(&self.names(), &columns, width);
    }

    fn names(&self) -> Vec<&str> {
        self.compared.iter().map(|(m, _)| *m).collect()
    }

    /// The best against the baseline, in percent where that means something.
    pub(super) fn write_best(&self, text: &mut String, baseline: &str) {
        let Some((_, base_runs)) = self.compared.iter().find(|(m, _)| *m == baseline) else { return };
        for figure in &FIGURES {
            let (Some((winners, value)), Some(base)) = (self.best(figure), mean(base_runs, figure.of)) else {
                continue;
            };
            if winners.contains(&baseline) || figure.name.is_empty() {
                continue;
            }
            // A percentage of a debt means nothing.
            let share = if base > 0.0 && value >= 0.0 { Some(100.0 * (value / base - 1.0)) } else { None };
            let share = share.map_or(String::new(), |share| format!(", {}", percent(share)));
            let (value, base) = (number(value), number(base));
            line(text, &format!("  {}: {} with {value} ({baseline}: {base}{share})", figure.name, winners.join(", ")));
        }
    }

    /// Energy that is relayed where participants gain: what is bought from others then came from upstream all the same.
    pub(super) fn write_relayed(&self, text: &mut String) {
        for (mechanism, runs) in &self.compared {
            let relayed = mean(runs, |run| run.number("resold_kwh")).unwrap_or(0.0);
            let gain = mean(runs, |run| Some(run.gains.total)).unwrap_or(0.0);
            let cost = mean(runs, |run| run.number("total_cost")).unwrap_or(0.0);
            if relayed > LEAST_RELAYED_KWH && gain > 1e-6 * cost.abs() {
                let kwh = number(relayed);
                line(
                    text,
                    &format!(
                        "  relayed under {mechanism}: {kwh} kWh are imported by some and sold to others in the same period; \
                         what that gains is from who imports, not from energy produced here"
                    ),
                );
            }
        }
    }

    /// Where the gains come from: five parts that sum to them, of which only the resources are saved for society as a whole.
    pub(super) fn write_gains(&self, text: &mut String, width: Option<usize>) {
        let parts: [([&str; 2], PartOf); 6] = [
            (["", "gain"], |g| g.total),
            (["", "resources"], |g| g.resource),
            (["retail", "margin"], |g| g.retail_margin),
            (["", "carbon"], |g| g.carbon),
            (["", "network"], |g| g.network),
            (["", "payments"], |g| g.payments),
        ];
        let of = |part: fn(&Gains) -> f64| -> Vec<f64> {
            self.compared.iter().map(|(_, runs)| mean(runs, |run| Some(part(&run.gains))).unwrap_or(0.0)).collect()
        };
        let columns: Vec<([&str; 2], Vec<f64>)> = parts.iter().map(|(head, part)| (*head, of(*part))).collect();
        // Solver rounding is no gain.
        let scale = columns.iter().flat_map(|(_, column)| column).fold(0.0, |m: f64, x| m.max(x.abs()));
        if scale < 1e-6 {
            return;
        }
        let clean = |x: &f64| fixed(if x.abs() < 1e-9 * scale { 0.0 } else { *x }, decimals(scale));
        let columns: Vec<_> =
            columns.iter().map(|(head, column)| (*head, column.iter().map(clean).collect())).collect();
        line(text, "");
        *text += &wrap::columns(&self.names(), &columns, width);
    }
}

impl Run {
    /// Whether voltages, and flows, lie beyond limits; `None` where that is not known.
    fn beyond_limits(&self) -> Option<[bool; 2]> {
        let beyond = |e: &Option<Excess>| e.as_ref().map(|e| e.by > 0.0);
        Some([beyond(&self.voltage)?, beyond(&self.rating)?])
    }
}

/// A change in per cent with its sign, never a signed zero.
fn percent(share: f64) -> String {
    let digits = if share.abs() < 0.05 { 3 } else { 1 };
    let text = format!("{share:+.digits$}");
    if text.bytes().any(|b| matches!(b, b'1'..=b'9')) { format!("{text} %") } else { "0 %".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_small_change_has_its_digits_and_no_change_no_sign() {
        assert_eq!([-25.04, 3.0, -0.016, -0.0001, 0.0].map(percent), ["-25.0 %", "+3.0 %", "-0.016 %", "0 %", "0 %"]);
    }
}
