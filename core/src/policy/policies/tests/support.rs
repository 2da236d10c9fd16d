//! A participant of a few sources and a load: all that the figures need.

use crate::market::{Market, Plan};
use crate::outcome::{Ledger, Party};
use crate::participant::{Contribution, Participant};
use crate::physical::Physical;
use crate::policy::CarbonPolicy;
pub use crate::policy::Signal;
use crate::program::{Expr, Program};
use crate::setting::{Member, Periods, Setting, Tariff};
use std::sync::Arc;

/// A source of energy at constant cost.
#[expect(clippy::struct_field_names, reason = "units belong to the names")]
#[derive(Clone, Copy, Debug)]
pub struct Source {
    pub cost_per_kwh: f64,
    pub emission_kg_per_kwh: f64,
    pub max_kwh: f64,
}

/// Sources, and a load per period.
#[derive(Clone, Debug)]
pub struct Tiny {
    pub sources: Vec<Source>,
    pub load_kwh: Vec<f64>,
}

impl Participant for Tiny {
    fn contribute(&self, program: &mut Program, _: &Setting) -> Contribution {
        let mut contribution = Contribution::default();
        for load in &self.load_kwh {
            let mut output = Expr::constant(-load);
            let (mut kg, mut kwh) = (Expr::default(), Expr::default());
            for source in &self.sources {
                let g = program.var(0.0, source.max_kwh);
                output.add(1.0, g);
                contribution.cost.add(source.cost_per_kwh, g);
                if source.emission_kg_per_kwh > 0.0 {
                    kg.add(source.emission_kg_per_kwh, g);
                    kwh.add(1.0, g);
                }
            }
            contribution.output.push(output);
            contribution.emission_kg.push(kg);
            contribution.emitting_kwh.push(kwh);
        }
        contribution
    }
}

/// Parameters of a policy, in the notation of files.
pub fn policy(text: &str) -> Box<dyn CarbonPolicy> {
    options().from_str(text).unwrap()
}

/// How files of this project are read.
pub fn options() -> ron::Options {
    use ron::extensions::Extensions;
    ron::Options::default().with_default_extension(
        Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES,
    )
}

/// A flat tariff over `count` periods of an hour.
pub fn tariff(count: usize, buy: f64, sell: f64, intensity: f64) -> Tariff {
    Tariff {
        buy_per_kwh: vec![buy; count],
        sell_per_kwh: vec![sell; count],
        intensity_kg_per_kwh: vec![intensity; count],
        upstream_carbon_per_tonne: 0.0,
    }
}

/// A setting of members with these quotas.
pub fn setting(count: usize, tariff: Option<Tariff>, quotas_kg: &[f64]) -> Setting {
    let member =
        |(i, quota_kg): (usize, &f64)| Member { quota_kg: *quota_kg, ..Member::new(format!("m{}", i + 1), 1e5, 1e5) };
    let members = quotas_kg.iter().enumerate().map(member).collect();
    Setting::energy(Periods { count, hours: 1.0 }, tariff, None, members)
}

/// The market of these participants under a policy's opening terms.
pub fn market(setting: &Setting, participants: &[Tiny], policy: &dyn CarbonPolicy) -> Market {
    let all = participants.iter().map(|p| Arc::new(p.clone()) as Arc<dyn Participant>).collect();
    let market = Market::new(setting.clone(), all);
    policy.check(setting).unwrap();
    market.under(&policy.terms(setting, &policy.start(setting)))
}

/// Everybody by itself, and what is then physically there.
pub fn autarky(market: &Market) -> (Vec<Arc<Plan>>, Physical) {
    let plans: Vec<Arc<Plan>> = (0..market.len()).map(|i| market.local(i).autarky().unwrap()).collect();
    let physical = physical(market.setting(), plans.clone(), &[]);
    (plans, physical)
}

/// The physical side of schedules, with passive load per period.
pub fn physical(setting: &Setting, plans: Vec<Arc<Plan>>, passive_kwh: &[f64]) -> Physical {
    let mut physical = Physical { plans, upstream_import_kwh: vec![], grid: vec![] };
    physical.upstream_import_kwh = (0..setting.periods.count)
        .map(|t| physical.community_exchange_kwh(t) + passive_kwh.get(t).copied().unwrap_or(0.0))
        .collect();
    physical
}

/// A schedule of one period: import, export and output in kWh, direct emissions in kg.
pub fn plan(import: f64, export: f64, output: f64, emission_kg: f64, emitting: f64) -> Arc<Plan> {
    Arc::new(Plan {
        import_kwh: vec![import],
        export_kwh: vec![export],
        output: vec![output],
        emission_kg: vec![emission_kg],
        emitting_kwh: vec![emitting],
        trade: vec![output + import - export],
        ..Plan::default()
    })
}

/// What a policy makes everybody pay.
pub fn bills(policy: &dyn CarbonPolicy, setting: &Setting, physical: &Physical, signal: &Signal) -> Ledger {
    let mut ledger = Ledger::default();
    policy.settle(setting, physical, signal, &mut ledger);
    ledger
}

/// What a member pays.
pub fn paid(ledger: &Ledger, member: usize) -> f64 {
    -ledger.balance(Party::Member(member))
}

pub fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found}, expected {expected}");
}
