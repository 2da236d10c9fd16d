//! What can be checked about a run, and the claims of its mechanism.

use super::limits::Beyond;
use super::measures::{money_tolerance, rounding, stake};
use super::report_game::ReportGame;
use super::standing::Standing;
use super::{Benchmark, Case};
use crate::game;
use crate::market::Plan;
use crate::outcome::{Certificate, Claim, Kind, Party, Verdict};
use crate::policy::POLICY_CLAIM;
use crate::setting::{Product, Setting};

/// What members gain by standard misreports; lower bounds on regret.
pub(super) struct Regret {
    /// The largest gain of all.
    pub(super) certificate: Certificate,
    /// The largest gain of each member's owner, by seat; empty where the truth has no outcome.
    pub(super) of_members: Vec<f64>,
}

pub(super) fn regret(case: &Case) -> Regret {
    let truth = &case.cleared.truth;
    let game = ReportGame::standard(case.mechanism, truth, case.seed);
    let found = game::deviations(&game, &game.truthful());
    let certificate = game::certified("regret", &game, &found, None);
    let of_members = match found {
        Ok(found) => truth.ownership().iter().map(|owner| found.gain_of_each[*owner]).collect(),
        Err(_) => vec![],
    };
    Regret { certificate, of_members }
}

pub(super) fn all(case: &Case, policy: Vec<Certificate>) -> Vec<Certificate> {
    let tolerance = money_tolerance(case);
    let compared = |found: &Certificate| Certificate { tolerance: Some(tolerance), ..found.clone() };
    let mut all = case.cleared.outcome.evidence.clone();
    all.extend(policy);
    all.extend(policy_claims(case));
    all.push(ledger_balance(case));
    all.push(claimed(case, Claim::BudgetBalanced, budget_balance(case)));
    all.extend(if_claimed(case, Claim::NoDeficit, no_deficit));
    all.push(claimed(case, Claim::IndividuallyRational, individual_rationality(case)));
    if let Some(efficiency) = efficiency(case) {
        all.push(claimed(case, Claim::Efficient, efficiency));
    }
    all.push(trade_balance(case));
    all.extend(trade_consistency(case));
    all.push(dispatch_feasibility(case));
    all.extend(peer_limits(case));
    all.push(schedule_choice(case));
    all.extend(disaggregation(case));
    all.push(carbon_conservation(case));
    all.push(Certificate::measure("phantom_kg", case.responsibility.phantom_kg, "charged, emitted by nobody"));
    all.push(Certificate::measure("double_charged_kg", case.responsibility.double_charged_kg, "charged twice"));
    all.push(gain_split(case));
    all.push(circulation(case));
    all.extend(case.beyond.iter().flat_map(Beyond::certificates));
    all.push(disagreement_feasibility(case));
    // What any division leaves comes first: no rule is to blame for an empty core.
    all.extend(case.coalitions.iter().flat_map(|found| found.of_all_divisions.clone()));
    all.push(match &case.coalitions {
        Some(found) => core_excess(claimed(case, Claim::Core, compared(&found.excess)), &found.excess),
        None => Certificate::not_searched("core_excess", "asked for by `evidence: (core: true)`"),
    });
    all.push(match &case.regret {
        Some(found) => claimed(case, Claim::Truthful, compared(&found.certificate)),
        None => Certificate::not_searched("regret", "asked for by `evidence: (regret: true)`"),
    });
    all.extend(if_claimed(case, Claim::BayesianTruthful, |case| {
        // Whoever builds on priors may have the expectation itself.
        if let Some(found) = case.cleared.outcome.evidence.iter().find(|found| found.name == "bayesian_gain") {
            return Certificate { name: "expected_regret", ..found.clone() };
        }
        let how = "misreports are not averaged over the priors of the others; against their true types they are searched where `evidence: (regret: true)` asks for it";
        Certificate::not_searched("expected_regret", how)
    }));
    all.extend(if_claimed(case, Claim::Equilibrium, equilibrium));
    all
}

/// Where the claim is not made, the reason; and in any case who objects most.
fn core_excess(claimed: Certificate, found: &Certificate) -> Certificate {
    if claimed.verdict != Verdict::NotApplicable || claimed.witness == found.witness {
        return claimed;
    }
    Certificate { witness: format!("{}; {}", found.witness, claimed.witness), ..claimed }
}

/// What comes of the policy's claims: one certificate each, which begins with the claim.
fn policy_claims(case: &Case) -> Vec<Certificate> {
    let cleared = case.cleared;
    let found = |k: usize| case.policy.claim(cleared.truth.setting(), k, &cleared.physical, &cleared.signal);
    let claims = case.policy.plugin().claims.iter().enumerate();
    claims
        .map(|(k, words)| match found(k) {
            Some(found) => Certificate { witness: format!("{words}: {}", found.witness), kind: Kind::Claim, ..found },
            None => Certificate::not_searched(POLICY_CLAIM, format!("{words}: one run alone cannot tell")),
        })
        .collect()
}

/// A check counts as such where the mechanism claims the property; otherwise it is a figure.
fn claimed(case: &Case, claim: Claim, check: Certificate) -> Certificate {
    case.claims().judged(claim, check)
}

/// A certificate that is there only where the mechanism declares the claim.
fn if_claimed(case: &Case, claim: Claim, check: impl Fn(&Case) -> Certificate) -> Option<Certificate> {
    let declared = case.mechanism.plugin().claims.iter().any(|(declared, _)| *declared == claim);
    if !declared {
        return None;
    }
    Some(match case.claims().standing(claim) {
        // Equilibrium is not how a rule treats people: the answer itself asserts it.
        Standing::Claimed if claim == Claim::Equilibrium => check(case),
        _ => claimed(case, claim, check(case)),
    })
}

fn no_deficit(case: &Case) -> Certificate {
    let lost = (-case.accounts.operator_surplus).max(0.0);
    let witness = if lost > 0.0 { format!("the operator ends with a loss of {lost:.6}") } else { String::new() };
    Certificate::check("no_deficit", lost, money_tolerance(case), witness)
}

/// What a player of the mechanism's game still gains by another strategy than the one played.
fn equilibrium(case: &Case) -> Certificate {
    const NAME: &str = "equilibrium_gap";
    let outcome = &case.cleared.outcome;
    let market = case.cleared.truth.imposing(&outcome.imposed);
    let Some(game) = case.mechanism.game(&market) else {
        return Certificate::not_searched(
            NAME,
            "the mechanism gives no game (`Mechanism::game`) to search deviations in",
        );
    };
    let (played, players) = (outcome.strategies.len(), game.players().len());
    if played != players {
        let how = format!("the outcome holds {played} strategies for {players} players (`Outcome::strategies`)");
        return Certificate::not_searched(NAME, how);
    }
    game::certify(NAME, &*game, &outcome.strategies, Some(money_tolerance(case))).about(Kind::FixedPoint)
}

fn ledger_balance(case: &Case) -> Certificate {
    let ledger = &case.accounts.ledger;
    let members = (0..case.accounts.members.len()).map(Party::Member);
    let parties = members.chain([Party::Operator, Party::Dso, Party::Grid, Party::Authority]);
    let balances = ledger.balances();
    let sum: f64 = parties.map(|p| balances.of(p)).sum();
    Certificate::check("ledger_balance", sum.abs(), rounding(case), "sum of all accounts").about(Kind::Conservation)
}

fn budget_balance(case: &Case) -> Certificate {
    let surplus = case.accounts.operator_surplus;
    Certificate::check("budget_balance", surplus.abs(), 1e-9 * stake(case) + rounding(case), "operator's account")
}

fn individual_rationality(case: &Case) -> Certificate {
    let gains = case.gains();
    let worst = gains.iter().enumerate().fold((0, f64::INFINITY), |w, (i, g)| if *g < w.1 { (i, *g) } else { w });
    let id = case.cleared.truth.setting().members.get(worst.0).map_or("", |m| m.id.as_str());
    let witness = if worst.1 < 0.0 { format!("{id} loses {:.6}", -worst.1) } else { String::new() };
    Certificate::check("individual_rationality", (-worst.1).max(0.0), money_tolerance(case), witness)
}

fn efficiency(case: &Case) -> Option<Certificate> {
    let Benchmark { outcome, least, gap, .. } = case.benchmark?;
    let lost = outcome - least;
    Some(Certificate::check(
        "efficiency",
        lost.max(0.0),
        money_tolerance(case) + gap,
        "cost above the least cost of all together",
    ))
}

/// What counts as nothing in a slot, kWh: a millionth of what is sold there, at most of what participants can sell or buy.
fn energy_tolerance(case: &Case, slot: usize) -> f64 {
    let setting = case.cleared.truth.setting();
    let reach = setting.reach_kwh(slot);
    let sold = case.cleared.outcome.net.iter().fold(0.0_f64, |most, net| most.max(net[slot].abs()));
    1e-6 * sold.max(reach.min(1.0)).min(reach)
}

/// The slot in which something exceeds its tolerance by the largest factor, as a certificate.
fn worst_slot(
    case: &Case,
    name: &'static str,
    missed: impl Fn(usize) -> f64,
    said: impl Fn(usize, f64) -> String,
) -> Certificate {
    let setting = case.cleared.truth.setting();
    let all = (0..setting.slots.len()).map(|k| (k, missed(k), energy_tolerance(case, k)));
    let factor = |(_, missed, tolerance): (usize, f64, f64)| missed / tolerance.max(f64::MIN_POSITIVE);
    let Some(worst) = all.max_by(|a, b| factor(*a).total_cmp(&factor(*b))) else {
        return Certificate::check(name, 0.0, 0.0, "nothing is traded");
    };
    let slot = setting.slots[worst.0];
    let witness = if worst.1 > worst.2 {
        format!("{} in period {}: {}", slot.product.name(), slot.period, said(worst.0, worst.1))
    } else {
        String::new()
    };
    Certificate::check(name, worst.1, worst.2, witness)
}

/// Sales meet purchases and the operator's requirement.
fn trade_balance(case: &Case) -> Certificate {
    let required = |k: usize| case.cleared.truth.setting().requirement[k];
    let net = &case.cleared.outcome.net;
    let sold = |k: usize| net.iter().map(|x| x[k]).sum::<f64>();
    let said = |k: usize, missed: f64| {
        let way = if sold(k) > required(k) { "more" } else { "less" };
        format!("{missed:.6} kWh {way} are sold than bought and required")
    };
    worst_slot(case, "trade_balance", |k| (sold(k) - required(k)).abs(), said).about(Kind::Conservation)
}

/// Whether the trades of a mechanism that matches pairs add up to its net sales; what the operator requires is sold to it.
fn trade_consistency(case: &Case) -> Option<Certificate> {
    let setting = case.cleared.truth.setting();
    let outcome = &case.cleared.outcome;
    let mut rest = outcome.net.clone();
    for trade in outcome.trades.as_ref()? {
        rest[trade.seller][trade.slot] -= trade.quantity;
        rest[trade.buyer][trade.slot] += trade.quantity;
    }
    let missed = |member: usize, slot: usize| {
        let required = setting.requirement[slot];
        (rest[member][slot] - required.max(0.0)).max(required.min(0.0) - rest[member][slot]).max(0.0)
    };
    let worst = |slot: usize| {
        let all = (0..rest.len()).map(|i| (i, missed(i, slot)));
        all.fold((0, 0.0), |w, x| if x.1 > w.1 { x } else { w })
    };
    let said = |slot: usize, by: f64| {
        format!("the trades of {} miss its net sale by {by:.6} kWh", setting.members[worst(slot).0].id)
    };
    Some(worst_slot(case, "trade_consistency", |k| worst(k).1, said).about(Kind::Conservation))
}

/// What the true participants could not deliver as committed.
fn dispatch_feasibility(case: &Case) -> Certificate {
    let setting = case.cleared.truth.setting();
    let energy = setting.slots.iter().enumerate().filter(|(_, slot)| slot.product == Product::Energy);
    let tolerances: Vec<f64> = energy.clone().map(|(k, _)| energy_tolerance(case, k)).collect();
    let missing = |plan: &Plan| {
        let (mut sum, mut tolerance, mut worst) = (0.0, 0.0, (0, 0.0));
        for (((_, slot), nothing), short) in energy.clone().zip(&tolerances).zip(&plan.shortfall_kwh) {
            sum += short;
            tolerance += nothing;
            if *short > worst.1 {
                worst = (slot.period, *short);
            }
        }
        (sum, tolerance, worst)
    };
    let all = case.cleared.physical.plans.iter().map(|plan| missing(plan)).enumerate();
    let worst = all.fold((0, (0.0, 0.0, (0, 0.0))), |w, x| if x.1.0 > w.1.0 { x } else { w });
    let (member, (sum, tolerance, (period, most))) = worst;
    let id = setting.members.get(member).map_or("", |m| m.id.as_str());
    let witness = if sum > 0.0 {
        format!("{id} cannot keep {sum:.6} kWh of its commitment, {most:.6} of it in period {period}")
    } else {
        String::new()
    };
    Certificate::check("dispatch_feasibility", sum, tolerance, witness).about(Kind::Feasibility)
}

/// Whether nobody sells to its peers or buys from them more than its limit on such trade; only where somebody has one.
fn peer_limits(case: &Case) -> Option<Certificate> {
    let setting = case.cleared.truth.setting();
    if setting.members.iter().all(|member| member.peer_max_kw.is_infinite()) {
        return None;
    }
    let net = &case.cleared.outcome.net;
    let worst = |slot: usize| {
        let beyond = |i: usize| (net[i][slot] - setting.within_peer_limit(i, net[i][slot])).abs();
        (0..net.len()).map(|i| (i, beyond(i))).fold((0, 0.0), |w, x| if x.1 > w.1 { x } else { w })
    };
    let is_energy = |slot: usize| setting.slots[slot].product == Product::Energy;
    let missed = |slot: usize| if is_energy(slot) { worst(slot).1 } else { 0.0 };
    let said = |slot: usize, by: f64| {
        format!(
            "{} trades {by:.6} kWh more with peers than its `peer_max_kw` allows",
            setting.members[worst(slot).0].id
        )
    };
    Some(worst_slot(case, "peer_limits", missed, said).about(Kind::Feasibility))
}

/// How many schedules are an arbitrary choice among those that cost the same, for the second criterion could not be settled.
/// Costs do not depend on it; positions, losses and whatever is paid for them do.
fn schedule_choice(case: &Case) -> Certificate {
    let setting = case.cleared.truth.setting();
    let members = setting.members.iter().zip(&case.cleared.physical.plans).filter(|(_, plan)| plan.arbitrary);
    let mut whose: Vec<&str> = members.map(|(member, _)| member.id.as_str()).collect();
    whose.extend(case.arbitrary_trades.then_some("the trades of all together"));
    Certificate::measure("schedule_choice", whose.len() as f64, whose.join(", "))
}

/// What users miss although the model of their device is kept; only where that model is an approximation of them, as where
/// vehicles share an envelope.
fn disaggregation(case: &Case) -> Option<Certificate> {
    let setting = case.cleared.truth.setting();
    let missed = setting.members.iter().zip(&case.cleared.physical.plans).flat_map(|(m, plan)| {
        let missed = plan.devices.iter().filter_map(|d| d.unserved(setting.periods)).filter(|missed| !missed.exact);
        missed.map(move |missed| (m, missed.kwh))
    });
    let worst = missed.fold(None, |w: Option<(&str, f64)>, (m, short)| match w {
        Some((_, most)) if most >= short => w,
        _ => Some((&m.id, short)),
    })?;
    let witness = format!("{}: {:.3} kWh that single users miss of what they need", worst.0, worst.1);
    Some(Certificate::check("disaggregation", worst.1, 1e-3, witness).about(Kind::Feasibility))
}

/// Every emitted kilogram is either charged to somebody or named as uncovered.
fn carbon_conservation(case: &Case) -> Certificate {
    let setting = case.cleared.truth.setting();
    let emitted: f64 = (0..setting.periods.count).map(|t| case.cleared.physical.emissions_kg(setting, t)).sum();
    let r = &case.responsibility;
    let missing = (emitted - r.covered_kg - r.uncovered_kg).abs();
    let witness = format!("emitted {emitted:.3} kg, covered {:.3}, uncovered {:.3}", r.covered_kg, r.uncovered_kg);
    let moved: f64 = [emitted, r.covered_kg, r.uncovered_kg].iter().map(|kg| kg.abs()).sum();
    Certificate::check("carbon_conservation", missing, 1e-6 * moved + 1e-9, witness).about(Kind::Conservation)
}

/// What the participants gain, plus the change of every other account, is what resources are saved.
fn gain_split(case: &Case) -> Certificate {
    let (after, before) = (&case.accounts, &case.alone);
    let gains: f64 = case.gains().iter().sum();
    let others = |a: &super::Accounts| a.retail_margin + a.dso_revenue + a.operator_surplus + a.carbon_revenue;
    let resources = |a: &super::Accounts| a.sum(|m| m.resource_cost) + a.upstream_resource_cost;
    let residual = gains + others(after) - others(before) + resources(after) - resources(before);
    let tolerance = 1e-8 * (stake(case) + resources(before).abs()) + rounding(case);
    Certificate::check("gain_split", residual.abs(), tolerance, "gains plus other accounts against resources saved")
        .about(Kind::Conservation)
}

/// Power that runs in circles without a source has no carbon intensity.
fn circulation(case: &Case) -> Certificate {
    let grid = &case.cleared.physical.grid;
    if grid.is_empty() {
        return Certificate::not_applicable("circulation", "no network");
    }
    let found = grid.iter().enumerate().flat_map(|(t, s)| s.carbon.circulations.iter().map(move |nodes| (t, nodes)));
    let count = found.clone().count();
    let setting = case.cleared.truth.setting();
    let named = |(t, nodes): (usize, &Vec<usize>)| {
        let names: Vec<String> = nodes.iter().map(|node| node_name(setting, *node)).collect();
        format!("period {t}: {}", names.join(", "))
    };
    let witness = found.take(3).map(named).collect::<Vec<_>>().join("; ");
    Certificate::measure("circulation", count as f64, witness)
}

/// A node of the carbon flow: those of the network come first, then one behind the connection of each connected member.
fn node_name(setting: &Setting, node: usize) -> String {
    let buses = setting.feeder.as_ref().map_or(&[][..], |feeder| &feeder.network.buses);
    if let Some(bus) = buses.get(node) {
        return format!("bus {}", bus.id);
    }
    let mut connected = setting.members.iter().filter(|member| member.node.is_some());
    connected.nth(node - buses.len()).map(|member| member.id.clone()).unwrap_or_default()
}

/// How many limits of the network are missed by no trade, which gains are measured against.
fn disagreement_feasibility(case: &Case) -> Certificate {
    let setting = case.cleared.truth.setting();
    let Some(beyond) = Beyond::of(setting, &case.alone_physical) else {
        return Certificate::not_applicable("disagreement_feasibility", "no network");
    };
    let (count, where_worst) = beyond.missed();
    let witness = if count > 0 { format!("without trade: {where_worst}") } else { String::new() };
    Certificate::measure("disagreement_feasibility", count as f64, witness)
}
