//! Colours and colour maps. Knows nothing of what is drawn with them.

/// An sRGB colour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// From `0xRRGGBB`.
    pub const fn hex(code: u32) -> Rgb {
        Rgb((code >> 16) as u8, (code >> 8) as u8, code as u8)
    }

    /// The colour a share `t` of the way to `other`, mixed in sRGB.
    pub fn mix(self, other: Rgb, t: f64) -> Rgb {
        let channel = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * t).round() as u8;
        Rgb(channel(self.0, other.0), channel(self.1, other.1), channel(self.2, other.2))
    }

    /// Relative luminance, 0 (black) to 1 (white).
    pub fn luminance(self) -> f64 {
        let linear = |v: u8| (f64::from(v) / 255.0).powf(2.2);
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// As `#RRGGBB`.
    pub fn css(self) -> String {
        format!("#{:02X}{:02X}{:02X}", self.0, self.1, self.2)
    }
}

/// A colour map: anchors at equal distances, linear in sRGB between them.
#[derive(Clone, Copy, Debug)]
pub struct Map {
    anchors: &'static [u32],
    reversed: Direction,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Direction {
    AsListed,
    Reversed,
}

/// Viridis, light = little and dark = much, because paper is white.
pub const SEQUENTIAL: Map = Map { anchors: &VIRIDIS, reversed: Direction::Reversed };
/// Purple-orange, white at the reference.
pub const DIVERGING: Map = Map { anchors: &PUOR, reversed: Direction::AsListed };

impl Map {
    /// The colour at `t` in [0, 1]; values outside are clamped.
    pub fn at(&self, t: f64) -> Rgb {
        let t = if self.reversed == Direction::Reversed { 1.0 - t } else { t };
        let position = t.clamp(0.0, 1.0) * (self.anchors.len() - 1) as f64;
        let i = (position as usize).min(self.anchors.len() - 2);
        Rgb::hex(self.anchors[i]).mix(Rgb::hex(self.anchors[i + 1]), position - i as f64)
    }
}

const VIRIDIS: [u32; 10] =
    [0x440154, 0x482878, 0x3E4A89, 0x31688E, 0x26828E, 0x1F9E89, 0x35B779, 0x6DCD59, 0xB4DE2C, 0xFDE725];
const PUOR: [u32; 11] =
    [0x7F3B08, 0xB35806, 0xE08214, 0xFDB863, 0xFEE0B6, 0xF7F7F7, 0xD8DAEB, 0xB2ABD2, 0x8073AC, 0x542788, 0x2D004B];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_run_from_anchor_to_anchor() {
        assert_eq!(SEQUENTIAL.at(0.0), Rgb(0xFD, 0xE7, 0x25));
        assert_eq!(SEQUENTIAL.at(1.0), Rgb(0x44, 0x01, 0x54));
        assert_eq!(SEQUENTIAL.at(7.0), SEQUENTIAL.at(1.0));
        assert_eq!(DIVERGING.at(0.5), Rgb(0xF7, 0xF7, 0xF7));
    }

    #[test]
    fn sequential_map_darkens_monotonically() {
        let l: Vec<f64> = (0..=100).map(|i| SEQUENTIAL.at(f64::from(i) / 100.0).luminance()).collect();
        assert!(l.windows(2).all(|w| w[1] <= w[0] + 1e-9));
    }
}
