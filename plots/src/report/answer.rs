//! The answer in sentences: who does best at what, what matters, who loses, which claims fail. A sentence stands only where
//! figures differ by more than solvers may be off.

use super::evidence::Evidence;
use super::html::{Html, words};
use super::panel::{Better, Cell, MEASURES, Measure, Panel, tolerance};
use super::{About, Page, name, paragraph, per_cent, some, with_unit};
use crate::identity::Identity;
use crate::store::Store;
use crate::tables::decimals;

/// Figures of which the best is told.
const TOLD: usize = 4;
/// Names in a sentence.
const NAMED: usize = 3;

pub(super) fn write(page: &Page, panels: &[Panel], html: &mut Html) {
    for panel in panels {
        if panels.len() > 1 {
            html.element("h3", &[], panel.scenario);
        }
        let mut told = 0;
        html.open("ul", &[("class", "answer")]);
        for measure in &MEASURES[..TOLD] {
            told += usize::from(best(page, panel, measure, html));
        }
        told += usize::from(effect(page, panel, true, html)) + usize::from(effect(page, panel, false, html));
        told += usize::from(losers(page, panel, html));
        html.close();
        let points = panel.points_in_words();
        match (panel.compared.is_empty(), told) {
            (true, _) => paragraph(html, "No run has an answer: see the runs without one below."),
            (false, 0) => paragraph(html, "All that is compared is alike, within what solvers may be off."),
            (false, _) if !points.is_empty() => paragraph(html, &points),
            _ => {}
        }
    }
    refuted(page, html);
}

/// The first of the sentences, for a list of many results.
pub fn in_a_line(store: &Store) -> String {
    let identity = Identity::of(store);
    let about = About::default();
    let page = Page { store, identity: &identity, about: &about, evidence: Evidence::all(store) };
    let panels = Panel::all(&page);
    let many = panels.len() > 1;
    for panel in &panels {
        let mut html = Html::default();
        let told = MEASURES[..TOLD].iter().any(|measure| best(&page, panel, measure, &mut html))
            || effect(&page, panel, true, &mut html)
            || effect(&page, panel, false, &mut html);
        if told {
            let of = if many { format!("{}: ", panel.scenario) } else { String::new() };
            return of + words(&html.finished()).trim();
        }
    }
    let has_answer = panels.iter().any(|panel| !panel.compared.is_empty());
    if has_answer { "All that is compared is alike, within what solvers may be off." } else { "No run has an answer." }
        .to_owned()
}

fn label(page: &Page, (m, p): Cell) -> String {
    format!("{} under {}", name(page.mechanism(m)), name(page.policy(p)))
}

/// The address of a cell in the matrix of a figure.
pub(super) fn address(panel: &Panel, measure: &Measure, (m, p): Cell) -> String {
    format!("cell-{}-{}-{m}-{p}", panel.place, measure.key)
}

/// Who has the best, in few words where it is everybody under some policies, or somebody under all.
fn together(page: &Page, winners: &[Cell], all: &[Cell]) -> String {
    let distinct = |of: &dyn Fn(&Cell) -> usize| {
        let mut found: Vec<usize> = vec![];
        for cell in winners {
            if !found.contains(&of(cell)) {
                found.push(of(cell));
            }
        }
        found
    };
    let (mechanisms, policies) = (distinct(&|cell| cell.0), distinct(&|cell| cell.1));
    let are_all = |is: &dyn Fn(&Cell) -> bool| all.iter().filter(|cell| is(cell)).count() == winners.len();
    if mechanisms.len() > 1 && are_all(&|cell| policies.contains(&cell.1)) {
        let names: Vec<String> = policies.iter().map(|p| name(page.policy(*p))).collect();
        return format!("every mechanism under {}", some(&names, NAMED));
    }
    if policies.len() > 1 && are_all(&|cell| mechanisms.contains(&cell.0)) {
        let names: Vec<String> = mechanisms.iter().map(|m| name(page.mechanism(*m))).collect();
        return format!("{} under every carbon policy", some(&names, NAMED));
    }
    some(&winners.iter().map(|cell| label(page, *cell)).collect::<Vec<_>>(), NAMED)
}

fn best(page: &Page, panel: &Panel, measure: &Measure, html: &mut Html) -> bool {
    let means = panel.means(page, measure);
    let Some((winners, value)) = measure.better.and_then(|better| Panel::best(&means, better)) else { return false };
    let unit = page.unit(panel.scenario, measure.unit);
    let digits = decimals(crate::study::largest(means.iter().map(|m| m.1)));
    let cells: Vec<Cell> = means.iter().map(|(cell, _)| *cell).collect();
    html.open("li", &[]).element("b", &[], measure.best).say(": ");
    html.element(
        "a",
        &[("href", &format!("#{}", address(panel, measure, winners[0])))],
        &together(page, &winners, &cells),
    );
    html.say(&format!(", {}", with_unit(value, digits, &unit)));
    // Against the baseline under the same policy, where that is not among the best.
    let (_, policy) = winners[0];
    let base = page.baseline().filter(|b| winners.iter().all(|(m, _)| m != b));
    if let Some((m, base)) = base.and_then(|m| Some((m, means.iter().find(|(cell, _)| *cell == (m, policy))?.1))) {
        let change = per_cent(base, value).map_or_else(String::new, |change| format!(", {change}"));
        let base = with_unit(base, digits, &unit);
        html.say(&format!(" ({} under the same policy: {base}{change})", name(page.mechanism(m))));
    }
    html.say(".").close();
    true
}

/// The largest effect on social cost of changing the policy, or the mechanism, and nothing else.
fn effect(page: &Page, panel: &Panel, of_policy: bool, html: &mut Html) -> bool {
    let measure = &MEASURES[0];
    let means = panel.means(page, measure);
    let group = |(m, p): Cell| if of_policy { m } else { p };
    let mut largest: Option<((Cell, f64), (Cell, f64))> = None;
    let mut groups: Vec<usize> = means.iter().map(|(cell, _)| group(*cell)).collect();
    groups.sort_unstable();
    groups.dedup();
    for g in groups {
        let of: Vec<(Cell, f64)> = means.iter().copied().filter(|(cell, _)| group(*cell) == g).collect();
        let least = of.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
        let most = of.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        if let (Some(least), Some(most)) = (least, most) {
            let wider = largest.is_none_or(|(l, m)| most.1 - least.1 > m.1 - l.1);
            if wider {
                largest = Some((least, most));
            }
        }
    }
    let Some((least, most)) = largest.filter(|(l, m)| m.1 - l.1 > tolerance(m.1.abs().max(l.1.abs()))) else {
        return false;
    };
    let unit = page.unit(panel.scenario, measure.unit);
    let digits = decimals(least.1.abs().max(most.1.abs()));
    let (what, within, ends) = if of_policy {
        let ends = [least, most].map(|((_, p), _)| name(page.policy(p)));
        ("the carbon policy", name(page.mechanism(least.0.0)), ends)
    } else {
        let ends = [least, most].map(|((m, _), _)| name(page.mechanism(m)));
        ("the mechanism", name(page.policy(least.0.1)), ends)
    };
    html.open("li", &[]).element("b", &[], &format!("Largest effect of {what}")).say(" on social cost: under ");
    html.say(&format!("{within}, from {} ({}) to ", with_unit(least.1, digits, &unit), ends[0]));
    html.element(
        "a",
        &[("href", &format!("#{}", address(panel, measure, most.0)))],
        &format!("{} ({})", with_unit(most.1, digits, &unit), ends[1]),
    );
    html.say(".").close();
    true
}

/// Who is worse off than without trade, and how much the one who loses most.
fn losers(page: &Page, panel: &Panel, html: &mut Html) -> bool {
    let losing: Vec<(Cell, usize)> =
        panel.compared.iter().flat_map(|(cell, runs)| runs.iter().map(move |run| (*cell, *run))).collect();
    let worst = losing
        .iter()
        .filter_map(|(cell, run)| Some((*cell, page.evidence[*run].losers.first()?)))
        .max_by(|a, b| a.1.1.total_cmp(&b.1.1));
    let Some((cell, (who, by))) = worst else { return false };
    let mut cells: Vec<Cell> =
        losing.iter().filter(|(_, run)| !page.evidence[*run].losers.is_empty()).map(|(cell, _)| *cell).collect();
    cells.dedup();
    let unit = page.currency(panel.scenario);
    html.open("li", &[]).element("b", &[], "Who loses").say(": in ");
    html.element("a", &[("href", "#gains")], &format!("{} of {} combinations", cells.len(), panel.compared.len()));
    html.say(&format!(
        " some participant is worse off than without trade; the greatest loss is that of {who}, {}, under {}.",
        with_unit(*by, decimals(*by), &unit),
        label(page, cell)
    ));
    html.close();
    true
}

fn refuted(page: &Page, html: &mut Html) {
    let mut names: Vec<String> = vec![];
    let mut count = 0;
    for row in page.evidence.iter().flat_map(Evidence::refuted) {
        count += 1;
        let words = row.name.replace('_', " ");
        if !names.contains(&words) {
            names.push(words);
        }
    }
    if count == 0 {
        return;
    }
    html.open("p", &[]).element("b", &[], "Refuted").say(": ");
    let noun = if count == 1 { "claim does" } else { "claims do" };
    html.element("a", &[("href", "#claims")], &format!("{count} {noun} not hold"))
        .say(&format!(" ({}).", some(&names, NAMED)));
    html.close();
}

/// How a figure is better, in words.
pub(super) fn better_in_words(better: Option<Better>) -> &'static str {
    match better {
        Some(Better::Less) => " Less is better.",
        Some(Better::More) => " More is better.",
        None => "",
    }
}
