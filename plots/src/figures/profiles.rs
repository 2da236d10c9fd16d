//! Net positions and prices over the day, one column of panels per participant.

use super::spread::{Course, Point};
use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::axis::Axis;
use crate::canvas::{Fill, Stroke};
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::geometry::Rect;
use crate::panel::Panel;
use crate::store::PeriodRow;
use crate::study::{Study, largest, power};
use crate::style::{
    BLUE, DASHED, DATA_LINE, GREEN, GREY, INK, LIMIT_DASH, RED, REFERENCE_DASH, SHADE, SPINE, THIN_LINE,
    TWO_COLUMNS_MM, WHITE,
};
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
    // every seed where they differ, else the first alone
    let shown = |runs: &[usize]| runs[..if study.seeds_matter() { runs.len() } else { runs.len().min(1) }].to_vec();
    let runs = shown(study.runs(mechanism, policy));
    let baseline = study.baseline().filter(|b| *b != mechanism).map_or_else(Vec::new, |b| shown(study.runs(b, policy)));
    let of_seeds = |runs: &[usize]| runs.iter().map(|run| study.all_periods(*run)).collect::<Vec<_>>();
    let (own, without_trade) = (of_seeds(&runs), of_seeds(&baseline));
    let of_member = |seeds: &[Vec<Vec<PeriodRow>>], k: usize| -> Vec<Vec<PeriodRow>> {
        seeds.iter().map(|members| members[k].clone()).collect()
    };
    let members = study.participants.iter().enumerate();
    let profiles: Vec<Profile> = members
        .filter_map(|(k, i)| Profile::of(study, *i, &of_member(&own, k), &of_member(&without_trade, k)))
        .collect();
    match profiles.iter().map(|p| p.net.len()).max() {
        None => return Err(Absent::NoPeriods),
        Some(0 | 1) => return Err(Absent::OnePeriod),
        Some(_) => {}
    }
    let scene = Scene {
        study,
        profiles: &profiles,
        name: &study.mechanism(mechanism).name,
        with_baseline: !baseline.is_empty(),
    };
    let columns = ((study.width_mm(TWO_COLUMNS_MM) / COLUMN_MM) as usize).clamp(1, COLUMNS);
    let pages = profiles.chunks(columns).count();
    let rest =
        shown_of(profiles.len().min(MOST_PAGES * columns), profiles.len(), "participants", "the first of the scenario");
    let priced = where_priced(&profiles);
    let outside = outside_the_band(study, run);
    let banded = if scene.tariff(study.clock.periods).is_some_and(|tariff| scene.has_other_bands(&tariff)) {
        " Within the band a trade is better for the participant than the grid: carbon and fees of its terms are counted, carbon at the price \
         of its last kilogram."
    } else {
        ""
    };
    let pictures = profiles.chunks(columns).enumerate().map(|(page, chunk)| {
        let (mechanism, policy) = (&study.mechanism(mechanism).name, &study.policy(policy).name);
        Picture {
            qualifier: if pages > 1 { (page + 1).to_string() } else { String::new() },
            title: "Net positions and prices".into(),
            caption: format!(
                "Net export of {} {priced} under {mechanism}, carbon policy {policy}.{banded}{outside}{rest}{}{}",
                whom(chunk),
                study.footnote(if runs.len() > 1 { &Basis::PlainMeans } else { &Basis::OneRun }),
                if runs.len() > 1 {
                    " Around the net position 90 % of the seeds are shaded; prices are means of the seeds that have one."
                } else {
                    ""
                }
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
    /// Between which 90 % of the seeds lie, where they differ.
    spread: Option<Band>,
    baseline: Vec<Option<f64>>,
    buy: Vec<Option<f64>>,
    sell: Vec<Option<f64>>,
    /// Prices at which the grid is as good as a peer, for selling and for buying.
    outside: [Vec<Option<f64>>; 2],
    /// Whether anything is bought from or sold to peers.
    traded: Vec<bool>,
}

impl Profile {
    /// From its rows of every seed, and those without trade.
    fn of(study: &Study, participant: usize, rows: &[Vec<PeriodRow>], base: &[Vec<PeriodRow>]) -> Option<Profile> {
        if rows.iter().all(Vec::is_empty) {
            return None;
        }
        let n = study.clock.periods;
        let course = |rows: &[Vec<PeriodRow>], value: &dyn Fn(&PeriodRow) -> Option<f64>| {
            let of_seed = |rows: &Vec<PeriodRow>| {
                let mut out = vec![None; n];
                for r in rows {
                    out[r.period] = value(r);
                }
                out
            };
            Course::over(&rows.iter().map(of_seed).collect::<Vec<_>>())
        };
        let series = |rows: &[Vec<PeriodRow>], value: &dyn Fn(&PeriodRow) -> Option<f64>| {
            let mut means: Vec<Option<f64>> = course(rows, value).points.iter().map(|p| p.map(|p| p.mean)).collect();
            means.resize(n, None);
            means
        };
        let net = course(rows, &|r| r.net_export_kw);
        let known: Option<Vec<Point>> = net.points.iter().copied().collect();
        let spread = known.filter(|_| net.differs());
        Some(Profile {
            title: study.participant(participant).name.clone(),
            spread: spread
                .map(|points| (points.iter().map(|p| p.low).collect(), points.iter().map(|p| p.high).collect())),
            net: series(rows, &|r| r.net_export_kw),
            baseline: series(base, &|r| r.net_export_kw),
            buy: series(rows, &|r| r.price_buy_per_kwh),
            sell: series(rows, &|r| r.price_sell_per_kwh),
            outside: [series(rows, &|r| r.grid_sell_per_kwh), series(rows, &|r| r.grid_buy_per_kwh)],
            traded: {
                let volume = series(rows, &|r| Some(r.p2p_sold_kw.unwrap_or(0.0) + r.p2p_bought_kw.unwrap_or(0.0)));
                volume.iter().map(|v| v.unwrap_or(0.0).abs() > 1e-6).collect()
            },
        })
    }

    fn power(&self) -> impl Iterator<Item = f64> {
        let spread = self.spread.iter().flat_map(|(low, high)| low.iter().chain(high).copied());
        self.net.iter().chain(&self.baseline).flatten().copied().chain(spread)
    }

    /// Between which prices a trade is better than the grid, where its rows tell of every period.
    fn band(&self) -> Option<Band> {
        let known = |of: &[Option<f64>]| of.iter().copied().collect::<Option<Vec<f64>>>();
        Some((known(&self.outside[0])?, known(&self.outside[1])?))
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

/// A lower and an upper price by period.
type Band = (Vec<f64>, Vec<f64>);

/// Buying and selling prices of every period where they are the same for several participants, and the band around them as well.
fn common_prices(shown: &[Profile]) -> Option<[Vec<Option<f64>>; 2]> {
    let [first, rest @ ..] = shown else { return None };
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1.0 + a.abs());
    let band = first.band();
    let same_band = |other: &Profile| match (&band, other.band()) {
        (Some(a), Some(b)) => {
            a.0.iter().zip(&b.0).all(|(a, b)| near(*a, *b)) && a.1.iter().zip(&b.1).all(|(a, b)| near(*a, *b))
        }
        (a, b) => a.is_none() && b.is_none(),
    };
    if rest.is_empty() || !rest.iter().all(same_band) {
        return None;
    }
    let common = |of: fn(&Profile) -> &Vec<Option<f64>>| {
        let mut price = of(first).clone();
        for other in rest {
            for (known, next) in price.iter_mut().zip(of(other)) {
                match (*known, next) {
                    (Some(a), Some(b)) if !near(a, *b) => return None,
                    (None, next) => *known = *next,
                    _ => {}
                }
            }
        }
        Some(price)
    };
    Some([common(|p| &p.buy)?, common(|p| &p.sell)?])
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
        let other_bands = tariff.as_ref().is_some_and(|tariff| self.has_other_bands(tariff));
        let tariff_line = Stroke::new(GREY, SPINE).dashed(LIMIT_DASH);
        if priced && other_bands {
            entries.push((Key::Fill(Fill::new(SHADE)), "Better than the grid, carbon counted".into()));
            entries.push((Key::Line(tariff_line), "Feed-in and retail price".into()));
        } else if priced && tariff.is_some() {
            entries.push((Key::Fill(Fill::new(SHADE)), "Feed-in to retail price".into()));
        }
        figure.legend(&[entries]);

        let hours = || clock.axis("");
        let power_axis = Axis::from_zero(
            self.profiles.iter().flat_map(Profile::power).map(|v| v * unit.factor),
            5,
            &format!("Net export ({})", unit.label),
        );
        let bands: Vec<Band> = self.profiles.iter().filter_map(Profile::band).filter(|_| other_bands).collect();
        let corridor = tariff.iter().chain(&bands).flat_map(|(low, high)| low.iter().chain(high)).copied();
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
        // prices that are the same for everybody are drawn once
        let common = common_prices(shown).filter(|_| priced);
        if priced && common.is_none() {
            panels.extend(shown.iter().map(|_| Panel::new(hours(), price_axis.clone())));
        }
        let free = figure.area;
        if common.is_some() {
            figure.area.y1 = f64::midpoint(free.y0, free.y1) - 6.0;
        } else {
            figure.shared_x_label(clock.label);
        }
        figure.grid(shown.len(), Sharing::XAndY, &mut panels);
        if common.is_some() {
            figure.area = Rect { y0: f64::midpoint(free.y0, free.y1), ..free };
            figure.shared_x_label(clock.label);
            let below = Panel::new(hours(), price_axis.clone()).titled("Prices, the same for all");
            panels.push(figure.single(below));
        }

        let c = &mut figure.canvas;
        for (profile, panel) in shown.iter().zip(&panels) {
            let scaled = |values: &[Option<f64>]| values.iter().map(|v| v.map(|v| v * unit.factor)).collect::<Vec<_>>();
            let net = scaled(&profile.net);
            let solid: Vec<f64> = net.iter().map(|v| v.unwrap_or(0.0)).collect();
            panel.between_steps(c, &vec![0.0; solid.len()], &solid, clock.step, tint);
            if let Some((low, high)) = &profile.spread {
                let scaled = |values: &[f64]| values.iter().map(|v| v * unit.factor).collect::<Vec<_>>();
                panel.between_steps(c, &scaled(low), &scaled(high), clock.step, Fill::new(BLUE.mix(WHITE, 0.6)));
            }
            panel.back(c);
            panel.steps(c, &net, clock.step, net_line);
            panel.steps(c, &scaled(&profile.baseline), clock.step, baseline_line);
            panel.front(c);
        }
        for (profile, panel) in shown.iter().zip(panels.iter().skip(shown.len())) {
            if let Some((low, high)) = profile.band().filter(|_| other_bands).as_ref().or(tariff.as_ref()) {
                panel.between_steps(c, low, high, clock.step, Fill::new(SHADE));
            }
            panel.back(c);
            if let Some((low, high)) = tariff.as_ref().filter(|_| other_bands) {
                let known = |of: &[f64]| of.iter().copied().map(Some).collect::<Vec<_>>();
                panel.steps(c, &known(low), clock.step, tariff_line);
                panel.steps(c, &known(high), clock.step, tariff_line);
            }
            if let Some([buy, sell]) = common.as_ref().filter(|_| !one_price) {
                panel.steps(c, sell, clock.step, selling_line);
                panel.steps(c, buy, clock.step, price_line);
            } else if let Some([buy, sell]) = &common {
                let either: Vec<Option<f64>> = buy.iter().zip(sell).map(|(b, s)| b.or(*s)).collect();
                panel.steps(c, &either, clock.step, price_line);
            } else if one_price {
                panel.steps(c, &profile.either(), clock.step, price_line);
            } else {
                panel.steps(c, &profile.sell, clock.step, selling_line);
                panel.steps(c, &profile.buy, clock.step, price_line);
            }
            panel.front(c);
        }
        figure
    }

    /// Whether carbon or fees move the band of any participant away from the tariff.
    fn has_other_bands(&self, tariff: &Band) -> bool {
        let near = |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
        let bands = self.profiles.iter().filter_map(Profile::band);
        bands.into_iter().any(|(low, high)| !near(&low, &tariff.0) || !near(&high, &tariff.1))
    }

    /// Feed-in and retail price of every period, where the manifest tells.
    fn tariff(&self, periods: usize) -> Option<Band> {
        let facts = &self.study.facts;
        let (low, high) = (&facts.sell_price_per_kwh, &facts.buy_price_per_kwh);
        (low.len() == periods && high.len() == periods).then(|| (low.clone(), high.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Profile, common_prices};

    fn profile(buy: [Option<f64>; 2], upper: f64) -> Profile {
        Profile {
            title: String::new(),
            net: vec![],
            spread: None,
            baseline: vec![],
            buy: buy.to_vec(),
            sell: vec![Some(0.2); 2],
            outside: [vec![Some(0.1); 2], vec![Some(upper); 2]],
            traded: vec![true; 2],
        }
    }

    #[test]
    fn prices_are_drawn_once_where_they_and_the_bands_are_the_same_for_all() {
        let (a, b) = ([Some(0.3), None], [None, Some(0.4)]);
        let common = common_prices(&[profile(a, 0.5), profile(b, 0.5)]).unwrap();
        assert_eq!(common, [vec![Some(0.3), Some(0.4)], vec![Some(0.2); 2]]);
        assert_eq!(common_prices(&[profile(a, 0.5), profile([Some(0.31), None], 0.5)]), None);
        assert_eq!(common_prices(&[profile(a, 0.5), profile(a, 0.6)]), None);
        assert_eq!(common_prices(&[profile(a, 0.5)]), None);
    }
}
