//! Security-constrained trading: cooperation at least cost within the network, then payments.
//!
//! P1 minimises `sum Phi_i + c_loss losses` with the power flow of the network, its voltage limits and ratings inside. P2
//! either bargains over the gain that is left, `tau_i = J0_i - Phi_i - (1/n) (sum J0 - sum Phi - L)` with the network charge
//! `L` paid to the DSO (which may bargain as one more, `n + 1`), or settles at nodal prices and leaves the congestion and
//! loss rent with the DSO. Members are held to their part of the dispatch by injection limits: by themselves they do not see
//! the network.
//!
//! The network charge is what trade changes: `L = sum_t c_loss,t (losses_t at the dispatch - losses_t at no trade)`, both by
//! the full power flow. The losses that passive load and the members' own exchange with the grid cause anyway are in no
//! gain: no trade is a point of P1 wherever it keeps the limits, so that the gain is negative only where it does not. Trade
//! that relieves the network is paid for. The parts: of `tau_i` the share `L / n` goes to the DSO as a network charge (with
//! the DSO's own share of the gain, where it bargains), and `tau_i - L / n` is a payment between participants. At nodal
//! prices `p_i` a member pays the price at the root for what it buys and the DSO the difference, `(p_i - p_root) x_i`.

use crate::gap::least_cost_gap;
use coase_core::market::{NetworkMode, Plan};
use coase_core::mechanism::{Here, Mechanism};
use coase_core::outcome::{Claim, Side, Signal};
use coase_core::{Certificate, Market, MechanismError, Outcome, Party, Reason, RunContext, physical, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How P2 pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Settlement {
    /// The gain within the network is split equally.
    #[default]
    Bargaining,
    /// Everybody is paid the price at its node; the DSO keeps the rent.
    Nodal,
    /// The gain within the network is split equally among the participants and the DSO, who bargains as one more.
    DsoBargains,
}

/// Optimal power flow with the participants inside, then payments.
///
/// P1 minimises `sum Phi_i + c_loss losses` within the network. P2 pays `tau_i = J0_i - Phi_i - (1/n) (sum J0 - sum Phi - L)`
/// with the network charge `L = sum_t c_loss,t (losses_t at the dispatch - losses_t at no trade)`, or nodal prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecurityConstrained {
    /// How it is paid.
    pub settlement: Settlement,
    /// What a kWh of losses costs; the tariff's buying price if not given.
    #[schemars(range(min = 0.0))]
    pub loss_price_per_kwh: Option<f64>,
}

register!(SecurityConstrained, "security-constrained", Product, "least cost within the network's limits, then payments",
    claims: [IndividuallyRational if "the gain is bargained over and is positive" => is_bargained, BudgetBalanced],
    needs: [Tariff, RadialNetwork, NoRequirement, Convexity], information: FullTypes,
    source: "optimal power flow and payment bargaining as in the security-constrained peer-to-peer literature",
    network: Inside);

/// Whether the gain is positive is known with the outcome, which withholds the claim where it is not.
fn is_bargained(of: &SecurityConstrained, _: &Here<'_>) -> Result<(), String> {
    match of.settlement {
        Settlement::Bargaining | Settlement::DsoBargains => Ok(()),
        Settlement::Nodal => Err("it is settled at nodal prices, which leave the rent with the DSO".into()),
    }
}

impl Mechanism for SecurityConstrained {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let tariff = market.setting().tariff.as_ref().ok_or(MechanismError::Unmet { need: "a grid tariff" })?;
        let loss_price_per_kwh = match self.loss_price_per_kwh {
            Some(price) if !(price >= 0.0 && price.is_finite()) => {
                let (name, expected) = ("loss_price_per_kwh", "a finite number, not negative");
                return Err(MechanismError::Parameter { name, value: price.to_string(), expected });
            }
            Some(price) => vec![price; tariff.buy_per_kwh.len()],
            None => tariff.buy_per_kwh.clone(),
        };
        let without_trade = market.each(|l| l.autarky())?;
        let alone: Vec<f64> = without_trade.iter().map(|plan| plan.cost).collect();
        let losses_before = physical::losses_kwh(market.setting(), &without_trade)?;
        let best = market
            .solve(&market.grand().network(NetworkMode::Inside { loss_price_per_kwh: loss_price_per_kwh.clone() }))?;
        ctx.messages(2 * market.len() * market.setting().slots.len());
        let mut outcome = Outcome::new(market.setting());
        outcome.net = best.plans.iter().flatten().map(|plan| plan.trade.clone()).collect();
        outcome.imposed.clone_from(&best.limits);
        let dispatch: Vec<Arc<Plan>> = best.plans.iter().flatten().cloned().collect();
        let together: Vec<f64> = dispatch.iter().map(|plan| plan.cost).collect();
        let losses = physical::losses_kwh(market.setting(), &dispatch)?;
        let more_losses = losses.iter().zip(&losses_before).map(|(with, without)| with - without);
        let charge: f64 = loss_price_per_kwh.iter().zip(more_losses).map(|(price, kwh)| price * kwh).sum();
        let gain = alone.iter().sum::<f64>() - together.iter().sum::<f64>() - charge;
        outcome.evidence.push(Certificate::measure(
            "constrained_gain",
            gain,
            "against no trade, the losses that trade adds paid",
        ));
        outcome.evidence.push(least_cost_gap(&best, "optimality gap of the first stage"));
        let pay = |outcome: &mut Outcome, member: usize, between: f64, to_dso: f64| {
            outcome.ledger.pay(Party::Member(member), Party::Operator, between, Reason::Trade);
            outcome.ledger.pay(Party::Member(member), Party::Dso, to_dso, Reason::Network);
        };
        match self.settlement {
            Settlement::Bargaining | Settlement::DsoBargains => {
                if gain < 0.0 {
                    let why =
                        "no trade misses the network's limits, and keeping them costs more than cooperation saves";
                    outcome.withheld.push((Claim::IndividuallyRational, why.into()));
                }
                let members = market.len() as f64;
                let (share, due) = match self.settlement {
                    Settlement::DsoBargains => (gain / (members + 1.0), charge + gain / (members + 1.0)),
                    _ => (gain / members, charge),
                };
                for i in 0..market.len() {
                    pay(&mut outcome, i, alone[i] - together[i] - share - due / members, due / members);
                }
            }
            Settlement::Nodal => {
                for i in 0..market.len() {
                    let bought = outcome.net[i].iter().map(|sale| -sale);
                    let (mut between, mut to_dso) = (0.0, 0.0);
                    for ((kwh, root), price) in bought.zip(&best.price).zip(&best.nodal_price[i]) {
                        between += root * kwh;
                        to_dso += (price - root) * kwh;
                    }
                    pay(&mut outcome, i, between, to_dso);
                }
            }
        }
        // Sales meet purchases to a solver's rounding; the DSO bears it, so that the operator's account is empty.
        let rounding = outcome.ledger.balance(Party::Operator);
        outcome.ledger.pay(Party::Operator, Party::Dso, rounding, Reason::Network);
        let rent = outcome.ledger.balance(Party::Dso);
        outcome.evidence.push(Certificate::measure("network_rent", rent, "paid to the DSO"));
        for (i, price) in best.nodal_price.iter().enumerate() {
            let price = price.iter().map(|p| Some(*p)).collect();
            outcome.prices.push(Signal { side: Side::Both, member: Some(i), price });
        }
        Ok(outcome)
    }
}
