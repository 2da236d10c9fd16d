//! Bargaining whose first stage is found by members that answer questions about their own trades: the same bargain as the
//! program of all finds, with certificates, whatever the solver; and how long it takes.

use coase_core::mechanism::Mechanism;
use coase_core::outcome::Verdict;
use coase_core::{Certificate, Market, Outcome, Party, RunContext, Status};
use coase_mechanisms::NashBargaining;
use coase_testkit::agents::{Agent, market, on_a_line, three, three_counted_in};
use coase_testkit::five_vpps::{self, OnFeeder};
use coase_testkit::measured::measure;
use coase_testkit::{assert_all, policy, ron};

const GAIN: f64 = 4935.0 / 76.0;

fn bargaining(solver: &str) -> NashBargaining {
    ron().from_str(&format!("(solver: {solver})")).unwrap_or_else(|error| panic!("{solver}: {error}"))
}

fn run(solver: &str, market: &Market) -> Outcome {
    let rule: &dyn Mechanism = &bargaining(solver);
    rule.outcome(market, &mut RunContext::new(1, ())).expect("an outcome")
}

fn certificate<'o>(outcome: &'o Outcome, name: &str) -> &'o Certificate {
    outcome.evidence.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn value(outcome: &Outcome, name: &str) -> f64 {
    certificate(outcome, name).value.expect("a figure")
}

const SOLVERS: [&str; 11] = [
    "Admm()",
    "Admm(rho: 5e-3, scaling: ResidualBalancing)",
    "Admm(scaling: Adaptive())",
    "Admm(scaling: Adaptive(groups: Pair))",
    "Admm(scaling: Adaptive(groups: Slot))",
    "Admm(rho: 1e-4, acceleration: GeometricSeries)",
    "Admm(rho: 2e-1, scaling: Adaptive(freeze_after: 200), acceleration: GeometricSeries)",
    "Admm(scaling: Adaptive(), partners: Nearest(1))",
    "FastDualAscent()",
    "FastDualAscent(friction_per_kwh2: 5e-3, partners: Nearest(1))",
    "FastDualAscent(friction_per_kwh2: 5e-3, metric: Scalar)",
];

#[test]
fn every_solver_finds_the_bargain_of_the_three() {
    let market = three();
    for solver in SOLVERS {
        let outcome = run(solver, &market);
        assert_eq!(outcome.status, Status::Converged, "{solver}");
        let paid: Vec<f64> = (0..3).map(|i| -outcome.ledger.balance(Party::Member(i))).collect();
        let net: Vec<f64> = outcome.net.iter().map(|net| net[0]).collect();
        // Residuals are relative to quantities of 200 kWh.
        assert_all(&net, &[136.842_105_263, 39.473_684_211, -176.315_789_474], 2e-2);
        assert_all(&paid, &[-91.464_681_440, -47.250_692_521, 138.715_373_961], 2e-2);
        assert!((value(&outcome, "bargaining_gain") - GAIN).abs() < 1e-4, "{solver}");
        for name in ["central_gap", "duality_gap", "least_cost_gap"] {
            assert_eq!(certificate(&outcome, name).verdict, Verdict::Upheld, "{solver}: {outcome:?}");
        }
        assert!(outcome.net.iter().map(|net| net[0]).sum::<f64>().abs() < 1e-9, "{solver}");
    }
}

#[test]
fn rounds_messages_and_residuals_are_told() {
    let market = three();
    let mut ctx = RunContext::new(1, ());
    let outcome = bargaining("Admm(rho: 5e-3)").run(&market, &mut ctx).expect("an outcome");
    let trace = ctx.finish();
    let rounds = value(&outcome, "solver_iterations") as usize;
    assert_eq!((trace.steps.len(), trace.messages), (rounds, 6 * rounds as u64));
    let names = ["primal_residual", "dual_residual", "objective"];
    for step in &trace.steps {
        assert_eq!(step.values.iter().map(|v| v.0).collect::<Vec<_>>(), names);
    }
    let last = &trace.steps[rounds - 1].values;
    assert!(last[0].1 < 1e-3 && last[1].1 < 1e-5 && (last[2].1 + 5505.0 / 76.0).abs() < 1e-2, "{last:?}");
    // In the tables as well: a row for each round.
    let measured = measure(&market, &bargaining("Admm(rho: 5e-3)"), &*policy("None()"));
    assert_eq!(measured.metric("iterations") as usize, rounds);
    assert_eq!(measured.metric("messages") as u64, trace.messages);
}

#[test]
fn who_does_not_come_to_an_end_says_so() {
    for solver in ["Admm(max_iterations: 5)", "FastDualAscent(max_iterations: 5)"] {
        let outcome = run(solver, &three());
        let Status::NotConverged { residual } = outcome.status else { panic!("{solver}: {:?}", outcome.status) };
        assert!(residual > 1e-6 && residual.is_finite(), "{solver}: {residual}");
        assert_eq!(value(&outcome, "solver_iterations"), 5.0);
    }
    let mut ctx = RunContext::new(1, ()).with_max_steps(7);
    let cut = (&bargaining("Admm()") as &dyn Mechanism).outcome(&three(), &mut ctx).expect("an outcome");
    assert!(matches!(cut.status, Status::NotConverged { .. }));
}

/// Adaptive and accelerated, from penalties that are far off, against penalties that stay there.
#[test]
fn five_plants_agree_in_half_the_iterations_of_fixed_penalties() {
    let market = five_vpps::market();
    let least = market.solve(&market.grand()).expect("feasible").cost;
    for rho in ["1e-4", "2e-1"] {
        let fast = run(
            &format!("Admm(rho: {rho}, scaling: Adaptive(freeze_after: 200), acceleration: GeometricSeries)"),
            &market,
        );
        assert_eq!(fast.status, Status::Converged, "{rho}: {:?}", fast.evidence);
        assert!(value(&fast, "solver_residual") <= 1e-6);
        assert!(value(&fast, "central_gap").abs() <= 1e-6 * least.abs(), "{rho}: {:?}", fast.evidence);
        let iterations = value(&fast, "solver_iterations");
        let fixed = run(&format!("Admm(rho: {rho}, max_iterations: {})", 2.0 * iterations), &market);
        println!("{rho}: {iterations} iterations, fixed {:?} after twice as many", fixed.status);
        if fixed.status == Status::Converged {
            assert!(2.0 * iterations <= value(&fixed, "solver_iterations"), "{rho}: {iterations}");
        }
    }
}

#[test]
fn the_bargain_of_five_plants_is_that_of_the_program_of_all() {
    let market = OnFeeder::IEEE_33.within(0.90, 1.05).market();
    let none = "None()";
    let stepped = "Stepped(base_price_per_tonne: 280, interval_kg: 500, growth: 0.25)";
    for (text, start) in [(none, "1e-3"), (none, "1e-4"), (stepped, "1e-3")] {
        let policy = policy(text);
        let central = measure(&market, &bargaining("Central"), &*policy);
        let solver = format!("Admm(rho: {start}, scaling: Adaptive(), acceleration: GeometricSeries)");
        let admm = measure(&market, &bargaining(&solver), &*policy);
        let size = central.metric("total_cost").abs();
        for (a, b) in central.of_participants("total_cost").into_iter().zip(admm.of_participants("total_cost")) {
            assert!((a - b).abs() < 1e-6 * size, "{text}: {a} {b}");
        }
        for c in &admm.found.certificates {
            assert_ne!(c.verdict, Verdict::Refuted, "{text}: {c:?}");
        }
    }
}

/// Penalties of its own for every pair, from far off on both sides: what is agreed upon can be delivered.
#[test]
fn pairs_with_penalties_of_their_own_end_where_the_program_of_all_does() {
    let market = five_vpps::market();
    let least = market.solve(&market.grand()).expect("feasible").cost;
    for rho in ["1e-4", "1e-3", "5e-3", "1e-2", "1e-1", "1"] {
        let outcome = run(&format!("Admm(rho: {rho}, scaling: Adaptive(groups: Pair))"), &market);
        assert_eq!(outcome.status, Status::Converged, "{rho}: {:?}", outcome.evidence);
        assert!(value(&outcome, "central_gap").abs() <= 1e-6 * least.abs(), "{rho}: {:?}", outcome.evidence);
    }
}

/// Who trades with few reaches what everybody trading with everybody does, with fewer messages.
#[test]
fn few_partners_reach_the_same_cost_with_fewer_messages() {
    let agents: Vec<Agent> =
        (0..24_u32).map(|i| Agent::of(0.002 + 0.001 * f64::from(i % 4), 0.1 + 0.05 * f64::from(i))).collect();
    let market = market(&agents);
    let least = market.solve(&market.grand()).expect("feasible").cost;
    let sent = |partners: &str| {
        let mut ctx = RunContext::new(1, ());
        let rule = bargaining(&format!("Admm(scaling: Adaptive(), partners: {partners})"));
        let outcome = rule.run(&market, &mut ctx).expect("an outcome");
        assert_eq!(outcome.status, Status::Converged, "{partners}: {:?}", outcome.evidence);
        assert!(value(&outcome, "central_gap").abs() <= 1e-6 * least.abs(), "{partners}");
        // Two scalars by pair and round, and those that settle the bargain.
        (ctx.finish().messages as f64, value(&outcome, "solver_iterations"))
    };
    let ((all, rounds_of_all), (few, rounds_of_few)) = (sent("All"), sent("Nearest(2)"));
    assert!(few / rounds_of_few < 0.5 * all / rounds_of_all, "{few} of {rounds_of_few}, {all} of {rounds_of_all}");
}

/// The same agents counted in MWh and money per MWh: a penalty that only suits one unit would not end, or elsewhere.
#[test]
fn the_unit_of_energy_changes_no_bargain() {
    let paid = |unit_kwh: f64, solver: &str| -> Vec<f64> {
        let outcome = run(solver, &three_counted_in(unit_kwh));
        assert_eq!(outcome.status, Status::Converged, "{unit_kwh}, {solver}: {:?}", outcome.evidence);
        (0..3).map(|i| -outcome.ledger.balance(Party::Member(i))).collect()
    };
    for solver in ["Central", "Admm(scaling: Adaptive())", "Admm(scaling: Adaptive(groups: Pair))"] {
        for unit_kwh in [1.0, 1000.0, 0.001] {
            assert_all(&paid(unit_kwh, solver), &[-91.464_681_440, -47.250_692_521, 138.715_373_961], 2e-2);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let solve = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let fresh = five_vpps::market();
        let solver = "Admm(max_iterations: 40, scaling: Adaptive(), acceleration: GeometricSeries)";
        pool.install(|| (run(solver, &fresh), run("FastDualAscent(max_iterations: 40)", &fresh)))
    };
    let ((a, b), (c, d)) = (solve(1), solve(4));
    assert_eq!((a.net, b.net), (c.net, d.net));
    assert_eq!((a.ledger, b.ledger), (c.ledger, d.ledger));
}

#[test]
fn parameters_without_meaning_are_refused_by_name() {
    for (solver, name) in [
        ("Admm(rho: 0)", "rho"),
        ("Admm(tolerance: -1e-6)", "tolerance"),
        ("Admm(max_iterations: 0)", "max_iterations"),
        ("Admm(scaling: Adaptive(freeze_after: 0))", "freeze_after"),
        ("Admm(partners: Nearest(0))", "partners"),
        ("FastDualAscent(friction_per_kwh2: 0)", "friction_per_kwh2"),
        ("FastDualAscent(partners: Nearest(0))", "partners"),
    ] {
        let error = bargaining(solver).run(&on_a_line(), &mut RunContext::new(1, ())).expect_err(solver).to_string();
        assert!(error.contains(name), "{solver}: {error}");
    }
}
