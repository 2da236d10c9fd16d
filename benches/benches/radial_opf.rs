//! The AC optimal power flow of a feeder: one hour with prices and certificate, and days inside a program, with all devices
//! of five plants too: with the analysis of an earlier day, with its own, and by Clarabel as the conic relaxation.

use coase_core::opf::{NetworkBlock, RadialOpf};
use coase_core::program::Template;
use coase_testkit::feeder_day as day;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
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
        let solved = |(template, blocks): &(Template, Vec<NetworkBlock>)| {
            let instance = template.instance();
            let solution = instance.solve().expect("the limits can be kept");
            black_box(day::prices(&instance, &solution, blocks));
        };
        let name = format!("{id}, 24 h with five plants and prices in parts");
        let known = day::day_with_plants(id);
        group.bench_function(&name, |b| b.iter(|| solved(&known)));
        // The network is read and written out in the setup, which is not measured.
        group.bench_function(format!("{name}, with its analysis"), |b| {
            b.iter_batched_ref(|| day::day_with_plants(id), |fresh| solved(fresh), BatchSize::PerIteration);
        });
        let instance = known.0.instance();
        for (who, found) in [("own", instance.solve()), ("Clarabel", instance.second_opinion())] {
            eprintln!("{id}, {who}: {:?}", found.expect("an answer").certificate);
        }
        group.bench_function(format!("{name}, Clarabel"), |b| b.iter(|| black_box(instance.second_opinion())));
    }
    group.finish();
}

criterion_group!(benches, feeders);
criterion_main!(benches);
