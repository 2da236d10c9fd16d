//! What the outcome costs: to participants with what they pay, to society without.

use super::Metric;
use crate::evaluate::Case;
use crate::evaluate::accounts::MemberAccount;
use crate::table::number;
use crate::units::per_kg;

pub(super) const METRICS: &[Metric] = &[
    number("total_cost", "money", "What all participants pay: operating cost, carbon cost and net payments.")
        .equals("resource_cost - sum over participants of (received - paid) in the ledger")
        .by(|case| case.carbon.total_cost.into()),
    number("operating_cost", "money", "Participants' own costs and tariff, without carbon.")
        .equals("resource_cost + sum over participants of (tariff + shortfall + nodal) paid in the ledger")
        .by(|case| case.accounts.sum(MemberAccount::operating_cost).into()),
    number("carbon_cost", "money", "What participants pay for carbon before refunds.")
        .equals("sum over participants of (paid - received) in the ledger that the policy settles, electricity and refunds aside")
        .by(|case| case.accounts.sum(|m| m.carbon).into()),
    number("social_cost", "money", "Resource cost, upstream resource cost and carbon damage; no transfers.")
        .equals("resource_cost + upstream_resource_cost + carbon_damage")
        .by(|case| (resource_cost(case) + case.accounts.upstream_resource_cost + carbon_damage(case)).into()),
    number("resource_cost", "money", "Fuel, wear, compensation and discomfort at true types.")
        .equals("sum over participants of (fuel + wear + compensation + discomfort)")
        .by(|case| resource_cost(case).into()),
    number("upstream_resource_cost", "money", "Resource value of the net energy from upstream, losses included.")
        .equals("sum over t of upstream_cost_per_kwh[t] * net kWh from upstream[t]")
        .by(|case| case.accounts.upstream_resource_cost.into()),
    number("carbon_damage", "money", "Damage of the source-side emissions.")
        .equals("damage_per_tonne * emissions_kg / 1000")
        .by(|case| carbon_damage(case).into()),
];

fn resource_cost(case: &Case) -> f64 {
    case.accounts.sum(|m| m.resource_cost)
}

fn carbon_damage(case: &Case) -> f64 {
    per_kg(case.yardstick.damage_per_tonne) * case.carbon.emissions_kg
}
