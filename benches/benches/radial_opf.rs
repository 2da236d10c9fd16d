//! The AC optimal power flow of a feeder: one hour with prices and certificate, and days inside a program.

#[path = "../../core/tests/support/day.rs"]
mod day;

use coase_core::opf::RadialOpf;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn feeders(c: &mut Criterion) {
    let mut group = c.benchmark_group("radial opf");
    group.sample_size(10);
    for id in ["ieee-33", "khodr-141"] {
        let (network, hour) = day::hour(id, 18);
        let opf = RadialOpf::new(&network).expect("radial");
        group.bench_function(format!("{id}, one hour"), |b| b.iter(|| black_box(opf.solve(&hour))));
        for (name, capacity_kwh) in [("24 h", 0.0), ("24 h with a storage", 1000.0)] {
            let (template, _, _) = day::day(id, 24, capacity_kwh);
            group.bench_function(format!("{id}, {name}"), |b| b.iter(|| black_box(template.instance().solve())));
        }
    }
    group.finish();
}

criterion_group!(benches, feeders);
criterion_main!(benches);
