//! Would a group do better by itself?

use super::Case;
use crate::outcome::Certificate;

/// Groups are enumerated exactly up to this many members.
const MOST_MEMBERS: usize = 12;

/// `max over groups S of v(S) - sum of gains in S`, with `v(S)` the gain that the group reaches by itself. Certificate
/// `core_excess`, with the group as witness.
pub(super) fn core_excess(case: &Case) -> Certificate {
    const NAME: &str = "core_excess";
    let market = &case.cleared.truth;
    let n = market.len();
    if n > MOST_MEMBERS {
        return Certificate::not_applicable(NAME, format!("{n} members: groups are enumerated up to {MOST_MEMBERS}"));
    }
    let gains = case.gains();
    let alone: Vec<f64> = match market.each(|l| l.remembered_autarky()) {
        Ok(plans) => plans.iter().map(|p| p.cost).collect(),
        Err(error) => return Certificate::not_applicable(NAME, error.to_string()),
    };
    let mut worst = (f64::NEG_INFINITY, String::new());
    // Single members are individual rationality; the group of all is efficiency: both are excess as well.
    for mask in 1_u32..(1 << n) {
        let group: Vec<usize> = (0..n).filter(|i| mask >> i & 1 == 1).collect();
        let value = match market.remembered(&market.grand().only(&group)) {
            Ok(best) => group.iter().map(|&i| alone[i]).sum::<f64>() - best.cost,
            Err(error) => return Certificate::not_applicable(NAME, error.to_string()),
        };
        let excess = value - group.iter().map(|&i| gains[i]).sum::<f64>();
        if excess > worst.0 {
            let names: Vec<&str> = group.iter().map(|&i| market.setting().members[i].id.as_str()).collect();
            worst = (excess, format!("{{{}}}", names.join(", ")));
        }
    }
    Certificate::measure(NAME, worst.0, worst.1)
}
