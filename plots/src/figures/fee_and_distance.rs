//! What a kWh between two pays its network's operator, against how far they are from each other.

use super::explained::{Explained, first_explained};
use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::axis::Axis;
use crate::canvas::Canvas;
use crate::figure::{Key, Sharing};
use crate::geometry::Pt;
use crate::panel::{Grid, Panel};
use crate::study::Study;
use crate::style::{BLUE, GREY, Mark, TWO_COLUMNS_MM};
use std::collections::BTreeMap;

/// Panels side by side.
const MOST_PANELS: usize = 3;
/// Energy below this is none, kWh.
const NOTHING: f64 = 1e-6;
const TRADES: Mark = Mark::Disc;
const IDLE: Mark = Mark::Cross;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let wanted = |name: &str| name == "fee" || name == "traded";
    let (policy, all) = first_explained(study, false, &wanted).ok_or(Absent::NoCurves)?;
    // Fees that somebody chose come first: a given one is a line that nobody has to see.
    let mut all: Vec<Drawn> = all.iter().map(Drawn::of).collect();
    all.sort_by_key(|of| !of.differs());
    let drawn = &all[..all.len().min(MOST_PANELS)];
    let caption = format!(
        "What a kWh between two participants pays the network's operator, against the resistance between them as a share of the \
         mean, carbon policy {}. A pair has a mark for each fee that it pays.{}{}",
        study.policy(policy).name,
        shown_of(drawn.len(), all.len(), "mechanisms with fees", "those whose fees differ first"),
        study.footnote(&Basis::OneRun)
    );
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Network fee against distance".into(),
        caption,
        canvas: page(study, drawn),
    }])
}

/// What is drawn of a run: fees of pairs that trade, and of those that do not.
struct Drawn {
    mechanism: usize,
    trading: Vec<Pt>,
    idle: Vec<Pt>,
}

impl Drawn {
    fn of(of: &Explained) -> Self {
        let of_pairs = |name: &'static str| {
            let curves = of.curves.iter().filter(move |curve| curve.name == name);
            curves.map(|curve| ((curve.participant.as_str(), curve.other.as_str()), &curve.points))
        };
        let traded: BTreeMap<_, f64> =
            of_pairs("traded").map(|(pair, points)| (pair, points.first().map_or(0.0, |p| p.1))).collect();
        let mut drawn = Self { mechanism: of.mechanism, trading: vec![], idle: vec![] };
        for (pair, points) in of_pairs("fee") {
            let trades = traded.get(&pair).is_some_and(|kwh| *kwh > NOTHING);
            (if trades { &mut drawn.trading } else { &mut drawn.idle }).extend(points.iter().copied());
        }
        drawn
    }

    fn points(&self) -> impl Iterator<Item = &Pt> {
        self.trading.iter().chain(&self.idle)
    }

    /// Whether not everybody pays the same.
    fn differs(&self) -> bool {
        let first = self.points().next().map_or(0.0, |p| p.1);
        self.points().any(|p| (p.1 - first).abs() > 1e-9)
    }
}

fn page(study: &Study, drawn: &[Drawn]) -> Canvas {
    let mut figure = study.figure(TWO_COLUMNS_MM, 64.0);
    figure.legend(&[vec![
        (Key::Mark(TRADES, BLUE), "pair that trades".to_owned()),
        (Key::Mark(IDLE, GREY), "pair that does not".to_owned()),
    ]]);
    let all = || drawn.iter().flat_map(Drawn::points);
    let x = Axis::from_zero(all().map(|p| p.0), 5, "Electrical distance (share of the mean)");
    let y = Axis::from_zero(all().map(|p| p.1), 5, &format!("Fee ({}/kWh)", study.currency()));
    let panel = |(k, of): (usize, &Drawn)| {
        let title = if drawn.len() > 1 { lettered(k, &study.mechanism(of.mechanism).name) } else { String::new() };
        Panel::new(x.clone(), y.clone()).with_grid(Grid::Both).titled(&title)
    };
    let mut panels: Vec<Panel> = drawn.iter().enumerate().map(panel).collect();
    figure.grid(panels.len(), Sharing::XAndY, &mut panels);
    for (panel, of) in panels.iter().zip(drawn) {
        let c = &mut figure.canvas;
        panel.back(c);
        of.idle.iter().for_each(|p| panel.mark(c, *p, IDLE, GREY));
        of.trading.iter().for_each(|p| panel.mark(c, *p, TRADES, BLUE));
        panel.front(c);
    }
    figure.canvas
}
