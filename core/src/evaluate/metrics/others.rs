//! What everybody ends with who is no participant: operator, network, grid and carbon authority.

use super::Metric;
use crate::table::number;

pub(super) const METRICS: &[Metric] = &[
    number("operator_surplus", "money", "What the market operator ends with.")
        .equals("(received - paid) by the operator in the ledger")
        .by(|case| case.accounts.operator_surplus.into()),
    number(
        "dso_revenue",
        "money",
        "Network charges and nodal money less upstream cost of what the feeder loses and its shunts consume, and carbon it pays.",
    )
    .equals("(received - paid) by the DSO in the ledger - sum over t of upstream_cost_per_kwh[t] * kWh lost and consumed by shunts[t]")
    .by(|case| case.accounts.dso_revenue.into()),
    number(
        "retail_margin",
        "money",
        "Paid by participants for energy at the root less upstream cost of their net exchange.",
    )
    .equals("(received - paid) by the grid in the ledger - sum over t of upstream_cost_per_kwh[t] * net import of participants[t]")
    .by(|case| case.accounts.retail_margin.into()),
    number("carbon_revenue", "money", "What the carbon authority keeps after recycling.")
        .equals("(received - paid) by the authority in the ledger")
        .by(|case| case.accounts.carbon_revenue.into()),
    number("carbon_payments", "money", "What the carbon authority receives before recycling.")
        .equals("(received - paid) by the authority in the ledger, refunds aside")
        .by(|case| case.carbon.payments.into()),
];
