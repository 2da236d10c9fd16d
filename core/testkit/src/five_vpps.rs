//! Five virtual power plants on the 33-bus feeder: photovoltaics with storage and cooling, a turbine, wind with vehicles,
//! photovoltaics with a turbine, wind with storage.

use crate::shapes::{DAY, OUTDOOR_C, PV, RTS_SUMMER, RTS_WINTER, WIND, scaled, tariff_a};
use coase_core::Market;
use coase_core::network::built_in;
use coase_core::participant::{
    Device, EvFleet, EvSession, Hvac, HvacControl, Interruptible, Load, MicroTurbine, Participant, Portfolio, Pv,
    Shiftable, Storage, Wind,
};
use coase_core::setting::{Feeder, Member, Setting};
use std::sync::Arc;

/// Greatest import and greatest export of each, kW; never binding.
pub const EXCHANGE_MAX_KW: f64 = 2000.0;

/// One of the five.
#[derive(Clone, Debug)]
pub struct Vpp {
    /// Its name.
    pub id: &'static str,
    /// Its devices.
    pub portfolio: Portfolio,
    /// Free allowance over the day, kg.
    pub quota_kg: f64,
    /// Bus of the feeder, as numbered in its file.
    pub bus: u32,
}

/// The five, in order.
pub fn five_vpps() -> Vec<Vpp> {
    let vpp = |id, bus, quota_kg, devices| Vpp {
        id,
        portfolio: Portfolio::new(id, devices, DAY).expect("valid by construction"),
        quota_kg,
        bus,
    };
    vec![
        vpp("vpp1", 25, 1300.0, vec![pv(1500.0), load(450.0, &RTS_SUMMER), storage(800.0, 200.0), cooling()]),
        vpp("vpp2", 18, 1800.0, vec![turbine(300.0), load(500.0, &RTS_WINTER), interruptible(0.80)]),
        vpp("vpp3", 22, 1200.0, vec![wind(250.0), load(350.0, &RTS_WINTER), interruptible(1.10), vehicles()]),
        vpp("vpp4", 33, 600.0, vec![pv(600.0), turbine(600.0), load(350.0, &[1.0; 24])]),
        vpp(
            "vpp5",
            14,
            0.0,
            vec![
                wind(900.0),
                load(300.0, &RTS_WINTER),
                storage(600.0, 150.0),
                Shiftable { share: 0.1, cost_per_kwh: 0.02 }.boxed(),
            ],
        ),
    ]
}

/// The setting they meet in without a network.
pub fn setting() -> Setting {
    let member = |vpp: Vpp| {
        let mut member = Member::new(vpp.id, EXCHANGE_MAX_KW, EXCHANGE_MAX_KW);
        member.rating = vpp.portfolio.rating();
        member.quota_kg = vpp.quota_kg;
        member
    };
    Setting::energy(DAY, Some(tariff_a()), None, five_vpps().into_iter().map(member).collect())
}

/// The five without a network.
pub fn market() -> Market {
    in_setting(setting())
}

/// The five in a setting with a member for each.
pub fn in_setting(setting: Setting) -> Market {
    let plants = five_vpps().into_iter().map(|vpp| Arc::new(vpp.portfolio) as Arc<dyn Participant>);
    Market::new(setting, plants.collect())
}

/// A feeder and what it can carry.
#[derive(Clone, Copy, Debug)]
pub struct OnFeeder {
    /// Built-in network.
    pub id: &'static str,
    /// Its own load over the winter shape, as a share of what the network file says.
    pub passive: f64,
    /// Least and greatest voltage of every bus; `None`: as in the file.
    pub v_pu: Option<(f64, f64)>,
    /// Bus that a branch leads to, and the rating of that branch in kVA.
    pub rating: Option<(u64, f64)>,
}

impl OnFeeder {
    /// The 33-bus feeder at half its own load, limits as in its file.
    pub const IEEE_33: Self = Self { id: "ieee-33", passive: 0.5, v_pu: None, rating: None };

    /// The same within voltages.
    pub const fn within(self, v_min_pu: f64, v_max_pu: f64) -> Self {
        Self { v_pu: Some((v_min_pu, v_max_pu)), ..self }
    }

    /// The same with a rating of the branch to a bus.
    pub const fn rated(self, to_bus: u64, kva: f64) -> Self {
        Self { rating: Some((to_bus, kva)), ..self }
    }

    /// The five at their buses of it.
    pub fn market(&self) -> Market {
        let mut network = built_in(self.id).expect("built in").network().expect("valid");
        if let Some(limits) = self.v_pu {
            for bus in &mut network.buses {
                (bus.v_min_pu, bus.v_max_pu) = limits;
            }
        }
        if let Some((to, kva)) = self.rating {
            let branch = network.branches.iter().position(|b| network.bus(b.to).id == to).expect("a branch to the bus");
            network.branches[branch].rate_kva = Some(kva);
        }
        let mut setting = setting();
        for (member, vpp) in setting.members.iter_mut().zip(five_vpps()) {
            member.node = Some(network.node(u64::from(vpp.bus)).expect("the feeder has the bus"));
        }
        setting.feeder = Some(Feeder::new(network, scaled(self.passive, &RTS_WINTER)).expect("a feeder"));
        in_setting(setting)
    }
}

fn pv(p_max_kw: f64) -> Box<dyn Device> {
    Pv { p_max_kw, profile: PV.to_vec().into(), cost_per_kwh: 0.01 }.boxed()
}

fn wind(p_max_kw: f64) -> Box<dyn Device> {
    Wind { p_max_kw, profile: WIND.to_vec().into(), cost_per_kwh: 0.01 }.boxed()
}

fn load(peak_kw: f64, shape: &[f64; 24]) -> Box<dyn Device> {
    Load { p_kw: scaled(peak_kw, shape).into() }.boxed()
}

fn interruptible(compensation_per_kwh: f64) -> Box<dyn Device> {
    Interruptible { share: 0.1, compensation_per_kwh }.boxed()
}

fn turbine(p_max_kw: f64) -> Box<dyn Device> {
    MicroTurbine {
        p_min_kw: 0.0,
        p_max_kw,
        cost_per_kwh: 0.40,
        cost_per_kwh2: 2e-4,
        cost_per_h: 0.0,
        ramp_kw_per_h: Some(0.5 * p_max_kw),
        emission_kg_per_kwh: 0.40,
        reserve_cost_per_kw: None,
    }
    .boxed()
}

fn storage(capacity_kwh: f64, p_max_kw: f64) -> Box<dyn Device> {
    Storage {
        capacity_kwh,
        p_charge_max_kw: p_max_kw,
        p_discharge_max_kw: p_max_kw,
        efficiency_charge: 0.95,
        efficiency_discharge: 0.95,
        retention_per_h: 1.0,
        soc_min: 0.1,
        soc_max: 0.9,
        soc_start: 0.5,
        soc_end: None,
        cost_per_kwh: 0.02,
        reserve_cost_per_kw: None,
    }
    .boxed()
}

fn cooling() -> Box<dyn Device> {
    Hvac {
        resistance_c_per_kw: 0.02,
        capacity_kwh_per_c: 50.0,
        cop: 3.5,
        p_max_kw: 150.0,
        outdoor_c: OUTDOOR_C.to_vec().into(),
        start_c: Some(24.0),
        min_c: 22.0,
        max_c: 26.0,
        target_c: 24.0,
        discomfort_per_c2: 0.5,
        control: HvacControl::Flexible,
    }
    .boxed()
}

/// Twenty vehicles, home until seven and again from six in the evening.
fn vehicles() -> Box<dyn Device> {
    let session = |arrival_h, departure_h, energy_kwh, target_kwh| EvSession {
        count: 20,
        arrival_h,
        departure_h,
        energy_kwh,
        target_kwh,
        capacity_kwh: 50.0,
        p_max_kw: 7.0,
        efficiency: 0.95,
    };
    let sessions = vec![session(0.0, 7.0, 26.0, 38.0), session(18.0, 24.0, 20.0, 26.0)];
    EvFleet { v2g: false, sessions }.boxed()
}
