//! The alternating direction method of multipliers, pair by pair.
//!
//! With directed copies `e_ij`, agreement `z_ij = -z_ji` and price `p_ij = p_ji`, starting from nothing:
//! member `i`: `min f_i(x_i) + sum_j rho_ij/2 (e_ij - z_ij - p_ij / rho_ij)^2`; agreement: `z_ij = (e_ij - e_ji) / 2`; price:
//! `p_ij <- p_ij - rho_ij (e_ij - z_ij)`. Residuals over all `m` copies are `r = |e - z|` and `s = |rho (z - z')|`; it stops at
//! `r <= sqrt(m) eps + eps max(|e|, |z|)` and `s <= sqrt(m) eps + eps |p|`.
//!
//! With the network as a block, every member holds its injections `g_it` as well, the operator holds copies `n_it`, and both agree
//! at prices `m_it`: member `i` adds `sigma/2 (g - n - m / sigma)^2`, the operator answers the injections nearest to `g - m / sigma`
//! that keep the network's limits, and `m <- m - sigma (g - n)`. These are two blocks still, the members on one side, pairs and
//! operator on the other. Injections count in the residuals as trades do.
//!
//! Residuals are relative to quantities and prices, and say little of money. It therefore goes on until prices prove that what is
//! left to gain is small beside what the members pay: because what they leave open at most,
//! `sum |q_i - q| |x_i| + max |q| sum |x_i - y_i|` over members with own prices `q_i` and net sales `x_i` (`y_i` as agreed), is small,
//! or because schedules and answers to the mean price, which are asked for now and then, say so.
//!
//! It converges for any penalty where costs are convex. Where choices make them otherwise it is a heuristic, and the certificates
//! say what its answer is worth. Source: S. Boyd et al. (2011).

use super::acceleration::{Acceleration, Path};
use super::couplings::{Answered, Couplings, Squares, State};
use super::members::{Answers, Members, nested};
use super::pairs::spread_of;
use super::partners::Partners;
use super::polish::{Agreed, Injected, Proof};
use super::scaling::{Groups, Scaling};
use coase_core::market::NetworkSide;
use coase_core::program::SolveError;
use coase_core::{Market, MechanismError, RunContext};

/// The method with its parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admm {
    pub rho: f64,
    pub tolerance: f64,
    pub max_iterations: usize,
    pub scaling: Scaling,
    pub acceleration: Acceleration,
    /// Whether the network takes part.
    pub network: bool,
    pub partners: Partners,
}

/// A guess is kept if its residual is below this share of the present one.
const CLEARLY_BETTER: f64 = 0.9;

/// What a fixed penalty may lack: the one that suits depends on the unit of energy, on prices and on the number of partners.
const TRY_ADAPTIVE: &str = "a fixed penalty may be far off: `scaling: Adaptive()` finds one";

/// One iteration: what the members answer, what they agree on after it, and how far apart they are.
pub(super) struct Iterate {
    pub answers: Answers,
    pub next: State,
    pub residuals: Residuals,
    /// By group of couplings.
    squares: Vec<Squares>,
    /// `rho (|e - z|^2 + |z - z'|^2)`: what geometric guesses are judged by.
    combined: f64,
}

/// How far from agreement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Residuals {
    pub primal: f64,
    pub dual: f64,
    /// Sizes of quantities and prices, and of a residual of one unit in each copy.
    pub quantity: f64,
    pub price: f64,
    pub ones: f64,
}

impl Residuals {
    /// Residuals over what they may be at a tolerance of one; the greater of both.
    pub fn relative(&self) -> f64 {
        (self.primal / (self.ones + self.quantity)).max(self.dual / (self.ones + self.price))
    }
}

impl Admm {
    pub fn solve(&self, market: &Market, ctx: &mut RunContext) -> Result<Agreed, MechanismError> {
        let graph = self.partners.graph(market);
        let list = (self.scaling.groups() == Groups::Pair).then(|| graph.list());
        let mut members = Members::of(market);
        // Losses are the operator's: what it asks of the members is that limits hold.
        let periods = market.setting().periods.count;
        let operator = if self.network { Some(market.network_side(&vec![0.0; periods])?) } else { None };
        let mut at = Couplings::new(&graph, list.as_deref(), self.network, self.rho);
        let (mut common, slots) = (self.rho, graph.slots);
        let (mut path, mut iterations) = (Path::default(), 0);
        let (mut go_on, mut proof) = (true, Proof::to(self.tolerance));
        loop {
            let now = iterate(&at, &mut members, operator.as_ref())?;
            iterations += 1;
            go_on &= record(ctx, at.places(), now.residuals, now.answers.cost);
            let residual = now.residuals.relative();
            at.at = now.next;
            let (mut converged, mut proven) = (residual <= self.tolerance, None);
            // With the network in it prices alone prove nothing.
            if converged && !self.network && left_open(&at, &now.answers) > proof.share * now.answers.money {
                let (net, answered) = (nested(&at.net(), slots), nested(&now.answers.net, slots));
                proven = proof.of(iterations, market, (&net, &answered), &at.prices());
                converged = proven.is_some();
            }
            if converged || iterations >= self.max_iterations || !go_on || !residual.is_finite() {
                return Ok(Agreed { proven, ..self.agreed(&at, &now.answers, iterations, (residual, converged)) });
            }
            let adapted = self.scaling.adapt(iterations, &now.squares, &mut common, &mut at.rho);
            if self.acceleration == Acceleration::Off {
                continue;
            }
            if adapted {
                path.forget();
            }
            if let Some(guess) = path.guess(iterations, &at) {
                let guess = at.elsewhere(guess);
                let tried = iterate(&guess, &mut members, operator.as_ref())?;
                iterations += 1;
                let kept = tried.combined < CLEARLY_BETTER * CLEARLY_BETTER * now.combined;
                let told = if kept { (tried.residuals, tried.answers.cost) } else { (now.residuals, now.answers.cost) };
                go_on &= record(ctx, at.places(), told.0, told.1);
                if kept {
                    at.at = tried.next;
                    path.forget();
                }
            }
        }
    }

    fn agreed(
        &self,
        at: &Couplings<'_>,
        answers: &Answers,
        iterations: usize,
        (residual, converged): (f64, bool),
    ) -> Agreed {
        let slots = at.graph.slots;
        Agreed {
            net: nested(&at.net(), slots),
            answered: nested(&answers.net, slots),
            price: at.prices(),
            price_spread: spread_of(&at.at.price, slots),
            injection: self
                .network
                .then(|| Injected { own: nested(&answers.injection, slots), carried: nested(&at.at.carried, slots) }),
            iterations,
            tolerance: self.tolerance,
            residual,
            converged,
            proven: None,
            advice: (self.scaling == Scaling::Fixed).then_some(TRY_ADAPTIVE),
        }
    }
}

/// An iteration, with two scalars sent for every place: one by each side.
fn record(ctx: &mut RunContext, places: usize, residuals: Residuals, cost: f64) -> bool {
    ctx.messages(2 * places);
    let values = [("primal_residual", residuals.primal), ("dual_residual", residuals.dual), ("objective", cost)];
    ctx.step("admm", &values).is_continue()
}

/// One iteration from an agreement.
pub(super) fn iterate(
    at: &Couplings<'_>,
    members: &mut Members<'_>,
    operator: Option<&NetworkSide>,
) -> Result<Iterate, SolveError> {
    let question = at.question();
    let injecting = operator.map(|_| at.injecting());
    let answers = members.ask(&question, injecting.as_ref())?;
    let mut carried = vec![];
    if let (Some(operator), Some(question)) = (operator, &injecting) {
        let slots = at.graph.slots;
        let wished = nested(&at.wished(&answers.injection), slots);
        let answer = operator.prox(&wished, &nested(&question.weight, slots))?;
        carried = answer.injection_kwh.into_iter().flatten().collect();
    }
    let answered = Answered { net: &answers.net, injection: &answers.injection, carried: &carried };
    let (next, squares) = at.step(&question, answered);
    let all = Squares::total(&squares);
    let residuals = Residuals {
        primal: all.missed.sqrt(),
        dual: all.moved.sqrt(),
        quantity: all.copies.max(all.sales).sqrt(),
        price: all.prices.sqrt(),
        ones: (2.0 * at.places() as f64).sqrt(),
    };
    Ok(Iterate { answers, next, residuals, squares, combined: all.combined })
}

/// What is left open in money: by prices that differ, and by answers that are not what was agreed upon.
fn left_open(at: &Couplings<'_>, answers: &Answers) -> f64 {
    let (slots, price, net) = (at.graph.slots, at.prices(), at.net());
    let most = |t: usize| at.at.price.iter().skip(t).step_by(slots).fold(0.0_f64, |most, p| most.max(p.abs()));
    let most: Vec<f64> = (0..slots).map(most).collect();
    let of_trade = |k: usize| {
        let t = k % slots;
        (at.at.price[k] - price[t]).abs() * answers.net[k].abs() + most[t] * (answers.net[k] - net[k]).abs()
    };
    let of_injection = |k: usize| at.at.carrying_price[k].abs() * (answers.injection[k] - at.at.carried[k]).abs();
    let injections = (0..at.at.carried.len()).map(of_injection).sum::<f64>();
    (0..answers.net.len()).map(of_trade).sum::<f64>() + injections
}
