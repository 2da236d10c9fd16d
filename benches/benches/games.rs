//! What games cost. On plain numbers: steps of a replicator, an equilibrium of buyers, best replies of sellers, and the layers; on five
//! plants: the search of an operator's fee on 33 buses, and a day of the multiple game with and without its certificate.

use coase_core::mechanism::Mechanism;
use coase_core::population::{Dynamics, Play, PopulationGame};
use coase_core::pricing::{Buyer, Method, Patience, PricingGame, Seller, Update};
use coase_core::{Market, RunContext};
use coase_mechanisms::{Distance, MultipleGame, StackelbergNetworkFee};
use coase_testkit::five_vpps::{self, OnFeeder};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const E: [f64; 3] = [100.0, 60.0, 80.0];
const KAPPA: [f64; 3] = [0.30, 0.20, 0.25];
const COSTS: [f64; 3] = [0.30, 0.35, 0.28];
const PRICES: [f64; 3] = [0.55, 0.60, 0.50];
/// What pairs of the example without equilibrium add.
const ADDERS: [[f64; 3]; 3] = [[0.0, 0.02, 0.03], [0.03, 0.0, 0.01], [0.02, 0.01, 0.0]];

fn buyers() -> PopulationGame {
    let base = ADDERS.map(|adders| adders.iter().zip(PRICES).map(|(w, p)| w + p).collect()).to_vec();
    let slopes = KAPPA.iter().zip(E).map(|(k, e)| k / e).collect();
    PopulationGame::new(vec![60.0, 50.0, 40.0], &base, slopes).expect("a game")
}

fn sellers(adders: [[f64; 3]; 3]) -> PricingGame {
    let seller = |j: usize| Seller { cost: COSTS[j], quantity: E[j], congestion: KAPPA[j] };
    let buyer = |(quantity, adders): (f64, [f64; 3])| Buyer {
        quantity,
        adders: adders.to_vec(),
        grid_price: None,
        value: None,
    };
    let all: Vec<Buyer> = [60.0, 50.0, 40.0].into_iter().zip(adders).map(buyer).collect();
    PricingGame::new((0..3).map(seller).collect(), &all, 0.3, 1.2).expect("a game")
}

fn games(c: &mut Criterion) {
    let mut group = c.benchmark_group("games");
    group.sample_size(10);
    let population = buyers();
    group.bench_function("100 000 steps of the replicator, three buyers and sellers", |b| {
        b.iter(|| {
            let mut play = Play::new(&population, Dynamics::default(), &population.uniform());
            for _ in 0..100_000 {
                play.advance();
            }
            black_box(play.shares()[0])
        });
    });
    // Single players of three options: 10 ms is a tenth of a microsecond a step.
    let slopes = KAPPA.iter().zip(E).map(|(k, e)| k / e).collect();
    let single = PopulationGame::new(vec![150.0], &[PRICES.to_vec()], slopes).expect("a game");
    group.bench_function("100 000 steps of the replicator, one buyer and three sellers", |b| {
        b.iter(|| {
            let mut play = Play::new(&single, Dynamics::default(), &single.uniform());
            for _ in 0..100_000 {
                play.advance();
            }
            black_box(play.shares()[0])
        });
    });
    group.bench_function("the equilibrium of three buyers", |b| b.iter(|| black_box(population.equilibrium())));
    let (alike, apart) = (sellers([[0.0; 3]; 3]), sellers(ADDERS));
    group.bench_function("an equilibrium of three sellers by best replies", |b| {
        b.iter(|| black_box(alike.solve(Method::GaussSeidel, &mut |_, _| true)));
    });
    group.bench_function("the gap of three sellers whose buyers differ", |b| {
        b.iter(|| black_box(apart.nikaido_isoda(&PRICES)));
    });
    group.bench_function("three sellers without equilibrium", |b| {
        b.iter(|| black_box(apart.solve(Method::GaussSeidel, &mut |_, _| true)));
    });
    group.bench_function("the layers of three sellers", |b| {
        let play =
            || alike.layered(&PRICES, Dynamics::default(), Update::default(), Patience::default(), &mut |_| true);
        b.iter(|| black_box(play()));
    });
    group.finish();
}

fn run(mechanism: &dyn Mechanism, market: &Market) -> f64 {
    let outcome = mechanism.outcome(market, &mut RunContext::new(1, ())).expect("an outcome");
    outcome.net[0][0]
}

/// On a market whose members have been asked before: a mechanism's own work, as where several run on one scenario.
fn plants(c: &mut Criterion) {
    let mut group = c.benchmark_group("games of five plants");
    group.sample_size(10);
    let feeder = OnFeeder::IEEE_33.market();
    let fee = StackelbergNetworkFee { distance: Distance::Electrical, ..StackelbergNetworkFee::default() };
    group.bench_function("the fee of an operator on 33 buses", |b| b.iter(|| black_box(run(&fee, &feeder))));
    let day = five_vpps::market();
    for certify in [false, true] {
        let game = MultipleGame { certify, ..MultipleGame::default() };
        let how = if certify { "with" } else { "without" };
        group.bench_function(format!("a day of the multiple game {how} its certificate"), |b| {
            b.iter(|| black_box(run(&game, &day)));
        });
    }
    group.finish();
}

criterion_group!(benches, games, plants);
criterion_main!(benches);
