//! A seller and a buyer of a given quantity `q`: all expectations are closed forms of the laws of their prices.
//!
//! They trade iff `v >= c`. `xi_b(v) = -q E[c 1(c <= v)]`, `xi_s(c) = q E[v 1(v >= c)]`, and the gain from trade is on average
//! `q times the integral of P(c <= x) P(v >= x) dx`.

use super::trader::Trader;
use coase_core::statistics::bounded::{Bounded, integral};

#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// Place of the seller among the two; the buyer has the other.
    seller: usize,
    quantity: f64,
    asks: Bounded,
    bids: Bounded,
    /// `E xi` of the seller and of the buyer.
    expected: (f64, f64),
}

impl Pair {
    pub fn new(traders: &[Trader]) -> Self {
        let seller = usize::from(traders[1].sells);
        let (asks, bids) = (traders[seller].law.clone(), traders[1 - seller].law.clone());
        let quantity = traders[0].quantity.min(traders[1].quantity);
        let corners = [asks.corners(), bids.corners()].concat();
        let of_seller = quantity * asks.expectation(&corners, |c| bids.part_above(c));
        let of_buyer = -quantity * bids.expectation(&corners, |v| asks.part_below(v));
        Self { seller, quantity, asks, bids, expected: (of_seller, of_buyer) }
    }

    pub fn externality(&self, i: usize, report: f64) -> f64 {
        if i == self.seller {
            self.quantity * self.bids.part_above(report)
        } else {
            -self.quantity * self.asks.part_below(report)
        }
    }

    pub fn expected_quantity(&self, i: usize, report: f64) -> f64 {
        let share = if i == self.seller { self.bids.share_above(report) } else { self.asks.share_below(report) };
        self.quantity * share
    }

    pub fn expected_externalities(&self) -> [f64; 2] {
        let (of_seller, of_buyer) = self.expected;
        if self.seller == 0 { [of_seller, of_buyer] } else { [of_buyer, of_seller] }
    }

    pub fn expected_welfare(&self) -> f64 {
        let corners = [self.asks.corners(), self.bids.corners()].concat();
        let (low, high) = (self.asks.bounds().0, self.bids.bounds().1);
        if low >= high {
            return 0.0;
        }
        let step = self.asks.step().min(self.bids.step());
        self.quantity * integral(low, high, &corners, step, |x| self.asks.share_below(x) * self.bids.share_above(x))
    }
}
