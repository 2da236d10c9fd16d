//! Collective self-consumption by keys: what members generate beyond their own needs is written to others by a rule of the
//! register, whatever anybody would pay for it.

use crate::fixed_positions::{share, tradable, traded};
use crate::tariff_band::bands;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Trade;
use coase_core::{Certificate, Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// To whom shared energy is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Keys {
    /// To those who need energy in the period, in proportion to what they need.
    #[default]
    Proportional,
    /// By fixed keys, one for each member in order, summing to at most 1; what a member cannot use is sold to the grid.
    Static(Vec<f64>),
    /// By fixed keys, and what is left in proportion to what is still needed.
    Hybrid(Vec<f64>),
}

/// What changes hands in a period is a share of the surplus: `min(key_j S, D_j)` by fixed keys, `min(S, D) D_j / D` in
/// proportion to needs. Sellers give in proportion to their surplus.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SharingKeys {
    /// To whom shared energy is written.
    pub keys: Keys,
    /// What is paid for a shared kWh: nothing, if left out, else so far from what the grid pays (0) to what it asks (1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub price_share: Option<f64>,
}

register!(SharingKeys, "sharing-keys", Baseline, "shared energy by keys of the register",
    claims: [BudgetBalanced], needs: [Tariff, NoRequirement], information: Reports,
    source: "collective self-consumption in Portugal, Spain and Czechia");

impl Keys {
    fn fixed(&self) -> Option<&[f64]> {
        match self {
            Keys::Proportional => None,
            Keys::Static(keys) | Keys::Hybrid(keys) => Some(keys),
        }
    }

    fn check(&self, members: usize) -> Result<(), MechanismError> {
        let Some(keys) = self.fixed() else { return Ok(()) };
        let fits =
            keys.len() == members && keys.iter().all(|key| *key >= 0.0) && keys.iter().sum::<f64>() <= 1.0 + 1e-9;
        if fits {
            return Ok(());
        }
        let expected = "one number of at least 0 for each member in order, summing to at most 1";
        Err(MechanismError::Parameter { name: "keys", value: format!("{keys:?}"), expected })
    }

    /// What each receives of a surplus.
    fn received(&self, surplus: f64, needs: &[f64]) -> Vec<f64> {
        let mut received = vec![0.0; needs.len()];
        if let Some(keys) = self.fixed() {
            for ((got, key), need) in received.iter_mut().zip(keys).zip(needs) {
                *got = need.min(key * surplus);
            }
        }
        if matches!(self, Keys::Proportional | Keys::Hybrid(_)) {
            let open: f64 = needs.iter().zip(&received).map(|(need, got)| need - got).sum();
            let left = (surplus - received.iter().sum::<f64>()).min(open);
            for (got, need) in received.iter_mut().zip(needs) {
                *got += if open > 0.0 { left * (need - *got) / open } else { 0.0 };
            }
        }
        received
    }
}

impl Mechanism for SharingKeys {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        self.keys.check(market.len())?;
        let price_share = self.price_share.map(|at| share("price_share", at)).transpose()?;
        let net = tradable(market)?;
        let bands = bands(market)?;
        ctx.messages(market.len() * bands.len());
        let (mut trades, mut lost) = (vec![], 0.0);
        for (slot, band) in bands.iter().enumerate() {
            let Some(band) = band else { continue };
            let price = price_share.map_or(0.0, |at| band.sell + at * (band.buy - band.sell));
            let needs: Vec<f64> = net.iter().map(|x| (-x[slot]).max(0.0)).collect();
            let surplus: f64 = net.iter().map(|x| x[slot].max(0.0)).sum();
            if surplus <= 1e-6 {
                continue;
            }
            let received = self.keys.received(surplus, &needs);
            let shared: f64 = received.iter().sum();
            lost += (band.buy - band.sell) * (surplus - shared).min(needs.iter().sum::<f64>() - shared).max(0.0);
            for (seller, has) in net.iter().map(|x| x[slot]).enumerate().filter(|(_, has)| *has > 0.0) {
                for (buyer, got) in received.iter().enumerate().filter(|(_, got)| **got > 1e-9) {
                    trades.push(Trade { seller, buyer, slot, quantity: got * has / surplus, price: Some(price) });
                }
            }
        }
        let mut outcome = traded(market, trades);
        let witness = "what the grid asks above what it pays, on what is left over and needed in the same period";
        outcome.evidence.push(Certificate::measure("unshared_cost", lost, witness));
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;

    /// Production (6, 2), needs (2, 4) and (3, 1), keys of one half: bills at 1.0, sales to the grid at 0.4.
    #[test]
    fn bills_are_those_of_the_rule() {
        let half = vec![0.5, 0.5];
        for (keys, bills, sold) in [
            (Keys::Static(half.clone()), [2.0, 1.0], 0.4),
            (Keys::Proportional, [1.5, 0.5], 0.0),
            (Keys::Hybrid(half), [2.0, 0.0], 0.0),
        ] {
            let (mut found, mut left) = ([0.0, 0.0], 0.0);
            for (surplus, needs) in [(6.0, [2.0, 4.0]), (2.0, [3.0, 1.0])] {
                let received = keys.received(surplus, &needs);
                left += surplus - received.iter().sum::<f64>();
                for k in 0..2 {
                    found[k] += needs[k] - received[k];
                }
            }
            assert!((0..2).all(|k| (found[k] - bills[k]).abs() < 1e-12), "{keys:?}: {found:?}");
            assert!((0.4 * left - sold).abs() < 1e-12, "{keys:?}: {left}");
        }
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        for keys in [vec![0.5], vec![0.6, 0.6], vec![-0.1, 0.5], vec![f64::NAN, 0.5]] {
            assert!(Keys::Static(keys).check(2).is_err());
        }
        assert!(Keys::Hybrid(vec![0.5, 0.5]).check(2).is_ok());
    }
}
