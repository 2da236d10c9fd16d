//! Optimal power flow: a feeder in three formulations, and the DC formulation of a large meshed network.
//!
//! The large one is read from the folder that `COASE_DATA` names and left out where there is none.

use std::hint::black_box;
use std::path::PathBuf;

use coase_core::network::{Cost, Network, built_in};
use coase_core::opf::{CarbonPricing, SlackVoltage, ac_opf, dc_opf, dc_program, lin_dist_opf};
use criterion::{Criterion, criterion_group, criterion_main};

fn feeders(c: &mut Criterion) {
    for id in ["ap-15", "ieee-33", "khodr-141"] {
        let mut network = built_in(id).expect("embedded").network().expect("valid");
        for generator in &mut network.generators {
            generator.cost_per_h.get_or_insert(Cost::Polynomial(vec![0.0, 0.6]));
        }
        // The heavily loaded feeder is below the default limit at its end.
        for bus in &mut network.buses {
            bus.v_min_pu = bus.v_min_pu.min(0.9);
        }
        c.bench_function(&format!("{id}/ac"), |b| b.iter(|| ac_opf(black_box(&network), None, SlackVoltage::Held)));
        c.bench_function(&format!("{id}/lindistflow"), |b| {
            b.iter(|| lin_dist_opf(black_box(&network), None, SlackVoltage::Held));
        });
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
    let carbon = CarbonPricing::uniform(&network, 0.5, 10.0);
    let mut group = c.benchmark_group("case2383wp");
    group.sample_size(10);
    group.bench_function("dc", |b| b.iter(|| dc_opf(black_box(&network), None)));
    group.bench_function("dc with carbon", |b| b.iter(|| dc_opf(black_box(&network), Some(&carbon))));
    let instance = dc_program(&network, None).expect("a program").instance();
    for (who, found) in [("own", instance.solve()), ("Clarabel", instance.second_opinion())] {
        eprintln!("case2383wp, {who}: {:?}", found.expect("an answer").certificate);
    }
    group.bench_function("dc, Clarabel", |b| b.iter(|| black_box(instance.second_opinion())));
    group.finish();
}

criterion_group!(benches, feeders, large);
criterion_main!(benches);
