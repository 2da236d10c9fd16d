//! Carbon policies compared: a row for each mechanism, a column for each policy, at the points that all of them answered.

use super::Run;
use super::panel::{Group, mean, paired_runs};
use super::text::{decimals, fixed, line};
use crate::wrap;

/// What policies are compared by: in a head, column of `runs`. Less of each is better.
const FIGURES: [(&str, &str); 2] = [("social cost", "social_cost"), ("emissions (kg)", "emissions_kg")];

impl Group<'_> {
    /// Compares the policies of a scenario; `self` holds all of its runs. Nothing where fewer than two have an answer.
    pub(super) fn write_policies(&self, text: &mut String, width: Option<usize>) {
        let mut policies: Vec<&str> = vec![];
        for run in &self.runs {
            if !policies.contains(&run.policy.as_str()) {
                policies.push(&run.policy);
            }
        }
        let mechanisms = self.mechanisms();
        let cells = mechanisms.iter().flat_map(|m| policies.iter().map(move |p| (*m, *p)));
        let runs_of = |(m, p): (&str, &str)| -> Vec<&Run> {
            self.runs.iter().copied().filter(|run| run.mechanism == m && run.policy == p).collect()
        };
        let series: Vec<_> = cells.map(|cell| (cell, runs_of(cell))).filter(|(_, runs)| !runs.is_empty()).collect();
        let points = self.points();
        let (compared, common) = paired_runs(&points, &series);
        let has = |p: &&&str| compared.iter().any(|((_, policy), _)| policy == *p);
        let policies: Vec<&str> = policies.iter().filter(has).copied().collect();
        let names: Vec<&str> =
            mechanisms.iter().copied().filter(|m| compared.iter().any(|((c, _), _)| c == m)).collect();
        if policies.len() < 2 {
            return;
        }
        let means = if points.len() > 1 {
            format!(", means over {common} of {} points, those that all compared answered", points.len())
        } else {
            String::new()
        };
        line(text, &format!("{}: carbon policies compared{means}", self.scenario));
        for (head, column) in FIGURES {
            let value = |m: &str, p: &str| {
                let runs = &compared.iter().find(|(cell, _)| *cell == (m, p))?.1;
                mean(runs, |run| run.number(column))
            };
            let all: Vec<f64> = names.iter().flat_map(|m| policies.iter().filter_map(|p| value(m, p))).collect();
            if all.is_empty() {
                continue;
            }
            let digits = decimals(all.iter().fold(0.0, |m: f64, x| m.max(x.abs())));
            let least = |m: &str| policies.iter().filter_map(|p| value(m, p)).min_by(f64::total_cmp);
            let most = |m: &str| policies.iter().filter_map(|p| value(m, p)).max_by(f64::total_cmp);
            let cell = |m: &str, p: &str| {
                let Some(x) = value(m, p) else { return "-".to_owned() };
                let (least, most) = (least(m).unwrap_or(x), most(m).unwrap_or(x));
                let within = 1e-4 * least.abs() + 1e-9;
                let star = if x <= least + within && most > least + within { "*" } else { "" };
                format!("{star}{}", fixed(x, digits))
            };
            let columns: Vec<wrap::Column> =
                policies.iter().map(|p| ([*p, ""], names.iter().map(|m| cell(m, p)).collect())).collect();
            line(text, &format!("  {head}"));
            *text += &wrap::columns(&names, &columns, width);
        }
        line(text, "");
    }
}
