//! What auctions give up and what they earn: the operator's budget against the efficiency, and both against the size of the market.

use super::{Absent, Basis, Picture, lettered, listed, shown_of};
use crate::axis::{Axis, Kind, range};
use crate::canvas::Stroke;
use crate::figure::{Entry, Key, Sharing};
use crate::panel::Panel;
use crate::store::Run;
use crate::study::Study;
use crate::style::{DATA_LINE, TWO_COLUMNS_MM};
use crate::text::{literal, number};
use coase_core::statistics::{Estimate, estimate};
use coase_store::RunStatus;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// More mechanisms cannot be told apart.
const MOST: usize = 8;
/// A share of the gain below this is none: solvers are allowed as much.
const NOTHING: f64 = 1e-6;
/// Decades of a loss that a panel shows at most.
const MOST_DECADES: i32 = 6;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policies = study.reference_policy().into_iter().chain(study.policies.iter().copied());
    let found =
        policies.map(|p| (p, markets(study, p, None))).find(|(_, markets)| markets.iter().any(Market::has_budget));
    let (policy, here) = found.ok_or(Absent::NoBudget)?;
    let along = (0..study.store.sweeps.len()).map(|column| (column, markets(study, policy, Some(column))));
    let along = along
        .filter(|(_, markets)| markets.iter().any(|m| m.points.len() > 2))
        .max_by_key(|(column, markets)| (markets.iter().map(|m| m.points.len()).max(), std::cmp::Reverse(*column)));
    let drawn = &here[..here.len().min(MOST)];
    let mut panels = vec![plane(drawn)];
    let mut caption = String::from("Operator's budget against efficiency (a)");
    let basis = match &along {
        None => Basis::Means,
        Some((column, markets)) => {
            let name = field(&study.store.sweeps[*column]);
            let _ = write!(caption, ", share of the gain that is lost (b) and budget (c) against {name}");
            let markets: Vec<Market> =
                markets.iter().filter(|m| drawn.iter().any(|d| d.mechanism == m.mechanism)).cloned().collect();
            panels.extend(against(&markets, &name));
            Basis::Along(moving_with(study, *column))
        }
    };
    let _ = write!(caption, ", budgets as shares of the welfare gain, carbon policy {}.", study.policy(policy).name);
    let lossless = |m: &&Market| m.points.iter().all(|point| point.loss.mean <= NOTHING);
    let lossless: Vec<String> =
        drawn.iter().filter(lossless).map(|m| study.mechanism(m.mechanism).name.clone()).collect();
    if along.is_some() && !lossless.is_empty() {
        let _ = write!(caption, " Without any loss, and not in (b): {}.", listed(&lossless));
    }
    caption += &shown_of(drawn.len(), here.len(), "mechanisms", "the first");
    caption += &study.footnote(&basis);
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Budget and efficiency".into(),
        caption,
        canvas: page(study, drawn, &panels),
    }])
}

/// What a mechanism does, by the value of a swept parameter, or at the first point alone.
#[derive(Clone, Debug)]
struct Market {
    mechanism: usize,
    points: Vec<Point>,
}

#[derive(Clone, Debug)]
struct Point {
    x: f64,
    /// Share of the greatest gain that is lost.
    loss: Estimate,
    /// The operator's budget as a share of the gain.
    budget: Estimate,
}

impl Market {
    fn has_budget(&self) -> bool {
        self.points.iter().any(|point| point.budget.mean.abs() > NOTHING)
    }
}

/// Columns of the sweeps that go together with one: they have values of their own for every value of it.
fn moving_with(study: &Study, column: usize) -> Vec<usize> {
    let runs = || study.store.runs.iter().filter(|run| run.scenario == study.scenario);
    let together = |other: &usize| {
        let pairs = |a: usize, b: usize| {
            let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
            runs().all(|run| *seen.entry(&run.sweep[a]).or_insert(&run.sweep[b]) == run.sweep[b])
        };
        pairs(column, *other) && pairs(*other, column)
    };
    (0..study.store.sweeps.len()).filter(together).collect()
}

fn markets(study: &Study, policy: usize, column: Option<usize>) -> Vec<Market> {
    let free = column.map_or_else(Vec::new, |column| moving_with(study, column));
    let is_here = |run: &Run| {
        study.has(run, &free) && run.carbon_label == study.policy(policy).key && run.status == RunStatus::Converged
    };
    let of_mechanism = |mechanism: usize| {
        let mut samples: BTreeMap<u64, (f64, Vec<f64>, Vec<f64>)> = BTreeMap::new();
        for (i, run) in study.store.runs.iter().enumerate() {
            if !is_here(run) || run.variant != study.mechanism(mechanism).key {
                continue;
            }
            let x = column.map_or(Some(0.0), |column| run.sweep[column].parse::<f64>().ok());
            let metric = |name: &str| study.store.metric(i, name);
            let all = (x, metric("efficiency"), metric("operator_surplus"), metric("welfare_gain"));
            let (Some(x), Some(efficiency), Some(budget), Some(gain)) = all else { continue };
            if !(x >= 0.0 && gain.abs() > NOTHING) {
                continue;
            }
            // Numbers that are not negative are in the order of their bits.
            let (_, loss, budgets) = samples.entry(x.to_bits()).or_insert((x, vec![], vec![]));
            loss.push((1.0 - efficiency).max(0.0));
            budgets.push(budget / gain);
        }
        let point = |(x, loss, budget): (f64, Vec<f64>, Vec<f64>)| {
            Some(Point { x, loss: estimate(&loss)?, budget: estimate(&budget)? })
        };
        Market { mechanism, points: samples.into_values().filter_map(point).collect() }
    };
    let all = study.trading().into_iter().map(of_mechanism);
    all.filter(|market| !market.points.is_empty()).collect()
}

/// A panel and what stands in it, by mechanism: points with their intervals.
struct Content {
    panel: Panel,
    marks: Vec<(usize, Vec<Marked>)>,
    joined: bool,
}

/// A point of a panel, intervals beside it.
struct Marked {
    at: (f64, f64),
    x: Option<(f64, f64)>,
    y: Option<(f64, f64)>,
}

fn ends(of: &Estimate) -> [f64; 2] {
    of.interval.map_or([of.mean; 2], |(low, high)| [low, high])
}

const BUDGET: &str = "Budget (share of the gain)";

/// Budget against efficiency at one point.
fn plane(markets: &[Market]) -> Content {
    let points = || markets.iter().filter_map(|m| m.points.first());
    let kept = |estimate: &Estimate| 1.0 - estimate.mean;
    let x = Axis::tight(points().flat_map(|p| ends(&p.loss).map(|loss| 1.0 - loss)).chain([1.0]), "Efficiency");
    let y = Axis::tight(points().flat_map(|p| ends(&p.budget)).chain([0.0]), BUDGET);
    let mark = |p: &Point| Marked {
        at: (kept(&p.loss), p.budget.mean),
        x: p.loss.interval.map(|(low, high)| (1.0 - high, 1.0 - low)),
        y: p.budget.interval,
    };
    let marks = markets.iter().map(|m| (m.mechanism, m.points.first().map(mark).into_iter().collect())).collect();
    Content { panel: Panel::new(x, y).titled(&lettered(0, "Budget and efficiency")), marks, joined: false }
}

/// Loss and budget against a parameter.
fn against(markets: &[Market], name: &str) -> Vec<Content> {
    let log = |v: f64| v.log10();
    let values: Vec<f64> = markets.iter().flat_map(|m| m.points.iter().map(|p| p.x)).collect();
    let all_positive = values.iter().all(|x| *x > 0.0);
    let place = move |x: f64| if all_positive { log(x) } else { x };
    let x = sizes(&values, place, name);
    let losses: Vec<f64> = markets.iter().flat_map(|m| m.points.iter().map(|p| p.loss.mean)).collect();
    let (low, high) = range(losses.into_iter().filter(|loss| *loss > NOTHING).map(log)).unwrap_or((-2.0, 0.0));
    let high = high.ceil() as i32;
    let low = (low.floor() as i32).max(high - MOST_DECADES).min(high - 1);
    let y = Axis::decades(low, high, "Loss of welfare gain (share)");
    let floor = y.low;
    let loss = |p: &Point| {
        (p.loss.mean > NOTHING).then(|| Marked {
            at: (place(p.x), log(p.loss.mean)),
            x: None,
            // What reaches nothing goes down to the axis.
            y: p.loss.interval.map(|(a, b)| (if a > NOTHING { log(a).max(floor) } else { floor }, log(b))),
        })
    };
    let budget = |p: &Point| Some(Marked { at: (place(p.x), p.budget.mean), x: None, y: p.budget.interval });
    let marks = |mark: &dyn Fn(&Point) -> Option<Marked>| {
        markets.iter().map(|m| (m.mechanism, m.points.iter().filter_map(mark).collect())).collect()
    };
    let budgets = markets.iter().flat_map(|m| m.points.iter().flat_map(|p| ends(&p.budget)));
    let of_budget = Axis::tight(budgets.chain([0.0]), BUDGET);
    vec![
        Content { panel: Panel::new(x.clone(), y).titled(&lettered(1, "Loss")), marks: marks(&loss), joined: true },
        Content { panel: Panel::new(x, of_budget).titled(&lettered(2, "Budget")), marks: marks(&budget), joined: true },
    ]
}

/// An axis with a tick at every value.
fn sizes(values: &[f64], place: impl Fn(f64) -> f64, name: &str) -> Axis {
    let mut all = values.to_vec();
    all.sort_by(f64::total_cmp);
    all.dedup();
    let (low, high) = range(all.iter().map(|x| place(*x))).unwrap_or((0.0, 1.0));
    let room = 0.05 * (high - low).max(1e-9);
    let decimals = usize::from(all.iter().any(|x| x.fract() != 0.0));
    let ticks = all.iter().map(|x| (place(*x), number(*x, decimals))).collect();
    Axis { low: low - room, high: high + room, ticks, minor: vec![], label: name.to_owned(), kind: Kind::Number }
}

/// The end of a path, with whose it is where the field is a number of them.
fn field(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    literal(match &parts[..] {
        [.., whose, "count"] => return literal(&format!("{whose} count")),
        [.., field] => field,
        [] => path,
    })
}

fn page(study: &Study, drawn: &[Market], contents: &[Content]) -> crate::canvas::Canvas {
    let mut figure = study.figure(TWO_COLUMNS_MM, 68.0);
    let series = |m: usize| study.mechanism(m).series;
    let stroke = |m: usize| Stroke::new(series(m).ink, DATA_LINE).dashed(series(m).dash);
    let key = |m: &Market| -> Entry {
        (Key::Series(stroke(m.mechanism), series(m.mechanism).mark), study.mechanism(m.mechanism).name.clone())
    };
    figure.legend(&drawn.chunks(4).map(|row| row.iter().map(key).collect()).collect::<Vec<_>>());
    let mut panels: Vec<Panel> = contents.iter().map(|content| content.panel.clone()).collect();
    figure.grid(panels.len(), Sharing::None, &mut panels);
    for (panel, content) in panels.iter().zip(contents) {
        let c = &mut figure.canvas;
        panel.back(c);
        for (m, marks) in &content.marks {
            if content.joined {
                panel.line(c, &marks.iter().map(|mark| mark.at).collect::<Vec<_>>(), stroke(*m));
            }
            for mark in marks {
                if let Some(x) = mark.x {
                    panel.interval_x(c, mark.at.1, x, series(*m).ink);
                }
                if let Some(y) = mark.y {
                    panel.interval_y(c, mark.at.0, y, series(*m).ink);
                }
            }
        }
        for (m, marks) in &content.marks {
            for mark in marks {
                panel.mark(c, mark.at, series(*m).mark, series(*m).ink);
            }
        }
        panel.front(c);
    }
    figure.canvas
}
