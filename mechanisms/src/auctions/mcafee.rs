//! McAfee's trade reduction: either all efficient trades at a price that none of the traders can move, or all but the last.
//!
//! With `k` efficient trades of units and `p = (v_(k+1) + c_(k+1)) / 2`: if `c_(k) <= p <= v_(k)`, all `k` trade at `p`; otherwise
//! `k - 1` do, buyers pay `v_(k)` and sellers receive `c_(k)`, and the operator keeps the difference. Truthful for units, without
//! deficit, and at most the least valuable trade is lost (McAfee, 1992).
//!
//! Blocks of several sizes are counted by the unit of energy; where that splits a block, or a bidder has several blocks, its own
//! bid may set its price, and the claim is withheld. Reduction then leaves out the two marginal blocks and shares what is short
//! as [`huang`](super::huang) does.

use super::huang::{Shares, reduced};
use super::quanta;
use super::stacks::{Account, Stacks};
use coase_core::auction::{Auction, Clearing, per_slot};
use coase_core::book::Book;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Claim;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All efficient trades at a price set by bids that are not served, or all but the least valuable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mcafee {}

register!(Mcafee, "mcafee", Auction, "gives up the least valuable trade where its bids would set the price",
    claims: [
        Truthful if "every bid is one block, all of one size, on one side, and slots are not coupled by devices" => |_, _| Ok(()),
        IndividuallyRational if "slots are not coupled by devices" => |_, _| Ok(()),
        NoDeficit,
    ],
    needs: [Tariff, NoRequirement], information: Reports, source: "McAfee (1992)");

impl Auction for Mcafee {
    fn clear(&self, book: &Book, _: &mut RunContext) -> Result<Clearing, MechanismError> {
        let stacks = Stacks::of(book)?;
        let withheld: Vec<(Claim, String)> = not_units(&stacks).map(|why| (Claim::Truthful, why)).into_iter().collect();
        let Some(at) = stacks.crossing(0) else { return Ok(Clearing { withheld, ..Clearing::default() }) };
        let Some((last_bid, last_ask)) = at.marginal() else {
            return Ok(Clearing { withheld, ..Clearing::default() });
        };
        if let (Some(bid), Some(ask)) = stacks.rejected(&at)
            && !at.splits()
        {
            // Half a quantum is rounded down, which stays between whole bounds.
            let price = (bid.price + ask.price).div_euclid(2);
            if stacks.supply[last_ask].price <= price && price <= stacks.demand[last_bid].price {
                let fills = |blocks| Account::at_price(stacks.agents, &Stacks::best(blocks, at.bought), price).fills();
                return Ok(Clearing {
                    buys: fills(&stacks.demand),
                    sells: fills(&stacks.supply),
                    price: Some(quanta::price(price)),
                    withheld,
                    ..Clearing::default()
                });
            }
        }
        Ok(Clearing { withheld, ..reduced(&stacks, &at, Shares::EqualReduction) })
    }
}

impl Mechanism for Mcafee {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        per_slot(self, market, ctx)
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }
}

/// Why the bids are no units, if they are not.
fn not_units(stacks: &Stacks) -> Option<String> {
    let all = || stacks.demand.iter().chain(&stacks.supply);
    if let Some(why) = super::several_blocks(stacks, &[&stacks.demand, &stacks.supply]) {
        return Some(why);
    }
    let first = all().next()?.quantity;
    let other = all().find(|b| b.quantity != first)?;
    Some(format!("blocks have several sizes: {} and {} kWh", quanta::energy(first), quanta::energy(other.quantity)))
}

#[cfg(test)]
mod tests {
    use super::Mcafee;
    use crate::auctions::examples::{BL, UA, UB, book, clear, truthful_on_units};
    use coase_core::outcome::Claim;

    #[test]
    fn a_price_between_keeps_all_trades_and_another_costs_one() {
        let all = clear(&Mcafee {}, &book(&UA));
        assert_eq!((all.price, all.buys.len(), all.sells.len()), (Some(5.0), 4, 4));
        assert!(all.buys.iter().chain(&all.sells).all(|f| f.money == 5.0) && all.withheld.is_empty());
        let reduced = clear(&Mcafee {}, &book(&UB));
        assert_eq!((reduced.price, reduced.buys.len(), reduced.sells.len()), (None, 3, 3));
        assert!(reduced.buys.iter().all(|f| f.money == 6.0) && reduced.sells.iter().all(|f| f.money == 5.0));
    }

    /// All profiles of three buyers and three sellers on {0, 1, 2, 3}, every deviation in halves.
    #[test]
    fn no_misreport_of_a_unit_gains_and_no_deficit_remains() {
        truthful_on_units(&Mcafee {}, 3, 3);
    }

    #[test]
    fn a_claim_is_withheld_where_bids_are_no_units() {
        let found = clear(&Mcafee {}, &book(&BL));
        assert_eq!(found.withheld[0].0, Claim::Truthful);
        assert!(found.withheld[0].1.contains("3 and 2 kWh"), "{:?}", found.withheld);
    }

    #[test]
    fn a_single_trade_without_rivals_is_given_up() {
        let found = clear(&Mcafee {}, &book(&(&[(2.0, 1.0)], &[(1.0, 1.0)])));
        assert!(found.buys.is_empty() && found.sells.is_empty() && found.price.is_none());
    }
}
