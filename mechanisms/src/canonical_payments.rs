//! Net payments between the members of a coalition, paid over the canonical trades.
//!
//! A rule that divides a gain determines only what each member pays in all, `tau_i`. Among all bilateral payments that add up
//! to them, the canonical ones are nearest to the shadow prices of the common optimum: least
//! `sum (m_ijt - pi_t e_ijt)^2 / |e_ijt|`. The optimality condition is a price `pi_t + phi_i - phi_j` for every trade, with
//! potentials `phi` from the Laplacian of the traded energy.

use coase_core::outcome::{Side, Signal, Trade};
use coase_core::{Market, Outcome, Party, Reason};
use nalgebra::{DMatrix, DVector};

/// Trades with their prices, and what members settle with the operator because no chain of trades connects them.
pub(crate) struct Priced {
    /// The trades, each with its price.
    pub trades: Vec<Trade>,
    /// Paid by each member to the operator; adds up to nothing.
    pub through_operator: Vec<f64>,
}

/// Prices at which every member receives, in sum over its trades, what it is to receive.
pub(crate) fn paying(receives: &[f64], trades: &[Trade], shadow_price: &[f64]) -> Priced {
    let n = receives.len();
    let component = components(n, trades);
    let mut through_operator = vec![0.0; n];
    let mut potential_target = receives.to_vec();
    for c in 0..n {
        let inside: Vec<usize> = (0..n).filter(|&i| component[i] == c).collect();
        // Members without a chain of trades between them settle through the operator.
        let residual: f64 = inside.iter().map(|&i| receives[i]).sum();
        for &i in &inside {
            through_operator[i] = -residual / inside.len() as f64;
            potential_target[i] = receives[i] + through_operator[i];
        }
    }
    let mut laplacian = DMatrix::zeros(n, n);
    let mut rhs = DVector::from_vec(potential_target);
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
    for c in 0..n {
        if let Some(first) = (0..n).find(|&i| component[i] == c) {
            let scale = (0..n).map(|i| laplacian[(i, i)]).fold(1.0, f64::max);
            laplacian[(first, first)] += scale;
        }
    }
    let phi = laplacian.lu().solve(&rhs).unwrap_or_else(|| DVector::zeros(n));
    let trades = trades
        .iter()
        .map(|t| Trade { price: Some(shadow_price[t.slot] + phi[t.seller] - phi[t.buyer]), ..*t })
        .collect();
    Priced { trades, through_operator }
}

impl Priced {
    /// Writes payments pair by pair and publishes average prices.
    pub fn enter(self, market: &Market, outcome: &mut Outcome) {
        let slots = &market.setting().slots;
        for trade in &self.trades {
            let amount = trade.price.unwrap_or(0.0) * trade.quantity;
            let (from, to) = (Party::Member(trade.buyer), Party::Member(trade.seller));
            outcome.ledger.pay_for(from, to, amount, Reason::Trade, Some(slots[trade.slot].product));
        }
        for (i, amount) in self.through_operator.iter().enumerate() {
            outcome.ledger.pay(Party::Member(i), Party::Operator, *amount, Reason::Trade);
        }
        let average = |counts: &dyn Fn(&Trade) -> bool, slot: usize| {
            let (money, energy) = self
                .trades
                .iter()
                .filter(|t| t.slot == slot && counts(t))
                .fold((0.0, 0.0), |sum, t| (sum.0 + t.price.unwrap_or(0.0) * t.quantity, sum.1 + t.quantity));
            (energy > 0.0).then(|| money / energy)
        };
        for i in 0..market.len() {
            let sell = (0..slots.len()).map(|k| average(&|t| t.seller == i, k)).collect();
            let buy = (0..slots.len()).map(|k| average(&|t| t.buyer == i, k)).collect();
            outcome.prices.push(Signal { side: Side::Sell, member: Some(i), price: sell });
            outcome.prices.push(Signal { side: Side::Buy, member: Some(i), price: buy });
        }
        outcome.trades = Some(self.trades);
    }
}

/// Component of each member in the trade graph, named by its first member.
fn components(n: usize, trades: &[Trade]) -> Vec<usize> {
    let mut component: Vec<usize> = (0..n).collect();
    for t in trades {
        let (a, b) = (component[t.seller], component[t.buyer]);
        let (keep, drop) = (a.min(b), a.max(b));
        for c in &mut component {
            if *c == drop {
                *c = keep;
            }
        }
    }
    component
}
