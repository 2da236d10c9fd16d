//! The fixed point of nodal prices within the network's limits: the augmented Lagrangian (method of multipliers) around
//! the search.
//!
//! With the members' withdrawals given, nothing is left that could relieve a limit: it has to be in the prices. A limit
//! `g <= 0` enters them as `[mu + kappa g]+ dg/dx`, and its curvature `kappa dg/dx dg/dx'` the anchor; when the loop has
//! stopped, that bracket is the next `mu` (Hestenes 1969; Powell 1969). `kappa` is a multiple of the curvature that the
//! anchor has in the limit's direction, which makes it a matter of shape and not of units. In every period only the limits
//! that are priced already and the most violated one of each kind are in: their neighbours follow.
//!
//! A multiplier that grows without end says that no price holds its limit. Whether nothing else does either is asked of the
//! members together, the network inside.

use super::penalty::Penalty;
use super::point::{Found, moved};
use super::search;
use crate::engine::limits;
use crate::engine::{Cleared, Run};
use crate::error::MechanismError;
use crate::market::NetworkMode;
use crate::outcome::Status;
use crate::program::SolveError;

/// Updates of the multipliers.
const MAX_UPDATES: usize = 25;
/// Updates without relief after which the members together are asked whether the limits can be held.
const PATIENCE: usize = 3;
/// Price of limits per kWh, as a multiple of the dearest tariff, beyond which it is not worth looking further.
const WITHOUT_END: f64 = 1000.0;

/// From a fixed point that violates limits to one that keeps them.
pub(super) fn clear(run: &Run<'_>, mut found: Found) -> Result<Cleared, MechanismError> {
    let setting = run.setting();
    let Some(feeder) = &setting.feeder else { return Err(MechanismError::Unmet { need: "a network" }) };
    let dearest = setting.tariff.iter().flat_map(|t| &t.buy_per_kwh).fold(1e-3_f64, |m, p| m.max(p.abs()));
    let mut penalty = Penalty::default();
    let (mut held, mut hopeless) = (false, false);
    let mut possible = None;
    let (mut least, mut stalled) = (f64::INFINITY, 0);
    for _ in 0..MAX_UPDATES {
        let at = moved(run, &found.point.plans, &found.point.at)?;
        held = !penalty.update(setting, feeder, &at, &found.basis.weight);
        let charges = penalty.charges(setting, &at);
        hopeless = charges.per_kwh.iter().any(|p| p.abs() > WITHOUT_END * dearest || p.is_nan());
        if held || hopeless || !found.converged || run.observer.cancelled() {
            break;
        }
        let violation = limits::worst(setting, &at).map_or(0.0, |w| w.2);
        stalled = if violation > 0.9 * least { stalled + 1 } else { 0 };
        least = least.min(violation);
        if stalled == PATIENCE && possible.is_none() {
            possible = Some(can_be_held(run));
            if possible == Some(false) {
                break;
            }
        }
        found = search::search(run, &penalty, Some(found))?;
    }
    if held {
        return Ok(found.settled);
    }
    let at = moved(run, &found.point.plans, &found.point.at)?;
    let worst = limits::worst(setting, &at);
    let named = worst.map_or(String::new(), |(limit, t, g)| {
        limit.missed_by_excess(&feeder.network, g).words(&feeder.network, Some(t))
    });
    if !possible.unwrap_or_else(|| can_be_held(run)) {
        return Err(SolveError::Infeasible { rows: vec![named] }.into());
    }
    let mut settled = found.settled;
    if settled.outcome.status == Status::Converged {
        settled.outcome.status = Status::NotConverged { residual: worst.map_or(f64::NAN, |w| w.2) };
    }
    if found.converged {
        let how = if hopeless { "its price grows without end" } else { "its price was not found" };
        settled.reason = Some(format!("under the mechanism {named}: {how}"));
    }
    Ok(settled)
}

/// Whether the members together, the network inside, could hold the limits. Unknown counts as yes.
fn can_be_held(run: &Run<'_>) -> bool {
    let loss_price_per_kwh = run.setting().tariff.as_ref().map_or(vec![], |tariff| tariff.buy_per_kwh.clone());
    let inside = NetworkMode::Inside { loss_price_per_kwh };
    !matches!(run.market.solve(&run.market.grand().network(inside)), Err(SolveError::Infeasible { .. }))
}
