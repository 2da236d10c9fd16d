//! From the tables of a case, in MW and with bus numbers, to a network.

use std::collections::BTreeMap;

use super::{Case, MatpowerError, Row};
use crate::network::error::{NetworkError, ReadError};
use crate::network::model::{Branch, Bus, BusKind, Cost, Generator, Network, NodeId};

const KW_PER_MW: f64 = 1e3;

pub(super) fn network(case: &Case) -> Result<Network, ReadError> {
    let missing = |field| ReadError::Matpower { line: 1, source: MatpowerError::Missing { field } };
    let bus_rows = case.bus.as_deref().ok_or_else(|| missing("bus"))?;
    let branch_rows = case.branch.as_deref().ok_or_else(|| missing("branch"))?;
    let gen_rows = case.gen_.as_deref().unwrap_or_default();
    let mut network = Network {
        name: case.name.clone(),
        base_mva: case.base_mva.ok_or_else(|| missing("baseMVA"))?,
        buses: Vec::with_capacity(bus_rows.len()),
        branches: Vec::with_capacity(branch_rows.len()),
        generators: Vec::with_capacity(gen_rows.len()),
    };
    let mut node_of = BTreeMap::new();
    let mut isolated = Vec::with_capacity(bus_rows.len());
    for row in bus_rows {
        let (bus, off) = bus(row)?;
        if node_of.insert(bus.id, NodeId(network.buses.len())).is_some() {
            let source = NetworkError::DuplicateBus { id: bus.id };
            return Err(ReadError::InvalidAt { line: row.line, source });
        }
        network.buses.push(bus);
        isolated.push(off);
    }
    let node = |row: &Row, value: f64| {
        let id = bus_number(row, value)?;
        node_of.get(&id).copied().ok_or_else(|| wrong(row, MatpowerError::UnknownBus { id }))
    };
    for row in branch_rows {
        let c = &row.cells;
        let (from, to) = (node(row, c[0])?, node(row, c[1])?);
        let (angle_min_deg, angle_max_deg) = angle_limits(c);
        network.branches.push(Branch {
            from,
            to,
            r_pu: c[2],
            x_pu: c[3],
            b_pu: c[4],
            tap: if c[8] == 0.0 { 1.0 } else { c[8] },
            shift_deg: c[9],
            // 0 means no limit.
            rate_kva: Some(c[5] * KW_PER_MW).filter(|rate| *rate != 0.0 && *rate != f64::INFINITY),
            angle_min_deg,
            angle_max_deg,
            in_service: c[10] != 0.0 && !isolated[from.0] && !isolated[to.0],
        });
    }
    let costs = case.gencost.as_deref().unwrap_or_default();
    if !costs.is_empty() && costs.len() != gen_rows.len() && costs.len() != 2 * gen_rows.len() {
        let error = MatpowerError::CostRows { generators: gen_rows.len(), found: costs.len() };
        return Err(wrong(&costs[0], error));
    }
    for (k, row) in gen_rows.iter().enumerate() {
        let c = &row.cells;
        let node = node(row, c[0])?;
        network.generators.push(Generator {
            node,
            p_kw: c[1] * KW_PER_MW,
            q_kvar: c[2] * KW_PER_MW,
            p_min_kw: c[9] * KW_PER_MW,
            p_max_kw: c[8] * KW_PER_MW,
            q_min_kvar: c[4] * KW_PER_MW,
            q_max_kvar: c[3] * KW_PER_MW,
            v_pu: Some(c[5]).filter(|v| *v != 0.0),
            // A second half of the table would hold the costs of reactive power.
            cost_per_h: costs.get(k).map(cost).transpose()?,
            in_service: c[7] > 0.0 && !isolated[node.0],
            ..Generator::default()
        });
    }
    network.check().map_err(|source| match line_of(&source, bus_rows, branch_rows, gen_rows) {
        Some(line) => ReadError::InvalidAt { line, source },
        None => ReadError::Invalid(source),
    })?;
    Ok(network)
}

/// The bus, and whether it is switched off (type 4).
fn bus(row: &Row) -> Result<(Bus, bool), ReadError> {
    let c = &row.cells;
    let (kind, off) = match c[1] {
        1.0 => (BusKind::Pq, false),
        2.0 => (BusKind::Pv, false),
        3.0 => (BusKind::Slack, false),
        4.0 => (BusKind::Pq, true),
        value => return Err(wrong(row, MatpowerError::BusType { value })),
    };
    let bus = Bus {
        id: bus_number(row, c[0])?,
        kind,
        p_load_kw: c[2] * KW_PER_MW,
        q_load_kvar: c[3] * KW_PER_MW,
        g_kw: c[4] * KW_PER_MW,
        b_kvar: c[5] * KW_PER_MW,
        // 0 means not known.
        base_kv: Some(c[9]).filter(|kv| *kv != 0.0),
        v_min_pu: c[12],
        v_max_pu: c[11],
        v_pu: c[7],
        angle_deg: c[8],
    };
    Ok((bus, off))
}

/// Limits of the angle across a branch, degrees: none where both are 0 or the columns are left out, and none on a side
/// where the limit is a full turn.
fn angle_limits(cells: &[f64]) -> (f64, f64) {
    match (cells.get(11), cells.get(12)) {
        (Some(&min), Some(&max)) if min != 0.0 || max != 0.0 => {
            (if min <= -360.0 { f64::NEG_INFINITY } else { min }, if max >= 360.0 { f64::INFINITY } else { max })
        }
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    }
}

fn bus_number(row: &Row, value: f64) -> Result<u64, ReadError> {
    let good = value >= 1.0 && value.fract() == 0.0 && value < 2.0_f64.powi(53);
    if good { Ok(value as u64) } else { Err(wrong(row, MatpowerError::BusNumber { value })) }
}

/// Model, start-up, shut-down, count n, then n points or n coefficients from the highest power down, P in MW.
fn cost(row: &Row) -> Result<Cost, ReadError> {
    let c = &row.cells;
    let bad = || wrong(row, MatpowerError::Cost);
    if !(c[3] >= 1.0 && c[3].fract() == 0.0) {
        return Err(bad());
    }
    let count = c[3] as usize;
    match c[0] {
        1.0 => {
            let points = c.get(4..4 + 2 * count).ok_or_else(bad)?;
            Ok(Cost::Piecewise(points.chunks_exact(2).map(|point| (point[0] * KW_PER_MW, point[1])).collect()))
        }
        2.0 => {
            let falling = c.get(4..4 + count).ok_or_else(bad)?;
            let per_kw = |(k, c): (usize, &f64)| c / KW_PER_MW.powi(k as i32);
            Ok(Cost::Polynomial(falling.iter().rev().enumerate().map(per_kw).collect()))
        }
        _ => Err(bad()),
    }
}

fn wrong(row: &Row, source: MatpowerError) -> ReadError {
    ReadError::Matpower { line: row.line, source }
}

fn line_of(error: &NetworkError, buses: &[Row], branches: &[Row], generators: &[Row]) -> Option<usize> {
    let row = match error {
        NetworkError::Bus { id, .. } => buses.iter().find(|row| row.cells[0] == *id as f64),
        NetworkError::Branch { number, .. } | NetworkError::Loop { number, .. } => branches.get(number - 1),
        NetworkError::Generator { number, .. } => generators.get(number - 1),
        _ => None,
    };
    row.map(|row| row.line)
}
