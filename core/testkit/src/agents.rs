//! Agents known by their cost alone, `a x^2 / 2 + b x` of their net export `x`, for one hour at a tariff of 0.4 / 1.0: at a
//! price `p` each exports `(p - b) / a`, so that everything has a closed form.

use crate::{HOUR, tariff};
use coase_core::Market;
use coase_core::network::Network;
use coase_core::participant::{Device, Load, Participant, Portfolio, Quadratic};
use coase_core::setting::{Feeder, Member, Setting, Tariff};
use std::sync::Arc;

/// `a` and `b` of the three agents. Without trade they pay -5, 0 and -2.5; the best of all three together is -5505/76, at a
/// price of 71/95.
pub const THREE: [Agent; 3] = [Agent::of(0.004, 0.20), Agent::of(0.005, 0.55), Agent::of(0.002, 1.10)];

/// What a kWh costs, yields and emits upstream.
pub fn agents_tariff() -> Tariff {
    tariff(&[1.0], 0.4, 0.581)
}

/// An agent of cost `a x^2 / 2 + b x`.
#[derive(Clone, Copy, Debug)]
pub struct Agent {
    /// Slope of its marginal cost, per kWh^2.
    pub a: f64,
    /// Its marginal cost at rest, per kWh.
    pub b: f64,
    /// Free allowance, kg.
    pub quota_kg: f64,
    /// Bus, where there is a feeder.
    pub bus: u64,
}

impl Agent {
    /// Without an allowance, at bus 1.
    pub const fn of(a: f64, b: f64) -> Self {
        Self { a, b, quota_kg: 0.0, bus: 1 }
    }

    /// The same at another bus.
    pub const fn at(self, bus: u64) -> Self {
        Self { bus, ..self }
    }

    /// The same with a free allowance in kg.
    pub const fn with_quota(self, quota_kg: f64) -> Self {
        Self { quota_kg, ..self }
    }
}

/// Agents without a network; each may exchange 1000 kW with the grid.
pub fn market(agents: &[Agent]) -> Market {
    build(agents, None)
}

/// The three without a network.
pub fn three() -> Market {
    market(&THREE)
}

/// The three without a network in a setting that is changed: with priors.
pub fn three_but(change: impl FnOnce(&mut Setting)) -> Market {
    let (mut setting, participants) = parts(&THREE, None);
    change(&mut setting);
    Market::new(setting, participants)
}

/// The three without a network, and without limits of exchange that ever bind.
pub fn three_unlimited() -> Market {
    let (mut setting, participants) = parts(&THREE, None);
    for member in &mut setting.members {
        (member.import_max_kw, member.export_max_kw) = (1e5, 1e5);
    }
    Market::new(setting, participants)
}

/// The three with energy counted in a unit of so many kWh, money as it is.
///
/// # Panics
/// If the unit is none.
pub fn three_counted_in(unit_kwh: f64) -> Market {
    let counted = THREE.map(|agent| Agent::of(agent.a * unit_kwh * unit_kwh, agent.b * unit_kwh));
    let (mut setting, _) = parts(&counted, None);
    let reach = 1000.0 / unit_kwh;
    for member in &mut setting.members {
        (member.import_max_kw, member.export_max_kw) = (reach, reach);
    }
    setting.tariff = Some(tariff(&[unit_kwh], 0.4 * unit_kwh, 0.581 * unit_kwh));
    let participant = |(i, agent): (usize, &Agent)| -> Arc<dyn Participant> {
        let device = Quadratic::between_prices(agent.a, vec![agent.b], 0.0, 2.0 * unit_kwh).expect("a convex cost");
        Arc::new(Portfolio::new(format!("vpp{}", i + 1), vec![device.boxed()], HOUR).expect("valid"))
    };
    Market::new(setting, counted.iter().enumerate().map(participant).collect())
}

/// Agents at their buses of a network whose own load is there at a share `passive`.
///
/// # Panics
/// If a bus does not exist.
pub fn on_network(network: Network, passive: f64, agents: &[Agent]) -> Market {
    build(agents, Some(Feeder::new(network, vec![passive]).expect("a feeder")))
}

/// A line of 100 kVA without losses to speak of.
pub const LINE: &str = r#"Network(
    name: "two buses", base_mva: 1,
    buses: [(id: 1, kind: Slack, v_min_pu: 0.9, v_max_pu: 1.1), (id: 2, v_min_pu: 0.9, v_max_pu: 1.1)],
    branches: [(from: 1, to: 2, r_pu: 1e-7, x_pu: 1e-7, rate_kva: 100)],
)"#;

/// The three at the ends of [`LINE`], the seller alone beyond it: the line binds.
pub fn on_a_line() -> Market {
    on_a_line_like(LINE)
}

/// The three on another network of buses 1 and 2, the seller at bus 2.
///
/// # Panics
/// If the text is no such network.
pub fn on_a_line_like(network: &str) -> Market {
    let network = Network::from_ron(network).unwrap_or_else(|e| panic!("{e}"));
    let [seller, second, third] = THREE;
    on_network(network, 1.0, &[seller.at(2), second, third])
}

/// The three at the ends of [`LINE`] in a setting that is changed: without a tariff, without its network.
pub fn on_a_line_but(change: impl FnOnce(&mut Setting)) -> Market {
    let network = Network::from_ron(LINE).expect("a network");
    let [seller, second, third] = THREE;
    let feeder = Feeder::new(network, vec![1.0]).expect("a feeder");
    let (mut setting, participants) = parts(&[seller.at(2), second, third], Some(feeder));
    change(&mut setting);
    Market::new(setting, participants)
}

fn build(agents: &[Agent], feeder: Option<Feeder>) -> Market {
    let (setting, participants) = parts(agents, feeder);
    Market::new(setting, participants)
}

fn parts(agents: &[Agent], feeder: Option<Feeder>) -> (Setting, Vec<Arc<dyn Participant>>) {
    let mut members = vec![];
    let mut participants: Vec<Arc<dyn Participant>> = vec![];
    for (i, agent) in agents.iter().enumerate() {
        let id = format!("vpp{}", i + 1);
        let device = Quadratic::between_prices(agent.a, vec![agent.b], 0.0, 2.0).expect("a convex cost").boxed();
        let mut member = Member::new(&id, 1000.0, 1000.0);
        member.quota_kg = agent.quota_kg;
        member.node = feeder.as_ref().map(|f| f.network.node(agent.bus).expect("the network has the bus"));
        members.push(member);
        participants.push(Arc::new(Portfolio::new(id, vec![device], HOUR).expect("valid")));
    }
    (Setting::energy(HOUR, Some(agents_tariff()), feeder, members), participants)
}

/// Two together: who needs 300 kWh and who needs nothing, at a tariff of 0.3 / 0.5 and 1 kg/kWh. All that one can do for the
/// other is to import in its place.
pub fn pair() -> Market {
    let plants = [300.0, 0.0].map(|kw| {
        let load = vec![Load { p_kw: vec![kw].into() }.boxed()];
        Arc::new(Portfolio::new("plant", load, HOUR).expect("valid")) as Arc<dyn Participant>
    });
    let members = ["needs", "relays"].map(|id| Member::new(id, 1000.0, 1000.0)).to_vec();
    Market::new(Setting::energy(HOUR, Some(tariff(&[0.5], 0.3, 1.0)), None, members), plants.to_vec())
}
