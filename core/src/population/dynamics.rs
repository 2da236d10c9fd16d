//! How buyers come to their choice: revision in small steps, by what each knows of costs.

use super::PopulationGame;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Least share of an option under the replicator, which never returns to what has died out.
pub const FLOOR: f64 = 1e-12;
/// The step where a rule says none, at most.
const STEP: f64 = 0.8;
/// A rise of the potential by this share is rounding.
const ROUNDING: f64 = 1e-13;
/// A fall of the potential by this share in one step is far from rest.
const FAR: f64 = 1e-6;

/// An evolutionary dynamics: how shares move with costs, `x <- x + step dx/dt`. With `F = -c`, and `F_i` a buyer's mean payoff:
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Dynamics {
    /// `x_ij (F_ij - F_i)` (Taylor and Jonker, 1978): success is copied, and what nobody does is not discovered.
    Replicator {
        /// Step per unit of payoff: the correction factor. It is halved where the potential would rise.
        #[schemars(extend("exclusiveMinimum" = 0.0))]
        step: f64,
    },
    /// `softmax_j(F_ij / noise) - x_ij` (Fudenberg and Levine, 1998): best replies with noise. Its rest point is a quantal response
    /// equilibrium, not Wardrop's.
    Logit {
        /// Money per kWh by which a choice errs.
        #[schemars(extend("exclusiveMinimum" = 0.0))]
        noise: f64,
    },
    /// `[F_ij - F_i]+ - x_ij sum_k [F_ik - F_i]+` (Brown and von Neumann, 1950): options better than the mean grow.
    BrownVonNeumannNash,
    /// `sum_k x_ik [F_ij - F_ik]+ - x_ij sum_k [F_ik - F_ij]+` (Smith, 1984): options are compared in pairs.
    Smith,
    /// Payoffs projected on the directions in which shares can move (Nagurney and Zhang, 1997).
    Projection,
}

impl Default for Dynamics {
    fn default() -> Self {
        Dynamics::Replicator { step: STEP }
    }
}

impl Dynamics {
    /// What is wrong with its number: name, value and what was expected.
    pub fn fault(&self) -> Option<(&'static str, f64)> {
        match *self {
            Dynamics::Replicator { step: value } => Some(("step", value)),
            Dynamics::Logit { noise: value } => Some(("noise", value)),
            _ => None,
        }
        .filter(|(_, value)| !(value.is_finite() && *value > 0.0))
    }

    /// The step that is taken in a game where none is asked for.
    pub fn step_in(&self, game: &PopulationGame) -> f64 {
        match *self {
            Dynamics::Replicator { step } => step,
            Dynamics::Logit { .. } => 0.5,
            _ => STEP.min(1.0 / game.range().max(f64::MIN_POSITIVE)),
        }
    }

    /// Whether its rest points are the equilibria of the game.
    pub fn rests_at_equilibrium(&self) -> bool {
        !matches!(self, Dynamics::Logit { .. })
    }
}

/// Buyers on their way.
#[derive(Clone, Debug)]
pub struct Play<'g> {
    game: &'g PopulationGame,
    rule: Dynamics,
    /// The step, halved where the potential rose.
    step: f64,
    /// The step that was asked for.
    longest: f64,
    /// Steps up to this cannot raise the potential.
    safe: f64,
    steps: usize,
    shares: Vec<f64>,
    /// What falls along the way, at these shares.
    height: f64,
    next: Vec<f64>,
    velocity: Vec<f64>,
    totals: Vec<f64>,
    costs: Vec<f64>,
}

/// Where a play ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Rest {
    /// `x_ij`.
    pub shares: Vec<f64>,
    /// Steps taken.
    pub steps: usize,
    /// `max |dx/dt|` there.
    pub speed: f64,
    /// The Wardrop gap there, money; above 0 at rest under the logit dynamics.
    pub gap: f64,
    /// The step at the end: less than at the beginning where the potential would have risen.
    pub step: f64,
    /// Whether it came to rest, and, unless the dynamics has rest points of its own, in an equilibrium.
    pub converged: bool,
}

/// Gap of an equilibrium per kWh that is bought, money, where the tolerance is not wider.
const GAP: f64 = 1e-8;

impl<'g> Play<'g> {
    /// Buyers at these shares.
    pub fn new(game: &'g PopulationGame, rule: Dynamics, start: &[f64]) -> Self {
        let (pairs, options) = (game.base.len(), game.options);
        let mut play = Self {
            game,
            rule,
            step: rule.step_in(game),
            longest: rule.step_in(game),
            safe: if rule.rests_at_equilibrium() { 1.0 / game.range().max(f64::MIN_POSITIVE) } else { 0.0 },
            steps: 0,
            shares: start.to_vec(),
            height: 0.0,
            next: vec![0.0; pairs],
            velocity: vec![0.0; pairs],
            totals: vec![0.0; options],
            costs: vec![0.0; pairs],
        };
        if let Dynamics::Replicator { .. } = rule {
            play.shares.iter_mut().for_each(|x| *x = x.max(FLOOR));
        }
        normalise(&mut play.shares, options);
        play.game.totals_into(&play.shares, &mut play.totals);
        play.height = play.height_of(&play.shares, &play.totals);
        play
    }

    /// The same with another step.
    pub fn with_step(self, step: f64) -> Self {
        Self { step, longest: step, ..self }
    }

    /// The shares now.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// Steps so far.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// `max |dx/dt|` here.
    pub fn speed(&mut self) -> f64 {
        self.game.costs_into(&self.shares, &mut self.totals, &mut self.costs);
        velocity(self.rule, self.game, &self.shares, &self.costs, &mut self.velocity);
        self.velocity.iter().fold(0.0, |most, v| most.max(v.abs()))
    }

    /// One step, clipped at 0 and normalised; the speed before it. Where the potential would rise the step is halved until it
    /// does not.
    pub fn advance(&mut self) -> f64 {
        let speed = self.speed();
        self.move_on();
        speed
    }

    fn move_on(&mut self) {
        let floor = if matches!(self.rule, Dynamics::Replicator { .. }) { FLOOR } else { 0.0 };
        for _ in 0..60 {
            for ((next, x), v) in self.next.iter_mut().zip(&self.shares).zip(&self.velocity) {
                *next = (x + self.step * v).max(floor);
            }
            normalise(&mut self.next, self.game.options);
            if self.step <= self.safe {
                break;
            }
            self.game.totals_into(&self.next, &mut self.totals);
            let height = self.height_of(&self.next, &self.totals);
            if height <= self.height + ROUNDING * self.height.abs() {
                // Far from rest a step that was halved grows again.
                if self.height - height > FAR * height.abs() {
                    self.step = (1.25 * self.step).min(self.longest);
                }
                self.height = height;
                break;
            }
            self.step *= 0.5;
        }
        std::mem::swap(&mut self.shares, &mut self.next);
        self.steps += 1;
    }

    /// What falls: the potential, or the potential with the entropy that noise adds to it.
    fn height_of(&self, shares: &[f64], totals: &[f64]) -> f64 {
        let potential = self.game.potential_of(shares, totals);
        let Dynamics::Logit { noise } = self.rule else { return potential };
        let rows = shares.chunks_exact(self.game.options).zip(&self.game.mass);
        let entropy = |row: &[f64]| row.iter().filter(|x| **x > 0.0).map(|x| x * x.ln()).sum::<f64>();
        potential + noise * rows.map(|(row, mass)| mass * entropy(row)).sum::<f64>()
    }

    /// Walks until shares move less than `tolerance` per unit of time, in an equilibrium unless the dynamics has rest points of its
    /// own, or `max_steps` were taken. What has almost died out moves little, and may be what is best.
    pub fn rest(mut self, tolerance: f64, max_steps: usize) -> Rest {
        let mut speed = self.speed();
        let enough =
            if self.rule.rests_at_equilibrium() { GAP.max(tolerance) * self.game.total_mass() } else { f64::INFINITY };
        while self.steps < max_steps && (speed >= tolerance || self.game.gap_of(&self.shares, &self.costs) > enough) {
            self.move_on();
            speed = self.speed();
        }
        let gap = self.game.gap_of(&self.shares, &self.costs);
        let Self { shares, steps, step, .. } = self;
        Rest { shares, steps, speed, gap, step, converged: speed < tolerance && gap <= enough }
    }
}

fn normalise(shares: &mut [f64], options: usize) {
    for row in shares.chunks_exact_mut(options) {
        let share = 1.0 / row.iter().sum::<f64>();
        for x in row {
            *x *= share;
        }
    }
}

/// `dx/dt` of all buyers.
fn velocity(rule: Dynamics, game: &PopulationGame, shares: &[f64], costs: &[f64], velocity: &mut [f64]) {
    let m = game.options;
    for ((v, x), c) in velocity.chunks_exact_mut(m).zip(shares.chunks_exact(m)).zip(costs.chunks_exact(m)) {
        let mean = || x.iter().zip(c).map(|(x, c)| x * c).sum::<f64>();
        match rule {
            Dynamics::Replicator { .. } => {
                let mean = mean();
                v.iter_mut().zip(x).zip(c).for_each(|((v, x), c)| *v = x * (mean - c));
            }
            Dynamics::Logit { noise } => {
                let least = c.iter().copied().fold(f64::INFINITY, f64::min);
                v.iter_mut().zip(c).for_each(|(v, c)| *v = ((least - c) / noise).exp());
                let sum: f64 = v.iter().sum();
                v.iter_mut().zip(x).for_each(|(v, x)| *v = *v / sum - x);
            }
            Dynamics::BrownVonNeumannNash => {
                let mean = mean();
                v.iter_mut().zip(c).for_each(|(v, c)| *v = (mean - c).max(0.0));
                let sum: f64 = v.iter().sum();
                v.iter_mut().zip(x).for_each(|(v, x)| *v -= x * sum);
            }
            Dynamics::Smith => {
                for (j, v) in v.iter_mut().enumerate() {
                    let inflow: f64 = (0..m).map(|k| x[k] * (c[k] - c[j]).max(0.0)).sum();
                    let outflow: f64 = (0..m).map(|k| (c[j] - c[k]).max(0.0)).sum();
                    *v = inflow - x[j] * outflow;
                }
            }
            Dynamics::Projection => project(v, x, c),
        }
    }
}

/// Payoffs less their mean over the options that are used, or unused and better than that mean.
fn project(v: &mut [f64], x: &[f64], c: &[f64]) {
    let used = |j: &usize| x[*j] > 0.0;
    let mut count = (0..x.len()).filter(used).count() as f64;
    let mut sum: f64 = (0..x.len()).filter(used).map(|j| c[j]).sum();
    // Unused options join from the cheapest on, as long as they are cheaper than the mean.
    let mut last = f64::NEG_INFINITY;
    loop {
        let next = (0..x.len()).filter(|j| !used(j) && c[*j] > last).map(|j| c[j]).fold(f64::INFINITY, f64::min);
        if next * count >= sum {
            break;
        }
        let alike = (0..x.len()).filter(|j| !used(j) && c[*j] == next).count() as f64;
        (sum, count, last) = (sum + alike * next, count + alike, next);
    }
    let mean = sum / count;
    for ((v, x), c) in v.iter_mut().zip(x).zip(c) {
        *v = if *x > 0.0 || *c <= last { mean - c } else { 0.0 };
    }
}
