//! Programs with power flows in them, written by the builder: scaling, the exact solve, and a bound where it proves nothing.

use super::Answer;
use super::flow_equations::{FlowSolution, solve};
use super::infeasible::Miss;
use super::{infeasible, reference};
use crate::program::model::flow_pattern::FlowPattern;
use crate::program::model::flows::{Disc, Divisor, FlowPoint, FlowProgram, FlowTerm, Mode};
use crate::program::model::normal_form::{Point, power_of_two};
use crate::program::{Certificate, Instance, Solution, SolveError};
use std::cell::Cell;

const TOLERANCE: f64 = 1e-11;
/// Residuals with which a point that missed the tolerance still counts; its certificate shows the rest.
const USABLE: f64 = 1e-8;
/// Gap, relative to the money that moves, below which nobody asks for another bound.
const PROVEN: f64 = 1e-7;
/// Range of a miss in scaled rows, tolerance of the elastic program, and total miss from which a program is infeasible.
const MOST_MISSED: f64 = 10.0;
const ELASTIC: f64 = 1e-9;
const ELASTIC_USABLE: f64 = 1e-6;
const INFEASIBLE: f64 = 1e-4;
/// Price of missing a rating, where missing any other row costs 1: both ends of a branch, active and reactive, are still
/// cheaper than the power itself.
const RATING: f64 = 0.2;

/// The program in units of its own, and the way back.
struct Scaled {
    program: FlowProgram,
    column: Vec<f64>,
    row: Vec<f64>,
    money: f64,
}

/// Solves `problem`, choices ignored. The answer is a point on the flows; its certificate's gap is the distance to the
/// better of the bounds of duality and of the convex relaxation.
pub(super) fn relaxation(problem: &Instance) -> Result<Answer, SolveError> {
    let scaled = Scaled::new(problem);
    let mut best: Option<Answer> = None;
    let mut bound = None;
    let found = Cell::new(false);
    let mut keep = |solution: &FlowSolution| {
        if let Some(answer) = scaled.answer(problem, solution).inspect(|_| found.set(true))
            && best.as_ref().is_none_or(|b| answer.objective() < b.objective())
        {
            best = Some(answer);
        }
        best.as_ref().is_some_and(|b| b.solution.certificate.gap <= PROVEN * b.money)
    };
    if !keep(&solve(&scaled.program, problem.flow_pattern(&scaled.program), TOLERANCE, None)) {
        let relaxed = solve(&scaled.program, &FlowPattern::new(&scaled.program, Mode::Relaxed), TOLERANCE, None);
        if relaxed.error <= USABLE {
            let pattern = problem.flow_pattern(&scaled.program);
            // Where losing power pays the first start may lead nowhere; the others go to the ends of the ranges.
            for start in
                std::iter::once(relaxed.point.clone()).chain((0..4).map(|way| scaled.pushed(&relaxed.point, way)))
            {
                keep(&solve(&scaled.program, pattern, TOLERANCE, Some(&start)));
                if found.get() {
                    break;
                }
            }
            let least = scaled.program.objective(&relaxed.point.x) * scaled.money + problem.constant;
            bound = Some(least);
            if let Some(answer) = &mut best {
                let gap = (answer.objective() - least).max(0.0);
                answer.solution.certificate.gap = answer.solution.certificate.gap.min(gap);
            }
        }
    }
    if let Some(best) = best {
        return Ok(best);
    }
    // A point that misses the rows least is a witness, or the feasible start that was wanting.
    let uncertain = SolveError::NotCertified { gap: f64::INFINITY, feasibility: f64::INFINITY };
    let Some((misses, point)) = scaled.least_missed() else { return Err(uncertain) };
    if misses.iter().map(|m| m.weight).sum::<f64>() > INFEASIBLE {
        return Err(SolveError::Infeasible { rows: infeasible::named(problem, misses) });
    }
    let rescued = solve(&scaled.program, problem.flow_pattern(&scaled.program), TOLERANCE, Some(&point));
    let mut answer = scaled.answer(problem, &rescued).ok_or(uncertain)?;
    if let Some(bound) = bound {
        let gap = (answer.objective() - bound).max(0.0);
        answer.solution.certificate.gap = answer.solution.certificate.gap.min(gap);
    }
    Ok(answer)
}

/// Analyses the pattern with so many parts side by side: see [`Instance::analyse_in_lanes`].
pub(super) fn analyse_in_lanes(problem: &Instance, lanes: usize) -> bool {
    let pattern = FlowPattern::in_lanes(&Scaled::new(problem).program, Mode::Exact, lanes);
    pattern.is_some_and(|pattern| problem.take_flow_pattern(pattern))
}

/// What the reference solver finds for the relaxation.
pub(super) fn second_opinion(problem: &Instance) -> Solution {
    let scaled = Scaled::new(problem);
    let Point { x, y } = scaled.restore(problem, &reference::relax(&scaled.program));
    let certificate = Certificate::of(problem, &x, &y);
    Solution { x, y, cones: vec![], certificate, nodes: 1, settled: true }
}

impl Answer {
    fn objective(&self) -> f64 {
        self.solution.certificate.objective
    }
}

impl Scaled {
    fn new(problem: &Instance) -> Self {
        let n = problem.lower.len();
        // One unit for everything that flows, one for everything that a flow is divided by, else the variable's range.
        let mut largest = 0.0_f64;
        for f in problem.flows() {
            for j in [f.p, f.q] {
                largest = largest.max(problem.lower[j].abs().max(problem.upper[j].abs()));
            }
        }
        let unit = power_of_two(largest / 8.0);
        let mut column: Vec<f64> =
            (0..n).map(|j| power_of_two(problem.upper[j] - problem.lower[j]).min(unit)).collect();
        for f in problem.flows() {
            (column[f.p], column[f.q]) = (unit, unit);
            if let Divisor::Variable(v, _) = f.v {
                column[v] = 1.0;
            }
        }
        for d in problem.discs() {
            (column[d.a], column[d.b]) = (unit, unit);
        }
        let row: Vec<f64> = problem
            .rows()
            .iter()
            .map(|terms| {
                power_of_two(terms.iter().fold(0.0, |most: f64, (v, a)| most.max((a * column[v.index()]).abs())))
            })
            .collect();
        // Prices of what is about one unit large.
        let stake = (0..n).fold(0.0, |most: f64, j| {
            let middle = 0.5 * (problem.lower[j] + problem.upper[j]);
            most.max(((problem.curvature[j] * middle + problem.linear[j]) * column[j]).abs())
        });
        let money = power_of_two(stake);
        let scale = |values: &[f64]| values.iter().zip(&column).map(|(v, c)| v / c).collect::<Vec<f64>>();
        let mut program = FlowProgram {
            lower: scale(&problem.lower),
            upper: scale(&problem.upper),
            linear: problem.linear.iter().zip(&column).map(|(q, c)| q * c / money).collect(),
            curvature: problem.curvature.iter().zip(&column).map(|(h, c)| h * c * c / money).collect(),
            rhs: problem.rhs.iter().zip(&row).map(|(b, r)| b / r).collect(),
            price: vec![0.0; row.len()],
            ..FlowProgram::default()
        };
        program.start = program.lower.iter().zip(&program.upper).map(|(l, u)| 0.5 * (l + u)).collect();
        for (i, terms) in problem.rows().iter().enumerate() {
            program.entries.extend(terms.iter().map(|&(v, a)| (i, v.index(), a * column[v.index()] / row[i])));
        }
        let square = unit * unit;
        program.flows = problem
            .flows()
            .iter()
            .map(|f| FlowTerm {
                effect: f.effect.iter().map(|&(i, e)| (i, e * square / row[i])).collect(),
                ..f.clone()
            })
            .collect();
        program.blocks = problem.blocks().to_vec();
        program.discs = problem.discs().iter().map(|d| Disc { radius: d.radius / unit, ..*d }).collect();
        Self { program, column, row, money }
    }

    fn answer(&self, problem: &Instance, solution: &FlowSolution) -> Option<Answer> {
        if solution.error > USABLE {
            return None;
        }
        let FlowPoint { x, y, .. } = solution.point.clone();
        let Point { x, y } = self.restore(problem, &Point { x, y });
        let certificate = Certificate::of(problem, &x, &y);
        let moved: f64 =
            (0..x.len()).map(|j| ((0.5 * problem.curvature[j] * x[j] + problem.linear[j]) * x[j]).abs()).sum();
        Some(Answer {
            solution: Solution { x, y, cones: vec![], certificate, nodes: 1, settled: true },
            money: moved + self.money,
        })
    }

    fn restore(&self, problem: &Instance, point: &Point) -> Point {
        let x = (0..self.column.len())
            .map(|j| (point.x[j] * self.column[j]).clamp(problem.lower[j], problem.upper[j]))
            .collect();
        let y = point.y.iter().zip(&self.row).map(|(y, r)| y * self.money / r).collect();
        Point { x, y }
    }

    /// A point with everything that is no flow, limit or voltage at one end of its range: another start.
    fn pushed(&self, point: &FlowPoint, way: usize) -> FlowPoint {
        let mut held = vec![false; point.x.len()];
        for f in &self.program.flows {
            (held[f.p], held[f.q]) = (true, true);
            if let Divisor::Variable(v, _) = f.v {
                held[v] = true;
            }
        }
        for d in &self.program.discs {
            (held[d.a], held[d.b]) = (true, true);
        }
        let mut point = point.clone();
        for (k, j) in (0..held.len()).filter(|&j| !held[j]).enumerate() {
            let up = ((way >> (k % 2)) + k / 2).is_multiple_of(2);
            point.x[j] = if up { self.program.upper[j] } else { self.program.lower[j] };
        }
        point
    }

    /// Misses of all rows where missing them is all that costs, and the point of it. Rows of what a disc limits may be
    /// missed cheaply: beyond a rating the network still has a state, and the rating is what a reader looks for.
    fn least_missed(&self) -> Option<(Vec<Miss>, FlowPoint)> {
        let mut elastic = self.program.clone();
        elastic.linear.fill(0.0);
        elastic.curvature.fill(0.0);
        let n = elastic.linear.len();
        let mut rated = vec![false; n];
        for d in &self.program.discs {
            (rated[d.a], rated[d.b]) = (true, true);
        }
        let mut price = vec![1.0; self.row.len()];
        for &(i, j, _) in &self.program.entries {
            if rated[j] {
                price[i] = RATING;
            }
        }
        for (i, &price) in price.iter().enumerate() {
            for sign in [1.0, -1.0] {
                let miss = elastic.variable(0.0, MOST_MISSED, 0.1);
                elastic.linear[miss] = price;
                elastic.entries.push((i, miss, sign));
            }
        }
        let found = [Mode::Exact, Mode::Relaxed]
            .into_iter()
            .map(|mode| solve(&elastic, &FlowPattern::new(&elastic, mode), ELASTIC, None))
            .find(|found| found.error <= ELASTIC_USABLE)?;
        let misses = (0..self.row.len())
            .map(|i| (i, found.point.x[n + 2 * i] - found.point.x[n + 2 * i + 1]))
            .map(|(i, miss)| Miss { row: i, amount: miss * self.row[i], weight: miss.abs() })
            .collect();
        let mut point = found.point;
        point.x.truncate(n);
        // Prices of misses are no prices of power.
        point.y.fill(0.0);
        Some((misses, point))
    }
}
