//! What games on plain numbers cost: steps of a replicator, an equilibrium of buyers, best replies of sellers, and the layers.

use coase_core::population::{Dynamics, Play, PopulationGame};
use coase_core::pricing::{Buyer, Method, Patience, PricingGame, Seller, Update};
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

criterion_group!(benches, games);
criterion_main!(benches);
