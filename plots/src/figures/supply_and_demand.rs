//! Bids of a period as stairs of demand and supply, with what was traded, what was paid, and who has the gain.

use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::axis::{Axis, range};
use crate::canvas::{Canvas, Fill, Stroke};
use crate::color::Rgb;
use crate::figure::{Key, Sharing};
use crate::geometry::Pt;
use crate::panel::Panel;
use crate::store::{CurveRows, PeriodRow};
use crate::study::Study;
use crate::style::{BLUE, DATA_LINE, GREY, Hatch, INK, RED, REFERENCE_DASH, THIN_LINE, TWO_COLUMNS_MM, WHITE};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Panels side by side.
const MOST_PANELS: usize = 3;
/// Energy below this is none, kWh.
const NOTHING: f64 = 1e-9;
/// Bids far to the right of what is traded are cut: so many times the greatest traded quantity are shown.
const TIMES_TRADED: f64 = 2.0;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policies = study.reference_policy().into_iter().chain(study.policies.iter().copied());
    let (policy, books) =
        policies.map(|p| (p, books(study, p))).find(|(_, books)| !books.is_empty()).ok_or(Absent::NoCurves)?;
    // The period in which the bids are worth most, summed over mechanisms: all are shown in the same one.
    let mut worth: BTreeMap<usize, f64> = BTreeMap::new();
    for book in &books {
        for (period, bids) in &book.periods {
            *worth.entry(*period).or_default() += bids.gain();
        }
    }
    let period = worth.iter().fold(None, |best: Option<(usize, f64)>, (period, gain)| match best {
        Some((_, most)) if most >= *gain => best,
        _ => Some((*period, *gain)),
    });
    let (period, _) = period.filter(|(_, gain)| *gain > NOTHING).ok_or(Absent::NoCurves)?;
    let drawn: Vec<&Book> = books.iter().filter(|book| book.periods.contains_key(&period)).take(MOST_PANELS).collect();
    let mut caption = String::from("Bids of demand and supply, and what is traded");
    if study.clock.periods > 1 {
        let _ = write!(caption, " in {}", study.clock.named(period));
    }
    let _ = write!(
        caption,
        ", carbon policy {}. Areas are the gains of buyers and sellers and what the operator keeps or adds.",
        study.policy(policy).name
    );
    caption += &shown_of(drawn.len(), books.len(), "mechanisms that clear bids", "the first");
    caption += &study.footnote(&Basis::OneRun);
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Supply and demand".into(),
        caption,
        canvas: page(study, &drawn, period),
    }])
}

/// A step of stairs: where it begins and ends, kWh, and its height.
type Step = (f64, f64, f64);

/// The bids of one period, best first.
#[derive(Default)]
struct Bids {
    demand: Vec<(String, Step)>,
    supply: Vec<(String, Step)>,
}

impl Bids {
    /// What all worthwhile trades would gain.
    fn gain(&self) -> f64 {
        let (mut sum, mut at) = (0.0, 0.0);
        let (mut d, mut s) = (0, 0);
        while let (Some((_, bid)), Some((_, ask))) = (self.demand.get(d), self.supply.get(s)) {
            if bid.2 <= ask.2 {
                break;
            }
            let end = bid.1.min(ask.1);
            sum += (end - at) * (bid.2 - ask.2);
            at = end;
            d += usize::from(bid.1 <= end);
            s += usize::from(ask.1 <= end);
        }
        sum
    }
}

/// The bids that a mechanism cleared, and what came of them.
struct Book {
    run: usize,
    mechanism: usize,
    periods: BTreeMap<usize, Bids>,
}

fn books(study: &Study, policy: usize) -> Vec<Book> {
    let of = |mechanism: usize| {
        let run = *study.runs(mechanism, policy).first()?;
        let mut periods: BTreeMap<usize, Bids> = BTreeMap::new();
        for CurveRows { name, participant, period, points, .. } in study.store.curves(run) {
            let (Some(period), [(from, price), (to, _)]) = (period, &points[..]) else { continue };
            let side = match name.as_str() {
                "demand" => &mut periods.entry(period).or_default().demand,
                "supply" => &mut periods.entry(period).or_default().supply,
                _ => continue,
            };
            side.push((participant, (*from, *to, *price)));
        }
        (!periods.is_empty()).then_some(Book { run, mechanism, periods })
    };
    study.trading().into_iter().filter_map(of).collect()
}

/// What one side traded: by quantity, what it is worth (or costs), and what was paid (or received).
struct Traded {
    worth: Vec<Step>,
    paid: Vec<Step>,
}

/// What each participant traded, on its own best blocks; the best blocks of all come first.
fn traded(side: &[(String, Step)], fills: &BTreeMap<String, (f64, f64)>, sells: bool) -> Traded {
    let mut left: BTreeMap<&str, f64> = fills.iter().map(|(who, fill)| (who.as_str(), fill.0)).collect();
    let mut blocks: Vec<(f64, f64, f64)> = vec![];
    for (who, (from, to, height)) in side {
        let Some(left) = left.get_mut(who.as_str()) else { continue };
        let part = left.min(to - from);
        if part > NOTHING {
            blocks.push((part, *height, fills[who].1));
            *left -= part;
        }
    }
    let sign = if sells { 1.0 } else { -1.0 };
    blocks.sort_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)));
    let stairs = |height: fn(&(f64, f64, f64)) -> f64| {
        let mut at = 0.0;
        let step = |block: &(f64, f64, f64)| {
            let from = at;
            at += block.0;
            (from, at, height(block))
        };
        blocks.iter().map(step).collect()
    };
    Traded { worth: stairs(|b| b.1), paid: stairs(|b| b.2) }
}

/// What a participant paid or received per kWh where the only period is all that it did: rules that settle everybody by itself
/// carry no price in their trades.
fn paid_in_all(study: &Study, run: usize, participant: &str, kwh: f64) -> Option<f64> {
    let row = study.store.participants.iter().find(|row| row.run == run && row.participant == participant)?;
    (study.clock.periods == 1).then_some(row.payment?.abs() / kwh)
}

fn corners(steps: &[Step]) -> Vec<Pt> {
    steps.iter().flat_map(|(from, to, height)| [(*from, *height), (*to, *height)]).collect()
}

/// Stairs with the edge at their end, where nobody bids any more.
fn stairs(steps: &[Step], last: f64) -> Vec<Pt> {
    let mut points = corners(steps);
    points.extend(steps.last().map(|step| (step.1, last)));
    points
}

fn end(steps: &[Step]) -> f64 {
    steps.last().map_or(0.0, |step| step.1)
}

/// Fills what lies between two stairs.
fn between(panel: &Panel, c: &mut Canvas, upper: &[Step], lower: &[Step], fill: Fill) {
    let there = corners(upper);
    let back = corners(lower);
    let points: Vec<Pt> = there.into_iter().chain(back.into_iter().rev()).map(|(x, y)| panel.point(x, y)).collect();
    if points.len() > 2 {
        c.clipped(panel.area, |c| c.polygon(&points, fill));
    }
}

const BUYERS: Fill = Fill { color: Rgb::hex(0xBFE3F7), hatch: Hatch::None, edge: None };
const SELLERS: Fill = Fill { color: Rgb::hex(0xF6DDA6), hatch: Hatch::Forward, edge: None };
const OPERATOR: Fill = Fill { color: WHITE, hatch: Hatch::Dots, edge: None };
const DEFICIT: Fill = Fill { color: Rgb::hex(0xF2C4A8), hatch: Hatch::Cross, edge: None };

fn page(study: &Study, books: &[&Book], period: usize) -> Canvas {
    let hours = study.facts.period_h.unwrap_or(1.0);
    let mut sides = vec![];
    for book in books {
        let bids = &book.periods[&period];
        let (mut buys, mut sells) = (BTreeMap::new(), BTreeMap::new());
        for row in study.store.periods(book.run).iter().filter(|row| row.period == period && row.product == "energy") {
            let PeriodRow { participant, p2p_bought_kw, p2p_sold_kw, price_buy_per_kwh, price_sell_per_kwh, .. } = row;
            let fill = |kw: &Option<f64>, price: &Option<f64>| {
                let kwh = kw.filter(|kw| *kw > 0.0)? * hours;
                Some((kwh, price.or_else(|| paid_in_all(study, book.run, participant, kwh))?))
            };
            if let Some(bought) = fill(p2p_bought_kw, price_buy_per_kwh) {
                buys.insert(participant.clone(), bought);
            }
            if let Some(sold) = fill(p2p_sold_kw, price_sell_per_kwh) {
                sells.insert(participant.clone(), sold);
            }
        }
        sides.push((traded(&bids.demand, &buys, false), traded(&bids.supply, &sells, true)));
    }
    let most = sides.iter().map(|(b, s)| end(&b.worth).max(end(&s.worth))).fold(0.0, f64::max);
    let all = |of: fn(&Bids) -> &Vec<(String, Step)>| books.iter().flat_map(move |book| of(&book.periods[&period]));
    let widest = all(|b| &b.demand).chain(all(|b| &b.supply)).map(|(_, step)| step.1).fold(0.0, f64::max);
    let right = if most > NOTHING { widest.min(TIMES_TRADED * most) } else { widest };
    let shown = |steps: Vec<(String, Step)>| -> Vec<Step> {
        let cut = |step: Step| (step.0 < right).then_some((step.0, step.1.min(right), step.2));
        steps.into_iter().filter_map(|(_, step)| cut(step)).collect()
    };
    let heights = all(|b| &b.demand).chain(all(|b| &b.supply)).filter(|(_, s)| s.0 < right).map(|(_, s)| s.2);
    let (low, high) = range(heights.collect::<Vec<_>>()).unwrap_or((0.0, 1.0));
    let room = 0.06 * (high - low).max(1e-3 * high.abs());
    let y = Axis::tight([low - room, high + room], &format!("Price ({}/kWh)", study.currency()));
    let x = Axis::from_zero([1.08 * right], 5, "Energy (kWh)");
    let mut figure = study.figure(TWO_COLUMNS_MM, 66.0);
    let (demand, supply) = (Stroke::new(BLUE, DATA_LINE), Stroke::new(INK, DATA_LINE));
    let paid = Stroke::new(RED, THIN_LINE);
    let mut keys = vec![
        (Key::Line(demand), "demand".to_owned()),
        (Key::Line(supply), "supply".to_owned()),
        (Key::Line(paid), "paid and received".to_owned()),
        (Key::Fill(BUYERS), "buyers' gain".to_owned()),
        (Key::Fill(SELLERS), "sellers' gain".to_owned()),
    ];
    let money = |steps: &[Step]| steps.iter().map(|(from, to, price)| (to - from) * price).sum::<f64>();
    let budgets: Vec<f64> = sides.iter().map(|(buys, sells)| money(&buys.paid) - money(&sells.paid)).collect();
    if budgets.iter().any(|kept| *kept > NOTHING) {
        keys.push((Key::Fill(OPERATOR.edged()), "operator's surplus".to_owned()));
    }
    if budgets.iter().any(|kept| *kept < -NOTHING) {
        keys.push((Key::Fill(DEFICIT), "operator's deficit".to_owned()));
    }
    figure.legend(&[keys]);
    let panel = |(k, book): (usize, &&Book)| {
        Panel::new(x.clone(), y.clone()).titled(&lettered(k, &study.mechanism(book.mechanism).name))
    };
    let mut panels: Vec<Panel> = books.iter().enumerate().map(panel).collect();
    figure.grid(panels.len(), Sharing::XAndY, &mut panels);
    for (((panel, book), (buys, sells)), kept) in panels.iter().zip(books).zip(&sides).zip(budgets) {
        let c = &mut figure.canvas;
        let bids = &book.periods[&period];
        panel.back(c);
        between(panel, c, &buys.worth, &buys.paid, BUYERS);
        between(panel, c, &sells.paid, &sells.worth, SELLERS);
        if kept.abs() > NOTHING {
            between(panel, c, &buys.paid, &sells.paid, if kept < 0.0 { DEFICIT } else { OPERATOR });
        }
        panel.line(c, &stairs(&shown(bids.demand.clone()), y.low), demand);
        panel.line(c, &stairs(&shown(bids.supply.clone()), y.high), supply);
        for side in [&buys.paid, &sells.paid] {
            panel.line(c, &corners(side), paid);
        }
        let traded = end(&buys.worth);
        if traded > NOTHING {
            panel.line(c, &[(traded, y.low), (traded, y.high)], Stroke::new(GREY, THIN_LINE).dashed(REFERENCE_DASH));
        }
        panel.front(c);
    }
    figure.canvas
}
