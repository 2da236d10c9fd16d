//! The search for the price factor at which a measure of a policy has a given value.
//!
//! Measures are step-like and need not be monotone: emissions jump where one source replaces another, and revenue falls
//! again where a price has driven out what it is raised on. So the search brackets the target by doubling and halving, then
//! closes in; where the measure jumps over the target, the pair around the jump is the answer. Knows numbers only.

/// Relative distance from the target at which a measure counts as equal.
pub(crate) const TOLERANCE: f64 = 1e-4;
/// How often the measure may be asked.
pub(crate) const EVALUATIONS: usize = 24;
/// Doublings and halvings of the first factor.
const DOUBLINGS: i32 = 6;
/// Relative width of a bracket in which a measure that still misses the target is taken to jump.
const JUMP: f64 = 1e-5;
/// Where in a bracket to ask after trials that brought nothing.
const ELSEWHERE: [f64; 4] = [0.5, 0.25, 0.75, 0.4];
/// Relative distance of factors that are not told apart where no bracket is known.
const NEAR: f64 = 1e-2;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Goal {
    /// Value of the measure.
    pub(crate) target: f64,
    /// Whether the measure is below the target at small factors, and meets it from there.
    pub(crate) rises: bool,
    /// The measure at a factor of zero, where it is known without asking.
    pub(crate) at_zero: Option<f64>,
}

impl Goal {
    /// Distance of a measure from the target, relative to it.
    pub(crate) fn distance(&self, measure: f64) -> f64 {
        let scale = if self.target == 0.0 { 1.0 } else { self.target.abs() };
        (measure - self.target).abs() / scale
    }

    /// Negative on the side of small factors.
    fn side(&self, measure: f64) -> f64 {
        if self.rises { measure - self.target } else { self.target - measure }
    }
}

/// A factor and what was found there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) factor: f64,
    pub(crate) measure: f64,
    /// A second figure, to be interpolated between two points; missing where nothing was asked.
    pub(crate) cost: Option<f64>,
}

/// What asking brings, and what is kept of the best answer.
pub(crate) struct Trial<T> {
    pub(crate) measure: f64,
    pub(crate) cost: f64,
    pub(crate) outcome: T,
}

/// Where the search ended.
pub(crate) struct Found<T> {
    /// The nearest point to the target, and its outcome; `None` where no trial brought information.
    pub(crate) best: Option<(Point, T)>,
    /// Points on both sides of the target, the one with the smaller factor first, if the target was not met.
    pub(crate) around: Option<(Point, Point)>,
    /// All that is known, by factor.
    pub(crate) points: Vec<Point>,
    /// Factors whose trials brought no information.
    pub(crate) lost: Vec<f64>,
}

impl<T> Found<T> {
    /// The second figure where the measure would be the target, on the straight line between both sides.
    pub(crate) fn interpolated_cost(&self, goal: &Goal) -> Option<f64> {
        let (a, b) = self.around?;
        let share = (goal.target - a.measure) / (b.measure - a.measure);
        Some(a.cost? + share * (b.cost? - a.cost?))
    }
}

/// Looks for the factor, first at `start`, then up to 64 times as large or as small, then at zero. A trial that brings
/// nothing did not converge.
pub(crate) fn search<T>(goal: Goal, start: f64, trial: impl FnMut(f64) -> Option<Trial<T>>) -> Found<T> {
    let found = Found { best: None, around: None, points: vec![], lost: vec![] };
    let mut search = Search { goal, trial, asked: 0, found };
    if let Some((low, high)) = search.bracket(start) {
        search.close_in(low, high);
    }
    search.found
}

struct Search<T, F> {
    goal: Goal,
    trial: F,
    asked: usize,
    found: Found<T>,
}

/// An answer, by its place.
enum Answer {
    /// Equal to the target.
    Met,
    /// On the side of small factors.
    Low(Point),
    /// On the side of large factors.
    High(Point),
    /// Nothing.
    Lost,
}

impl<T, F: FnMut(f64) -> Option<Trial<T>>> Search<T, F> {
    fn ask(&mut self, factor: f64) -> Answer {
        if self.asked == EVALUATIONS {
            return Answer::Lost;
        }
        self.asked += 1;
        let answer = (self.trial)(factor).filter(|trial| trial.measure.is_finite());
        let Some(Trial { measure, cost, outcome }) = answer else {
            self.found.lost.push(factor);
            return Answer::Lost;
        };
        let point = Point { factor, measure, cost: Some(cost) };
        let place = self.found.points.partition_point(|p| p.factor < factor);
        self.found.points.insert(place, point);
        let distance = self.goal.distance(measure);
        if self.found.best.as_ref().is_none_or(|(best, _)| distance <= self.goal.distance(best.measure)) {
            self.found.best = Some((point, outcome));
        }
        if distance <= TOLERANCE { Answer::Met } else { self.placed(point) }
    }

    fn placed(&self, point: Point) -> Answer {
        if self.goal.side(point.measure) < 0.0 { Answer::Low(point) } else { Answer::High(point) }
    }

    /// Neighbours on both sides of the target; `None` if it was met on the way or cannot be reached.
    fn bracket(&mut self, start: f64) -> Option<(Point, Point)> {
        match self.first(start)? {
            Answer::Low(origin) => {
                let mut low = origin;
                for k in 1..=DOUBLINGS {
                    match self.ask_again(start * 2f64.powi(k)) {
                        Answer::Met => return None,
                        Answer::High(high) => return Some((low, high)),
                        Answer::Low(point) => low = point,
                        Answer::Lost => {}
                    }
                }
                // Beyond its peak a measure comes back at smaller factors.
                for k in 1..=DOUBLINGS {
                    match self.ask_again(start * 2f64.powi(-k)) {
                        Answer::Met => return None,
                        Answer::High(high) => return self.downwards(high, start),
                        Answer::Low(_) | Answer::Lost => {}
                    }
                }
                self.between_all()
            }
            Answer::High(origin) => self.downwards(origin, start),
            Answer::Met | Answer::Lost => None,
        }
    }

    /// The first informative answer at or around the start; `None` if the target is met or nothing is found.
    fn first(&mut self, start: f64) -> Option<Answer> {
        let around = (1..=DOUBLINGS).flat_map(|k| [k, -k]);
        for k in std::iter::once(0).chain(around) {
            match self.ask(start * 2f64.powi(k)) {
                Answer::Met => return None,
                Answer::Lost => {}
                answer => return Some(answer),
            }
        }
        None
    }

    /// An answer that is known is not asked for again.
    fn ask_again(&mut self, factor: f64) -> Answer {
        match self.found.points.iter().find(|p| p.factor == factor).copied() {
            Some(point) => self.placed(point),
            None if self.found.lost.contains(&factor) => Answer::Lost,
            None => self.ask(factor),
        }
    }

    /// From a point beyond the target to the first one before it, at smaller factors or at zero.
    fn downwards(&mut self, mut high: Point, start: f64) -> Option<(Point, Point)> {
        for k in 1..=DOUBLINGS {
            let factor = start * 2f64.powi(-k);
            if factor >= high.factor {
                continue;
            }
            match self.ask_again(factor) {
                Answer::Met => return None,
                Answer::Low(low) => return Some((low, high)),
                Answer::High(point) => high = point,
                Answer::Lost => {}
            }
        }
        let at_zero = match self.goal.at_zero {
            // Nothing is equal to nothing: that is a run of its own.
            Some(measure) if self.goal.distance(measure) <= TOLERANCE => self.ask(0.0),
            Some(measure) => self.placed(Point { factor: 0.0, measure, cost: None }),
            None => self.ask(0.0),
        };
        match at_zero {
            Answer::Low(low) => Some((low, high)),
            Answer::Met => None,
            Answer::High(_) | Answer::Lost => {
                // The measure moves against expectation: whatever changes sides will do.
                for k in 1..=DOUBLINGS {
                    match self.ask_again(start * 2f64.powi(k)) {
                        Answer::Met => return None,
                        Answer::Low(low) => return Some((low, high)),
                        Answer::High(point) => high = point,
                        Answer::Lost => {}
                    }
                }
                None
            }
        }
    }

    /// No factor that was tried reaches the target: one between them may, next to the best.
    fn between_all(&mut self) -> Option<(Point, Point)> {
        while self.asked < EVALUATIONS {
            let best = self.found.best.as_ref()?.0.factor;
            let tried = || self.found.points.iter().map(|p| p.factor).chain(self.found.lost.iter().copied());
            let below = tried().filter(|f| *f < best).reduce(f64::max);
            let above = tried().filter(|f| *f > best).reduce(f64::min);
            let ratio = |factor: &f64| (factor / best).ln().abs();
            let widest = below.into_iter().chain(above).max_by(|a, b| ratio(a).total_cmp(&ratio(b)))?;
            if ratio(&widest) < NEAR {
                return None;
            }
            match self.ask((widest * best).sqrt()) {
                Answer::Met => return None,
                Answer::High(high) => {
                    let below = self.found.points.iter().rev().find(|p| p.factor < high.factor).copied();
                    return below.map(|low| (low, high));
                }
                Answer::Low(_) | Answer::Lost => {}
            }
        }
        None
    }

    /// False position, the end that stays counting half from its second step on (Illinois); a bisection whenever three steps
    /// have not halved the bracket.
    fn close_in(&mut self, mut low: Point, mut high: Point) {
        let (mut weight_low, mut weight_high) = (1.0, 1.0);
        let mut widths = vec![];
        let (mut lows, mut highs, mut lost) = (0, 0, 0_usize);
        while self.asked < EVALUATIONS {
            let width = (low.factor - high.factor).abs();
            if width <= JUMP * low.factor.max(high.factor) {
                break;
            }
            let slow = widths.iter().rev().nth(2).is_some_and(|before| width > 0.5 * before);
            if slow {
                widths.clear();
            }
            widths.push(width);
            let (a, b) = (weight_low * self.goal.side(low.measure), weight_high * self.goal.side(high.measure));
            // A trial that was lost is not repeated: the next one stands elsewhere.
            let share = match lost {
                0 if slow => 0.5,
                0 => (a / (a - b)).clamp(1e-3, 1.0 - 1e-3),
                lost => ELSEWHERE[lost - 1],
            };
            match self.ask_again(low.factor + share * (high.factor - low.factor)) {
                Answer::Met => return,
                Answer::Low(point) => {
                    (low, weight_low, lows, highs, lost) = (point, 1.0, lows + 1, 0, 0);
                    weight_high *= if lows > 1 { 0.5 } else { 1.0 };
                }
                Answer::High(point) => {
                    (high, weight_high, highs, lows, lost) = (point, 1.0, highs + 1, 0, 0);
                    weight_low *= if highs > 1 { 0.5 } else { 1.0 };
                }
                Answer::Lost => {
                    lost += 1;
                    if lost > ELSEWHERE.len() {
                        break;
                    }
                }
            }
        }
        self.found.around = Some(if low.factor <= high.factor { (low, high) } else { (high, low) });
    }
}

#[cfg(test)]
mod tests {
    use super::{EVALUATIONS, Found, Goal, JUMP, TOLERANCE, Trial, search};

    fn rising(target: f64) -> Goal {
        Goal { target, rises: target >= 0.0, at_zero: Some(0.0) }
    }

    /// The factor found, what is around it, and how many trials it took.
    fn find(goal: Goal, start: f64, measure: impl Fn(f64) -> Option<f64>) -> (Found<f64>, usize) {
        let mut asked: Vec<f64> = vec![];
        let found = search(goal, start, |factor| {
            assert!(!asked.contains(&factor), "{factor} was asked twice");
            asked.push(factor);
            Some(Trial { measure: measure(factor)?, cost: 10.0 * factor, outcome: factor })
        });
        assert!(asked.len() <= EVALUATIONS);
        (found, asked.len())
    }

    fn best(found: &Found<f64>) -> f64 {
        let (point, outcome) = found.best.as_ref().unwrap();
        assert_eq!(point.factor, *outcome);
        point.factor
    }

    #[test]
    fn the_first_factor_is_the_answer_where_it_is_one() {
        let (found, asked) = find(rising(280.0), 2.8, |f| Some(100.0 * f));
        assert_eq!((best(&found), asked), (2.8, 1));
    }

    #[test]
    fn smooth_measures_are_met_in_a_few_trials() {
        for start in [0.05, 1.0, 20.0] {
            for (target, root) in [(1.7, 1.7f64), (0.3, 0.3)] {
                let (found, asked) = find(rising(target), start, Some);
                assert!((best(&found) / root - 1.0).abs() <= TOLERANCE && asked <= 9, "{asked}");
                let (found, asked) = find(rising(target.powi(3)), start, |f| Some(f.powi(3)));
                assert!((best(&found) / root - 1.0).abs() <= TOLERANCE && asked <= 16, "{asked} from {start}");
            }
        }
        // Emissions fall, and are not known at a price of zero.
        let falling = Goal { target: 50.0, rises: false, at_zero: None };
        let (found, _) = find(falling, 1.0, |f| Some(100.0 * (-f).exp()));
        assert!((best(&found) - 2f64.ln()).abs() < 1e-3);
        // A surplus earns the more, the higher the price.
        let (found, _) = find(rising(-320.0), 1.0, |f| Some(-100.0 * f));
        assert!((best(&found) - 3.2).abs() < 1e-3);
    }

    #[test]
    fn a_jump_over_the_target_is_bracketed_and_the_nearer_side_taken() {
        let goal = Goal { target: 3.0, rises: false, at_zero: None };
        let (found, _) = find(goal, 1.0, |f| Some(if f < 1.234_567 { 5.0 } else { 0.0 }));
        let (a, b) = found.around.unwrap();
        assert!(a.factor < 1.234_567 && b.factor >= 1.234_567 && b.factor - a.factor <= JUMP * b.factor);
        assert_eq!((a.measure, b.measure, best(&found)), (5.0, 0.0, a.factor));
        // Two fifths of the way from 5 to 0.
        let expected = 10.0 * (a.factor + 0.4 * (b.factor - a.factor));
        assert!((found.interpolated_cost(&goal).unwrap() - expected).abs() < 1e-12);
    }

    /// Six tonnes up to a price of 300, none beyond: revenue of 1000 lies before the peak, wherever the search begins.
    #[test]
    fn revenue_is_found_before_its_peak_and_not_at_the_collapse() {
        let revenue = |price: f64| Some(if price < 300.0 { 6.0 * price } else { 0.0 });
        for start in [20.0, 170.0, 299.0, 301.0, 900.0] {
            let (found, _) = find(rising(1000.0), start, revenue);
            assert!((best(&found) - 1000.0 / 6.0).abs() < 0.1, "{} from {start}", best(&found));
        }
        // Near the peak, between two of the doublings.
        let (found, _) = find(rising(1700.0), 200.0, revenue);
        assert!((best(&found) - 1700.0 / 6.0).abs() < 0.1);
        // Beyond it.
        let (found, _) = find(rising(1900.0), 200.0, revenue);
        assert!(found.around.is_none() && best(&found) < 300.0 && best(&found) > 290.0);
    }

    #[test]
    fn trials_without_information_are_passed_by() {
        let hole = |f: f64| (!(0.9..=1.1).contains(&f)).then_some(100.0 * f);
        let (found, _) = find(rising(150.0), 1.0, hole);
        assert!((best(&found) - 1.5).abs() < 1e-3);
        let (found, _) = find(rising(100.0), 2.0, hole);
        assert!(!found.lost.is_empty() && found.around.is_some());
        let (found, asked) = find(rising(100.0), 1.0, |_| None);
        assert!(found.best.is_none() && asked == found.lost.len() && asked <= EVALUATIONS);
        assert!(find(rising(100.0), 1.0, |_| Some(f64::NAN)).0.best.is_none());
    }

    #[test]
    fn nothing_is_equal_to_nothing_at_a_price_of_zero() {
        let (found, _) = find(rising(0.0), 1.0, |f| Some(50.0 * f));
        assert_eq!(best(&found), 0.0);
    }

    #[test]
    fn a_measure_that_never_moves_ends() {
        for target in [1.0, 100.0] {
            let falling = Goal { target, rises: false, at_zero: None };
            assert!(find(falling, 1.0, |_| Some(7.0)).0.around.is_none());
            assert!(find(rising(target), 1.0, |_| Some(7.0)).0.best.is_some());
        }
    }
}
