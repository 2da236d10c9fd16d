//! One hour of a feeder as a program with power flows.
//!
//! Per branch the variables P, Q and v of the child, per node an active and a reactive row whose duals are the nodal
//! prices, per branch a voltage row. Roots without limits on their import need no row: their price is a constant.

use super::ask::{Control, Hour};
use super::feeder::{Feeder, FlowState};
use crate::program::flows::FlowPoint;
use crate::program::flows::{Disc, Divisor, FlowProgram, FlowTerm};

/// What stands for no limit on a control, in units of the base: certificates need finite ranges.
const UNLIMITED: f64 = 100.0;

/// What misses a limit costs, where limits may be missed; in units of the price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limits {
    Hard,
    Soft { price: f64 },
}

/// A control in per unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    pub at: usize,
    pub p: (f64, f64),
    pub q: (f64, f64),
    pub s: Option<f64>,
    /// Cost `slope P + square/2 P^2` in units of price x base.
    pub slope: f64,
    pub square: f64,
}

/// An hour in per unit.
#[derive(Clone, Debug)]
pub(super) struct Scaled {
    pub p: Vec<f64>,
    pub q: Vec<f64>,
    pub units: Vec<Unit>,
    /// Price at the roots, and limits of their import.
    pub root_price: f64,
    pub import_p: (f64, f64),
    pub import_q: (f64, f64),
    /// Money per kWh that a price of 1 stands for.
    pub price: f64,
}

/// Where things are in the program.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// By position; meaningless at roots.
    pub p: Vec<usize>,
    pub q: Vec<usize>,
    /// At roots only of those that may choose their voltage.
    pub v: Vec<usize>,
    /// Voltage that the limits apply to, where they are soft.
    pub limited_v: Vec<usize>,
    pub flow: Vec<usize>,
    pub active: Vec<Option<usize>>,
    pub reactive: Vec<Option<usize>>,
    pub control_p: Vec<usize>,
    pub control_q: Vec<usize>,
    /// Disc of each control, of each branch's sending and receiving terminal.
    pub control_disc: Vec<Option<usize>>,
    pub sending: Vec<Option<usize>>,
    pub receiving: Vec<Option<usize>>,
    /// How far the angle above each position is inside its lower and its upper limit.
    pub angle: Vec<[Option<usize>; 2]>,
}

impl Scaled {
    pub fn new(feeder: &Feeder, hour: &Hour) -> Self {
        let base = feeder.base_kva;
        let import = &hour.import;
        let root = import.price_per_kwh + import.carbon_per_kwh;
        let price = hour.controls.iter().fold(root.abs(), |most, c| most.max(c.cost_per_kwh.abs()));
        let price = if price > 0.0 { price } else { 1.0 };
        let unit = |c: &Control| {
            let at = feeder.position[c.node.0].expect("checked: every control is connected");
            // An apparent power limit also limits each part.
            let most = c.s_max_kva.map_or(UNLIMITED, |s| s / base);
            let range = |low: f64, high: f64| ((low / base).max(-most), (high / base).min(most));
            Unit {
                at,
                p: range(c.p_min_kw, c.p_max_kw),
                q: range(c.q_min_kvar, c.q_max_kvar),
                s: c.s_max_kva.map(|s| s / base),
                slope: c.cost_per_kwh / price,
                square: 2.0 * c.cost_per_kwh2 * base / price,
            }
        };
        Self {
            p: feeder.node.iter().map(|n| hour.load_kw[n.0] / base).collect(),
            q: feeder.node.iter().map(|n| hour.load_kvar[n.0] / base).collect(),
            units: hour.controls.iter().map(unit).collect(),
            root_price: root / price,
            import_p: (import.p_min_kw / base, import.p_max_kw / base),
            import_q: (import.q_min_kvar / base, import.q_max_kvar / base),
            price,
        }
    }

    /// Whether the import needs rows of its own.
    pub fn import_rows(&self) -> (bool, bool) {
        let free = |(low, high): (f64, f64)| low == f64::NEG_INFINITY && high == f64::INFINITY;
        (!free(self.import_p), !free(self.import_q))
    }
}

/// Writes the program of an hour.
pub(super) fn formulate(feeder: &Feeder, hour: &Scaled, limits: Limits) -> (FlowProgram, Layout) {
    let n = feeder.len();
    let mut program = FlowProgram::default();
    let none = vec![None; n];
    let mut at = Layout {
        p: vec![0; n],
        q: vec![0; n],
        v: vec![0; n],
        limited_v: vec![0; n],
        flow: vec![0; n],
        active: none.clone(),
        reactive: none.clone(),
        sending: none.clone(),
        receiving: none,
        angle: vec![[None; 2]; n],
        ..Layout::default()
    };
    let (p0, q0) = lossless(feeder, hour);
    let unlimited = (f64::NEG_INFINITY, f64::INFINITY);
    let (row_p, row_q) = hour.import_rows();
    for k in 0..n {
        let root = k < feeder.roots;
        // Loads and shunts of roots whose voltage is known.
        let held = root && feeder.choice[k].is_none();
        let (shunt_p, shunt_q) =
            if held { (feeder.g[k] * feeder.v_root[k], feeder.b[k] * feeder.v_root[k]) } else { (0.0, 0.0) };
        if !root || row_p {
            at.active[k] = Some(program.row(hour.p[k] + shunt_p, hour.root_price, &[]));
        }
        if !root || row_q {
            at.reactive[k] = Some(program.row(hour.q[k] - shunt_q, 0.0, &[]));
        }
    }
    for (k, choice) in feeder.choice.iter().enumerate() {
        let Some((low, high)) = choice else { continue };
        at.v[k] = program.variable(*low, *high, feeder.v_root[k]);
        match at.active[k] {
            Some(row) => program.entries.push((row, at.v[k], -feeder.g[k])),
            None => program.linear[at.v[k]] = hour.root_price * feeder.g[k],
        }
        if let Some(row) = at.reactive[k] {
            program.entries.push((row, at.v[k], feeder.b[k]));
        }
    }
    for k in feeder.roots..n {
        let free = |program: &mut FlowProgram, start: f64| program.variable(unlimited.0, unlimited.1, start);
        at.p[k] = free(&mut program, p0[k]);
        at.q[k] = free(&mut program, q0[k]);
        let (low, high) = (feeder.v_min[k], feeder.v_max[k]);
        let middle = if high.is_finite() { 0.5 * (low + high) } else { feeder.v_root[0] };
        at.v[k] = match limits {
            Limits::Hard => program.variable(low, high, middle),
            Limits::Soft { price } => {
                let v = free(&mut program, middle);
                let limited = program.variable(low, high, middle);
                at.limited_v[k] = limited;
                let (up, down) = (program.variable(0.0, 2.0, 0.1), program.variable(0.0, 2.0, 0.1));
                program.linear[up] = price;
                program.linear[down] = price;
                program.row(0.0, 0.0, &[(limited, 1.0), (v, -1.0), (up, 1.0), (down, -1.0)]);
                v
            }
        };
        if limits == Limits::Hard {
            at.limited_v[k] = at.v[k];
        }
    }
    for k in feeder.roots..n {
        branch(feeder, hour, limits, k, (p0[k], q0[k]), &mut program, &mut at);
    }
    for unit in &hour.units {
        control(unit, hour.root_price, &mut program, &mut at);
    }
    let imports =
        [(row_p, hour.import_p, hour.root_price, &at.active, &p0), (row_q, hour.import_q, 0.0, &at.reactive, &q0)];
    for (limited, (low, high), price, rows, start) in imports {
        if !limited {
            continue;
        }
        // One limit over all roots: they share a total, each has its own row.
        let mut total = program.variable(low, high, start[..feeder.roots].iter().sum());
        program.linear[total] = price;
        if let Limits::Soft { price: dear } = limits {
            // What is missing beyond the limits, or too much.
            let most = 1e2 * (1.0 + hour.p.iter().chain(&hour.q).map(|x| x.abs()).sum::<f64>());
            let (short, over) = (program.variable(0.0, most, 0.1), program.variable(0.0, most, 0.1));
            let sum = program.variable(unlimited.0, unlimited.1, start[..feeder.roots].iter().sum());
            (program.linear[short], program.linear[over]) = (dear + price, dear - price);
            program.row(0.0, 0.0, &[(sum, 1.0), (total, -1.0), (short, -1.0), (over, 1.0)]);
            total = sum;
        }
        let shares: Vec<(usize, f64)> = (0..feeder.roots)
            .map(|k| {
                let share =
                    if feeder.roots == 1 { total } else { program.variable(unlimited.0, unlimited.1, start[k]) };
                program.entries.push((rows[k].expect("a limited import has rows"), share, 1.0));
                (share, -1.0)
            })
            .collect();
        if feeder.roots > 1 {
            program.row(0.0, 0.0, &[&shares[..], &[(total, 1.0)]].concat());
        }
    }
    (program, at)
}

/// Rows, flow and limits of the branch above `k`.
fn branch(
    feeder: &Feeder,
    hour: &Scaled,
    limits: Limits,
    k: usize,
    start: (f64, f64),
    program: &mut FlowProgram,
    at: &mut Layout,
) {
    let line = &feeder.branch[k];
    let i = line.parent;
    let (p, q) = (at.p[k], at.q[k]);
    let parent_v = (i >= feeder.roots || feeder.choice[i].is_some()).then(|| at.v[i]);
    let own_active = at.active[k].expect("only roots lack rows");
    let own_reactive = at.reactive[k].expect("only roots lack rows");
    program.entries.extend([(own_active, p, 1.0), (own_reactive, q, 1.0)]);
    program.entries.extend([(own_active, at.v[k], -feeder.g[k]), (own_reactive, at.v[k], feeder.b[k])]);
    match at.active[i] {
        Some(row) => program.entries.push((row, p, -1.0)),
        // The root's price, less what its rows would have said.
        None => program.linear[p] += hour.root_price,
    }
    if let Some(row) = at.reactive[i] {
        program.entries.push((row, q, -1.0));
    }
    let mut terms = vec![(at.v[k], line.down), (p, 2.0 * line.r), (q, 2.0 * line.x)];
    let known = match parent_v {
        Some(v) => {
            terms.push((v, -line.up));
            0.0
        }
        None => line.up * feeder.v_root[i],
    };
    let voltage = program.row(known, 0.0, &terms);
    let mut effect = vec![(own_active, -line.r), (own_reactive, -line.x), (voltage, -line.z2())];
    if let Some(radius) = line.limit {
        let mut terminal =
            |program: &mut FlowProgram, flow: usize, loss: f64, charge: Option<(usize, f64)>, start: f64| {
                let v = program.variable(f64::NEG_INFINITY, f64::INFINITY, start);
                let mut terms = vec![(flow, 1.0), (v, -1.0)];
                terms.extend(charge);
                if let Limits::Soft { price } = limits {
                    for sign in [1.0, -1.0] {
                        let miss = program.variable(0.0, 2.0 * radius + 2.0, 0.1);
                        program.linear[miss] = price;
                        terms.push((miss, sign));
                    }
                }
                let row = program.row(0.0, 0.0, &terms);
                if loss != 0.0 {
                    effect.push((row, -loss));
                }
                v
            };
        let charge_up = parent_v.filter(|_| line.charging_up != 0.0).map(|v| (v, -line.charging_up));
        let charge_down = (line.charging_down != 0.0).then_some((at.v[k], line.charging_down));
        // A sending terminal without charging at a hard limit is the flow itself.
        let plain = limits == Limits::Hard && line.charging_up == 0.0;
        let (a, b) = if plain {
            (p, q)
        } else {
            let a = terminal(program, p, 0.0, None, start.0);
            let b = terminal(program, q, 0.0, charge_up, start.1);
            if parent_v.is_none() {
                // The root's voltage is known, so is the charging there.
                let row = program.rhs.len() - 1;
                program.rhs[row] += line.charging_up * feeder.v_root[i];
            }
            (a, b)
        };
        at.sending[k] = Some(program.discs.len());
        program.discs.push(Disc { a, b, radius });
        let a = terminal(program, p, line.r, None, start.0);
        let b = terminal(program, q, line.x, charge_down, start.1);
        at.receiving[k] = Some(program.discs.len());
        program.discs.push(Disc { a, b, radius });
    }
    for (side, limit) in line.angle_limits().into_iter().enumerate() {
        let Some(limit) = limit else { continue };
        let inside = program.variable(0.0, f64::INFINITY, 0.1);
        let mut terms = vec![(p, limit.p), (q, limit.q), (inside, -1.0)];
        let known = match parent_v {
            Some(v) => {
                terms.push((v, limit.v));
                0.0
            }
            None => limit.v * feeder.v_root[i],
        };
        if let Limits::Soft { price } = limits {
            let miss = program.variable(0.0, 4.0, 0.1);
            program.linear[miss] = price;
            terms.push((miss, 1.0));
        }
        program.row(-known, 0.0, &terms);
        at.angle[k][side] = Some(inside);
    }
    let v = match parent_v {
        Some(v) => Divisor::Variable(v, line.up),
        None => Divisor::Constant(line.up * feeder.v_root[i]),
    };
    at.flow[k] = program.flows.len();
    program.flows.push(FlowTerm { p, q, v, effect });
}

fn control(unit: &Unit, root_price: f64, program: &mut FlowProgram, at: &mut Layout) {
    let middle = |(low, high): (f64, f64)| 0.5 * (low + high);
    let p = program.variable(unit.p.0, unit.p.1, middle(unit.p));
    let q = program.variable(unit.q.0, unit.q.1, middle(unit.q));
    program.linear[p] = unit.slope;
    program.curvature[p] = unit.square;
    match at.active[unit.at] {
        Some(row) => program.entries.push((row, p, 1.0)),
        // At a root without a row it replaces import.
        None => program.linear[p] -= root_price,
    }
    if let Some(row) = at.reactive[unit.at] {
        program.entries.push((row, q, 1.0));
    }
    at.control_p.push(p);
    at.control_q.push(q);
    at.control_disc.push(unit.s.map(|radius| {
        program.discs.push(Disc { a: p, b: q, radius });
        program.discs.len() - 1
    }));
}

/// Branch flows without losses, with controls in the middle of their ranges; at roots what they import.
fn lossless(feeder: &Feeder, hour: &Scaled) -> (Vec<f64>, Vec<f64>) {
    let (mut p, mut q) = (hour.p.clone(), hour.q.clone());
    for unit in &hour.units {
        p[unit.at] -= 0.5 * (unit.p.0 + unit.p.1);
        q[unit.at] -= 0.5 * (unit.q.0 + unit.q.1);
    }
    for k in (feeder.roots..feeder.len()).rev() {
        let parent = feeder.branch[k].parent;
        p[parent] += p[k];
        q[parent] += q[k];
    }
    (p, q)
}

impl Layout {
    /// Voltages of a point, as a first guess of its flow.
    pub fn voltages(&self, feeder: &Feeder, point: &FlowPoint) -> FlowState {
        let v = (0..feeder.len()).map(|k| self.voltage(feeder, point, k)).collect();
        FlowState { v, ..FlowState::default() }
    }

    /// Squared voltage at a position.
    pub fn voltage(&self, feeder: &Feeder, point: &FlowPoint, k: usize) -> f64 {
        if k < feeder.roots && feeder.choice[k].is_none() { feeder.v_root[k] } else { point.x[self.v[k]] }
    }
}
