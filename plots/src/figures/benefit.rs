//! What every participant gains over trading with the grid alone, by mechanism and policy.

use super::rows::{DotRow, dot_panels};
use super::{Absent, Basis, Picture, extremes, extremes_of, group_width, lettered};
use crate::axis::Axis;
use crate::canvas::Fill;
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::panel::Panel;
use crate::study::{Study, Unit, largest};
use crate::style::{CYCLE, INK, Series, TWO_COLUMNS_MM};
use coase_core::statistics::Estimate;

const MOST_PANELS: usize = 6;
const MOST_PARTICIPANTS: usize = 8;
const MOST_POLICIES: usize = 5;
/// Panels of dots side by side.
const MOST_COLUMNS: usize = 4;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let mechanisms = study.trading();
    if mechanisms.is_empty() {
        return Err(if study.run_count() == 0 { Absent::NoRun } else { Absent::OnlyBaseline });
    }
    let gains = Gains::of(study, mechanisms)?;
    let bars = gains.mechanisms.len() <= MOST_PANELS
        && study.participants.len() <= MOST_PARTICIPANTS
        && study.policies.len() <= MOST_POLICIES;
    let all = study.participants.len();
    let (canvas, how, shown) = if bars {
        (gains.bars().canvas, "by mechanism and carbon policy".to_owned(), all)
    } else if study.policies.len() > 1 && gains.mechanisms.len() <= MOST_COLUMNS {
        (gains.dots_by_policy().canvas, "by mechanism and carbon policy".to_owned(), MOST_PARTICIPANTS)
    } else {
        let policy = study.reference_policy().ok_or(Absent::NoRun)?;
        let how = format!("by mechanism, carbon policy {}", study.policy(policy).name);
        (gains.dots(policy).canvas, how, MOST_PARTICIPANTS)
    };
    let rest = extremes_of(shown, all);
    let who = if shown < all { "participants" } else { "every participant" };
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Benefit per participant".into(),
        caption: format!(
            "Gain of {who} over trading with the grid alone under the same carbon policy, {how}; below zero a participant \
             would rather stay out.{rest}{}",
            study.footnote(&Basis::Means)
        ),
        canvas,
    }])
}

struct Gains<'a> {
    study: &'a Study<'a>,
    mechanisms: Vec<usize>,
    unit: Unit,
    /// By mechanism, participant and policy, in the unit.
    values: Vec<Vec<Vec<Option<Estimate>>>>,
}

impl<'a> Gains<'a> {
    fn of(study: &'a Study<'a>, mechanisms: Vec<usize>) -> Result<Gains<'a>, Absent> {
        let gain = |m: usize, i: usize, p: usize| study.of_participant((m, p), i, |r| r.gain);
        let mut values: Vec<Vec<Vec<Option<Estimate>>>> = mechanisms
            .iter()
            .map(|m| {
                let of = |i: &usize| study.policies.iter().map(|p| gain(*m, *i, *p)).collect();
                study.participants.iter().map(of).collect()
            })
            .collect();
        let known: Vec<Estimate> = values.iter().flatten().flatten().flatten().copied().collect();
        if known.is_empty() {
            return Err(Absent::NoData { column: "gain" });
        }
        let most = largest(known.iter().map(|e| e.mean));
        if most == 0.0 {
            return Err(Absent::NothingGained);
        }
        let unit = study.money(most);
        for e in values.iter_mut().flatten().flatten().flatten() {
            e.mean *= unit.factor;
            e.interval = e.interval.map(|(a, b)| (a * unit.factor, b * unit.factor));
        }
        Ok(Gains { study, mechanisms, unit, values })
    }

    fn label(&self) -> String {
        format!("Gain over grid only ({})", self.unit.label)
    }

    fn ends(&self) -> Vec<f64> {
        let all = self.values.iter().flatten().flatten().flatten();
        all.flat_map(|e| e.interval.map_or([e.mean; 2], |(a, b)| [a, b])).collect()
    }

    fn bars(&self) -> Figure {
        let study = self.study;
        let columns = self.mechanisms.len().min(3);
        let lines = self.mechanisms.len().div_ceil(columns);
        let mut figure = study.figure(TWO_COLUMNS_MM, 16.0 + 44.0 * lines as f64);
        let fill = |p: usize| Fill::of(&study.policy(p).series);
        if study.policies.len() > 1 {
            let entries: Vec<Entry> =
                study.policies.iter().map(|p| (Key::Fill(fill(*p)), study.policy(*p).name.clone())).collect();
            figure.legend(&[entries]);
        }
        let names: Vec<String> = study.participants.iter().map(|i| study.participant(*i).short.clone()).collect();
        let label = format!("Gain ({})", self.unit.label);
        let y = Axis::from_zero(self.ends(), 5, if lines > 1 { &label } else { "" });
        let y = if lines > 1 { y } else { Axis { label: self.label(), ..y } };
        let mut panels: Vec<Panel> = self
            .mechanisms
            .iter()
            .enumerate()
            .map(|(k, m)| {
                Panel::new(Axis::categories(&names, ""), y.clone()).titled(&lettered(k, &study.mechanism(*m).name))
            })
            .collect();
        figure.grid(columns, Sharing::XAndY, &mut panels);
        let group = group_width(study.policies.len());
        let width = group / study.policies.len() as f64;
        for (panel, of_mechanism) in panels.iter().zip(&self.values) {
            let c = &mut figure.canvas;
            panel.back(c);
            for (i, of_participant) in of_mechanism.iter().enumerate() {
                for (k, estimate) in of_participant.iter().enumerate() {
                    let Some(e) = estimate else { continue };
                    let x = i as f64 - group / 2.0 + width * k as f64;
                    panel.bar(c, (x, 0.0), (x + width, e.mean), fill(study.policies[k]));
                    if let Some(interval) = e.interval {
                        panel.interval_y(c, x + width / 2.0, interval, INK);
                    }
                }
            }
            panel.front(c);
        }
        figure
    }

    /// Policies as rows, participants as markers, a panel per mechanism.
    fn dots_by_policy(&self) -> Figure {
        let study = self.study;
        let shown = self.shown();
        let of_policy = |k: usize| {
            self.values.iter().map(|of_mechanism| shown.iter().map(|i| of_mechanism[*i][k]).collect()).collect()
        };
        let rows: Vec<DotRow> = study
            .policies
            .iter()
            .enumerate()
            .map(|(k, p)| DotRow { name: study.policy(*p).name.clone(), panels: of_policy(k) })
            .collect();
        let several = self.mechanisms.len() > 1;
        let title = |(k, m): (usize, &usize)| {
            let name = &study.mechanism(*m).name;
            let label = if several { format!("Gain ({})", self.unit.label) } else { self.label() };
            (if several { lettered(k, name) } else { String::new() }, label)
        };
        let titles: Vec<(String, String)> = self.mechanisms.iter().enumerate().map(title).collect();
        let (series, names) = self.participants(&shown);
        dot_panels(self.study, &titles, &rows, &series, &names)
    }

    /// The participants that dots are drawn of: the greatest winners and losers, by place in the study.
    fn shown(&self) -> Vec<usize> {
        let all = self.study.participants.len();
        let gains = |i: usize| self.values.iter().flat_map(move |m| m[i].iter().flatten().map(|e| e.mean));
        let most: Vec<f64> = (0..all).map(|i| gains(i).fold(f64::NEG_INFINITY, f64::max)).collect();
        let least: Vec<f64> = (0..all).map(|i| gains(i).fold(f64::INFINITY, f64::min)).collect();
        extremes(&most, &least, MOST_PARTICIPANTS)
    }

    /// What participants look like and are called. Looks repeat from the eighth on: those shown have their own.
    fn participants(&self, shown: &[usize]) -> (Vec<Series>, Vec<String>) {
        let entity = |i: &usize| self.study.participant(self.study.participants[*i]);
        let all = self.study.participants.len() <= MOST_PARTICIPANTS;
        let look = |(k, i): (usize, &usize)| if all { entity(i).series } else { CYCLE[k % CYCLE.len()] };
        (shown.iter().enumerate().map(look).collect(), shown.iter().map(|i| entity(i).name.clone()).collect())
    }

    /// Mechanisms as rows, participants as markers.
    fn dots(&self, policy: usize) -> Figure {
        let study = self.study;
        let k = study.policies.iter().position(|p| *p == policy).unwrap_or(0);
        let shown = self.shown();
        let rows: Vec<DotRow> = self
            .mechanisms
            .iter()
            .zip(&self.values)
            .map(|(m, values)| DotRow {
                name: study.mechanism(*m).name.clone(),
                panels: vec![shown.iter().map(|i| values[*i][k]).collect()],
            })
            .collect();
        let (series, names) = self.participants(&shown);
        dot_panels(self.study, &[(String::new(), self.label())], &rows, &series, &names)
    }
}
