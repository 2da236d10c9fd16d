//! How far members are from each other, as fees count it.

use crate::trade_matrix::path_resistances;
use coase_core::{Market, MechanismError};
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
                let mean = all.iter().flatten().sum::<f64>() / (n * n.saturating_sub(1)).max(1) as f64;
                let share = |d: f64| if mean > 0.0 { d / mean } else { 0.0 };
                Ok(all.into_iter().map(|row| row.into_iter().map(share).collect()).collect())
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
