//! A convex quadratic program written down row by row and given to Clarabel: dense, slow, and without any of the program's
//! own solvers.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT};

/// `coefficient * x[variable]`, summed.
pub type Terms = Vec<(f64, usize)>;

#[derive(Clone, Debug, Default)]
pub struct Plain {
    /// Cost `sum linear x + square x^2 + constant`.
    pub linear: Vec<f64>,
    pub square: Vec<f64>,
    pub constant: f64,
    equal: Vec<(Terms, f64)>,
    at_most: Vec<(Terms, f64)>,
}

#[derive(Clone, Debug)]
pub struct Found {
    pub x: Vec<f64>,
    pub cost: f64,
}

impl Plain {
    pub fn free(&mut self) -> usize {
        self.linear.push(0.0);
        self.square.push(0.0);
        self.linear.len() - 1
    }

    /// A variable between bounds, at a cost per unit.
    pub fn within(&mut self, low: f64, high: f64, cost: f64) -> usize {
        let v = self.free();
        self.linear[v] = cost;
        self.at_most(vec![(1.0, v)], high);
        self.at_most(vec![(-1.0, v)], -low);
        v
    }

    pub fn equal(&mut self, terms: Terms, rhs: f64) {
        self.equal.push((terms, rhs));
    }

    pub fn at_most(&mut self, terms: Terms, rhs: f64) {
        self.at_most.push((terms, rhs));
    }

    /// A variable that is at least every line `slope * sum + intercept`, at the cost of one each.
    pub fn above(&mut self, sum: &Terms, lines: &[(f64, f64)]) {
        let z = self.free();
        self.linear[z] = 1.0;
        for (slope, intercept) in lines {
            let mut terms: Terms = sum.iter().map(|(a, v)| (slope * a, *v)).collect();
            terms.push((-1.0, z));
            self.at_most(terms, -intercept);
        }
    }

    pub fn cost(&self, x: &[f64]) -> f64 {
        self.constant
            + x.iter().zip(self.linear.iter().zip(&self.square)).map(|(x, (a, b))| a * x + b * x * x).sum::<f64>()
    }

    /// The optimum; `None` where there is none.
    pub fn solve(&self) -> Option<Found> {
        let n = self.linear.len();
        let (mut rows, mut columns, mut values, mut b) = (vec![], vec![], vec![], vec![]);
        for (terms, rhs) in self.equal.iter().chain(&self.at_most) {
            for (a, v) in terms {
                rows.push(b.len());
                columns.push(*v);
                values.push(*a);
            }
            b.push(*rhs);
        }
        let a = CscMatrix::new_from_triplets(b.len(), n, rows, columns, values);
        let p = CscMatrix::new_from_triplets(
            n,
            n,
            (0..n).collect(),
            (0..n).collect(),
            self.square.iter().map(|s| 2.0 * s).collect(),
        );
        let cones = [ZeroConeT(self.equal.len()), NonnegativeConeT(self.at_most.len())];
        let settings = DefaultSettingsBuilder::default()
            .verbose(false)
            .max_threads(1)
            .tol_gap_abs(1e-10)
            .tol_gap_rel(1e-10)
            .tol_feas(1e-10)
            .build()
            .unwrap();
        let mut solver = DefaultSolver::new(&p, &self.linear, &a, &b, &cones, settings).unwrap();
        solver.solve();
        let solved = matches!(solver.solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved);
        solved.then(|| {
            let x = solver.solution.x.clone();
            Found { cost: self.cost(&x), x }
        })
    }
}
