//! Any number of traders: expectations over one fixed matrix of types.
//!
//! The same rows serve every report. Truth is then exactly a Bayesian equilibrium where types are drawn from these rows, and an
//! equilibrium up to `O(M^-1/2)` where they are drawn from the laws that the rows are drawn from. Rows that list all types with
//! their weights make the expectations exact.

use super::trader::{Trader, allocation};
use coase_core::statistics::bounded::Bounded;

/// Types that can be listed are listed, if there are no more rows than this.
const MOST_LISTED: usize = 20_000;

#[derive(Clone, Debug)]
pub(super) struct Many {
    traders: Vec<Trader>,
    /// Weight and types, one row for each draw.
    rows: Vec<(f64, Vec<f64>)>,
}

/// All types with their weights, where they are few.
fn listed(traders: &[Trader]) -> Option<Vec<(f64, Vec<f64>)>> {
    let mut rows = vec![(1.0, vec![])];
    for trader in traders {
        let Bounded::Points(points) = &trader.law else { return None };
        if rows.len() * points.len() > MOST_LISTED {
            return None;
        }
        let with = |(weight, row): &(f64, Vec<f64>)| -> Vec<(f64, Vec<f64>)> {
            points.iter().map(|(price, share)| (weight * share, [row.as_slice(), &[*price]].concat())).collect()
        };
        rows = rows.iter().flat_map(with).collect();
    }
    Some(rows)
}

impl Many {
    pub fn new(traders: &[Trader], uniforms: &[Vec<f64>]) -> Self {
        let drawn = || {
            let weight = 1.0 / uniforms.len().max(1) as f64;
            let row = |shares: &Vec<f64>| -> Vec<f64> {
                traders.iter().map(|trader| trader.law.drawn(shares[trader.who])).collect()
            };
            uniforms.iter().map(|shares| (weight, row(shares))).collect()
        };
        Self { traders: traders.to_vec(), rows: listed(traders).unwrap_or_else(drawn) }
    }

    /// `sum over rows of weight x of(types, quantities)` where one trader reports this.
    fn mean(&self, i: usize, report: f64, of: impl Fn(&[f64], &[f64]) -> f64) -> f64 {
        let mut types = vec![];
        let row = |(weight, row): &(f64, Vec<f64>)| {
            types.clone_from(row);
            types[i] = report;
            weight * of(&types, &allocation(&self.traders, &types))
        };
        self.rows.iter().map(row).sum()
    }

    fn welfare_but(&self, i: Option<usize>, types: &[f64], traded: &[f64]) -> f64 {
        let others = self.traders.iter().zip(types).zip(traded).enumerate().filter(|(j, _)| Some(*j) != i);
        others.map(|(_, ((trader, price), kwh))| trader.worth(*price) * kwh).sum()
    }

    pub fn externality(&self, i: usize, report: f64) -> f64 {
        self.mean(i, report, |types, traded| self.welfare_but(Some(i), types, traded))
    }

    pub fn expected_quantity(&self, i: usize, report: f64) -> f64 {
        self.mean(i, report, |_, traded| traded[i])
    }

    pub fn expected_externalities(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.traders.len()];
        for (weight, types) in &self.rows {
            let traded = allocation(&self.traders, types);
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum += weight * self.welfare_but(Some(i), types, &traded);
            }
        }
        sums
    }

    pub fn expected_welfare(&self) -> f64 {
        let welfare = |types: &[f64]| self.welfare_but(None, types, &allocation(&self.traders, types));
        self.rows.iter().map(|(weight, types)| weight * welfare(types)).sum()
    }
}
