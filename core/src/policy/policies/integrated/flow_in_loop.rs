//! Carbon charged where it is consumed, along the flows, with a ladder for every member: the carbon part of nodal prices by
//! the adjoint of the carbon flow.
//!
//! Of a member's own mix only the intensity is seen that it has: how its next kWh changes the mix that it exports is charged
//! at its own carbon price, not at that of those who receive it. Both are one where the mix has one source, and where all
//! pay one price.

use super::{Integrated, RootExport};
use crate::physical::Physical;
use crate::policy::accounts::{self, withdrawal_kwh};
use crate::policy::nodal::{self, AtRoot, CarbonInFlows, Turn};
use crate::policy::policies::Stepped;
use crate::policy::{Modifiers, Rule, Signal};
use crate::setting::Setting;
use crate::terms::Account;

impl Integrated {
    /// Accounts of a ladder along the flows, at these kilograms per kWh of net withdrawal.
    pub(super) fn flow_accounts(&self, setting: &Setting, modifiers: &Modifiers, ladder_kg: &[f64]) -> Vec<Account> {
        let Some(ladder) = self.ladder_on_flows() else { return vec![] };
        let mut accounts = ladder.accounts(setting, modifiers, &Signal::None);
        for (i, account) in accounts.iter_mut().enumerate() {
            let rates = nodal::of_member(setting, ladder_kg, i);
            account.import_kg_per_kwh.clear();
            account.export_kg_per_kwh.clear();
            account.withdrawal_kg_per_kwh = rates.to_vec();
            account.injection_kg_per_kwh = rates.iter().map(|r| -r).collect();
        }
        accounts
    }

    /// Prices of carbon by node: of members what the last kg on their ladder is worth to them, of all others the price of
    /// all. Between two tiers it is the dual of the member's own account that makes all marginal costs meet, not any price
    /// between those of the tiers.
    fn price_of_consumption(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        ladder: &Stepped,
    ) -> Vec<Vec<f64>> {
        let rates = ladder_kg(setting, modifiers, physical, ladder);
        let accounts = self.flow_accounts(setting, modifiers, &rates);
        let own: Vec<f64> = accounts
            .iter()
            .zip(&physical.plans)
            .map(|(account, plan)| {
                let (low, high) = ladder.charge().slopes_at(accounts::balance_kg(setting, account, plan));
                plan.kg_price.unwrap_or(0.5 * (low + high))
            })
            .collect();
        let inside = nodal::internal_nodes(setting);
        let root = setting.feeder.as_ref().and_then(|f| f.network.slacks().next());
        let of = |state: &crate::physical::GridState| {
            let mut prices = vec![self.price(); state.carbon.load_kw.len()];
            for (position, price) in inside.iter().zip(&own) {
                if let Some(node) = position {
                    prices[*node] = *price;
                }
            }
            if let (RootExport::Unpriced, Some(root)) = (self.root_export, root) {
                let exported_kw = (-state.flow.slack_kw()).max(0.0);
                let consumed_kw = state.carbon.load_kw[root.0];
                if consumed_kw > 0.0 {
                    prices[root.0] *= (1.0 - exported_kw / consumed_kw).max(0.0);
                }
            }
            prices
        };
        physical.grid.iter().map(of).collect()
    }

    /// The downstream price of carbon by node, and what flows through the network cost with it, per period.
    pub(super) fn carbon_in_flows(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        ladder: &Stepped,
    ) -> Vec<(Vec<Option<f64>>, CarbonInFlows)> {
        let Some(feeder) = &setting.feeder else { return vec![] };
        let consumption = self.price_of_consumption(setting, modifiers, physical, ladder);
        let of = |(t, state): (usize, &crate::physical::GridState)| {
            let unknown = || vec![Some(f64::NAN); consumption[t].len()];
            let y = state.carbon.downstream_price(&consumption[t], self.price()).unwrap_or_else(|_| unknown());
            let at_root = AtRoot {
                upstream_kg_per_kwh: setting.intensity(t),
                export_per_kwh: self.price() * self.exported_kg_per_kwh(setting, physical, t),
            };
            let turn = Turn::of(setting, physical, t);
            let charges = CarbonInFlows::new(&feeder.network, state, turn, &y, self.price(), at_root);
            (y, charges)
        };
        physical.grid.iter().enumerate().map(of).collect()
    }

    /// The carbon part of prices along the flows, per kWh: what moving a kWh through the network costs, less what the carbon
    /// of an injected one costs those downstream.
    pub(super) fn along_flows(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        ladder: &Stepped,
    ) -> Vec<f64> {
        let Some(feeder) = &setting.feeder else { return vec![] };
        let periods = setting.periods.count;
        let exported = nodal::export_intensities(setting, physical);
        let mut adder = vec![0.0; exported.len()];
        let charged = self.carbon_in_flows(setting, modifiers, physical, ladder);
        for (t, (state, (y, charges))) in physical.grid.iter().zip(&charged).enumerate() {
            let (response, turn) = (charges.response(feeder, state), Turn::of(setting, physical, t));
            for (i, member) in setting.members.iter().enumerate() {
                let k = i * periods + t;
                adder[k] = charges.per_kwh(response.as_ref(), member);
                let w = member.node.and_then(|node| Some((node, state.carbon.intensity_kg_per_kwh[node.0]?)));
                if let Some((node, w)) = w {
                    let injected = y[node.0].unwrap_or(self.price()) * (exported[k] - w);
                    adder[k] -= turn.mix(withdrawal_kw(setting, physical, i, t), 0.0, injected);
                }
            }
        }
        adder
    }

    /// Carbon that the network operator pays for per kWh fed back upstream, kg.
    pub(super) fn exported_kg_per_kwh(&self, setting: &Setting, physical: &Physical, period: usize) -> f64 {
        match self.root_export {
            RootExport::LikeLoad => nodal::root_intensity(setting, physical, period),
            RootExport::Credited => nodal::root_intensity(setting, physical, period) - setting.intensity(period),
            RootExport::Unpriced => 0.0,
        }
    }
}

/// What the next kWh of each member adds to its ladder, kg: of a member that withdraws what its node carries, less its
/// allowance per kWh; of one that injects what it exports; between the two where its exchange turns ([`Turn`]). One rate for
/// both directions: prices along the flows are those of the flows as they are, and follow when they turn.
pub(super) fn ladder_kg(setting: &Setting, modifiers: &Modifiers, physical: &Physical, ladder: &Stepped) -> Vec<f64> {
    if setting.feeder.is_none() {
        return vec![];
    }
    let periods = setting.periods.count;
    let turns: Vec<Turn> = (0..periods).map(|t| Turn::of(setting, physical, t)).collect();
    let per_kwh = ladder.quota.per_imported_kwh(modifiers);
    let least = if modifiers.allow_negative_carbon_price { f64::NEG_INFINITY } else { 0.0 };
    let (w, exported) = (nodal::intensities(setting, physical), nodal::export_intensities(setting, physical));
    nodal::series(setting, |i, t| {
        let k = i * periods + t;
        turns[t].mix(withdrawal_kw(setting, physical, i, t), (w[k] - per_kwh).max(least), exported[k])
    })
}

/// Net withdrawal of a member, kW.
fn withdrawal_kw(setting: &Setting, physical: &Physical, member: usize, period: usize) -> f64 {
    withdrawal_kwh(setting, &physical.plans[member], period) / setting.periods.hours
}
