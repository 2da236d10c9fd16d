//! The stepped price where allowances can be passed on: whoever sits in a high tier buys from whoever sits in a low one.
//!
//! With identical ladders the common price `rho` of an allowance is the marginal price of all balances pooled. At that price
//! a member with balance `x` pays `rho x - F*(rho)`, however much it trades: it sees one price for every kg, and the ladder
//! only decides which. The same price holds without trade, which gains are measured against; there allowances that no member
//! has are bought from the authority, and those that none wants sold to it, at that price.
//!
//! Where `rho` lies between two tiers all balances together meet the edge; if emissions jump across it at `rho`, every answer
//! lies between both sides of the jump. Where a whole tier costs `rho`, and emissions jump at that price, the least emissions
//! within the tier are taken. The certificate `allowance_market` says how many kilograms are asked for and not there.
//!
//! `credits: Bundled` is another definition: see `bundled`.

mod bundled;

use self::bundled::Covered;
use super::Stepped;
use crate::outcome::{Certificate, Ledger, Party, Reason};
use crate::physical::Physical;
use crate::policy::accounts::{self, Quota};
use crate::policy::{
    Announced, Coverage, Modified, Modifiers, PolicyError, Responsibility, Rule, Scarcity, ScarcityRule, Shares,
    SharesRule, Signal, feeder_account, priced_by_accounts,
};
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::{Account, Charge, GrowthRule, Reward};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Share of the allowances wanted at a price that is missing by rounding.
const ROUNDING: f64 = 1e-9;

/// How allowances change hands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Credits {
    /// In a market of their own.
    #[default]
    Separate,
    /// Only with energy: what is bought from peers stands in the buyer's account at the grid's intensity, and allowances that
    /// the seller holds travel with what it sells and cover it, each once; everybody's own ladder prices what is left.
    Bundled,
}

/// A ladder on every member's balance, and allowances that can be passed on: at their price `rho` a member with balance `x` pays
/// `rho x - F*(rho)`, with `F` as of `stepped`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AllowanceTrading {
    /// Price of a tonne in the first tier.
    #[schemars(range(min = 0.0))]
    pub base_price_per_tonne: f64,
    /// Width of a tier, kg over the horizon.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub interval_kg: f64,
    /// What every tier adds, as a share of the base price, or of the price of the tier before.
    #[schemars(range(min = 0.0))]
    pub growth: f64,
    /// Number of tiers; the last has no end.
    #[schemars(range(min = 1, max = 1000))]
    pub tiers: usize,
    /// What a surplus of allowances earns.
    pub reward: Reward,
    /// Free allowances.
    pub quota: Quota,
    /// How allowances change hands.
    pub credits: Credits,
    /// Allowances that a kWh of a member's own renewable generation earns, kg.
    #[schemars(range(min = 0.0))]
    pub renewable_kg_per_kwh: f64,
    /// Of which price a tier adds that share.
    pub growth_rule: GrowthRule,
}

impl Default for AllowanceTrading {
    fn default() -> Self {
        let Stepped { base_price_per_tonne, interval_kg, growth, tiers, reward, quota, growth_rule } =
            Stepped::default();
        let (credits, renewable_kg_per_kwh) = (Credits::Separate, 0.0);
        Self {
            base_price_per_tonne,
            interval_kg,
            growth,
            tiers,
            reward,
            quota,
            credits,
            renewable_kg_per_kwh,
            growth_rule,
        }
    }
}

impl AllowanceTrading {
    fn ladder(&self) -> Stepped {
        let &Self { base_price_per_tonne, interval_kg, growth, tiers, reward, quota, growth_rule, .. } = self;
        Stepped { base_price_per_tonne, interval_kg, growth, tiers, reward, quota, growth_rule }
    }

    /// Everybody's own ladder before allowances change hands.
    fn own_accounts(&self, setting: &Setting, modifiers: &Modifiers) -> Vec<Account> {
        let accounts = self.ladder().accounts(setting, modifiers, &Signal::None).into_iter();
        accounts.map(|a| Account { renewable_quota_kg_per_kwh: self.renewable_kg_per_kwh, ..a }).collect()
    }

    /// The price of an allowance within the slopes of the ladder: nobody sells for less than the reward or buys for more
    /// than the last tier.
    fn price(charge: &Charge, signal: &Signal) -> f64 {
        let (first, last) = ends(charge);
        signal.scalar().map_or(first, |p| p.clamp(first, last))
    }

    /// Everybody with an account, and its balance before allowances are traded, kg.
    fn balances(&self, setting: &Setting, modifiers: &Modifiers, physical: &Physical) -> Vec<(Party, f64)> {
        let accounts = self.own_accounts(setting, modifiers);
        let members = accounts.iter().zip(&physical.plans).enumerate();
        let mut balances: Vec<(Party, f64)> =
            members.map(|(i, (a, plan))| (Party::Member(i), accounts::balance_kg(setting, a, plan))).collect();
        if let Some(account) = self.operator_account(setting, modifiers) {
            balances.push((Party::Dso, accounts::feeder_balance_kg(setting, modifiers, &account, physical)));
        }
        balances
    }

    /// The network operator's account, where it has one.
    fn operator_account(&self, setting: &Setting, modifiers: &Modifiers) -> Option<Account> {
        let ladder = || self.ladder().accounts(setting, modifiers, &Signal::None);
        (modifiers.coverage == Coverage::Feeder).then(|| feeder_account(ladder()))?
    }
}

impl Rule for AllowanceTrading {
    fn check(&self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError> {
        self.ladder().check(setting, modifiers)?;
        accounts::at_least("renewable_kg_per_kwh", self.renewable_kg_per_kwh, 0.0, "at least 0")?;
        match self.credits {
            Credits::Separate if !self.ladder().charge().is_convex() => {
                Err(PolicyError::Combination { what: "an allowance price under an escalating reward" })
            }
            Credits::Separate if !modifiers.visible => {
                Err(PolicyError::Combination { what: "an allowance price that nobody sees (`visible: false`)" })
            }
            _ => Ok(()),
        }
    }

    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        vec![("base_price_per_tonne".into(), &mut self.base_price_per_tonne)]
    }

    /// The price of an allowance, or how much of what is sold and bought is covered.
    fn announced(&self) -> Announced<'_> {
        match self.credits {
            Credits::Separate => Announced::Scarcity(self),
            Credits::Bundled => Announced::Shares(self),
        }
    }

    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, signal: &Signal) -> Vec<Account> {
        let mut accounts = self.own_accounts(setting, modifiers);
        let covered = Covered::of_signal(signal);
        let intensity = |t: usize| setting.intensity(t);
        for (i, account) in accounts.iter_mut().enumerate() {
            match self.credits {
                Credits::Separate => {
                    let price = Self::price(&account.charge, signal);
                    // `rho x - F*(rho)` is one price on a balance with a larger quota.
                    let gain_kg = if price > 0.0 { account.charge.conjugate(price) / price } else { 0.0 };
                    account.quota_kg += gain_kg;
                    account.charge = Charge::linear(price);
                }
                Credits::Bundled => {
                    let periods = 0..setting.periods.count;
                    account.sold_kg_per_kwh = periods.clone().map(|t| intensity(t) * covered.of_sales(i)).collect();
                    account.bought_kg_per_kwh =
                        periods.map(|t| intensity(t) * (1.0 - covered.of_purchases(t))).collect();
                }
            }
        }
        accounts
    }

    /// Of a separate market its balance; bundled, that every allowance is used once.
    fn evidence(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
    ) -> Vec<Certificate> {
        match (self.credits, signal) {
            (Credits::Separate, Signal::Scalar(price)) => {
                self.scarcity(setting, modifiers, physical).evidence(setting, physical, *price)
            }
            (Credits::Separate, _) => vec![],
            (Credits::Bundled, _) => {
                let accounts = self.own_accounts(setting, modifiers);
                vec![Covered::of_signal(signal).retirement(&accounts, setting, physical)]
            }
        }
    }

    fn responsibility(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
    ) -> Responsibility {
        let answers = self.ladder().responsibility(setting, modifiers, physical, &Signal::None);
        let answers = match self.credits {
            Credits::Separate => answers,
            Credits::Bundled => bundled::with_purchases(answers, setting, physical),
        };
        priced_by_accounts(setting, modifiers, physical, self.accounts(setting, modifiers, signal), answers)
    }

    fn settle(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
        ledger: &mut Ledger,
    ) {
        let charge = self.ladder().charge();
        if self.credits == Credits::Bundled {
            for (i, (account, plan)) in
                self.accounts(setting, modifiers, signal).iter().zip(&physical.plans).enumerate()
            {
                let owed = account.charge.value(accounts::balance_kg(setting, account, plan));
                ledger.pay(Party::Member(i), Party::Authority, owed, Reason::Carbon);
            }
            for (party, balance_kg) in self.balances(setting, modifiers, physical).iter().skip(setting.members.len()) {
                ledger.pay(*party, Party::Authority, charge.value(*balance_kg), Reason::Carbon);
            }
            return;
        }
        let balances = self.balances(setting, modifiers, physical);
        let before_kg: Vec<f64> = balances.iter().map(|b| b.1).collect();
        let price = Self::price(&charge, signal);
        let after_kg = traded(&charge, price, &before_kg);
        let bought_kg: Vec<f64> = before_kg.iter().zip(&after_kg).map(|(x, z)| x - z).collect();
        let sum = |sign: f64| bought_kg.iter().map(|a| (sign * a).max(0.0)).sum::<f64>();
        let (asked_kg, offered_kg) = (sum(1.0), sum(-1.0));
        for ((party, _), kept_kg) in balances.iter().zip(&after_kg) {
            ledger.pay(*party, Party::Authority, charge.value(*kept_kg), Reason::Carbon);
        }
        let volume_kg = asked_kg.max(offered_kg);
        for (b, buys_kg) in bought_kg.iter().enumerate().filter(|(_, a)| **a > 0.0) {
            for (s, sells_kg) in bought_kg.iter().enumerate().filter(|(_, a)| **a < 0.0) {
                let kg = buys_kg * -sells_kg / volume_kg;
                ledger.pay(balances[b].0, balances[s].0, price * kg, Reason::Carbon);
            }
        }
        // Away from the balance of the market (without trade, at the prices of trade) the rest changes hands at its price too.
        for ((party, _), bought) in balances.iter().zip(&bought_kg) {
            let (own_side, other_side) = if *bought > 0.0 { (asked_kg, offered_kg) } else { (offered_kg, asked_kg) };
            let unmatched = if own_side > 0.0 { 1.0 - other_side / own_side } else { 0.0 };
            if unmatched > ROUNDING {
                ledger.pay(*party, Party::Authority, price * bought * unmatched, Reason::Carbon);
            }
        }
    }
}

impl ScarcityRule for AllowanceTrading {
    /// The least price that the ladder knows.
    fn start_price_per_kg(&self) -> f64 {
        ends(&self.ladder().charge()).0
    }

    /// Balances before allowances are traded, and the pooled ladder.
    fn scarcity(&self, setting: &Setting, modifiers: &Modifiers, physical: &Physical) -> Scarcity {
        let ladder = self.ladder();
        let accounts = self.own_accounts(setting, modifiers);
        let operator = self.operator_account(setting, modifiers);
        let operator_kg =
            operator.as_ref().map_or(0.0, |a| accounts::feeder_balance_kg(setting, modifiers, a, physical));
        let payers = accounts.len() + usize::from(operator.is_some());
        Scarcity { accounts, operator_kg, charge: ladder.charge().pooled(payers.max(1)) }
    }
}

impl SharesRule for AllowanceTrading {
    fn start(&self, setting: &Setting, modifiers: &Modifiers) -> Shares {
        Covered::start(&self.own_accounts(setting, modifiers), setting).shares()
    }

    /// The coverage that the trades of an outcome call for.
    fn target(&self, setting: &Setting, modifiers: &Modifiers, physical: &Physical) -> Shares {
        Covered::of(&self.own_accounts(setting, modifiers), setting, physical).shares()
    }
}

/// Balances after allowances were traded at a price: everybody moves only as far as the price asks. Where its demand leaves
/// room, what is then missing is shared in proportion to who can give, so that the sum stays; where it does not, not all find
/// a partner. Everybody pays `price x - F*(price)` on a balance `x`, wherever in its demand it ends.
fn traded(charge: &Charge, price: f64, before_kg: &[f64]) -> Vec<f64> {
    let (least, most) = charge.demand(price);
    let mut after: Vec<f64> = before_kg.iter().map(|x| x.clamp(least, most)).collect();
    let missing = before_kg.iter().sum::<f64>() - after.iter().sum::<f64>();
    // Something is missing only where somebody was stopped at this end.
    let end = if missing > 0.0 { most } else { least };
    let room: Vec<f64> = after.iter().map(|z| end - z).collect();
    let total: f64 = room.iter().sum();
    if missing != 0.0 && total != 0.0 {
        for (z, room) in after.iter_mut().zip(&room) {
            *z += room * (missing / total).clamp(0.0, 1.0);
        }
    }
    after
}

/// First and last slope of a charge.
fn ends(charge: &Charge) -> (f64, f64) {
    let first = charge.slopes.first().copied().unwrap_or(0.0);
    (first, charge.slopes.last().copied().unwrap_or(first))
}

register_policy!(Modified<AllowanceTrading>, "allowance-trading", "a stepped price, and allowances that can be passed on",
    claims: ["at the same emissions, trading allowances (in a market of their own) makes nobody pay more"],
    source: "Montgomery (1972); ladder as in Chu et al. (2023)");

#[cfg(test)]
mod tests {
    use super::super::tests::support::*;
    use super::*;
    use crate::policy::CarbonPolicy;
    use proptest::prelude::*;

    /// Members that emitted so much, in an island.
    fn emitted(kg: &[f64], quotas_kg: &[f64]) -> (Setting, Physical) {
        let setting = setting(1, None, quotas_kg);
        let plans = kg.iter().map(|kg| plan(0.0, 0.0, 0.0, *kg, *kg)).collect();
        let physical = physical(&setting, plans, &[]);
        (setting, physical)
    }

    /// By how much allowances are short of what a price calls for, kg.
    fn excess(trading: &dyn CarbonPolicy, setting: &Setting, physical: &Physical, price: f64) -> f64 {
        let scarcity = trading.scarcity(setting, physical).unwrap();
        scarcity.excess_kg(price, scarcity.balance_kg(setting, physical))
    }

    /// Balances of 5 t and -1 t in the published ladder: 1400 apart, 1120 after 3 t changed hands.
    #[test]
    fn trading_allowances_gains_280() {
        let (setting, physical) = emitted(&[5000.0, 0.0], &[0.0, 1000.0]);
        let trading = policy("AllowanceTrading()");
        // Two tonnes each: at the kink between 280 and 350 every price clears.
        for price in [0.28, 0.3, 0.35] {
            assert_eq!(excess(&*trading, &setting, &physical, price), 0.0);
            let ledger = bills(&*trading, &setting, &physical, &Signal::Scalar(price));
            close(ledger.balance(Party::Authority), 1120.0, 1e-9);
            close(paid(&ledger, 0), 560.0 + 3000.0 * price, 1e-9);
            close(paid(&ledger, 1), 560.0 - 3000.0 * price, 1e-9);
        }
        close(excess(&*trading, &setting, &physical, 0.4), -4000.0, 1e-9);
        let alone = bills(&*policy("Stepped()"), &setting, &physical, &Signal::None);
        close(alone.balance(Party::Authority), 1400.0, 1e-9);
    }

    /// At any price of the ladder, in balance or not: nobody's bill depends on what others happen to want.
    #[test]
    fn what_dispatch_sees_is_what_is_paid() {
        let (setting, physical) = emitted(&[9000.0, 2500.0, 300.0], &[500.0, 0.0, 900.0]);
        let trading = policy("AllowanceTrading()");
        // 10.4 t in three accounts lie in the second tier of the pooled ladder.
        let second = AllowanceTrading::default().ladder().charge().slopes[1];
        assert_eq!(excess(&*trading, &setting, &physical, second), 0.0);
        for price in [0.28, 0.31, second, 0.4, 0.56] {
            let terms = trading.terms(&setting, &Signal::Scalar(price));
            let ledger = bills(&*trading, &setting, &physical, &Signal::Scalar(price));
            for (i, plan) in physical.plans.iter().enumerate() {
                let account = terms[i].account.as_ref().unwrap();
                let seen = account.charge.value(accounts::balance_kg(&setting, account, plan));
                close(paid(&ledger, i), seen, 1e-9);
            }
        }
    }

    /// A turbine that pays and one that does not: the member in the high tier buys from the one in the low tier.
    #[test]
    fn both_members_see_one_price() {
        let trading = policy("AllowanceTrading(base_price_per_tonne: 280)");
        let source = |cost_per_kwh, emission_kg_per_kwh| Source { cost_per_kwh, emission_kg_per_kwh, max_kwh: 2e4 };
        let member = |load: f64| Tiny { sources: vec![source(0.42, 0.6), source(0.60, 0.0)], load_kwh: vec![load] };
        let setting = setting(1, None, &[0.0, 0.0]);
        let market = market(&setting, &[member(2e4), member(1e3)], &*trading);
        let excess = |price: f64| {
            let market = market.under(&trading.terms(&setting, &Signal::Scalar(price)));
            let (plans, physical) = autarky(&market);
            (excess(&*trading, &setting, &physical, price), plans)
        };
        // The turbine is worth its carbon up to 0.18 / 0.6 = 0.30: dear allowances stop it, cheap ones do not.
        assert!(excess(0.299).0 > 0.0);
        let (over, plans) = excess(0.301);
        assert!(over < 0.0 && plans.iter().all(|p| p.emission_kg[0] < 1e-6));
    }

    #[test]
    fn prices_that_cannot_clear_are_refused() {
        let (setting, _) = emitted(&[0.0], &[0.0]);
        for text in ["AllowanceTrading(reward: Escalating(0.25))", "AllowanceTrading(visible: false)"] {
            assert!(matches!(policy(text).check(&setting), Err(PolicyError::Combination { .. })));
        }
        policy("AllowanceTrading(reward: Escalating(0.25), credits: Bundled)").check(&setting).unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn everybody_pays_the_price_of_its_balance_and_nothing_is_lost(
            balances in prop::collection::vec(-8000.0..12000.0f64, 1..6),
            share in 0.0..=1.0f64,
        ) {
            let charge = AllowanceTrading::default().ladder().charge();
            let (first, last) = ends(&charge);
            let price = first + share * (last - first);
            let after = traded(&charge, price, &balances);
            for (before, after) in balances.iter().zip(&after) {
                let paid = charge.value(*after) + price * (before - after);
                prop_assert!((paid - price * before + charge.conjugate(price)).abs() < 1e-6);
            }
            // At a price in balance all allowances find a partner, and together nobody could do better.
            let sum: f64 = balances.iter().sum();
            let pool = charge.pooled(balances.len());
            let after = traded(&charge, pool.slopes_at(sum).0, &balances);
            prop_assert!((sum - after.iter().sum::<f64>()).abs() < 1e-6);
            let cost: f64 = after.iter().map(|z| charge.value(*z)).sum();
            prop_assert!((cost - pool.value(sum)).abs() < 1e-6, "{cost} {}", pool.value(sum));
        }

        #[test]
        fn in_balance_nobody_pays_more_than_alone(
            kg in prop::collection::vec(0.0..12000.0f64, 1..6),
        ) {
            let quotas: Vec<f64> = kg.iter().map(|x| (x * 7.0) % 5000.0).collect();
            let (setting, physical) = emitted(&kg, &quotas);
            let trading = Modified::from(AllowanceTrading::default());
            let scarcity = trading.scarcity(&setting, &physical).unwrap();
            let price = scarcity.charge.slopes_at(scarcity.balance_kg(&setting, &physical)).0;
            let ledger = bills(&trading, &setting, &physical, &Signal::Scalar(price));
            let alone = bills(&Modified::from(Stepped::default()), &setting, &physical, &Signal::None);
            for i in 0..kg.len() {
                prop_assert!(paid(&ledger, i) <= paid(&alone, i) + 1e-6);
            }
        }
    }
}
