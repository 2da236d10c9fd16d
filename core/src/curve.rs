//! Lines that explain an outcome: what a figure draws when it shows how a rule came to its answer.
//!
//! Knows nothing of figures. A mechanism gives its own by [`Mechanism::curves`](crate::Mechanism::curves); the bids of auctions are
//! added by the evaluator. They are computed on demand only.

/// A line: points in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What it shows, in `snake_case`: `demand`, `interim_utility`, `best_response`.
    pub name: &'static str,
    /// Whose it is, by position; `None` where it belongs to nobody in particular.
    pub member: Option<usize>,
    /// With or against whom, by position.
    pub other: Option<usize>,
    /// The slot that it belongs to, where it belongs to one.
    pub slot: Option<usize>,
    /// Points: what is varied, and what it leads to.
    pub points: Vec<(f64, f64)>,
}
