//! How far a run is beyond the network's limits: the worst bus, branch and period, how often, and in sum.

use crate::network::Limit;
use crate::outcome::Certificate;
use crate::physical::Physical;
use crate::setting::Setting;

/// Beyond this a voltage is outside its limits, pu: less is the power flow's own tolerance.
const VOLTAGE_NOISE_PU: f64 = 1e-7;
/// Beyond this share of its rating a branch is overloaded.
const RATING_NOISE: f64 = 1e-6;

/// How far a run is beyond limits of voltages, and of flows through branches.
pub(super) struct Beyond {
    /// Voltages, pu.
    pub voltage: Worst,
    /// Flows at the worse end of every rated branch, kVA.
    pub rating: Worst,
}

/// Where a limit is missed most.
pub(super) struct Worst {
    by: f64,
    /// Of everything beyond limits, over the horizon.
    pub sum: f64,
    witness: String,
    count: usize,
    of: usize,
}

impl Worst {
    fn nowhere() -> Self {
        Self { by: 0.0, sum: 0.0, witness: String::new(), count: 0, of: 0 }
    }

    fn see(&mut self, excess: f64, noise: f64, witness: impl FnOnce() -> String) {
        self.of += 1;
        self.sum += excess.max(0.0);
        if excess <= noise {
            return;
        }
        self.count += 1;
        if excess > self.by {
            (self.by, self.witness) = (excess, witness());
        }
    }

    fn certificate(&self, name: &'static str, what: &str) -> Certificate {
        let witness = match self.count {
            0 => String::new(),
            count => format!("{}; {count} of {} {what} beyond", self.witness, self.of),
        };
        Certificate::measure(name, self.by, witness)
    }
}

impl Beyond {
    /// The voltage and the flow that lie furthest beyond their limits; `None` without a network.
    pub fn of(setting: &Setting, physical: &Physical) -> Option<Self> {
        let network = &setting.feeder.as_ref()?.network;
        let (mut voltage, mut rating) = (Worst::nowhere(), Worst::nowhere());
        for (t, state) in physical.grid.iter().enumerate() {
            for found in Limit::nearest(network, &state.flow) {
                let (worst, noise) = if found.limit.is_of_voltage() {
                    (&mut voltage, VOLTAGE_NOISE_PU)
                } else {
                    (&mut rating, RATING_NOISE * found.limit.bound(network))
                };
                worst.see(found.by, noise, || found.measured(network, t));
            }
        }
        Some(Self { voltage, rating })
    }

    /// `voltage_excess_pu` and `rating_excess_kva`: the greatest distance beyond a limit, with its place. They are figures and
    /// no claims: mechanisms that do not know the network make none about it.
    pub fn certificates(&self) -> [Certificate; 2] {
        [
            self.voltage.certificate("voltage_excess_pu", "voltages"),
            self.rating.certificate("rating_excess_kva", "flows through rated branches"),
        ]
    }

    /// How many voltages and flows lie beyond their limits, and the worst of each.
    pub fn missed(&self) -> (usize, String) {
        let all = [&self.voltage, &self.rating];
        let told: Vec<&str> = all.iter().filter(|w| w.count > 0).map(|w| w.witness.as_str()).collect();
        (all.iter().map(|w| w.count).sum(), told.join("; "))
    }
}
