//! What a run with a network fee proves of itself.

use super::followers::Followers;
use super::leader::Found;
use super::{Fee, StackelbergNetworkFee};
use crate::leader_search::SAME_GAIN;
use coase_core::market::Along;
use coase_core::outcome::Kind;
use coase_core::{Certificate, MechanismError};

/// Relative gap of a leader, of followers, and of products that are 0.
const GAP: f64 = 1e-6;
/// Fees closer than this share of the greatest are one.
const ONE_FEE: f64 = 1e-3;

pub(super) fn of(
    rule: &StackelbergNetworkFee,
    followers: &Followers<'_>,
    found: &Found,
    answer: &Along,
) -> Result<Vec<Certificate>, MechanismError> {
    let revenue = followers.revenue(&found.fees, answer);
    let worst = followers.revenue(&found.fees, &followers.favouring(&found.fees, -1.0)?);
    let mut all = vec![
        mean_fee(followers, found, answer),
        Certificate::measure("leader_revenue", revenue, "fees less wear; followers that are indifferent favour it"),
        Certificate::measure("leader_revenue_pessimistic", worst, "where followers that are indifferent disfavour it"),
    ];
    let wear: f64 = answer.quantity.iter().enumerate().map(|(k, kwh)| 0.5 * followers.wear(k) * kwh * kwh).sum();
    if rule.wear_per_kwh2 > 0.0 {
        all.push(Certificate::measure("leader_wear", wear, "what the trades wear off its lines"));
    }
    let scale = revenue.abs().max(1.0);
    if let Some((elsewhere, tried)) = found.elsewhere {
        let gap = (elsewhere - revenue).max(0.0);
        let witness = format!("the best of {tried} other fees earns {elsewhere:.6}");
        all.push(Certificate::check("leader_gap", gap, GAP * scale, witness));
    }
    if let Some(claimed) = found.single_level {
        let gap = (claimed - revenue).abs();
        let witness = format!("the program of one level says {claimed:.9}, its followers pay {revenue:.9}");
        all.push(Certificate::check("single_level_gap", gap, GAP * scale, witness));
    }
    all.extend(unique(rule, found, revenue));
    all.push(Certificate::check(
        "follower_kkt",
        answer.gap.max(0.0),
        GAP * answer.objective.abs().max(1.0),
        "proven distance of the members' costs and fees from the least",
    ));
    all.push(complementarity(followers, found, answer));
    Ok(all)
}

/// The fee; of several the mean over what pays them.
fn mean_fee(followers: &Followers<'_>, found: &Found, answer: &Along) -> Certificate {
    let fees = &found.fees;
    if let [fee] = fees[..] {
        return Certificate::measure("leader_fee_per_kwh", fee, "per unit of distance");
    }
    let (mut paid, mut paying) = (0.0, 0.0);
    for ((fee, distance), kwh) in followers.pays().iter().zip(&answer.quantity) {
        paid += fees[*fee] * distance * kwh;
        paying += distance * kwh;
    }
    let plain = fees.iter().sum::<f64>() / fees.len().max(1) as f64;
    let mean = if paying > 0.0 { paid / paying } else { plain };
    let each: Vec<String> = followers.names().iter().zip(fees).map(|(name, fee)| format!("{name} {fee:.6}")).collect();
    Certificate::measure("leader_fee_per_kwh", mean, format!("mean over what pays it: {}", each.join(", ")))
}

/// Whether one fee alone earns most: the literature says so, and it need not be.
fn unique(rule: &StackelbergNetworkFee, found: &Found, revenue: f64) -> Option<Certificate> {
    const NAME: &str = "unique";
    let not = |why: &str| Some(Certificate::not_applicable(NAME, why));
    match rule.fee {
        Fee::Fixed { .. } => return None,
        Fee::PerPeriod | Fee::PerEdge => return not("looked into for a single fee only"),
        Fee::Scalar if found.peaks.is_empty() => return not("one fee was found, others were not compared"),
        Fee::Scalar => {}
    }
    if revenue <= 1e-9 {
        return not("no fee earns anything");
    }
    let near = |peak: &&crate::leader_search::Peak| peak.gain >= revenue - SAME_GAIN * revenue;
    let apart =
        |peak: &&crate::leader_search::Peak| (peak.price - found.fees[0]).abs() > ONE_FEE * rule.fee_max_per_kwh;
    let others: Vec<_> = found.peaks.iter().filter(near).filter(apart).collect();
    let also = others.iter().map(|peak| format!("{:.6} earns {:.6}", peak.price, peak.gain)).collect::<Vec<_>>();
    let witness = if also.is_empty() {
        String::new()
    } else {
        format!("a fee of {:.6} earns {revenue:.6}, and one of {}", found.fees[0], also.join(", "))
    };
    Some(Certificate::check(NAME, others.len() as f64, 0.0, witness).about(Kind::Claim))
}

/// Prices at which nobody would trade otherwise: no pair's gap is above its fee, and where it is below nothing flows.
fn complementarity(followers: &Followers<'_>, found: &Found, answer: &Along) -> Certificate {
    let charged = followers.charged(&found.fees);
    let most = answer.quantity.iter().copied().fold(0.0_f64, f64::max);
    let mut worst = (0.0, 0);
    for (k, link) in followers.links().iter().enumerate() {
        let price = |i: usize| answer.price[i].get(link.slot).copied().unwrap_or(0.0);
        let left = charged[k] + price(link.seller) - price(link.buyer);
        let product = if left >= 0.0 { left * answer.quantity[k] } else { -left * most };
        if product > worst.0 {
            worst = (product, k);
        }
    }
    let moved: f64 =
        followers.trades(&found.fees, answer).iter().map(|(t, _)| t.quantity * t.price.unwrap_or(0.0).abs()).sum();
    let witness = followers.links().get(worst.1).map_or_else(String::new, |link| {
        format!("participants {} and {} (they count from 0) in slot {}", link.seller, link.buyer, link.slot)
    });
    Certificate::check("complementarity", worst.0, GAP * moved.max(1.0), witness)
}
