//! Duration curves: for which share of the time power is at least so great.

use super::spread::{self, Course, has_bands, stroke};
use super::{Absent, Basis, Picture, lettered, listed, shown_of};
use crate::axis::Axis;
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::panel::Panel;
use crate::store::{NodeRow, PeriodRow};
use crate::study::{Study, largest, power};
use crate::style::{ONE_COLUMN_MM, Series, TWO_COLUMNS_MM};
use std::fmt::Write as _;

/// More lines cannot be told apart.
const MOST_LINES: usize = 6;
/// Width that a panel needs, mm.
const PANEL_MM: f64 = 56.0;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policy = study.reference_policy().ok_or(Absent::NoRun)?;
    if study.clock.periods < 2 {
        return Err(Absent::OnePeriod);
    }
    let ran: Vec<usize> = study.mechanisms.iter().copied().filter(|m| !study.runs(*m, policy).is_empty()).collect();
    let mechanisms = &ran[..ran.len().min(MOST_LINES)];
    let root = study.facts.feeder.first().and_then(|trunk| trunk.first()).copied();
    // By mechanism, quantity and seed.
    let found: Vec<[Vec<Vec<Option<f64>>>; 3]> =
        mechanisms.iter().map(|m| over_seeds(study, study.runs(*m, policy), root)).collect();
    let titles = [if root.is_some() { AT_ROOT } else { NET_IMPORT }, TAKEN, GIVEN];
    let sheets: Vec<Sheet> = (0..3)
        .map(|k| Sheet { title: titles[k], courses: found.iter().map(|of| Course::over(&of[k])).collect() })
        .filter(|sheet| sheet.courses.iter().flat_map(Course::ends).any(|v| v.abs() > 1e-6))
        .collect();
    if sheets.is_empty() {
        return Err(Absent::NoPeriods);
    }
    let bands = sheets.iter().all(|s| has_bands(&s.courses) || !s.courses.iter().any(Course::differs));
    let differ = sheets.iter().any(|s| s.courses.iter().any(Course::differs));
    let names: Vec<String> = mechanisms.iter().map(|m| study.mechanism(*m).name.clone()).collect();
    let mut caption = String::from("Share of the time in which power is at least so great: ");
    let told = sheets.iter().map(|sheet| match sheet.title {
        TAKEN => "what the participants' devices take, charging included".to_owned(),
        GIVEN => "what they give, discharging included".to_owned(),
        NET_IMPORT => "what all participants together import less what they export".to_owned(),
        _ => "what flows into the feeder at its root, below zero what flows back".to_owned(),
    });
    caption += &listed(&told.collect::<Vec<_>>());
    let _ = write!(caption, "; under {}, carbon policy {}.", listed(&names), study.policy(policy).name);
    caption += &shown_of(mechanisms.len(), ran.len(), "mechanisms", "the first");
    if differ && !bands {
        caption += &spread::told_without_bands();
    }
    caption += &study.footnote(if differ && bands { &Basis::Bands } else { &Basis::PlainMeans });
    let lines: Vec<Series> = mechanisms.iter().map(|m| study.mechanism(*m).series).collect();
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Duration curves".into(),
        caption,
        canvas: page(study, &sheets, &lines, &names, differ && bands).canvas,
    }])
}

const AT_ROOT: &str = "Into the feeder at its root";
const NET_IMPORT: &str = "Net import of all";
const TAKEN: &str = "Taken by devices";
const GIVEN: &str = "Given by devices";

struct Sheet {
    title: &'static str,
    /// By mechanism, kW by rank.
    courses: Vec<Course>,
}

/// Of every run: power at the root, or without a network net import, what devices take, what they give; each from the greatest down.
fn over_seeds(study: &Study, runs: &[usize], root: Option<u64>) -> [Vec<Vec<Option<f64>>>; 3] {
    let mut out = [vec![], vec![], vec![]];
    for run in runs {
        let rows: Vec<PeriodRow> = study.all_periods(*run).concat();
        let net = match root {
            Some(root) => at_root(&study.store.nodes(*run), root),
            None => net_import(&rows, study.clock.periods),
        };
        out[0].push(descending(net));
        let (taken, given) = devices(&rows, study.clock.periods);
        out[1].push(descending(taken));
        out[2].push(descending(given));
    }
    out
}

/// Net injection at the root by period, kW: what the feeder draws.
fn at_root(nodes: &[NodeRow], root: u64) -> Vec<f64> {
    nodes.iter().filter(|node| node.bus == root).filter_map(|node| node.p_kw).collect()
}

/// What all participants together import by period, kW; what they export taken off.
fn net_import(rows: &[PeriodRow], periods: usize) -> Vec<f64> {
    let mut out = vec![0.0; periods];
    for row in rows.iter().filter(|row| row.period < periods) {
        out[row.period] -= row.net_export_kw.unwrap_or(0.0);
    }
    out
}

/// What all devices take and give by period, kW.
fn devices(rows: &[PeriodRow], periods: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut taken, mut given) = (vec![0.0; periods], vec![0.0; periods]);
    for row in rows.iter().filter(|row| row.period < periods) {
        for power in row.devices_kw.iter().flatten() {
            if *power < 0.0 {
                taken[row.period] -= power;
            } else {
                given[row.period] += power;
            }
        }
    }
    (taken, given)
}

/// From the greatest down.
fn descending(mut values: Vec<f64>) -> Vec<Option<f64>> {
    values.sort_by(|a, b| b.total_cmp(a));
    values.into_iter().map(Some).collect()
}

fn page(study: &Study, sheets: &[Sheet], lines: &[Series], names: &[String], bands: bool) -> Figure {
    let needed = if sheets.len() == 1 { ONE_COLUMN_MM } else { TWO_COLUMNS_MM };
    let width = study.width_mm(needed);
    let columns = ((width / PANEL_MM) as usize).clamp(1, sheets.len());
    let rows = sheets.len().div_ceil(columns);
    let mut figure = study.figure(needed, 20.0 + 44.0 * rows as f64 + if columns == 1 { 8.0 } else { 0.0 });
    let key =
        |(series, name): (&Series, &String)| -> Entry { (Key::Series(stroke(series), series.mark), name.clone()) };
    figure.legend(&[lines.iter().zip(names).map(key).collect()]);
    let unit = power(largest(sheets.iter().flat_map(|s| s.courses.iter().flat_map(Course::ends))) / 2.0);
    let scaled = |s: &Sheet| s.courses.iter().map(|c| c.scaled(unit.factor)).collect::<Vec<_>>();
    let all: Vec<Vec<Course>> = sheets.iter().map(scaled).collect();
    let mut panels: Vec<Panel> = sheets
        .iter()
        .zip(&all)
        .enumerate()
        .map(|(k, (sheet, courses))| {
            let label = if k % columns == 0 { format!("Power ({})", unit.label) } else { String::new() };
            let y = Axis::from_zero(courses.iter().flat_map(Course::ends), 5, &label);
            let title = if sheets.len() > 1 { lettered(k, sheet.title) } else { sheet.title.to_owned() };
            Panel::new(Axis::linear(0.0, 100.0, 5, ""), y).titled(&title)
        })
        .collect();
    figure.shared_x_label("Share of the time (%)");
    figure.grid(columns, Sharing::None, &mut panels);
    for (panel, courses) in panels.iter().zip(&all) {
        let n = courses.iter().map(|c| c.points.len()).max().unwrap_or(0);
        // Every rank lasts as long as a period.
        let at: Vec<f64> = (0..n).flat_map(|k| [k, k + 1]).map(|k| 100.0 * k as f64 / n as f64).collect();
        let stairs = |c: &Course| Course { points: c.points.iter().flat_map(|p| [*p, *p]).collect() };
        let drawn: Vec<(Course, Series)> = courses.iter().map(stairs).zip(lines.iter().copied()).collect();
        spread::draw(&mut figure.canvas, panel, &at, &drawn, bands);
    }
    figure
}

#[cfg(test)]
mod tests {
    use super::{at_root, descending, devices, net_import};
    use crate::store::{NodeRow, PeriodRow};

    fn row(period: usize, devices_kw: &[Option<f64>]) -> PeriodRow {
        let net: f64 = devices_kw.iter().flatten().sum();
        PeriodRow {
            participant: "a".into(),
            period,
            product: "energy".into(),
            net_export_kw: Some(net),
            grid_import_kw: None,
            grid_export_kw: None,
            p2p_sold_kw: None,
            p2p_bought_kw: None,
            price_sell_per_kwh: None,
            price_buy_per_kwh: None,
            grid_sell_per_kwh: None,
            grid_buy_per_kwh: None,
            devices_kw: devices_kw.to_vec(),
            soc_kwh: None,
            ev_soc_kwh: None,
        }
    }

    /// Two participants over two periods: what goes in comes out again, greatest first, and the area below is the energy.
    #[test]
    fn curves_hold_the_energy_of_the_rows() {
        let rows = [
            row(0, &[Some(2.0), Some(-5.0)]),
            row(1, &[Some(-1.0), None]),
            row(0, &[Some(0.5), Some(-0.5)]),
            row(1, &[Some(7.0), Some(-9.0)]),
        ];
        let (taken, given) = devices(&rows, 2);
        assert_eq!((&taken, &given), (&vec![5.5, 10.0], &vec![2.5, 7.0]));
        assert_eq!(descending(taken), [Some(10.0), Some(5.5)]);
        let net: f64 = rows.iter().flat_map(|r| r.devices_kw.iter().flatten()).sum();
        assert!((given.iter().sum::<f64>() - 15.5 - net).abs() < 1e-12);
        assert_eq!(net_import(&rows, 2), [3.0, 3.0]);
    }

    #[test]
    fn import_at_the_root_is_positive() {
        let node = |bus, p_kw| NodeRow {
            period: 0,
            bus,
            voltage_pu: None,
            p_kw: Some(p_kw),
            q_kvar: None,
            carbon_intensity_kg_per_kwh: None,
            price_per_kwh: None,
            price_parts: None,
        };
        assert_eq!(at_root(&[node(1, 20.0), node(2, -19.0)], 1), [20.0]);
    }
}
