//! What can be checked about a run, and the claims of its mechanism.

use super::{Case, Charges};
use crate::game::{self, ReportGame};
use crate::outcome::{Certificate, Claim, Party, Verdict};

/// Largest gain from a standard misreport; a lower bound on regret.
pub(super) fn regret(case: &Case) -> Certificate {
    let game = ReportGame::standard(case.mechanism, &case.cleared.truth, case.seed);
    game::certify("regret", &game, &game.truthful(), None)
}

pub(super) fn all(case: &Case, excess: Option<&Certificate>, regret: Option<&Certificate>) -> Vec<Certificate> {
    let mut all = case.cleared.outcome.evidence.clone();
    all.push(ledger_balance(case));
    all.push(claimed(case, Claim::BudgetBalanced, budget_balance(case)));
    if claims(case, Claim::NoDeficit) {
        let surplus = case.accounts.operator_surplus;
        all.push(claimed(
            case,
            Claim::NoDeficit,
            Certificate::check("no_deficit", (-surplus).max(0.0), money_tolerance(case), ""),
        ));
    }
    all.push(claimed(case, Claim::IndividuallyRational, individual_rationality(case)));
    if let Some(efficiency) = efficiency(case) {
        all.push(claimed(case, Claim::Efficient, efficiency));
    }
    all.push(trade_balance(case));
    all.push(dispatch_feasibility(case));
    all.push(schedule_choice(case));
    all.extend(fleet_shortfall(case));
    all.push(carbon_conservation(case));
    all.push(Certificate::measure("phantom_kg", case.responsibility.phantom_kg, "charged, emitted by nobody"));
    all.push(Certificate::measure("double_charged_kg", case.responsibility.double_charged_kg, "charged twice"));
    all.push(gain_split(case));
    all.push(circulation(case));
    all.extend(super::limits::certificates(case.cleared.truth.setting(), &case.cleared.physical));
    all.push(disagreement_feasibility(case));
    all.push(match excess {
        Some(found) => {
            claimed(case, Claim::Core, Certificate { tolerance: Some(money_tolerance(case)), ..found.clone() })
        }
        None => not_searched("core_excess"),
    });
    all.push(match regret {
        Some(found) => {
            claimed(case, Claim::Truthful, Certificate { tolerance: Some(money_tolerance(case)), ..found.clone() })
        }
        None => not_searched("regret"),
    });
    for (claim, why) in &case.cleared.outcome.withheld {
        all.push(Certificate::not_applicable("withheld", format!("{}: {why}", claim.name())));
    }
    all
}

/// Whether the mechanism stands by a claim on this outcome: declared, not withheld, and, for claims about costs, made under
/// charges that participants could see.
fn claims(case: &Case, claim: Claim) -> bool {
    let declared = case.mechanism.plugin().claims.iter().any(|c| c.0 == claim);
    let about_money_only = matches!(claim, Claim::BudgetBalanced | Claim::NoDeficit);
    declared
        && !case.cleared.outcome.withheld.iter().any(|w| w.0 == claim)
        && (about_money_only || case.charges == Charges::Seen)
}

/// A check counts as such where the mechanism claims the property; otherwise it is a figure.
fn claimed(case: &Case, claim: Claim, check: Certificate) -> Certificate {
    let (Some(value), Some(tolerance)) = (check.value, check.tolerance) else { return check };
    if claims(case, claim) {
        let verdict = if value <= tolerance { Verdict::Upheld } else { Verdict::Refuted };
        Certificate { verdict, ..check }
    } else {
        Certificate { tolerance: None, verdict: Verdict::Measured, ..check }
    }
}

fn not_searched(name: &'static str) -> Certificate {
    Certificate { name, value: None, tolerance: None, verdict: Verdict::NotSearched, witness: String::new() }
}

/// Costs come out of programs solved to a gap, so money is compared to a millionth of what is at stake.
pub(super) fn money_tolerance(case: &Case) -> f64 {
    let stake: f64 = case.alone.members.iter().map(|m| m.total_cost().abs()).sum();
    1e-6 * (1.0 + stake)
}

fn ledger_balance(case: &Case) -> Certificate {
    let ledger = &case.accounts.ledger;
    let members = (0..case.accounts.members.len()).map(Party::Member);
    let parties = members.chain([Party::Operator, Party::Dso, Party::Grid, Party::Authority]);
    let sum: f64 = parties.map(|p| ledger.balance(p)).sum();
    Certificate::check("ledger_balance", sum.abs(), 1e-9 * ledger.turnover().max(1.0), "sum of all accounts")
}

fn budget_balance(case: &Case) -> Certificate {
    let ledger = &case.accounts.ledger;
    Certificate::check(
        "budget_balance",
        case.accounts.operator_surplus.abs(),
        1e-9 * ledger.turnover().max(1.0),
        "operator's account",
    )
}

fn individual_rationality(case: &Case) -> Certificate {
    let gains = case.gains();
    let worst = gains.iter().enumerate().fold((0, f64::INFINITY), |w, (i, g)| if *g < w.1 { (i, *g) } else { w });
    let id = case.cleared.truth.setting().members.get(worst.0).map_or("", |m| m.id.as_str());
    let witness = if worst.1 < 0.0 { format!("{id} loses {:.6}", -worst.1) } else { String::new() };
    Certificate::check("individual_rationality", (-worst.1).max(0.0), money_tolerance(case), witness)
}

fn efficiency(case: &Case) -> Option<Certificate> {
    let (best, gap) = case.least_cost?;
    let lost = case.accounts.operating_and_carbon() - best;
    Some(Certificate::check(
        "efficiency",
        lost.max(0.0),
        money_tolerance(case) + gap,
        "cost above the least cost of all together",
    ))
}

/// Sales meet purchases and the operator's requirement.
fn trade_balance(case: &Case) -> Certificate {
    let setting = case.cleared.truth.setting();
    let net = &case.cleared.outcome.net;
    let worst = (0..setting.slots.len())
        .map(|k| (k, (net.iter().map(|x| x[k]).sum::<f64>() - setting.requirement[k]).abs()))
        .fold((0, 0.0), |w, x| if x.1 > w.1 { x } else { w });
    let size: f64 = net.iter().flatten().fold(1.0, |s: f64, x| s.max(x.abs()));
    let witness =
        setting.slots.get(worst.0).map_or(String::new(), |s| format!("{} in period {}", s.product.name(), s.period));
    Certificate::check("trade_balance", worst.1, 1e-6 * size, witness)
}

/// What the true participants could not deliver as committed.
fn dispatch_feasibility(case: &Case) -> Certificate {
    let missing = case.cleared.physical.plans.iter().enumerate().map(|(i, p)| (i, p.shortfall_kwh.iter().sum::<f64>()));
    let worst = missing.fold((0, 0.0), |w, x| if x.1 > w.1 { x } else { w });
    let id = case.cleared.truth.setting().members.get(worst.0).map_or("", |m| m.id.as_str());
    let witness = if worst.1 > 0.0 { format!("{id} falls short by {:.6} kWh", worst.1) } else { String::new() };
    Certificate::check("dispatch_feasibility", worst.1, 1e-6, witness)
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

/// What single vehicles miss although their fleet's envelope is kept; only where vehicles share an envelope.
fn fleet_shortfall(case: &Case) -> Option<Certificate> {
    let setting = case.cleared.truth.setting();
    let fleets = setting.members.iter().zip(&case.cleared.physical.plans).flat_map(|(m, plan)| {
        plan.devices
            .iter()
            .filter(|d| d.fleet.is_some())
            .map(move |d| (m, super::metrics::short_kwh(d, setting.periods)))
    });
    let worst = fleets.fold(None, |w: Option<(&str, f64)>, (m, short)| match w {
        Some((_, most)) if most >= short => w,
        _ => Some((&m.id, short)),
    })?;
    let witness = format!("{}: {:.3} kWh of vehicles that cannot follow the fleet's schedule", worst.0, worst.1);
    Some(Certificate::check("ev_disaggregation", worst.1, 1e-3, witness))
}

/// Every emitted kilogram is either charged to somebody or named as uncovered.
fn carbon_conservation(case: &Case) -> Certificate {
    let setting = case.cleared.truth.setting();
    let emitted: f64 = (0..setting.periods.count).map(|t| case.cleared.physical.emissions_kg(setting, t)).sum();
    let r = &case.responsibility;
    let missing = (emitted - r.covered_kg - r.uncovered_kg).abs();
    let witness = format!("emitted {emitted:.3} kg, covered {:.3}, uncovered {:.3}", r.covered_kg, r.uncovered_kg);
    Certificate::check("carbon_conservation", missing, 1e-6 * emitted.abs().max(1.0), witness)
}

/// What the participants gain, plus the change of every other account, is what resources are saved.
fn gain_split(case: &Case) -> Certificate {
    let (after, before) = (&case.accounts, &case.alone);
    let gains: f64 = case.gains().iter().sum();
    let others = |a: &super::Accounts| a.retail_margin + a.dso_revenue + a.operator_surplus + a.carbon_revenue;
    let resources = |a: &super::Accounts| a.sum(|m| m.resource_cost) + a.upstream_resource_cost;
    let residual = gains + others(after) - others(before) + resources(after) - resources(before);
    let scale = 1.0 + after.ledger.turnover() + resources(before).abs();
    Certificate::check("gain_split", residual.abs(), 1e-8 * scale, "gains plus other accounts against resources saved")
}

/// Power that runs in circles without a source has no carbon intensity.
fn circulation(case: &Case) -> Certificate {
    let grid = &case.cleared.physical.grid;
    if grid.is_empty() {
        return Certificate::not_applicable("circulation", "no network");
    }
    let found = grid.iter().enumerate().flat_map(|(t, s)| s.carbon.circulations.iter().map(move |nodes| (t, nodes)));
    let count = found.clone().count();
    let witness = found.take(3).map(|(t, nodes)| format!("period {t}: nodes {nodes:?}")).collect::<Vec<_>>().join("; ");
    Certificate::measure("circulation", count as f64, witness)
}

/// Whether no trade, which gains are measured against, respects the network.
fn disagreement_feasibility(case: &Case) -> Certificate {
    let setting = case.cleared.truth.setting();
    if setting.feeder.is_none() {
        return Certificate::not_applicable("disagreement_feasibility", "no network");
    }
    let (voltage, thermal) = super::metrics::violations(setting, &case.alone_physical);
    let witness = format!("without trade: voltages {voltage:.6} pu, flows {thermal:.3} kVA beyond limits");
    Certificate::measure("disagreement_feasibility", voltage + thermal, witness)
}
