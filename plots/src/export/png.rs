//! PNG: the raster with resolution and metadata, indexed where 256 colours suffice.

use super::Meta;
use super::paint::{Scale, paint};
use super::raster::{Raster, UNIT};
use crate::canvas::Canvas;
use std::collections::BTreeMap;

/// Resolution of the PNG, dots per inch.
pub const DPI: f64 = 300.0;

/// A figure as PNG at [`DPI`].
pub fn png(canvas: &Canvas, meta: &Meta) -> Vec<u8> {
    let per_pt = DPI / 72.0;
    let size = |pt: f64| ((pt * per_pt).round() as u32).max(1);
    let mut raster = Raster::new(size(canvas.width), size(canvas.height));
    let unit = f64::from(UNIT);
    paint(canvas, &mut raster, Scale { per_pt: per_pt * unit, per_pixel: unit })
        .expect("invariant: a bitmap takes everything");
    encode(&raster, meta).expect("invariant: memory takes everything")
}

fn encode(raster: &Raster, meta: &Meta) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, raster.width, raster.height);
    encoder.set_depth(png::BitDepth::Eight);
    let per_meter = (DPI / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_meter, yppu: per_meter, unit: png::Unit::Meter }));
    for (key, value) in [
        ("Title", meta.title.as_str()),
        ("Description", &meta.description),
        ("Software", "coase"),
        ("Experiment", &meta.experiment),
    ] {
        encoder.add_itxt_chunk(key.to_owned(), value.to_owned())?;
    }
    let data = if let Some((palette, indices)) = indexed(&raster.pixels) {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(palette);
        encoder.set_compression(png::Compression::Default);
        indices
    } else {
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_filter(png::FilterType::Sub);
        encoder.set_compression(png::Compression::Default);
        raster.pixels.iter().flat_map(|p| rgb(*p)).collect()
    };
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(out)
}

/// Palette and indices; `None` if there are more than 256 colours.
fn indexed(pixels: &[u32]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut known: BTreeMap<u32, u8> = BTreeMap::new();
    let mut palette = Vec::new();
    let mut indices = Vec::with_capacity(pixels.len());
    let mut last = None;
    for &pixel in pixels {
        let index = if let Some((_, i)) = last.filter(|(p, _)| *p == pixel) {
            i
        } else if let Some(i) = known.get(&pixel) {
            *i
        } else {
            let index = u8::try_from(known.len()).ok()?;
            known.insert(pixel, index);
            palette.extend(rgb(pixel));
            index
        };
        last = Some((pixel, index));
        indices.push(index);
    }
    Some((palette, indices))
}

fn rgb(pixel: u32) -> [u8; 3] {
    [(pixel >> 16) as u8, (pixel >> 8) as u8, pixel as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta() -> Meta {
        Meta { title: "Title".into(), description: "Text \u{2212}".into(), experiment: "abc".into() }
    }

    #[test]
    fn resolution_and_metadata_are_inside() {
        let bytes = png(&Canvas::new(72.0, 36.0), &meta());
        let mut reader = png::Decoder::new(&bytes[..]).read_info().unwrap();
        reader.finish().unwrap();
        let info = reader.info();
        assert_eq!((info.width, info.height), (300, 150));
        assert_eq!(info.pixel_dims.map(|d| d.xppu), Some(11811));
        assert_eq!(info.utf8_text.len(), 4);
    }

    #[test]
    fn more_than_256_colours_are_kept() {
        let mut r = Raster::new(300, 1);
        for (i, p) in r.pixels.iter_mut().enumerate() {
            *p = i as u32 * 77;
        }
        let bytes = encode(&r, &meta()).unwrap();
        let mut reader = png::Decoder::new(&bytes[..]).read_info().unwrap();
        let mut data = vec![0; reader.output_buffer_size()];
        reader.next_frame(&mut data).unwrap();
        assert_eq!(data, r.pixels.iter().flat_map(|p| rgb(*p)).collect::<Vec<_>>());
    }
}
