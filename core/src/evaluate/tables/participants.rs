//! `participants`: one row per participant.

use super::contract::contract_kg;
use crate::evaluate::Case;
use crate::evaluate::accounts::MemberAccount;
use crate::evaluate::measures::curtailed_kwh;
use crate::market::Plan;
use crate::table::{Column, Field, Row, Value, columns, number, text};

/// One participant, with trade and without under the same terms.
struct Line<'a> {
    case: &'a Case<'a>,
    member: usize,
    plan: &'a Plan,
    after: &'a MemberAccount,
    before: &'a MemberAccount,
    contract_kg: Option<f64>,
}

/// What fills a column.
type Fill = fn(&Line) -> Value;

const FIELDS: &[Field<Fill>] = &[
    text("participant", "Id.").by(|l| l.case.setting().members[l.member].id.as_str().into()),
    number("total_cost", "money", "Operating cost, carbon cost and net payments.")
        .equals("operating_cost + carbon_cost - refunds + imposed terms + network charges + payment")
        .by(|l| l.after.total_cost().into()),
    number("operating_cost", "money", "Own cost and tariff, without carbon.")
        .equals("fuel + wear + compensation + discomfort + (tariff + shortfall + nodal) paid in the ledger")
        .by(|l| l.after.operating_cost().into()),
    number("carbon_cost", "money", "Paid for carbon before refunds.")
        .equals("(paid - received) in the ledger that the policy settles, electricity and refunds aside")
        .by(|l| l.after.carbon.into()),
    number("disagreement_cost", "money", "Total cost without trade under the same terms.")
        .equals("total_cost without trade")
        .by(|l| l.before.total_cost().into()),
    number("gain", "money", "Disagreement cost minus total cost.")
        .equals("disagreement_cost - total_cost")
        .by(|l| (l.before.total_cost() - l.after.total_cost()).into()),
    number("gain_resource", "money", "Part of the gain that is resources saved, upstream energy included.")
        .equals("fall of (resource cost + upstream cost of its own exchange with the grid) against no trade")
        .by(|l| fall(l, |m| m.resource_cost + m.upstream)),
    number("gain_retail_margin", "money", "Part of the gain that the retailer loses.")
        .equals("fall of (tariff - upstream cost of its own exchange with the grid) against no trade")
        .by(|l| fall(l, |m| m.tariff - m.upstream)),
    number("gain_carbon", "money", "Part of the gain that is carbon payment avoided, after refunds.")
        .equals("fall of (carbon_cost - refunds) against no trade")
        .by(|l| fall(l, |m| m.carbon - m.refund)),
    number(
        "gain_network",
        "money",
        "Part of the gain that the DSO pays: nodal electricity, imposed terms, network charges, shortfall.",
    )
    .equals("fall of (nodal + imposed + network charges + shortfall) against no trade")
    .by(|l| fall(l, MemberAccount::network)),
    number(
        "payment",
        "money",
        "Net payment that the mechanism decides, to whomever but the DSO: the gain's fifth part.",
    )
    .equals("gain_resource + gain_retail_margin + gain_carbon + gain_network - gain")
    .by(|l| l.after.payment.into()),
    number("emissions_kg", "kg", "Imports at the grid's intensity and direct emissions, whatever the policy charges.")
        .equals("sum over t of (direct kg[t] + intensity[t] * import kWh[t])")
        .by(|l| {
            let setting = l.case.setting();
            let kg = |t: usize| l.plan.emission_kg[t] + setting.intensity(t) * l.plan.import_kwh[t];
            (0..setting.periods.count).map(kg).sum::<f64>().into()
        }),
    number("contract_kg", "kg", "Market-based emissions: contracts and the residual mix.").by(|l| l.contract_kg.into()),
    number("import_kwh", "kWh", "Energy bought from the grid.").by(|l| l.plan.import_kwh.iter().sum::<f64>().into()),
    number("export_kwh", "kWh", "Energy sold to the grid.").by(|l| l.plan.export_kwh.iter().sum::<f64>().into()),
    number("sold_kwh", "kWh", "Energy sold to peers.").by(|l| l.case.traded.sold_kwh[l.member].into()),
    number("bought_kwh", "kWh", "Energy bought from peers.").by(|l| l.case.traded.bought_kwh[l.member].into()),
    number("resold_kwh", "kWh", "Energy imported and sold to peers in the same period: relayed, not produced.")
        .equals("sum over t of max(0, min(import kWh[t], net sale kWh[t]))")
        .by(|l| l.plan.resold_kwh(l.case.setting()).into()),
    number("curtailed_kwh", "kWh", "Renewable energy not used.")
        .equals("sum over renewable devices and t of period_h * max(0, available kW[t] - kW[t])")
        .by(|l| curtailed_kwh(l.plan, l.case.setting().periods.hours).into()),
    number(
        "regret",
        "money",
        "Greatest gain that its owner is found to have from a misreport while the others tell the truth; a lower bound, where it is searched.",
    )
    .by(|l| l.case.regret.as_ref().and_then(|found| found.of_members.get(l.member).copied()).into()),
];

pub(super) static COLUMNS: [Column; FIELDS.len()] = columns(FIELDS);

/// What a part of the account falls by against no trade.
fn fall(line: &Line, of: fn(&MemberAccount) -> f64) -> Value {
    (of(line.before) - of(line.after)).into()
}

pub(in crate::evaluate) fn rows(case: &Case) -> Vec<Row> {
    let contract = contract_kg(case);
    let line = |member: usize| Line {
        case,
        member,
        plan: &case.cleared.physical.plans[member],
        after: &case.accounts.members[member],
        before: &case.alone.members[member],
        contract_kg: contract.get(member).copied(),
    };
    (0..case.setting().members.len()).map(line).map(|line| FIELDS.iter().map(|f| (f.value)(&line)).collect()).collect()
}
