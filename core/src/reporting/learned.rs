//! What the rules share by which members learn: rounds of reports on a grid of price factors, and how far the reports that come of
//! them are from mutual best replies on that grid.

use crate::context::RunContext;
use crate::engine::{Roles, Said};
use crate::error::MechanismError;
use crate::evaluate::audit::bench::Bench;
use crate::learning::{Agent, Learner, draw};
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::outcome::{Certificate, Kind};
use crate::participant::Distortion;
use crate::words::number;
use rand::RngExt;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The factors by default: from 30 % below the true cost to 30 % above it.
pub(super) const FACTORS: [f64; 7] = [0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3];
/// Rounds by default.
pub(super) const ROUNDS: usize = 60;

/// How members learn.
pub(super) struct Learning<'r> {
    pub learner: Learner,
    /// What they may report, as factors on their cost.
    pub factors: &'r [f64],
    pub rounds: usize,
}

impl Learning<'_> {
    /// Whether the parameters make sense.
    pub fn check(&self) -> Result<(), String> {
        let twice = self.factors.iter().enumerate().any(|(k, factor)| self.factors[..k].contains(factor));
        match self.factors {
            [] => return Err("`price_factors` is empty: expected at least one factor".into()),
            all if all.iter().any(|factor| !(factor.is_finite() && *factor >= 0.0)) => {
                return Err("`price_factors` holds a number that is no factor: expected at least 0".into());
            }
            _ if twice => return Err("`price_factors` holds a factor twice".into()),
            _ => {}
        }
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
        let mut table = Table::new(self.factors, Bench::new(mechanism, truth, ctx.seed(), &()))?;
        let (players, strategies) = (truth.players(), self.factors.len());
        // Nearest to the truth, from where the range of payoffs is looked at.
        let distance = |k: &usize| (self.factors[*k] - 1.0).abs();
        let start = (0..strategies).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0);
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
        let mut evidence = vec![table.exploitability(&profile, played)];
        if !self.learner.is_bandit() {
            let regret = |player: usize| {
                let best = worth[player].iter().copied().fold(f64::NEG_INFINITY, f64::max);
                (best - got[player]) / played as f64
            };
            let bound =
                |player: usize| Some(self.learner.bound(strategies, played, agents[player].range())? / played as f64);
            evidence.extend(regrets((0..players).map(|player| (regret(player), bound(player))), widened));
        }
        let mut reports = vec![Distortion::TRUTH.report(); truth.len()];
        for (seat, distortion) in table.said(&profile) {
            reports[seat] = distortion.report();
        }
        Ok(Said { reports, roles: Roles::Public, evidence })
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

/// What everybody gets at profiles of factors, asked for once each.
struct Table<'a> {
    factors: &'a [f64],
    bench: Bench<'a>,
    /// What everybody gets without trade: where reports have no outcome.
    alone: Vec<f64>,
    known: BTreeMap<Vec<usize>, Vec<f64>>,
}

impl<'a> Table<'a> {
    fn new(factors: &'a [f64], bench: Bench<'a>) -> Result<Self, MechanismError> {
        let truth = bench.truth;
        let of = |player: usize| -> Result<f64, MechanismError> {
            let seats = truth.seats_of(player);
            Ok(seats
                .map(|seat| truth.local(seat).remembered_autarky().map(|plan| -plan.cost))
                .sum::<Result<f64, _>>()?)
        };
        let alone = (0..truth.players()).map(of).collect::<Result<_, _>>()?;
        Ok(Self { factors, bench, alone, known: BTreeMap::new() })
    }

    /// What is said at a profile: a player says the same for each of its seats.
    fn said(&self, profile: &[usize]) -> Vec<(usize, Distortion)> {
        let of = |(player, s): (usize, &usize)| {
            let distortion = Distortion { price_factor: self.factors[*s], ..Distortion::TRUTH };
            self.bench.truth.seats_of(player).map(|seat| (seat, distortion)).collect::<Vec<_>>()
        };
        let said = profile.iter().enumerate().flat_map(of);
        said.filter(|(_, distortion)| *distortion != Distortion::TRUTH).collect()
    }

    /// Asks for profiles that are not known yet.
    fn ask(&mut self, profiles: Vec<Vec<usize>>) {
        let mut new: Vec<Vec<usize>> = profiles.into_iter().filter(|p| !self.known.contains_key(p)).collect();
        new.sort_unstable();
        new.dedup();
        let players: Vec<usize> = (0..self.alone.len()).collect();
        let this = &*self;
        let worth = |profile: &Vec<usize>| this.bench.worth(&this.said(profile), &players);
        let found: Vec<Option<Vec<f64>>> = new.par_iter().map(worth).collect();
        for (profile, found) in new.into_iter().zip(found) {
            let worth = found.unwrap_or_else(|| self.alone.clone());
            self.known.insert(profile, worth);
        }
    }

    /// What everybody gets at a profile.
    fn worth(&mut self, profile: &[usize]) -> Vec<f64> {
        self.ask(vec![profile.to_vec()]);
        self.known[profile].clone()
    }

    /// What each player would get by each of its reports, the others staying.
    fn alternatives(&mut self, profile: &[usize]) -> Vec<Vec<f64>> {
        let instead = |player: usize, s: usize| {
            let mut other = profile.to_vec();
            other[player] = s;
            other
        };
        let each = |player: usize| (0..self.factors.len()).map(move |s| (player, s));
        let all: Vec<(usize, usize)> = (0..profile.len()).flat_map(each).collect();
        self.ask(all.iter().map(|(player, s)| instead(*player, *s)).collect());
        let worth = |player: usize| (0..self.factors.len()).map(|s| self.known[&instead(player, s)][player]).collect();
        (0..profile.len()).map(worth).collect()
    }

    /// The most that anybody gains by another factor of the grid, all of which are tried.
    fn exploitability(&mut self, profile: &[usize], rounds: usize) -> Certificate {
        let payoffs = self.alternatives(profile);
        let gain = |player: usize| {
            let (own, best) =
                (payoffs[player][profile[player]], payoffs[player].iter().copied().fold(f64::NEG_INFINITY, f64::max));
            best - own
        };
        let most = (0..profile.len())
            .map(|player| (gain(player), player))
            .fold((0.0, None), |most, (gain, player)| if gain > most.0 { (gain, Some(player)) } else { most });
        let setting = self.bench.truth.setting();
        let name = |player: usize| {
            let seat = self.bench.truth.seats_of(player).next();
            seat.and_then(|seat| setting.members.get(seat)).map_or("nobody", |member| member.id.as_str())
        };
        let said =
            profile.iter().enumerate().map(|(player, s)| format!("{} {}", name(player), number(self.factors[*s])));
        let gains = most.1.map_or(String::new(), |player| format!("; {} still gains {}", name(player), number(most.0)));
        let (runs, failed) = self.bench.counts();
        let without = if failed > 0 { format!(", {failed} without an outcome") } else { String::new() };
        let witness = format!(
            "price factors after {rounds} rounds and {runs} runs{without}: {}{gains}",
            said.collect::<Vec<_>>().join(", ")
        );
        Certificate::measure("exploitability", most.0, witness)
    }
}
