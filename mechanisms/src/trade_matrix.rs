//! Who is said to serve whom: of all ways to match what members sell with what they buy, one by a rule.
//!
//! Net sales `x` are what a common optimum determines. Pairs `e_ij >= 0` with `sum_j e_ij = x_i+` and `sum_i e_ij = x_j-` are a
//! choice: it moves no energy and no gain, and it decides whose name stands beside whose, which prices pay the division, and
//! what a fee by pair would be charged on.

use coase_core::network::Topology;
use coase_core::outcome::{Trade, pro_rata};
use coase_core::program::{Cost, Expr, Program, Var};
use coase_core::{Market, MechanismError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which pairs net sales are said to be made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TradeMatrix {
    /// Every seller serves every buyer in proportion, `e_ij = x_i+ x_j- / sum x+`.
    #[default]
    ProRata,
    /// Least `sum e_ij^2`: trades as even as they can be.
    LeastNorm,
    /// Least `sum d_ij e_ij^2` with the electrical distance `d_ij`, the resistance of the path between two members: neighbours
    /// serve each other first. It needs a radial network.
    NetworkFriction,
}

/// Weight of a pair without any distance, as a share of the mean distance: members at one bus share as evenly as they can.
const NO_DISTANCE: f64 = 1e-3;
/// A slot in which less changes hands than this, kWh, has no trades.
const NO_TRADE_KWH: f64 = 1e-6;
/// Nor is a pair written that trades less than this, kWh.
const NO_PAIR_KWH: f64 = 1e-9;

impl TradeMatrix {
    /// The pairs of net sales, by slot, seller and buyer.
    ///
    /// # Errors
    /// A rule that needs a radial network where there is none, or a program that is not solved.
    pub(crate) fn of(self, market: &Market, net: &[Vec<f64>]) -> Result<Vec<Trade>, MechanismError> {
        let weights = match self {
            TradeMatrix::ProRata => return Ok(pro_rata(net)),
            TradeMatrix::LeastNorm => None,
            TradeMatrix::NetworkFriction => Some(distances(market)?),
        };
        let weight = |i: usize, j: usize| weights.as_ref().map_or(1.0, |of: &Vec<Vec<f64>>| of[i][j]);
        let slots = net.first().map_or(0, Vec::len);
        let mut trades = vec![];
        for slot in 0..slots {
            trades.extend(matched(net, slot, &weight)?);
        }
        Ok(trades)
    }
}

/// Distances between all members as shares of their mean, none of them 0.
fn distances(market: &Market) -> Result<Vec<Vec<f64>>, MechanismError> {
    let refused = || MechanismError::Parameter {
        name: "trades",
        value: "NetworkFriction".to_owned(),
        expected: "`ProRata` or `LeastNorm`, for distances need a radial network with every member at a bus",
    };
    let all = path_resistances(market).ok_or_else(refused)?;
    let n = market.len();
    let mean = all.iter().flatten().sum::<f64>() / (n * n.saturating_sub(1)).max(1) as f64;
    let share = |d: f64| if mean > 0.0 { d / mean } else { 0.0 };
    Ok(all.into_iter().map(|row| row.into_iter().map(|d| share(d) + NO_DISTANCE).collect()).collect())
}

/// The resistance of the path between every two members, pu; `None` without a radial network that all are connected to.
pub(crate) fn path_resistances(market: &Market) -> Option<Vec<Vec<f64>>> {
    let setting = market.setting();
    let network = &setting.feeder.as_ref()?.network;
    let topology = Topology::new(network);
    let between =
        |i: usize, j: usize| topology.distance_pu(network, setting.members[i].node?, setting.members[j].node?);
    let n = market.len();
    (0..n).map(|i| (0..n).map(|j| between(i, j)).collect()).collect()
}

/// The pairs of one slot with the least weighted sum of squares.
fn matched(net: &[Vec<f64>], slot: usize, weight: &dyn Fn(usize, usize) -> f64) -> Result<Vec<Trade>, MechanismError> {
    let side = |sign: f64| -> Vec<(usize, f64)> {
        net.iter().enumerate().map(|(i, x)| (i, sign * x[slot])).filter(|(_, kwh)| *kwh > 0.0).collect()
    };
    let sum = |side: &[(usize, f64)]| side.iter().map(|(_, kwh)| kwh).sum::<f64>();
    let (mut sellers, mut buyers) = (side(1.0), side(-1.0));
    let (sold, bought) = (sum(&sellers), sum(&buyers));
    let total = sold.max(bought);
    if total <= NO_TRADE_KWH || sellers.is_empty() || buyers.is_empty() {
        return Ok(vec![]);
    }
    // The longer side trades a share of what it has.
    for (_, kwh) in &mut sellers {
        *kwh *= bought / total;
    }
    for (_, kwh) in &mut buyers {
        *kwh *= sold / total;
    }
    let scale = sum(&sellers);
    let mut program = Program::new();
    let vars: Vec<Vec<Var>> = sellers
        .iter()
        .map(|(_, s)| buyers.iter().map(|(_, b)| program.var(0.0, s.min(*b) / scale)).collect())
        .collect();
    let mut cost = Cost::default();
    for ((i, _), row) in sellers.iter().zip(&vars) {
        for ((j, _), var) in buyers.iter().zip(row) {
            cost.add_square(weight(*i, *j), *var);
        }
    }
    program.add_cost(&cost);
    for ((_, kwh), row) in sellers.iter().zip(&vars) {
        program.equal(all(row.iter()), kwh / scale, "sold", None);
    }
    // The last buyer's row follows from the others.
    for (k, (_, kwh)) in buyers.iter().enumerate().take(buyers.len() - 1) {
        program.equal(all(vars.iter().map(|row| &row[k])), kwh / scale, "bought", None);
    }
    let solution = program.compile().instance().solve()?;
    let mut trades = vec![];
    for ((seller, kwh), row) in sellers.iter().zip(&vars) {
        let shares: Vec<f64> = row.iter().map(|var| solution.value(*var).max(0.0)).collect();
        let whole: f64 = shares.iter().sum();
        for ((buyer, _), share) in buyers.iter().zip(shares) {
            let quantity = kwh * share / whole;
            if quantity > NO_PAIR_KWH {
                trades.push(Trade { seller: *seller, buyer: *buyer, slot, quantity, price: None });
            }
        }
    }
    Ok(trades)
}

/// The sum of some variables.
fn all<'v>(vars: impl Iterator<Item = &'v Var>) -> Expr {
    let mut sum = Expr::default();
    for var in vars {
        sum.add(1.0, *var);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::{Trade, matched};
    use coase_core::outcome::pro_rata;
    use proptest::prelude::*;

    fn net(sales: &[f64]) -> Vec<Vec<f64>> {
        sales.iter().map(|x| vec![*x]).collect()
    }

    fn quantities(trades: &[Trade]) -> Vec<f64> {
        trades.iter().map(|t| t.quantity).collect()
    }

    /// Where no bound binds: `e_ij = r_i / n + c_j / m - T / (n m)`.
    #[test]
    fn the_least_norm_of_two_by_two_is_its_closed_form() {
        let found = quantities(&matched(&net(&[6.0, 2.0, -5.0, -3.0]), 0, &|_, _| 1.0).unwrap());
        for (found, expected) in found.iter().zip([3.5, 2.5, 1.5, 0.5]) {
            assert!((found - expected).abs() < 1e-8, "{found} for {expected}");
        }
        assert_eq!(found.len(), 4);
        let bound = quantities(&matched(&net(&[6.0, 0.4, -5.0, -1.4]), 0, &|_, _| 1.0).unwrap());
        // The small seller would serve the small buyer less than nothing: it serves the great one only.
        for (found, expected) in bound.iter().zip([4.6, 1.4, 0.4]) {
            assert!((found - expected).abs() < 1e-7, "{bound:?}");
        }
    }

    /// Of two sellers and two buyers, each near one of the other side, neighbours trade more than pro rata.
    #[test]
    fn friction_lets_neighbours_serve_each_other() {
        let far = |i: usize, j: usize| if (i, j) == (0, 2) || (i, j) == (1, 3) { 1.0 } else { 3.0 };
        let found = quantities(&matched(&net(&[4.0, 4.0, -4.0, -4.0]), 0, &far).unwrap());
        // 1 e = 3 (4 - e)
        for (found, expected) in found.iter().zip([3.0, 1.0, 1.0, 3.0]) {
            assert!((found - expected).abs() < 1e-8, "{found} for {expected}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Everybody sells and buys what it does pro rata, and the norm is not greater.
        #[test]
        fn sums_are_kept_and_the_norm_is_not_above_that_of_pro_rata(
            sales in proptest::collection::vec(-9.0_f64..9.0, 2..8),
        ) {
            let net = net(&sales);
            let (found, even) = (matched(&net, 0, &|_, _| 1.0).unwrap(), pro_rata(&net));
            let sum = |trades: &[Trade], i: usize| -> f64 {
                trades.iter().map(|t| if t.seller == i { t.quantity } else if t.buyer == i { -t.quantity } else { 0.0 }).sum()
            };
            for i in 0..sales.len() {
                prop_assert!((sum(&found, i) - sum(&even, i)).abs() < 1e-7, "{i}");
            }
            let norm = |trades: &[Trade]| trades.iter().map(|t| t.quantity.powi(2)).sum::<f64>();
            prop_assert!(norm(&found) <= norm(&even) + 1e-7);
        }
    }
}
