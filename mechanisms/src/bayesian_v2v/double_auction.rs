//! The double auction of one seller and one buyer who know laws of each other's price: bids `b >= a` trade at `k b + (1 - k) a`.
//!
//! Where both prices are uniform between the same bounds, there is an equilibrium in straight lines (Chatterjee and Samuelson,
//! 1983). With other laws bids are points of a grid and types have equal weights; both sides answer each other's laws of bids by
//! smoothed best responses, which sharpen step by step, beginning with the truth. There are many equilibria, one without any trade
//! among them: the start selects. What is found is certified by the most that any type still gains by another bid.

use coase_core::statistics::bounded::Bounded;

/// Types and bids of each side on the grid, and steps.
const TYPES: usize = 41;
const BIDS: usize = 101;
const STEPS: usize = 3000;
/// Temperature of the first step over the range of prices, and of the last.
const HOT: f64 = 0.05;
const COLD: f64 = 1e-5;

/// How both bid.
#[derive(Clone, Debug)]
pub(super) enum Equilibrium {
    /// In straight lines of the price; where no trade is possible, the truth.
    Linear { low: f64, width: f64, split: f64 },
    /// As best responses to laws of bids on a grid.
    Grid(Box<Grid>),
}

/// Laws of bids on a grid.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    split: f64,
    bids: Vec<f64>,
    /// Probability of each bid of the buyer, and of the seller.
    of_buyer: Vec<f64>,
    of_seller: Vec<f64>,
    regret: f64,
}

impl Equilibrium {
    /// What a buyer and a seller of these laws do, with the weight `split` of the buyer's bid in the price.
    pub fn of(buyer: &Bounded, seller: &Bounded, split: f64) -> Self {
        match (buyer, seller) {
            (Bounded::Uniform { low, high }, Bounded::Uniform { low: l, high: h }) if low == l && high == h => {
                Self::Linear { low: *low, width: high - low, split }
            }
            _ => Self::Grid(Box::new(Grid::solved(buyer, seller, split))),
        }
    }

    /// What a buyer bids to whom a kWh is worth this.
    pub fn bid(&self, value: f64) -> f64 {
        match self {
            Self::Linear { low, width, split: k } => {
                let v = (value - low) / width;
                let bid = v / (1.0 + k) + k * (1.0 - k) / (2.0 * (1.0 + k));
                // Below the least that any seller asks it cannot trade.
                let least = 0.5 * (1.0 - k);
                low + width * if bid < least { v } else { bid.min(v) }
            }
            Self::Grid(grid) => grid.best(value, true),
        }
    }

    /// What a seller asks whom a kWh costs this.
    pub fn ask(&self, cost: f64) -> f64 {
        match self {
            Self::Linear { low, width, split: k } => {
                let c = (cost - low) / width;
                let ask = c / (2.0 - k) + 0.5 * (1.0 - k);
                let most = 1.0 / (1.0 + k) + k * (1.0 - k) / (2.0 * (1.0 + k));
                low + width * if ask > most { c } else { ask.max(c) }
            }
            Self::Grid(grid) => grid.best(cost, false),
        }
    }

    /// The most that any type gains by another bid, in expectation, per kWh.
    pub fn regret(&self) -> f64 {
        match self {
            Self::Linear { .. } => 0.0,
            Self::Grid(grid) => grid.regret,
        }
    }

    /// Within which regret the answer is what it says: rounding, or the distance of two bids.
    pub fn tolerance(&self) -> f64 {
        match self {
            Self::Linear { width, .. } => 1e-9 * width,
            Self::Grid(grid) => grid.bids[1] - grid.bids[0],
        }
    }
}

impl Grid {
    fn solved(buyer: &Bounded, seller: &Bounded, split: f64) -> Self {
        let ((b0, b1), (s0, s1)) = (buyer.bounds(), seller.bounds());
        let (low, high) = (b0.min(s0), b1.max(s1).max(b0.min(s0) + 1e-9));
        let bids: Vec<f64> = (0..BIDS).map(|k| low + (high - low) * k as f64 / (BIDS - 1) as f64).collect();
        let types =
            |law: &Bounded| -> Vec<f64> { (0..TYPES).map(|m| law.drawn((m as f64 + 0.5) / TYPES as f64)).collect() };
        let (values, costs) = (types(buyer), types(seller));
        let truth = |types: &[f64]| -> Vec<Vec<f64>> {
            types
                .iter()
                .map(|x| {
                    let nearest = ((x - low) / (high - low) * (BIDS - 1) as f64).round() as usize;
                    (0..BIDS).map(|k| f64::from(u8::from(k == nearest))).collect()
                })
                .collect()
        };
        let (mut buying, mut selling) = (truth(&values), truth(&costs));
        let mut grid = Self { split, bids, of_buyer: law_of(&buying), of_seller: law_of(&selling), regret: 0.0 };
        for step in 0..STEPS {
            let share = step as f64 / STEPS as f64;
            let temperature = (high - low) * HOT * (COLD / HOT).powf(share);
            let weight = (2.0 / (step as f64 + 10.0)).max(0.01);
            for (strategies, types, buys) in [(&mut buying, &values, true), (&mut selling, &costs, false)] {
                for (strategy, x) in strategies.iter_mut().zip(types) {
                    let payoffs = grid.payoffs(*x, buys);
                    let best = payoffs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let raw: Vec<f64> = payoffs.iter().map(|p| ((p - best) / temperature).exp()).collect();
                    let sum: f64 = raw.iter().sum();
                    for (now, raw) in strategy.iter_mut().zip(raw) {
                        *now += weight * (raw / sum - *now);
                    }
                }
                let law = law_of(strategies);
                if buys {
                    grid.of_buyer = law;
                } else {
                    grid.of_seller = law;
                }
            }
        }
        let gain = |strategies: &[Vec<f64>], types: &[f64], buys: bool| {
            strategies.iter().zip(types).fold(0.0_f64, |most, (strategy, x)| {
                let payoffs = grid.payoffs(*x, buys);
                let best = payoffs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let played: f64 = payoffs.iter().zip(strategy).map(|(p, w)| p * w).sum();
                most.max(best - played)
            })
        };
        grid.regret = gain(&buying, &values, true).max(gain(&selling, &costs, false));
        grid
    }

    /// What each bid brings a type in expectation, per kWh.
    fn payoffs(&self, x: f64, buys: bool) -> Vec<f64> {
        let k = self.split;
        let mut payoffs = vec![0.0; BIDS];
        // Share of the others that trade, and their part of the mean bid: a buyer meets asks up to its bid, a seller bids from
        // its ask.
        let (mut share, mut part) = (0.0, 0.0);
        let order: Vec<usize> = if buys { (0..BIDS).collect() } else { (0..BIDS).rev().collect() };
        for j in order {
            let (law, bid) = (if buys { &self.of_seller } else { &self.of_buyer }, self.bids[j]);
            share += law[j];
            part += law[j] * bid;
            payoffs[j] =
                if buys { share * (x - k * bid) - (1.0 - k) * part } else { k * part + share * ((1.0 - k) * bid - x) };
        }
        payoffs
    }

    /// The best bid of a type; of equal ones the nearest to the truth. Nobody bids beyond its own price.
    fn best(&self, x: f64, buys: bool) -> f64 {
        let payoffs = self.payoffs(x, buys);
        let allowed = |j: &usize| if buys { self.bids[*j] <= x } else { self.bids[*j] >= x };
        let best = (0..BIDS).filter(allowed).fold(None, |best: Option<usize>, j| match best {
            Some(b) if payoffs[b] > payoffs[j] + 1e-12 => Some(b),
            Some(b) if payoffs[b] > payoffs[j] - 1e-12 && (self.bids[b] - x).abs() <= (self.bids[j] - x).abs() => {
                Some(b)
            }
            _ => Some(j),
        });
        best.map_or(x, |j| self.bids[j])
    }
}

/// The law of bids of types with equal weights.
fn law_of(strategies: &[Vec<f64>]) -> Vec<f64> {
    let mut law = vec![0.0; BIDS];
    for strategy in strategies {
        law.iter_mut().zip(strategy).for_each(|(sum, p)| *sum += p / strategies.len() as f64);
    }
    law
}

#[cfg(test)]
mod tests {
    use super::{Equilibrium, Grid};
    use coase_core::statistics::bounded::Bounded;

    const UNIT: Bounded = Bounded::Uniform { low: 0.0, high: 1.0 };

    /// What a bid brings a buyer against the seller's straight line, by its own integral.
    fn of_buyer(value: f64, bid: f64, k: f64) -> f64 {
        let (slope, least) = (1.0 / (2.0 - k), 0.5 * (1.0 - k));
        let x = ((bid - least) / slope).clamp(0.0, 1.0);
        x * (value - k * bid - (1.0 - k) * least) - (1.0 - k) * slope * x * x / 2.0
    }

    fn of_seller(cost: f64, ask: f64, k: f64) -> f64 {
        let (slope, least) = (1.0 / (1.0 + k), k * (1.0 - k) / (2.0 * (1.0 + k)));
        let x = ((ask - least) / slope).clamp(0.0, 1.0);
        (1.0 - x) * ((1.0 - k) * ask - cost + k * least) + k * slope * (1.0 - x * x) / 2.0
    }

    #[test]
    fn the_straight_lines_are_those_of_the_closed_form_and_no_type_gains_by_another_bid() {
        let even = Equilibrium::of(&UNIT, &UNIT, 0.5);
        assert!((even.bid(0.9) - 0.683333333333).abs() < 1e-10 && (even.ask(0.3) - 0.45).abs() < 1e-12);
        assert!((0.5 * (even.bid(0.9) + even.ask(0.3)) - 0.566666666667).abs() < 1e-10);
        assert!((of_buyer(0.9, even.bid(0.9), 0.5) - 0.21125).abs() < 1e-12);
        assert!((of_buyer(0.5, even.bid(0.5), 0.5) - 0.03125).abs() < 1e-12);
        let uneven = Equilibrium::of(&UNIT, &UNIT, 0.3);
        assert!((uneven.bid(0.8) - (0.769230769 * 0.8 + 0.080769231)).abs() < 1e-8);
        assert!((uneven.ask(0.4) - (0.588235294 * 0.4 + 0.35)).abs() < 1e-8);
        for (k, played) in [(0.5, even), (0.3, uneven)] {
            for m in 0..=40 {
                let x = f64::from(m) / 40.0;
                let best = |of: fn(f64, f64, f64) -> f64| {
                    (0..=4000).map(|j| of(x, f64::from(j) / 4000.0, k)).fold(f64::NEG_INFINITY, f64::max)
                };
                assert!(best(of_buyer) <= of_buyer(x, played.bid(x), k) + 1e-12, "buyer {x} at {k}");
                assert!(best(of_seller) <= of_seller(x, played.ask(x), k) + 1e-12, "seller {x} at {k}");
            }
        }
    }

    #[test]
    fn gains_from_trade_are_nine_sixty_fourths_and_trade_needs_a_quarter() {
        let played = Equilibrium::of(&UNIT, &UNIT, 0.5);
        let n = 800;
        let mid = |k: usize| (k as f64 + 0.5) / f64::from(n);
        let mut gains = 0.0;
        for (v, c) in (0..n as usize).flat_map(|a| (0..n as usize).map(move |b| (a, b))) {
            let (v, c) = (mid(v), mid(c));
            let trades = played.bid(v) >= played.ask(c);
            // Rounding may decide on the line itself.
            assert!(trades == (v - c >= 0.25) || (v - c - 0.25).abs() < 1e-9, "{v} {c}");
            gains += if trades { v - c } else { 0.0 } / f64::from(n * n);
        }
        assert!((gains - 9.0 / 64.0).abs() < 1e-3, "{gains}");
    }

    #[test]
    fn the_grid_finds_an_equilibrium_to_within_the_distance_of_two_bids() {
        let laws = [
            (UNIT, UNIT),
            (Bounded::Uniform { low: 0.5, high: 1.0 }, Bounded::Uniform { low: 0.2, high: 0.8 }),
            (Bounded::Normal { mean: 0.7, deviation: 0.2, low: 0.0, high: 1.0 }, UNIT),
        ];
        for (buyer, seller) in laws {
            let found = Grid::solved(&buyer, &seller, 0.5);
            assert!(found.regret <= 0.01, "{buyer:?} against {seller:?}: {}", found.regret);
            // Trade is not given up: the start is the truth.
            assert!(found.best(buyer.bounds().1, true) > found.best(seller.bounds().0, false), "{buyer:?}");
        }
    }
}
