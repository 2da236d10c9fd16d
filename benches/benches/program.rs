//! The solver behind every question: a day of one plant, a joint day of five, cold, with the template's analysis reused.

use coase_testkit::plant_day::{Twist, joint, single};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn days(c: &mut Criterion) {
    let mut group = c.benchmark_group("program");
    for kind in 0..5 {
        let (template, _) = single(kind, 1, Twist::default());
        group.bench_function(format!("plant {}", kind + 1), |b| b.iter(|| black_box(template.instance().solve())));
    }
    let (template, _) = single(0, 1, Twist::default());
    group.bench_function("plant 1, Clarabel", |b| b.iter(|| black_box(template.instance().second_opinion())));
    let template = joint(1);
    group.bench_function("five plants jointly, Clarabel", |b| {
        b.iter(|| black_box(template.instance().second_opinion()));
    });
    group.bench_function("five plants jointly", |b| b.iter(|| black_box(template.instance().solve())));
    group.finish();
}

criterion_group!(benches, days);
criterion_main!(benches);
