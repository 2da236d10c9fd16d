//! Random portfolios against random prices, of either sign: whatever passes validation can operate, and the powers that are
//! reported obey the equations of every device and cost what is reported, as recomputed here from the powers alone.

mod common;

use coase_core::participant::{
    Device, EvFleet, EvMode, EvSession, Hvac, HvacControl, Interruptible, Load, MicroTurbine, Portfolio, Renewable,
    Shiftable, Storage,
};
use coase_core::setting::{Member, Periods, Setting, Tariff};
use common::local_problem::{Autarky, autarky};
use proptest::prelude::*;

const COUNT: usize = 8;
const LIMIT_KW: f64 = 400.0;
const TOLERANCE: f64 = 1e-5;

fn series(range: std::ops::Range<f64>) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(range, COUNT)
}

fn storage() -> impl Strategy<Value = Storage> {
    (10.0..200.0f64, 5.0..80.0f64, 5.0..80.0f64, 0.8..1.0f64, 0.95..1.0f64, 0.0..1.0f64, 0.0..0.05f64).prop_map(
        |(capacity_kwh, charge, discharge, efficiency, retention_per_h, start, cost_per_kwh)| Storage {
            capacity_kwh,
            p_charge_max_kw: charge,
            p_discharge_max_kw: discharge,
            efficiency_charge: efficiency,
            efficiency_discharge: 0.95,
            retention_per_h,
            soc_min: 0.1,
            soc_max: 0.9,
            soc_start: 0.1 + 0.8 * start,
            soc_end: None,
            cost_per_kwh,
            reserve_cost_per_kw: None,
        },
    )
}

fn turbine() -> impl Strategy<Value = MicroTurbine> {
    (0.0..20.0f64, 20.0..80.0f64, 0.1..1.0f64, 0.0..1e-2f64, 5.0..60.0f64).prop_map(
        |(p_min_kw, p_max_kw, cost_per_kwh, cost_per_kwh2, ramp)| MicroTurbine {
            p_min_kw,
            p_max_kw,
            cost_per_kwh,
            cost_per_kwh2,
            cost_per_h: 1.5,
            ramp_kw_per_h: Some(ramp),
            emission_kg_per_kwh: 0.6,
            reserve_cost_per_kw: None,
        },
    )
}

fn room() -> impl Strategy<Value = Hvac> {
    (series(20.0..36.0), 0.0..0.5f64, 22.0..26.0f64, prop::bool::ANY).prop_map(
        |(outdoor_c, discomfort_per_c2, start_c, flexible)| Hvac {
            resistance_c_per_kw: 0.2,
            capacity_kwh_per_c: 10.0,
            cop: 3.0,
            p_max_kw: 40.0,
            outdoor_c,
            start_c,
            min_c: 22.0,
            max_c: 26.0,
            target_c: 24.5,
            discomfort_per_c2,
            control: if flexible { HvacControl::Flexible } else { HvacControl::ConstantTemperature },
        },
    )
}

fn vehicles() -> impl Strategy<Value = EvFleet> {
    let session = (0.0..3.0f64, 0.3..3.9f64, 0.0..40.0f64, 0.0..1.0f64, 1usize..5).prop_map(
        |(arrival_h, stay_h, energy_kwh, ambition, count)| {
            let departure_h = (arrival_h + stay_h).min(4.0);
            let most = (7.0 * 0.9 * (departure_h - arrival_h)).min(50.0 - energy_kwh);
            EvSession {
                count,
                arrival_h,
                departure_h,
                energy_kwh,
                target_kwh: energy_kwh + ambition * most,
                capacity_kwh: 50.0,
                p_max_kw: 7.0,
                efficiency: 0.9,
            }
        },
    );
    (prop::collection::vec(session, 1..4), prop::bool::ANY).prop_map(|(sessions, both)| EvFleet {
        mode: if both { EvMode::Bidirectional } else { EvMode::ChargeOnly },
        sessions,
    })
}

/// Sum over periods of a cost per hour.
fn cost_of(power: &[f64], hours: f64, per_hour: impl Fn(f64) -> f64) -> f64 {
    power.iter().map(|p| hours * per_hour(*p)).sum()
}

/// Checks one device's powers and returns what they cost.
fn checked_cost(
    device: &Device,
    power: &[f64],
    around: (&Autarky, usize, &[f64], Periods),
) -> Result<f64, TestCaseError> {
    let (answer, position, load, periods) = around;
    let h = periods.hours;
    let reported = &answer.contribution.devices[position];
    let cost = match device {
        Device::Pv(d) | Device::Wind(d) => {
            for (p, share) in power.iter().zip(&d.profile) {
                prop_assert!(*p > -TOLERANCE && *p < d.p_max_kw * share + TOLERANCE);
            }
            cost_of(power, h, |p| d.cost_per_kwh * p)
        }
        Device::Load(d) => {
            for (p, demand) in power.iter().zip(&d.p_kw) {
                prop_assert_eq!(*p, -demand);
            }
            0.0
        }
        Device::Interruptible(d) => {
            for (p, demand) in power.iter().zip(load) {
                prop_assert!(*p > -TOLERANCE && *p < d.share * demand + TOLERANCE);
            }
            cost_of(power, h, |p| d.compensation_per_kwh * p)
        }
        Device::Shiftable(d) => {
            prop_assert!(power.iter().sum::<f64>().abs() < TOLERANCE);
            for (p, demand) in power.iter().zip(load) {
                prop_assert!(p.abs() < d.share * demand + TOLERANCE);
            }
            cost_of(power, h, |p| d.cost_per_kwh * p.abs())
        }
        Device::MicroTurbine(d) => {
            let ramp = d.ramp_kw_per_h.unwrap_or(f64::INFINITY);
            for w in power.windows(2) {
                prop_assert!((w[1] - w[0]).abs() < ramp * h + TOLERANCE);
            }
            for p in power {
                prop_assert!(*p > d.p_min_kw - TOLERANCE && *p < d.p_max_kw + TOLERANCE);
            }
            cost_of(power, h, |p| d.cost_per_kwh2 * p * p + d.cost_per_kwh * p + d.cost_per_h)
        }
        Device::Storage(d) => {
            let start = d.soc_start * d.capacity_kwh;
            let mut stored = start;
            for (p, claimed) in power.iter().zip(answer.series(&reported.stored_kwh)) {
                prop_assert!(*p > -d.p_charge_max_kw - TOLERANCE && *p < d.p_discharge_max_kw + TOLERANCE);
                // One direction only: its net power says all about what was stored.
                let gain = if *p < 0.0 { -p * d.efficiency_charge } else { -p / d.efficiency_discharge };
                stored = stored * d.retention_per_h.powf(h) + h * gain;
                prop_assert!((stored - claimed).abs() < TOLERANCE * (1.0 + stored), "{stored} {claimed}");
                prop_assert!(stored > d.soc_min * d.capacity_kwh - TOLERANCE);
                prop_assert!(stored < d.soc_max * d.capacity_kwh + TOLERANCE);
            }
            prop_assert!((stored - start).abs() < TOLERANCE * (1.0 + start));
            cost_of(power, h, |p| d.cost_per_kwh * p.abs())
        }
        Device::EvFleet(d) => {
            if d.mode == EvMode::ChargeOnly {
                let (low, high) = d.charging_envelope_kwh(periods);
                let mut taken = 0.0;
                for (t, p) in power.iter().enumerate() {
                    prop_assert!(*p < TOLERANCE);
                    taken -= p * h;
                    prop_assert!(taken > low[t + 1] - TOLERANCE && taken < high[t + 1] + TOLERANCE);
                }
            }
            0.0
        }
        Device::Hvac(d) => {
            let mut theta = d.start_c;
            let mut discomfort = 0.0;
            for (t, (p, claimed)) in power.iter().zip(answer.series(&reported.discomfort)).enumerate() {
                theta = d.temperature_after(theta, d.outdoor_c[t], -p, periods);
                prop_assert!(theta > d.min_c - TOLERANCE && theta < d.max_c + TOLERANCE);
                let permitted = (d.max_c - d.target_c).max(d.target_c - d.min_c);
                prop_assert!((theta - d.target_c - claimed * permitted).abs() < TOLERANCE);
                discomfort += h * d.discomfort_per_c2 * (theta - d.target_c).powi(2);
            }
            discomfort
        }
        Device::Quadratic(_) => 0.0,
    };
    Ok(cost)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_global_rejects: 4000, ..ProptestConfig::default() })]

    #[test]
    fn powers_obey_the_equations_and_cost_what_is_reported(
        (load, profile) in (series(0.0..60.0), series(0.0..1.0)),
        (storage, turbine, room, vehicles) in (storage(), turbine(), room(), vehicles()),
        (cut, shift) in (0.0..0.5f64, 0.0..0.05f64),
        (buy, spread) in (series(-0.3..1.2), 0.0..0.3f64),
    ) {
        let periods = Periods { count: COUNT, hours: 0.5 };
        let devices = vec![
            Device::Pv(Renewable { p_max_kw: 90.0, profile, cost_per_kwh: 0.01 }),
            Device::Load(Load { p_kw: load.clone() }),
            Device::Interruptible(Interruptible { share: cut, compensation_per_kwh: 0.8 }),
            Device::Shiftable(Shiftable { share: 0.4, cost_per_kwh: shift }),
            Device::MicroTurbine(turbine),
            Device::Storage(storage),
            Device::EvFleet(vehicles),
            Device::Hvac(room),
        ];
        // A band that this weather makes impossible is for another test.
        let Ok(portfolio) = Portfolio::new("vpp", devices, periods) else {
            return Err(TestCaseError::reject("not valid"));
        };
        let tariff = Tariff {
            sell_per_kwh: buy.iter().map(|price| price - spread).collect(),
            buy_per_kwh: buy,
            intensity_kg_per_kwh: vec![0.5; COUNT],
            upstream_carbon_per_tonne: 0.0,
        };
        let setting = Setting::energy(periods, Some(tariff), None, vec![Member::new("vpp", LIMIT_KW, LIMIT_KW)]);
        let answer = autarky(&portfolio, &setting, LIMIT_KW, None).unwrap();
        let mut cost = 0.0;
        let mut output = [0.0; COUNT];
        for (k, device) in portfolio.devices().iter().enumerate() {
            let power = answer.series(&answer.contribution.devices[k].power_kw);
            cost += checked_cost(device, &power, (&answer, k, &load, periods))?;
            output.iter_mut().zip(&power).for_each(|(sum, p)| *sum += 0.5 * p);
        }
        let reported = answer.contribution.cost.value(&answer.solution.x);
        prop_assert!((cost - reported).abs() < TOLERANCE * (1.0 + cost.abs()), "{} {}", cost, reported);
        for (sum, reported) in output.iter().zip(answer.series(&answer.contribution.output)) {
            prop_assert!((sum - reported).abs() < TOLERANCE);
        }
    }
}
