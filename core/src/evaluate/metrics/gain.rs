//! What trade is worth: gains over no trade, of the greatest that were possible.

use super::Metric;
use crate::evaluate::Accounts;
use crate::evaluate::measures::NOTHING_TO_GAIN;
use crate::table::number;

pub(super) const METRICS: &[Metric] = &[
    number(
        "welfare_gain",
        "money",
        "Participants' own gain before payments: fall of operating plus carbon cost against no trade under the same terms. Tariff margins and carbon payments avoided count, which others lose.",
    )
    .equals("(operating_cost + carbon_cost without trade) - (operating_cost + carbon_cost)")
    .by(|case| (case.alone.operating_and_carbon() - case.accounts.operating_and_carbon()).into()),
    number(
        "resource_gain",
        "money",
        "What is saved whoever has it: fall of resource and upstream resource cost, losses included, against no trade under the same terms. No transfers.",
    )
    .equals("(resource_cost + upstream_resource_cost without trade) - (resource_cost + upstream_resource_cost)")
    .by(|case| (resources(&case.alone) - resources(&case.accounts)).into()),
    number(
        "efficiency",
        "",
        "Welfare gain over the greatest possible welfare gain, the network ignored: of the participants' own costs, not of society's.",
    )
    .equals("(C without trade - C) / (C without trade - least C of all together), C = operating_cost + carbon_cost; where a quantity is scarce, what it costs all together in place of its price")
    .by(|case| case.benchmark.as_ref().and_then(|b| b.efficiency(NOTHING_TO_GAIN)).into()),
    number("efficiency_repaired", "", "The same of the participants' own costs, both within the network's limits.")
        .equals("(C without trade - C) / (C without trade - least C of all together), every C = operating_cost + carbon_cost made to keep the limits")
        .by(|case| case.repaired.and_then(|repaired| repaired.efficiency).into()),
    number("repair_cost", "money", "Rise of operating plus carbon cost by making the outcome respect the network.")
        .equals("(operating_cost + carbon_cost made to keep the limits) - (operating_cost + carbon_cost)")
        .by(|case| case.repaired.map(|repaired| repaired.cost).into()),
];

/// What an outcome takes in resources, whoever pays for them.
fn resources(accounts: &Accounts) -> f64 {
    accounts.sum(|m| m.resource_cost) + accounts.upstream_resource_cost
}
