//! The main job without files and figures: six mechanisms under four carbon policies on five plants and 33 buses, from
//! entering the market to the last figure. And the fixed point of nodal prices around two of them.

#[path = "../../core/tests/common/mod.rs"]
mod common;

use coase_core::Market;
use coase_core::engine::{self, Reporting};
use coase_core::evaluate::{Search, Yardstick, evaluate};
use coase_core::mechanism::Mechanism;
use coase_core::network::built_in;
use coase_core::open::Open;
use coase_core::participant::Participant;
use coase_core::policy::CarbonPolicy;
use coase_core::setting::{Feeder, Setting};
use coase_mechanisms as _;
use common::five_vpps::{five_vpps, setting};
use common::shapes::RTS_WINTER;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;

const MECHANISMS: [&str; 6] =
    ["grid-only", "mid-market-rate", "supply-demand-ratio", "bill-sharing", "central-optimum", "nash-bargaining"];
const POLICIES: [&str; 4] = ["none", "tax", "cap-and-trade", "stepped"];

fn market() -> Market {
    let bare = setting();
    let network = built_in("ieee-33").expect("built in").network().expect("valid");
    let vpps = five_vpps();
    let mut members = bare.members.clone();
    for (member, vpp) in members.iter_mut().zip(&vpps) {
        member.node = network.node(u64::from(vpp.bus));
    }
    let feeder = Feeder::new(network, RTS_WINTER.iter().map(|x| 0.5 * x).collect()).expect("a feeder");
    let setting = Setting { feeder: Some(feeder), members, ..bare };
    Market::new(setting, vpps.into_iter().map(|v| Arc::new(v.portfolio) as Arc<dyn Participant>).collect())
}

fn run_all(market: &Market) -> usize {
    let yardstick = Yardstick {
        upstream_cost_per_kwh: market.setting().tariff.as_ref().expect("a tariff").sell_per_kwh.clone(),
        damage_per_tonne: 280.0,
        core: Search::Skipped,
        regret: Search::Skipped,
    };
    let mut rows = 0;
    for policy in POLICIES {
        let policy = (<dyn CarbonPolicy>::set().get(policy).expect("registered").default)();
        let entered = engine::enter(market, &*policy);
        for mechanism in MECHANISMS {
            let mechanism = (<dyn Mechanism>::set().get(mechanism).expect("registered").default)();
            let cleared =
                engine::clear(&*mechanism, &entered, &*policy, &Reporting::Truthful, 1, &()).expect("an outcome");
            let found = evaluate(&cleared, &*mechanism, &*policy, 1, &yardstick).expect("figures");
            rows += found.record.periods.len();
        }
    }
    rows
}

fn comparison(c: &mut Criterion) {
    let mut group = c.benchmark_group("five plants, 24 hours");
    group.sample_size(10);
    group.bench_function("24 runs", |b| {
        b.iter_batched(market, |m| black_box(run_all(&m)), criterion::BatchSize::LargeInput);
    });
    let m = market();
    group.bench_function("dispatch of one plant, cold", |b| {
        b.iter_batched(
            || m.under(&vec![coase_core::terms::Terms { direct_price_per_kg: 0.1, ..Default::default() }; m.len()]),
            |m| black_box(m.local(0).autarky().expect("feasible").cost),
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn fixed_points(c: &mut Criterion) {
    let mut group = c.benchmark_group("integrated prices at every bus, fixed point");
    group.sample_size(10);
    let policy = (<dyn CarbonPolicy>::set().get("integrated").expect("registered").default)();
    for id in ["grid-only", "nash-bargaining"] {
        let mechanism = (<dyn Mechanism>::set().get(id).expect("registered").default)();
        group.bench_function(id, |b| {
            b.iter_batched(
                market,
                |m| {
                    let entered = engine::enter(&m, &*policy);
                    let cleared = engine::clear(&*mechanism, &entered, &*policy, &Reporting::Truthful, 1, &());
                    black_box(cleared.expect("an outcome").physical.upstream_import_kwh)
                },
                criterion::BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, comparison, fixed_points);
criterion_main!(benches);
