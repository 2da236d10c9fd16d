//! What the result tables say of the 33-bus feeder under nodal prices: prices in their parts at every bus, flows in every
//! branch.

use coase_core::engine::Cleared;
use coase_core::evaluate::Evaluation;
use coase_core::outcome::Verdict;
use coase_core::record::{METRICS, Row, Table, Value};
use coase_core::{Party, Reason, Status};
use coase_mechanisms as _;
use coase_testkit::five_vpps::{OnFeeder, setting};
use coase_testkit::measured::{measure_with_damage, mechanism};
use coase_testkit::policy;

const PARTS: [&str; 5] = ["energy_per_kwh", "loss_per_kwh", "congestion_per_kwh", "voltage_per_kwh", "carbon_per_kwh"];

fn run(text: &str) -> (Cleared, Evaluation) {
    within(0.90, text)
}

fn within(v_min_pu: f64, text: &str) -> (Cleared, Evaluation) {
    let market = OnFeeder::IEEE_33.within(v_min_pu, 1.05).market();
    let run = measure_with_damage(280.0, &market, &*mechanism("grid-only"), &*policy(text));
    (run.cleared, run.found)
}

fn cell<'r>(table: Table, row: &'r Row, name: &str) -> &'r Value {
    &row[table.columns().iter().position(|c| c.name == name).expect(name)]
}

fn number(table: Table, row: &Row, name: &str) -> f64 {
    match cell(table, row, name) {
        Value::Number(x) => *x,
        Value::Integer(k) => *k as f64,
        other => panic!("{name} is {other:?}"),
    }
}

fn node(row: &Row, name: &str) -> f64 {
    number(Table::Nodes, row, name)
}

fn branch(row: &Row, name: &str) -> f64 {
    number(Table::Branches, row, name)
}

/// The price that the signal charges each member per kWh beyond a ladder of its own: the first series of every policy here.
fn charged(cleared: &Cleared, member: usize, period: usize) -> f64 {
    cleared.signal.nodal().price_per_kwh[member * 24 + period]
}

#[test]
fn parts_sum_to_the_price_at_every_bus_and_hour_and_members_are_charged_it() {
    let buy = setting().tariff.expect("a tariff").buy_per_kwh;
    for (policy, retail) in [
        ("Integrated()", false),
        ("Integrated(form: Adder)", false),
        ("Integrated(price_per_tonne: 0, ladder: (interval_kg: 500))", false),
        ("NodalMarginal()", true),
    ] {
        let (cleared, found) = run(policy);
        assert_eq!(cleared.outcome.status, Status::Converged, "{policy} {:?}", cleared.reason);
        let rows = &found.record.nodes;
        assert_eq!(rows.len(), 24 * 33, "{policy}");
        for row in rows {
            let sum: f64 = PARTS.iter().map(|part| node(row, part)).sum();
            assert!((sum - node(row, "price_per_kwh")).abs() < 1e-9, "{policy}");
            assert!((node(row, "energy_per_kwh") - buy[node(row, "period") as usize]).abs() < 1e-12, "{policy}");
        }
        let members = &cleared.truth.setting().members;
        let buses = &cleared.truth.setting().feeder.as_ref().expect("a feeder").network.buses;
        for (i, member) in members.iter().enumerate() {
            let at = member.node.expect("connected").0;
            for t in 0..24 {
                let row = &rows[t * 33 + at];
                assert_eq!(node(row, "bus") as u64, buses[at].id);
                let paid = charged(&cleared, i, t) + if retail { buy[t] } else { 0.0 };
                assert!((node(row, "price_per_kwh") - paid).abs() < 1e-4, "{policy} {i} {t}");
            }
        }
    }
}

/// Carbon along the flows: with one price for all it is the tax at every bus, ladder or not (Theorem U); average
/// intensities are what `nodal-flow` charges on.
#[test]
fn carbon_along_the_flows_is_priced_at_every_bus() {
    let (_, tax) = run("Integrated()");
    let (_, uniform) = run("Integrated(form: FlowInLoop, ladder: (growth: 0, quota: Fixed))");
    for (a, b) in tax.record.nodes.iter().zip(&uniform.record.nodes) {
        assert!((node(a, "price_per_kwh") - node(b, "price_per_kwh")).abs() < 2e-4, "{a:?} {b:?}");
    }
    let (_, flow) = run("NodalFlow()");
    for row in &flow.record.nodes {
        let carbon = 0.28 * node(row, "carbon_intensity_kg_per_kwh");
        assert!((node(row, "carbon_per_kwh") - carbon).abs() < 1e-12);
        assert!(node(row, "loss_per_kwh") == 0.0);
    }
}

#[test]
fn a_retail_tariff_is_no_price_at_buses() {
    for policy in ["Tax()", "SteppedNodal()"] {
        let (_, found) = run(policy);
        for row in &found.record.nodes {
            for name in PARTS.iter().chain(&["price_per_kwh"]) {
                assert_eq!(cell(Table::Nodes, row, name), &Value::Missing, "{policy}");
            }
        }
    }
    // The network operator's own ladder on what passive load draws is one.
    let (_, found) = run("SteppedNodal(coverage: Feeder)");
    assert!(found.record.nodes.iter().all(|row| node(row, "carbon_per_kwh") >= 0.0));
}

/// A voltage limit that binds: its part of the price is charged for what members withdraw, and goes to the network operator.
#[test]
fn congestion_rent_is_the_voltage_part_of_the_price_on_what_members_withdraw() {
    let (cleared, found) = within(0.955, "Integrated()");
    assert_eq!(cleared.outcome.status, Status::Converged, "{:?}", cleared.reason);
    let rows = &found.record.nodes;
    for row in rows {
        let sum: f64 = PARTS.iter().map(|part| node(row, part)).sum();
        assert!((sum - node(row, "price_per_kwh")).abs() < 1e-9);
        assert!(node(row, "voltage_per_kwh") >= -1e-9 && node(row, "congestion_per_kwh") == 0.0, "{row:?}");
    }
    let of = |t: usize, bus: usize| node(&rows[t * 33 + bus - 1], "voltage_per_kwh");
    // Dearest where the voltage is lowest, nothing at the root, nothing at night.
    assert!(of(17, 18) > 0.1 && of(17, 18) > of(17, 14) && of(17, 14) > of(17, 22) && of(17, 22) > 0.0);
    assert!(of(17, 1) == 0.0 && (1..=33).all(|bus| of(3, bus) == 0.0));
    let setting = cleared.truth.setting();
    for (i, member) in setting.members.iter().enumerate() {
        let at = member.node.expect("connected").0;
        let expected: f64 = (0..24)
            .map(|t| {
                let row = &rows[t * 33 + at];
                (node(row, "loss_per_kwh") + node(row, "voltage_per_kwh")) * -cleared.physical.plans[i].output[t]
            })
            .sum();
        let paid = -found.ledger.balance_of(Party::Member(i), &[Reason::Nodal]);
        assert!((paid - expected).abs() < 1e-2, "{i}: {paid} {expected}");
    }
    for name in ["ledger_balance", "gain_split", "limit_violation", "limit_slackness"] {
        let certificate = found.certificates.iter().find(|c| c.name == name).expect(name);
        assert_eq!(certificate.verdict, Verdict::Upheld, "{certificate:?}");
    }
    // Where the retail tariff stays limits have no price: what is violated is reported.
    let (_, retail) = within(0.955, "NodalMarginal()");
    assert!(retail.record.nodes.iter().all(|row| node(row, "voltage_per_kwh") == 0.0));
    let k = METRICS.iter().position(|c| c.name == "voltage_violation_pu").expect("a metric");
    assert!(matches!(retail.record.metrics[k], Value::Number(x) if x > 0.0));
}

#[test]
fn branches_carry_power_and_carbon_from_bus_to_bus() {
    let (_, found) = run("Integrated()");
    let rows = &found.record.branches;
    // The published feeder has 32 branches in service and 5 open ties.
    assert_eq!(rows.len(), 24 * 32);
    let (mut carbon_of_losses, mut lost) = (0.0, 0.0);
    for t in 0..24 {
        let of_period = |row: &&Row| branch(row, "period") as usize == t;
        let (mut supplied, mut at_bus) = (0.0, vec![0.0; 34]);
        for row in rows.iter().filter(of_period) {
            let (p, loss) = (branch(row, "p_from_kw"), branch(row, "loss_kw"));
            let w = branch(row, "carbon_intensity_kg_per_kwh");
            let (from, to) = (branch(row, "from") as usize, branch(row, "to") as usize);
            at_bus[from] += p;
            at_bus[to] -= p - loss;
            if from == 1 {
                supplied += p;
            }
            // Of the sending bus's mix, whichever end it is.
            assert!((branch(row, "carbon_flow_kg_per_h") - w * p).abs() < 1e-6, "{row:?}");
            let sender = if p > 0.0 { from } else { to };
            let node_row = &found.record.nodes[t * 33 + sender - 1];
            assert!((node(node_row, "carbon_intensity_kg_per_kwh") - w).abs() < 1e-12);
            lost += loss;
            carbon_of_losses += w * loss;
        }
        assert!(supplied > 0.0);
        for row in &found.record.nodes[t * 33..(t + 1) * 33] {
            assert!((node(row, "p_kw") - at_bus[node(row, "bus") as usize]).abs() < 1e-5, "{t} {row:?}");
        }
    }
    let metric = |name: &str| {
        let k = METRICS.iter().position(|c| c.name == name).expect(name);
        let Value::Number(x) = found.record.metrics[k] else { panic!("{name}") };
        x
    };
    assert!((lost - metric("loss_kwh")).abs() < 1e-6);
    assert!((carbon_of_losses - metric("loss_carbon_kg")).abs() < 1e-6);
}
