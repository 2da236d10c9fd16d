//! How far members are from each other, as fees count it.

use super::followers::Followers;
use super::{Fee, StackelbergNetworkFee};
use crate::trade_matrix::path_resistances;
use coase_core::market::{Along, Link};
use coase_core::{Curve, Market, MechanismError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far members are from each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Distance {
    /// Everybody 1 from everybody.
    #[default]
    Uniform,
    /// The resistance of the path between two members over its mean, so that the fee is what a kWh pays at the mean distance. It
    /// needs a radial network with every member at a bus.
    Electrical,
    /// As given: a row for each participant, in the order of the scenario, and in it the distance to each.
    Given(Vec<Vec<f64>>),
}

impl Distance {
    /// The distance between every two members, symmetric.
    pub(super) fn between(&self, market: &Market) -> Result<Vec<Vec<f64>>, MechanismError> {
        let n = market.len();
        let wrong = |value: String, expected| Err(MechanismError::Parameter { name: "distance", value, expected });
        match self {
            Distance::Uniform => Ok((0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i != j))).collect()).collect()),
            Distance::Electrical => {
                let Some(all) = path_resistances(market) else {
                    let expected =
                        "`Uniform` or `Given`, for resistances need a radial network with every member at a bus";
                    return wrong("Electrical".into(), expected);
                };
                Ok(shares_of_mean(all))
            }
            Distance::Given(rows) => {
                if rows.len() != n || rows.iter().any(|row| row.len() != n) {
                    let (rows, columns) = (rows.len(), rows.iter().map(Vec::len).max().unwrap_or(0));
                    return wrong(
                        format!("a table of {rows} rows of up to {columns} numbers"),
                        "a row for each participant with a number for each",
                    );
                }
                for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                    let (there, back) = (rows[i][j], rows[j][i]);
                    if !(there >= 0.0 && there.is_finite()) || there != back || (i == j && there != 0.0) {
                        return wrong(
                            format!("{there} from participant {i} to {j} and {back} back (they count from 0)"),
                            "finite numbers of at least 0, the same both ways, 0 to oneself",
                        );
                    }
                }
                Ok(rows.clone())
            }
        }
    }
}

/// Distances as shares of their mean over pairs.
fn shares_of_mean(all: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = all.len();
    let mean = all.iter().flatten().sum::<f64>() / (n * n.saturating_sub(1)).max(1) as f64;
    let share = |d: f64| if mean > 0.0 { d / mean } else { 0.0 };
    all.into_iter().map(|row| row.into_iter().map(share).collect()).collect()
}

/// By pair, against its electrical distance as a share of the mean one (without a radial network, against the distance that counts):
/// `fee` is what a kWh pays, in each period where fees differ by period, and `traded` how many kWh the pair trades in all.
pub(super) fn curves(
    rule: &StackelbergNetworkFee,
    market: &Market,
    followers: &Followers<'_>,
    fees: &[f64],
    answer: &Along,
) -> Vec<Curve> {
    let electrical = path_resistances(market).map(shares_of_mean);
    let charged = followers.charged(fees);
    let links = || followers.links().iter().enumerate().filter(|(_, link)| link.seller < link.buyer);
    let far = |k: usize, Link { seller, buyer, .. }: &Link| {
        electrical.as_ref().map_or(followers.pays()[k].1, |all| all[*seller][*buyer])
    };
    let line = |name, link: &Link, slot, point| Curve {
        name,
        member: Some(link.seller),
        other: Some(link.buyer),
        slot,
        points: vec![point],
    };
    let first = followers.links().first().map(|link| link.slot);
    let by_period = matches!(rule.fee, Fee::PerPeriod);
    let mut curves = vec![];
    for (k, link) in links().filter(|(_, link)| by_period || Some(link.slot) == first) {
        curves.push(line("fee", link, by_period.then_some(link.slot), (far(k, link), charged[k])));
    }
    let trades = followers.trades(fees, answer);
    for (k, link) in links().filter(|(_, link)| Some(link.slot) == first) {
        let pair = [link.seller, link.buyer];
        let between = trades.iter().filter(|(t, _)| pair.contains(&t.seller) && pair.contains(&t.buyer));
        let kwh = between.map(|(trade, _)| trade.quantity).sum();
        curves.push(line("traded", link, None, (far(k, link), kwh)));
    }
    curves
}
