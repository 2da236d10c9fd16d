//! The network's operator as a leader in nodal prices: it adds to the price of energy at members' buses what is best for it, and the
//! members follow: as one, and divide their gain equally, or each for itself within the limits of the network, which they share.
//!
//! An adder `a_i` of member `i` is asked for every kWh that it draws from the network and paid for every kWh that it feeds in; the
//! money goes to the operator, which loses energy in its lines and counts emissions at a price of its own:
//!
//! ```text
//! min over |a_i| <= limit    sum_t upstream_t loss_t + price of carbon x emissions - sum_i a_i x net energy drawn by i
//! ```
//!
//! with the members' least cost under these terms as the answer to each trial, found exactly: together, or each its own ([`apart`]).
//! The carbon policy in force is left
//! alone; one that sets prices at buses itself would meet those of the operator, and is refused. The policy `integrated` is the other
//! reading of integrated prices, where nobody leads: prices are those of the optimal power flow at what they lead to.

mod apart;

use crate::cooperation::{Cooperation, Found, nothing_to_divide};
use crate::leader_search::{brent, drawn, nelder_mead};
use coase_core::carbon_flow::storage::StorageRule;
use coase_core::market::Plan;
use coase_core::mechanism::Mechanism;
use coase_core::physical::of_plans;
use coase_core::terms::Terms;
use coase_core::{Certificate, Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Prices at buses that the operator sets to lose and emit least and earn most, while members follow: as one, or each for itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StackelbergIntegratedPrice {
    /// The greatest adder, of either sign, per kWh.
    #[schemars(range(min = 0.0))]
    pub adder_max_per_kwh: f64,
    /// What a tonne of emissions counts for the operator.
    #[schemars(range(min = 0.0))]
    pub carbon_price_per_tonne: f64,
    /// Whether every member has an adder of its own.
    pub prices: LeaderPrices,
    /// How members follow.
    pub followers: Following,
}

/// How members follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Following {
    /// As one: they trade at least cost, blind to the network, and divide their gain equally.
    #[default]
    Coalition,
    /// Each for itself, without trade. The limits of the network hold for all together; of the equilibria within them the one in
    /// which a limit has the same price for everybody (variational; Rosen, 1965).
    Members,
}

/// How many adders there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LeaderPrices {
    /// One for everybody.
    #[default]
    Single,
    /// One for each member.
    PerMember,
}

impl Default for StackelbergIntegratedPrice {
    fn default() -> Self {
        Self {
            adder_max_per_kwh: 0.1,
            carbon_price_per_tonne: 280.0,
            prices: LeaderPrices::default(),
            followers: Following::default(),
        }
    }
}

register!(StackelbergIntegratedPrice, "stackelberg-integrated-price", Game,
    "the network's operator leads with prices at buses, members follow as one or each within the network's limits",
    claims: [BudgetBalanced], needs: [Tariff, NoRequirement], information: FullTypes,
    source: "von Stackelberg (1934); reconstruction of the leader in studies of integrated electricity-carbon prices");

/// Prices tried on a line, draws to start at, and draws to see whether anything better was missed.
const GRID: usize = 32;
const STARTS: usize = 2;
const SAMPLES: usize = 40;
/// Relative gap of the leader.
const GAP: f64 = 1e-6;

/// What a trial comes to.
struct Trial {
    loss: f64,
    carbon: f64,
    revenue: f64,
}

impl Trial {
    fn cost(&self) -> f64 {
        self.loss + self.carbon - self.revenue
    }
}

impl StackelbergIntegratedPrice {
    fn check(&self, market: &Market) -> Result<(), MechanismError> {
        for (name, x) in
            [("adder_max_per_kwh", self.adder_max_per_kwh), ("carbon_price_per_tonne", self.carbon_price_per_tonne)]
        {
            if !(x >= 0.0 && x.is_finite()) {
                let expected = "a finite number of at least 0";
                return Err(MechanismError::Parameter { name, value: x.to_string(), expected });
            }
        }
        // Only prices at buses reach trade or what is physically drawn.
        let at_buses = |i: usize| {
            let terms = market.terms(i);
            [&terms.withdrawal_adder, &terms.injection_adder, &terms.trade_adder].iter().any(|adder| !adder.is_empty())
        };
        if (0..market.len()).any(at_buses) {
            return Err(MechanismError::Unmet { need: "a carbon policy that sets no prices at buses" });
        }
        Ok(())
    }

    /// Adders of all members from what is searched.
    fn adders(self, market: &Market, searched: &[f64]) -> Vec<f64> {
        match self.prices {
            LeaderPrices::Single => vec![searched.first().copied().unwrap_or(0.0); market.len()],
            LeaderPrices::PerMember => searched.to_vec(),
        }
    }

    /// The operator's account at what members answer.
    fn weighed(self, market: &Market, adders: &[f64], plans: Vec<Arc<Plan>>) -> Result<Trial, MechanismError> {
        let setting = market.setting();
        let physical = of_plans(setting, plans, StorageRule::default())?;
        let upstream = setting.tariff.as_ref().map_or(&[][..], |tariff| &tariff.sell_per_kwh);
        let (mut loss, mut kg) = (0.0, 0.0);
        for t in 0..setting.periods.count {
            loss += upstream.get(t).copied().unwrap_or(0.0) * physical.loss_kwh(setting, t);
            kg += physical.emissions_kg(setting, t);
        }
        let drawn = |i: usize| -physical.plans[i].output.iter().sum::<f64>();
        let revenue = adders.iter().enumerate().map(|(i, adder)| adder * drawn(i)).sum();
        Ok(Trial { loss, carbon: self.carbon_price_per_tonne * kg / 1000.0, revenue })
    }

    fn tried(self, market: &Market, searched: &[f64]) -> Result<Trial, MechanismError> {
        let adders = self.adders(market, searched);
        let led = market.imposing(&terms(market, &adders));
        let plans = match self.followers {
            Following::Coalition => together(&led)?,
            Following::Members => apart::equilibrium(&led)?.plans,
        };
        self.weighed(market, &adders, plans)
    }

    /// The adders that cost the operator least.
    fn best(self, market: &Market, seed: u64) -> Result<Vec<f64>, MechanismError> {
        let most = self.adder_max_per_kwh;
        let count = if self.prices == LeaderPrices::Single { 1 } else { market.len() };
        let alike = |adder: f64| vec![adder; count];
        let cost = |searched: &[f64]| Ok(self.tried(market, searched)?.cost());
        let at = |k: usize| most * (2.0 * k as f64 / GRID as f64 - 1.0);
        let costs = (0..=GRID).map(|k| cost(&alike(at(k)))).collect::<Result<Vec<f64>, MechanismError>>()?;
        let least = (0..=GRID).fold(0, |least, k| if costs[k] < costs[least] { k } else { least });
        let mut best = (at(least), costs[least]);
        if most > 0.0 {
            let bracket = (at(least.saturating_sub(1)), at((least + 1).min(GRID)));
            if let Some(adder) = brent(&|adder| cost(&alike(adder)), bracket, 1e-8)? {
                let found = cost(&alike(adder))?;
                if found < best.1 {
                    best = (adder, found);
                }
            }
        }
        if count == 1 {
            return Ok(vec![best.0]);
        }
        let bounds = vec![(-most, most); count];
        let mut starts = vec![alike(best.0)];
        starts.extend(drawn(seed, "starts of a leader in prices", &bounds, STARTS));
        Ok(nelder_mead(&cost, &bounds, &starts)?.0)
    }
}

/// What members do who act as one.
fn together(led: &Market) -> Result<Vec<Arc<Plan>>, MechanismError> {
    Ok(led.solve(&led.grand())?.plans.iter().flatten().cloned().collect())
}

/// What adders are for members: asked for what they draw, paid for what they feed in.
fn terms(market: &Market, adders: &[f64]) -> Vec<Terms> {
    let periods = market.setting().periods.count;
    let of = |adder: &f64| Terms {
        withdrawal_adder: vec![*adder; periods],
        injection_adder: vec![-adder; periods],
        ..Terms::default()
    };
    adders.iter().map(of).collect()
}

impl Mechanism for StackelbergIntegratedPrice {
    fn draws(&self) -> bool {
        self.prices == LeaderPrices::PerMember
    }

    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        self.check(market)?;
        let searched = self.best(market, ctx.seed())?;
        let adders = self.adders(market, &searched);
        let imposed = terms(market, &adders);
        let led = market.imposing(&imposed);
        let (mut outcome, plans, limits) = match self.followers {
            Following::Coalition => match Cooperation::centrally(&led, ctx)? {
                Found::Gain(cooperation) => {
                    let gains = vec![cooperation.gain() / market.len() as f64; market.len()];
                    let plans = cooperation.best.plans.iter().flatten().cloned().collect();
                    (cooperation.divided(&led, &gains)?, plans, vec![])
                }
                Found::Nothing(outcome) => (nothing_to_divide(*outcome), together(&led)?, vec![]),
            },
            Following::Members => {
                let shared = apart::equilibrium(&led)?;
                ctx.messages(2 * market.len() * market.setting().slots.len());
                let mut outcome = Outcome::new(market.setting());
                outcome.evidence = shared.certificates(&led)?;
                let limits = shared.limits().to_vec();
                (outcome, shared.plans, limits)
            }
        };
        let trial = self.weighed(market, &adders, plans)?;
        if adders.iter().any(|adder| *adder != 0.0) || !limits.is_empty() {
            let with = |(i, terms): (usize, Terms)| limits.get(i).map_or(terms.clone(), |limits| terms.and(limits));
            outcome.imposed = imposed.into_iter().enumerate().map(with).collect();
        }
        let bounds = vec![(-self.adder_max_per_kwh, self.adder_max_per_kwh); searched.len()];
        let mut elsewhere = f64::INFINITY;
        for other in drawn(ctx.seed(), "other prices of a leader", &bounds, SAMPLES) {
            elsewhere = elsewhere.min(self.tried(market, &other)?.cost());
        }
        let cost = trial.cost();
        let ids = market.setting().members.iter().map(|member| member.id.as_str());
        let each: Vec<String> = ids.zip(&adders).map(|(id, adder)| format!("{id} {adder:.6}")).collect();
        let mean = adders.iter().sum::<f64>() / adders.len().max(1) as f64;
        let gap = (cost - elsewhere).max(0.0);
        let scale = (trial.loss + trial.carbon + trial.revenue.abs()).max(1.0);
        outcome.evidence.extend([
            Certificate::measure("leader_adder_per_kwh", mean, format!("mean of {}", each.join(", "))),
            Certificate::measure("leader_cost", cost, "losses and carbon less what the adders bring"),
            Certificate::measure("leader_revenue", trial.revenue, "what the adders bring"),
            Certificate::check(
                "leader_gap",
                gap,
                GAP * scale,
                format!("the best of {SAMPLES} others costs {elsewhere:.6}"),
            ),
        ]);
        outcome.strategies = vec![searched];
        Ok(outcome)
    }
}
