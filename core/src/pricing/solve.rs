//! The whole answer: prices, what is sold at them, and whether they are an equilibrium.

use super::{Demand, Gap, Method, PricingGame};

/// A gap of this share of the money at stake is none.
const GAP: f64 = 1e-7;

/// Prices and what is known of them.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceEquilibrium {
    /// Whether no seller gains by another price, to the tolerance.
    pub found: bool,
    /// Prices, per kWh: of the equilibrium, or with the least gap that was found.
    pub prices: Vec<f64>,
    /// What buyers do at them.
    pub demand: Demand,
    /// What each seller sells, kWh.
    pub sold: Vec<f64>,
    /// What each earns, money.
    pub profits: Vec<f64>,
    /// What each still gains by another price, over the whole range.
    pub gap: Gap,
    /// What the gap may be.
    pub tolerance: f64,
    /// Rounds of all searches.
    pub rounds: usize,
    /// Rounds after which best responses come again, where they do.
    pub cycle: Option<usize>,
}

impl PricingGame {
    /// What a gap may be at prices: rounding.
    pub fn gap_tolerance(&self, prices: &[f64], totals: &[f64]) -> f64 {
        let stake: f64 = self.sold(totals).iter().zip(prices).map(|(q, p)| (q * p).abs()).sum();
        GAP * (1.0 + stake)
    }

    /// Looks for an equilibrium by a method from [`PricingGame::start`] on, and, where that ends in none, by the others and from the
    /// ends of the range. `watch` sees the prices after each round of each search, and says whether to go on.
    pub fn solve(&self, method: Method, watch: &mut dyn FnMut(&[f64], f64) -> bool) -> PriceEquilibrium {
        let tolerance = 1e-12 * (self.price_max - self.price_min).max(f64::MIN_POSITIVE);
        let ends = [vec![self.price_min; self.sellers.len()], vec![self.price_max; self.sellers.len()]];
        let others = Method::ALL.into_iter().filter(|other| *other != method);
        let tries = [(method, self.start())]
            .into_iter()
            .chain(others.map(|other| (other, self.start())))
            .chain(ends.into_iter().map(|end| (Method::GaussSeidel, end)));
        let (mut rounds, mut cycle, mut seen) = (0, None, vec![]);
        let mut cancelled = false;
        for (method, start) in tries {
            let sought = self.seek(method, &start, None, tolerance, &mut |prices, moved| {
                let go_on = watch(prices, moved);
                cancelled |= !go_on;
                go_on
            });
            rounds += sought.rounds;
            if !sought.cycle.is_empty() {
                cycle.get_or_insert(sought.cycle.len());
            }
            let answer = self.answer(sought.prices.clone(), rounds, cycle);
            if answer.found || cancelled {
                return answer;
            }
            seen.extend(sought.cycle);
            seen.push(sought.prices);
        }
        let nearest = self.least_gap(&seen);
        // Near the least gap an equilibrium may lie that the searches from further away ran past.
        for method in [Method::Gradient, Method::GaussSeidel] {
            let sought = self.seek(method, &nearest, None, tolerance, watch);
            rounds += sought.rounds;
            let answer = self.answer(sought.prices, rounds, cycle);
            if answer.found {
                return answer;
            }
        }
        self.answer(nearest, rounds, cycle)
    }

    /// What is known of prices.
    pub fn answer(&self, prices: Vec<f64>, rounds: usize, cycle: Option<usize>) -> PriceEquilibrium {
        let demand = self.demand(&prices);
        let gap = self.nikaido_isoda(&prices);
        let tolerance = self.gap_tolerance(&prices, &demand.totals);
        let (sold, profits) = (self.sold(&demand.totals), self.profits(&prices, &demand.totals));
        let found = gap.nikaido_isoda <= tolerance;
        PriceEquilibrium { found, prices, demand, sold, profits, gap, tolerance, rounds, cycle }
    }
}
