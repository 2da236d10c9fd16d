//! The rows of a run in the result tables, in the column order of the record.

use super::Case;
use super::measures::{curtailed_kwh, energy_trades, price};
use crate::carbon_flow::LossRule;
use crate::carbon_flow::contract::{Contract, Generation, Oversold, Party as ContractParty, overlay};
use crate::market::Plan;
use crate::network::BusKind;
use crate::opf::Price;
use crate::outcome::{Certificate, Party, Trade};
use crate::policy::NodePrices;
use crate::record::{DeviceColumns, Row, Value};
use crate::setting::{Product, Setting};

pub(super) fn participants(case: &Case) -> Vec<Row> {
    let setting = case.cleared.truth.setting();
    let hours = setting.periods.hours;
    let trades = energy_trades(case);
    let contract = contract_kg(case, &trades);
    let gains = case.gains();
    let mut rows = vec![];
    for (i, member) in setting.members.iter().enumerate() {
        let plan = &case.cleared.physical.plans[i];
        let (after, before) = (&case.accounts.members[i], &case.alone.members[i]);
        let resource = (before.resource_cost + before.upstream) - (after.resource_cost + after.upstream);
        let retail = (before.tariff - before.upstream) - (after.tariff - after.upstream);
        let carbon = (before.carbon - before.refund) - (after.carbon - after.refund);
        let network = before.network() - after.network();
        let moved =
            |counts: &dyn Fn(&Trade) -> bool| trades.iter().filter(|t| counts(t)).map(|t| t.quantity).sum::<f64>();
        let emissions: f64 =
            (0..setting.periods.count).map(|t| plan.emission_kg[t] + setting.intensity(t) * plan.import_kwh[t]).sum();
        rows.push(vec![
            member.id.as_str().into(),
            after.total_cost().into(),
            after.operating_cost().into(),
            after.carbon.into(),
            before.total_cost().into(),
            gains[i].into(),
            resource.into(),
            retail.into(),
            carbon.into(),
            network.into(),
            after.payment.into(),
            emissions.into(),
            contract.get(i).copied().into(),
            plan.import_kwh.iter().sum::<f64>().into(),
            plan.export_kwh.iter().sum::<f64>().into(),
            moved(&|t| t.seller == i).into(),
            moved(&|t| t.buyer == i).into(),
            plan.resold_kwh(setting).into(),
            curtailed_kwh(plan, hours).into(),
        ]);
    }
    rows
}

pub(super) fn periods(case: &Case) -> Vec<Row> {
    let setting = case.cleared.truth.setting();
    let hours = setting.periods.hours;
    let outcome = &case.cleared.outcome;
    let trades = outcome.bilateral();
    let columns = DeviceColumns::all();
    let mut rows = vec![];
    for (i, member) in setting.members.iter().enumerate() {
        let plan = &case.cleared.physical.plans[i];
        let mut sold = vec![0.0; setting.slots.len()];
        let mut bought = sold.clone();
        for t in &trades {
            if t.seller == i {
                sold[t.slot] += t.quantity;
            }
            if t.buyer == i {
                bought[t.slot] += t.quantity;
            }
        }
        for (k, slot) in setting.slots.iter().enumerate() {
            let energy = slot.product == Product::Energy;
            let per_hour = if energy { hours } else { 1.0 };
            let only_energy = |x: f64| if energy { Value::from(x) } else { Value::Missing };
            let mut row: Row = Vec::with_capacity(10 + columns.power.len() + columns.stored.len());
            row.extend([
                member.id.as_str().into(),
                slot.period.into(),
                slot.product.name().into(),
                (plan.output[k] / per_hour).into(),
                only_energy(plan.import_kwh[slot.period] / hours),
                only_energy(plan.export_kwh[slot.period] / hours),
                (sold[k] / per_hour).into(),
                (bought[k] / per_hour).into(),
                price(outcome, i, k, true).into(),
                price(outcome, i, k, false).into(),
            ]);
            let of = |value: Value| if energy { value } else { Value::Missing };
            row.extend(columns.power.iter().map(|(kind, _)| of(device_kw(plan, kind, slot.period))));
            row.extend(columns.stored.iter().map(|(kinds, _)| of(stored_kwh(plan, slot.period, kinds))));
            rows.push(row);
        }
    }
    rows
}

pub(super) fn trades(case: &Case) -> Vec<Row> {
    let setting = case.cleared.truth.setting();
    let id = |i: usize| setting.members[i].id.as_str();
    let mut trades = case.cleared.outcome.bilateral();
    trades.sort_by_key(|t| (t.slot, t.seller, t.buyer));
    trades
        .iter()
        .map(|t| {
            let slot = setting.slots[t.slot];
            let price = t.price.or_else(|| price(&case.cleared.outcome, t.seller, t.slot, true));
            vec![
                slot.period.into(),
                slot.product.name().into(),
                id(t.seller).into(),
                id(t.buyer).into(),
                t.quantity.into(),
                price.into(),
            ]
        })
        .collect()
}

pub(super) fn nodes(case: &Case, prices: Option<&NodePrices>) -> Vec<Row> {
    let Some(feeder) = &case.cleared.truth.setting().feeder else { return vec![] };
    let mut rows = vec![];
    for (t, state) in case.cleared.physical.grid.iter().enumerate() {
        let share = case.cleared.root_share_imported.get(t).copied().flatten();
        for (n, bus) in feeder.network.buses.iter().enumerate() {
            let price = prices.and_then(|p| p[t][n]);
            let part = |of: fn(&Price) -> f64| Value::from(price.as_ref().map(of));
            rows.push(vec![
                t.into(),
                bus.id.into(),
                state.flow.voltages[n].map(|v| v.magnitude_pu).into(),
                state.flow.p_kw[n].into(),
                state.flow.q_kvar[n].into(),
                state.carbon.intensity_kg_per_kwh[n].into(),
                part(Price::per_kwh),
                part(|p| p.energy),
                part(|p| p.loss),
                part(|p| p.congestion),
                part(|p| p.voltage),
                part(|p| p.carbon),
                share.filter(|_| bus.kind == BusKind::Slack).into(),
            ]);
        }
    }
    rows
}

pub(super) fn branches(case: &Case) -> Vec<Row> {
    let Some(feeder) = &case.cleared.truth.setting().feeder else { return vec![] };
    let network = &feeder.network;
    let mut rows = vec![];
    for (t, state) in case.cleared.physical.grid.iter().enumerate() {
        let in_service = network.branches.iter().zip(&state.flow.branches).filter(|(b, _)| b.in_service);
        for ((branch, flow), carbon) in in_service.zip(&state.carbon.branches) {
            let sending = if flow.p_from_kw >= flow.p_to_kw { branch.from } else { branch.to };
            rows.push(vec![
                t.into(),
                network.bus(branch.from).id.into(),
                network.bus(branch.to).id.into(),
                flow.p_from_kw.into(),
                flow.q_from_kvar.into(),
                flow.loss_kw().into(),
                carbon.from_kg_per_h.into(),
                state.carbon.intensity_kg_per_kwh[sending.0].into(),
            ]);
        }
    }
    rows
}

/// A certificate as a row of its table.
pub fn certificate_row(certificate: &Certificate) -> Row {
    let Certificate { name, value, tolerance, verdict, kind, witness } = certificate;
    vec![
        (*name).into(),
        (*value).into(),
        (*tolerance).into(),
        verdict.name().into(),
        witness.as_str().into(),
        kind.name().into(),
    ]
}

pub(super) fn certificates(all: &[Certificate]) -> Vec<Row> {
    all.iter().map(certificate_row).collect()
}

pub(super) fn convergence(case: &Case) -> Vec<Row> {
    let value = |step: &crate::context::Step, name: &str| step.values.iter().find(|v| v.0 == name).map(|v| v.1);
    let row = |(k, s): (usize, &crate::context::Step)| {
        vec![
            k.into(),
            value(s, "primal_residual").into(),
            value(s, "dual_residual").into(),
            value(s, "objective").into(),
        ]
    };
    case.cleared.iterations().iter().enumerate().map(row).collect()
}

pub(super) fn ledger(case: &Case) -> Vec<Row> {
    let setting = case.cleared.truth.setting();
    let name = |party: Party| party.name(setting);
    let entries = case.accounts.ledger.entries().iter();
    let product = |p: Option<Product>| p.map_or(Value::Missing, |p| p.name().into());
    entries
        .map(|e| {
            vec![name(e.from).into(), name(e.to).into(), e.amount.into(), e.reason.name().into(), product(e.product)]
        })
        .collect()
}

/// Sum of a kind's power; empty where the participant has no such device.
fn device_kw(plan: &Plan, kind: &str, period: usize) -> Value {
    sum(plan.devices.iter().filter(|d| d.kind == kind).filter_map(|d| d.power_kw.get(period)))
}

/// Energy in the devices of these kinds; empty where there is none, or none that knows.
fn stored_kwh(plan: &Plan, period: usize, kinds: &[&str]) -> Value {
    sum(plan.devices.iter().filter(|d| kinds.contains(&d.kind)).filter_map(|d| d.stored_kwh.get(period)))
}

/// The sum, or nothing where there is nothing to add.
fn sum<'a>(values: impl Iterator<Item = &'a f64>) -> Value {
    values.fold(None, |sum: Option<f64>, x| Some(sum.unwrap_or(0.0) + x)).into()
}

/// Market-based emissions of every member over the horizon: own generation used, contracts, and the residual mix; empty
/// where energies do not add up to an account.
fn contract_kg(case: &Case, trades: &[Trade]) -> Vec<f64> {
    let setting = case.cleared.truth.setting();
    let mut total = vec![0.0; setting.members.len()];
    for t in 0..setting.periods.count {
        let Some(kg) = contract_kg_in(case, setting, trades, t) else { return vec![] };
        for (sum, x) in total.iter_mut().zip(kg) {
            *sum += x;
        }
    }
    total
}

fn contract_kg_in(case: &Case, setting: &Setting, trades: &[Trade], period: usize) -> Option<Vec<f64>> {
    let physical = &case.cleared.physical;
    let slot = setting.energy_slot(period)?;
    let output: Vec<f64> = physical.plans.iter().map(|p| p.output[slot]).collect();
    // Without a network a member that exports carries its own direct emissions and nothing else.
    let export_intensity = |i: usize| -> f64 {
        let plan = &physical.plans[i];
        physical.export_intensity_kg_per_kwh(i, period).unwrap_or_else(|| {
            let given = plan.given_kwh(period, setting.periods.hours);
            if given > 1e-9 { plan.emission_kg[period] / given } else { 0.0 }
        })
    };
    let mut parties: Vec<ContractParty> = (0..output.len())
        .map(|i| ContractParty {
            exported_kwh: output[i].max(0.0),
            export_kg_per_kwh: if output[i] > 0.0 { export_intensity(i) } else { 0.0 },
            withdrawn_kwh: (-output[i]).max(0.0),
        })
        .collect();
    let upstream = physical.upstream_import_kwh[period];
    let rest =
        physical.plans.iter().map(|p| p.net_exchange_kwh(period)).sum::<f64>() + physical.loss_kwh(setting, period);
    // Whoever else is on the feeder withdraws what upstream sends beyond members and losses; a backflow leaves at the root.
    let passive = (upstream - rest).max(0.0);
    parties.push(ContractParty {
        exported_kwh: (rest - upstream).max(0.0),
        export_kg_per_kwh: 0.0,
        withdrawn_kwh: passive + (-upstream).max(0.0),
    });
    let outside = [Generation { kwh: upstream.max(0.0), kg_per_kwh: setting.intensity(period) }];
    let contracts: Vec<Contract> = trades
        .iter()
        .filter(|t| t.slot == slot)
        .map(|t| Contract { buyer: t.buyer, seller: t.seller, kwh: t.quantity })
        .collect();
    let account = overlay(&outside, &parties, &contracts, LossRule::Explicit, Oversold::Cap).ok()?;
    let own = |i: usize| physical.plans[i].emission_kg[period] - parties[i].exported_kwh * parties[i].export_kg_per_kwh;
    Some((0..output.len()).map(|i| account.party_kg[i] + own(i)).collect())
}
