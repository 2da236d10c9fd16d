//! Drawing a feeder with its flows: branches as wide as the power in them and in the colour of a quantity at their
//! sending end, arrows, buses, and the participants on their buses.
//!
//! Must not know where the flows come from or which runs are compared.

use super::feeder_layout::Layout;
use crate::canvas::{Align, Canvas, Fill, Stroke};
use crate::color::Rgb;
use crate::figure::ColorBar;
use crate::geometry::{Pt, Rect};
use crate::place::{Tag, place};
use crate::study::{Study, largest};
use crate::style::{CAP_HEIGHT, DOTTED, INK, NOTE, SPINE, THIN_LINE, WHITE};
use crate::text;
use std::collections::BTreeMap;

/// Width of a branch without power and what the largest power adds, pt.
const THINNEST: f64 = 0.8;
const THICKEST: f64 = 7.8;
/// What the casing adds, pt.
const CASING: f64 = 1.0;
pub(super) const NO_FLOW: Stroke = Stroke::new(INK, THIN_LINE).dashed(DOTTED);
/// Radius of a bus and of a participant.
const BUS: f64 = 2.6;
pub(super) const MEMBER: f64 = 6.6;
const ARROW: f64 = 4.4;
pub(super) const BUYER: Rgb = Rgb::hex(0xCCCCCC);
/// Power below this is none, kW.
pub(super) const NEGLIGIBLE_KW: f64 = 1e-6;

/// What does not change with time: where the buses stand and who is at them.
pub(super) struct Map {
    pub(super) layout: Layout,
    pub(super) root: u64,
    /// By bus: the bus towards the root.
    pub(super) parent: BTreeMap<u64, u64>,
    /// By bus: places of participants in the identity.
    pub(super) members: BTreeMap<u64, Vec<usize>>,
}

/// One map: a policy at the period.
pub(super) struct State {
    pub(super) policy: usize,
    /// By bus: power that enters the branch towards the root, positive outwards, kW; intensity of the sending bus.
    pub(super) branches: BTreeMap<u64, (f64, Option<f64>)>,
    pub(super) intensity: BTreeMap<u64, f64>,
    /// By bus: export of its participants, kW.
    pub(super) export_kw: BTreeMap<u64, f64>,
    /// Carbon that comes in at the root, kg/h.
    pub(super) upstream: f64,
}

/// The frame of one map on the page.
pub(super) struct Frame {
    pub(super) origin: Pt,
    pub(super) column: f64,
    pub(super) lane: f64,
    pub(super) member: f64,
}

impl Frame {
    fn at(&self, p: Pt) -> Pt {
        (self.origin.0 + p.0 * self.column, self.origin.1 + p.1 * self.lane)
    }
}

pub(super) fn width(kw: f64, most_kw: f64) -> f64 {
    THINNEST + (THICKEST - THINNEST) * if most_kw > 0.0 { (kw.abs() / most_kw).min(1.0) } else { 0.0 }
}

/// Drawing one map.
pub(super) struct Drawing<'a> {
    pub(super) study: &'a Study<'a>,
    pub(super) map: &'a Map,
    pub(super) state: &'a State,
    pub(super) frame: &'a Frame,
    pub(super) bar: &'a ColorBar,
    pub(super) most_kw: f64,
    pub(super) numbered: bool,
    pub(super) area: Rect,
}

impl Drawing<'_> {
    pub(super) fn draw(&self, c: &mut Canvas) {
        let lines: BTreeMap<u64, Vec<Pt>> = self
            .map
            .layout
            .lines
            .iter()
            .map(|(bus, line)| (*bus, line.iter().map(|p| self.frame.at(*p)).collect()))
            .collect();
        self.branches(c, &lines);
        self.root(c);
        self.buses(c);
        for (bus, line) in &lines {
            self.arrow(c, *bus, line);
        }
        self.members(c, &lines.into_values().collect::<Vec<_>>());
    }

    fn place(&self, bus: u64) -> Pt {
        self.frame.at(self.map.layout.places[&bus])
    }

    fn flow(&self, bus: u64) -> (f64, Option<f64>) {
        self.state.branches.get(&bus).copied().unwrap_or((0.0, None))
    }

    /// All casings, then all colours: no seams where branches meet.
    fn branches(&self, c: &mut Canvas, lines: &BTreeMap<u64, Vec<Pt>>) {
        let flowing = |bus: &u64| self.flow(*bus).0.abs() > NEGLIGIBLE_KW;
        let corners = self.corners(lines);
        // the ends that meet another branch at an angle are round, but no wider than what they meet
        let round = |c: &mut Canvas, line: &[Pt], width: f64, casing: f64, color: Rgb| {
            for end in line.first().into_iter().chain(line.last()) {
                if let Some((_, met)) = corners.iter().find(|(p, _)| p == end) {
                    c.disc(*end, f64::midpoint(width.min(*met), casing), color);
                }
            }
        };
        for (bus, line) in lines {
            if flowing(bus) {
                let width = width(self.flow(*bus).0, self.most_kw);
                c.line(line, Stroke::new(INK, width + CASING));
                round(c, line, width, CASING, INK);
            } else {
                c.line(line, NO_FLOW);
            }
        }
        for (bus, line) in lines.iter().filter(|(bus, _)| flowing(bus)) {
            let (kw, intensity) = self.flow(*bus);
            let color = intensity.map_or(WHITE, |w| self.bar.color(w));
            let width = width(kw, self.most_kw);
            c.line(line, Stroke::new(color, width));
            round(c, line, width, 0.0, color);
        }
    }

    /// Where a lateral leaves its bus and where it turns along its lane, with the width of the second widest branch there.
    fn corners(&self, lines: &BTreeMap<u64, Vec<Pt>>) -> Vec<(Pt, f64)> {
        let ends = |line: &Vec<Pt>| Some((*line.first()?, *line.last()?));
        let across = lines.values().filter_map(ends).filter(|(a, b)| (a.1 - b.1).abs() > 1e-9);
        let second = |at: Pt| {
            let met = lines.iter().filter(|(_, line)| ends(line).is_some_and(|(a, b)| a == at || b == at));
            let mut widths: Vec<f64> = met.map(|(bus, _)| width(self.flow(*bus).0, self.most_kw)).collect();
            widths.sort_by(|a, b| b.total_cmp(a));
            widths.get(1).or(widths.first()).copied().unwrap_or(0.0)
        };
        across.flat_map(|(a, b)| [(a, second(a)), (b, second(b))]).collect()
    }

    fn root(&self, c: &mut Canvas) {
        let (x, y) = self.place(self.map.root);
        c.rect(Rect::new(x - 2.4, y - 8.5, x + 2.4, y + 8.5), Fill::new(INK));
    }

    fn buses(&self, c: &mut Canvas) {
        let radius = BUS.min(0.3 * self.frame.column);
        for bus in self.map.layout.places.keys() {
            if *bus == self.map.root || self.map.members.contains_key(bus) {
                continue;
            }
            let at = self.place(*bus);
            let color = self.state.intensity.get(bus).map_or(WHITE, |w| self.bar.color(*w));
            c.disc(at, radius, INK);
            c.disc(at, radius - SPINE, color);
        }
    }

    /// Radius of what stands at a bus.
    fn radius(&self, bus: u64) -> f64 {
        if self.map.members.contains_key(&bus) { self.frame.member } else { BUS.min(0.3 * self.frame.column) }
    }

    /// In the middle of the longest piece of a branch, where it fits between the buses.
    fn arrow(&self, c: &mut Canvas, bus: u64, line: &[Pt]) {
        let kw = self.flow(bus).0;
        if kw.abs() <= NEGLIGIBLE_KW {
            return;
        }
        let length = |w: &&[Pt]| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1);
        let Some(piece) = line.windows(2).max_by(|a, b| length(a).total_cmp(&length(b))) else { return };
        let parent = self.map.parent[&bus];
        let (before, after) = (self.radius(parent), self.radius(bus));
        let whole = length(&piece);
        // on a large map, one at the beginning of each lateral is enough
        let room = if self.numbered { 1.6 } else { 5.0 };
        if whole - before - after < ARROW + room {
            return;
        }
        let (ux, uy) = ((piece[1].0 - piece[0].0) / whole, (piece[1].1 - piece[0].1) / whole);
        // in the middle of what can be seen
        let middle = f64::midpoint(before, whole - after);
        let at = (piece[0].0 + ux * middle, piece[0].1 + uy * middle);
        let (ux, uy) = if kw > 0.0 { (ux, uy) } else { (-ux, -uy) };
        let half = ARROW / 2.0;
        let head = [
            (at.0 + ux * half, at.1 + uy * half),
            (at.0 - ux * half - uy * half, at.1 - uy * half + ux * half),
            (at.0 - ux * half + uy * half, at.1 - uy * half - ux * half),
        ];
        let rim: Vec<Pt> = head.iter().chain(&head[..2]).copied().collect();
        c.line(&rim, Stroke::new(WHITE, 1.0));
        c.polygon(&head, Fill::new(INK));
    }

    /// Discs, numbers and exchanges; then the numbers of buses, where there is room.
    fn members(&self, c: &mut Canvas, lines: &[Vec<Pt>]) {
        let study = self.study;
        let radius = self.frame.member;
        let mut avoid: Vec<Rect> =
            self.map.layout.places.keys().map(|b| Rect::around(&[self.place(*b)]).grow(self.radius(*b))).collect();
        // the post of the root
        let (x, y) = self.place(self.map.root);
        avoid.push(Rect::new(x - 4.0, y - 10.5, x + 4.0, y + 10.5));
        let mut tags: Vec<Tag> = Vec::new();
        for (bus, members) in &self.map.members {
            let at = self.place(*bus);
            let export = self.state.export_kw.get(bus).copied();
            c.disc(at, radius, INK);
            c.disc(at, radius - 0.8, if export.is_some_and(|v| v < -NEGLIGIBLE_KW) { BUYER } else { WHITE });
            let name = match &members[..] {
                [one] => number(&study.participant(*one).key, *one),
                several => format!("\u{d7}{}", several.len()),
            };
            if text::width(&name, NOTE) <= 2.0 * radius - 2.5 {
                c.text_middle(at, Align::Center, NOTE, &name);
            }
            if let Some(kw) = export {
                let rounded = text::number(kw, 0);
                let sign = if kw >= 0.5 { "+" } else { "" };
                let place = if self.numbered { String::new() } else { format!(" at {bus}") };
                tags.push(Tag { anchors: vec![at], text: format!("{sign}{rounded} kW{place}") });
            }
        }
        if self.numbered {
            for bus in self.map.layout.places.keys() {
                avoid.push(self.number(c, *bus));
            }
        }
        // many labels would cover the map that they explain
        if tags.len() <= 12 {
            place(c, self.area, &tags, &avoid, lines, NOTE);
        }
    }

    /// Whether no number of a bus would cover another.
    pub(super) fn numbers_fit(&self) -> bool {
        let boxes: Vec<Rect> = self.map.layout.places.keys().map(|b| self.number_box(*b)).collect();
        boxes.iter().enumerate().all(|(i, a)| boxes[i + 1..].iter().all(|b| a.overlap(b) <= 0.0))
    }

    /// The number of a bus.
    fn number(&self, c: &mut Canvas, bus: u64) -> Rect {
        let area = self.number_box(bus);
        c.text((area.x0, area.y1), Align::Left, NOTE, &bus.to_string());
        area
    }

    /// Where the number of a bus stands: on the side where no lateral leaves.
    fn number_box(&self, bus: u64) -> Rect {
        let (x, y) = self.place(bus);
        let lines = &self.map.layout.lines;
        let corners = self.map.parent.iter().filter(|(child, parent)| **child == bus || **parent == bus);
        let corners: Vec<Pt> = corners.flat_map(|(child, _)| lines[child].iter()).map(|p| self.frame.at(*p)).collect();
        let near = |p: &&Pt| (p.0 - x).abs() < 0.5 * self.frame.column;
        let below = corners.iter().filter(near).any(|p| p.1 > y + 1.0);
        let above = corners.iter().filter(near).any(|p| p.1 < y - 1.0);
        let r =
            if bus == self.map.root { 8.5 } else { self.radius(bus).max(width(self.widest(bus), self.most_kw) / 2.0) };
        let name = bus.to_string();
        let (w, h) = (text::width(&name, NOTE), NOTE * CAP_HEIGHT);
        let (left, base) = match (below, above) {
            (false, _) => (x - w / 2.0, y + r + 2.0 + h),
            (true, false) => (x - w / 2.0, y - r - 2.0),
            (true, true) => (x + r + 0.5, y - r - 0.5),
        };
        Rect::new(left, base - h, left + w, base)
    }

    /// The largest power on the branches of a bus.
    fn widest(&self, bus: u64) -> f64 {
        let own = self.map.parent.iter().filter(|(child, parent)| **child == bus || **parent == bus);
        largest(own.map(|(child, _)| self.flow(*child).0))
    }
}

/// Which number stands for whom, where the names do not tell: ` Discs: 1 homes, 2 shop.`
pub(super) fn key_of_discs(study: &Study, members: &BTreeMap<u64, Vec<usize>>) -> String {
    let alone = members.values().filter_map(|of_bus| if let [one] = of_bus[..] { Some(one) } else { None });
    let named: Vec<(String, &str)> =
        alone.map(|i| (number(&study.participant(i).key, i), study.participant(i).key.as_str())).collect();
    key(&named)
}

fn key(named: &[(String, &str)]) -> String {
    let stem = named.first().map_or("", |(number, key)| key.strip_suffix(number.as_str()).unwrap_or(""));
    if stem.is_empty() || named.iter().any(|(number, key)| **key != format!("{stem}{number}")) {
        let told: Vec<String> = named.iter().map(|(number, key)| format!("{number} {}", text::literal(key))).collect();
        return if told.is_empty() { String::new() } else { format!(" Discs: {}.", told.join(", ")) };
    }
    String::new()
}

/// The digits at the end of a name, or the place of the participant.
fn number(key: &str, place: usize) -> String {
    let digits = key.trim_start_matches(|c: char| !c.is_ascii_digit());
    if !digits.is_empty() && digits.len() <= 3 && digits.chars().all(|c| c.is_ascii_digit()) {
        digits.to_owned()
    } else {
        (place + 1).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn numbers_are_explained_where_the_names_do_not_tell() {
        let of =
            |named: &[(&str, &'static str)]| key(&named.iter().map(|(n, k)| ((*n).to_owned(), *k)).collect::<Vec<_>>());
        assert_eq!(of(&[("1", "vpp1"), ("12", "vpp12")]), "");
        assert_eq!(of(&[("1", "homes"), ("2", "shop_a")]), " Discs: 1 homes, 2 shop\\_a.");
        assert_eq!(of(&[("1", "a1"), ("1", "b1")]), " Discs: 1 a1, 1 b1.");
        assert_eq!(of(&[]), "");
    }
}
