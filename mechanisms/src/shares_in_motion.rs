//! The lines that show how buyers come to their choice of sellers: shares step by step, and, where three options are chosen among,
//! the plane of their shares with its flow, ways through it and points of rest.
//!
//! A point of the plane has the shares of the first and the second option as its numbers; the third has the rest. Where buyers differ
//! the plane is that of the kind of buyers that needs most, the others staying at rest. Knows no mechanism.

use crate::stalls::Stall;
use coase_core::population::{Dynamics, Play, PopulationGame};
use coase_core::{Curve, MechanismError};

/// A share by which an option is not chosen in an equilibrium, and where shares come to rest.
const UNUSED: f64 = 1e-9;
const LEFT: f64 = 1e-6;
/// Speed at which shares rest, and steps until they are given up.
const REST: f64 = 1e-9;
const MOST_STEPS: usize = 20_000;
/// A point of a way is kept where shares moved by this much.
const APART: f64 = 0.01;
/// Steps of a line are kept that follow the last one by this share of all.
const LATER: f64 = 0.06;
/// Arrows along an edge of the plane, and how long they are.
const ARROWS: usize = 9;
const ARROW: f64 = 0.045;
/// Where ways begin: shares of the three options.
const STARTS: [[f64; 3]; 7] = [
    [0.90, 0.05, 0.05],
    [0.05, 0.90, 0.05],
    [0.05, 0.05, 0.90],
    [0.49, 0.49, 0.02],
    [0.49, 0.02, 0.49],
    [0.02, 0.49, 0.49],
    [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0],
];
/// An eigenvalue this near to 0 is 0.
const NEUTRAL: f64 = 1e-9;

/// `share`: by option, the share of what all buyers need against steps of the dynamics from equal shares on; an option that is
/// nobody's is the grid.
pub(crate) fn over_time(stall: &Stall, prices: &[f64], rule: Dynamics) -> Vec<Curve> {
    let game = stall.game.buyers_at(prices);
    let mut play = Play::new(&game, rule, &game.uniform());
    let all = game.total_mass();
    let mut lines: Vec<Vec<(f64, f64)>> = vec![vec![]; game.options()];
    let mut next = 0;
    loop {
        let speed = play.speed();
        let ends = speed < REST || play.steps() >= MOST_STEPS;
        if play.steps() >= next || ends {
            let totals = game.totals(play.shares());
            lines.iter_mut().zip(totals).for_each(|(line, total)| line.push((play.steps() as f64, total / all)));
            next = (play.steps() + 1).max((play.steps() as f64 * (1.0 + LATER)) as usize);
        }
        if ends {
            break;
        }
        play.advance();
    }
    let line = |(k, points)| Curve {
        name: "share",
        member: stall.sellers.get(k).copied(),
        other: None,
        slot: Some(stall.slot),
        points,
    };
    lines.into_iter().enumerate().map(line).collect()
}

/// Three options and the buyers who choose among them: the plane of their shares.
struct Plane {
    game: PopulationGame,
    rule: Dynamics,
}

/// What is drawn in the plane of a slot with three options: `simplex_corner` (where all choose one, whose name it has),
/// `simplex_flow` (from where to where shares move), `simplex_trajectory`, and `simplex_stable`, `simplex_saddle`,
/// `simplex_unstable` (points of rest). Nothing where more or fewer are chosen among.
pub(crate) fn plane(stall: &Stall, prices: &[f64], rule: Dynamics) -> Result<Vec<Curve>, MechanismError> {
    let whole = stall.game.buyers_at(prices);
    let rest = Play::new(&whole, rule, &whole.uniform()).rest(REST, MOST_STEPS).shares;
    let masses = whole.mass();
    let Some(kind) = (0..whole.buyers()).reduce(|a, b| if masses[b] > masses[a] { b } else { a }) else {
        return Ok(vec![]);
    };
    let options: Vec<usize> = match whole.options() {
        3 => vec![0, 1, 2],
        // Three sellers and a grid that nobody of them chooses.
        4 if whole.row(&rest, kind)[3] <= LEFT => vec![0, 1, 2],
        _ => return Ok(vec![]),
    };
    // What the others ask of each option is part of what it costs.
    let mut others = rest.clone();
    others[kind * whole.options()..(kind + 1) * whole.options()].fill(0.0);
    let base = whole.costs(&others);
    let slope = |j: usize| stall.game.sellers().get(j).map_or(0.0, |seller| 1.0 / seller.slope());
    let of = |options: &[usize]| {
        let costs = options.iter().map(|j| whole.row(&base, kind)[*j]).collect();
        PopulationGame::new(vec![masses[kind]], &[costs], options.iter().map(|j| slope(*j)).collect())
            .map_err(|error| MechanismError::Failed(error.to_string()))
    };
    let plane = Plane { game: of(&options)?, rule };
    let buyer = largest_of(stall, &whole, kind);
    let line = |name, member, points| Curve { name, member, other: buyer, slot: Some(stall.slot), points };
    let corner = |k: usize| line("simplex_corner", stall.sellers.get(options[k]).copied(), vec![at(&edge(k))]);
    let mut curves: Vec<Curve> = (0..3).map(corner).collect();
    curves.extend(plane.flow().into_iter().map(|points| line("simplex_flow", None, points)));
    curves.extend(STARTS.iter().map(|start| line("simplex_trajectory", None, plane.way(start))));
    let faces = (1..8_usize).map(|set| (0..3).filter(|k| set >> k & 1 == 1).collect::<Vec<usize>>());
    for face in faces.filter(|face| face.len() == 3 || matches!(rule, Dynamics::Replicator { .. })) {
        let inside = of(&face.iter().map(|k| options[*k]).collect::<Vec<_>>())?;
        if let Some(shares) = plane.rest(&inside, &face) {
            curves.push(line(plane.stability(&shares), None, vec![at(&shares)]));
        }
    }
    Ok(curves)
}

/// The buyer of a kind that needs most, or the first among equals.
fn largest_of(stall: &Stall, whole: &PopulationGame, kind: usize) -> Option<usize> {
    let number: Vec<f64> = (0..whole.buyers()).map(|k| k as f64).collect();
    let kinds = |i: usize| {
        // Buyers alike share a row of shares: marked by their number it tells the kind of each.
        let marked: Vec<f64> = number.iter().flat_map(|k| vec![*k; whole.options()]).collect();
        stall.game.shares(&marked)[i][0] as usize
    };
    let of_kind = (0..stall.buyers.len()).filter(|i| kinds(*i) == kind);
    of_kind.reduce(|a, b| if stall.needs[b] > stall.needs[a] { b } else { a }).map(|i| stall.buyers[i])
}

/// A point of the plane.
fn at(shares: &[f64]) -> (f64, f64) {
    (shares[0], shares[1])
}

/// All on one option.
fn edge(k: usize) -> [f64; 3] {
    let mut shares = [0.0; 3];
    shares[k] = 1.0;
    shares
}

impl Plane {
    /// Which way shares move, in arrows of one length at points of a lattice inside.
    fn flow(&self) -> Vec<Vec<(f64, f64)>> {
        let n = ARROWS;
        let points = (0..n).flat_map(|i| (0..n - i).map(move |j| (i, j)));
        let arrow = |(i, j): (usize, usize)| {
            let share = |k: usize| (k as f64 + 1.0 / 3.0) / n as f64;
            let here = [share(i), share(j), 1.0 - share(i) - share(j)];
            let mut play = Play::new(&self.game, self.rule, &here).with_step(1e-6);
            play.advance();
            let moved: Vec<f64> = play.shares().iter().zip(here).map(|(x, from)| x - from).collect();
            let length = moved.iter().map(|x| x * x).sum::<f64>().sqrt();
            // At rest there is no way.
            let scale = if length > 1e-15 { ARROW / length } else { return None };
            let half =
                |sign: f64| -> Vec<f64> { here.iter().zip(&moved).map(|(x, v)| x + sign * 0.5 * scale * v).collect() };
            Some(vec![at(&half(-1.0)), at(&half(1.0))])
        };
        points.filter_map(arrow).collect()
    }

    /// The way from a point to rest.
    fn way(&self, start: &[f64; 3]) -> Vec<(f64, f64)> {
        // Small steps: the way is that of continuous time, to what can be seen.
        let step = 0.2 / self.game.range().max(f64::MIN_POSITIVE);
        let mut play = Play::new(&self.game, self.rule, start).with_step(step.min(self.rule.step_in(&self.game)));
        let mut points = vec![at(play.shares())];
        let mut last = play.shares().to_vec();
        while play.speed() >= REST && play.steps() < MOST_STEPS {
            play.advance();
            if play.shares().iter().zip(&last).any(|(a, b)| (a - b).abs() >= APART) {
                points.push(at(play.shares()));
                last = play.shares().to_vec();
            }
        }
        points.push(at(play.shares()));
        points
    }

    /// The point of rest on a face where all its options are chosen, if there is one.
    fn rest(&self, inside: &PopulationGame, face: &[usize]) -> Option<Vec<f64>> {
        let found = if self.rule.rests_at_equilibrium() {
            inside.equilibrium().shares
        } else {
            Play::new(inside, self.rule, &inside.uniform()).rest(REST, MOST_STEPS).shares
        };
        // The replicator rests wherever what is chosen costs the same; the others only where nothing else costs less.
        if matches!(self.rule, Dynamics::Replicator { .. }) && found.iter().any(|x| *x <= UNUSED) {
            return None;
        }
        let mut shares = vec![0.0; 3];
        face.iter().zip(found).for_each(|(k, x)| shares[*k] = x);
        Some(shares)
    }

    /// Whether shares come back to a point of rest. Costs have a potential that is strictly convex but for one flat option, and the
    /// dynamics without a derivative there fall along it: their one point of rest is stable.
    fn stability(&self, shares: &[f64]) -> &'static str {
        let Some(values) = self.game.eigenvalues(self.rule, shares) else { return "simplex_stable" };
        let (least, most) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
        match () {
            () if most <= NEUTRAL => "simplex_stable",
            () if least >= -NEUTRAL => "simplex_unstable",
            () => "simplex_saddle",
        }
    }
}
