//! Clarabel as reference solver: second opinion and test oracle. Its `Solved` is not believed; our certificate decides.

use super::{Certificate, Instance, Solution, SolveError};
use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT};

pub(super) fn solve(problem: &Instance) -> Result<Solution, SolveError> {
    let (n, m) = (problem.lower.len(), problem.rhs.len());
    let free: Vec<usize> = (0..n).filter(|&j| problem.upper[j] > problem.lower[j]).collect();
    let mut column = vec![usize::MAX; n];
    for (k, &j) in free.iter().enumerate() {
        column[j] = k;
    }
    let (mut rows, mut columns, mut values) = (vec![], vec![], vec![]);
    let mut b = problem.rhs.clone();
    for (i, row) in problem.rows().iter().enumerate() {
        for &(v, a) in row {
            if column[v.index()] == usize::MAX {
                b[i] -= a * problem.lower[v.index()];
            } else {
                rows.push(i);
                columns.push(column[v.index()]);
                values.push(a);
            }
        }
    }
    for (k, &j) in free.iter().enumerate() {
        for (i, sign, bound) in [(m + 2 * k, 1.0, problem.upper[j]), (m + 2 * k + 1, -1.0, -problem.lower[j])] {
            rows.push(i);
            columns.push(k);
            values.push(sign);
            b.push(bound);
        }
    }
    let a = CscMatrix::new_from_triplets(m + 2 * free.len(), free.len(), rows, columns, values);
    let curved: Vec<usize> = (0..free.len()).filter(|&k| problem.curvature[free[k]] > 0.0).collect();
    let p = CscMatrix::new_from_triplets(
        free.len(),
        free.len(),
        curved.clone(),
        curved.clone(),
        curved.iter().map(|&k| problem.curvature[free[k]]).collect(),
    );
    let q: Vec<f64> = free.iter().map(|&j| problem.linear[j]).collect();
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_threads(1)
        .tol_gap_abs(1e-10)
        .tol_gap_rel(1e-10)
        .tol_feas(1e-10)
        .build()
        .expect("constant settings are valid");
    let cones = [ZeroConeT(m), NonnegativeConeT(2 * free.len())];
    let mut solver = DefaultSolver::new(&p, &q, &a, &b, &cones, settings).expect("dimensions agree by construction");
    solver.solve();
    let answer = &solver.solution;
    let mut x = problem.lower.clone();
    for (k, &j) in free.iter().enumerate() {
        x[j] = answer.x[k].clamp(problem.lower[j], problem.upper[j]);
    }
    let y: Vec<f64> = answer.z[..m].iter().map(|z| -z).collect();
    let certificate = Certificate::of(problem, &x, &y);
    let size = problem.upper.iter().chain(&problem.lower).fold(1.0_f64, |s, v| s.max(v.abs()));
    if !(certificate.feasibility <= 1e-6 * size && certificate.gap <= 1e-6 * (1.0 + certificate.objective.abs())) {
        if matches!(answer.status, SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible) {
            return Err(SolveError::Infeasible { rows: vec![] });
        }
        return Err(SolveError::NotCertified { gap: certificate.gap, feasibility: certificate.feasibility });
    }
    Ok(Solution { x, y, certificate, nodes: 1 })
}
