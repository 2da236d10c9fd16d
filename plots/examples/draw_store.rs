//! Draws all figures of a result store and says how long it took: `cargo run --example draw_store -- DIR`.

use coase_plots::{Format, draw, store::Store};
use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).map(PathBuf::from).ok_or("usage: draw_store DIR")?;
    for formats in [&[Format::Svg][..], &[Format::Pdf], &[Format::Png], &Format::ALL] {
        let start = Instant::now();
        let report = draw(&Store::read(&dir)?, &dir, formats, &|_, _| {})?;
        println!("{formats:?}: {} files in {:.0} ms", report.drawn.len(), start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}
