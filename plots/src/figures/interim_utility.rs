//! What each trader expects to gain, knowing its own price and not those of the others, against that price.

use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::axis::Axis;
use crate::canvas::{Canvas, Stroke};
use crate::figure::{Entry, Key, Sharing};
use crate::panel::Panel;
use crate::store::CurveRows;
use crate::study::Study;
use crate::style::{CYCLE, DATA_LINE, REFERENCE_DASH, SOLID, THIN_LINE, TWO_COLUMNS_MM};
use std::fmt::Write as _;

/// Panels side by side, one for each mechanism.
const MOST_PANELS: usize = 3;
/// Traders of a panel.
const MOST_TRADERS: usize = 4;

/// The curves that are drawn: what the mechanism gives, and what a rule that pays marginal contributions would give.
const GIVEN: &str = "interim_utility";
const CONTRIBUTION: &str = "interim_contribution";

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policies = study.reference_policy().into_iter().chain(study.policies.iter().copied());
    let (policy, all) =
        policies.map(|p| (p, tables(study, p))).find(|(_, all)| !all.is_empty()).ok_or(Absent::NoCurves)?;
    let drawn = &all[..all.len().min(MOST_PANELS)];
    // The same traders everywhere: the first of one period.
    let mut traders: Vec<&str> = vec![];
    for curve in &drawn[0].curves {
        if !traders.contains(&curve.participant.as_str()) {
            traders.push(&curve.participant);
        }
    }
    let shown = spread(traders.len(), MOST_TRADERS);
    let traders: (Vec<&str>, usize) = (shown.into_iter().map(|k| traders[k]).collect(), traders.len());
    let mut caption = String::from(
        "Expected gain of traders that know their own price, against that price: of the mechanism (lines), and of a rule \
         that pays everybody its marginal contribution (dashed). Below zero a trader would rather stay away",
    );
    let _ = write!(caption, "; carbon policy {}.", study.policy(policy).name);
    caption += &shown_of(drawn.len(), all.len(), "mechanisms", "the first");
    caption += &shown_of(traders.0.len(), traders.1, "traders", "at equal distances in the file");
    caption += &study.footnote(&Basis::OneRun);
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Interim utility".into(),
        caption,
        canvas: page(study, drawn, &traders.0),
    }])
}

/// So many places of `n` at equal distances.
fn spread(n: usize, most: usize) -> Vec<usize> {
    if n <= most { (0..n).collect() } else { (0..most).map(|k| k * (n - 1) / (most - 1)).collect() }
}

struct Table {
    mechanism: usize,
    curves: Vec<CurveRows>,
}

fn tables(study: &Study, policy: usize) -> Vec<Table> {
    let of = |mechanism: usize| {
        let run = *study.runs(mechanism, policy).first()?;
        let mut curves = study.store.curves(run);
        curves.retain(|curve| curve.name == GIVEN || curve.name == CONTRIBUTION);
        let period = curves.first()?.period;
        curves.retain(|curve| curve.period == period);
        Some(Table { mechanism, curves })
    };
    study.trading().into_iter().filter_map(of).collect()
}

fn page(study: &Study, tables: &[Table], traders: &[&str]) -> Canvas {
    let mut figure = study.figure(TWO_COLUMNS_MM, 64.0);
    let stroke = |k: usize| Stroke::new(CYCLE[k].ink, DATA_LINE);
    let name = |id: &str| {
        let known = study.participants.iter().map(|i| study.participant(*i)).find(|entity| entity.key == id);
        known.map_or_else(|| crate::text::literal(id), |entity| entity.name.clone())
    };
    let mut keys: Vec<Entry> =
        traders.iter().enumerate().map(|(k, id)| (Key::Series(stroke(k), CYCLE[k].mark), name(id))).collect();
    let grey = Stroke::new(crate::style::GREY, THIN_LINE);
    keys.push((Key::Line(grey.dashed(REFERENCE_DASH)), "marginal contribution".to_owned()));
    figure.legend(&[keys]);
    let drawn = |table: &Table| -> Vec<(usize, CurveRows)> {
        let place = |curve: &CurveRows| traders.iter().position(|id| *id == curve.participant);
        table.curves.iter().filter_map(|curve| Some((place(curve)?, curve.clone()))).collect()
    };
    let contents: Vec<Vec<(usize, CurveRows)>> = tables.iter().map(drawn).collect();
    let points = || contents.iter().flatten().flat_map(|(_, curve)| curve.points.iter().copied());
    let label = format!("Own price ({}/kWh)", study.currency());
    let x = Axis::tight(points().map(|p| p.0), &label);
    let y = Axis::tight(points().map(|p| p.1).chain([0.0]), &format!("Expected gain ({})", study.currency()));
    let panel = |(k, table): (usize, &Table)| {
        Panel::new(x.clone(), y.clone()).titled(&lettered(k, &study.mechanism(table.mechanism).name))
    };
    let mut panels: Vec<Panel> = tables.iter().enumerate().map(panel).collect();
    figure.grid(panels.len(), Sharing::XAndY, &mut panels);
    for (panel, curves) in panels.iter().zip(&contents) {
        let c = &mut figure.canvas;
        panel.back(c);
        for (k, curve) in curves {
            if curve.name == CONTRIBUTION {
                panel.line(c, &curve.points, Stroke::new(CYCLE[*k].ink, THIN_LINE).dashed(REFERENCE_DASH));
            } else {
                panel.line(c, &curve.points, stroke(*k).dashed(SOLID));
                // Marks of different traders stand apart.
                let every = (curve.points.len() / 4).max(1);
                for point in curve.points.iter().skip(k * every / traders.len().max(1)).step_by(every) {
                    panel.mark(c, *point, CYCLE[*k].mark, CYCLE[*k].ink);
                }
            }
        }
        panel.front(c);
    }
    figure.canvas
}
