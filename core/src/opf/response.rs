//! How an optimum answers to a price of emissions: the derivative of its duals.
//!
//! With the right-hand sides fixed, dx/dtau of `min 1/2 x'Hx + (q + tau e)'x` solves
//!
//! ```text
//! min 1/2 u'Hu + e'u    s.t.  A u = 0,  u in the critical cone
//! ```
//!
//! and its multipliers are dy/dtau. The cone: variables inside their bounds move freely, those at a bound with a reduced
//! cost stay, those at a bound without one may leave it. (Bonnans and Shapiro 2000.)

use crate::program::{Instance, Row, Solution, Template, Var};

/// Distance to a bound, relative to the range, that is at the bound.
const AT_BOUND: f64 = 1e-9;

/// Derivative of every row's dual by the weight of `gradient`; `None` where the optimum is not unique in it.
///
/// `variables` are all variables with their linear cost, `gradient` the weights in the same order.
pub(super) fn dual_response(
    template: &Template,
    solved: &Instance,
    solution: &Solution,
    variables: &[(Var, f64)],
    gradient: &[f64],
    rows: &[Row],
) -> Option<Vec<f64>> {
    let reduced = solved.reduced_costs(&solution.x, &solution.y);
    let money = variables.iter().map(|(v, _)| solution.y.iter().fold(reduced[v.index()].abs(), |m, y| m.max(y.abs())));
    let least_reduced = 1e-8 * money.fold(0.0, f64::max);
    let mut cone = template.instance();
    for &row in rows {
        cone.set_rhs(row, 0.0);
    }
    for (&(v, linear), &weight) in variables.iter().zip(gradient) {
        let (lower, upper) = solved.bounds(v);
        let (x, range) = (solution.x[v.index()], upper - lower);
        let held = reduced[v.index()].abs() > least_reduced;
        let (at_lower, at_upper) = (x - lower <= AT_BOUND * range, upper - x <= AT_BOUND * range);
        let down = if at_lower { 0.0 } else { -range };
        let up = if at_upper { 0.0 } else { range };
        if held && (at_lower || at_upper) {
            cone.fix(v, 0.0);
        } else {
            cone.bound(v, down, up);
        }
        cone.add_linear(v, -linear);
        cone.add_linear(v, weight);
    }
    // The cone has no scale of its own: the weight shrinks until its box does not matter.
    let mut scale = 1.0;
    for _ in 0..6 {
        let answer = cone.solve().ok()?;
        let at_box = variables.iter().any(|(v, _)| {
            let (lower, upper) = cone.bounds(*v);
            let x = answer.x[v.index()];
            (lower < 0.0 && x <= 0.9 * lower) || (upper > 0.0 && x >= 0.9 * upper)
        });
        if !at_box {
            return Some(answer.y.iter().map(|y| y / scale).collect());
        }
        for (&(v, _), &weight) in variables.iter().zip(gradient) {
            cone.add_linear(v, (1e-2 - 1.0) * scale * weight);
        }
        scale *= 1e-2;
    }
    None
}
