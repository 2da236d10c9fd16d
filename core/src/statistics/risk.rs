//! Risk of weighted draws: the cost that is seldom exceeded, and the mean of the worst.
//!
//! Numbers are costs: more is worse.

/// A cost and its weight; weights need not sum to one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw {
    /// Cost.
    pub cost: f64,
    /// Weight, not negative.
    pub weight: f64,
}

/// Value at risk and conditional value at risk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Risk {
    /// The least cost that is not exceeded with probability `alpha`.
    pub value_at_risk: f64,
    /// Mean of the worst `1 - alpha`; an atom that straddles the boundary counts with the part that lies beyond.
    pub conditional: f64,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRisk {
    /// No draw has a weight.
    #[error("no draw has a weight above 0")]
    Empty,
    /// A cost or a weight is not a finite number, or a weight is negative.
    #[error("a cost or a weight is not finite, or a weight is negative")]
    NotFinite,
    /// The share is not in [0, 1).
    #[error("the share of risk has to be at least 0 and below 1")]
    Share,
}

/// Shares that differ by less are taken for equal: weights such as 0.1 do not sum exactly.
const SAME: f64 = 1e-12;

/// Equally likely costs.
pub fn equally(costs: &[f64]) -> Vec<Draw> {
    costs.iter().map(|cost| Draw { cost: *cost, weight: 1.0 }).collect()
}

/// The lower quantile of weighted draws: the least cost `x` with `P(cost <= x) >= share` (definition 1 of Hyndman and Fan,
/// 1996); for share 0 the least.
///
/// # Errors
/// See [`NoRisk`]; a share of 1 is the greatest cost.
pub fn weighted_quantile(draws: &[Draw], share: f64) -> Result<f64, NoRisk> {
    if !(0.0..=1.0).contains(&share) {
        return Err(NoRisk::Share);
    }
    let (sorted, total) = sorted(draws)?;
    let mut below = 0.0;
    for draw in &sorted {
        below += draw.weight;
        if below >= (share - SAME) * total {
            return Ok(draw.cost);
        }
    }
    Ok(sorted[sorted.len() - 1].cost)
}

/// Value at risk and conditional value at risk (Rockafellar and Uryasev, 2000 and 2002):
/// `CVaR = min over eta of eta + E (cost - eta)^+ / (1 - alpha)`, which is attained at `eta = VaR`.
///
/// # Errors
/// See [`NoRisk`].
pub fn risk(draws: &[Draw], alpha: f64) -> Result<Risk, NoRisk> {
    if !(0.0..1.0).contains(&alpha) {
        return Err(NoRisk::Share);
    }
    let value_at_risk = weighted_quantile(draws, alpha)?;
    let (sorted, total) = sorted(draws)?;
    let beyond: f64 = sorted.iter().map(|d| d.weight * (d.cost - value_at_risk).max(0.0)).sum();
    Ok(Risk { value_at_risk, conditional: value_at_risk + beyond / total / (1.0 - alpha) })
}

/// Draws with a weight, from the cheapest, and the sum of the weights.
fn sorted(draws: &[Draw]) -> Result<(Vec<Draw>, f64), NoRisk> {
    if draws.iter().any(|d| !d.cost.is_finite() || !d.weight.is_finite() || d.weight < 0.0) {
        return Err(NoRisk::NotFinite);
    }
    let mut sorted: Vec<Draw> = draws.iter().copied().filter(|d| d.weight > 0.0).collect();
    sorted.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let total = sorted.iter().map(|d| d.weight).sum();
    if sorted.is_empty() { Err(NoRisk::Empty) } else { Ok((sorted, total)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::distributions::normal_quantile;

    fn near(found: Risk, value_at_risk: f64, conditional: f64) {
        assert!((found.value_at_risk - value_at_risk).abs() < 1e-12, "{found:?}");
        assert!((found.conditional - conditional).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn weighted_costs() {
        let costs = [(4.0, 0.3), (10.0, 0.25), (-3.0, 0.2), (25.0, 0.1), (12.0, 0.15)];
        let draws = costs.map(|(cost, weight)| Draw { cost, weight });
        for (alpha, value_at_risk, conditional) in
            [(0.5, 4.0, 13.6), (0.8, 12.0, 18.5), (0.9, 12.0, 25.0), (0.95, 25.0, 25.0)]
        {
            near(risk(&draws, alpha).unwrap(), value_at_risk, conditional);
        }
    }

    #[test]
    fn equally_likely_costs_with_the_fraction_of_an_atom() {
        let draws = equally(&[10.0, 20.0, 30.0, 40.0, 100.0]);
        for (alpha, conditional) in [(0.5, 62.0), (0.7, 80.0), (0.8, 100.0), (0.9, 100.0), (0.0, 40.0)] {
            assert!((risk(&draws, alpha).unwrap().conditional - conditional).abs() < 1e-9);
        }
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        near(risk(&equally(&ten), 0.8).unwrap(), 8.0, 9.5);
        // Ten weights of 0.1 sum to a little less than 1.
        let tenths: Vec<Draw> = ten.iter().map(|cost| Draw { cost: *cost, weight: 0.1 }).collect();
        near(risk(&tenths, 0.8).unwrap(), 8.0, 9.5);
    }

    #[test]
    fn normal_costs_have_the_factor_of_the_normal_tail() {
        // mu + sigma phi(z) / (1 - alpha), factor 2.0627128075 at 0.95
        let n = 200_000;
        let costs: Vec<f64> =
            (0..n).map(|k| 3.0 + 2.0 * normal_quantile((f64::from(k) + 0.5) / f64::from(n))).collect();
        let found = risk(&equally(&costs), 0.95).unwrap();
        assert!((found.conditional - (3.0 + 2.0 * 2.0627128075)).abs() < 1e-4, "{found:?}");
        assert!((found.value_at_risk - (3.0 + 2.0 * 1.6448536270)).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn the_minimum_over_a_grid_is_no_less() {
        let costs = [3.0, -1.0, 8.0, 8.0, 2.5, 19.0, 4.0];
        let draws: Vec<Draw> =
            costs.iter().enumerate().map(|(k, cost)| Draw { cost: *cost, weight: 1.0 + k as f64 }).collect();
        let total: f64 = draws.iter().map(|d| d.weight).sum();
        for alpha in [0.0, 0.3, 0.77, 0.95] {
            let at = |eta: f64| {
                eta + draws.iter().map(|d| d.weight * (d.cost - eta).max(0.0)).sum::<f64>() / total / (1.0 - alpha)
            };
            let least = (-200..2500).map(|k| at(f64::from(k) * 0.01)).fold(f64::INFINITY, f64::min);
            assert!((risk(&draws, alpha).unwrap().conditional - least).abs() < 1e-9);
        }
    }

    #[test]
    fn what_cannot_be_answered_is_said() {
        let one = equally(&[1.0]);
        assert_eq!(risk(&[], 0.5), Err(NoRisk::Empty));
        assert_eq!(risk(&[Draw { cost: 1.0, weight: 0.0 }], 0.5), Err(NoRisk::Empty));
        assert_eq!(risk(&[Draw { cost: 1.0, weight: -1.0 }], 0.5), Err(NoRisk::NotFinite));
        assert_eq!(risk(&equally(&[f64::NAN]), 0.5), Err(NoRisk::NotFinite));
        assert_eq!((risk(&one, 1.0), risk(&one, f64::NAN)), (Err(NoRisk::Share), Err(NoRisk::Share)));
        assert_eq!((weighted_quantile(&one, 1.0), weighted_quantile(&one, 0.0)), (Ok(1.0), Ok(1.0)));
    }
}
