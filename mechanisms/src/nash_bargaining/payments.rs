//! Unrestricted payments: the exact split, and canonical bilateral prices that pay it.
//!
//! Only the net payments `tau_i` are determined. Among all bilateral payments that add up to them, the canonical ones are
//! nearest to the shadow prices of P1: least `sum (m_ijt - pi_t e_ijt)^2 / |e_ijt|`. Its optimality condition is a price
//! `pi_t + phi_i - phi_j` for every trade, with potentials `phi` from the Laplacian of the traded energy.

use super::Priced;
use coase_core::outcome::Trade;
use nalgebra::{DMatrix, DVector};

pub(super) fn unrestricted(before: &[f64], weights: &[f64], trades: &[Trade], shadow_price: &[f64]) -> Priced {
    let n = before.len();
    let gain: f64 = before.iter().sum();
    // What each member is to receive: its share of the gain less what it already has.
    let receives: Vec<f64> = before.iter().zip(weights).map(|(b, w)| w * gain - b).collect();
    let component = components(n, trades);
    let mut through_operator = vec![0.0; n];
    let mut potential_target = receives.clone();
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
