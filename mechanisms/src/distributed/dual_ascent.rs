//! Generalised fast dual ascent: prices alone move, with momentum.
//!
//! With a friction `q_ij/2 (e_ij - c_ij)^2` on every copy the members' answers to prices are unique and follow them steadily:
//! `e_ij + e_ji` is the gradient of the dual, whose curvature is at most `L_ij = 1/q_ij + 1/q_ji` for the pair (the diagonal
//! metric; the scalar one takes the greatest for all). An ascent with momentum takes `m+ = y - (e_ij + e_ji) / L`,
//! `t+ = (1 + sqrt(1 + 4 t^2)) / 2`, `y+ = m+ + (t - 1) / t+ (m+ - m)`, and starts its momentum again where it points back,
//! `<m+ - y, m+ - m> < 0`. It stops at `|e_ij + e_ji| <= eps (sqrt(E) + |e|)`.
//!
//! Friction is not a cost of the members. Its centre is no trade first; once prices are found, it is what was agreed upon, until
//! trades move no more: the proximal point method, whose fixed points are those without friction. It ends where prices prove that
//! what is left to gain is small beside what the members pay.
//!
//! Sources: Y. Nesterov (1983); B. O'Donoghue and E. Candès (2015) for the restart; C. Feng et al. (2023) for the use, whose
//! metric is reconstructed; R. T. Rockafellar (1976) for the proximal points.

use super::admm::Residuals;
use super::members::{Members, nested};
use super::pairs::{ByPair, Copies, Pairs, spread_of, squares};
use super::partners::Partners;
use super::polish::{Agreed, Proof};
use coase_core::program::SolveError;
use coase_core::{Market, MechanismError, RunContext};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Step of the prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Metric {
    /// Each pair has its own: generalised.
    #[default]
    Diagonal,
    /// The shortest for all.
    Scalar,
}

/// The method with its parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct DualAscent {
    pub friction_per_kwh2: f64,
    pub metric: Metric,
    pub tolerance: f64,
    pub max_iterations: usize,
    pub partners: Partners,
}

/// What suits depends on the unit of energy, on prices and on the number of partners.
const OTHER_FRICTION: &str = "the friction may be far off: a price over what a pair trades is a good one";

/// Prices, and where their momentum comes from.
pub(super) struct Ascent {
    /// Friction by pair and slot.
    friction: ByPair,
    step: ByPair,
    pub price: ByPair,
    last: ByPair,
    momentum: f64,
}

/// What the members hold at prices.
pub(super) struct Held {
    pub copies: Copies,
    /// Net sales by member and slot.
    pub net: Vec<f64>,
    pub cost: f64,
    /// `|e_ij + e_ji|` over pairs.
    pub miss: f64,
}

impl Ascent {
    pub fn new(friction: ByPair, metric: Metric, price: ByPair) -> Self {
        let own = friction.iter().map(|q| 0.5 * q);
        let step = match metric {
            Metric::Diagonal => own.collect(),
            Metric::Scalar => vec![own.fold(f64::INFINITY, f64::min); friction.len()],
        };
        Self { friction, step, last: price.clone(), price, momentum: 1.0 }
    }

    /// What the members hold at the prices, friction pulling them to a centre.
    pub fn ask(&self, pairs: &Pairs, members: &mut Members<'_>, centre: &[f64]) -> Result<Held, SolveError> {
        let wish = |sign: f64| {
            let places = centre.iter().zip(&self.price).zip(&self.friction);
            places.map(|((c, y), q)| sign * c + y / q).collect::<Vec<f64>>()
        };
        let wish = Copies { first: wish(1.0), second: wish(-1.0) };
        let question = pairs.ask(&wish, &self.friction);
        let answers = members.ask(&question, None)?;
        let copies = pairs.spread(&wish, &self.friction, &question, &answers.net);
        let miss = copies.first.iter().zip(&copies.second).map(|(a, b)| (a + b) * (a + b)).sum::<f64>().sqrt();
        Ok(Held { copies, net: answers.net, cost: answers.cost, miss })
    }

    /// Moves the prices by what the pairs disagree by.
    pub fn ascend(&mut self, held: &Copies) {
        let moved: ByPair =
            (0..self.price.len()).map(|k| self.price[k] - (held.first[k] + held.second[k]) * self.step[k]).collect();
        let back: f64 = (0..moved.len()).map(|k| (moved[k] - self.price[k]) * (moved[k] - self.last[k])).sum();
        if back < 0.0 {
            self.momentum = 1.0;
        }
        let next = 0.5 * (1.0 + (1.0 + 4.0 * self.momentum * self.momentum).sqrt());
        let push = (self.momentum - 1.0) / next;
        for (k, price) in self.price.iter_mut().enumerate() {
            *price = moved[k] + push * (moved[k] - self.last[k]);
        }
        (self.last, self.momentum) = (moved, next);
    }

    /// Takes the momentum away.
    pub fn rest(&mut self) {
        self.last.clone_from(&self.price);
        self.momentum = 1.0;
    }
}

impl DualAscent {
    pub fn solve(&self, market: &Market, ctx: &mut RunContext) -> Result<Agreed, MechanismError> {
        let pairs = Pairs::of(&self.partners.graph(market));
        let mut members = Members::of(market);
        let friction = vec![self.friction_per_kwh2; pairs.len()];
        let mut ascent = Ascent::new(friction, self.metric, middle_of_tariff(market, &pairs));
        let mut centre = vec![0.0; pairs.len()];
        let (mut iterations, mut proof, slots) = (0, Proof::to(self.tolerance), pairs.slots);
        loop {
            let held = ascent.ask(&pairs, &mut members, &centre)?;
            iterations += 1;
            let sale = held.copies.agreed();
            let pulled = sale.iter().zip(&centre).map(|(z, c)| self.friction_per_kwh2 * (z - c));
            let residuals = Residuals {
                primal: held.miss / 2.0_f64.sqrt(),
                dual: (2.0 * pulled.map(|f| f * f).sum::<f64>()).sqrt(),
                quantity: held.copies.squares().sqrt(),
                price: (2.0 * squares(&ascent.price)).sqrt(),
                ones: (2.0 * pairs.len() as f64).sqrt(),
            };
            ctx.messages(pairs.messages());
            let values =
                [("primal_residual", residuals.primal), ("dual_residual", residuals.dual), ("objective", held.cost)];
            let go_on = ctx.step("dual_ascent", &values).is_continue();
            let (residual, agree) = (residuals.relative(), self.agree(&pairs, &held));
            let nets = || (nested(&pairs.net(&sale), slots), nested(&held.net, slots));
            let mut proven = None;
            if agree && residual <= self.tolerance {
                let (net, answered) = nets();
                proven = proof.of(iterations, market, (&net, &answered), &pairs.mean(&ascent.price));
            }
            let converged = proven.is_some();
            if converged || iterations >= self.max_iterations || !go_on || !residual.is_finite() {
                let (net, answered) = nets();
                return Ok(Agreed {
                    net,
                    answered,
                    price: pairs.mean(&ascent.price),
                    price_spread: spread_of(&ascent.price, slots),
                    injection: None,
                    iterations,
                    tolerance: self.tolerance,
                    residual,
                    converged,
                    advice: Some(OTHER_FRICTION),
                    proven,
                });
            }
            if agree {
                centre = sale;
                ascent.rest();
            } else {
                ascent.ascend(&held.copies);
            }
        }
    }

    /// Whether both of each pair hold the same.
    fn agree(&self, pairs: &Pairs, held: &Held) -> bool {
        held.miss <= self.tolerance * ((pairs.len() as f64).sqrt() + held.copies.squares().sqrt())
    }
}

/// The middle between the prices of the grid; nothing where there is none.
fn middle_of_tariff(market: &Market, pairs: &Pairs) -> ByPair {
    let setting = market.setting();
    let price = |place: usize| {
        let period = setting.slots[pairs.at(place).2].period;
        setting.tariff.as_ref().map_or(0.0, |t| 0.5 * (t.buy_per_kwh[period] + t.sell_per_kwh[period]))
    };
    (0..pairs.len()).map(price).collect()
}
