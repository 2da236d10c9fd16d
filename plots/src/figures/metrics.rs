//! Any metrics of the table `runs` as dots: mechanisms on rows, a mark for every policy, a panel for every metric or for what else
//! the user wants side by side, scenarios and swept values among it.
//!
//! Drawn only where the user asks for it.

use super::cost_and_emissions::titles;
use super::rows::{DotRow, dot_panels};
use super::{Absent, Basis, Picture, lettered, listed, shown_of};
use crate::measure::Measure;
use crate::study::{Study, largest};
use crate::style::Series;
use coase_core::statistics::Estimate;

/// More panels have no room for their axes.
const MOST_PANELS: usize = 8;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let measures = study.measures(&["social_cost", "emissions_kg"]);
    let own = [(String::new(), study.clone())];
    let facets: &[(String, Study)] = if study.facets.is_empty() { &own } else { &study.facets };
    if facets.iter().all(|(_, facet)| facet.run_count() == 0) {
        return Err(Absent::NoRun);
    }
    let (rows, series) = (places(facets, |facet| &facet.mechanisms), places(facets, |facet| &facet.policies));
    // one mechanism under several policies: policies are what differs, and get the rows
    let by_policy = rows.len() == 1 && series.len() > 1;
    let panels: Vec<(Measure, &String, &Study)> =
        measures.iter().flat_map(|measure| facets.iter().map(|(name, facet)| (*measure, name, facet))).collect();
    let all = panels.len();
    let panels = &panels[..all.min(MOST_PANELS)];
    let scaled: Vec<(String, Vec<Vec<Option<Estimate>>>)> =
        panels.iter().map(|(measure, _, facet)| values(*measure, facet, facets, &rows, &series)).collect();
    if scaled.iter().all(|(_, cells)| cells.iter().flatten().all(Option::is_none)) {
        return Err(Absent::NoData { column: measures.first().map_or("", |measure| measure.name()) });
    }
    let titles_of_panels: Vec<(String, String)> = panels
        .iter()
        .zip(&scaled)
        .enumerate()
        .map(|(k, ((measure, facet, _), (label, _)))| {
            let title = match (measures.len(), facet.is_empty()) {
                (1, true) => String::new(),
                (_, true) => lettered(k, &measure.title()),
                _ => lettered(k, facet),
            };
            (title, label.clone())
        })
        .collect();
    let of_row = |m: usize, p: Option<usize>| -> Vec<Vec<Option<Estimate>>> {
        let cells = |cells: &Vec<Vec<Option<Estimate>>>| match p {
            Some(p) => vec![cells[m][p]],
            None => cells[m].clone(),
        };
        scaled.iter().map(|(_, of)| cells(of)).collect()
    };
    let (drawn, looks, legend): (Vec<DotRow>, Vec<Series>, Vec<String>) = if by_policy {
        let row = |(k, p): (usize, &usize)| DotRow { name: study.policy(*p).name.clone(), panels: of_row(0, Some(k)) };
        (series.iter().enumerate().map(row).collect(), vec![study.mechanism(rows[0]).series], vec![String::new()])
    } else {
        let row = |(k, m): (usize, &usize)| DotRow { name: study.mechanism(*m).name.clone(), panels: of_row(k, None) };
        let policies = || series.iter().map(|p| study.policy(*p));
        (
            rows.iter().enumerate().map(row).collect(),
            policies().map(|policy| policy.series).collect(),
            policies().map(|policy| policy.name.clone()).collect(),
        )
    };
    let by = if by_policy {
        format!("carbon policy under {}", study.mechanism(rows[0]).name)
    } else if series.len() == 1 {
        format!("mechanism, carbon policy {}", study.policy(series[0]).name)
    } else {
        "mechanism and carbon policy".to_owned()
    };
    let columns: Vec<usize> = study.columns_of_facets().collect();
    let basis = if columns.is_empty() { Basis::Means } else { Basis::Along(columns) };
    let facets_in_words = match study.facets.len() {
        0 => String::new(),
        _ => format!(" Panels: {}.", listed(&facets.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>())),
    };
    Ok(vec![Picture {
        qualifier: String::new(),
        title: format!("{} by {by}", titles(&measures)),
        caption: format!(
            "{} by {by}.{facets_in_words}{}{}",
            titles(&measures),
            shown_of(panels.len(), all, "panels", "the first"),
            study.footnote(&basis)
        ),
        canvas: dot_panels(study, &titles_of_panels, &drawn, &looks, &legend).canvas,
    }])
}

/// What any of the facets has, in the order of the first that has it.
fn places<'a>(facets: &'a [(String, Study<'a>)], of: fn(&'a Study<'a>) -> &'a Vec<usize>) -> Vec<usize> {
    let mut places: Vec<usize> = vec![];
    for place in facets.iter().flat_map(|(_, facet)| of(facet)) {
        if !places.contains(place) {
            places.push(*place);
        }
    }
    places
}

/// A metric of a facet by row and series, in the unit in which all facets are drawn.
fn values(
    measure: Measure,
    facet: &Study,
    facets: &[(String, Study)],
    rows: &[usize],
    series: &[usize],
) -> (String, Vec<Vec<Option<Estimate>>>) {
    let of = |facet: &Study, m: usize, p: usize| facet.metric(m, p, measure.name());
    let ends = |e: Estimate| e.interval.map_or([e.mean; 2], |(a, b)| [a, b]);
    let pairs = || rows.iter().flat_map(|m| series.iter().map(move |p| (*m, *p)));
    let most = largest(facets.iter().flat_map(|(_, f)| pairs().filter_map(|(m, p)| of(f, m, p)).flat_map(ends)));
    let unit = measure.unit(facet, most);
    let scaled = |e: Estimate| Estimate {
        mean: e.mean * unit.factor,
        interval: e.interval.map(|(a, b)| (a * unit.factor, b * unit.factor)),
        n: e.n,
    };
    let cells = rows.iter().map(|m| series.iter().map(|p| of(facet, *m, *p).map(scaled)).collect()).collect();
    (measure.label(&unit), cells)
}
