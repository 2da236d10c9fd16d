//! Programs with power flows in them: the class, and the linear system of a Newton step on it.
//!
//! ```text
//! min  1/2 x'Hx + q'x   s.t.   A x + sum_k e_k l_k = b,   lower <= x <= upper (maybe infinite),   x_a^2 + x_b^2 <= S^2,
//!      l_k = phi_k(x) + s_k,   phi = (x_P^2 + x_Q^2) / x_v,   s_k = 0 (exact)  or  s_k >= 0 (relaxed, convex)
//! ```
//!
//! `l` is a squared current, `phi` is convex, so the relaxation is the branch-flow relaxation without its cones. Knows no
//! network: rows and variables have no meaning here.

use super::ldl::{Ldl, Pattern, Pivots};

/// Weight of the proximal term in the linear system.
const PROXIMAL: f64 = 1e-8;
/// Weight that holds a fixed variable.
pub(crate) const FIXED: f64 = 1e12;

/// What divides the square of a flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Divisor {
    /// A number.
    Constant(f64),
    /// A variable times a number; it stays positive.
    Variable(usize, f64),
}

/// A squared current `l = (p^2 + q^2) / v + s` and the rows it enters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FlowTerm {
    pub p: usize,
    pub q: usize,
    pub v: Divisor,
    /// Rows and coefficients.
    pub effect: Vec<(usize, f64)>,
}

/// `x_a^2 + x_b^2 <= radius^2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Disc {
    pub a: usize,
    pub b: usize,
    pub radius: f64,
}

/// Whether flows hold exactly or as inequalities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Exact,
    Relaxed,
}

/// A program of the class, in units in which powers and prices are about 1.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlowProgram {
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
    pub linear: Vec<f64>,
    pub curvature: Vec<f64>,
    /// Where to begin; bounded variables begin inside whatever it says.
    pub start: Vec<f64>,
    /// Coefficients: row, variable, value; repeated ones add up.
    pub entries: Vec<(usize, usize, f64)>,
    pub rhs: Vec<f64>,
    /// First guess of the duals.
    pub price: Vec<f64>,
    pub flows: Vec<FlowTerm>,
    pub discs: Vec<Disc>,
}

/// The analysed pattern of the step's system, and where everything goes.
#[derive(Clone, Debug)]
pub(crate) struct FlowPattern {
    pattern: Pattern,
    mode: Mode,
    variables: usize,
    diagonal: Vec<u32>,
    entry: Vec<u32>,
    /// Slots of all flow terms, one after the other.
    flow: Vec<u32>,
    disc: Vec<u32>,
}

impl FlowProgram {
    pub fn variable(&mut self, lower: f64, upper: f64, start: f64) -> usize {
        self.lower.push(lower);
        self.upper.push(upper);
        self.linear.push(0.0);
        self.curvature.push(0.0);
        self.start.push(start);
        self.lower.len() - 1
    }

    /// `sum terms = rhs`, with a first guess of its dual.
    pub fn row(&mut self, rhs: f64, price: f64, terms: &[(usize, f64)]) -> usize {
        let row = self.rhs.len();
        self.rhs.push(rhs);
        self.price.push(price);
        self.entries.extend(terms.iter().map(|&(j, a)| (row, j, a)));
        row
    }

    /// `phi_k` and the value of its divisor.
    pub fn square_current(&self, k: usize, x: &[f64]) -> (f64, f64) {
        self.flows[k].square_current(x)
    }

    /// Price of a squared current: what the objective gains per unit less of it.
    pub fn current_price(&self, k: usize, y: &[f64]) -> f64 {
        self.flows[k].price(y)
    }

    /// `r = b - A x - sum e_k (phi_k + s_k)`.
    pub fn residual(&self, x: &[f64], s: &[f64], r: &mut [f64]) {
        r.copy_from_slice(&self.rhs);
        for &(i, j, a) in &self.entries {
            r[i] -= a * x[j];
        }
        for (k, f) in self.flows.iter().enumerate() {
            let l = self.square_current(k, x).0 + s[k];
            for &(i, e) in &f.effect {
                r[i] -= e * l;
            }
        }
    }

    pub fn objective(&self, x: &[f64]) -> f64 {
        (0..x.len()).map(|j| (0.5 * self.curvature[j] * x[j] + self.linear[j]) * x[j]).sum()
    }
}

impl FlowTerm {
    /// `phi` and the value of its divisor.
    pub fn square_current(&self, x: &[f64]) -> (f64, f64) {
        let v = match self.v {
            Divisor::Constant(v) => v,
            Divisor::Variable(j, factor) => factor * x[j],
        };
        ((x[self.p] * x[self.p] + x[self.q] * x[self.q]) / v, v)
    }

    /// What the objective gains per unit less of it.
    pub fn price(&self, y: &[f64]) -> f64 {
        -self.effect.iter().map(|&(i, e)| e * y[i]).sum::<f64>()
    }
}

impl FlowPattern {
    pub fn new(program: &FlowProgram, mode: Mode) -> Self {
        let (n, m) = (program.linear.len(), program.rhs.len());
        let mut entries: Vec<(usize, usize)> = program.entries.iter().map(|&(i, j, _)| (n + i, j)).collect();
        let linear = entries.len();
        for f in &program.flows {
            let (corner, count) = corner(f);
            for a in 0..count {
                entries.extend((0..=a).map(|b| (corner[a], corner[b])));
            }
            for &(i, _) in &f.effect {
                entries.extend(corner[..count].iter().map(|&j| (n + i, j)));
            }
            if mode == Mode::Relaxed {
                for (a, &(i, _)) in f.effect.iter().enumerate() {
                    entries.extend(f.effect[..=a].iter().map(|&(other, _)| (n + i, n + other)));
                }
            }
        }
        let curved = entries.len();
        entries.extend(program.discs.iter().flat_map(|d| [(d.a, d.a), (d.b, d.a), (d.b, d.b)]));
        let signs: Vec<f64> = (0..n + m).map(|i| if i < n { 1.0 } else { -1.0 }).collect();
        let (pattern, slots, diagonal) = Pattern::new(&signs, &entries);
        Self {
            pattern,
            mode,
            variables: n,
            diagonal,
            entry: slots[..linear].to_vec(),
            flow: slots[linear..curved].to_vec(),
            disc: slots[curved..].to_vec(),
        }
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }
}

/// The variables of a flow term: active and reactive flow, and the divisor if it is a variable.
fn corner(f: &FlowTerm) -> ([usize; 3], usize) {
    match f.v {
        Divisor::Constant(_) => ([f.p, f.q, 0], 2),
        Divisor::Variable(v, _) => ([f.p, f.q, v], 3),
    }
}

/// The system of a Newton step: `[W + d, J'; J, -d - sum (s/z) e e']`, factored.
pub(crate) struct StepSystem<'p> {
    pattern: &'p FlowPattern,
    ldl: Ldl<'p>,
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
        let ldl = Ldl::new(&pattern.pattern);
        let mut constant = vec![0.0; ldl.values.len()];
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
            if self.ldl.factor(&Pivots::Free) == m {
                return;
            }
        }
        self.assemble(program, weights, 0.0);
        self.ldl.factor(&Pivots::Signed { floor: None, replacement: &|_| PROXIMAL });
    }

    /// Solves for (dx, -dy); refines rounding (and nothing else) while the residual exceeds `tolerance`.
    pub fn solve(&mut self, rhs: &[f64], out: &mut [f64], tolerance: f64) {
        self.ldl.refined(rhs, out, tolerance);
    }

    fn assemble(&mut self, program: &FlowProgram, weights: &Weights, least_price: f64) {
        let values = &mut self.ldl.values;
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
