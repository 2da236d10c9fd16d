//! What the rules share by which members learn: rounds of reports on a grid of price factors, and how far the reports that come of
//! them are from mutual best replies on that grid.

use super::grid::{Grid, Table};
use crate::context::RunContext;
use crate::engine::{RegisteredReportRule, ReportRule, Roles, Said};
use crate::error::MechanismError;
use crate::evaluate::audit::bench::Bench;
use crate::learning::{Agent, Learner, draw};
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::outcome::{Certificate, Kind};
use crate::setting::Setting;
use rand::RngExt;
use std::fmt::Debug;

/// The factors by default: from 30 % below the true cost to 30 % above it.
pub(super) const FACTORS: [f64; 7] = [0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3];
/// Rounds by default.
pub(super) const ROUNDS: usize = 60;
/// A regret of this share of all payoffs is rounding.
const ROUNDING: f64 = 1e-13;

/// How members learn.
pub struct Learning<'r> {
    /// By which rule.
    pub learner: Learner,
    /// What they may report.
    pub grid: Grid<'r>,
    /// How long.
    pub rounds: usize,
}

/// A rule by which members learn what to report: its parameters say which learner plays on which grid and for how long, and all else
/// is the same for every such rule.
pub trait Learns: RegisteredReportRule + erased_serde::Serialize + Debug + Send + Sync {
    /// How members learn.
    fn learning(&self) -> Learning<'_>;
}

impl<R: Learns> ReportRule for R {
    fn said(&self, truth: &Market, mechanism: &dyn Mechanism, ctx: &mut RunContext) -> Result<Said, MechanismError> {
        self.learning().said(truth, mechanism, ctx)
    }

    fn check(&self, _: &Setting) -> Result<(), String> {
        self.learning().check()
    }

    /// The best reply is one report, and not drawn.
    fn draws(&self) -> bool {
        !matches!(self.learning().learner, Learner::FictitiousPlay)
    }
}

impl Learning<'_> {
    /// Whether the parameters make sense.
    pub fn check(&self) -> Result<(), String> {
        self.grid.check()?;
        if self.rounds == 0 {
            return Err("`rounds` is 0: expected at least 1".into());
        }
        let (name, value) = match self.learner {
            Learner::Hedge { rate: Some(rate) } => ("rate", rate),
            Learner::LogitResponse { noise } => ("noise_per_stake", noise),
            Learner::Exp3 { exploration: Some(share) } if !(share > 0.0 && share <= 1.0) => {
                return Err(format!("`exploration` is {share}: expected a number above 0 and at most 1"));
            }
            _ => return Ok(()),
        };
        if value.is_finite() && value > 0.0 {
            Ok(())
        } else {
            Err(format!("`{name}` is {value}: expected a number above 0"))
        }
    }

    /// What members come to report.
    pub fn said(
        &self,
        truth: &Market,
        mechanism: &dyn Mechanism,
        ctx: &mut RunContext,
    ) -> Result<Said, MechanismError> {
        self.check().map_err(MechanismError::Failed)?;
        let mut table = Table::new(self.grid, Bench::new(mechanism, truth, ctx.seed(), &()))?;
        let (players, strategies) = (truth.players(), self.grid.reports().len());
        // Nearest to the truth, from where the range of payoffs is looked at.
        let start = table.nearest_to_truth();
        let payoffs = table.alternatives(&vec![start; players]);
        let agent = |payoffs: &Vec<f64>| {
            let least = payoffs.iter().copied().fold(f64::INFINITY, f64::min);
            let most = payoffs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let learner = match self.learner {
                // What a choice errs by is a share of what a report can change.
                Learner::LogitResponse { noise } => {
                    Learner::LogitResponse { noise: (noise * (most - least)).max(f64::MIN_POSITIVE) }
                }
                other => other,
            };
            Agent::new(learner, vec![0.0; strategies], self.rounds, least, most - least)
        };
        let mut agents: Vec<Agent> = payoffs.iter().map(agent).collect();
        let mut widened = false;
        let (mut worth, mut got) = (vec![vec![0.0; strategies]; players], vec![0.0; players]);
        let mut counts = vec![vec![0_usize; strategies]; players];
        let mut played = 0;
        for round in 0..self.rounds {
            let chances: Vec<Vec<f64>> = agents.iter().map(Agent::strategy).collect();
            let drawn: Vec<usize> = (0..players)
                .map(|player| draw(&chances[player], ctx.stream("learning", player, round).random()))
                .collect();
            if self.learner.is_bandit() {
                let got = table.worth(&drawn);
                for (player, agent) in agents.iter_mut().enumerate() {
                    widened |= agent.widen(got[player], got[player]);
                    agent.learn_drawn(drawn[player], chances[player][drawn[player]], got[player]);
                }
            } else {
                for (player, payoffs) in table.alternatives(&drawn).into_iter().enumerate() {
                    let least = payoffs.iter().copied().fold(f64::INFINITY, f64::min);
                    let most = payoffs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    widened |= agents[player].widen(least, most);
                    agents[player].learn(&payoffs, &chances[player]);
                    got[player] += payoffs.iter().zip(&chances[player]).map(|(u, x)| u * x).sum::<f64>();
                    worth[player].iter_mut().zip(&payoffs).for_each(|(sum, u)| *sum += u);
                }
            }
            // What is reported in the end is what was reported most often in the second half.
            if 2 * round >= self.rounds {
                drawn.iter().zip(&mut counts).for_each(|(s, counts)| counts[*s] += 1);
            }
            played = round + 1;
            if ctx.cancelled() {
                break;
            }
        }
        let most_often = |counts: &Vec<usize>| {
            let most = counts.iter().copied().max().unwrap_or(0);
            counts.iter().position(|count| *count == most && most > 0).unwrap_or(start)
        };
        let profile: Vec<usize> = counts.iter().map(most_often).collect();
        let mut evidence = vec![table.exploitability(&profile, &format!("after {played} rounds"))];
        if !self.learner.is_bandit() {
            let regret = |player: usize| {
                let best = worth[player].iter().copied().fold(f64::NEG_INFINITY, f64::max);
                (best - got[player]) / played as f64
            };
            let bound =
                |player: usize| Some(self.learner.bound(strategies, played, agents[player].range())? / played as f64);
            // What sums of payoffs lose by rounding is no regret.
            let stake = worth.iter().chain([&got]).flatten().fold(0.0_f64, |most, x| most.max(x.abs()));
            let of = |player| (regret(player), bound(player).map(|bound| bound + ROUNDING * stake));
            evidence.extend(regrets((0..players).map(of), widened));
        }
        Ok(Said { reports: table.reports(&profile), roles: Roles::Public, evidence })
    }
}

/// The greatest regret per round against what its rule is known to keep. Payoffs that turned out to range further than at the
/// beginning leave no bound.
fn regrets(all: impl Iterator<Item = (f64, Option<f64>)>, widened: bool) -> Option<Certificate> {
    let worst = all.max_by(|a, b| (a.0 - a.1.unwrap_or(0.0)).total_cmp(&(b.0 - b.1.unwrap_or(0.0))))?;
    let what = "what one report all along would have brought a member more, per round";
    Some(match worst {
        (regret, Some(bound)) if !widened => {
            Certificate::check("learning_regret", regret, bound, what).about(Kind::Claim)
        }
        (regret, _) => Certificate::measure("learning_regret", regret, what),
    })
}
