//! What cooperative rules cost: the values of all 1024 groups of ten plants over a day, and the divisions of a gain of twelve
//! players once the values are there.

use coase_core::Market;
use coase_core::coalition::{Coalition, CoalitionGame};
use coase_core::market::NetworkMode;
use coase_core::participant::Participant;
use coase_core::setting::{Member, Setting};
use coase_testkit::five_vpps::{EXCHANGE_MAX_KW, five_vpps};
use coase_testkit::shapes::{DAY, tariff_a};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;

/// The five plants, and each once more, without a network and without answers.
fn ten_plants() -> Market {
    let (mut members, mut participants) = (vec![], vec![]);
    for (k, vpp) in five_vpps().into_iter().chain(five_vpps()).enumerate() {
        let mut member = Member::new(format!("vpp{}", k + 1), EXCHANGE_MAX_KW, EXCHANGE_MAX_KW);
        (member.rating, member.quota_kg) = (vpp.portfolio.rating(), vpp.quota_kg);
        members.push(member);
        participants.push(Arc::new(vpp.portfolio) as Arc<dyn Participant>);
    }
    Market::new(Setting::energy(DAY, Some(tariff_a()), None, members), participants)
}

/// An estate of two fifths of the claims, of which a group gets what is left once the others are paid.
fn estate(players: usize) -> CoalitionGame {
    let claims: Vec<f64> = (0..players).map(|k| 10.0 + (k * 37 % 23) as f64).collect();
    let total: f64 = claims.iter().sum();
    let left = |group: Coalition| (0.4 * total - (total - group.sum(&claims))).max(0.0);
    CoalitionGame::of(players, left).expect("a game")
}

fn values(c: &mut Criterion) {
    let mut group = c.benchmark_group("coalitions");
    group.sample_size(10);
    group.bench_function("values of 1024 groups of ten plants", |b| {
        let ask = |market: Market| black_box(market.coalitions(&NetworkMode::Ignored).expect("values"));
        b.iter_batched(ten_plants, ask, BatchSize::PerIteration);
    });
    group.finish();
}

fn divisions(c: &mut Criterion) {
    let mut group = c.benchmark_group("coalitions");
    for players in [5, 10, 12] {
        let game = estate(players);
        group.bench_function(format!("Shapley value of {players}"), |b| b.iter(|| black_box(game.shapley())));
        group.bench_function(format!("least core of {players}"), |b| {
            b.iter(|| black_box(game.least_core().expect("solved")));
        });
        group.bench_function(format!("nucleolus of {players}"), |b| {
            b.iter(|| black_box(game.nucleolus().expect("solved")));
        });
    }
    group.finish();
}

criterion_group!(benches, values, divisions);
criterion_main!(benches);
