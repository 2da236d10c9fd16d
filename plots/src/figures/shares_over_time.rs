//! How buyers come to their choice of sellers: the share of what all need by option, step by step.

use super::explained::{Explained, first_explained, in_period, name_of};
use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::axis::Axis;
use crate::canvas::{Canvas, Stroke};
use crate::figure::{Entry, Key, Sharing};
use crate::panel::Panel;
use crate::store::CurveRows;
use crate::study::Study;
use crate::style::{CYCLE, DATA_LINE, GREY, REFERENCE_DASH, THIN_LINE, TWO_COLUMNS_MM};

/// Panels side by side, and options of a panel.
const MOST_PANELS: usize = 3;
const MOST_OPTIONS: usize = CYCLE.len();
/// The axis ends where nothing moves any more by this share.
const STILL: f64 = 2e-3;
/// Marks on a line.
const MARKS: usize = 5;
/// Marks stay off the end of the axis.
const INNER: f64 = 0.97;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let (policy, all) = first_explained(study, false, &|name| name == "share").ok_or(Absent::NoCurves)?;
    let drawn: Vec<Drawn> = all.iter().take(MOST_PANELS).map(|of| Drawn::of(study, of)).collect();
    let Some(first) = drawn.first() else { return Err(Absent::NoCurves) };
    let options = first.lines.len();
    let caption = format!(
        "Shares of what all buyers need{}, by seller and step of the dynamics, carbon policy {}; the steps after which nothing \
         moves by {:.1} % are left out.{}{}{}",
        in_period(study, first.period),
        study.policy(policy).name,
        100.0 * STILL,
        shown_of(options.min(MOST_OPTIONS), options, "options", "the first"),
        shown_of(drawn.len(), all.len(), "mechanisms with such steps", "the first"),
        study.footnote(&Basis::OneRun)
    );
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Shares of buyers over time".into(),
        caption,
        canvas: page(study, &drawn),
    }])
}

/// What is drawn of a run.
struct Drawn {
    mechanism: usize,
    period: Option<usize>,
    lines: Vec<CurveRows>,
}

impl Drawn {
    /// The busiest of the periods with the most options.
    fn of(study: &Study, of: &Explained) -> Self {
        let options = |period: Option<usize>| of.of_period(period).count();
        let traded = of.traded(study);
        let most = traded.keys().map(|period| options(*period)).max().unwrap_or(0);
        let with_most = traded.into_iter().filter(|(period, _)| options(*period) == most);
        let busiest = with_most.reduce(|most, here| if here.1 > most.1 { here } else { most });
        let period = busiest.and_then(|(period, _)| period);
        Self { mechanism: of.mechanism, period, lines: of.of_period(period).cloned().collect() }
    }

    /// The last step at which a share is still away from where it ends.
    fn end(&self) -> f64 {
        let moving = |line: &CurveRows| {
            let last = line.points.last().map_or(0.0, |p| p.1);
            line.points.iter().rev().find(|p| (p.1 - last).abs() > STILL).map_or(1.0, |p| p.0)
        };
        self.lines.iter().map(moving).fold(1.0, f64::max)
    }
}

fn page(study: &Study, drawn: &[Drawn]) -> Canvas {
    let mut figure = study.figure(TWO_COLUMNS_MM, 64.0);
    // The same look for an option in all panels.
    let mut options: Vec<&str> = vec![];
    for line in drawn.iter().flat_map(|of| &of.lines) {
        if !options.contains(&line.participant.as_str()) {
            options.push(&line.participant);
        }
    }
    options.truncate(MOST_OPTIONS);
    let stroke = |k: usize| match options[k] {
        "" => Stroke::new(GREY, THIN_LINE).dashed(REFERENCE_DASH),
        _ => Stroke::new(CYCLE[k].ink, DATA_LINE).dashed(CYCLE[k].dash),
    };
    let key = |k: usize| -> Entry {
        let name = name_of(study, options[k]);
        if options[k].is_empty() { (Key::Line(stroke(k)), name) } else { (Key::Series(stroke(k), CYCLE[k].mark), name) }
    };
    figure.legend(&[(0..options.len()).map(key).collect()]);
    let shares = drawn.iter().flat_map(|of| of.lines.iter().flat_map(|line| line.points.iter().map(|p| p.1)));
    let y = Axis::from_zero(shares, 5, "Share of what is needed");
    let panel = |(k, of): (usize, &Drawn)| {
        let x = Axis::linear(0.0, of.end(), 5, "Step");
        let title = if drawn.len() > 1 { lettered(k, &study.mechanism(of.mechanism).name) } else { String::new() };
        Panel::new(x, y.clone()).titled(&title)
    };
    let mut panels: Vec<Panel> = drawn.iter().enumerate().map(panel).collect();
    figure.grid(panels.len(), Sharing::Y, &mut panels);
    for (panel, of) in panels.iter().zip(drawn) {
        let c = &mut figure.canvas;
        panel.back(c);
        for line in &of.lines {
            let Some(k) = options.iter().position(|id| *id == line.participant) else { continue };
            let points: Vec<(f64, f64)> = line.points.iter().copied().filter(|p| p.0 <= panel.x.high).collect();
            panel.line(c, &points, stroke(k));
            if line.participant.is_empty() {
                continue;
            }
            let every = panel.x.high / MARKS as f64;
            let mut next = every * (0.25 + k as f64 / options.len() as f64);
            for point in points.into_iter().filter(|p| p.0 < INNER * panel.x.high) {
                if point.0 >= next {
                    panel.mark(c, point, CYCLE[k].mark, CYCLE[k].ink);
                    next += every;
                }
            }
        }
        panel.front(c);
    }
    figure.canvas
}
