//! Leader and followers in one program. The members' problem `min x'Hx/2 + (q + G phi)'x` over `A x = b`, `l <= x <= u` is
//! replaced by what holds at its best answers and nowhere else,
//!
//! ```text
//! H x + q + G phi - A'y - z + w = 0,   z >= 0 only where x = l,   w >= 0 only where x = u
//! ```
//!
//! and the revenue, a product of fees and quantities, by what follows from the first line times `x`: `phi'G'x = -x'Hx - q'x + b'y +
//! l'z - u'w`. That is concave, so that with the choice between bounds for each `x` it is a convex mixed-integer program, solved
//! by branch and bound. Multipliers are bounded; where one comes near its bound, the bounds are doubled and all is solved again.
//!
//! Sources: Fortuny-Amat and McCarl (1981); the removal of the product is strong duality.

use super::followers::Followers;
use super::leader::Found;
use coase_core::MechanismError;
use coase_core::program::{Cost, Expr, Program, Restriction, Solution, SolveError, Var};

/// Times that bounds of multipliers are doubled, and the share of one at which they are.
const DOUBLINGS: usize = 8;
const NEAR: f64 = 0.99;
/// Programs that branch and bound may solve.
const MOST_PROGRAMS: usize = 20_000;

/// The fees that earn most, by one program.
pub(super) fn best(followers: &Followers<'_>, most: f64) -> Result<Found, MechanismError> {
    if followers.links().is_empty() {
        return Ok(Found::of(vec![0.0; followers.fees()]));
    }
    let mut bound = first_bound(followers, most);
    let mut solved = None;
    for _ in 0..DOUBLINGS {
        let posed = Posed::new(followers, most, bound);
        let solution = posed.program.clone().compile().instance().solve()?;
        let fees: Vec<f64> = posed.fees.iter().map(|fee| solution.value(*fee)).collect();
        let is_near = posed.multipliers.iter().any(|v| solution.value(*v).abs() > NEAR * bound);
        solved = Some((fees, solution));
        if !is_near {
            break;
        }
        bound *= 2.0;
    }
    let (fees, solution): (Vec<f64>, Solution) = solved.ok_or(SolveError::Undecided { nodes: 0 })?;
    let revenue = -solution.certificate.objective;
    let gap = solution.certificate.gap;
    let open = !solution.settled && gap > 1e-6 * revenue.abs().max(1.0);
    Ok(Found { single_level: Some(revenue), residual: open.then_some(gap), ..Found::of(fees) })
}

/// Above every price that a cost, a tariff or a fee can make.
fn first_bound(followers: &Followers<'_>, most: f64) -> f64 {
    let (written, _) = followers.session().written();
    let farthest = followers.pays().iter().map(|(_, d)| *d).fold(0.0_f64, f64::max);
    let own = written.linear.iter().fold(0.0_f64, |a, q| a.max(q.abs()));
    1.0 + 2.0 * (own + most * farthest)
}

/// The program and where its quantities are.
struct Posed {
    program: Program,
    fees: Vec<Var>,
    multipliers: Vec<Var>,
}

impl Posed {
    fn new(followers: &Followers<'_>, most: f64, bound: f64) -> Self {
        let (written, traded) = followers.session().written();
        let mut program = Program::new();
        program.limit_programs(MOST_PROGRAMS);
        program.scope("leader");
        let fees: Vec<Var> = (0..followers.fees()).map(|_| program.var(0.0, most)).collect();
        program.scope("followers");
        let x: Vec<Var> = written.lower.iter().zip(&written.upper).map(|(l, u)| program.var(*l, *u)).collect();
        let y: Vec<Var> = written.rows.iter().map(|_| program.var(-bound, bound)).collect();
        let mut cost = Cost::default();
        let mut stationary: Vec<Expr> = x.iter().map(|_| Expr::default()).collect();
        for ((row, rhs), y) in written.rows.iter().zip(&written.rhs).zip(&y) {
            let mut kept = Expr::default();
            for (j, a) in row {
                kept.add(*a, x[*j]);
                stationary[*j].add(-a, *y);
            }
            program.equal(kept, *rhs, "a row of the followers", None);
            cost.add(-rhs, *y);
        }
        let mut multipliers = y.clone();
        for (k, j) in traded.iter().enumerate() {
            let (fee, distance) = followers.pays()[k];
            stationary[*j].add(distance, fees[fee]);
            cost.add_square(0.5 * followers.wear(k), x[*j]);
        }
        for (j, mut gradient) in stationary.into_iter().enumerate() {
            let (h, q, low, high) = (written.curvature[j], written.linear[j], written.lower[j], written.upper[j]);
            gradient.add(h, x[j]);
            cost.add_square(h, x[j]).add(q, x[j]);
            // A slope of its own, so that it is bounded like a multiplier; pushing down at the lower bound, up at the upper.
            let (z, w) = (program.var(0.0, bound), program.var(0.0, bound));
            multipliers.extend([z, w]);
            gradient.add(-1.0, z).add(1.0, w);
            program.equal(gradient, -q, "stationarity", None);
            cost.add(-low, z).add(high, w);
            if high > low {
                let at = |variable: Var, value: f64| Restriction { variable, lower: value, upper: value };
                program.either(vec![
                    vec![at(z, 0.0), at(w, 0.0)],
                    vec![at(x[j], low), at(w, 0.0)],
                    vec![at(x[j], high), at(z, 0.0)],
                ]);
            }
        }
        program.add_cost(&cost);
        Self { program, fees, multipliers }
    }
}
