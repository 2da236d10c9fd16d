//! What proves that a settled outcome is a fixed point: in prices, in quantities, in money.
//!
//! The status follows the certificates, not the way in which the search ended.

use super::penalty;
use super::point::{Basis, Point, distance, marginal_prices, withdrawals};
use super::root_share::RootTurn;
use crate::engine::limits::LimitCharges;
use crate::engine::{Cleared, Run};
use crate::error::MechanismError;
use crate::market::Plan;
use crate::outcome::{Certificate, Claim, Kind, Status, Verdict};
use crate::setting::Product;
use crate::terms::{Account, Terms, at};
use std::sync::Arc;

/// Tolerance of the settled prices, relative to the dearest price.
const PRICE_TOLERANCE: f64 = 1e-4;
/// Tolerance of the certificates in money, relative to the money that moves.
const MONEY_TOLERANCE: f64 = 1e-6;
/// Money that counts as moving where none does.
const LEAST_MONEY: f64 = 1e-3;

/// An outcome with its certificates.
pub(super) struct Settled {
    pub cleared: Cleared,
    /// Where it was settled.
    pub point: Point,
    /// Whether its certificates hold.
    pub upheld: bool,
    /// Greatest value of a certificate as a multiple of its tolerance.
    pub excess: f64,
    /// A cheaper answer to the prices that the outcome calls for, where one refutes it.
    pub better: Option<Point>,
}

/// How an attempt ended; where it did not come to rest, with its last two rounds.
pub(super) enum End {
    Rest,
    Cycle(Sides),
    Rounds(Sides),
}

/// The answers of two successive rounds and the prices that they answer to, member-major.
#[derive(Clone, Debug, Default)]
pub(super) struct Sides {
    pub before: Side,
    pub after: Side,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    pub withdrawal: Vec<f64>,
    pub price: Vec<f64>,
}

impl End {
    /// Why there is no fixed point, where there is none.
    pub fn reason(&self, run: &Run<'_>) -> String {
        match self {
            End::Rest => "the search came to rest, its settlement moves".into(),
            End::Cycle(sides) => format!("cycle; {}", sides.greatest(run)),
            End::Rounds(sides) => {
                format!(
                    "no fixed point of the nodal prices was found, the best round is settled; {}",
                    sides.greatest(run)
                )
            }
        }
    }
}

impl Sides {
    /// Where the two answers differ most, in words.
    fn greatest(&self, run: &Run<'_>) -> String {
        let setting = run.setting();
        let periods = setting.periods.count;
        let difference = |k: usize| (self.after.withdrawal[k] - self.before.withdrawal[k]).abs();
        let most = (0..self.before.withdrawal.len().min(self.after.withdrawal.len()))
            .max_by(|a, b| difference(*a).total_cmp(&difference(*b)));
        let Some(k) = most else { return "there was one round only".into() };
        let side = |side: &Side| format!("{:.3} kWh at {:.6} per kWh", side.withdrawal[k], side.price[k]);
        format!(
            "in the last rounds {} withdrew {} and {} in period {}",
            setting.members[k / periods].id,
            side(&self.before),
            side(&self.after),
            k % periods
        )
    }
}

pub(super) fn certify(
    run: &Run<'_>,
    basis: &Basis,
    point: &Point,
    mut settled: Cleared,
    end: &End,
) -> Result<Settled, MechanismError> {
    let setting = run.setting();
    let plans = settled.physical.plans.clone();
    let calls_for = run.policy.target(setting, &settled.physical, &settled.signal);
    let turn = run
        .policy
        .root_jump_per_kwh(setting, &settled.physical)
        .map(|jump| RootTurn::at(setting, &settled.physical, jump, basis.band_kwh));
    let limits = LimitCharges::at(settled.limits.prices.clone(), setting, &settled.physical);
    let charged = settled.limits.onto(setting, run.policy.terms(setting, &settled.signal));
    let terms = limits.onto(setting, run.policy.terms(setting, &calls_for));
    let misplaced = turn.as_ref().map_or(0.0, |turn| turn.misplaced_per_kwh(&point.share));
    let price_distance = distance(&unit_prices(&terms, &plans), &unit_prices(&charged, &plans)).max(misplaced);
    let bill = |plans: &[Arc<Plan>]| plans.iter().zip(&terms).map(|(p, t)| bill_under(run, t, p)).collect::<Vec<_>>();
    let net = |plans: &[Arc<Plan>]| bill(plans).iter().map(|b| b.net).sum::<f64>();
    let here = net(&plans);
    let moves: f64 = bill(&plans).iter().map(|b| b.gross).sum::<f64>().max(LEAST_MONEY);

    let unanchored = run.market.under(&terms).imposing(&settled.outcome.imposed);
    let least = unanchored.each(|l| l.delivered(&settled.outcome.net[l.id()]).map(Arc::new))?;
    let gap = here - net(&least);
    let answer = run.answer(&terms)?.plans;
    let above_answer = here - net(&answer);

    let mut evidence = vec![
        Certificate::check(
            "fixed_point_price",
            price_distance,
            PRICE_TOLERANCE * basis.dearest,
            format!("per kWh, prices called for against prices charged; {}", widest(run, &terms, &charged, &plans)),
        )
        .about(Kind::FixedPoint),
        Certificate::check(
            "fixed_point_gap",
            gap,
            MONEY_TOLERANCE * moves,
            "what participants could still save at these prices with the trades they have",
        )
        .about(Kind::FixedPoint),
    ];
    if let Some(turn) = &turn {
        let (slackness, most) = turn.slackness(&point.share);
        let worst = most
            .map(|t| format!("period {t}: {:.6} kWh from upstream, share {:.6}", turn.exchange_kwh[t], point.share[t]));
        let witness: Vec<String> = worst.into_iter().chain(turn.at_rest_in_words(&point.share)).collect();
        let witness = witness.join("; ");
        let check = Certificate::check("fixed_point_turn", slackness, MONEY_TOLERANCE * moves, witness);
        evidence.push(check.about(Kind::FixedPoint));
    }
    // No bound for a mechanism that does not seek the least cost: of equal positions it takes one, and the settled one may
    // cost less or more.
    let seeks_least_cost = run.mechanism.plugin().claims.iter().any(|c| c.0 == Claim::Efficient);
    let witness = "cost above that of the mechanism's own answer to these prices, which breaks ties in its own way";
    evidence.push(if seeks_least_cost {
        Certificate::check("fixed_point_answer", above_answer, MONEY_TOLERANCE * moves, witness).about(Kind::FixedPoint)
    } else {
        Certificate::measure("fixed_point_answer", above_answer, witness)
    });
    let excess = |c: &Certificate| c.tolerance.map_or(0.0, |most| c.value.map_or(f64::INFINITY, |v| v / most));
    let of_point = evidence.iter().map(excess).fold(0.0, f64::max);
    // Limits are the business of whoever sets their prices: between two updates they may well be violated.
    let upheld = evidence.iter().all(|c| c.verdict != Verdict::Refuted);
    evidence.extend(penalty::evidence(setting, &settled.limits, &settled.physical, moves));
    let worst =
        evidence.iter().filter(|c| c.verdict == Verdict::Refuted).max_by(|a, b| excess(a).total_cmp(&excess(b)));
    let worst = worst.cloned();

    let tolerance = MONEY_TOLERANCE * moves;
    let better =
        if gap > tolerance { Some(least) } else { (seeks_least_cost && above_answer > tolerance).then_some(answer) };
    settled.outcome.evidence.extend(evidence);
    settled.outcome.evidence.push(Certificate::measure(
        "fixed_point_load",
        distance(&withdrawals(run, &plans), &point.at),
        "kWh in a period, settled against anchored",
    ));
    settled.root_share_imported = turn.as_ref().map_or(vec![], |turn| turn.recorded(&point.share));
    if let Some(worst) = &worst
        && settled.outcome.status == Status::Converged
    {
        let value = worst.value.unwrap_or(f64::NAN);
        settled.outcome.status = Status::NotConverged { residual: value };
        let most = worst.tolerance.unwrap_or(f64::NAN);
        settled.reason = Some(format!(
            "{}; {} is {value:.3e}, at most {most:.3e} is allowed ({})",
            end.reason(run),
            worst.name,
            worst.witness
        ));
    }
    Ok(Settled {
        better: better.map(|plans| Point { at: withdrawals(run, &plans), share: point.share.clone(), plans }),
        excess: of_point,
        point: point.clone(),
        cleared: settled,
        upheld,
    })
}

/// Where two terms differ most in what a kWh more costs, in words: the two sides of a jump where there is one.
fn widest(run: &Run<'_>, called_for: &[Terms], charged: &[Terms], plans: &[Arc<Plan>]) -> String {
    let setting = run.setting();
    let (called_for, charged) = (marginal_prices(run, called_for, plans), marginal_prices(run, charged, plans));
    let apart = |k: usize| (called_for[k] - charged[k]).abs();
    let Some(k) = (0..charged.len()).max_by(|a, b| apart(*a).total_cmp(&apart(*b))) else { return String::new() };
    let (id, period) = (&setting.members[k / setting.periods.count].id, k % setting.periods.count);
    format!("most at {id} in period {period}: {:.6} charged, {:.6} called for", charged[k], called_for[k])
}

/// What a kWh of each kind costs everybody under terms, an account at what its last kg is worth.
fn unit_prices(terms: &[Terms], plans: &[Arc<Plan>]) -> Vec<f64> {
    let mut prices = vec![];
    for (terms, plan) in terms.iter().zip(plans) {
        prices.extend(
            [
                &terms.import_adder,
                &terms.export_adder,
                &terms.trade_adder,
                &terms.withdrawal_adder,
                &terms.injection_adder,
            ]
            .into_iter()
            .flatten(),
        );
        if let Some(account) = &terms.account {
            let per_kg = worth_of_kg(account, plan);
            let rates = [
                &account.import_kg_per_kwh,
                &account.export_kg_per_kwh,
                &account.withdrawal_kg_per_kwh,
                &account.injection_kg_per_kwh,
                &account.sold_kg_per_kwh,
                &account.bought_kg_per_kwh,
            ];
            prices.extend(rates.into_iter().flatten().map(|kg| kg * per_kg));
        }
    }
    prices
}

fn worth_of_kg(account: &Account, plan: &Plan) -> f64 {
    plan.kg_price.unwrap_or_else(|| account.charge.slopes_at(plan.balance_kg.unwrap_or(0.0)).1)
}

/// A member's bill, and the money that moves in it.
struct Bill {
    net: f64,
    gross: f64,
}

/// What a schedule costs under other terms: resources, tariff, adders and the charge on its account.
fn bill_under(run: &Run<'_>, terms: &Terms, plan: &Plan) -> Bill {
    let setting = run.setting();
    let mut bill = Bill { net: 0.0, gross: 0.0 };
    let mut pay = |money: f64| {
        bill.net += money;
        bill.gross += money.abs();
    };
    pay(plan.resource_cost);
    pay(plan.shortfall_cost);
    let mut balance = terms.account.as_ref().map_or(0.0, |a| -a.quota_kg);
    for t in 0..setting.periods.count {
        let output = setting.energy_slot(t).map_or(0.0, |k| plan.output[k]);
        let sale = setting.energy_slot(t).map_or(0.0, |k| plan.trade[k]);
        let (drawn, fed) = ((-output).max(0.0), output.max(0.0));
        let (import, export) = (plan.import_kwh[t], plan.export_kwh[t]);
        let (buy, sell) = setting.tariff.as_ref().map_or((0.0, 0.0), |x| (x.buy_per_kwh[t], x.sell_per_kwh[t]));
        pay((buy + at(&terms.import_adder, t)) * import);
        pay(-(sell + at(&terms.export_adder, t)) * export);
        pay(-setting.energy_slot(t).map_or(0.0, |k| at(&terms.trade_adder, k)) * sale);
        pay(at(&terms.withdrawal_adder, t) * drawn + at(&terms.injection_adder, t) * fed);
        pay(terms.direct_price_per_kg * plan.emission_kg[t]);
        if let Some(a) = &terms.account {
            balance += at(&a.import_kg_per_kwh, t) * import + at(&a.export_kg_per_kwh, t) * export;
            balance += at(&a.withdrawal_kg_per_kwh, t) * drawn + at(&a.injection_kg_per_kwh, t) * fed;
            balance += at(&a.sold_kg_per_kwh, t) * sale.max(0.0) + at(&a.bought_kg_per_kwh, t) * (-sale).max(0.0);
            balance += plan.emission_kg[t] - a.turbine_quota_kg_per_kwh * plan.emitting_kwh[t];
            balance -= a.renewable_quota_kg_per_kwh * plan.renewable_kwh(setting.periods.hours, t);
        }
    }
    for (k, _) in setting.slots.iter().enumerate().filter(|(_, s)| s.product != Product::Energy) {
        pay(-at(&terms.trade_adder, k) * plan.trade[k]);
    }
    pay(terms.account.as_ref().map_or(0.0, |a| a.charge.value(balance)));
    bill
}
