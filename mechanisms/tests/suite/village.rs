//! Random small markets that tests share: loads, photovoltaics, turbines, quadratic agents and storages.

use coase_core::participant::{Device, Load, MicroTurbine, Portfolio, Pv, Quadratic, Storage};
use coase_core::setting::{Member, Periods, Setting, Tariff};
use coase_core::{Market, Participant};
use proptest::prelude::*;
use std::sync::Arc;

/// Export of a quadratic agent, kWh in a period.
pub const AGENT_KWH: f64 = 40.0;
/// Rating of a storage, kW and kWh; start and end half full, without losses of its own.
pub const STORE: f64 = 20.0;
pub const EFFICIENCY: f64 = 0.9;
pub const WEAR: f64 = 0.01;
pub const PV_KW: f64 = 80.0;
pub const CONNECTION_KW: f64 = 500.0;

#[derive(Clone, Debug)]
pub struct Plant {
    pub load: Vec<f64>,
    /// Shares of its rating.
    pub pv: Option<Vec<f64>>,
    /// Cost, curvature, emission, rating.
    pub turbine: Option<(f64, f64, f64, f64)>,
    /// `a`, `b` of `a/2 x^2 + b x`.
    pub agent: Option<(f64, f64)>,
    pub storage: bool,
}

#[derive(Clone, Debug)]
pub struct Village {
    pub buy: Vec<f64>,
    pub sell: f64,
    pub intensity: Vec<f64>,
    pub plants: Vec<Plant>,
}

impl Village {
    pub fn periods(&self) -> usize {
        self.buy.len()
    }

    pub fn market(&self) -> Market {
        self.with(|_| {})
    }

    /// The same in a setting that is changed.
    pub fn with(&self, change: impl FnOnce(&mut Setting)) -> Market {
        let periods = Periods { count: self.periods(), hours: 1.0 };
        let tariff = Tariff {
            buy_per_kwh: self.buy.clone(),
            sell_per_kwh: vec![self.sell; self.periods()],
            intensity_kg_per_kwh: self.intensity.clone(),
            upstream_carbon_per_tonne: 0.0,
        };
        let portfolio = |(i, plant): (usize, &Plant)| {
            let mut devices = vec![Load { p_kw: plant.load.clone().into() }.boxed()];
            devices.extend(
                plant
                    .pv
                    .clone()
                    .map(|available| Pv { p_max_kw: PV_KW, profile: available.into(), cost_per_kwh: 0.0 }.boxed()),
            );
            devices.extend(plant.turbine.map(|(cost, curvature, emission, rating)| {
                MicroTurbine {
                    p_min_kw: 0.0,
                    p_max_kw: rating,
                    cost_per_kwh: cost,
                    cost_per_kwh2: curvature,
                    cost_per_h: 0.0,
                    ramp_kw_per_h: None,
                    emission_kg_per_kwh: emission,
                    reserve_cost_per_kw: None,
                }
                .boxed()
            }));
            devices.extend(plant.agent.map(|(a, b)| {
                Quadratic {
                    a_per_kwh2: a,
                    b_per_kwh: vec![b; self.periods()].into(),
                    net_export_min_kwh: -AGENT_KWH,
                    net_export_max_kwh: AGENT_KWH,
                    reserve_cost_per_kw: None,
                }
                .boxed()
            }));
            devices.extend(
                plant.storage.then_some(
                    Storage {
                        capacity_kwh: STORE,
                        p_charge_max_kw: STORE,
                        p_discharge_max_kw: STORE,
                        efficiency_charge: EFFICIENCY,
                        efficiency_discharge: EFFICIENCY,
                        retention_per_h: 1.0,
                        soc_min: 0.0,
                        soc_max: 1.0,
                        soc_start: 0.5,
                        soc_end: None,
                        cost_per_kwh: WEAR,
                        reserve_cost_per_kw: None,
                    }
                    .boxed(),
                ),
            );
            Arc::new(Portfolio::new(format!("p{i}"), devices, periods).expect("valid")) as Arc<dyn Participant>
        };
        let members = (0..self.plants.len()).map(|i| Member::new(format!("p{i}"), CONNECTION_KW, CONNECTION_KW));
        let mut setting = Setting::energy(periods, Some(tariff), None, members.collect());
        change(&mut setting);
        Market::new(setting, self.plants.iter().enumerate().map(portfolio).collect())
    }
}

fn plant(periods: usize) -> impl Strategy<Value = Plant> {
    let turbine = (0.4..1.4f64, prop_oneof![Just(0.0), 1e-4..4e-3f64], 0.02..0.9f64, 20.0..120.0f64);
    (
        prop::collection::vec(0.0..100.0f64, periods),
        prop::option::of(prop::collection::vec(0.0..1.0f64, periods)),
        prop::option::weighted(0.7, turbine),
        prop::option::of((2e-3..2e-2f64, 0.2..1.2f64)),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(load, pv, turbine, agent, storage)| Plant { load, pv, turbine, agent, storage })
}

/// One to four plants over one to three periods.
pub fn village() -> impl Strategy<Value = Village> {
    (1usize..4).prop_flat_map(|periods| {
        (
            prop::collection::vec(0.6..1.2f64, periods),
            0.05..0.5f64,
            prop::collection::vec(0.2..0.9f64, periods),
            prop::collection::vec(plant(periods), 1..5),
        )
            .prop_map(|(buy, sell, intensity, plants)| Village { buy, sell, intensity, plants })
    })
}
