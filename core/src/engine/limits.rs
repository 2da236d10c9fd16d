//! What the network's limits are worth: a multiplier for every limit that binds, and the prices that follow from it.
//!
//! With multipliers `mu` of `g_j <= 0`, a kWh more at node `n` costs `sum_j mu_j dg_j/dd_n` more: the congestion part of the
//! price at branches, the voltage part at buses. They belong to the engine, which finds them, and to no policy or mechanism.

use crate::network::Limit;
use crate::physical::{GridState, Physical};
use crate::power_flow::{Flow, Response, Sensitivities, Weights};
use crate::setting::{Feeder, Member, Setting};
use crate::terms::Terms;

/// Multipliers of the limits that bind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitPrices {
    /// By period: limits with their multipliers, money per h and unit of `g`.
    pub by_period: Vec<Vec<(Limit, f64)>>,
}

/// Multipliers, and what members are charged by them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitCharges {
    /// The multipliers.
    pub prices: LimitPrices,
    /// Charge per kWh of net withdrawal of every member and period, member-major; empty where no limit is priced.
    pub per_kwh: Vec<f64>,
}

/// What limits add to the price of a kWh at a node.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LimitParts {
    /// By branch ratings.
    pub congestion: f64,
    /// By voltage limits.
    pub voltage: f64,
}

/// Derivatives `dg/dx` of a limit by the members' withdrawals, per kW.
pub(super) fn by_member(
    setting: &Setting,
    feeder: &Feeder,
    flow: &Flow,
    limit: Limit,
    sensitivities: &mut Sensitivities<'_>,
) -> Vec<f64> {
    let mut weights = Weights::default();
    weights.add(limit.slope(&feeder.network, flow), 1.0);
    let response = sensitivities.of(&weights);
    setting.members.iter().map(|m| of_member(&response, m)).collect()
}

/// A member's withdrawal comes with its reactive power.
fn of_member(response: &Response, member: &Member) -> f64 {
    member.node.map_or(0.0, |n| response.p[n.0] + member.reactive_per_kw() * response.q[n.0])
}

impl LimitPrices {
    /// Whether no limit has a price.
    pub fn is_empty(&self) -> bool {
        self.by_period.iter().all(Vec::is_empty)
    }

    /// Charge per kWh of net withdrawal of every member and period, member-major; empty where no limit has a price. Not a
    /// number at the limit of loadability.
    pub fn per_kwh(&self, setting: &Setting, physical: &Physical) -> Vec<f64> {
        let periods = setting.periods.count;
        let Some(feeder) = setting.feeder.as_ref().filter(|_| !self.is_empty()) else { return vec![] };
        let mut charge = vec![0.0; setting.members.len() * periods];
        for (t, (limits, state)) in self.by_period.iter().zip(&physical.grid).enumerate() {
            if limits.is_empty() {
                continue;
            }
            let response = self.responses(feeder, state, t);
            for (i, member) in setting.members.iter().enumerate() {
                charge[i * periods + t] = response
                    .as_ref()
                    .map_or(f64::NAN, |(branches, buses)| of_member(branches, member) + of_member(buses, member));
            }
        }
        charge
    }

    /// What limits add to the price of a kWh at every node of a period; `None` at the limit of loadability.
    pub fn parts(&self, setting: &Setting, physical: &Physical, period: usize) -> Option<Vec<LimitParts>> {
        let (feeder, state) = (setting.feeder.as_ref()?, physical.grid.get(period)?);
        if self.by_period.get(period).is_none_or(Vec::is_empty) {
            return Some(vec![LimitParts::default(); feeder.network.buses.len()]);
        }
        let (branches, buses) = self.responses(feeder, state, period)?;
        Some(branches.p.iter().zip(&buses.p).map(|(c, v)| LimitParts { congestion: *c, voltage: *v }).collect())
    }

    /// Answers of the priced ratings and of the priced voltages of a period to the load at every node.
    fn responses(&self, feeder: &Feeder, state: &GridState, period: usize) -> Option<(Response, Response)> {
        let mut sensitivities = feeder.power_flow.sensitivities(&state.flow).ok()?;
        let (mut branches, mut buses) = (Weights::default(), Weights::default());
        for (limit, multiplier) in &self.by_period[period] {
            let weights = if limit.is_of_voltage() { &mut buses } else { &mut branches };
            weights.add(limit.slope(&feeder.network, &state.flow), *multiplier);
        }
        Some((sensitivities.of(&branches), sensitivities.of(&buses)))
    }

    /// Greatest `mu |g|` at an outcome, money per h, and where: what a price on a limit that does not bind amounts to.
    pub fn slackness(&self, setting: &Setting, physical: &Physical) -> (f64, Option<(Limit, usize)>) {
        let Some(feeder) = &setting.feeder else { return (0.0, None) };
        let mut worst = (0.0, None);
        for (t, (limits, state)) in self.by_period.iter().zip(&physical.grid).enumerate() {
            for (limit, multiplier) in limits {
                let slack = multiplier * limit.excess(&feeder.network, &state.flow).unwrap_or(0.0).abs();
                if slack > worst.0 {
                    worst = (slack, Some((*limit, t)));
                }
            }
        }
        worst
    }
}

impl LimitCharges {
    /// Prices with what members are charged by them at an outcome.
    pub(super) fn at(prices: LimitPrices, setting: &Setting, physical: &Physical) -> Self {
        let per_kwh = prices.per_kwh(setting, physical);
        Self { prices, per_kwh }
    }

    /// Charge per kWh of net withdrawal of a member; empty where no limit is priced.
    pub fn of_member(&self, setting: &Setting, member: usize) -> &[f64] {
        let periods = setting.periods.count;
        self.per_kwh.get(member * periods..(member + 1) * periods).unwrap_or_default()
    }

    /// Puts the charges on top of terms: one price on imports, exports and purchases from peers is a price on the net
    /// withdrawal.
    pub(super) fn onto(&self, setting: &Setting, terms: Vec<Terms>) -> Vec<Terms> {
        if self.per_kwh.is_empty() {
            return terms;
        }
        let with = |(i, terms): (usize, Terms)| {
            let price = self.of_member(setting, i).to_vec();
            let layer = Terms {
                import_adder: price.clone(),
                export_adder: price.clone(),
                trade_adder: setting.by_slot(&price),
                ..Terms::default()
            };
            terms.and(&layer)
        };
        terms.into_iter().enumerate().map(with).collect()
    }
}

/// The limit that an outcome violates most, `g` and period; `None` where all hold or there is no network.
pub(super) fn worst(setting: &Setting, physical: &Physical) -> Option<(Limit, usize, f64)> {
    let network = &setting.feeder.as_ref()?.network;
    let all = Limit::all(network);
    let mut worst: Option<(Limit, usize, f64)> = None;
    for (t, state) in physical.grid.iter().enumerate() {
        for limit in &all {
            let g = limit.excess(network, &state.flow).unwrap_or(0.0);
            if g > worst.map_or(0.0, |w| w.2) {
                worst = Some((*limit, t, g));
            }
        }
    }
    worst
}
