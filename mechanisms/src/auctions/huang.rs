//! Trade reduction for blocks: the two marginal blocks set the prices and do not trade.
//!
//! With `K` the last accepted bid and `L` the last accepted ask of the efficient trade, only better blocks trade, `T = min(sum of
//! better bids, sum of better asks)`; buyers pay `v_K`, sellers receive `c_L`, and the longer side is cut. Truthful in price for
//! one block each, whatever the sizes; not in quantity, for a rationed bidder gets more by asking for more: sizes have to be
//! verifiable (Huang, Scheller-Wolf and Sycara, 2002).

use super::double_auction::pro_rata;
use super::quanta::{self, Energy, energy};
use super::stacks::{Account, Block, Crossing, Stacks};
use coase_core::auction::{Auction, Clearing, per_slot};
use coase_core::book::Book;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Claim;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Trade reduction with blocks of any size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Huang {
    /// How the longer side is cut.
    pub rationing: Shares,
}

/// How a side that offers more than is traded is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Shares {
    /// Everybody by the same number of kWh, as far as there is something to cut.
    #[default]
    EqualReduction,
    /// Everybody by the same share.
    ProRata,
}

register!(Huang, "huang", Auction, "trade reduction with blocks: the marginal ones set the prices and do not trade",
    claims: [
        Truthful if "in price, one block each on one side, verifiable quantities, and slots not coupled by devices" => |_, _| Ok(()),
        IndividuallyRational if "slots are not coupled by devices" => |_, _| Ok(()),
        NoDeficit,
    ],
    needs: [Tariff, NoRequirement], information: Reports, source: "Huang, Scheller-Wolf and Sycara (2002)");

impl Auction for Huang {
    fn clear(&self, book: &Book, _: &mut RunContext) -> Result<Clearing, MechanismError> {
        let stacks = Stacks::of(book)?;
        let withheld =
            super::several_blocks(&stacks, &[&stacks.demand, &stacks.supply]).map(|why| (Claim::Truthful, why));
        let cleared = stacks.crossing(0).map_or_else(Clearing::default, |at| reduced(&stacks, &at, self.rationing));
        Ok(Clearing { withheld: withheld.into_iter().collect(), ..cleared })
    }
}

impl Mechanism for Huang {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        per_slot(self, market, ctx)
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }
}

/// The trade of all blocks that are better than the marginal ones, at the prices of these.
pub(super) fn reduced(stacks: &Stacks, at: &Crossing, shares: Shares) -> Clearing {
    let Some((last_bid, last_ask)) = at.marginal() else { return Clearing::default() };
    let (bids, asks) = (&stacks.demand[..last_bid], &stacks.supply[..last_ask]);
    let total = |blocks: &[Block]| blocks.iter().map(|b| b.quantity).sum::<Energy>();
    let traded = total(bids).min(total(asks));
    if traded == 0 {
        return Clearing::default();
    }
    let (pays, receives) = (stacks.demand[last_bid].price, stacks.supply[last_ask].price);
    let fills = |blocks: &[Block], price| {
        // Who gets a unit that does not divide depends on no report.
        let mut blocks = blocks.to_vec();
        blocks.sort_by_key(|b| b.who);
        let sizes: Vec<Energy> = blocks.iter().map(|b| b.quantity).collect();
        let parts = match shares {
            Shares::EqualReduction => equally_reduced(&sizes, traded),
            Shares::ProRata => pro_rata(&sizes, traded),
        };
        let taken: Vec<(Block, Energy)> = blocks.iter().copied().zip(parts).collect();
        Account::at_price(stacks.agents, &taken, price).fills()
    };
    Clearing {
        buys: fills(bids, pays),
        sells: fills(asks, receives),
        price: (pays == receives).then(|| quanta::price(pays)),
        ..Clearing::default()
    }
}

/// Sizes less the same number of units each, none below 0, so that they sum to a quantity; units that do not divide are cut from
/// the later.
fn equally_reduced(sizes: &[Energy], quantity: Energy) -> Vec<Energy> {
    let excess = sizes.iter().sum::<Energy>() - quantity;
    if excess <= 0 {
        return sizes.to_vec();
    }
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|k| sizes[*k]);
    let mut parts = sizes.to_vec();
    let (mut left, mut remaining) = (excess, sizes.len() as Energy);
    // The small ones are cut to nothing before the others share what is left.
    for k in &order {
        if sizes[*k] * remaining > left {
            break;
        }
        parts[*k] = 0;
        left -= sizes[*k];
        remaining -= 1;
    }
    if remaining > 0 {
        let (each, mut odd) = (left / remaining, left % remaining);
        for k in (0..sizes.len()).rev().filter(|k| parts[*k] > 0).collect::<Vec<_>>() {
            parts[k] -= each + Energy::from(odd > 0);
            odd -= Energy::from(odd > 0);
        }
    }
    debug_assert!(parts.iter().sum::<Energy>() == quantity, "{} are traded", energy(quantity));
    parts
}

#[cfg(test)]
mod tests {
    use super::{Huang, Shares, equally_reduced};
    use crate::auctions::examples::{BL, book, clear, utility, with_price};
    use coase_core::auction::Fill;
    use proptest::prelude::*;

    #[test]
    fn the_marginal_blocks_set_the_prices() {
        for (rationing, sold) in [(Shares::EqualReduction, [2.0, 1.0, 2.0]), (Shares::ProRata, [1.875, 1.25, 1.875])] {
            let found = clear(&Huang { rationing }, &book(&BL));
            let quantities = |fills: &[Fill]| fills.iter().map(|f| f.quantity).collect::<Vec<_>>();
            assert_eq!(quantities(&found.buys), [3.0, 2.0]);
            assert_eq!(quantities(&found.sells), sold);
            assert!(found.buys.iter().all(|f| (f.money - 0.6 * f.quantity).abs() < 1e-12));
            assert!(found.sells.iter().all(|f| (f.money - 0.55 * f.quantity).abs() < 1e-12));
            let surplus: f64 =
                found.buys.iter().map(|f| f.money).sum::<f64>() - found.sells.iter().map(|f| f.money).sum::<f64>();
            assert!((surplus - 0.25).abs() < 1e-12, "{surplus}");
        }
    }

    /// A rationed seller sells more by claiming more: why quantities have to be verifiable.
    #[test]
    fn claiming_more_than_one_has_gains() {
        let truth = book(&BL);
        let mut said = truth.clone();
        said.sellers[0].quantity = 6.0;
        let sold = |book| clear(&Huang::default(), book).sells[0].quantity;
        assert!(sold(&said) > sold(&truth));
    }

    proptest! {
        #[test]
        fn everybody_is_cut_by_the_same_or_to_nothing(sizes in prop::collection::vec(1..50_i64, 1..8), share in 0.0..1.0_f64) {
            let quantity = (share * sizes.iter().sum::<i64>() as f64) as i64;
            let parts = equally_reduced(&sizes, quantity);
            prop_assert_eq!(parts.iter().sum::<i64>(), quantity);
            let cuts: Vec<i64> = sizes.iter().zip(&parts).map(|(s, p)| s - p).collect();
            let most = cuts.iter().max().copied().unwrap_or(0);
            for (part, cut) in parts.iter().zip(&cuts) {
                prop_assert!(*part >= 0 && (most - cut <= 1 || *part == 0), "{:?} {:?}", sizes, parts);
            }
        }

        /// One block each: no price gains, and the operator never loses.
        #[test]
        fn no_misreport_of_a_price_gains(
            bids in prop::collection::vec((0..10_u8, 1..4_u8), 1..5),
            asks in prop::collection::vec((0..10_u8, 1..4_u8), 1..5),
            said in 0..21_u8,
            pro_rata in any::<bool>(),
        ) {
            let of = |blocks: &[(u8, u8)]| -> Vec<(f64, f64)> { blocks.iter().map(|(p, q)| (f64::from(*p), f64::from(*q))).collect() };
            let (bids, asks) = (of(&bids), of(&asks));
            let rule = Huang { rationing: if pro_rata { Shares::ProRata } else { Shares::EqualReduction } };
            let truth = crate::auctions::examples::book_of(&bids, &asks);
            let honest = clear(&rule, &truth);
            let budget: f64 = honest.buys.iter().map(|f| f.money).sum::<f64>() - honest.sells.iter().map(|f| f.money).sum::<f64>();
            prop_assert!(budget >= -1e-9);
            for who in 0..bids.len() + asks.len() {
                let before = utility(&truth, &honest, who);
                prop_assert!(before >= -1e-9);
                let after = utility(&truth, &clear(&rule, &with_price(&truth, who, f64::from(said) / 2.0)), who);
                prop_assert!(after <= before + 1e-9, "{} gains {}", who, after - before);
            }
        }
    }
}
