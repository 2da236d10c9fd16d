//! Wardrop equilibrium: every buyer in turn fills its options to one level, the others staying where they are.
//!
//! A turn solves a buyer's part of the potential exactly, so that the potential falls from turn to turn to its least value
//! (block coordinate descent on a convex function whose constraints are by buyer).

use super::PopulationGame;

/// Sweeps over all buyers, at most.
const MOST_SWEEPS: usize = 100_000;
/// A gap of this share of the money at stake, and a move of this share of the kWh, is rounding.
const ROUNDING: f64 = 1e-15;

/// An equilibrium.
#[derive(Clone, Debug, PartialEq)]
pub struct Wardrop {
    /// `x_ij`: not unique where buyers can swap sellers between them.
    pub shares: Vec<f64>,
    /// `y_j`, kWh: unique where every option has congestion.
    pub totals: Vec<f64>,
    /// What a kWh costs each buyer, `min_j c_ij`.
    pub levels: Vec<f64>,
    /// The gap that is left, money.
    pub gap: f64,
    /// Sweeps over all buyers.
    pub sweeps: usize,
}

impl PopulationGame {
    /// The equilibrium.
    pub fn equilibrium(&self) -> Wardrop {
        self.equilibrium_from(&self.uniform())
    }

    /// The equilibrium, sought from these shares on: of several with the same totals one near them.
    pub fn equilibrium_from(&self, start: &[f64]) -> Wardrop {
        let m = self.options;
        let mut q: Vec<f64> = start.iter().enumerate().map(|(k, x)| x * self.mass[k / m]).collect();
        let mut totals = vec![0.0; m];
        let mut costs = vec![0.0; q.len()];
        let mut order: Vec<usize> = (0..m).collect();
        let mut alone = vec![0.0; m];
        let enough = ROUNDING * self.scale() * self.total_mass();
        let still = ROUNDING * self.total_mass();
        let mut moved = f64::INFINITY;
        let mut sweeps = 0;
        while sweeps < MOST_SWEEPS {
            // Sums of changes drift: they are added anew in every sweep.
            totals.fill(0.0);
            for row in q.chunks_exact(m) {
                totals.iter_mut().zip(row).for_each(|(y, q)| *y += q);
            }
            self.costs_of(&q, &totals, &mut costs);
            if moved <= still || self.gap_in_kwh(&q, &costs) <= enough {
                break;
            }
            moved = 0.0;
            for i in 0..self.mass.len() {
                let of_buyer = &mut q[i * m..(i + 1) * m];
                moved = self.fill(i, of_buyer, &mut totals, &mut order, &mut alone).max(moved);
            }
            sweeps += 1;
        }
        self.costs_of(&q, &totals, &mut costs);
        let gap = self.gap_in_kwh(&q, &costs);
        let levels = costs.chunks_exact(m).map(|c| c.iter().copied().fold(f64::INFINITY, f64::min)).collect();
        let shares = q.iter().enumerate().map(|(k, q)| q / self.mass[k / m]).collect();
        Wardrop { shares, totals, levels, gap, sweeps }
    }

    fn costs_of(&self, q: &[f64], totals: &[f64], costs: &mut [f64]) {
        for (k, cost) in costs.iter_mut().enumerate() {
            let j = k % self.options;
            *cost = self.base[k] + self.slope[j] * totals[j] + self.own[k] * q[k];
        }
    }

    fn gap_in_kwh(&self, q: &[f64], costs: &[f64]) -> f64 {
        let rows = q.chunks_exact(self.options).zip(costs.chunks_exact(self.options));
        rows.map(|(q, c)| {
            let least = c.iter().copied().fold(f64::INFINITY, f64::min);
            q.iter().zip(c).map(|(q, c)| q * (c - least)).sum::<f64>()
        })
        .sum()
    }

    /// Puts a buyer's kWh where they cost least, the others' being given: `sum_j (level - b_j)+ / t_j = D` over its options, which
    /// cost it `b_j + t_j q_j`. The most that an option gained or lost, kWh.
    fn fill(&self, i: usize, q: &mut [f64], totals: &mut [f64], order: &mut [usize], alone: &mut [f64]) -> f64 {
        let m = self.options;
        for j in 0..m {
            totals[j] -= q[j];
            alone[j] = self.base[i * m + j] + self.slope[j] * totals[j];
        }
        order.sort_unstable_by(|a, b| alone[*a].total_cmp(&alone[*b]).then(a.cmp(b)));
        let steep = |j: usize| self.slope[j] + self.own[i * m + j];
        // kWh per unit of level, and level at which nothing was filled, of the options in use.
        let (mut width, mut offset, mut level) = (0.0, 0.0, f64::INFINITY);
        let mut flat = None;
        for j in order.iter().copied() {
            if alone[j] >= level {
                break;
            }
            if steep(j) <= 0.0 {
                (level, flat) = (alone[j], Some(j));
                break;
            }
            width += 1.0 / steep(j);
            offset += alone[j] / steep(j);
            level = (self.mass[i] + offset) / width;
        }
        let amount = |j: usize| if steep(j) <= 0.0 { 0.0 } else { (level - alone[j]).max(0.0) / steep(j) };
        let left = self.mass[i] - (0..m).map(amount).sum::<f64>();
        // What is left is rounding, or what an option without congestion takes.
        let last = flat.unwrap_or_else(|| (0..m).max_by(|a, b| amount(*a).total_cmp(&amount(*b))).unwrap_or(0));
        let mut moved = 0.0_f64;
        for j in 0..m {
            let next = if j == last { (amount(j) + left).max(0.0) } else { amount(j) };
            moved = moved.max((next - q[j]).abs());
            q[j] = next;
            totals[j] += next;
        }
        moved
    }
}
