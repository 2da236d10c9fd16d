//! Demand that is always served.

use crate::participant::check;
use crate::participant::device::greatest;
use crate::participant::oracle::{Delivered, Draw, same};
use crate::participant::{Device, DeviceError, Look, Part, Shown, Surroundings};
use crate::program::{Expr, Program};
use crate::register_device;
use crate::series::Series;
use crate::setting::{Periods, Rating};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Demand that is always served, `P_t = -p_t`: the participant's own load, of which other devices may cut or move a share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Demand per period, kW.
    #[schemars(extend("minimum" = 0.0))]
    pub p_kw: Series,
}

impl Device for Load {
    fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        check::series("p_kw", &self.p_kw, periods, "at least 0", |v| v >= 0.0)
    }

    fn rating(&self, _periods: Periods, _load_kw: &[f64]) -> Rating {
        Rating { supply_kw: 0.0, demand_kw: greatest(self.p_kw.values()) }
    }

    fn contribute(&self, _program: &mut Program, _around: &Surroundings<'_>) -> Part {
        Part { power_kw: self.p_kw.values().iter().map(|p| Expr::constant(-p)).collect(), ..Part::default() }
    }

    fn series(&mut self) -> Vec<(&'static str, &mut Series)> {
        vec![("p_kw", &mut self.p_kw)]
    }

    fn own_load_kw(&self) -> &[f64] {
        self.p_kw.values()
    }
}

register_device!(Load, "load", "demand that is always served",
    role: FixedLoad, carbon: Load,
    power: "Fixed load, negative.",
    example: Load { p_kw: Series::Constant(3.0) },
    look: Look { place: 4, gives: None, takes: Some(Shown::plain("Load", 0x0072B2)) },
    oracle: (draw, check),
    rank: 4);

fn draw(draw: &mut Draw, periods: Periods) -> Load {
    Load { p_kw: draw.series(periods, 0.0, 60.0).into() }
}

fn check(load: &Load, done: &Delivered<'_>) -> Result<f64, String> {
    for (t, (p, demand)) in done.power_kw.iter().zip(load.p_kw.values()).enumerate() {
        same("power", t, *p, -demand)?;
    }
    Ok(0.0)
}

#[cfg(test)]
mod tests {
    use super::Load;
    use crate::participant::Device;
    use crate::participant::testing::hourly;

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(Load { p_kw: vec![1.0, -1.0].into() }.validate(hourly(2)).is_err());
        assert!(Load { p_kw: vec![1.0].into() }.validate(hourly(2)).is_err());
        let text = Load { p_kw: vec![1.0, f64::NAN].into() }.validate(hourly(2)).unwrap_err().to_string();
        assert_eq!(text, "p_kw in period 1: found NaN, expected at least 0");
    }
}
