//! From the display list to files: SVG with editable text, PDF with embedded fonts, PNG at 300 dpi. The same display
//! list gives the same bytes.

mod paint;
mod pdf;
mod pgf;
mod png;
mod raster;
mod svg;
mod woff;

pub use paint::{Scale, paint};
pub use pdf::pdf;
pub use pgf::pgf;
pub use png::{DPI, png};
pub use svg::{drawing, svg};

use crate::canvas::Canvas;

/// A file format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Format {
    Svg,
    Pdf,
    Png,
}

impl Format {
    /// All of them, in the order in which files are listed.
    pub const ALL: [Format; 3] = [Format::Svg, Format::Pdf, Format::Png];

    /// The file name extension.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Svg => "svg",
            Format::Pdf => "pdf",
            Format::Png => "png",
        }
    }
}

/// A format nobody here writes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown figure format `{name}`: svg, pdf or png")]
pub struct UnknownFormat {
    pub name: String,
}

impl std::str::FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Format, UnknownFormat> {
        let known = Format::ALL.into_iter().find(|f| f.extension().eq_ignore_ascii_case(name.trim()));
        known.ok_or_else(|| UnknownFormat { name: name.to_owned() })
    }
}

/// What travels inside the file beside the picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meta {
    pub title: String,
    /// The text of the caption.
    pub description: String,
    /// Hash of the experiment that the figure shows.
    pub experiment: String,
}

/// The bytes of a figure in a format.
pub fn encode(canvas: &Canvas, meta: &Meta, format: Format) -> Vec<u8> {
    match format {
        Format::Svg => svg(canvas, meta).into_bytes(),
        Format::Pdf => pdf(canvas, meta),
        Format::Png => png(canvas, meta),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::{Align, Fill, Stroke};
    use crate::geometry::Rect;
    use crate::style::{BLUE, Hatch, INK, Mark, RED};

    fn sample() -> (Canvas, Meta) {
        let mut c = Canvas::new(120.0, 80.0);
        c.rect(Rect::new(10.0, 10.0, 60.0, 60.0), Fill::new(BLUE).hatched(Hatch::Back).edged());
        c.line(&[(5.0, 5.0), (60.0, 70.0), (110.0, 5.0)], Stroke::new(RED, 1.2).dashed(&[4.0, 2.0]));
        c.mark((80.0, 40.0), Mark::Star, 3.0, INK);
        c.text((60.0, 75.0), Align::Center, 8.0, "Emissions (t CO_2/day) <&> \"10^3\"");
        c.text_upwards((118.0, 40.0), 8.0, "Upwards");
        (c, Meta { title: "T & <t>".into(), description: "A caption".into(), experiment: "0123".into() })
    }

    #[test]
    fn every_format_repeats_its_bytes() {
        let (c, m) = sample();
        for f in Format::ALL {
            assert_eq!(encode(&c, &m, f), encode(&c, &m, f), "{f:?}");
        }
    }

    #[test]
    fn formats_are_read_by_name() {
        assert_eq!("PNG".parse(), Ok(Format::Png));
        assert_eq!("gif".parse::<Format>(), Err(UnknownFormat { name: "gif".into() }));
    }

    #[test]
    fn svg_keeps_text_whole_and_escaped() {
        let (c, m) = sample();
        let s = svg(&c, &m);
        assert!(s.contains("<title>T &amp; &lt;t&gt;</title>"));
        assert!(s.contains("Emissions (t CO<tspan"));
        assert!(s.contains("&lt;&amp;&gt; &quot;10</tspan><tspan"));
        assert!(s.contains("<desc>A caption</desc>") && s.contains("0123"));
        assert!(!s.contains("\n</text>"));
    }

    #[test]
    fn pdf_has_its_page_and_fonts() {
        let (c, m) = sample();
        let bytes = pdf(&c, &m);
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("%PDF-1.7"));
        assert!(text.contains("/MediaBox [0 0 120 80]") && text.contains("/FontFile2"));
    }
}
