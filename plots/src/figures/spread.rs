//! Lines over time or rank that differ from seed to seed: their mean, and a band that holds most of the seeds.

use crate::canvas::{Canvas, Fill, Stroke};
use crate::geometry::Pt;
use crate::panel::Panel;
use crate::study::SAME;
use crate::style::{DATA_LINE, Mark, Series, WHITE};
use coase_core::statistics::{mean, quantile};

/// Bands of more lines hide each other.
pub(super) const MOST_BANDS: usize = 3;
/// Marks on a line.
const MARKS: usize = 4;

/// A point of a line over the seeds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Point {
    pub(super) mean: f64,
    /// The 5 % and the 95 % quantile.
    pub(super) low: f64,
    pub(super) high: f64,
}

/// A line over the seeds; a place that no seed knows is a gap.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Course {
    pub(super) points: Vec<Option<Point>>,
}

impl Course {
    /// From a line for each seed.
    pub(super) fn over(seeds: &[Vec<Option<f64>>]) -> Course {
        let n = seeds.iter().map(Vec::len).max().unwrap_or(0);
        let point = |k: usize| {
            let mut known: Vec<f64> = seeds.iter().filter_map(|line| line.get(k).copied().flatten()).collect();
            known.sort_by(f64::total_cmp);
            Some(Point { mean: mean(&known)?, low: quantile(&known, 0.05)?, high: quantile(&known, 0.95)? })
        };
        Course { points: (0..n).map(point).collect() }
    }

    pub(super) fn scaled(&self, factor: f64) -> Course {
        let scaled = |p: &Point| Point { mean: p.mean * factor, low: p.low * factor, high: p.high * factor };
        Course { points: self.points.iter().map(|p| p.as_ref().map(scaled)).collect() }
    }

    pub(super) fn is_known(&self) -> bool {
        self.points.iter().any(Option::is_some)
    }

    /// Whether the seeds differ somewhere.
    pub(super) fn differs(&self) -> bool {
        self.points.iter().flatten().any(|p| p.high - p.low > SAME * (1.0 + p.high.abs().max(p.low.abs())))
    }

    /// What the axis must hold.
    pub(super) fn ends(&self) -> impl Iterator<Item = f64> {
        self.points.iter().flatten().flat_map(|p| [p.mean, p.low, p.high])
    }

    /// Its stretches without a gap, at these places.
    fn stretches(&self, at: &[f64]) -> Vec<Vec<(f64, Point)>> {
        let known: Vec<Option<(f64, Point)>> = at.iter().zip(&self.points).map(|(x, p)| p.map(|p| (*x, p))).collect();
        known.split(Option::is_none).filter(|s| !s.is_empty()).map(|s| s.iter().copied().flatten().collect()).collect()
    }
}

/// Whether the bands of these lines are drawn.
pub(super) fn has_bands<'a>(courses: impl IntoIterator<Item = &'a Course>) -> bool {
    let mut lines = courses.into_iter().filter(|c| c.is_known()).peekable();
    lines.peek().is_some() && {
        let all: Vec<&Course> = lines.collect();
        all.len() <= MOST_BANDS && all.iter().any(|c| c.differs())
    }
}

/// What a caption says where seeds differ and lines are too many for bands.
pub(super) fn told_without_bands() -> String {
    format!(" More than {MOST_BANDS} lines: bands over the seeds are left out.")
}

/// How a line of an entity is drawn.
pub(super) fn stroke(series: &Series) -> Stroke {
    Stroke::new(series.ink, DATA_LINE).dashed(series.dash)
}

/// The band of a line.
pub(super) fn tint(series: &Series) -> Fill {
    Fill::new(series.ink.mix(WHITE, 0.82))
}

/// Draws lines, over their bands where these are drawn, with marks that stand apart.
pub(super) fn draw(c: &mut Canvas, panel: &Panel, at: &[f64], lines: &[(Course, Series)], bands: bool) {
    for (course, series) in lines.iter().filter(|_| bands) {
        for stretch in course.stretches(at) {
            let low: Vec<Pt> = stretch.iter().map(|(x, p)| (*x, p.low)).collect();
            let high: Vec<Pt> = stretch.iter().map(|(x, p)| (*x, p.high)).collect();
            panel.between_lines(c, &low, &high, tint(series));
        }
    }
    panel.back(c);
    for (course, series) in lines {
        for stretch in course.stretches(at) {
            let points: Vec<Pt> = stretch.iter().map(|(x, p)| (*x, p.mean)).collect();
            panel.line(c, &points, stroke(series));
        }
    }
    for (k, (course, series)) in lines.iter().enumerate().filter(|(_, (_, s))| s.mark != Mark::None) {
        let known: Vec<Pt> = course.stretches(at).concat().iter().map(|(x, p)| (*x, p.mean)).collect();
        let every = known.len().div_ceil(MARKS).max(1);
        for point in known.iter().skip(k * every / lines.len().max(1)).step_by(every) {
            panel.mark(c, *point, series.mark, series.ink);
        }
    }
    panel.front(c);
}

#[cfg(test)]
mod tests {
    use super::{Course, has_bands};

    #[test]
    fn means_and_quantiles_are_taken_place_by_place() {
        // Twenty-one seeds: 5 % of 20 steps is the second sample, 95 % the last but one.
        let seeds: Vec<Vec<Option<f64>>> = (0..21).map(|k| vec![Some(f64::from(k)), None, Some(4.0)]).collect();
        let course = Course::over(&seeds);
        let first = course.points[0].unwrap();
        assert_eq!((first.mean, first.low, first.high), (10.0, 1.0, 19.0));
        assert_eq!(course.points[1], None);
        assert!(course.differs() && has_bands([&course]));
        assert_eq!(course.stretches(&[0.0, 1.0, 2.0]).len(), 2);
        let one = Course::over(&seeds[..1]);
        assert!(!one.differs() && !has_bands([&one]));
        assert!(!has_bands([&course, &course, &course, &course]));
    }
}
