//! Choices between alternatives: branch and bound over the relaxations, best bound first with a plunge after each branching.
//!
//! Two kinds of choice. Alternatives restrict variables, and an answer that respects none of them is no answer. A filling
//! ([`filling`]) is out of order where its cost is bent downwards; any answer can be put in order, so that every node
//! offers one, and only what that costs is branched on. A search that reaches its limit of programs answers with the best it
//! has and says how far from the best that may be; it fails only where it has nothing.

use super::Answer;
use super::relaxation::relaxation;
use crate::program::model::filling::{self, Disorder, Filling};
use crate::program::{Certificate, Instance, Restriction, Solution, SolveError, Var};

/// Programs without power flows that take as long as one with them.
const FLOWS_COUNT_AS: usize = 10;
/// Costs closer than this, relative to the money that moves, are equal: above what the solver leaves open.
const EQUAL: f64 = 1e-9;
/// Violation of a choice, relative to the range of its variable in the program, that counts as none.
const RESPECTED: f64 = 1e-9;

/// Solves `problem` and settles its choices.
pub(super) fn solve(problem: &Instance) -> Result<Solution, SolveError> {
    let root = relaxation(problem)?;
    if !problem.chooses() {
        return Ok(root.solution);
    }
    Search {
        problem,
        equal: EQUAL * root.money,
        nodes: 1,
        incumbent: None,
        closed: f64::INFINITY,
        refused: None,
        unsolved: None,
    }
    .run(root)
}

/// Whether a point keeps all choices, as far as a solver's rounding goes.
pub(super) fn respected(problem: &Instance, x: &[f64]) -> bool {
    let near = |alternatives: &Vec<Vec<Restriction>>| alternatives.iter().any(|a| outside(problem, a, x) <= RESPECTED);
    let ordered = |filling: &Filling| filling.disorder(problem, x, None).is_none_or(|d| d.share <= RESPECTED);
    problem.choices().iter().all(near) && problem.fillings().iter().all(ordered)
}

struct Search<'a> {
    problem: &'a Instance,
    /// Difference of cost that is none.
    equal: f64,
    nodes: usize,
    incumbent: Option<Solution>,
    /// Least bound among the nodes that are done with.
    closed: f64,
    /// What made the last infeasible node infeasible.
    refused: Option<SolveError>,
    /// Why the last node that may have an answer has none.
    unsolved: Option<SolveError>,
}

struct Node {
    restrictions: Vec<Restriction>,
    solution: Solution,
    bound: f64,
}

/// What became of a node.
enum Attempt {
    Solved(Solution),
    Infeasible,
    /// Neither an answer nor a proof that there is none.
    Open,
}

/// What is branched on.
#[derive(Clone, Copy, Debug)]
enum Branch {
    /// The alternatives of a choice.
    Alternatives(usize),
    /// On which side of a fall of a filling.
    Fall(usize, usize),
}

/// A branch with what its violation is worth.
#[derive(Clone, Copy, Debug)]
struct Violation {
    branch: Branch,
    money: f64,
    share: f64,
}

impl Search<'_> {
    fn run(mut self, root: Answer) -> Result<Solution, SolveError> {
        let mut open = vec![Node { restrictions: vec![], bound: bound_of(&root.solution), solution: root.solution }];
        let mut plunge = None;
        let most = if self.problem.is_convex() {
            self.problem.most_programs()
        } else {
            self.problem.most_programs() / FLOWS_COUNT_AS
        };
        while let Some(node) = plunge.take().or_else(|| least(&mut open)) {
            let violation = if self.is_beaten(&node) { None } else { self.examine(&node.solution) };
            let Some(violation) = violation.filter(|_| !self.is_beaten(&node)) else {
                self.closed = self.closed.min(node.bound);
                continue;
            };
            if self.nodes == 1 && most > 1 {
                self.round(&node.solution.x)?;
                if self.is_beaten(&node) {
                    self.closed = self.closed.min(node.bound);
                    continue;
                }
            }
            if self.nodes >= most {
                let bound = open.iter().fold(node.bound.min(self.closed), |least, n| least.min(n.bound));
                let nodes = self.nodes;
                return self.best(bound, false).ok_or(SolveError::Undecided { nodes });
            }
            let mut children = vec![];
            for alternative in self.alternatives(violation.branch) {
                let restrictions = [&node.restrictions[..], &alternative].concat();
                match self.attempt(&restrictions)? {
                    Attempt::Solved(solution) => {
                        children.push(Node { restrictions, bound: bound_of(&solution).max(node.bound), solution });
                    }
                    // What it may hold is bounded by where it comes from.
                    Attempt::Open => self.closed = self.closed.min(node.bound),
                    Attempt::Infeasible => {}
                }
            }
            plunge = least(&mut children);
            open.extend(children);
        }
        let (closed, equal) = (self.closed, self.equal);
        let (unsolved, refused) = (self.unsolved.take(), self.refused.take());
        let is_left = |best: &Solution| best.certificate.objective - closed > equal + best.certificate.gap.abs();
        let settled = unsolved.is_none() || !self.incumbent.as_ref().is_some_and(is_left);
        let failed = unsolved.or(refused);
        self.best(closed, settled).ok_or_else(|| failed.unwrap_or(SolveError::Infeasible { rows: vec![] }))
    }

    /// The best answer, with its distance from a bound.
    fn best(self, bound: f64, settled: bool) -> Option<Solution> {
        let mut best = self.incumbent?;
        best.certificate.gap = best.certificate.gap.max(best.certificate.objective - bound);
        best.nodes = self.nodes;
        best.settled = settled;
        Some(best)
    }

    /// Whether nothing below a node can be better than what there is, by more than the solver leaves open.
    fn is_beaten(&self, node: &Node) -> bool {
        // Equal nodes differ by what the solver leaves open, which is small beside the difference that counts as none.
        let open = self.equal + 2.0 * node.solution.certificate.gap.abs().min(self.equal);
        self.incumbent.as_ref().is_some_and(|best| node.bound >= best.certificate.objective - open)
    }

    /// Offers what a relaxation's answer is worth as an answer, and says what is worst about it, if anything is.
    fn examine(&mut self, solution: &Solution) -> Option<Violation> {
        let problem = self.problem;
        let prices = Prices::new(problem, solution);
        let alternatives: Vec<Violation> = (0..problem.choices().len()).filter_map(|k| prices.broken(k)).collect();
        let fillings: Vec<Violation> = (0..problem.fillings().len()).filter_map(|f| prices.out_of_order(f)).collect();
        if alternatives.is_empty() {
            if fillings.is_empty() {
                self.offer(solution.clone());
            } else if let Some(x) = filling::put_in_order(problem, &solution.x) {
                // How far it is from the best the bounds of the search say.
                let certificate = Certificate { gap: 0.0, ..Certificate::of(problem, &x, &solution.y) };
                self.offer(Solution { x, certificate, ..solution.clone() });
            }
        }
        let worse = |a: &Violation, b: &Violation| a.money.total_cmp(&b.money).then(a.share.total_cmp(&b.share));
        // The first of equals.
        alternatives.into_iter().chain(fillings).rev().max_by(worse)
    }

    fn alternatives(&self, branch: Branch) -> Vec<Vec<Restriction>> {
        match branch {
            Branch::Alternatives(k) => self.problem.choices()[k].clone(),
            Branch::Fall(f, fall) => {
                [false, true].map(|above| self.problem.fillings()[f].side(self.problem, fall, above)).to_vec()
            }
        }
    }

    /// The alternatives nearest to `x`, all at once: settles ties, and is often the best there is.
    fn round(&mut self, x: &[f64]) -> Result<(), SolveError> {
        let problem = self.problem;
        let nearest = problem.choices().iter().filter_map(|alternatives| {
            alternatives.iter().min_by(|a, b| outside(problem, a, x).total_cmp(&outside(problem, b, x)))
        });
        let mut restrictions: Vec<Restriction> = nearest.flatten().copied().collect();
        let ordered = filling::put_in_order(problem, x);
        let x = ordered.as_deref().unwrap_or(x);
        for filling in problem.fillings() {
            for fall in 0..filling.falls.len() {
                restrictions.extend(filling.side(problem, fall, filling.is_above(problem, fall, x)));
            }
        }
        if let Attempt::Solved(solution) = self.attempt(&restrictions)? {
            self.examine(&solution);
        }
        Ok(())
    }

    fn attempt(&mut self, restrictions: &[Restriction]) -> Result<Attempt, SolveError> {
        let mut restricted = self.problem.clone();
        for r in restrictions {
            let (lower, upper) = restricted.bounds(r.variable);
            restricted.bound(r.variable, lower.max(r.lower), upper.min(r.upper));
            let (lower, upper) = restricted.bounds(r.variable);
            if lower > upper {
                if lower - upper > RESPECTED * size(self.problem, r.variable) {
                    return Ok(Attempt::Infeasible);
                }
                // A variable that already stands within rounding of the alternative stays where it stands.
                restricted.bound(r.variable, lower, lower);
            }
        }
        self.nodes += 1;
        match relaxation(&restricted) {
            Ok(answer) => Ok(Attempt::Solved(answer.solution)),
            Err(error @ SolveError::Infeasible { .. }) => {
                self.refused = Some(error);
                Ok(Attempt::Infeasible)
            }
            // At the edge of feasibility neither an answer nor a refutation may be certified.
            Err(error @ SolveError::NotCertified { .. }) => {
                self.unsolved = Some(error);
                Ok(Attempt::Open)
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

/// What violations are worth at the multipliers of an answer.
struct Prices<'a> {
    problem: &'a Instance,
    x: &'a [f64],
    /// Reduced costs without the rows that hold pieces in order.
    reduced: Vec<f64>,
    /// The most money that any row moves per unit of a variable.
    worth: Vec<f64>,
}

impl<'a> Prices<'a> {
    fn new(problem: &'a Instance, solution: &'a Solution) -> Self {
        let mut y = solution.y.clone();
        for row in filling::hull_rows(problem) {
            y[row] = 0.0;
        }
        let mut worth = vec![0.0_f64; solution.x.len()];
        if !problem.choices().is_empty() {
            for (row, y) in problem.rows().iter().zip(&y) {
                for &(v, a) in row {
                    worth[v.index()] = worth[v.index()].max((a * y).abs());
                }
            }
        }
        Self { problem, x: &solution.x, reduced: problem.reduced_costs(&solution.x, &y), worth }
    }

    /// How a choice is violated: by the alternative that is nearest.
    fn broken(&self, choice: usize) -> Option<Violation> {
        let money = |alternative: &Vec<Restriction>| -> f64 {
            alternative.iter().map(|r| self.worth[r.variable.index()] * distance(r, self.x)).sum()
        };
        let alternatives = &self.problem.choices()[choice];
        let share = alternatives.iter().map(|a| outside(self.problem, a, self.x)).fold(f64::INFINITY, f64::min);
        let money = alternatives.iter().map(money).fold(f64::INFINITY, f64::min);
        (share > RESPECTED).then_some(Violation { branch: Branch::Alternatives(choice), money, share })
    }

    fn out_of_order(&self, filling: usize) -> Option<Violation> {
        let Disorder { fall, share, money } =
            self.problem.fillings()[filling].disorder(self.problem, self.x, Some(&self.reduced))?;
        (share > RESPECTED).then_some(Violation { branch: Branch::Fall(filling, fall), money, share })
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

fn distance(r: &Restriction, x: &[f64]) -> f64 {
    let v = x[r.variable.index()];
    (r.lower - v).max(v - r.upper).max(0.0)
}

/// How far `x` is outside an alternative, relative to the ranges of its variables.
fn outside(problem: &Instance, alternative: &[Restriction], x: &[f64]) -> f64 {
    alternative.iter().fold(0.0, |most: f64, r| match distance(r, x) {
        0.0 => most,
        distance => most.max(distance / size(problem, r.variable)),
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
