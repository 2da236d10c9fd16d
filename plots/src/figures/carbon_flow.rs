//! Carbon flow on a map of the feeder: branches as they hang together, as wide as the power and as dark as the carbon in
//! it, one map for each of two policies at the period in which their carbon flows differ most.

use super::feeder_layout::{Layout, parents};
use super::feeder_map::{BUYER, Drawing, Frame, MEMBER, Map, NEGLIGIBLE_KW, NO_FLOW, State, key_of_discs, width};
use super::{Absent, Basis, Picture, lettered, listed};
use crate::axis::Axis;
use crate::canvas::Align;
use crate::color::SEQUENTIAL;
use crate::figure::{Entry, Figure, Key};
use crate::geometry::Rect;
use crate::store::BranchRow;
use crate::study::{Study, largest, power};
use crate::style::{LABEL, MM, NOTE, PAD_TITLE, TWO_COLUMNS_MM, WHITE};
use crate::text;
use std::collections::BTreeMap;

/// Beyond these columns there is no room for the numbers of the buses.
const MOST_NUMBERED: f64 = 33.0;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    if study.run_count() == 0 {
        return Err(Absent::NoRun);
    }
    let (mechanism, flows) = flows(study).ok_or(Absent::NoBranches)?;
    let map = Map::of(study, &flows[0].1).ok_or(Absent::NotRadial)?;
    let (period, why) = period(&flows, study.clock.periods);
    let maps: Vec<State> =
        flows.iter().map(|(p, flow)| State::of(study, &map, (mechanism, *p), flow, period)).collect();
    let names: Vec<String> = maps.iter().map(|m| study.policy(m.policy).name.clone()).collect();
    let when =
        if study.clock.periods > 1 { format!(" in {}, {why}", study.clock.named(period)) } else { String::new() };
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Carbon flow on the feeder".into(),
        caption: format!(
            "Power and carbon on the feeder under {}, {} {}{when}. A branch is as wide as the power in it and has \
             the intensity of its sending bus; arrows point where the power goes. Numbered discs are the participants with \
             their exchange.{} Beside each title: carbon that comes in at the root.{}{}",
            study.mechanism(mechanism).name,
            if names.len() > 1 { "carbon policies" } else { "carbon policy" },
            listed(&names),
            key_of_discs(study, &map.members),
            if study.policies.len() > names.len() {
                format!(" Drawn are the first and the last of {} policies.", study.policies.len())
            } else {
                String::new()
            },
            study.footnote(&Basis::OneRun)
        ),
        canvas: Scene { study, map: &map, maps: &maps }.draw().canvas,
    }])
}

/// The rows of a run, by period.
type Flow = BTreeMap<usize, Vec<BranchRow>>;

/// The branches of the first and the last policy of a mechanism, of the baseline if it has any.
fn flows(study: &Study) -> Option<(usize, Vec<(usize, Flow)>)> {
    study.baseline().into_iter().chain(study.trading()).find_map(|m| {
        let ran: Vec<(usize, Flow)> = study
            .policies
            .iter()
            .filter_map(|p| Some((*p, flow(study, *study.runs(m, *p).first()?))))
            .filter(|(_, flow)| !flow.is_empty())
            .collect();
        let n = ran.len();
        let ends: Vec<(usize, Flow)> =
            ran.into_iter().enumerate().filter(|(i, _)| *i == 0 || *i + 1 == n).map(|(_, f)| f).collect();
        (n > 0).then_some((m, ends))
    })
}

fn flow(study: &Study, run: usize) -> Flow {
    let mut flow: Flow = BTreeMap::new();
    for row in study.store.branches(run) {
        flow.entry(row.period).or_default().push(row);
    }
    flow
}

/// The period that is shown, and why.
fn period(flows: &[(usize, Flow)], periods: usize) -> (usize, &'static str) {
    let at = |flow: &Flow, t: usize| -> Vec<f64> {
        flow.get(&t).into_iter().flatten().map(|b| b.carbon_flow_kg_per_h.unwrap_or(0.0)).collect()
    };
    let total = |v: Vec<f64>| v.into_iter().map(f64::abs).sum::<f64>();
    let differ = |t: usize| match flows {
        [(_, a), (_, b)] => total(at(a, t).iter().zip(at(b, t)).map(|(x, y)| x - y).collect()),
        _ => 0.0,
    };
    let flowing = |t: usize| flows.iter().map(|(_, f)| total(at(f, t))).sum::<f64>();
    let greatest = |of: &dyn Fn(usize) -> f64| {
        let values: Vec<f64> = (0..periods.max(1)).map(of).collect();
        let most = values.iter().copied().fold(0.0, f64::max);
        (values.iter().position(|v| *v >= most - 1e-9 * most).unwrap_or(0), most)
    };
    let (t, most) = greatest(&differ);
    // flows that differ by a solver's rounding are the same
    if most > 1e-4 * (1..=periods).map(|t| flowing(t - 1)).fold(0.0, f64::max) {
        (t, "when the carbon flows of the two policies differ most")
    } else {
        (
            greatest(&flowing).0,
            if flows.len() > 1 {
                "when most carbon flows; the policies do not differ"
            } else {
                "when most carbon flows"
            },
        )
    }
}

impl Map {
    /// `None` if the manifest does not tell the strands, or the branches are no tree along them.
    fn of(study: &Study, flow: &Flow) -> Option<Map> {
        let strands = &study.facts.feeder;
        let root = *strands.first()?.first()?;
        let branches: Vec<(u64, u64)> = flow.values().next()?.iter().map(|row| (row.from, row.to)).collect();
        let parent = parents(strands, &branches)?;
        let layout = Layout::of(strands, &parent);
        if layout.places.len() != strands.iter().map(Vec::len).sum::<usize>() {
            return None;
        }
        let mut members: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for &i in &study.participants {
            if let Some(bus) = study.facts.participant_bus.get(&study.participant(i).key) {
                members.entry(*bus).or_default().push(i);
            }
        }
        members.retain(|bus, _| layout.places.contains_key(bus));
        Some(Map { layout, root, parent, members })
    }
}

impl State {
    fn of(study: &Study, map: &Map, (m, p): (usize, usize), flow: &Flow, period: usize) -> State {
        let run = study.runs(m, p)[0];
        let mut branches = BTreeMap::new();
        let mut upstream = 0.0;
        for row in flow.get(&period).into_iter().flatten() {
            let power = row.p_from_kw.unwrap_or(0.0);
            let (child, power) =
                if map.parent.get(&row.to) == Some(&row.from) { (row.to, power) } else { (row.from, -power) };
            branches.insert(child, (power, row.carbon_intensity_kg_per_kwh));
            if row.from == map.root || row.to == map.root {
                upstream += row.carbon_flow_kg_per_h.unwrap_or(0.0) * if row.from == map.root { 1.0 } else { -1.0 };
            }
        }
        let nodes = study.store.nodes(run);
        let nodes = nodes.iter().filter(|n| n.period == period);
        let intensity = nodes.filter_map(|n| Some((n.bus, n.carbon_intensity_kg_per_kwh?))).collect();
        let mut export_kw: BTreeMap<u64, f64> = BTreeMap::new();
        for (bus, members) in &map.members {
            let exports = members.iter().filter_map(|i| {
                let row = study.periods(run, *i).into_iter().find(|r| r.period == period)?;
                row.net_export_kw
            });
            let exports: Vec<f64> = exports.collect();
            if !exports.is_empty() {
                export_kw.insert(*bus, exports.iter().sum());
            }
        }
        State { policy: p, branches, intensity, export_kw, upstream }
    }
}

struct Scene<'a> {
    study: &'a Study<'a>,
    map: &'a Map,
    maps: &'a [State],
}

/// Whether buses carry their numbers.
#[derive(Clone, Copy, PartialEq)]
enum Numbers {
    Shown,
    Hidden,
}

impl Scene<'_> {
    /// With the numbers of the buses if they have room.
    fn draw(&self) -> Figure {
        let ((left, right), _) = self.map.layout.extent();
        let numbered = if right - left < MOST_NUMBERED { self.page(Numbers::Shown) } else { None };
        numbered.or_else(|| self.page(Numbers::Hidden)).expect("invariant: what is hidden covers nothing")
    }

    /// `None` if the numbers of two buses would cover each other.
    fn page(&self, numbers: Numbers) -> Option<Figure> {
        let ((left, right), (top, bottom)) = self.map.layout.extent();
        let (columns, lanes) = (right - left, bottom - top);
        let numbered = numbers == Numbers::Shown;
        // the largest map that leaves room for another on a page
        let most_lane = if numbered { 34.0 } else { 20.0 };
        let lane = (245.0 / lanes.max(1.0)).clamp(13.0, most_lane);
        let (above, below) = (LABEL + PAD_TITLE + 14.0, 20.0);
        // the label of the colour bar must fit, too
        let height = f64::max(above + lanes * lane + below, 130.0 / self.maps.len() as f64);
        let legend = 2.0 * LABEL * 1.35 + 8.0;
        let mut figure = self.study.figure(TWO_COLUMNS_MM, (legend + height * self.maps.len() as f64) / MM);
        let most_kw = largest(self.maps.iter().flat_map(|m| m.branches.values().map(|b| b.0)));
        figure.legend(&self.legend(most_kw));
        let intensities =
            self.maps.iter().flat_map(|m| m.intensity.values().chain(m.branches.values().filter_map(|b| b.1.as_ref())));
        let axis = Axis::from_zero(intensities.copied(), 6, "Carbon intensity (kg CO_2/kWh)");
        let bar = figure.color_bar(axis, SEQUENTIAL);
        let area = figure.area;
        let (pad_left, pad_right) = (9.0, 12.0);
        let column = ((area.width() - pad_left - pad_right) / columns.max(1.0)).min(44.0);
        let each = area.height() / self.maps.len() as f64;
        for (k, state) in self.maps.iter().enumerate() {
            let y = area.y0 + each * k as f64;
            let frame = Frame {
                origin: (area.x0 + pad_left - left * column, y + above - top * lane),
                column,
                lane,
                member: MEMBER.min(0.48 * column.min(lane)),
            };
            let c = &mut figure.canvas;
            let policy = &self.study.policy(state.policy).name;
            let title = if self.maps.len() > 1 { lettered(k, policy) } else { policy.clone() };
            c.bold(
                (area.x0, y + LABEL),
                LABEL,
                &text::fit_weighted(&title, LABEL, text::Weight::Bold, area.width() - 140.0),
            );
            let upstream = format!("{} kg CO_2/h from upstream", text::number(state.upstream, 0));
            c.text((area.x1, y + LABEL), Align::Right, NOTE, &upstream);
            let clip = Rect { y0: y + LABEL + 2.0, y1: y + each, ..area };
            let (study, map) = (self.study, self.map);
            let drawing = Drawing { study, map, state, frame: &frame, bar: &bar, most_kw, numbered, area: clip };
            if numbered && !drawing.numbers_fit() {
                return None;
            }
            drawing.draw(c);
        }
        let c = &mut figure.canvas;
        bar.draw(c, area.y0 + 4.0, area.y1.min(area.y0 + 230.0) - 8.0);
        Some(figure)
    }

    fn legend(&self, most_kw: f64) -> Vec<Vec<Entry>> {
        // megawatts only where the smallest key is not a fraction of one
        let unit = power(most_kw / 20.0);
        let top = nice_below(most_kw * unit.factor);
        let decimals = |v: f64| (0..4).find(|d| (v * 10f64.powi(*d)).fract().abs() < 1e-6).unwrap_or(4) as usize;
        let key = |v: f64| -> Entry {
            let label = format!("{} {}", text::number(v, decimals(v)), unit.label);
            (Key::Cased(width(v / unit.factor, most_kw)), label)
        };
        let mut flows: Vec<Entry> =
            if most_kw > NEGLIGIBLE_KW { [top / 20.0, top / 5.0, top].map(key).to_vec() } else { Vec::new() };
        if self.maps.iter().any(|m| m.branches.values().any(|b| b.0.abs() <= NEGLIGIBLE_KW)) {
            flows.push((Key::Line(NO_FLOW), "No flow".into()));
        }
        let mut things: Vec<Entry> = vec![(Key::Post, "Root".into())];
        if !self.map.members.is_empty() {
            things.push((Key::Ring(WHITE), "Participant feeding in".into()));
            things.push((Key::Ring(BUYER), "Participant drawing".into()));
        }
        flows.append(&mut things);
        vec![flows]
    }
}

/// The greatest of 1, 2 and 5 times a power of ten that is not above `v`.
fn nice_below(v: f64) -> f64 {
    let magnitude = 10f64.powf(v.max(1e-9).log10().floor());
    [5.0, 2.0, 1.0].map(|s| s * magnitude).into_iter().find(|s| *s <= v * (1.0 + 1e-9)).unwrap_or(magnitude)
}
