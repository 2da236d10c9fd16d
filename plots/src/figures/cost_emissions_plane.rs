//! The cost-emissions plane: every run a point, the runs of a mechanism joined, the Pareto front as a staircase.

use super::{Absent, Basis, Picture};
use crate::axis::{Axis, range};
use crate::canvas::{Align, Canvas, Stroke};
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::geometry::{Pt, Rect};
use crate::panel::{Grid, Panel};
use crate::place::{Tag, place};
use crate::study::{Study, largest};
use crate::style::{FRONT_DASH, GREY, INK, MARKER, NOTE, ONE_COLUMN_MM, SPINE, THIN_LINE, TWO_COLUMNS_MM, WHITE};
use crate::text;
use coase_core::statistics::Estimate;

/// More names than this become numbers that the caption explains.
const MOST_NAMES: usize = 9;
/// Room for a name beside its points.
const WIDEST_NAME: f64 = 110.0;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let points = points(study);
    match points.len() {
        0 => return Err(if study.run_count() == 0 { Absent::NoRun } else { Absent::NoData { column: "total_cost" } }),
        1 => return Err(Absent::OneRun),
        _ => {}
    }
    let cost = study.money(largest(points.iter().map(|p| p.cost.mean)));
    let emissions = study.carbon(largest(points.iter().map(|p| p.emissions.mean)));
    let labels = [format!("Total cost ({})", cost.label), format!("Emissions ({})", emissions.label)];
    let scaled: Vec<Point> = points.iter().map(|p| p.scaled(cost.factor, emissions.factor)).collect();
    let names = names(study, &scaled);
    let plane = Plane { study, front: front(&scaled), tags: names.tags, points: scaled };
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Cost-emissions plane".into(),
        caption: format!(
            "Total cost and emissions of every mechanism and carbon policy; grey lines join the policies of one \
             mechanism, the dashed staircase is the Pareto front.{}{}",
            names.key,
            study.footnote(&Basis::Means)
        ),
        canvas: plane.draw(&labels).canvas,
    }])
}

#[derive(Clone, Copy)]
struct Point {
    /// Places in the study.
    mechanism: usize,
    policy: usize,
    cost: Estimate,
    emissions: Estimate,
}

impl Point {
    fn at(&self) -> Pt {
        (self.cost.mean, self.emissions.mean)
    }

    fn scaled(&self, cost: f64, emissions: f64) -> Point {
        let scale = |e: Estimate, f: f64| Estimate {
            mean: e.mean * f,
            interval: e.interval.map(|(a, b)| (a * f, b * f)),
            n: e.n,
        };
        Point { cost: scale(self.cost, cost), emissions: scale(self.emissions, emissions), ..*self }
    }
}

fn points(study: &Study) -> Vec<Point> {
    let mut out = Vec::new();
    for &mechanism in &study.mechanisms {
        for &policy in &study.policies {
            let metric = |name| study.metric(mechanism, policy, name);
            if let (Some(cost), Some(emissions)) = (metric("total_cost"), metric("emissions_kg")) {
                out.push(Point { mechanism, policy, cost, emissions });
            }
        }
    }
    out
}

/// The points no other point is better than in both respects, by cost.
fn front(points: &[Point]) -> Vec<Pt> {
    let all: Vec<Pt> = points.iter().map(Point::at).collect();
    let bounds = Rect::around(&all);
    // better by less than a solver's tolerance is not better
    let (dx, dy) = (1e-6 * bounds.width(), 1e-6 * bounds.height());
    let beats = |b: &Pt, a: &Pt| b.0 <= a.0 + dx && b.1 <= a.1 + dy && (b.0 < a.0 - dx || b.1 < a.1 - dy);
    let mut front: Vec<Pt> = all.iter().filter(|a| !all.iter().any(|b| beats(b, a))).copied().collect();
    front.sort_by(|a, b| a.0.total_cmp(&b.0));
    front
}

struct Names {
    /// A text for the mechanisms that it names.
    tags: Vec<(Vec<usize>, String)>,
    /// For the caption, where numbers stand for names.
    key: String,
}

/// Mechanisms that coincide under every policy share a label.
fn names(study: &Study, points: &[Point]) -> Names {
    let of = |m: usize| points.iter().filter(move |p| p.mechanism == m);
    let spans = [
        range(points.iter().map(|p| p.cost.mean)).map_or(1.0, |r| r.1 - r.0),
        range(points.iter().map(|p| p.emissions.mean)).map_or(1.0, |r| r.1 - r.0),
    ];
    let coincide = |a: usize, b: usize| {
        of(a).count() == of(b).count()
            && of(a).zip(of(b)).all(|(p, q)| {
                p.policy == q.policy
                    && (p.cost.mean - q.cost.mean).abs() <= 2e-3 * spans[0]
                    && (p.emissions.mean - q.emissions.mean).abs() <= 2e-3 * spans[1]
            })
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for &m in &study.mechanisms {
        match groups.iter_mut().find(|g| coincide(g[0], m)) {
            Some(group) => group.push(m),
            None if of(m).next().is_some() => groups.push(vec![m]),
            None => {}
        }
    }
    let name = |m: &usize| study.mechanism(*m).name.clone();
    let full = |g: &[usize]| g.iter().map(name).collect::<Vec<_>>().join(", ");
    let short = |g: &[usize]| g.iter().map(|m| study.mechanism(*m).short.clone()).collect::<Vec<_>>().join(", ");
    if groups.len() <= MOST_NAMES {
        let text = |g: &[usize]| {
            let full = full(g);
            if text::width(&full, NOTE) < WIDEST_NAME { full } else { text::fit(&short(g), NOTE, WIDEST_NAME) }
        };
        return Names { tags: groups.iter().map(|g| (g.clone(), text(g))).collect(), key: String::new() };
    }
    let numbered: Vec<String> = groups.iter().enumerate().map(|(i, g)| format!("{} {}", i + 1, full(g))).collect();
    Names {
        tags: groups.into_iter().enumerate().map(|(i, g)| (g, (i + 1).to_string())).collect(),
        key: format!(" Mechanisms: {}.", text::unmarked(&numbered.join("; "))),
    }
}

struct Plane<'a> {
    study: &'a Study<'a>,
    points: Vec<Point>,
    front: Vec<Pt>,
    tags: Vec<(Vec<usize>, String)>,
}

const FRONT: Stroke = Stroke::new(INK, 1.0).dashed(FRONT_DASH);

impl Plane<'_> {
    fn draw(&self, labels: &[String; 2]) -> Figure {
        let axes = |points: &[&Point]| {
            let cost = points.iter().flat_map(|p| ends(&p.cost));
            let emissions = points.iter().flat_map(|p| ends(&p.emissions));
            (Axis::tight(padded(cost), &labels[0]), Axis::tight(padded(emissions), &labels[1]))
        };
        let all: Vec<&Point> = self.points.iter().collect();
        let (x, y) = axes(&all);
        let near: Vec<&Point> = self.near_front();
        let zoom = Some(axes(&near)).filter(|(zx, zy)| {
            let share = |z: &Axis, a: &Axis| (z.high - z.low) / (a.high - a.low);
            near.len() < all.len() && share(zx, &x) < 0.5 && share(zy, &y) < 0.5
        });
        let two = zoom.is_some();
        let mut figure = if two { Figure::new(TWO_COLUMNS_MM, 68.0) } else { Figure::new(ONE_COLUMN_MM, 76.0) };
        figure.legend(&[self.legend()]);
        let title = |s: &str| if two { s.to_owned() } else { String::new() };
        let mut panels = vec![Panel::new(x, y).with_grid(Grid::Both).titled(&title("(a) All runs"))];
        if let Some((x, y)) = zoom {
            panels.push(Panel::new(x, y).with_grid(Grid::Both).titled("(b) Near the front"));
        }
        figure.grid(2, Sharing::None, &mut panels);
        let frame = panels.get(1).map(|b| {
            let (p, q) = (panels[0].point(b.x.low, b.y.low), panels[0].point(b.x.high, b.y.high));
            Rect::new(p.0, p.1, q.0, q.1)
        });
        for (k, panel) in panels.iter().enumerate() {
            let c = &mut figure.canvas;
            panel.back(c);
            let magnified = panels.get(1).filter(|_| k == 0);
            self.panel(c, panel, magnified, frame.filter(|_| k == 0));
            panel.front(c);
        }
        figure
    }

    fn legend(&self) -> Vec<Entry> {
        let policies = self.study.policies.iter().map(|p| self.study.policy(*p));
        let mut entries: Vec<Entry> =
            policies.map(|p| (Key::Mark(p.series.mark, p.series.ink), p.name.clone())).collect();
        if self.study.policies.len() > 1 {
            entries.push((Key::Line(link()), "Same mechanism".into()));
        }
        entries.push((Key::Line(FRONT), "Pareto front".into()));
        entries
    }

    /// The points of the mechanisms on the front.
    fn near_front(&self) -> Vec<&Point> {
        let on_front = |p: &&Point| self.front.contains(&p.at());
        let mechanisms: Vec<usize> = self.points.iter().filter(on_front).map(|p| p.mechanism).collect();
        let own = |p: &&Point| mechanisms.contains(&p.mechanism);
        let bounds = Rect::around(&self.points.iter().filter(own).map(Point::at).collect::<Vec<_>>());
        self.points.iter().filter(|p| bounds.contains(p.at())).collect()
    }

    /// `magnified` is the panel that shows a part of this one, in `frame`.
    fn panel(&self, c: &mut Canvas, panel: &Panel, magnified: Option<&Panel>, frame: Option<Rect>) {
        let shown = |p: &&Point| panel.shows(p.cost.mean, p.emissions.mean);
        let stairs = self.staircase(panel);
        panel.line(c, &stairs, FRONT);
        let mut lines: Vec<Vec<Pt>> = vec![stairs.iter().map(|p| panel.point(p.0, p.1)).collect()];
        for &m in &self.study.mechanisms {
            let mut own: Vec<Pt> = self.points.iter().filter(|p| p.mechanism == m).map(Point::at).collect();
            own.sort_by(|a, b| a.0.total_cmp(&b.0));
            panel.line(c, &own, link());
            lines.push(own.iter().map(|p| panel.point(p.0, p.1)).collect());
        }
        let mut avoid: Vec<Rect> = Vec::new();
        for p in self.points.iter().filter(shown) {
            let (color, at) = (self.study.policy(p.policy).series.ink, p.at());
            let stroke = Stroke::new(color, SPINE);
            if let Some((a, b)) = p.cost.interval {
                panel.line(c, &[(a, at.1), (b, at.1)], stroke);
            }
            if let Some((a, b)) = p.emissions.interval {
                panel.line(c, &[(at.0, a), (at.0, b)], stroke);
            }
            let q = panel.point(at.0, at.1);
            avoid.push(Rect::around(&[q]).grow(MARKER + 0.8));
        }
        for p in self.points.iter().filter(shown) {
            panel.mark(c, p.at(), self.study.policy(p.policy).series.mark, self.study.policy(p.policy).series.ink);
        }
        if let Some(r) = frame {
            c.frame(r, Stroke::new(INK, 0.5));
            lines.push(r.corners().iter().chain(&r.corners()[..1]).copied().collect());
            let width = text::width("(b)", NOTE);
            let x = if r.x1 + 3.0 + width < panel.area.x1 { r.x1 + 3.0 } else { r.x0 - 3.0 - width };
            c.text((x, r.y0 + 5.2), Align::Left, NOTE, "(b)");
            avoid.push(Rect::new(x, r.y0, x + width, r.y0 + 5.2));
            avoid.push(r);
        }
        // a mechanism that can be seen as a whole in the magnified part is named there
        let named_there = |m: &usize| {
            magnified.is_some_and(|b| {
                self.points.iter().filter(|p| p.mechanism == *m).all(|p| b.shows(p.cost.mean, p.emissions.mean))
            })
        };
        let tags: Vec<Tag> = self
            .tags
            .iter()
            .filter(|(group, _)| !named_there(&group[0]))
            .map(|(group, text)| {
                let own = self.points.iter().filter(|p| p.mechanism == group[0]).filter(shown);
                Tag { anchors: own.map(|p| panel.point(p.cost.mean, p.emissions.mean)).collect(), text: text.clone() }
            })
            .filter(|tag| !tag.anchors.is_empty())
            .collect();
        place(c, panel.area, &tags, &avoid, &lines, NOTE);
    }

    /// Nothing between two runs has been attained; the ends run on, for what lies beyond is dominated.
    fn staircase(&self, panel: &Panel) -> Vec<Pt> {
        let beyond = |a: &Axis| a.high + (a.high - a.low);
        let mut out = Vec::new();
        for (i, p) in self.front.iter().enumerate() {
            if i == 0 {
                out.push((p.0, beyond(&panel.y)));
            }
            out.push(*p);
            let next = self.front.get(i + 1).map_or(beyond(&panel.x), |n| n.0);
            out.push((next, p.1));
        }
        out
    }
}

fn link() -> Stroke {
    Stroke::new(GREY.mix(WHITE, 0.45), THIN_LINE)
}

fn ends(e: &Estimate) -> [f64; 2] {
    e.interval.map_or([e.mean; 2], |(a, b)| [a, b])
}

/// A little room beside the outermost points.
fn padded(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let Some((low, high)) = range(values) else { return Vec::new() };
    let d = 0.06 * (high - low);
    vec![low - d, high + d]
}
