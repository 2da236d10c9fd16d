//! Electricity and carbon in one nodal price.
//!
//! Everybody buys and sells at the marginal cost of supplying its node from upstream; trades between peers settle at the
//! price of the root, so that two nodes with different prices are no source of money. With all injections given and no limit
//! binding, that marginal cost is the power flow's: `(c_0 + tau e_0) dP_0/dd_n`. What limits add where they bind is the
//! engine's to find; members pay it to the network operator.
//!
//! The definitions are clean readings of an abstract whose formulas are not available (Wang et al. 2026):
//!
//! * [`Form::TaxInternalised`]: emissions are taxed where they are burnt, and upstream carbon is part of the root's price.
//! * [`Form::Adder`]: the price of energy, and `tau w_n` on top of it.
//! * [`Form::FlowInLoop`]: carbon is charged where it is consumed, along the flows, and prices know how flows move it. With
//!   one price for everybody this is [`Form::TaxInternalised`] (charges along all flows add up to the tax at the sources);
//!   with a ladder each member has its own.
//!
//! At the root carbon that comes in costs what it weighs and carbon that leaves what [`RootExport`] says: the price jumps
//! where the exchange with upstream turns, and while it rests the price is anything between, `c_0 + tau (theta e_0 + (1 -
//! theta) r_0)` with a share `theta` that the engine finds. Where flows turn under a ladder along them prices pass from those
//! of one direction to those of the other within a hundredth of what members exchange. What is answered for is exact on
//! either side.

mod flow_in_loop;

use super::Stepped;
use crate::opf::Price;
use crate::outcome::{Certificate, Ledger, Party, Reason};
use crate::physical::Physical;
use crate::policy::POLICY_CLAIM;
use crate::policy::accounts::{self, withdrawal_kwh};
use crate::policy::nested;
use crate::policy::nodal::{self, Turn};
use crate::policy::node_prices::{self, NodePrices, buy};
use crate::policy::{
    Announced, MarginalPrice, Modified, Modifiers, NodalRule, NodalSignal, PolicyError, Responsibility, Rule, Signal,
    feeder_account,
};
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::{Account, Terms};
use crate::units::per_kg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How carbon enters the price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Form {
    /// As a tax at the sources.
    #[default]
    TaxInternalised,
    /// As an adder of the average intensity of the node.
    Adder,
    /// Where it is consumed, along the flows.
    FlowInLoop,
}

/// What carbon costs that the feeder exports to the upstream grid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RootExport {
    /// What a load at the root would pay.
    #[default]
    LikeLoad,
    /// It is credited with the intensity of the energy it displaces upstream.
    Credited,
    /// Nothing: what leaves is not charged.
    Unpriced,
}

/// One nodal price for electricity and carbon: with the tax internalised, `(c_0 + tau e_0) dP_0/dd_n` at node `n`, what one more
/// kWh there costs upstream, carbon included. Trades between peers settle at the price of the root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Integrated {
    /// Price of a tonne in the nodal price.
    #[schemars(range(min = 0.0))]
    pub price_per_tonne: f64,
    /// How carbon enters the price.
    pub form: Form,
    /// Margin of the retailer: what imports cost more and exports earn less than the nodal price, per kWh.
    #[schemars(range(min = 0.0))]
    pub retail_margin_per_kwh: f64,
    /// What exported carbon costs.
    pub root_export: RootExport,
    /// A ladder for members. With [`Form::FlowInLoop`] on the carbon that flows attribute to them, everybody else paying
    /// `price_per_tonne`; else on imports and direct emissions, and then `price_per_tonne` must be 0: nothing is charged
    /// twice.
    pub ladder: Option<Stepped>,
}

impl Default for Integrated {
    fn default() -> Self {
        Self {
            price_per_tonne: 280.0,
            form: Form::TaxInternalised,
            retail_margin_per_kwh: 0.0,
            root_export: RootExport::LikeLoad,
            ladder: None,
        }
    }
}

/// What a member pays for energy at its node beyond the retail tariff.
#[derive(Clone, Copy, Debug, Default)]
struct NodalMoney {
    /// To the retailer: energy at the price of the root instead of the tariff, contracts between peers included.
    retail: f64,
    /// To the network operator: what the node's energy costs beyond the root's.
    network: f64,
    /// To the network operator: the carbon part of the node's price.
    carbon: f64,
}

impl Integrated {
    fn price(&self) -> f64 {
        per_kg(self.price_per_tonne)
    }

    /// The ladder on carbon along the flows.
    fn ladder_on_flows(&self) -> Option<&Stepped> {
        self.ladder.as_ref().filter(|_| self.form == Form::FlowInLoop)
    }

    /// The ladder on imports and direct emissions.
    fn ladder_on_imports(&self) -> Option<&Stepped> {
        self.ladder.as_ref().filter(|_| self.form != Form::FlowInLoop)
    }

    /// Carbon that a kWh is charged with that stays instead of being fed back upstream, kg, as long as `tau` is the price of
    /// all.
    fn returned_kg_per_kwh(&self, setting: &Setting, physical: &Physical, period: usize) -> f64 {
        match self.root_export {
            // Sources pay for all they emit, wherever it goes: a kWh that stays adds nothing.
            RootExport::LikeLoad => 0.0,
            RootExport::Credited => setting.intensity(period),
            RootExport::Unpriced => nodal::returned_intensity(setting, physical, period),
        }
    }

    /// Whether prices at nodes are that of the root carried there, which jumps where the exchange with upstream turns.
    fn jumps_at_root(&self) -> bool {
        self.form != Form::Adder && self.ladder_on_flows().is_none()
    }

    /// Rise of the carbon of a kWh at the root when import begins, kg.
    fn rise_kg_per_kwh(&self, setting: &Setting, physical: &Physical, period: usize) -> f64 {
        setting.intensity(period) - self.returned_kg_per_kwh(setting, physical, period)
    }

    /// Shares of import in the price at the root. Where that rises when import begins, those that the signal ends with; where
    /// it falls (what is fed back is dirtier), that of the direction. Prices that are not the root's pass from one direction
    /// to the other ([`Turn`]).
    fn root_shares(&self, setting: &Setting, physical: &Physical, signal: &NodalSignal) -> Vec<f64> {
        let periods = setting.periods.count;
        if !self.jumps_at_root() {
            let share =
                |t| Turn::of(setting, physical, t).share(physical.upstream_import_kwh[t] / setting.periods.hours);
            return (0..periods).map(share).collect();
        }
        let mut shares = nodal::root_shares(physical, signal);
        for (t, share) in shares.iter_mut().enumerate() {
            if self.rise_kg_per_kwh(setting, physical, t) < 0.0 {
                *share = if physical.upstream_import_kwh[t] < 0.0 { 0.0 } else { 1.0 };
            }
        }
        shares
    }

    /// Carbon that a kWh more at the root is charged with, kg, per period: what comes in, what is fed back no longer, between
    /// the two where the exchange with upstream rests.
    fn root_kg_per_kwh(&self, setting: &Setting, physical: &Physical, signal: &NodalSignal) -> Vec<f64> {
        let mixed = |(t, share): (usize, f64)| {
            let returned = self.returned_kg_per_kwh(setting, physical, t);
            share * setting.intensity(t) + (1.0 - share) * returned
        };
        self.root_shares(setting, physical, signal).into_iter().enumerate().map(mixed).collect()
    }

    /// Carbon that the network operator answers for at the root, kg: all that comes in, and what is forgiven on what leaves.
    /// What members' prices bring in beyond it while the exchange
    /// rests is its own.
    fn root_kg(&self, setting: &Setting, physical: &Physical) -> f64 {
        (0..setting.periods.count)
            .map(|t| {
                let kwh = physical.upstream_import_kwh[t];
                let kg_per_kwh =
                    if kwh >= 0.0 { setting.intensity(t) } else { self.returned_kg_per_kwh(setting, physical, t) };
                kg_per_kwh * kwh
            })
            .sum()
    }

    /// Who is charged for which kilograms.
    fn answers(&self, setting: &Setting, physical: &Physical) -> Responsibility {
        if self.price_per_tonne == 0.0 && self.ladder.is_none() {
            return accounts::nobody(setting, physical);
        }
        let mut answers = accounts::at_source(setting, physical);
        if self.ladder_on_flows().is_some() {
            answers.charged_kg = nodal::attributed_kg(setting, physical);
        }
        let exported = |kg_per_kwh: &dyn Fn(usize) -> f64| -> f64 {
            (0..setting.periods.count).map(|t| kg_per_kwh(t) * nodal::root_export_kwh(physical, t)).sum()
        };
        match self.root_export {
            RootExport::LikeLoad => {}
            RootExport::Credited => answers.phantom_kg = -exported(&|t| setting.intensity(t)),
            RootExport::Unpriced => {
                answers.uncovered_kg = exported(&|t| nodal::root_intensity(setting, physical, t));
                answers.covered_kg -= answers.uncovered_kg;
            }
        }
        answers
    }

    /// What a member pays beyond the tariff for energy at its node; in sum what its adders come to.
    fn nodal_money(&self, setting: &Setting, prices: &NodalSignal, physical: &Physical, member: usize) -> NodalMoney {
        let plan = &physical.plans[member];
        let (node, carbon) = (
            nodal::of_member(setting, &prices.price_per_kwh, member),
            nodal::of_member(setting, &prices.carbon_per_kwh, member),
        );
        let mut paid = NodalMoney::default();
        for t in 0..setting.periods.count {
            let x = withdrawal_kwh(setting, plan, t);
            let sale = setting.energy_slot(t).map_or(0.0, |k| plan.trade[k]);
            let (buy, sell) = (buy(setting, t), setting.tariff.as_ref().map_or(0.0, |tariff| tariff.sell_per_kwh[t]));
            paid.retail += self.retail_margin_per_kwh * (plan.import_kwh[t] + plan.export_kwh[t])
                - (buy - sell) * plan.export_kwh[t]
                + (prices.root_price_per_kwh[t] - buy) * sale;
            paid.network += (node[t] - carbon[t] - buy) * x;
            paid.carbon += carbon[t] * x;
        }
        paid
    }

    /// The terms without carbon accounts.
    fn beyond_tariff(&self, setting: &Setting, prices: &NodalSignal, member: usize) -> Terms {
        let node = nodal::of_member(setting, &prices.price_per_kwh, member);
        let beyond = |reference: &[f64], margin: f64| -> Vec<f64> {
            node.iter().zip(reference).map(|(price, known)| price + margin - known).collect()
        };
        let (buy, sell) = setting
            .tariff
            .as_ref()
            .map_or((&[][..], &[][..]), |tariff| (&tariff.buy_per_kwh[..], &tariff.sell_per_kwh[..]));
        Terms {
            import_adder: beyond(buy, self.retail_margin_per_kwh),
            export_adder: beyond(sell, -self.retail_margin_per_kwh),
            trade_adder: setting.by_slot(&beyond(&prices.root_price_per_kwh, 0.0)),
            ..Terms::default()
        }
    }
}

impl Rule for Integrated {
    fn check(&self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError> {
        nodal::check(setting)?;
        accounts::at_least("price_per_tonne", self.price_per_tonne, 0.0, "at least 0")?;
        accounts::at_least("retail_margin_per_kwh", self.retail_margin_per_kwh, 0.0, "at least 0")?;
        if !modifiers.visible {
            return Err(PolicyError::Combination { what: "a nodal price that nobody sees (`visible: false`)" });
        }
        let mut priced = self.price_per_tonne > 0.0;
        if let Some(ladder) = &self.ladder {
            ladder.check_parameters()?;
            ladder.quota.check(setting, modifiers)?;
            if self.form != Form::FlowInLoop && priced {
                let what = "a ladder on imports that the nodal price charges already (set `price_per_tonne: 0`)";
                return Err(PolicyError::Combination { what });
            }
            priced |= ladder.base_price_per_tonne > 0.0;
        }
        if priced { accounts::charged_once(setting) } else { Ok(()) }
    }

    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        // With a ladder that is what the policy is quoted by.
        let ladder = self.ladder.iter_mut().flat_map(|ladder| nested("ladder", ladder.carbon_prices()));
        ladder.chain([("price_per_tonne".into(), &mut self.price_per_tonne)]).collect()
    }

    fn announced(&self) -> Announced<'_> {
        Announced::Nodal(self)
    }

    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, signal: &Signal) -> Vec<Account> {
        match self.ladder_on_imports() {
            Some(ladder) => ladder.accounts(setting, modifiers, signal),
            None => self.flow_accounts(setting, modifiers, &signal.nodal().withdrawal_kg_per_kwh),
        }
    }

    fn settle(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
        ledger: &mut Ledger,
    ) {
        let prices = signal.nodal();
        let accounts = self.accounts(setting, modifiers, signal);
        for (i, plan) in physical.plans.iter().enumerate() {
            let paid = self.nodal_money(setting, prices, physical, i);
            ledger.pay(Party::Member(i), Party::Grid, paid.retail, Reason::Tariff);
            ledger.pay(Party::Member(i), Party::Dso, paid.network, Reason::Nodal);
            ledger.pay(Party::Member(i), Party::Dso, paid.carbon, Reason::Carbon);
            let own = match accounts.get(i) {
                Some(account) => account.charge.value(accounts::balance_kg(setting, account, plan)),
                None => self.price() * plan.emission_kg.iter().sum::<f64>(),
            };
            ledger.pay(Party::Member(i), Party::Authority, own, Reason::Carbon);
        }
        if let Some(account) =
            self.ladder_on_imports().and_then(|l| feeder_account(l.accounts(setting, modifiers, signal)))
        {
            let balance_kg = accounts::feeder_balance_kg(setting, modifiers, &account, physical);
            ledger.pay(Party::Dso, Party::Authority, account.charge.value(balance_kg), Reason::Carbon);
        }
        let operator_kg = match self.ladder_on_flows() {
            None => self.root_kg(setting, physical),
            Some(_) => (0..setting.periods.count)
                .map(|t| {
                    let leaves_kg =
                        nodal::root_export_kwh(physical, t) * self.exported_kg_per_kwh(setting, physical, t);
                    nodal::feeder_kg(setting, physical, t) + leaves_kg
                })
                .sum(),
        };
        ledger.pay(Party::Dso, Party::Authority, self.price() * operator_kg, Reason::Carbon);
    }

    /// One price for everybody, but for members with a ladder.
    fn responsibility(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
    ) -> Responsibility {
        if let Some(ladder) = self.ladder_on_imports() {
            return ladder.responsibility(setting, modifiers, physical, &Signal::None);
        }
        let answers = self.answers(setting, physical);
        let accounts = self.accounts(setting, modifiers, signal);
        let mut marginal_prices = accounts::marginal_prices(setting, &accounts, physical, &answers.charged_kg);
        let on_ladders_kg: f64 = marginal_prices.iter().map(|payer| payer.charged_kg).sum();
        let charged_kg = answers.total_charged_kg() - on_ladders_kg;
        marginal_prices.push(MarginalPrice { charged_kg, price_per_kg: self.price() });
        Responsibility { marginal_prices, ..answers }
    }

    fn claim(&self, _: &Setting, _: &Modifiers, _: usize, _: &Physical, _: &Signal) -> Option<Certificate> {
        let excepted = |why: &str| Some(Certificate::not_applicable(POLICY_CLAIM, why));
        if self.form != Form::TaxInternalised {
            return excepted("the tax is not internalised (`form`)");
        }
        if self.retail_margin_per_kwh != 0.0 {
            return excepted("the retailer takes a margin");
        }
        if self.ladder.is_some() { excepted("members pay by a ladder") } else { None }
    }
}

impl NodalRule for Integrated {
    /// Prices of every member and period, their carbon part, the price at the root per period; under a ladder along the
    /// flows the kilograms per kWh of net withdrawal that it counts, and where the price jumps at the root the shares of the
    /// jump. At first everybody withdraws at the root.
    fn start(&self, setting: &Setting, modifiers: &Modifiers) -> NodalSignal {
        let on_flows = self.ladder_on_flows();
        let carbon = |t: usize| if on_flows.is_some() { 0.0 } else { self.price() * setting.intensity(t) };
        let root = |t: usize| buy(setting, t) + carbon(t);
        let kg = on_flows.map(|ladder| {
            let per_kwh = ladder.quota.per_imported_kwh(modifiers);
            nodal::series(setting, |_, t| setting.intensity(t) - per_kwh)
        });
        NodalSignal {
            price_per_kwh: nodal::series(setting, |_, t| root(t)),
            carbon_per_kwh: nodal::series(setting, |_, t| carbon(t)),
            root_price_per_kwh: (0..setting.periods.count).map(root).collect(),
            withdrawal_kg_per_kwh: kg.unwrap_or_default(),
            injection_kg_per_kwh: vec![],
            root_share: if self.jumps_at_root() { vec![1.0; setting.periods.count] } else { vec![] },
        }
    }

    fn target(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &NodalSignal,
    ) -> NodalSignal {
        let periods = setting.periods.count;
        let upstream = nodal::upstream_per_kwh(setting, physical);
        let energy: Vec<f64> = (0..upstream.len()).map(|k| buy(setting, k % periods) * upstream[k]).collect();
        let root_kg = self.root_kg_per_kwh(setting, physical, signal);
        let root_carbon = |t: usize| self.price() * root_kg[t];
        let mut root: Vec<f64> = (0..periods).map(|t| buy(setting, t) + root_carbon(t)).collect();
        let root_share = if self.jumps_at_root() { self.root_shares(setting, physical, signal) } else { vec![] };
        let mut kg = vec![];
        let carbon: Vec<f64> = match (self.form, self.ladder_on_flows()) {
            (Form::FlowInLoop, Some(ladder)) => {
                root = (0..periods).map(|t| buy(setting, t)).collect();
                kg = flow_in_loop::ladder_kg(setting, modifiers, physical, ladder);
                self.along_flows(setting, modifiers, physical, ladder)
            }
            (Form::Adder, _) => nodal::intensities(setting, physical).iter().map(|w| self.price() * w).collect(),
            _ => (0..upstream.len()).map(|k| root_carbon(k % periods) * upstream[k]).collect(),
        };
        NodalSignal {
            price_per_kwh: energy.iter().zip(&carbon).map(|(e, c)| e + c).collect(),
            carbon_per_kwh: carbon,
            root_price_per_kwh: root,
            withdrawal_kg_per_kwh: kg,
            injection_kg_per_kwh: vec![],
            root_share,
        }
    }

    fn adders(&self, setting: &Setting, signal: &NodalSignal) -> Vec<Terms> {
        let member = |i| Terms {
            direct_price_per_kg: if self.ladder.is_some() { 0.0 } else { self.price() },
            ..self.beyond_tariff(setting, signal, i)
        };
        (0..setting.members.len()).map(member).collect()
    }

    fn prices_limits(&self) -> bool {
        true
    }

    fn root_jump_per_kwh(&self, setting: &Setting, physical: &Physical) -> Option<Vec<f64>> {
        let rises = |t| self.price() * self.rise_kg_per_kwh(setting, physical, t).max(0.0);
        self.jumps_at_root().then(|| (0..setting.periods.count).map(rises).collect())
    }

    fn turns_steeply(&self) -> bool {
        self.ladder_on_flows().is_some()
    }

    /// Energy at the root, what is lost of it on the way, and the carbon of both as frozen generation has it. Along the
    /// flows a load pays the price of all for its node's intensity, and what moving its kWh there costs; a member's own
    /// ladder is beside the price, as in its terms.
    fn node_prices(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &NodalSignal,
    ) -> Option<NodePrices> {
        let feeder = setting.feeder.as_ref()?;
        let root_kg = self.root_kg_per_kwh(setting, physical, signal);
        let moving: Option<Vec<_>> = self.ladder_on_flows().map(|ladder| {
            let charged = self.carbon_in_flows(setting, modifiers, physical, ladder);
            physical.grid.iter().zip(&charged).map(|(state, (_, c))| c.response(feeder, state)).collect()
        });
        node_prices::at_all_nodes(setting, physical, |at| {
            let energy = buy(setting, at.period);
            let on_average = || self.price() * node_prices::intensity(setting, physical, at);
            let carbon = match (self.form, &moving) {
                (Form::FlowInLoop, Some(moving)) => on_average() + moving[at.period].as_ref()?.p[at.node],
                (Form::Adder, _) => on_average(),
                _ => self.price() * root_kg[at.period] * at.upstream,
            };
            Some(Price { energy, loss: energy * (at.upstream - 1.0), carbon, ..Price::default() })
        })
    }
}

register_policy!(Modified<Integrated>, "integrated", "electricity and carbon in one price at every node",
    claims: ["with the tax internalised and no margin, members alone reach the joint optimum with the network and its limits"],
    source: "after the abstract of Wang et al. (2026); reconstructed");
