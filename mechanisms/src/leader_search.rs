//! The search of a leader: the best of few numbers, where every trial is answered by followers who do the best for themselves.
//!
//! Along a line the followers' least cost `V` is concave in a price that they pay, and its slope is the quantity that they pay
//! it for, so that quantity never rises with the price and falls at once where they are indifferent. A leader's gain is then
//! smooth between such prices and falls at them: a grid brackets its peaks, Brent's method closes in on each, a parabola through
//! three points of one piece of the quantity is exact there, and where the quantity falls at once the price is the crossing of two
//! lines of `V`. Over several prices: Nelder and Mead's method from several starts, and every price by itself in turn.
//!
//! Knows neither who leads nor who follows.

use argmin::core::{CostFunction, Error, Executor, State};
use argmin::solver::brent::BrentOpt;
use argmin::solver::neldermead::NelderMead;
use coase_core::MechanismError;
use coase_core::random::stream;
use nalgebra::DVector;
use rand::RngExt;
use std::sync::Mutex;

/// What comes of one price.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Trial {
    /// The price.
    pub price: f64,
    /// What the leader gains.
    pub gain: f64,
    /// What the followers lose at the least, `V`.
    pub least_cost: f64,
    /// How it grows with the price: the quantity that pays it.
    pub slope: f64,
}

/// A leader whose trials differ in one price.
pub(crate) trait Line {
    /// What comes of prices, whichever of their best answers the followers give.
    fn trials(&self, prices: &[f64]) -> Result<Vec<Trial>, MechanismError>;

    /// What the leader gains where the followers, if several answers are best for them, give the one that it likes best.
    fn favoured(&self, price: f64) -> Result<f64, MechanismError>;
}

/// A price at which no other one near it gains more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Peak {
    pub price: f64,
    pub gain: f64,
}

/// How closely peaks are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// How many of them, at most.
    pub most: usize,
    /// To within which share of the price, where nothing exact is known of them.
    pub tolerance: f64,
}

impl Look {
    /// At all that may be best, to the last digits that matter.
    pub const CLOSE: Self = Self { most: 8, tolerance: 1e-8 };
}

/// The share of the best that a peak must reach on the grid to be looked into.
const WORTH_A_LOOK: f64 = 0.9;
/// Relative difference of gains that is none.
pub(crate) const SAME_GAIN: f64 = 1e-7;

/// The peaks of a leader's gain between two prices, best first, the lower price first among equals. There is always one.
/// Found to within a share of their size, where nothing exact is known of them.
pub(crate) fn peaks(
    line: &dyn Line,
    (low, high): (f64, f64),
    grid: usize,
    look: Look,
) -> Result<Vec<Peak>, MechanismError> {
    if high <= low {
        return Ok(vec![Peak { price: low, gain: line.favoured(low)? }]);
    }
    let prices: Vec<f64> = (0..=grid).map(|k| low + (high - low) * k as f64 / grid as f64).collect();
    peaks_of(line, &line.trials(&prices)?, look)
}

/// The same where the trials of a grid are known.
pub(crate) fn peaks_of(line: &dyn Line, grid: &[Trial], look: Look) -> Result<Vec<Peak>, MechanismError> {
    let gain = |k: usize| grid.get(k).map_or(f64::NEG_INFINITY, |t| t.gain);
    let is_top = |k: &usize| gain(*k) >= gain(k + 1) && (*k == 0 || gain(*k) > gain(k - 1));
    let mut tops: Vec<usize> = (0..grid.len()).filter(is_top).collect();
    tops.sort_by(|a, b| gain(*b).total_cmp(&gain(*a)));
    let best = tops.first().map_or(0.0, |k| gain(*k));
    tops.retain(|k| gain(*k) >= best - (1.0 - WORTH_A_LOOK) * best.abs());
    tops.truncate(look.most);
    let mut found: Vec<Peak> = vec![];
    for k in tops {
        let (from, to) = (grid[k.saturating_sub(1)], grid[(k + 1).min(grid.len() - 1)]);
        let peak = climb(line, grid[k], (from, to), look.tolerance)?;
        let width = 1e-6 * (grid[grid.len() - 1].price - grid[0].price);
        if found.iter().all(|known| (known.price - peak.price).abs() > width) {
            found.push(peak);
        }
    }
    found.sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.price.total_cmp(&b.price)));
    // Gains that are the same but for rounding: the lowest price first.
    let same = found.first().map_or(0.0, |best| best.gain - SAME_GAIN * best.gain.abs());
    let equals = found.iter().take_while(|peak| peak.gain >= same).count();
    found[..equals].sort_by(|a, b| a.price.total_cmp(&b.price));
    Ok(found)
}

/// The peak between two prices, from the best point known there.
fn climb(line: &dyn Line, known: Trial, (from, to): (Trial, Trial), tolerance: f64) -> Result<Peak, MechanismError> {
    let one = |price: f64| -> Result<Trial, MechanismError> { Ok(line.trials(&[price])?[0]) };
    let (low, high) = (from.price, to.price);
    let mut best = known;
    if let Some(price) = brent(&|price| Ok(-one(price)?.gain), (low, high), tolerance)? {
        let trial = one(price)?;
        if trial.gain > best.gain {
            best = trial;
        }
    }
    let mut peak = Peak { price: best.price, gain: best.gain };
    let mut offer = |price: f64, gain: f64| {
        if gain > peak.gain {
            peak = Peak { price, gain };
        }
    };
    if let Some(price) = vertex(&one, best, (low, high))? {
        offer(price, one(price)?.gain);
    }
    // Where the quantity falls at once, its best price is the last one before the fall.
    let width = 1e-4 * (high - low);
    let (before, after) = (one((best.price - width).max(low))?, one((best.price + width).min(high))?);
    let fall = before.slope - after.slope;
    if fall > 1e-6 * before.slope.abs() {
        let price = crossing(&one, (before, after))?;
        offer(price, line.favoured(price)?);
    }
    offer(best.price, line.favoured(best.price)?);
    Ok(peak)
}

/// Brent's method for the least of a function between two points, to within a share of its place.
pub(crate) fn brent(
    cost: &dyn Fn(f64) -> Result<f64, MechanismError>,
    (low, high): (f64, f64),
    tolerance: f64,
) -> Result<Option<f64>, MechanismError> {
    struct Of<'f> {
        cost: &'f dyn Fn(f64) -> Result<f64, MechanismError>,
        failed: Mutex<Option<MechanismError>>,
    }
    impl CostFunction for &Of<'_> {
        type Param = f64;
        type Output = f64;

        fn cost(&self, price: &f64) -> Result<f64, Error> {
            (self.cost)(*price).map_err(|error| kept(&self.failed, error))
        }
    }
    let of = Of { cost, failed: Mutex::new(None) };
    let solver = BrentOpt::new(low, high).set_tolerance(tolerance, 1e-2 * tolerance);
    let run = Executor::new(&of, solver).configure(|state| state.max_iters(60)).timer(false).run();
    ended(run.map(|result| result.state.get_best_param().copied()), &of.failed)
}

/// Remembers why followers have no answer, for argmin's errors are its own.
fn kept(failed: &Mutex<Option<MechanismError>>, error: MechanismError) -> Error {
    let said = Error::msg(error.to_string());
    if let Ok(mut first) = failed.lock() {
        first.get_or_insert(error);
    }
    said
}

fn ended<T>(run: Result<T, Error>, failed: &Mutex<Option<MechanismError>>) -> Result<T, MechanismError> {
    run.map_err(|error| {
        let first = failed.lock().ok().and_then(|mut first| first.take());
        first.unwrap_or_else(|| MechanismError::Failed(error.to_string()))
    })
}

/// The top of the parabola through three points around a price, where the quantity is one straight line through them all; the
/// widest such three.
fn vertex(
    one: &dyn Fn(f64) -> Result<Trial, MechanismError>,
    at: Trial,
    (low, high): (f64, f64),
) -> Result<Option<f64>, MechanismError> {
    let mut width = (at.price - low).min(high - at.price);
    let least = 1e-5 * (high - low);
    while width > least {
        let [a, b, c] = [one(at.price - width)?, at, one(at.price + width)?];
        let between = one(at.price + 0.5 * width)?;
        let straight = |share: f64| a.slope + share * (c.slope - a.slope);
        let scale = a.slope.abs().max(1e-9);
        let is_one_piece =
            (b.slope - straight(0.5)).abs() <= 1e-7 * scale && (between.slope - straight(0.75)).abs() <= 1e-7 * scale;
        if is_one_piece {
            let bend = a.gain - 2.0 * b.gain + c.gain;
            if bend >= 0.0 {
                return Ok(None);
            }
            let top = at.price - 0.5 * width * (c.gain - a.gain) / bend;
            return Ok((a.price..=c.price).contains(&top).then_some(top));
        }
        width *= 0.4;
    }
    Ok(None)
}

/// The price between two at which the followers' least cost bends most: where the lines that touch it on either side cross.
fn crossing(
    one: &dyn Fn(f64) -> Result<Trial, MechanismError>,
    (mut before, mut after): (Trial, Trial),
) -> Result<f64, MechanismError> {
    for _ in 0..40 {
        let fall = before.slope - after.slope;
        if fall <= 0.0 || after.price - before.price <= 1e-13 * after.price.abs() {
            break;
        }
        let rise = |t: &Trial| t.least_cost - t.slope * t.price;
        let price = ((rise(&after) - rise(&before)) / fall).clamp(before.price, after.price);
        let here = one(price)?;
        let touching = before.least_cost + before.slope * (price - before.price);
        if (here.least_cost - touching).abs() <= 1e-12 * (1.0 + touching.abs()) || price == before.price {
            return Ok(price);
        }
        if here.slope > 0.5 * (before.slope + after.slope) {
            before = here;
        } else {
            after = here;
        }
    }
    Ok(before.price)
}

/// Steps of Nelder and Mead's method for each number, and at the least.
const STEPS_FOR_EACH: u64 = 30;
const LEAST_STEPS: u64 = 100;

/// The least of a cost of several numbers between bounds, by Nelder and Mead's method from each start; starts are kept where
/// nothing better is found.
pub(crate) fn nelder_mead(
    cost: &dyn Fn(&[f64]) -> Result<f64, MechanismError>,
    bounds: &[(f64, f64)],
    starts: &[Vec<f64>],
) -> Result<(Vec<f64>, f64), MechanismError> {
    struct Of<'f> {
        cost: &'f dyn Fn(&[f64]) -> Result<f64, MechanismError>,
        bounds: &'f [(f64, f64)],
        failed: Mutex<Option<MechanismError>>,
    }
    impl CostFunction for &Of<'_> {
        type Param = DVector<f64>;
        type Output = f64;

        fn cost(&self, at: &DVector<f64>) -> Result<f64, Error> {
            // Outside of the bounds the nearest point inside counts, and is worse by the way to it.
            let inside = within(at.as_slice(), self.bounds);
            let outside: f64 = inside.iter().zip(at.iter()).map(|(a, b)| (a - b).abs()).sum();
            let cost = (self.cost)(&inside).map_err(|error| kept(&self.failed, error))?;
            Ok(cost + outside * (1.0 + cost.abs()))
        }
    }
    let mut best: Option<(Vec<f64>, f64)> = None;
    let mut offer = |at: Vec<f64>, cost: f64| {
        if best.as_ref().is_none_or(|(_, least)| cost < *least) {
            best = Some((at, cost));
        }
    };
    for start in starts {
        offer(start.clone(), cost(start)?);
        if bounds.is_empty() {
            continue;
        }
        let mut corners = vec![DVector::from_vec(start.clone())];
        for (k, (low, high)) in bounds.iter().enumerate() {
            let mut corner = start.clone();
            let step = 0.15 * (high - low);
            corner[k] += if corner[k] + step <= *high { step } else { -step };
            corners.push(DVector::from_vec(corner));
        }
        let of = Of { cost, bounds, failed: Mutex::new(None) };
        let solver = NelderMead::new(corners).with_sd_tolerance(1e-12);
        let solver = solver.map_err(|error| MechanismError::Failed(error.to_string()))?;
        let most = LEAST_STEPS.max(STEPS_FOR_EACH * bounds.len() as u64);
        let run = Executor::new(&of, solver).configure(|state| state.max_iters(most)).timer(false).run();
        let found = ended(run.map(|result| result.state.get_best_param().cloned()), &of.failed)?;
        if let Some(at) = found {
            let at = within(at.as_slice(), bounds);
            let least = cost(&at)?;
            offer(at, least);
        }
    }
    best.ok_or_else(|| MechanismError::Failed("a search needs a point to start at".into()))
}

fn within(at: &[f64], bounds: &[(f64, f64)]) -> Vec<f64> {
    at.iter().zip(bounds).map(|(x, (low, high))| x.clamp(*low, *high)).collect()
}

/// Points between bounds, drawn for a purpose.
pub(crate) fn drawn(seed: u64, purpose: &str, bounds: &[(f64, f64)], count: usize) -> Vec<Vec<f64>> {
    let point = |k: usize| {
        let mut stream = stream(seed, purpose, k, 0);
        bounds.iter().map(|(low, high)| low + (high - low) * stream.random::<f64>()).collect()
    };
    (0..count).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::{Line, Look, Trial, drawn, nelder_mead, peaks};
    use coase_core::MechanismError;

    /// Followers who buy `steps` of a quantity each as long as the price is not above theirs.
    struct Steps(Vec<(f64, f64)>);

    impl Steps {
        fn quantity(&self, price: f64, indifferent: bool) -> f64 {
            let buys = |(most, _): &&(f64, f64)| price < *most || (indifferent && (price - most).abs() < 1e-9);
            self.0.iter().filter(buys).map(|(_, kwh)| kwh).sum()
        }
    }

    impl Line for Steps {
        fn trials(&self, prices: &[f64]) -> Result<Vec<Trial>, MechanismError> {
            let one = |price: &f64| {
                let slope = self.quantity(*price, false);
                let least_cost = self.0.iter().map(|(most, kwh)| kwh * price.min(*most)).sum();
                Trial { price: *price, gain: price * slope, least_cost, slope }
            };
            Ok(prices.iter().map(one).collect())
        }

        fn favoured(&self, price: f64) -> Result<f64, MechanismError> {
            Ok(price * self.quantity(price, true))
        }
    }

    #[test]
    fn a_fall_of_the_quantity_is_found_exactly_and_equal_peaks_are_both_named() {
        let found = peaks(&Steps(vec![(0.2, 10.0), (0.4, 10.0)]), (0.0, 0.6), 64, Look::CLOSE).unwrap();
        assert!(found.len() >= 2, "{found:?}");
        for (peak, price) in found.iter().zip([0.2, 0.4]) {
            assert!((peak.price - price).abs() < 1e-9 && (peak.gain - 4.0).abs() < 1e-8, "{found:?}");
        }
        // Of one buyer more at 0.2 there is one peak.
        let found = peaks(&Steps(vec![(0.2, 12.0), (0.4, 10.0)]), (0.0, 0.6), 64, Look::CLOSE).unwrap();
        assert!((found[0].price - 0.2).abs() < 1e-9 && (found[0].gain - 4.4).abs() < 1e-8, "{found:?}");
    }

    #[test]
    fn nelder_and_mead_stop_at_a_bound() {
        let cost = |x: &[f64]| Ok((x[0] - 3.0).powi(2) + (x[1] - 0.25).powi(2));
        let bounds = [(0.0, 1.0), (0.0, 1.0)];
        let (at, least) = nelder_mead(&cost, &bounds, &drawn(1, "test", &bounds, 3)).unwrap();
        assert!((at[0] - 1.0).abs() < 1e-6 && (at[1] - 0.25).abs() < 1e-5 && (least - 4.0).abs() < 1e-5, "{at:?}");
    }
}
