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
//! It converges for any penalty where costs are convex. Where choices make them otherwise it is a heuristic, and the certificates
//! say what its answer is worth. Source: S. Boyd et al. (2011).

use super::acceleration::{Acceleration, Path};
use super::members::Members;
use super::pairs::{Agreement, Copies, Pairs, Question, squares};
use super::polish::Agreed;
use super::scaling::Scaling;
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
}

/// A guess is kept if its residual is below this share of the present one.
const CLEARLY_BETTER: f64 = 0.9;

/// One iteration: what the members hold, what they agree on after it, and how far apart they are.
pub(super) struct Iterate {
    pub copies: Copies,
    pub agreement: Agreement,
    pub residuals: Residuals,
    pub cost: f64,
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
        let pairs = Pairs::of(market.len(), market.setting().slots.len());
        let mut members = Members::of(market);
        let periods = market.setting().periods.count;
        // Losses are the operator's: what it asks of the members is that limits hold.
        let operator = if self.network { Some(market.network_side(&vec![0.0; periods])?) } else { None };
        let places = pairs.len() + if self.network { market.len() * pairs.slots } else { 0 };
        let mut at = Agreement { sale: vec![0.0; places], price: vec![0.0; places] };
        let mut rho = vec![self.rho; places];
        let (mut path, mut iterations) = (Path::default(), 0);
        let mut go_on = true;
        loop {
            let now = iterate(&pairs, (&mut members, operator.as_ref()), &at, &rho)?;
            iterations += 1;
            go_on &= record(ctx, places, now.residuals, now.cost);
            let residual = now.residuals.relative();
            let converged = residual <= self.tolerance;
            let last = std::mem::replace(&mut at, now.agreement);
            if converged || iterations >= self.max_iterations || !go_on || !residual.is_finite() {
                let injection = operator.as_ref().map(|_| pairs.of_members(&now.copies.first));
                let tolerance = self.tolerance;
                return Ok(Agreed { pairs, agreement: at, injection, iterations, tolerance, residual, converged });
            }
            let adapted = self.scaling.adapt(iterations, &pairs, &now.copies, (&last, &at), (self.rho, &mut rho));
            if self.acceleration == Acceleration::Off {
                continue;
            }
            if adapted {
                path.forget();
            }
            if let Some(guess) = path.guess(iterations, &at, &rho) {
                let tried = iterate(&pairs, (&mut members, operator.as_ref()), &guess, &rho)?;
                iterations += 1;
                let kept = tried.combined < CLEARLY_BETTER * CLEARLY_BETTER * now.combined;
                let (residuals, cost) = if kept { (tried.residuals, tried.cost) } else { (now.residuals, now.cost) };
                go_on &= record(ctx, places, residuals, cost);
                if kept {
                    at = tried.agreement;
                    path.forget();
                }
            }
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
    pairs: &Pairs,
    (members, operator): (&mut Members<'_>, Option<&NetworkSide>),
    from: &Agreement,
    rho: &[f64],
) -> Result<Iterate, SolveError> {
    let wish = |sign: f64| {
        let sales = from.sale.iter().zip(&from.price).zip(rho);
        sales.map(|((z, p), r)| sign * z + p / r).collect::<Vec<f64>>()
    };
    let wish = Copies { first: wish(1.0), second: wish(-1.0) };
    let question = pairs.ask(&wish, rho);
    let injecting = operator.map(|_| Question { centre: pairs.of_members(&wish.first), weight: pairs.of_members(rho) });
    let answers = members.ask(&question, injecting.as_ref())?;
    let mut copies = pairs.spread(&wish, rho, &question, &answers.net);
    let mut sale = copies.agreed();
    if let (Some(operator), Some(question)) = (operator, injecting) {
        let prices = pairs.of_members(&from.price);
        let nearest = |i: usize| -> Vec<f64> {
            let places = answers.injection[i].iter().zip(&prices[i]).zip(&question.weight[i]);
            places.map(|((g, p), r)| g - p / r).collect()
        };
        let centre: Vec<Vec<f64>> = (0..answers.injection.len()).map(nearest).collect();
        let carried = operator.prox(&centre, &question.weight)?;
        let flat = |of: &[Vec<f64>]| of.iter().flatten().copied().collect::<Vec<f64>>();
        copies.first.splice(pairs.len().., flat(&answers.injection));
        copies.second.splice(pairs.len().., flat(&carried.injection_kwh).iter().map(|n| -n));
        sale.splice(pairs.len().., flat(&carried.injection_kwh));
    }
    let (mut price, mut primal, mut dual, mut combined) = (from.price.clone(), 0.0, 0.0, 0.0);
    for place in 0..sale.len() {
        // Both copies of a trade miss the agreement by the same, of an injection one.
        let miss = copies.first[place] - sale[place];
        let moved = sale[place] - from.sale[place];
        price[place] -= rho[place] * miss;
        primal += 2.0 * miss * miss;
        dual += 2.0 * (rho[place] * moved).powi(2);
        combined += 2.0 * rho[place] * (miss * miss + moved * moved);
    }
    let residuals = Residuals {
        primal: primal.sqrt(),
        dual: dual.sqrt(),
        quantity: copies.squares().max(2.0 * squares(&sale)).sqrt(),
        price: (2.0 * squares(&price)).sqrt(),
        ones: (2.0 * from.sale.len() as f64).sqrt(),
    };
    Ok(Iterate { copies, agreement: Agreement { sale, price }, residuals, cost: answers.cost, combined })
}
