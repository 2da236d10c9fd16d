//! What every seller asks in every period in which it sells.

use super::courses::{self, Content, MOST_LINES};
use super::{Absent, Basis, Picture, shown_of};
use crate::axis::Axis;
use crate::canvas::Stroke;
use crate::figure::{Entry, Key};
use crate::panel::Panel;
use crate::study::Study;
use crate::style::{CYCLE, DATA_LINE, TWO_COLUMNS_MM};

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    if study.clock.periods < 2 {
        return Err(Absent::OnePeriod);
    }
    let lines = courses::of(study, "price_of_period")?;
    let drawn = &lines.curves[..lines.curves.len().min(MOST_LINES)];
    let hours = study.facts.period_h.unwrap_or(1.0);
    // A price stands in the middle of its period, and is not joined over hours in which its seller has nothing to sell.
    let pieces = |points: &[(f64, f64)]| {
        let mut pieces: Vec<Vec<(f64, f64)>> = vec![];
        let mut before = f64::NEG_INFINITY;
        for (period, price) in points {
            if *period > before + 1.5 {
                pieces.push(vec![]);
            }
            before = *period;
            pieces.last_mut().into_iter().for_each(|piece| piece.push(((period + 0.5) * hours, *price)));
        }
        pieces
    };
    let content = Content {
        title: String::new(),
        lines: drawn.iter().enumerate().flat_map(|(k, c)| pieces(&c.points).into_iter().map(move |p| (k, p))).collect(),
    };
    let mut figure = study.figure(TWO_COLUMNS_MM, 64.0);
    let stroke = |k: usize| Stroke::new(CYCLE[k].ink, DATA_LINE).dashed(CYCLE[k].dash);
    let key = |(k, curve): (usize, &crate::store::CurveRows)| -> Entry {
        (Key::Series(stroke(k), CYCLE[k].mark), courses::name(study, &curve.participant))
    };
    figure.legend(&[drawn.iter().enumerate().map(key).collect()]);
    let y = Axis::tight(
        content.lines.iter().flat_map(|(_, line)| line).map(|p| p.1),
        &format!("Price ({}/kWh)", study.currency()),
    );
    let panel = figure.single(Panel::new(study.clock.axis(study.clock.label), y));
    let c = &mut figure.canvas;
    panel.back(c);
    for (k, line) in &content.lines {
        panel.line(c, line, stroke(*k));
        for point in line {
            panel.mark(c, *point, CYCLE[*k].mark, CYCLE[*k].ink);
        }
    }
    panel.front(c);
    let mut caption = format!(
        "Prices that sellers ask under {} in every period in which they sell; carbon policy {}.",
        study.mechanism(lines.mechanism).name,
        study.policy(lines.policy).name
    );
    caption += &shown_of(drawn.len(), lines.curves.len(), "sellers", "the first");
    caption += &study.footnote(&Basis::OneRun);
    Ok(vec![Picture { qualifier: String::new(), title: "Prices by period".into(), caption, canvas: figure.canvas }])
}
