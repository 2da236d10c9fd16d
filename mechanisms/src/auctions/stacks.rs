//! The two stacks of a book in whole numbers: bids by value, asks by cost, and what can be read off them exactly.
//!
//! Ties go to the earlier participant, then to the block that was named first: a priority that is public and that no report
//! changes. Quantities may be shifted by a *phantom* of `Q` units: above 0 a buyer that takes them whatever they cost, below 0
//! a seller that brings them for nothing. See [`Removals`] for what a market is worth without one of its participants.

use super::quanta::{Energy, Money, Price, energy, energy_of, money, price_of, times};
use coase_core::MechanismError;
use coase_core::auction::Fill;
use coase_core::book::{Book, Order};

/// One step of a bid curve, in quanta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Position of the participant.
    pub who: usize,
    /// Price per kWh.
    pub price: Price,
    /// Energy, above 0.
    pub quantity: Energy,
}

/// The bids and asks of a slot, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stacks {
    /// Bids, highest value first.
    pub demand: Vec<Block>,
    /// Asks, lowest cost first.
    pub supply: Vec<Block>,
    /// One more than the greatest position of a participant.
    pub agents: usize,
}

/// A point between blocks of one side: so many blocks are taken whole, and some of the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cut {
    whole: usize,
    part: Energy,
}

/// Where the two stacks cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crossing {
    /// Energy that bidders buy.
    pub bought: Energy,
    /// Energy that bidders sell; `bought` plus the phantom's units.
    pub sold: Energy,
    demand: Cut,
    supply: Cut,
}

impl Stacks {
    /// Counts a book.
    ///
    /// # Errors
    /// A price or quantity that is no number or beyond the exact range.
    pub fn of(book: &Book) -> Result<Self, MechanismError> {
        let mut demand = blocks(&book.buyers)?;
        let mut supply = blocks(&book.sellers)?;
        // Stable: what is named first stays first.
        demand.sort_by(|a, b| b.price.cmp(&a.price).then(a.who.cmp(&b.who)));
        supply.sort_by(|a, b| a.price.cmp(&b.price).then(a.who.cmp(&b.who)));
        let agents = demand.iter().chain(&supply).map(|b| b.who + 1).max().unwrap_or(0);
        Ok(Self { demand, supply, agents })
    }

    /// The greatest trade in which every unit is worth at least what it costs, with a phantom of `phantom` units; `None` where
    /// what bidders offer cannot serve or absorb it.
    pub fn crossing(&self, phantom: Energy) -> Option<Crossing> {
        let demand = cut(&self.demand, (-phantom).max(0))?;
        let supply = cut(&self.supply, phantom.max(0))?;
        let (mut d, mut s) = (demand, supply);
        let (mut bought, mut sold) = ((-phantom).max(0), phantom.max(0));
        while let (Some(bid), Some(ask)) = (self.demand.get(d.whole), self.supply.get(s.whole)) {
            if bid.price < ask.price {
                break;
            }
            let quantity = (bid.quantity - d.part).min(ask.quantity - s.part);
            bought += quantity;
            sold += quantity;
            d = d.on(bid, quantity);
            s = s.on(ask, quantity);
        }
        Some(Crossing { bought, sold, demand: d, supply: s })
    }

    /// The prices at which nobody would trade more or less than at a crossing: `lo` is the greater of the last accepted cost and
    /// the first rejected value, `hi` the lesser of the last accepted value and the first rejected cost. What remains of a split
    /// block is rejected. `None` at an end that nothing bounds.
    pub fn price_interval(&self, at: &Crossing) -> (Option<Price>, Option<Price>) {
        let price = |blocks: &[Block], k: Option<usize>| k.and_then(|k| blocks.get(k)).map(|b| b.price);
        let lo = price(&self.supply, at.supply.last()).max(price(&self.demand, Some(at.demand.whole)));
        let hi = [price(&self.demand, at.demand.last()), price(&self.supply, Some(at.supply.whole))];
        (lo, hi.into_iter().flatten().min())
    }

    /// The first bid and the first ask that are rejected at a crossing, the rest of a split block included.
    pub fn rejected(&self, at: &Crossing) -> (Option<&Block>, Option<&Block>) {
        (self.demand.get(at.demand.whole), self.supply.get(at.supply.whole))
    }

    /// What is taken of each of these blocks if the best `quantity` units are.
    pub fn best(blocks: &[Block], quantity: Energy) -> Vec<(Block, Energy)> {
        let mut left = quantity;
        let mut taken = vec![];
        for block in blocks {
            if left == 0 {
                break;
            }
            let part = block.quantity.min(left);
            left -= part;
            taken.push((*block, part));
        }
        taken
    }
}

impl Crossing {
    /// The last bid and the last ask that are accepted, as positions in the stacks; `None` without trade.
    pub fn marginal(&self) -> Option<(usize, usize)> {
        Some((self.demand.last()?, self.supply.last()?))
    }

    /// Whether part of a block only is taken.
    pub fn splits(&self) -> bool {
        self.demand.part > 0 || self.supply.part > 0
    }
}

impl Cut {
    /// Further on by part of a block.
    fn on(self, block: &Block, quantity: Energy) -> Self {
        let part = self.part + quantity;
        if part == block.quantity { Cut { whole: self.whole + 1, part: 0 } } else { Cut { part, ..self } }
    }

    /// Position of the last block of which something is taken.
    fn last(self) -> Option<usize> {
        if self.part > 0 { Some(self.whole) } else { self.whole.checked_sub(1) }
    }
}

/// The point after so many units; `None` where there are fewer.
fn cut(blocks: &[Block], quantity: Energy) -> Option<Cut> {
    let (mut cut, mut left) = (Cut::default(), quantity);
    while left > 0 {
        let block = blocks.get(cut.whole)?;
        let part = block.quantity.min(left);
        left -= part;
        cut = cut.on(block, part);
    }
    Some(cut)
}

fn blocks(orders: &[Order]) -> Result<Vec<Block>, MechanismError> {
    let mut blocks = Vec::with_capacity(orders.len());
    let mut total = 0.0;
    for order in orders {
        let (price, quantity) = (price_of(order.price)?, energy_of(order.quantity)?);
        total += order.quantity;
        if quantity > 0 {
            blocks.push(Block { who: order.who, price, quantity });
        }
    }
    energy_of(total)?;
    Ok(blocks)
}

/// What each participant trades and for how much, in the order of participants; who trades nothing is left out.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    quantity: Vec<Energy>,
    money: Vec<Money>,
}

impl Account {
    /// Nothing for so many participants.
    pub fn new(agents: usize) -> Self {
        Self { quantity: vec![0; agents], money: vec![0; agents] }
    }

    /// The account of these parts of blocks at one price.
    pub fn at_price(agents: usize, taken: &[(Block, Energy)], price: Price) -> Self {
        let mut account = Self::new(agents);
        for (block, part) in taken {
            account.add(block.who, *part, times(price, *part));
        }
        account
    }

    /// Enters a trade.
    pub fn add(&mut self, who: usize, quantity: Energy, money: Money) {
        self.quantity[who] += quantity;
        self.money[who] += money;
    }

    /// Energy of a participant.
    pub fn quantity(&self, who: usize) -> Energy {
        self.quantity[who]
    }

    /// Money of a participant.
    pub fn money(&self, who: usize) -> Money {
        self.money[who]
    }

    /// As plain numbers.
    pub fn fills(&self) -> Vec<Fill> {
        let traded = |who: &usize| self.quantity[*who] != 0 || self.money[*who] != 0;
        let fill = |who| Fill { who, quantity: energy(self.quantity[who]), money: money(self.money[who]) };
        (0..self.quantity.len()).filter(traded).map(fill).collect()
    }
}

/// Sums of the blocks that are better than a price.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    quantity: Energy,
    worth: Money,
}

impl Sums {
    fn of<'b>(blocks: impl Iterator<Item = &'b Block>) -> Self {
        blocks.fold(Self::default(), Sums::with)
    }

    fn with(self, block: &Block) -> Self {
        Self { quantity: self.quantity + block.quantity, worth: self.worth + times(block.price, block.quantity) }
    }

    fn less(self, other: Self) -> Self {
        Self { quantity: self.quantity - other.quantity, worth: self.worth - other.worth }
    }
}

/// What the market is worth without one of its participants, and what a quantity costs without one of them.
///
/// A market with a phantom of `Q` units is worth `W_Q(N) = max sum_b V_b(x_b) - sum_s C_s(y_s)` with `sum y = sum x + Q`. By
/// duality it is the least value over prices `p` of what everybody gains by trading at `p`, less `p Q`; that sum is convex and
/// bends only at prices of blocks. Without a participant its own gain is taken off, whichever sides it stands on. So one
/// bisection over the sorted prices of all blocks answers, with sums prepared once: `O((B + S) log(B + S))` for everybody.
#[derive(Clone, Debug)]
pub(crate) struct Removals {
    /// Prices of blocks, each once, rising.
    prices: Vec<Price>,
    /// Bids above each price, and the rest of the array one longer: bids at or above `prices[k]` are `above[k]`.
    above: Vec<Sums>,
    /// Asks up to each price: asks at or below `prices[k]` are `below[k + 1]`.
    below: Vec<Sums>,
    demand: ByAgent,
    supply: ByAgent,
}

/// Whose bids and whose asks are not there.
#[derive(Clone, Copy)]
struct Without {
    bids: Option<usize>,
    asks: Option<usize>,
}

/// Blocks of each participant.
#[derive(Clone, Debug)]
struct ByAgent {
    blocks: Vec<Block>,
    from: Vec<usize>,
}

impl ByAgent {
    fn new(stack: &[Block], agents: usize) -> Self {
        let mut from = vec![0; agents + 1];
        for block in stack {
            from[block.who + 1] += 1;
        }
        for who in 0..agents {
            from[who + 1] += from[who];
        }
        let mut blocks = stack.to_vec();
        blocks.sort_by_key(|b| b.who);
        Self { blocks, from }
    }

    fn of(&self, who: Option<usize>) -> &[Block] {
        who.filter(|who| who + 1 < self.from.len()).map_or(&[], |who| &self.blocks[self.from[who]..self.from[who + 1]])
    }
}

impl Removals {
    /// Prepares the sums.
    pub fn new(stacks: &Stacks) -> Self {
        let mut prices: Vec<Price> = stacks.demand.iter().chain(&stacks.supply).map(|b| b.price).collect();
        prices.sort_unstable();
        prices.dedup();
        let mut above = vec![Sums::default(); prices.len() + 1];
        let mut bids = stacks.demand.iter().peekable();
        for k in (0..prices.len()).rev() {
            above[k] = above[k + 1];
            while let Some(bid) = bids.next_if(|bid| bid.price == prices[k]) {
                above[k] = above[k].with(bid);
            }
        }
        let mut below = vec![Sums::default(); prices.len() + 1];
        let mut asks = stacks.supply.iter().peekable();
        for k in 0..prices.len() {
            below[k + 1] = below[k];
            while let Some(ask) = asks.next_if(|ask| ask.price == prices[k]) {
                below[k + 1] = below[k + 1].with(ask);
            }
        }
        let (demand, supply) =
            (ByAgent::new(&stacks.demand, stacks.agents), ByAgent::new(&stacks.supply, stacks.agents));
        Self { prices, above, below, demand, supply }
    }

    /// `W_Q(N)`, or `W_Q(N \ i)` without participant `i`; `None` where the phantom's units cannot be served or absorbed.
    pub fn welfare(&self, without: Option<usize>, phantom: Energy) -> Option<Money> {
        self.worth(Without { bids: without, asks: without }, phantom)
    }

    /// `W_Q(B \ b, S)`: without the bids of a participant, whose asks stay.
    pub fn welfare_without_bids(&self, who: usize, phantom: Energy) -> Option<Money> {
        self.worth(Without { bids: Some(who), asks: None }, phantom)
    }

    /// `W_Q(B, S \ s)`: without the asks of a participant, whose bids stay.
    pub fn welfare_without_asks(&self, who: usize, phantom: Energy) -> Option<Money> {
        self.worth(Without { bids: None, asks: Some(who) }, phantom)
    }

    fn worth(&self, without: Without, phantom: Energy) -> Option<Money> {
        let Some(last) = self.prices.len().checked_sub(1) else {
            return (phantom == 0).then_some(0);
        };
        if self.supply_to(last, without.asks).quantity < phantom
            || -phantom > self.demand_from(0, without.bids).quantity
        {
            return None;
        }
        // The first price above which the sum of gains rises: no less is offered up to it than is asked for beyond it.
        let k = first(self.prices.len(), |k| {
            let beyond = self.demand_from(k + 1, without.bids).quantity;
            self.supply_to(k, without.asks).quantity >= beyond + phantom
        });
        let p = self.prices[k];
        let (bids, asks) = (self.demand_from(k, without.bids), self.supply_to(k, without.asks));
        Some(bids.worth - times(p, bids.quantity) + times(p, asks.quantity) - asks.worth - times(p, phantom))
    }

    /// `C_S(q)`: least cost of `q` units of all that is offered, or of all but participant `s`; `None` where there are fewer.
    pub fn cost(&self, quantity: Energy, without: Option<usize>) -> Option<Money> {
        if quantity == 0 {
            return Some(0);
        }
        let k = first(self.prices.len(), |k| self.supply_to(k, without).quantity >= quantity);
        let p = *self.prices.get(k)?;
        let asks = self.supply_to(k, without);
        Some(asks.worth - times(p, asks.quantity - quantity))
    }

    /// `V_B(q)`: greatest value of `q` units to all who bid, or to all but participant `b`; `None` where fewer are asked for.
    pub fn value(&self, quantity: Energy, without: Option<usize>) -> Option<Money> {
        if quantity == 0 {
            return Some(0);
        }
        // The lowest price at which not enough is asked for is one above the price of the last unit.
        let k = first(self.prices.len() + 1, |k| self.demand_from(k, without).quantity < quantity).checked_sub(1)?;
        let p = self.prices[k];
        let bids = self.demand_from(k, without);
        Some(bids.worth - times(p, bids.quantity - quantity))
    }

    /// Bids at or above a price.
    fn demand_from(&self, k: usize, without: Option<usize>) -> Sums {
        let own = self.demand.of(without);
        if own.is_empty() {
            return self.above[k];
        }
        let price = self.prices.get(k);
        self.above[k].less(Sums::of(own.iter().take_while(|b| price.is_some_and(|p| b.price >= *p))))
    }

    /// Asks at or below a price.
    fn supply_to(&self, k: usize, without: Option<usize>) -> Sums {
        let own = self.supply.of(without);
        if own.is_empty() {
            return self.below[k + 1];
        }
        self.below[k + 1].less(Sums::of(own.iter().take_while(|b| b.price <= self.prices[k])))
    }
}

/// The first of `0..n` that is so, where all after it are; `n` where none is.
fn first(n: usize, is_so: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = usize::midpoint(low, high);
        if is_so(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::super::quanta::{Energy, Money, energy, money, times};
    use super::{Block, Removals, Stacks};
    use crate::auctions::examples::{BL, UA, book};
    use proptest::prelude::*;

    fn stacks(bids: &[(usize, i64, i64)], asks: &[(usize, i64, i64)]) -> Stacks {
        let block = |&(who, price, quantity): &(usize, i64, i64)| Block { who, price, quantity };
        let mut stacks = Stacks {
            demand: bids.iter().map(block).collect(),
            supply: asks.iter().map(block).collect(),
            agents: bids.iter().chain(asks).map(|b| b.0 + 1).max().unwrap_or(0),
        };
        stacks.demand.sort_by(|a, b| b.price.cmp(&a.price).then(a.who.cmp(&b.who)));
        stacks.supply.sort_by(|a, b| a.price.cmp(&b.price).then(a.who.cmp(&b.who)));
        stacks
    }

    /// The same by trying every quantity, one unit at a time.
    fn by_units(stacks: &Stacks, without: Option<usize>) -> (Vec<Money>, Vec<Money>) {
        let sums = |blocks: &[Block]| {
            let mut sums = vec![0];
            for b in blocks.iter().filter(|b| Some(b.who) != without) {
                for _ in 0..b.quantity {
                    sums.push(sums[sums.len() - 1] + times(b.price, 1));
                }
            }
            sums
        };
        (sums(&stacks.demand), sums(&stacks.supply))
    }

    fn welfare_by_units(stacks: &Stacks, without: Option<usize>, phantom: Energy) -> Option<Money> {
        let (value, cost) = by_units(stacks, without);
        let at = |x: usize| {
            let y = usize::try_from(x as i64 + phantom).ok()?;
            Some(value[x] - cost.get(y)?)
        };
        (0..value.len()).filter_map(at).max()
    }

    #[test]
    fn the_canonical_books_are_cleared() {
        let ua = Stacks::of(&book(&UA)).unwrap();
        let at = ua.crossing(0).unwrap();
        assert_eq!(energy(at.bought), 4.0);
        assert_eq!(ua.price_interval(&at), (Some(5_000_000_000), Some(6_000_000_000)));
        assert_eq!(money(Removals::new(&ua).welfare(None, 0).unwrap()), 16.0);
        let bl = Stacks::of(&book(&BL)).unwrap();
        let at = bl.crossing(0).unwrap();
        assert_eq!(energy(at.bought), 9.0);
        assert_eq!(bl.price_interval(&at), (Some(550_000_000), Some(550_000_000)));
        assert_eq!(money(Removals::new(&bl).welfare(None, 0).unwrap()), 3.65);
    }

    #[test]
    fn an_empty_book_is_worth_nothing() {
        let none = stacks(&[], &[]);
        let removals = Removals::new(&none);
        assert_eq!((removals.welfare(None, 0), removals.welfare(None, 1)), (Some(0), None));
        assert_eq!((removals.cost(1, None), removals.value(1, None), removals.cost(0, None)), (None, None, Some(0)));
        assert_eq!(none.price_interval(&none.crossing(0).unwrap()), (None, None));
        let bids = stacks(&[(0, 5, 2)], &[]);
        assert_eq!(Removals::new(&bids).welfare(None, -2), Some(10));
        assert_eq!(Removals::new(&bids).welfare(None, -3), None);
        assert_eq!(bids.crossing(-1).map(|at| (at.bought, at.sold)), Some((1, 0)));
    }

    fn some_blocks() -> impl Strategy<Value = Vec<(usize, i64, i64)>> {
        prop::collection::vec((0..5_usize, -2..8_i64, 1..4_i64), 0..7)
    }

    proptest! {
        /// The dual answers what trying every quantity answers, for everybody who may be missing, on either side or both.
        #[test]
        fn removal_values_are_those_of_trying_every_quantity(bids in some_blocks(), asks in some_blocks(), phantom in -5..6_i64) {
            let stacks = stacks(&bids, &asks);
            let removals = Removals::new(&stacks);
            for without in [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(7)] {
                prop_assert_eq!(removals.welfare(without, phantom), welfare_by_units(&stacks, without, phantom), "without {:?}", without);
                let (value, cost) = by_units(&stacks, without);
                for q in 0..25 {
                    prop_assert_eq!(removals.value(q as i64, without), value.get(q).copied(), "value of {} without {:?}", q, without);
                    prop_assert_eq!(removals.cost(q as i64, without), cost.get(q).copied(), "cost of {} without {:?}", q, without);
                }
            }
        }

        /// The crossing is worth what the dual says, and nobody would trade otherwise at a price of its interval.
        #[test]
        fn the_crossing_is_efficient(bids in some_blocks(), asks in some_blocks(), phantom in -5..6_i64) {
            let stacks = stacks(&bids, &asks);
            let worth = Removals::new(&stacks).welfare(None, phantom);
            let crossing = stacks.crossing(phantom);
            prop_assert_eq!(crossing.is_some(), worth.is_some());
            let Some(at) = crossing else { return Ok(()) };
            prop_assert_eq!(at.sold, at.bought + phantom);
            let sum = |taken: Vec<(Block, Energy)>| taken.iter().map(|(b, q)| times(b.price, *q)).sum::<Money>();
            let found = sum(Stacks::best(&stacks.demand, at.bought)) - sum(Stacks::best(&stacks.supply, at.sold));
            prop_assert_eq!(Some(found), worth);
            if let (Some(lo), Some(hi)) = stacks.price_interval(&at) && phantom == 0 {
                prop_assert!(lo <= hi);
            }
        }
    }
}
