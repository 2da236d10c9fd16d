//! Something else is said of one device than is true; and the search for what that gains.

use crate::context::RunContext;
use crate::engine::{ReportRule, Roles, Said};
use crate::error::MechanismError;
use crate::evaluate::audit::{Dimension, Family, Lie};
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::participant::{Device, DeviceReport, Distortion, Report};
use crate::setting::Setting;
use crate::words::number;
use crate::{register_dimension, register_report_rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Participants say of one of their devices that it is not there, or that it is larger or smaller, dearer or cheaper than it is:
/// `f'(x) = s (k f(x/s) + d x/s)` instead of its cost `f(x)`. All else is as it is, and sides stay public.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MisstatedDevice {
    /// What single members say of a device, by their ids.
    pub of: BTreeMap<String, DeviceSaid>,
}

/// What is said of one device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceSaid {
    /// Its position among those of the participant, from 0.
    pub device: usize,
    /// Whether it is said not to be there.
    pub hidden: bool,
    /// `k`: factor on its cost.
    #[schemars(range(min = 0.0))]
    pub price_factor: f64,
    /// `d`: added to its marginal cost, money per kWh.
    pub price_shift_per_kwh: f64,
    /// `s`: factor on its size.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub quantity_factor: f64,
}

impl Default for DeviceSaid {
    fn default() -> Self {
        let Distortion { price_factor, price_shift_per_kwh, quantity_factor } = Distortion::TRUTH;
        Self { device: 0, hidden: false, price_factor, price_shift_per_kwh, quantity_factor }
    }
}

register_report_rule!(MisstatedDevice, "misstated-device", "one device is left out, or said to be another size or cost",
    behaviour: Distorted, source: "withholding of capacity: Green and Newbery (1992)");

impl DeviceSaid {
    fn distortion(self) -> Distortion {
        let Self { price_factor, price_shift_per_kwh, quantity_factor, .. } = self;
        Distortion { price_factor, price_shift_per_kwh, quantity_factor }
    }

    fn report(self) -> DeviceReport {
        if self.hidden { DeviceReport::Hidden } else { DeviceReport::Distorted(self.distortion()) }
    }

    fn words(self, device: &dyn Device) -> String {
        let name = device.plugin().id.replace('-', " ");
        let Self { price_factor, price_shift_per_kwh, quantity_factor, .. } = self;
        if self.hidden {
            return format!("leaves out its {name}");
        }
        let mut said = vec![];
        if quantity_factor != 1.0 {
            said.push(format!("{} times its size", number(quantity_factor)));
        }
        if price_factor != 1.0 {
            said.push(format!("{} times its cost", number(price_factor)));
        }
        if price_shift_per_kwh != 0.0 {
            let way = if price_shift_per_kwh > 0.0 { "dearer" } else { "cheaper" };
            said.push(format!("{} per kWh {way} than it is", number(price_shift_per_kwh.abs())));
        }
        format!("says that its {name} is {}", said.join(" and "))
    }
}

impl ReportRule for MisstatedDevice {
    fn said(&self, truth: &Market, _: &dyn Mechanism, _: &mut RunContext) -> Result<Said, MechanismError> {
        let members = &truth.setting().members;
        self.check(truth.setting()).map_err(MechanismError::Failed)?;
        let report = |(seat, id): (usize, &String)| {
            let Some(said) = self.of.get(id) else { return Ok(Report::Truth) };
            let count = truth.local(seat).parts().len();
            if said.device >= count {
                let why = format!("{id} has {count} devices, and `device` is {}: it counts from 0", said.device);
                return Err(MechanismError::Failed(why));
            }
            Ok(Report::Device { device: said.device, said: said.report() })
        };
        let reports = members.iter().map(|member| &member.id).enumerate().map(report).collect::<Result<_, _>>()?;
        Ok(Said { reports, roles: Roles::Public, evidence: vec![] })
    }

    fn check(&self, setting: &Setting) -> Result<(), String> {
        if let Some(id) = self.of.keys().find(|id| setting.members.iter().all(|member| member.id != **id)) {
            let there = setting.members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>().join(", ");
            return Err(format!("`of` names `{id}`, and the participants are {there}"));
        }
        let wrong =
            |(id, said): (&String, &DeviceSaid)| said.distortion().check().map_err(|error| format!("{id}: {error}"));
        self.of.iter().try_for_each(wrong)
    }
}

/// Devices that are left out, smaller or at another cost than is true: no report claims what is not there.
struct Understated;
register_dimension!(Understated);

/// Devices that are larger than is true, as if nobody checked.
struct Overstated;
register_dimension!(Overstated);

fn family(
    id: &str,
    device: (usize, &Arc<dyn Device>),
    points: &[f64],
    at: fn(DeviceSaid, f64) -> DeviceSaid,
) -> Family {
    let (id, (position, device)) = (id.to_owned(), (device.0, device.1.clone()));
    let lie = move |x: f64| {
        let said = at(DeviceSaid { device: position, ..DeviceSaid::default() }, x);
        let rule = MisstatedDevice { of: [(id.clone(), said)].into() };
        Lie { rule: Box::new(rule), words: said.words(&*device) }
    };
    Family { points: points.to_vec(), lie: Box::new(lie) }
}

impl Dimension for Understated {
    fn name(&self) -> &'static str {
        "device_gain"
    }

    fn searched(&self) -> &'static str {
        "one of its devices left out, x 0.25 to 0.9 in size, x 0.5 to 2 in cost, or dearer or cheaper by up to half the dearest price"
    }

    fn is_claimed(&self) -> bool {
        true
    }

    fn families(&self, market: &Market, seat: usize) -> Vec<Family> {
        let id = &market.setting().members[seat].id;
        let bought = market.setting().tariff.iter().flat_map(|tariff| tariff.buy_per_kwh.iter().copied());
        let shift = 0.5 * bought.fold(0.0_f64, |most, price| most.max(price.abs()));
        let of_device = |device: (usize, &Arc<dyn Device>)| {
            let mut all =
                vec![family(id, device, &[0.25, 0.5, 0.75, 0.9], |said, x| DeviceSaid { quantity_factor: x, ..said })];
            // What is consumed for sure is metered: it is there, whatever is said.
            if device.1.own_load_kw().is_empty() {
                all.push(family(id, device, &[0.0], |said, _| DeviceSaid { hidden: true, ..said }));
                all.push(family(id, device, &[0.5, 0.75, 1.25, 1.5, 2.0], |said, x| DeviceSaid {
                    price_factor: x,
                    ..said
                }));
                let shifts = [-1.0, -0.5, -0.2, 0.2, 0.5, 1.0].map(|share| share * shift);
                all.push(family(id, device, &shifts, |said, x| DeviceSaid { price_shift_per_kwh: x, ..said }));
            }
            all
        };
        market.local(seat).parts().iter().enumerate().flat_map(of_device).collect()
    }
}

impl Dimension for Overstated {
    fn name(&self) -> &'static str {
        "overstated_gain"
    }

    fn searched(&self) -> &'static str {
        "one of its devices x 1.1 to 2 in size, as if nobody checked"
    }

    fn is_claimed(&self) -> bool {
        false
    }

    fn families(&self, market: &Market, seat: usize) -> Vec<Family> {
        let id = &market.setting().members[seat].id;
        let larger =
            |device| family(id, device, &[1.1, 1.25, 1.5, 2.0], |said, x| DeviceSaid { quantity_factor: x, ..said });
        market.local(seat).parts().iter().enumerate().map(larger).collect()
    }
}
