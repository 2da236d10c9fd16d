//! Interior point for programs with power flows: Mehrotra's method on the flow equations themselves.
//!
//! The squared currents are recomputed after every step, so that the only nonlinear residual sits in linear rows and the
//! end is quadratic. No cone is formed. The target of the barrier never falls below a hundredth of the tolerance: a
//! collapsed barrier would freeze the rows where active limits depend on each other.

use super::flows::{Divisor, FlowPattern, FlowProgram, Mode, StepSystem, Weights};

const MOST_ITERATIONS: usize = 100;
/// Iterations without a gain of a tenth before giving up.
const PATIENCE: usize = 30;
/// Ranges below this are points.
const POINT: f64 = 1e-12;

/// A primal and dual point.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlowPoint {
    pub x: Vec<f64>,
    /// Duals of the rows: derivative of the least cost by the right-hand side.
    pub y: Vec<f64>,
    /// Multipliers of lower and upper bounds, by variable; zero where there is none.
    pub at_lower: Vec<f64>,
    pub at_upper: Vec<f64>,
    /// Excess of each squared current over that of the flow; zero in exact mode.
    pub excess: Vec<f64>,
    /// Multipliers of the discs, of `x_a^2 + x_b^2 <= radius^2` as it stands.
    pub disc: Vec<f64>,
}

/// A point and how good it is.
#[derive(Clone, Debug)]
pub(crate) struct FlowSolution {
    pub point: FlowPoint,
    /// Largest of the residuals of rows, dual and complementarity.
    pub error: f64,
    pub iterations: usize,
}

/// A finite bound: `sign (x - bound) >= 0`.
struct Barrier {
    variable: usize,
    sign: f64,
    slack: f64,
    dual: f64,
}

/// A pair of a slack and its multiplier, and their steps.
#[derive(Clone, Copy, Default)]
struct Pair {
    slack: f64,
    dual: f64,
}

struct Iterate {
    x: Vec<f64>,
    y: Vec<f64>,
    barriers: Vec<Barrier>,
    /// Excess of the relaxed currents; empty in exact mode.
    excess: Vec<Pair>,
    discs: Vec<Pair>,
}

struct Residuals {
    rows: Vec<f64>,
    dual: Vec<f64>,
    discs: Vec<f64>,
    current_price: Vec<f64>,
    mu: f64,
    primal: f64,
    error: f64,
}

/// Steps of all pairs, in the order barriers, excess, discs.
#[derive(Clone, Default)]
struct Step {
    /// (dx, -dy).
    direction: Vec<f64>,
    barriers: Vec<Pair>,
    excess: Vec<Pair>,
    discs: Vec<Pair>,
}

/// Solves `program`, whose pattern is `pattern`; `from` is a point of a related program to start from.
pub(crate) fn solve(
    program: &FlowProgram,
    pattern: &FlowPattern,
    tolerance: f64,
    from: Option<&FlowPoint>,
) -> FlowSolution {
    let mut system = StepSystem::new(program, pattern);
    let fixed: Vec<bool> = program.lower.iter().zip(&program.upper).map(|(l, u)| u - l <= POINT).collect();
    let mut now = Iterate::start(program, pattern.mode(), &fixed, from);
    let mut best: Option<(FlowPoint, f64)> = None;
    let (mut patience, mut iterations) = (0, 0);
    let mut step = Step::default();
    loop {
        let residuals = now.residuals(program, &fixed);
        if !residuals.error.is_finite() {
            break;
        }
        let least = best.as_ref().map_or(f64::INFINITY, |b| b.1);
        patience = if residuals.error < 0.9 * least { 0 } else { patience + 1 };
        if residuals.error <= least {
            best = Some((now.point(program), residuals.error));
        }
        if residuals.error <= tolerance || iterations >= MOST_ITERATIONS || patience > PATIENCE {
            break;
        }
        iterations += 1;
        now.factor(program, &mut system, &residuals, &fixed);
        now.direction(program, &mut system, &residuals, &fixed, None, tolerance, &mut step);
        let reach = now.reach(program, &step, 1.0);
        let ahead = now.complementarity_after(&step, reach);
        let ratio = if residuals.mu > 0.0 { (ahead / residuals.mu).clamp(0.0, 1.0) } else { 0.0 };
        let centre = (residuals.mu * ratio.powi(3).max(1e-4)).max(residuals.mu.min(tolerance / 100.0));
        let predictor = step.clone();
        now.direction(program, &mut system, &residuals, &fixed, Some((centre, &predictor)), tolerance, &mut step);
        let reach = now.reach(program, &step, 0.995);
        now.advance(program, &step, reach, residuals.primal);
    }
    let (point, error) = best.unwrap_or_else(|| (now.point(program), f64::INFINITY));
    FlowSolution { point, error, iterations }
}

/// Response of the solution to its rows: component `i` is the derivative of `weights'x` by the right-hand side of row
/// `i`, along the optimum.
pub(crate) fn response(program: &FlowProgram, pattern: &FlowPattern, at: &FlowPoint, weights: &[f64]) -> Vec<f64> {
    let n = program.linear.len();
    let fixed: Vec<bool> = program.lower.iter().zip(&program.upper).map(|(l, u)| u - l <= POINT).collect();
    let now = Iterate::at(program, pattern.mode(), &fixed, at);
    let residuals = now.residuals(program, &fixed);
    let mut system = StepSystem::new(program, pattern);
    now.factor(program, &mut system, &residuals, &fixed);
    let mut rhs = vec![0.0; n + program.rhs.len()];
    for j in 0..n {
        rhs[j] = if fixed[j] { 0.0 } else { weights[j] };
    }
    let mut out = vec![0.0; rhs.len()];
    // The system is symmetric: one solve gives the derivative by every row.
    system.solve(&rhs, &mut out, 1e-14);
    out.split_off(n)
}

impl Iterate {
    fn start(program: &FlowProgram, mode: Mode, fixed: &[bool], from: Option<&FlowPoint>) -> Self {
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
                    barriers.push(Barrier { variable: j, sign, slack, dual: 0.0 });
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
    fn at(program: &FlowProgram, mode: Mode, fixed: &[bool], point: &FlowPoint) -> Self {
        let mut barriers = vec![];
        for j in (0..point.x.len()).filter(|&j| !fixed[j]) {
            for (sign, bound, dual) in
                [(1.0, program.lower[j], point.at_lower[j]), (-1.0, program.upper[j], point.at_upper[j])]
            {
                if bound.is_finite() {
                    let slack = (sign * (point.x[j] - bound)).max(1e-300);
                    barriers.push(Barrier { variable: j, sign, slack, dual });
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

    fn excess_values(&self, program: &FlowProgram) -> Vec<f64> {
        if self.excess.is_empty() {
            vec![0.0; program.flows.len()]
        } else {
            self.excess.iter().map(|p| p.slack).collect()
        }
    }

    fn residuals(&self, program: &FlowProgram, fixed: &[bool]) -> Residuals {
        let x = &self.x;
        let n = x.len();
        let mut rows = vec![0.0; program.rhs.len()];
        program.residual(x, &self.excess_values(program), &mut rows);
        let mut dual: Vec<f64> = (0..n).map(|j| program.curvature[j] * x[j] + program.linear[j]).collect();
        for &(i, j, a) in &program.entries {
            dual[j] -= a * self.y[i];
        }
        let mut current_price = vec![0.0; program.flows.len()];
        for (k, f) in program.flows.iter().enumerate() {
            let eta = program.current_price(k, &self.y);
            let (phi, v) = program.square_current(k, x);
            current_price[k] = eta;
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
        let mut discs = vec![0.0; program.discs.len()];
        for ((d, pair), r) in program.discs.iter().zip(&self.discs).zip(&mut discs) {
            dual[d.a] += pair.dual * x[d.a] / d.radius;
            dual[d.b] += pair.dual * x[d.b] / d.radius;
            *r = (d.radius.powi(2) - x[d.a].powi(2) - x[d.b].powi(2)) / (2.0 * d.radius) - pair.slack;
            mu += pair.slack * pair.dual;
        }
        for (j, r) in dual.iter_mut().enumerate() {
            if fixed[j] {
                *r = 0.0;
            }
        }
        let mut error = worst(&dual);
        for (pair, eta) in self.excess.iter().zip(&current_price) {
            mu += pair.slack * pair.dual;
            error = error.max((eta - pair.dual).abs());
        }
        mu /= self.pairs().max(1) as f64;
        let primal = worst(&rows).max(worst(&discs));
        let error = if mu.is_finite() { error.max(primal).max(mu) } else { f64::INFINITY };
        Residuals { rows, dual, discs, current_price, mu, primal, error }
    }

    fn factor(&self, program: &FlowProgram, system: &mut StepSystem, residuals: &Residuals, fixed: &[bool]) {
        let mut barrier: Vec<Option<f64>> = fixed.iter().map(|&fixed| (!fixed).then_some(0.0)).collect();
        for b in &self.barriers {
            if let Some(w) = &mut barrier[b.variable] {
                *w += b.dual / b.slack;
            }
        }
        let slackness: Vec<f64> = self.excess.iter().map(|p| p.slack / p.dual).collect();
        let disc: Vec<(f64, f64)> = self.discs.iter().map(|p| (p.dual, p.dual / p.slack)).collect();
        let weights = Weights {
            x: &self.x,
            current_price: &residuals.current_price,
            barrier: &barrier,
            slackness: &slackness,
            disc: &disc,
        };
        system.factor(program, &weights);
    }

    /// The step towards complementarity `centre` with second-order terms of `predictor`, or straight ahead without.
    #[expect(clippy::too_many_arguments, reason = "one iterate, one system, one answer")]
    fn direction(
        &self,
        program: &FlowProgram,
        system: &mut StepSystem,
        residuals: &Residuals,
        fixed: &[bool],
        corrected: Option<(f64, &Step)>,
        tolerance: f64,
        step: &mut Step,
    ) {
        let n = self.x.len();
        let centre = corrected.map_or(0.0, |c| c.0);
        let second = |pairs: fn(&Step) -> &Vec<Pair>, k: usize| {
            corrected.map_or(0.0, |(_, p)| pairs(p)[k].slack * pairs(p)[k].dual)
        };
        let mut rhs: Vec<f64> = residuals.dual.iter().map(|r| -r).collect();
        rhs.extend_from_slice(&residuals.rows);
        for (k, b) in self.barriers.iter().enumerate() {
            rhs[b.variable] += b.sign * ((centre - second(|s| &s.barriers, k)) / b.slack - b.dual);
        }
        for (k, pair) in self.excess.iter().enumerate() {
            let constant = (centre - second(|s| &s.excess, k) - pair.slack * residuals.current_price[k]) / pair.dual;
            for &(i, e) in &program.flows[k].effect {
                rhs[n + i] -= e * constant;
            }
        }
        for (k, (d, pair)) in program.discs.iter().zip(&self.discs).enumerate() {
            let pull = (centre - second(|s| &s.discs, k) - pair.dual * residuals.discs[k]) / pair.slack - pair.dual;
            rhs[d.a] -= pull * self.x[d.a] / d.radius;
            rhs[d.b] -= pull * self.x[d.b] / d.radius;
        }
        for j in (0..n).filter(|&j| fixed[j]) {
            rhs[j] = 0.0;
        }
        let mut direction = vec![0.0; rhs.len()];
        system.solve(&rhs, &mut direction, if corrected.is_some() { tolerance / 100.0 } else { f64::INFINITY });
        for j in (0..n).filter(|&j| fixed[j]) {
            direction[j] = 0.0;
        }
        let mut barriers = Vec::with_capacity(self.barriers.len());
        for (k, b) in self.barriers.iter().enumerate() {
            let slack = b.sign * direction[b.variable];
            let dual = (centre - second(|s| &s.barriers, k) - b.dual * slack) / b.slack - b.dual;
            barriers.push(Pair { slack, dual });
        }
        let mut excess = Vec::with_capacity(self.excess.len());
        for (k, pair) in self.excess.iter().enumerate() {
            // The direction holds -dy, so this is eta after the step.
            let ahead: f64 = program.flows[k].effect.iter().map(|&(i, e)| e * direction[n + i]).sum();
            let dual = residuals.current_price[k] + ahead - pair.dual;
            let slack = (centre - second(|s| &s.excess, k) - pair.slack * dual) / pair.dual - pair.slack;
            excess.push(Pair { slack, dual });
        }
        let mut discs = Vec::with_capacity(self.discs.len());
        for (k, (d, pair)) in program.discs.iter().zip(&self.discs).enumerate() {
            let along = (self.x[d.a] * direction[d.a] + self.x[d.b] * direction[d.b]) / d.radius;
            let slack = residuals.discs[k] - along;
            let dual = (centre - second(|s| &s.discs, k) - pair.dual * slack) / pair.slack - pair.dual;
            discs.push(Pair { slack, dual });
        }
        *step = Step { direction, barriers, excess, discs };
    }

    /// Largest step, at most 1, that keeps `share` of the way to every boundary, and divisors positive.
    fn reach(&self, program: &FlowProgram, step: &Step, share: f64) -> f64 {
        let mut shrink = 1.0_f64;
        let mut stay = |value: f64, by: f64| shrink = shrink.max(-by / (share * value));
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

    fn complementarity_after(&self, step: &Step, reach: f64) -> f64 {
        let product = |slack: f64, dual: f64, d: &Pair| (slack + reach * d.slack) * (dual + reach * d.dual);
        let barriers: f64 = self.barriers.iter().zip(&step.barriers).map(|(b, d)| product(b.slack, b.dual, d)).sum();
        let excess: f64 = self.excess.iter().zip(&step.excess).map(|(p, d)| product(p.slack, p.dual, d)).sum();
        let discs: f64 = self.discs.iter().zip(&step.discs).map(|(p, d)| product(p.slack, p.dual, d)).sum();
        (barriers + excess + discs) / self.pairs().max(1) as f64
    }

    /// Takes the step, shortened while it makes the rows much worse.
    fn advance(&mut self, program: &FlowProgram, step: &Step, mut reach: f64, primal: f64) {
        let n = self.x.len();
        let mut rows = vec![0.0; program.rhs.len()];
        let mut x = vec![0.0; n];
        for _ in 0..12 {
            for j in 0..n {
                x[j] = self.x[j] + reach * step.direction[j];
            }
            let mut excess = self.excess_values(program);
            for (s, d) in excess.iter_mut().zip(&step.excess) {
                *s += reach * d.slack;
            }
            program.residual(&x, &excess, &mut rows);
            if worst(&rows) <= (2.0 * primal).max(1e-3) {
                break;
            }
            reach *= 0.5;
        }
        for j in 0..n {
            self.x[j] += reach * step.direction[j];
        }
        for (y, d) in self.y.iter_mut().zip(&step.direction[n..]) {
            *y -= reach * d;
        }
        for (b, d) in self.barriers.iter_mut().zip(&step.barriers) {
            b.slack += reach * d.slack;
            b.dual += reach * d.dual;
        }
        for (p, d) in self.excess.iter_mut().zip(&step.excess).chain(self.discs.iter_mut().zip(&step.discs)) {
            p.slack += reach * d.slack;
            p.dual += reach * d.dual;
        }
    }

    fn point(&self, program: &FlowProgram) -> FlowPoint {
        let n = self.x.len();
        let (mut at_lower, mut at_upper) = (vec![0.0; n], vec![0.0; n]);
        for b in &self.barriers {
            if b.sign > 0.0 {
                at_lower[b.variable] = b.dual;
            } else {
                at_upper[b.variable] = b.dual;
            }
        }
        FlowPoint {
            x: self.x.clone(),
            y: self.y.clone(),
            at_lower,
            at_upper,
            excess: self.excess_values(program),
            disc: self.discs.iter().zip(&program.discs).map(|(p, d)| p.dual / (2.0 * d.radius)).collect(),
        }
    }
}

/// Largest absolute value; infinite where anything is not a number.
fn worst(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most: f64, v| if v.is_nan() { f64::INFINITY } else { most.max(v.abs()) })
}
