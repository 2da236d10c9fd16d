//! What buyers do at prices, and how it changes with a price.

use super::PricingGame;
use crate::population::{PopulationGame, Wardrop};

/// Costs that differ by no more than this share of the level are the same.
const TIE: f64 = 1e-10;
/// An option with a smaller share is not used.
const UNUSED: f64 = 1e-9;

/// Buyers who answer one list of prices after the other, each from where the last left them.
#[derive(Clone, Debug)]
pub struct Follower<'g> {
    game: &'g PricingGame,
    shares: Vec<f64>,
    buyers: PopulationGame,
}

/// What is asked of sellers at prices.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// `y_j`, kWh: of the sellers.
    pub totals: Vec<f64>,
    /// The equilibrium of the groups of buyers, with all options.
    pub rest: Wardrop,
}

impl PricingGame {
    /// Buyers who have not answered yet.
    pub fn follower(&self) -> Follower<'_> {
        let buyers = self.at_zero.clone();
        Follower { game: self, shares: buyers.uniform(), buyers }
    }

    /// What buyers do at these prices.
    pub fn demand(&self, prices: &[f64]) -> Demand {
        self.follower().demand(prices)
    }

    /// What each buyer pays per kWh in the equilibrium of a demand, with congestion and what pairs add.
    pub fn levels(&self, demand: &Demand) -> Vec<f64> {
        self.group.iter().map(|g| demand.rest.levels[*g]).collect()
    }

    /// What each buyer asks of sellers in a demand, kWh.
    pub fn bought(&self, demand: &Demand) -> Vec<f64> {
        let n = self.sellers.len();
        let of = |(g, quantity): (&usize, &f64)| {
            quantity * self.at_zero.row(&demand.rest.shares, *g)[..n].iter().sum::<f64>()
        };
        self.group.iter().zip(&self.needs).map(of).collect()
    }

    /// The shares of each buyer: sellers first, then the grid where there is one, then what is not bought.
    pub fn shares(&self, shares: &[f64]) -> Vec<Vec<f64>> {
        self.group.iter().map(|g| self.at_zero.row(shares, *g).to_vec()).collect()
    }

    /// `dy_k/dp_j` for all sellers `k` at these prices and shares. Along options that are used costs move together: over a
    /// connected set of buyers and sellers with `S = sum s_k` and `T = sum 1/b_i` of those between buying nothing and all,
    /// `dy_j/dp_j = -s_j (1 - s_j / (S + T))` and `dy_k/dp_j = s_j s_k / (S + T)`; with the grid among the options in use costs do
    /// not move at all.
    pub fn demand_slopes(&self, prices: &[f64], shares: &[f64], j: usize) -> Vec<f64> {
        self.slopes_in(&self.buyers_at(prices), shares, j)
    }

    fn slopes_in(&self, game: &PopulationGame, shares: &[f64], j: usize) -> Vec<f64> {
        let n = self.sellers.len();
        let costs = game.costs(shares);
        let (m, groups) = (game.options(), game.buyers());
        let in_use: Vec<Vec<bool>> = (0..groups)
            .map(|i| {
                let (x, c) = (game.row(shares, i), game.row(&costs, i));
                let level = c.iter().copied().fold(f64::INFINITY, f64::min);
                let tie = TIE * (1.0 + level.abs());
                x.iter().zip(c).map(|(x, c)| *x > UNUSED || *c <= level + tie).collect()
            })
            .collect();
        let mut reached = vec![false; groups];
        let mut sellers = vec![false; n];
        sellers[j] = true;
        let mut open = vec![j];
        while let Some(k) = open.pop() {
            for i in (0..groups).filter(|i| in_use[*i][k]) {
                if !std::mem::replace(&mut reached[i], true) {
                    for other in (0..n).filter(|other| in_use[i][*other]) {
                        if !std::mem::replace(&mut sellers[other], true) {
                            open.push(other);
                        }
                    }
                }
            }
        }
        let mut slopes = vec![0.0; n];
        if !reached.iter().any(|r| *r) {
            return slopes;
        }
        let own = self.sellers[j].slope();
        let on_grid = self.grid && (0..groups).any(|i| reached[i] && in_use[i][n]);
        if on_grid {
            slopes[j] = -own;
            return slopes;
        }
        let wide: f64 = (0..n).filter(|k| sellers[*k]).map(|k| self.sellers[k].slope()).sum();
        let abstain = n + usize::from(self.grid);
        let elastic = |i: usize| if m > abstain && in_use[i][abstain] { 1.0 / game.own_slope(i, abstain) } else { 0.0 };
        let all = wide + (0..groups).filter(|i| reached[*i]).map(elastic).sum::<f64>();
        for k in (0..n).filter(|k| sellers[*k]) {
            slopes[k] = own * self.sellers[k].slope() / all;
        }
        slopes[j] -= own;
        slopes
    }
}

impl Follower<'_> {
    /// What they do at these prices.
    pub fn demand(&mut self, prices: &[f64]) -> Demand {
        self.answer(prices);
        let rest = self.buyers.equilibrium_from(&self.shares);
        self.shares.clone_from(&rest.shares);
        Demand { totals: rest.totals[..self.game.sellers.len()].to_vec(), rest }
    }

    fn answer(&mut self, prices: &[f64]) {
        self.buyers.set_options(&self.game.at_zero, prices);
    }

    /// A seller's profit at these prices, its slope in the own price, and the slope's slope.
    pub fn profit(&mut self, prices: &[f64], j: usize) -> (f64, f64, f64) {
        let demand = self.demand(prices);
        let seller = &self.game.sellers[j];
        let (asked, margin) = (demand.totals[j], prices[j] - seller.cost);
        if asked >= seller.quantity {
            return (margin * seller.quantity, seller.quantity, 0.0);
        }
        let slope = self.game.slopes_in(&self.buyers, &demand.rest.shares, j)[j];
        (margin * asked, asked + margin * slope, 2.0 * slope)
    }

    /// Only the profit.
    pub fn profit_only(&mut self, prices: &[f64], j: usize) -> f64 {
        let asked = self.demand(prices).totals[j];
        let seller = &self.game.sellers[j];
        (prices[j] - seller.cost) * asked.min(seller.quantity)
    }

    /// `dU_j/dp_j` of every seller.
    pub fn gradient(&mut self, prices: &[f64]) -> Vec<f64> {
        let demand = self.demand(prices);
        self.game.gradient_at(&self.buyers, prices, &demand.totals, &demand.rest.shares)
    }
}

impl PricingGame {
    /// `dU_j/dp_j` of every seller where buyers have these shares; of one who sells nothing, a way towards its cost.
    pub(super) fn gradient_at(
        &self,
        buyers: &PopulationGame,
        prices: &[f64],
        totals: &[f64],
        shares: &[f64],
    ) -> Vec<f64> {
        let of = |j: usize| {
            let seller = &self.sellers[j];
            if totals[j] >= seller.quantity {
                return seller.quantity;
            }
            // Who sells nothing moves as if it were about to sell: its profit is flat, and no guide. Totals of buyers who only
            // come near to rest are never quite nothing.
            if (0..buyers.buyers()).all(|i| buyers.row(shares, i)[j] <= UNUSED) {
                return (seller.cost - prices[j]) * 0.5 * seller.slope();
            }
            totals[j] + (prices[j] - seller.cost) * self.slopes_in(buyers, shares, j)[j]
        };
        (0..self.sellers.len()).map(of).collect()
    }
}
