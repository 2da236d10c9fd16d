//! What is tried: which reports a member may make, and which of them a search begins with.

use crate::market::Market;
use crate::participant::Distortion;
use serde::Deserialize;

/// Most members of a market whose bids are tried one by one.
const MOST_BIDDERS: usize = 24;
/// Most prices that are tried of a bid.
const MOST_PRICES: usize = 200;
/// What the bids of small markets are multiples of.
const QUANTA: [f64; 10] = [1.0, 0.5, 0.25, 0.2, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001];

/// Between which numbers misreports are searched, where that is said; each pair holds the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Within {
    /// Factor on the price; 1 is the truth.
    pub price_factor: Option<(f64, f64)>,
    /// Shift of the price per kWh; 0 is the truth.
    pub price_shift_per_kwh: Option<(f64, f64)>,
    /// Factor on the quantity; 1 is the truth.
    pub quantity_factor: Option<(f64, f64)>,
}

impl Within {
    /// Whether every pair of bounds holds the truth.
    ///
    /// # Errors
    /// Which does not, in words.
    pub fn check(&self) -> Result<(), String> {
        let pairs = [
            ("price_factor", self.price_factor, 1.0, 0.0),
            ("price_shift_per_kwh", self.price_shift_per_kwh, 0.0, f64::NEG_INFINITY),
            ("quantity_factor", self.quantity_factor, 1.0, f64::MIN_POSITIVE),
        ];
        for (name, pair, truth, least) in pairs {
            if let Some((low, high)) = pair
                && !(low <= truth && truth <= high && low >= least && high.is_finite())
            {
                return Err(format!("{name} from {low} to {high}: expected finite bounds around the truth, {truth}"));
            }
        }
        Ok(())
    }
}

/// The reports that one member may make.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    /// Least and greatest of: factor on the price, shift of the price per kWh, factor on the quantity.
    pub bounds: [(f64, f64); 3],
    /// Every report that matters, where the member has one bid among few on a grid.
    pub all: Option<Vec<Distortion>>,
}

/// A strategy as a point of the space.
pub(crate) fn at(what: Distortion) -> Vec<f64> {
    vec![what.price_factor, what.price_shift_per_kwh, what.quantity_factor]
}

/// A point of the space as a strategy.
pub(crate) fn distortion(at: &[f64]) -> Distortion {
    Distortion { price_factor: at[0], price_shift_per_kwh: at[1], quantity_factor: at[2] }
}

impl Space {
    /// Prices x 0.5 to 1.5 and shifted by half the dearest price, quantities x 0.25 up to what the public rating shows to be
    /// possible: nobody can claim more than that.
    pub fn of(market: &Market, seat: usize, grid: Option<&Grid>, within: &Within) -> Self {
        let dearest = dearest_per_kwh(market);
        let most = most_quantity(market, seat).max(1.0);
        let Within { price_factor, price_shift_per_kwh, quantity_factor } = *within;
        let bounds = [
            price_factor.unwrap_or((0.5, 1.5)),
            price_shift_per_kwh.unwrap_or((-0.5 * dearest, 0.5 * dearest)),
            quantity_factor.unwrap_or((0.25, most)),
        ];
        // What is tried one by one goes beyond the bounds of the search, but not beyond those that were asked for.
        let asked = [price_factor, price_shift_per_kwh, quantity_factor];
        let inside = |report: &Distortion| {
            at(*report).iter().zip(asked).all(|(x, bounds)| bounds.is_none_or(|(low, high)| low <= *x && *x <= high))
        };
        let all = grid.and_then(|grid| grid.reports(market, seat, most));
        Self { bounds, all: all.map(|all| all.into_iter().filter(inside).collect()) }
    }

    fn steps(&self, axis: usize, count: u32) -> impl Iterator<Item = f64> + use<> {
        let (low, high) = self.bounds[axis];
        (0..count).map(move |k| low + (high - low) * f64::from(k) / f64::from(count - 1))
    }

    /// Points of one axis, the truth in the others: what a refinement along the axis begins with, in order.
    pub fn along(&self, axis: usize) -> Vec<Vec<f64>> {
        let count = if axis == 2 { 7 } else { 21 };
        let mut truth = at(Distortion::TRUTH);
        let point = move |x| {
            truth[axis] = x;
            truth.clone()
        };
        self.steps(axis, count).map(point).collect()
    }

    /// A coarse grid of all three together.
    pub fn coarse(&self) -> Vec<Vec<f64>> {
        let mut all = vec![];
        for k in self.steps(0, 5) {
            for d in self.steps(1, 9) {
                all.extend(self.steps(2, 3).map(|s| vec![k, d, s]));
            }
        }
        all
    }
}

/// The dearest price that anybody meets or asks, per kWh: what shifts are measured by.
fn dearest_per_kwh(market: &Market) -> f64 {
    let of_tariff = market.setting().tariff.iter().flat_map(|t| t.buy_per_kwh.iter().copied());
    let dearest = of_tariff.fold(0.0_f64, |most, p| most.max(p.abs()));
    if dearest > 0.0 {
        return dearest;
    }
    let slots = market.setting().slots.len();
    let bids = (0..market.len()).flat_map(|i| (0..slots).filter_map(move |k| market.local(i).bids(k))).flatten();
    let asked = bids.fold(0.0_f64, |most, order| most.max(order.price.abs()));
    if asked > 0.0 { asked } else { 1.0 }
}

/// How many times its quantities a member could claim to have within its public rating.
fn most_quantity(market: &Market, seat: usize) -> f64 {
    let setting = market.setting();
    let rating = setting.members[seat].rating;
    let of_slot = |slot: usize| {
        let bids = market.local(seat).bids(slot)?;
        let sum =
            |sells: bool| bids.iter().filter(|o| (o.quantity > 0.0) == sells).map(|o| o.quantity.abs()).sum::<f64>();
        let room = |kw: f64, kwh: f64| if kwh > 0.0 { kw * setting.periods.hours / kwh } else { f64::INFINITY };
        Some(room(rating.supply_kw, sum(true)).min(room(rating.demand_kw, sum(false))))
    };
    // What follows from devices is rated by them.
    let least = (0..setting.slots.len()).map(of_slot).try_fold(f64::INFINITY, |least, room| Some(least.min(room?)));
    least.filter(|room| room.is_finite()).map_or(1.0, |room| room.min(4.0))
}

/// Prices that bids of a small market may have, beside what they are multiples of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid {
    prices: Vec<f64>,
    /// Step of the prices; `None`: every place among the prices that there are.
    step: Option<f64>,
    /// What quantities are multiples of.
    quantum_kwh: Option<f64>,
}

impl Grid {
    /// Half steps of what all prices are multiples of, one step beyond both ends; where those are too many, every price, every
    /// middle between two of them, and both ends. `None` where not everybody is known by few bids in one slot.
    pub fn of(market: &Market) -> Option<Self> {
        if market.len() > MOST_BIDDERS || market.setting().slots.len() != 1 {
            return None;
        }
        let bids: Vec<_> = (0..market.len()).map(|i| market.local(i).bids(0)).collect::<Option<Vec<_>>>()?;
        let known = bids.iter().flatten().map(|order| order.price).collect();
        let quantities: Vec<f64> = bids.iter().flatten().map(|order| order.quantity).collect();
        Self::over(known, &quantities)
    }

    /// The grid of these prices and quantities; `None` where there are none.
    pub fn over(mut known: Vec<f64>, quantities: &[f64]) -> Option<Self> {
        known.sort_by(f64::total_cmp);
        known.dedup();
        let (first, last) = (*known.first()?, *known.last()?);
        let step = quantum(&known).map(|quantum| 0.5 * quantum);
        let count = |step: f64| ((last - first) / step).round() as usize + 5;
        let fine = step.filter(|step| count(*step) <= MOST_PRICES);
        let prices = if let Some(step) = fine {
            // Counted in half steps from nothing, so that a price on the grid is that price.
            let from = (first / step).round() as i64 - 2;
            let price = |k: usize| (from + k as i64) as f64 * step;
            // To the digits that bids are counted in: 0.575 and not 0.5750000000000002.
            (0..count(step)).map(|k| (price(k) * 1e9).round() / 1e9).collect()
        } else {
            let beyond = 0.1 * (last - first).max(0.1 * last.abs());
            let middles = known.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
            let mut all: Vec<f64> = known.iter().copied().chain(middles).collect();
            all.extend([first - beyond, last + beyond]);
            all.sort_by(f64::total_cmp);
            all
        };
        Some(Self { prices, step: fine, quantum_kwh: quantum(quantities) })
    }

    /// Prices that are tried, in order.
    pub fn prices(&self) -> &[f64] {
        &self.prices
    }

    /// What quantities are multiples of, where they are.
    pub fn quantum_kwh(&self) -> Option<f64> {
        self.quantum_kwh
    }

    /// What is tried, in words.
    pub fn words(&self) -> String {
        let (first, last) = (self.prices.first().copied().unwrap_or(0.0), self.prices.last().copied().unwrap_or(0.0));
        let of_prices = match self.step {
            Some(step) => format!("every price from {first} to {last} in steps of {step}"),
            None => format!("every place among the {} prices", self.prices.len()),
        };
        match self.quantum_kwh {
            Some(quantum) => format!("{of_prices}, with every quantity in steps of {quantum} kWh"),
            None => of_prices,
        }
    }

    /// Every report of a member with one bid.
    fn reports(&self, market: &Market, seat: usize, most: f64) -> Option<Vec<Distortion>> {
        let bids = market.local(seat).bids(0)?;
        let [own] = bids.as_slice() else { return None };
        let size = own.quantity.abs();
        let counted = self.quantum_kwh.map(|quantum| (quantum, (size * most / quantum + 1e-9).floor() as u32));
        let quantities: Vec<f64> = match counted {
            Some((quantum, count)) if count <= 16 => (1..=count).map(|k| f64::from(k) * quantum / size).collect(),
            _ => vec![0.25, 0.5, 0.75, 1.0, most],
        };
        let mut all = vec![];
        for price in &self.prices {
            let price_shift_per_kwh = price - own.price;
            all.extend(quantities.iter().map(|s| Distortion {
                price_shift_per_kwh,
                quantity_factor: *s,
                ..Distortion::TRUTH
            }));
        }
        Some(all)
    }
}

/// The largest usual step that all are multiples of.
fn quantum(all: &[f64]) -> Option<f64> {
    let fits = |quantum: f64| all.iter().all(|x| (x / quantum - (x / quantum).round()).abs() < 1e-9);
    QUANTA.into_iter().find(|quantum| fits(*quantum))
}

#[cfg(test)]
mod tests {
    use super::{Grid, Space, Within, quantum};
    use crate::market::Market;
    use crate::participant::{Participant, Step, Steps};
    use crate::setting::{Member, Periods, Setting};
    use std::sync::Arc;

    /// Sellers of these prices and quantities, rated twice what they have.
    fn market(bids: &[(f64, f64)]) -> Market {
        let members = (0..bids.len()).map(|i| Member::new(format!("s{i}"), 0.0, 2.0 * bids[i].1)).collect();
        let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, None, None, members);
        let steps = |(price_per_kwh, quantity_kwh): &(f64, f64)| -> Arc<dyn Participant> {
            let step = Step { price_per_kwh: *price_per_kwh, quantity_kwh: *quantity_kwh };
            Arc::new(Steps::new("bids", vec![vec![step]]).expect("finite"))
        };
        Market::new(setting, bids.iter().map(steps).collect())
    }

    #[test]
    fn whole_bids_are_tried_in_half_steps_one_beyond_both_ends() {
        let market = market(&[(2.0, 1.0), (4.0, 2.0)]);
        let grid = Grid::of(&market).expect("few bids");
        assert_eq!(grid.prices, [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0]);
        let space = Space::of(&market, 1, Some(&grid), &Within::default());
        let all = space.all.expect("one bid");
        // Nine prices, one to four kWh: it is rated twice what it has.
        assert_eq!(all.len(), 9 * 4);
        assert!(all.iter().any(|r| r.price_shift_per_kwh == -3.0 && r.quantity_factor == 2.0));
    }

    #[test]
    fn odd_bids_are_tried_at_every_place_among_them() {
        let grid = Grid::of(&market(&[(0.123_456, 1.0), (0.4, 1.0)])).expect("few bids");
        assert_eq!((grid.prices.len(), grid.step), (5, None));
    }

    #[test]
    fn the_quantum_is_the_largest_that_fits() {
        assert_eq!(quantum(&[2.0, 5.0]), Some(1.0));
        assert_eq!(quantum(&[0.35, 0.6]), Some(0.05));
        assert_eq!(quantum(&[1.0 / 3.0]), None);
    }
}
