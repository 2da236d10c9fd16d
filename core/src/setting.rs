//! What everybody knows before anybody reports: what is traded and when, the tariff, the network, who takes part.
//!
//! Knows no participant's devices or costs.

use crate::network::{BusKind, Network, NodeId};
use crate::power_flow::{Injections, PowerFlow, PowerFlowError};
use crate::random::Stream;
use rand_distr::{Distribution, Normal, Uniform};
use std::sync::Arc;

/// What can be traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Product {
    /// Electric energy, kWh in a period.
    Energy,
    /// Capacity held to inject more on call, kW.
    ReserveUp,
    /// Capacity held to inject less on call, kW.
    ReserveDown,
    /// A further commodity, by name.
    Other(&'static str),
}

impl Product {
    /// The name in result tables.
    pub fn name(self) -> &'static str {
        match self {
            Product::Energy => "energy",
            Product::ReserveUp => "reserve_up",
            Product::ReserveDown => "reserve_down",
            Product::Other(name) => name,
        }
    }
}

/// One product in one period: the unit of trade. Prices, trades and bids are vectors over slots; in an energy market slot
/// `t` *is* period `t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// What is traded.
    pub product: Product,
    /// When.
    pub period: usize,
}

/// The horizon: equal periods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Periods {
    /// How many.
    pub count: usize,
    /// Length of one, in hours.
    pub hours: f64,
}

/// The retail tariff at the grid connection, per period.
#[derive(Clone, Debug, PartialEq)]
pub struct Tariff {
    /// Price of imported energy, per kWh.
    pub buy_per_kwh: Vec<f64>,
    /// Price of exported energy, per kWh.
    pub sell_per_kwh: Vec<f64>,
    /// Emission intensity of energy from upstream, kg/kWh.
    pub intensity_kg_per_kwh: Vec<f64>,
    /// Carbon price per tonne that the tariff already contains.
    pub upstream_carbon_per_tonne: f64,
}

/// Public prior of a member's price level (`price_shift` of its base type), per kWh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Prior {
    /// Uniform on an interval.
    Uniform {
        /// Least value.
        low: f64,
        /// Greatest value.
        high: f64,
    },
    /// Normal.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        deviation: f64,
    },
}

impl Prior {
    /// One draw; a degenerate prior returns its centre.
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        match *self {
            Prior::Uniform { low, high } => Uniform::new_inclusive(low, high).map_or(low, |u| u.sample(stream)),
            Prior::Normal { mean, deviation } => Normal::new(mean, deviation).map_or(mean, |n| n.sample(stream)),
        }
    }
}

/// The side a member is on in a period: the sign of its autarky position under the bare tariff. Public, and kept under
/// misreports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has a surplus.
    Seller,
    /// Has a deficit.
    Buyer,
    /// Neither.
    Idle,
}

/// Verifiable sizes: what a member can at most put into or take out of the network, from the ratings of its devices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rating {
    /// Sum of generating ratings, kW.
    pub supply_kw: f64,
    /// Sum of consuming ratings, kW.
    pub demand_kw: f64,
}

/// One participant as everybody knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Name in files and tables.
    pub id: String,
    /// Where it is connected; `None` without a network.
    pub node: Option<NodeId>,
    /// Power factor of its exchange with the network (1: no reactive power; lagging below).
    pub power_factor: f64,
    /// Greatest import from the grid, kW.
    pub import_max_kw: f64,
    /// Greatest export to the grid, kW.
    pub export_max_kw: f64,
    /// Verifiable sizes.
    pub rating: Rating,
    /// Free emission allowance over the horizon, kg.
    pub quota_kg: f64,
    /// Least emission per kWh among its devices that emit: public, for a quota beyond it would pay for emitting. `None` where
    /// none does.
    pub least_emission_kg_per_kwh: Option<f64>,
    /// Side by slot.
    pub roles: Vec<Role>,
    /// Metered net output without trade under the bare tariff, per slot, kWh: public, and kept whatever it reports. Empty
    /// where it is not known.
    pub baseline_kwh: Vec<f64>,
    /// Public prior of its price level, where there is one.
    pub prior: Option<Prior>,
}

impl Member {
    /// A member without a network, quota or prior.
    pub fn new(id: impl Into<String>, import_max_kw: f64, export_max_kw: f64) -> Self {
        Self {
            id: id.into(),
            node: None,
            power_factor: 1.0,
            import_max_kw,
            export_max_kw,
            rating: Rating { supply_kw: export_max_kw, demand_kw: import_max_kw },
            quota_kg: 0.0,
            least_emission_kg_per_kwh: None,
            roles: vec![],
            baseline_kwh: vec![],
            prior: None,
        }
    }

    /// Reactive power that comes with a kW of its exchange with the network, kvar.
    pub fn reactive_per_kw(&self) -> f64 {
        (1.0 / (self.power_factor * self.power_factor) - 1.0).max(0.0).sqrt()
    }
}

/// The network of the scenario and the load on it that belongs to nobody here.
#[derive(Clone, Debug)]
pub struct Feeder {
    /// Topology, impedances and limits. Its own loads are the passive load at factor 1.
    pub network: Arc<Network>,
    /// Factor on the network's own active and reactive loads, per period.
    pub passive_load_factor: Vec<f64>,
    /// The network made ready for many power flows.
    pub power_flow: Arc<PowerFlow>,
}

impl Feeder {
    /// A feeder with its power flow prepared.
    ///
    /// # Errors
    /// A network that contradicts itself.
    pub fn new(network: Network, passive_load_factor: Vec<f64>) -> Result<Self, PowerFlowError> {
        let power_flow = Arc::new(PowerFlow::new(&network)?);
        Ok(Self { network: Arc::new(network), passive_load_factor, power_flow })
    }

    /// What enters the network without the members in a period: its generators in service less its own loads.
    pub fn without_members(&self, period: usize) -> Injections {
        let mut injections = Injections::loads_of(&self.network);
        let factor = self.passive_load_factor[period];
        for kw in injections.p_kw.iter_mut().chain(&mut injections.q_kvar) {
            *kw *= factor;
        }
        let generators = self.network.generators.iter().filter(|g| g.in_service);
        for g in generators.filter(|g| self.network.bus(g.node).kind != BusKind::Slack) {
            injections.add(g.node, g.p_kw, g.q_kvar);
        }
        injections
    }
}

/// What everybody knows.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The horizon.
    pub periods: Periods,
    /// What is traded.
    pub slots: Vec<Slot>,
    /// Grid tariff; `None` is a market with no grid behind it.
    pub tariff: Option<Tariff>,
    /// What the operator itself needs, per slot (reserve); zero for energy.
    pub requirement: Vec<f64>,
    /// The network; `None` means a copper plate.
    pub feeder: Option<Feeder>,
    /// Who takes part.
    pub members: Vec<Member>,
    /// Programs that settling the choices in one answer may take (which way to exchange where a kWh fed in earns more than one
    /// drawn costs, charging or discharging); then the answer is the best found, and says how far from the best it may be.
    pub choice_programs: usize,
    /// How long a fixed point of nodal prices is searched for.
    pub fixed_point: FixedPointSearch,
}

/// How long a fixed point of nodal prices is searched for; where it is not found by then, the nearest point stands and says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedPointSearch {
    /// Rounds of one attempt, at least 1; three times as many where a share of the price's jump at the root is sought too.
    pub rounds: usize,
    /// Attempts, at least 1: with the anchor of losses, as steep as prices turn out, and stronger. There are
    /// [`FixedPointSearch::ATTEMPTS`] kinds.
    pub attempts: usize,
}

impl FixedPointSearch {
    /// Kinds of attempts.
    pub const ATTEMPTS: usize = 5;
}

impl Default for FixedPointSearch {
    fn default() -> Self {
        Self { rounds: 100, attempts: Self::ATTEMPTS }
    }
}

impl Setting {
    /// Programs that settling the choices in one answer may take, where nothing is said.
    pub const CHOICE_PROGRAMS: usize = 2000;

    /// An energy market: one slot per period.
    pub fn energy(periods: Periods, tariff: Option<Tariff>, feeder: Option<Feeder>, members: Vec<Member>) -> Self {
        let slots = (0..periods.count).map(|period| Slot { product: Product::Energy, period }).collect();
        let requirement = vec![0.0; periods.count];
        let (choice_programs, fixed_point) = (Self::CHOICE_PROGRAMS, FixedPointSearch::default());
        Self { periods, slots, tariff, requirement, feeder, members, choice_programs, fixed_point }
    }

    /// A series per period as one per slot: energy slots have that of their period, other products nothing. An empty series
    /// stays empty.
    pub fn by_slot(&self, of_period: &[f64]) -> Vec<f64> {
        if of_period.is_empty() {
            return vec![];
        }
        let of = |slot: &Slot| if slot.product == Product::Energy { of_period[slot.period] } else { 0.0 };
        self.slots.iter().map(of).collect()
    }

    /// The energy slot of each period, where there is one.
    pub fn energy_slot(&self, period: usize) -> Option<usize> {
        self.slots.iter().position(|s| s.product == Product::Energy && s.period == period)
    }

    /// What participants together can at most put into or take out of the network in a slot, with what the operator requires;
    /// from public sizes. In kWh for energy, in kW for capacity.
    pub fn reach_kwh(&self, slot: usize) -> f64 {
        let hours = if self.slots[slot].product == Product::Energy { self.periods.hours } else { 1.0 };
        let of = |member: &Member| {
            let rating = member.rating.supply_kw.max(member.rating.demand_kw);
            if rating > 0.0 { rating } else { member.import_max_kw.max(member.export_max_kw) }
        };
        hours * self.members.iter().map(of).sum::<f64>() + self.requirement[slot].abs()
    }

    /// What the energy within reach of participants is worth at the tariff, at most; from public sizes.
    pub fn reach_money(&self) -> f64 {
        let Some(tariff) = &self.tariff else { return 0.0 };
        let worth = |t: usize| {
            let price = tariff.buy_per_kwh[t].abs().max(tariff.sell_per_kwh[t].abs());
            self.energy_slot(t).map_or(0.0, |slot| price * self.reach_kwh(slot))
        };
        (0..self.periods.count).map(worth).sum()
    }

    /// Emission intensity of upstream energy per period, kg/kWh; zero without a grid.
    pub fn intensity(&self, period: usize) -> f64 {
        self.tariff.as_ref().map_or(0.0, |t| t.intensity_kg_per_kwh[period])
    }
}
