//! Population games with congestion: buyers spread over sellers, and an option costs the more the more it is chosen.
//!
//! Numbers only. Buyer `i` has `D_i` kWh to procure and puts the share `x_ij` on option `j`. A kWh there costs
//! `c_ij = b_ij + r_j y_j + o_ij D_i x_ij` with `y_j = sum_i D_i x_ij`: a price with whatever a pair adds to it, congestion that
//! all share, congestion of one's own. The payoff is `F_ij = -c_ij`. It is a potential game (Sandholm, 2001) of
//! `Psi = sum_ij D_i x_ij b_ij + sum_j r_j y_j^2 / 2 + sum_ij o_ij (D_i x_ij)^2 / 2`, which is convex: its minima are the
//! equilibria of Wardrop (1952), in which no buyer finds a cheaper option than those it uses.
//!
//! [`PopulationGame::equilibrium`] finds one exactly, [`Play`] walks to it by an evolutionary [`Dynamics`], and
//! [`PopulationGame::eigenvalues`] says how fast.
//!
//! ```
//! use coase_core::population::PopulationGame;
//!
//! // 150 kWh are bought from three sellers at these prices, whose congestion costs 0.3 y/100, 0.2 y/60 and 0.25 y/80.
//! let game = PopulationGame::new(vec![150.0], &[vec![0.55, 0.60, 0.50]], vec![0.003, 0.2 / 60.0, 0.25 / 80.0])?;
//! let rest = game.equilibrium();
//! assert!((rest.levels[0] - 0.706293706294).abs() < 1e-9, "a kWh costs the same everywhere");
//! assert!((rest.totals[1] - 31.888111888).abs() < 1e-6);
//! # Ok::<(), coase_core::population::PopulationError>(())
//! ```

mod dynamics;
mod equilibrium;
mod stability;
#[cfg(test)]
mod tests;

pub use dynamics::{Dynamics, FLOOR, Play, Rest};
pub use equilibrium::Wardrop;

/// Why a game is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PopulationError {
    /// Nobody buys, or from nobody.
    #[error("a population game has at least one buyer and one option")]
    Empty,
    /// A buyer does not know what every option costs, or knows more than there are.
    #[error("buyer {buyer} has {found} costs for {expected} options")]
    Options {
        /// Which.
        buyer: usize,
        /// How many costs it has.
        found: usize,
        /// How many options there are.
        expected: usize,
    },
    /// A number that is none, or has the wrong sign.
    #[error("{what} is {value}: expected {expected}")]
    Number {
        /// Which number.
        what: &'static str,
        /// What it is.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
}

/// Buyers, options and what they cost. Shares are lists with one number for each buyer and option, a buyer's together.
#[derive(Clone, Debug, PartialEq)]
pub struct PopulationGame {
    options: usize,
    /// `D_i`, kWh.
    mass: Vec<f64>,
    /// `b_ij` per kWh, a buyer's together.
    base: Vec<f64>,
    /// `r_j`, per kWh squared.
    slope: Vec<f64>,
    /// `o_ij`, per kWh squared.
    own: Vec<f64>,
}

impl PopulationGame {
    /// Buyers of `mass` kWh each, what every option costs each of them when nobody chooses it, per kWh, and what every kWh of all
    /// adds to that, per kWh squared.
    ///
    /// # Errors
    /// No buyer or option, a quantity that is not positive, a slope below 0, or a number that is not finite.
    pub fn new(mass: Vec<f64>, base: &[Vec<f64>], slope: Vec<f64>) -> Result<Self, PopulationError> {
        let options = slope.len();
        if mass.is_empty() || options == 0 {
            return Err(PopulationError::Empty);
        }
        if base.len() != mass.len() {
            return Err(PopulationError::Options { buyer: base.len().min(mass.len()), found: 0, expected: options });
        }
        if let Some((buyer, row)) = base.iter().enumerate().find(|(_, row)| row.len() != options) {
            return Err(PopulationError::Options { buyer, found: row.len(), expected: options });
        }
        let wrong = |of: &[f64], fits: fn(f64) -> bool| of.iter().copied().find(|x| !(x.is_finite() && fits(*x)));
        if let Some(value) = wrong(&mass, |x| x > 0.0) {
            return Err(PopulationError::Number { what: "a quantity to buy", value, expected: "a number above 0" });
        }
        if let Some(value) = wrong(&slope, |x| x >= 0.0) {
            return Err(PopulationError::Number { what: "congestion", value, expected: "a number of at least 0" });
        }
        let base = base.concat();
        if let Some(value) = wrong(&base, |_| true) {
            return Err(PopulationError::Number { what: "a price", value, expected: "a finite number" });
        }
        let own = vec![0.0; base.len()];
        Ok(Self { options, mass, base, slope, own })
    }

    /// The same with one more option, the last: not to buy. Buyer `i` values its `q`-th kWh at `a_i - b_i q`; what it does not
    /// buy has no congestion but its own. `values` are `(a_i, b_i)`, per kWh and per kWh squared.
    ///
    /// # Errors
    /// Values that are not finite, a slope that is not positive, or another number of them than of buyers.
    pub fn with_abstention(&self, values: &[(f64, f64)]) -> Result<Self, PopulationError> {
        if values.len() != self.mass.len() {
            return Err(PopulationError::Options { buyer: 0, found: values.len(), expected: self.mass.len() });
        }
        let options = self.options + 1;
        let (mut base, mut own) = (vec![], vec![]);
        for (i, (a, b)) in values.iter().enumerate() {
            if !a.is_finite() {
                let (what, expected) = ("the value of the first kWh", "a finite number");
                return Err(PopulationError::Number { what, value: *a, expected });
            }
            if !(b.is_finite() && *b > 0.0) {
                let (what, expected) = ("the slope of a buyer's value", "a number above 0");
                return Err(PopulationError::Number { what, value: *b, expected });
            }
            base.extend_from_slice(self.row(&self.base, i));
            own.extend_from_slice(self.row(&self.own, i));
            base.push(a - b * self.mass[i]);
            own.push(*b);
        }
        let slope = self.slope.iter().copied().chain([0.0]).collect();
        Ok(Self { options, mass: self.mass.clone(), base, slope, own })
    }

    /// Number of buyers.
    pub fn buyers(&self) -> usize {
        self.mass.len()
    }

    /// Number of options.
    pub fn options(&self) -> usize {
        self.options
    }

    /// `D_i`, kWh.
    pub fn mass(&self) -> &[f64] {
        &self.mass
    }

    /// What one buyer has in a list of all.
    pub fn row<'x>(&self, of: &'x [f64], buyer: usize) -> &'x [f64] {
        &of[buyer * self.options..(buyer + 1) * self.options]
    }

    /// Everybody chooses every option alike.
    pub fn uniform(&self) -> Vec<f64> {
        vec![1.0 / self.options as f64; self.base.len()]
    }

    /// `y_j`, kWh.
    pub fn totals(&self, shares: &[f64]) -> Vec<f64> {
        let mut totals = vec![0.0; self.options];
        self.totals_into(shares, &mut totals);
        totals
    }

    /// `c_ij` per kWh.
    pub fn costs(&self, shares: &[f64]) -> Vec<f64> {
        let mut costs = vec![0.0; shares.len()];
        self.costs_into(shares, &mut vec![0.0; self.options], &mut costs);
        costs
    }

    fn totals_into(&self, shares: &[f64], totals: &mut [f64]) {
        totals.fill(0.0);
        for (row, mass) in shares.chunks_exact(self.options).zip(&self.mass) {
            for (total, x) in totals.iter_mut().zip(row) {
                *total += mass * x;
            }
        }
    }

    fn costs_into(&self, shares: &[f64], totals: &mut [f64], costs: &mut [f64]) {
        self.totals_into(shares, totals);
        let m = self.options;
        let rows = shares.chunks_exact(m).zip(self.base.chunks_exact(m)).zip(self.own.chunks_exact(m)).zip(&self.mass);
        for (costs, (((shares, base), own), mass)) in costs.chunks_exact_mut(m).zip(rows) {
            let parts = shares.iter().zip(base).zip(own).zip(totals.iter().zip(&self.slope));
            for (cost, (((x, base), own), (total, slope))) in costs.iter_mut().zip(parts) {
                *cost = base + slope * total + own * mass * x;
            }
        }
    }

    /// `Psi`, money.
    pub fn potential(&self, shares: &[f64]) -> f64 {
        self.potential_of(shares, &self.totals(shares))
    }

    fn potential_of(&self, shares: &[f64], totals: &[f64]) -> f64 {
        let m = self.options;
        let shared: f64 = totals.iter().zip(&self.slope).map(|(y, r)| 0.5 * r * y * y).sum();
        let rows = shares.chunks_exact(m).zip(self.base.chunks_exact(m)).zip(self.own.chunks_exact(m)).zip(&self.mass);
        let own = rows.map(|(((x, base), own), mass)| -> f64 {
            x.iter().zip(base).zip(own).map(|((x, base), own)| mass * x * (base + 0.5 * own * mass * x)).sum()
        });
        shared + own.sum::<f64>()
    }

    /// What buyers would save in all if each moved to its cheapest option, `sum_i D_i (sum_j x_ij c_ij - min_j c_ij)`: 0 in an
    /// equilibrium and above 0 elsewhere. Money.
    pub fn wardrop_gap(&self, shares: &[f64]) -> f64 {
        self.gap_of(shares, &self.costs(shares))
    }

    fn gap_of(&self, shares: &[f64], costs: &[f64]) -> f64 {
        let rows = shares.chunks_exact(self.options).zip(costs.chunks_exact(self.options)).zip(&self.mass);
        rows.map(|((x, c), mass)| {
            let least = c.iter().copied().fold(f64::INFINITY, f64::min);
            mass * x.iter().zip(c).map(|(x, c)| x * (c - least)).sum::<f64>()
        })
        .sum()
    }

    /// All that is bought, kWh.
    pub fn total_mass(&self) -> f64 {
        self.mass.iter().sum()
    }

    /// The widest range of costs that a buyer can meet, per kWh; a step of its inverse is safe for every dynamics.
    pub fn range(&self) -> f64 {
        let all = self.total_mass();
        let m = self.options;
        let of_buyer = |i: usize| {
            let most = (0..m)
                .map(|j| self.base[i * m + j] + self.slope[j] * all + self.own[i * m + j] * self.mass[i])
                .fold(f64::NEG_INFINITY, f64::max);
            most - self.row(&self.base, i).iter().copied().fold(f64::INFINITY, f64::min)
        };
        (0..self.buyers()).map(of_buyer).fold(0.0, f64::max)
    }

    /// Adds prices to the first options, the same for every buyer.
    pub(crate) fn add_to_options(&mut self, prices: &[f64]) {
        for row in self.base.chunks_exact_mut(self.options) {
            row.iter_mut().zip(prices).for_each(|(base, price)| *base += price);
        }
    }

    /// Takes the costs of another game of the same buyers and options, and adds prices to the first options.
    pub(crate) fn set_options(&mut self, of: &PopulationGame, prices: &[f64]) {
        self.base.copy_from_slice(&of.base);
        self.add_to_options(prices);
    }

    /// `b_ij` per kWh.
    pub(crate) fn base(&self, buyer: usize, option: usize) -> f64 {
        self.base[buyer * self.options + option]
    }

    /// `o_ij`, per kWh squared.
    pub(crate) fn own_slope(&self, buyer: usize, option: usize) -> f64 {
        self.own[buyer * self.options + option]
    }

    /// What costs are compared with, per kWh.
    fn scale(&self) -> f64 {
        let dearest = self.base.iter().fold(0.0_f64, |most, b| most.max(b.abs()));
        dearest.max(self.range()).max(f64::MIN_POSITIVE)
    }
}
