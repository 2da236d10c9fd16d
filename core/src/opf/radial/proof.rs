//! The certificate of a dispatch from anywhere, in the units of the network: this solver's, another one's, or made by hand.
//!
//! Knows no solver. What is proven rests on the loads, the dispatch and the duals alone; whoever computed them need not be
//! trusted, for wrong duals only make the gap larger.

use super::ask::Hour;
use super::certificate::{self, Certified, OptimalityCertificate, ScaledDuals};
use super::feeder::{Feeder, FlowState};
use super::formulation::Scaled;
use super::solved::in_per_unit;
use crate::network::Network;
use crate::opf::{OpfError, SlackVoltage};

/// Duals of the limits of an hour: what the least cost falls by per unit that a limit gives way.
///
/// All limits are of squares, as the branch-flow equations have them. Negative duals count as zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitDuals {
    /// Price of active power at the slacks, per kWh; read only where the active import has limits, for it is the price of
    /// import everywhere else.
    pub root_price_per_kwh: f64,
    /// Price of reactive power at the slacks, per kvarh; read only where the reactive import has limits, else it is 0.
    pub root_price_per_kvarh: f64,
    /// Of the upper limit of the squared voltage of each node, money per hour and pu.
    pub voltage_upper: Vec<f64>,
    /// Of the lower one.
    pub voltage_lower: Vec<f64>,
    /// Of the squared apparent power at the two terminals of each branch (the `from` and the `to` bus of the file), money
    /// per hour and kVA^2; read where the branch is closed and has a rating.
    pub branches: Vec<(f64, f64)>,
    /// Of the squared apparent power of each control, money per hour and kVA^2; read where it has a limit.
    pub controls: Vec<f64>,
    /// Of the least and the greatest angle of each branch, sending before receiving bus, money per hour. With `R + jI` the
    /// product of one voltage with the conjugate of the other, pu, a limit reads `tan(limit) R - I >= 0`, and that is what the
    /// dual counts. Empty where no branch has such a limit.
    pub angles: Vec<(f64, f64)>,
}

/// Proves how far a dispatch can be from the best of its hour, whoever computed it.
///
/// `controls` are the active and reactive power of every control of the hour, kW and kvar. The flow that they cause is
/// computed here, as are the prices that the duals cause along it. With the Bregman distance `D` of `|S|^2 / v` and the
/// prices `eta` of the squared currents, every dispatch that the network can carry within its limits costs at least
///
/// ```text
/// f(x^) - sum over controls of [c(u^) - L u^ - min (c - L .)] - sum over limits of dual x slack - sum_k [-eta_k]+ D_k
/// ```
///
/// which is [`OptimalityCertificate::objective_per_h`] less [`OptimalityCertificate::gap_per_h`]. That holds for any duals,
/// and for a dispatch that misses limits too; those of an optimum make the gap vanish unless losing power would pay.
/// Controls outside their ranges are moved into them; by how much is part of [`OptimalityCertificate::violation`].
///
/// # Errors
/// An hour, controls or duals that do not fit the network; [`OpfError::NoPowerFlow`] where the network cannot carry the
/// dispatch at any voltage.
pub fn certify(
    network: &Network,
    hour: &Hour,
    controls: &[(f64, f64)],
    duals: &LimitDuals,
) -> Result<OptimalityCertificate, OpfError> {
    prove(network, hour, SlackVoltage::Held, &[], controls, duals)
}

/// [`certify`] where the slacks may choose their voltage within its limits: it is `slack_pu`, in the order of
/// [`Network::slacks`], pu.
///
/// # Errors
/// As [`certify`].
pub fn certify_with_slack(
    network: &Network,
    hour: &Hour,
    slack_pu: &[f64],
    controls: &[(f64, f64)],
    duals: &LimitDuals,
) -> Result<OptimalityCertificate, OpfError> {
    let (expected, found) = (network.slacks().count(), slack_pu.len());
    if expected != found {
        return Err(OpfError::ProofCount { of: "slacks", expected, found });
    }
    prove(network, hour, SlackVoltage::WithinLimits, slack_pu, controls, duals)
}

fn prove(
    network: &Network,
    hour: &Hour,
    slack: SlackVoltage,
    slack_pu: &[f64],
    controls: &[(f64, f64)],
    duals: &LimitDuals,
) -> Result<OptimalityCertificate, OpfError> {
    let (nodes, branches, units) = (network.buses.len(), network.branches.len(), hour.controls.len());
    let angles = if duals.angles.is_empty() { branches } else { duals.angles.len() };
    for (of, expected, found) in [
        ("controls", units, controls.len()),
        ("upper voltage limits", nodes, duals.voltage_upper.len()),
        ("lower voltage limits", nodes, duals.voltage_lower.len()),
        ("branches", branches, duals.branches.len()),
        ("limits of controls", units, duals.controls.len()),
        ("limits of angles", branches, angles),
    ] {
        if expected != found {
            return Err(OpfError::ProofCount { of, expected, found });
        }
    }
    let (feeder, scaled) = in_per_unit(network, hour, slack)?;
    let chosen: Vec<(f64, f64)> = controls.iter().map(|(p, q)| (p / feeder.base_kva, q / feeder.base_kva)).collect();
    let root = |k: usize| slack_pu.get(k).map_or(feeder.v_root[k], |v| v * v);
    let v = (0..feeder.len()).map(|k| if k < feeder.roots { root(k) } else { 1.0 }).collect();
    let flat = FlowState { v, ..FlowState::default() };
    let proof = certificate::certify(&feeder, &scaled, &chosen, duals.scaled(&feeder, &scaled), &flat)
        .ok_or(OpfError::NoPowerFlow)?;
    Ok(proof.certificate(&feeder, &scaled))
}

impl LimitDuals {
    /// No limit binds: every dual zero, import at its own price.
    pub fn none(network: &Network, hour: &Hour) -> Self {
        Self {
            root_price_per_kwh: hour.import.price_per_kwh + hour.import.carbon_per_kwh,
            root_price_per_kvarh: 0.0,
            voltage_upper: vec![0.0; network.buses.len()],
            voltage_lower: vec![0.0; network.buses.len()],
            branches: vec![(0.0, 0.0); network.branches.len()],
            controls: vec![0.0; hour.controls.len()],
            angles: vec![],
        }
    }

    fn scaled(&self, feeder: &Feeder, hour: &Scaled) -> ScaledDuals {
        let n = feeder.len();
        let limits = 0..n;
        let money = hour.price * feeder.base_kva;
        let square = feeder.base_kva / hour.price;
        let mut duals = ScaledDuals::none(n, hour);
        let (active, reactive) = hour.import_rows();
        if active {
            duals.sources.root.0 = self.root_price_per_kwh / hour.price;
        }
        if reactive {
            duals.sources.root.1 = self.root_price_per_kvarh / hour.price;
        }
        for k in limits.skip(feeder.roots) {
            let node = feeder.node[k].0;
            let pair = (self.voltage_upper[node].max(0.0) / money, self.voltage_lower[node].max(0.0) / money);
            duals.voltage[k] = pair;
            duals.sources.voltage[k] = pair.0 - pair.1;
            let line = &feeder.branch[k];
            if line.limit.is_some() {
                let (from, to) = self.branches[line.index];
                let (up, down) = if line.forward { (from, to) } else { (to, from) };
                duals.sources.sending[k] = up.max(0.0) * square;
                duals.sources.receiving[k] = down.max(0.0) * square;
            }
            if let Some((low, high)) = self.angles.get(line.index) {
                let (low, high) = if line.forward { (low, high) } else { (high, low) };
                duals.sources.angle[k] = [low.max(0.0) / money, high.max(0.0) / money];
            }
        }
        for (k, unit) in hour.units.iter().enumerate() {
            duals.controls[k] = if unit.s.is_some() { self.controls[k].max(0.0) * square } else { 0.0 };
        }
        duals
    }

    /// The duals of a proof.
    pub(super) fn of(network: &Network, feeder: &Feeder, hour: &Scaled, duals: &ScaledDuals) -> Self {
        let money = hour.price * feeder.base_kva;
        let square = hour.price / feeder.base_kva;
        let mut found = Self {
            root_price_per_kwh: duals.sources.root.0 * hour.price,
            root_price_per_kvarh: duals.sources.root.1 * hour.price,
            voltage_upper: vec![0.0; network.buses.len()],
            voltage_lower: vec![0.0; network.buses.len()],
            branches: vec![(0.0, 0.0); network.branches.len()],
            controls: duals.controls.iter().map(|w| w * square).collect(),
            angles: vec![],
        };
        if feeder.branch.iter().any(|line| line.angle_limits().iter().any(Option::is_some)) {
            found.angles = vec![(0.0, 0.0); network.branches.len()];
        }
        for k in feeder.roots..feeder.len() {
            let node = feeder.node[k].0;
            (found.voltage_upper[node], found.voltage_lower[node]) =
                (duals.voltage[k].0 * money, duals.voltage[k].1 * money);
            let line = &feeder.branch[k];
            let (up, down) = (duals.sources.sending[k] * square, duals.sources.receiving[k] * square);
            found.branches[line.index] = if line.forward { (up, down) } else { (down, up) };
            if let Some(angle) = found.angles.get_mut(line.index) {
                let [low, high] = duals.sources.angle[k].map(|dual| dual * money);
                *angle = if line.forward { (low, high) } else { (high, low) };
            }
        }
        found
    }
}

impl Certified {
    /// The proof in the units of the network.
    pub(super) fn certificate(&self, feeder: &Feeder, hour: &Scaled) -> OptimalityCertificate {
        let money = hour.price * feeder.base_kva;
        OptimalityCertificate {
            objective_per_h: self.cost * money,
            gap_per_h: self.gap * money,
            controls_per_h: self.parts[0] * money,
            limits_per_h: self.parts[1] * money,
            currents_per_h: self.parts[2] * money,
            least_current_price: self.least_current_price,
            violation: self.violation,
        }
    }
}
