//! Power flow: a distribution feeder, where a day of market runs asks for thousands, and a large meshed network.
//!
//! The large one is read from the folder that `COASE_DATA` names and left out where there is none.

use std::hint::black_box;
use std::path::PathBuf;

use coase_core::network::{Network, built_in};
use coase_core::power_flow::{Injections, PowerFlow, Ptdf};
use criterion::{Criterion, criterion_group, criterion_main};

fn feeders(c: &mut Criterion) {
    for id in ["ieee-33", "khodr-141"] {
        let network = built_in(id).expect("embedded").network().expect("valid");
        let power_flow = PowerFlow::new(&network).expect("valid");
        let given = Injections::of(&network);
        let flow = power_flow.solve(&given).expect("solvable");
        c.bench_function(&format!("{id}/solve"), |b| b.iter(|| power_flow.solve(black_box(&given))));
        c.bench_function(&format!("{id}/newton"), |b| b.iter(|| power_flow.solve_by_newton(black_box(&given))));
        c.bench_function(&format!("{id}/marginal losses"), |b| {
            b.iter(|| power_flow.sensitivities(black_box(&flow)).map(|mut s| s.slack_kw()));
        });
        c.bench_function(&format!("{id}/prepare"), |b| b.iter(|| PowerFlow::new(black_box(&network))));
    }
}

fn large(c: &mut Criterion) {
    let folder = std::env::var_os("COASE_DATA").map(PathBuf::from);
    let text = folder.and_then(|folder| std::fs::read_to_string(folder.join("matpower/case2383wp.m")).ok());
    let Some(text) = text else {
        eprintln!("case2383wp is left out: COASE_DATA names no folder with it");
        return;
    };
    let network = Network::from_matpower(&text).expect("a case of the reference data");
    let power_flow = PowerFlow::new(&network).expect("valid");
    let given = Injections::of(&network);
    let flow = power_flow.solve(&given).expect("solvable");
    let mut group = c.benchmark_group("case2383wp");
    group.sample_size(20);
    group.bench_function("read", |b| b.iter(|| Network::from_matpower(black_box(&text))));
    group.bench_function("solve", |b| b.iter(|| power_flow.solve(black_box(&given))));
    group.bench_function("prepare and solve", |b| {
        b.iter(|| PowerFlow::new(black_box(&network)).and_then(|power_flow| power_flow.solve(&given)));
    });
    group.bench_function("marginal losses", |b| {
        b.iter(|| power_flow.sensitivities(black_box(&flow)).map(|mut s| s.slack_kw()));
    });
    group.finish();
    let ieee_14 = built_in("ieee-14").expect("embedded").network().expect("valid");
    c.bench_function("ieee-14/transfer factors", |b| b.iter(|| Ptdf::new(black_box(&ieee_14))));
}

criterion_group!(benches, feeders, large);
criterion_main!(benches);
