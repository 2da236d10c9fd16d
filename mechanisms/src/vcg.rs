//! The mechanism of Vickrey, Clarke and Groves: everybody pays what its presence costs the others.
//!
//! With `C(S)` the least cost of a group that trades among itself and `x*` the best for all, member `i` pays the operator
//! `tau_i = [C(N) - Phi_i(x*)] - C(N without i)`. Its whole cost is then `C(N) - C(N without i)`, so that it wants the cost of
//! all to be least, whatever the others report, and it gains what it brings: `G_i = J0_i + C(N without i) - C(N)`. With two
//! sides these payments cover less than nothing: the operator loses `sum G_i - D`, where `D` is what all together gain.
//!
//! With the network inside, `C(N without i)` also depends on what the network carries of `i`. Only a pivot that `i` cannot
//! move by its report leaves telling the truth best: `i` is disconnected, or stays as it is publicly known. The losses that
//! trade adds are paid to the network's operator out of the operator's account.

use crate::auctions::vcg_blocks;
use crate::gap::least_cost_gap;
use coase_core::auction::{Auction, Clearing};
use coase_core::book::Book;
use coase_core::market::{Economy, NetworkMode, Outsiders, Plan};
use coase_core::mechanism::{Here, Mechanism};
use coase_core::outcome::Claim;
use coase_core::{
    Allocation, Certificate, Market, MechanismError, Outcome, Party, Reason, RunContext, physical, register,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the network carries of a member when the others are asked what they would cost without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Pivot {
    /// Nothing: it is disconnected. Telling the truth is best; nobody loses against being disconnected, but somebody may lose
    /// against the tariff.
    #[default]
    Absent,
    /// Its metered schedule without trade, known before anybody reports. Telling the truth is best.
    PublicBaseline,
    /// The schedule without trade that follows from its report. Nobody loses against the tariff, but where limits of the
    /// network bind a report can move the pivot, and telling the truth is not best.
    ReportedDisagreement,
}

/// Whether the network's limits and losses are part of the optimum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NetworkUse {
    /// Where the scenario has a network; it must be radial.
    #[default]
    Inside,
    /// They are not, as in mechanisms that know of no network. Pivots are then all the same.
    Ignored,
}

/// Everybody pays what its presence costs the others: `tau_i = [C(N) - Phi_i(x*)] - C(N without i)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Vcg {
    /// What the network carries of a member when the others are asked what they would cost without it.
    pub pivot: Pivot,
    /// Whether the network's limits and losses are part of the optimum.
    pub network: NetworkUse,
    /// What a kWh of losses costs, where the network is inside; the tariff's buying price if not given.
    #[schemars(range(min = 0.0))]
    pub loss_price_per_kwh: Option<f64>,
}

// Whether a report can move the pivots is known with the outcome, which withholds the claim where it can.
register!(Vcg, "vcg", Auction, "everybody pays what its presence costs the others",
    claims: [
        Truthful if "no report can move what the network carries in the pivots" => |_, _| Ok(()),
        IndividuallyRational if "without a member the network carries of it what it would do without trade" => keeps_the_tariff,
        Efficient if "the network is no part of the market" => |of, here| of.is_blind(here.market),
    ],
    needs: [Tariff, NoRequirement], information: Reports, source: "Vickrey (1961); Clarke (1971); Groves (1973)",
    network: Inside);

fn keeps_the_tariff(of: &Vcg, here: &Here<'_>) -> Result<(), String> {
    if of.is_blind(here.market).is_ok() {
        return Ok(());
    }
    match of.pivot {
        Pivot::ReportedDisagreement => Ok(()),
        Pivot::Absent => Err("the network is inside, and without a member it carries nothing of it".into()),
        Pivot::PublicBaseline => {
            let alone = here.market.each(|local| local.autarky()).map_err(|error| error.to_string())?;
            let away = |(plan, member): (&Arc<Plan>, &coase_core::setting::Member)| {
                let apart = |(now, known): (&f64, &f64)| (now - known).abs() > 1e-6 * (1.0 + known.abs());
                plan.output.iter().zip(&member.baseline_kwh).any(apart).then(|| member.id.clone())
            };
            match alone.iter().zip(&here.market.setting().members).find_map(away) {
                None => Ok(()),
                Some(id) => Err(format!("without trade {id} now does something else than its public baseline")),
            }
        }
    }
}

impl Vcg {
    /// Whether the network is no part of the optimum; else why it is.
    fn is_blind(&self, market: &Market) -> Result<(), String> {
        match (self.network, &market.setting().feeder) {
            (NetworkUse::Ignored, _) | (_, None) => Ok(()),
            (NetworkUse::Inside, Some(_)) => Err("the network's limits are kept, at whatever cost".into()),
        }
    }

    /// The network in every question, and the price of losses per period.
    fn questions(&self, market: &Market) -> Result<(Economy, Vec<f64>), MechanismError> {
        if let Some(price) = self.loss_price_per_kwh.filter(|price| !(*price >= 0.0 && price.is_finite())) {
            let (name, expected) = ("loss_price_per_kwh", "a finite number, not negative");
            return Err(MechanismError::Parameter { name, value: price.to_string(), expected });
        }
        if self.is_blind(market).is_ok() {
            return Ok((market.grand(), vec![0.0; market.setting().periods.count]));
        }
        let tariff = market.setting().tariff.as_ref().ok_or(MechanismError::Unmet { need: "a grid tariff" })?;
        let price =
            self.loss_price_per_kwh.map_or_else(|| tariff.buy_per_kwh.clone(), |p| vec![p; tariff.buy_per_kwh.len()]);
        let outsiders = match self.pivot {
            Pivot::Absent => Outsiders::Absent,
            Pivot::PublicBaseline => Outsiders::Baseline,
            Pivot::ReportedDisagreement => Outsiders::Reported,
        };
        let inside = NetworkMode::Inside { loss_price_per_kwh: price.clone() };
        Ok((market.grand().network(inside).outsiders(outsiders), price))
    }

    /// Losses that trade adds, per period, kWh, by the full power flow.
    fn losses(&self, market: &Market, alone: &[Arc<Plan>], dispatch: &[Arc<Plan>]) -> Result<Vec<f64>, MechanismError> {
        if self.is_blind(market).is_ok() {
            return Ok(vec![0.0; market.setting().periods.count]);
        }
        let (before, after) =
            (physical::losses_kwh(market.setting(), alone)?, physical::losses_kwh(market.setting(), dispatch)?);
        Ok(after.iter().zip(before).map(|(after, before)| after - before).collect())
    }
}

impl Auction for Vcg {
    /// Of a list of bids: a buyer pays `W(N without b) - (W - V_b)`, a seller receives `(W + C_s) - W(N without s)`.
    fn clear(&self, book: &Book, _: &mut RunContext) -> Result<Clearing, MechanismError> {
        vcg_blocks::vcg(book)
    }
}

impl Mechanism for Vcg {
    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }

    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let n = market.len();
        let (grand, loss_price) = self.questions(market)?;
        let alone = market.each(|l| l.autarky())?;
        let mut questions = vec![grand.clone()];
        questions.extend((0..n).map(|i| grand.clone().without(i)));
        let answers = market.solve_all(&questions)?;
        ctx.messages(2 * n * market.setting().slots.len());
        let (best, without): (&Allocation, _) = (&answers[0], &answers[1..]);
        let dispatch: Vec<Arc<Plan>> = best.plans.iter().flatten().cloned().collect();
        let mut outcome = Outcome::new(market.setting());
        outcome.net = dispatch.iter().map(|plan| plan.trade.clone()).collect();
        outcome.imposed.clone_from(&best.limits);
        for (i, plan) in dispatch.iter().enumerate() {
            let externality = (best.cost - plan.cost) - without[i].cost;
            outcome.ledger.pay(Party::Member(i), Party::Operator, externality, Reason::Trade);
        }
        let more_losses = self.losses(market, &alone, &dispatch)?;
        let charge: f64 = loss_price.iter().zip(more_losses).map(|(price, kwh)| price * kwh).sum();
        outcome.ledger.pay(Party::Operator, Party::Dso, charge, Reason::Network);
        outcome.evidence = evidence(market, &outcome, &alone, &dispatch, &answers, charge);
        if self.pivot == Pivot::ReportedDisagreement && self.is_blind(market).is_err() {
            let binds = answers.iter().any(|answer| prices_differ(answer));
            let how = if binds { "where it binds, as it does here," } else { "where a report makes it bind" };
            let why =
                format!("the pivots keep the schedules without trade that members report: {how} a report moves them");
            outcome.withheld.push((Claim::Truthful, why));
        }
        Ok(outcome)
    }
}

/// Everybody gains what it brings, the operator loses the sum of that beyond what all gain, and all answers are optimal.
fn evidence(
    market: &Market,
    outcome: &Outcome,
    alone: &[Arc<Plan>],
    dispatch: &[Arc<Plan>],
    answers: &[Arc<Allocation>],
    charge: f64,
) -> Vec<Certificate> {
    let (best, without) = (&answers[0], &answers[1..]);
    let brings: Vec<f64> = alone.iter().zip(without).map(|(own, others)| own.cost + others.cost - best.cost).collect();
    let gain = |i: usize| alone[i].cost - dispatch[i].cost + outcome.ledger.balance(Party::Member(i));
    let missed = brings.iter().enumerate().map(|(i, brings)| (i, (gain(i) - brings).abs()));
    let (worst, missed) = missed.fold((0, 0.0), |w, x| if x.1 > w.1 { x } else { w });
    let costs = alone.iter().chain(dispatch).map(|plan| plan.cost.abs()).sum::<f64>();
    let rounding = 1e-9 * (1.0 + costs + outcome.ledger.turnover());
    let id = market.setting().members.get(worst).map_or("nobody", |member| member.id.as_str());
    let lost = -outcome.ledger.balance(Party::Operator);
    let all: f64 = alone.iter().zip(dispatch).map(|(alone, with)| alone.cost - with.cost).sum::<f64>() - charge;
    let beyond = brings.iter().sum::<f64>() - all;
    let worst_gap = without.iter().map(|answer| answer.gap).fold(0.0, f64::max);
    let mut found = vec![
        Certificate::check(
            "marginal_contribution",
            missed,
            rounding,
            format!("{id}: what it gains against what it brings"),
        ),
        Certificate::check(
            "deficit_identity",
            (lost - beyond).abs(),
            rounding,
            "the operator's loss against the sum of what members bring, less what all gain",
        ),
        Certificate::measure("vcg_deficit", lost, "what the operator loses"),
        Certificate::measure("cooperation_gain", all, "what all gain together, losses that trade adds paid"),
        Certificate::measure(
            "pivot_gap",
            worst_gap,
            "duality gap of the others' least costs; a report may gain as much",
        ),
    ];
    found.push(least_cost_gap(best, "duality gap of the least cost of all together"));
    found
}

/// Whether a limit of the network, or losses, make energy worth more at one member's bus than at another's.
fn prices_differ(answer: &Allocation) -> bool {
    let slots = answer.price.len();
    let spread = |k: usize| {
        let all = || answer.nodal_price.iter().filter_map(|prices| prices.get(k)).copied();
        all().fold(f64::NEG_INFINITY, f64::max) - all().fold(f64::INFINITY, f64::min)
    };
    let dearest = answer.price.iter().fold(0.0_f64, |most, p| most.max(p.abs()));
    (0..slots).any(|k| spread(k) > 1e-3 * (1e-6 + dearest))
}
