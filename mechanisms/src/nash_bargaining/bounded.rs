//! Payments with every price inside the tariff band: `max sum_i w_i ln(G_i)` over the money `m_ij` of each pair, with
//! `G_i = before_i + sum_j m_ij - sum_j m_ji` and `m_ij` between its trades at the feed-in and at the retail price.
//!
//! The objective is concave and every pair has its own box, so exact maximisation pair by pair converges to the optimum.

use crate::canonical_payments::Priced;
use crate::tariff_band::Band;
use coase_core::outcome::Trade;
use coase_core::program::{Cost, Expr, Program};
use std::collections::BTreeMap;

/// Sweeps over all pairs; each is exact in one variable.
const MAX_SWEEPS: usize = 100_000;
/// A sweep that moves no pair's money by more than this share of the gain is the last.
const TOLERANCE: f64 = 1e-13;

/// A loss that is rounding, relative to the costs that trade moves.
const NO_LOSS: f64 = 1e-9;

struct Pair {
    seller: usize,
    buyer: usize,
    least: f64,
    most: f64,
    money: f64,
}

/// Prices of the trades, or by how much the worst-off member must lose at any prices within the band.
pub(super) fn bargain(
    before: &[f64],
    weights: &[f64],
    trades: &[Trade],
    bands: &[Option<Band>],
) -> Result<Priced, f64> {
    let n = before.len();
    let band = |slot: usize| bands[slot].unwrap_or(Band { sell: 0.0, buy: 0.0 });
    let mut pairs: Vec<Pair> = vec![];
    let mut known: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for t in trades {
        let k = *known.entry((t.seller, t.buyer)).or_insert_with(|| {
            pairs.push(Pair { seller: t.seller, buyer: t.buyer, least: 0.0, most: 0.0, money: 0.0 });
            pairs.len() - 1
        });
        pairs[k].least += band(t.slot).sell * t.quantity;
        pairs[k].most += band(t.slot).buy * t.quantity;
    }
    feasible_start(before, &mut pairs)?;
    let gains = |pairs: &[Pair]| {
        let mut gain = before.to_vec();
        for p in pairs {
            gain[p.seller] += p.money;
            gain[p.buyer] -= p.money;
        }
        gain
    };
    let mut gain = gains(&pairs);
    let scale: f64 = before.iter().map(|b| b.abs()).sum::<f64>().max(1e-9);
    for _ in 0..MAX_SWEEPS {
        let mut moved = 0.0_f64;
        for p in &mut pairs {
            let (wi, wj) = (weights[p.seller], weights[p.buyer]);
            // w_i / (A + m) = w_j / (B - m) with the pair's own money taken out.
            let (a, b) = (gain[p.seller] - p.money, gain[p.buyer] + p.money);
            let best = if wi + wj > 0.0 { (wi * b - wj * a) / (wi + wj) } else { p.money };
            let money = best.clamp(p.least, p.most);
            moved = moved.max((money - p.money).abs());
            gain[p.seller] = a + money;
            gain[p.buyer] = b - money;
            p.money = money;
        }
        if moved <= TOLERANCE * scale {
            break;
        }
    }
    let price = |t: &Trade| {
        let p = &pairs[known[&(t.seller, t.buyer)]];
        let share = if p.most > p.least { (p.money - p.least) / (p.most - p.least) } else { 0.0 };
        let band = band(t.slot);
        band.sell + share * (band.buy - band.sell)
    };
    let priced = trades.iter().map(|t| Trade { price: Some(price(t)), ..*t }).collect();
    Ok(Priced::between_all(priced, vec![0.0; n], bands.len()))
}

/// Money at which everybody gains, by maximising the least gain; the shortfall where there is none.
fn feasible_start(before: &[f64], pairs: &mut [Pair]) -> Result<(), f64> {
    let mut program = Program::new();
    let reach: f64 =
        before.iter().map(|b| b.abs()).sum::<f64>() + pairs.iter().map(|p| p.most.abs() + p.least.abs()).sum::<f64>();
    let money: Vec<_> = pairs.iter().map(|p| program.var(p.least.min(p.most), p.most.max(p.least))).collect();
    let least = program.var(-reach - 1.0, reach + 1.0);
    for (i, b) in before.iter().enumerate() {
        let mut gain = Expr::constant(*b).plus(-1.0, least);
        for (p, m) in pairs.iter().zip(&money) {
            gain.add(f64::from(u8::from(p.seller == i)) - f64::from(u8::from(p.buyer == i)), *m);
        }
        program.within(gain, 0.0, f64::INFINITY, "gain of a member", None);
    }
    let mut cost = Cost::default();
    cost.add(-1.0, least);
    program.add_cost(&cost);
    let solution = program.compile().instance().solve().map_err(|_| f64::INFINITY)?;
    let worst = solution.value(least);
    // Where there is nothing to gain, nobody losing is all there can be.
    if worst < -NO_LOSS * (1.0 + before.iter().map(|b| b.abs()).sum::<f64>()) {
        return Err(-worst);
    }
    for (p, m) in pairs.iter_mut().zip(&money) {
        p.money = solution.value(*m);
    }
    Ok(())
}
