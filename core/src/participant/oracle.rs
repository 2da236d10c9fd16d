//! What a device is tested against: random parameters that make sense, and a check of its equations on what it was found to
//! do that is written anew and not with the device's own functions.
//!
//! [`follow_their_equations`] meets random prices of either sign with devices drawn so. A crate with a device of its own calls
//! it in a test:
//!
//! ```
//! use coase_core::participant::{devices, oracle};
//!
//! let storage = devices().into_iter().find(|plugin| plugin.id == "storage").expect("it is linked");
//! assert_eq!(oracle::follow_their_equations(&[storage], 7), Ok(()));
//! ```

use super::{Device, DevicePlugin, Load, Participant, Portfolio};
use crate::program::{Expr, Program, Solution};
use crate::random::{Stream, stream};
use crate::setting::{Periods, Setting};
use rand::RngExt;

/// How a device is tested; made by [`register_device!`](crate::register_device).
#[derive(Clone, Copy)]
pub struct Oracle {
    /// A device with random parameters.
    pub draw: fn(&mut Draw, Periods) -> Box<dyn Device>,
    /// The cost of what it was found to do, or which of its equations that does not follow.
    pub check: fn(&dyn Device, &Delivered<'_>) -> Result<f64, String>,
}

/// Random numbers for parameters.
pub struct Draw(Stream);

impl Draw {
    /// The numbers of a seed, the same on every machine.
    pub fn new(seed: u64) -> Self {
        Self(stream(seed, "parameters of devices", 0, 0))
    }

    /// Uniform between two numbers.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    /// True with a probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// A whole number, both ends possible.
    pub fn whole(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }

    /// One number per period, uniform between two.
    pub fn series(&mut self, periods: Periods, low: f64, high: f64) -> Vec<f64> {
        (0..periods.count).map(|_| self.between(low, high)).collect()
    }
}

/// What a device was found to do.
#[derive(Clone, Copy, Debug)]
pub struct Delivered<'a> {
    /// The horizon.
    pub periods: Periods,
    /// The participant's own load, kW per period.
    pub load_kw: &'a [f64],
    /// Power, kW per period, positive towards the grid.
    pub power_kw: &'a [f64],
    /// Stored energy that it reports at the end of each period, kWh; empty where it reports none.
    pub stored_kwh: &'a [f64],
    /// Deviation from comfort that it reports, as a share of the greatest permitted one; empty where it reports none.
    pub discomfort: &'a [f64],
}

/// Rounding that a schedule may have, in kW, kWh or degrees.
pub const TOLERANCE: f64 = 1e-5;

impl Delivered<'_> {
    /// Sum over periods of a cost per hour of the power.
    pub fn cost(&self, per_hour: impl Fn(f64) -> f64) -> f64 {
        self.power_kw.iter().map(|p| self.periods.hours * per_hour(*p)).sum()
    }

    /// Whether the power stays within two limits, each kW of a period.
    ///
    /// # Errors
    /// The first period in which it does not.
    pub fn within(&self, low: impl Fn(usize) -> f64, high: impl Fn(usize) -> f64) -> Result<(), String> {
        for (t, p) in self.power_kw.iter().enumerate() {
            between("power", t, *p, low(t), high(t))?;
        }
        Ok(())
    }
}

/// Whether a value of a period lies between two limits.
///
/// # Errors
/// What it is, and where.
pub fn between(what: &str, period: usize, value: f64, low: f64, high: f64) -> Result<(), String> {
    let slack = TOLERANCE * (1.0 + value.abs());
    if value >= low - slack && value <= high + slack {
        return Ok(());
    }
    Err(format!("{what} in period {period} is {value}, which is not between {low} and {high}"))
}

/// Whether two values of a period are the same.
///
/// # Errors
/// What they are, and where.
pub fn same(what: &str, period: usize, found: f64, expected: f64) -> Result<(), String> {
    between(what, period, found, expected, expected)
}

/// Draws one device of each kind and a load, lets them meet random prices together, and checks what they were found to do:
/// each device by its oracle, their cost and their output in sum.
///
/// # Errors
/// What is wrong, with the device; a device without an oracle is wrong.
pub fn follow_their_equations(kinds: &[&'static DevicePlugin], seed: u64) -> Result<(), String> {
    let mut draw = Draw::new(seed);
    let periods = Periods { count: draw.whole(3, 9), hours: if draw.chance(0.5) { 1.0 } else { 0.5 } };
    // A share of the participant's own load needs one.
    let mut devices = vec![Load { p_kw: draw.series(periods, 0.0, 60.0).into() }.boxed()];
    let mut oracles = vec![];
    for plugin in kinds {
        let oracle = plugin.oracle.ok_or_else(|| format!("{} has no oracle", plugin.id))?;
        devices.push(valid(plugin, oracle, &mut draw, periods)?);
        oracles.push((plugin, oracle));
    }
    let portfolio = Portfolio::new("drawn", devices, periods).map_err(|error| error.to_string())?;
    let prices = draw.series(periods, -0.3, 1.2);
    let setting = Setting::energy(periods, None, None, vec![]);
    let mut program = Program::new();
    let own = portfolio.contribute(&mut program, &setting);
    let mut cost = own.cost.clone();
    for (output, price) in own.output.iter().zip(&prices) {
        cost.add(-price, output);
    }
    program.add_cost(&cost);
    let solution = program.compile().instance().solve().map_err(|error| format!("they cannot operate: {error}"))?;
    let mut paid = 0.0;
    let mut output = portfolio.load_kw().iter().map(|p| -p * periods.hours).collect::<Vec<_>>();
    for ((plugin, oracle), (device, series)) in oracles.iter().zip(portfolio.devices().iter().zip(&own.devices).skip(1))
    {
        let power_kw = values(&solution, &series.power_kw);
        if power_kw.len() != periods.count {
            return Err(format!("{} has {} powers in {} periods", plugin.id, power_kw.len(), periods.count));
        }
        let delivered = Delivered {
            periods,
            load_kw: portfolio.load_kw(),
            power_kw: &power_kw,
            stored_kwh: &values(&solution, &series.stored_kwh),
            discomfort: &values(&solution, &series.discomfort),
        };
        paid += (oracle.check)(&**device, &delivered).map_err(|wrong| format!("{}: {wrong}: {device:?}", plugin.id))?;
        // A fixed load among the drawn ones is in the load of the portfolio already.
        let counted = if device.own_load_kw().is_empty() { 1.0 } else { 0.0 };
        output.iter_mut().zip(&power_kw).for_each(|(sum, p)| *sum += counted * periods.hours * p);
    }
    let reported = own.cost.value(&solution.x);
    if (paid - reported).abs() > TOLERANCE * (1.0 + paid.abs()) {
        return Err(format!("what they do costs {paid}, and {reported} is reported"));
    }
    for (t, (sum, reported)) in output.iter().zip(values(&solution, &own.output)).enumerate() {
        same("output", t, reported, *sum)?;
    }
    Ok(())
}

/// A device that can be: of numbers drawn for themselves some contradict each other.
fn valid(plugin: &DevicePlugin, oracle: Oracle, draw: &mut Draw, periods: Periods) -> Result<Box<dyn Device>, String> {
    const TRIES: usize = 100;
    let mut last = None;
    for _ in 0..TRIES {
        let mut device = (oracle.draw)(draw, periods);
        device.series().into_iter().for_each(|(_, series)| series.write_out(periods.count));
        match device.validate(periods) {
            Ok(()) => return Ok(device),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(String::new, |error| error.to_string());
    Err(format!("{}: none of {TRIES} drawn devices is valid: {why}", plugin.id))
}

fn values(solution: &Solution, series: &[Expr]) -> Vec<f64> {
    series.iter().map(|e| solution.value(e)).collect()
}
