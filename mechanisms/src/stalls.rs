//! Sellers with prices and buyers who spread over them, slot by slot: what the games of posted prices share.
//!
//! Positions are those without trade. In a slot of energy whoever has a surplus is a seller, whoever has a deficit a buyer, who may
//! buy from the grid as well ([`coase_core::pricing`]). What pairs add to a price, distance and carbon, is felt and not paid. Where
//! more is asked of a seller than it has, each of its buyers gets its part of what there is; what buyers miss and sellers keep is
//! exchanged with the grid.

use crate::fixed_positions::{NO_POSITION_KWH, Surplus, traded};
use crate::trade_matrix::path_resistances;
use coase_core::market::Plan;
use coase_core::outcome::Trade;
use coase_core::plain_game::{Numbers, Priced, Spreading};
use coase_core::population::Dynamics;
use coase_core::pricing::{Buyer, Method, PricingGame, Seller};
use coase_core::setting::Product;
use coase_core::terms::at;
use coase_core::{Market, MechanismError, Outcome, PlainGame};
use std::sync::Arc;

/// A pair that trades less is not written, kWh.
const NO_PAIR_KWH: f64 = 1e-9;

/// What a kWh costs beyond its price, and in which range prices lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frictions {
    pub price_min_per_kwh: f64,
    pub price_max_per_kwh: f64,
    pub congestion_per_kwh: f64,
    pub distance_per_kwh: f64,
    pub carbon_per_kg: f64,
}

impl Frictions {
    /// # Errors
    /// A number out of its range.
    pub fn check(&self) -> Result<(), MechanismError> {
        let wrong =
            |name, value: f64, expected| Err(MechanismError::Parameter { name, value: value.to_string(), expected });
        if !self.price_min_per_kwh.is_finite() {
            return wrong("price_min_per_kwh", self.price_min_per_kwh, "a finite number");
        }
        if !(self.price_max_per_kwh.is_finite() && self.price_max_per_kwh >= self.price_min_per_kwh) {
            return wrong("price_max_per_kwh", self.price_max_per_kwh, "a number of at least `price_min_per_kwh`");
        }
        if !(self.congestion_per_kwh.is_finite() && self.congestion_per_kwh > 0.0) {
            return wrong("congestion_per_kwh", self.congestion_per_kwh, "a number above 0");
        }
        for (name, value) in [("distance_per_kwh", self.distance_per_kwh), ("carbon_per_kg", self.carbon_per_kg)] {
            if !(value.is_finite() && value >= 0.0) {
                return wrong(name, value, "a number of at least 0");
            }
        }
        Ok(())
    }
}

/// What a member has or lacks in a slot, and what else it could do with it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Position {
    /// Surplus, or below 0 deficit, kWh.
    pub kwh: f64,
    /// What a kWh of the surplus brings or saves elsewhere.
    pub worth_per_kwh: f64,
    /// Emissions of what it feeds in, kg per kWh.
    pub kg_per_kwh: f64,
}

/// The market of one slot in which somebody sells and somebody buys.
#[derive(Clone, Debug)]
pub(crate) struct Stall {
    pub slot: usize,
    /// Members, by position.
    pub sellers: Vec<usize>,
    pub buyers: Vec<usize>,
    pub game: PricingGame,
    /// What each buyer needs, kWh.
    pub needs: Vec<f64>,
    /// What a kWh from each seller costs each buyer more, a buyer's together.
    pub adders: Vec<Vec<f64>>,
    /// What each buyer pays the grid for a kWh.
    pub grid_per_kwh: Vec<f64>,
}

/// What a member pays the grid for a kWh, and what it gets, in a slot; the price between peers changes what it is compared with.
pub(crate) fn outside(market: &Market, member: usize, slot: usize) -> Result<(f64, f64), MechanismError> {
    let setting = market.setting();
    let tariff = setting.tariff.as_ref().ok_or(MechanismError::Unmet { need: "a grid tariff" })?;
    let (terms, period) = (market.terms(member), setting.slots[slot].period);
    let trade = at(&terms.trade_adder, slot);
    let buy = tariff.buy_per_kwh[period] + at(&terms.import_adder, period) - trade;
    let sell = tariff.sell_per_kwh[period] + at(&terms.export_adder, period) - trade;
    Ok((buy, sell))
}

/// Positions of schedules, by member and slot, as far as they may be traded with peers.
pub(crate) fn positions(
    market: &Market,
    plans: &[Arc<Plan>],
    offers: Surplus,
) -> Result<Vec<Vec<Position>>, MechanismError> {
    let setting = market.setting();
    let hours = setting.periods.hours;
    let of = |(member, plan): (usize, &Arc<Plan>)| -> Result<Vec<Position>, MechanismError> {
        let mut all = vec![Position::default(); setting.slots.len()];
        for (k, slot) in setting.slots.iter().enumerate().filter(|(_, slot)| slot.product == Product::Energy) {
            let metered = plan.output[k];
            let curtailed = offers.of_curtailed_kwh(market, plan, k);
            let surplus = metered.max(0.0) + curtailed;
            let all_kwh = if curtailed > 0.0 { surplus } else { metered };
            let (_, sell) = outside(market, member, k)?;
            let given = plan.given_kwh(slot.period, hours);
            all[k] = Position {
                kwh: setting.within_peer_limit(member, all_kwh),
                // What is curtailed brings nothing elsewhere, and costs what its device does.
                worth_per_kwh: if curtailed > 0.0 {
                    (metered.max(0.0) * sell + curtailed * plan.marginal_cost[k].max(0.0)) / surplus
                } else {
                    sell
                },
                kg_per_kwh: if given > 0.0 { plan.emission_kg[slot.period] / given } else { 0.0 },
            };
        }
        Ok(all)
    };
    plans.iter().enumerate().map(of).collect()
}

/// The markets of all slots in which somebody sells and somebody buys, in order.
pub(crate) fn stalls(
    market: &Market,
    positions: &[Vec<Position>],
    frictions: Frictions,
) -> Result<Vec<Stall>, MechanismError> {
    let setting = market.setting();
    let tariff = setting.tariff.as_ref().ok_or(MechanismError::Unmet { need: "a grid tariff" })?;
    let distance = if frictions.distance_per_kwh > 0.0 { shares_of_mean(market) } else { None };
    let mut all = vec![];
    for (k, slot) in setting.slots.iter().enumerate().filter(|(_, slot)| slot.product == Product::Energy) {
        let here = |i: usize| positions[i][k];
        // Who could never cover its cost does not sell.
        let sells = |i: &usize| here(*i).kwh > NO_POSITION_KWH && here(*i).worth_per_kwh <= frictions.price_max_per_kwh;
        let sellers: Vec<usize> = (0..market.len()).filter(sells).collect();
        let buyers: Vec<usize> = (0..market.len()).filter(|i| here(*i).kwh < -NO_POSITION_KWH).collect();
        if sellers.is_empty() || buyers.is_empty() {
            continue;
        }
        let intensity = tariff.intensity_kg_per_kwh[slot.period];
        let adder = |buyer: usize, seller: usize| {
            let far = distance.as_ref().map_or(0.0, |d| d[buyer][seller]);
            frictions.distance_per_kwh * far + frictions.carbon_per_kg * (here(seller).kg_per_kwh - intensity)
        };
        let stand = |i: &usize| Seller {
            cost: here(*i).worth_per_kwh,
            quantity: here(*i).kwh,
            congestion: frictions.congestion_per_kwh,
        };
        let adders: Vec<Vec<f64>> = buyers.iter().map(|b| sellers.iter().map(|s| adder(*b, *s)).collect()).collect();
        let needs: Vec<f64> = buyers.iter().map(|b| -here(*b).kwh).collect();
        let grid_per_kwh =
            buyers.iter().map(|b| Ok(outside(market, *b, k)?.0)).collect::<Result<Vec<f64>, MechanismError>>()?;
        let asks = asks(&needs, &adders, &grid_per_kwh);
        let (low, high) = (frictions.price_min_per_kwh, frictions.price_max_per_kwh);
        let game = PricingGame::new(sellers.iter().map(stand).collect(), &asks, low, high)
            .map_err(|error| MechanismError::Failed(error.to_string()))?;
        all.push(Stall { slot: k, sellers, buyers, game, needs, adders, grid_per_kwh });
    }
    Ok(all)
}

/// Buyers as a game of prices has them: all may buy from the grid, and need what they need.
fn asks(needs: &[f64], adders: &[Vec<f64>], grid_per_kwh: &[f64]) -> Vec<Buyer> {
    let buyer = |((quantity, adders), grid): ((&f64, &Vec<f64>), &f64)| Buyer {
        quantity: *quantity,
        adders: adders.clone(),
        grid_price: Some(*grid),
        value: None,
    };
    needs.iter().zip(adders).zip(grid_per_kwh).map(buyer).collect()
}

/// Electrical distances as shares of their mean; `None` without a radial network that all are connected to.
fn shares_of_mean(market: &Market) -> Option<Vec<Vec<f64>>> {
    let all = path_resistances(market)?;
    let n = market.len();
    let mean = all.iter().flatten().sum::<f64>() / (n * n.saturating_sub(1)).max(1) as f64;
    let share = |d: f64| if mean > 0.0 { d / mean } else { 0.0 };
    Some(all.into_iter().map(|row| row.into_iter().map(share).collect()).collect())
}

impl Stall {
    /// The trades at prices where buyers have these shares, sellers first.
    pub fn trades(&self, prices: &[f64], shares: &[Vec<f64>]) -> Vec<Trade> {
        let asked = |j: usize| -> f64 { shares.iter().zip(&self.needs).map(|(x, need)| x[j] * need).sum() };
        let served: Vec<f64> =
            self.game.sellers().iter().enumerate().map(|(j, s)| (s.quantity / asked(j)).min(1.0)).collect();
        let mut trades = vec![];
        for (j, seller) in self.sellers.iter().enumerate() {
            for (i, buyer) in self.buyers.iter().enumerate() {
                let quantity = served[j] * shares[i][j] * self.needs[i];
                if quantity > NO_PAIR_KWH {
                    let price = Some(prices[j]);
                    trades.push(Trade { seller: *seller, buyer: *buyer, slot: self.slot, quantity, price });
                }
            }
        }
        trades
    }

    /// What is played here, as numbers, where sellers post prices.
    pub fn pricing(&self, method: Method) -> PlainGame {
        let sellers = self.sellers.iter().copied().zip(self.game.sellers().iter().copied()).collect();
        let asks = asks(&self.needs, &self.adders, &self.grid_per_kwh);
        let buyers = self.buyers.iter().copied().zip(asks).collect();
        PlainGame { slot: self.slot, played: Numbers::Pricing { sellers, buyers, range: self.game.range(), method } }
    }

    /// What is played here, as numbers, where prices stand: the grid is the last option, which never is scarce.
    pub fn population(&self, prices: &[f64], dynamics: Dynamics) -> PlainGame {
        let sellers = self.sellers.iter().zip(self.game.sellers()).zip(prices);
        let option = |((member, seller), price): ((&usize, &Seller), &f64)| Priced {
            member: Some(*member),
            price_per_kwh: *price,
            quantity_kwh: seller.quantity,
            congestion_per_kwh: seller.congestion,
        };
        let price_per_kwh = self.grid_per_kwh.iter().copied().fold(f64::INFINITY, f64::min);
        let quantity_kwh = self.needs.iter().sum();
        let grid = Priced { member: None, price_per_kwh, quantity_kwh, congestion_per_kwh: 0.0 };
        let buyer = |(i, member): (usize, &usize)| Spreading {
            member: *member,
            quantity_kwh: self.needs[i],
            adders_per_kwh: self.adders[i].iter().copied().chain([self.grid_per_kwh[i] - price_per_kwh]).collect(),
        };
        let options = sellers.map(option).chain([grid]).collect();
        let buyers = self.buyers.iter().enumerate().map(buyer).collect();
        PlainGame { slot: self.slot, played: Numbers::Population { options, buyers, dynamics } }
    }

    /// What buyers feel beyond the price of these trades: what pairs add, money.
    pub fn felt(&self, trades: &[Trade]) -> f64 {
        let place = |of: &[usize], member: usize| of.iter().position(|m| *m == member).unwrap_or(0);
        let of = |t: &Trade| self.adders[place(&self.buyers, t.buyer)][place(&self.sellers, t.seller)] * t.quantity;
        trades.iter().map(of).sum()
    }
}

/// What was played in one slot.
#[derive(Clone, Debug)]
pub(crate) struct Played {
    pub prices: Vec<f64>,
    pub trades: Vec<Trade>,
}

/// The outcome of all slots. The strategies are the prices that each member asks, by slot in which it sells, for those who sell.
pub(crate) fn settled(market: &Market, stalls: &[Stall], played: &[Played]) -> Outcome {
    let mut outcome = traded(market, played.iter().flat_map(|played| played.trades.clone()).collect());
    let felt: f64 = stalls.iter().zip(played).map(|(stall, played)| stall.felt(&played.trades)).sum();
    if stalls.iter().any(|stall| stall.adders.iter().flatten().any(|w| *w != 0.0)) {
        let what = "what distance and carbon add to the prices of all trades, felt and not paid";
        outcome.evidence.push(coase_core::Certificate::measure("felt_cost", felt, what));
    }
    outcome
}

/// What every seller asks, by member and in the order of its slots: the strategies of the game over all slots.
pub(crate) fn strategies(stalls: &[Stall], played: &[Played]) -> Vec<Vec<f64>> {
    let ask = |member: usize| -> Vec<f64> {
        let of = |(stall, played): (&Stall, &Played)| {
            stall.sellers.iter().position(|m| *m == member).map(|j| played.prices[j])
        };
        stalls.iter().zip(played).filter_map(of).collect()
    };
    all_sellers(stalls).into_iter().map(ask).collect()
}

/// The prices of each slot in such strategies.
pub(crate) fn prices_of(stalls: &[Stall], strategies: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let sellers = all_sellers(stalls);
    let mut next = vec![0; sellers.len()];
    let mut ask = |member: &usize| {
        let player = sellers.iter().position(|m| m == member)?;
        next[player] += 1;
        strategies.get(player)?.get(next[player] - 1).copied()
    };
    stalls.iter().map_while(|stall| stall.sellers.iter().map(&mut ask).collect()).collect()
}

/// Everybody who sells in some slot, in member order.
pub(crate) fn all_sellers(stalls: &[Stall]) -> Vec<usize> {
    let mut all: Vec<usize> = stalls.iter().flat_map(|stall| stall.sellers.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}
