//! Who pays how much for carbon: stacked bars by payer, one bar per policy, a panel per mechanism.

use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::axis::{Axis, Kind};
use crate::canvas::{Canvas, Fill};
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::panel::{Grid, Panel};
use crate::study::{Study, largest};
use crate::style::{BLACK, Hatch, MARKER, MM, Mark, ONE_COLUMN_MM, TICK_LABEL, TWO_COLUMNS_MM, WHITE};
use crate::text::{self, literal};
use std::collections::BTreeMap;

/// More payers cannot be told apart: participants beyond are one.
const MOST_PARTICIPANTS: usize = 8;
const MOST_PANELS: usize = 12;
/// Distance of the bars, mm, and their share of it.
const PITCH_MM: f64 = 5.2;
const BAR: f64 = 0.68;
/// Payments below this share of the largest are rounding.
const NEGLIGIBLE: f64 = 1e-9;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    if study.run_count() == 0 {
        return Err(Absent::NoRun);
    }
    let cells = study.mechanisms.iter().flat_map(|m| study.policies.iter().map(move |p| (*m, *p)));
    let paid: BTreeMap<(usize, usize), BTreeMap<String, f64>> =
        cells.filter(|c| !study.runs(c.0, c.1).is_empty()).map(|c| (c, study.carbon_payments(c.0, c.1))).collect();
    let most = largest(paid.values().flat_map(|p| p.values().copied()));
    if most <= 0.0 {
        return Err(Absent::NoCarbonPayment);
    }
    let payers = payers(study, &paid, most);
    let shown = &study.mechanisms[..study.mechanisms.len().min(MOST_PANELS)];
    let left_out = shown_of(shown.len(), study.mechanisms.len(), "mechanisms", "the first");
    let negative = paid.values().flat_map(|p| p.values()).any(|v| *v < -NEGLIGIBLE * most);
    let credits = if negative { "; left of zero, what is received for credits and refunds" } else { "" };
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Who pays for carbon".into(),
        caption: format!(
            "Payments for carbon by payer, mechanism and carbon policy, refunds taken off{credits}. The network operator \
             pays for passive load and losses. Carbon that participants pay inside a nodal price is shown as theirs, not as \
             the network operator's. The mark is the sum: the revenue of the authority.{left_out}{}",
            study.footnote(&Basis::PlainMeans)
        ),
        canvas: Sheet { study, paid: &paid, payers: &payers, most, shown }.draw().canvas,
    }])
}

/// One layer of the stack.
struct Payer {
    name: String,
    fill: Fill,
    /// The parties of the ledger that it stands for.
    parties: Vec<String>,
}

/// Participants in their order, then everybody else by name; only who pays or receives something.
fn payers(study: &Study, paid: &BTreeMap<(usize, usize), BTreeMap<String, f64>>, most: f64) -> Vec<Payer> {
    let pays = |party: &str| paid.values().any(|p| p.get(party).is_some_and(|v| v.abs() > NEGLIGIBLE * most));
    let mut out: Vec<Payer> = Vec::new();
    let mut further: Vec<String> = Vec::new();
    for &i in &study.participants {
        let entity = study.participant(i);
        if !pays(&entity.key) {
            continue;
        }
        if out.len() < MOST_PARTICIPANTS {
            let parties = vec![entity.key.clone()];
            out.push(Payer { name: entity.name.clone(), fill: Fill::of(&entity.series), parties });
        } else {
            further.push(entity.key.clone());
        }
    }
    if !further.is_empty() {
        let name = format!("{} further participants", further.len());
        out.push(Payer { name, fill: Fill::new(WHITE).hatched(Hatch::Dots).edged(), parties: further });
    }
    let is_participant = |party: &String| study.participants.iter().any(|i| study.participant(*i).key == *party);
    let mut others: Vec<&String> = paid.values().flat_map(BTreeMap::keys).filter(|k| !is_participant(k)).collect();
    others.sort_unstable();
    others.dedup();
    for party in others.into_iter().filter(|p| pays(p)) {
        let (name, fill) = match party.as_str() {
            "dso" => ("Network operator".to_owned(), Fill::new(crate::color::Rgb::hex(0xCCCCCC)).edged()),
            "operator" => ("Market operator".to_owned(), Fill::new(WHITE).hatched(Hatch::Back).edged()),
            "grid" => ("Retailer".to_owned(), Fill::new(WHITE).hatched(Hatch::Forward).edged()),
            other => (literal(other), Fill::new(WHITE).hatched(Hatch::Cross).edged()),
        };
        out.push(Payer { name, fill, parties: vec![party.clone()] });
    }
    out
}

struct Sheet<'a> {
    study: &'a Study<'a>,
    paid: &'a BTreeMap<(usize, usize), BTreeMap<String, f64>>,
    payers: &'a [Payer],
    /// The largest payment of one party.
    most: f64,
    /// The mechanisms, a panel each.
    shown: &'a [usize],
}

impl Sheet<'_> {
    /// What each payer pays in a cell.
    fn stack(&self, m: usize, p: usize) -> Option<Vec<f64>> {
        let paid = self.paid.get(&(m, p))?;
        let of = |payer: &Payer| -> f64 { payer.parties.iter().filter_map(|party| paid.get(party)).sum() };
        Some(self.payers.iter().map(of).map(|v| if v.abs() > NEGLIGIBLE * self.most { v } else { 0.0 }).collect())
    }

    fn draw(&self) -> Figure {
        let study = self.study;
        let stacks = || self.paid.keys().filter_map(|(m, p)| self.stack(*m, *p));
        let ends: Vec<f64> = stacks()
            .flat_map(|s| {
                let side = |keep: fn(&f64) -> bool| s.iter().copied().filter(keep).sum::<f64>();
                [side(|v| *v > 0.0), side(|v| *v < 0.0)]
            })
            .collect();
        let unit = study.money(largest(ends.iter().copied()));
        let columns = match self.shown.len() {
            n @ 1..=3 => n,
            4 => 2,
            _ => 3,
        };
        let rows = self.shown.len().div_ceil(columns);
        let body = PITCH_MM * study.policies.len() as f64;
        let page = if self.shown.len() == 1 { ONE_COLUMN_MM } else { TWO_COLUMNS_MM };
        let legend_rows = if self.shown.len() == 1 { 3.0 } else { 1.0 + (self.payers.len() / 8) as f64 };
        let height = 11.0 + 4.0 * legend_rows + rows as f64 * (body + 6.5);
        let mut figure = study.figure(page, height);
        let mut legend: Vec<Entry> = self.payers.iter().map(|p| (Key::Fill(p.fill), p.name.clone())).collect();
        legend.push((Key::Mark(Mark::Diamond, BLACK), "Sum".into()));
        figure.legend(&[legend]);
        let room = page * MM * if columns == 1 { 0.36 } else { 0.22 };
        let y = {
            let mut y = Axis::rows(study.policies.len(), self.names(room), "");
            y.kind = Kind::Category;
            y
        };
        let scaled = || ends.iter().map(|v| v * unit.factor);
        let steps = if columns == 3 { 4 } else { 5 };
        let mut panels: Vec<Panel> = self
            .shown
            .iter()
            .enumerate()
            .map(|(k, m)| {
                let title = &study.mechanism(*m).name;
                let title = if self.shown.len() > 1 { lettered(k, title) } else { title.clone() };
                Panel::new(Axis::from_zero(scaled(), steps, ""), y.clone()).with_grid(Grid::X).titled(&title)
            })
            .collect();
        figure.shared_x_label(&format!("Payment for carbon ({})", unit.label));
        figure.grid(columns, Sharing::XAndY, &mut panels);
        for (panel, m) in panels.iter().zip(self.shown) {
            let c = &mut figure.canvas;
            panel.back(c);
            for (row, p) in study.policies.iter().enumerate() {
                if let Some(stack) = self.stack(*m, *p) {
                    self.bar(c, panel, row, &stack.iter().map(|v| v * unit.factor).collect::<Vec<_>>());
                }
            }
            panel.front(c);
        }
        figure
    }

    fn bar(&self, c: &mut Canvas, panel: &Panel, row: usize, stack: &[f64]) {
        let (top, bottom) = (row as f64 - BAR / 2.0, row as f64 + BAR / 2.0);
        let (mut right, mut left) = (0.0, 0.0);
        for (payer, value) in self.payers.iter().zip(stack) {
            let base = if *value >= 0.0 { &mut right } else { &mut left };
            panel.bar(c, (*base, top), (*base + value, bottom), payer.fill);
            *base += value;
        }
        let at = panel.point(stack.iter().sum(), row as f64);
        c.mark(at, Mark::Diamond, MARKER + 0.3, WHITE);
        c.mark(at, Mark::Diamond, MARKER, BLACK);
    }

    /// The policies as names of rows.
    fn names(&self, room: f64) -> Vec<(usize, String)> {
        let name = |p: &usize| {
            let name = &self.study.policy(*p).name;
            if text::width(name, TICK_LABEL) <= room {
                return name.clone();
            }
            let lines = text::two_lines(name);
            lines.split('\n').map(|line| text::fit(line, TICK_LABEL, room)).collect::<Vec<_>>().join("\n")
        };
        self.study.policies.iter().map(name).enumerate().collect()
    }
}
