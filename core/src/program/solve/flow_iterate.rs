//! An interior iterate of a program with power flows: its residuals, its directions and how far they may be taken.
//!
//! The squared currents are recomputed after every step, so that the only nonlinear residual sits in linear rows and the
//! end is quadratic. No cone is formed.

use super::flow_system::{FIXED, StepSystem, Weights};
use crate::program::model::flows::{Divisor, FlowPoint, FlowProgram, Mode};

/// A finite bound: `sign (x - bound) >= 0`.
pub(super) struct Barrier {
    variable: usize,
    sign: f64,
    slack: f64,
    dual: f64,
    /// `1 / slack`.
    inverse: f64,
}

/// A pair of a slack and its multiplier, and their steps.
#[derive(Clone, Copy, Default)]
pub(super) struct Pair {
    slack: f64,
    dual: f64,
}

pub(super) struct Iterate {
    x: Vec<f64>,
    y: Vec<f64>,
    barriers: Vec<Barrier>,
    /// Excess of the relaxed currents; empty in exact mode.
    excess: Vec<Pair>,
    discs: Vec<Pair>,
}

#[derive(Default)]
pub(super) struct Residuals {
    rows: Vec<f64>,
    dual: Vec<f64>,
    discs: Vec<f64>,
    current_price: Vec<f64>,
    excess: Vec<f64>,
    pub mu: f64,
    pub primal: f64,
    pub error: f64,
}

/// Steps of all pairs, in the order barriers, excess, discs.
#[derive(Default)]
pub(super) struct Step {
    rhs: Vec<f64>,
    /// (dx, -dy).
    direction: Vec<f64>,
    barriers: Vec<Pair>,
    excess: Vec<Pair>,
    discs: Vec<Pair>,
}

/// Space that every iteration uses again.
#[derive(Default)]
pub(super) struct Work {
    /// What barriers add to the diagonal.
    barrier: Vec<f64>,
    /// A point that is tried.
    x: Vec<f64>,
    rows: Vec<f64>,
    excess: Vec<f64>,
}

impl Iterate {
    pub(super) fn start(program: &FlowProgram, mode: Mode, fixed: &[bool], from: Option<&FlowPoint>) -> Self {
        let n = program.linear.len();
        let mut x = from.map_or_else(|| program.start.clone(), |p| p.x.clone());
        let mut barriers = vec![];
        for j in 0..n {
            let (l, u) = (program.lower[j], program.upper[j]);
            if fixed[j] {
                x[j] = l;
                continue;
            }
            // A tenth of the range inside, or of one unit where the range is infinite; a related point nearly stays.
            let share = if from.is_some() { 0.03 } else { 0.1 };
            let margin = share * (u - l).min(1.0);
            x[j] = match (l.is_finite(), u.is_finite()) {
                (true, true) if from.is_none() => 0.5 * (l + u),
                _ => x[j].max(l + margin).min(u - margin),
            };
            for (sign, bound) in [(1.0, l), (-1.0, u)] {
                if bound.is_finite() {
                    let slack = sign * (x[j] - bound);
                    barriers.push(Barrier { variable: j, sign, slack, dual: 0.0, inverse: 1.0 / slack });
                }
            }
        }
        let barrier = if from.is_some() { 1e-2 } else { 0.1 };
        for b in &mut barriers {
            b.dual = barrier / b.slack.max(1e-3);
        }
        let pair = |slack: f64| Pair { slack, dual: barrier / slack.max(1e-3) };
        let excess = if mode == Mode::Relaxed { vec![pair(0.1); program.flows.len()] } else { vec![] };
        let discs = program
            .discs
            .iter()
            .map(|d| {
                pair(((d.radius.powi(2) - x[d.a].powi(2) - x[d.b].powi(2)) / (2.0 * d.radius)).max(0.1 * d.radius))
            })
            .collect();
        let y = from.map_or_else(|| program.price.clone(), |p| p.y.clone());
        Self { x, y, barriers, excess, discs }
    }

    /// The iterate of a solution, as it is.
    pub(super) fn at(program: &FlowProgram, mode: Mode, fixed: &[bool], point: &FlowPoint) -> Self {
        let mut barriers = vec![];
        for j in (0..point.x.len()).filter(|&j| !fixed[j]) {
            for (sign, bound, dual) in
                [(1.0, program.lower[j], point.at_lower[j]), (-1.0, program.upper[j], point.at_upper[j])]
            {
                if bound.is_finite() {
                    let slack = (sign * (point.x[j] - bound)).max(1e-300);
                    barriers.push(Barrier { variable: j, sign, slack, dual, inverse: 1.0 / slack });
                }
            }
        }
        let excess = (0..if mode == Mode::Relaxed { program.flows.len() } else { 0 })
            .map(|k| Pair { slack: point.excess[k], dual: program.current_price(k, &point.y) })
            .collect();
        let discs = program
            .discs
            .iter()
            .zip(&point.disc)
            .map(|(d, w)| Pair {
                slack: ((d.radius.powi(2) - point.x[d.a].powi(2) - point.x[d.b].powi(2)) / (2.0 * d.radius))
                    .max(1e-300),
                dual: w * 2.0 * d.radius,
            })
            .collect();
        Self { x: point.x.clone(), y: point.y.clone(), barriers, excess, discs }
    }

    fn pairs(&self) -> usize {
        self.barriers.len() + self.excess.len() + self.discs.len()
    }

    /// Excess of every squared current; zeros in exact mode.
    fn write_excess(&self, program: &FlowProgram, out: &mut Vec<f64>) {
        out.clear();
        out.extend(self.excess.iter().map(|p| p.slack));
        out.resize(program.flows.len(), 0.0);
    }

    pub(super) fn residuals(&self, program: &FlowProgram, fixed: &[bool], out: &mut Residuals) {
        let x = &self.x;
        let Residuals { rows, dual, discs, current_price, excess, .. } = out;
        rows.resize(program.rhs.len(), 0.0);
        self.write_excess(program, excess);
        program.residual(x, excess, rows);
        dual.clear();
        dual.extend(program.curvature.iter().zip(x).zip(&program.linear).map(|((h, x), q)| h * x + q));
        for &(i, j, a) in &program.entries {
            dual[j] -= a * self.y[i];
        }
        current_price.clear();
        for (k, f) in program.flows.iter().enumerate() {
            let eta = program.current_price(k, &self.y);
            let (phi, v) = program.square_current(k, x);
            current_price.push(eta);
            dual[f.p] += eta * 2.0 * x[f.p] / v;
            dual[f.q] += eta * 2.0 * x[f.q] / v;
            if let Divisor::Variable(j, factor) = f.v {
                dual[j] -= eta * phi / v * factor;
            }
        }
        let mut mu = 0.0;
        for b in &self.barriers {
            dual[b.variable] -= b.sign * b.dual;
            mu += b.slack * b.dual;
        }
        discs.clear();
        for (d, pair) in program.discs.iter().zip(&self.discs) {
            dual[d.a] += pair.dual * x[d.a] / d.radius;
            dual[d.b] += pair.dual * x[d.b] / d.radius;
            discs.push((d.radius.powi(2) - x[d.a].powi(2) - x[d.b].powi(2)) / (2.0 * d.radius) - pair.slack);
            mu += pair.slack * pair.dual;
        }
        for (r, fixed) in dual.iter_mut().zip(fixed) {
            if *fixed {
                *r = 0.0;
            }
        }
        let mut error = worst(dual);
        for (pair, eta) in self.excess.iter().zip(current_price) {
            mu += pair.slack * pair.dual;
            error = error.max((*eta - pair.dual).abs());
        }
        mu /= self.pairs().max(1) as f64;
        let primal = worst(rows).max(worst(discs));
        out.error = if mu.is_finite() { error.max(primal).max(mu) } else { f64::INFINITY };
        (out.mu, out.primal) = (mu, primal);
    }

    pub(super) fn factor(
        &self,
        program: &FlowProgram,
        system: &mut StepSystem,
        residuals: &Residuals,
        fixed: &[bool],
        work: &mut Work,
    ) {
        work.barrier.clear();
        work.barrier.extend(fixed.iter().map(|&fixed| if fixed { FIXED } else { 0.0 }));
        for b in &self.barriers {
            work.barrier[b.variable] += b.dual * b.inverse;
        }
        let slackness: Vec<f64> = self.excess.iter().map(|p| p.slack / p.dual).collect();
        let disc: Vec<(f64, f64)> = self.discs.iter().map(|p| (p.dual, p.dual / p.slack)).collect();
        let weights = Weights {
            x: &self.x,
            current_price: &residuals.current_price,
            barrier: &work.barrier,
            slackness: &slackness,
            disc: &disc,
        };
        system.factor(program, &weights);
    }

    /// The step towards complementarity `centre`, with the second-order terms of another step, or of none.
    #[expect(clippy::too_many_arguments, reason = "one iterate, one system, one answer")]
    pub(super) fn direction(
        &self,
        program: &FlowProgram,
        system: &mut StepSystem,
        residuals: &Residuals,
        fixed: &[bool],
        (centre, second): (f64, Option<&Step>),
        tolerance: f64,
        step: &mut Step,
    ) {
        let n = self.x.len();
        let Step { rhs, direction, barriers, excess, discs } = step;
        let product = |pair: &Pair| pair.slack * pair.dual;
        rhs.clear();
        rhs.extend(residuals.dual.iter().map(|r| -r));
        rhs.extend_from_slice(&residuals.rows);
        for (k, b) in self.barriers.iter().enumerate() {
            let second = second.map_or(0.0, |s| product(&s.barriers[k]));
            rhs[b.variable] += b.sign * ((centre - second) * b.inverse - b.dual);
        }
        for (k, pair) in self.excess.iter().enumerate() {
            let second = second.map_or(0.0, |s| product(&s.excess[k]));
            let constant = (centre - second - pair.slack * residuals.current_price[k]) / pair.dual;
            for &(i, e) in &program.flows[k].effect {
                rhs[n + i] -= e * constant;
            }
        }
        for (k, (d, pair)) in program.discs.iter().zip(&self.discs).enumerate() {
            let second = second.map_or(0.0, |s| product(&s.discs[k]));
            let pull = (centre - second - pair.dual * residuals.discs[k]) / pair.slack - pair.dual;
            rhs[d.a] -= pull * self.x[d.a] / d.radius;
            rhs[d.b] -= pull * self.x[d.b] / d.radius;
        }
        for (r, fixed) in rhs.iter_mut().zip(fixed) {
            if *fixed {
                *r = 0.0;
            }
        }
        direction.resize(rhs.len(), 0.0);
        system.solve(rhs, direction, tolerance);
        for (d, fixed) in direction.iter_mut().zip(fixed) {
            if *fixed {
                *d = 0.0;
            }
        }
        barriers.clear();
        barriers.extend(self.barriers.iter().enumerate().map(|(k, b)| {
            let second = second.map_or(0.0, |s| product(&s.barriers[k]));
            let slack = b.sign * direction[b.variable];
            let dual = (centre - second - b.dual * slack) * b.inverse - b.dual;
            Pair { slack, dual }
        }));
        excess.clear();
        for (k, pair) in self.excess.iter().enumerate() {
            let second = second.map_or(0.0, |s| product(&s.excess[k]));
            // The direction holds -dy, so this is eta after the step.
            let ahead: f64 = program.flows[k].effect.iter().map(|&(i, e)| e * direction[n + i]).sum();
            let dual = residuals.current_price[k] + ahead - pair.dual;
            let slack = (centre - second - pair.slack * dual) / pair.dual - pair.slack;
            excess.push(Pair { slack, dual });
        }
        discs.clear();
        for (k, (d, pair)) in program.discs.iter().zip(&self.discs).enumerate() {
            let second = second.map_or(0.0, |s| product(&s.discs[k]));
            let along = (self.x[d.a] * direction[d.a] + self.x[d.b] * direction[d.b]) / d.radius;
            let slack = residuals.discs[k] - along;
            let dual = (centre - second - pair.dual * slack) / pair.slack - pair.dual;
            discs.push(Pair { slack, dual });
        }
    }

    /// Largest step, at most 1, that keeps `share` of the way to every boundary, and divisors positive.
    pub(super) fn reach(&self, program: &FlowProgram, step: &Step, share: f64) -> f64 {
        let mut shrink = 1.0_f64;
        // Divides only where the step is limited further than so far.
        let mut stay = |value: f64, by: f64| {
            let room = share * value;
            if -by > shrink * room {
                shrink = -by / room;
            }
        };
        for (b, d) in self.barriers.iter().zip(&step.barriers) {
            stay(b.slack, d.slack);
            stay(b.dual, d.dual);
        }
        for (p, d) in self.excess.iter().zip(&step.excess).chain(self.discs.iter().zip(&step.discs)) {
            stay(p.slack, d.slack);
            stay(p.dual, d.dual);
        }
        for f in &program.flows {
            if let Divisor::Variable(j, _) = f.v {
                stay(0.8 * self.x[j], step.direction[j]);
            }
        }
        1.0 / shrink
    }

    pub(super) fn complementarity_after(&self, step: &Step, reach: f64) -> f64 {
        let product = |slack: f64, dual: f64, d: &Pair| (slack + reach * d.slack) * (dual + reach * d.dual);
        let barriers: f64 = self.barriers.iter().zip(&step.barriers).map(|(b, d)| product(b.slack, b.dual, d)).sum();
        let excess: f64 = self.excess.iter().zip(&step.excess).map(|(p, d)| product(p.slack, p.dual, d)).sum();
        let discs: f64 = self.discs.iter().zip(&step.discs).map(|(p, d)| product(p.slack, p.dual, d)).sum();
        (barriers + excess + discs) / self.pairs().max(1) as f64
    }

    /// Takes the step, shortened while it makes the rows much worse.
    pub(super) fn advance(&mut self, program: &FlowProgram, step: &Step, mut reach: f64, primal: f64, work: &mut Work) {
        let Work { x, rows, excess, .. } = work;
        rows.resize(program.rhs.len(), 0.0);
        for _ in 0..12 {
            x.clear();
            x.extend(self.x.iter().zip(&step.direction).map(|(x, d)| x + reach * d));
            self.write_excess(program, excess);
            for (s, d) in excess.iter_mut().zip(&step.excess) {
                *s += reach * d.slack;
            }
            program.residual(x, excess, rows);
            if worst(rows) <= (2.0 * primal).max(1e-3) {
                break;
            }
            reach *= 0.5;
        }
        for (x, d) in self.x.iter_mut().zip(&step.direction) {
            *x += reach * d;
        }
        for (y, d) in self.y.iter_mut().zip(&step.direction[self.x.len()..]) {
            *y -= reach * d;
        }
        for (b, d) in self.barriers.iter_mut().zip(&step.barriers) {
            b.slack += reach * d.slack;
            b.dual += reach * d.dual;
            b.inverse = 1.0 / b.slack;
        }
        for (p, d) in self.excess.iter_mut().zip(&step.excess).chain(self.discs.iter_mut().zip(&step.discs)) {
            p.slack += reach * d.slack;
            p.dual += reach * d.dual;
        }
    }

    pub(super) fn write_point(&self, program: &FlowProgram, point: &mut FlowPoint) {
        let n = self.x.len();
        point.x.clone_from(&self.x);
        point.y.clone_from(&self.y);
        // Variables without a bound have no entry to be written over.
        point.at_lower.resize(n, 0.0);
        point.at_upper.resize(n, 0.0);
        for b in &self.barriers {
            let side = if b.sign > 0.0 { &mut point.at_lower } else { &mut point.at_upper };
            side[b.variable] = b.dual;
        }
        self.write_excess(program, &mut point.excess);
        point.disc.clear();
        point.disc.extend(self.discs.iter().zip(&program.discs).map(|(p, d)| p.dual / (2.0 * d.radius)));
    }
}

/// Largest absolute value; infinite where anything is not a number.
fn worst(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most: f64, v| if v.is_nan() { f64::INFINITY } else { most.max(v.abs()) })
}
