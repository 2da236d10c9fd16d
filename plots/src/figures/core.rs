//! Who gains what by each rule, against what the core leaves to each: where a group would do better by itself, and to whom a
//! rule gives more or less than any stable division would.

use super::{Absent, Basis, Picture, greatest, listed, shown_of};
use crate::axis::{Axis, Kind};
use crate::canvas::{Canvas, Fill};
use crate::color::Rgb;
use crate::figure::{Entry, Key, Sharing};
use crate::geometry::Rect;
use crate::panel::{Grid, Panel};
use crate::study::{Study, largest};
use crate::style::{BLACK, MM, Mark, ONE_COLUMN_MM, RED, ROW_MM, TICK_LABEL, TWO_COLUMNS_MM};
use crate::text;

/// Panels side by side: a participant each.
const MOST_PARTICIPANTS: usize = 6;
const MOST_POLICIES: usize = 4;
/// Share of a row that the interval of the core takes.
const BAND: f64 = 0.86;
const CORE: Rgb = Rgb::hex(0xBBD9EE);
/// An excess below this share of the gains is none.
const NO_EXCESS: f64 = 1e-6;
/// Certificates of the interval, by their names in the table.
const LEAST: &str = "core_least_gain";
const MOST: &str = "core_most_gain";
const EPSILON: &str = "least_core_epsilon";

/// What a participant gets by a rule, and least and most that the core leaves it.
type Gain = (Option<f64>, Option<(f64, f64)>);

/// One rule: a row of every panel.
struct Rule {
    name: String,
    /// Greatest excess of any group.
    excess: f64,
    /// By participant.
    gains: Vec<Gain>,
    /// Least excess that any division leaves.
    epsilon: f64,
}

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    if study.run_count() == 0 {
        return Err(Absent::NoRun);
    }
    let policies = study.policies.iter().copied().filter_map(|p| Some((p, rules(study, p)?)));
    let mut drawn: Vec<(usize, Vec<Rule>)> = policies.collect();
    let all = drawn.len();
    drawn.truncate(MOST_POLICIES);
    let rest = shown_of(drawn.len(), all, "policies, a picture each", "the first");
    if drawn.is_empty() {
        return Err(Absent::NoData { column: "core_excess" });
    }
    let several = drawn.len() > 1;
    let picture = |(policy, rules): &(usize, Vec<Rule>)| Picture {
        qualifier: if several { study.policy(*policy).key.clone() } else { String::new() },
        title: "Gains and the core".into(),
        caption: caption(study, *policy, rules) + &rest,
        canvas: page(study, rules),
    };
    Ok(drawn.iter().map(picture).collect())
}

/// The mechanisms of which the core was searched; `None` where there is none.
fn rules(study: &Study, policy: usize) -> Option<Vec<Rule>> {
    let rules: Vec<Rule> = study.trading().into_iter().filter_map(|m| rule(study, m, policy)).collect();
    (!rules.is_empty()).then_some(rules)
}

/// A mechanism by its first seed.
fn rule(study: &Study, mechanism: usize, policy: usize) -> Option<Rule> {
    let run = *study.runs(mechanism, policy).first()?;
    let excess = study.store.metric(run, "core_excess")?;
    let found = study.store.certificates(run);
    let of = |name: &str, who: &str| found.iter().find(|c| c.name == name && c.witness == who).and_then(|c| c.value);
    let epsilon = found.iter().find(|c| c.name == EPSILON)?.value?;
    let gain = |i: usize| {
        let key = &study.participant(i).key;
        let row = study.store.participants.iter().find(|row| row.run == run && row.participant == *key);
        let interval = of(LEAST, key).zip(of(MOST, key));
        (row.and_then(|row| row.gain), interval)
    };
    let gains = study.participants.iter().map(|i| gain(*i)).collect();
    Some(Rule { name: study.mechanism(mechanism).name.clone(), excess, gains, epsilon })
}

impl Rule {
    /// Whether some group would do better by itself.
    fn is_blocked(&self) -> bool {
        self.excess > NO_EXCESS * largest(self.gains.iter().filter_map(|(gain, _)| *gain))
    }

    fn has_core(&self) -> bool {
        self.epsilon <= NO_EXCESS * largest(self.gains.iter().filter_map(|(gain, _)| *gain))
    }
}

/// The participants with the largest gain by any rule, by place in the study.
fn shown(study: &Study, rules: &[Rule]) -> Vec<usize> {
    let size = |i: usize| largest(rules.iter().filter_map(|rule| rule.gains[i].0));
    greatest(&(0..study.participants.len()).map(size).collect::<Vec<_>>(), MOST_PARTICIPANTS)
}

const STABLE: (Mark, Rgb) = (Mark::Disc, BLACK);
const BLOCKED: (Mark, Rgb) = (Mark::Cross, RED);

fn page(study: &Study, rules: &[Rule]) -> Canvas {
    let participants = shown(study, rules);
    let ends = |rule: &Rule, i: usize| {
        let (gain, interval) = rule.gains[i];
        gain.into_iter().chain(interval.into_iter().flat_map(|(low, high)| [low, high])).collect::<Vec<f64>>()
    };
    let all = || participants.iter().flat_map(|i| rules.iter().flat_map(move |rule| ends(rule, *i)));
    let unit = study.money(largest(all()));
    let width = if participants.len() < 2 { ONE_COLUMN_MM } else { TWO_COLUMNS_MM };
    let mut figure = study.figure(width, 23.0 + ROW_MM * rules.len() as f64);
    figure.legend(&[legend(rules)]);
    figure.shared_x_label(&format!("Gain ({})", unit.label));
    let longest = width * MM * 0.3;
    let names: Vec<(usize, String)> =
        rules.iter().enumerate().map(|(k, rule)| (k, text::fit(&rule.name, TICK_LABEL, longest))).collect();
    let steps = if participants.len() > 3 { 3 } else { 5 };
    let mut panels: Vec<Panel> = participants
        .iter()
        .map(|i| {
            let values = rules.iter().flat_map(|rule| ends(rule, *i)).map(|gain| gain * unit.factor);
            let around = Axis::around(values, steps, "");
            let room = 0.03 * (around.high - around.low);
            let x = Axis { low: around.low - room, high: around.high + room, ..around };
            let mut y = Axis::rows(rules.len(), names.clone(), "");
            y.kind = Kind::Category;
            let entity = study.participant(study.participants[*i]);
            Panel::new(x, y).with_grid(Grid::X).titled(&entity.name)
        })
        .collect();
    let columns = panels.len();
    figure.grid(columns, Sharing::Y, &mut panels);
    for (panel, i) in panels.iter().zip(&participants) {
        let c = &mut figure.canvas;
        panel.back(c);
        for (k, rule) in rules.iter().enumerate() {
            band(c, panel, k as f64, rule.gains[*i].1, unit.factor);
        }
        for (k, rule) in rules.iter().enumerate() {
            let (mark, color) = if rule.is_blocked() { BLOCKED } else { STABLE };
            if let Some(gain) = rule.gains[*i].0 {
                panel.mark(c, (gain * unit.factor, k as f64), mark, color);
            }
        }
        panel.front(c);
    }
    figure.canvas
}

/// The interval of the core in a row. A core of one point is seen as a line.
fn band(c: &mut Canvas, panel: &Panel, row: f64, interval: Option<(f64, f64)>, factor: f64) {
    let Some((least, most)) = interval else { return };
    let (x0, x1) = (panel.px(least * factor), panel.px(most * factor));
    let (y0, y1) = (panel.py(row - 0.5 * BAND), panel.py(row + 0.5 * BAND));
    let (x0, x1) = if x1 - x0 < 1.0 { (f64::midpoint(x0, x1) - 0.5, f64::midpoint(x0, x1) + 0.5) } else { (x0, x1) };
    c.rect(Rect::new(x0, y0, x1, y1), Fill::new(CORE));
}

fn legend(rules: &[Rule]) -> Vec<Entry> {
    let core = if rules.iter().all(Rule::has_core) { "Core" } else { "Least core" };
    let mut entries = vec![(Key::Fill(Fill::new(CORE)), core.to_owned())];
    if rules.iter().any(|rule| !rule.is_blocked()) {
        entries.push((Key::Mark(STABLE.0, STABLE.1), "No group would do better alone".into()));
    }
    if rules.iter().any(Rule::is_blocked) {
        entries.push((Key::Mark(BLOCKED.0, BLOCKED.1), "Some group would".into()));
    }
    entries
}

fn caption(study: &Study, policy: usize, rules: &[Rule]) -> String {
    let participants = shown(study, rules);
    let all = study.participants.len();
    let who = if participants.len() < all { "participants" } else { "every participant" };
    let empty: Vec<String> = rules.iter().filter(|rule| !rule.has_core()).map(|rule| rule.name.clone()).collect();
    let core = match empty.len() {
        0 => "the band is what the core leaves to each: the least and the most that it gets in a division that no group can \
              better by trading alone"
            .to_owned(),
        n if n == rules.len() => "no division keeps every group from doing better by trading alone; the band is what the least core, \
              which comes nearest to it, leaves to each"
            .to_owned(),
        _ => format!(
            "the band is what the core leaves to each, or under {}, where there is none, the least core",
            listed(&empty)
        ),
    };
    format!(
        "Gain of {who} over trading with the grid alone by rule, carbon policy {}; {core}. A gain within the band does not \
         say that the division is in the core: marks do.{}{}",
        study.policy(policy).name,
        shown_of(participants.len(), all, "participants", "those with the largest gain"),
        study.footnote(&Basis::OneRun)
    )
}
