//! PNG: the raster with resolution and metadata, indexed where 256 colours suffice.

use super::Meta;
use super::paint::{Scale, paint};
use super::raster::{Raster, UNIT};
use crate::canvas::Canvas;
use std::collections::HashMap;

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

/// Share of the pixels whose colour may be replaced by a near one: anti-aliased corners, not areas.
const RARE: f64 = 0.003;

/// Palette and indices; `None` if 256 colours are too few. Where some more occur, the rarest give way to the nearest.
fn indexed(pixels: &[u32]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut places: HashMap<u32, usize> = HashMap::new();
    let mut colors: Vec<(u32, usize)> = Vec::new();
    for run in pixels.chunk_by(|a, b| a == b) {
        let place = *places.entry(run[0]).or_insert_with(|| {
            colors.push((run[0], 0));
            colors.len() - 1
        });
        colors[place].1 += run.len();
    }
    let mut order: Vec<usize> = (0..colors.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(colors[*i].1));
    let (kept, rare) = order.split_at(order.len().min(256));
    let replaced: usize = rare.iter().map(|i| colors[*i].1).sum();
    if replaced as f64 > RARE * pixels.len() as f64 {
        return None;
    }
    let mut index_of = vec![0u8; colors.len()];
    for (k, i) in kept.iter().enumerate() {
        index_of[*i] = k as u8;
    }
    for i in rare {
        let nearest = (0..kept.len()).min_by_key(|k| distance(colors[kept[*k]].0, colors[*i].0));
        index_of[*i] = nearest.unwrap_or(0) as u8;
    }
    let palette = kept.iter().flat_map(|i| rgb(colors[*i].0)).collect();
    let mut indices = Vec::with_capacity(pixels.len());
    for run in pixels.chunk_by(|a, b| a == b) {
        indices.resize(indices.len() + run.len(), index_of[places[&run[0]]]);
    }
    Some((palette, indices))
}

fn distance(a: u32, b: u32) -> u32 {
    rgb(a).iter().zip(rgb(b)).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
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
