//! Programs with power flows in them: the class.
//!
//! ```text
//! min  1/2 x'Hx + q'x   s.t.   A x + sum_k e_k l_k = b,   lower <= x <= upper (maybe infinite),   x_a^2 + x_b^2 <= S^2,
//!      l_k = phi_k(x) + s_k,   phi = (x_P^2 + x_Q^2) / x_v,   s_k = 0 (exact)  or  s_k >= 0 (relaxed, convex)
//! ```
//!
//! `l` is a squared current, `phi` is convex, so the relaxation is the branch-flow relaxation without its cones. Knows no
//! network: rows and variables have no meaning here.

use std::ops::Range;

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

/// A part of a program, which may look like others: whoever writes the same equations for every hour of a day says which
/// variables and rows are an hour's. It changes no program, only how fast it is solved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub variables: Range<usize>,
    pub rows: Range<usize>,
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
    /// Parts that may look alike; see [`Block`].
    pub blocks: Vec<Block>,
}

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
