//! The cost-emissions plane: what society spends on resources against what it emits, every mechanism and policy a point, what no
//! other point betters as a staircase.
//!
//! Payments are in neither axis, so that points of different carbon policies can be compared.

use super::{Absent, Basis, Picture};
use crate::axis::{Axis, range};
use crate::canvas::{Align, Canvas, Stroke};
use crate::color::Rgb;
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::geometry::{Pt, Rect};
use crate::panel::{Grid, Panel};
use crate::place::{Tag, place};
use crate::study::{Study, largest};
use crate::style::{CYCLE, FRONT_DASH, GREY, INK, MARKER, Mark, NOTE, ONE_COLUMN_MM, SPINE, THIN_LINE, TWO_COLUMNS_MM};
use crate::text;
use coase_core::statistics::Estimate;

/// More mechanisms than this cannot be told apart by colour: they are numbered, and the caption explains the numbers.
const MOST_COLOURS: usize = CYCLE.len();
/// Resource costs: social cost without the damage of emissions, which the other axis has.
const RESOURCES: [&str; 2] = ["resource_cost", "upstream_resource_cost"];

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let points = points(study);
    match points.len() {
        0 => return Err(if study.run_count() == 0 { Absent::NoRun } else { Absent::NoData { column: RESOURCES[0] } }),
        1 => return Err(Absent::OneRun),
        _ => {}
    }
    let cost = study.money(largest(points.iter().map(|p| p.cost.mean)));
    let emissions = study.carbon(largest(points.iter().map(|p| p.emissions.mean)));
    let labels = [format!("Resource cost ({})", cost.label), format!("Emissions ({})", emissions.label)];
    let scaled: Vec<Point> = points.iter().map(|p| p.scaled(cost.factor, emissions.factor)).collect();
    let groups = groups(study, &scaled);
    let key = key(study, &groups);
    let plane = Plane { study, front: front(&scaled), groups, points: scaled };
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Cost-emissions plane".into(),
        caption: format!(
            "Resources used (own costs of participants and upstream energy, without payments) and emissions of every \
             mechanism and carbon policy. No other point is better in both than those on the dashed staircase. Marks \
             that would coincide stand beside their place, which a thin line shows.{key}{}",
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
            let resources = study.sum_of_metrics(mechanism, policy, &RESOURCES);
            if let (Some(cost), Some(emissions)) = (resources, metric("emissions_kg")) {
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

/// Mechanisms that coincide under every policy are one.
fn groups(study: &Study, points: &[Point]) -> Vec<Vec<usize>> {
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
    groups
}

fn names(study: &Study, group: &[usize]) -> Vec<String> {
    group.iter().map(|m| study.mechanism(*m).name.clone()).collect()
}

fn name(study: &Study, group: &[usize]) -> String {
    names(study, group).join(", ")
}

/// A name that has room in the legend.
fn shown_name(study: &Study, group: &[usize]) -> String {
    let full = name(study, group);
    if text::width(&full, NOTE) < WIDEST_NAME {
        return full;
    }
    let short: Vec<String> = group.iter().map(|m| study.mechanism(*m).short.clone()).collect();
    text::fit(&short.join(", "), NOTE, WIDEST_NAME)
}

/// What numbers stand for, where names are too many, and names that are cut.
fn key(study: &Study, groups: &[Vec<usize>]) -> String {
    if groups.len() <= MOST_COLOURS {
        let cut = groups.iter().filter(|group| shown_name(study, group).ends_with('\u{2026}'));
        let said = cut.map(|group| format!("{} coincide", crate::words::listed(&names(study, group))));
        let said: Vec<String> = said.collect();
        return if said.is_empty() { String::new() } else { format!(" {}.", text::unmarked(&said.join("; "))) };
    }
    let numbered = groups.iter().enumerate().map(|(i, group)| format!("{} {}", i + 1, name(study, group)));
    format!(" Mechanisms: {}.", text::unmarked(&numbered.collect::<Vec<_>>().join("; ")))
}

struct Plane<'a> {
    study: &'a Study<'a>,
    points: Vec<Point>,
    front: Vec<Pt>,
    groups: Vec<Vec<usize>>,
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
        let (width, height) = if two { (TWO_COLUMNS_MM, 68.0) } else { (ONE_COLUMN_MM, 76.0) };
        let mut figure = self.study.figure(width, height);
        figure.legend(&self.legend());
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

    /// Mechanisms by colour, policies by mark; of too many mechanisms policies by both.
    fn legend(&self) -> Vec<Vec<Entry>> {
        let by_colour = self.is_by_colour();
        let mechanisms = self.groups.iter().enumerate().filter(|_| by_colour);
        let mechanisms: Vec<Entry> =
            mechanisms.map(|(k, group)| (Key::Mark(Mark::Disc, CYCLE[k].ink), shown_name(self.study, group))).collect();
        let policies = self.study.policies.iter().map(|p| {
            let (mark, own) = self.mark_of(*p);
            (Key::Mark(mark, if by_colour { INK } else { own }), self.study.policy(*p).name.clone())
        });
        let policies: Vec<Entry> = policies.collect();
        let policies = if policies.len() > 1 || !by_colour { policies } else { vec![] };
        [mechanisms, policies, vec![(Key::Line(FRONT), "Not bettered in both".into())]]
            .into_iter()
            .filter(|group| !group.is_empty())
            .collect()
    }

    fn is_by_colour(&self) -> bool {
        self.groups.len() <= MOST_COLOURS
    }

    /// The place of the group of a point, where it stands for it.
    fn group_of(&self, point: &Point) -> Option<usize> {
        self.groups.iter().position(|group| group[0] == point.mechanism)
    }

    /// The mark of a policy, one for each while they suffice, and its own colour.
    fn mark_of(&self, policy: usize) -> (Mark, Rgb) {
        let own = self.study.policy(policy).series;
        let place = self.study.policies.iter().position(|p| *p == policy).unwrap_or(0);
        if self.is_by_colour() { (CYCLE[place % CYCLE.len()].mark, own.ink) } else { (own.mark, own.ink) }
    }

    fn look(&self, point: &Point, group: usize) -> (Mark, Rgb) {
        let (mark, own) = self.mark_of(point.policy);
        (mark, if self.is_by_colour() { CYCLE[group].ink } else { own })
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
        let mut avoid: Vec<Rect> = Vec::new();
        let points: Vec<(&Point, usize)> =
            self.points.iter().filter(shown).filter_map(|p| Some((p, self.group_of(p)?))).collect();
        for (p, group) in &points {
            let (at, stroke) = (p.at(), Stroke::new(self.look(p, *group).1, SPINE));
            if let Some((a, b)) = p.cost.interval {
                panel.line(c, &[(a, at.1), (b, at.1)], stroke);
            }
            if let Some((a, b)) = p.emissions.interval {
                panel.line(c, &[(at.0, a), (at.0, b)], stroke);
            }
        }
        let places =
            set_apart(&points.iter().map(|(p, _)| panel.point(p.cost.mean, p.emissions.mean)).collect::<Vec<_>>());
        for (from, to) in &places {
            if from != to {
                c.segment(*from, *to, Stroke::new(GREY, THIN_LINE));
            }
            avoid.push(Rect::around(&[*to]).grow(MARKER + 0.8));
        }
        for ((p, group), (_, at)) in points.iter().zip(&places) {
            let (mark, ink) = self.look(p, *group);
            c.mark(*at, mark, MARKER, ink);
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
        if self.is_by_colour() {
            return;
        }
        // a mechanism that can be seen as a whole in the magnified part is named there
        let named_there = |m: usize| {
            magnified.is_some_and(|b| {
                self.points.iter().filter(|p| p.mechanism == m).all(|p| b.shows(p.cost.mean, p.emissions.mean))
            })
        };
        let tags: Vec<Tag> = (0..self.groups.len())
            .filter(|k| !named_there(self.groups[*k][0]))
            .map(|k| {
                let own = points.iter().zip(&places).filter(|((_, group), _)| *group == k);
                Tag { anchors: own.map(|(_, (_, at))| *at).collect(), text: (k + 1).to_string() }
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

/// Room for a name in the legend.
const WIDEST_NAME: f64 = 110.0;

/// Where marks stand, beside where they belong: those that would cover each other in a row around their place.
fn set_apart(at: &[Pt]) -> Vec<(Pt, Pt)> {
    let near = |a: &Pt, b: &Pt| (a.0 - b.0).hypot(a.1 - b.1) < 1.2 * MARKER;
    let mut places: Vec<(Pt, Pt)> = at.iter().map(|p| (*p, *p)).collect();
    let mut is_placed = vec![false; at.len()];
    for i in 0..at.len() {
        if is_placed[i] {
            continue;
        }
        let row: Vec<usize> = (i..at.len()).filter(|j| !is_placed[*j] && near(&at[i], &at[*j])).collect();
        for (k, j) in row.iter().enumerate() {
            is_placed[*j] = true;
            if row.len() > 1 {
                let aside = (k as f64 - 0.5 * (row.len() - 1) as f64) * 2.4 * MARKER;
                places[*j].1 = (at[i].0 + aside, at[i].1);
            }
        }
    }
    places
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

#[cfg(test)]
mod tests {
    use super::{MARKER, set_apart};

    #[test]
    fn marks_that_coincide_stand_side_by_side_and_others_stay() {
        let apart = set_apart(&[(10.0, 5.0), (50.0, 5.0), (10.1, 5.0), (10.0, 5.1)]);
        assert_eq!(apart[1], ((50.0, 5.0), (50.0, 5.0)));
        let mut row: Vec<f64> = [0, 2, 3].map(|k: usize| apart[k].1.0).to_vec();
        row.sort_by(f64::total_cmp);
        assert!(row.windows(2).all(|pair| (pair[1] - pair[0] - 2.4 * MARKER).abs() < 1e-9), "{row:?}");
        assert!((row[1] - 10.0).abs() < 1e-9);
    }
}
