//! The price of a tonne: as applied, and as it is realised.

use super::Metric;
use crate::table::number;

pub(super) const METRICS: &[Metric] = &[
    number("carbon_price_per_tonne", "money/t", "Price of a tonne as applied; of a ladder, that of its first tier.")
        .equals("carbon_price_factor * price as written")
        .by(|case| case.price.map(|price| price.0).into()),
    number("carbon_price_factor", "", "What the policy's prices as written were multiplied by to be applied.")
        .equals("carbon_price_per_tonne / price as written")
        .by(|case| case.price.map(|price| price.1).into()),
    number(
        "carbon_marginal_price_per_tonne",
        "money/t",
        "Price of the next tonne, mean over what payers are charged for.",
    )
    .equals("sum over payers of (price of the next tonne * kg charged before quotas) / sum over payers of kg charged before quotas")
    .by(|case| case.carbon.marginal_price_per_tonne.into()),
    number("carbon_average_price_per_tonne", "money/t", "Carbon payments over tonnes charged, before quotas.")
        .equals("1000 * carbon_payments / (covered_kg + phantom_kg + double_charged_kg)")
        .by(|case| case.carbon.average_price_per_tonne.into()),
];
