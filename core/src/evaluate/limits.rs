//! How far a run is beyond the network's limits: the worst bus, branch and period, how often, and in sum.

use crate::network::Limit;
use crate::outcome::Certificate;
use crate::physical::Physical;
use crate::setting::Setting;

/// Beyond this a voltage is outside its limits, pu: less is the power flow's own tolerance.
const VOLTAGE_NOISE_PU: f64 = 1e-7;
/// Beyond this share of its rating a branch is overloaded.
const RATING_NOISE: f64 = 1e-6;

/// Where a limit is missed most.
struct Worst {
    by: f64,
    /// Of everything beyond limits.
    sum: f64,
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

    fn certificate(self, name: &'static str, what: &str) -> Certificate {
        let witness = match self.count {
            0 => String::new(),
            count => format!("{}; {count} of {} {what} beyond", self.witness, self.of),
        };
        Certificate::measure(name, self.by, witness)
    }
}

/// The voltage and the flow that lie furthest beyond their limits.
fn worst(setting: &Setting, physical: &Physical) -> [Worst; 2] {
    let Some(feeder) = &setting.feeder else { return [Worst::nowhere(), Worst::nowhere()] };
    let network = &feeder.network;
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
    [voltage, rating]
}

/// `voltage_excess_pu` and `rating_excess_kva`: the greatest distance beyond a limit, with its place. They are figures and no
/// claims: mechanisms that do not know the network make none about it.
pub(super) fn certificates(setting: &Setting, physical: &Physical) -> Vec<Certificate> {
    if setting.feeder.is_none() {
        return vec![];
    }
    let [voltage, rating] = worst(setting, physical);
    vec![
        voltage.certificate("voltage_excess_pu", "voltages"),
        rating.certificate("rating_excess_kva", "flows through rated branches"),
    ]
}

/// Sums of what lies beyond voltage limits (pu) and branch ratings (kVA, the worse end) over the horizon.
pub(super) fn sums(setting: &Setting, physical: &Physical) -> (f64, f64) {
    let [voltage, rating] = worst(setting, physical);
    (voltage.sum, rating.sum)
}

/// How many voltages and flows lie beyond their limits, and the worst of each.
pub(super) fn missed(setting: &Setting, physical: &Physical) -> (usize, String) {
    let all = worst(setting, physical);
    let told: Vec<&str> = all.iter().filter(|w| w.count > 0).map(|w| w.witness.as_str()).collect();
    (all.iter().map(|w| w.count).sum(), told.join("; "))
}
