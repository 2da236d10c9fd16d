//! Every number and colour of the house style. Lengths in points (1/72 in) unless the name says mm.
//!
//! Must not know what a figure shows.

use crate::color::Rgb;

/// Points per millimetre.
pub const MM: f64 = 72.0 / 25.4;
/// Width of one journal column, mm.
pub const ONE_COLUMN_MM: f64 = 88.9;
/// Width of two journal columns, mm.
pub const TWO_COLUMNS_MM: f64 = 181.9;

/// Axis labels, legends, panel titles.
pub const LABEL: f64 = 8.0;
/// Tick labels.
pub const TICK_LABEL: f64 = 7.5;
/// Notes inside a panel: the smallest size allowed.
pub const NOTE: f64 = 7.0;
/// Line distance in units of the type size.
pub const LEADING: f64 = 1.12;
/// Cap height of the font in em.
pub const CAP_HEIGHT: f64 = 0.729;
/// Baseline below the top of a line, em.
pub const ASCENT: f64 = 0.76;
/// Depth below the baseline, em.
pub const DESCENT: f64 = 0.236;

pub const SPINE: f64 = 0.6;
pub const GRID_LINE: f64 = 0.4;
pub const DATA_LINE: f64 = 1.2;
/// Secondary curves and error bars.
pub const THIN_LINE: f64 = 0.8;
pub const BAR_EDGE: f64 = 0.5;
pub const HATCH_LINE: f64 = 0.45;
pub const HATCH_STEP: f64 = 2.8;
pub const TICK: f64 = 2.5;
pub const MINOR_TICK: f64 = 1.5;
pub const MINOR_TICK_LINE: f64 = 0.4;
/// Half width of the cap of an error bar.
pub const ERROR_CAP: f64 = 1.5;
/// Tick to tick label.
pub const PAD_TICK: f64 = 2.0;
/// Tick label to axis label.
pub const PAD_LABEL: f64 = 3.5;
/// Outer margin.
pub const PAD_PAGE: f64 = 1.5;
/// Between panels.
pub const GAP: f64 = 9.0;
/// Panel title above its panel.
pub const PAD_TITLE: f64 = 4.0;
/// Marker radius.
pub const MARKER: f64 = 2.4;
/// Between the keys of a legend.
pub const KEY_GAP: f64 = 10.0;
/// Width of a colour bar.
pub const COLOR_BAR: f64 = 7.0;
/// Height of one row where rows set the height of the figure, mm.
pub const ROW_MM: f64 = 4.4;

pub const INK: Rgb = Rgb::hex(0x222222);
pub const GREY: Rgb = Rgb::hex(0x777777);
pub const GRID: Rgb = Rgb::hex(0xE2E2E2);
pub const ZEBRA: Rgb = Rgb::hex(0xF3F3F3);
/// A range behind the data.
pub const SHADE: Rgb = Rgb::hex(0xE4E4E4);
pub const WHITE: Rgb = Rgb::hex(0xFFFFFF);

// Okabe and Ito (2008).
pub const BLACK: Rgb = Rgb::hex(0x000000);
pub const ORANGE: Rgb = Rgb::hex(0xE69F00);
pub const SKY: Rgb = Rgb::hex(0x56B4E9);
pub const GREEN: Rgb = Rgb::hex(0x009E73);
pub const YELLOW: Rgb = Rgb::hex(0xF0E442);
pub const BLUE: Rgb = Rgb::hex(0x0072B2);
pub const RED: Rgb = Rgb::hex(0xD55E00);
pub const PINK: Rgb = Rgb::hex(0xCC79A7);

/// How an area is hatched.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Hatch {
    None,
    /// Strokes like `/`.
    Forward,
    /// Strokes like `\`.
    Back,
    Cross,
    Horizontal,
    Dots,
}

/// The shape of a marker.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Mark {
    None,
    Disc,
    Square,
    Up,
    Down,
    Diamond,
    Plus,
    Cross,
    Star,
}

/// Lengths on, off, on, ... in pt; empty is solid.
pub type Dash = &'static [f64];
pub const SOLID: Dash = &[];
pub const DASHED: Dash = &[4.5, 2.0];
pub const DOTTED: Dash = &[1.2, 1.6];
pub const DASH_DOT: Dash = &[5.0, 1.6, 1.2, 1.6];
pub const LONG_DASH: Dash = &[8.0, 2.5];
pub const DASH_DOT_DOT: Dash = &[5.0, 1.5, 1.2, 1.5, 1.2, 1.5];
/// Limits and tolerances.
pub const LIMIT_DASH: Dash = &[2.0, 2.0];
/// A reference curve behind the one of interest.
pub const REFERENCE_DASH: Dash = &[2.5, 1.5];
/// The front of a cost-emissions plane.
pub const FRONT_DASH: Dash = &[3.0, 1.6];

/// What one entity looks like everywhere: colour, dash, marker and hatch travel together, so that greyscale
/// and colour-blind readers lose nothing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Series {
    pub color: Rgb,
    /// For lines and markers, where `color` would be too light.
    pub ink: Rgb,
    pub dash: Dash,
    pub mark: Mark,
    pub hatch: Hatch,
}

const fn series(color: Rgb, dash: Dash, mark: Mark, hatch: Hatch) -> Series {
    Series { color, ink: color, dash, mark, hatch }
}

/// For anything without an order of its own, in order of use. Neighbours differ in lightness, dash and marker.
pub const CYCLE: [Series; 8] = [
    series(BLACK, SOLID, Mark::Disc, Hatch::None),
    series(ORANGE, DASHED, Mark::Square, Hatch::Forward),
    series(BLUE, DASH_DOT, Mark::Up, Hatch::Back),
    series(GREEN, LONG_DASH, Mark::Diamond, Hatch::Dots),
    series(RED, DOTTED, Mark::Down, Hatch::Horizontal),
    series(SKY, DASH_DOT_DOT, Mark::Plus, Hatch::Cross),
    series(PINK, SOLID, Mark::Cross, Hatch::None),
    series(YELLOW, DASHED, Mark::Star, Hatch::None),
];

/// The carbon policies with a look of their own.
pub const NO_CARBON_PRICE: Series =
    Series { color: Rgb::hex(0xD9D9D9), ink: GREY, dash: SOLID, mark: Mark::Disc, hatch: Hatch::None };
pub const TAX: Series = series(SKY, DASHED, Mark::Square, Hatch::Forward);
pub const CAP_AND_TRADE: Series = series(ORANGE, DASH_DOT, Mark::Up, Hatch::Dots);
pub const STEPPED: Series = series(BLUE, SOLID, Mark::Diamond, Hatch::Back);
pub const INTEGRATED: Series = series(GREEN, LONG_DASH, Mark::Down, Hatch::Cross);

/// Further policies and labelled variants, in order of appearance.
pub const FURTHER_POLICIES: [Series; 6] = [
    series(PINK, DOTTED, Mark::Cross, Hatch::Horizontal),
    series(RED, DASH_DOT_DOT, Mark::Plus, Hatch::None),
    Series { color: YELLOW, ink: Rgb::hex(0xB8A800), dash: DASHED, mark: Mark::Star, hatch: Hatch::Back },
    Series { color: Rgb::hex(0xBFE3F7), ink: BLACK, dash: LONG_DASH, mark: Mark::Square, hatch: Hatch::Dots },
    Series { color: Rgb::hex(0x8C8C8C), ink: Rgb::hex(0x8C8C8C), dash: DASHED, mark: Mark::Up, hatch: Hatch::Cross },
    Series { color: Rgb::hex(0xF2C9DD), ink: RED, dash: DOTTED, mark: Mark::Disc, hatch: Hatch::Forward },
];
