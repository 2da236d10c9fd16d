//! What the result tables say of the 33-bus feeder under nodal prices: prices in their parts at every bus, flows in every
//! branch.

#[path = "../../core/tests/common/mod.rs"]
mod common;

use coase_core::carbon::CarbonPolicy;
use coase_core::engine::{self, Cleared, Reporting};
use coase_core::evaluate::{Evaluation, Search, Yardstick, evaluate};
use coase_core::mechanism::Mechanism;
use coase_core::network::built_in;
use coase_core::open::Open;
use coase_core::participant::Participant;
use coase_core::record::{METRICS, Row, Table, Value};
use coase_core::setting::{Feeder, Setting};
use coase_core::{Market, Status};
use coase_mechanisms as _;
use common::five_vpps::{five_vpps, setting};
use common::shapes::RTS_WINTER;
use std::sync::Arc;

const PARTS: [&str; 5] = ["energy_per_kwh", "loss_per_kwh", "congestion_per_kwh", "voltage_per_kwh", "carbon_per_kwh"];

fn market() -> Market {
    let bare = setting();
    let network = built_in("ieee-33").expect("built in").network().expect("valid");
    let vpps = five_vpps();
    let mut members = bare.members.clone();
    for (member, vpp) in members.iter_mut().zip(&vpps) {
        member.node = network.node(u64::from(vpp.bus));
    }
    let feeder = Feeder::new(network, RTS_WINTER.iter().map(|x| 0.5 * x).collect()).expect("a feeder");
    let setting = Setting { feeder: Some(feeder), members, ..bare };
    Market::new(setting, vpps.into_iter().map(|v| Arc::new(v.portfolio) as Arc<dyn Participant>).collect())
}

fn run(policy: &str) -> (Cleared, Evaluation) {
    let market = market();
    let policy: Box<dyn CarbonPolicy> = serde_json::from_str(policy).expect("a policy");
    let mechanism = (<dyn Mechanism>::set().get("grid-only").expect("registered").default)();
    let yardstick = Yardstick {
        upstream_cost_per_kwh: market.setting().tariff.as_ref().expect("a tariff").sell_per_kwh.clone(),
        damage_per_tonne: 280.0,
        core: Search::Skipped,
        regret: Search::Skipped,
    };
    let entered = engine::enter(&market, &*policy);
    let cleared = engine::clear(&*mechanism, &entered, &*policy, &Reporting::Truthful, 1, &()).expect("an outcome");
    let found = evaluate(&cleared, &*mechanism, &*policy, 1, &yardstick).expect("figures");
    (cleared, found)
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
    cleared.signal[member * 24 + period]
}

#[test]
fn parts_sum_to_the_price_at_every_bus_and_hour_and_members_are_charged_it() {
    let buy = setting().tariff.expect("a tariff").buy_per_kwh;
    for (policy, retail) in [
        (r#"{"Integrated": {}}"#, false),
        (r#"{"Integrated": {"form": "Adder"}}"#, false),
        (r#"{"Integrated": {"price_per_tonne": 0, "ladder": {"interval_kg": 500}}}"#, false),
        (r#"{"NodalMarginal": {}}"#, true),
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
    let (_, tax) = run(r#"{"Integrated": {}}"#);
    let (_, uniform) = run(r#"{"Integrated": {"form": "FlowInLoop", "ladder": {"growth": 0, "quota": "Fixed"}}}"#);
    for (a, b) in tax.record.nodes.iter().zip(&uniform.record.nodes) {
        assert!((node(a, "price_per_kwh") - node(b, "price_per_kwh")).abs() < 2e-4, "{a:?} {b:?}");
    }
    let (_, flow) = run(r#"{"NodalFlow": {}}"#);
    for row in &flow.record.nodes {
        let carbon = 0.28 * node(row, "carbon_intensity_kg_per_kwh");
        assert!((node(row, "carbon_per_kwh") - carbon).abs() < 1e-12);
        assert!(node(row, "loss_per_kwh") == 0.0);
    }
}

#[test]
fn a_retail_tariff_is_no_price_at_buses() {
    for policy in [r#"{"Tax": {}}"#, r#"{"SteppedNodal": {}}"#] {
        let (_, found) = run(policy);
        for row in &found.record.nodes {
            for name in PARTS.iter().chain(&["price_per_kwh"]) {
                assert_eq!(cell(Table::Nodes, row, name), &Value::Missing, "{policy}");
            }
        }
    }
    // The network operator's own ladder on what passive load draws is one.
    let (_, found) = run(r#"{"SteppedNodal": {"coverage": "Feeder"}}"#);
    assert!(found.record.nodes.iter().all(|row| node(row, "carbon_per_kwh") >= 0.0));
}

#[test]
fn branches_carry_power_and_carbon_from_bus_to_bus() {
    let (_, found) = run(r#"{"Integrated": {}}"#);
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
