//! The Shapley value: everybody gets what it brings, on average over all orders in which members may join.
//!
//! `G_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S and i) - v(S))`, with `v(S)` the gain of the members of `S` if
//! they trade among themselves. It adds up to the gain of all, gives nothing to whoever brings nothing, and treats alike who
//! bring alike. It lies in the core where the game is convex (Shapley, 1971), and elsewhere it may not.

use crate::cooperation::{Cooperation, Found, named, nothing_to_divide};
use coase_core::coalition::{antithetic_orders, sampled_shapley};
use coase_core::market::NetworkMode;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Claim;
use coase_core::{Certificate, Economy, Market, MechanismError, Outcome, RunContext, number, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value is exact up to this many members.
const MOST_EXACT: usize = 12;
/// Orders drawn beyond that, where nothing is said.
const ORDERS: usize = 200;

/// Division of the gain of cooperation by the Shapley value.
///
/// `G_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S and i) - v(S))`, `v(S)` the gain of the members of `S` if they
/// trade among themselves. Up to 12 members all groups are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Shapley {
    /// Orders of the members that are drawn, each with its reverse, so that an odd number counts as the next even one; the
    /// certificates `shapley_standard_error` say how far the estimates may be off. If left out, the value is exact for up to
    /// 12 members, and 200 orders are drawn for more.
    #[schemars(range(min = 4))]
    pub samples: Option<usize>,
}

register!(Shapley, "shapley", Cooperative, "gives everybody the average of what it brings to groups that it may join",
    claims: [IndividuallyRational, BudgetBalanced, Efficient, Core if "all groups are asked, and joining brings the more the larger the group" => asks_all],
    needs: [Tariff, NoRequirement], information: FullTypes, source: "Shapley (1953); sampling: Castro, Gomez and Tejada (2009)");

/// Whether joining brings the more is known with the outcome, which withholds the claim where it does not.
fn asks_all(of: &Shapley, here: &coase_core::mechanism::Here<'_>) -> Result<(), String> {
    match of.orders(here.market.len()) {
        None => Ok(()),
        Some(orders) => Err(format!("{orders} orders are drawn instead")),
    }
}

impl Shapley {
    /// Orders that are drawn; `None` where the value is exact.
    fn orders(self, members: usize) -> Option<usize> {
        let beyond = (members > MOST_EXACT).then_some(ORDERS);
        self.samples.or(beyond).map(|orders| orders.next_multiple_of(2))
    }
}

impl Mechanism for Shapley {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        if let Some(samples) = self.samples.filter(|samples| *samples < 4) {
            let expected = "at least 4: two orders and their reverses, or there is no standard error";
            return Err(MechanismError::Parameter { name: "samples", value: samples.to_string(), expected });
        }
        let cooperation = match Cooperation::centrally(market, ctx)? {
            Found::Gain(cooperation) => cooperation,
            Found::Nothing(outcome) => return Ok(nothing_to_divide(*outcome)),
        };
        match self.orders(market.len()) {
            None => exact(market, &cooperation),
            Some(orders) => sampled(market, &cooperation, orders, ctx),
        }
    }

    fn draws(&self) -> bool {
        true
    }
}

fn exact(market: &Market, cooperation: &Cooperation) -> Result<Outcome, MechanismError> {
    let game = market.coalitions(&NetworkMode::Ignored)?;
    let mut outcome = cooperation.divided(market, &scaled(game.shapley(), cooperation.gain()))?;
    if let Some(found) = game.not_convex() {
        let setting = market.setting();
        let [first, second] = [found.first, found.second].map(|i| &setting.members[i].id);
        let (before, after) = (named(setting, found.group), named(setting, found.group.with(found.first)));
        let less = number(found.loss);
        outcome
            .withheld
            .push((Claim::Core, format!("{second} brings {less} less to {after} than to {before} without {first}")));
    }
    Ok(outcome)
}

fn sampled(
    market: &Market,
    cooperation: &Cooperation,
    orders: usize,
    ctx: &mut RunContext,
) -> Result<Outcome, MechanismError> {
    let setting = market.setting();
    let orders = antithetic_orders(market.len(), orders / 2, &mut ctx.stream("shapley orders", 0, 0));
    // A group of one gains nothing and the group of all is solved: what is between is asked, each group once.
    let between = 2..market.len();
    let group = |order: &[usize], size: usize| -> Vec<usize> {
        let mut members = order[..size].to_vec();
        members.sort_unstable();
        members
    };
    let mut groups: Vec<Vec<usize>> =
        orders.iter().flat_map(|order| between.clone().map(|size| group(order, size))).collect();
    groups.sort_unstable();
    groups.dedup();
    let questions: Vec<Economy> = groups.iter().map(|members| market.grand().only(members)).collect();
    let costs: Vec<f64> = market.solve_all(&questions)?.iter().map(|best| best.cost).collect();
    let alone = |members: &[usize]| members.iter().map(|i| cooperation.alone[*i].cost).sum::<f64>();
    let worth = |k: usize, size: usize| match size {
        0 | 1 => 0.0,
        all if all == market.len() => cooperation.gain(),
        size => {
            let members = group(&orders[k], size);
            let place = groups.binary_search(&members).unwrap_or_else(|_| unreachable!("every group was asked"));
            alone(&members) - costs[place]
        }
    };
    let found = sampled_shapley(&orders, worth);
    let mut outcome = cooperation.divided(market, &scaled(found.division, cooperation.gain()))?;
    for (member, error) in setting.members.iter().zip(&found.standard_error) {
        let witness = format!("{}: {} orders, {} groups", member.id, found.orders, groups.len());
        outcome.evidence.push(Certificate::measure("shapley_standard_error", *error, witness));
    }
    Ok(outcome)
}

/// Shares whose sum is the gain to the last digit: costs of groups come out of programs.
fn scaled(shares: Vec<f64>, gain: f64) -> Vec<f64> {
    let missing = (gain - shares.iter().sum::<f64>()) / shares.len() as f64;
    shares.into_iter().map(|share| share + missing).collect()
}
