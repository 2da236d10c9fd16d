//! Laws of a value between two bounds: what anybody believes of a price before it is said.

use super::distributions::{normal_cdf, normal_density, normal_quantile};
use super::kernel::Kernel;

/// A law of a value between two bounds.
#[derive(Clone, Debug, PartialEq)]
pub enum Bounded {
    /// Every value alike.
    Uniform {
        /// Least value.
        low: f64,
        /// Greatest value, above `low`.
        high: f64,
    },
    /// A normal law given that the value lies between the bounds.
    Normal {
        /// Mean before it is cut.
        mean: f64,
        /// Standard deviation before it is cut.
        deviation: f64,
        /// Least value.
        low: f64,
        /// Greatest value, above `low`.
        high: f64,
    },
    /// What a history says.
    Kernel(Kernel),
    /// Values and their probabilities, ascending, summing to 1.
    Points(Vec<(f64, f64)>),
}

/// Nodes and weights of Gauss and Legendre's rule of eight points on [-1, 1].
const RULE: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_361_96),
    (0.525_532_409_916_329, 0.313_706_645_877_887_27),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

/// `integral of f from a to b`, by Gauss and Legendre's rule on panels no longer than `step`, cut where `f` has corners.
pub fn integral(a: f64, b: f64, corners: &[f64], step: f64, f: impl Fn(f64) -> f64) -> f64 {
    let mut cuts: Vec<f64> = corners.iter().copied().filter(|x| *x > a && *x < b).collect();
    cuts.extend([a, b]);
    cuts.sort_by(f64::total_cmp);
    let piece = |from: f64, to: f64| {
        let panels = ((to - from) / step).ceil().clamp(1.0, 1024.0);
        let half = 0.5 * (to - from) / panels;
        let panel = |k: usize| {
            let middle = from + half * (2 * k + 1) as f64;
            let pair = |(x, w): &(f64, f64)| w * (f(middle - half * x) + f(middle + half * x));
            half * RULE.iter().map(pair).sum::<f64>()
        };
        (0..panels as usize).map(panel).sum::<f64>()
    };
    cuts.windows(2).filter(|w| w[1] > w[0]).map(|w| piece(w[0], w[1])).sum()
}

impl Bounded {
    /// The least and the greatest value that there may be.
    pub fn bounds(&self) -> (f64, f64) {
        match self {
            Bounded::Uniform { low, high } | Bounded::Normal { low, high, .. } => (*low, *high),
            Bounded::Kernel(kernel) => kernel.bounds(),
            Bounded::Points(points) => {
                (points.first().map_or(0.0, |point| point.0), points.last().map_or(0.0, |point| point.0))
            }
        }
    }

    /// `P(X <= x)`.
    pub fn share_below(&self, x: f64) -> f64 {
        self.below(x).0
    }

    /// `P(X >= x)`.
    pub fn share_above(&self, x: f64) -> f64 {
        self.above(x).0
    }

    /// `E[X 1(X <= x)]`.
    pub fn part_below(&self, x: f64) -> f64 {
        self.below(x).1
    }

    /// `E[X 1(X >= x)]`.
    pub fn part_above(&self, x: f64) -> f64 {
        self.above(x).1
    }

    /// `E[X]`.
    pub fn mean(&self) -> f64 {
        self.part_below(f64::INFINITY)
    }

    fn below(&self, x: f64) -> (f64, f64) {
        match self {
            Bounded::Points(points) => sums(points.iter().filter(|point| point.0 <= x)),
            _ => self.between(f64::NEG_INFINITY, x),
        }
    }

    fn above(&self, x: f64) -> (f64, f64) {
        match self {
            Bounded::Points(points) => sums(points.iter().filter(|point| point.0 >= x)),
            _ => self.between(x, f64::INFINITY),
        }
    }

    /// Share of the values between two, and their part of the mean.
    fn between(&self, a: f64, b: f64) -> (f64, f64) {
        let (low, high) = self.bounds();
        let (a, b) = (a.max(low), b.min(high));
        if a >= b {
            return (0.0, 0.0);
        }
        match self {
            Bounded::Uniform { .. } => ((b - a) / (high - low), 0.5 * (b - a) * (b + a) / (high - low)),
            Bounded::Normal { mean, deviation, .. } => {
                let z = |x: f64| (x - mean) / deviation;
                let all = mass(z(low), z(high));
                let share = mass(z(a), z(b)) / all;
                (share, mean * share - deviation * (normal_density(z(b)) - normal_density(z(a))) / all)
            }
            Bounded::Kernel(kernel) => (kernel.share(a, b), kernel.part(a, b)),
            Bounded::Points(points) => sums(points.iter().filter(|point| point.0 >= a && point.0 <= b)),
        }
    }

    /// The value that a number drawn evenly from [0, 1) stands for.
    pub fn drawn(&self, share: f64) -> f64 {
        match self {
            Bounded::Uniform { low, high } => low + share * (high - low),
            Bounded::Normal { mean, deviation, low, high } => {
                let (from, to) = ((low - mean) / deviation, (high - mean) / deviation);
                let all = mass(from, to);
                let below = normal_cdf(from) + share * all;
                let z = if below < 0.5 {
                    normal_quantile(below)
                } else {
                    -normal_quantile(normal_cdf(-from) - share * all)
                };
                (mean + deviation * z).clamp(*low, *high)
            }
            Bounded::Kernel(kernel) => kernel.drawn(share),
            Bounded::Points(points) => {
                let mut sum = 0.0;
                let found = points.iter().find(|(_, weight)| {
                    sum += weight;
                    share < sum
                });
                found.or(points.last()).map_or(0.0, |point| point.0)
            }
        }
    }

    /// `E[f(X)]`, `f` smooth but for corners: by quadrature of the density, or the sum over the points.
    pub fn expectation(&self, corners: &[f64], f: impl Fn(f64) -> f64) -> f64 {
        let (low, high) = self.bounds();
        match self {
            Bounded::Uniform { .. } => integral(low, high, corners, self.step(), f) / (high - low),
            Bounded::Normal { mean, deviation, .. } => {
                let all = mass((low - mean) / deviation, (high - mean) / deviation);
                let density = |x: f64| normal_density((x - mean) / deviation) / (deviation * all);
                integral(low, high, corners, self.step(), |x| f(x) * density(x))
            }
            Bounded::Kernel(kernel) => integral(low, high, corners, self.step(), |x| f(x) * kernel.density(x)),
            Bounded::Points(points) => points.iter().map(|(x, weight)| weight * f(*x)).sum(),
        }
    }

    /// Where shares have corners or jumps.
    pub fn corners(&self) -> Vec<f64> {
        match self {
            Bounded::Points(points) => points.iter().map(|point| point.0).collect(),
            _ => <[f64; 2]>::from(self.bounds()).to_vec(),
        }
    }

    /// Over which distance its density is smooth.
    pub fn step(&self) -> f64 {
        let (low, high) = self.bounds();
        match self {
            Bounded::Normal { deviation, .. } => deviation.min(high - low),
            Bounded::Kernel(kernel) => kernel.bandwidth().min(high - low),
            _ => (high - low).max(f64::MIN_POSITIVE),
        }
    }

    /// The same law given that the value lies between narrower bounds; `None` where nothing does.
    pub fn within(&self, least: f64, greatest: f64) -> Option<Self> {
        let (low, high) = self.bounds();
        let (low, high) = (low.max(least), high.min(greatest));
        if let Bounded::Points(points) = self {
            let inside: Vec<_> = points.iter().copied().filter(|point| point.0 >= low && point.0 <= high).collect();
            let all: f64 = inside.iter().map(|point| point.1).sum();
            return (all > 0.0).then(|| Bounded::Points(inside.iter().map(|(x, weight)| (*x, weight / all)).collect()));
        }
        if low >= high || self.between(low, high).0 <= 0.0 {
            return None;
        }
        Some(match self {
            Bounded::Uniform { .. } => Bounded::Uniform { low, high },
            Bounded::Normal { mean, deviation, .. } => {
                Bounded::Normal { mean: *mean, deviation: *deviation, low, high }
            }
            Bounded::Kernel(kernel) => Bounded::Kernel(kernel.within(low, high)),
            Bounded::Points(_) => return None,
        })
    }
}

fn sums<'a>(points: impl Iterator<Item = &'a (f64, f64)>) -> (f64, f64) {
    points.fold((0.0, 0.0), |(share, part), (x, weight)| (share + weight, part + x * weight))
}

/// What the standard normal law has between two points.
fn mass(a: f64, b: f64) -> f64 {
    if a > 0.0 { normal_cdf(-a) - normal_cdf(-b) } else { normal_cdf(b) - normal_cdf(a) }
}

#[cfg(test)]
mod tests {
    use super::super::kernel::Bandwidth;
    use super::*;
    use proptest::prelude::*;

    fn laws() -> Vec<Bounded> {
        let bids = [0.62, 0.71, 0.55, 0.80, 0.67];
        vec![
            Bounded::Uniform { low: 0.3, high: 1.0 },
            Bounded::Normal { mean: 0.9, deviation: 0.2, low: 0.3, high: 1.0 },
            Bounded::Kernel(Kernel::new(&bids, Bandwidth::Silverman, 0.3, 1.0).unwrap()),
            Bounded::Points(vec![(0.3, 0.25), (0.5, 0.5), (0.9, 0.25)]),
        ]
    }

    /// A normal law cut at its mean: the half-normal law, whose mean is `sqrt(2/pi)` deviations away.
    #[test]
    fn a_cut_normal_law_has_its_mean() {
        let half = Bounded::Normal { mean: 0.0, deviation: 2.0, low: 0.0, high: 1e3 };
        assert!((half.mean() - 2.0 * (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-14);
        assert!((half.drawn(0.5) - 2.0 * 0.674_489_750_196_081_7).abs() < 1e-13);
    }

    proptest! {
        /// Shares, parts and draws are those of the quadrature, for every law and any place.
        #[test]
        fn closed_forms_are_the_quadrature(x in 0.2..1.1_f64) {
            for law in laws() {
                let mut corners = law.corners();
                corners.push(x);
                let below = law.expectation(&corners, |y| f64::from(u8::from(y <= x)));
                let part = law.expectation(&corners, |y| if y >= x { y } else { 0.0 });
                prop_assert!((law.share_below(x) - below).abs() < 1e-12, "{law:?}");
                prop_assert!((law.part_above(x) - part).abs() < 1e-12, "{law:?}");
                prop_assert!((law.expectation(&corners, |y| y) - law.mean()).abs() < 1e-12);
                let n = 2000;
                let drawn = (0..n).filter(|k| law.drawn((f64::from(*k) + 0.5) / f64::from(n)) <= x).count();
                prop_assert!((drawn as f64 / f64::from(n) - law.share_below(x)).abs() < 6e-3, "{law:?}");
            }
        }

        /// Given that the value lies in a part of the bounds, shares grow by what that part has.
        #[test]
        fn a_narrower_law_is_the_conditional_one(a in 0.3..0.6_f64, width in 0.05..0.4_f64, x in 0.2..1.1_f64) {
            for law in laws() {
                let b = a + width;
                let Some(narrow) = law.within(a, b) else { continue };
                let of = |x: f64| law.expectation(&[law.corners(), vec![a, b, x]].concat(), |y| f64::from(u8::from(y >= a && y <= b && y <= x)));
                prop_assert!((narrow.share_below(x) - of(x) / of(2.0)).abs() < 1e-11, "{law:?}");
            }
        }
    }
}
