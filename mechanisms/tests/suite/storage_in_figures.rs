//! What storages and vehicles give back was generated before: figures keep them apart. A vehicle and a storage buy low and
//! sell high: of 10 kWh from the sun in each of two periods, 8 charge them in the first (6 and 2), and 8 come back in the
//! second. Exported are 2 and 18 kWh: as much as was generated, and nothing was consumed here in the end.

use coase_core::Market;
use coase_core::mechanism::Mechanism;
use coase_core::participant::{
    Device, EvFleet, EvSession, Interruptible, Load, MicroTurbine, Participant, Portfolio, Pv, Quadratic, Storage,
};
use coase_core::record::Table;
use coase_core::setting::{Member, Periods, Setting, Tariff};
use coase_mechanisms::{GridOnly, NashBargaining};
use coase_testkit::measured::{Measured, measure};
use coase_testkit::policy;
use std::sync::Arc;

const HOURS: Periods = Periods { count: 2, hours: 1.0 };

fn run(plants: Vec<Vec<Box<dyn Device>>>) -> Measured {
    run_by(&GridOnly::default(), plants)
}

fn run_by(mechanism: &dyn Mechanism, plants: Vec<Vec<Box<dyn Device>>>) -> Measured {
    let tariff = Tariff {
        buy_per_kwh: vec![0.1, 0.9],
        sell_per_kwh: vec![0.05, 0.8],
        intensity_kg_per_kwh: vec![0.5; 2],
        upstream_carbon_per_tonne: 0.0,
    };
    let members = (0..plants.len()).map(|i| Member::new(format!("p{i}"), 1000.0, 1000.0)).collect();
    let plant = |devices| Arc::new(Portfolio::new("p", devices, HOURS).expect("valid")) as Arc<dyn Participant>;
    let market =
        Market::new(Setting::energy(HOURS, Some(tariff), None, members), plants.into_iter().map(plant).collect());
    measure(&market, mechanism, &*policy("None()"))
}

fn sun() -> Box<dyn Device> {
    Pv { p_max_kw: 10.0, profile: vec![1.0; 2].into(), cost_per_kwh: 0.0 }.boxed()
}

fn vehicle() -> Box<dyn Device> {
    let session = EvSession {
        count: 1,
        arrival_h: 0.0,
        departure_h: 2.0,
        energy_kwh: 20.0,
        target_kwh: 20.0,
        capacity_kwh: 50.0,
        p_max_kw: 6.0,
        efficiency: 1.0,
    };
    EvFleet { v2g: true, sessions: vec![session] }.boxed()
}

fn storage() -> Box<dyn Device> {
    Storage {
        capacity_kwh: 4.0,
        p_charge_max_kw: 2.0,
        p_discharge_max_kw: 2.0,
        efficiency_charge: 1.0,
        efficiency_discharge: 1.0,
        retention_per_h: 1.0,
        soc_min: 0.0,
        soc_max: 1.0,
        soc_start: 0.5,
        soc_end: None,
        cost_per_kwh: 0.0,
        reserve_cost_per_kw: None,
    }
    .boxed()
}

#[track_caller]
fn all_close(found: &[Option<f64>], expected: &[Option<f64>]) {
    assert_eq!(found.len(), expected.len());
    let close = |(f, e): (&Option<f64>, &Option<f64>)| match (f, e) {
        (Some(f), Some(e)) => (f - e).abs() < 1e-5,
        (None, None) => true,
        _ => false,
    };
    assert!(found.iter().zip(expected).all(close), "{found:?} instead of {expected:?}");
}

#[test]
fn discharging_is_no_generation() {
    let run = run(vec![vec![sun(), vehicle(), storage()]]);
    assert!((run.of_participants("export_kwh")[0] - 20.0).abs() < 1e-5);
    assert!(run.metric("self_consumption").abs() < 1e-6, "{}", run.metric("self_consumption"));
}

#[test]
fn an_agent_known_by_its_cost_generates_what_it_exports() {
    // 10 kWh in each period at a marginal cost below both prices.
    let agent = Quadratic::between_prices(0.004, vec![0.0; 2], 0.0, 0.04).expect("convex");
    let run = run(vec![vec![agent.boxed()]]);
    assert!(run.metric("self_consumption").abs() < 1e-6, "{}", run.metric("self_consumption"));
}

#[test]
fn storages_and_vehicles_have_a_column_each() {
    let run = run(vec![vec![sun(), vehicle(), storage()], vec![sun(), vehicle()], vec![sun(), storage()]]);
    let (own, vehicles) = (run.column(Table::Periods, "soc_kwh"), run.column(Table::Periods, "ev_soc_kwh"));
    // The vehicle has left at the end of the second period.
    all_close(&own, &[Some(4.0), Some(2.0), None, None, Some(4.0), Some(2.0)]);
    all_close(&vehicles, &[Some(26.0), Some(0.0), Some(26.0), Some(0.0), None, None]);
}

/// 21 kWh from a turbine at 0.6 kg/kWh serve 10 kWh of load less 1 that is cut, and 12 are sold: 5.4 kg stay, 7.2 go with
/// what is sold. The cut is no source.
#[test]
fn load_that_is_cut_dilutes_no_contract() {
    let turbine = MicroTurbine {
        p_min_kw: 21.0,
        p_max_kw: 21.0,
        cost_per_kwh: 0.1,
        cost_per_kwh2: 0.0,
        cost_per_h: 0.0,
        ramp_kw_per_h: None,
        emission_kg_per_kwh: 0.6,
        reserve_cost_per_kw: None,
    }
    .boxed();
    let load = |kw: f64| Load { p_kw: vec![kw; 2].into() }.boxed();
    let cut = Interruptible { share: 0.1, compensation_per_kwh: 0.01 }.boxed();
    let run = run_by(&NashBargaining::default(), vec![vec![turbine, load(10.0), cut], vec![load(12.0)]]);
    all_close(&run.column(Table::Participants, "contract_kg"), &[Some(10.8), Some(14.4)]);
}
