//! Best replies of two sellers to each other's price, and where they meet.

use super::explained::{Explained, first_explained, in_period, name_of};
use super::{Absent, Basis, Picture, lettered, listed, shown_of};
use crate::axis::Axis;
use crate::canvas::{Canvas, Stroke};
use crate::figure::{Key, Sharing};
use crate::geometry::Pt;
use crate::panel::{Grid, Panel};
use crate::store::CurveRows;
use crate::study::Study;
use crate::style::{BLUE, DATA_LINE, INK, LONG_DASH, Mark, ONE_COLUMN_MM, ORANGE, TWO_COLUMNS_MM};
use std::fmt::Write as _;

/// Panels side by side.
const MOST_PANELS: usize = 2;
/// A best price that moves by more than this share of the range of prices from one point to the next jumps: nothing is between.
const JUMP: f64 = 0.06;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let wanted = |name: &str| name == "best_response" || name == "equilibrium";
    let (policy, all) = first_explained(study, true, &wanted).ok_or(Absent::NoCurves)?;
    let drawn: Vec<Drawn> = all.iter().take(MOST_PANELS).filter_map(|of| Drawn::of(study, of)).collect();
    let Some(first) = drawn.first() else { return Err(Absent::NoCurves) };
    let mut caption = format!(
        "Best price of each of two sellers against the price of the other{}, carbon policy {}.",
        in_period(study, first.period),
        study.policy(policy).name
    );
    let without: Vec<String> =
        drawn.iter().filter(|of| of.meets.is_none()).map(|of| study.mechanism(of.mechanism).name.clone()).collect();
    if without.len() < drawn.len() {
        caption += " The mark is the equilibrium that was found; further sellers ask what they do there.";
    }
    if !without.is_empty() {
        let _ = write!(caption, " No prices were found that none gains by changing: {}.", listed(&without));
    }
    caption += &shown_of(drawn.len(), all.len(), "mechanisms whose sellers post prices", "the first");
    let shown: Vec<usize> = drawn.iter().map(|of| of.run).collect();
    caption += &study.footnote_showing(&Basis::OneRun, &shown);
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Best replies of two sellers".into(),
        caption,
        canvas: page(study, &drawn),
    }])
}

/// What is drawn of a run: prices of the first seller along x, of the second along y.
struct Drawn {
    run: usize,
    mechanism: usize,
    period: Option<usize>,
    sellers: [String; 2],
    /// Best prices of the first and of the second.
    replies: [Vec<Pt>; 2],
    meets: Option<Pt>,
}

impl Drawn {
    fn of(study: &Study, of: &Explained) -> Option<Self> {
        let period = of.busiest(study);
        let curves: Vec<&CurveRows> = of.of_period(period).collect();
        let mut replies = curves.iter().filter(|curve| curve.name == "best_response");
        let (one, two) = (replies.next()?, replies.next()?);
        let turned = |(other, own): &Pt| (*own, *other);
        let meets = curves.iter().find(|curve| curve.name == "equilibrium" && of.converged);
        Some(Self {
            run: of.run,
            mechanism: of.mechanism,
            period,
            sellers: [one.participant.clone(), one.other.clone()],
            replies: [one.points.iter().map(turned).collect(), two.points.clone()],
            meets: meets.and_then(|curve| curve.points.first()).map(turned),
        })
    }
}

/// The parts of a line between its jumps along one of the axes.
fn parts(points: &[Pt], along: fn(&Pt) -> f64, jump: f64) -> Vec<Vec<Pt>> {
    let mut parts: Vec<Vec<Pt>> = vec![];
    for point in points {
        match parts.last_mut().filter(|part| part.last().is_some_and(|last| (along(last) - along(point)).abs() <= jump))
        {
            Some(part) => part.push(*point),
            None => parts.push(vec![*point]),
        }
    }
    parts
}

fn page(study: &Study, drawn: &[Drawn]) -> Canvas {
    let (width, height) = if drawn.len() > 1 { (TWO_COLUMNS_MM, 82.0) } else { (ONE_COLUMN_MM, 84.0) };
    let mut figure = study.figure(width, height);
    let strokes = [Stroke::new(BLUE, DATA_LINE), Stroke::new(ORANGE, DATA_LINE).dashed(LONG_DASH)];
    let name = |k: usize| {
        let first = &drawn[0].sellers[k];
        if drawn.iter().all(|of| of.sellers[k] == *first) {
            name_of(study, first)
        } else {
            ["seller along the first axis", "seller along the second axis"][k].to_owned()
        }
    };
    let mut keys = vec![
        (Key::Line(strokes[0]), format!("best price of {}", name(0))),
        (Key::Line(strokes[1]), format!("best price of {}", name(1))),
    ];
    if drawn.iter().any(|of| of.meets.is_some()) {
        keys.push((Key::Mark(Mark::Disc, INK), "equilibrium".to_owned()));
    }
    figure.legend(&[keys]);
    let panel = |(k, of): (usize, &Drawn)| {
        let points = || of.replies.iter().flatten();
        let label =
            |seller: usize| format!("Price of {} ({}/kWh)", name_of(study, &of.sellers[seller]), study.currency());
        let x = Axis::tight(points().map(|p| p.0), &label(0));
        let y = Axis::tight(points().map(|p| p.1), &label(1));
        let title = if drawn.len() > 1 { lettered(k, &study.mechanism(of.mechanism).name) } else { String::new() };
        Panel::new(x, y).with_grid(Grid::Both).titled(&title)
    };
    let mut panels: Vec<Panel> = drawn.iter().enumerate().map(panel).collect();
    figure.grid(panels.len(), Sharing::None, &mut panels);
    for (panel, of) in panels.iter().zip(drawn) {
        let c = &mut figure.canvas;
        panel.back(c);
        let ranges = [panel.x.high - panel.x.low, panel.y.high - panel.y.low];
        // Each line jumps along the axis of its own price.
        let along: [fn(&Pt) -> f64; 2] = [|p| p.0, |p| p.1];
        for k in 0..2 {
            for part in parts(&of.replies[k], along[k], JUMP * ranges[k]) {
                panel.line(c, &part, strokes[k]);
            }
        }
        if let Some(meets) = of.meets {
            panel.mark(c, meets, Mark::Disc, INK);
        }
        panel.front(c);
    }
    figure.canvas
}
