//! Tables for papers: the main metrics by mechanism and policy, and the participants, in LaTeX (booktabs) and Markdown; where
//! seeds draw, who differs from whom and how bad it can get, also as tidy data.

mod box_share;
mod cases;
mod differences;
mod measured;
mod paper;
mod risk;
mod sensitivity;
mod sheet;

use crate::designed::Designed;
use crate::draw::{PlotError, stem, unused, write};
use crate::identity::Identity;
use crate::store::Store;
use crate::study::Study;
use std::path::{Path, PathBuf};

/// Writes the tables for papers of some results into `dir/tables`; lists the files written.
///
/// # Errors
/// A file that cannot be written.
pub fn tables(store: &Store, dir: &Path) -> Result<Vec<PathBuf>, PlotError> {
    let identity = Identity::of(store);
    let studies = Study::all(store, &identity);
    let folder = dir.join("tables");
    std::fs::create_dir_all(&folder).map_err(|source| PlotError::Write { file: folder.clone(), source })?;
    let (mut written, mut stems): (Vec<PathBuf>, Vec<String>) = (Vec::new(), Vec::new());
    for study in &studies {
        let scenario = if studies.len() > 1 { study.scenario.as_str() } else { "" };
        for (name, paper) in [("metrics", measured::metrics(study)), ("participants", measured::participants(study))] {
            let Some(mut table) = paper.map(paper::Paper::without_zeros) else { continue };
            let name = unused(&stem(&[name, scenario]), |taken| stems.iter().any(|stem| taken(stem)));
            table.name.clone_from(&name);
            for (extension, text) in [("tex", table.latex()), ("md", table.markdown())] {
                let file = folder.join(&name).with_extension(extension);
                write(&file, text.as_bytes())?;
                written.push(file);
            }
            stems.push(name);
        }
    }
    let cases = cases::Cases::of(store, &identity);
    let mut sheets = vec![("differences", differences::sheet(&cases)), ("risk", risk::sheet(&cases))];
    if let Some(designed) = Designed::of(store, &identity) {
        sheets.push(("sensitivity", sensitivity::sheet(store, &identity, &designed)));
        sheets.push(("box_share", box_share::sheet(store, &identity, &designed)));
    }
    for (name, sheet) in sheets {
        let Some(sheet) = sheet else { continue };
        for (extension, text) in [("tex", sheet.latex(name)), ("md", sheet.markdown()), ("csv", sheet.csv())] {
            let file = folder.join(name).with_extension(extension);
            write(&file, text.as_bytes())?;
            written.push(file);
        }
    }
    Ok(written)
}

/// Decimals that show about four digits of the largest value of a column.
pub(crate) fn decimals(largest: f64) -> usize {
    match largest {
        v if v >= 1000.0 => 0,
        v if v >= 100.0 => 1,
        v if v >= 10.0 => 2,
        v if v >= 1.0 || v == 0.0 => 3,
        // Of what is smaller than one, as many digits.
        v => (3.0 - v.log10().floor()).clamp(3.0, 9.0) as usize,
    }
}

/// Never `-0`.
fn fixed(v: f64, decimals: usize) -> String {
    let text = format!("{v:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

fn piped(s: &str) -> String {
    s.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::decimals;

    #[test]
    fn about_four_digits_of_the_largest_value_are_shown() {
        let of = [88_818.0, 345.0, 34.5, 3.45, 0.345, 0.009, 0.0].map(decimals);
        assert_eq!(of, [0, 1, 2, 3, 4, 6, 3]);
    }
}
