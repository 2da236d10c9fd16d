//! The optimal face, and the point of it with the least sum of squares.
//!
//! A feasible point is optimal exactly if it is complementary to any one optimal dual. So the face is: variables with a
//! nonzero reduced cost stay where they are, variables with curvature too (their values are unique), all others move
//! freely, and rows keep their activities. The first answer is always in it. Power flows stay as they are.

use super::choices;
use crate::program::model::flows::Divisor;
use crate::program::{Certificate, Chosen, Instance, Solution, SolveError, Var};

/// Reduced cost x range, relative to the money that moves, above which a variable stays at its bound.
const STRICT: [f64; 3] = [1e-8, 1e-10, 1e-12];
/// Rise of the cost, relative to the money that moves, that is still the same cost.
const SAME: f64 = 1e-9;

pub(super) fn least_squares(problem: &Instance, first: &Solution, squares: &[Var]) -> Result<Chosen, SolveError> {
    least(problem, first, &|face| {
        for &v in squares {
            face.add_square(v, 1.0, 0.0);
        }
    })
}

/// The point of the face where a criterion, written into an instance without costs, is least.
pub(super) fn least(
    problem: &Instance,
    first: &Solution,
    criterion: &dyn Fn(&mut Instance),
) -> Result<Chosen, SolveError> {
    if !problem.cones().is_empty() {
        return Ok(Chosen { solution: first.clone(), settled: false });
    }
    let money = money(problem, &first.x);
    let mut failure = None;
    for strict in STRICT {
        let mut face = face(problem, first, strict * money);
        criterion(&mut face);
        match choices::solve(&face) {
            Ok(second) => {
                let certificate = certificate(problem, first, &second.x);
                if certificate.gap.abs() <= first.certificate.gap.abs() + SAME * money {
                    let solution = Solution { x: second.x, certificate, ..first.clone() };
                    return Ok(Chosen { solution, settled: second.settled });
                }
            }
            // A face that rounding has emptied or all but emptied, or whose ties are too many to settle, leaves the first
            // answer, which is optimal and says that it was not chosen.
            Err(SolveError::Infeasible { .. } | SolveError::Undecided { .. } | SolveError::NotCertified { .. }) => {}
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or_else(|| Ok(Chosen { solution: first.clone(), settled: false }), Err)
}

fn face(problem: &Instance, first: &Solution, least_stake: f64) -> Instance {
    let mut face = problem.clone();
    let mut reduced = problem.linear.clone();
    face.rhs.fill(0.0);
    for (i, row) in problem.rows().iter().enumerate() {
        for &(v, a) in row {
            reduced[v.index()] -= a * first.y[i];
            face.rhs[i] += a * first.x[v.index()];
        }
    }
    let mut flows = vec![false; first.x.len()];
    for f in problem.flows() {
        let l = f.square_current(&first.x).0;
        f.effect.iter().for_each(|&(i, e)| face.rhs[i] += e * l);
        (flows[f.p], flows[f.q]) = (true, true);
        if let Divisor::Variable(v, _) = f.v {
            flows[v] = true;
        }
    }
    for d in problem.discs() {
        (flows[d.a], flows[d.b]) = (true, true);
    }
    for j in 0..first.x.len() {
        let (lower, upper) = (problem.lower[j], problem.upper[j]);
        let slack = (first.x[j] - lower).min(upper - first.x[j]);
        let stake = reduced[j].abs() * (upper - lower);
        // Inside its bounds a reduced cost is noise of the multipliers.
        // Flows stay: what is left of the program is then convex.
        let stays = flows[j] || problem.curvature[j] > 0.0 || (stake > least_stake && slack <= 1e-6 * (upper - lower));
        if stays {
            face.lower[j] = first.x[j];
            face.upper[j] = first.x[j];
        }
        face.linear[j] = 0.0;
        face.curvature[j] = 0.0;
    }
    // On one side of a kink the cost is what it is: across it the same prices would not hold.
    for filling in problem.fillings() {
        for fall in 0..filling.falls.len() {
            for r in filling.side(problem, fall, filling.is_above(problem, fall, &first.x)) {
                let j = r.variable.index();
                // The first answer is in the face, whatever rounding has left of a side.
                face.lower[j] = first.x[j];
                face.upper[j] = first.x[j];
            }
        }
    }
    face.constant = 0.0;
    face
}

/// Proof for the second point: its own where the first was the relaxation's, else the first one's and the rise.
fn certificate(problem: &Instance, first: &Solution, x: &[f64]) -> Certificate {
    let own = Certificate::of(problem, x, &first.y);
    if first.nodes == 1 {
        return own;
    }
    let rise = own.objective - first.certificate.objective;
    Certificate { gap: first.certificate.gap + rise, ..own }
}

fn money(problem: &Instance, x: &[f64]) -> f64 {
    let moved: f64 = (0..x.len()).map(|j| ((0.5 * problem.curvature[j] * x[j] + problem.linear[j]) * x[j]).abs()).sum();
    // Where nothing is paid, every point is as good and any positive amount will do.
    if moved > 0.0 { moved } else { 1.0 }
}
