//! How time and memory grow: a table, the slope on logarithmic axes, and the two as a figure.

use coase_plots::axis::{Axis, range};
use coase_plots::canvas::{Canvas, Stroke};
use coase_plots::figure::{Entry, Figure, Key, Sharing};
use coase_plots::geometry::Pt;
use coase_plots::panel::Panel;
use coase_plots::style::{CYCLE, DATA_LINE, TWO_COLUMNS_MM};

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Its size.
    pub participants: usize,
    /// s.
    pub wall_s: f64,
    /// Of all threads, s; NaN where the system does not say.
    pub cpu_s: f64,
    /// MB.
    pub peak_mb: f64,
    /// Whether it found its answer.
    pub answered: bool,
}

/// Runs of one kind, by size.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What is run.
    pub name: String,
    /// What it took.
    pub runs: Vec<Taken>,
}

impl Curve {
    /// Power with which a figure grows with the number of participants, fitted over runs of at least so many.
    pub fn slope(&self, from: usize, figure: impl Fn(&Taken) -> f64) -> f64 {
        slope(self.runs.iter().filter(|taken| taken.participants >= from).map(|t| (t.participants as f64, figure(t))))
    }
}

/// Slope of the least-squares line through the logarithms.
pub fn slope(points: impl Iterator<Item = (f64, f64)>) -> f64 {
    let logs: Vec<(f64, f64)> = points.map(|(x, y)| (x.ln(), y.ln())).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0 / n, sum.1 + p.1 / n));
    let (mut up, mut along) = (0.0, 0.0);
    for (x, y) in logs {
        up += (x - mean.0) * (y - mean.1);
        along += (x - mean.0) * (x - mean.0);
    }
    up / along
}

/// Processor time and peak memory against the number of participants, both logarithmic; the slope of time from so many
/// participants on beside every name.
pub fn draw(curves: &[Curve], from: usize) -> Canvas {
    let of = |figure: fn(&Taken) -> f64| -> Vec<Vec<Pt>> {
        let points =
            |curve: &Curve| curve.runs.iter().map(|t| ((t.participants as f64).log10(), figure(t).log10())).collect();
        curves.iter().map(points).collect()
    };
    let contents = [("Processor time (s)", of(|t| t.cpu_s)), ("Peak memory (MB)", of(|t| t.peak_mb))];
    let decades = |values: Vec<f64>, label: &str| {
        let (low, high) = range(values).unwrap_or((0.0, 1.0));
        Axis::decades(low.floor() as i32, high.ceil() as i32, label)
    };
    let panel = |(k, (label, points)): (usize, &(&str, Vec<Vec<Pt>>))| {
        let x = decades(points.iter().flatten().map(|p| p.0).collect(), "Participants");
        let y = decades(points.iter().flatten().map(|p| p.1).collect(), label);
        Panel::new(x, y).titled(["(a) Time", "(b) Memory"][k])
    };
    let mut panels: Vec<Panel> = contents.iter().enumerate().map(panel).collect();
    let series = |k: usize| CYCLE[k % CYCLE.len()];
    let stroke = |k: usize| Stroke::new(series(k).ink, DATA_LINE).dashed(series(k).dash);
    let entry = |(k, curve): (usize, &Curve)| -> Entry {
        let slope = curve.slope(from, |t| t.cpu_s);
        (Key::Series(stroke(k), series(k).mark), format!("{} (slope {slope:.2})", curve.name))
    };
    let entries: Vec<Entry> = curves.iter().enumerate().map(entry).collect();
    let mut figure = Figure::new(TWO_COLUMNS_MM, 80.0);
    figure.legend(&entries.chunks(3).map(<[Entry]>::to_vec).collect::<Vec<_>>());
    figure.grid(2, Sharing::None, &mut panels);
    for (panel, (_, points)) in panels.iter().zip(&contents) {
        let c = &mut figure.canvas;
        panel.back(c);
        for (k, points) in points.iter().enumerate() {
            panel.line(c, points, stroke(k));
            for point in points {
                panel.mark(c, *point, series(k).mark, series(k).ink);
            }
        }
        panel.front(c);
    }
    figure.canvas
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    fn a_power_law_has_its_power_as_slope() {
        let found = slope([50.0, 200.0, 2000.0].into_iter().map(|n: f64| (n, 0.3 * n.powf(1.2))));
        assert!((found - 1.2).abs() < 1e-12, "{found}");
    }
}
