//! How gains and costs are spread over many participants: cumulative shares, and quartiles with the share that loses.

use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::axis::{Axis, Kind};
use crate::canvas::{Canvas, Fill, Stroke};
use crate::figure::{Entry, Key, Sharing};
use crate::geometry::Pt;
use crate::panel::{Grid, Panel};
use crate::store::ParticipantRow;
use crate::study::{SAME, Study, Unit, largest};
use crate::style::{
    DATA_LINE, GREY, INK, LIMIT_DASH, MARKER, MM, Mark, ONE_COLUMN_MM, RED, SKY, SPINE, Series, TICK_LABEL,
    TWO_COLUMNS_MM, WHITE,
};
use crate::text;
use coase_core::statistics::quantile;

/// From here on participants are not drawn one by one.
pub(super) const FEW_PARTICIPANTS: usize = 8;
/// More lines cannot be told apart.
const MOST_LINES: usize = 6;
const MOST_POLICIES: usize = 6;
/// Mechanisms with a row of their own.
const MOST_ROWS: usize = 20;
/// From so many on their density is drawn, of fewer every one.
const MANY_FOR_A_VIOLIN: usize = 30;
/// Height of a row, mm.
const ROW_MM: f64 = 9.0;
/// Width that a panel needs, mm.
const PANEL_MM: f64 = 56.0;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let participants = study.participants.len();
    if study.run_count() == 0 {
        return Err(Absent::NoRun);
    }
    if participants <= FEW_PARTICIPANTS {
        return Err(Absent::FewParticipants { participants });
    }
    let reference = study.reference_policy().ok_or(Absent::NoRun)?;
    let gains = Sample::of(study, &study.trading(), "gain", |r| r.gain);
    let costs = Sample::of(study, &study.mechanisms, "cost", |r| r.total_cost);
    let pictures: Vec<Picture> =
        [gains.quartiles(reference), gains.shares(), costs.shares()].into_iter().flatten().collect();
    if pictures.is_empty() { Err(Absent::NoData { column: "gain" }) } else { Ok(pictures) }
}

/// A figure of every participant under every mechanism and policy.
struct Sample<'a> {
    study: &'a Study<'a>,
    what: &'static str,
    mechanisms: Vec<usize>,
    unit: Unit,
    /// By mechanism and policy of the study, in the unit, ascending; means over seeds.
    values: Vec<Vec<Vec<f64>>>,
}

impl<'a> Sample<'a> {
    fn of(
        study: &'a Study<'a>,
        mechanisms: &[usize],
        what: &'static str,
        value: impl Fn(&ParticipantRow) -> Option<f64> + Copy,
    ) -> Sample<'a> {
        let of = |m: usize, p: usize| -> Vec<f64> {
            let mut of: Vec<f64> = study
                .participants
                .iter()
                .filter_map(|i| study.of_participant((m, p), *i, value))
                .map(|e| e.mean)
                .collect();
            of.sort_by(f64::total_cmp);
            of
        };
        let mut values: Vec<Vec<Vec<f64>>> =
            mechanisms.iter().map(|m| study.policies.iter().map(|p| of(*m, *p)).collect()).collect();
        let unit = study.money(largest(values.iter().flatten().flatten().copied()));
        values.iter_mut().flatten().flatten().for_each(|v| *v *= unit.factor);
        Sample { study, what, mechanisms: mechanisms.to_vec(), unit, values }
    }

    fn label(&self) -> String {
        match self.what {
            "gain" => format!("Gain over grid only ({})", self.unit.label),
            _ => format!("Total cost ({})", self.unit.label),
        }
    }

    /// Cumulative shares, a panel for each policy.
    fn shares(&self) -> Option<Picture> {
        let study = self.study;
        let drawn = self.mechanisms.len().min(MOST_LINES);
        let policies = study.policies.len().min(MOST_POLICIES);
        let all = || self.values[..drawn].iter().flat_map(|by| by[..policies].iter().flatten()).copied();
        // Where nobody gains anything there is nothing to see.
        all().find(|v| *v != 0.0)?;
        let is_gain = self.what == "gain";
        let needed = if policies == 1 { ONE_COLUMN_MM } else { TWO_COLUMNS_MM };
        let width = study.width_mm(needed);
        let columns = ((width / PANEL_MM) as usize).clamp(1, policies);
        let rows = policies.div_ceil(columns);
        let mut figure = study.figure(needed, 20.0 + 46.0 * rows as f64 + if columns == 1 { 8.0 } else { 0.0 });
        let series: Vec<Series> = self.mechanisms[..drawn].iter().map(|m| study.mechanism(*m).series).collect();
        let stroke = |s: &Series| Stroke::new(s.ink, DATA_LINE).dashed(s.dash);
        let key = |(s, m): (&Series, &usize)| -> Entry {
            let key = if is_gain { Key::Series(stroke(s), s.mark) } else { Key::Line(stroke(s)) };
            (key, study.mechanism(*m).name.clone())
        };
        figure.legend(&[series.iter().zip(&self.mechanisms).map(key).collect()]);
        let x = Axis::around(all().chain(is_gain.then_some(0.0)), 5, "");
        let mut panels: Vec<Panel> = study.policies[..policies]
            .iter()
            .enumerate()
            .map(|(k, p)| {
                let name = &study.policy(*p).name;
                let title = if policies > 1 { lettered(k, name) } else { name.clone() };
                let y = Axis::linear(0.0, 100.0, 5, "Participants (%)");
                Panel::new(x.clone(), y).with_grid(Grid::Both).titled(&title)
            })
            .collect();
        figure.shared_x_label(&self.label());
        figure.grid(columns, Sharing::XAndY, &mut panels);
        for (k, panel) in panels.iter().enumerate() {
            let c = &mut figure.canvas;
            panel.back(c);
            if is_gain {
                let zero = Stroke::new(INK, SPINE).dashed(LIMIT_DASH);
                c.segment(panel.point(0.0, 0.0), panel.point(0.0, 100.0), zero);
            }
            for (of_mechanism, s) in self.values.iter().zip(&series) {
                let stairs = cumulative(&of_mechanism[k], (x.low, x.high));
                panel.line(c, &stairs, stroke(s));
            }
            for (of_mechanism, s) in self.values.iter().zip(&series).filter(|_| is_gain) {
                if let Some(share) = losers(&of_mechanism[k]).map(|n| 100.0 * n as f64 / of_mechanism[k].len() as f64) {
                    panel.mark(c, (0.0, share), s.mark, s.ink);
                }
            }
            panel.front(c);
        }
        let what = if is_gain { "gain over trading with the grid alone" } else { "total cost" };
        let mark = if is_gain { " The mark at zero is the share that loses." } else { "" };
        Some(Picture {
            qualifier: if is_gain { "gain".into() } else { "cost".into() },
            title: if is_gain { "Distribution of gains" } else { "Distribution of costs" }.into(),
            caption: format!(
                "Share of the {} participants whose {what} is at most so great, by mechanism and carbon policy.{mark}{}{}{}",
                study.participants.len(),
                shown_of(drawn, self.mechanisms.len(), "mechanisms", "the first"),
                shown_of(policies, study.policies.len(), "policies", "the first"),
                study.footnote(&Basis::PlainMeans)
            ),
            canvas: figure.canvas,
        })
    }

    /// Densities and quartiles under a policy, and the share that loses.
    fn quartiles(&self, policy: usize) -> Option<Picture> {
        let study = self.study;
        let place = study.policies.iter().position(|p| *p == policy)?;
        let ran: Vec<usize> = (0..self.mechanisms.len()).filter(|m| !self.values[*m][place].is_empty()).collect();
        let rows: Vec<usize> = ran.iter().copied().take(MOST_ROWS).collect();
        if rows.iter().all(|m| self.values[*m][place].iter().all(|v| *v == 0.0)) {
            return None;
        }
        let of = |row: usize| &self.values[rows[row]][place];
        let names: Vec<(usize, String)> = rows
            .iter()
            .enumerate()
            .map(|(i, m)| {
                let name = &study.mechanism(self.mechanisms[*m]).name;
                (i, text::fit(name, TICK_LABEL, study.width_mm(TWO_COLUMNS_MM) * MM * 0.3))
            })
            .collect();
        let mut y = Axis::rows(rows.len(), names, "");
        y.kind = Kind::Category;
        let all = (0..rows.len()).flat_map(|r| of(r).iter().copied());
        let x = Axis::around(all.chain([0.0]), 6, &self.label());
        let mut figure = study.figure(TWO_COLUMNS_MM, 18.0 + ROW_MM * rows.len() as f64);
        let violins = (0..rows.len()).any(|r| of(r).len() >= MANY_FOR_A_VIOLIN);
        let tint = Fill::new(SKY.mix(WHITE, 0.55));
        let first: Entry = if violins {
            (Key::Fill(tint), "Density".into())
        } else {
            (Key::Mark(Mark::Disc, GREY), "Participant".into())
        };
        figure.legend(&[vec![
            first,
            (Key::Fill(BOX), "Middle half".into()),
            (Key::Line(Stroke::new(INK, 0.8)), "Middle 90 %".into()),
            (Key::Line(MEDIAN), "Median".into()),
        ]]);
        let mut panels = vec![
            Panel::new(x, y.clone()).with_grid(Grid::X).titled("(a) Gain"),
            Panel::new(Axis::linear(0.0, 100.0, 4, "Participants (%)"), y)
                .with_grid(Grid::X)
                .titled("(b) Share that loses"),
        ];
        panels[0].weight = 2.4;
        figure.grid(2, Sharing::Y, &mut panels);
        let c = &mut figure.canvas;
        panels[0].back(c);
        for row in 0..rows.len() {
            if of(row).len() >= MANY_FOR_A_VIOLIN {
                violin(c, &panels[0], row as f64, of(row), tint);
            } else {
                for v in of(row) {
                    // Under the box: every one of them, where none is hidden behind a line.
                    let at = panels[0].point(*v, row as f64 + 0.3);
                    panels[0].note_mark(c, (*v, row as f64), Mark::Disc, GREY);
                    c.disc(at, 0.5 * MARKER, GREY);
                }
            }
            quarters(c, &panels[0], row as f64, of(row));
        }
        panels[0].front(c);
        panels[1].back(c);
        for row in 0..rows.len() {
            let (Some(n), all) = (losers(of(row)), of(row).len()) else { continue };
            let share = 100.0 * n as f64 / all as f64;
            panels[1].bar(
                c,
                (0.0, row as f64 - 0.2),
                (share, row as f64 + 0.2),
                Fill::new(RED.mix(WHITE, 0.45)).edged(),
            );
            let at = panels[1].point(share, row as f64);
            c.text_middle((at.0 + 3.0, at.1), crate::canvas::Align::Left, crate::style::NOTE, &format!("{n}/{all}"));
        }
        panels[1].front(c);
        let how = if violins { "density (Silverman's width, cut at the data)" } else { "every participant (discs)" };
        Some(Picture {
            qualifier: String::new(),
            title: "Distribution of gains".into(),
            caption: format!(
                "Gain of the {} participants over trading with the grid alone by mechanism, carbon policy {} (a): {how}, quartiles \
                 (box), 5 % to 95 % quantile (line), median; and the share that loses (b).{}{}",
                study.participants.len(),
                study.policy(policy).name,
                shown_of(rows.len(), ran.len(), "mechanisms", "the first"),
                study.footnote(&Basis::PlainMeans)
            ),
            canvas: figure.canvas,
        })
    }
}

const BOX: Fill = Fill::new(WHITE).edged();
const MEDIAN: Stroke = Stroke::new(RED, 1.6);

/// How many of some ascending gains are below zero by more than solvers are allowed; `None` of nobody.
fn losers(gains: &[f64]) -> Option<usize> {
    let most = gains.first()?.abs().max(gains.last()?.abs());
    Some(gains.iter().filter(|gain| **gain < -SAME * most).count())
}

/// The stairs of the share in per cent that is at most `x`, of ascending values, from the low end of an axis to the high one.
fn cumulative(values: &[f64], (low, high): (f64, f64)) -> Vec<Pt> {
    if values.is_empty() {
        return Vec::new();
    }
    let n = values.len() as f64;
    let steps =
        values.iter().enumerate().flat_map(|(k, v)| [(*v, 100.0 * k as f64 / n), (*v, 100.0 * (k + 1) as f64 / n)]);
    [(low, 0.0)].into_iter().chain(steps).chain([(high, 100.0)]).collect()
}

/// Gaussian kernel of Silverman's width (1986, eq. 3.31), cut at the data: places and densities, the greatest 1.
fn density(sorted: &[f64]) -> Vec<Pt> {
    const PLACES: usize = 80;
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let deviation = (sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let spread = quantile(sorted, 0.75).zip(quantile(sorted, 0.25)).map_or(0.0, |(a, b)| (a - b) / 1.34);
    let least = if spread > 0.0 { deviation.min(spread) } else { deviation };
    let width = 0.9 * least * n.powf(-0.2);
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    if width <= 0.0 || high <= low {
        return Vec::new();
    }
    let at = |x: f64| sorted.iter().map(|v| (-0.5 * ((x - v) / width).powi(2)).exp()).sum::<f64>();
    let curve: Vec<Pt> =
        (0..=PLACES).map(|k| low + (high - low) * k as f64 / PLACES as f64).map(|x| (x, at(x))).collect();
    let most = curve.iter().map(|p| p.1).fold(0.0, f64::max);
    curve.into_iter().map(|(x, d)| (x, d / most)).collect()
}

fn violin(c: &mut Canvas, panel: &Panel, row: f64, sorted: &[f64], fill: Fill) {
    let half = |sign: f64| density(sorted).into_iter().map(move |(x, d)| (x, row + sign * 0.42 * d));
    let (low, high): (Vec<Pt>, Vec<Pt>) = (half(1.0).collect(), half(-1.0).collect());
    if !low.is_empty() {
        panel.between_lines(c, &low, &high, fill);
    }
}

/// Box, whiskers and median.
fn quarters(c: &mut Canvas, panel: &Panel, row: f64, sorted: &[f64]) {
    let at = |share: f64| quantile(sorted, share).unwrap_or(0.0);
    panel.interval_x(c, row, (at(0.05), at(0.95)), INK);
    panel.bar(c, (at(0.25), row - 0.13), (at(0.75), row + 0.13), BOX);
    panel.line(c, &[(at(0.5), row - 0.19), (at(0.5), row + 0.19)], MEDIAN);
}

#[cfg(test)]
mod tests {
    use super::{cumulative, density, losers};

    #[test]
    fn shares_rise_by_one_participant_at_its_value() {
        let stairs = cumulative(&[-2.0, 0.0, 0.0, 5.0], (-4.0, 6.0));
        assert_eq!(stairs[..3], [(-4.0, 0.0), (-2.0, 0.0), (-2.0, 25.0)]);
        assert_eq!(stairs[stairs.len() - 2..], [(5.0, 100.0), (6.0, 100.0)]);
        // Half a participant to the right of zero three of four have at most so much.
        let before = |x: f64| stairs.iter().filter(|p| p.0 <= x).map(|p| p.1).fold(0.0, f64::max);
        assert_eq!((before(-2.0), before(0.5), before(4.9)), (25.0, 75.0, 75.0));
        assert_eq!(cumulative(&[], (0.0, 1.0)), []);
    }

    #[test]
    fn only_a_loss_beyond_the_tolerance_is_a_loss() {
        assert_eq!(losers(&[-3.0, -1e-9, 0.0, 2.0]), Some(1));
        assert_eq!(losers(&[0.0; 4]), Some(0));
        assert_eq!(losers(&[]), None);
    }

    /// A kernel estimate of symmetric data is symmetric, and ends with them.
    #[test]
    fn densities_are_those_of_the_data() {
        let data: Vec<f64> = (-20..=20).map(|k| f64::from(k).powi(3)).collect();
        let curve = density(&data);
        assert_eq!((curve[0].0, curve[80].0), (-8000.0, 8000.0));
        for k in 0..=40 {
            assert!((curve[k].1 - curve[80 - k].1).abs() < 1e-9, "{k}");
        }
        assert!((curve[40].1 - 1.0).abs() < 1e-9);
        assert_eq!(density(&[1.0; 40]), []);
    }
}
