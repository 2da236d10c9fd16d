//! A share of the load that may be moved within the day.

use crate::participant::check;
use crate::participant::device::greatest;
use crate::participant::oracle::{Delivered, Draw, same};
use crate::participant::{Device, DeviceError, Hatching, Look, Part, Shown, Surroundings};
use crate::program::{Expr, Program};
use crate::register_device;
use crate::setting::{Periods, Rating};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Hours within which moved load comes back.
const DAY_H: f64 = 24.0;

/// A share of the participant's own load that may be moved: `up_t, down_t` within `[0, share x load_t]` and
/// `sum up_t = sum down_t` over each day of 24 hours (the last one may be shorter).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shiftable {
    /// Greatest share of the load of a period that may be added or taken away, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Money per kWh added and per kWh taken away.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub cost_per_kwh: f64,
}

impl Device for Shiftable {
    fn validate(&self, _periods: Periods) -> Result<(), DeviceError> {
        check::share("share", self.share)?;
        check::not_negative("cost_per_kwh", self.cost_per_kwh)
    }

    fn rating(&self, _periods: Periods, load_kw: &[f64]) -> Rating {
        Rating { supply_kw: 0.0, demand_kw: self.share * greatest(load_kw) }
    }

    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        let mut part = Part::default();
        let h = around.periods.hours;
        let day = |t: usize| ((t as f64 + 0.5) * h / DAY_H) as usize;
        let mut moved = Expr::default();
        for (t, load) in around.load_kw.iter().enumerate() {
            let limit = self.share * load;
            // Moving up and down at once only costs; where it costs nothing, one variable cannot do it.
            let down = if self.cost_per_kwh > 0.0 {
                let (up, down) = (program.var(0.0, limit), program.var(0.0, limit));
                part.cost.add(self.cost_per_kwh * h, up).add(self.cost_per_kwh * h, down);
                Expr::from(down).plus(-1.0, up)
            } else {
                Expr::from(program.var(-limit, limit))
            };
            moved.add(h, &down);
            if t + 1 == around.load_kw.len() || day(t + 1) != day(t) {
                program.equal(std::mem::take(&mut moved), 0.0, "moved load comes back within the day", Some(t));
            }
            part.power_kw.push(down);
        }
        part
    }

    fn share_of_load(&self) -> Option<f64> {
        Some(self.share)
    }
}

register_device!(Shiftable, "shiftable", "a share of the load that may be moved within the day",
    role: FlexibleLoad, carbon: Load,
    power: "Shifted load: positive where it is taken away, negative where it goes.",
    example: Shiftable { share: 0.1, cost_per_kwh: 0.02 },
    look: Look {
        place: 8,
        gives: Some(Shown::hatched("Shifted out", 0xBFDCEC, Hatching::Forward)),
        takes: Some(Shown::hatched("Shifted in", 0x80B9D9, Hatching::Back)),
    },
    oracle: (draw, check),
    rank: 6);

fn draw(draw: &mut Draw, _periods: Periods) -> Shiftable {
    let cost_per_kwh = if draw.chance(0.3) { 0.0 } else { draw.between(0.0, 0.05) };
    Shiftable { share: draw.between(0.0, 0.4), cost_per_kwh }
}

fn check(device: &Shiftable, done: &Delivered<'_>) -> Result<f64, String> {
    done.within(|t| -device.share * done.load_kw[t], |t| device.share * done.load_kw[t])?;
    let per_day = (24.0 / done.periods.hours) as usize;
    for (day, power) in done.power_kw.chunks(per_day).enumerate() {
        same("what is moved on the day that begins", day * per_day, power.iter().sum(), 0.0)?;
    }
    Ok(done.cost(|p| device.cost_per_kwh * p.abs()))
}

#[cfg(test)]
mod tests {
    use super::Shiftable;
    use crate::participant::testing::{assert_all_close, at_prices, hourly};
    use crate::participant::{Device, Load};

    fn load(p_kw: &[f64]) -> Box<dyn Device> {
        Load { p_kw: p_kw.to_vec().into() }.boxed()
    }

    #[test]
    fn load_moves_where_the_price_gap_exceeds_the_cost_of_both_moves() {
        let shift = |gap: f64| {
            let shiftable = Shiftable { share: 0.1, cost_per_kwh: 0.02 }.boxed();
            let found = at_prices(vec![load(&[100.0, 50.0]), shiftable], hourly(2), &[1.0 + gap, 1.0]).unwrap();
            found.power_kw(1)
        };
        assert_all_close(&shift(0.05), &[5.0, -5.0], 1e-7);
        assert_all_close(&shift(0.03), &[0.0, 0.0], 1e-7);
    }

    #[test]
    fn free_moves_need_no_choice() {
        let shiftable = Shiftable { share: 0.1, cost_per_kwh: 0.0 }.boxed();
        let found = at_prices(vec![load(&[100.0, 50.0]), shiftable], hourly(2), &[1.01, 1.0]).unwrap();
        assert_all_close(&found.power_kw(1), &[5.0, -5.0], 1e-7);
        assert_eq!(found.solution.nodes, 1);
    }

    #[test]
    fn load_does_not_move_into_another_day() {
        let prices: Vec<f64> = (0..36).map(|t| if t < 24 { 2.0 } else { 1.0 }).collect();
        let shiftable = Shiftable { share: 0.5, cost_per_kwh: 0.01 }.boxed();
        let found = at_prices(vec![load(&[10.0; 36]), shiftable], hourly(36), &prices).unwrap();
        assert_all_close(&found.power_kw(1), &[0.0; 36], 1e-7);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(Shiftable { share: 0.1, cost_per_kwh: f64::NAN }.validate(hourly(2)).is_err());
    }
}
