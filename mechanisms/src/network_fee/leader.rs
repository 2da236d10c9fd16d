//! The operator's search among fees, and the game that it plays.

use super::followers::Followers;
use crate::leader_search::{Line, Look, Peak, Trial, drawn, nelder_mead, peaks, peaks_of};
use coase_core::game::{Axis, Game, Profile, Space, Strategy};
use coase_core::market::PairwiseSteps;
use coase_core::{MechanismError, Party, RunContext};
use std::cell::RefCell;

/// Fees tried on one line to bracket peaks: of the only fee, and of one among several.
const GRID: usize = 64;
const GRID_OF_ONE: usize = 16;
/// How one fee among several is looked for, before the last round.
const GLANCE: Look = Look { most: 2, tolerance: 1e-4 };
/// With more fees than this the method of Nelder and Mead finds nothing that single steps miss, and takes long.
const MOST_FOR_SIMPLEX: usize = 10;
/// Fees tried afterwards to see whether a peak was missed.
pub(super) const FINE_GRID: usize = 499;
/// Points drawn to start at, and to look whether anything better was missed.
const STARTS: usize = 3;
pub(super) const SAMPLES: usize = 200;
/// Rounds over all fees, one after the other, and the relative rise of the revenue at which they end.
const ROUNDS: usize = 20;
const RISE: f64 = 1e-6;

/// What the search found.
pub(super) struct Found {
    pub fees: Vec<f64>,
    /// Fees that earn most near them, best first, where there is only one.
    pub peaks: Vec<Peak>,
    /// The best revenue among other fees that were tried, and how many these were; `None` where nobody looked.
    pub elsewhere: Option<(f64, usize)>,
    /// How far a search that was broken off may be from the best.
    pub residual: Option<f64>,
    /// What the program of one level says that the fees earn.
    pub single_level: Option<f64>,
}

impl Found {
    pub fn of(fees: Vec<f64>) -> Self {
        Self { fees, peaks: vec![], elsewhere: None, residual: None, single_level: None }
    }

    pub fn fixed(per_kwh: f64) -> Self {
        Self::of(vec![per_kwh])
    }
}

/// One fee among others.
struct Alone<'f, 'm> {
    followers: &'f Followers<'m>,
    steps: RefCell<PairwiseSteps<'f, 'm>>,
    fees: Vec<f64>,
    of: usize,
}

impl<'f, 'm> Alone<'f, 'm> {
    fn new(followers: &'f Followers<'m>, fees: Vec<f64>, of: usize) -> Self {
        Self { followers, steps: RefCell::new(followers.session().steps()), fees, of }
    }

    fn with(&self, price: f64) -> Vec<f64> {
        let mut fees = self.fees.clone();
        fees[self.of] = price;
        fees
    }
}

impl Line for Alone<'_, '_> {
    fn trials(&self, prices: &[f64]) -> Result<Vec<Trial>, MechanismError> {
        if let [price] = prices {
            let trial = self.followers.step(&mut self.steps.borrow_mut(), &self.with(*price), self.of)?;
            return Ok(vec![trial]);
        }
        let all: Vec<Vec<f64>> = prices.iter().map(|price| self.with(*price)).collect();
        self.followers.trials(&all, self.of)
    }

    fn favoured(&self, price: f64) -> Result<f64, MechanismError> {
        let fees = self.with(price);
        Ok(self.followers.revenue(&fees, &self.followers.favouring(&fees, 1.0)?))
    }
}

/// The fees that earn most.
pub(super) fn best(followers: &Followers<'_>, most: f64, ctx: &RunContext) -> Result<Found, MechanismError> {
    if followers.links().is_empty() || most == 0.0 {
        return Ok(Found::of(vec![0.0; followers.fees()]));
    }
    if followers.fees() == 1 { single(followers, most) } else { several(followers, most, ctx) }
}

fn single(followers: &Followers<'_>, most: f64) -> Result<Found, MechanismError> {
    let line = Alone::new(followers, vec![0.0], 0);
    let prices: Vec<f64> = (0..=GRID).map(|k| most * k as f64 / GRID as f64).collect();
    let coarse = line.trials(&prices)?;
    let mut peaks = peaks_of(&line, &coarse, Look::CLOSE)?;
    let first = peaks.first().map_or(0.0, |peak| peak.gain);
    let (fine, tried) = missed(&line, &coarse, first)?;
    let mut elsewhere = fine.iter().map(|t| t.gain).fold(0.0, f64::max);
    if elsewhere > first {
        // A peak between two points of the grid: the fine one brackets it.
        let all = peaks_of(&line, &fine, Look::CLOSE)?;
        if all.first().is_some_and(|peak| peak.gain > first) {
            peaks = all;
        }
        elsewhere = fine.iter().map(|t| t.gain).fold(0.0, f64::max);
    }
    let fee = peaks.first().map_or(0.0, |peak| peak.price);
    Ok(Found { peaks, elsewhere: Some((elsewhere, tried)), ..Found::of(vec![fee]) })
}

/// Trials of a finer grid wherever the revenue may be above a value. The charged quantity never rises with the fee: between two
/// fees no revenue is above the higher one times the quantity at the lower one.
fn missed(line: &dyn Line, coarse: &[Trial], value: f64) -> Result<(Vec<Trial>, usize), MechanismError> {
    let most = coarse.last().map_or(0.0, |t| t.price);
    let may_hold = |price: &f64| {
        let left = coarse.iter().rev().find(|t| t.price <= *price);
        let right = coarse.iter().find(|t| t.price >= *price);
        left.zip(right).is_none_or(|(left, right)| right.price * left.slope > value)
    };
    let fine = (0..=FINE_GRID).map(|k| most * k as f64 / FINE_GRID as f64);
    let prices: Vec<f64> = fine.filter(may_hold).collect();
    Ok((line.trials(&prices)?, prices.len()))
}

fn several(followers: &Followers<'_>, most: f64, ctx: &RunContext) -> Result<Found, MechanismError> {
    let count = followers.fees();
    let bounds = vec![(0.0, most); count];
    // All alike first: the best single fee is where every search starts.
    let alike = |fee: f64| vec![fee; count];
    let prices: Vec<Vec<f64>> = (0..=GRID).map(|k| alike(most * k as f64 / GRID as f64)).collect();
    let tried = followers.trials(&prices, 0)?;
    let start = tried.iter().fold(tried[0], |best, t| if t.gain > best.gain { *t } else { best }).price;
    let mut fees = one_by_one(followers, most, alike(start))?;
    if count <= MOST_FOR_SIMPLEX {
        let steps = RefCell::new(followers.session().steps());
        let cost = |fees: &[f64]| Ok(-followers.step(&mut steps.borrow_mut(), fees, 0)?.gain);
        let mut starts = vec![fees];
        starts.extend(drawn(ctx.seed(), "starts of a leader", &bounds, STARTS));
        let found = nelder_mead(&cost, &bounds, &starts)?.0;
        fees = one_by_one(followers, most, found)?;
    }
    let samples = drawn(ctx.seed(), "other fees of a leader", &bounds, SAMPLES);
    let other = followers.trials(&samples, 0)?.iter().map(|t| t.gain).fold(0.0, f64::max);
    Ok(Found { elsewhere: Some((other, SAMPLES)), ..Found::of(fees) })
}

/// Each fee in turn at its best beside the others, until nothing is gained.
fn one_by_one(followers: &Followers<'_>, most: f64, mut fees: Vec<f64>) -> Result<Vec<f64>, MechanismError> {
    let favoured =
        |fees: &[f64]| -> Result<f64, MechanismError> { Ok(followers.revenue(fees, &followers.favouring(fees, 1.0)?)) };
    let mut gain = favoured(&fees)?;
    let mut look = GLANCE;
    for _ in 0..ROUNDS {
        let before = gain;
        for of in 0..fees.len() {
            let line = Alone::new(followers, fees.clone(), of);
            let found = peaks(&line, (0.0, most), GRID_OF_ONE, look)?;
            if let Some(peak) = found.first().filter(|peak| peak.gain > gain) {
                (fees[of], gain) = (peak.price, peak.gain);
            }
        }
        if gain - before <= RISE * gain.abs() {
            if look.tolerance < GLANCE.tolerance {
                break;
            }
            look = Look { most: 1, ..Look::CLOSE };
        }
    }
    Ok(fees)
}

/// The operator as the one player: it chooses fees, everybody else answers.
pub(super) struct FeeGame<'m> {
    pub followers: Followers<'m>,
    pub most: f64,
}

impl Game for FeeGame<'_> {
    fn players(&self) -> Vec<Party> {
        vec![Party::Dso]
    }

    fn space(&self, _player: usize) -> Space {
        let axis = |name: &String| Axis { name: name.clone(), min: 0.0, max: self.most };
        Space { axes: self.followers.names().iter().map(axis).collect() }
    }

    /// Every fee moved by itself to points of a grid, and all of them in proportion.
    fn candidates(&self, _player: usize, profile: &Profile) -> Vec<Strategy> {
        let played = &profile[0];
        let count = if played.len() == 1 { 101 } else { 9 };
        let share = |k: usize| k as f64 / (count - 1) as f64;
        let moved = |of: usize| {
            (0..count).map(move |k| {
                let mut fees = played.clone();
                fees[of] = self.most * share(k);
                fees
            })
        };
        let together = (0..count).map(|k| played.iter().map(|fee| (2.0 * share(k) * fee).min(self.most)).collect());
        (0..played.len()).flat_map(moved).chain(together).collect()
    }

    fn payoff(&self, _player: usize, profile: &Profile) -> Result<f64, MechanismError> {
        let fees = &profile[0];
        Ok(self.followers.revenue(fees, &self.followers.favouring(fees, 1.0)?))
    }

    fn words(&self, player: usize, strategy: &[f64]) -> String {
        format!("the operator asks {}", self.space(player).words(strategy))
    }
}
