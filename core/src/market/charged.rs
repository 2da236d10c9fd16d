//! What is charged on one quantity of a participant in one period: everything that depends on it is added up before anybody
//! asks whether its sign is a choice.
//!
//! A tariff that asks more for a kWh than it pays bends the cost upwards where the exchange turns, and nothing is to be
//! chosen; a carbon charge that credits more for a kWh fed in than it asks for one drawn bends it downwards. Where both turn at
//! the same quantity only their sum counts. What is left to choose is a fall of the whole.

use crate::program::{Expr, Program, Row, Var};
use crate::terms::Account;

/// Relative difference of two rates that are one but for rounding.
const SAME: f64 = 1e-12;

/// What a kWh costs: money, and kilograms on the account.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rate {
    pub money: f64,
    pub kg: f64,
}

/// A charge on a quantity with one price above a point and one below; nothing at the point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kink {
    pub at: f64,
    pub below: Rate,
    pub above: Rate,
}

/// What a kilogram on the account may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct KgPrices {
    least: f64,
    most: f64,
    /// Whether kilograms are limited whatever they cost.
    capped: bool,
}

/// Charges on a quantity inside a program.
#[derive(Clone, Debug, Default)]
pub(super) struct Charged {
    pub money: Expr,
    pub kg: Expr,
    /// The row of the quantity: its dual is minus what the next kWh costs.
    pub row: Option<Row>,
    /// Whether the sign of something is a choice.
    pub chooses: bool,
}

impl Rate {
    fn and(self, other: Self) -> Self {
        Self { money: self.money + other.money, kg: self.kg + other.kg }
    }

    fn is(self, other: Self) -> bool {
        let same = |a: f64, b: f64| (a - b).abs() <= SAME * (a.abs() + b.abs());
        same(self.money, other.money) && same(self.kg, other.kg)
    }

    /// In money, at a price of a kilogram.
    pub fn at(self, price_per_kg: f64) -> f64 {
        self.money + price_per_kg * self.kg
    }
}

impl Kink {
    pub fn rate(&self, quantity: f64) -> Rate {
        if quantity < self.at { self.below } else { self.above }
    }
}

impl KgPrices {
    pub fn of(account: Option<&Account>) -> Self {
        let slopes = || account.iter().flat_map(|a| &a.charge.slopes).copied();
        let (least, most) = (slopes().fold(f64::INFINITY, f64::min), slopes().fold(f64::NEG_INFINITY, f64::max));
        let capped = account.is_some_and(|a| a.charge.cap_kg.is_some());
        if least <= most { Self { least, most, capped } } else { Self { least: 0.0, most: 0.0, capped } }
    }

    /// Whether a kWh beyond a point may cost less than one before it.
    fn fall(self, before: Rate, beyond: Rate) -> bool {
        let falls = |price: f64| {
            let size = before.money.abs() + beyond.money.abs() + price.abs() * (before.kg.abs() + beyond.kg.abs());
            beyond.at(price) - before.at(price) < -SAME * size
        };
        let kg_fall = beyond.kg - before.kg < -SAME * (before.kg.abs() + beyond.kg.abs());
        falls(self.least) || falls(self.most) || (self.capped && kg_fall)
    }
}

/// The pieces of a quantity between two limits: edges from zero outwards on either side, and rates from the least value of
/// the quantity to the greatest.
struct Pieces {
    below: Vec<f64>,
    above: Vec<f64>,
    rates: Vec<Rate>,
}

impl Pieces {
    fn new(kinks: &[Kink], (low, high): (f64, f64)) -> Self {
        let reach = low.abs().max(high.abs());
        // Sizes of the edges on one side, outwards; kinks within rounding of each other, of zero or of the end are one.
        let edges = |sign: f64, end: f64| {
            let mut edges: Vec<f64> = vec![];
            if end > SAME * reach {
                let mut inside: Vec<f64> = kinks.iter().filter(|k| !k.below.is(k.above)).map(|k| sign * k.at).collect();
                inside.sort_by(f64::total_cmp);
                for at in inside {
                    let last = edges.last().copied().unwrap_or(0.0);
                    if at > last + ONE_POINT * reach && at < end - ONE_POINT * reach {
                        edges.push(at);
                    }
                }
                edges.push(end);
            }
            edges
        };
        let (below, above) = (edges(-1.0, -low), edges(1.0, high));
        let middles = |edges: &[f64]| -> Vec<f64> {
            let inner = std::iter::once(0.0).chain(edges.iter().copied());
            inner.zip(edges).map(|(a, b)| 0.5 * (a + b)).collect()
        };
        let downwards = middles(&below).into_iter().rev().map(|x| -x);
        let all: Vec<f64> = downwards.chain(middles(&above)).collect();
        let rate = |x: f64| kinks.iter().map(|k| k.rate(x)).fold(Rate::default(), Rate::and);
        Self { below, above, rates: all.into_iter().map(rate).collect() }
    }

    fn falls(&self, prices: KgPrices) -> bool {
        self.rates.windows(2).any(|w| prices.fall(w[0], w[1]))
    }
}

/// Points of a quantity closer than this, relative to its reach, are one.
const ONE_POINT: f64 = 1e-9;

/// Puts charges on a quantity into a program: as a line where one price holds throughout, else piece by piece. `exact` is
/// asked for the least and greatest value of the quantity where a choice hangs on them.
pub(super) fn charge(
    program: &mut Program,
    quantity: &Expr,
    kinks: &[Kink],
    range: (f64, f64),
    exact: impl FnOnce() -> (f64, f64),
    prices: KgPrices,
    (what, period): (&'static str, usize),
) -> Charged {
    let mut pieces = Pieces::new(kinks, range);
    if pieces.falls(prices) {
        let (low, high) = exact();
        pieces = Pieces::new(kinks, (low.max(range.0), high.min(range.1)));
    }
    let mut charged = Charged::default();
    // What is charged at zero by kinks elsewhere.
    for kink in kinks {
        let rate = kink.rate(0.0);
        charged.money.constant -= rate.money * kink.at;
        charged.kg.constant -= rate.kg * kink.at;
    }
    let mut add = |rate: Rate, sign: f64, part: Var| {
        charged.money.add(sign * rate.money, part);
        charged.kg.add(sign * rate.kg, part);
    };
    let one = pieces
        .rates
        .first()
        .copied()
        .unwrap_or_else(|| kinks.iter().map(|k| k.rate(0.0)).fold(Rate::default(), Rate::and));
    if pieces.rates.iter().all(|rate| rate.is(one)) {
        if one == Rate::default() {
            return charged;
        }
        let whole = match quantity.terms[..] {
            [(v, 1.0)] if quantity.constant == 0.0 => v,
            _ => {
                let (low, high) = program.range(quantity);
                let whole = program.var(low, high);
                charged.row = Some(program.equal(quantity.clone().plus(-1.0, whole), 0.0, what, Some(period)));
                whole
            }
        };
        charged.money.add(one.money, whole);
        charged.kg.add(one.kg, whole);
        return charged;
    }
    let mut segments = |edges: &[f64]| -> Vec<Var> {
        let inner = std::iter::once(0.0).chain(edges.iter().copied());
        inner.zip(edges).map(|(a, b)| program.var(0.0, b - a)).collect()
    };
    let (below, above) = (segments(&pieces.below), segments(&pieces.above));
    let signed = below.iter().rev().map(|v| (*v, -1.0)).chain(above.iter().map(|v| (*v, 1.0)));
    let mut row = quantity.clone();
    for ((part, sign), rate) in signed.zip(&pieces.rates) {
        add(*rate, sign, part);
        row.add(-sign, part);
    }
    let row = program.equal(row, 0.0, what, Some(period));
    charged.row = Some(row);
    if pieces.falls(prices) {
        let fall = |k: usize| prices.fall(pieces.rates[k], pieces.rates[k + 1]);
        program.in_order((row, -1.0), &below, &above, fall);
        charged.chooses = true;
    }
    charged
}
