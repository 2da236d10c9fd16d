//! Security-constrained trading: cooperation at least cost within the network, then payments.
//!
//! P1 minimises `sum Phi_i + c_loss losses` with the power flow of the network, its voltage limits and ratings inside. P2
//! either bargains over the gain that is left, `tau_i = J0_i - Phi_i - (1/n) (sum J0 - sum Phi - L)` with the losses `L` paid
//! to the DSO (which may bargain as one more, `n + 1`), or settles at nodal prices and leaves the congestion and loss rent
//! with the DSO. Members are held to their part of the dispatch by injection limits: by themselves they do not see the
//! network.

use coase_core::market::NetworkMode;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::{Claim, Side, Signal};
use coase_core::{Certificate, Market, MechanismError, Outcome, Party, Reason, RunContext, register};
use serde::{Deserialize, Serialize};

/// How P2 pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecurityConstrained {
    /// How it is paid.
    pub settlement: Settlement,
    /// What a kWh of losses costs; the tariff's buying price if not given.
    pub loss_price_per_kwh: Option<f64>,
}

register!(SecurityConstrained, "security-constrained", Product, "least cost within the network's limits, then payments",
    claims: [IndividuallyRational if "the gain is bargained over and is positive", BudgetBalanced],
    needs: [Tariff, Network, NoRequirement, Convexity], information: FullTypes,
    source: "optimal power flow and payment bargaining as in the security-constrained peer-to-peer literature",
    network: Inside);

impl Mechanism for SecurityConstrained {
    fn run(&self, market: &Market, ctx: &mut RunContext<'_>) -> Result<Outcome, MechanismError> {
        let tariff = market.setting().tariff.as_ref().ok_or(MechanismError::Unmet { need: "a grid tariff" })?;
        let loss_price_per_kwh = match self.loss_price_per_kwh {
            Some(price) if !(price >= 0.0 && price.is_finite()) => {
                let (name, expected) = ("loss_price_per_kwh", "a finite number, not negative");
                return Err(MechanismError::Parameter { name, value: price.to_string(), expected });
            }
            Some(price) => vec![price; tariff.buy_per_kwh.len()],
            None => tariff.buy_per_kwh.clone(),
        };
        let alone: Vec<f64> = market.each(|l| l.autarky())?.iter().map(|plan| plan.cost).collect();
        let best = market.solve(&market.grand().network(NetworkMode::Inside { loss_price_per_kwh }))?;
        ctx.messages(2 * market.len() * market.setting().slots.len());
        let mut outcome = Outcome::new(market);
        outcome.net = best.plans.iter().flatten().map(|plan| plan.trade.clone()).collect();
        outcome.imposed.clone_from(&best.limits);
        let together: Vec<f64> = best.plans.iter().flatten().map(|plan| plan.cost).collect();
        let gain = alone.iter().sum::<f64>() - together.iter().sum::<f64>() - best.loss_cost;
        outcome.evidence.push(Certificate::measure("constrained_gain", gain, "against no trade, losses paid"));
        let scale = 1.0 + alone.iter().map(|c| c.abs()).sum::<f64>();
        outcome.evidence.push(Certificate::check(
            "least_cost_gap",
            best.gap,
            1e-6 * scale,
            "optimality gap of the first stage",
        ));
        let pay = |outcome: &mut Outcome, member: usize, amount: f64| {
            outcome.ledger.pay(Party::Member(member), Party::Operator, amount, Reason::Trade);
        };
        let rent = match self.settlement {
            Settlement::Bargaining | Settlement::DsoBargains => {
                if gain < 0.0 {
                    let why =
                        "no trade misses the network's limits, and keeping them costs more than cooperation saves";
                    outcome.withheld.push((Claim::IndividuallyRational, why.into()));
                }
                let (sides, to_dso) = match self.settlement {
                    Settlement::DsoBargains => (market.len() + 1, 1.0),
                    _ => (market.len(), 0.0),
                };
                let share = gain / sides as f64;
                for i in 0..market.len() {
                    pay(&mut outcome, i, alone[i] - together[i] - share);
                }
                best.loss_cost + to_dso * share
            }
            Settlement::Nodal => {
                let why = "nodal prices leave the rent with the DSO, whatever trade brought before";
                outcome.withheld.push((Claim::IndividuallyRational, why.into()));
                let mut rent = 0.0;
                for i in 0..market.len() {
                    let due: f64 = outcome.net[i].iter().zip(&best.nodal_price[i]).map(|(x, p)| x * p).sum();
                    pay(&mut outcome, i, -due);
                    rent -= due;
                }
                rent
            }
        };
        outcome.ledger.pay(Party::Operator, Party::Dso, rent, Reason::Network);
        outcome.evidence.push(Certificate::measure("network_rent", rent, "paid to the DSO"));
        for (i, price) in best.nodal_price.iter().enumerate() {
            let price = price.iter().map(|p| Some(*p)).collect();
            outcome.prices.push(Signal { side: Side::Both, member: Some(i), price });
        }
        Ok(outcome)
    }
}
