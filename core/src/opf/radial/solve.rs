//! The AC optimal power flow of radial networks, and what is done when it is not the whole answer.
//!
//! The flow equations themselves are solved and the answer is certified. Where that proves nothing the relaxation gives a
//! bound, and the equations are solved again from its point; where limits cannot hold they are made soft and the ones that
//! are missed are named.

use super::ask::Hour;
use super::certificate::{Certified, ScaledDuals, certify};
use super::feeder::Feeder;
use super::formulation::{Limits, Scaled, formulate};
use super::report::{Report, violations};
use super::result::{Dispatch, Status};
use super::solved::{MISSED, Solved, in_per_unit};
use crate::network::Network;
use crate::opf::{OpfError, SlackVoltage};
use crate::program::flows::{FlowPattern, FlowPoint, FlowSolution, Mode, solve_flows as solve};
use std::sync::{Arc, Mutex};

const TOLERANCE: f64 = 1e-11;
/// Residuals with which a point that missed the tolerance still counts; the certificate sees the rest.
const USABLE: f64 = 1e-8;
/// Gap, relative to the money that moves, that counts as proven optimal.
const PROVEN: f64 = 1e-6;
/// Price of a missed limit, in units of the highest price.
const SOFT_PRICE: f64 = 30.0;
/// The optimal power flow of a radial network.
///
/// Hours with the same controls share the analysis of their equations.
#[derive(Debug)]
pub struct RadialOpf {
    network: Network,
    slack: SlackVoltage,
    analysed: Mutex<Vec<(Shape, Arc<FlowPattern>)>>,
}

/// What the pattern of an hour's equations depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    mode: Mode,
    soft: bool,
    controls: Vec<(usize, bool)>,
    import: (bool, bool),
}

impl RadialOpf {
    /// Prepares a network; its limits are those of the file, and its slacks stay at their set point.
    ///
    /// # Errors
    /// A network that contradicts itself or is meshed; limits of an angle that no network keeps.
    pub fn new(network: &Network) -> Result<Self, OpfError> {
        Self::with_slack(network, SlackVoltage::Held)
    }

    /// Prepares a network whose slacks may choose their voltage, or not.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_slack(network: &Network, slack: SlackVoltage) -> Result<Self, OpfError> {
        Feeder::with_slack(network, network.base_kva(), slack)?;
        Ok(Self { network: network.clone(), slack, analysed: Mutex::new(vec![]) })
    }

    /// Dispatch of an hour: exact, certified or with a bound, or saying what is wrong.
    ///
    /// # Errors
    /// An hour that does not fit the network. That limits cannot hold is a [`Status`].
    pub fn solve(&self, hour: &Hour) -> Result<Dispatch, OpfError> {
        let (feeder, scaled) = in_per_unit(&self.network, hour, self.slack)?;
        let report = Report { network: &self.network, feeder: &feeder, hour, scaled: &scaled };
        let mut iterations = 0;
        let mut run = |mode, limits, from: Option<&FlowPoint>| {
            let solved = self.run(&feeder, &scaled, mode, limits, from);
            iterations += solved.solution.iterations;
            solved
        };
        let proven = |c: &Certified| c.violation <= MISSED && c.gap <= PROVEN * money(&scaled, c);
        let cold = run(Mode::Exact, Limits::Hard, None);
        let mut best = certified(&feeder, &scaled, &cold).map(|c| (cold, c));
        let mut bound = None;
        if !best.as_ref().is_some_and(|(_, c)| proven(c)) {
            let relaxed = run(Mode::Relaxed, Limits::Hard, None);
            if usable(&relaxed.solution) {
                bound = Some(relaxed.objective(&feeder, &scaled));
                // Losing power on purpose may pay where prices are negative: several local optima, best of a few starts.
                let mut starts = vec![relaxed.solution.point.clone()];
                if scaled.root_price < 0.0 || scaled.units.iter().any(|u| u.slope < 0.0) {
                    starts.extend((0..4).map(|k| relaxed.pushed(k)));
                }
                for start in &starts {
                    let again = run(Mode::Exact, Limits::Hard, Some(start));
                    if let Some(c) = certified(&feeder, &scaled, &again)
                        && best.as_ref().is_none_or(|(_, b)| b.violation > MISSED || c.cost < b.cost)
                        && c.violation <= MISSED
                    {
                        best = Some((again, c));
                    }
                }
            }
        }
        let kept = best.filter(|(_, c)| c.violation <= MISSED);
        if let Some((solved, c)) = kept {
            let scale = scaled.price * feeder.base_kva;
            let bound = bound.map_or(c.cost - c.gap, |b| b.max(c.cost - c.gap));
            let gap = (c.cost - bound).max(0.0);
            let status = if c.gap <= PROVEN * money(&scaled, &c) || gap <= PROVEN * money(&scaled, &c) {
                Status::Certified { gap_per_h: c.gap.min(gap) * scale }
            } else {
                Status::Local { gap_per_h: gap * scale, bound_per_h: bound * scale }
            };
            return Ok(report.dispatch(&solved, &c, status, iterations));
        }
        let price = SOFT_PRICE;
        let mut soft = run(Mode::Exact, Limits::Soft { price }, None);
        if certified(&feeder, &scaled, &soft).is_none() {
            let relaxed = run(Mode::Relaxed, Limits::Soft { price }, None);
            if !usable(&relaxed.solution) {
                return Ok(Dispatch::nothing(&self.network, Status::NoPowerFlow, iterations));
            }
            soft = run(Mode::Exact, Limits::Soft { price }, Some(&relaxed.solution.point));
        }
        let Some(c) = certified(&feeder, &scaled, &soft) else {
            return Ok(Dispatch::nothing(&self.network, Status::NotConverged, iterations));
        };
        let missed = violations(&feeder, &scaled, &c.flow);
        let status = if missed.is_empty() {
            let scale = scaled.price * feeder.base_kva;
            let bound = bound.map_or(c.cost - c.gap, |b| b.max(c.cost - c.gap));
            Status::Local { gap_per_h: (c.cost - bound) * scale, bound_per_h: bound * scale }
        } else {
            Status::Violated(missed)
        };
        Ok(report.dispatch(&soft, &c, status, iterations))
    }

    /// The convex relaxation of an hour: a bound, and a dispatch only where it is a power flow.
    ///
    /// # Errors
    /// An hour that does not fit the network.
    pub fn relaxed(&self, hour: &Hour) -> Result<Dispatch, OpfError> {
        let (feeder, scaled) = in_per_unit(&self.network, hour, self.slack)?;
        let report = Report { network: &self.network, feeder: &feeder, hour, scaled: &scaled };
        let solved = self.run(&feeder, &scaled, Mode::Relaxed, Limits::Hard, None);
        let iterations = solved.solution.iterations;
        if !usable(&solved.solution) {
            // Limits that even the relaxation cannot keep.
            let soft = self.run(&feeder, &scaled, Mode::Relaxed, Limits::Soft { price: SOFT_PRICE }, None);
            let missed = if usable(&soft.solution) { report.missed_by_relaxation(&soft) } else { vec![] };
            let status = if missed.is_empty() { Status::NotConverged } else { Status::Violated(missed) };
            return Ok(Dispatch::nothing(&self.network, status, iterations + soft.solution.iterations));
        }
        let relaxed = report.relaxed(&solved);
        if relaxed.is_power_flow {
            return Ok(relaxed);
        }
        // Where a current costs nothing, as in a branch without resistance, the relaxation has many optima: one that is a power
        // flow is the one to show.
        let exact = self.solve(hour)?;
        let same = PROVEN * (exact.objective_per_h.abs() + 1e-3 * scaled.price * feeder.base_kva);
        if exact.is_feasible() && exact.objective_per_h - relaxed.objective_per_h <= same {
            let iterations = iterations + exact.iterations;
            return Ok(Dispatch { status: relaxed.status, iterations, ..exact });
        }
        Ok(relaxed)
    }

    fn run(&self, feeder: &Feeder, hour: &Scaled, mode: Mode, limits: Limits, from: Option<&FlowPoint>) -> Solved {
        let (program, layout) = formulate(feeder, hour, limits);
        let shape = Shape {
            mode,
            soft: limits != Limits::Hard,
            controls: hour.units.iter().map(|u| (u.at, u.s.is_some())).collect(),
            import: hour.import_rows(),
        };
        let known = self.analysed.lock().ok().and_then(|a| a.iter().find(|(s, _)| *s == shape).map(|(_, p)| p.clone()));
        let pattern = known.unwrap_or_else(|| {
            let pattern = Arc::new(FlowPattern::new(&program, mode));
            if let Ok(mut analysed) = self.analysed.lock() {
                // A handful of shapes is all that a day asks for.
                if analysed.len() >= 8 {
                    analysed.remove(0);
                }
                analysed.push((shape, pattern.clone()));
            }
            pattern
        });
        let solution = solve(&program, &pattern, TOLERANCE, from);
        Solved { program, layout, solution, pattern }
    }
}

fn usable(solution: &FlowSolution) -> bool {
    solution.error <= USABLE
}

fn certified(feeder: &Feeder, hour: &Scaled, solved: &Solved) -> Option<Certified> {
    if !usable(&solved.solution) {
        return None;
    }
    let point = &solved.solution.point;
    let duals = ScaledDuals::of(feeder, hour, &solved.layout, point);
    certify(feeder, hour, &solved.controls(), duals, &solved.layout.voltages(feeder, point))
}

/// Money that moves, in units of price x base: what gaps are measured against.
fn money(hour: &Scaled, c: &Certified) -> f64 {
    let controls: f64 =
        hour.units.iter().zip(&c.controls).map(|(u, x)| ((0.5 * u.square * x.0 + u.slope) * x.0).abs()).sum();
    (hour.root_price * c.flow.import.0).abs() + controls + 1e-3
}
