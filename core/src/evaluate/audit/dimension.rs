//! Further kinds of misreports: whatever else a member could say than another price or quantity of all that it has.
//!
//! A kind is one file: a report rule that can say it, `impl Dimension`, and [`register_dimension!`](crate::register_dimension). The
//! rule is also what shows a finding again, on the command line and in experiments.

use super::bench::Bench;
use super::search::{Best, golden, is_better};
use super::truthful::chosen;
use crate::engine::ReportRule;
use crate::market::Market;
use rayon::prelude::*;

/// A kind of misreports.
pub trait Dimension: Sync {
    /// Name of the finding, as `device_gain`.
    fn name(&self) -> &'static str;

    /// What is tried, in words.
    fn searched(&self) -> &'static str;

    /// Whether who claims truthfulness claims that nobody gains by these; else what is found is a figure.
    fn is_claimed(&self) -> bool;

    /// What a member could say, the others being truthful.
    fn families(&self, market: &Market, seat: usize) -> Vec<Family>;
}

/// Misreports that differ in one number; a single one has one point.
pub struct Family {
    /// Numbers that are tried, in order; the search is refined between the neighbours of the best.
    pub points: Vec<f64>,
    /// The misreport at a number.
    pub lie: Box<dyn Fn(f64) -> Lie + Send + Sync>,
}

/// One misreport.
pub struct Lie {
    /// The rule by which nobody else but its member says what is not true.
    pub rule: Box<dyn ReportRule>,
    /// What its member does, as in `leaves out its storage`.
    pub words: String,
}

/// What the linker collects.
pub struct DimensionHandle(pub &'static dyn Dimension);

inventory::collect!(DimensionHandle);

/// Registers a kind of misreports.
#[macro_export]
macro_rules! register_dimension {
    ($dimension:expr) => {
        $crate::macro_support::inventory::submit! { $crate::evaluate::audit::DimensionHandle(&$dimension) }
    };
}

/// All kinds of misreports linked into this binary, by their names.
pub fn dimensions() -> Vec<&'static dyn Dimension> {
    let mut all: Vec<&'static dyn Dimension> = inventory::iter::<DimensionHandle>.into_iter().map(|h| h.0).collect();
    all.sort_by_key(|dimension| dimension.name());
    all
}

/// The misreport of a kind that gains most.
pub(super) struct Worst {
    pub seat: usize,
    pub gain: f64,
    /// The rule as files have it.
    pub rule: String,
    pub words: String,
}

/// Runs of the refinement of one family.
const REFINED: usize = 16;

/// The best misreport of these members, and how many of them were asked; `None` where nothing is better than the truth.
pub(super) fn search(
    bench: &Bench<'_>,
    dimension: &dyn Dimension,
    seats: &[usize],
    now: &[f64],
    allowance: usize,
) -> (Option<Worst>, usize) {
    let families: Vec<(usize, Vec<Family>)> =
        seats.iter().map(|seat| (*seat, dimension.families(bench.truth, *seat))).collect();
    let points = |of: &[Family]| of.iter().map(|family| family.points.len()).sum::<usize>();
    let each = families.iter().map(|(_, of)| points(of) + REFINED).max().unwrap_or(1);
    let kept = chosen(families.len(), allowance, each);
    let found: Vec<Option<Worst>> =
        kept.par_iter().map(|k| of_seat(bench, families[*k].0, &families[*k].1, now)).collect();
    let best = found.into_iter().flatten().reduce(|a, b| if is_better(b.gain, a.gain) { b } else { a });
    (best, kept.len())
}

fn of_seat(bench: &Bench<'_>, seat: usize, families: &[Family], now: &[f64]) -> Option<Worst> {
    let player = bench.truth.ownership()[seat];
    let gain = |family: &Family, x: f64| Some(bench.worth_by(&*(family.lie)(x).rule, player)? - now[player]);
    let of_family = |family: &Family| {
        let values: Vec<Option<f64>> = family.points.par_iter().map(|x| gain(family, *x)).collect();
        let known = values.iter().enumerate().filter_map(|(k, value)| Some((k, (*value)?)));
        known.reduce(|a, b| if is_better(b.1, a.1) { b } else { a })
    };
    let best: Vec<Option<(usize, f64)>> = families.par_iter().map(of_family).collect();
    let best = families.iter().zip(best).filter_map(|(family, best)| Some((family, best?)));
    let (family, (k, value)) = best.reduce(|a, b| if is_better(b.1.1, a.1.1) { b } else { a })?;
    let mut best = Best { at: vec![family.points[k]], value };
    if family.points.len() > 1 && value > 0.0 {
        let around = (family.points[k.saturating_sub(1)], family.points[(k + 1).min(family.points.len() - 1)]);
        best = best.clone().or(golden(&|at| gain(family, at[0]), &best.at, 0, around, REFINED));
    }
    if !is_better(best.value, 0.0) {
        return None;
    }
    let Lie { rule, words } = (family.lie)(best.at[0]);
    // `Rule(of: ..)` and not `Rule((of: ..))`.
    let written = ron::Options::default().with_default_extension(ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES);
    let rule = written.to_string(&*rule).ok()?;
    Some(Worst { seat, gain: best.value, rule, words })
}
