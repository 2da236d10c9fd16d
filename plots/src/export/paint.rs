//! The bridge to plotters: the display list painted on any of its drawing backends.
//!
//! Its charts, fonts and text measuring are not used: they know no em, no second line and no sub-pixel.

use crate::canvas::{Align, Canvas, Label, Op, Reading};
use crate::color::Rgb;
use crate::geometry::Pt;
use crate::style::ASCENT;
use crate::text::{self, Weight};
use ab_glyph::{Font, PxScale, point};
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontFamily,
    FontStyle, FontTransform,
};
use std::convert::Infallible;

/// Written into the SVG. The first names are found where DejaVu is installed; Verdana has the same ancestry.
pub const FAMILY: &str = "DejaVu Sans Condensed, DejaVu Sans, Verdana, Coase Further, sans-serif";
/// The name under which an SVG carries what that family lacks.
pub const FURTHER_FAMILY: &str = "Coase Further";

/// plotters measures type in 1.24 em.
const PLOTTERS_EM: f64 = 1.24;

/// Resolution of a backend, whose coordinates are whole numbers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Scale {
    /// Units of the backend per point.
    pub per_pt: f64,
    /// Units of the backend per pixel, for backends that set type themselves.
    pub per_pixel: f64,
}

/// Paints a display list.
///
/// # Errors
/// Those of the backend.
pub fn paint<B: DrawingBackend>(
    canvas: &Canvas,
    backend: &mut B,
    scale: Scale,
) -> Result<(), DrawingErrorKind<B::ErrorType>> {
    let unit = |v: f64| (v * scale.per_pt).round();
    let at = |p: &Pt| (unit(p.0) as i32, unit(p.1) as i32);
    for op in &canvas.ops {
        match op {
            Op::Path { points, color, width } => {
                let mut path: Vec<BackendCoord> = points.iter().map(at).collect();
                path.dedup();
                if path.len() > 1 {
                    backend.draw_path(path, &Ink { color: *color, width: unit(*width).max(1.0) as u32 })?;
                }
            }
            Op::Polygon { points, color } => {
                let mut path: Vec<BackendCoord> = points.iter().map(at).collect();
                path.dedup();
                if path.len() > 2 {
                    backend.fill_polygon(path, &Ink { color: *color, width: 0 })?;
                }
            }
            Op::Disc { center, radius, color } => {
                backend.draw_circle(at(center), unit(*radius) as u32, &Ink { color: *color, width: 0 }, true)?;
            }
            Op::Text(label) => {
                let above = ASCENT * label.size;
                let top = match label.reading {
                    Reading::Across => (label.at.0, label.at.1 - above),
                    Reading::Upwards => (label.at.0 - above, label.at.1),
                };
                backend.draw_text(&label.text, &Type { label, scale }, at(&top))?;
            }
        }
    }
    backend.present()
}

struct Ink {
    color: Rgb,
    width: u32,
}

impl BackendStyle for Ink {
    fn color(&self) -> BackendColor {
        opaque(self.color)
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

fn opaque(color: Rgb) -> BackendColor {
    BackendColor { alpha: 1.0, rgb: (color.0, color.1, color.2) }
}

struct Type<'a> {
    label: &'a Label,
    scale: Scale,
}

impl Type<'_> {
    /// Size in units of the backend; hundredths, so that no digits of noise are written.
    fn units(&self) -> f64 {
        (self.label.size * self.scale.per_pt * 100.0).round() / 100.0
    }
}

impl BackendTextStyle for Type<'_> {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        opaque(self.label.color)
    }

    fn size(&self) -> f64 {
        self.units() * PLOTTERS_EM
    }

    fn transform(&self) -> FontTransform {
        match self.label.reading {
            Reading::Across => FontTransform::None,
            Reading::Upwards => FontTransform::Rotate270,
        }
    }

    fn style(&self) -> FontStyle {
        match self.label.weight {
            Weight::Regular => FontStyle::Normal,
            Weight::Bold => FontStyle::Bold,
        }
    }

    fn anchor(&self) -> Pos {
        let h = match self.label.align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        // the only vertical anchor with an exact baseline: 0.76 em below the top
        Pos::new(h, VPos::Top)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(FAMILY)
    }

    fn layout_box(&self, label: &str) -> Result<((i32, i32), (i32, i32)), Infallible> {
        let width = text::weighted_width(label, self.units(), self.label.weight);
        Ok(((0, 0), (width.round() as i32, self.units() as i32)))
    }

    /// Sets the label from `origin` (units, left end of the top) and hands out covered pixels, with sub-pixel
    /// positions and sub- and superscripts.
    fn draw<E, F: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        label: &str,
        origin: BackendCoord,
        mut pixel: F,
    ) -> Result<Result<(), E>, Infallible> {
        let em = self.units() / self.scale.per_pixel;
        let mut x = f64::from(origin.0) / self.scale.per_pixel;
        let top = f64::from(origin.1) / self.scale.per_pixel;
        for run in text::runs(label) {
            let size = em * run.scale;
            let baseline = top + (ASCENT - run.rise) * em;
            for glyph in text::glyphs(&run.text, self.label.weight) {
                x += glyph.kern * size;
                let font = glyph.face.font();
                let per_unit = size / glyph.face.units_per_em();
                let size_px = PxScale::from((f64::from(font.height_unscaled()) * per_unit) as f32);
                let placed = glyph.id.with_scale_and_position(size_px, point(x as f32, baseline as f32));
                if let Some(outline) = font.outline_glyph(placed) {
                    let corner = outline.px_bounds().min;
                    let mut result = Ok(());
                    outline.draw(|gx, gy, coverage| {
                        if coverage > 0.0 && result.is_ok() {
                            let color = self.color().mix(f64::from(coverage.min(1.0)));
                            result = pixel(gx as i32 + corner.x as i32, gy as i32 + corner.y as i32, color);
                        }
                    });
                    if result.is_err() {
                        return Ok(result);
                    }
                }
                x += glyph.advance * size;
            }
        }
        Ok(Ok(()))
    }
}
