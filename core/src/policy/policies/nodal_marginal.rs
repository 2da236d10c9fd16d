//! A price on what a node's withdrawal adds to emissions, not on its share of them: `tau LME_n` on `x`, and `tau` on direct
//! emissions.
//!
//! Where injections are given and only the root balances, a kWh more at node `n` costs `dP_0/dd_n` kWh from upstream, so
//! `LME_n = e_0 dP_0/dd_n`; while the feeder exports, nothing upstream is emitted for it and `LME_n = 0`. Where the exchange
//! with upstream rests the kWh more is emitted and the kWh less saves nothing: `LME_n = theta e_0 dP_0/dd_n` with a share
//! `theta` between 0 and 1 that the engine finds. Marginal charges collect another amount than the tonnes cost; what is left
//! over is returned to the members, to each from what the others paid.

use crate::opf::Price;
use crate::outcome::{Ledger, Party, Reason};
use crate::physical::Physical;
use crate::policy::accounts::{self, withdrawal_kwh};
use crate::policy::node_prices::{self, NodePrices, buy};
use crate::policy::{
    Announced, MarginalPrice, Modified, Modifiers, NodalRule, NodalSignal, PolicyError, Responsibility, Rule, Signal,
    nodal, recycling,
};
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::{Account, Terms};
use crate::units::per_kg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A price on marginal emissions: `tau LME_n` on the net withdrawal and `tau` on direct emissions, where `LME_n = e_0 dP_0/dd_n`
/// is what one more kWh at node `n` adds upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NodalMarginal {
    /// Price of a tonne.
    #[schemars(range(min = 0.0))]
    pub price_per_tonne: f64,
}

impl Default for NodalMarginal {
    fn default() -> Self {
        Self { price_per_tonne: 280.0 }
    }
}

impl Rule for NodalMarginal {
    fn check(&self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError> {
        nodal::check(setting)?;
        accounts::at_least("price_per_tonne", self.price_per_tonne, 0.0, "at least 0")?;
        if !modifiers.visible {
            return Err(PolicyError::Combination { what: "a marginal price that nobody sees (`visible: false`)" });
        }
        if self.price_per_tonne > 0.0 { accounts::charged_once(setting) } else { Ok(()) }
    }

    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        vec![("price_per_tonne".into(), &mut self.price_per_tonne)]
    }

    fn accounts(&self, _: &Setting, _: &Modifiers, _: &Signal) -> Vec<Account> {
        vec![]
    }

    fn announced(&self) -> Announced<'_> {
        Announced::Nodal(self)
    }

    fn settle(&self, setting: &Setting, _: &Modifiers, physical: &Physical, signal: &Signal, ledger: &mut Ledger) {
        let price = per_kg(self.price_per_tonne);
        let mut collected = vec![];
        for (i, plan) in physical.plans.iter().enumerate() {
            let at_node = nodal::of_member(setting, &signal.nodal().price_per_kwh, i);
            let paid: f64 = (0..setting.periods.count).map(|t| at_node[t] * withdrawal_kwh(setting, plan, t)).sum();
            ledger.pay(Party::Member(i), Party::Dso, paid, Reason::Carbon);
            ledger.pay(
                Party::Member(i),
                Party::Authority,
                price * plan.emission_kg.iter().sum::<f64>(),
                Reason::Carbon,
            );
            collected.push(paid);
        }
        let upstream_kg: f64 =
            (0..setting.periods.count).map(|t| setting.intensity(t) * physical.upstream_import_kwh[t].max(0.0)).sum();
        ledger.pay(Party::Dso, Party::Authority, price * upstream_kg, Reason::Carbon);
        let surplus = collected.iter().sum::<f64>() - price * upstream_kg;
        for (i, share) in recycling::among_the_others(&collected, surplus).into_iter().enumerate() {
            ledger.pay(Party::Dso, Party::Member(i), share, Reason::CarbonRefund);
        }
    }

    /// Everybody sees one price.
    fn responsibility(&self, setting: &Setting, _: &Modifiers, physical: &Physical, _: &Signal) -> Responsibility {
        let answers = if self.price_per_tonne == 0.0 {
            accounts::nobody(setting, physical)
        } else {
            accounts::at_source(setting, physical)
        };
        let charged_kg = answers.total_charged_kg();
        let price = MarginalPrice { charged_kg, price_per_kg: per_kg(self.price_per_tonne) };
        Responsibility { marginal_prices: vec![price], ..answers }
    }
}

impl NodalRule for NodalMarginal {
    /// Charge per kWh of net withdrawal, of every member and period, at first that of the root; and the shares of the jump at
    /// the root.
    fn start(&self, setting: &Setting, _: &Modifiers) -> NodalSignal {
        let price_per_kwh = nodal::series(setting, |_, t| per_kg(self.price_per_tonne) * setting.intensity(t));
        NodalSignal { price_per_kwh, root_share: vec![1.0; setting.periods.count], ..NodalSignal::default() }
    }

    fn target(&self, setting: &Setting, _: &Modifiers, physical: &Physical, signal: &NodalSignal) -> NodalSignal {
        let upstream = nodal::upstream_per_kwh(setting, physical);
        let periods = setting.periods.count;
        let price = per_kg(self.price_per_tonne);
        let root_share = nodal::root_shares(physical, signal);
        let price_per_kwh =
            nodal::series(setting, |i, t| price * root_share[t] * setting.intensity(t) * upstream[i * periods + t]);
        NodalSignal { price_per_kwh, root_share, ..NodalSignal::default() }
    }

    fn adders(&self, setting: &Setting, signal: &NodalSignal) -> Vec<Terms> {
        let member = |i| {
            // One price on imports, exports and purchases from peers is a price on the net withdrawal.
            let price = nodal::of_member(setting, &signal.price_per_kwh, i).to_vec();
            Terms {
                import_adder: price.clone(),
                export_adder: price.clone(),
                trade_adder: setting.by_slot(&price),
                direct_price_per_kg: per_kg(self.price_per_tonne),
                ..Terms::default()
            }
        };
        (0..setting.members.len()).map(member).collect()
    }

    fn root_jump_per_kwh(&self, setting: &Setting, _: &Physical) -> Option<Vec<f64>> {
        Some((0..setting.periods.count).map(|t| per_kg(self.price_per_tonne) * setting.intensity(t)).collect())
    }

    /// The retail price of energy, and the charge on marginal emissions.
    fn node_prices(
        &self,
        setting: &Setting,
        _: &Modifiers,
        physical: &Physical,
        signal: &NodalSignal,
    ) -> Option<NodePrices> {
        let shares = nodal::root_shares(physical, signal);
        node_prices::at_all_nodes(setting, physical, |at| {
            let emits = shares[at.period] * setting.intensity(at.period);
            let carbon = per_kg(self.price_per_tonne) * emits * at.upstream;
            Some(Price { energy: buy(setting, at.period), carbon, ..Price::default() })
        })
    }
}

register_policy!(Modified<NodalMarginal>, "nodal-marginal", "a price on what a node's withdrawal adds to emissions",
    claims: ["at the margin, everybody sees the damage it does"], source: "Ruiz and Rudkevich (2010)");
