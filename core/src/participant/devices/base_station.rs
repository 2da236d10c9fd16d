//! A radio cell: data at a rate, from energy and spectrum. What it has of one saves the other, so that it can trade both.

use crate::participant::check;
use crate::participant::oracle::{Delivered, Draw, between};
use crate::participant::{Device, DeviceError, Look, Part, Shown, Surroundings};
use crate::program::{Expr, Program};
use crate::register_device;
use crate::series::Series;
use crate::setting::{Periods, Product, Rating};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Radio spectrum, MHz in a period: what [`BaseStation`] trades besides energy.
pub const SPECTRUM: Product = Product::Other("spectrum");

/// Power `P = idle + snr W (2^(rate / W) - 1)` for a data rate over `W` MHz: Shannon's capacity `rate = W log2(1 + P_signal / (snr W))`
/// turned round (Shannon, 1948). `W` is the licence less what is lent to others, or more what is borrowed. The curve is convex
/// and followed in straight lines between points on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaseStation {
    /// Spectrum of its own, MHz.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub licence_mhz: f64,
    /// The most spectrum that its radio can use, MHz; at least the licence.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub bandwidth_max_mhz: f64,
    /// Data rate per period, Mbit/s.
    #[schemars(extend("minimum" = 0.0))]
    pub rate_mbps: Series,
    /// Power without any signal, kW.
    #[schemars(range(min = 0.0))]
    pub idle_kw: f64,
    /// Power for a signal as strong as the noise, kW per MHz: noise over channel gain, by the efficiency of the amplifier.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub snr_kw_per_mhz: f64,
    /// Greatest power, kW.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub p_max_kw: f64,
}

/// Straight lines by which the curve is followed.
const PIECES: usize = 24;

impl BaseStation {
    /// Power for a data rate over a bandwidth, kW.
    pub fn power_kw(&self, rate_mbps: f64, bandwidth_mhz: f64) -> f64 {
        if rate_mbps <= 0.0 {
            return self.idle_kw;
        }
        self.idle_kw + self.snr_kw_per_mhz * bandwidth_mhz * ((rate_mbps / bandwidth_mhz).exp2() - 1.0)
    }

    /// The least bandwidth at which the greatest power is enough, MHz; the power falls in the bandwidth.
    fn least_mhz(&self, rate_mbps: f64) -> f64 {
        if rate_mbps <= 0.0 {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, self.bandwidth_max_mhz);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if self.power_kw(rate_mbps, middle) > self.p_max_kw {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// Points of the curve in a period, from the least bandwidth to the greatest: the licence is one of them.
    fn points(&self, rate_mbps: f64) -> Vec<(f64, f64)> {
        let (least, most) = (self.least_mhz(rate_mbps), self.bandwidth_max_mhz);
        if rate_mbps <= 0.0 {
            return vec![(0.0, self.idle_kw), (most, self.idle_kw)];
        }
        let ratio = most / least;
        let mut at: Vec<f64> = (0..=PIECES).map(|k| least * ratio.powf(k as f64 / PIECES as f64)).collect();
        (at[0], at[PIECES]) = (least, most);
        if let Some(near) = (0..=PIECES).min_by(|a, b| {
            let far = |k: usize| (at[k] - self.licence_mhz).abs();
            far(*a).total_cmp(&far(*b))
        }) && near > 0
            && near < PIECES
        {
            at[near] = self.licence_mhz;
        }
        at.dedup_by(|a, b| (*a - *b).abs() <= 1e-12 * most);
        at.into_iter().map(|w| (w, self.power_kw(rate_mbps, w))).collect()
    }
}

impl Device for BaseStation {
    fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        check::positive("licence_mhz", self.licence_mhz)?;
        check::positive("bandwidth_max_mhz", self.bandwidth_max_mhz)?;
        check::at_most(("licence_mhz", self.licence_mhz), ("bandwidth_max_mhz", self.bandwidth_max_mhz))?;
        check::series("rate_mbps", &self.rate_mbps, periods, "at least 0", |rate| rate >= 0.0)?;
        check::not_negative("idle_kw", self.idle_kw)?;
        check::positive("snr_kw_per_mhz", self.snr_kw_per_mhz)?;
        check::positive("p_max_kw", self.p_max_kw)?;
        for (t, &rate) in self.rate_mbps.values().iter().enumerate() {
            let needed = self.power_kw(rate, self.licence_mhz);
            if needed.is_nan() || needed > self.p_max_kw {
                return Err(DeviceError::Unreachable {
                    field: "power for the data rate over its own licence",
                    period: Some(t),
                    asked_min: needed,
                    asked_max: needed,
                    least: 0.0,
                    greatest: self.p_max_kw,
                });
            }
        }
        Ok(())
    }

    fn rating(&self, _periods: Periods, _load_kw: &[f64]) -> Rating {
        Rating { supply_kw: 0.0, demand_kw: self.p_max_kw }
    }

    fn series(&mut self) -> Vec<(&'static str, &mut Series)> {
        vec![("rate_mbps", &mut self.rate_mbps)]
    }

    fn goods(&self) -> &'static [Product] {
        &[SPECTRUM]
    }

    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        let mut part = Part::default();
        let mut lent = vec![];
        for (t, &rate) in self.rate_mbps.values().iter().enumerate() {
            let points = self.points(rate);
            let (least, most) = (points[0].0, points[points.len() - 1].0);
            let (from, to) =
                if around.is_traded(SPECTRUM, t) { (least, most) } else { (self.licence_mhz, self.licence_mhz) };
            let bandwidth = program.var(from, to);
            let power = program.var(0.0, self.p_max_kw);
            for pair in points.windows(2) {
                let ((w0, p0), (w1, p1)) = (pair[0], pair[1]);
                let slope = (p1 - p0) / (w1 - w0);
                // P >= p0 + slope (W - w0).
                let short = Expr::from(bandwidth).times(slope).plus(-1.0, power);
                program.at_most(short, slope * w0 - p0, "power for the data rate", Some(t));
            }
            part.power_kw.push(Expr::from(power).times(-1.0));
            lent.push(Expr::constant(self.licence_mhz).plus(-1.0, bandwidth));
        }
        part.goods.push((SPECTRUM, lent));
        part
    }
}

register_device!(BaseStation, "base-station", "a radio cell that needs energy and spectrum, and can trade both",
    role: FlexibleLoad, carbon: Load,
    power: "Radio cells, negative.",
    example: BaseStation {
        licence_mhz: 20.0,
        bandwidth_max_mhz: 40.0,
        rate_mbps: Series::Constant(60.0),
        idle_kw: 0.5,
        snr_kw_per_mhz: 0.01,
        p_max_kw: 6.0,
    },
    look: Look { place: 6, gives: None, takes: Some(Shown::plain("Radio cells", 0xCC79A7)) },
    oracle: (draw, follow),
    rank: 10);

fn draw(draw: &mut Draw, periods: Periods) -> BaseStation {
    let licence_mhz = draw.between(10.0, 30.0);
    BaseStation {
        licence_mhz,
        bandwidth_max_mhz: licence_mhz * draw.between(1.0, 3.0),
        rate_mbps: draw.series(periods, 0.0, 4.0 * licence_mhz).into(),
        idle_kw: draw.between(0.0, 2.0),
        snr_kw_per_mhz: draw.between(0.005, 0.05),
        p_max_kw: draw.between(15.0, 40.0),
    }
}

/// Without trade it sends over its licence: by Shannon's law the power that it draws carries the rate. It may draw more, where that
/// is paid for.
fn follow(cell: &BaseStation, done: &Delivered<'_>) -> Result<f64, String> {
    for (t, (drawn, rate)) in done.power_kw.iter().zip(cell.rate_mbps.values()).enumerate() {
        between("power", t, *drawn, -cell.p_max_kw, -cell.idle_kw)?;
        let noise = cell.snr_kw_per_mhz * cell.licence_mhz;
        let carried = cell.licence_mhz * (1.0 + (-drawn - cell.idle_kw).max(0.0) / noise).log2();
        between("data rate", t, carried, *rate, f64::INFINITY)?;
    }
    Ok(0.0)
}

#[cfg(test)]
mod tests {
    use super::{BaseStation, SPECTRUM};
    use crate::market::Market;
    use crate::participant::{Device, DeviceError, Participant, Portfolio};
    use crate::setting::{Member, Periods, Setting, Tariff};
    use std::sync::Arc;

    const HOUR: Periods = Periods { count: 1, hours: 1.0 };

    fn cell(licence_mhz: f64, rate_mbps: f64) -> BaseStation {
        BaseStation {
            licence_mhz,
            bandwidth_max_mhz: 60.0,
            rate_mbps: vec![rate_mbps].into(),
            idle_kw: 0.5,
            snr_kw_per_mhz: 0.01,
            p_max_kw: 20.0,
        }
    }

    #[test]
    fn power_is_that_of_shannons_law() {
        // 3 bit/s/Hz take seven times the noise.
        assert!((cell(20.0, 60.0).power_kw(60.0, 20.0) - (0.5 + 0.01 * 20.0 * 7.0)).abs() < 1e-12);
        assert!((cell(20.0, 0.0).power_kw(0.0, 20.0) - 0.5).abs() < 1e-12);
        match cell(10.0, 200.0).validate(HOUR) {
            Err(DeviceError::Unreachable { period: Some(0), greatest, .. }) => assert_eq!(greatest, 20.0),
            other => panic!("{other:?}"),
        }
    }

    /// Two cells of one kind with 30 MHz and 10 MHz and rates of 60 and 60: together they need least energy where both have the
    /// same bandwidth per bit, 20 MHz each, and a MHz is worth what its energy costs.
    #[test]
    fn spectrum_goes_where_it_saves_most_energy() {
        let tariff = Tariff {
            buy_per_kwh: vec![0.5],
            sell_per_kwh: vec![0.1],
            intensity_kg_per_kwh: vec![0.0],
            upstream_carbon_per_tonne: 0.0,
        };
        let mut members = vec![];
        let mut participants: Vec<Arc<dyn Participant>> = vec![];
        for (id, licence) in [("rich", 30.0), ("poor", 10.0)] {
            let portfolio = Portfolio::new(id, vec![cell(licence, 60.0).boxed()], HOUR).expect("valid");
            members.push(Member { rating: portfolio.rating(), ..Member::new(id, 100.0, 100.0) });
            participants.push(Arc::new(portfolio));
        }
        let setting = Setting::energy(HOUR, Some(tariff), None, members).with_goods([SPECTRUM]);
        let market = Market::new(setting, participants);
        let power = |w: f64| cell(20.0, 60.0).power_kw(60.0, w);
        let alone = market.local(1).autarky().expect("alone");
        assert!((alone.cost - 0.5 * power(10.0)).abs() < 1e-6, "{}", alone.cost);
        let best = market.solve(&market.grand()).expect("together");
        // The lines between points of the curve lie above it by little.
        let least = 0.5 * 2.0 * power(20.0);
        assert!(best.cost >= least - 1e-9 && best.cost < least * 1.004, "{} {least}", best.cost);
        let lent = best.plans[0].as_ref().expect("a member").output[1];
        assert!((lent - 10.0).abs() < 1.5, "{lent}");
        // dP/dW = snr (2^(R/W) (1 - ln 2 R/W) - 1)
        let saved = -0.01 * (8.0 * (1.0 - 3.0 * std::f64::consts::LN_2) - 1.0);
        assert!((best.price[1] - 0.5 * saved).abs() < 0.1 * 0.5 * saved, "{} {}", best.price[1], 0.5 * saved);
    }

    #[test]
    fn without_a_market_for_it_spectrum_stays_where_it_is() {
        let portfolio = Portfolio::new("cell", vec![cell(20.0, 60.0).boxed()], HOUR).expect("valid");
        let found =
            crate::participant::testing::at_prices(vec![cell(20.0, 60.0).boxed()], HOUR, &[0.5]).expect("solved");
        assert_eq!(portfolio.rating().demand_kw, 20.0);
        assert!((found.power_kw(0)[0] + 1.9).abs() < 1e-6, "{:?}", found.power_kw(0));
    }
}
