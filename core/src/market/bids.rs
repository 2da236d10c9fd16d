//! A bid curve from a participant's answers to prices: where its response bends and jumps, found exactly.
//!
//! With `f(x)` the least cost of selling `x` in a slot, the response to a price `p` is `x(p) = argmin f(x) - p x`. It never falls
//! in `p`; for a linear program it is a staircase, for a quadratic one piecewise linear. Between two answers `(p1, x1)` and `(p2,
//! x2)` the mean cost `c = (f(x2) - f(x1)) / (x2 - x1)` decides: if both answers are optimal at `c`, everything between them is one
//! jump at `c` (the recursion of Eisner and Severance, 1976); if the answer at `c` lies half way, and the cost of both halves is that
//! of a straight line, the piece is one; otherwise it is halved. A bend between two straight pieces is where their lines meet.
//!
//! A staircase is bid as it is. A straight piece is cut into steps, each at its mean cost: a participant that fills whole steps is
//! paid exactly its cost, and a step overstates the cost of a part of it by at most `dp dx / 8`.

/// The answer to a price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answer {
    pub price: f64,
    /// Net sale, kWh.
    pub quantity: f64,
    /// Cost of delivering it.
    pub cost: f64,
    /// How far that may be from the least cost.
    pub gap: f64,
}

/// What is known of the response between two answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Unknown,
    /// Nothing changes.
    Flat,
    /// A straight line.
    Line,
    /// One jump at a price.
    Jump(f64),
}

/// The response between two answers.
#[derive(Clone, Copy, Debug)]
struct Piece {
    from: Answer,
    to: Answer,
    shape: Shape,
    /// How often it was halved before.
    age: u32,
}

/// A step: quantity above 0 sells, below 0 buys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub price: f64,
    pub quantity: f64,
}

/// The response over a band of prices.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pieces: Vec<Piece>,
    band: (f64, f64),
}

/// Steps into which a straight piece over the whole band is cut.
const STEPS: f64 = 16.0;
/// Answers after which what is not settled is bid as one step, its error stated.
const MOST_ANSWERS: usize = 60;
/// A change of quantity below this is a solver's rounding, kWh.
const NO_CHANGE_KWH: f64 = 1e-6;

impl Answer {
    /// What trading at a price leaves.
    fn profit(&self, price: f64) -> f64 {
        price * self.quantity - self.cost
    }
}

impl Piece {
    fn between(from: Answer, to: Answer, age: u32) -> Self {
        let flat = to.quantity - from.quantity <= NO_CHANGE_KWH;
        Self { from, to, shape: if flat { Shape::Flat } else { Shape::Unknown }, age }
    }

    fn quantity(&self) -> f64 {
        self.to.quantity - self.from.quantity
    }

    fn width(&self) -> f64 {
        self.to.price - self.from.price
    }

    /// What its units cost on average.
    fn mean_cost(&self) -> f64 {
        ((self.to.cost - self.from.cost) / self.quantity()).clamp(self.from.price, self.to.price)
    }

    /// Whether its cost is that of a straight line.
    fn costs_as_a_line(&self) -> bool {
        let line = 0.5 * (self.from.price + self.to.price) * self.quantity();
        (self.to.cost - self.from.cost - line).abs() <= rounding(&[self.from, self.to])
    }

    /// Quantity and its change with the price, where it is straight.
    fn line(&self) -> Option<(f64, f64)> {
        match self.shape {
            Shape::Line if self.width() > 0.0 => {
                let slope = self.quantity() / self.width();
                Some((self.from.quantity - slope * self.from.price, slope))
            }
            Shape::Flat => Some((self.from.quantity, 0.0)),
            _ => None,
        }
    }
}

/// What costs are known to.
fn rounding(answers: &[Answer]) -> f64 {
    let cost = answers.iter().fold(1.0_f64, |most, a| most.max(a.cost.abs()));
    1e-8 * cost + answers.iter().map(|a| a.gap.abs()).sum::<f64>()
}

impl Response {
    /// Asks until every piece is settled.
    pub fn trace<E>(band: (f64, f64), mut ask: impl FnMut(f64) -> Result<Answer, E>) -> Result<Self, E> {
        let (low, high) = (ask(band.0)?, ask(band.1)?);
        let mut pieces = vec![Piece::between(low, high, 0)];
        let least_width = 1e-9 * (band.1 - band.0).abs();
        let mut answers = 2;
        while answers < MOST_ANSWERS {
            // The widest first: what is between two straight pieces is then soon narrow.
            let unknown = (0..pieces.len()).filter(|k| pieces[*k].shape == Shape::Unknown);
            let Some(k) = unknown.max_by(|a, b| pieces[*a].width().total_cmp(&pieces[*b].width())) else { break };
            let piece = pieces[k];
            let mean = piece.mean_cost();
            if piece.width() <= least_width {
                pieces[k].shape = Shape::Jump(mean);
                continue;
            }
            let bend = bend(&pieces, k);
            let middle = ask(bend.unwrap_or(mean))?;
            answers += 1;
            let age = piece.age + 1;
            let mut halves = [Piece::between(piece.from, middle, age), Piece::between(middle, piece.to, age)];
            let straight = halves.iter().all(|half| half.shape == Shape::Flat || half.costs_as_a_line());
            if bend.is_some() {
                if straight {
                    halves
                        .iter_mut()
                        .filter(|half| half.shape == Shape::Unknown)
                        .for_each(|half| half.shape = Shape::Line);
                }
            } else {
                let settled = rounding(&[piece.from, middle, piece.to]);
                if middle.profit(mean) - piece.from.profit(mean).max(piece.to.profit(mean)) <= settled {
                    pieces[k].shape = Shape::Jump(mean);
                    continue;
                }
                let half_way = (mean - 0.5 * (piece.from.price + piece.to.price)).abs() <= 1e-3 * piece.width();
                if straight && half_way {
                    pieces[k].shape = Shape::Line;
                    continue;
                }
            }
            // An answer at an end settles nothing: what lies between is one step.
            if halves.iter().any(|half| half.shape == Shape::Flat && half.width() <= least_width) && bend.is_none() {
                pieces[k].shape = Shape::Jump(mean);
                continue;
            }
            pieces.splice(k..=k, halves);
        }
        Ok(Self { pieces, band })
    }

    /// Steps on one side, best first, and by how much they overstate a cost or understate a value at most. The first is what is
    /// traded at the nearer end of the band already, at `end`.
    pub fn steps(&self, sells: bool, end: f64) -> (Vec<Step>, f64) {
        let (mut steps, mut error) = (vec![], 0.0_f64);
        let sign = if sells { 1.0 } else { -1.0 };
        let outer = if sells { self.pieces.first().map(|p| p.from) } else { self.pieces.last().map(|p| p.to) };
        let first = outer.map_or(0.0, |answer| (sign * answer.quantity).max(0.0));
        if first > NO_CHANGE_KWH {
            steps.push(Step { price: end, quantity: sign * first });
        }
        let mut add = |piece: &Piece| {
            let (found, off) = self.cut(piece, sells);
            steps.extend(found);
            error = error.max(off);
        };
        if sells {
            self.pieces.iter().for_each(&mut add);
        } else {
            self.pieces.iter().rev().for_each(&mut add);
        }
        (steps, error)
    }

    /// The part of a piece on one side as steps.
    fn cut(&self, piece: &Piece, sells: bool) -> (Vec<Step>, f64) {
        let (mut low, mut high) = (piece.from.quantity, piece.to.quantity);
        if sells {
            (low, high) = (low.max(0.0), high.max(0.0));
        } else {
            (low, high) = (low.min(0.0), high.min(0.0));
        }
        let size = high - low;
        if size <= NO_CHANGE_KWH {
            return (vec![], 0.0);
        }
        let sign = if sells { 1.0 } else { -1.0 };
        match piece.shape {
            Shape::Flat => (vec![], 0.0),
            Shape::Jump(price) => (vec![Step { price, quantity: sign * size }], 0.0),
            Shape::Unknown => {
                let mean = piece.mean_cost();
                let off = (mean - piece.from.price) * (piece.to.price - mean) / piece.width().max(f64::MIN_POSITIVE);
                (vec![Step { price: mean, quantity: sign * size }], off * size)
            }
            Shape::Line => {
                let at = |x: f64| {
                    piece.from.price
                        + piece.width() * (x - piece.from.quantity) / (piece.to.quantity - piece.from.quantity)
                };
                let (from, to) = (at(low), at(high));
                let count = (STEPS * (to - from) / (self.band.1 - self.band.0)).ceil().max(1.0);
                let (height, width) = ((to - from) / count, size / count);
                let price = |k: f64| if sells { from + height * (k + 0.5) } else { to - height * (k + 0.5) };
                let steps = (0..count as usize).map(|k| Step { price: price(k as f64), quantity: sign * width });
                (steps.collect(), height * width / 8.0)
            }
        }
    }
}

/// Where a bend would be if the piece went on like its neighbours: where their lines meet, or where one of them reaches the
/// quantity at the other end. Every other time nothing is presumed.
fn bend(pieces: &[Piece], k: usize) -> Option<f64> {
    let piece = &pieces[k];
    let before = k.checked_sub(1).and_then(|k| pieces[k].line());
    let after = pieces.get(k + 1).and_then(Piece::line);
    let room = 1e-6 * piece.width();
    let inside = |price: &f64| *price > piece.from.price + room && *price < piece.to.price - room;
    if let (Some(before), Some(after)) = (before, after) {
        let price = (before.0 - after.0) / (after.1 - before.1);
        if inside(&price) {
            return Some(price);
        }
    }
    if piece.age.is_multiple_of(2) {
        return None;
    }
    let reaches = |line: Option<(f64, f64)>, quantity: f64| {
        line.filter(|line| line.1 > 0.0).map(|line| (quantity - line.0) / line.1).filter(inside)
    };
    reaches(before, piece.to.quantity).or_else(|| reaches(after, piece.from.quantity))
}

#[cfg(test)]
mod tests {
    use super::{Answer, Response, Step};
    use std::cell::Cell;
    use std::convert::Infallible;

    /// Least cost by pieces of `(quantity, marginal cost at its beginning, at its end)` from the quantity `from`.
    fn response(
        from: f64,
        pieces: Vec<(f64, f64, f64)>,
    ) -> (impl Fn(f64) -> Result<Answer, Infallible>, std::rc::Rc<Cell<usize>>) {
        let asked = std::rc::Rc::new(Cell::new(0));
        let count = asked.clone();
        let ask = move |price: f64| {
            count.set(count.get() + 1);
            let (mut quantity, mut cost) = (from, 0.0);
            for &(size, low, high) in &pieces {
                let share = if high > low {
                    ((price - low) / (high - low)).clamp(0.0, 1.0)
                } else {
                    f64::from(u8::from(price >= low))
                };
                quantity += share * size;
                cost += share * size * (low + 0.5 * share * (high - low));
            }
            Ok(Answer { price, quantity, cost, gap: 0.0 })
        };
        (ask, asked)
    }

    fn traced(from: f64, pieces: Vec<(f64, f64, f64)>) -> (Response, usize) {
        let (ask, asked) = response(from, pieces);
        let Ok(found) = Response::trace((0.4, 1.0), ask);
        (found, asked.get())
    }

    fn assert_steps(found: &[Step], expected: &[(f64, f64)]) {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (step, (price, quantity)) in found.iter().zip(expected) {
            assert!(
                (step.price - price).abs() < 1e-6 && (step.quantity - quantity).abs() < 1e-6,
                "{found:?} {expected:?}"
            );
        }
    }

    #[test]
    fn a_staircase_is_found_exactly() {
        let (found, asked) = traced(2.0, vec![(3.0, 0.2, 0.2), (1.0, 0.45, 0.45), (4.0, 0.8, 0.8), (9.0, 1.2, 1.2)]);
        let (steps, error) = found.steps(true, 0.4);
        assert_steps(&steps, &[(0.4, 5.0), (0.45, 1.0), (0.8, 4.0)]);
        assert_eq!((error, found.steps(false, 1.0).0.len()), (0.0, 0));
        assert!(asked <= 9, "{asked}");
    }

    #[test]
    fn whoever_buys_pays_most_for_the_first() {
        let (found, _) = traced(-6.0, vec![(2.0, 0.5, 0.5), (3.0, 0.9, 0.9)]);
        assert_steps(&found.steps(false, 1.0).0, &[(1.0, 1.0), (0.9, 3.0), (0.5, 2.0)].map(|(p, q)| (p, -q)));
        assert!(found.steps(true, 0.4).0.is_empty());
        // A store does both.
        let (found, _) = traced(-2.0, vec![(2.0, 0.5, 0.5), (3.0, 0.9, 0.9)]);
        assert_steps(&found.steps(false, 1.0).0, &[(0.5, -2.0)]);
        assert_steps(&found.steps(true, 0.4).0, &[(0.9, 3.0)]);
    }

    #[test]
    fn a_straight_piece_is_cut_and_its_error_said() {
        // The third agent of three: slope 500 kWh, all of the band.
        let (found, asked) = traced(-450.0, vec![(500.0, 0.1, 1.1)]);
        let (steps, error) = found.steps(false, 1.0);
        assert_eq!((steps.len(), asked), (16, 3));
        assert!((steps.iter().map(|s| s.quantity).sum::<f64>() + 300.0).abs() < 1e-6, "{steps:?}");
        assert!((error - (0.6 / 16.0) * (300.0 / 16.0) / 8.0).abs() < 1e-9, "{error}");
        // Whole steps cost what the line costs.
        let cost: f64 = steps.iter().map(|s| s.quantity * s.price).sum();
        assert!((cost + 300.0 * 0.7).abs() < 1e-6, "{cost}");
    }

    #[test]
    fn bends_are_where_lines_meet() {
        let (found, asked) = traced(0.0, vec![(10.0, 0.3, 0.55), (6.0, 0.62, 0.9), (3.0, 0.9, 1.3)]);
        let (steps, _) = found.steps(true, 0.4);
        let below = |price: f64| steps.iter().filter(|s| s.price < price).map(|s| s.quantity).sum::<f64>();
        assert!((below(0.55) - 10.0).abs() < 1e-5 && (below(0.6200) - 10.0).abs() < 1e-5, "{steps:?}");
        assert!((below(0.9) - 16.0).abs() < 1e-5 && (below(1.0) - 16.75).abs() < 1e-5, "{steps:?}");
        assert!(asked < 60, "{asked}");
    }
}
