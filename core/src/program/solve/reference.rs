//! Clarabel as conic solver, second opinion and test oracle. Its `Solved` is not believed; our certificate decides.

#[cfg(test)]
use crate::program::model::flows::FlowPoint;
use crate::program::model::flows::{Divisor, FlowProgram};
use crate::program::model::normal_form::{Normal, Point};
use clarabel::algebra::CscMatrix;
#[cfg(test)]
use clarabel::solver::SolverStatus;
use clarabel::solver::{
    DefaultSettings, DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SecondOrderConeT, ZeroConeT,
};

/// A second-order cone in the units of the normal form: the radius and the parts, as coefficients of its variables and a
/// constant.
pub(super) struct Scaled {
    pub expressions: Vec<(Vec<(usize, f64)>, f64)>,
    /// What a unit of the instance's cone is here.
    pub factor: f64,
}

/// What Clarabel finds for the normal form and further cones, moved into the box, with the duals of the cones; whether it is
/// any good is for the caller to certify.
pub(super) fn solve(problem: &Normal, further: &[Scaled]) -> (Point, Vec<Vec<f64>>) {
    let (n, m) = (problem.linear.len(), problem.rhs.len());
    let (mut rows, mut columns, mut values) = (vec![], vec![], vec![]);
    for (i, j, a) in problem.entries() {
        rows.push(i);
        columns.push(j);
        values.push(a);
    }
    let mut b = problem.rhs.clone();
    for j in 0..n {
        for (sign, bound) in [(1.0, problem.upper[j]), (-1.0, -problem.lower[j])] {
            rows.push(b.len());
            columns.push(j);
            values.push(sign);
            b.push(bound);
        }
    }
    let mut cones = vec![ZeroConeT(m), NonnegativeConeT(2 * n)];
    for cone in further {
        for (terms, constant) in &cone.expressions {
            for &(j, a) in terms {
                rows.push(b.len());
                columns.push(j);
                values.push(-a);
            }
            b.push(*constant);
        }
        cones.push(SecondOrderConeT(cone.expressions.len()));
    }
    let a = CscMatrix::new_from_triplets(b.len(), n, rows, columns, values);
    let curved: Vec<usize> = (0..n).filter(|&j| problem.curvature[j] > 0.0).collect();
    let weights = curved.iter().map(|&j| problem.curvature[j]).collect();
    let p = CscMatrix::new_from_triplets(n, n, curved.clone(), curved, weights);
    let mut solver =
        DefaultSolver::new(&p, &problem.linear, &a, &b, &cones, settings()).expect("dimensions agree by construction");
    solver.solve();
    let x = (0..n).map(|j| solver.solution.x[j].clamp(problem.lower[j], problem.upper[j])).collect();
    let mut dual = solver.solution.z[m + 2 * n..].iter().copied();
    let duals = further.iter().map(|cone| dual.by_ref().take(cone.expressions.len()).collect()).collect();
    (Point { x, y: solver.solution.z[..m].iter().map(|z| -z).collect() }, duals)
}

/// What Clarabel finds for the conic relaxation of a program with flows: `p^2 + q^2 <= l v` and discs as cones.
pub(super) fn relax(problem: &FlowProgram) -> Point {
    let (n, m) = (problem.linear.len(), problem.rhs.len());
    let solver = relaxation(problem);
    Point { x: solver.solution.x[..n].to_vec(), y: solver.solution.z[..m].iter().map(|z| -z).collect() }
}

/// The same with the multipliers of bounds and discs, for whoever certifies a relaxed point;
/// what Clarabel says instead where it says that it has none.
#[cfg(test)]
pub(crate) fn relaxed_point(problem: &FlowProgram) -> Result<FlowPoint, SolverStatus> {
    let (n, m) = (problem.linear.len(), problem.rhs.len());
    let solver = relaxation(problem);
    let solution = &solver.solution;
    if !matches!(solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved) {
        return Err(solution.status);
    }
    let (mut at_lower, mut at_upper) = (vec![0.0; n], vec![0.0; n]);
    let mut z = solution.z[m..].iter();
    for j in 0..n {
        for (dual, bound) in [(&mut at_upper, problem.upper[j]), (&mut at_lower, problem.lower[j])] {
            if bound.is_finite() {
                dual[j] = *z.next().expect("one per finite bound");
            }
        }
    }
    let cones: Vec<f64> = z.copied().collect();
    // (S, a, b) in the cone: of the square, half the dual of S per S.
    let (_, discs) = cones.split_at(4 * problem.flows.len());
    Ok(FlowPoint {
        x: solution.x[..n].to_vec(),
        y: solution.z[..m].iter().map(|z| -z).collect(),
        at_lower,
        at_upper,
        excess: (0..problem.flows.len())
            .map(|k| solution.x[n + k] - problem.square_current(k, &solution.x).0)
            .collect(),
        disc: discs.chunks(3).zip(&problem.discs).map(|(z, d)| z[0] / (2.0 * d.radius)).collect(),
    })
}

fn relaxation(problem: &FlowProgram) -> DefaultSolver<f64> {
    let (n, m, flows) = (problem.linear.len(), problem.rhs.len(), problem.flows.len());
    let (mut rows, mut columns, mut values) = (vec![], vec![], vec![]);
    let mut put = |i: usize, j: usize, a: f64| {
        rows.push(i);
        columns.push(j);
        values.push(a);
    };
    // Variables are x and the squared currents; slack = b - A x lies in the cones.
    let mut b = problem.rhs.clone();
    problem.entries.iter().for_each(|&(i, j, a)| put(i, j, a));
    for (k, f) in problem.flows.iter().enumerate() {
        f.effect.iter().for_each(|&(i, e)| put(i, n + k, e));
    }
    for j in 0..n {
        for (sign, bound) in [(1.0, problem.upper[j]), (-1.0, -problem.lower[j])] {
            if bound.is_finite() {
                put(b.len(), j, sign);
                b.push(bound);
            }
        }
    }
    let mut cones = vec![ZeroConeT(m), NonnegativeConeT(b.len() - m)];
    for (k, f) in problem.flows.iter().enumerate() {
        // (l + v, l - v, 2 p, 2 q)
        let top = b.len();
        put(top, n + k, -1.0);
        put(top + 1, n + k, -1.0);
        let known = match f.v {
            Divisor::Constant(v) => v,
            Divisor::Variable(j, factor) => {
                put(top, j, -factor);
                put(top + 1, j, factor);
                0.0
            }
        };
        put(top + 2, f.p, -2.0);
        put(top + 3, f.q, -2.0);
        b.extend([known, -known, 0.0, 0.0]);
        cones.push(SecondOrderConeT(4));
    }
    for d in &problem.discs {
        put(b.len() + 1, d.a, -1.0);
        put(b.len() + 2, d.b, -1.0);
        b.extend([d.radius, 0.0, 0.0]);
        cones.push(SecondOrderConeT(3));
    }
    let a = CscMatrix::new_from_triplets(b.len(), n + flows, rows, columns, values);
    let curved: Vec<usize> = (0..n).filter(|&j| problem.curvature[j] > 0.0).collect();
    let weights = curved.iter().map(|&j| problem.curvature[j]).collect();
    let p = CscMatrix::new_from_triplets(n + flows, n + flows, curved.clone(), curved, weights);
    let mut q = problem.linear.clone();
    q.resize(n + flows, 0.0);
    let mut solver = DefaultSolver::new(&p, &q, &a, &b, &cones, settings()).expect("dimensions agree by construction");
    solver.solve();
    solver
}

fn settings() -> DefaultSettings<f64> {
    DefaultSettingsBuilder::default()
        .verbose(false)
        .max_threads(1)
        .tol_gap_abs(1e-10)
        .tol_gap_rel(1e-10)
        .tol_feas(1e-10)
        .build()
        .expect("constant settings are valid")
}
