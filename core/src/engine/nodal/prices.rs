//! What a policy's prices are at quantities that nobody has answered yet, and what to do where the network has no state for
//! them.

use super::penalty::Penalty;
use super::point::{Basis, Point, moved};
use super::root_share::RootTurn;
use crate::engine::Run;
use crate::engine::limits::LimitCharges;
use crate::error::MechanismError;
use crate::physical::{InPeriod, PhysicalError};
use crate::policy::Signal;
use crate::power_flow::PowerFlowError;
use crate::terms::Terms;

/// Voltage below which a state is none that a network is run in, pu.
const LEAST_VOLTAGE_PU: f64 = 0.3;
/// Halvings of the way from an answer to a centre beyond it.
const HALVINGS: i32 = 5;
/// Halvings of the way from the last centre that had a state to an answer without one.
const HALVINGS_BACK: i32 = 20;
/// Difference of a withdrawal that shows how prices of a meshed network answer, as a share of what all exchange.
const DIFFERENCE: f64 = 0.01;
/// How steeply a price rises where losses do not say: by its whole over so many times what all exchange.
const STAND_IN: f64 = 100.0;

/// Prices at quantities.
pub(super) struct Centre {
    pub signal: Signal,
    pub limits: LimitCharges,
    /// Where the price jumps at the root.
    pub turn: Option<RootTurn>,
}

impl Centre {
    /// Terms of everybody at these prices.
    pub fn terms(&self, run: &Run<'_>) -> Vec<Terms> {
        self.limits.onto(run.setting(), run.policy.terms(run.setting(), &self.signal))
    }
}

/// Why there are no prices at a point.
pub(super) enum NoPrices {
    /// The network has no state, or none that one would run it in.
    NoState(MechanismError),
    Other(MechanismError),
}

impl From<MechanismError> for NoPrices {
    fn from(error: MechanismError) -> Self {
        if is_of_state(&error) { Self::NoState(error) } else { Self::Other(error) }
    }
}

impl From<NoPrices> for MechanismError {
    fn from(none: NoPrices) -> Self {
        match none {
            NoPrices::NoState(error) | NoPrices::Other(error) => error,
        }
    }
}

/// Whether an error says that the network has no state for an outcome.
pub(super) fn is_of_state(error: &MechanismError) -> bool {
    matches!(error, MechanismError::Physical(PhysicalError::PowerFlow(_) | PhysicalError::CarbonFlow(_)))
}

/// Prices at a point, with what limits charge there.
pub(super) fn prices(run: &Run<'_>, penalty: &Penalty, basis: &Basis, point: &Point) -> Result<Centre, NoPrices> {
    let setting = run.setting();
    let physical = moved(run, &point.plans, &point.at)?;
    let signal = run.policy.target(setting, &physical, &basis.start.clone().with_root_share(&point.share));
    let weakest = (0..physical.grid.len())
        .filter_map(|t| physical.grid[t].flow.min_voltage().map(|(node, pu)| (t, node, pu)))
        .min_by(|a, b| a.2.total_cmp(&b.2));
    if let (Some(feeder), Some((period, node, pu))) = (&setting.feeder, weakest)
        && (pu < LEAST_VOLTAGE_PU || !signal.is_finite())
    {
        let source = PowerFlowError::Singular { bus: feeder.network.bus(node).id };
        return Err(NoPrices::NoState(PhysicalError::from(InPeriod { period, source }).into()));
    }
    let jump = run.policy.root_jump_per_kwh(setting, &physical);
    Ok(Centre {
        turn: jump.map(|jump| RootTurn::at(setting, &physical, jump, basis.band_kwh)),
        limits: penalty.charges(setting, &physical),
        signal,
    })
}

/// Prices at a centre; where the network has no state there, nearer to the last answer, and where it has none for that
/// either, nearer to the last centre that had one. The centre is moved there; true if it was.
pub(super) fn guarded(
    run: &Run<'_>,
    penalty: &Penalty,
    basis: &Basis,
    centre: &mut Point,
    answer: &[f64],
    reached: &[f64],
) -> Result<(Centre, bool), MechanismError> {
    let wanted = centre.at.clone();
    let between = |from: &[f64], to: &[f64], share: f64| -> Vec<f64> {
        from.iter().zip(to).map(|(a, b)| a + share * (b - a)).collect()
    };
    let toward_answer = (0..=HALVINGS).map(|k| between(answer, &wanted, 0.5_f64.powi(k)));
    let toward_reached = (0..=HALVINGS_BACK).map(|k| between(reached, answer, 0.5_f64.powi(k)));
    let mut last = None;
    for (k, at) in toward_answer.chain(toward_reached).chain([reached.to_vec()]).enumerate() {
        centre.at = at;
        match prices(run, penalty, basis, centre) {
            Ok(found) => return Ok((found, k > 0)),
            Err(NoPrices::Other(error)) => return Err(error),
            Err(NoPrices::NoState(error)) => last = last.or(Some(error)),
        }
    }
    Err(last.unwrap_or(MechanismError::Unmet { need: "a network" }))
}

/// How fast each member's price rises with the withdrawals of all, per kWh squared, where these are the prices of energy and
/// carbon at its node: `sum_j 2 R_ij c_t / S_B` on radial networks, with `c_t` the price; by one difference per member on
/// meshed ones.
pub(super) fn weights(
    run: &Run<'_>,
    basis: &Basis,
    point: &Point,
    price: impl Fn(&Point) -> Result<Vec<f64>, MechanismError>,
) -> Result<Vec<f64>, MechanismError> {
    let setting = run.setting();
    let (n, periods, hours) = (setting.members.len(), setting.periods.count, setting.periods.hours);
    let Some(feeder) = &setting.feeder else { return Err(MechanismError::Unmet { need: "a network" }) };
    let network = &feeder.network;
    let topology = crate::network::Topology::new(network);
    let here = price(point)?;
    let mut weights = vec![0.0; n * periods];
    if topology.is_radial() {
        for (i, a) in setting.members.iter().enumerate() {
            let common = |b: Option<crate::network::NodeId>| match (a.node, b) {
                (Some(a), Some(b)) => topology.common_resistance_pu(network, a, b).unwrap_or(0.0),
                _ => 0.0,
            };
            let resistance: f64 = setting.members.iter().map(|b| common(b.node)).sum();
            for t in 0..periods {
                weights[i * periods + t] = 2.0 * resistance * here[i * periods + t].abs() / network.base_kva() / hours;
            }
        }
    } else {
        let difference = DIFFERENCE * basis.band_kwh;
        for j in 0..n {
            let mut other = point.clone();
            for x in &mut other.at[j * periods..(j + 1) * periods] {
                *x += difference;
            }
            match price(&other) {
                Ok(moved) => {
                    for (w, (a, b)) in weights.iter_mut().zip(moved.iter().zip(&here)) {
                        *w += (a - b).abs() / difference;
                    }
                }
                Err(error) if is_of_state(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
    // A member at the root, or without a node, moves no price: the least positive weight keeps its answer unique.
    let least = weights.iter().copied().filter(|w| *w > 0.0).fold(f64::INFINITY, f64::min);
    let floor = |price: f64| {
        let alone = n as f64 * price.abs() / (STAND_IN * basis.band_kwh);
        if least.is_finite() { least } else { alone.max(1e-9) }
    };
    Ok(weights.into_iter().zip(&here).map(|(w, price)| w.max(floor(*price))).collect())
}
