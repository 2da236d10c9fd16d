//! The Vickrey-Clarke-Groves rule on a book of bids: everybody pays what the others lose by its presence.
//!
//! A buyer pays `W(N \ b) - (W - V_b)`, a seller receives `(W + C_s) - W(N \ s)`, with `W` the greatest worth of all trade, `V_b`
//! the buyer's value of what it gets and `C_s` the seller's cost of what it gives (Vickrey, 1961; Clarke, 1971; Groves, 1973).
//! For units buyers pay `max(v_(k+1), c_(k))` and sellers receive `min(c_(k+1), v_(k))`. A two-sided market runs a deficit.

use super::quanta::{Money, energy, money, times};
use super::stacks::{Account, Removals, Stacks};
use coase_core::MechanismError;
use coase_core::auction::{Clearing, Fill};
use coase_core::book::Book;

/// Clears a book efficiently, with payments by what the others lose. A participant that stands on both sides is taken away from
/// both; its payment is that of a buyer where it buys more than it sells.
///
/// # Errors
/// A price or quantity that is no number or beyond the exact range.
pub fn vcg(book: &Book) -> Result<Clearing, MechanismError> {
    let stacks = Stacks::of(book)?;
    let removals = Removals::new(&stacks);
    let (Some(at), Some(worth)) = (stacks.crossing(0), removals.welfare(None, 0)) else {
        return Ok(Clearing::default());
    };
    let own = |blocks, quantity| {
        let mut account = Account::new(stacks.agents);
        for (block, part) in Stacks::best(blocks, quantity) {
            account.add(block.who, part, times(block.price, part));
        }
        account
    };
    let (value, cost) = (own(&stacks.demand, at.bought), own(&stacks.supply, at.sold));
    let mut clearing = Clearing::default();
    for who in 0..stacks.agents {
        let (bought, sold) = (value.quantity(who), cost.quantity(who));
        if bought == 0 && sold == 0 {
            continue;
        }
        // Without a phantom there is always an answer.
        let others: Money = removals.welfare(Some(who), 0).unwrap_or(0);
        let pays = others - (worth - value.money(who) + cost.money(who));
        let on_bids = bought >= sold;
        if bought > 0 {
            let money = if on_bids { money(pays) } else { 0.0 };
            clearing.buys.push(Fill { who, quantity: energy(bought), money });
        }
        if sold > 0 {
            let money = if on_bids { 0.0 } else { money(-pays) };
            clearing.sells.push(Fill { who, quantity: energy(sold), money });
        }
    }
    clearing.price = one_price(&clearing);
    Ok(clearing)
}

/// The price that everybody pays and receives per kWh, where that is one and the same.
pub(crate) fn one_price(clearing: &Clearing) -> Option<f64> {
    let mut prices = clearing.buys.iter().chain(&clearing.sells).map(|fill| fill.money / fill.quantity);
    let first = prices.next()?;
    prices.all(|p| (p - first).abs() <= 1e-12 * first.abs().max(1e-9)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::vcg;
    use crate::auctions::examples::{BL, Bids, UA, UB, book};
    use coase_core::auction::Fill;

    fn paid(bids: &Bids) -> (Vec<f64>, Vec<f64>) {
        let clearing = vcg(&book(bids)).unwrap();
        let money = |fills: &[Fill]| fills.iter().map(|f| f.money).collect();
        (money(&clearing.buys), money(&clearing.sells))
    }

    #[test]
    fn units_pay_the_first_price_that_does_not_depend_on_them() {
        for bids in [UA, UB] {
            assert_eq!(paid(&bids), (vec![5.0; 4], vec![6.0; 4]));
        }
        assert_eq!(vcg(&book(&UA)).unwrap().price, None);
    }

    #[test]
    fn blocks_pay_what_others_lose() {
        let (pay, receive) = paid(&BL);
        assert_eq!(pay, [1.55, 1.05, 2.05]);
        assert_eq!(receive, [1.75, 1.15, 1.75, 0.6]);
        let budget = pay.iter().sum::<f64>() - receive.iter().sum::<f64>();
        assert!((budget + 0.6).abs() < 1e-12, "{budget}");
    }
}
