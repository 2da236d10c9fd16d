//! An anti-aliased bitmap as a backend of plotters.
//!
//! Its own bitmap backend draws whole pixels, so that smooth edges cost a page drawn four times larger and averaged.
//! Here every element covers 8 x 8 samples of a pixel, one bit each: the strokes of a path unite by `or`, and no page is
//! drawn twice. Coordinates are 1/64 pixel.

use plotters_backend::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontTransform,
};
use std::convert::Infallible;

/// Units per pixel.
pub const UNIT: i32 = 64;
/// Samples along a pixel's side.
const SIDE: i32 = 8;
/// Units per sample.
const STEP: f64 = (UNIT / SIDE) as f64;
/// Samples of a pixel.
const SAMPLES: u32 = (SIDE * SIDE) as u32;
/// Steps of coverage that are told apart: as many as a page four times larger has. More would only make more colours.
const LEVELS: u32 = 16;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// A bitmap on white paper.
pub struct Raster {
    pub width: u32,
    pub height: u32,
    /// `0xRRGGBB`, row by row.
    pub pixels: Vec<u32>,
    mask: Mask,
}

/// The samples covered by one element, for the pixels of its bounding box. Empty between elements.
#[derive(Default)]
struct Mask {
    bits: Vec<u64>,
    /// First and last touched column of each row.
    touched: Vec<(i32, i32)>,
    x0: i32,
    y0: i32,
    columns: i32,
    rows: i32,
}

const UNTOUCHED: (i32, i32) = (i32::MAX, i32::MIN);

impl Raster {
    pub fn new(width: u32, height: u32) -> Raster {
        let pixels = vec![0x00FF_FFFF; (width * height) as usize];
        Raster { width, height, pixels, mask: Mask::default() }
    }

    /// Begins an element that lies within a box of units.
    fn open(&mut self, x0: f64, y0: f64, x1: f64, y1: f64) {
        let low = |v: f64| (v / f64::from(UNIT)).floor() as i32;
        let (w, h) = (self.width as i32, self.height as i32);
        let m = &mut self.mask;
        m.x0 = low(x0).clamp(0, w);
        m.y0 = low(y0).clamp(0, h);
        m.columns = (low(x1) + 1).clamp(m.x0, w) - m.x0;
        m.rows = (low(y1) + 1).clamp(m.y0, h) - m.y0;
        let cells = (m.columns * m.rows) as usize;
        if m.bits.len() < cells {
            m.bits.resize(cells, 0);
        }
        m.touched.clear();
        m.touched.resize(m.rows as usize, UNTOUCHED);
    }

    /// Colours what the element covers, and empties the mask.
    fn close(&mut self, color: BackendColor) {
        let m = &mut self.mask;
        for (row, (first, last)) in m.touched.iter().enumerate().filter(|(_, t)| **t != UNTOUCHED) {
            let cells = row * m.columns as usize + *first as usize..=row * m.columns as usize + *last as usize;
            let start = (m.y0 as usize + row) * self.width as usize + (m.x0 + first) as usize;
            for (pixel, bits) in self.pixels[start..].iter_mut().zip(&mut m.bits[cells]) {
                let covered = std::mem::take(bits).count_ones();
                blend(pixel, color.rgb, (covered * LEVELS + SAMPLES / 2) / SAMPLES);
            }
        }
    }

    /// An upright rectangle, by the area of each pixel that it covers.
    fn upright(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64), rgb: (u8, u8, u8)) {
        let share = |pixel: i32, low: f64, high: f64| {
            (f64::from(pixel + 1).min(high) - f64::from(pixel).max(low)).clamp(0.0, 1.0)
        };
        let unit = f64::from(UNIT);
        let (x0, x1) = ((x0 / unit).max(0.0), (x1 / unit).min(f64::from(self.width)));
        let (y0, y1) = ((y0 / unit).max(0.0), (y1 / unit).min(f64::from(self.height)));
        let columns: Vec<f64> = (x0.floor() as i32..x1.ceil() as i32).map(|x| share(x, x0, x1)).collect();
        for y in y0.floor() as i32..y1.ceil() as i32 {
            let high = share(y, y0, y1);
            let start = y as usize * self.width as usize + x0.floor() as usize;
            for (pixel, wide) in self.pixels[start..].iter_mut().zip(&columns) {
                blend(pixel, rgb, (high * wide * f64::from(LEVELS)).round() as u32);
            }
        }
    }
}

impl Mask {
    /// Adds a polygon by the even-odd rule.
    fn polygon(&mut self, points: &[(f64, f64)]) {
        let low = points.iter().map(|p| p.1).fold(f64::MAX, f64::min);
        let high = points.iter().map(|p| p.1).fold(f64::MIN, f64::max);
        // samples lie at the middle of their step
        let first = ((low / STEP - 0.5).ceil() as i32).max(self.y0 * SIDE);
        let last = ((high / STEP - 0.5).ceil() as i32).min((self.y0 + self.rows) * SIDE);
        let mut crossings: Vec<f64> = Vec::with_capacity(4);
        for row in first..last {
            let y = (f64::from(row) + 0.5) * STEP;
            crossings.clear();
            for (i, a) in points.iter().enumerate() {
                let b = points[if i + 1 == points.len() { 0 } else { i + 1 }];
                if (a.1 <= y) != (b.1 <= y) {
                    crossings.push(a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0));
                }
            }
            if crossings.len() > 2 || crossings.first() > crossings.last() {
                crossings.sort_unstable_by(f64::total_cmp);
            }
            for span in crossings.chunks_exact(2) {
                self.span(row, span[0], span[1]);
            }
        }
    }

    fn disc(&mut self, center: (f64, f64), radius: f64) {
        let first = (((center.1 - radius) / STEP - 0.5).ceil() as i32).max(self.y0 * SIDE);
        let last = (((center.1 + radius) / STEP - 0.5).ceil() as i32).min((self.y0 + self.rows) * SIDE);
        for row in first..last {
            let dy = (f64::from(row) + 0.5) * STEP - center.1;
            let half = (radius * radius - dy * dy).max(0.0).sqrt();
            self.span(row, center.0 - half, center.0 + half);
        }
    }

    /// Covers the samples of one sample row between two abscissas.
    fn span(&mut self, row: i32, x0: f64, x1: f64) {
        let sample = |x: f64| (x / STEP - 0.5).ceil() as i32 - self.x0 * SIDE;
        let (from, to) = (sample(x0).max(0), sample(x1).min(self.columns * SIDE));
        if from >= to {
            return;
        }
        let (line, shift) = (row / SIDE - self.y0, (row % SIDE) * SIDE);
        let start = (line * self.columns) as usize;
        let cells = &mut self.bits[start..start + self.columns as usize];
        let (first, last) = (from / SIDE, (to - 1) / SIDE);
        let touched = &mut self.touched[line as usize];
        *touched = (touched.0.min(first), touched.1.max(last));
        let (head, tail) = (0xFFu64 << (from % SIDE) & 0xFF, 0xFFu64 >> (SIDE - 1 - (to - 1) % SIDE));
        if first == last {
            cells[first as usize] |= (head & tail) << shift;
            return;
        }
        cells[first as usize] |= head << shift;
        cells[last as usize] |= tail << shift;
        for cell in &mut cells[first as usize + 1..last as usize] {
            *cell |= 0xFF << shift;
        }
    }
}

impl DrawingBackend for Raster {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.width * UNIT as u32, self.height * UNIT as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    /// Colours a pixel, named in pixels.
    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        if (0..self.width as i32).contains(&x) && (0..self.height as i32).contains(&y) {
            blend(
                &mut self.pixels[y as usize * self.width as usize + x as usize],
                color.rgb,
                (color.alpha * f64::from(LEVELS)).round() as u32,
            );
        }
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    /// A stroke with round joins and flat ends.
    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let points: Vec<(f64, f64)> = path.into_iter().map(float).collect();
        let half = f64::from(style.stroke_width()) / 2.0;
        let (x0, y0, x1, y1) = bounds(&points);
        self.open(x0 - half, y0 - half, x1 + half, y1 + half);
        for segment in points.windows(2) {
            let (a, b) = (segment[0], segment[1]);
            let length = (b.0 - a.0).hypot(b.1 - a.1);
            let (nx, ny) = (-(b.1 - a.1) / length * half, (b.0 - a.0) / length * half);
            self.mask.polygon(&[
                (a.0 + nx, a.1 + ny),
                (b.0 + nx, b.1 + ny),
                (b.0 - nx, b.1 - ny),
                (a.0 - nx, a.1 - ny),
            ]);
        }
        for joint in points.iter().skip(1).take(points.len().saturating_sub(2)) {
            self.mask.disc(*joint, half);
        }
        self.close(style.color());
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let points: Vec<(f64, f64)> = path.into_iter().map(float).collect();
        let (x0, y0, x1, y1) = bounds(&points);
        if let [a, b, c, d] = points[..]
            && (a.1, b.0, c.1, d.0) == (b.1, c.0, d.1, a.0)
        {
            self.upright((x0, y0), (x1, y1), style.color().rgb);
            return Ok(());
        }
        self.open(x0, y0, x1, y1);
        self.mask.polygon(&points);
        self.close(style.color());
        Ok(())
    }

    /// A full disc; outlines are paths.
    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, _fill: bool) -> Drawn {
        let (center, radius) = (float(center), f64::from(radius));
        self.open(center.0 - radius, center.1 - radius, center.0 + radius, center.1 + radius);
        self.mask.disc(center, radius);
        self.close(style.color());
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, label: &str, style: &S, at: BackendCoord) -> Drawn {
        let ((left, _), (right, _)) = style.layout_box(label).map_err(|e| DrawingErrorKind::FontError(Box::new(e)))?;
        let before = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => (right - left) / 2,
            HPos::Right => right - left,
        };
        // the label is set on the pixels of its own frame; what its position has beyond whole pixels goes into it
        let (px, rest) = (|v: i32| v.div_euclid(UNIT), |v: i32| v.rem_euclid(UNIT));
        let drawn = if matches!(style.transform(), FontTransform::None) {
            let (x, y) = (at.0 - before, at.1);
            style.draw(label, (rest(x), rest(y)), |gx, gy, c| self.draw_pixel((px(x) + gx, px(y) + gy), c))
        } else {
            let (x, y) = (at.0, at.1 + before);
            style.draw(label, (-rest(y), rest(x)), |gx, gy, c| self.draw_pixel((px(x) + gy, px(y) - gx - 1), c))
        };
        drawn.map_err(|e| DrawingErrorKind::FontError(Box::new(e)))?
    }
}

fn float(p: BackendCoord) -> (f64, f64) {
    (f64::from(p.0), f64::from(p.1))
}

fn bounds(points: &[(f64, f64)]) -> (f64, f64, f64, f64) {
    points
        .iter()
        .fold((f64::MAX, f64::MAX, f64::MIN, f64::MIN), |b, p| (b.0.min(p.0), b.1.min(p.1), b.2.max(p.0), b.3.max(p.1)))
}

/// Mixes `level` parts of ink in [`LEVELS`] into a pixel.
fn blend(pixel: &mut u32, (r, g, b): (u8, u8, u8), level: u32) {
    if level >= LEVELS {
        *pixel = u32::from(r) << 16 | u32::from(g) << 8 | u32::from(b);
    } else if level > 0 {
        let channel = |shift: u32, ink: u8| {
            let paper = *pixel >> shift & 0xFF;
            ((paper * (LEVELS - level) + u32::from(ink) * level + LEVELS / 2) / LEVELS) << shift
        };
        *pixel = channel(16, r) | channel(8, g) | channel(0, b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Black(u32);
    impl BackendStyle for Black {
        fn color(&self) -> BackendColor {
            BackendColor { alpha: 1.0, rgb: (0, 0, 0) }
        }
        fn stroke_width(&self) -> u32 {
            self.0
        }
    }

    /// Ink on the page in pixels.
    fn ink(r: &Raster) -> f64 {
        r.pixels.iter().map(|p| 1.0 - f64::from(p & 0xFF) / 255.0).sum()
    }

    fn page() -> Raster {
        Raster::new(40, 30)
    }

    #[test]
    fn coverage_is_area() {
        let mut r = page();
        r.fill_polygon([(160, 160), (800, 160), (800, 1000), (160, 1000)], &Black(0)).unwrap();
        assert!((ink(&r) - 10.0 * 13.125).abs() < 0.3, "{}", ink(&r));
        let mut r = page();
        r.draw_circle((1280, 960), 640, &Black(0), true).unwrap();
        assert!((ink(&r) / (std::f64::consts::PI * 100.0) - 1.0).abs() < 0.005, "{}", ink(&r));
        let mut r = page();
        r.draw_path([(128, 128), (1500, 900)], &Black(128)).unwrap();
        let length = f64::from(1500 - 128).hypot(f64::from(900 - 128)) / 64.0;
        assert!((ink(&r) / (length * 2.0) - 1.0).abs() < 0.01, "{}", ink(&r));
    }

    #[test]
    fn a_path_that_crosses_itself_is_not_darker_or_lighter_there() {
        let mut r = page();
        r.draw_path([(128, 640), (1280, 640), (1280, 640), (128, 640)].map(|p| p), &Black(128)).unwrap();
        assert_eq!(r.pixels[10 * 40 + 10], 0);
        let mut r = page();
        r.draw_path([(128, 128), (1280, 1280), (1280, 128), (128, 1280)], &Black(128)).unwrap();
        assert_eq!(r.pixels[11 * 40 + 11], 0);
    }

    #[test]
    fn what_leaves_the_page_is_cut() {
        let mut r = page();
        r.fill_polygon([(-6400, -6400), (64000, -6400), (64000, 64000), (-6400, 64000)], &Black(0)).unwrap();
        assert_eq!(ink(&r), 1200.0);
        r.draw_path([(-999, 20), (9999, 30)], &Black(64)).unwrap();
        r.draw_circle((0, 0), 640, &Black(0), true).unwrap();
    }
}
