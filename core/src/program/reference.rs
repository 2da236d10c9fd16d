//! Clarabel as second opinion and test oracle. Its `Solved` is not believed; our certificate decides.

use super::normal::{Normal, Point};
use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, ZeroConeT};

/// What Clarabel finds for the normal form, moved into the box; whether it is any good is for the caller to certify.
pub(super) fn solve(problem: &Normal) -> Point {
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
    let a = CscMatrix::new_from_triplets(b.len(), n, rows, columns, values);
    let curved: Vec<usize> = (0..n).filter(|&j| problem.curvature[j] > 0.0).collect();
    let weights = curved.iter().map(|&j| problem.curvature[j]).collect();
    let p = CscMatrix::new_from_triplets(n, n, curved.clone(), curved, weights);
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_threads(1)
        .tol_gap_abs(1e-10)
        .tol_gap_rel(1e-10)
        .tol_feas(1e-10)
        .build()
        .expect("constant settings are valid");
    let cones = [ZeroConeT(m), NonnegativeConeT(2 * n)];
    let mut solver =
        DefaultSolver::new(&p, &problem.linear, &a, &b, &cones, settings).expect("dimensions agree by construction");
    solver.solve();
    let x = (0..n).map(|j| solver.solution.x[j].clamp(problem.lower[j], problem.upper[j])).collect();
    Point { x, y: solver.solution.z[..m].iter().map(|z| -z).collect() }
}
