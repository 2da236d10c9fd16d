//! Programs with second-order cones, by Clarabel. It is believed as little as anybody: our certificate decides, and what it
//! calls infeasible is so only where its multipliers prove it.

use super::reference::{self, Scaled};
use super::{Answer, infeasible};
use crate::program::model::cone::ConeDual;
use crate::program::model::normal_form::{Normal, Point, Quality, power_of_two};
use crate::program::{Certificate, Expr, Instance, Solution, SolveError};

/// What an answer must have: rows and cones relative to their size, gap relative to the money that moves.
const ENOUGH: Quality = Quality { residual: 1e-8, gap: 1e-7 };
/// What a proof that nothing is feasible must exceed, relative to what its multipliers weigh.
const REFUTED: f64 = 1e-8;
const MOST_NAMED: usize = 3;

/// Solves `problem`, choices ignored.
pub(super) fn relaxation(problem: &Instance) -> Result<Answer, SolveError> {
    refuse_flows(problem)?;
    let normal = Normal::new(problem.symbolic(), problem);
    let found = Found::new(problem, &normal);
    let (certificate, quality) = normal.quality(problem, &found.point, &found.duals);
    let outside = found.cones.iter().zip(problem.cones()).map(|(scaled, cone)| {
        let radius = cone.radius.value(&found.point.x);
        cone.excess(&found.point.x) * scaled.factor / (1.0 + radius.abs() * scaled.factor)
    });
    let residual = outside.fold(quality.residual, |most, r| if r.is_nan() { f64::INFINITY } else { most.max(r) });
    if (Quality { residual, ..quality }).meets(ENOUGH) {
        let moved = if quality.gap > 0.0 { certificate.gap.abs() / quality.gap } else { normal.money() };
        return Ok(Answer { solution: found.solution(certificate), money: moved });
    }
    if let Some(rows) = infeasible::witness(problem.symbolic(), &normal, problem) {
        return Err(SolveError::Infeasible { rows });
    }
    if let Some(rows) = found.refutation(problem, &normal) {
        return Err(SolveError::Infeasible { rows });
    }
    Err(SolveError::NotCertified { gap: certificate.gap, feasibility: certificate.feasibility })
}

/// What Clarabel finds, whatever it is worth.
pub(super) fn second_opinion(problem: &Instance) -> Result<Solution, SolveError> {
    refuse_flows(problem)?;
    let found = Found::new(problem, &Normal::new(problem.symbolic(), problem));
    let certificate = Certificate::with_cones(problem, &found.point.x, &found.point.y, &found.duals);
    Ok(found.solution(certificate))
}

fn refuse_flows(problem: &Instance) -> Result<(), SolveError> {
    let need = "a program without power flows where it has second-order cones";
    if problem.is_convex() { Ok(()) } else { Err(SolveError::Unmet { need }) }
}

/// A point in the units of the instance.
struct Found {
    point: Point,
    duals: Vec<ConeDual>,
    cones: Vec<Scaled>,
}

impl Found {
    fn new(problem: &Instance, normal: &Normal) -> Self {
        let cones: Vec<Scaled> = scaled(problem, normal);
        let (point, duals) = reference::solve(normal, &cones);
        let dual = |(of, scaled): (Vec<f64>, &Scaled)| {
            let mut worth = of.into_iter().map(|z| z * scaled.factor * normal.money());
            ConeDual { radius: worth.next().unwrap_or(0.0), parts: worth.collect() }
        };
        let duals = duals.into_iter().zip(&cones).map(dual).collect();
        Self { point: normal.restore(problem, &point), duals, cones }
    }

    fn solution(self, certificate: Certificate) -> Solution {
        let Point { x, y } = self.point;
        Solution { x, y, cones: self.duals, certificate, nodes: 1, settled: true }
    }

    /// The rows and cones that cannot hold together, where the multipliers prove it: with costs aside, the Lagrangian is
    /// positive everywhere in the box, while at a feasible point it could not be.
    fn refutation(&self, problem: &Instance, normal: &Normal) -> Option<Vec<String>> {
        let mut costless = problem.clone();
        costless.forget_costs();
        let Point { x, y } = &self.point;
        let least = -Certificate::with_cones(&costless, x, y, &self.duals).gap;
        let rows =
            y.iter().enumerate().map(|(i, y)| (problem.row_label(i), y.abs() * normal.row_amount(i, normal.size[i])));
        let cones = self
            .duals
            .iter()
            .zip(&self.cones)
            .enumerate()
            .map(|(k, (dual, scaled))| (problem.cone_label(k), dual.radius.abs() / scaled.factor));
        let mut weighed: Vec<_> = rows.chain(cones).collect();
        let weight: f64 = weighed.iter().map(|(_, weight)| weight).sum();
        if least.is_nan() || least <= REFUTED * weight {
            return None;
        }
        weighed.sort_by(|a, b| b.1.total_cmp(&a.1));
        let worst = weighed.first().map_or(0.0, |w| w.1);
        let named =
            weighed.into_iter().take(MOST_NAMED).filter(|w| w.1 > 1e-3 * worst).map(|((scope, what, period), _)| {
                let scope = if scope.is_empty() { String::new() } else { format!("{scope}: ") };
                let period = period.map_or(String::new(), |t| format!(", period {t}"));
                format!("{scope}{what}{period}")
            });
        Some(named.collect())
    }
}

/// The cones in the units of the normal form, each counted in a unit of its own.
fn scaled(problem: &Instance, normal: &Normal) -> Vec<Scaled> {
    let column = normal.columns_of(problem);
    let of = |expression: &Expr, factor: f64| {
        let mut constant = expression.constant * factor;
        let mut terms = vec![];
        for &(v, a) in &expression.terms {
            match column[v.index()] {
                Some(j) => terms.push((j, a * factor * normal.unit())),
                None => constant += a * factor * problem.lower[v.index()],
            }
        }
        (terms, constant)
    };
    let cones = problem.cones().iter();
    cones
        .map(|cone| {
            let all = || std::iter::once(&cone.radius).chain(&cone.parts);
            let steepest = all().flat_map(|e| &e.terms).fold(0.0, |most: f64, &(_, a)| most.max(a.abs()));
            let factor = 1.0 / (normal.unit() * power_of_two(steepest));
            Scaled { expressions: all().map(|e| of(e, factor)).collect(), factor }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Cost, Program, Var};
    use proptest::prelude::*;

    /// A variable of a wide range.
    fn wide(program: &mut Program, size: f64) -> Var {
        program.var(-1e3 * size, 1e3 * size)
    }

    #[test]
    fn a_line_touches_a_circle_where_its_gradient_says() {
        // max 3 x + 4 y within a circle of 10: at (6, 8), worth 5 per unit of the radius.
        let mut program = Program::new();
        let (x, y) = (wide(&mut program, 1.0), wide(&mut program, 1.0));
        let sum = program.equal(Expr::from(x).plus(1.0, y), 14.0, "sum", None);
        let circle = program.within_cone(vec![x.into(), y.into()], Expr::constant(10.0), "circle", None);
        let mut cost = Cost::default();
        cost.add(-3.0, x).add(-4.0, y);
        program.add_cost(&cost);
        let template = program.compile();
        let mut instance = template.instance();
        // On the sum of 14 it is the same point; there the gradient splits between the sum and the circle.
        let on_line = instance.solve().unwrap();
        assert!((on_line.value(x) - 6.0).abs() < 1e-5 && (on_line.value(y) - 8.0).abs() < 1e-5, "{on_line:?}");
        // (-3, -4) = nu (1, 1) + u with u along -(6, 8) and the other way round: nu = 0, t = 5.
        let dual = &on_line.cones[circle.index()];
        assert!((dual.radius - 5.0).abs() < 1e-4 && on_line.dual(sum).abs() < 1e-3, "{on_line:?}");
        assert!((dual.parts[0] + 3.0).abs() < 1e-3 && (dual.parts[1] + 4.0).abs() < 1e-3, "{dual:?}");
        assert!(on_line.certificate.gap.abs() < 1e-5 && on_line.certificate.feasibility < 1e-6, "{on_line:?}");
        // Beyond the circle there is nothing: the diagonal point of it has sum 10 sqrt 2.
        instance.set_rhs(sum, 14.15);
        let Err(SolveError::Infeasible { rows }) = instance.solve() else { panic!("feasible") };
        assert!(rows.iter().any(|r| r == "circle"), "{rows:?}");
    }

    #[test]
    fn a_dual_outside_its_cone_and_a_point_outside_the_cone_prove_nothing_wrong() {
        let mut program = Program::new();
        let x = program.var(-2.0, 2.0);
        program.within_cone(vec![x.into()], Expr::constant(1.0), "unit interval", None);
        let mut cost = Cost::default();
        cost.add(-1.0, x);
        program.add_cost(&cost);
        let instance = program.compile().instance();
        let dual = |radius, part| [ConeDual { radius, parts: vec![part] }];
        // The optimum, -1 at x = 1.
        let best = Certificate::with_cones(&instance, &[1.0], &[], &dual(1.0, -1.0));
        assert_eq!((best.objective, best.gap, best.feasibility), (-1.0, 0.0, 0.0));
        // A dual with too small a radius bounds as its projection does; without a dual the box alone bounds.
        assert_eq!(Certificate::with_cones(&instance, &[0.0], &[], &dual(0.0, -1.0)).gap, 1.0);
        assert_eq!(Certificate::of(&instance, &[0.0], &[]).gap, 2.0);
        assert_eq!(Certificate::of(&instance, &[1.5], &[]).feasibility, 0.5);
    }

    #[test]
    fn power_flows_and_cones_do_not_go_together() {
        let mut program = Program::new();
        let (p, q) = (program.var(0.0, 1.0), program.var(0.0, 1.0));
        let row = program.equal(Expr::from(p).plus(1.0, q), 1.0, "sum", None);
        program.squared_current(p, q, (None, 1.0), &[(row, 0.01)]);
        program.within_cone(vec![p.into()], q, "cone", None);
        assert!(matches!(program.compile().instance().solve(), Err(SolveError::Unmet { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// The point of a cone nearest to a given one, in closed form (Moreau): `(s, v)` itself inside, the apex in the polar
        /// cone, else `(1 + s/|v|)/2 (|v|, v)`; and the dual is twice what was moved. In any unit of power and money, the
        /// cone moved anywhere.
        #[test]
        fn the_nearest_point_of_a_cone_is_its_projection(
            s in -2.0..2.0_f64,
            v in prop::collection::vec(-2.0..2.0_f64, 1..5),
            apex in prop::collection::vec(-1.0..1.0_f64, 6),
            power in -3..4_i32,
            money in -3..4_i32,
        ) {
            let (power, money) = (10.0_f64.powi(power), 10.0_f64.powi(money));
            let mut program = Program::new();
            let weight = money / (power * power);
            let at: Vec<f64> = std::iter::once(s).chain(v.iter().copied()).collect();
            let vars: Vec<Var> = at.iter().map(|_| program.var(-20.0 * power, 20.0 * power)).collect();
            let moved = |k: usize| Expr::from(vars[k]).plus(1.0, Expr::constant(-apex[k] * power));
            let cone = program.within_cone((1..at.len()).map(moved).collect(), moved(0), "cone", None);
            let mut instance = program.compile().instance();
            for (k, &var) in vars.iter().enumerate() {
                instance.add_square(var, weight, (at[k] + apex[k]) * power);
            }
            let found = instance.solve().unwrap();
            let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
            let expected: Vec<f64> = if norm <= s {
                at.clone()
            } else if norm <= -s {
                vec![0.0; at.len()]
            } else {
                let share = 0.5 * (1.0 + s / norm);
                std::iter::once(share * norm).chain(v.iter().map(|v| share * v)).collect()
            };
            let dual = &found.cones[cone.index()];
            for (k, x) in expected.iter().enumerate() {
                prop_assert!((found.x[k] / power - apex[k] - x).abs() < 2e-4, "{k}: {found:?} {expected:?}");
                let price = if k == 0 { dual.radius } else { dual.parts[k - 1] };
                prop_assert!((price * power / money - 2.0 * (x - at[k])).abs() < 1e-3, "{k}: {found:?} {expected:?}");
            }
            let least: f64 = expected.iter().zip(&at).map(|(x, a)| (x - a).powi(2)).sum();
            prop_assert!((found.certificate.objective / money - least).abs() < 1e-6, "{found:?} {least}");
        }
    }
}
