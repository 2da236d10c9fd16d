//! A fee on using the network, set by its operator: it leads, and the members, who trade as well as they can, follow.
//!
//! The operator asks `phi d_ij` for each kWh that `i` sells to `j` over the distance `d_ij`, with `phi` between 0 and a limit. The
//! members answer with the trades of least cost, fees included: `min sum_i Phi_i + sum phi d_ij (e_ij + e_ji)`. There are then
//! prices `pi_i`, one where each stands, with `pi_j - pi_i = phi d_ij` where `i` sells to `j` and `|pi_j - pi_i| <= phi d_ij`
//! everywhere: a seller receives its own, a buyer pays its own, and the operator keeps the difference. It sets the fee that earns
//! it most, `max sum phi d_ij e_ij - sum k d_ij e_ij^2 / 2` with the wear `k` of its lines, and where its followers are
//! indifferent they do what it likes best (what it earns otherwise is reported beside it).
//!
//! Sources: von Stackelberg (1934); Dempe (2002) on followers that are indifferent.

mod certificates;
mod distance;
mod followers;
mod leader;
mod single_level;

pub use distance::Distance;

use crate::canonical_payments::Priced;
use coase_core::game::Game;
use coase_core::mechanism::{Here, Mechanism};
use coase_core::outcome::{Claim, Status, Trade};
use coase_core::{Curve, Market, MechanismError, Outcome, Party, Reason, RunContext, register};
use followers::Followers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fee per kWh and distance that the operator of the network sets to earn most, while members trade at least cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StackelbergNetworkFee {
    /// How many fees there are.
    pub fee: Fee,
    /// The greatest fee that the operator may ask, per kWh and unit of distance.
    #[schemars(range(min = 0.0))]
    pub fee_max_per_kwh: f64,
    /// How far members are from each other.
    pub distance: Distance,
    /// What the energy `e` of a pair in a period costs the operator, `wear_per_kwh2 d e^2 / 2`: losses and wear of its lines.
    #[schemars(range(min = 0.0))]
    pub wear_per_kwh2: f64,
    /// How the best fee is found.
    pub solver: FeeSolver,
}

/// How many fees there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Fee {
    /// One for everybody at all times.
    #[default]
    Scalar,
    /// One for each period.
    PerPeriod,
    /// One for each pair of members.
    PerEdge,
    /// One that nobody chooses: what the others are compared with.
    Fixed {
        /// The fee, per kWh and unit of distance.
        #[schemars(range(min = 0.0))]
        per_kwh: f64,
    },
}

/// How the best fee is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FeeSolver {
    /// By trying fees, each with the exact answer of the members: a grid, brackets and Brent's method for one fee, one fee
    /// after the other and the method of Nelder and Mead for several.
    #[default]
    Search,
    /// In one program: the optimality conditions of the members are constraints, and which of them bind is found by branch and
    /// bound. Exact and slow, for a few members and periods.
    SingleLevel,
}

impl Default for StackelbergNetworkFee {
    fn default() -> Self {
        Self {
            fee: Fee::default(),
            fee_max_per_kwh: 0.6,
            distance: Distance::default(),
            wear_per_kwh2: 0.0,
            solver: FeeSolver::default(),
        }
    }
}

register!(StackelbergNetworkFee, "stackelberg-network-fee", Game,
    "the network's operator sets the fee that earns it most, members trade at least cost",
    claims: [
        IndividuallyRational if "costs are convex" => |_, here| is_convex(here),
        BudgetBalanced,
        Equilibrium if "the operator chooses its fee" => |rule, _| chooses(rule),
    ],
    needs: [Tariff, NoRequirement], information: FullTypes,
    source: "von Stackelberg (1934); network usage fees for peer-to-peer trade: Kim and Dvorkin (2020)");

fn is_convex(here: &Here<'_>) -> Result<(), String> {
    if here.market.is_convex() { Ok(()) } else { Err("a charge on carbon is not".into()) }
}

fn chooses(rule: &StackelbergNetworkFee) -> Result<(), String> {
    match rule.fee {
        Fee::Fixed { .. } => Err("its fee is given".into()),
        _ => Ok(()),
    }
}

impl StackelbergNetworkFee {
    fn check(&self) -> Result<(), MechanismError> {
        let fixed = if let Fee::Fixed { per_kwh } = self.fee { per_kwh } else { 0.0 };
        let all =
            [("fee_max_per_kwh", self.fee_max_per_kwh), ("wear_per_kwh2", self.wear_per_kwh2), ("per_kwh", fixed)];
        match all.into_iter().find(|(_, x)| !(*x >= 0.0 && x.is_finite())) {
            Some((name, x)) => {
                Err(MechanismError::Parameter { name, value: x.to_string(), expected: "a finite number of at least 0" })
            }
            None => Ok(()),
        }
    }

    fn followers<'m>(&self, market: &'m Market) -> Result<Followers<'m>, MechanismError> {
        self.check()?;
        let distance = self.distance.between(market)?;
        Ok(Followers::new(market, &distance, self.fee, self.wear_per_kwh2))
    }
}

impl Mechanism for StackelbergNetworkFee {
    fn draws(&self) -> bool {
        matches!(self.fee, Fee::PerPeriod | Fee::PerEdge)
    }

    /// What a kWh between two pays, and how much they trade, against how far they are from each other.
    fn curves(&self, market: &Market, outcome: &Outcome, _: u64) -> Result<Vec<Curve>, MechanismError> {
        let followers = self.followers(market)?;
        let fees = match self.fee {
            Fee::Fixed { per_kwh } => vec![per_kwh],
            _ => outcome.strategies.first().cloned().unwrap_or_default(),
        };
        let answer = followers.favouring(&fees, 1.0)?;
        Ok(distance::curves(self, market, &followers, &fees, &answer))
    }

    fn game<'a>(&'a self, market: &'a Market) -> Option<Box<dyn Game + 'a>> {
        let followers = self.followers(market).ok()?;
        chooses(self).ok()?;
        Some(Box::new(leader::FeeGame { followers, most: self.fee_max_per_kwh }))
    }

    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let followers = self.followers(market)?;
        let mut outcome = Outcome::new(market.setting());
        let found = match self.fee {
            Fee::Fixed { per_kwh } => leader::Found::fixed(per_kwh),
            _ if self.solver == FeeSolver::SingleLevel => single_level::best(&followers, self.fee_max_per_kwh)?,
            _ => leader::best(&followers, self.fee_max_per_kwh, ctx)?,
        };
        let answer = followers.favouring(&found.fees, 1.0)?;
        ctx.messages(2 * followers.links().len());
        let trades = followers.trades(&found.fees, &answer);
        let mut fees = vec![0.0; market.len()];
        for (trade, fee) in &trades {
            outcome.net[trade.seller][trade.slot] += trade.quantity;
            outcome.net[trade.buyer][trade.slot] -= trade.quantity;
            fees[trade.buyer] += fee * trade.quantity;
        }
        let trades: Vec<Trade> = trades.into_iter().map(|(trade, _)| trade).collect();
        let slots = market.setting().slots.len();
        Priced::between_all(trades, vec![0.0; market.len()], slots).enter(market, &mut outcome);
        for (buyer, fee) in fees.into_iter().enumerate() {
            outcome.ledger.pay(Party::Member(buyer), Party::Dso, fee, Reason::Network);
        }
        if !answer.convex {
            let why = "choices, such as charging or discharging, decide: the prices support none but the choices made";
            outcome.withheld.push((Claim::IndividuallyRational, why.into()));
        }
        if let Some(residual) = found.residual {
            outcome.status = Status::NotConverged { residual };
        }
        outcome.evidence = certificates::of(self, &followers, &found, &answer)?;
        if chooses(self).is_ok() {
            outcome.strategies = vec![found.fees];
        }
        Ok(outcome)
    }
}
