//! Which limits of the network a group cannot keep: where, when, and by how much at best.
//!
//! The rows of a power flow pass a low voltage on from bus to bus, so that the row that a solver misses at least cost may
//! stand at the head of the feeder. Here the limits of voltage are what may be missed, at a price beyond any cost, and the
//! flow equations hold: what is still missed is missed at the bus itself.

use super::{Economy, Market, NetworkMode, economy};
use crate::network::Limit;
use crate::program::SolveError;

/// Limits that are named.
const MOST_NAMED: usize = 3;
/// Misses of a voltage, pu, that are none.
const MISSED_PU: f64 = 1e-6;

/// An infeasible question with the network inside names the buses whose limits cannot be kept, worst first, where that can
/// be found out; every other error stays.
pub(super) fn named(market: &Market, question: &Economy, error: SolveError) -> SolveError {
    let SolveError::Infeasible { rows } = error else { return error };
    if question.network == NetworkMode::Ignored {
        return SolveError::Infeasible { rows };
    }
    match missed(market, question) {
        Some(named) if !named.is_empty() => SolveError::Infeasible { rows: named },
        _ => SolveError::Infeasible { rows },
    }
}

/// Voltages that miss their limits when they are missed as little as possible; `None` where even that has no answer, for
/// members or ratings contradict each other by themselves.
fn missed(market: &Market, question: &Economy) -> Option<Vec<String>> {
    let network = &market.setting.feeder.as_ref()?.network;
    let mut found = vec![];
    for (period, voltages) in economy::nearest_voltages(market, question).ok()?.into_iter().enumerate() {
        for (node, v) in network.nodes().zip(voltages) {
            let Some(v) = v else { continue };
            for limit in [Limit::VoltageMin(node), Limit::VoltageMax(node)] {
                let missed = limit.missed(network, v);
                if missed.by > MISSED_PU {
                    found.push((missed.by, format!("{} at best", missed.words(network, Some(period)))));
                }
            }
        }
    }
    found.sort_by(|a: &(f64, String), b| b.0.total_cmp(&a.0));
    let more = found.len().saturating_sub(MOST_NAMED);
    let mut named: Vec<String> = found.into_iter().take(MOST_NAMED).map(|(_, words)| words).collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    Some(named)
}
