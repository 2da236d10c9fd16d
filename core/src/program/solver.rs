//! One convex program, choices aside: interior point, exact face, certificate; a second opinion where that fails.

use super::crossover::{EXACT, refine};
use super::interior::{Ended, Interior};
use super::normal::{Normal, Point, Quality};
use super::{Certificate, Instance, Solution, SolveError, infeasible, reference};

/// Gap that an answer must have, relative to the money that moves.
const ENOUGH: f64 = 1e-9;
/// What is still believed of the last resort.
const BARELY: f64 = 1e-7;

/// A certified answer, with the money its gap is measured against.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub solution: Solution,
    pub money: f64,
}

/// Solves the relaxation of `problem`, in which every choice is ignored.
pub(super) fn relaxation(problem: &Instance) -> Result<Answer, SolveError> {
    problem.check_bounds()?;
    let symbolic = problem.symbolic();
    let normal = Normal::new(symbolic, problem);
    let mut closest: Option<Certificate> = None;
    let mut accept = |point: &Point, gap: f64| {
        let point = normal.restore(problem, point);
        let (certificate, quality) = normal.quality(problem, &point);
        if quality.within(gap) {
            let money = if quality.gap > 0.0 { certificate.gap.abs() / quality.gap } else { normal.money() };
            let Point { x, y } = point;
            return Some(Answer { solution: Solution { x, y, certificate, nodes: 1 }, money });
        }
        closest.get_or_insert(certificate);
        None
    };
    if let Some(answer) = interior_then_face(&normal).and_then(|point| accept(&point, ENOUGH)) {
        return Ok(answer);
    }
    if let Some(rows) = infeasible::witness(symbolic, &normal, problem) {
        return Err(SolveError::Infeasible { rows });
    }
    let other = reference::solve(&normal);
    for point in [refine(&normal, &other).map(|(point, _)| point), Some(other)].into_iter().flatten() {
        if let Some(answer) = accept(&point, BARELY) {
            return Ok(answer);
        }
    }
    let (gap, feasibility) = closest.map_or((f64::INFINITY, f64::INFINITY), |c| (c.gap, c.feasibility));
    Err(SolveError::NotCertified { gap, feasibility })
}

/// Interior point, then crossover to the exact face; where the face is not exact, from deeper inside again. The best
/// point found, whatever its quality.
pub(super) fn interior_then_face(normal: &Normal) -> Option<Point> {
    let mut interior = Interior::new(normal);
    let mut best: Option<(Point, Quality)> = None;
    let mut keep = |point: Point, quality: Quality| {
        let gap = |q: Quality| if q.residual <= 1e-9 { q.gap } else { f64::INFINITY };
        if best.as_ref().is_none_or(|&(_, b)| gap(quality) < gap(b)) {
            best = Some((point, quality));
        }
        best.as_ref().is_some_and(|&(_, b)| b.within(EXACT))
    };
    let (mut reduced, mut residual) = (vec![0.0; normal.linear.len()], vec![0.0; normal.rhs.len()]);
    for target in [4e-10, 4e-13, 4e-16] {
        if interior.descend(target) == Ended::Stuck {
            break;
        }
        if let Some((point, quality)) = refine(normal, &interior.point)
            && keep(point, quality)
        {
            break;
        }
        let quality = normal.certify(&interior.point, &mut reduced, &mut residual);
        if keep(interior.point.clone(), quality) {
            break;
        }
    }
    best.map(|(point, _)| point)
}
