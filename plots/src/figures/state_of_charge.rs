//! Energy in storages and vehicles over time under each mechanism, a panel for every participant that has any.

use super::spread::{self, Course, has_bands, stroke};
use super::{Absent, Basis, Picture, lettered, listed, shown_of};
use crate::axis::Axis;
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::panel::Panel;
use crate::store::PeriodRow;
use crate::study::Study;
use crate::style::{ONE_COLUMN_MM, Series, TWO_COLUMNS_MM};

/// More lines cannot be told apart.
const MOST_LINES: usize = 6;
const MOST_PANELS: usize = 12;
/// Width that a panel needs, mm.
const PANEL_MM: f64 = 56.0;
/// Panels whose greatest values differ by more have axes of their own.
const MOST_TIMES_GREATER: f64 = 3.0;

/// What is stored where: name and column.
type Store = (&'static str, fn(&PeriodRow) -> Option<f64>);
const STORES: [Store; 2] = [("storage", |r| r.soc_kwh), ("vehicles", |r| r.ev_soc_kwh)];

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policy = study.reference_policy().ok_or(Absent::NoRun)?;
    let clock = study.clock;
    if clock.periods < 2 {
        return Err(Absent::OnePeriod);
    }
    let ran: Vec<usize> = study.mechanisms.iter().copied().filter(|m| !study.runs(*m, policy).is_empty()).collect();
    let mechanisms = &ran[..ran.len().min(MOST_LINES)];
    let sheets = sheets(study, mechanisms, policy);
    if sheets.is_empty() {
        return Err(Absent::NoStorage);
    }
    let drawn = &sheets[..sheets.len().min(MOST_PANELS)];
    let bands = drawn.iter().all(|s| has_bands(&s.courses) || !s.courses.iter().any(Course::differs));
    let differ = drawn.iter().any(|s| s.courses.iter().any(Course::differs));
    let of = |store: usize| drawn.iter().any(|s| s.store == store);
    let what = match (of(0), of(1)) {
        (true, true) => "Energy in storages and in vehicles",
        (true, false) => "Energy in storages",
        _ => "Energy in vehicles",
    };
    let names: Vec<String> = mechanisms.iter().map(|m| study.mechanism(*m).name.clone()).collect();
    let mut caption = format!(
        "{what} at the end of every period under {}, carbon policy {}.",
        listed(&names),
        study.policy(policy).name
    );
    caption +=
        &shown_of(drawn.len(), sheets.len(), "panels, one for each participant and store", "the first of the scenario");
    caption += &shown_of(mechanisms.len(), ran.len(), "mechanisms", "the first");
    if differ && !bands {
        caption += &spread::told_without_bands();
    }
    caption += &study.footnote(if differ && bands { &Basis::Bands } else { &Basis::PlainMeans });
    let lines: Vec<Series> = mechanisms.iter().map(|m| study.mechanism(*m).series).collect();
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Energy stored".into(),
        caption,
        canvas: page(study, drawn, &lines, &names, differ && bands).canvas,
    }])
}

/// What one participant has in one kind of store.
struct Sheet {
    title: String,
    /// Place in [`STORES`].
    store: usize,
    /// By mechanism, kWh.
    courses: Vec<Course>,
}

fn sheets(study: &Study, mechanisms: &[usize], policy: usize) -> Vec<Sheet> {
    let periods = study.clock.periods;
    // By mechanism, seed, participant and store.
    let of_run = |run: &usize| -> Vec<[Vec<Option<f64>>; 2]> {
        let rows = study.all_periods(*run);
        rows.iter().map(|rows| STORES.map(|(_, value)| by_period(rows, periods, value))).collect()
    };
    let found: Vec<Vec<_>> =
        mechanisms.iter().map(|m| study.runs(*m, policy).iter().map(of_run).collect::<Vec<_>>()).collect();
    let mut sheets = Vec::new();
    for (place, i) in study.participants.iter().enumerate() {
        for (store, (name, _)) in STORES.iter().enumerate() {
            let seeds = |runs: &Vec<Vec<[Vec<Option<f64>>; 2]>>| {
                Course::over(&runs.iter().map(|run| run[place][store].clone()).collect::<Vec<_>>())
            };
            let courses: Vec<Course> = found.iter().map(seeds).collect();
            if courses.iter().any(Course::is_known) {
                let title = format!("{}, {name}", study.participant(*i).name);
                sheets.push(Sheet { title, store, courses });
            }
        }
    }
    sheets
}

/// A value by period; a period without row is a gap.
fn by_period(rows: &[PeriodRow], periods: usize, value: fn(&PeriodRow) -> Option<f64>) -> Vec<Option<f64>> {
    let mut out = vec![None; periods];
    for row in rows.iter().filter(|row| row.period < periods) {
        out[row.period] = value(row);
    }
    out
}

fn page(study: &Study, sheets: &[Sheet], lines: &[Series], names: &[String], bands: bool) -> Figure {
    let clock = study.clock;
    let needed = if sheets.len() == 1 { ONE_COLUMN_MM } else { TWO_COLUMNS_MM };
    let width = study.width_mm(needed);
    let columns = ((width / PANEL_MM) as usize).clamp(1, sheets.len());
    let rows = sheets.len().div_ceil(columns);
    let mut figure = study.figure(needed, 20.0 + 38.0 * rows as f64 + if columns == 1 { 8.0 } else { 0.0 });
    let key =
        |(series, name): (&Series, &String)| -> Entry { (Key::Series(stroke(series), series.mark), name.clone()) };
    figure.legend(&[lines.iter().zip(names).map(key).collect()]);
    let most = |s: &Sheet| s.courses.iter().flat_map(Course::ends).fold(0.0, f64::max);
    let greatest = sheets.iter().map(most).fold(0.0, f64::max);
    let alike = sheets.iter().all(|s| MOST_TIMES_GREATER * most(s) >= greatest);
    let label = "Energy (kWh)";
    let shared = Axis::from_zero(sheets.iter().flat_map(|s| s.courses.iter().flat_map(Course::ends)), 4, label);
    let mut panels: Vec<Panel> = sheets
        .iter()
        .enumerate()
        .map(|(k, sheet)| {
            let own = || Axis::from_zero(sheet.courses.iter().flat_map(Course::ends), 4, label);
            let title = if sheets.len() > 1 { lettered(k, &sheet.title) } else { sheet.title.clone() };
            let y = if alike { shared.clone() } else { own() };
            let y = if k % columns == 0 { y } else { Axis { label: String::new(), ..y } };
            Panel::new(clock.axis(""), y).titled(&title)
        })
        .collect();
    figure.shared_x_label(clock.label);
    figure.grid(columns, if alike { Sharing::XAndY } else { Sharing::None }, &mut panels);
    let ends: Vec<f64> = (1..=clock.periods).map(|t| t as f64 * clock.step).collect();
    for (panel, sheet) in panels.iter().zip(sheets) {
        let drawn: Vec<(Course, Series)> = sheet.courses.iter().cloned().zip(lines.iter().copied()).collect();
        spread::draw(&mut figure.canvas, panel, &ends, &drawn, bands);
    }
    figure
}
