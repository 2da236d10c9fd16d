//! One convex program, choices aside: interior point, exact face, certificate; a second opinion where that fails.

use super::crossover::refine;
use super::exact::interior_then_face;
use super::{Answer, conic, flow_relaxation, infeasible, reference};
use crate::program::model::normal_form::{Normal, Point, Quality};
use crate::program::{Certificate, Instance, Solution, SolveError};

/// What an answer must have: gap relative to the money that moves, rows relative to their size.
pub(super) const ENOUGH: Quality = Quality { residual: 1e-9, gap: 1e-9 };
/// What is still believed of the last resort.
const BARELY: Quality = Quality { residual: 1e-7, gap: 1e-6 };

/// Solves the relaxation of `problem`, in which every choice is ignored.
pub(super) fn relaxation(problem: &Instance) -> Result<Answer, SolveError> {
    problem.check_bounds()?;
    if !problem.cones().is_empty() {
        return conic::relaxation(problem);
    }
    if !problem.is_convex() {
        return flow_relaxation::relaxation(problem);
    }
    let symbolic = problem.symbolic();
    let normal = Normal::new(symbolic, problem);
    let mut closest: Option<Certificate> = None;
    let mut accept = |point: &Point, asked: Quality| {
        let (solution, quality) = certified(&normal, problem, point);
        let certificate = solution.certificate;
        if quality.meets(asked) {
            let money = if quality.gap > 0.0 { certificate.gap.abs() / quality.gap } else { normal.money() };
            return Some(Answer { solution, money });
        }
        closest.get_or_insert(certificate);
        None
    };
    let own = interior_then_face(&normal);
    if let Some(answer) = own.as_ref().and_then(|point| accept(point, ENOUGH)) {
        return Ok(answer);
    }
    if let Some(rows) = infeasible::witness(symbolic, &normal, problem) {
        return Err(SolveError::Infeasible { rows });
    }
    let (other, _) = reference::solve(&normal, &[]);
    let refined = refine(&normal, &other, 40).map(|(point, _)| point);
    for asked in [ENOUGH, BARELY] {
        for point in [&refined, &own].into_iter().flatten().chain([&other]) {
            if let Some(answer) = accept(point, asked) {
                return Ok(answer);
            }
        }
    }
    let (gap, feasibility) = closest.map_or((f64::INFINITY, f64::INFINITY), |c| (c.gap, c.feasibility));
    Err(SolveError::NotCertified { gap, feasibility })
}

/// A point of the normal form as an answer to its problem, if it is good enough for one.
pub(super) fn accepted(normal: &Normal, problem: &Instance, point: &Point) -> Option<Solution> {
    let (solution, quality) = certified(normal, problem, point);
    quality.meets(ENOUGH).then_some(solution)
}

/// A point of the normal form in the units of its problem, with what it is worth there.
fn certified(normal: &Normal, problem: &Instance, point: &Point) -> (Solution, Quality) {
    let point = normal.restore(problem, point);
    let (certificate, quality) = normal.quality(problem, &point, &[]);
    let Point { x, y } = point;
    (Solution { x, y, cones: vec![], certificate, nodes: 1, settled: true }, quality)
}

/// What the reference solver finds for the relaxation of `problem`.
pub(super) fn second_opinion(problem: &Instance) -> Result<Solution, SolveError> {
    problem.check_bounds()?;
    if !problem.cones().is_empty() {
        return conic::second_opinion(problem);
    }
    if !problem.is_convex() {
        return Ok(flow_relaxation::second_opinion(problem));
    }
    let normal = Normal::new(problem.symbolic(), problem);
    let Point { x, y } = normal.restore(problem, &reference::solve(&normal, &[]).0);
    let certificate = Certificate::of(problem, &x, &y);
    Ok(Solution { x, y, cones: vec![], certificate, nodes: 1, settled: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Cost, Expr, Program};

    /// Three hours of a storage and a generator with quadratic cost, demand 3, 5, 4 (kW), in units of `power` and `money`.
    fn three_hours(power: f64, money: f64) -> Instance {
        let mut program = Program::new();
        let mut level = Expr::constant(power);
        for (t, demand) in [3.0, 5.0, 4.0].into_iter().enumerate() {
            let generation = program.var(0.0, 10.0 * power);
            let charge = program.var(0.0, power);
            let discharge = program.var(0.0, power);
            let next = program.var(if t == 2 { power } else { 0.0 }, 2.0 * power);
            let stored = level.plus(0.9, charge).plus(-1.0, discharge).plus(-1.0, next);
            program.equal(stored, 0.0, "stored energy", Some(t));
            let net = Expr::from(generation).plus(1.0, discharge).plus(-1.0, charge);
            program.equal(net, demand * power, "balance", Some(t));
            let mut cost = Cost::default();
            cost.add(0.3 * money / power, generation).add_square(0.05 * money / (power * power), generation);
            program.add_cost(&cost);
            level = Expr::from(next);
        }
        program.compile().instance()
    }

    #[test]
    fn units_change_nothing_but_units() {
        let plain = relaxation(&three_hours(1.0, 1.0)).unwrap().solution;
        // Powers of two, for which scaling is exact; and ordinary ones.
        for (power, money, error) in [(1024.0, 1.0 / 64.0, 0.0), (1e6, 1e-3, 1e-10), (1e-3, 100.0, 1e-10)] {
            let scaled = relaxation(&three_hours(power, money)).unwrap().solution;
            for (a, b) in plain.x.iter().zip(&scaled.x) {
                assert!((a - b / power).abs() <= error * 10.0, "{power}: {a} {b}");
            }
            for (a, b) in plain.y.iter().zip(&scaled.y) {
                assert!((a - b * power / money).abs() <= error * 10.0, "{power}: {a} {b}");
            }
        }
    }

    #[test]
    fn the_second_opinion_agrees_and_is_certified() {
        let problem = three_hours(1.0, 1.0);
        let Solution { certificate: other, y, .. } = problem.second_opinion().unwrap();
        assert!(other.gap.abs() < 1e-7 && other.feasibility < 1e-7, "{other:?}");
        let own = relaxation(&problem).unwrap().solution.certificate;
        assert!((own.objective - other.objective).abs() < 1e-7, "{own:?} {other:?}");
        // A bound trusts nobody: the multipliers of one solver bound the other's point.
        let crossed = Certificate::of(&problem, &relaxation(&problem).unwrap().solution.x, &y);
        assert!(crossed.gap >= -1e-12 && crossed.gap < 1e-6, "{crossed:?}");
    }

    #[test]
    fn an_undefined_cost_is_not_certified() {
        let mut problem = three_hours(1.0, 1.0);
        let v = crate::program::Var(0);
        problem.add_linear(v, f64::NAN);
        assert!(matches!(problem.solve(), Err(SolveError::NotCertified { .. })));
    }
}
