//! From the tables of a case, in MW and with bus numbers, to a network.

use std::collections::BTreeMap;

use super::{Case, Row};
use crate::Plain;
use crate::network::error::{NetworkError, ReadError};
use crate::network::matpower_error::MatpowerError;
use crate::network::model::{Branch, Bus, BusKind, Cost, Generator, Network, NodeId, PqCurve};

const KW_PER_MW: f64 = 1e3;

/// Limits from here on, in MW or MVA, stand for none.
const NO_LIMIT: f64 = 1e12;

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
    let mut nodes = Nodes { of: BTreeMap::new(), isolated: Vec::with_capacity(bus_rows.len()) };
    for (k, row) in bus_rows.iter().enumerate() {
        let (bus, off) = bus(row, k + 1)?;
        if nodes.of.insert(bus.id, NodeId(network.buses.len())).is_some() {
            let source = NetworkError::DuplicateBus { id: bus.id };
            return Err(ReadError::InvalidAt { line: row.line, source });
        }
        network.buses.push(bus);
        nodes.isolated.push(off);
    }
    for (k, row) in branch_rows.iter().enumerate() {
        network.branches.push(branch(row, k + 1, &nodes)?);
    }
    let costs = case.gencost.as_deref().unwrap_or_default();
    if !costs.is_empty() && costs.len() != gen_rows.len() && costs.len() != 2 * gen_rows.len() {
        let error = MatpowerError::CostRows { generators: gen_rows.len(), found: costs.len() };
        return Err(wrong(&costs[0], error));
    }
    for (k, row) in gen_rows.iter().enumerate() {
        let mut generator = generator(row, k + 1, &nodes)?;
        let bus = network.bus(generator.node).id;
        let cost_in = |k: usize| {
            costs
                .get(k)
                .map(|row| {
                    cost(row)
                        .map_err(|found| wrong(row, MatpowerError::Cost { number: k % gen_rows.len() + 1, bus, found }))
                })
                .transpose()
        };
        generator.cost_per_h = cost_in(k)?;
        // A second half of the table holds the costs of reactive power.
        generator.q_cost_per_h = cost_in(gen_rows.len() + k)?.filter(|cost| !is_nothing(cost));
        network.generators.push(generator);
    }
    network.check().map_err(|source| {
        let line = line_of(&source, case, bus_rows, branch_rows, gen_rows).unwrap_or(1);
        ReadError::InvalidAt { line, source }
    })?;
    Ok(network)
}

struct Nodes {
    of: BTreeMap<u64, NodeId>,
    /// Whether a bus is switched off (type 4).
    isolated: Vec<bool>,
}

impl Nodes {
    fn find(&self, row: &Row, number: usize, element: &'static str, value: f64) -> Result<NodeId, ReadError> {
        let field = if element == "branch" { "branch" } else { "gen" };
        let id = bus_number(row, number, field, value)?;
        self.of.get(&id).copied().ok_or_else(|| wrong(row, MatpowerError::UnknownBus { element, row: number, id }))
    }
}

/// The bus, and whether it is switched off (type 4).
fn bus(row: &Row, number: usize) -> Result<(Bus, bool), ReadError> {
    let c = &row.cells;
    let id = bus_number(row, number, "bus", c[0])?;
    let (kind, off) = match c[1] {
        1.0 => (BusKind::Pq, false),
        2.0 => (BusKind::Pv, false),
        3.0 => (BusKind::Slack, false),
        4.0 => (BusKind::Pq, true),
        value => return Err(wrong(row, MatpowerError::BusType { bus: id, value })),
    };
    let bus = Bus {
        id,
        kind,
        p_load_kw: c[2] * KW_PER_MW,
        q_load_kvar: c[3] * KW_PER_MW,
        g_kw: c[4] * KW_PER_MW,
        b_kvar: c[5] * KW_PER_MW,
        // 0 means not known.
        base_kv: Some(c[9]).filter(|kv| *kv != 0.0),
        v_min_pu: c[12],
        v_max_pu: c[11],
        // What a solver leaves at a bus that is off is no voltage.
        v_pu: if off { 1.0 } else { c[7] },
        angle_deg: c[8],
    };
    Ok((bus, off))
}

fn branch(row: &Row, number: usize, nodes: &Nodes) -> Result<Branch, ReadError> {
    let c = &row.cells;
    let find = |value| nodes.find(row, number, "branch", value);
    let (from, to) = (find(c[0])?, find(c[1])?);
    let (angle_min_deg, angle_max_deg) = angle_limits(c);
    let closed = match c[10] {
        0.0 => false,
        1.0 => true,
        value => {
            let element = format!("branch {number} ({}-{})", Plain(c[0]), Plain(c[1]));
            return Err(wrong(row, MatpowerError::Status { element, value, must_be: "0 or 1" }));
        }
    };
    Ok(Branch {
        from,
        to,
        r_pu: c[2],
        x_pu: c[3],
        b_pu: c[4],
        tap: if c[8] == 0.0 { 1.0 } else { c[8] },
        shift_deg: c[9],
        // 0 means no limit.
        rate_kva: Some(c[5])
            .filter(|rate| *rate != 0.0 && (*rate < NO_LIMIT || rate.is_nan()))
            .map(|rate| rate * KW_PER_MW),
        angle_min_deg,
        angle_max_deg,
        in_service: closed && !nodes.isolated[from.0] && !nodes.isolated[to.0],
    })
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

/// The generator without its costs.
fn generator(row: &Row, number: usize, nodes: &Nodes) -> Result<Generator, ReadError> {
    let c = &row.cells;
    let node = nodes.find(row, number, "generator", c[0])?;
    if !c[7].is_finite() {
        let (element, value) = (format!("generator {number} at bus {}", c[0]), c[7]);
        return Err(wrong(row, MatpowerError::Status { element, value, must_be: "1 (on) or 0 (off)" }));
    }
    let limit = |value: f64| if value.abs() >= NO_LIMIT { f64::INFINITY.copysign(value) } else { value * KW_PER_MW };
    let mut generator = Generator {
        node,
        p_kw: c[1] * KW_PER_MW,
        q_kvar: c[2] * KW_PER_MW,
        p_min_kw: limit(c[9]),
        p_max_kw: limit(c[8]),
        q_min_kvar: limit(c[4]),
        q_max_kvar: limit(c[3]),
        v_pu: Some(c[5]).filter(|v| *v != 0.0),
        in_service: c[7] > 0.0 && !nodes.isolated[node.0],
        ..Generator::default()
    };
    generator.pq_curve = curve(c).filter(|curve| cuts(curve, &generator));
    Ok(generator)
}

/// The capability curve in columns 11 to 16 (Pc1, Pc2, Qc1min, Qc1max, Qc2min, Qc2max), where there is one.
fn curve(cells: &[f64]) -> Option<PqCurve> {
    let kw = |k: usize| cells[k] * KW_PER_MW;
    let there = cells.len() >= 16 && cells[10..16].iter().any(|c| *c != 0.0) && cells[10] != cells[11];
    there.then(|| PqCurve { p_kw: (kw(10), kw(11)), q_min_kvar: (kw(12), kw(14)), q_max_kvar: (kw(13), kw(15)) })
}

/// Whether a curve forbids something that the limits of the generator allow; one that makes no sense is kept, to be refused.
fn cuts(curve: &PqCurve, generator: &Generator) -> bool {
    let PqCurve { p_kw, q_min_kvar, q_max_kvar } = *curve;
    let on_line = |p: f64, q: (f64, f64)| q.0 + (p - p_kw.0) * (q.1 - q.0) / (p_kw.1 - p_kw.0);
    let ends = [(generator.p_min_kw, p_kw.0), (generator.p_max_kw, p_kw.1)];
    let allows = |(p, instead): (f64, f64)| {
        let p = if p.is_finite() { p } else { instead };
        on_line(p, q_min_kvar) <= generator.q_min_kvar && on_line(p, q_max_kvar) >= generator.q_max_kvar
    };
    generator.in_service && !(p_kw.0 < p_kw.1 && ends.into_iter().all(allows))
}

fn bus_number(row: &Row, number: usize, field: &'static str, value: f64) -> Result<u64, ReadError> {
    let good = value >= 1.0 && value.fract() == 0.0 && value < 2.0_f64.powi(53);
    if good { Ok(value as u64) } else { Err(wrong(row, MatpowerError::BusNumber { field, row: number, value })) }
}

/// Powers of P beyond which a coefficient is no cost.
const HIGHEST_DEGREE: usize = 20;

/// Model, start-up, shut-down, count n, then n points or n coefficients from the highest power down, P in MW.
fn cost(row: &Row) -> Result<Cost, String> {
    let c = &row.cells;
    let parameters = &c[4..];
    let count = c[3];
    if !(count >= 0.0 && count.fract() == 0.0 && count <= parameters.len() as f64) {
        return Err(format!("the count is {}, and {} cells follow it", Plain(count), parameters.len()));
    }
    let count = count as usize;
    match c[0] {
        1.0 => {
            let points = parameters
                .get(..2 * count)
                .ok_or_else(|| format!("{count} points are announced, and {} cells follow", parameters.len()))?;
            let points: Vec<(f64, f64)> =
                points.chunks_exact(2).map(|point| (point[0] * KW_PER_MW, point[1])).collect();
            let is_a_wall = |p: &&[(f64, f64)]| p[1].0 > p[0].0 && !((p[1].1 - p[0].1) / (p[1].0 - p[0].0)).is_finite();
            match points.windows(2).find(is_a_wall) {
                Some(_) => Err("two points lie so near that the slope between them is no number".to_owned()),
                None => Ok(Cost::Piecewise(points)),
            }
        }
        2.0 if count > HIGHEST_DEGREE + 1 => Err(format!("a polynomial of {count} coefficients")),
        2.0 => {
            let per_kw = |(k, c): (usize, &f64)| c / KW_PER_MW.powi(k as i32);
            Ok(Cost::Polynomial(parameters[..count].iter().rev().enumerate().map(per_kw).collect()))
        }
        model => Err(format!("the model is {}", Plain(model))),
    }
}

fn is_nothing(cost: &Cost) -> bool {
    match cost {
        Cost::Polynomial(coefficients) => coefficients.iter().all(|c| *c == 0.0),
        Cost::Piecewise(points) => points.iter().all(|point| point.1 == 0.0),
    }
}

fn wrong(row: &Row, source: MatpowerError) -> ReadError {
    ReadError::Matpower { line: row.line, source }
}

fn line_of(error: &NetworkError, case: &Case, buses: &[Row], branches: &[Row], generators: &[Row]) -> Option<usize> {
    let row = match error {
        NetworkError::Bus { id, .. } => buses.iter().find(|row| row.cells[0] == *id as f64),
        NetworkError::Branch { number, .. } | NetworkError::Loop { number, .. } => branches.get(number - 1),
        NetworkError::Generator { number, .. } => generators.get(number - 1),
        NetworkError::PowerBase { .. } => return case.lines.get("baseMVA").copied(),
        _ => return case.lines.get("bus").copied(),
    };
    row.map(|row| row.line)
}
