//! A price on the carbon that flows attribute: what a member emits and takes in, less what it passes on.
//!
//! ```text
//! tau (direct + sum_t w_n [x]+ - w^x [x]-)          x: net physical withdrawal, peers included
//! ```
//!
//! This is the only form that charges every tonne once; the other credits for exports are reproductions of papers and say
//! how much they charge twice.

use super::Stepped;
use crate::opf::Price;
use crate::outcome::{Certificate, Ledger, Party, Reason};
use crate::physical::Physical;
use crate::policy::POLICY_CLAIM;
use crate::policy::accounts::{self, withdrawal_kwh};
use crate::policy::nested;
use crate::policy::node_prices::{self, NodePrices, buy};
use crate::policy::{
    Announced, Coverage, MarginalPrice, Modified, Modifiers, NodalRule, NodalSignal, PolicyError, Responsibility, Rule,
    Signal, nodal,
};
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::{Account, Terms};
use crate::units::per_kg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an exporter is credited per kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ExportCredit {
    /// The intensity of what it exports: whoever takes it pays.
    #[default]
    Conserved,
    /// Nothing: exported carbon is charged to both sides.
    NoCredit,
    /// By how much it is cleaner than the node: a dirtier one pays.
    Subsidy,
}

/// How direct emissions are charged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Direct {
    /// At the price of the flows.
    #[default]
    Tax,
    /// By a ladder with the quotas of its own. Members' sources then enter the carbon flow without carbon, for they have
    /// paid, and nothing is credited for exports.
    Stepped(Stepped),
}

/// A carbon price along the flows, `tau (direct + sum_t w_n [x]+ - w^x [x]-)` with the net withdrawal `x` at node `n`, peers
/// included, and the intensities `w` that the carbon flow gives nodes and exports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NodalFlow {
    /// Price of a tonne.
    #[schemars(range(min = 0.0))]
    pub price_per_tonne: f64,
    /// What an exporter is credited.
    pub export_credit: ExportCredit,
    /// How direct emissions are charged.
    pub direct: Direct,
}

impl Default for NodalFlow {
    fn default() -> Self {
        Self { price_per_tonne: 280.0, export_credit: ExportCredit::Conserved, direct: Direct::Tax }
    }
}

impl NodalFlow {
    fn price(&self) -> f64 {
        per_kg(self.price_per_tonne)
    }

    /// Charge per kWh withdrawn, then credit per kWh injected, both member-major.
    fn rates(&self, setting: &Setting, physical: &Physical) -> (Vec<f64>, Vec<f64>) {
        let periods = setting.periods.count;
        if let Direct::Stepped(_) = self.direct {
            return (nodal::intensities_of_others(setting, physical), vec![0.0; setting.members.len() * periods]);
        }
        let w = nodal::intensities(setting, physical);
        let exported = nodal::export_intensities(setting, physical);
        let credit = match self.export_credit {
            ExportCredit::Conserved => exported,
            ExportCredit::NoCredit => vec![0.0; exported.len()],
            ExportCredit::Subsidy => w.iter().zip(&exported).map(|(w, own)| w - own).collect(),
        };
        (w, credit)
    }

    /// Charge and credit of a signal in money per kWh, both member-major.
    fn priced(&self, signal: &NodalSignal) -> (Vec<f64>, Vec<f64>) {
        let money = |kg: &[f64]| kg.iter().map(|kg| self.price() * kg).collect();
        (money(&signal.withdrawal_kg_per_kwh), money(&signal.injection_kg_per_kwh))
    }

    /// What the next kilogram costs: one price along the flows, and that of each ladder on direct emissions.
    fn next_kg(&self, setting: &Setting, modifiers: &Modifiers, physical: &Physical) -> Vec<MarginalPrice> {
        let direct = self.direct_accounts(setting, modifiers);
        let direct_kg: Vec<f64> = match self.direct {
            Direct::Tax => vec![],
            Direct::Stepped(_) => physical.plans.iter().map(|plan| plan.emission_kg.iter().sum()).collect(),
        };
        let mut along_flows_kg: f64 =
            self.charged_kg(setting, physical).iter().sum::<f64>() - direct_kg.iter().sum::<f64>();
        if modifiers.coverage == Coverage::Feeder {
            along_flows_kg += self.feeder_kg(setting, physical);
        }
        let mut all = accounts::marginal_prices(setting, &direct, physical, &direct_kg);
        all.push(MarginalPrice { charged_kg: along_flows_kg, price_per_kg: self.price() });
        all
    }

    /// The ladder on direct emissions of every member, if there is one: imports do not count.
    fn direct_accounts(&self, setting: &Setting, modifiers: &Modifiers) -> Vec<Account> {
        let Direct::Stepped(ladder) = &self.direct else { return vec![] };
        let mut accounts = ladder.accounts(setting, modifiers, &Signal::None);
        for account in &mut accounts {
            account.import_kg_per_kwh.clear();
            account.export_kg_per_kwh.clear();
        }
        accounts
    }

    /// Kilograms of passive load and losses: by the flows, or what is left of upstream carbon where sources have paid.
    fn feeder_kg(&self, setting: &Setting, physical: &Physical) -> f64 {
        let periods = || 0..setting.periods.count;
        match self.direct {
            Direct::Tax => periods().map(|t| nodal::feeder_kg(setting, physical, t)).sum(),
            Direct::Stepped(_) => {
                let upstream: f64 =
                    periods().map(|t| setting.intensity(t) * physical.upstream_import_kwh[t].max(0.0)).sum();
                let (charge, credit) = self.rates(setting, physical);
                let members = 0..setting.members.len();
                upstream - members.map(|i| flow_kg(setting, physical, i, &charge, &credit)).sum::<f64>()
            }
        }
    }

    /// Kilograms that a member is charged for at the intensities of an outcome.
    fn charged_kg(&self, setting: &Setting, physical: &Physical) -> Vec<f64> {
        let (charge, credit) = self.rates(setting, physical);
        let of = |i: usize| -> f64 {
            let plan = &physical.plans[i];
            let along_flows = flow_kg(setting, physical, i, &charge, &credit);
            plan.emission_kg.iter().sum::<f64>() + along_flows
        };
        (0..setting.members.len()).map(of).collect()
    }
}

/// `sum_t charge [x]+ - credit [x]-` of a member.
fn flow_kg(setting: &Setting, physical: &Physical, member: usize, charge: &[f64], credit: &[f64]) -> f64 {
    let (charge, credit) = (nodal::of_member(setting, charge, member), nodal::of_member(setting, credit, member));
    let plan = &physical.plans[member];
    (0..setting.periods.count)
        .map(|t| {
            let x = withdrawal_kwh(setting, plan, t);
            charge[t] * x.max(0.0) - credit[t] * (-x).max(0.0)
        })
        .sum()
}

impl Rule for NodalFlow {
    fn check(&self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError> {
        nodal::check(setting)?;
        accounts::at_least("price_per_tonne", self.price_per_tonne, 0.0, "at least 0")?;
        if let Direct::Stepped(ladder) = &self.direct {
            ladder.check_parameters()?;
            ladder.quota.check(setting, modifiers)?;
        }
        if self.price_per_tonne > 0.0 { accounts::charged_once(setting) } else { Ok(()) }
    }

    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        let mut prices = vec![("price_per_tonne".into(), &mut self.price_per_tonne)];
        if let Direct::Stepped(ladder) = &mut self.direct {
            prices.extend(nested("direct.Stepped", ladder.carbon_prices()));
        }
        prices
    }

    fn announced(&self) -> Announced<'_> {
        Announced::Nodal(self)
    }

    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, _: &Signal) -> Vec<Account> {
        self.direct_accounts(setting, modifiers)
    }

    fn settle(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
        ledger: &mut Ledger,
    ) {
        let (charge, credit) = self.priced(signal.nodal());
        let accounts = self.direct_accounts(setting, modifiers);
        for (i, plan) in physical.plans.iter().enumerate() {
            let direct = match accounts.get(i) {
                Some(account) => account.charge.value(accounts::balance_kg(setting, account, plan)),
                None => self.price() * plan.emission_kg.iter().sum::<f64>(),
            };
            let along_flows = flow_kg(setting, physical, i, &charge, &credit);
            ledger.pay(Party::Member(i), Party::Authority, direct + along_flows, Reason::Carbon);
        }
        if modifiers.coverage == Coverage::Feeder {
            ledger.pay(Party::Dso, Party::Authority, self.price() * self.feeder_kg(setting, physical), Reason::Carbon);
        }
    }

    /// One price along the flows, and that of each ladder on direct emissions.
    fn responsibility(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        _: &Signal,
    ) -> Responsibility {
        let marginal_prices = self.next_kg(setting, modifiers, physical);
        if self.price_per_tonne == 0.0 && self.direct == Direct::Tax {
            return Responsibility { marginal_prices, ..accounts::nobody(setting, physical) };
        }
        let charged_kg = self.charged_kg(setting, physical);
        if self.direct == Direct::Tax {
            let answers = nodal::responsibility(setting, modifiers, physical, charged_kg);
            return Responsibility { marginal_prices, ..answers };
        }
        // Sources have paid for what they emit; flows carry only what came from elsewhere.
        let emitted_kg: f64 = (0..setting.periods.count).map(|t| physical.emissions_kg(setting, t)).sum();
        let also_covered_kg = match modifiers.coverage {
            Coverage::VppsOnly => 0.0,
            Coverage::Feeder => self.feeder_kg(setting, physical),
        };
        let covered_kg = charged_kg.iter().sum::<f64>() + also_covered_kg;
        let uncovered_kg = emitted_kg - covered_kg;
        Responsibility { charged_kg, covered_kg, uncovered_kg, marginal_prices, ..Responsibility::default() }
    }

    fn claim(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        _: usize,
        physical: &Physical,
        signal: &Signal,
    ) -> Option<Certificate> {
        if self.export_credit != ExportCredit::Conserved {
            let why = "exports are not credited at the intensity that they carry (`export_credit`)";
            return Some(Certificate::not_applicable(POLICY_CLAIM, why));
        }
        Some(self.responsibility(setting, modifiers, physical, signal).charged_once())
    }
}

impl NodalRule for NodalFlow {
    /// Intensity of what every member withdraws in every period, and of what it injects: at first the grid's and nothing.
    fn start(&self, setting: &Setting, _: &Modifiers) -> NodalSignal {
        let withdrawal_kg_per_kwh = nodal::series(setting, |_, t| setting.intensity(t));
        let injection_kg_per_kwh = vec![0.0; withdrawal_kg_per_kwh.len()];
        NodalSignal { withdrawal_kg_per_kwh, injection_kg_per_kwh, ..NodalSignal::default() }
    }

    fn target(&self, setting: &Setting, _: &Modifiers, physical: &Physical, _: &NodalSignal) -> NodalSignal {
        let (withdrawal_kg_per_kwh, injection_kg_per_kwh) = self.rates(setting, physical);
        NodalSignal { withdrawal_kg_per_kwh, injection_kg_per_kwh, ..NodalSignal::default() }
    }

    fn adders(&self, setting: &Setting, signal: &NodalSignal) -> Vec<Terms> {
        let (charge, credit) = self.priced(signal);
        let member = |i| Terms {
            withdrawal_adder: nodal::of_member(setting, &charge, i).to_vec(),
            injection_adder: nodal::of_member(setting, &credit, i).iter().map(|c| -c).collect(),
            direct_price_per_kg: if self.direct == Direct::Tax { self.price() } else { 0.0 },
            ..Terms::default()
        };
        (0..setting.members.len()).map(member).collect()
    }

    /// The retail price of energy, and the charge on the carbon of what a node withdraws.
    fn node_prices(
        &self,
        setting: &Setting,
        _: &Modifiers,
        physical: &Physical,
        _: &NodalSignal,
    ) -> Option<NodePrices> {
        let others = match self.direct {
            Direct::Tax => None,
            Direct::Stepped(_) => Some(nodal::intensities_of_others_at_nodes(setting, physical)),
        };
        node_prices::at_all_nodes(setting, physical, |at| {
            let w = match &others {
                None => node_prices::intensity(setting, physical, at),
                Some(others) => others[at.period][at.node].unwrap_or_else(|| setting.intensity(at.period)),
            };
            Some(Price { energy: buy(setting, at.period), carbon: self.price() * w, ..Price::default() })
        })
    }
}

register_policy!(Modified<NodalFlow>, "nodal-flow", "a price on the carbon that flows attribute to each node",
    claims: ["the conserved form charges every tonne once"], source: "Kang et al. (2015); Cheng et al. (2019)");
