//! The limits of a network: which one a state misses, by how much, its derivative, and its words. The one place that knows.
//!
//! Knows no power flow: a state is whatever can be [`Measured`].

use super::model::{Network, NodeId};
use crate::words::number;

/// A limit of the network, `g <= 0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Least voltage at a bus: `g = v_min^2 - v^2`, pu of squared voltage.
    VoltageMin(NodeId),
    /// Greatest voltage at a bus: `g = v^2 - v_max^2`, pu of squared voltage.
    VoltageMax(NodeId),
    /// Rating of a branch, by number, at its `from` end: `g = |S| / rate - 1`.
    RatingFrom(usize),
    /// The same at its `to` end.
    RatingTo(usize),
}

/// A state of the network, as far as limits look at it.
pub trait Measured {
    /// Voltage magnitude at a node, pu; `None` where there is none.
    fn voltage_pu(&self, node: NodeId) -> Option<f64>;

    /// Active and reactive power that enter a branch, by number, at its `from` end, kW and kvar.
    fn power_at_from(&self, branch: usize) -> (f64, f64);

    /// The same at its `to` end.
    fn power_at_to(&self, branch: usize) -> (f64, f64);
}

/// Derivative of `g` by what it looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slope {
    /// By the voltage magnitude at a node, per pu.
    Voltage(NodeId, f64),
    /// By active and reactive power at the `from` end of a branch, per kW and kvar.
    From(usize, f64, f64),
    /// The same at its `to` end.
    To(usize, f64, f64),
}

/// A limit that is missed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Missed {
    /// Which.
    pub limit: Limit,
    /// What is there, pu or kVA.
    pub value: f64,
    /// How far that is beyond the limit, pu or kVA.
    pub by: f64,
}

impl Limit {
    /// Every limit of a network: both of every bus, both ends of every rated branch in service.
    pub fn all(network: &Network) -> Vec<Limit> {
        let of_buses = network.nodes().flat_map(|n| [Limit::VoltageMin(n), Limit::VoltageMax(n)]);
        of_buses.chain(rated(network).flat_map(|(k, _)| [Limit::RatingFrom(k), Limit::RatingTo(k)])).collect()
    }

    /// Whether it is a limit of voltage.
    pub fn is_of_voltage(self) -> bool {
        matches!(self, Limit::VoltageMin(_) | Limit::VoltageMax(_))
    }

    /// The limit itself, pu or kVA; without end where a branch has no rating.
    pub fn bound(self, network: &Network) -> f64 {
        match self {
            Limit::VoltageMin(n) => network.bus(n).v_min_pu,
            Limit::VoltageMax(n) => network.bus(n).v_max_pu,
            Limit::RatingFrom(k) | Limit::RatingTo(k) => network.branches[k].rate_kva.unwrap_or(f64::INFINITY),
        }
    }

    /// What a state has there, pu or kVA; `None` where there is no voltage.
    pub fn value(self, state: &impl Measured) -> Option<f64> {
        match self {
            Limit::VoltageMin(n) | Limit::VoltageMax(n) => state.voltage_pu(n),
            Limit::RatingFrom(k) => Some(size(state.power_at_from(k))),
            Limit::RatingTo(k) => Some(size(state.power_at_to(k))),
        }
    }

    /// How far a value is beyond the limit, in its own unit: pu or kVA.
    pub fn beyond(self, network: &Network, value: f64) -> f64 {
        let bound = self.bound(network);
        if matches!(self, Limit::VoltageMin(_)) { bound - value } else { value - bound }
    }

    /// How far a state is beyond the limit, `g`; `None` where there is no voltage or rating.
    pub fn excess(self, network: &Network, state: &impl Measured) -> Option<f64> {
        let (bound, value) = (self.bound(network), self.value(state)?);
        match self {
            Limit::VoltageMin(_) => Some(bound.powi(2) - value.powi(2)),
            Limit::VoltageMax(_) => Some(value.powi(2) - bound.powi(2)),
            Limit::RatingFrom(_) | Limit::RatingTo(_) => {
                (bound > 0.0 && bound < f64::INFINITY).then(|| value / bound - 1.0)
            }
        }
    }

    /// Derivative of `g` at a state.
    pub fn slope(self, network: &Network, state: &impl Measured) -> Slope {
        let voltage = |n| state.voltage_pu(n).unwrap_or(0.0);
        let by_power = |(p, q): (f64, f64)| {
            let scale = 1.0 / self.bound(network) / size((p, q)).max(f64::MIN_POSITIVE);
            (scale * p, scale * q)
        };
        match self {
            Limit::VoltageMin(n) => Slope::Voltage(n, -2.0 * voltage(n)),
            Limit::VoltageMax(n) => Slope::Voltage(n, 2.0 * voltage(n)),
            Limit::RatingFrom(k) => {
                let (p, q) = by_power(state.power_at_from(k));
                Slope::From(k, p, q)
            }
            Limit::RatingTo(k) => {
                let (p, q) = by_power(state.power_at_to(k));
                Slope::To(k, p, q)
            }
        }
    }

    /// The limit in words, as in `the voltage limit of 0.95 pu at bus 18 in period 19`.
    pub fn named(self, network: &Network, period: usize) -> String {
        let bound = self.bound(network);
        match self {
            Limit::VoltageMin(n) | Limit::VoltageMax(n) => {
                format!("the voltage limit of {bound} pu at bus {} in period {period}", network.bus(n).id)
            }
            Limit::RatingFrom(k) | Limit::RatingTo(k) => {
                let ends = network.ends(&network.branches[k]);
                format!("the rating of {bound} kVA of branch {}-{} in period {period}", ends.from, ends.to)
            }
        }
    }

    /// The limit with a value beyond it.
    pub fn missed(self, network: &Network, value: f64) -> Missed {
        Missed { limit: self, value, by: self.beyond(network, value) }
    }

    /// The same from an excess `g > 0`.
    pub fn missed_by_excess(self, network: &Network, excess: f64) -> Missed {
        let bound = self.bound(network);
        let value = match self {
            Limit::VoltageMin(_) => (bound.powi(2) - excess).max(0.0).sqrt(),
            Limit::VoltageMax(_) => (bound.powi(2) + excess).max(0.0).sqrt(),
            Limit::RatingFrom(_) | Limit::RatingTo(_) => bound * (1.0 + excess),
        };
        self.missed(network, value)
    }

    /// What a state has at every bus with a voltage and every rated branch in service, against the nearer of two limits: of
    /// a bus the one that it is farther beyond, of a branch the end that carries more.
    pub fn nearest<'a>(network: &'a Network, state: &'a impl Measured) -> impl Iterator<Item = Missed> + 'a {
        let farther = move |a: Limit, b: Limit| -> Option<Missed> {
            let [a, b] = [a, b].map(|limit| limit.value(state).map(|value| limit.missed(network, value)));
            let (a, b) = (a?, b?);
            Some(if a.by > b.by { a } else { b })
        };
        let of_buses = network.nodes().filter_map(move |n| farther(Limit::VoltageMin(n), Limit::VoltageMax(n)));
        let of_branches = rated(network).filter_map(move |(k, _)| farther(Limit::RatingFrom(k), Limit::RatingTo(k)));
        of_buses.chain(of_branches)
    }
}

impl Missed {
    /// In words, as in `bus 18, period 19: voltage 0.9377 pu is 0.0123 below its limit of 0.95 pu`; without a period where
    /// there is one only.
    pub fn words(&self, network: &Network, period: Option<usize>) -> String {
        let (by, bound) = (number(self.by), self.limit.bound(network));
        let when = period.map_or(String::new(), |t| format!(", period {t}"));
        match self.limit {
            Limit::VoltageMin(n) | Limit::VoltageMax(n) => {
                let side = if matches!(self.limit, Limit::VoltageMin(_)) { "below" } else { "above" };
                let (id, v) = (network.bus(n).id, number(self.value));
                format!("bus {id}{when}: voltage {v} pu is {by} {side} its limit of {bound} pu")
            }
            Limit::RatingFrom(k) | Limit::RatingTo(k) => {
                let (ends, kva) = (network.ends(&network.branches[k]), number(self.value));
                let (from, to) = (ends.from, ends.to);
                format!("branch {} ({from}-{to}){when}: {kva} kVA is {by} above its limit of {bound} kVA", k + 1)
            }
        }
    }

    /// What is there and what may be, as in `0.9377 pu at bus 18 in period 19, limit 0.95 pu`.
    pub fn measured(&self, network: &Network, period: usize) -> String {
        let (value, bound) = (self.value, self.limit.bound(network));
        match self.limit {
            Limit::VoltageMin(n) | Limit::VoltageMax(n) => {
                format!("{value:.4} pu at bus {} in period {period}, limit {bound} pu", network.bus(n).id)
            }
            Limit::RatingFrom(k) | Limit::RatingTo(k) => {
                let ends = network.ends(&network.branches[k]);
                format!("{value:.1} kVA on branch {}-{} in period {period}, rating {bound} kVA", ends.from, ends.to)
            }
        }
    }
}

/// Branches in service that have a rating, with it.
fn rated(network: &Network) -> impl Iterator<Item = (usize, f64)> + '_ {
    let in_service = network.branches.iter().enumerate().filter(|(_, b)| b.in_service);
    in_service.filter_map(|(k, b)| b.rate_kva.map(|rate| (k, rate)))
}

fn size((p, q): (f64, f64)) -> f64 {
    p.hypot(q)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::built_in;

    /// A voltage at every bus, and flows at both ends of every branch.
    struct State {
        voltage_pu: f64,
        ends: [(f64, f64); 2],
    }

    impl Measured for State {
        fn voltage_pu(&self, _: NodeId) -> Option<f64> {
            Some(self.voltage_pu)
        }
        fn power_at_from(&self, _: usize) -> (f64, f64) {
            self.ends[0]
        }
        fn power_at_to(&self, _: usize) -> (f64, f64) {
            self.ends[1]
        }
    }

    fn network() -> Network {
        let mut network = built_in("ieee-33").unwrap().network().unwrap();
        for bus in &mut network.buses {
            (bus.v_min_pu, bus.v_max_pu) = (0.95, 1.05);
        }
        network.branches[4].rate_kva = Some(100.0);
        network
    }

    #[test]
    fn a_slope_is_the_derivative_of_the_excess() {
        let network = network();
        let at = |v: f64, p: f64, q: f64| State { voltage_pu: v, ends: [(p, q), (-p, -q)] };
        let h = 1e-6;
        let n = NodeId(17);
        for limit in [Limit::VoltageMin(n), Limit::VoltageMax(n), Limit::RatingFrom(4), Limit::RatingTo(4)] {
            let g = |v, p, q| limit.excess(&network, &at(v, p, q)).unwrap();
            let central = |plus: f64, minus: f64| (plus - minus) / (2.0 * h);
            match limit.slope(&network, &at(0.93, 80.0, 90.0)) {
                Slope::Voltage(_, by_v) => {
                    let difference = central(g(0.93 + h, 80.0, 90.0), g(0.93 - h, 80.0, 90.0));
                    assert!((by_v - difference).abs() < 1e-8, "{limit:?}");
                }
                Slope::From(_, by_p, by_q) => {
                    assert!((by_p - central(g(0.93, 80.0 + h, 90.0), g(0.93, 80.0 - h, 90.0))).abs() < 1e-8);
                    assert!((by_q - central(g(0.93, 80.0, 90.0 + h), g(0.93, 80.0, 90.0 - h))).abs() < 1e-8);
                }
                // What leaves at the other end has the other sign.
                Slope::To(_, by_p, _) => {
                    assert!((by_p + central(g(0.93, 80.0 + h, 90.0), g(0.93, 80.0 - h, 90.0))).abs() < 1e-8);
                }
            }
        }
    }

    #[test]
    fn a_limit_that_is_missed_says_where_and_by_how_much() {
        let network = network();
        let state = State { voltage_pu: 0.9377, ends: [(90.0, 120.0), (-60.0, -80.0)] };
        let low = Limit::VoltageMin(NodeId(17));
        let words = low.missed(&network, 0.9377).words(&network, Some(19));
        assert_eq!(words, "bus 18, period 19: voltage 0.9377 pu is 0.0123 below its limit of 0.95 pu");
        let again = low.missed_by_excess(&network, low.excess(&network, &state).unwrap());
        assert!((again.value - 0.9377).abs() < 1e-12);
        let all: Vec<Missed> = Limit::nearest(&network, &state).filter(|missed| missed.by > 0.0).collect();
        assert_eq!(all.len(), 34, "every bus and the one rated branch");
        let branch = all.last().unwrap();
        assert_eq!((branch.limit, branch.by), (Limit::RatingFrom(4), 50.0));
        assert_eq!(branch.words(&network, None), "branch 5 (5-6): 150 kVA is 50 above its limit of 100 kVA");
        assert_eq!(branch.measured(&network, 3), "150.0 kVA on branch 5-6 in period 3, rating 100 kVA");
    }
}
