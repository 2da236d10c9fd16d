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

use super::couplings::Squares;
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
/// How far the penalty of a group may go from that which all would share: a pair that hardly trades has residuals that are
/// rounding, whose ratio would carry it anywhere.
const REACH: f64 = 1e3;
/// What is smaller has no size.
const NOTHING: f64 = 1e-12;

impl Scaling {
    /// What has a penalty of its own.
    pub(super) fn groups(self) -> Groups {
        match self {
            Scaling::Fixed | Scaling::ResidualBalancing => Groups::One,
            Scaling::Adaptive { groups, .. } => groups,
        }
    }

    /// Changes penalties after an iteration with such squares of residuals, both by group; `common` is the penalty that all would
    /// share. Whether it did.
    pub(super) fn adapt(self, iteration: usize, squares: &[Squares], common: &mut f64, rho: &mut [f64]) -> bool {
        match self {
            Scaling::Fixed => return false,
            Scaling::Adaptive { freeze_after, .. } if iteration > freeze_after => return false,
            Scaling::ResidualBalancing | Scaling::Adaptive { .. } => {}
        }
        *common *= self.factor(&Squares::total(squares));
        let mut changed = false;
        for (rho, of) in rho.iter_mut().zip(squares) {
            let scaled = match self.groups() {
                Groups::One => *common,
                Groups::Pair | Groups::Slot => (*rho * self.factor(of)).clamp(*common / REACH, *common * REACH),
            };
            changed |= scaled != *rho;
            *rho = scaled;
        }
        changed
    }

    fn factor(self, of: &Squares) -> f64 {
        let (mut primal, mut dual) = (of.missed.sqrt(), of.moved.sqrt());
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
