//! The uniform-price double auction: the greatest worthwhile trade, all of it at one price between the marginal bids.
//!
//! With `lo` the greater of the last accepted cost and the first rejected value, and `hi` the lesser of the last accepted value
//! and the first rejected cost, everybody trades at `lo + kappa (hi - lo)`; the first rejected bid may be the rest of a split
//! block. Budgets balance exactly, nobody loses by truthful bids, and who is infra-marginal gains at most `hi - lo` per unit by
//! a misreport, so the rule is not truthful (Chatterjee and Samuelson, 1983; Wilson, 1985).

use super::quanta::{self, Energy, energy};
use super::stacks::{Account, Block, Stacks};
use coase_core::auction::{Auction, Clearing, per_slot};
use coase_core::book::Book;
use coase_core::mechanism::Mechanism;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All worthwhile trade at one price between the marginal bid and the marginal ask.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DoubleAuction {
    /// Where between the least and the greatest clearing price the price lies, from 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub kappa: f64,
    /// Who is served where bids at the margin are equal.
    pub rationing: Rationing,
}

/// How equal bids at the margin share what is left for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Rationing {
    /// The earlier participant first.
    #[default]
    Priority,
    /// In proportion to what they bid for.
    ProRata,
}

impl Default for DoubleAuction {
    fn default() -> Self {
        Self { kappa: 0.5, rationing: Rationing::Priority }
    }
}

register!(DoubleAuction, "double-auction", Auction, "all worthwhile trade at one price between the marginal bids",
    claims: [BudgetBalanced, IndividuallyRational if "slots are not coupled by devices" => |_, _| Ok(())],
    needs: [Tariff, NoRequirement], information: Reports, source: "Chatterjee and Samuelson (1983); Wilson (1985)");

impl Auction for DoubleAuction {
    fn clear(&self, book: &Book, _: &mut RunContext) -> Result<Clearing, MechanismError> {
        let kappa = share("kappa", self.kappa)?;
        let stacks = Stacks::of(book)?;
        let Some(at) = stacks.crossing(0).filter(|at| at.bought > 0) else { return Ok(Clearing::default()) };
        let (Some(lo), Some(hi)) = stacks.price_interval(&at) else { return Ok(Clearing::default()) };
        let price = lo + (kappa * (hi - lo) as f64).round() as i64;
        let taken = |blocks: &[Block]| match self.rationing {
            Rationing::Priority => Stacks::best(blocks, at.bought),
            Rationing::ProRata => shared_at_the_margin(blocks, at.bought),
        };
        let fills = |blocks| Account::at_price(stacks.agents, &taken(blocks), price).fills();
        Ok(Clearing {
            buys: fills(&stacks.demand),
            sells: fills(&stacks.supply),
            price: Some(quanta::price(price)),
            ..Clearing::default()
        })
    }
}

impl Mechanism for DoubleAuction {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        per_slot(self, market, ctx)
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }
}

/// A parameter that is a share.
///
/// # Errors
/// One that is not from 0 to 1.
pub(crate) fn share(name: &'static str, x: f64) -> Result<f64, MechanismError> {
    if (0.0..=1.0).contains(&x) {
        Ok(x)
    } else {
        Err(MechanismError::Parameter { name, value: x.to_string(), expected: "a number from 0 to 1" })
    }
}

/// The best units, where blocks at the price of the last one share what is left in proportion to their size.
fn shared_at_the_margin(blocks: &[Block], quantity: Energy) -> Vec<(Block, Energy)> {
    let mut taken = Stacks::best(blocks, quantity);
    let Some(last) = taken.last().map(|(block, _)| block.price) else { return taken };
    taken.retain(|(block, _)| block.price != last);
    let served: Energy = taken.iter().map(|(_, part)| part).sum();
    let equal: Vec<Block> = blocks.iter().filter(|b| b.price == last).copied().collect();
    let sizes: Vec<Energy> = equal.iter().map(|b| b.quantity).collect();
    taken.extend(equal.iter().copied().zip(pro_rata(&sizes, quantity - served)));
    taken
}

/// Parts of a quantity in proportion to sizes, each at most its size; units that do not divide go to the earlier.
pub(crate) fn pro_rata(sizes: &[Energy], quantity: Energy) -> Vec<Energy> {
    let total: i128 = sizes.iter().map(|s| i128::from(*s)).sum();
    if total <= i128::from(quantity) {
        return sizes.to_vec();
    }
    let part = |s: &Energy| (i128::from(*s) * i128::from(quantity) / total.max(1)) as Energy;
    let mut parts: Vec<Energy> = sizes.iter().map(part).collect();
    let mut left = quantity - parts.iter().sum::<Energy>();
    for (part, size) in parts.iter_mut().zip(sizes) {
        if left > 0 && *part < *size {
            *part += 1;
            left -= 1;
        }
    }
    debug_assert!(left == 0, "{} are left", energy(left));
    parts
}

#[cfg(test)]
mod tests {
    use super::{DoubleAuction, Rationing, pro_rata};
    use crate::auctions::examples::{BL, UA, book, clear};
    use coase_core::RunContext;
    use coase_core::auction::Auction;

    #[test]
    fn the_price_lies_between_the_marginal_bids() {
        for (kappa, price) in [(0.0, 5.0), (0.5, 5.5), (1.0, 6.0)] {
            let found = clear(&DoubleAuction { kappa, ..DoubleAuction::default() }, &book(&UA));
            assert_eq!((found.price, found.buys.len(), found.sells.len()), (Some(price), 4, 4));
            assert!(found.buys.iter().chain(&found.sells).all(|f| f.quantity == 1.0 && f.money == price));
        }
        let found = clear(&DoubleAuction::default(), &book(&BL));
        assert_eq!(found.price, Some(0.55));
        assert_eq!(found.buys.iter().map(|f| f.quantity).collect::<Vec<_>>(), [3.0, 2.0, 4.0]);
        assert_eq!(found.sells.iter().map(|f| f.quantity).collect::<Vec<_>>(), [3.0, 2.0, 3.0, 1.0]);
    }

    /// Every deviation in halves: who trades gains exactly half the interval, who does not gains nothing.
    #[test]
    fn a_misreport_gains_no_more_than_the_price_interval() {
        let truth = book(&UA);
        let rule = DoubleAuction::default();
        for who in 0..12 {
            let utility = |bid: f64| {
                let mut said = truth.clone();
                let value = if who < 6 { truth.buyers[who].price } else { truth.sellers[who - 6].price };
                if who < 6 {
                    said.buyers[who].price = bid;
                } else {
                    said.sellers[who - 6].price = bid;
                }
                let found = clear(&rule, &said);
                let buys: f64 = found.buys.iter().filter(|f| f.who == who).map(|f| value * f.quantity - f.money).sum();
                let sells: f64 =
                    found.sells.iter().filter(|f| f.who == who).map(|f| f.money - value * f.quantity).sum();
                buys + sells
            };
            let honest = utility(if who < 6 { truth.buyers[who].price } else { truth.sellers[who - 6].price });
            let best = (0..=40).map(|k| utility(0.25 * f64::from(k))).fold(f64::MIN, f64::max);
            let trades = who % 6 < 4;
            assert!((best - honest - if trades { 0.5 } else { 0.0 }).abs() < 1e-9, "{who}: {honest} {best}");
        }
    }

    #[test]
    fn no_trade_is_a_result_without_a_price() {
        let nothing = clear(&DoubleAuction::default(), &book(&(&[(1.0, 2.0)], &[(2.0, 1.0)])));
        assert_eq!(nothing, coase_core::auction::Clearing::default());
        let one_sided = clear(&DoubleAuction::default(), &book(&(&[], &[(2.0, 1.0)])));
        assert_eq!(one_sided, coase_core::auction::Clearing::default());
        let wrong = DoubleAuction { kappa: 1.5, ..DoubleAuction::default() };
        assert!(wrong.clear(&book(&UA), &mut RunContext::new(1, ())).is_err());
    }

    #[test]
    fn equal_bids_share_or_queue() {
        let equal = book(&(&[(1.0, 2.0), (1.0, 4.0)], &[(0.5, 3.0)]));
        let bought = |rationing| {
            let found = clear(&DoubleAuction { rationing, ..DoubleAuction::default() }, &equal);
            found.buys.iter().map(|f| f.quantity).collect::<Vec<_>>()
        };
        assert_eq!(bought(Rationing::Priority), [2.0, 1.0]);
        assert_eq!(bought(Rationing::ProRata), [1.0, 2.0]);
        assert_eq!(pro_rata(&[1, 1, 1], 2), [1, 1, 0]);
        assert_eq!(pro_rata(&[2, 1], 5), [2, 1]);
    }
}
