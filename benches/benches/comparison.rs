//! The main job without files and figures: six mechanisms under four carbon policies on five plants and 33 buses, from
//! entering the market to the last figure. And the fixed point of nodal prices around two of them.

use coase_core::Market;
use coase_core::engine::{self, Reporting};
use coase_core::evaluate::evaluate;
use coase_core::mechanism::Mechanism;
use coase_core::open::Open;
use coase_core::policy::CarbonPolicy;
use coase_mechanisms as _;
use coase_testkit::five_vpps::OnFeeder;
use coase_testkit::measured::yardstick;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const MECHANISMS: [&str; 6] =
    ["grid-only", "mid-market-rate", "supply-demand-ratio", "bill-sharing", "central-optimum", "nash-bargaining"];
const POLICIES: [&str; 4] = ["none", "tax", "cap-and-trade", "stepped"];

fn market() -> Market {
    OnFeeder::IEEE_33.market()
}

fn run_all(market: &Market) -> usize {
    let yardstick = yardstick(market, 280.0);
    let mut rows = 0;
    for policy in POLICIES {
        let policy = (<dyn CarbonPolicy>::set().get(policy).expect("registered").default)();
        let entered = engine::enter(market, &*policy);
        for mechanism in MECHANISMS {
            let mechanism = (<dyn Mechanism>::set().get(mechanism).expect("registered").default)();
            let cleared =
                engine::clear(&*mechanism, &entered, &*policy, &Reporting::Truthful, 1, ()).expect("an outcome");
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
                    let cleared = engine::clear(&*mechanism, &entered, &*policy, &Reporting::Truthful, 1, ());
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
