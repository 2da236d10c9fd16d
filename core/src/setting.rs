//! What everybody knows before anybody reports: what is traded and when, the tariff, the network, who takes part.
//!
//! Knows no participant's devices or costs.

use crate::network::{BusKind, Network, NodeId};
use crate::power_flow::{Injections, PowerFlow, PowerFlowError};
use crate::random::Stream;
use crate::series::Series;
use crate::statistics::bounded::Bounded;
use crate::statistics::kernel::{Bandwidth, Kernel, KernelError};
use rand::RngExt;
use rand_distr::{Distribution, Normal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
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

/// Public prior: what is believed of the price per kWh at which a member is ready to trade, before it says one. The law of its
/// price level ([`Member::price_level_per_kwh`]); another level is its curve shifted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Prior {
    /// Every price between two alike.
    Uniform {
        /// Least price.
        low_per_kwh: f64,
        /// Greatest price, above the least.
        high_per_kwh: f64,
    },
    /// A normal law, cut where prices cannot be.
    Normal {
        /// Mean before it is cut.
        mean_per_kwh: f64,
        /// Standard deviation before it is cut.
        #[schemars(extend("exclusiveMinimum" = 0.0))]
        deviation_per_kwh: f64,
    },
    /// Few prices.
    Points {
        /// The prices.
        prices_per_kwh: Vec<f64>,
        /// How often each; all alike where nothing is said.
        #[serde(default)]
        weights: Vec<f64>,
    },
    /// What past bids say: a normal curve around each, cut where prices cannot be.
    Kernel {
        /// Past bids: a list, or a column of a CSV file, of whatever length.
        history_per_kwh: Series,
        /// How wide the curve around each bid is, in money per kWh where it is given.
        #[serde(default)]
        bandwidth: Bandwidth,
    },
}

/// Why a prior is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PriorError {
    /// Bounds that bound nothing.
    #[error("a uniform law from {low} to {high}: the greatest price must be above the least")]
    Interval {
        /// Least price.
        low: f64,
        /// Greatest price.
        high: f64,
    },
    /// A normal law that is none.
    #[error(
        "a normal law of mean {mean} and standard deviation {deviation}: expected finite numbers, the deviation above 0"
    )]
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation.
        deviation: f64,
    },
    /// Points that are none.
    #[error(
        "{prices} prices and {weights} weights: expected one weight of at least 0 for each finite price, some above 0"
    )]
    Points {
        /// How many prices.
        prices: usize,
        /// How many weights.
        weights: usize,
    },
    /// A history that says nothing.
    #[error(transparent)]
    History(#[from] KernelError),
    /// No value lies where prices can be.
    #[error("no price that it allows lies between {low} and {high}")]
    Outside {
        /// Least price that can be.
        low: f64,
        /// Greatest price that can be.
        high: f64,
    },
    /// A law without an end.
    #[error("a law without bounds: say between which prices bids can lie")]
    Unbounded,
}

impl Prior {
    /// One draw; of a normal law or a history without bounds, where it is not known between which prices bids can lie.
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        let normal = |mean: f64, deviation: f64, stream: &mut Stream| {
            Normal::new(mean, deviation).map_or(mean, |law| law.sample(stream))
        };
        match self {
            Prior::Normal { mean_per_kwh, deviation_per_kwh } => normal(*mean_per_kwh, *deviation_per_kwh, stream),
            Prior::Kernel { history_per_kwh, bandwidth } => {
                let values = history_per_kwh.values();
                let k = ((stream.random::<f64>() * values.len() as f64) as usize).min(values.len().saturating_sub(1));
                let width = bandwidth.of(values).unwrap_or(0.0);
                normal(values.get(k).copied().unwrap_or(0.0), width, stream)
            }
            Prior::Uniform { .. } | Prior::Points { .. } => {
                let share = stream.random::<f64>();
                self.bounded(None).map_or(0.0, |law| law.drawn(share))
            }
        }
    }

    /// The law between two prices, `None` where those of the law itself are meant. Of a history every bid must lie between
    /// them; other laws are cut there.
    ///
    /// # Errors
    /// What is wrong with the prior.
    pub fn bounded(&self, band: Option<(f64, f64)>) -> Result<Bounded, PriorError> {
        let law = match self {
            &Prior::Uniform { low_per_kwh: low, high_per_kwh: high } => {
                if !(low < high && low.is_finite() && high.is_finite()) {
                    return Err(PriorError::Interval { low, high });
                }
                Bounded::Uniform { low, high }
            }
            &Prior::Normal { mean_per_kwh: mean, deviation_per_kwh: deviation } => {
                if !(mean.is_finite() && deviation > 0.0 && deviation.is_finite()) {
                    return Err(PriorError::Normal { mean, deviation });
                }
                let (low, high) = band.ok_or(PriorError::Unbounded)?;
                Bounded::Normal { mean, deviation, low, high }
            }
            Prior::Points { prices_per_kwh, weights } => points(prices_per_kwh, weights)?,
            Prior::Kernel { history_per_kwh, bandwidth } => {
                let (low, high) = band.ok_or(PriorError::Unbounded)?;
                Bounded::Kernel(Kernel::new(history_per_kwh.values(), *bandwidth, low, high)?)
            }
        };
        match band {
            None => Ok(law),
            Some((low, high)) => law.within(low, high).ok_or(PriorError::Outside { low, high }),
        }
    }
}

fn points(prices: &[f64], weights: &[f64]) -> Result<Bounded, PriorError> {
    let weights = if weights.is_empty() { vec![1.0; prices.len()] } else { weights.to_vec() };
    let sum: f64 = weights.iter().sum();
    let fits = prices.len() == weights.len() && prices.iter().all(|price| price.is_finite());
    if !(fits && sum > 0.0 && sum.is_finite() && weights.iter().all(|weight| *weight >= 0.0)) {
        return Err(PriorError::Points { prices: prices.len(), weights: weights.len() });
    }
    let mut found: Vec<(f64, f64)> =
        prices.iter().zip(&weights).map(|(price, weight)| (*price, weight / sum)).collect();
    found.retain(|point| point.1 > 0.0);
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(Bounded::Points(found))
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
    /// Greatest net sale to peers, and greatest net purchase from them, kW; infinite where there is no limit.
    pub peer_max_kw: f64,
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
    /// Its price level: what a kWh of the public baseline is worth to it on average. Public, and known only of members with a
    /// prior.
    pub price_level_per_kwh: Option<f64>,
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
            peer_max_kw: f64::INFINITY,
            rating: Rating { supply_kw: export_max_kw, demand_kw: import_max_kw },
            quota_kg: 0.0,
            least_emission_kg_per_kwh: None,
            roles: vec![],
            baseline_kwh: vec![],
            prior: None,
            price_level_per_kwh: None,
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
    /// Of a quantity that a member would trade with its peers in a period, above 0 sold and below 0 bought, what its limit on
    /// such trade allows, kWh.
    pub fn within_peer_limit(&self, member: usize, kwh: f64) -> f64 {
        let most = self.members[member].peer_max_kw * self.periods.hours;
        kwh.clamp(-most, most)
    }

    /// Programs that settling the choices in one answer may take, where nothing is said.
    pub const CHOICE_PROGRAMS: usize = 2000;

    /// An energy market: one slot per period.
    pub fn energy(periods: Periods, tariff: Option<Tariff>, feeder: Option<Feeder>, members: Vec<Member>) -> Self {
        let slots = (0..periods.count).map(|period| Slot { product: Product::Energy, period }).collect();
        let requirement = vec![0.0; periods.count];
        let (choice_programs, fixed_point) = (Self::CHOICE_PROGRAMS, FixedPointSearch::default());
        Self { periods, slots, tariff, requirement, feeder, members, choice_programs, fixed_point }
    }

    /// The same with slots of further goods in every period, behind all others.
    pub fn with_goods(mut self, goods: impl IntoIterator<Item = Product>) -> Self {
        for product in goods {
            self.slots.extend((0..self.periods.count).map(|period| Slot { product, period }));
        }
        self.requirement.resize(self.slots.len(), 0.0);
        self
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

#[cfg(test)]
mod tests {
    use super::{Prior, PriorError};
    use crate::random::stream;
    use crate::statistics::bounded::Bounded;
    use crate::statistics::kernel::{Bandwidth, KernelError};

    fn laws() -> Vec<Prior> {
        vec![
            Prior::Uniform { low_per_kwh: 0.3, high_per_kwh: 0.9 },
            Prior::Normal { mean_per_kwh: 0.6, deviation_per_kwh: 0.1 },
            Prior::Points { prices_per_kwh: vec![0.9, 0.3], weights: vec![] },
            Prior::Kernel { history_per_kwh: vec![0.5, 0.6, 0.7].into(), bandwidth: Bandwidth::Silverman },
        ]
    }

    /// All four have the mean 0.6; of 4000 draws it is within five standard errors.
    #[test]
    fn draws_have_the_mean_of_the_law() {
        for prior in laws() {
            let mean = (0..4000).map(|k| prior.draw(&mut stream(1, "prior", 0, k))).sum::<f64>() / 4000.0;
            assert!((mean - 0.6).abs() < 5.0 * 0.3 / 4000_f64.sqrt(), "{prior:?}: {mean}");
            assert!((prior.bounded(Some((0.2, 1.0))).expect("a law").mean() - 0.6).abs() < 1e-3, "{prior:?}");
        }
    }

    #[test]
    fn a_prior_is_cut_where_prices_cannot_be_and_a_history_must_lie_there() {
        let uniform = Prior::Uniform { low_per_kwh: 0.0, high_per_kwh: 1.0 };
        assert_eq!(uniform.bounded(Some((0.4, 1.2))), Ok(Bounded::Uniform { low: 0.4, high: 1.0 }));
        assert_eq!(uniform.bounded(Some((1.1, 1.2))), Err(PriorError::Outside { low: 1.1, high: 1.2 }));
        let history = |bids: Vec<f64>| Prior::Kernel { history_per_kwh: bids.into(), bandwidth: Bandwidth::default() };
        assert!(matches!(
            history(vec![0.5, 1.3]).bounded(Some((0.4, 1.2))),
            Err(PriorError::History(KernelError::Outside { .. }))
        ));
        assert_eq!(history(vec![0.5]).bounded(Some((0.4, 1.2))), Err(KernelError::Short { count: 1 }.into()));
        assert_eq!(history(vec![0.5, 0.6]).bounded(None), Err(PriorError::Unbounded));
        assert_eq!(
            Prior::Uniform { low_per_kwh: 1.0, high_per_kwh: 1.0 }.bounded(None),
            Err(PriorError::Interval { low: 1.0, high: 1.0 })
        );
        for weights in [vec![1.0], vec![-1.0, 2.0], vec![0.0, 0.0], vec![f64::NAN, 1.0]] {
            let points = Prior::Points { prices_per_kwh: vec![0.3, 0.4], weights };
            assert!(matches!(points.bounded(None), Err(PriorError::Points { .. })));
        }
    }
}
