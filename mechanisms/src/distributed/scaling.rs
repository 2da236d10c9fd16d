//! Penalties that follow the residuals.
//!
//! Primal residuals are energy and dual residuals are prices: compared as they are they say little, and a penalty that balances
//! them may settle anywhere. Compared relative to what they are residuals of, `r_c = |e_c - z_c| / max(|e_c|, |z_c|)` and
//! `s_c = |rho_c (z_c - z'_c)| / |p_c|`, they tell for each group `c` of couplings by which factor its penalty is off:
//! `tau = min(2, max(k, 1/k))` with `k = sqrt(r_c / s_c)`. Penalties stand still after a number of iterations, from where the
//! convergence of fixed penalties holds. Prices are not scaled and stay what they are.
//!
//! Sources: B. S. He, H. Yang and S. L. Wang (2000) for balancing; the relative form by group is a reconstruction of the
//! adaptive scaling that Y. Wang et al. (2026) name.

use super::pairs::{Agreement, Copies, Pairs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the penalty follows the residuals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Scaling {
    /// It stays as it is.
    #[default]
    Fixed,
    /// It is doubled where the primal residual is more than ten times the dual one, and halved in the opposite case; both in
    /// their own units, as in textbooks.
    ResidualBalancing,
    /// It is scaled by the root of the ratio of relative residuals where these differ by more than a factor of ten.
    Adaptive {
        /// Iterations after which penalties stand still.
        #[serde(default = "freeze_after")]
        #[schemars(range(min = 1))]
        freeze_after: usize,
        /// What has a penalty of its own.
        #[serde(default)]
        groups: Groups,
    },
}

/// Couplings that share a penalty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Groups {
    /// All.
    #[default]
    One,
    /// Those of a pair of members, and those of members with the network.
    Pair,
    /// Those of a slot.
    Slot,
}

fn freeze_after() -> usize {
    200
}

/// Residuals that differ by less are in balance.
const BALANCE: f64 = 10.0;
/// Greatest change of a penalty at once.
const MOST: f64 = 2.0;
/// How far a penalty may go from where it started: a pair that hardly trades has residuals that are rounding, whose ratio would
/// carry it anywhere.
const REACH: f64 = 1e3;
/// What is smaller has no size.
const NOTHING: f64 = 1e-12;

impl Scaling {
    /// Changes penalties after an iteration that went from one agreement to another; whether it did.
    pub(super) fn adapt(
        self,
        iteration: usize,
        pairs: &Pairs,
        copies: &Copies,
        (old, new): (&Agreement, &Agreement),
        (start, rho): (f64, &mut [f64]),
    ) -> bool {
        let groups = match self {
            Scaling::Fixed => return false,
            Scaling::ResidualBalancing => Groups::One,
            Scaling::Adaptive { freeze_after, .. } if iteration > freeze_after => return false,
            Scaling::Adaptive { groups, .. } => groups,
        };
        let count = match groups {
            Groups::One => 1,
            // And one for what is agreed upon with the network.
            Groups::Pair => pairs.list.len() + 1,
            Groups::Slot => pairs.slots,
        };
        let group = |place: usize| match groups {
            Groups::One => 0,
            Groups::Pair => (place / pairs.slots).min(pairs.list.len()),
            Groups::Slot => place % pairs.slots,
        };
        let mut sums = vec![Sums::default(); count];
        for (place, rho) in rho.iter().enumerate() {
            let (a, b, z) = (copies.first[place], copies.second[place], new.sale[place]);
            let of = &mut sums[group(place)];
            of.primal += (a - z) * (a - z) + (b + z) * (b + z);
            of.copies += a * a + b * b;
            of.sales += 2.0 * z * z;
            let moved = rho * (z - old.sale[place]);
            of.dual += 2.0 * moved * moved;
            of.prices += 2.0 * new.price[place] * new.price[place];
        }
        let factor: Vec<f64> = sums.iter().map(|of| self.factor(of)).collect();
        let mut changed = false;
        for (place, rho) in rho.iter_mut().enumerate() {
            let scaled = (*rho * factor[group(place)]).clamp(start / REACH, start * REACH);
            changed |= scaled != *rho;
            *rho = scaled;
        }
        changed
    }

    fn factor(self, of: &Sums) -> f64 {
        let (mut primal, mut dual) = (of.primal.sqrt(), of.dual.sqrt());
        let mut tau = MOST;
        if matches!(self, Scaling::Adaptive { .. }) {
            primal /= of.copies.max(of.sales).sqrt().max(NOTHING);
            dual /= of.prices.sqrt().max(NOTHING);
            let ratio = (primal / dual).sqrt();
            // Also where one of them is nothing.
            tau = if ratio > 0.0 { ratio.max(1.0 / ratio).min(MOST) } else { MOST };
        }
        if primal > BALANCE * dual {
            tau
        } else if dual > BALANCE * primal {
            1.0 / tau
        } else {
            1.0
        }
    }
}

/// Sums of squares over a group.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    primal: f64,
    dual: f64,
    copies: f64,
    sales: f64,
    prices: f64,
}
