//! Axes: a range, its ticks and their labels. Ticks stand at 1, 2 or 5 times a power of ten.

use crate::style::TICK_LABEL;
use crate::text;

/// An axis. Linear unless its comment says otherwise; `low > high` runs backwards.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    pub low: f64,
    pub high: f64,
    /// Position and label; a label may have two lines.
    pub ticks: Vec<(f64, String)>,
    pub minor: Vec<f64>,
    pub label: String,
    pub kind: Kind,
}

/// What the positions of an axis stand for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    Number,
    /// Exponents of ten.
    Power,
    /// Names; no tick marks.
    Category,
    /// Names of rows that keep tick marks.
    Row,
}

impl Axis {
    /// From `low` to `high` with about `n` steps.
    pub fn linear(low: f64, high: f64, n: usize, label: &str) -> Axis {
        Axis::stepped(low, high, step(low, high, n), label)
    }

    /// Powers of ten around two exponents, ending on ticks; positions are exponents. Where there are many, every second or third
    /// has a tick.
    pub fn decades(low: i32, high: i32, label: &str) -> Axis {
        let every = ((high - low) / 6 + 1).max(1);
        let (first, last) = (low.div_euclid(every), -(-high).div_euclid(every));
        let ticks = (first..=last).map(|k| k * every).map(|e| (f64::from(e), text::power_of_ten(e))).collect();
        let (low, high) = (f64::from(first * every), f64::from(last * every));
        Axis { low, high, ticks, minor: Vec::new(), label: label.into(), kind: Kind::Power }
    }

    fn stepped(low: f64, high: f64, step: f64, label: &str) -> Axis {
        let (positions, decimals) = ticks(low, high, step);
        let ticks = positions.into_iter().map(|v| (v, text::number(v, decimals))).collect();
        Axis { low, high, ticks, minor: Vec::new(), label: label.into(), kind: Kind::Number }
    }

    /// As [`Axis::around`], with as many steps, four to eight, as leave the least room beside the data.
    pub fn tight(data: impl IntoIterator<Item = f64>, label: &str) -> Axis {
        let data: Vec<f64> = data.into_iter().collect();
        let tries = (4..=8).map(|n| Axis::around(data.iter().copied(), n, label)).filter(|a| a.ticks.len() <= 11);
        let length = |a: &Axis| a.high - a.low;
        // a tenth more room is a fair price for fewer labels
        let better = |a: &Axis, b: &Axis| length(a) < 0.9 * length(b);
        tries
            .reduce(|best, next| if better(&next, &best) { next } else { best })
            .unwrap_or_else(|| Axis::around(data, 5, label))
    }

    /// Around the data, ending on ticks.
    pub fn around(data: impl IntoIterator<Item = f64>, n: usize, label: &str) -> Axis {
        let (low, high) = range(data).unwrap_or((0.0, 1.0));
        let scale = low.abs().max(high.abs());
        // all equal: a range of a twentieth of the value, or of one about zero
        let spread = high - low;
        let (low, high) = if spread > 1e-7 * scale { (low, high) } else { widened(low, high, scale) };
        let step = step(low, high, n);
        let (first, last) = ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step);
        Axis::stepped(first, last, step, label)
    }

    /// Around the data and zero, ending on ticks: for bars.
    pub fn from_zero(data: impl IntoIterator<Item = f64>, n: usize, label: &str) -> Axis {
        let data: Vec<f64> = data.into_iter().chain([0.0]).collect();
        if data.iter().all(|v| *v == 0.0) {
            return Axis::linear(0.0, 1.0, n, label);
        }
        Axis::around(data, n, label)
    }

    /// One unit per name, centred on whole numbers.
    pub fn categories<S: AsRef<str>>(names: &[S], label: &str) -> Axis {
        Axis {
            low: -0.5,
            high: names.len() as f64 - 0.5,
            ticks: names.iter().enumerate().map(|(i, n)| (i as f64, n.as_ref().to_owned())).collect(),
            minor: Vec::new(),
            label: label.into(),
            kind: Kind::Category,
        }
    }

    /// Rows from the top, with ticks only where `ticks` has a name.
    pub fn rows(n: usize, ticks: Vec<(usize, String)>, label: &str) -> Axis {
        Axis {
            low: n as f64 - 0.5,
            high: -0.5,
            ticks: ticks.into_iter().map(|(i, s)| (i as f64, s)).collect(),
            minor: Vec::new(),
            label: label.into(),
            kind: Kind::Row,
        }
    }

    /// Hours from 0 to `end`; over a day: labels every 6 hours, small ticks every 2.
    pub fn hours(end: f64, label: &str) -> Axis {
        let (major, minor) = match end {
            e if e <= 6.0 => (1.0, 0.5),
            e if e <= 12.0 => (2.0, 1.0),
            e if e <= 30.0 => (6.0, 2.0),
            e if e <= 60.0 => (12.0, 6.0),
            e => (24.0 * (e / 24.0 / 7.0).ceil(), 12.0 * (e / 24.0 / 7.0).ceil()),
        };
        let count = |step: f64| (end / step + 1e-9).floor() as i32;
        let decimals = usize::from(major < 1.0);
        let ticks = (0..=count(major)).map(|i| f64::from(i) * major).map(|v| (v, text::number(v, decimals))).collect();
        let minor = (1..=count(minor)).map(|i| f64::from(i) * minor).filter(|v| (v / major).fract() > 1e-9).collect();
        Axis { low: 0.0, high: end, ticks, minor, label: label.into(), kind: Kind::Number }
    }

    /// Share of the way from `low` to `high`.
    pub fn share(&self, v: f64) -> f64 {
        (v - self.low) / (self.high - self.low)
    }

    /// Width of the widest tick label.
    pub fn widest(&self) -> f64 {
        self.ticks.iter().map(|t| text::block_width(&t.1, TICK_LABEL)).fold(0.0, f64::max)
    }

    /// Lines of the tallest tick label.
    pub fn lines(&self) -> usize {
        self.ticks.iter().map(|t| t.1.split('\n').count()).max().unwrap_or(1)
    }

    /// Whether ticks are marked.
    pub fn marked(&self) -> bool {
        self.kind != Kind::Category
    }
}

/// Least and greatest of some data, `None` if there are none.
pub fn range(data: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    data.into_iter().fold(None, |r, v| match r {
        None => Some((v, v)),
        Some((low, high)) => Some((f64::min(low, v), f64::max(high, v))),
    })
}

fn widened(low: f64, high: f64, scale: f64) -> (f64, f64) {
    let d = if scale > 0.0 { scale / 20.0 } else { 1.0 };
    (low - d, high + d)
}

/// The step of 1, 2 or 5 times a power of ten that comes nearest to `n` steps.
fn step(low: f64, high: f64, n: usize) -> f64 {
    let raw = (high - low).abs() / n as f64;
    let magnitude = 10f64.powf(raw.log10().floor());
    let off = |s: f64| (s / raw).ln().abs();
    [1.0, 2.0, 5.0, 10.0]
        .map(|s| s * magnitude)
        .into_iter()
        .min_by(|a, b| off(*a).total_cmp(&off(*b)))
        .expect("invariant: four candidates")
}

/// Ticks within a range and the decimals they need.
fn ticks(low: f64, high: f64, step: f64) -> (Vec<f64>, usize) {
    let whole = |d: &i32| {
        let s = step * 10f64.powi(*d);
        (s - s.round()).abs() < 1e-6 * s.max(1e-300) && s >= 0.5
    };
    let decimals = (0..13).find(whole).unwrap_or(13) as usize;
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    ((first..=last).map(|i| i as f64 * step).collect(), decimals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn axis_ends_on_ticks_around_the_data() {
        let a = Axis::from_zero([13.2, 4.0], 5, "");
        assert_eq!((a.low, a.high), (0.0, 14.0));
        assert_eq!(
            a.ticks.iter().map(|t| t.1.as_str()).collect::<Vec<_>>(),
            ["0", "2", "4", "6", "8", "10", "12", "14"]
        );
        let b = Axis::around([-0.3, 0.42], 4, "");
        assert_eq!(b.ticks.first().map(|t| t.1.clone()), Some("\u{2212}0.4".into()));
    }

    #[test]
    fn one_value_no_value_and_zero_make_an_axis() {
        for data in [vec![5.0], vec![5.0; 7], vec![], vec![0.0], vec![-3.0], vec![1e9], vec![1e-9]] {
            for a in [Axis::around(data.clone(), 5, ""), Axis::from_zero(data.clone(), 5, "")] {
                assert!(a.high > a.low && a.ticks.len() >= 3 && a.ticks.len() < 15, "{data:?} {a:?}");
                assert!(data.iter().all(|v| *v >= a.low - 1e-12 && *v <= a.high + 1e-12));
            }
        }
    }

    #[test]
    fn every_axis_around_data_ends_on_its_ticks() {
        for data in [[-2156.0, 4100.0], [0.0, 13.8], [6.2, 13.8], [-0.07, 1.0], [0.91, 0.9101]] {
            for axis in (3..9).map(|n| Axis::around(data, n, "")).chain([Axis::tight(data, "")]) {
                let (first, last) = (axis.ticks.first().unwrap().0, axis.ticks.last().unwrap().0);
                let slack = 1e-9 * (axis.high - axis.low);
                assert!((axis.low - first).abs() < slack && (axis.high - last).abs() < slack, "{axis:?}");
            }
        }
    }

    #[test]
    fn decades_are_named_as_powers() {
        let few = Axis::decades(-4, 2, "");
        assert_eq!((few.low, few.high), (-4.0, 2.0));
        assert_eq!(few.ticks.iter().map(|t| t.0).collect::<Vec<_>>(), [-4.0, -2.0, 0.0, 2.0]);
        assert_eq!(few.ticks[0].1, "10^{\u{2212}4}");
        for (low, high) in [(-12, 0), (-1, 0), (0, 1), (-7, 5), (-7, 1)] {
            let axis = Axis::decades(low, high, "");
            assert!((2..=8).contains(&axis.ticks.len()), "{axis:?}");
            assert_eq!((axis.ticks[0].0, axis.ticks[axis.ticks.len() - 1].0), (axis.low, axis.high));
            assert!(axis.low <= f64::from(low) && axis.high >= f64::from(high));
        }
    }

    #[test]
    fn hours_of_a_day() {
        let a = Axis::hours(24.0, "");
        assert_eq!(a.ticks.iter().map(|t| t.0).collect::<Vec<_>>(), [0.0, 6.0, 12.0, 18.0, 24.0]);
        assert_eq!(a.minor.len(), 8);
    }

    proptest! {
        #[test]
        fn data_lie_within_and_labels_differ(a in -1e7..1e7f64, d in 1e-3..1e7f64, n in 3usize..8) {
            let axis = Axis::around([a, a + d], n, "");
            prop_assert!(axis.low <= a + 1e-6 * d && axis.high >= a + d - 1e-6 * d);
            let mut labels: Vec<&String> = axis.ticks.iter().map(|t| &t.1).collect();
            let count = labels.len();
            labels.dedup();
            prop_assert_eq!(labels.len(), count);
            prop_assert!((2..=16).contains(&count));
        }
    }
}
