//! A participant made of devices: a virtual power plant, a prosumer, a load.

use super::check::DeviceError;
use super::device::Surroundings;
use super::{CarbonRole, Contribution, Device, DeviceReport, DeviceSeries, Participant};
use crate::program::{Expr, Program};
use crate::setting::{Periods, Product, Rating, Setting};
use std::sync::Arc;

/// Devices that belong together and are valid together. Reserve is offered by those that name a price for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Portfolio {
    name: String,
    periods: Periods,
    devices: Vec<Arc<dyn Device>>,
    load_kw: Vec<f64>,
    /// What is said of one of them, where it is not the truth.
    said: Option<(usize, DeviceReport)>,
}

/// A device of a portfolio that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{participant}, device {position} ({kind}): {error}")]
pub struct PortfolioError {
    /// Whose device it is.
    pub participant: String,
    /// Position in the list of devices, from 0.
    pub position: usize,
    /// Kind of the device.
    pub kind: &'static str,
    /// What is wrong with it.
    #[source]
    pub error: DeviceError,
}

impl Portfolio {
    /// A portfolio for a horizon. Numbers that stand for series are written out. Devices that are a share of the participant's
    /// own load refer to the sum of its loads.
    ///
    /// # Errors
    /// The first device that is not valid by itself or not what it is registered as, that needs a load where there is none, or
    /// whose share leaves nothing of it.
    pub fn new(
        name: impl Into<String>,
        mut devices: Vec<Box<dyn Device>>,
        periods: Periods,
    ) -> Result<Self, PortfolioError> {
        let name = name.into();
        let wrong = |position: usize, device: &dyn Device, error: DeviceError| PortfolioError {
            participant: name.clone(),
            position,
            kind: device.plugin().kind,
            error,
        };
        let mut load_kw = vec![0.0; periods.count];
        let mut loads = 0;
        for (k, device) in devices.iter_mut().enumerate() {
            device.series().into_iter().for_each(|(_, series)| series.write_out(periods.count));
            device.validate(periods).and_then(|()| check_carbon(&**device)).map_err(|e| wrong(k, &**device, e))?;
            let own = device.own_load_kw();
            loads += usize::from(!own.is_empty());
            load_kw.iter_mut().zip(own).for_each(|(sum, p)| *sum += p);
        }
        let mut shares = 0.0;
        for (k, device) in devices.iter().enumerate() {
            let Some(share) = device.share_of_load() else { continue };
            if loads == 0 {
                return Err(wrong(k, &**device, DeviceError::NoLoad));
            }
            shares += share;
            if shares > 1.0 + 1e-12 {
                return Err(wrong(k, &**device, DeviceError::SharesExceedLoad { sum: shares }));
            }
        }
        Ok(Self { name, periods, devices: devices.into_iter().map(Arc::from).collect(), load_kw, said: None })
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The horizon it was made for.
    pub fn periods(&self) -> Periods {
        self.periods
    }

    /// Its devices, in the order given.
    pub fn devices(&self) -> &[Arc<dyn Device>] {
        &self.devices
    }

    /// The sum of its loads, kW per period.
    pub fn load_kw(&self) -> &[f64] {
        &self.load_kw
    }

    /// The sum of its devices' ratings: what it can at most put into or take out of the network.
    pub fn rating(&self) -> Rating {
        self.devices.iter().fold(Rating::default(), |sum, device| {
            let r = device.rating(self.periods, &self.load_kw);
            Rating { supply_kw: sum.supply_kw + r.supply_kw, demand_kw: sum.demand_kw + r.demand_kw }
        })
    }

    /// The least emission per kWh among its devices that emit, kg; `None` where none does.
    pub fn least_emission_kg_per_kwh(&self) -> Option<f64> {
        self.devices.iter().map(|d| d.emission_kg_per_kwh()).filter(|e| *e > 0.0).reduce(f64::min)
    }
}

/// Carbon accounts go by what a device is registered as: one that contradicts it would be charged to nobody.
fn check_carbon(device: &dyn Device) -> Result<(), DeviceError> {
    let carbon = device.plugin().carbon;
    let found = match (device.emission_kg_per_kwh() > 0.0, device.store().is_some(), carbon) {
        (true, _, CarbonRole::Free | CarbonRole::Load | CarbonRole::Carried) => "it has direct emissions",
        (_, true, CarbonRole::Direct | CarbonRole::Free | CarbonRole::Load) => "it has a store that carries carbon",
        (_, false, CarbonRole::Carried) => "it has no store that carries carbon",
        _ => return Ok(()),
    };
    Err(DeviceError::Role { registered: carbon.name(), found })
}

impl Participant for Portfolio {
    /// A setting with another horizon than the portfolio's makes the program unsolvable, and the error says whose it is.
    fn contribute(&self, program: &mut Program, setting: &Setting) -> Contribution {
        let periods = setting.periods;
        let mut all = Contribution {
            output: vec![Expr::default(); setting.slots.len()],
            emission_kg: vec![Expr::default(); periods.count],
            emitting_kwh: vec![Expr::default(); periods.count],
            ..Contribution::default()
        };
        if periods != self.periods {
            program.scope(format!(
                "{}, whose series are for {} periods of {} h",
                self.name, self.periods.count, self.periods.hours
            ));
            program.var(f64::NAN, f64::NAN);
            return all;
        }
        let trades = |product: Product| {
            let slot = |t| setting.slots.iter().position(|s| s.product == product && s.period == t);
            (0..periods.count).map(slot).collect::<Vec<_>>()
        };
        let energy = trades(Product::Energy);
        let (up, down) = (trades(Product::ReserveUp), trades(Product::ReserveDown));
        let is_traded = |slots: &[Option<usize>]| slots.iter().map(Option::is_some).collect::<Vec<_>>();
        let around = Surroundings {
            periods,
            load_kw: &self.load_kw,
            reserve_up: &is_traded(&up),
            reserve_down: &is_traded(&down),
            slots: &setting.slots,
        };
        for (k, device) in self.devices.iter().enumerate() {
            let said = self.said.filter(|(misstated, _)| *misstated == k).map(|(_, said)| said);
            if said == Some(DeviceReport::Hidden) {
                continue;
            }
            let plugin = device.plugin();
            program.scope(format!("{}, {}", self.name, plugin.kind.replace('_', " ")));
            let mut part = device.contribute(program, &around);
            if let Some(said) = said {
                part = said.said(part, periods.hours);
            }
            let emission_kg_per_kwh = device.emission_kg_per_kwh();
            for (t, power) in part.power_kw.iter().enumerate() {
                let energy_kwh = power.clone().times(periods.hours);
                if emission_kg_per_kwh > 0.0 {
                    all.emission_kg[t].add(emission_kg_per_kwh, &energy_kwh);
                    all.emitting_kwh[t].add(1.0, &energy_kwh);
                }
                if let Some(slot) = energy[t] {
                    all.output[slot].add(1.0, energy_kwh);
                }
            }
            for (slots, offers) in [(&up, part.reserve_up_kw), (&down, part.reserve_down_kw)] {
                for (slot, offer) in slots.iter().zip(offers) {
                    if let Some(slot) = slot {
                        all.output[*slot].add(1.0, offer);
                    }
                }
            }
            for (product, given) in part.goods {
                for (slot, given) in trades(product).into_iter().zip(given) {
                    if let Some(slot) = slot {
                        all.output[slot].add(1.0, given);
                    }
                }
            }
            all.cost.affine.add(1.0, &part.cost.affine);
            all.cost.squares.extend(part.cost.squares);
            let series = DeviceSeries {
                kind: plugin.kind,
                role: plugin.role,
                power_kw: part.power_kw,
                stored_kwh: part.stored_kwh,
                available_kw: part.available_kw,
                store: device.store(),
                desired_kw: part.desired_kw,
                discomfort: part.discomfort,
                device: Some(device.clone()),
            };
            let series = match said {
                Some(said) => said.stored(series, &**device),
                None => series,
            };
            all.devices.push(series);
        }
        program.scope(self.name.clone());
        all
    }

    fn parts(&self) -> &[Arc<dyn Device>] {
        &self.devices
    }

    fn with_device(&self, device: usize, said: DeviceReport) -> Option<Arc<dyn Participant>> {
        (device < self.devices.len()).then(|| Arc::new(Self { said: Some((device, said)), ..self.clone() }) as _)
    }
}

#[cfg(test)]
mod tests {
    use super::Portfolio;
    use crate::participant::testing::{assert_all_close, assert_close, hourly, in_setting};
    use crate::participant::{
        Device, DeviceError, DeviceReport, Distortion, EvFleet, EvSession, Interruptible, Load, MicroTurbine,
        Participant, Pv, Quadratic, Shiftable, Wind,
    };
    use crate::program::{Program, SolveError};
    use crate::setting::{Periods, Setting};

    fn load(p_kw: &[f64]) -> Box<dyn Device> {
        Load { p_kw: p_kw.to_vec().into() }.boxed()
    }

    fn cut(share: f64) -> Box<dyn Device> {
        Interruptible { share, compensation_per_kwh: 0.8 }.boxed()
    }

    #[test]
    fn errors_name_participant_device_and_field() {
        let pv = Pv { p_max_kw: 10.0, profile: vec![0.5, 1.5].into(), cost_per_kwh: 0.0 }.boxed();
        let error = Portfolio::new("vpp1", vec![load(&[1.0, 1.0]), pv], hourly(2)).unwrap_err();
        assert_eq!(error.to_string(), "vpp1, device 1 (pv): profile in period 1: found 1.5, expected 0 to 1");
    }

    #[test]
    fn shares_need_a_load_and_leave_no_less_than_nothing_of_it() {
        let error = |devices| Portfolio::new("vpp", devices, hourly(1)).unwrap_err().error;
        assert_eq!(error(vec![cut(0.1)]), DeviceError::NoLoad);
        let moved = Shiftable { share: 0.5, cost_per_kwh: 0.0 }.boxed();
        assert_eq!(error(vec![load(&[1.0]), cut(0.75), moved]), DeviceError::SharesExceedLoad { sum: 1.25 });
    }

    #[test]
    fn ratings_sum_what_devices_can_give_and_take() {
        let session = EvSession {
            count: 3,
            arrival_h: 0.0,
            departure_h: 1.0,
            energy_kwh: 1.0,
            target_kwh: 2.0,
            capacity_kwh: 10.0,
            p_max_kw: 7.0,
            efficiency: 0.9,
        };
        let later = EvSession { arrival_h: 1.0, departure_h: 2.0, count: 1, ..session };
        let periods = Periods { count: 4, hours: 0.5 };
        let agent = Quadratic {
            a_per_kwh2: 0.1,
            b_per_kwh: vec![0.3; 4].into(),
            net_export_min_kwh: -2.0,
            net_export_max_kwh: 3.0,
            reserve_cost_per_kw: None,
        };
        let devices = vec![
            Wind { p_max_kw: 10.0, profile: vec![0.5; 4].into(), cost_per_kwh: 0.0 }.boxed(),
            load(&[1.0, 2.0, 5.0, 0.0]),
            Shiftable { share: 0.2, cost_per_kwh: 0.0 }.boxed(),
            EvFleet { v2g: true, sessions: vec![session, later] }.boxed(),
            agent.boxed(),
        ];
        let rating = Portfolio::new("vpp", devices, periods).unwrap().rating();
        // 10 + 21 + 3 / 0.5 and 5 + 1 + 21 + 2 / 0.5.
        assert_eq!((rating.supply_kw, rating.demand_kw), (37.0, 31.0));
    }

    /// Left out is not there, half the size is half the size, dearer is dearer: each the answer of the portfolio that is truly so.
    #[test]
    fn what_is_said_of_a_device_is_a_portfolio_of_which_it_is_true() {
        let pv =
            |p_max_kw: f64, cost_per_kwh: f64| Pv { p_max_kw, profile: vec![1.0, 0.5].into(), cost_per_kwh }.boxed();
        let of = |devices| Portfolio::new("vpp", devices, hourly(2)).unwrap();
        let truth = of(vec![load(&[3.0, 3.0]), pv(10.0, 0.2)]);
        let say = |said| truth.with_device(1, said).expect("a device");
        let distorted = |price_factor, price_shift_per_kwh, quantity_factor| {
            DeviceReport::Distorted(Distortion { price_factor, price_shift_per_kwh, quantity_factor })
        };
        let setting = Setting::energy(hourly(2), None, None, vec![]);
        for (said, same) in [
            (say(DeviceReport::Hidden), of(vec![load(&[3.0, 3.0])])),
            (say(distorted(1.0, 0.0, 0.5)), of(vec![load(&[3.0, 3.0]), pv(5.0, 0.2)])),
            (say(distorted(2.0, 0.05, 1.5)), of(vec![load(&[3.0, 3.0]), pv(15.0, 0.45)])),
        ] {
            for price in [0.1, 0.3, 0.5] {
                let (found, expected) = (
                    in_setting(&*said, &setting, &[price, price]).unwrap(),
                    in_setting(&same, &setting, &[price, price]).unwrap(),
                );
                let output = expected.values(&expected.contribution.output);
                assert_all_close(&found.values(&found.contribution.output), &output, 1e-6);
                assert_close(found.profit, expected.profit, 1e-6);
            }
        }
        assert!(truth.with_device(2, DeviceReport::Hidden).is_none());
        assert_eq!(truth.parts().len(), 2);
    }

    #[test]
    fn the_cleanest_of_its_emitting_devices_is_public() {
        let turbine = |emission_kg_per_kwh| {
            MicroTurbine {
                p_min_kw: 0.0,
                p_max_kw: 10.0,
                cost_per_kwh: 0.4,
                cost_per_kwh2: 0.0,
                cost_per_h: 0.0,
                ramp_kw_per_h: None,
                emission_kg_per_kwh,
                reserve_cost_per_kw: None,
            }
            .boxed()
        };
        let least = |devices| Portfolio::new("vpp", devices, hourly(1)).unwrap().least_emission_kg_per_kwh();
        assert_eq!(least(vec![load(&[1.0]), turbine(0.0)]), None);
        assert_eq!(least(vec![turbine(0.55), turbine(0.0), turbine(0.4)]), Some(0.4));
    }

    #[test]
    fn a_setting_with_another_horizon_gives_an_error_and_no_panic() {
        let portfolio = Portfolio::new("vpp1", vec![load(&[1.0; 24])], hourly(24)).unwrap();
        let mut program = Program::new();
        let own = portfolio.contribute(&mut program, &Setting::energy(hourly(12), None, None, vec![]));
        assert_eq!(own.output.len(), 12);
        match program.compile().instance().solve() {
            Err(SolveError::Bounds { scope, .. }) => assert_eq!(scope, "vpp1, whose series are for 24 periods of 1 h"),
            other => panic!("{other:?}"),
        }
    }
}
