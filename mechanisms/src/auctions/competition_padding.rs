//! The competition padding auction: trade is kept so small that those who do trade compete with those who do not.
//!
//! With a phantom buyer of `Q` units ([`PaddedSide::PhantomBuyer`]) the padded market decides what buyers get, `X` in all:
//! `W_Q(B, S) = max sum_b V_b(x_b) - C_S(sum_b x_b + Q)`. Each pays what the others lose in it, `t_b = W_Q(B \ b, S) - (W_Q(B, S) - V_b(x_b))`.
//! Sellers then deliver `X` at least cost, and each receives what it saves, `r_s = C_(S \ s)(X) - (C_S(X) - c_s z_s)`. The phantom's
//! units are never produced. The mirror has a phantom seller: sellers of any convex cost come first, buyers of one block each
//! second.
//!
//! The first side is truthful for any concave values. The second is for one block each, of verifiable size, if `Q` is no less than
//! any of them; the operator has no deficit if `Q >= k + d - quantum`, `k` and `d` the largest seller's and buyer's size and
//! `quantum` the unit that all quantities are multiples of. Where a condition fails the claim is withheld. Sizes are registered
//! ratings, not reports: what is offered beyond its rating is cut. The surplus stays with the operator (in a consortium, with
//! those who validate); a rebate that depends on what its receiver reports would undo truthfulness (after Chu and Shen, 2008, and
//! Chu, 2009; the two-stage payments are our reconstruction).

use super::quanta::{Energy, Money, energy, energy_of, times};
use super::stacks::{Account, Block, Removals, Stacks};
use super::vcg_blocks::one_price;
use coase_core::auction::{Auction, Clearing, per_slot, position};
use coase_core::book::Book;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Claim;
use coase_core::setting::Role;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// One side competes with a phantom; the other then serves what the first side trades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CompetitionPadding {
    /// Which side the phantom stands on: where members have one price each, they should be the second side.
    pub side: PaddedSide,
    /// The phantom's energy in a slot, kWh: a number, or `Auto`.
    #[schemars(extend("minimum" = 0, "maximum" = 1_000_000_000))]
    pub padding_kwh: Padding,
    /// All quantities are multiples of this, kWh; 0 where they are not.
    #[schemars(range(min = 0))]
    pub quantum_kwh: f64,
}

/// Where the phantom stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PaddedSide {
    /// Among the buyers: they come first and may have any concave values; sellers have one block each.
    #[default]
    PhantomBuyer,
    /// Among the sellers: they come first and may have any convex costs; buyers have one block each.
    PhantomSeller,
}

/// How large the phantom is: a number of kWh, or `Auto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Padding {
    /// The highest rating of a seller plus the highest of a buyer, less the quantum: the least that leaves no deficit.
    #[default]
    #[serde(serialize_with = "as_a_word")]
    #[schemars(with = "Word")]
    Auto,
    /// So many kWh.
    Kwh(f64),
}

/// The word that stands for a rule.
#[derive(Serialize, JsonSchema)]
enum Word {
    Auto,
}

fn as_a_word<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    Word::Auto.serialize(serializer)
}

impl<'de> Deserialize<'de> for Padding {
    /// A number is one; there is a single word, and a format that tells words from texts hands on that there was one.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrNumber;

        impl Visitor<'_> for WordOrNumber {
            type Value = Padding;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`Auto` or a number of kWh")
            }

            fn visit_f64<E: de::Error>(self, kwh: f64) -> Result<Padding, E> {
                Ok(Padding::Kwh(kwh))
            }

            fn visit_i64<E: de::Error>(self, kwh: i64) -> Result<Padding, E> {
                Ok(Padding::Kwh(kwh as f64))
            }

            fn visit_u64<E: de::Error>(self, kwh: u64) -> Result<Padding, E> {
                Ok(Padding::Kwh(kwh as f64))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Padding, E> {
                Ok(Padding::Auto)
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Padding, E> {
                if word == "Auto" { Ok(Padding::Auto) } else { Err(E::unknown_variant(word, &["Auto"])) }
            }
        }

        deserializer.deserialize_any(WordOrNumber)
    }
}

register!(CompetitionPadding, "competition-padding", Auction, "one side competes with a phantom, the other serves what it trades",
    claims: [
        Truthful if "the second side has one block each of verifiable size, the padding is no less than any of them, and slots are not coupled by devices" => |_, _| Ok(()),
        IndividuallyRational if "slots are not coupled by devices" => |_, _| Ok(()),
        NoDeficit if "the padding is at least the largest seller's plus the largest buyer's size less the quantum" => |_, _| Ok(()),
    ],
    needs: [Tariff, NoRequirement], information: Reports, source: "after Chu and Shen (2008) and Chu (2009); a reconstruction");

impl Auction for CompetitionPadding {
    fn clear(&self, book: &Book, _: &mut RunContext) -> Result<Clearing, MechanismError> {
        let ratings = Ratings::of(book)?;
        let quantum = self.quantum()?;
        let enough = (ratings.seller + ratings.buyer - quantum).max(0);
        let padding = match self.padding_kwh {
            Padding::Auto => enough,
            Padding::Kwh(kwh) => {
                let expected = "Auto, or a number of kWh from 0 to 1e9";
                energy_of(kwh).map_err(|_| wrong("padding_kwh", kwh, expected))?
            }
        };
        let stacks = Stacks::of(&ratings.cut(book))?;
        let second = match self.side {
            PaddedSide::PhantomBuyer => Second::Sellers,
            PaddedSide::PhantomSeller => Second::Buyers,
        };
        let mut withheld = vec![];
        let largest = ratings.of_second(second);
        if let Some(why) = second.not_truthful(&stacks).or_else(|| too_small(padding, largest)) {
            withheld.push((Claim::Truthful, why));
        }
        if let Some(why) = deficit(&stacks, padding, enough, quantum) {
            withheld.push((Claim::NoDeficit, why));
        }
        let cleared = second.clear(&stacks, padding)?.unwrap_or_default();
        Ok(Clearing { withheld, ..cleared })
    }
}

impl CompetitionPadding {
    fn quantum(&self) -> Result<Energy, MechanismError> {
        energy_of(self.quantum_kwh).map_err(|_| wrong("quantum_kwh", self.quantum_kwh, "a number of kWh from 0 to 1e9"))
    }
}

impl Mechanism for CompetitionPadding {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        per_slot(self, market, ctx)
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }
}

fn wrong(name: &'static str, value: f64, expected: &'static str) -> MechanismError {
    MechanismError::Parameter { name, value: value.to_string(), expected }
}

/// Registered sizes.
struct Ratings {
    of: Vec<Option<Energy>>,
    /// The largest seller.
    seller: Energy,
    /// The largest buyer.
    buyer: Energy,
}

impl Ratings {
    /// The ratings of a book; of a participant that has none, the sum of what it bids.
    fn of(book: &Book) -> Result<Self, MechanismError> {
        let rating = |kwh: &f64| if kwh.is_finite() { energy_of(*kwh).map(Some) } else { Ok(None) };
        let of: Vec<Option<Energy>> = book.rating_kwh.iter().map(rating).collect::<Result<_, _>>()?;
        let mut ratings = Self { of, seller: 0, buyer: 0 };
        let stacks = Stacks::of(book)?;
        let mut sides = [vec![0; stacks.agents], vec![0; stacks.agents]];
        for (side, blocks) in sides.iter_mut().zip([&stacks.supply, &stacks.demand]) {
            for block in blocks {
                side[block.who] += block.quantity;
            }
        }
        for who in 0..stacks.agents.max(book.rating_kwh.len()) {
            let bid = |side: &Vec<Energy>| side.get(who).copied().unwrap_or(0);
            let registered = ratings.of.get(who).copied().flatten();
            // Who stands on which side is public where roles are; who is idle may stand on both.
            let role = book.roles.get(who).copied();
            let size = |bid: Energy, other: Role| match role {
                Some(role) if role == other => 0,
                None if bid == 0 => 0,
                _ => registered.unwrap_or(bid),
            };
            ratings.seller = ratings.seller.max(size(bid(&sides[0]), Role::Buyer));
            ratings.buyer = ratings.buyer.max(size(bid(&sides[1]), Role::Seller));
        }
        Ok(ratings)
    }

    fn of_second(&self, second: Second) -> Energy {
        match second {
            Second::Sellers => self.seller,
            Second::Buyers => self.buyer,
        }
    }

    /// The book without what is bid beyond a rating, the last blocks of a participant first.
    fn cut(&self, book: &Book) -> Book {
        let mut book = book.clone();
        book.sort();
        for side in [&mut book.buyers, &mut book.sellers] {
            let mut left: Vec<f64> = self.of.iter().map(|r| r.map_or(f64::INFINITY, energy)).collect();
            for order in side.iter_mut() {
                if let Some(left) = left.get_mut(order.who) {
                    order.quantity = order.quantity.min(*left);
                    *left -= order.quantity;
                }
            }
        }
        book
    }
}

/// Which side is served second.
#[derive(Clone, Copy)]
enum Second {
    Sellers,
    Buyers,
}

impl Second {
    /// Why somebody on the second side might gain by a misreport, whatever the padding.
    fn not_truthful(self, stacks: &Stacks) -> Option<String> {
        let (mine, other) = match self {
            Second::Sellers => (&stacks.supply, &stacks.demand),
            Second::Buyers => (&stacks.demand, &stacks.supply),
        };
        let both = || {
            let mut stands = vec![false; stacks.agents];
            for block in other {
                stands[block.who] = true;
            }
            let who = mine.iter().find(|b| stands[b.who])?.who;
            Some(format!("{} stands on both sides", position(who)))
        };
        super::several_blocks(stacks, &[mine]).map(|why| format!("on the second side {why}")).or_else(both)
    }

    /// Quantities and payments; `None` where what is bid cannot serve or absorb the phantom.
    fn clear(self, stacks: &Stacks, padding: Energy) -> Result<Option<Clearing>, MechanismError> {
        let removals = Removals::new(stacks);
        let phantom = match self {
            Second::Sellers => padding,
            Second::Buyers => -padding,
        };
        let (Some(at), Some(worth)) = (stacks.crossing(phantom), removals.welfare(None, phantom)) else {
            return Ok(None);
        };
        // What is really traded: the phantom's units are neither produced nor used.
        let traded = match self {
            Second::Sellers => at.bought,
            Second::Buyers => at.sold,
        };
        let own = |blocks: &[Block]| {
            let mut account = Account::new(stacks.agents);
            for (block, part) in Stacks::best(blocks, traded) {
                account.add(block.who, part, times(block.price, part));
            }
            account
        };
        let (value, cost) = (own(&stacks.demand), own(&stacks.supply));
        let short =
            || wrong("padding_kwh", energy(padding), "at least what any member of the second side bids, or `Auto`");
        let none = || MechanismError::Failed("a padded market without one of its first side has no outcome".into());
        let all = match self {
            Second::Sellers => removals.cost(traded, None),
            Second::Buyers => removals.value(traded, None),
        }
        .ok_or_else(short)?;
        let (mut buys, mut sells) = (Account::new(stacks.agents), Account::new(stacks.agents));
        for who in 0..stacks.agents {
            let (bought, sold) = (value.quantity(who), cost.quantity(who));
            if bought > 0 {
                let pays: Money = match self {
                    Second::Sellers => {
                        removals.welfare_without_bids(who, phantom).ok_or_else(none)? - (worth - value.money(who))
                    }
                    Second::Buyers => removals.value(traded, Some(who)).ok_or_else(short)? - (all - value.money(who)),
                };
                buys.add(who, bought, pays);
            }
            if sold > 0 {
                let receives: Money = match self {
                    Second::Sellers => removals.cost(traded, Some(who)).ok_or_else(short)? - (all - cost.money(who)),
                    Second::Buyers => {
                        worth + cost.money(who) - removals.welfare_without_asks(who, phantom).ok_or_else(none)?
                    }
                };
                sells.add(who, sold, receives);
            }
        }
        let mut clearing = Clearing { buys: buys.fills(), sells: sells.fills(), ..Clearing::default() };
        clearing.price = one_price(&clearing);
        Ok(Some(clearing))
    }
}

fn too_small(padding: Energy, largest: Energy) -> Option<String> {
    (padding < largest).then(|| {
        format!(
            "the padding of {} kWh is below the size of {} kWh on the second side",
            energy(padding),
            energy(largest)
        )
    })
}

fn deficit(stacks: &Stacks, padding: Energy, enough: Energy, quantum: Energy) -> Option<String> {
    if padding < enough {
        return Some(format!("the padding of {} kWh is below {} kWh", energy(padding), energy(enough)));
    }
    let odd = stacks.demand.iter().chain(&stacks.supply).find(|b| quantum > 0 && b.quantity % quantum != 0)?;
    Some(format!("a block of {} kWh is no multiple of the quantum", energy(odd.quantity)))
}

#[cfg(test)]
mod tests {
    use super::{CompetitionPadding, PaddedSide, Padding};
    use crate::auctions::examples::{BL, UA, UB, book, book_of, clear, truthful_on_units, utility};
    use coase_core::RunContext;
    use coase_core::auction::{Auction, Clearing, Fill};
    use coase_core::book::{Book, Order};
    use coase_core::outcome::Claim;
    use proptest::prelude::*;

    fn rule(side: PaddedSide, kwh: f64) -> CompetitionPadding {
        CompetitionPadding { side, padding_kwh: Padding::Kwh(kwh), quantum_kwh: 1.0 }
    }

    fn money(fills: &[Fill]) -> Vec<f64> {
        fills.iter().map(|f| f.money).collect()
    }

    fn surplus(found: &Clearing) -> f64 {
        money(&found.buys).iter().sum::<f64>() - money(&found.sells).iter().sum::<f64>()
    }

    fn assert_money(fills: &[Fill], expected: &[f64]) {
        assert_eq!(fills.len(), expected.len(), "{fills:?}");
        assert!(fills.iter().zip(expected).all(|(f, e)| (f.money - e).abs() < 1e-12), "{fills:?} {expected:?}");
    }

    use PaddedSide::{PhantomBuyer, PhantomSeller};

    #[test]
    fn units_trade_as_computed_by_hand() {
        for bids in [UA, UB] {
            for (side, padding, trades, pays, receives) in
                [(PhantomBuyer, 1.0, 4, 6.0, 6.0), (PhantomBuyer, 2.0, 3, 6.0, 5.0), (PhantomSeller, 1.0, 3, 6.0, 5.0)]
            {
                let found = clear(&rule(side, padding), &book(&bids));
                assert_money(&found.buys, &vec![pays; trades]);
                assert_money(&found.sells, &vec![receives; trades]);
            }
        }
        for (bids, sells) in [(UA, vec![4.0; 3]), (UB, vec![4.0; 2])] {
            let found = clear(&rule(PhantomSeller, 2.0), &book(&bids));
            assert_money(&found.sells, &sells);
            assert_eq!(surplus(&found), 6.0);
        }
        // The least padding of units of one kWh is one.
        let auto = CompetitionPadding { quantum_kwh: 1.0, ..CompetitionPadding::default() };
        assert_eq!(clear(&auto, &book(&UA)), clear(&rule(PhantomBuyer, 1.0), &book(&UA)));
        assert_eq!(clear(&auto, &book(&UA)).price, Some(6.0));
    }

    #[test]
    fn blocks_trade_as_computed_by_hand() {
        let found = clear(&rule(PhantomBuyer, 6.0), &book(&BL));
        assert_money(&found.buys, &[1.9, 1.3]);
        assert_money(&found.sells, &[1.5, 1.0]);
        assert!(found.withheld.is_empty(), "{:?}", found.withheld);
        let found = clear(&rule(PhantomSeller, 6.0), &book(&BL));
        assert_money(&found.buys, &[1.8, 1.2]);
        assert_money(&found.sells, &[1.4, 0.9]);
        // Below the guarantee.
        let found = clear(&rule(PhantomBuyer, 3.0), &book(&BL));
        assert_money(&found.buys, &[1.75, 1.2, 1.1]);
        assert_money(&found.sells, &[1.6, 1.05, 1.1]);
        assert_eq!(found.withheld.iter().map(|w| w.0).collect::<Vec<_>>(), [Claim::NoDeficit]);
    }

    /// One buyer of ten, 24 sellers of one: a padding of the largest seller alone leaves a deficit.
    #[test]
    fn a_padding_without_the_buyers_size_runs_a_deficit() {
        let asks: Vec<(f64, f64)> = (1..=24).map(|c| (f64::from(c), 1.0)).collect();
        let truth = book_of(&[(100.0, 10.0)], &asks);
        for (padding, pays, receives, withheld) in [(1.0, 65.0, 110.0, 1), (10.0, 155.0, 110.0, 0)] {
            let found = clear(&rule(PhantomBuyer, padding), &truth);
            assert_money(&found.buys, &[pays]);
            assert!((money(&found.sells).iter().sum::<f64>() - receives).abs() < 1e-9);
            assert_eq!(found.withheld.len(), withheld);
        }
    }

    /// A seller with two blocks on the second side gains 2, and the claim is withheld.
    #[test]
    fn rising_costs_on_the_second_side_can_be_misreported() {
        let with = |second: f64| {
            let mut book = book_of(&[(8.0, 1.0), (6.5, 1.0)], &[(4.0, 1.0), (3.0, 1.0), (6.0, 1.0), (8.0, 1.0)]);
            book.sellers.push(Order { who: 2, price: second, quantity: 1.0 });
            book.rating_kwh[2] = 2.0;
            book.sort();
            book
        };
        let truth = with(10.0);
        let honest = clear(&rule(PhantomBuyer, 2.0), &truth);
        assert_eq!((utility(&truth, &honest, 2), money(&honest.buys)), (0.0, vec![6.5]));
        assert_eq!(honest.withheld[0].0, Claim::Truthful);
        for said in [5.0, 4.0] {
            let found = clear(&rule(PhantomBuyer, 2.0), &with(said));
            assert!((utility(&truth, &found, 2) - 2.0).abs() < 1e-12);
        }
    }

    /// Without a rating that holds it back a seller gains by claiming more than it has; with it, what is too much is cut.
    #[test]
    fn capacity_beyond_the_rating_is_cut() {
        let with = |size: f64, rating: f64| {
            let mut book = book_of(&[(8.0, 1.0), (7.0, 1.0)], &[(5.0, size), (2.0, 1.0), (7.0, 1.0)]);
            book.rating_kwh[2] = rating;
            book
        };
        let (truth, auction) = (with(1.0, 1.0), rule(PhantomBuyer, 2.0));
        assert_eq!(utility(&truth, &clear(&auction, &truth), 2), 0.0);
        let unverified = clear(&auction, &with(2.0, 2.0));
        assert!((utility(&truth, &unverified, 2) - 2.0).abs() < 1e-12);
        assert_eq!(clear(&auction, &with(2.0, 1.0)), clear(&auction, &truth));
    }

    /// All 1024 profiles of three buyers and two sellers, and of two and three.
    #[test]
    fn no_misreport_of_a_unit_gains_and_no_deficit_remains() {
        for side in [PhantomBuyer, PhantomSeller] {
            let auto = CompetitionPadding { side, padding_kwh: Padding::default(), quantum_kwh: 1.0 };
            truthful_on_units(&auto, 3, 2);
            truthful_on_units(&auto, 2, 3);
        }
    }

    /// `v_i = 1 - (i - 1/2)/N`, `c_j = (j - 1/2)/N`: the relative loss is `(2 floor(Q/2) / N)^2`.
    #[test]
    fn the_loss_falls_with_the_square_of_the_size() {
        for n in [10_u32, 20, 40, 80, 160] {
            let of = |k: u32| (f64::from(k) + 0.5) / f64::from(n);
            let bids: Vec<(f64, f64)> = (0..n).map(|k| (1.0 - of(k), 1.0)).collect();
            let asks: Vec<(f64, f64)> = (0..n).map(|k| (of(k), 1.0)).collect();
            let truth = book_of(&bids, &asks);
            let welfare = |padding: f64| {
                let found = clear(&rule(PhantomBuyer, padding), &truth);
                let value: f64 = found.buys.iter().map(|f| bids[f.who].0).sum();
                value - found.sells.iter().map(|f| asks[f.who - bids.len()].0).sum::<f64>()
            };
            for padding in [1.0, 2.0, 4.0] {
                let loss = 1.0 - welfare(padding) / welfare(0.0);
                let expected = (2.0 * (padding / 2.0_f64).floor() / f64::from(n)).powi(2);
                assert!((loss - expected).abs() < 1e-9, "{n} {padding}: {loss} {expected}");
            }
        }
    }

    #[test]
    fn padding_that_cannot_be_met_leaves_no_market() {
        let found = clear(&rule(PhantomBuyer, 20.0), &book(&BL));
        assert!(found.buys.is_empty() && found.sells.is_empty() && found.price.is_none());
        for wrong in [rule(PhantomBuyer, -1.0), rule(PhantomBuyer, f64::NAN)] {
            let error = wrong.clear(&book(&BL), &mut RunContext::new(1, ())).unwrap_err();
            assert!(error.to_string().contains("padding_kwh"), "{error}");
        }
    }

    fn of(blocks: &[(u8, u8)]) -> Vec<(f64, f64)> {
        blocks.iter().map(|(p, q)| (f64::from(*p), f64::from(*q))).collect()
    }

    /// A first side of three falling blocks each, a second side of one block each.
    fn mixed(side: PaddedSide, first: &[[u8; 3]], second: &[(u8, u8)]) -> Book {
        let one: Vec<(f64, f64)> = of(second);
        let several = |k: usize, prices: &[u8; 3]| {
            let mut prices = prices.map(f64::from);
            prices.sort_by(f64::total_cmp);
            if side == PhantomBuyer {
                prices.reverse();
            }
            prices.map(|price| Order { who: k, price, quantity: 1.0 })
        };
        let first: Vec<Order> = first.iter().enumerate().flat_map(|(k, p)| several(one.len() + k, p)).collect();
        let mut book = if side == PhantomBuyer { book_of(&[], &one) } else { book_of(&one, &[]) };
        let agents = one.len() + first.len() / 3;
        book.rating_kwh.resize(agents, 3.0);
        let role =
            if side == PhantomBuyer { coase_core::setting::Role::Buyer } else { coase_core::setting::Role::Seller };
        book.roles.resize(agents, role);
        if side == PhantomBuyer {
            book.buyers = first;
        } else {
            book.sellers = first;
        }
        book.sort();
        book
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        /// Concave values first, one block each second: prices and quantities of the first side, prices of the second.
        #[test]
        fn no_misreport_gains_under_the_conditions(
            first in prop::collection::vec(prop::array::uniform3(0..9_u8), 1..4),
            second in prop::collection::vec((0..9_u8, 1..4_u8), 1..5),
            mirror in any::<bool>(),
            said in prop::array::uniform3(0..9_u8),
            who in 0..8_usize,
        ) {
            let side = if mirror { PhantomSeller } else { PhantomBuyer };
            let auction = CompetitionPadding { side, padding_kwh: Padding::default(), quantum_kwh: 1.0 };
            let truth = mixed(side, &first, &second);
            let honest = clear(&auction, &truth);
            prop_assert!(honest.withheld.is_empty(), "{:?}", honest.withheld);
            prop_assert!(surplus(&honest) >= -1e-9);
            let who = who % (first.len() + second.len());
            let (mut first, mut second) = (first, second);
            if who < second.len() { second[who].0 = said[0] } else { first[who - second.len()] = said }
            let after = clear(&auction, &mixed(side, &first, &second));
            let before = utility(&truth, &honest, who);
            prop_assert!(before >= -1e-9);
            prop_assert!(utility(&truth, &after, who) <= before + 1e-9, "{} gains", who);
        }
    }
}
