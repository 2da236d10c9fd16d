//! Mechanisms by policies: one table for every figure, of which the script shows the one that is chosen.

use super::answer::{address, better_in_words};
use super::html::Html;
use super::panel::{Better, Cell, MEASURES, Measure, Panel, tolerance};
use super::{Page, name, paragraph, per_cent};
use crate::tables::decimals;
use crate::text::number;

/// Steps of shading.
const STEPS: f64 = 6.0;

pub(super) fn write(page: &Page, panels: &[Panel], html: &mut Html) {
    let base = page.baseline().map_or_else(|| "the baseline".to_owned(), |m| name(page.mechanism(m)));
    paragraph(
        html,
        &format!(
            "A table for every figure: mechanisms down, carbon policies across. In brackets the change from {base} under the same \
             policy. The best of a column is bold, the best of all is marked with a star; the darker, the better. What has no \
             answer, or not at all points that are compared, is hatched and named below."
        ),
    );
    for panel in panels {
        if panels.len() > 1 {
            html.element("h3", &[], panel.scenario);
        }
        let points = panel.points_in_words();
        if !points.is_empty() {
            paragraph(html, &points);
        }
        html.open("div", &[("class", "choice"), ("data-choice", "Figure")]);
        for measure in &MEASURES {
            let means = panel.means(page, measure);
            // A figure that is zero everywhere, such as a revenue without a price, needs no table.
            if means.iter().any(|(_, value)| value.abs() > 1e-9) {
                table(page, panel, measure, &means, html);
            }
        }
        html.close();
        apart(page, panel, html);
    }
}

fn table(page: &Page, panel: &Panel, measure: &Measure, means: &[(Cell, f64)], html: &mut Html) {
    let unit = page.unit(panel.scenario, measure.unit);
    let head = if unit.is_empty() { measure.name.to_owned() } else { format!("{} ({unit})", measure.name) };
    html.open(
        "div",
        &[
            ("class", "scroll option"),
            ("data-option", &head),
            ("role", "region"),
            ("aria-label", &head),
            ("tabindex", "0"),
        ],
    );
    html.open("table", &[("class", "heat")]);
    html.element("caption", &[], &format!("{head}.{}", better_in_words(measure.better)));
    html.open("thead", &[]).open("tr", &[]).element("th", &[("scope", "col")], "Mechanism");
    for p in &panel.policies {
        html.element("th", &[("scope", "col"), ("class", "n")], &name(page.policy(*p)));
    }
    html.close().close().open("tbody", &[]);
    let shades = Shades::of(means, measure.better);
    for m in &panel.mechanisms {
        html.open("tr", &[]).element("th", &[("scope", "row")], &name(page.mechanism(*m)));
        for p in &panel.policies {
            cell(page, panel, measure, means, &shades, (*m, *p), html);
        }
        html.close();
    }
    html.close().close().close();
}

fn cell(
    page: &Page,
    panel: &Panel,
    measure: &Measure,
    means: &[(Cell, f64)],
    shades: &Shades,
    at: Cell,
    html: &mut Html,
) {
    let of = |cell: Cell| means.iter().find(|(c, _)| *c == cell).map(|(_, value)| *value);
    let id = address(panel, measure, at);
    let Some(value) = of(at) else {
        let without = if panel.compared.contains_key(&at) { "does not apply" } else { "not run" };
        let why = panel.apart.get(&at).cloned().unwrap_or_else(|| without.to_owned());
        html.element("td", &[("class", "none"), ("id", &id), ("title", &why)], "\u{2013}");
        return;
    };
    let all: Vec<f64> = means.iter().map(|m| m.1).collect();
    let is_whole = all.iter().all(|v| v.fract() == 0.0);
    let digits = if is_whole { 0 } else { decimals(crate::study::largest(all.iter().copied())) };
    let base = page.baseline().filter(|b| *b != at.0).and_then(|b| of((b, at.1)));
    let class = format!("n s{}", shades.step(value));
    html.open("td", &[("class", &class), ("id", &id)]);
    let words = number(value, digits);
    let column: Vec<(Cell, f64)> = means.iter().copied().filter(|(c, _)| c.1 == at.1).collect();
    let is_best = |among: &[(Cell, f64)]| {
        measure.better.and_then(|b| Panel::best(among, b)).is_some_and(|(winners, _)| winners.contains(&at))
    };
    html.open("span", &[("class", "abs")]);
    if is_best(&column) {
        html.element("b", &[], &words);
    } else {
        html.say(&words);
    }
    if is_best(means) {
        html.element("span", &[("class", "star"), ("title", "best of all")], "\u{2605}");
    }
    html.close();
    if let Some(base) = base {
        let change = if (value - base).abs() <= tolerance(base) { 0.0 } else { value - base };
        let sign = if change > 0.0 { "+" } else { "" };
        html.say(" ").element("span", &[("class", "dif")], &format!("({sign}{})", number(change, digits)));
        if let Some(share) = per_cent(base, value).filter(|_| change != 0.0) {
            html.say(" ").element("span", &[("class", "pct")], &format!("({share})"));
        }
    }
    html.close();
}

/// Which cells are told apart from the rest, and why.
fn apart(page: &Page, panel: &Panel, html: &mut Html) {
    if panel.apart.is_empty() {
        return;
    }
    html.open("details", &[("open", "")]).element("summary", &[], "Not compared").open("ul", &[]);
    for ((m, p), why) in &panel.apart {
        let words = format!("{} under {}: {why}", name(page.mechanism(*m)), name(page.policy(*p)));
        html.element("li", &[], &words);
    }
    html.close().close();
}

/// How dark cells are: 0 for the worst, or where all are alike.
struct Shades {
    worst: f64,
    best: f64,
}

impl Shades {
    fn of(means: &[(Cell, f64)], better: Option<Better>) -> Shades {
        let least = means.iter().map(|m| m.1).fold(f64::INFINITY, f64::min);
        let most = means.iter().map(|m| m.1).fold(f64::NEG_INFINITY, f64::max);
        match better {
            Some(Better::Less) => Shades { worst: most, best: least },
            Some(Better::More) => Shades { worst: least, best: most },
            None => Shades { worst: 0.0, best: 0.0 },
        }
    }

    fn step(&self, value: f64) -> usize {
        let range = self.best - self.worst;
        if range.abs() <= tolerance(self.best.abs().max(self.worst.abs())) {
            return 0;
        }
        ((value - self.worst) / range * STEPS).round().clamp(0.0, STEPS) as usize
    }
}
