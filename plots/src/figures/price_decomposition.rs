//! The nodal price in its parts: along the feeder when nodes differ most, and over the day where it is highest.
//!
//! Energy dwarfs the other parts, so they are stacked above the root's energy price, and the prices themselves stand
//! beside them as lines.

use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::axis::{Axis, Kind};
use crate::canvas::{Align, Canvas, Fill, Stroke};
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::geometry::{Pt, Rect};
use crate::panel::Panel;
use crate::store::PriceParts;
use crate::study::Study;
use crate::style::{
    ASCENT, BLACK, BLUE, DASHED, DATA_LINE, GREEN, GREY, Hatch, INK, MINOR_TICK_LINE, MM, Mark, ORANGE, PAD_TICK, PINK,
    REFERENCE_DASH, SKY, TICK, TICK_LABEL, TWO_COLUMNS_MM, WHITE,
};
use crate::text;
use std::collections::BTreeMap;

/// More is a data set.
const MOST_PICTURES: usize = 4;
/// Beyond these the feeder is one panel without gaps.
const MOST_STRANDS: usize = 6;
const MOST_BARS: usize = 40;

type Value = fn(&PriceParts) -> f64;

/// The parts above the energy price, in the order of the stack.
const PARTS: [(&str, Value, Fill); 4] = [
    ("Loss", |p| p.loss, Fill::new(SKY).hatched(Hatch::Horizontal).edged()),
    ("Congestion", |p| p.congestion, Fill::new(ORANGE).hatched(Hatch::Forward).edged()),
    ("Voltage", |p| p.voltage, Fill::new(PINK).hatched(Hatch::Cross).edged()),
    ("Carbon", |p| p.carbon, Fill::new(GREEN).hatched(Hatch::Back).edged()),
];

impl PriceParts {
    fn above_energy(&self) -> f64 {
        PARTS.iter().map(|(_, value, _)| value(self)).sum()
    }

    fn total(&self) -> f64 {
        self.energy + self.above_energy()
    }
}

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    if study.run_count() == 0 {
        return Err(Absent::NoRun);
    }
    let mechanisms = study.baseline().into_iter().chain(study.trading());
    let cells = mechanisms.flat_map(|m| study.policies.iter().map(move |p| (m, *p)));
    let priced: Vec<(usize, usize, Prices)> =
        cells.filter_map(|(m, p)| Some((m, p, Prices::of(study, study.runs(m, p).first().copied()?)?))).collect();
    if priced.is_empty() {
        return Err(Absent::NoData { column: "energy_per_kwh" });
    }
    // a mechanism that is blind to the network has the prices of the baseline, or nearly: the baseline is shown first,
    // and policies with carbon in the price before those without
    let first = priced[0].0;
    let rank = |(m, _, prices): &(usize, usize, Prices)| (*m != first, !prices.has_carbon());
    let mut order: Vec<usize> = (0..priced.len()).collect();
    order.sort_by_key(|i| rank(&priced[*i]));
    order.truncate(MOST_PICTURES);
    order.sort_unstable();
    let several = priced.len() > 1;
    let which = "the baseline's before others, policies with carbon in the price before those without";
    let rest = shown_of(order.len(), priced.len(), "runs with nodal prices, a picture each", which);
    Ok(order.iter().map(|i| picture(study, &priced[*i], several, &rest)).collect())
}

/// The decomposed prices of a run.
struct Prices {
    /// The buses of the trunk and of each lateral outwards.
    strands: Vec<Vec<u64>>,
    /// By period, in the order of the strands.
    parts: Vec<Vec<PriceParts>>,
}

impl Prices {
    /// `None` unless every bus of every period has a decomposed price.
    fn of(study: &Study, run: usize) -> Option<Prices> {
        let mut known: BTreeMap<(usize, u64), PriceParts> = BTreeMap::new();
        let mut buses: Vec<u64> = Vec::new();
        for node in study.store.nodes(run) {
            known.insert((node.period, node.bus), node.price_parts?);
            if node.period == 0 {
                buses.push(node.bus);
            }
        }
        if buses.is_empty() {
            return None;
        }
        let strands = study.strands(&buses);
        let order: Vec<u64> = strands.iter().flatten().copied().collect();
        let at = |t: usize| order.iter().map(|b| known.get(&(t, *b)).copied()).collect::<Option<Vec<_>>>();
        let parts = (0..study.clock.periods).map(at).collect::<Option<Vec<_>>>()?;
        Some(Prices { strands, parts })
    }

    fn has_carbon(&self) -> bool {
        self.parts.iter().flatten().any(|p| p.carbon.abs() > 1e-9)
    }

    /// The period in which prices differ most between buses.
    fn widest_spread(&self) -> usize {
        let spread = |parts: &[PriceParts]| {
            let (low, high) = crate::axis::range(parts.iter().map(PriceParts::total)).unwrap_or((0.0, 0.0));
            high - low
        };
        first_greatest((0..self.parts.len()).map(|t| spread(&self.parts[t])))
    }

    fn mean(&self, place: usize) -> f64 {
        self.parts.iter().map(|of_period| of_period[place].total()).sum::<f64>() / self.parts.len() as f64
    }

    fn bus(&self, place: usize) -> u64 {
        self.strands.iter().flatten().copied().nth(place).unwrap_or_default()
    }

    /// The parts of a bus over time.
    fn over_time(&self, place: usize) -> Vec<PriceParts> {
        self.parts.iter().map(|of_period| of_period[place]).collect()
    }
}

/// The place of the greatest value; of several, the first.
fn first_greatest(values: impl Iterator<Item = f64>) -> usize {
    let values: Vec<f64> = values.collect();
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // what differs by rounding is a tie
    values.iter().position(|v| *v >= greatest - 1e-9 * (1.0 + greatest.abs())).unwrap_or(0)
}

fn picture(study: &Study, (m, p, prices): &(usize, usize, Prices), several: bool, rest: &str) -> Picture {
    let (mechanism, policy) = (study.mechanism(*m), study.policy(*p));
    let buses = prices.parts[0].len();
    let period = prices.widest_spread();
    let dearest = first_greatest((0..buses).map(|k| prices.mean(k)));
    let cheapest = first_greatest((0..buses).map(|k| -prices.mean(k)));
    let scene = Scene { study, prices, period, dearest, cheapest };
    let energy = text::plain_number(prices.parts[period][0].energy, 3);
    let zero: Vec<String> =
        PARTS.iter().filter(|(_, value, _)| !scene.drawn(*value)).map(|(name, ..)| name.to_lowercase()).collect();
    let nothing = match &zero[..] {
        [] => String::new(),
        [one] => format!(" The {one} part is zero."),
        _ => format!(" The parts for {} are zero.", super::listed(&zero)),
    };
    let over_time = if prices.parts.len() > 1 {
        format!(
            " Below: the parts over time at bus {}, where the price is highest on average, and the prices there and at \
             bus {}, where it is lowest.",
            prices.bus(dearest),
            prices.bus(cheapest)
        )
    } else {
        String::new()
    };
    Picture {
        qualifier: if several { format!("{}-{}", mechanism.key, policy.key) } else { String::new() },
        title: format!("Nodal price in its parts, {}, {}", mechanism.name, policy.name),
        caption: format!(
            "Nodal price in its parts under {}, carbon policy {}. Above: what the parts add to the root's energy price of \
             {energy} {}/kWh in {}, when buses differ most, along the trunk and along the laterals from their branching points \
             outwards.{over_time}{nothing}{rest}{}",
            mechanism.name,
            policy.name,
            study.currency(),
            study.clock.named(period),
            study.footnote(&Basis::OneRun)
        ),
        canvas: scene.draw().canvas,
    }
}

struct Scene<'a> {
    study: &'a Study<'a>,
    prices: &'a Prices,
    period: usize,
    /// Places of the buses with the highest and the lowest mean price.
    dearest: usize,
    cheapest: usize,
}

const TOTAL: Stroke = Stroke::new(BLACK, DATA_LINE);
const HALO: Stroke = Stroke::new(WHITE, 2.8);
const ENERGY: Stroke = Stroke::new(GREY, DATA_LINE).dashed(REFERENCE_DASH);
const CHEAPEST: Stroke = Stroke::new(BLUE, DATA_LINE).dashed(DASHED);

impl Scene<'_> {
    /// Whether a part is anywhere in the picture.
    fn drawn(&self, value: Value) -> bool {
        let shown = self.prices.parts[self.period].iter().copied().chain(self.prices.over_time(self.dearest));
        shown.into_iter().any(|p| value(&p).abs() > 1e-9)
    }

    fn draw(&self) -> Figure {
        let timed = self.prices.parts.len() > 1;
        let mut figure = self.study.figure(TWO_COLUMNS_MM, if timed { 112.0 } else { 64.0 });
        figure.legend(&self.legend(timed));
        let free = figure.area;
        // the legend is aligned with the panels of the first grid
        if timed {
            figure.area = Rect { y1: free.y0 + 0.54 * free.height(), ..free };
        }
        let here = &self.prices.parts[self.period];
        let label = format!("Price above energy ({}/kWh)", self.study.currency());
        let along = Axis::from_zero(ends(here), 5, &label);
        let over_time = self.prices.over_time(self.dearest);
        let daily = Axis::from_zero(ends(&over_time), 5, &label);
        // both rows begin at the same place
        let room = along.widest().max(daily.widest());
        figure.area.x0 += room - along.widest();
        self.along_the_feeder(&mut figure, &along);
        if timed {
            figure.area = Rect { y0: free.y0 + 0.56 * free.height(), x0: free.x0 + room - daily.widest(), ..free };
            self.over_the_day(&mut figure, &daily, &over_time);
        }
        figure
    }

    fn legend(&self, timed: bool) -> Vec<Vec<Entry>> {
        let shown = PARTS.iter().filter(|(_, value, _)| self.drawn(*value));
        let mut parts: Vec<Entry> = shown.map(|(name, _, fill)| (Key::Fill(*fill), (*name).to_owned())).collect();
        parts.push((Key::Series(TOTAL, Mark::Disc), "Sum of the parts".into()));
        if !timed {
            return vec![parts];
        }
        let mut prices: Vec<Entry> = vec![
            (Key::Line(TOTAL), format!("Price at bus {}", self.prices.bus(self.dearest))),
            (Key::Line(CHEAPEST), format!("Price at bus {}", self.prices.bus(self.cheapest))),
            (Key::Line(ENERGY), "Energy price at the root".into()),
        ];
        if self.cheapest == self.dearest {
            prices.remove(1);
        }
        vec![parts, prices]
    }

    fn along_the_feeder(&self, figure: &mut Figure, y: &Axis) {
        let strands = &self.prices.strands;
        figure.shared_x_label("Bus");
        if strands.len() <= MOST_STRANDS && strands.iter().map(Vec::len).sum::<usize>() <= MOST_BARS {
            self.panel_per_strand(figure, y);
        } else {
            self.one_panel(figure, y);
        }
    }

    fn panel_per_strand(&self, figure: &mut Figure, y: &Axis) {
        let strands = &self.prices.strands;
        let mut panels: Vec<Panel> = strands
            .iter()
            .enumerate()
            .map(|(k, strand)| {
                let names: Vec<String> = strand.iter().map(u64::to_string).collect();
                let title = lettered(k, &named(strand, k == 0 && strands.len() > 1));
                let panel = Panel::new(Axis::categories(&names, ""), y.clone()).titled(&title);
                // less is too narrow for a title
                Panel { weight: strand.len().max(3) as f64, ..panel }
            })
            .collect();
        figure.grid(strands.len(), Sharing::Y, &mut panels);
        let mut rest = &self.prices.parts[self.period][..];
        for (panel, strand) in panels.iter().zip(strands) {
            let (own, others) = rest.split_at(strand.len());
            rest = others;
            let c = &mut figure.canvas;
            panel.back(c);
            for (k, parts) in own.iter().enumerate() {
                let (left, right) = (k as f64 - 0.42, k as f64 + 0.42);
                let (mut above, mut below) = (0.0, 0.0);
                for (_, value, fill) in PARTS {
                    let value = value(parts);
                    let base = if value >= 0.0 { &mut above } else { &mut below };
                    panel.bar(c, (left, *base), (right, *base + value), fill);
                    *base += value;
                }
            }
            let total: Vec<Pt> = own.iter().enumerate().map(|(k, p)| (k as f64, p.above_energy())).collect();
            panel.line(c, &total, HALO);
            panel.line(c, &total, TOTAL);
            for at in total {
                panel.mark(c, at, Mark::Disc, BLACK);
            }
            panel.front(c);
        }
    }

    /// The strands side by side without gaps, parted by lines.
    fn one_panel(&self, figure: &mut Figure, y: &Axis) {
        let strands = &self.prices.strands;
        let here = &self.prices.parts[self.period];
        let n = here.len() as f64;
        let starts: Vec<usize> = strands
            .iter()
            .scan(0, |next, s| {
                let start = *next;
                *next += s.len();
                Some(start)
            })
            .collect();
        // names stand where they have room: the ends of the trunk, then the beginning of each lateral
        let pitch = (self.study.width_mm(TWO_COLUMNS_MM) * MM - 40.0) / n;
        let wanted = [0, strands[0].len() - 1].into_iter().chain(starts.iter().copied().skip(1));
        let mut ticks: Vec<(usize, String)> = Vec::new();
        for place in wanted {
            let name = self.prices.bus(place).to_string();
            let apart = |other: &(usize, String)| {
                let half = f64::midpoint(text::width(&name, TICK_LABEL), text::width(&other.1, TICK_LABEL));
                place.abs_diff(other.0) as f64 * pitch > half + 4.0
            };
            if ticks.iter().all(apart) {
                ticks.push((place, name));
            }
        }
        let blank = ticks.iter().map(|(place, _)| (*place as f64 + 0.5, String::new())).collect();
        let x = Axis { low: 0.0, high: n, ticks: blank, minor: Vec::new(), label: String::new(), kind: Kind::Row };
        let mut panels = [Panel::new(x, y.clone()).titled(&lettered(0, "Trunk, then laterals"))];
        figure.grid(1, Sharing::None, &mut panels);
        let (panel, c) = (&panels[0], &mut figure.canvas);
        panel.back(c);
        stack(c, panel, here, 1.0);
        for (k, &start) in starts.iter().enumerate() {
            let total: Vec<Option<f64>> = (0..here.len())
                .map(|i| (i >= start && i < start + strands[k].len()).then(|| here[i].above_energy()))
                .collect();
            panel.steps(c, &total, 1.0, HALO);
            panel.steps(c, &total, 1.0, TOTAL);
        }
        for &start in &starts[1..] {
            let x = panel.px(start as f64);
            c.segment((x, panel.area.y0), (x, panel.area.y1), Stroke::new(WHITE, 1.4));
            c.segment((x, panel.area.y0), (x, panel.area.y1), Stroke::new(INK, MINOR_TICK_LINE));
        }
        panel.front(c);
        let baseline = panel.area.y1 + TICK + PAD_TICK + TICK_LABEL * ASCENT;
        for (place, name) in ticks {
            let x = panel.px(place as f64 + 0.5);
            if x + text::width(&name, TICK_LABEL) / 2.0 <= panel.area.x1 + 1.0 {
                c.text((x, baseline), Align::Center, TICK_LABEL, &name);
            }
        }
    }

    fn over_the_day(&self, figure: &mut Figure, y: &Axis, parts: &[PriceParts]) {
        let clock = self.study.clock;
        let there = self.prices.over_time(self.cheapest);
        let panels_above = if self.prices.strands.len() <= MOST_STRANDS { self.prices.strands.len() } else { 1 };
        let totals = |parts: &[PriceParts]| parts.iter().map(|p| Some(p.total())).collect::<Vec<_>>();
        let energy: Vec<Option<f64>> = parts.iter().map(|p| Some(p.energy)).collect();
        let (high, low) = (totals(parts), totals(&there));
        let prices = Axis::around(
            high.iter().chain(&low).chain(&energy).flatten().copied(),
            5,
            &format!("Price ({}/kWh)", self.study.currency()),
        );
        let letter = |k: usize, title: &str| lettered(panels_above + k, title);
        let mut panels = [
            Panel::new(clock.axis(""), y.clone())
                .titled(&letter(0, &format!("Parts at bus {}", self.prices.bus(self.dearest)))),
            Panel::new(clock.axis(""), prices).titled(&letter(1, "Prices")),
        ];
        figure.shared_x_label(clock.label);
        figure.grid(2, Sharing::None, &mut panels);
        let c = &mut figure.canvas;
        panels[0].back(c);
        stack(c, &panels[0], parts, clock.step);
        let above: Vec<Option<f64>> = parts.iter().map(|p| Some(p.above_energy())).collect();
        panels[0].steps(c, &above, clock.step, HALO);
        panels[0].steps(c, &above, clock.step, TOTAL);
        panels[0].front(c);
        panels[1].back(c);
        panels[1].steps(c, &energy, clock.step, ENERGY);
        panels[1].steps(c, &high, clock.step, TOTAL);
        if self.cheapest != self.dearest {
            panels[1].steps(c, &low, clock.step, CHEAPEST);
        }
        panels[1].front(c);
    }
}

/// Everything the axis of a stack must hold.
fn ends(parts: &[PriceParts]) -> Vec<f64> {
    let side = |p: &PriceParts, keep: fn(f64) -> bool| PARTS.iter().map(|(_, v, _)| v(p)).filter(|v| keep(*v)).sum();
    parts.iter().flat_map(|p| [side(p, |v| v > 0.0), side(p, |v| v < 0.0)]).collect()
}

/// The parts as stacked stairs: what is positive upwards from zero, what is negative downwards.
fn stack(c: &mut Canvas, panel: &Panel, parts: &[PriceParts], step: f64) {
    for sign in [1.0, -1.0] {
        let mut base = vec![0.0; parts.len()];
        for (_, value, fill) in PARTS {
            let top: Vec<f64> = base.iter().zip(parts).map(|(b, p)| b + sign * (sign * value(p)).max(0.0)).collect();
            panel.between_steps(c, &base, &top, step, fill);
            base = top;
        }
    }
}

/// "Trunk, buses 1–18"; of a lateral only the numbers, for there is little room.
fn named(strand: &[u64], trunk: bool) -> String {
    let consecutive = strand.windows(2).all(|w| w[1] == w[0] + 1);
    let numbers = match strand {
        [] => String::new(),
        [one] => one.to_string(),
        [first, .., last] if consecutive => format!("{first}\u{2013}{last}"),
        [first, ..] => format!("{first}, \u{2026}"),
    };
    if trunk { format!("Trunk, buses {numbers}") } else { numbers }
}
