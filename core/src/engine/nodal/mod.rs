//! The fixed point of nodal prices around a mechanism, by an anchor on quantities.
//!
//! One path, a file each: [`search`] makes attempts, each of which is [`proximal_gradient`] rounds over [`prices`] at a
//! [`point`]; what it ends in is [`settle`]d and certified. [`augmented_lagrangian`] repeats the search with prices on limits.
//!
//! Iterating on prices stalls, because answers to symmetric prices are sets: a storage is indifferent. With an anchor
//! `sum_t rho_t/2 (x_t - c_t)^2` on every member's net withdrawal the loop is the proximal gradient method on the
//! participants' and the network's cost; at `c = x` the anchor's gradient vanishes, so the fixed point is the true one.
//! Anderson's method accelerates it. Where the price jumps at the root the share of the jump is found beside the quantities
//! ([`root_share`]). Prices that are averages along flows have no such cost behind them: there several
//! attempts are made, with the anchor as steep as prices turn out to be, without acceleration, and from whatever answers
//! better. The outcome is settled with a weak anchor, which only chooses among ties, and certificates say how near it is: in
//! prices, in quantities, in money. Where it violates limits of the network that the policy prices, the search goes on with
//! them in the prices.

mod anderson;
mod augmented_lagrangian;
mod certify;
mod penalty;
mod point;
mod prices;
mod proximal_gradient;
mod root_share;
mod search;
mod settle;
mod steepness;

use super::{Cleared, Run};
use crate::error::MechanismError;
use penalty::Penalty;

pub(super) fn clear(run: &Run<'_>) -> Result<Cleared, MechanismError> {
    let found = search::search(run, &Penalty::default(), None)?;
    if found.converged && run.policy.prices_limits() && penalty::violated(run.setting(), &found.settled.physical) {
        return augmented_lagrangian::clear(run, found);
    }
    Ok(found.settled)
}
