//! Traders of one price each for a public quantity, and what they trade at given prices.

use coase_core::statistics::bounded::Bounded;

/// A trader as everybody knows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trader {
    /// Position of the participant.
    pub who: usize,
    /// Whether it sells.
    pub sells: bool,
    /// What it trades at most, kWh.
    pub quantity: f64,
    /// What is believed of its price.
    pub law: Bounded,
}

impl Trader {
    /// What a kWh is worth to it, of this type: less than nothing to a seller.
    pub fn worth(&self, price: f64) -> f64 {
        if self.sells { -price } else { price }
    }

    /// The type that gains least from trade.
    pub fn worst(&self) -> f64 {
        let (low, high) = self.law.bounds();
        if self.sells { high } else { low }
    }
}

/// Best prices trade first, ties in the order of the traders; sellers and buyers meet as long as `v >= c`.
pub(super) fn allocation(traders: &[Trader], types: &[f64]) -> Vec<f64> {
    let side = |sells: bool| {
        let mut order: Vec<usize> = (0..traders.len()).filter(|i| traders[*i].sells == sells).collect();
        let sign = if sells { 1.0 } else { -1.0 };
        order.sort_by(|a, b| (sign * types[*a]).total_cmp(&(sign * types[*b])));
        order
    };
    let mut traded = vec![0.0; traders.len()];
    let (sellers, buyers) = (side(true), side(false));
    let (mut s, mut b) = (0, 0);
    while let (Some(&seller), Some(&buyer)) = (sellers.get(s), buyers.get(b)) {
        if types[buyer] < types[seller] {
            break;
        }
        let left = |i: usize| traders[i].quantity - traded[i];
        let quantity = left(seller).min(left(buyer));
        let (sold_out, served) = (left(seller) <= quantity, left(buyer) <= quantity);
        traded[seller] += quantity;
        traded[buyer] += quantity;
        s += usize::from(sold_out);
        b += usize::from(served);
    }
    traded
}
