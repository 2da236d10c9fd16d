//! The iterative double auction: bidders answer a clearing rule that knows neither their values nor their costs.
//!
//! Buyer `i` names what it would pay seller `j` in all, `b_ij`, seller `j` how steeply its reserve rises, `s_ij`. The auctioneer
//! allocates `max sum_ij (b_ij ln x_ij - s_ij x_ij^2 / 2)` within what everybody can take and give, `sum_j x_ij <= D_i` (price
//! `lambda_i`) and `sum_i x_ij <= K_j` (price `mu_j`), so that `b_ij / x_ij = s_ij x_ij + lambda_i + mu_j`. Price takers answer `b_ij = x_ij
//! U_i'(X_i)` and `s_ij = C_j'(Y_j) / x_ij`. Where nobody moves any more, `U_i' - lambda_i = C_j' + mu_j`: the greatest sum of values
//! less costs. Without binding limits a round is `x_ij <- x_ij sqrt(U_i' / C_j')`. Bidders that see their influence would answer
//! otherwise: the rule is not truthful (the price-taking design of Iosifidis and Koutsopoulos, 2010, here for pairs).
//!
//! Several goods are exchanged side by side, each with prices of its own; a bidder's marginal value of one may depend on what it
//! has of all.
//!
//! Of bids in blocks the marginal value is taken to fall in straight lines between the middles of the blocks. What two trade is
//! paid at the mean of `U_i' - lambda_i` and `C_j' + mu_j`, which agree at the end, so that money stays among traders. Prices enter
//! by their ratio: they are counted from a level below all of them, which changes no allocation.

use super::quanta::{energy, energy_of, price, price_of, times};
use super::stacks::{Account, Stacks};
use super::vcg_blocks::one_price;
use coase_core::auction::{Auction, Clearing, Match, per_slot};
use coase_core::book::{Book, Order};
use coase_core::mechanism::Mechanism;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bidders who answer the auctioneer's allocation until nobody moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IterativeDoubleAuction {
    /// How much of the former allocation is kept in a round: 0 none, towards 1 nearly all.
    #[schemars(range(min = 0, max = 0.99))]
    pub damping: f64,
    /// Rounds after which it stops without an answer.
    #[schemars(range(min = 1))]
    pub max_rounds: usize,
    /// Greatest loss, as a share of the greatest worth of all trade, at which it has converged.
    #[schemars(range(min = 0))]
    pub tolerance: f64,
}

impl Default for IterativeDoubleAuction {
    fn default() -> Self {
        Self { damping: 0.0, max_rounds: 3000, tolerance: 1e-6 }
    }
}

register!(IterativeDoubleAuction, "iterative-double-auction", Auction, "price takers answer an allocation until nobody moves",
    claims: [BudgetBalanced],
    needs: [Tariff, NoRequirement], information: Prices, source: "after Iosifidis and Koutsopoulos (2010)");

/// A bidder as the iteration sees it.
pub(crate) trait Bidder {
    /// Marginal value, or marginal cost, of each good at these quantities; above 0.
    fn marginal(&self, quantity: &[f64], good: usize) -> f64;

    /// The most of a good that it can take or give.
    fn limit(&self, good: usize) -> f64 {
        let _ = good;
        f64::INFINITY
    }
}

/// Quantities between buyers and sellers, one matrix a good, and the prices of limits.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// `x[good][i * sellers + j]`.
    x: Vec<Vec<f64>>,
    /// Price of a buyer's limit, by good.
    lambda: Vec<Vec<f64>>,
    /// Price of a seller's limit, by good.
    mu: Vec<Vec<f64>>,
    buyers: usize,
    sellers: usize,
}

/// A quantity below this is none: a product of small factors never ends.
const FLOOR: f64 = 1e-12;

impl Exchange {
    /// Everybody trades as much with everybody.
    pub fn new(buyers: usize, sellers: usize, goods: usize, each: f64) -> Self {
        Self {
            x: vec![vec![each; buyers * sellers]; goods],
            lambda: vec![vec![0.0; buyers]; goods],
            mu: vec![vec![0.0; sellers]; goods],
            buyers,
            sellers,
        }
    }

    /// Bought of each good.
    pub fn bought(&self, buyer: usize) -> Vec<f64> {
        self.x.iter().map(|x| x[buyer * self.sellers..(buyer + 1) * self.sellers].iter().sum()).collect()
    }

    /// Sold of each good.
    pub fn sold(&self, seller: usize) -> Vec<f64> {
        self.x.iter().map(|x| x.iter().skip(seller).step_by(self.sellers).sum()).collect()
    }

    /// One round: everybody answers, the auctioneer allocates. Returns the greatest relative change.
    pub fn round(&mut self, buyers: &[&dyn Bidder], sellers: &[&dyn Bidder], damping: f64) -> f64 {
        let bought: Vec<Vec<f64>> = (0..self.buyers).map(|i| self.bought(i)).collect();
        let sold: Vec<Vec<f64>> = (0..self.sellers).map(|j| self.sold(j)).collect();
        let mut most = 0.0_f64;
        for good in 0..self.x.len() {
            let value: Vec<f64> = buyers.iter().zip(&bought).map(|(b, x)| b.marginal(x, good)).collect();
            let cost: Vec<f64> = sellers.iter().zip(&sold).map(|(s, y)| s.marginal(y, good)).collect();
            let limits = |all: &[&dyn Bidder]| all.iter().map(|b| b.limit(good)).collect::<Vec<f64>>();
            let next = self.allocate(good, (&value, &cost), (&limits(buyers), &limits(sellers)));
            for (x, next) in self.x[good].iter_mut().zip(next) {
                let next = (x.powf(damping) * next.powf(1.0 - damping)).max(FLOOR);
                most = most.max((next - *x).abs() / *x);
                *x = next;
            }
        }
        most
    }

    /// The auctioneer's allocation for the answers: `c r^2 + (lambda + mu) r = v` for the growth `r` of each pair, limits kept by
    /// turns until they hold.
    fn allocate(&mut self, good: usize, (value, cost): (&[f64], &[f64]), limits: (&[f64], &[f64])) -> Vec<f64> {
        let (x, lambda, mu) = (&self.x[good], &mut self.lambda[good], &mut self.mu[good]);
        let sellers = self.sellers;
        let grown = |i: usize, j: usize, rent: f64| {
            let (growth, slope) = growth(value[i], cost[j], rent);
            (x[i * sellers + j] * growth, x[i * sellers + j] * slope)
        };
        for _ in 0..SWEEPS {
            let mut moved = 0.0_f64;
            for i in 0..value.len() {
                let found = rent(limits.0[i], lambda[i], |l| sum((0..sellers).map(|j| grown(i, j, l + mu[j]))));
                moved = moved.max((found - lambda[i]).abs());
                lambda[i] = found;
            }
            for j in 0..sellers {
                let found = rent(limits.1[j], mu[j], |m| sum((0..value.len()).map(|i| grown(i, j, lambda[i] + m))));
                moved = moved.max((found - mu[j]).abs());
                mu[j] = found;
            }
            if moved <= 1e-12 * value.iter().fold(0.0_f64, |most, v| most.max(*v)) {
                break;
            }
        }
        (0..value.len() * sellers)
            .map(|k| grown(k / sellers, k % sellers, lambda[k / sellers] + mu[k % sellers]).0)
            .collect()
    }

    /// By how much the allocation misses the greatest worth at most, by duality: what a limit's price or a better pair would still
    /// bring. Of values that are straight lines.
    fn loss(&self, good: usize, value: &[f64], cost: &[f64]) -> f64 {
        let mut loss = 0.0;
        for i in 0..self.buyers {
            for j in 0..self.sellers {
                let margin = value[i] - self.lambda[good][i] - cost[j] - self.mu[good][j];
                loss += self.x[good][i * self.sellers + j] * margin.abs();
            }
        }
        loss
    }
}

/// Turns after which the limits are left to the next round, which begins where this one ends.
const SWEEPS: usize = 30;

/// The growth of a pair, the positive root of `c r^2 + rent r = v`, and its change with the rent.
fn growth(value: f64, cost: f64, rent: f64) -> (f64, f64) {
    let root = (rent * rent + 4.0 * value * cost).sqrt();
    // Rents are not negative: nothing cancels.
    let growth = 2.0 * value / (rent + root);
    (growth, -growth / root)
}

fn sum(parts: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    parts.fold((0.0, 0.0), |all, part| (all.0 + part.0, all.1 + part.1))
}

/// The price of a limit: the least that is not negative at which no more than the limit is wanted. What is wanted falls and is
/// convex in the price, so that Newton's steps from below never overshoot.
fn rent(limit: f64, from: f64, wanted: impl Fn(f64) -> (f64, f64)) -> f64 {
    if !limit.is_finite() {
        return 0.0;
    }
    let mut price = from;
    for _ in 0..60 {
        let (quantity, slope) = wanted(price);
        let next = (price + (limit - quantity) / slope.min(-f64::MIN_POSITIVE)).max(0.0);
        if (next - price).abs() <= 1e-15 * price.max(1e-3) || (price == 0.0 && quantity <= limit) {
            return price;
        }
        price = next;
    }
    price
}

/// A participant's blocks: marginal value in straight lines between their middles, level before the first and after the last.
struct Blocks {
    who: usize,
    /// Middles and prices.
    knots: Vec<(f64, f64)>,
    size: f64,
}

impl Bidder for Blocks {
    fn marginal(&self, quantity: &[f64], _: usize) -> f64 {
        let x = quantity[0];
        let after = self.knots.partition_point(|knot| knot.0 <= x);
        match (after.checked_sub(1).map(|k| self.knots[k]), self.knots.get(after)) {
            (Some((from, low)), Some(&(to, high))) => low + (high - low) * (x - from) / (to - from),
            (Some((_, only)), None) | (None, Some(&(_, only))) => only,
            (None, None) => 0.0,
        }
    }

    fn limit(&self, _: usize) -> f64 {
        self.size
    }
}

/// The blocks of each participant on a side, prices counted from `level`.
fn bidders(orders: &[Order], level: f64) -> Vec<Blocks> {
    let mut all: Vec<Blocks> = vec![];
    let mut sorted: Vec<&Order> = orders.iter().filter(|o| o.quantity > 0.0).collect();
    sorted.sort_by_key(|o| o.who);
    for order in sorted {
        if all.last().is_none_or(|last| last.who != order.who) {
            all.push(Blocks { who: order.who, knots: vec![], size: 0.0 });
        }
        if let Some(last) = all.last_mut() {
            last.knots.push((last.size + 0.5 * order.quantity, order.price - level));
            last.size += order.quantity;
        }
    }
    all
}

impl Auction for IterativeDoubleAuction {
    fn clear(&self, book: &Book, ctx: &mut RunContext) -> Result<Clearing, MechanismError> {
        self.check()?;
        // Range and order of the bids.
        let stacks = Stacks::of(book)?;
        let (Some(best_bid), Some(best_ask)) = (stacks.demand.first(), stacks.supply.first()) else {
            return Ok(Clearing::default());
        };
        if best_bid.price < best_ask.price {
            return Ok(Clearing::default());
        }
        let prices = || book.buyers.iter().chain(&book.sellers).filter(|o| o.quantity > 0.0).map(|o| o.price);
        let (least, most) = prices().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(p), b.max(p)));
        // Ratios of prices decide how fast it goes: counted from here they are at most 3.
        let level = least - 0.5 * (most - least).max(1e-6 * most.abs().max(1e-6));
        let (buyers, sellers) = (bidders(&book.buyers, level), bidders(&book.sellers, level));
        let of = |all: &[Blocks]| all.iter().map(|b| b.size).sum::<f64>();
        let each = 0.5 * of(&buyers).min(of(&sellers)) / (buyers.len() * sellers.len()) as f64;
        let mut exchange = Exchange::new(buyers.len(), sellers.len(), 1, each);
        let b: Vec<&dyn Bidder> = buyers.iter().map(|b| b as &dyn Bidder).collect();
        let s: Vec<&dyn Bidder> = sellers.iter().map(|s| s as &dyn Bidder).collect();
        let margins = |exchange: &Exchange| -> (Vec<f64>, Vec<f64>) {
            let value = b.iter().enumerate().map(|(i, b)| b.marginal(&exchange.bought(i), 0)).collect();
            let cost = s.iter().enumerate().map(|(j, s)| s.marginal(&exchange.sold(j), 0)).collect();
            (value, cost)
        };
        let mut missed = Some(f64::INFINITY);
        for round in 0..self.max_rounds {
            exchange.round(&b, &s, self.damping);
            ctx.messages(2 * b.len() * s.len());
            if round % 8 != 7 {
                continue;
            }
            let (value, cost) = margins(&exchange);
            let turnover: f64 = exchange.x[0].iter().sum::<f64>() * (most - least).max(f64::MIN_POSITIVE);
            let loss = exchange.loss(0, &value, &cost) / turnover.max(f64::MIN_POSITIVE);
            missed = (loss > self.tolerance).then_some(loss);
            if missed.is_none() {
                break;
            }
        }
        let (value, cost) = margins(&exchange);
        let (mut buys, mut sells) = (Account::new(stacks.agents), Account::new(stacks.agents));
        let mut matched = vec![];
        for (k, quantity) in exchange.x[0].iter().enumerate() {
            let (i, j) = (k / sellers.len(), k % sellers.len());
            // Less than this is what is left of a pair that goes to nothing.
            let quantity = energy_of(if *quantity < 1e-7 * each { 0.0 } else { *quantity })?;
            if quantity == 0 {
                continue;
            }
            let both = value[i] - exchange.lambda[0][i] + cost[j] + exchange.mu[0][j];
            let at = price_of(level + 0.5 * both)?;
            let (buyer, seller) = (buyers[i].who, sellers[j].who);
            buys.add(buyer, quantity, times(at, quantity));
            sells.add(seller, quantity, times(at, quantity));
            matched.push(Match { buyer, seller, quantity: energy(quantity), price: price(at) });
        }
        let mut clearing =
            Clearing { buys: buys.fills(), sells: sells.fills(), matched, missed, ..Clearing::default() };
        clearing.price = one_price(&clearing);
        Ok(clearing)
    }
}

impl Mechanism for IterativeDoubleAuction {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        per_slot(self, market, ctx)
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }
}

impl IterativeDoubleAuction {
    fn check(&self) -> Result<(), MechanismError> {
        let wrong = |name, value: String, expected| Err(MechanismError::Parameter { name, value, expected });
        if !(0.0..=0.99).contains(&self.damping) {
            return wrong("damping", self.damping.to_string(), "a number from 0 to 0.99");
        }
        if self.max_rounds == 0 {
            return wrong("max_rounds", "0".into(), "at least 1");
        }
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return wrong("tolerance", self.tolerance.to_string(), "a finite number that is not negative");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Bidder, Exchange, IterativeDoubleAuction};
    use crate::auctions::examples::{BL, UA, book, clear};

    /// `U = w ln(1 + X)`.
    struct Log(f64);

    impl Bidder for Log {
        fn marginal(&self, x: &[f64], good: usize) -> f64 {
            self.0 / (1.0 + x[good])
        }
    }

    /// `C = a/2 Y^2 + b Y`.
    struct Square(f64, f64);

    impl Bidder for Square {
        fn marginal(&self, y: &[f64], good: usize) -> f64 {
            self.0 * y[good] + self.1
        }
    }

    const BUYERS: [Log; 2] = [Log(40.0), Log(25.0)];
    const SELLERS: [Square; 2] = [Square(0.02, 0.30), Square(0.03, 0.25)];

    fn near(found: &[f64], expected: &[f64], tolerance: f64) {
        assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() <= tolerance), "{found:?} {expected:?}");
    }

    #[test]
    fn two_buyers_and_two_sellers_reach_the_closed_form() {
        let (b, s): (Vec<&dyn Bidder>, Vec<&dyn Bidder>) =
            (BUYERS.iter().map(|b| b as &dyn Bidder).collect(), SELLERS.iter().map(|s| s as &dyn Bidder).collect());
        let mut exchange = Exchange::new(2, 2, 1, 5.0);
        exchange.round(&b, &s, 0.0);
        near(&exchange.x[0], &[13.483_997_249, 12.856_486_931, 10.660_035_818, 10.163_945_352], 1e-8);
        let error = |exchange: &Exchange| (BUYERS[0].marginal(&exchange.bought(0), 0) - 1.020_403_496_183_2).abs();
        let mut at = vec![];
        let mut change = 1.0;
        for round in 2..200 {
            change = exchange.round(&b, &s, 0.0);
            if [6, 11, 16, 21].contains(&round) {
                at.push(error(&exchange));
            }
            if change < 1e-12 {
                break;
            }
        }
        assert!(change < 1e-9);
        near(&[exchange.bought(0)[0], exchange.bought(1)[0]], &[38.200_179_291, 23.500_112_057], 1e-7);
        near(&[exchange.sold(0)[0], exchange.sold(1)[0]], &[36.020_174_809, 25.680_116_539], 1e-7);
        near(&exchange.x[0], &[22.300_982_795, 15.899_196_496, 13.719_192_014, 9.780_920_043], 1e-6);
        assert!(error(&exchange) < 1e-9 && at.windows(2).all(|w| w[1] < 0.1 * w[0]), "{at:?}");
    }

    /// Values of two goods that depend on each other: `U = w ln(1 + X_1 + X_2 / 2)`; costs by good. At the end marginal values
    /// equal marginal costs, good by good.
    #[test]
    fn two_goods_reach_their_conditions_together() {
        struct Joint(f64);
        impl Bidder for Joint {
            fn marginal(&self, x: &[f64], good: usize) -> f64 {
                [1.0, 0.5][good] * self.0 / (1.0 + x[0] + 0.5 * x[1])
            }
        }
        let buyers = [Joint(40.0), Joint(25.0)];
        let (b, s): (Vec<&dyn Bidder>, Vec<&dyn Bidder>) =
            (buyers.iter().map(|b| b as &dyn Bidder).collect(), SELLERS.iter().map(|s| s as &dyn Bidder).collect());
        let mut exchange = Exchange::new(2, 2, 2, 5.0);
        let mut change = 1.0;
        for _ in 0..5000 {
            change = exchange.round(&b, &s, 0.3);
            if change < 1e-12 {
                break;
            }
        }
        assert!(change < 1e-9, "{change}");
        for good in 0..2 {
            for (i, b) in b.iter().enumerate() {
                for (j, s) in s.iter().enumerate() {
                    let (value, cost) = (b.marginal(&exchange.bought(i), good), s.marginal(&exchange.sold(j), good));
                    assert!((value - cost).abs() < 1e-7, "{good} {i} {j}: {value} {cost}");
                }
            }
        }
        // Good 2 is worth half of good 1, and so are its costs at the margin.
        let price = |good| s[0].marginal(&exchange.sold(0), good);
        assert!((price(0) - 2.0 * price(1)).abs() < 1e-7);
    }

    #[test]
    fn blocks_are_cleared_as_by_the_stacks() {
        for (bids, worth, lo, hi) in [(UA, 16.0, 5.0, 6.0), (BL, 3.65, 0.55, 0.55)] {
            let truth = book(&bids);
            let found = clear(&IterativeDoubleAuction::default(), &truth);
            assert_eq!(found.missed, None);
            let value: f64 = found
                .buys
                .iter()
                .map(|f| f.quantity * truth.buyers.iter().find(|o| o.who == f.who).unwrap().price)
                .sum();
            let cost: f64 = found
                .sells
                .iter()
                .map(|f| f.quantity * truth.sellers.iter().find(|o| o.who == f.who).unwrap().price)
                .sum();
            assert!((value - cost - worth).abs() < 1e-4 * worth, "{}", value - cost);
            for m in found.matched.iter().filter(|m| m.quantity > 1e-3) {
                assert!((lo - 1e-3..=hi + 1e-3).contains(&m.price), "{m:?}");
            }
        }
    }
}
