//! Sellers choose how much to sell, knowing that the price falls with what all sell; the market's operator quotes a price for its
//! service on every kWh, up to a limit, and knows how they will answer.
//!
//! In each slot buyers pay `P(Q) = A - B Q`, the line below their bids with the greatest surplus above the best ask: at no quantity
//! does it ask more than the bids that are served, best first. Sellers' costs are the steps of their asks. Quantities are the
//! Cournot equilibrium at the quotation, the operator's best one or a given one (`coase_core::cournot`).
//!
//! The straight line is a model: bids are steps, against which a seller's profit has several peaks. A reconstruction of a study of
//! plants with public buildings, of which only an abstract was available.

use coase_core::auction::{Auction, Clearing, Fill, Match, per_slot};
use coase_core::book::{Book, Order};
use coase_core::cournot::{CostStep, Cournot, Played};
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Kind;
use coase_core::plain_game::Numbers;
use coase_core::{Certificate, Market, MechanismError, Outcome, PlainGame, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Sellers in a Cournot equilibrium, less a quotation that the market's operator keeps of each kWh.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceQuotation {
    /// The greatest quotation that the operator may make, per kWh.
    #[schemars(range(min = 0.0))]
    pub quotation_max_per_kwh: f64,
    /// The quotation in every period, per kWh, at most `quotation_max_per_kwh`; the operator's best in each where nothing is said.
    #[schemars(extend("minimum" = 0.0))]
    pub quotation_per_kwh: Option<f64>,
}

impl Default for ServiceQuotation {
    fn default() -> Self {
        Self { quotation_max_per_kwh: 0.7, quotation_per_kwh: None }
    }
}

register!(ServiceQuotation, "service-quotation", Game,
    "sellers choose quantities, the market's operator quotes what it keeps of each kWh",
    claims: [IndividuallyRational if "slots are not coupled by devices" => |_, _| Ok(()), NoDeficit],
    needs: [Tariff, NoRequirement], information: FullTypes,
    source: "Cournot (1838); reconstruction of a study of plants with public buildings");

/// Energy of which there is none, kWh.
const NOTHING_KWH: f64 = 1e-9;

/// What buyers pay: `intercept - slope Q`, as long as there is somebody to sell and to buy.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Demand {
    intercept: f64,
    slope: f64,
}

impl Demand {
    /// The line below the bids with the greatest surplus above the best ask. Bids stand best first.
    fn below(bids: &[Order], best_ask: f64) -> Option<Self> {
        // Price of each step and what stands before it; at the end of all nobody pays more than the best ask.
        let mut steps: Vec<(f64, f64)> = vec![];
        let mut before = 0.0;
        for bid in bids.iter().filter(|bid| bid.price > best_ask && bid.quantity > NOTHING_KWH) {
            steps.push((bid.price, before));
            before += bid.quantity;
        }
        steps.push((best_ask, before));
        let line = |(intercept, _): &(f64, f64)| {
            let lower = steps.iter().filter(|(price, before)| price < intercept && *before > 0.0);
            let slope = lower.map(|(price, before)| (intercept - price) / before).fold(0.0, f64::max);
            (slope > 0.0).then_some(Self { intercept: *intercept, slope })
        };
        let surplus = |line: &Self| (line.intercept - best_ask).powi(2) / line.slope;
        steps.iter().filter_map(line).max_by(|a, b| surplus(a).total_cmp(&surplus(b)))
    }
}

/// What sellers play on a book: who sells with the steps of its cost.
#[derive(Clone, Debug)]
struct OnBook {
    demand: Demand,
    best_ask: f64,
    sellers: Vec<(usize, Vec<CostStep>)>,
}

/// What was played in a slot.
#[derive(Clone, Debug)]
struct Slot {
    game: OnBook,
    played: Played,
    /// Cost of the last kWh of each seller.
    marginal: Vec<f64>,
    /// What buyers want above the best ask, and what the others than the largest seller could sell, kWh.
    wanted_kwh: f64,
    without_largest_kwh: f64,
    nikaido_isoda: f64,
    at_limit: bool,
}

impl ServiceQuotation {
    fn check(&self) -> Result<(), MechanismError> {
        let max = self.quotation_max_per_kwh;
        if !(max >= 0.0 && max.is_finite()) {
            let (name, value) = ("quotation_max_per_kwh", max.to_string());
            return Err(MechanismError::Parameter { name, value, expected: "a finite number of at least 0" });
        }
        let wrong = |quotation: f64, expected| {
            Err(MechanismError::Parameter { name: "quotation_per_kwh", value: quotation.to_string(), expected })
        };
        match self.quotation_per_kwh {
            Some(quotation) if !(quotation >= 0.0 && quotation.is_finite()) => {
                wrong(quotation, "a finite number of at least 0")
            }
            Some(quotation) if quotation > max => wrong(quotation, "at most `quotation_max_per_kwh`"),
            _ => Ok(()),
        }
    }

    /// What is played on a book: buyers' line, who sells with the steps of its cost, and the best ask; `None` where nobody can trade.
    fn game_on(&self, book: &Book) -> Result<Option<OnBook>, MechanismError> {
        self.check()?;
        let mut asks: BTreeMap<usize, Vec<CostStep>> = BTreeMap::new();
        for ask in book.sellers.iter().filter(|ask| ask.quantity > NOTHING_KWH) {
            let step = CostStep { cost_per_kwh: ask.price, quantity_kwh: ask.quantity };
            asks.entry(ask.who).or_default().push(step);
        }
        let best_ask = asks.values().flatten().map(|s| s.cost_per_kwh).fold(f64::INFINITY, f64::min);
        let demand = Demand::below(&book.buyers, best_ask);
        Ok(demand.map(|demand| OnBook { demand, best_ask, sellers: asks.into_iter().collect() }))
    }

    /// What comes of it; `None` where nobody can trade.
    fn play(&self, book: &Book) -> Result<Option<Slot>, MechanismError> {
        let book = &sorted(book);
        let Some(on_book) = self.game_on(book)? else { return Ok(None) };
        let OnBook { demand, best_ask, ref sellers } = on_book;
        let steps: Vec<Vec<CostStep>> = sellers.iter().map(|(_, steps)| steps.clone()).collect();
        let able = |steps: &Vec<CostStep>| steps.iter().map(|s| s.quantity_kwh).sum::<f64>();
        let capacity: Vec<f64> = steps.iter().map(able).collect();
        let marginal_at = |steps: &[CostStep], quantity: f64| {
            let mut sold = 0.0;
            let last = steps.iter().find(|step| {
                sold += step.quantity_kwh;
                quantity <= sold
            });
            last.or(steps.last()).map_or(0.0, |step| step.cost_per_kwh)
        };
        let game = Cournot::new(demand.intercept, demand.slope, steps.clone())
            .map_err(|error| MechanismError::Failed(error.to_string()))?;
        let played = match self.quotation_per_kwh {
            Some(quotation) => game.equilibrium(quotation),
            None => game.best_quotation(self.quotation_max_per_kwh),
        };
        let wanted = book.buyers.iter().filter(|bid| bid.price > best_ask);
        Ok(Some(Slot {
            marginal: steps.iter().zip(&played.quantity_kwh).map(|(s, q)| marginal_at(s, *q)).collect(),
            wanted_kwh: wanted.map(|bid| bid.quantity).sum(),
            without_largest_kwh: capacity.iter().sum::<f64>() - capacity.iter().copied().fold(0.0, f64::max),
            nikaido_isoda: game.nikaido_isoda(&played),
            at_limit: played.quotation_per_kwh >= self.quotation_max_per_kwh,
            game: on_book,
            played,
        }))
    }
}

/// A book whose sides stand best first.
fn sorted(book: &Book) -> Book {
    let mut sorted = book.clone();
    sorted.sort();
    sorted
}

/// A rule that remembers what was played, by slot.
struct Remembering<'r> {
    rule: &'r ServiceQuotation,
    slots: Mutex<BTreeMap<usize, Slot>>,
}

impl Auction for Remembering<'_> {
    fn clear(&self, book: &Book, ctx: &mut RunContext) -> Result<Clearing, MechanismError> {
        let played = self.rule.play(book)?;
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove(&book.slot);
        if let Some(slot) = played {
            slots.insert(book.slot, slot);
        }
        drop(slots);
        self.rule.clear(book, ctx)
    }
}

impl Auction for ServiceQuotation {
    fn clear(&self, book: &Book, _: &mut RunContext) -> Result<Clearing, MechanismError> {
        let Some(Slot { played, game: OnBook { sellers, .. }, .. }) = self.play(book)? else {
            return Ok(Clearing::default());
        };
        let total = played.total_kwh();
        if total <= NOTHING_KWH {
            return Ok(Clearing::default());
        }
        let paid = played.price_per_kwh + played.quotation_per_kwh;
        let mut bought: BTreeMap<usize, f64> = BTreeMap::new();
        let mut left = total;
        for bid in &sorted(book).buyers {
            let taken = bid.quantity.min(left);
            left -= taken;
            if taken > 0.0 {
                *bought.entry(bid.who).or_default() += taken;
            }
        }
        // Rounding may leave a trace of what is sold that no bid is there for.
        let served = (total - left) / total;
        let sold = sellers.iter().zip(&played.quantity_kwh).filter(|(_, q)| **q > 0.0);
        let sold: Vec<(usize, f64)> = sold.map(|((who, _), q)| (*who, q * served)).collect();
        let fill = |price: f64| move |(who, quantity): (usize, f64)| Fill { who, quantity, money: price * quantity };
        let pair = |(buyer, taken): (&usize, &f64), (seller, given): &(usize, f64)| Match {
            buyer: *buyer,
            seller: *seller,
            quantity: taken * given / (total * served),
            price: played.price_per_kwh,
        };
        Ok(Clearing {
            matched: bought.iter().flat_map(|buys| sold.iter().map(move |sells| pair(buys, sells))).collect(),
            buys: bought.iter().map(|(who, kwh)| (*who, *kwh)).map(fill(paid)).collect(),
            sells: sold.iter().copied().map(fill(played.price_per_kwh)).collect(),
            price: (played.quotation_per_kwh == 0.0).then_some(paid),
            ..Clearing::default()
        })
    }
}

impl Mechanism for ServiceQuotation {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        self.check()?;
        let remembering = Remembering { rule: self, slots: Mutex::default() };
        let mut outcome = per_slot(&remembering, market, ctx)?;
        let slots = remembering.slots.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcome.evidence.extend(indices(market, &slots));
        outcome.strategies.clone_from(&outcome.net);
        Ok(outcome)
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }

    /// The games of the last round of bids.
    fn plain_games(&self, market: &Market) -> Result<Vec<PlainGame>, MechanismError> {
        let remembering = Remembering { rule: self, slots: Mutex::default() };
        per_slot(&remembering, market, &mut RunContext::new(0, ()))?;
        let slots = remembering.slots.into_inner().unwrap_or_else(PoisonError::into_inner);
        let game = |(slot, Slot { game: OnBook { demand, sellers, .. }, .. })| {
            let played = Numbers::Cournot {
                intercept_per_kwh: demand.intercept,
                slope_per_kwh2: demand.slope,
                sellers,
                quotation_max_per_kwh: self.quotation_max_per_kwh,
                quotation_per_kwh: self.quotation_per_kwh,
            };
            PlainGame { slot, played }
        };
        Ok(slots.into_iter().map(game).collect())
    }
}

/// Who has power over the price, and what the operator makes of it: means over what is sold.
fn indices(market: &Market, slots: &BTreeMap<usize, Slot>) -> Vec<Certificate> {
    let sold = |slot: &Slot| slot.played.total_kwh();
    let total: f64 = slots.values().map(sold).sum();
    let mean = |of: &dyn Fn(&Slot) -> f64| {
        let weighted: f64 = slots.values().filter(|slot| sold(slot) > 0.0).map(|slot| sold(slot) * of(slot)).sum();
        if total > 0.0 { weighted / total } else { 0.0 }
    };
    let gap = slots.values().map(|slot| slot.nikaido_isoda).fold(0.0, f64::max);
    let moved: f64 = slots.values().map(|slot| slot.played.price_per_kwh * sold(slot)).sum();
    let mut all = vec![
        Certificate::check(
            "nikaido_isoda",
            gap,
            1e-9 * moved.max(1.0),
            "what sellers gain by other quantities, by slot",
        )
        .about(Kind::FixedPoint),
        Certificate::measure("quotation_per_kwh", mean(&|s| s.played.quotation_per_kwh), "mean over what is sold"),
        Certificate::measure(
            "quotation_revenue",
            slots.values().map(|slot| slot.played.operator_revenue()).sum(),
            "what the market's operator keeps",
        ),
    ];
    if total <= 0.0 {
        return all;
    }
    let at_limit = slots.values().filter(|slot| slot.at_limit && sold(slot) > 0.0).count();
    all.push(Certificate::measure("quotation_at_limit", at_limit as f64, "slots in which the limit is quoted"));
    all.push(Certificate::measure(
        "concentration",
        mean(&|s| s.played.concentration().unwrap_or(0.0)),
        "sum of squared shares of sales (Herfindahl and Hirschman)",
    ));
    let supply = slots.iter().filter(|(_, s)| sold(s) > 0.0 && s.wanted_kwh > 0.0);
    let least = supply.map(|(k, s)| (s.without_largest_kwh / s.wanted_kwh, k)).fold(
        None,
        |least: Option<(f64, &usize)>, here| match least {
            Some(least) if least.0 <= here.0 => Some(least),
            _ => Some(here),
        },
    );
    if let Some((index, slot)) = least {
        let witness = format!("slot {slot}: what the others than the largest seller can sell over what is wanted");
        all.push(Certificate::measure("residual_supply_index", index, witness));
    }
    let by_seller: Vec<String> = market
        .setting()
        .members
        .iter()
        .enumerate()
        .filter_map(|(i, member)| lerner(slots, i).map(|index| format!("{} {index:.6}", member.id)))
        .collect();
    let margin = |slot: &Slot| {
        let weighted = slot.marginal.iter().zip(&slot.played.quantity_kwh);
        let price = slot.played.price_per_kwh;
        if price > 0.0 { weighted.map(|(m, q)| q * (price - m) / price).sum::<f64>() / sold(slot) } else { 0.0 }
    };
    all.push(Certificate::measure("seller_lerner_index", mean(&margin), by_seller.join(", ")));
    all
}

/// `(price - marginal cost) / price` of a seller, mean over what it sells; `None` of one that sells nothing.
fn lerner(slots: &BTreeMap<usize, Slot>, member: usize) -> Option<f64> {
    let (mut weighted, mut sold) = (0.0, 0.0);
    for slot in slots.values() {
        let Some(at) = slot.game.sellers.iter().position(|(who, _)| *who == member) else { continue };
        let (price, quantity) = (slot.played.price_per_kwh, slot.played.quantity_kwh[at]);
        if price > 0.0 {
            weighted += quantity * (price - slot.marginal[at]) / price;
            sold += quantity;
        }
    }
    (sold > NOTHING_KWH).then(|| weighted / sold)
}

#[cfg(test)]
mod tests {
    use super::super::examples::{book_of, clear};
    use super::{Demand, ServiceQuotation};
    use coase_core::book::Order;
    use proptest::prelude::*;

    /// A buyer of 375 kWh at 1.05: the line falls by 0.75 to the best ask, 0.002 for each of them.
    fn book() -> coase_core::book::Book {
        book_of(&[(1.05, 375.0)], &[(0.30, 1000.0), (0.36, 1000.0), (0.45, 1000.0)])
    }

    #[test]
    fn three_sellers_and_the_best_quotation_are_those_of_the_closed_form() {
        let found = clear(&ServiceQuotation::default(), &book());
        let sold: Vec<f64> = found.sells.iter().map(|f| f.quantity).collect();
        for (sold, expected) in sold.iter().zip([77.5, 47.5, 2.5]) {
            assert!((sold - expected).abs() < 1e-9, "{found:?}");
        }
        let kept = found.buys.iter().map(|f| f.money).sum::<f64>() - found.sells.iter().map(|f| f.money).sum::<f64>();
        assert!((kept - 43.35).abs() < 1e-9, "{kept}");
        let free = ServiceQuotation { quotation_per_kwh: Some(0.0), ..ServiceQuotation::default() };
        let free = clear(&free, &book());
        assert!((free.price.unwrap() - 0.54).abs() < 1e-12, "{free:?}");
    }

    #[test]
    fn the_line_of_the_greatest_surplus_may_begin_below_the_best_bid() {
        let order = |price, quantity| Order { who: 0, price, quantity };
        // One kWh at 1.0 would make a line that falls by 0.4 for it; one from 0.6 falls by 0.3 over 100 kWh.
        let found = Demand::below(&[order(1.0, 1.0), order(0.6, 99.0)], 0.3).unwrap();
        assert!((found.intercept - 0.6).abs() < 1e-12 && (found.slope - 0.003).abs() < 1e-12, "{found:?}");
        assert_eq!(Demand::below(&[order(0.3, 5.0)], 0.3), None);
    }

    proptest! {
        /// Nobody pays more than it bids or receives less than it asks, and the operator keeps the quotation.
        #[test]
        fn nobody_loses_by_its_own_bids(
            bids in proptest::collection::vec((0.1_f64..1.0, 1.0_f64..9.0), 1..5),
            asks in proptest::collection::vec((0.1_f64..1.0, 1.0_f64..9.0), 1..5),
        ) {
            let found = clear(&ServiceQuotation::default(), &book_of(&bids, &asks));
            for fill in &found.buys {
                prop_assert!(fill.money <= bids[fill.who].0 * fill.quantity + 1e-9, "{found:?}");
            }
            for fill in &found.sells {
                let ask = asks[fill.who - bids.len()];
                prop_assert!(fill.money >= ask.0 * fill.quantity - 1e-9 && fill.quantity <= ask.1 + 1e-9, "{found:?}");
            }
            let sums = |fills: &[coase_core::auction::Fill]| fills.iter().map(|f| f.quantity).sum::<f64>();
            prop_assert!((sums(&found.buys) - sums(&found.sells)).abs() < 1e-9);
        }
    }
}
