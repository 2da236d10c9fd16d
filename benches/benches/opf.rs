//! Optimal power flow: a feeder in three formulations, and the DC formulation of a large meshed network.
//!
//! The large one is also given to Clarabel, once as it is and once with angles as variables. It is read from the folder that `COASE_DATA` names and left out where there is none.

use std::hint::black_box;
use std::path::PathBuf;

use coase_core::network::{Cost, Network, built_in};
use coase_core::opf::{CarbonPricing, SlackVoltage, ac_opf, dc_opf, dc_program, lin_dist_opf};
use coase_core::program::{self, Expr, Instance, Program};
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
    let angles = in_angles(&network);
    for (who, found) in [
        ("own", instance.solve()),
        ("Clarabel", instance.second_opinion()),
        ("Clarabel in angles", angles.second_opinion()),
    ] {
        eprintln!("case2383wp, {who}: {:?}", found.expect("an answer").certificate);
    }
    group.bench_function("dc, Clarabel", |b| b.iter(|| black_box(instance.second_opinion())));
    group.bench_function("dc in angles, Clarabel", |b| b.iter(|| black_box(angles.second_opinion())));
    group.finish();
}

/// The dispatch as it is usually written, with a variable for every angle and every flow: a network of rated branches whose
/// generators have polynomial costs.
fn in_angles(network: &Network) -> Instance {
    let mut program = Program::new();
    let mut net = vec![Expr::default(); network.buses.len()];
    let mut cost = program::Cost::default();
    for generator in network.generators.iter().filter(|g| g.in_service) {
        let power = program.var(generator.p_min_kw, generator.p_max_kw);
        net[generator.node.0].add(1.0, power);
        let Some(Cost::Polynomial(c)) = &generator.cost_per_h else { panic!("not a polynomial") };
        let of = |k: usize| c.get(k).copied().unwrap_or(0.0);
        cost.affine.constant += of(0);
        cost.add(of(1), power).add_square(of(2), power);
    }
    program.add_cost(&cost);
    let closed = || network.branches.iter().filter(|b| b.in_service);
    let mut stiffnesses: Vec<f64> = closed().map(|b| network.base_kva() / (b.x_pu * b.tap).abs()).collect();
    stiffnesses.sort_unstable_by(f64::total_cmp);
    // Angles in the kW that they drive through a typical branch.
    let scale = stiffnesses[stiffnesses.len() / 2];
    let room = scale * std::f64::consts::TAU;
    let slack = network.slacks().next().expect("a slack");
    let angle: Vec<_> = network
        .nodes()
        .map(|node| if node == slack { program.var(0.0, 0.0) } else { program.var(-room, room) })
        .collect();
    for branch in closed() {
        let rate = branch.rate_kva.expect("a rating");
        let flow = program.var(-rate, rate);
        let stiffness = network.base_kva() / (branch.x_pu * branch.tap);
        let mut driven = Expr::constant(-stiffness * branch.shift_deg.to_radians());
        driven.add(stiffness / scale, angle[branch.from.0]).add(-stiffness / scale, angle[branch.to.0]);
        program.equal(driven.plus(-1.0, flow), 0.0, "flow", None);
        net[branch.from.0].add(-1.0, flow);
        net[branch.to.0].add(1.0, flow);
    }
    for (node, injected) in network.nodes().zip(net) {
        let bus = network.bus(node);
        program.equal(injected, bus.p_load_kw + bus.g_kw, "balance", None);
    }
    program.compile().instance()
}

criterion_group!(benches, feeders, large);
criterion_main!(benches);
