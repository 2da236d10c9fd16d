//! What a gain from trade is made of: saved resources, or somebody else's loss of margin, carbon revenue or network
//! charges; and what the participants pay each other.

use super::{Absent, Basis, Picture, extremes, extremes_of, lettered, listed, shown_of};
use crate::axis::Axis;
use crate::canvas::{Canvas, Fill, Stroke};
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::panel::Panel;
use crate::store::ParticipantRow;
use crate::study::{Study, Unit, largest};
use crate::style::{
    BLACK, BLUE, GREEN, Hatch, MARKER, MM, Mark, ONE_COLUMN_MM, ORANGE, RED, TICK_LABEL, TWO_COLUMNS_MM, WHITE,
};
use crate::text;

/// Width of a stack, and of the bar of the payment beside it, in units of the distance of the groups.
const STACK: f64 = 0.5;
const PAYMENT: f64 = 0.2;
const MOST_PANELS: usize = 6;
const MOST_POLICIES: usize = 12;
const MOST_PARTICIPANTS: usize = 8;
const MOST_MECHANISMS: usize = 10;
/// Width that a panel needs, mm.
const PANEL_MM: f64 = 56.0;

type Value = fn(&ParticipantRow) -> Option<f64>;

/// The parts in the order of the stack.
const PARTS: [(&str, Value, Fill); 4] = [
    ("Resource", |r| r.gain_resource, Fill::new(BLUE).edged()),
    ("Retail margin", |r| r.gain_retail_margin, Fill::new(ORANGE).hatched(Hatch::Forward).edged()),
    ("Carbon", |r| r.gain_carbon, Fill::new(GREEN).hatched(Hatch::Dots).edged()),
    ("Network", |r| r.gain_network, Fill::new(crate::color::Rgb::hex(0xCCCCCC)).hatched(Hatch::Back).edged()),
];

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let mechanisms = study.trading();
    if mechanisms.is_empty() {
        return Err(if study.run_count() == 0 { Absent::NoRun } else { Absent::OnlyBaseline });
    }
    let policy = study.reference_policy().ok_or(Absent::NoRun)?;
    if is_nothing(study, &mechanisms) {
        return Err(Absent::NothingGained);
    }
    let mut pictures = Vec::new();
    pictures.extend(totals(study, &mechanisms));
    pictures.extend(by_participant(study, &mechanisms, policy));
    // policies are listed from the plain to the refined: the last is the other one to look into
    if let Some(last) = study.policies.last().filter(|p| **p != policy) {
        let picture = by_participant(study, &mechanisms, *last);
        let key = &study.policy(*last).key;
        pictures.extend(picture.map(|p| Picture { qualifier: format!("{}-{key}", p.qualifier), ..p }));
    }
    if pictures.is_empty() { Err(Absent::NoData { column: "gain_resource" }) } else { Ok(pictures) }
}

/// Whether the table knows gains and all of them, and their parts, are zero.
fn is_nothing(study: &Study, mechanisms: &[usize]) -> bool {
    let cells = || mechanisms.iter().flat_map(|m| study.policies.iter().map(move |p| (*m, *p)));
    let splits =
        || cells().flat_map(|cell| study.participants.iter().filter_map(move |i| Split::of(study, cell, &[*i])));
    splits().next().is_some() && splits().all(|split| split.ends(Payment::Beside).iter().all(|v| *v == 0.0))
}

/// One group: the parts, the payment received, the gain.
struct Split {
    parts: [f64; 4],
    /// Received from peers and operator.
    received: f64,
    gain: f64,
    interval: Option<(f64, f64)>,
}

impl Split {
    /// `None` if no part is known.
    fn of(study: &Study, cell: (usize, usize), participants: &[usize]) -> Option<Split> {
        let sum = |value: Value| study.of_participants(cell, participants, value);
        let mean = |value: Value| sum(value).map(|e| e.mean);
        let parts = PARTS.map(|(_, value, _)| mean(value));
        let gain = sum(|r| r.gain)?;
        parts.iter().any(Option::is_some).then(|| Split {
            parts: parts.map(|p| p.unwrap_or(0.0)),
            received: -mean(|r| r.payment).unwrap_or(0.0),
            gain: gain.mean,
            interval: gain.interval,
        })
    }

    fn scaled(&self, f: f64) -> Split {
        let interval = self.interval.map(|(a, b)| (a * f, b * f));
        Split { parts: self.parts.map(|p| p * f), received: self.received * f, gain: self.gain * f, interval }
    }

    /// Everything the axis must hold.
    fn ends(&self, payment: Payment) -> [f64; 6] {
        let received = if payment == Payment::Beside { self.received } else { 0.0 };
        let side = |keep: fn(&f64) -> bool| self.parts.iter().filter(|p| keep(p)).sum::<f64>();
        let (low, high) = self.interval.unwrap_or((self.gain, self.gain));
        [side(|p| *p > 0.0), side(|p| *p < 0.0), received, self.gain, low, high]
    }

    fn draw(&self, c: &mut Canvas, panel: &Panel, at: f64, payment: Payment) {
        let (left, right) = match payment {
            Payment::Beside => (at - STACK / 2.0 - PAYMENT / 2.0, at + STACK / 2.0 - PAYMENT / 2.0),
            Payment::Left => (at - STACK / 2.0, at + STACK / 2.0),
        };
        let (mut above, mut below) = (0.0, 0.0);
        for (value, (_, _, fill)) in self.parts.iter().zip(&PARTS) {
            let base = if *value >= 0.0 { &mut above } else { &mut below };
            panel.bar(c, (left, *base), (right, *base + value), *fill);
            *base += value;
        }
        if payment == Payment::Beside {
            panel.bar(c, (right, 0.0), (right + PAYMENT, self.received), PAYMENT_FILL);
        }
        let x = f64::midpoint(left, right);
        if let Some((low, high)) = self.interval {
            c.segment(panel.point(x, low), panel.point(x, high), Stroke::new(WHITE, 2.6));
            panel.interval_y(c, x, (low, high), BLACK);
        }
        let middle = panel.point(x, self.gain);
        c.mark(middle, Mark::Diamond, MARKER + 0.3, WHITE);
        c.mark(middle, Mark::Diamond, MARKER, BLACK);
    }
}

/// Whether payments are shown; in the sum over participants they cancel.
#[derive(Clone, Copy, PartialEq)]
enum Payment {
    Beside,
    Left,
}

const PAYMENT_FILL: Fill = Fill::new(RED).hatched(Hatch::Horizontal).edged();

/// Parts so small against all others are no thicker than their edge.
const INVISIBLE: f64 = 2e-3;

/// Parts that cannot be seen anywhere are not explained.
fn legend(splits: &[&Split], payment: Payment) -> Vec<Entry> {
    let largest = largest(splits.iter().flat_map(|s| s.ends(payment)));
    let drawn = |k: usize| splits.iter().any(|s| s.parts[k].abs() > INVISIBLE * largest);
    let parts = PARTS.iter().enumerate().filter(|(k, _)| drawn(*k));
    let mut out: Vec<Entry> = parts.map(|(_, (name, _, fill))| (Key::Fill(*fill), (*name).to_owned())).collect();
    if payment == Payment::Beside {
        out.push((Key::Fill(PAYMENT_FILL), "Payment received".into()));
        out.push((Key::Mark(Mark::Diamond, BLACK), "Gain after payments".into()));
    } else {
        out.push((Key::Mark(Mark::Diamond, BLACK), "Gain of all".into()));
    }
    out
}

/// One panel: title, and name and split of each group.
type Sheet = (String, Vec<(String, Option<Split>)>);

/// The sum over participants by mechanism, a panel per policy.
fn totals(study: &Study, mechanisms: &[usize]) -> Option<Picture> {
    let reference = study.reference_policy()?;
    let shown = most_gain(study, mechanisms, reference, MOST_MECHANISMS);
    let policies =
        &study.policies[..study.policies.len().min(if shown.len() > 6 { MOST_PANELS } else { MOST_POLICIES })];
    // names of mechanisms need more room than those of participants
    let columns = match (shown.len(), policies.len()) {
        (7.., _) => 1,
        (..=3, 5..) => 3,
        (_, n) => n.min(2),
    };
    let further = shown_of(policies.len(), study.policies.len(), "policies", "the first")
        + &shown_of(
            shown.len(),
            mechanisms.len(),
            "mechanisms",
            "those with the largest private gain under the first carbon price",
        );
    let page = if policies.len() == 1 && shown.len() <= 5 { ONE_COLUMN_MM } else { TWO_COLUMNS_MM };
    let page = study.width_mm(page);
    let columns = columns.min((page / PANEL_MM) as usize).max(1);
    let width = (page - 16.0) / columns as f64 * MM;
    let name = |m: &usize| {
        let entity = study.mechanism(*m);
        let room = width / shown.len() as f64 - 3.0;
        let candidates = [entity.name.clone(), text::two_lines(&entity.name), entity.short.clone()];
        let fits = |s: &String| text::block_width(s, TICK_LABEL) <= room;
        candidates.into_iter().find(fits).unwrap_or_else(|| text::two_lines(&entity.short))
    };
    let sheets: Vec<Sheet> = policies
        .iter()
        .map(|p| {
            let split = |m: &usize| (name(m), Split::of(study, (*m, *p), &study.participants));
            (study.policy(*p).name.clone(), shown.iter().map(split).collect())
        })
        .collect();
    let (sheets, nothing) = with_something(sheets, Payment::Left);
    let canvas = sheets_figure(study, &sheets, columns.min(sheets.len()), Payment::Left)?.canvas;
    Some(Picture {
        qualifier: "total".into(),
        title: "What the gain of all is made of".into(),
        caption: format!(
            "Gain of all participants over trading with the grid alone by mechanism: saved resources, and what the \
             retailer (margin), the authority (carbon) and the network operator lose to it. Payments between \
             participants cancel; where the mark is off the stack, an operator keeps or pays the difference.{nothing}{further}{}",
            study.footnote(&Basis::Means)
        ),
        canvas,
    })
}

/// The mechanisms with the largest gain under a policy, in their own order.
fn most_gain(study: &Study, mechanisms: &[usize], policy: usize, n: usize) -> Vec<usize> {
    let gain = |m: usize| study.metric(m, policy, "welfare_gain").map_or(f64::NEG_INFINITY, |e| e.mean);
    let mut shown = mechanisms.to_vec();
    shown.sort_by(|a, b| gain(*b).total_cmp(&gain(*a)));
    shown.truncate(n);
    shown.sort_unstable();
    shown
}

/// Every participant, a panel per mechanism.
fn by_participant(study: &Study, mechanisms: &[usize], policy: usize) -> Option<Picture> {
    let shown = most_gain(study, mechanisms, policy, MOST_PANELS);
    let gains =
        |i: usize| shown.iter().filter_map(move |m| study.of_participant((*m, policy), i, |r| r.gain)).map(|e| e.mean);
    let all = || study.participants.iter().copied();
    let most: Vec<f64> = all().map(|i| gains(i).fold(f64::NEG_INFINITY, f64::max)).collect();
    let least: Vec<f64> = all().map(|i| gains(i).fold(f64::INFINITY, f64::min)).collect();
    let participants: Vec<usize> =
        extremes(&most, &least, MOST_PARTICIPANTS).into_iter().map(|k| study.participants[k]).collect();
    let sheets: Vec<Sheet> = shown
        .iter()
        .map(|m| {
            let split = |i: &usize| (study.participant(*i).short.clone(), Split::of(study, (*m, policy), &[*i]));
            (study.mechanism(*m).name.clone(), participants.iter().map(split).collect())
        })
        .collect();
    let columns = sheets.len().min(3).min((study.width_mm(TWO_COLUMNS_MM) / PANEL_MM) as usize).max(1);
    let canvas = sheets_figure(study, &sheets, columns, Payment::Beside)?.canvas;
    let names: Vec<String> = shown.iter().map(|m| study.mechanism(*m).name.clone()).collect();
    Some(Picture {
        qualifier: "participants".into(),
        title: "What the gains are made of".into(),
        caption: format!(
            "Gain of {} over trading with the grid alone under {}, carbon policy {}: the parts before payments, the \
             payment received from the others, and the gain after payments.{}{}{}",
            if participants.len() < study.participants.len() { "participants" } else { "every participant" },
            listed(&names),
            study.policy(policy).name,
            extremes_of(participants.len(), study.participants.len()),
            shown_of(shown.len(), mechanisms.len(), "mechanisms", "those with the largest private gain"),
            study.footnote(&Basis::Means)
        ),
        canvas,
    })
}

/// The panels in which something is to be seen, and what a caption says of the others; all of them where nothing is anywhere.
fn with_something(sheets: Vec<Sheet>, payment: Payment) -> (Vec<Sheet>, String) {
    let size = |sheet: &Sheet| largest(sheet.1.iter().filter_map(|g| g.1.as_ref()).flat_map(|s| s.ends(payment)));
    let most = largest(sheets.iter().map(size));
    let (full, empty): (Vec<Sheet>, Vec<Sheet>) =
        sheets.into_iter().partition(|s| most <= 0.0 || size(s) > 1e-6 * most);
    let names: Vec<String> = empty.iter().map(|sheet| sheet.0.clone()).collect();
    let told = if names.is_empty() { String::new() } else { format!(" Zero everywhere: {}.", listed(&names)) };
    (full, told)
}

fn sheets_figure(study: &Study, sheets: &[Sheet], columns: usize, payment: Payment) -> Option<Figure> {
    let known = || sheets.iter().flat_map(|s| s.1.iter().filter_map(|g| g.1.as_ref()));
    known().next()?;
    let unit: Unit = study.money(largest(known().flat_map(|s| s.ends(payment))));
    let y = Axis::from_zero(
        known().flat_map(|s| s.ends(payment)).map(|v| v * unit.factor),
        5,
        &format!("Gain ({})", unit.label),
    );
    let lines = sheets.len().div_ceil(columns);
    let few = sheets.len() == 1 && sheets[0].1.len() <= 5;
    let width = if few { ONE_COLUMN_MM } else { TWO_COLUMNS_MM };
    let mut figure = study.figure(
        width,
        18.0 + if lines > 4 {
            36.0
        } else if columns > 1 || few {
            44.0
        } else {
            38.0
        } * lines as f64,
    );
    figure.legend(&[legend(&known().collect::<Vec<_>>(), payment)]);
    let mut panels: Vec<Panel> = sheets
        .iter()
        .enumerate()
        .map(|(k, (title, groups))| {
            let names: Vec<&String> = groups.iter().map(|g| &g.0).collect();
            let title = if sheets.len() > 1 { lettered(k, title) } else { title.clone() };
            Panel::new(Axis::categories(&names, ""), y.clone()).titled(&title)
        })
        .collect();
    figure.grid(columns, Sharing::XAndY, &mut panels);
    for (panel, (_, groups)) in panels.iter().zip(sheets) {
        let c = &mut figure.canvas;
        panel.back(c);
        for (i, (_, split)) in groups.iter().enumerate() {
            if let Some(split) = split {
                split.scaled(unit.factor).draw(c, panel, i as f64, payment);
            }
        }
        panel.front(c);
    }
    Some(figure)
}

#[cfg(test)]
mod tests {
    use super::{Payment, Sheet, Split, with_something};

    #[test]
    fn panels_in_which_nothing_is_are_told_and_not_drawn() {
        let split = |gain: f64| Split { parts: [gain, 0.0, 0.0, 0.0], received: 0.0, gain, interval: None };
        let sheet = |name: &str, gain: f64| -> Sheet { (name.to_owned(), vec![("a".to_owned(), Some(split(gain)))]) };
        let (drawn, told) =
            with_something(vec![sheet("Tax", 5.0), sheet("Nodal", 1e-9), sheet("Flat", 0.0)], Payment::Left);
        assert_eq!((drawn.len(), told.as_str()), (1, " Zero everywhere: Nodal and Flat."));
        let (drawn, told) = with_something(vec![sheet("Tax", 0.0)], Payment::Left);
        assert_eq!((drawn.len(), told.as_str()), (1, ""));
    }
}
