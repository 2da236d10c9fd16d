//! Choices between alternatives: branch and bound over the relaxations, best bound first with a plunge after each branching.

use super::solver::{Answer, relaxation};
use super::{Instance, Restriction, Solution, SolveError, Var};

/// Programs solved before giving up.
const MOST_NODES: usize = 2000;
/// The same where every program holds power flows: each takes as long as a hundred of the others.
const MOST_FLOW_NODES: usize = 200;
/// Costs closer than this, relative to the money that moves, are equal.
const EQUAL: f64 = 1e-9;
/// Gap, relative to the money that moves, with which an unfinished search is still an answer, its gap in the certificate.
const TOLERABLE: f64 = 1e-5;
/// Violation of a choice, relative to the range of its variable in the program, that counts as none.
const RESPECTED: f64 = 1e-9;

/// Solves `problem` and settles its choices.
pub(super) fn solve(problem: &Instance) -> Result<Solution, SolveError> {
    let root = relaxation(problem)?;
    if most_violated(problem, &root.solution.x).is_none() {
        return Ok(root.solution);
    }
    Search { problem, nodes: 1, incumbent: None, pruned: f64::INFINITY, refused: None }.run(root)
}

/// Whether `x` keeps every choice. A mixture of points that do has their rounding.
pub(super) fn respected(problem: &Instance, x: &[f64]) -> bool {
    most_violated(problem, x).is_none()
}

struct Search<'a> {
    problem: &'a Instance,
    nodes: usize,
    incumbent: Option<Solution>,
    /// Least bound among the nodes that were given up because of the incumbent.
    pruned: f64,
    /// What made the last infeasible node infeasible.
    refused: Option<SolveError>,
}

struct Node {
    restrictions: Vec<Restriction>,
    solution: Solution,
    bound: f64,
}

impl Search<'_> {
    fn run(mut self, root: Answer) -> Result<Solution, SolveError> {
        let root_money = root.money;
        let equal = EQUAL * root_money;
        let mut open = vec![Node { restrictions: vec![], bound: bound_of(&root.solution), solution: root.solution }];
        self.round(&open[0].solution.x.clone())?;
        let mut plunge = None;
        while let Some(node) = plunge.take().or_else(|| least(&mut open)) {
            let enough = self.incumbent.as_ref().map_or(f64::INFINITY, |best| best.certificate.objective - equal);
            if node.bound >= enough {
                self.pruned = self.pruned.min(node.bound);
                continue;
            }
            let Some(choice) = most_violated(self.problem, &node.solution.x) else {
                self.offer(node.solution);
                continue;
            };
            let most = if self.problem.is_convex() { MOST_NODES } else { MOST_FLOW_NODES };
            if self.nodes >= most {
                let bound = open.iter().fold(node.bound, |least, n| least.min(n.bound)).min(self.pruned);
                let nodes = self.nodes;
                let reached = self.incumbent.as_ref().map_or(f64::INFINITY, |best| best.certificate.objective - bound);
                let Some(mut best) = self.incumbent.filter(|_| reached <= TOLERABLE * root_money) else {
                    return Err(SolveError::Undecided { nodes, gap: reached });
                };
                // Its gap says how good it is at least; whoever uses it must look.
                best.certificate.gap = best.certificate.gap.max(best.certificate.objective - bound);
                best.nodes = nodes;
                return Ok(best);
            }
            let mut children = vec![];
            for alternative in &self.problem.choices()[choice] {
                let restrictions = [&node.restrictions[..], alternative].concat();
                if let Some(solution) = self.attempt(&restrictions)? {
                    children.push(Node { restrictions, bound: bound_of(&solution).max(node.bound), solution });
                }
            }
            plunge = least(&mut children);
            open.extend(children);
        }
        let Some(mut best) = self.incumbent else {
            return Err(self.refused.unwrap_or(SolveError::Infeasible { rows: vec![] }));
        };
        best.certificate.gap = best.certificate.gap.max(best.certificate.objective - self.pruned);
        best.nodes = self.nodes;
        Ok(best)
    }

    /// The alternatives nearest to `x`, all at once: settles ties, and is the first incumbent otherwise.
    fn round(&mut self, x: &[f64]) -> Result<(), SolveError> {
        let problem = self.problem;
        let nearest = problem.choices().iter().filter_map(|alternatives| {
            alternatives.iter().min_by(|a, b| outside(problem, a, x).total_cmp(&outside(problem, b, x)))
        });
        let restrictions: Vec<Restriction> = nearest.flatten().copied().collect();
        if let Some(solution) = self.attempt(&restrictions)? {
            self.offer(solution);
        }
        Ok(())
    }

    fn attempt(&mut self, restrictions: &[Restriction]) -> Result<Option<Solution>, SolveError> {
        let mut restricted = self.problem.clone();
        for r in restrictions {
            let (lower, upper) = restricted.bounds(r.variable);
            restricted.bound(r.variable, lower.max(r.lower), upper.min(r.upper));
            let (lower, upper) = restricted.bounds(r.variable);
            if lower > upper {
                if lower - upper > RESPECTED * size(self.problem, r.variable) {
                    return Ok(None);
                }
                // A variable that already stands within rounding of the alternative stays where it stands.
                restricted.bound(r.variable, lower, lower);
            }
        }
        self.nodes += 1;
        match relaxation(&restricted) {
            Ok(answer) => Ok(Some(answer.solution)),
            Err(error @ SolveError::Infeasible { .. }) => {
                self.refused = Some(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn offer(&mut self, solution: Solution) {
        let cost = solution.certificate.objective;
        if self.incumbent.as_ref().is_none_or(|best| cost < best.certificate.objective) {
            self.incumbent = Some(solution);
        }
    }
}

fn bound_of(solution: &Solution) -> f64 {
    solution.certificate.objective - solution.certificate.gap.abs()
}

/// Takes the node with the least bound, the first of equals.
fn least(nodes: &mut Vec<Node>) -> Option<Node> {
    let at = (0..nodes.len()).min_by(|&a, &b| nodes[a].bound.total_cmp(&nodes[b].bound))?;
    Some(nodes.swap_remove(at))
}

/// The choice that `x` violates most, if any.
fn most_violated(problem: &Instance, x: &[f64]) -> Option<usize> {
    let mut worst = (RESPECTED, None);
    for (k, alternatives) in problem.choices().iter().enumerate() {
        let violation = alternatives.iter().map(|a| outside(problem, a, x)).fold(f64::INFINITY, f64::min);
        if violation > worst.0 {
            worst = (violation, Some(k));
        }
    }
    worst.1
}

/// How far `x` is outside an alternative, relative to the ranges of its variables.
fn outside(problem: &Instance, alternative: &[Restriction], x: &[f64]) -> f64 {
    alternative.iter().fold(0.0, |most: f64, r| {
        let v = x[r.variable.index()];
        let distance = (r.lower - v).max(v - r.upper);
        if distance <= 0.0 { most } else { most.max(distance / size(problem, r.variable)) }
    })
}

/// What a violation of a variable's choice is measured against: the range that the program gives it, however little of it
/// the instance leaves. What counts as zero in one answer must count as zero where that answer is held.
fn size(problem: &Instance, v: Var) -> f64 {
    let (lower, upper) = problem.widest(v);
    if upper > lower { upper - lower } else { upper.abs().max(1.0) }
}

#[cfg(test)]
mod tests {
    use crate::program::{Expr, Program};

    /// Fixed at rounding above zero, a variable counts as zero: its partner is free.
    #[test]
    fn rounding_in_a_fixed_variable_violates_no_choice() {
        let mut program = Program::new();
        let (a, b) = (program.var(0.0, 10.0), program.var(0.0, 10.0));
        program.exclusive(a, b);
        program.equal(Expr::from(a).plus(1.0, b), 4.0, "sum", None);
        let mut instance = program.compile().instance();
        instance.fix(a, 1e-12);
        let solution = instance.solve().expect("feasible");
        assert!((solution.x[b.index()] - 4.0).abs() < 1e-9);
        instance.fix(a, 1.0);
        assert!(instance.solve().is_err());
    }
}
