//! What a solved network says about carbon and prices at the members' connection points, as plain series (member-major:
//! `member * periods + period`), and the carbon that flows attribute to each member.
//!
//! Pure functions of the physical outcome. Knows no concrete policy and no price but those it is given.

use super::accounts::withdrawal_kwh;
use super::error::PolicyError;
use super::modifiers::{Coverage, Modifiers};
use super::responsibility::Responsibility;
use super::signal::NodalSignal;
use crate::network::{Network, NodeId};
use crate::physical::{GridState, Physical};
use crate::power_flow::{BranchFlow, Response, Weights};
use crate::setting::{Feeder, Member, Setting};

/// Refuses scenarios without the network and the tariff that nodal signals need.
///
/// # Errors
/// What is missing.
pub fn check(setting: &Setting) -> Result<(), PolicyError> {
    if setting.feeder.is_none() {
        return Err(PolicyError::Unmet { need: "a network" });
    }
    if setting.tariff.is_none() {
        return Err(PolicyError::Unmet { need: "a grid tariff" });
    }
    Ok(())
}

/// A series over members and periods, member-major.
pub fn series(setting: &Setting, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let periods = setting.periods.count;
    (0..setting.members.len() * periods).map(|k| value(k / periods, k % periods)).collect()
}

/// The periods of one member in a member-major series; none of a part of a signal that is not there.
pub fn of_member<'a>(setting: &Setting, series: &'a [f64], member: usize) -> &'a [f64] {
    let periods = setting.periods.count;
    series.get(member * periods..(member + 1) * periods).unwrap_or_default()
}

/// `dP_0 / dx`: energy from upstream per kWh that a member withdraws more, with the reactive power that comes with it; 1 at
/// the root and for members without a node. Not a number where the network is at its limit of loadability.
pub fn upstream_per_kwh(setting: &Setting, physical: &Physical) -> Vec<f64> {
    let Some(feeder) = &setting.feeder else { return series(setting, |_, _| 1.0) };
    let by_period: Vec<Vec<f64>> = physical
        .grid
        .iter()
        .map(|state| {
            let response = feeder.power_flow.sensitivities(&state.flow).map(|mut s| s.slack_kw()).ok();
            let of = |member: &Member| match (member.node, &response) {
                (None, _) => 1.0,
                (Some(node), Some(r)) => r.p[node.0] + member.reactive_per_kw() * r.q[node.0],
                (Some(_), None) => f64::NAN,
            };
            setting.members.iter().map(of).collect()
        })
        .collect();
    series(setting, |i, t| by_period[t][i])
}

/// Intensity at each member's connection point, kg/kWh; the grid's where nothing flows.
pub fn intensities(setting: &Setting, physical: &Physical) -> Vec<f64> {
    series(setting, |i, t| physical.intensity_kg_per_kwh(i, t).unwrap_or_else(|| setting.intensity(t)))
}

/// Intensity of what each member exports or would export: that of the mix inside it; the grid's where there is none.
pub fn export_intensities(setting: &Setting, physical: &Physical) -> Vec<f64> {
    let position = internal_nodes(setting);
    let inside = |i: usize, t: usize| {
        let state = physical.grid.get(t)?;
        state.carbon.intensity_kg_per_kwh.get(position[i]?).copied().flatten()
    };
    series(setting, |i, t| {
        let own = physical.export_intensity_kg_per_kwh(i, t).or_else(|| inside(i, t));
        own.unwrap_or_else(|| setting.intensity(t))
    })
}

/// Intensity at each connection point if members' own sources entered the network without carbon: what is left for nodes to
/// be charged where sources have already paid.
pub fn intensities_of_others(setting: &Setting, physical: &Physical) -> Vec<f64> {
    if setting.feeder.is_none() {
        return intensities(setting, physical);
    }
    let by_period = intensities_of_others_at_nodes(setting, physical);
    series(setting, |i, t| {
        let node = setting.members[i].node;
        node.and_then(|n| by_period[t][n.0]).unwrap_or_else(|| setting.intensity(t))
    })
}

/// The same at every node, by period; `None` where nothing flows.
pub fn intensities_of_others_at_nodes(setting: &Setting, physical: &Physical) -> Vec<Vec<Option<f64>>> {
    let nodes = setting.feeder.as_ref().map_or(0, |f| f.network.buses.len());
    physical
        .grid
        .iter()
        .map(|state| {
            let outside: Vec<f64> =
                state.carbon.sources.iter().map(|s| if s.node < nodes { s.kg_per_kwh } else { 0.0 }).collect();
            let mix = |shares: &Vec<f64>| shares.iter().zip(&outside).map(|(share, e)| share * e).sum::<f64>();
            state.carbon.shares().iter().map(|row| row.as_ref().map(mix)).collect()
        })
        .collect()
}

/// Position of each member's internal node in the carbon flow: behind the network's nodes, in order of the members.
pub fn internal_nodes(setting: &Setting) -> Vec<Option<usize>> {
    let mut next = setting.feeder.as_ref().map_or(0, |f| f.network.buses.len());
    let mut take = |member: &Member| {
        member.node.map(|_| {
            next += 1;
            next - 1
        })
    };
    setting.members.iter().map(&mut take).collect()
}

/// Energy fed back upstream in a period, kWh.
pub fn root_export_kwh(physical: &Physical, period: usize) -> f64 {
    (-physical.upstream_import_kwh[period]).max(0.0)
}

/// Shares of the root's jump in the price, by period. Of a signal that says nothing those of the direction in which energy
/// flows: 1 where it comes in, or would next.
pub fn root_shares(physical: &Physical, signal: &NodalSignal) -> Vec<f64> {
    if signal.root_share.is_empty() {
        physical.upstream_import_kwh.iter().map(|kwh| if *kwh < 0.0 { 0.0 } else { 1.0 }).collect()
    } else {
        signal.root_share.clone()
    }
}

/// Intensity of what is at the root, kg/kWh; the grid's where nothing flows.
pub fn root_intensity(setting: &Setting, physical: &Physical, period: usize) -> f64 {
    known_at_root(setting, physical, period).unwrap_or_else(|| setting.intensity(period))
}

fn known_at_root(setting: &Setting, physical: &Physical, period: usize) -> Option<f64> {
    let NodeId(n) = setting.feeder.as_ref()?.network.slacks().next()?;
    physical.grid.get(period)?.carbon.intensity_kg_per_kwh[n]
}

/// Intensity of what is fed back upstream, or would be first, kg/kWh: that of the mix at the root's neighbours as far as it
/// does not come from upstream, and where nothing else reaches them of all that is generated on the feeder.
pub fn returned_intensity(setting: &Setting, physical: &Physical, period: usize) -> f64 {
    let found = || {
        let network = &setting.feeder.as_ref()?.network;
        let root = network.slacks().next()?;
        let carbon = &physical.grid.get(period)?.carbon;
        let inside: Vec<bool> = carbon.sources.iter().map(|source| source.node != root.0).collect();
        let neighbours = network.branches.iter().filter(|b| b.in_service).filter_map(|b| match root {
            root if b.from == root => Some(b.to),
            root if b.to == root => Some(b.from),
            _ => None,
        });
        let shares = carbon.shares();
        let (mut kg, mut kw) = (0.0, 0.0);
        for node in neighbours {
            let through = carbon.throughflow_kw[node.0];
            for (k, share) in shares[node.0].iter().flatten().enumerate().filter(|(k, _)| inside[*k]) {
                kw += share * through;
                kg += share * through * carbon.sources[k].kg_per_kwh;
            }
        }
        if kw <= 0.0 {
            for (source, _) in carbon.sources.iter().zip(&inside).filter(|(_, inside)| **inside) {
                kw += source.kw.max(0.0);
                kg += source.kw.max(0.0) * source.kg_per_kwh;
            }
        }
        (kw > 0.0).then_some(kg / kw)
    };
    let at_root =
        if physical.upstream_import_kwh[period] < 0.0 { known_at_root(setting, physical, period) } else { None };
    at_root.or_else(found).unwrap_or_else(|| setting.intensity(period))
}

/// Carbon that flows attribute to each member, kg: what it emits and takes in less what it passes on,
/// `direct + sum_t w [x]+ - w^x [x]-`. Together with passive load, losses and exports this is all that was emitted.
pub fn attributed_kg(setting: &Setting, physical: &Physical) -> Vec<f64> {
    let (w, exported) = (intensities(setting, physical), export_intensities(setting, physical));
    let of = |i: usize| -> f64 {
        let plan = &physical.plans[i];
        let (w, exported) = (of_member(setting, &w, i), of_member(setting, &exported, i));
        (0..setting.periods.count)
            .map(|t| {
                let x = withdrawal_kwh(setting, plan, t);
                plan.emission_kg[t] + w[t] * x.max(0.0) - exported[t] * (-x).max(0.0)
            })
            .sum()
    };
    (0..setting.members.len()).map(of).collect()
}

/// Carbon of passive load and losses in a period, kg.
pub fn feeder_kg(setting: &Setting, physical: &Physical, period: usize) -> f64 {
    let (Some(feeder), Some(state)) = (&setting.feeder, physical.grid.get(period)) else { return 0.0 };
    let loads: f64 = passive_kg_per_h(feeder, state).sum();
    (loads + state.carbon.total_loss_kg_per_h() - state.carbon.drawn_kg_per_h.iter().sum::<f64>())
        * setting.periods.hours
}

fn passive_kg_per_h<'a>(feeder: &Feeder, state: &'a GridState) -> impl Iterator<Item = f64> + use<'a> {
    state.carbon.load_kg_per_h.iter().take(feeder.network.buses.len()).copied()
}

/// Who answers for what where carbon is charged along flows: `charged_kg` beyond what flows attribute is charged twice.
pub fn responsibility(
    setting: &Setting,
    modifiers: &Modifiers,
    physical: &Physical,
    charged_kg: Vec<f64>,
) -> Responsibility {
    let periods = || 0..setting.periods.count;
    let emitted_kg: f64 = periods().map(|t| physical.emissions_kg(setting, t)).sum();
    let attributed_kg: f64 = attributed_kg(setting, physical).iter().sum();
    let also_covered_kg: f64 = match modifiers.coverage {
        Coverage::VppsOnly => 0.0,
        Coverage::Feeder => periods().map(|t| feeder_kg(setting, physical, t)).sum(),
    };
    let covered_kg = attributed_kg + also_covered_kg;
    Responsibility {
        double_charged_kg: charged_kg.iter().sum::<f64>() - attributed_kg,
        charged_kg,
        covered_kg,
        uncovered_kg: emitted_kg - covered_kg,
        phantom_kg: 0.0,
        marginal_prices: vec![],
    }
}

/// What power through the network costs in carbon beyond the node it reaches: the part of a nodal price that moves carbon
/// from those who pay little for it to those who pay much.
///
/// With `y` the downstream price of carbon, a branch that carries `P` from `i` to `m` costs
/// `y_m (w_i - w_m) P_received + loss_price w_i (P_sent - P_received)`; a kWh more from upstream costs `y_0 (e_0 - w_0)`.
///
/// Where a flow turns, its marginal cost jumps between that of one direction and that of the other. Where it rises, an
/// optimum may lie right there: with no flow, at a price between the two. So that there is a price for it, near the turn the
/// two are mixed ([`Turn`]).
#[derive(Clone, Debug)]
pub(super) struct CarbonInFlows {
    /// Charge per kW that leaves each end of a branch into it.
    ends: Vec<(f64, f64)>,
    /// Charge per kW from upstream.
    root: f64,
}

/// How far a flow goes forward where it may turn: wholly beyond a hundredth of what members exchange with the network in
/// the period, in proportion within that.
///
/// The prices mixed by it are those of a cost averaged over a band of that width around the turn: continuous, and exact
/// outside the band.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    band_kw: f64,
}

impl Turn {
    const SHARE_OF_EXCHANGE: f64 = 1e-2;

    /// The turns of a period.
    pub fn of(setting: &Setting, physical: &Physical, period: usize) -> Self {
        let exchanged = physical.plans.iter().map(|plan| withdrawal_kwh(setting, plan, period).abs());
        Self { band_kw: Self::SHARE_OF_EXCHANGE * exchanged.sum::<f64>() / setting.periods.hours }
    }

    /// How far a flow goes forward, from 0 to 1.
    pub fn share(self, kw: f64) -> f64 {
        if self.band_kw > 0.0 {
            (0.5 + 0.5 * kw / self.band_kw).clamp(0.0, 1.0)
        } else {
            0.5 * (1.0 + if kw == 0.0 { 0.0 } else { kw.signum() })
        }
    }

    /// A value that is `forward` where the flow goes forward and `back` where it goes back.
    pub fn mix(self, kw: f64, forward: f64, back: f64) -> f64 {
        let share = self.share(kw);
        share * forward + (1.0 - share) * back
    }
}

/// What a kWh through the root costs in carbon.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtRoot {
    /// Intensity of what comes from upstream, kg/kWh.
    pub upstream_kg_per_kwh: f64,
    /// What a kWh fed back upstream pays for its carbon.
    pub export_per_kwh: f64,
}

impl CarbonInFlows {
    /// The charges at a state of the network, prices per kg by node.
    pub fn new(
        network: &Network,
        state: &GridState,
        turn: Turn,
        y: &[Option<f64>],
        loss_price: f64,
        at_root: AtRoot,
    ) -> Self {
        let w = |node: NodeId| state.carbon.intensity_kg_per_kwh[node.0].unwrap_or(0.0);
        let price = |node: NodeId| y[node.0].unwrap_or(0.0);
        let ends = network
            .branches
            .iter()
            .zip(&state.flow.branches)
            .map(|(branch, flow)| {
                // At the tail and at the head; received power leaves the head with a minus.
                let one_way = |tail: NodeId, head: NodeId| {
                    let lost = loss_price * w(tail);
                    (lost, lost - price(head) * (w(tail) - w(head)))
                };
                let (forward, back) = (one_way(branch.from, branch.to), one_way(branch.to, branch.from));
                let kw = 0.5 * (flow.p_from_kw - flow.p_to_kw);
                (turn.mix(kw, forward.0, back.1), turn.mix(kw, forward.1, back.0))
            })
            .collect();
        let imported = |n: NodeId| price(n) * (at_root.upstream_kg_per_kwh - w(n));
        let through_root = |n| turn.mix(state.flow.slack_kw(), imported(n), -at_root.export_per_kwh);
        let root = network.slacks().next().map_or(0.0, through_root);
        Self { ends, root }
    }

    /// The charge of a flow with these prices held fixed, per h, as a functional of the flow.
    fn weights(&self) -> Weights {
        let ends = |(branch, (a, b)): (usize, &(f64, f64))| {
            (branch, BranchFlow { p_from_kw: *a, p_to_kw: *b, ..BranchFlow::default() })
        };
        Weights {
            slack_kw: self.root,
            branches: self.ends.iter().enumerate().map(ends).collect(),
            ..Weights::default()
        }
    }

    /// Its derivative by the load at every node. `None` at the limit of loadability.
    pub fn response(&self, feeder: &Feeder, state: &GridState) -> Option<Response> {
        Some(feeder.power_flow.sensitivities(&state.flow).ok()?.of(&self.weights()))
    }

    /// Its derivative by a member's withdrawal, per kWh. Not a number at the limit of loadability.
    pub fn per_kwh(&self, response: Option<&Response>, member: &Member) -> f64 {
        let Some(node) = member.node else { return self.root };
        response.map_or(f64::NAN, |r| r.p[node.0] + member.reactive_per_kw() * r.q[node.0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::carbon_flow::{FlowGraph, LossRule, trace};
    use crate::network::{Branch, Bus, BusKind};
    use crate::power_flow::{BranchFlow, Flow, Method};

    /// Two nodes without losses or congestion, coal of 0.9 at the first and gas of 0.4 at the second, carbon charged at 100
    /// and 150 per tonne where it is consumed: published prices of the balances 308.333 and 360.4167.
    #[test]
    fn carbon_in_flows_separates_nodes_that_pay_different_prices_for_it() {
        let (coal_mw, gas_mw) = (58.333_333_333_3, 41.666_666_666_7);
        let through_kw = 1000.0 * (coal_mw - 40.0);
        let mut graph = FlowGraph::new(2);
        graph.source(0, 1000.0 * coal_mw, 0.9);
        graph.source(1, 1000.0 * gas_mw, 0.4);
        graph.lossless_branch(0, 1, through_kw);
        let carbon = trace(&graph, LossRule::Explicit).unwrap();
        let y = carbon.downstream_price(&[100.0, 150.0], 0.0).unwrap();
        assert!((y[0].unwrap() - 115.714_285_714_3).abs() < 1e-6);

        let bus = |id, kind| Bus { id, kind, ..Bus::default() };
        let branch = Branch {
            from: NodeId(0),
            to: NodeId(1),
            r_pu: 0.0,
            x_pu: 0.1,
            b_pu: 0.0,
            tap: 1.0,
            shift_deg: 0.0,
            rate_kva: None,
            in_service: true,
            ..Branch::default()
        };
        let network = Network {
            name: String::new(),
            base_mva: 100.0,
            buses: vec![bus(1, BusKind::Slack), bus(2, BusKind::Pq)],
            branches: vec![branch],
            generators: vec![],
        };
        let flow = |kw: f64| Flow {
            voltages: vec![],
            p_kw: vec![],
            q_kvar: vec![],
            branches: vec![BranchFlow { p_from_kw: kw, p_to_kw: -kw, ..BranchFlow::default() }],
            slacks: vec![],
            loss_kw: 0.0,
            loss_kvar: 0.0,
            iterations: 0,
            mismatch_pu: 0.0,
            method: Method::Newton,
        };
        let state = GridState {
            flow: flow(through_kw),
            carbon,
            member_intensity_kg_per_kwh: vec![],
            export_intensity_kg_per_kwh: vec![],
            stored_carbon_kg: 0.0,
        };
        let at_root = AtRoot { upstream_kg_per_kwh: 0.9, export_per_kwh: 0.0 };
        let charges = CarbonInFlows::new(&network, &state, Turn { band_kw: 1.0 }, &y, 0.0, at_root);
        let of = |flow: &Flow| {
            let weights = charges.weights();
            weights
                .branches
                .iter()
                .map(|(k, w)| w.p_from_kw * flow.branches[*k].p_from_kw + w.p_to_kw * flow.branches[*k].p_to_kw)
                .sum::<f64>()
        };
        let per_kwh = of(&flow(through_kw + 1.0)) - of(&flow(through_kw));
        assert!((per_kwh - (360.416_666_666_7 - 308.333_333_333_3)).abs() < 1e-6, "{per_kwh}");
    }
}
