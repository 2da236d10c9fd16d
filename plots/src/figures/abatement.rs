//! Abatement curves: emissions against the carbon price, a line per policy and a column of panels per mechanism; above
//! what is emitted, below what the policy's own accounts would make of it.

use super::{Absent, Basis, Picture, lettered, listed, shown_of};
use crate::axis::{Axis, range};
use crate::canvas::{Canvas, Stroke};
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::geometry::Pt;
use crate::panel::Panel;
use crate::study::{NO_POLICY, Study, largest};
use crate::style::{DATA_LINE, GREY, LIMIT_DASH, MARKER, ONE_COLUMN_MM, THIN_LINE, TWO_COLUMNS_MM, WHITE};
use coase_core::statistics::{Estimate, estimate};
use coase_store::RunStatus;
use std::collections::BTreeMap;

/// More lines cannot be told apart.
const MOST_LINES: usize = 6;
const MOST_COLUMNS: usize = 3;
const MOST_PICTURES: usize = 4;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    if study.store.metrics.iter().all(|m| m != PRICE) {
        return Err(Absent::NoData { column: PRICE });
    }
    let curves = curves(study);
    let varied = |p: usize| curves.iter().any(|c| c.policy == p && c.converged().count() > 1);
    let mut policies: Vec<usize> = curves.iter().map(|c| c.policy).filter(|p| varied(*p)).collect();
    policies.sort_unstable();
    policies.dedup();
    let mut mechanisms: Vec<usize> =
        curves.iter().filter(|c| policies.contains(&c.policy)).map(|c| c.mechanism).collect();
    mechanisms.sort_unstable();
    mechanisms.dedup();
    if policies.is_empty() {
        return Err(Absent::NoCarbonPrices);
    }
    let mut pages: Vec<(&[usize], &[usize])> =
        policies.chunks(MOST_LINES).flat_map(|p| mechanisms.chunks(MOST_COLUMNS).map(move |m| (p, m))).collect();
    let rest = shown_of(pages.len().min(MOST_PICTURES), pages.len(), "pictures", "the first");
    pages.truncate(MOST_PICTURES);
    let several = pages.len() > 1;
    let pictures = pages.iter().enumerate().map(|(page, (policies, mechanisms))| {
        let shown = curves.iter().filter(|c| policies.contains(&c.policy) && mechanisms.contains(&c.mechanism));
        let sheet = Sheet { study, curves: shown.collect(), policies, mechanisms };
        let qualifier = if several { (page + 1).to_string() } else { String::new() };
        Picture {
            qualifier,
            title: "Abatement curves".into(),
            caption: sheet.caption(&rest),
            canvas: sheet.draw().canvas,
        }
    });
    Ok(pictures.collect())
}

const PRICE: &str = "carbon_price_per_tonne";

/// The runs of a mechanism under a policy, by the price as it was applied.
struct Curve {
    mechanism: usize,
    policy: usize,
    points: Vec<Point>,
}

struct Point {
    /// Currency per tonne.
    price: f64,
    /// kg: emitted, and accounted for where the policy's own accounts say.
    emissions: [Option<Estimate>; 2],
    converged: bool,
}

impl Curve {
    fn converged(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|p| p.converged && p.emissions[0].is_some())
    }
}

/// What is emitted, and what the policy's accounts make of it: emissions without a policy less the fall of the charged
/// base, kg. Where the price is zero nothing is charged, and there are no accounts.
fn emissions(study: &Study, run: usize) -> [Option<f64>; 2] {
    let metric = |name| study.store.metric(run, name);
    let actual = metric("emissions_kg");
    let accounted = actual
        .zip(metric("actual_abatement_kg"))
        .zip(metric("accounted_abatement_kg"))
        .filter(|_| metric(PRICE).is_some_and(|price| price > 0.0))
        .map(|((emitted, abated), accounted)| emitted + abated - accounted);
    [actual, accounted]
}

/// Whether a swept column is a carbon price.
fn is_price(name: &str) -> bool {
    name.ends_with("price_factor") || name.ends_with("price_per_tonne")
}

/// The swept columns that are a carbon price: they stand on the axis, and the others stay at their point.
fn prices(study: &Study) -> Vec<usize> {
    let names = study.store.sweeps.iter().enumerate();
    names.filter(|(_, name)| is_price(name)).map(|(column, _)| column).collect()
}

fn curves(study: &Study) -> Vec<Curve> {
    /// Price, whether all converged, samples.
    type Sampled = (f64, bool, [Vec<f64>; 2]);
    let mut found: BTreeMap<(usize, usize), BTreeMap<(u64, bool), Sampled>> = BTreeMap::new();
    let free = prices(study);
    for (i, run) in study.store.runs.iter().enumerate() {
        if !study.has(run, &free) {
            continue;
        }
        let converged = match run.status {
            RunStatus::Converged => true,
            RunStatus::NotConverged => false,
            _ => continue,
        };
        let places = study.identity.mechanism(&run.variant).zip(study.identity.policy(&run.carbon_label));
        let (Some(cell), Some(price)) = (places, study.store.metric(i, PRICE)) else { continue };
        if price < 0.0 {
            continue;
        }
        // prices are not negative: their bits sort as they do
        let key = ((price + 0.0).to_bits(), converged);
        let sample = found.entry(cell).or_default().entry(key).or_insert((price, converged, Default::default()));
        for (values, value) in sample.2.iter_mut().zip(emissions(study, i)) {
            values.extend(value);
        }
    }
    let point =
        |(price, converged, samples): Sampled| Point { price, emissions: samples.map(|s| estimate(&s)), converged };
    found
        .into_iter()
        .map(|((mechanism, policy), points)| Curve {
            mechanism,
            policy,
            points: points.into_values().map(point).collect(),
        })
        .collect()
}

struct Sheet<'a> {
    study: &'a Study<'a>,
    curves: Vec<&'a Curve>,
    policies: &'a [usize],
    mechanisms: &'a [usize],
}

const WITHOUT: Stroke = Stroke::new(GREY, THIN_LINE).dashed(LIMIT_DASH);

impl Sheet<'_> {
    fn points(&self) -> impl Iterator<Item = &Point> {
        self.curves.iter().flat_map(|c| &c.points)
    }

    fn has_accounted(&self) -> bool {
        self.points().any(|p| p.emissions[1].is_some())
    }

    fn has_hollow(&self) -> bool {
        self.points().any(|p| !p.converged && p.emissions[0].is_some())
    }

    /// Emissions of a mechanism without a policy, kg.
    fn without_policy(&self, m: usize) -> Option<f64> {
        let none = self.study.policies.iter().find(|p| self.study.policy(**p).id == NO_POLICY)?;
        self.study.metric(m, *none, "emissions_kg").map(|e| e.mean)
    }

    fn caption(&self, rest: &str) -> String {
        let study = self.study;
        let names: Vec<String> = self.mechanisms.iter().map(|m| study.mechanism(*m).name.clone()).collect();
        let accounted = if self.has_accounted() {
            " Above: emissions of the whole feeder. Below: accounted emissions, E_0 - (B_0 - B), with the emissions E_0 and \
             the charged base B_0 without a policy and the charged base B with it. There are none at a price of zero."
        } else {
            ""
        };
        let hollow =
            if self.has_hollow() { " Hollow marks are runs that did not converge; no line passes them." } else { "" };
        let without = if self.mechanisms.iter().any(|m| self.without_policy(*m).is_some()) {
            " The dashed line is the outcome without a policy."
        } else {
            ""
        };
        let columns = study.store.sweeps.iter().enumerate().filter(|(_, name)| is_price(name)).map(|(k, _)| k);
        format!(
            "Emissions against the carbon price as applied, by carbon policy, under {}.{accounted}{without}{hollow}{rest}{}",
            listed(&names),
            study.footnote(&Basis::Along(columns.collect()))
        )
    }

    fn stroke(&self, p: usize) -> Stroke {
        let series = self.study.policy(p).series;
        Stroke::new(series.ink, DATA_LINE).dashed(series.dash)
    }

    fn legend(&self) -> Vec<Entry> {
        let key = |p: &usize| {
            (Key::Series(self.stroke(*p), self.study.policy(*p).series.mark), self.study.policy(*p).name.clone())
        };
        let mut out: Vec<Entry> = self.policies.iter().map(key).collect();
        if self.mechanisms.iter().any(|m| self.without_policy(*m).is_some()) {
            out.push((Key::Line(WITHOUT), "No carbon price".into()));
        }
        if self.has_hollow() {
            out.push((Key::Ring(WHITE), "Not converged".into()));
        }
        out
    }

    fn draw(&self) -> Figure {
        let study = self.study;
        let rows = if self.has_accounted() { 2 } else { 1 };
        let columns = self.mechanisms.len();
        let width = if columns == 1 { ONE_COLUMN_MM } else { TWO_COLUMNS_MM };
        let legend_rows = if columns == 1 { 4.0 } else { 2.0 };
        let mut figure = study.figure(width, 10.0 + 4.0 * legend_rows + 46.0 * f64::from(rows));
        figure.legend(&[self.legend()]);
        let (low, high) = range(self.points().map(|p| p.price)).unwrap_or((0.0, 1.0));
        // markers at the ends stay off the spines
        let (low, high) = if high > low { (low, high) } else { (low - 1.0, high + 1.0) };
        let room = 0.04 * (high - low);
        let steps = if columns == 3 { 4 } else { 6 };
        let x = Axis { low: low - room, high: high + room, ..Axis::linear(low, high, steps, "") };
        let of_row = |k: usize| {
            let without = self.mechanisms.iter().filter_map(|m| self.without_policy(*m));
            self.points().filter_map(move |p| p.emissions[k]).flat_map(|e| ends(&e)).chain(without).collect::<Vec<_>>()
        };
        let unit = study.carbon(largest((0..rows as usize).flat_map(of_row)));
        let mut panels: Vec<Panel> = Vec::new();
        for k in 0..rows as usize {
            let label = if rows == 1 { "Emissions" } else { ["Emissions", "Accounted emissions"][k] };
            let y = Axis::tight(of_row(k).iter().map(|v| v * unit.factor), &format!("{label} ({})", unit.label));
            for m in self.mechanisms {
                let name = &study.mechanism(*m).name;
                let title = if rows == 1 { name.clone() } else { format!("{name}, {}", ["actual", "accounted"][k]) };
                let title = if columns * rows as usize > 1 { lettered(panels.len(), &title) } else { title };
                panels.push(Panel::new(x.clone(), y.clone()).titled(&title));
            }
        }
        figure.shared_x_label(&format!("Carbon price ({}/t CO_2)", study.currency()));
        figure.grid(columns, Sharing::XAndY, &mut panels);
        for (i, panel) in panels.iter().enumerate() {
            let (k, m) = (i / columns, self.mechanisms[i % columns]);
            let c = &mut figure.canvas;
            panel.back(c);
            if let Some(v) = self.without_policy(m) {
                panel.line(c, &[(x.low, v * unit.factor), (x.high, v * unit.factor)], WITHOUT);
            }
            for curve in self.curves.iter().filter(|c| c.mechanism == m) {
                self.curve(c, panel, curve, k, unit.factor);
            }
            panel.front(c);
        }
        figure
    }

    fn curve(&self, c: &mut Canvas, panel: &Panel, curve: &Curve, k: usize, factor: f64) {
        let series = self.study.policy(curve.policy).series;
        let at = |p: &Point| p.emissions[k].map(|e| (p.price, e.mean * factor));
        let line: Vec<Pt> = curve.converged().filter_map(at).collect();
        // no line passes a price at which nothing was found
        for stretch in curve.points.split(|p| !p.converged) {
            let stretch: Vec<Pt> = stretch.iter().filter(|p| p.emissions[0].is_some()).filter_map(at).collect();
            panel.line(c, &stretch, self.stroke(curve.policy));
        }
        for p in curve.converged() {
            if let Some((low, high)) = p.emissions[k].and_then(|e| e.interval) {
                panel.interval_y(c, p.price, (low * factor, high * factor), series.ink);
            }
        }
        for p in line {
            panel.mark(c, p, series.mark, series.ink);
        }
        for p in curve.points.iter().filter(|p| !p.converged).filter_map(at).filter(|p| panel.shows(p.0, p.1)) {
            let p = panel.point(p.0, p.1);
            c.mark(p, series.mark, MARKER, series.ink);
            c.mark(p, series.mark, 0.45 * MARKER, WHITE);
        }
    }
}

fn ends(e: &Estimate) -> [f64; 2] {
    e.interval.map_or([e.mean; 2], |(a, b)| [a.min(e.mean), b.max(e.mean)])
}
