//! Mean ranks of the mechanisms over the draws, and which of them are not told apart: a critical-difference diagram.

use super::{Absent, Basis, Picture, lettered, listed};
use crate::canvas::{Align, Canvas, Stroke};
use crate::study::{SAME, Study};
use crate::style::{
    DATA_LINE, GAP, INK, LABEL, MM, ONE_COLUMN_MM, PAD_PAGE, SPINE, THIN_LINE, TICK, TICK_LABEL, TWO_COLUMNS_MM,
};
use crate::text;
use coase_core::statistics::paired;
use coase_core::statistics::ranks::{Better, Ranking, friedman};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Level of the critical difference.
const LEVEL: f64 = 0.05;
const METRIC: &str = "social_cost";
/// Mechanisms in a panel of half the width.
const MOST_IN_A_COLUMN: usize = 12;

/// Above the axis: title, critical difference, labels of the ticks.
const TITLE: f64 = 12.0;
const CRITICAL: f64 = 20.0;
const TICKS: f64 = 12.0;
/// Between the bars of groups, and between the names.
const BAR: f64 = 4.5;
const ROW: f64 = 11.0;
/// Between a name and its line.
const PAD: f64 = 3.0;
/// Share of a panel that the names at one side may take.
const NAMES: f64 = 0.32;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    if study.run_count() == 0 {
        return Err(Absent::NoRun);
    }
    if study.seeds() < 2 || !study.seeds_matter() {
        return Err(Absent::FewDraws);
    }
    let panels: Vec<Ranked> = study.policies.iter().filter_map(|p| Ranked::of(study, *p).ok()).collect();
    if panels.is_empty() {
        let mut reasons = study.policies.iter().filter_map(|p| Ranked::of(study, *p).err());
        return Err(reasons.next().unwrap_or(Absent::NoRun));
    }
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Ranks over the draws".into(),
        caption: caption(study, &panels),
        canvas: page(study, &panels),
    }])
}

/// The mechanisms under one policy, ranked at the draws at which all of them have an answer.
struct Ranked {
    policy: usize,
    mechanisms: Vec<usize>,
    ranking: Ranking,
    critical: f64,
    /// Groups that are not told apart, of places among the mechanisms, each with the line it is drawn in.
    groups: Vec<(Vec<usize>, usize)>,
}

impl Ranked {
    fn of(study: &Study, policy: usize) -> Result<Ranked, Absent> {
        let costs = |m: &usize| -> BTreeMap<u64, f64> {
            let runs = study.runs(*m, policy).iter();
            runs.filter_map(|r| Some((study.store.runs[*r].seed, study.store.metric(*r, METRIC)?))).collect()
        };
        let all: Vec<BTreeMap<u64, f64>> = study.mechanisms.iter().map(costs).collect();
        if all.iter().all(BTreeMap::is_empty) {
            return Err(Absent::NoData { column: METRIC });
        }
        let seeds: Vec<u64> =
            all.iter().flat_map(BTreeMap::keys).copied().collect::<BTreeSet<u64>>().into_iter().collect();
        let has: Vec<Vec<bool>> = all.iter().map(|of| seeds.iter().map(|s| of.contains_key(s)).collect()).collect();
        let found = paired(&has);
        if found.series.len() < 3 {
            return Err(Absent::FewMechanisms);
        }
        let case = |point: &usize| levelled(found.series.iter().map(|m| all[*m][&seeds[*point]]).collect());
        let scores: Vec<Vec<f64>> = found.points.iter().map(case).collect();
        let ranking = friedman(&scores, Better::Low).ok_or(Absent::FewDraws)?;
        let critical = ranking.critical_difference(LEVEL);
        let groups = in_lines(ranking.groups(critical));
        let mechanisms = found.series.iter().map(|m| study.mechanisms[*m]).collect();
        Ok(Ranked { policy, mechanisms, ranking, critical, groups })
    }

    /// Places of the mechanisms, best first.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.mechanisms.len()).collect();
        order.sort_by(|a, b| self.ranking.ranks[*a].total_cmp(&self.ranking.ranks[*b]));
        order
    }

    fn lines(&self) -> usize {
        self.groups.iter().map(|(_, line)| line + 1).max().unwrap_or(0)
    }

    /// How much lower the names at the right stand: where the middle two are equal, their lines would be one.
    fn stagger(&self) -> f64 {
        let (order, half) = (self.order(), self.mechanisms.len().div_ceil(2));
        let rank = |place: usize| order.get(place).map(|m| self.ranking.ranks[*m]);
        if rank(half - 1) == rank(half) { 0.5 } else { 0.0 }
    }

    fn height(&self) -> f64 {
        let rows = self.mechanisms.len().div_ceil(2) as f64 + self.stagger();
        TITLE + CRITICAL + TICKS + TICK + BAR * (self.lines() + 1) as f64 + ROW * rows
    }
}

/// Costs with those that differ by no more than a solver may be off set equal, from the least on.
fn levelled(costs: Vec<f64>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by(|a, b| costs[*a].total_cmp(&costs[*b]));
    let mut level = costs;
    for pair in order.windows(2) {
        let (below, here) = (level[pair[0]], level[pair[1]]);
        if here - below <= SAME * (1.0 + below.abs()) {
            level[pair[1]] = below;
        }
    }
    level
}

/// Groups in as few lines as keep those of a line apart: they come best first and overlap their neighbours only.
fn in_lines(groups: Vec<Vec<usize>>) -> Vec<(Vec<usize>, usize)> {
    let mut lines: Vec<BTreeSet<usize>> = Vec::new();
    let mut placed = Vec::new();
    for group in groups {
        let free = lines.iter().position(|taken| group.iter().all(|m| !taken.contains(m)));
        let line = free.unwrap_or_else(|| {
            lines.push(BTreeSet::new());
            lines.len() - 1
        });
        lines[line].extend(&group);
        placed.push((group, line));
    }
    placed
}

fn page(study: &Study, panels: &[Ranked]) -> Canvas {
    let most = panels.iter().map(|p| p.mechanisms.len()).max().unwrap_or(0);
    let wide = panels.len() > 1 || most > MOST_IN_A_COLUMN;
    let columns = panels.len().min(if most > MOST_IN_A_COLUMN { 1 } else { 2 });
    let heights: Vec<f64> =
        panels.chunks(columns).map(|row| row.iter().map(Ranked::height).fold(0.0, f64::max)).collect();
    let height = heights.iter().sum::<f64>() + GAP * (heights.len() - 1) as f64 + 2.0 * PAD_PAGE;
    let width = if wide { TWO_COLUMNS_MM } else { ONE_COLUMN_MM };
    let mut figure = study.figure(width, height / MM);
    let panel_width = (figure.area.width() - 2.0 * GAP * (columns - 1) as f64) / columns as f64;
    let mut y = figure.area.y0;
    for (row, height) in panels.chunks(columns).zip(heights) {
        for (column, panel) in row.iter().enumerate() {
            let x0 = figure.area.x0 + (panel_width + 2.0 * GAP) * column as f64;
            let k = panels.iter().position(|p| p.policy == panel.policy).unwrap_or(0);
            let name = &study.policy(panel.policy).name;
            let title = if panels.len() > 1 { lettered(k, name) } else { name.clone() };
            let title = text::fit_weighted(&title, LABEL, text::Weight::Bold, panel_width);
            figure.canvas.bold((x0, y + LABEL), LABEL, &title);
            diagram(&mut figure.canvas, study, panel, (x0, y + TITLE), panel_width);
        }
        y += height + GAP;
    }
    figure.canvas
}

/// One diagram below a point: the critical difference, the axis of ranks, bars, and the names at both sides.
fn diagram(c: &mut Canvas, study: &Study, panel: &Ranked, (x0, y0): (f64, f64), width: f64) {
    let order = panel.order();
    let names: Vec<String> = order
        .iter()
        .map(|m| {
            let entity = study.mechanism(panel.mechanisms[*m]);
            let fits = |name: &str| text::width(name, TICK_LABEL) <= NAMES * width;
            if fits(&entity.name) { entity.name.clone() } else { text::fit(&entity.short, TICK_LABEL, NAMES * width) }
        })
        .collect();
    let half = names.len().div_ceil(2);
    let widest = |names: &[String]| names.iter().map(|n| text::width(n, TICK_LABEL)).fold(0.0, f64::max);
    // Lines reach a little beyond the ends of the axis.
    let left = x0 + widest(&names[..half]) + PAD;
    let right = x0 + width - widest(&names[half..]) - PAD;
    let (from, to) = (left + 4.0 * PAD, right - 4.0 * PAD);
    let count = names.len() as f64;
    let at = |rank: f64| from + (to - from) * (rank - 1.0) / (count - 1.0);
    let spine = Stroke::new(INK, SPINE);

    let critical = panel.critical.min(count - 1.0);
    let above = y0 + CRITICAL - 6.0;
    c.segment((from, above), (at(1.0 + critical), above), Stroke::new(INK, DATA_LINE));
    c.segment((from, above - TICK), (from, above + TICK), spine);
    let beyond = panel.critical > count - 1.0;
    if !beyond {
        c.segment((at(1.0 + critical), above - TICK), (at(1.0 + critical), above + TICK), spine);
    }
    let told = format!("CD = {}{}", text::number(panel.critical, 2), if beyond { ", off the axis" } else { "" });
    c.text((from, above - TICK - 2.0), Align::Left, TICK_LABEL, &told);

    // the caption says as much where there is no room for it
    let (label, taken) = ("Mean rank (1 is best)", from + text::width(&told, TICK_LABEL) + 4.0 * PAD);
    if x0 + width - text::width(label, TICK_LABEL) > taken {
        c.text((x0 + width, above - TICK - 2.0), Align::Right, TICK_LABEL, label);
    }

    let axis = y0 + CRITICAL + TICKS;
    c.segment((from, axis), (to, axis), spine);
    let apart = |step: &usize| (to - from) / (count - 1.0) * *step as f64 >= 14.0;
    let step = (1..names.len()).find(apart).unwrap_or(names.len());
    for rank in 1..=names.len() {
        let x = at(rank as f64);
        c.segment((x, axis - TICK), (x, axis), spine);
        if (rank - 1) % step == 0 {
            c.text((x, axis - TICK - 2.0), Align::Center, TICK_LABEL, &rank.to_string());
        }
    }

    for (group, line) in &panel.groups {
        let ranks = || group.iter().map(|m| panel.ranking.ranks[*m]);
        let (low, high) = (ranks().fold(f64::INFINITY, f64::min), ranks().fold(0.0, f64::max));
        let y = axis + BAR * (*line + 1) as f64;
        // Seen also where ranks are equal.
        c.segment((at(low) - 1.5, y), (at(high) + 1.5, y), Stroke::new(INK, 2.0 * DATA_LINE));
    }

    let below = axis + BAR * (panel.lines() + 1) as f64;
    let thin = Stroke::new(INK, THIN_LINE);
    for (place, name) in names.iter().enumerate() {
        let x = at(panel.ranking.ranks[order[place]]);
        // The outermost of each side are on top, so that no line crosses another.
        let row = if place < half { place as f64 } else { (names.len() - 1 - place) as f64 + panel.stagger() };
        let y = below + ROW * (row + 0.5);
        let (end, align, beside) = if place < half { (left, Align::Right, -PAD) } else { (right, Align::Left, PAD) };
        c.line(&[(x, axis), (x, y), (end, y)], thin);
        c.text_middle((end + beside, y), align, TICK_LABEL, name);
    }
}

fn caption(study: &Study, panels: &[Ranked]) -> String {
    let mut out = "Mean ranks of the mechanisms over the draws by social cost, the least of a draw having rank 1 (critical-difference \
                   diagram of Demšar, 2006); bars join mechanisms whose mean ranks lie closer together than Nemenyi's \
                   critical difference (CD) at 5 %, which are not told apart."
        .to_owned();
    for (k, panel) in panels.iter().enumerate() {
        let name = &study.policy(panel.policy).name;
        let name = if panels.len() > 1 { lettered(k, name) } else { format!("Carbon policy {name}") };
        let p = panel.ranking.chi_square_p;
        let p = if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {}", text::plain_number(p, 3)) };
        let (n, cd) = (panel.ranking.cases, text::plain_number(panel.critical, 2));
        let _ = write!(out, " {name}: {n} draws, CD = {cd}, Friedman's test {p}.");
    }
    let unranked = study.policies.iter().filter(|p| panels.iter().all(|panel| panel.policy != **p));
    let unranked: Vec<String> = unranked.map(|p| study.policy(*p).name.clone()).collect();
    if !unranked.is_empty() {
        let _ = write!(out, " Too few draws or mechanisms under {}.", listed(&unranked));
    }
    out + &study.footnote(&Basis::PlainMeans)
}

#[cfg(test)]
mod tests {
    use super::{in_lines, levelled};

    #[test]
    fn costs_within_the_tolerance_of_a_solver_are_equal() {
        assert_eq!(levelled(vec![100.0, 90.0, 90.000_01, 100.1]), [100.0, 90.0, 90.0, 100.1]);
    }

    #[test]
    fn groups_that_share_a_mechanism_are_in_different_lines() {
        let groups = in_lines(vec![vec![0, 1], vec![1, 2], vec![3, 4]]);
        assert_eq!(groups.iter().map(|g| g.1).collect::<Vec<_>>(), [0, 1, 0]);
    }
}
