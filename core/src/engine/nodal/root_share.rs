//! The turn of the exchange with upstream as a multiplier.
//!
//! A price `(base + theta jump) dP_0/dx` with `theta` 1 on import and 0 on export belongs to the cost
//! `base P_0 + jump [P_0]+`, whose kink at `P_0 = 0` any share between supports. The share is found with the quantities by the
//! primal-dual splitting of Condat and Vu (2013): `theta <- clip(theta + P_0(2 y - c) / B)` beside the anchored answer `y` to
//! the prices at `c`, with the exchange linearised at `c`.

use crate::physical::Physical;
use crate::policy::nodal::upstream_per_kwh;
use crate::setting::Setting;

/// Exchange of all members beyond which the share passes from 0 to 1 in one step, as a multiple of what they withdraw and
/// inject in a period on average.
const BAND: f64 = 2.0;
/// The same where they exchange nothing, kWh.
const LEAST_BAND_KWH: f64 = 1e-3;
/// Answer of members, relative to the exchange at the root, that lets a share drift.
const HARDLY: f64 = 0.1;
/// Exchange at the root that counts as none, relative to what flows on the feeder.
const REST: f64 = 1e-6;

/// What the root's turn looks like at a state of the network.
#[derive(Clone, Debug)]
#[allow(clippy::struct_field_names, reason = "units stand in names")]
pub(super) struct RootTurn {
    /// Rise of the price at the root when import begins, per kWh and period.
    pub jump_per_kwh: Vec<f64>,
    /// Energy from upstream per period, kWh.
    pub exchange_kwh: Vec<f64>,
    /// `dP_0/dx`: the same per kWh more that a member withdraws, member-major.
    pub response: Vec<f64>,
    /// Exchange over which a step takes the share from 0 to 1, kWh, by period.
    pub band_kwh: Vec<f64>,
    rest_kwh: Vec<f64>,
}

/// The band of members that exchange these quantities, kWh, member-major.
pub(super) fn band_kwh(withdrawal: &[f64], periods: usize) -> f64 {
    (BAND * withdrawal.iter().map(|x| x.abs()).sum::<f64>() / periods.max(1) as f64).max(LEAST_BAND_KWH)
}

impl RootTurn {
    /// That of a state, where the policy's jump there is this.
    pub fn at(setting: &Setting, physical: &Physical, jump_per_kwh: Vec<f64>, band_kwh: f64) -> Self {
        Self {
            jump_per_kwh,
            exchange_kwh: physical.upstream_import_kwh.clone(),
            response: upstream_per_kwh(setting, physical),
            band_kwh: vec![band_kwh; setting.periods.count],
            rest_kwh: (0..setting.periods.count).map(|t| REST * flowing_kwh(setting, physical, t)).collect(),
        }
    }

    /// Whether the exchange of a period rests.
    pub fn rests(&self, period: usize) -> bool {
        self.exchange_kwh[period].abs() <= self.rest_kwh[period]
    }

    /// The shares after a step of the members, kWh, member-major: `clip(theta + (P_0 + 2 sum_i g_i d_i) / B)`.
    pub fn next(&self, share: &[f64], step: &[f64]) -> Vec<f64> {
        let periods = share.len();
        let moved = |t: usize| -> f64 { (t..step.len()).step_by(periods).map(|k| self.response[k] * step[k]).sum() };
        let next = |(t, share): (usize, &f64)| {
            if self.jump_per_kwh[t] > 0.0 {
                (share + (self.exchange_kwh[t] + 2.0 * moved(t)) / self.band_kwh[t]).clamp(0.0, 1.0)
            } else {
                *share
            }
        };
        share.iter().enumerate().map(next).collect()
    }

    /// The shares that a drift ends at: where energy flows at the root and members hardly answer, the share of its direction
    /// at once, for by steps of `P_0 / B` it may be far.
    pub fn carried_on(&self, share: &[f64], step: &[f64]) -> Vec<f64> {
        let periods = share.len();
        let moved = |t: usize| -> f64 { (t..step.len()).step_by(periods).map(|k| self.response[k] * step[k]).sum() };
        let end = |(t, share): (usize, &f64)| {
            let exchange = self.exchange_kwh[t];
            if self.jump_per_kwh[t] > 0.0 && !self.rests(t) && moved(t).abs() < HARDLY * exchange.abs() {
                if exchange > 0.0 { 1.0 } else { 0.0 }
            } else {
                *share
            }
        };
        share.iter().enumerate().map(end).collect()
    }

    /// What the share's movement asks of the anchor, money per kWh squared, member-major:
    /// `jump / B g_i sum_k g_k`.
    pub fn stiffness(&self) -> Vec<f64> {
        let periods = self.jump_per_kwh.len();
        let sum: Vec<f64> = (0..periods)
            .map(|t| (t..self.response.len()).step_by(periods).map(|k| self.response[k].abs()).sum())
            .collect();
        let of = |(k, g): (usize, &f64)| {
            self.jump_per_kwh[k % periods] / self.band_kwh[k % periods] * g.abs() * sum[k % periods]
        };
        self.response.iter().enumerate().map(of).collect()
    }

    /// Metric of the shares in the search, money: `jump B`; 1 where there is no jump and the share does not move.
    pub fn weight(&self) -> Vec<f64> {
        let of = |(jump, band): (&f64, &f64)| if *jump > 0.0 { jump * band } else { 1.0 };
        self.jump_per_kwh.iter().zip(&self.band_kwh).map(of).collect()
    }

    /// How far shares are from what they multiply, money: `sum_t jump ([P_0]+ - theta P_0)`, never negative; and the period
    /// in which it is most.
    pub fn slackness(&self, share: &[f64]) -> (f64, Option<usize>) {
        let of = |t: usize| self.jump_per_kwh[t] * (self.exchange_kwh[t].max(0.0) - share[t] * self.exchange_kwh[t]);
        let most = (0..share.len()).filter(|t| of(*t) > 0.0).max_by(|a, b| of(*a).total_cmp(&of(*b)));
        ((0..share.len()).map(of).sum(), most)
    }

    /// Greatest error of a price by a share that is not that of the direction in which energy clearly flows, per kWh.
    pub fn misplaced_per_kwh(&self, share: &[f64]) -> f64 {
        let periods = share.len();
        let wrong = |(k, g): (usize, &f64)| {
            let t = k % periods;
            let called_for = if self.exchange_kwh[t] > 0.0 { 1.0 } else { 0.0 };
            if self.rests(t) { 0.0 } else { (self.jump_per_kwh[t] * (called_for - share[t]) * g).abs() }
        };
        self.response
            .iter()
            .enumerate()
            .map(wrong)
            .fold(0.0, |m: f64, x| if x.is_nan() { f64::INFINITY } else { m.max(x) })
    }

    /// Prices at these shares as they would be at the whole of the jump, member-major.
    pub fn at_full_share(&self, price: &[f64], share: &[f64]) -> Vec<f64> {
        let periods = share.len();
        let rest = |k: usize| self.jump_per_kwh[k % periods] * (1.0 - share[k % periods]) * self.response[k];
        price.iter().enumerate().map(|(k, p)| p + rest(k)).collect()
    }

    /// The periods in which the root rests, in words; `None` where there are none. More than one share may support an
    /// exchange of nothing: the price there is then an interval, and this one of its points.
    pub fn at_rest_in_words(&self, share: &[f64]) -> Option<String> {
        let rests = |t: &usize| self.jump_per_kwh[*t] > 0.0 && self.rests(*t);
        let told: Vec<String> =
            (0..share.len()).filter(rests).map(|t| format!("{t} at share {:.3}", share[t])).collect();
        (!told.is_empty()).then(|| {
            format!("the root rests in period {}: the price there may be an interval", told.join(", in period "))
        })
    }

    /// Shares in periods that have a jump.
    pub fn recorded(&self, share: &[f64]) -> Vec<Option<f64>> {
        share.iter().zip(&self.jump_per_kwh).map(|(share, jump)| (*jump > 0.0).then_some(*share)).collect()
    }
}

/// What members withdraw and inject and passive load takes in a period, kWh.
fn flowing_kwh(setting: &Setting, physical: &Physical, period: usize) -> f64 {
    let members: f64 =
        physical.plans.iter().map(|plan| setting.energy_slot(period).map_or(0.0, |k| plan.output[k].abs())).sum();
    let passive = setting.feeder.as_ref().map_or(0.0, |f| {
        let load: f64 = f.network.buses.iter().map(|b| b.p_load_kw.abs()).sum();
        load * f.passive_load_factor[period].abs() * setting.periods.hours
    });
    members + passive
}
