//! Net positions and prices over the day, one column of panels per participant.

use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::axis::Axis;
use crate::canvas::{Fill, Stroke};
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::panel::Panel;
use crate::store::PeriodRow;
use crate::study::{Study, largest, power};
use crate::style::{BLUE, DASHED, DATA_LINE, GREEN, INK, RED, REFERENCE_DASH, SHADE, THIN_LINE, TWO_COLUMNS_MM, WHITE};
use crate::text::literal;

/// More participants go into further figures.
const COLUMNS: usize = 6;
/// Width that a participant needs, mm.
const COLUMN_MM: f64 = 30.0;
/// A handful of pages is read, more is a data set.
const MOST_PAGES: usize = 4;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policy = study.reference_policy().ok_or(Absent::NoRun)?;
    let mechanism = study.best_market(policy).ok_or(Absent::NoRun)?;
    let run = *study.runs(mechanism, policy).first().ok_or(Absent::NoRun)?;
    let baseline = study.baseline().filter(|b| *b != mechanism).and_then(|b| study.runs(b, policy).first().copied());
    let without_trade = baseline.map_or_else(Vec::new, |b| study.all_periods(b));
    let own = study.participants.iter().zip(study.all_periods(run)).enumerate();
    let profiles: Vec<Profile> = own
        .filter_map(|(k, (i, rows))| Profile::of(study, *i, &rows, without_trade.get(k).map_or(&[], Vec::as_slice)))
        .collect();
    match profiles.iter().map(|p| p.net.len()).max() {
        None => return Err(Absent::NoPeriods),
        Some(0 | 1) => return Err(Absent::OnePeriod),
        Some(_) => {}
    }
    let scene =
        Scene { study, profiles: &profiles, name: &study.mechanism(mechanism).name, with_baseline: baseline.is_some() };
    let columns = ((study.width_mm(TWO_COLUMNS_MM) / COLUMN_MM) as usize).clamp(1, COLUMNS);
    let pages = profiles.chunks(columns).count();
    let rest =
        shown_of(profiles.len().min(MOST_PAGES * columns), profiles.len(), "participants", "the first of the scenario");
    let priced = where_priced(&profiles);
    let outside = outside_the_band(study, run);
    let pictures = profiles.chunks(columns).enumerate().map(|(page, chunk)| {
        let (mechanism, policy) = (&study.mechanism(mechanism).name, &study.policy(policy).name);
        Picture {
            qualifier: if pages > 1 { (page + 1).to_string() } else { String::new() },
            title: "Net positions and prices".into(),
            caption: format!(
                "Net export of {} {priced} under {mechanism}, carbon policy {policy}.{outside}{rest}{}",
                whom(chunk),
                study.footnote(&Basis::OneRun)
            ),
            canvas: scene.draw(chunk).canvas,
        }
    });
    Ok(pictures.take(MOST_PAGES).collect())
}

/// The participants of a page, by their first and last name where they are many.
fn whom(shown: &[Profile]) -> String {
    match shown {
        [one] => one.title.clone(),
        [first, .., last] => format!("the participants {} to {}", first.title, last.title),
        [] => "the participants".to_owned(),
    }
}

/// Why a price leaves the band of the tariff, in the words of the run.
fn outside_the_band(study: &Study, run: usize) -> String {
    let found = study.store.certificates(run).into_iter().find(|c| c.name == "price_outside_band");
    found.map_or_else(String::new, |c| format!(" A price leaves the tariff's band: {}.", literal(&c.witness)))
}

/// What the lower panels show: said only where it is so.
fn where_priced(profiles: &[Profile]) -> &'static str {
    let periods = || profiles.iter().flat_map(|p| p.traded.iter().zip(p.either()));
    let priced = periods().any(|(_, price)| price.is_some());
    let without_trade = periods().any(|(traded, price)| price.is_some() && !traded);
    let gaps = periods().any(|(_, price)| price.is_none());
    match (priced, without_trade, gaps) {
        (false, ..) => "(nothing is priced)",
        (true, true, _) => "(above) and the prices they face (below), which stand also where nothing is traded,",
        (true, false, true) => "(above) and the prices they trade at (below; none where nothing is traded)",
        (true, false, false) => "(above) and the prices they trade at (below)",
    }
}

struct Profile {
    title: String,
    net: Vec<Option<f64>>,
    baseline: Vec<Option<f64>>,
    buy: Vec<Option<f64>>,
    sell: Vec<Option<f64>>,
    /// Whether anything is bought from or sold to peers.
    traded: Vec<bool>,
}

impl Profile {
    /// From its rows, and those without trade.
    fn of(study: &Study, participant: usize, rows: &[PeriodRow], base: &[PeriodRow]) -> Option<Profile> {
        if rows.is_empty() {
            return None;
        }
        let n = study.clock.periods;
        let series = |rows: &[PeriodRow], value: &dyn Fn(&PeriodRow) -> Option<f64>| {
            let mut out = vec![None; n];
            for r in rows {
                out[r.period] = value(r);
            }
            out
        };
        Some(Profile {
            title: study.participant(participant).name.clone(),
            net: series(rows, &|r| r.net_export_kw),
            baseline: series(base, &|r| r.net_export_kw),
            buy: series(rows, &|r| r.price_buy_per_kwh),
            sell: series(rows, &|r| r.price_sell_per_kwh),
            traded: {
                let volume = series(rows, &|r| Some(r.p2p_sold_kw.unwrap_or(0.0) + r.p2p_bought_kw.unwrap_or(0.0)));
                volume.iter().map(|v| v.unwrap_or(0.0).abs() > 1e-6).collect()
            },
        })
    }

    fn power(&self) -> impl Iterator<Item = f64> {
        self.net.iter().chain(&self.baseline).flatten().copied()
    }

    fn prices(&self) -> impl Iterator<Item = f64> {
        self.buy.iter().chain(&self.sell).flatten().copied()
    }

    fn one_price(&self) -> bool {
        self.buy.iter().zip(&self.sell).all(|(b, s)| match (b, s) {
            (Some(b), Some(s)) => (b - s).abs() <= 1e-6 * (1.0 + b.abs()),
            _ => true,
        })
    }

    /// The one price of each period, whichever side states it.
    fn either(&self) -> Vec<Option<f64>> {
        self.buy.iter().zip(&self.sell).map(|(b, s)| b.or(*s)).collect()
    }
}

struct Scene<'a> {
    study: &'a Study<'a>,
    profiles: &'a [Profile],
    name: &'a str,
    with_baseline: bool,
}

/// From here on lines are thin: their steps are narrower than a full line is wide.
const MANY_PERIODS: usize = 72;

impl Scene<'_> {
    fn draw(&self, shown: &[Profile]) -> Figure {
        let clock = self.study.clock;
        let wide = if clock.periods < MANY_PERIODS { DATA_LINE } else { THIN_LINE };
        let net_line = Stroke::new(BLUE, wide);
        let baseline_line = Stroke::new(INK, wide.min(THIN_LINE)).dashed(REFERENCE_DASH);
        let price_line = Stroke::new(RED, wide);
        let selling_line = Stroke::new(GREEN, wide).dashed(DASHED);
        // axes are those of all participants, so that pages compare
        let most = largest(self.profiles.iter().flat_map(Profile::power));
        let unit = power(most);
        let tariff = self.tariff(clock.periods);
        let one_price = self.profiles.iter().all(Profile::one_price);
        let priced = self.profiles.iter().any(|p| p.prices().next().is_some());
        let tint = Fill::new(BLUE.mix(WHITE, 0.84));

        let mut figure = Figure::new(self.study.width_mm(TWO_COLUMNS_MM), if priced { 88.0 } else { 52.0 });
        let mut entries: Vec<Entry> = vec![(Key::Band(net_line, tint), format!("Net position, {}", self.name))];
        if self.with_baseline {
            entries.push((Key::Line(baseline_line), "Net position, grid only".into()));
        }
        if priced && one_price {
            entries.push((Key::Line(price_line), "P2P price".into()));
        } else if priced {
            entries.push((Key::Line(price_line), "Buying price".into()));
            entries.push((Key::Line(selling_line), "Selling price".into()));
        }
        if priced && tariff.is_some() {
            entries.push((Key::Fill(Fill::new(SHADE)), "Feed-in to retail price".into()));
        }
        figure.legend(&[entries]);

        let hours = || clock.axis("");
        let power_axis = Axis::from_zero(
            self.profiles.iter().flat_map(Profile::power).map(|v| v * unit.factor),
            5,
            &format!("Net export ({})", unit.label),
        );
        let corridor = tariff.iter().flat_map(|(low, high)| low.iter().chain(high)).copied();
        let price_axis = Axis::from_zero(
            self.profiles.iter().flat_map(Profile::prices).chain(corridor),
            5,
            &format!("Price ({}/kWh)", self.study.currency()),
        );
        let mut panels: Vec<Panel> = shown
            .iter()
            .enumerate()
            .map(|(i, p)| Panel::new(hours(), power_axis.clone()).titled(&lettered(i, &p.title)))
            .collect();
        if priced {
            panels.extend(shown.iter().map(|_| Panel::new(hours(), price_axis.clone())));
        }
        figure.shared_x_label(clock.label);
        figure.grid(shown.len(), Sharing::XAndY, &mut panels);

        let c = &mut figure.canvas;
        for (profile, panel) in shown.iter().zip(&panels) {
            let scaled = |values: &[Option<f64>]| values.iter().map(|v| v.map(|v| v * unit.factor)).collect::<Vec<_>>();
            let net = scaled(&profile.net);
            let solid: Vec<f64> = net.iter().map(|v| v.unwrap_or(0.0)).collect();
            panel.between_steps(c, &vec![0.0; solid.len()], &solid, clock.step, tint);
            panel.back(c);
            panel.steps(c, &net, clock.step, net_line);
            panel.steps(c, &scaled(&profile.baseline), clock.step, baseline_line);
            panel.front(c);
        }
        for (profile, panel) in shown.iter().zip(panels.iter().skip(shown.len())) {
            if let Some((low, high)) = &tariff {
                panel.between_steps(c, low, high, clock.step, Fill::new(SHADE));
            }
            panel.back(c);
            if one_price {
                panel.steps(c, &profile.either(), clock.step, price_line);
            } else {
                panel.steps(c, &profile.sell, clock.step, selling_line);
                panel.steps(c, &profile.buy, clock.step, price_line);
            }
            panel.front(c);
        }
        figure
    }

    /// Feed-in and retail price of every period, where the manifest tells.
    fn tariff(&self, periods: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let facts = &self.study.facts;
        let (low, high) = (&facts.sell_price_per_kwh, &facts.buy_price_per_kwh);
        (low.len() == periods && high.len() == periods).then(|| (low.clone(), high.clone()))
    }
}
