//! Self-play: everybody learns at once, and what came of it is measured exactly.

use super::{Agent, Learner, NormalForm};
use crate::random;
use rand::RngExt;

/// What came of learning.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// How often each player played each of its strategies, as shares of all rounds.
    pub average: Vec<Vec<f64>>,
    /// The chances after the last round.
    pub last: Vec<Vec<f64>>,
    /// Mean payoff of each player over all rounds.
    pub payoffs: Vec<f64>,
    /// External regret of each player per round: what one strategy all along would have brought more. The greatest is the gap of
    /// play from a coarse correlated equilibrium.
    pub regrets: Vec<f64>,
    /// What regret per round is known not to exceed: in expectation where play is drawn.
    pub bounds: Option<Vec<f64>>,
    /// What each player gains by its best reply to the others' average play.
    pub gains: Vec<f64>,
    /// Their sum.
    pub exploitability: f64,
    /// Rounds.
    pub rounds: usize,
}

/// Everybody follows the same rule for so many rounds. Where the rule learns from every strategy's payoff, players see the expected
/// payoffs against each other's chances, and nothing is drawn.
pub fn learn(form: &NormalForm, learner: Learner, rounds: usize, seed: u64) -> Learned {
    let nothing: Vec<Vec<f64>> = form.strategies().iter().map(|k| vec![0.0; *k]).collect();
    learn_from(form, learner, rounds, seed, nothing)
}

/// The same where strategies are credited with something at the beginning.
pub fn learn_from(form: &NormalForm, learner: Learner, rounds: usize, seed: u64, bonus: Vec<Vec<f64>>) -> Learned {
    let n = form.players();
    let ranges: Vec<f64> = (0..n).map(|player| form.range(player)).collect();
    let least = |player: usize| (0..form.profiles()).map(|k| form.payoffs(k)[player]).fold(f64::INFINITY, f64::min);
    let agent = |(player, bonus)| Agent::new(learner, bonus, rounds, least(player), ranges[player]);
    let mut agents: Vec<Agent> = bonus.into_iter().enumerate().map(agent).collect();
    let mut stream = random::stream(seed, "learning", 0, 0);
    let zeros: Vec<Vec<f64>> = form.strategies().iter().map(|k| vec![0.0; *k]).collect();
    let (mut played, mut worth, mut got) = (zeros.clone(), zeros, vec![0.0; n]);
    for _ in 0..rounds {
        let chances: Vec<Vec<f64>> = agents.iter().map(Agent::strategy).collect();
        let (mixed, payoffs) = if learner.is_bandit() {
            let drawn: Vec<usize> = chances.iter().map(|x| draw(x, stream.random())).collect();
            let place = form.place(&drawn);
            for (player, agent) in agents.iter_mut().enumerate() {
                agent.learn_drawn(drawn[player], chances[player][drawn[player]], form.payoffs(place)[player]);
            }
            let payoffs = (0..n).map(|player| form.alternatives(place, player).collect()).collect();
            (drawn.iter().zip(form.strategies()).map(|(s, k)| unit(*s, *k)).collect(), payoffs)
        } else {
            let payoffs = form.expected(&chances);
            agents.iter_mut().enumerate().for_each(|(i, agent)| agent.learn(&payoffs[i], &chances[i]));
            (chances, payoffs)
        };
        for player in 0..n {
            let (x, u): (&Vec<f64>, &Vec<f64>) = (&mixed[player], &payoffs[player]);
            got[player] += u.iter().zip(x).map(|(u, x)| u * x).sum::<f64>();
            played[player].iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
            worth[player].iter_mut().zip(u).for_each(|(sum, u)| *sum += u);
        }
    }
    let t = rounds.max(1) as f64;
    let average: Vec<Vec<f64>> = if rounds == 0 {
        agents.iter().map(Agent::strategy).collect()
    } else {
        played.into_iter().map(|x| x.into_iter().map(|x| x / t).collect()).collect()
    };
    let best = |of: &Vec<f64>| of.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let gains = form.gains(&average);
    let bound = |player: usize| Some(learner.bound(form.strategies()[player], rounds, ranges[player])? / t);
    Learned {
        last: agents.iter().map(Agent::strategy).collect(),
        regrets: worth.iter().zip(&got).map(|(worth, got)| (best(worth) - got) / t).collect(),
        payoffs: got.iter().map(|got| got / t).collect(),
        bounds: (0..n).map(bound).collect(),
        exploitability: gains.iter().sum(),
        average,
        gains,
        rounds,
    }
}

/// The strategy that a number from 0 to 1 falls on.
pub(crate) fn draw(chances: &[f64], mut at: f64) -> usize {
    for (s, x) in chances.iter().enumerate() {
        at -= x;
        if at < 0.0 {
            return s;
        }
    }
    chances.iter().rposition(|x| *x > 0.0).unwrap_or(0)
}

fn unit(at: usize, of: usize) -> Vec<f64> {
    (0..of).map(|s| if s == at { 1.0 } else { 0.0 }).collect()
}
