//! The quasidefinite linear system of a Newton step on a program with power flows.

use crate::linear::SymmetricLdl;
use crate::program::model::flow_pattern::FlowPattern;
use crate::program::model::flows::{Divisor, FlowProgram, Mode};

/// Weight of the proximal term in the linear system.
const PROXIMAL: f64 = 1e-8;
/// Weight that holds a fixed variable.
pub(crate) const FIXED: f64 = 1e12;

/// The system of a Newton step: `[W + d, J'; J, -d - sum (s/z) e e']`, factored.
pub(crate) struct StepSystem<'p> {
    pattern: &'p FlowPattern,
    ldl: SymmetricLdl<'p>,
    /// Everything that does not change from step to step.
    constant: Vec<f64>,
}

/// What a step's system is made of, besides the program.
pub(crate) struct Weights<'a> {
    pub x: &'a [f64],
    /// Prices of the squared currents.
    pub current_price: &'a [f64],
    /// What barriers add to the diagonal, by variable; [`FIXED`] holds the variable.
    pub barrier: &'a [f64],
    /// `s / z` of the relaxed currents; not used in exact mode.
    pub slackness: &'a [f64],
    /// For every disc the dual and dual over slack, of the constraint scaled by `1 / (2 radius)`.
    pub disc: &'a [(f64, f64)],
}

impl<'p> StepSystem<'p> {
    pub fn new(program: &FlowProgram, pattern: &'p FlowPattern) -> Self {
        let mut ldl = SymmetricLdl::new(&pattern.pattern);
        let mut constant = ldl.values().clone();
        for (&slot, &(_, _, a)) in pattern.entry.iter().zip(&program.entries) {
            constant[slot as usize] += a;
        }
        let n = pattern.variables;
        for (i, &slot) in pattern.diagonal.iter().enumerate() {
            constant[slot as usize] += if i < n { program.curvature[i] + PROXIMAL } else { -PROXIMAL };
        }
        Self { pattern, ldl, constant }
    }

    /// Factors the system at a point. Where a current has a negative price the true curvature is kept as long as the
    /// inertia is that of a minimum, else it is dropped.
    pub fn factor(&mut self, program: &FlowProgram, weights: &Weights) {
        let m = program.rhs.len();
        let concave = self.pattern.mode == Mode::Exact && weights.current_price.iter().any(|&eta| eta < 0.0);
        if concave {
            self.assemble(program, weights, f64::NEG_INFINITY);
            if self.ldl.factor_free() == m {
                return;
            }
        }
        self.assemble(program, weights, 0.0);
        self.ldl.factor_signed(PROXIMAL);
    }

    /// Solves for (dx, -dy); refines rounding (and nothing else) while the residual exceeds `tolerance`.
    pub fn solve(&mut self, rhs: &[f64], out: &mut [f64], tolerance: f64) {
        self.ldl.refined(rhs, out, tolerance);
    }

    fn assemble(&mut self, program: &FlowProgram, weights: &Weights, least_price: f64) {
        let values = self.ldl.values();
        values.copy_from_slice(&self.constant);
        for (&slot, barrier) in self.pattern.diagonal.iter().zip(weights.barrier) {
            values[slot as usize] += barrier;
        }
        let mut slots = &self.pattern.flow[..];
        // The next of the pattern's slots take the next values.
        let mut add = |entries: &[f64]| {
            let (here, later) = slots.split_at(entries.len());
            for (&slot, v) in here.iter().zip(entries) {
                values[slot as usize] += v;
            }
            slots = later;
        };
        for (k, f) in program.flows.iter().enumerate() {
            let (phi, v) = program.square_current(k, weights.x);
            let (a, b) = (weights.x[f.p] / v, weights.x[f.q] / v);
            let (count, factor) = match f.v {
                Divisor::Constant(_) => (2, 0.0),
                Divisor::Variable(_, factor) => (3, factor),
            };
            // hess phi = 2/v (I, -S/v)'(I, -S/v), lower triangle by rows.
            let h = 2.0 * weights.current_price[k].max(least_price) / v;
            let hessian = [h, 0.0, h, -h * a * factor, -h * b * factor, h * (a * a + b * b) * factor * factor];
            add(&hessian[..count * (count + 1) / 2]);
            let gradient = [2.0 * a, 2.0 * b, -phi / v * factor];
            for &(_, e) in &f.effect {
                add(&gradient.map(|g| e * g)[..count]);
            }
            if self.pattern.mode == Mode::Relaxed {
                for (at, &(_, e)) in f.effect.iter().enumerate() {
                    f.effect[..=at].iter().for_each(|&(_, other)| add(&[-weights.slackness[k] * e * other]));
                }
            }
        }
        for ((d, &(w, pull)), slots) in program.discs.iter().zip(weights.disc).zip(self.pattern.disc.chunks(3)) {
            let (a, b) = (weights.x[d.a] / d.radius, weights.x[d.b] / d.radius);
            let w = w / d.radius;
            for (&slot, v) in slots.iter().zip([w + pull * a * a, pull * a * b, w + pull * b * b]) {
                values[slot as usize] += v;
            }
        }
    }
}
