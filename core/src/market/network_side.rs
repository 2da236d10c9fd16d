//! The network operator's side of the market: who asks everybody for injections that the network can carry, and can be asked
//! for the nearest ones itself.
//!
//! It knows the network, its own load and where members stand, and of the members nothing but the limits of what they can draw
//! and feed in. Periods do not hang together in a network, so that each is a program of its own, with the power flow, its losses,
//! voltage limits and ratings inside, and its pattern analysed once.

use super::Market;
use super::economy::refused;
use crate::opf::{NetworkBlock, Withdrawal};
use crate::program::{Cost, Expr, Program, SolveError, Template, Var};
use rayon::prelude::*;

/// The operator's question, period by period.
#[derive(Debug)]
pub struct NetworkSide {
    periods: Vec<Period>,
}

/// One period: its program, the injection of each member that stands in the network, kWh, and what is worth the losses.
#[derive(Debug)]
struct Period {
    template: Template,
    /// Its slot of energy.
    slot: Option<usize>,
    injection: Vec<Option<Var>>,
}

/// Injections that the network carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// By member and slot, kWh.
    pub injection_kwh: Vec<Vec<f64>>,
    /// What the losses cost.
    pub loss_cost: f64,
    /// Proven distance from the nearest ones, as money of the pull.
    pub gap: f64,
}

impl Market {
    /// The operator's side, with losses at a price per period.
    ///
    /// # Errors
    /// Without a network, or where it is meshed or holds a voltage by generators.
    pub fn network_side(&self, loss_price_per_kwh: &[f64]) -> Result<NetworkSide, SolveError> {
        let setting = &*self.setting;
        let feeder = setting.feeder.as_ref().ok_or(SolveError::Unmet { need: "a network" })?;
        let hours = setting.periods.hours;
        let period = |t: usize| {
            let mut program = Program::new();
            program.scope("network");
            let slot = setting.energy_slot(t);
            let others = feeder.without_members(t);
            let load_kw: Vec<f64> = others.p_kw.iter().map(|kw| -kw).collect();
            let load_kvar: Vec<f64> = others.q_kvar.iter().map(|kvar| -kvar).collect();
            let mut injection = vec![None; self.len()];
            let mut withdrawals = vec![];
            for (i, (member, seat)) in setting.members.iter().zip(&self.seats).enumerate() {
                let (Some(node), Some(k)) = (member.node, slot) else { continue };
                let (low, high) = seat.reach.withdrawal(setting, &*seat.participant, k);
                let fed_in = program.var(-high, -low);
                injection[i] = Some(fed_in);
                let active_kw = Expr::from(fed_in).times(-1.0 / hours);
                let reactive_kvar = active_kw.clone().times(member.reactive_per_kw());
                withdrawals.push(Withdrawal { node, active_kw, reactive_kvar });
            }
            let block = NetworkBlock::build(&mut program, &feeder.network, t, &load_kw, &load_kvar, &withdrawals)
                .map_err(refused)?;
            let worth = loss_price_per_kwh[t] * hours;
            let mut cost = Cost::default();
            cost.add(worth, block.import_kw).add(-worth, Expr::constant(load_kw.iter().sum()));
            for w in &withdrawals {
                cost.add(-worth, &w.active_kw);
            }
            program.add_cost(&cost);
            Ok(Period { template: program.compile(), slot, injection })
        };
        let periods = (0..setting.periods.count).map(period).collect::<Result<_, SolveError>>()?;
        Ok(NetworkSide { periods })
    }
}

impl NetworkSide {
    /// The injections that the network carries at the least cost of losses and `sum weight/2 (g - centre)^2`, by member and slot,
    /// kWh; what the network does not see stays at its centre.
    ///
    /// # Errors
    /// If no injections keep the limits.
    pub fn prox(&self, centre: &[Vec<f64>], weight: &[Vec<f64>]) -> Result<Carried, SolveError> {
        let answers: Vec<Result<Answer, SolveError>> =
            self.periods.par_iter().map(|period| period.prox(centre, weight)).collect();
        let mut carried = Carried { injection_kwh: centre.to_vec(), loss_cost: 0.0, gap: 0.0 };
        for (period, answer) in self.periods.iter().zip(answers) {
            let answer = answer?;
            for (i, kwh) in answer.injection_kwh {
                if let Some(k) = period.slot {
                    carried.injection_kwh[i][k] = kwh;
                }
            }
            carried.loss_cost += answer.loss_cost;
            carried.gap += answer.gap.max(0.0);
        }
        Ok(carried)
    }
}

/// The answer of one period: injections by member.
struct Answer {
    injection_kwh: Vec<(usize, f64)>,
    loss_cost: f64,
    gap: f64,
}

impl Period {
    fn prox(&self, centre: &[Vec<f64>], weight: &[Vec<f64>]) -> Result<Answer, SolveError> {
        let mut instance = self.template.instance();
        let injections = || self.injection.iter().enumerate().filter_map(|(i, v)| Some((i, (*v)?, self.slot?)));
        for (i, v, k) in injections() {
            instance.add_square(v, 0.5 * weight[i][k], centre[i][k]);
        }
        let solution = instance.solve()?;
        let injection_kwh: Vec<(usize, f64)> = injections().map(|(i, v, _)| (i, solution.value(v))).collect();
        let pulled: f64 =
            injections().map(|(i, v, k)| 0.5 * weight[i][k] * (solution.value(v) - centre[i][k]).powi(2)).sum();
        let loss_cost = solution.certificate.objective - pulled;
        Ok(Answer { injection_kwh, loss_cost, gap: solution.certificate.gap })
    }
}
