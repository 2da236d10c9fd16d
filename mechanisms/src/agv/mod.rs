//! The mechanism of d'Aspremont and Gerard-Varet (and Arrow): everybody is paid what others expect to get of its report.
//!
//! Truth is an equilibrium of those who believe the priors, trade is efficient for what is traded, and the money that is paid is
//! received, to the last cent and whatever the priors are worth. What it cannot promise is that all want to take part: with
//! these three nobody can (Myerson and Satterthwaite, 1983). It also pays where nothing is traded.
//!
//! A trader has one price for a public quantity: of a list the size that it is rated at, on a market what meters saw of it
//! without trade, or what it is rated at there as well (`quantity`). Its price is the mean worth of a kWh of that quantity, so that the bid curve of a device becomes one number:
//! exact where it is flat, or where quantities are matched in pairs and each is traded whole or not at all. Prices lie between
//! those of the tariff, for the grid is there for everybody.
//!
//! Who meets whom does not depend on what is said: all in one market, or pairs in the order of registration, by their public
//! sizes, or by distance in the network.

mod design;
mod many;
mod opt_out;
mod pair;
mod played;
#[cfg(test)]
mod tests;
mod trader;

use crate::tariff_band::bands;
use coase_core::auction::{Auction, Clearing, Fill, per_slot};
use coase_core::book::Book;
use coase_core::market::reserve_price;
use coase_core::mechanism::{Here, Mechanism};
use coase_core::outcome::{Claim, Kind};
use coase_core::series::Series;
use coase_core::setting::{Prior, Role};
use coase_core::{Curve, Market, MechanismError, Outcome, RunContext, Status, register};
use played::{Evidence, Public, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the lump sums are chosen that go from one to another whatever is reported. They sum to nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Calibration {
    /// All expect the same gain before they know their own price.
    #[default]
    EqualSurplus,
    /// All expect the same where their own price is the worst that there may be.
    EqualWorstOff,
    /// There are none: prices may be absurd.
    Uncalibrated,
}

/// Who meets whom. It never depends on what is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Matching {
    /// All in one market: best prices trade.
    #[default]
    Together,
    /// The first seller with the first buyer in the order of the file, and so on.
    Order,
    /// The largest seller with the largest buyer by their public quantities, and so on; the smaller quantity is traded.
    Quantity,
    /// The nearest seller and buyer by electrical distance in a radial network, then the nearest of the rest.
    Distance,
}

/// Whether whoever expects to lose may stay away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Participation {
    /// All take part.
    #[default]
    Mandatory,
    /// Whoever, knowing its price, expects to lose stays away; what is believed of those who stay is cut accordingly, and so on
    /// to a fixed point. Others expect that all of them stay. Trade is then no longer efficient.
    OptOutIterated,
}

/// Which quantity of a trader is public on a market. It never depends on what is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PublicQuantity {
    /// What meters saw of it without trade.
    #[default]
    Metered,
    /// What it is rated at: for those who trade nothing where there is no market. Who can do both, sell and buy, and did neither,
    /// stays out.
    Rated,
}

/// Everybody receives what the others expect to get of its report, and pays its share of what they receive.
///
/// `T_i = xi_i(r_i) - (1/(n-1)) sum over j != i of xi_j(r_j) + kappa_i`, `xi_i(r)` the expected utility of the others where `i`
/// reports the price `r`; the lump sums `kappa` come from the priors alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Agv {
    /// What is believed of everybody's price, instead of what the scenario says of each participant.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "written_out")]
    pub prior: Option<Prior>,
    /// The same of buyers.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "written_out")]
    pub prior_of_buyers: Option<Prior>,
    /// The same of sellers.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "written_out")]
    pub prior_of_sellers: Option<Prior>,
    /// How the lump sums are chosen.
    pub calibration: Calibration,
    /// Who meets whom.
    pub matching: Matching,
    /// Which quantity of a trader is public on a market; of a list it is the rating.
    pub quantity: PublicQuantity,
    /// Whether whoever expects to lose may stay away.
    pub participation: Participation,
    /// Between which prices bids lie on a list without a tariff; if left out, those of the priors themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band_per_kwh: Option<(f64, f64)>,
    /// Draws of everybody's price over which expectations are taken where more than two meet; where priors have few prices, all
    /// of them are taken instead.
    #[schemars(range(min = 2))]
    pub samples: usize,
    /// What buyers' prices are really drawn from, where it is asked what a wrong prior does to truth (certificate
    /// `misspecification_gain`).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "written_out")]
    pub truth_of_buyers: Option<Prior>,
    /// The same of sellers.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "written_out")]
    pub truth_of_sellers: Option<Prior>,
}

/// A prior of which nothing stands in a file: only scenarios read files.
fn written_out<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Prior>, D::Error> {
    let mut prior = Option::<Prior>::deserialize(deserializer)?;
    if let Some(Prior::Kernel { history_per_kwh, .. }) = &mut prior {
        match history_per_kwh {
            Series::List(_) => {}
            Series::Constant(one) => *history_per_kwh = Series::List(vec![*one]),
            Series::Csv(_) | Series::Drawn(_) => {
                let why = "a history of a mechanism is a list, [0.5, 0.6, ..]: columns of files are read in the `prior` of a participant";
                return Err(serde::de::Error::custom(why));
            }
        }
    }
    Ok(prior)
}

impl Default for Agv {
    fn default() -> Self {
        Self {
            prior: None,
            prior_of_buyers: None,
            prior_of_sellers: None,
            calibration: Calibration::default(),
            matching: Matching::default(),
            quantity: PublicQuantity::default(),
            participation: Participation::default(),
            band_per_kwh: None,
            samples: 500,
            truth_of_buyers: None,
            truth_of_sellers: None,
        }
    }
}

register!(Agv, "agv", Auction, "everybody receives what the others expect to get of its report",
    claims: [
        BayesianTruthful if "prices are drawn from the priors, each by itself, and a trader's price says all of its costs" => one_price_says_all,
        BudgetBalanced,
        Efficient if "all meet, nobody stays away, and everybody has one price for its public quantity and no more to trade" => all_is_in_the_bids,
    ],
    needs: [Prior, NoRequirement], information: Prior,
    source: "d'Aspremont and Gerard-Varet (1979); Arrow (1979); kernel priors: Silverman (1986)");

/// Whether every trader is indifferent between the kWh of its public quantity, or trades it whole or not at all.
fn one_price_says_all(of: &Agv, here: &Here<'_>) -> Result<(), String> {
    let setting = here.market.setting();
    if setting.slots.len() > 1 {
        return Err("a bid of one period is made as if there were no trade in the others".into());
    }
    let tables = of.tables(here.market, &[]).map_err(|error| error.to_string())?;
    for table in &tables {
        if of.participation == Participation::OptOutIterated
            && table.traders.len() > 2
            && of.matching == Matching::Together
        {
            return Err("some may stay away, and the others expect them to stay".into());
        }
        let in_parts = of.matching == Matching::Together && table.traders.len() > 2;
        if let Some(who) = in_parts.then(|| table.bent()).flatten() {
            return Err(format!("a kWh of {} is not worth the same as the next", setting.members[who].id));
        }
    }
    Ok(())
}

/// Whether the public quantities at one price each are all that could be traded.
fn all_is_in_the_bids(of: &Agv, here: &Here<'_>) -> Result<(), String> {
    let setting = here.market.setting();
    if of.matching != Matching::Together {
        return Err("who meets whom is given".into());
    }
    for (slot, table) in of.tables(here.market, &[]).map_err(|error| error.to_string())?.iter().enumerate() {
        if let Some(who) = table.bent().or_else(|| table.beyond()) {
            let id = &setting.members[who].id;
            return Err(format!("{id} could trade more than its public quantity, or at another price"));
        }
        // Who is idle without trade sits at no table, whatever there would be to trade.
        let book = here.market.book(slot).map_err(|error| error.to_string())?;
        let sits = |who: usize| table.traders.iter().any(|trader| trader.who == who);
        let mut bids = book.buyers.iter().chain(&book.sellers).filter(|order| order.quantity > 1e-6);
        if let Some(order) = bids.find(|order| !sits(order.who)) {
            return Err(format!("{} could trade, and has no public quantity", setting.members[order.who].id));
        }
    }
    Ok(())
}

impl Agv {
    /// The slots of a market as tables at which traders sit.
    fn tables(&self, market: &Market, uniforms: &[Vec<Vec<f64>>]) -> Result<Vec<Table>, MechanismError> {
        let setting = market.setting();
        let tariff = if setting.tariff.is_some() { Some(bands(market)?) } else { None };
        let whole = tariff.as_ref().and_then(|bands| {
            let known = || bands.iter().flatten();
            let (low, high) = (known().map(|b| b.sell), known().map(|b| b.buy));
            let whole = (low.fold(f64::INFINITY, f64::min), high.fold(f64::NEG_INFINITY, f64::max));
            (whole.0 < whole.1).then_some(whole)
        });
        let mut tables = vec![];
        for slot in 0..setting.slots.len() {
            let book = market.book(slot)?;
            let quantity = |i: usize| {
                let metered = self.quantity == PublicQuantity::Metered;
                let known = setting.members[i].baseline_kwh.get(slot).filter(|_| metered);
                known.map_or(book.rating_kwh[i], |kwh| kwh.abs())
            };
            // Whoever meters saw nothing of stands on the side that its devices leave it.
            let idle = |i: usize| {
                let rating = &setting.members[i].rating;
                match (rating.supply_kw > 0.0, rating.demand_kw > 0.0) {
                    (true, false) if self.quantity == PublicQuantity::Rated => Some(true),
                    (false, true) if self.quantity == PublicQuantity::Rated => Some(false),
                    _ => None,
                }
            };
            let side = |i: usize| match setting.members[i].roles.get(slot) {
                Some(Role::Seller) => Some(true),
                Some(Role::Buyer) => Some(false),
                _ => idle(i),
            };
            let sides = (0..market.len()).filter_map(|i| side(i).map(|sells| (i, sells, quantity(i))));
            let band = tariff.as_ref().map_or(self.band_per_kwh, |bands| bands[slot].map(|b| (b.sell, b.buy)));
            let public = Public {
                sides: sides.collect(),
                whole: whole.or(self.band_per_kwh),
                band,
                names: setting.members.iter().map(|member| member.id.clone()).collect(),
                distance: self.distances(market)?,
                uniforms: uniforms.get(slot).cloned().unwrap_or_default(),
            };
            tables.push(self.table(&book, public)?);
        }
        Ok(tables)
    }

    /// The slots of a market as tables, with the matrix of types of each.
    fn laid(&self, market: &Market, seed: u64) -> Result<Vec<Table>, MechanismError> {
        let slots = 0..market.setting().slots.len();
        self.tables(market, &slots.map(|slot| self.uniforms(market.len(), slot, seed)).collect::<Vec<_>>())
    }

    /// Distances between all members, where they decide who meets whom.
    fn distances(&self, market: &Market) -> Result<Vec<Vec<f64>>, MechanismError> {
        if self.matching != Matching::Distance {
            return Ok(vec![]);
        }
        crate::trade_matrix::path_resistances(market).ok_or(MechanismError::Unmet {
            need: "a radial network with every member at a bus, or another matching than `Distance`",
        })
    }

    /// Even numbers for the matrix of types of one slot: one row for each draw, one column for each participant.
    fn uniforms(&self, participants: usize, slot: usize, seed: u64) -> Vec<Vec<f64>> {
        let purpose = format!("types in slot {slot} of expected externalities");
        coase_core::statistics::luck::latin_hypercube(self.samples, participants, seed, &purpose)
    }

    fn check(&self) -> Result<(), MechanismError> {
        if self.samples < 2 {
            let expected = "at least 2";
            return Err(MechanismError::Parameter { name: "samples", value: self.samples.to_string(), expected });
        }
        if let Some((low, high)) =
            self.band_per_kwh.filter(|(low, high)| !(low < high && low.is_finite() && high.is_finite()))
        {
            let (value, expected) = (format!("({low}, {high})"), "two prices, the lower one first");
            return Err(MechanismError::Parameter { name: "band_per_kwh", value, expected });
        }
        Ok(())
    }
}

/// The rule on a market whose tables are laid.
struct Laid<'a> {
    agv: &'a Agv,
    tables: &'a [Table],
}

impl Auction for Laid<'_> {
    fn clear(&self, book: &Book, _: &mut RunContext) -> Result<Clearing, MechanismError> {
        Ok(self.agv.play(&self.tables[book.slot]).clearing)
    }
}

impl Mechanism for Agv {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        self.check()?;
        let tables = self.laid(market, ctx.seed())?;
        let mut outcome = per_slot(&Laid { agv: self, tables: &tables }, market, ctx)?;
        let mut evidence = Evidence::default();
        for table in &tables {
            evidence.add(self, table);
        }
        if evidence.unsettled > 0.0 {
            outcome.status = Status::NotConverged { residual: evidence.unsettled };
        }
        outcome.evidence.extend(evidence.certificates(market));
        Ok(outcome)
    }

    fn draws(&self) -> bool {
        self.matching == Matching::Together
    }

    /// What each trader expects to gain against its own price, and what it would as its marginal contribution.
    fn curves(&self, market: &Market, _: &Outcome, seed: u64) -> Result<Vec<Curve>, MechanismError> {
        let tables = self.laid(market, seed)?;
        Ok(tables.iter().enumerate().flat_map(|(slot, table)| self.interim_curves(table, slot)).collect())
    }

    fn brings_priors(&self) -> bool {
        self.prior.is_some() || (self.prior_of_buyers.is_some() && self.prior_of_sellers.is_some())
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }
}

impl Auction for Agv {
    /// Of a list: sizes are ratings, and prices lie in `band_per_kwh` or where the priors say.
    fn clear(&self, book: &Book, ctx: &mut RunContext) -> Result<Clearing, MechanismError> {
        self.check()?;
        if self.matching == Matching::Distance {
            let expected = "another matching: a list has no network to measure distances in";
            return Err(MechanismError::Parameter { name: "matching", value: "Distance".into(), expected });
        }
        let participants = book.rating_kwh.len();
        let mut sides: Vec<(usize, bool, f64)> = vec![];
        for (orders, sells) in [(&book.buyers, false), (&book.sellers, true)] {
            for order in orders {
                if !sides.iter().any(|side| side.0 == order.who) {
                    sides.push((order.who, sells, book.rating_kwh[order.who]));
                }
            }
        }
        sides.sort_unstable_by_key(|side| side.0);
        let public = Public {
            sides,
            whole: self.band_per_kwh,
            band: self.band_per_kwh,
            names: (0..participants).map(|who| format!("bidder {} of the list", who + 1)).collect(),
            distance: vec![],
            uniforms: self.uniforms(participants, book.slot, ctx.seed()),
        };
        Ok(self.play(&self.table(book, public)?).clearing)
    }
}
