//! Carbon intensity and voltage along the feeder over time: heat maps with a row per bus.

use super::heat::{self, HeatMap, Note, Rows, Scale};
use super::{Absent, Picture};
use crate::axis::Axis;
use crate::color::{DIVERGING, SEQUENTIAL};
use crate::store::NodeRow;
use crate::study::Study;
use crate::text;

/// What rows are, for the caption.
const ROWS: &str = "rows are buses from the root outwards";
/// Solvers may miss a limit by as much, p.u.
const NEAR: f64 = 1e-9;
/// The voltage that the diverging map is white at, p.u.
const NOMINAL: f64 = 1.0;

pub(super) fn carbon_intensity(study: &Study) -> Result<Vec<Picture>, Absent> {
    let (rows, maps) = maps(study, |n| n.carbon_intensity_kg_per_kwh)?;
    let values = || maps.iter().flat_map(HeatMap::values);
    if values().next().is_none() {
        return Err(Absent::NoData { column: "carbon_intensity_kg_per_kwh" });
    }
    let axis = Axis::from_zero(values(), 6, "Carbon intensity (kg CO_2/kWh)");
    let note = heat::undefined(&maps, "no through-flow");
    let what = "Nodal carbon intensity of the feeder over time";
    Ok(vec![heat::picture(study, &rows, &maps, &Scale { axis, map: SEQUENTIAL, note }, what, ROWS)])
}

pub(super) fn voltage(study: &Study) -> Result<Vec<Picture>, Absent> {
    let (rows, maps) = maps(study, |n| n.voltage_pu)?;
    let values = || maps.iter().flat_map(HeatMap::values);
    if values().next().is_none() {
        return Err(Absent::NoData { column: "voltage_pu" });
    }
    let half = values().map(|v| (v - NOMINAL).abs()).fold(0.0, f64::max);
    // symmetric about the nominal voltage, or the white would mean something else
    let above = Axis::around([-half, half], 8, "");
    let axis = Axis::linear(NOMINAL + above.low, NOMINAL + above.high, 8, "Voltage magnitude (p.u.)");
    let note = match (study.facts.v_min_pu, study.facts.v_max_pu) {
        (Some(low), Some(high)) if values().any(|v| v < low - NEAR || v > high + NEAR) => {
            let name = format!("outside {}\u{2013}{} p.u.", text::number(low, 2), text::number(high, 2));
            Note::Limits { low: low - NEAR, high: high + NEAR, name }
        }
        _ => Note::None,
    };
    let what = "Voltage along the feeder over time";
    Ok(vec![heat::picture(study, &rows, &maps, &Scale { axis, map: DIVERGING, note }, what, ROWS)])
}

/// The rows, and the maps of the baseline and the best market under the reference policy.
fn maps(study: &Study, value: impl Fn(&NodeRow) -> Option<f64>) -> Result<(Rows, Vec<HeatMap>), Absent> {
    let rows = rows(study).ok_or(Absent::NoNetwork)?;
    let buses = rows.ids.clone();
    let of_run = |run: usize| {
        let row = |node: &NodeRow| buses.iter().position(|bus| *bus == node.bus);
        let nodes = study.store.nodes(run);
        nodes.iter().filter_map(|node| Some((row(node)?, node.period, value(node)))).collect::<Vec<_>>()
    };
    let maps = heat::maps(study, rows.ids.len(), of_run)?;
    if maps.is_empty() { Err(Absent::NoNetwork) } else { Ok((rows, maps)) }
}

fn rows(study: &Study) -> Option<Rows> {
    let of_scenario = study.store.runs.iter().enumerate().filter(|(_, run)| run.scenario == study.scenario);
    let first = of_scenario.map(|(run, _)| study.store.nodes(run)).find(|nodes| !nodes.is_empty()).unwrap_or_default();
    let mut buses: Vec<u64> = first.iter().filter(|node| node.period == 0).map(|node| node.bus).collect();
    buses.dedup();
    let strands = study.strands(&buses);
    let starts = strands.iter().scan(0, |next, strand| {
        let start = *next;
        *next += strand.len();
        Some(start)
    });
    let laterals = starts.skip(1).collect();
    (!buses.is_empty()).then(|| Rows { ids: strands.concat(), laterals, label: "Bus" })
}
