//! Small problems for the tests of devices: a participant that meets fixed prices.

use super::{Contribution, Device, Participant, Portfolio};
use crate::program::{Cost, Expr, Program, Solution, SolveError};
use crate::setting::{Periods, Setting};

/// The best answer of a participant to prices.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) contribution: Contribution,
    pub(super) solution: Solution,
    /// Income less own cost.
    pub(super) profit: f64,
}

impl Response {
    /// Power of a device, kW per period, positive towards the grid.
    pub(super) fn power_kw(&self, device: usize) -> Vec<f64> {
        self.values(&self.contribution.devices[device].power_kw)
    }

    pub(super) fn values(&self, series: &[Expr]) -> Vec<f64> {
        series.iter().map(|e| self.solution.value(e)).collect()
    }
}

pub(super) fn hourly(count: usize) -> Periods {
    Periods { count, hours: 1.0 }
}

/// Sells (buys) any amount at the price per kWh of each slot.
pub(super) fn at_prices(
    devices: Vec<Box<dyn Device>>,
    periods: Periods,
    prices: &[f64],
) -> Result<Response, SolveError> {
    let portfolio = Portfolio::new("test", devices, periods).expect("a valid portfolio");
    in_setting(&portfolio, &Setting::energy(periods, None, None, vec![]), prices)
}

/// As [`at_prices`], for any participant and any slots.
pub(super) fn in_setting(
    participant: &dyn Participant,
    setting: &Setting,
    prices: &[f64],
) -> Result<Response, SolveError> {
    with_cost(participant, setting, |own| {
        let mut cost = own.cost.clone();
        for (output, price) in own.output.iter().zip(prices) {
            cost.add(-price, output);
        }
        cost
    })
}

/// Least cost of whatever objective.
pub(super) fn with_cost(
    participant: &dyn Participant,
    setting: &Setting,
    objective: impl Fn(&Contribution) -> Cost,
) -> Result<Response, SolveError> {
    let mut program = Program::new();
    let contribution = participant.contribute(&mut program, setting);
    let cost = objective(&contribution);
    program.add_cost(&cost);
    let solution = program.compile().instance().solve()?;
    let profit = -cost.value(&solution.x);
    Ok(Response { contribution, solution, profit })
}

pub(super) fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} instead of {expected}");
}

pub(super) fn assert_all_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{found:?} instead of {expected:?}");
    }
}
