//! What social cost and emissions hinge on: parameters of a box as rows, mechanisms as series.

use super::rows::shade_every_second_row;
use super::{Absent, Basis, Picture, greatest, lettered, shown_of};
use crate::axis::{Axis, Kind};
use crate::canvas::Stroke;
use crate::designed::Designed;
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::panel::{Grid, Panel};
use crate::study::{Study, largest};
use crate::style::{DATA_LINE, INK, SPINE, TICK_LABEL, TWO_COLUMNS_MM, WHITE};
use crate::text::{self, literal};
use coase_core::statistics::sensitivity::{Findings, Method};

const MOST_PARAMETERS: usize = 12;
const MOST_MECHANISMS: usize = 6;
/// Height of a row and of each further series in it, mm.
const ROW_MM: f64 = 4.6;
const SERIES_MM: f64 = 1.7;
const METRICS: [(&str, &str); 2] = [("social_cost", "Social cost"), ("emissions_kg", "Emissions")];

/// What is drawn of one parameter: a line from one number to another, and marks.
#[derive(Clone, Copy)]
struct Bar {
    from: f64,
    to: f64,
    /// The filled mark.
    at: f64,
    /// The hollow one.
    beside: Option<f64>,
    /// How much it matters, for the order of the rows.
    size: f64,
}

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let designed = Designed::of(study.store, study.identity).ok_or(Absent::NoStudy)?;
    if designed.study.all_over() > 0 && !matches!(designed.study.method, Method::Sobol { .. }) {
        return Err(Absent::NoStudy);
    }
    let pictures: Vec<Picture> = study.policies.iter().filter_map(|p| picture(study, &designed, *p)).collect();
    if pictures.is_empty() { Err(Absent::NoRun) } else { Ok(pictures) }
}

/// The bars of a mechanism under a policy, by parameter.
fn bars(study: &Study, designed: &Designed, (m, p): (usize, usize), metric: &str) -> Option<Vec<Bar>> {
    let cell = designed.cells.iter().find(|c| c.scenario == study.scenario && (c.mechanism, c.policy) == (m, p))?;
    let bars = match designed.findings(study.store, cell, metric)? {
        Findings::Swings(swings) => {
            let mut bars = vec![None; swings.len()];
            for s in swings {
                let (low, high) = (s.low - s.base, s.high - s.base);
                bars[s.parameter] = Some(Bar { from: low, to: high, at: high, beside: Some(low), size: s.size() });
            }
            bars.into_iter().flatten().collect()
        }
        Findings::Effects(effects) => {
            let bar = |e: &coase_core::statistics::sensitivity::Effect| Bar {
                from: 0.0,
                to: e.mu_star,
                at: e.mu_star,
                beside: Some(e.sigma),
                size: e.mu_star,
            };
            effects.iter().map(bar).collect()
        }
        Findings::Indices(indices) => {
            let bar = |k: usize| {
                let total = indices.total[k];
                let (from, to) = total.interval.unwrap_or((total.value, total.value));
                Bar { from, to, at: total.value, beside: Some(indices.first[k].value), size: total.value }
            };
            (0..indices.total.len()).map(bar).collect()
        }
        Findings::Points => return None,
    };
    Some(bars)
}

fn picture(study: &Study, designed: &Designed, policy: usize) -> Option<Picture> {
    let shown: Vec<usize> = study.mechanisms.iter().copied().take(MOST_MECHANISMS).collect();
    let of = |metric: &str| -> Vec<Option<Vec<Bar>>> {
        shown.iter().map(|m| bars(study, designed, (*m, policy), metric)).collect()
    };
    let all: Vec<Vec<Option<Vec<Bar>>>> = METRICS.iter().map(|(metric, _)| of(metric)).collect();
    if all.iter().flatten().all(Option::is_none) {
        return None;
    }
    let parameters = &designed.study.over;
    // How much a parameter matters to what is drawn first, as a share of the greatest; to the second where the first is empty.
    let matters = |k: usize| -> f64 {
        let in_panel = |panel: &Vec<Option<Vec<Bar>>>| largest(panel.iter().flatten().map(|bars| bars[k].size));
        let most =
            |panel: &Vec<Option<Vec<Bar>>>| largest(panel.iter().flatten().flatten().map(|b| b.size)).max(1e-300);
        all.iter().map(|panel| in_panel(panel) / most(panel)).fold(0.0, f64::max)
    };
    let sizes: Vec<f64> = (0..parameters.len()).map(matters).collect();
    let mut rows = greatest(&sizes, MOST_PARAMETERS);
    rows.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
    let left_out = shown_of(rows.len(), parameters.len(), "parameters", "those that matter most");
    let few = shown_of(shown.len(), study.mechanisms.len(), "mechanisms", "the first");
    let name = &study.policy(policy).name;
    let silent = if all.iter().flatten().any(Option::is_none) {
        " A mechanism without an answer at some point is not drawn."
    } else {
        ""
    };
    let columns: Vec<usize> = (0..study.store.sweeps.len()).filter(|column| designed.has_column(*column)).collect();
    Some(Picture {
        qualifier: if study.policies.len() > 1 { study.policy(policy).key.clone() } else { String::new() },
        title: format!("What social cost and emissions hinge on under {name}"),
        caption: format!(
            "What social cost (a) and emissions (b) hinge on within the box of parameters, carbon policy {name}. {}{left_out}{few}{silent}{}",
            what(designed),
            study.footnote(&Basis::Along(columns))
        ),
        canvas: page(study, designed, &shown, &rows, &all).canvas,
    })
}

fn what(designed: &Designed) -> String {
    match designed.study.method {
        Method::OneAtATime => {
            "Change from the base when one parameter goes to its least value (hollow) and to its greatest \
                               (filled), all others at their base."
                .to_owned()
        }
        Method::Morris { walks, .. } => format!(
            "Elementary effects over {walks} walks (Morris, 1991): mean size mu* of the effect over the whole range (filled) and \
             its standard deviation (hollow), which is large where the effect depends on other parameters or is curved."
        ),
        Method::Sobol { rows } => format!(
            "Share of the variance that a parameter has a part in (total index, filled, with its 95 % interval) and that it \
             explains alone (first index, hollow), from two designs of {rows} rows."
        ),
        Method::LatinHypercube { .. } => String::new(),
    }
}

fn page(study: &Study, designed: &Designed, shown: &[usize], rows: &[usize], all: &[Vec<Option<Vec<Bar>>>]) -> Figure {
    let height = ROW_MM + SERIES_MM * (shown.len() - 1) as f64;
    let mut figure = study.figure(TWO_COLUMNS_MM, 22.0 + height * rows.len() as f64);
    if shown.len() > 1 {
        let key = |m: &usize| -> Entry {
            let entity = study.mechanism(*m);
            (Key::Mark(entity.series.mark, entity.series.ink), entity.name.clone())
        };
        figure.legend(&[shown.iter().map(key).collect()]);
    }
    let room = figure.canvas.width * 0.26;
    let names: Vec<(usize, String)> =
        rows.iter().enumerate().map(|(i, k)| (i, named(&designed.study.over[*k].path, room))).collect();
    let is_share = matches!(designed.study.method, Method::Sobol { .. });
    let units: Vec<(f64, String)> = METRICS
        .iter()
        .zip(all)
        .map(|((metric, name), panel)| {
            let most = largest(panel.iter().flatten().flatten().flat_map(|b| [b.from, b.to, b.at]));
            if is_share {
                return (1.0, format!("Share of the variance of {}", name.to_lowercase()));
            }
            let unit = if *metric == "emissions_kg" { study.carbon(most) } else { study.money(most) };
            let what = if matches!(designed.study.method, Method::OneAtATime) { "Change of" } else { "Effect on" };
            (unit.factor, format!("{what} {} ({})", name.to_lowercase(), unit.label))
        })
        .collect();
    let mut panels: Vec<Panel> = METRICS
        .iter()
        .enumerate()
        .map(|(k, (_, name))| {
            let ends = all[k].iter().flatten().flatten();
            let ends =
                ends.flat_map(|b| [Some(b.from), Some(b.to), Some(b.at), b.beside]).flatten().map(|v| v * units[k].0);
            let mut y = Axis::rows(rows.len(), names.clone(), "");
            y.kind = Kind::Category;
            let x = Axis::around(ends.chain(std::iter::once(0.0)), 5, &units[k].1);
            let margin = 0.02 * (x.high - x.low);
            let x = Axis { low: x.low - margin, high: x.high + margin, ..x };
            Panel::new(x, y).with_grid(Grid::X).titled(&lettered(k, name))
        })
        .collect();
    figure.grid(2, Sharing::Y, &mut panels);
    for (k, panel) in panels.iter().enumerate() {
        let c = &mut figure.canvas;
        shade_every_second_row(c, panel, rows.len());
        panel.back(c);
        c.segment(panel.point(0.0, -0.5), panel.point(0.0, rows.len() as f64 - 0.5), Stroke::new(INK, SPINE));
        for (s, of_mechanism) in all[k].iter().enumerate() {
            let Some(bars) = of_mechanism else { continue };
            let series = study.mechanism(shown[s]).series;
            for (i, parameter) in rows.iter().enumerate() {
                let bar = bars[*parameter];
                let y = i as f64 + (s as f64 - (shown.len() - 1) as f64 / 2.0) * 0.76 / shown.len() as f64;
                let at = |x: f64| panel.point(x * units[k].0, y);
                c.segment(at(bar.from), at(bar.to), Stroke::new(series.ink, DATA_LINE));
                if let Some(beside) = bar.beside {
                    c.mark(at(beside), series.mark, crate::style::MARKER, series.ink);
                    c.mark(at(beside), series.mark, crate::style::MARKER - 0.7, WHITE);
                }
                c.mark(at(bar.at), series.mark, crate::style::MARKER, series.ink);
            }
        }
        panel.front(c);
    }
    figure
}

/// A path in at most two lines: its root says nothing that the reader does not know.
fn named(path: &str, room: f64) -> String {
    let short = path.strip_prefix("scenario.").unwrap_or(path);
    let fits = |part: &str| text::width(&literal(part), TICK_LABEL) <= room;
    if fits(short) {
        return literal(short);
    }
    let dots: Vec<usize> = short.match_indices('.').map(|(k, _)| k).collect();
    let middle = short.len() / 2;
    let Some(dot) = dots.into_iter().min_by_key(|k| k.abs_diff(middle)) else {
        return text::fit(&literal(short), TICK_LABEL, room);
    };
    [&short[..=dot], &short[dot + 1..]].map(|part| text::fit(&literal(part), TICK_LABEL, room)).join("\n")
}
