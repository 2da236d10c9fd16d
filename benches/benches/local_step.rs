//! A step of the distributed solvers: one plant of `five_vpps` answers prices and pulls as they follow one another in a real run
//! of the method of multipliers. By a session, from nothing, and by Clarabel, which is set up once and given new linear costs.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, ZeroConeT};
use coase_core::Market;
use coase_core::program::{Instance, Written};
use coase_mechanisms as _;
use coase_scenarios::Loader;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Penalties of the runs, money per kWh squared.
const RHO: [f64; 3] = [1e-4, 1e-3, 3e-3];
/// Residual at which they end, relative.
const TOLERANCE: f64 = 1e-6;

/// What one plant was asked in a run: centres by slot, and one weight.
struct Asked {
    member: usize,
    weight: f64,
    centres: Vec<Vec<f64>>,
}

fn market() -> Market {
    let text = r#"Experiment(scenarios: ["five_vpps"], mechanisms: ["grid-only"], carbon: ["none"])"#;
    let experiment = Loader::default().load_text("five_vpps", text, ".".as_ref(), &[]).expect("in the library");
    let instance = &experiment.runs[0].instance;
    Market::new(instance.setting.clone(), instance.participants.clone())
}

/// The method of multipliers with fixed penalty, on pairs: all that is asked until residuals are small.
fn sequences(market: &Market, rho: f64) -> Vec<Asked> {
    let (n, slots) = (market.len(), market.setting().slots.len());
    let partners = (n - 1) as f64;
    let weight = rho / partners;
    let mut asked: Vec<Asked> = (0..n).map(|member| Asked { member, weight, centres: vec![] }).collect();
    let mut sessions = market.sessions();
    let at = |i: usize, j: usize, t: usize| (i * n + j) * slots + t;
    let (mut sale, mut price) = (vec![0.0; n * n * slots], vec![0.0; n * n * slots]);
    for _ in 0..500 {
        let mut held = vec![0.0; n * n * slots];
        for i in 0..n {
            let wish = |j: usize, t: usize| sale[at(i, j, t)] + price[at(i, j, t)] / rho;
            let others = || (0..n).filter(move |j| *j != i);
            let centre: Vec<f64> = (0..slots).map(|t| others().map(|j| wish(j, t)).sum()).collect();
            let net = sessions[i].prox(&centre, &vec![weight; slots]).expect("feasible").to_vec();
            for (j, t) in others().flat_map(|j| (0..slots).map(move |t| (j, t))) {
                held[at(i, j, t)] = wish(j, t) + (net[t] - centre[t]) / partners;
            }
            asked[i].centres.push(centre);
        }
        let (mut primal, mut dual, mut size, mut money) = (0.0, 0.0, 0.0, 0.0);
        for (i, j, t) in (0..n).flat_map(|i| (0..n).flat_map(move |j| (0..slots).map(move |t| (i, j, t)))) {
            let (k, agreed) = (at(i, j, t), 0.5 * (held[at(i, j, t)] - held[at(j, i, t)]));
            primal += (held[k] - agreed).powi(2);
            dual += (rho * (agreed - sale[k])).powi(2);
            size += held[k] * held[k];
            price[k] -= rho * (held[k] - agreed);
            money += price[k] * price[k];
            sale[k] = agreed;
        }
        if primal.sqrt() <= TOLERANCE * size.sqrt() && dual.sqrt() <= TOLERANCE * money.sqrt() {
            break;
        }
    }
    asked
}

/// Mean time of a step of all sequences.
fn per_step(all: &[Asked], passes: u64, mut pass: impl FnMut() -> Duration) -> Duration {
    let steps: usize = all.iter().map(|a| a.centres.len()).sum();
    let total: Duration = (0..passes).map(|_| pass()).sum();
    total / steps as u32
}

/// Clarabel with the program of a plant, ready for new linear costs.
fn clarabel(program: &Written) -> DefaultSolver<f64> {
    let (n, m) = (program.linear.len(), program.rhs.len());
    let (mut rows, mut columns, mut values) = (vec![], vec![], vec![]);
    for (i, row) in program.rows.iter().enumerate() {
        for &(j, a) in row {
            rows.push(i);
            columns.push(j);
            values.push(a);
        }
    }
    let mut rhs = program.rhs.clone();
    for j in 0..n {
        for (sign, bound) in [(1.0, program.upper[j]), (-1.0, -program.lower[j])] {
            rows.push(rhs.len());
            columns.push(j);
            values.push(sign);
            rhs.push(bound);
        }
    }
    let a = CscMatrix::new_from_triplets(rhs.len(), n, rows, columns, values);
    let diagonal: Vec<usize> = (0..n).collect();
    let p = CscMatrix::new_from_triplets(n, n, diagonal.clone(), diagonal, program.curvature.clone());
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_threads(1)
        .presolve_enable(false)
        .tol_gap_abs(1e-8)
        .tol_gap_rel(1e-8)
        .tol_feas(1e-8)
        .build()
        .expect("valid");
    let cones = [ZeroConeT(m), NonnegativeConeT(2 * n)];
    DefaultSolver::new(&p, &program.linear, &a, &rhs, &cones, settings).expect("dimensions agree")
}

fn steps(c: &mut Criterion) {
    let market = market();
    let all: Vec<Asked> = RHO.into_iter().flat_map(|rho| sequences(&market, rho)).collect();
    let slots = market.setting().slots.len();
    let mut group = c.benchmark_group("a local step of five_vpps");
    group.sample_size(10);
    group.bench_function("session", |b| {
        b.iter_custom(|passes| {
            per_step(&all, passes, || {
                let mut took = Duration::ZERO;
                for asked in &all {
                    let weight = vec![asked.weight; slots];
                    let start = Instant::now();
                    let mut session = market.local(asked.member).session();
                    for centre in &asked.centres {
                        black_box(session.prox(centre, &weight).expect("feasible"));
                    }
                    took += start.elapsed();
                }
                took
            })
        });
    });
    // The same programs, written out before the clock starts.
    let written: Vec<(Vec<Instance>, Written)> = all
        .iter()
        .map(|asked| {
            let mut session = market.local(asked.member).session();
            let weight = vec![asked.weight; slots];
            let mut program = |centre: &Vec<f64>| {
                session.prox(centre, &weight).expect("feasible");
                session.program().expect("a step was made").clone()
            };
            let programs: Vec<Instance> = asked.centres.iter().map(&mut program).collect();
            let first = programs[0].written();
            (programs, first)
        })
        .collect();
    let linear: Vec<Vec<Vec<f64>>> =
        written.iter().map(|(programs, _)| programs.iter().map(|p| p.written().linear).collect()).collect();
    group.bench_function("from nothing", |b| {
        b.iter_custom(|passes| {
            per_step(&all, passes, || {
                let start = Instant::now();
                for program in written.iter().flat_map(|(programs, _)| programs) {
                    black_box(program.solve().expect("feasible"));
                }
                start.elapsed()
            })
        });
    });
    group.bench_function("Clarabel, new linear costs, 1e-8", |b| {
        b.iter_custom(|passes| {
            per_step(&all, passes, || {
                let mut took = Duration::ZERO;
                for ((_, program), linear) in written.iter().zip(&linear) {
                    let mut solver = clarabel(program);
                    let start = Instant::now();
                    for q in linear {
                        solver.update_q(q).expect("presolve is off");
                        solver.solve();
                        black_box(solver.solution.obj_val);
                    }
                    took += start.elapsed();
                }
                took
            })
        });
    });
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
