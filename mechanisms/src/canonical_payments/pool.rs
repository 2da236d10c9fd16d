//! The canonical payments of every seller to every buyer, where their pairs are too many to be written.
//!
//! With `u_t`, `v_t` what everybody sells and buys in slot `t` and `S_t` the sum of either, the trade matrix is
//! `u_t v_t' / S_t` and the Laplacian of all pairs
//!
//! ```text
//! L = D - sum_t (u_t v_t' + v_t u_t') / S_t,      D = diag(sum_t u_t + v_t)
//! ```
//!
//! a diagonal and two vectors for each slot. With `a_t = v_t' phi / S_t` and `b_t = u_t' phi / S_t`, the mean potentials of
//! buyers and sellers, `D phi = r + sum_t (u_t a_t + v_t b_t)`, so that `a` and `b` solve a system of twice as many unknowns
//! as there are slots with trade (or, where that is more, `phi` one of as many as there are members). A seller's mean price is
//! `pi_t + phi_i - a_t` and a buyer's `pi_t + b_t - phi_j`.

use super::{Priced, Split, components, split};
use coase_core::outcome::{Pairs, Side, Signal, Trade};
use nalgebra::{DMatrix, DVector};

/// What is traded in a slot.
struct Slot {
    /// Its number.
    at: usize,
    /// Shadow price of P1.
    price: f64,
    /// Members with what they sell and buy.
    sellers: Vec<(usize, f64)>,
    buyers: Vec<(usize, f64)>,
    /// What is sold, which is what is bought.
    total: f64,
}

impl Slot {
    /// Means of the potentials of buyers and sellers, by what they trade.
    fn means(&self, phi: &[f64]) -> (f64, f64) {
        let mean = |side: &[(usize, f64)]| side.iter().map(|(i, e)| e * phi[*i]).sum::<f64>() / self.total;
        (mean(&self.buyers), mean(&self.sellers))
    }
}

/// The slots with trade of all members.
pub(super) struct Pool {
    members: usize,
    slots: Vec<Slot>,
    all_slots: usize,
}

impl Pool {
    /// From trades that have everybody's sums, whoever is beside whom.
    pub fn new(members: usize, trades: &[Trade], shadow_price: &[f64]) -> Self {
        let mut sums = vec![vec![0.0; members]; 2 * shadow_price.len()];
        for t in trades {
            sums[2 * t.slot][t.seller] += t.quantity;
            sums[2 * t.slot + 1][t.buyer] += t.quantity;
        }
        let side = |sums: &[f64]| sums.iter().copied().enumerate().filter(|(_, e)| *e > 0.0).collect::<Vec<_>>();
        let slot = |(at, sums): (usize, &[Vec<f64>])| {
            let (sellers, buyers) = (side(&sums[0]), side(&sums[1]));
            let total = sellers.iter().map(|(_, e)| e).sum();
            Slot { at, price: shadow_price[at], sellers, buyers, total }
        };
        let slots = sums.chunks(2).enumerate().map(slot).filter(|slot| slot.total > 0.0).collect();
        Self { members, slots, all_slots: shadow_price.len() }
    }

    /// Pays everybody what it is to receive, at the prices of all pairs.
    pub fn pay(&self, receives: &[f64], trades: &[Trade]) -> Priced {
        // Who trades in a slot trades with everybody on the other side.
        let edges = self.slots.iter().flat_map(|slot| {
            let (seller, buyer) = (slot.sellers[0].0, slot.buyers[0].0);
            let (sellers, buyers) = (slot.sellers.iter().map(move |s| (s.0, buyer)), slot.buyers.iter());
            sellers.chain(buyers.map(move |b| (seller, b.0)))
        });
        let Split { mut through_operator, target, firsts } = split(receives, &components(self.members, edges));
        let phi = self.potentials(target, &firsts);
        let mut mean = vec![(0.0, 0.0); self.all_slots];
        self.slots.iter().for_each(|slot| mean[slot.at] = slot.means(&phi));
        let mut price = vec![0.0; self.all_slots];
        self.slots.iter().for_each(|slot| price[slot.at] = slot.price);
        let priced: Vec<Trade> = trades
            .iter()
            .map(|t| {
                // The pair pays as if both traded with each other alone; with all others they pay the mean.
                let (of_buyers, of_sellers) = mean[t.slot];
                through_operator[t.seller] += t.quantity * (of_buyers - phi[t.buyer]);
                through_operator[t.buyer] += t.quantity * (of_sellers - phi[t.seller]);
                Trade { price: Some(price[t.slot] + phi[t.seller] - phi[t.buyer]), ..*t }
            })
            .collect();
        Priced { trades: priced, pairs: Pairs::Few, through_operator, prices: self.prices(&phi) }
    }

    /// Mean prices of every member.
    fn prices(&self, phi: &[f64]) -> Vec<Signal> {
        let none = || vec![None; self.all_slots];
        let signal = |k: usize| Signal {
            side: if k.is_multiple_of(2) { Side::Sell } else { Side::Buy },
            member: Some(k / 2),
            price: none(),
        };
        let mut signals: Vec<Signal> = (0..2 * self.members).map(signal).collect();
        for slot in &self.slots {
            let (of_buyers, of_sellers) = slot.means(phi);
            for (i, _) in &slot.sellers {
                signals[2 * i].price[slot.at] = Some(slot.price + phi[*i] - of_buyers);
            }
            for (j, _) in &slot.buyers {
                signals[2 * j + 1].price[slot.at] = Some(slot.price + of_sellers - phi[*j]);
            }
        }
        signals
    }

    /// Potentials at which members receive `target` in all slots together; each component has its first member grounded.
    fn potentials(&self, target: Vec<f64>, firsts: &[usize]) -> Vec<f64> {
        let mut rhs = target;
        let mut diagonal = vec![0.0; self.members];
        for slot in &self.slots {
            for (side, sign) in [(&slot.sellers, -1.0), (&slot.buyers, 1.0)] {
                for (i, e) in side {
                    diagonal[*i] += e;
                    rhs[*i] += sign * slot.price * e;
                }
            }
        }
        let scale = diagonal.iter().copied().fold(1.0, f64::max);
        for first in firsts {
            diagonal[*first] += scale;
        }
        if 2 * self.slots.len() < self.members {
            self.by_means(&diagonal, &rhs)
        } else {
            self.by_members(&diagonal, rhs)
        }
    }

    /// Solves for the means of all slots, then for the potentials.
    fn by_means(&self, diagonal: &[f64], rhs: &[f64]) -> Vec<f64> {
        let count = 2 * self.slots.len();
        if count == 0 {
            return rhs.iter().zip(diagonal).map(|(r, d)| r / d).collect();
        }
        // By member: in which slots it sells (even) and buys (odd), and how much.
        let mut of_member: Vec<Vec<(usize, f64)>> = vec![vec![]; self.members];
        for (k, slot) in self.slots.iter().enumerate() {
            slot.sellers.iter().for_each(|(i, e)| of_member[*i].push((2 * k, *e)));
            slot.buyers.iter().for_each(|(j, e)| of_member[*j].push((2 * k + 1, *e)));
        }
        // What buys in a slot is behind the mean `a` of it, which stands at the slot's even place, and the other way round.
        let mut system = DMatrix::zeros(count, count);
        let mut means = DVector::zeros(count);
        for (k, slot) in self.slots.iter().enumerate() {
            (system[(2 * k, 2 * k)], system[(2 * k + 1, 2 * k + 1)]) = (slot.total, slot.total);
        }
        for (i, traded) in of_member.iter().enumerate() {
            for (row, e) in traded {
                means[row ^ 1] += e * rhs[i] / diagonal[i];
                for (column, f) in traded {
                    system[(row ^ 1, *column)] -= e * f / diagonal[i];
                }
            }
        }
        let means = system.lu().solve(&means).unwrap_or_else(|| DVector::zeros(count));
        let pull = |i: usize| of_member[i].iter().map(|(k, e)| e * means[*k]).sum::<f64>();
        (0..self.members).map(|i| (rhs[i] + pull(i)) / diagonal[i]).collect()
    }

    /// Solves for the potentials by the Laplacian itself.
    fn by_members(&self, diagonal: &[f64], rhs: Vec<f64>) -> Vec<f64> {
        let mut laplacian = DMatrix::from_diagonal(&DVector::from_column_slice(diagonal));
        for slot in &self.slots {
            for (i, x) in &slot.sellers {
                for (j, y) in &slot.buyers {
                    laplacian[(*i, *j)] -= x * y / slot.total;
                    laplacian[(*j, *i)] -= x * y / slot.total;
                }
            }
        }
        let n = self.members;
        let phi = laplacian.lu().solve(&DVector::from_vec(rhs)).unwrap_or_else(|| DVector::zeros(n));
        phi.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Priced, paying};
    use super::Pool;
    use coase_core::outcome::{Pairs, Trade, in_member_order, pro_rata};
    use proptest::prelude::*;

    /// Net sales that sum to nothing in every slot, some members idle and some balanced pairs alone in a slot.
    fn net_sales() -> impl Strategy<Value = Vec<Vec<f64>>> {
        (3_usize..9, 1_usize..7).prop_flat_map(|(members, slots)| {
            let sale = prop_oneof![Just(0.0), Just(1.0), -2.0_f64..2.0];
            proptest::collection::vec(proptest::collection::vec(sale, slots), members).prop_map(move |mut net| {
                for slot in 0..slots {
                    let sum: f64 = net.iter().map(|x| x[slot]).sum();
                    net[members - 1][slot] -= sum;
                }
                net
            })
        })
    }

    /// What everybody has in the end, and the mean price of everybody in every slot.
    fn received(members: usize, priced: &Priced) -> Vec<f64> {
        let mut money: Vec<f64> = priced.through_operator.iter().map(|paid| -paid).collect();
        assert_eq!(money.len(), members);
        for t in &priced.trades {
            let amount = t.price.expect("every trade has one") * t.quantity;
            money[t.seller] += amount;
            money[t.buyer] -= amount;
        }
        money
    }

    proptest! {
        /// Few pairs leave everybody with the money of all pairs, at the same mean prices; a pair that is written has the price
        /// that it has among all; the operator keeps nothing.
        #[test]
        fn few_pairs_change_nothing_but_who_is_written_beside_whom(
            net in net_sales(),
            before in proptest::collection::vec(-3.0_f64..5.0, 9),
            power in proptest::collection::vec(0.1_f64..1.0, 9),
            shadow in proptest::collection::vec(0.05_f64..0.4, 7),
        ) {
            let (members, slots) = (net.len(), net[0].len());
            let sum: f64 = power[..members].iter().sum();
            let weights: Vec<f64> = power[..members].iter().map(|p| p / sum).collect();
            let gain: f64 = before[..members].iter().sum();
            let receives: Vec<f64> = before.iter().zip(&weights).map(|(b, w)| w * gain - b).collect();
            let (before, shadow) = (&before[..members], &shadow[..slots]);
            let (all, few) = (pro_rata(&net), in_member_order(&net));
            // Rounding apart, a pair exists for one rule if it exists for the other.
            prop_assume!(all.iter().all(|t| t.quantity > 1e-4) && !all.is_empty());
            let [all, few] = [(&all, Pairs::All), (&few, Pairs::Few)]
                .map(|(trades, pairs)| paying(&receives, trades, pairs, shadow));
            let size = 1.0 + before.iter().map(|x| x.abs()).sum::<f64>();
            for (a, b) in received(members, &all).iter().zip(received(members, &few)) {
                prop_assert!((a - b).abs() < 1e-8 * size, "{} {}", a, b);
            }
            prop_assert!(few.through_operator.iter().sum::<f64>().abs() < 1e-9 * size);
            for (a, b) in all.prices.iter().zip(&few.prices) {
                prop_assert_eq!((a.side, a.member), (b.side, b.member));
                for (a, b) in a.price.iter().zip(&b.price) {
                    prop_assert_eq!(a.is_some(), b.is_some());
                    let (a, b) = (a.unwrap_or(0.0), b.unwrap_or(0.0));
                    prop_assert!((a - b).abs() < 1e-6 * (1.0 + a.abs()), "{} {}", a, b);
                }
            }
            let key = |t: &Trade| (t.slot, t.seller, t.buyer);
            for t in &few.trades {
                let same = all.trades.iter().find(|other| key(other) == key(t)).expect("among all pairs");
                let (a, b) = (same.price.expect("priced"), t.price.expect("priced"));
                prop_assert!((a - b).abs() < 1e-6 * (1.0 + a.abs()), "{} {}", a, b);
            }
        }

        /// Both ways to the potentials end at the same.
        #[test]
        fn the_means_and_the_members_have_the_same_potentials(net in net_sales(), seed in 0.0_f64..1.0) {
            let trades = in_member_order(&net);
            let members = net.len();
            let pool = Pool::new(members, &trades, &vec![0.2; net[0].len()]);
            let diagonal: Vec<f64> = (0..members)
                .map(|i| {
                    let own: f64 = trades.iter().filter(|t| t.seller == i || t.buyer == i).map(|t| t.quantity).sum();
                    own + 1.0
                })
                .collect();
            let rhs: Vec<f64> = (0..members).map(|i| (seed * 7.0 + i as f64).sin()).collect();
            for (a, b) in pool.by_means(&diagonal, &rhs).iter().zip(pool.by_members(&diagonal, rhs.clone())) {
                prop_assert!((a - b).abs() < 1e-9, "{} {}", a, b);
            }
        }
    }
}
