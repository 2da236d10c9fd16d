//! How lines and areas look. Must not know what is drawn with them.

use crate::color::Rgb;
use crate::style::{Dash, Hatch, INK, SOLID, Series};

/// How a line is drawn.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stroke {
    pub color: Rgb,
    pub width: f64,
    pub dash: Dash,
}

impl Stroke {
    /// A solid line.
    pub const fn new(color: Rgb, width: f64) -> Stroke {
        Stroke { color, width, dash: SOLID }
    }

    pub const fn dashed(self, dash: Dash) -> Stroke {
        Stroke { dash, ..self }
    }
}

/// How an area is filled.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fill {
    pub color: Rgb,
    pub hatch: Hatch,
    pub edge: Option<Rgb>,
}

impl Fill {
    /// A plain area without edge.
    pub const fn new(color: Rgb) -> Fill {
        Fill { color, hatch: Hatch::None, edge: None }
    }

    /// The fill of a series as a bar: hatched and edged.
    pub const fn of(series: &Series) -> Fill {
        Fill { color: series.color, hatch: series.hatch, edge: Some(INK) }
    }

    pub const fn hatched(self, hatch: Hatch) -> Fill {
        Fill { hatch, ..self }
    }

    pub const fn edged(self) -> Fill {
        Fill { edge: Some(INK), ..self }
    }
}
