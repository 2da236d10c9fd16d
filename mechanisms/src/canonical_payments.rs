//! Net payments between the members of a coalition, paid over the canonical trades.
//!
//! A rule that divides a gain determines only what each member pays in all, `tau_i`. Among all bilateral payments that add up
//! to them, the canonical ones are nearest to the shadow prices of the common optimum: least
//! `sum (m_ijt - pi_t e_ijt)^2 / |e_ijt|`. The optimality condition is a price `pi_t + phi_i - phi_j` for every trade, with
//! potentials `phi` from the Laplacian of the traded energy.
//!
//! Where few pairs stand for every seller with every buyer, the potentials are still those of all pairs (`pool`), so that
//! every price is what it would be if all pairs were written; what the written ones miss of everybody's part is settled with
//! the operator, who keeps nothing.

mod band;
mod pool;

use coase_core::outcome::{Pairs, Side, Signal, Trade};
use coase_core::{Market, Outcome, Party, Reason};
use nalgebra::{DMatrix, DVector};
use pool::Pool;

/// Trades with their prices, and what members settle with the operator because no trade that is written pays it.
pub(crate) struct Priced {
    /// The trades, each with its price.
    pub trades: Vec<Trade>,
    /// Which pairs they are between.
    pub pairs: Pairs,
    /// Paid by each member to the operator; adds up to nothing.
    pub through_operator: Vec<f64>,
    /// Mean prices of each member, selling and buying.
    pub prices: Vec<Signal>,
}

/// Prices at which every member receives, in sum over its trades, what it is to receive. `trades` are the canonical ones,
/// written between `pairs`.
pub(crate) fn paying(receives: &[f64], trades: &[Trade], pairs: Pairs, shadow_price: &[f64]) -> Priced {
    match pairs {
        Pairs::All => between_all(receives, trades, shadow_price),
        Pairs::Few => Pool::new(receives.len(), trades, shadow_price).pay(receives, trades),
    }
}

fn between_all(receives: &[f64], trades: &[Trade], shadow_price: &[f64]) -> Priced {
    let n = receives.len();
    let component = components(n, trades.iter().map(|t| (t.seller, t.buyer)));
    let Split { through_operator, target, firsts } = split(receives, &component);
    let mut laplacian = DMatrix::zeros(n, n);
    let mut rhs = DVector::from_vec(target);
    for t in trades {
        let (i, j, e) = (t.seller, t.buyer, t.quantity);
        laplacian[(i, i)] += e;
        laplacian[(j, j)] += e;
        laplacian[(i, j)] -= e;
        laplacian[(j, i)] -= e;
        rhs[i] -= shadow_price[t.slot] * e;
        rhs[j] += shadow_price[t.slot] * e;
    }
    // Each component's Laplacian has the constant vector as its kernel: ground the first member of each.
    let mut scale = (0..n).map(|i| laplacian[(i, i)]).fold(1.0, f64::max);
    for first in firsts {
        laplacian[(first, first)] += scale;
        scale = scale.max(laplacian[(first, first)]);
    }
    let phi = laplacian.lu().solve(&rhs).unwrap_or_else(|| DVector::zeros(n));
    let price = |t: &Trade| shadow_price[t.slot] + phi[t.seller] - phi[t.buyer];
    let trades = trades.iter().map(|t| Trade { price: Some(price(t)), ..*t }).collect();
    Priced::between_all(trades, through_operator, shadow_price.len())
}

impl Priced {
    /// Trades between all pairs, with the mean prices of everybody's.
    pub fn between_all(trades: Vec<Trade>, through_operator: Vec<f64>, slots: usize) -> Self {
        let mut sums = vec![vec![(0.0, 0.0); slots]; 2 * through_operator.len()];
        for t in &trades {
            for place in [2 * t.seller, 2 * t.buyer + 1] {
                let (money, energy) = &mut sums[place][t.slot];
                *money += t.price.unwrap_or(0.0) * t.quantity;
                *energy += t.quantity;
            }
        }
        let signal = |(place, sums): (usize, &Vec<(f64, f64)>)| Signal {
            side: if place.is_multiple_of(2) { Side::Sell } else { Side::Buy },
            member: Some(place / 2),
            price: sums.iter().map(|(money, energy)| (*energy > 0.0).then(|| money / energy)).collect(),
        };
        let prices = sums.iter().enumerate().map(signal).collect();
        Self { trades, pairs: Pairs::All, through_operator, prices }
    }

    /// Writes payments pair by pair and publishes mean prices.
    pub fn enter(self, market: &Market, outcome: &mut Outcome) {
        outcome.ledger.pay_trades(&self.trades, self.pairs, &market.setting().slots);
        for (i, amount) in self.through_operator.iter().enumerate() {
            outcome.ledger.pay(Party::Member(i), Party::Operator, *amount, Reason::Trade);
        }
        outcome.prices.extend(self.prices);
        (outcome.trades, outcome.pairs) = (Some(self.trades), self.pairs);
    }
}

/// What members of different components settle through the operator, for no chain of trades connects them.
struct Split {
    /// Paid by each member to the operator; adds up to nothing.
    through_operator: Vec<f64>,
    /// What is left for each to receive within its component.
    target: Vec<f64>,
    /// The first member of each component.
    firsts: Vec<usize>,
}

fn split(receives: &[f64], component: &[usize]) -> Split {
    let n = receives.len();
    let (mut residual, mut size) = (vec![0.0; n], vec![0_usize; n]);
    for (&c, r) in component.iter().zip(receives) {
        residual[c] += r;
        size[c] += 1;
    }
    let share = |c: usize| -residual[c] / size[c] as f64;
    let through_operator: Vec<f64> = component.iter().map(|&c| share(c)).collect();
    let target = receives.iter().zip(&through_operator).map(|(r, o)| r + o).collect();
    Split { through_operator, target, firsts: (0..n).filter(|&i| component[i] == i).collect() }
}

/// Component of each member in a graph, named by its first member.
fn components(n: usize, edges: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    fn root(parent: &mut [usize], mut i: usize) -> usize {
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    }
    let mut parent: Vec<usize> = (0..n).collect();
    for (i, j) in edges {
        let (a, b) = (root(&mut parent, i), root(&mut parent, j));
        parent[a.max(b)] = a.min(b);
    }
    (0..n).map(|i| root(&mut parent, i)).collect()
}
