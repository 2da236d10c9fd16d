//! Tables for people.

use coase_scenarios::answers::Sheet;
use std::fmt::Write;

/// Tables with their columns aligned, each followed by what is said of it.
pub fn text(sheets: &[Sheet]) -> String {
    let mut text = String::new();
    for (k, sheet) in sheets.iter().enumerate() {
        if k > 0 {
            text.push('\n');
        }
        let all = || [&sheet.head].into_iter().chain(&sheet.rows);
        let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..sheet.head.len()).map(width).collect();
        // Numbers stand under each other by their ends; words by their beginnings.
        let is_number = |column: usize| sheet.rows.iter().all(|row| row[column].parse::<f64>().is_ok());
        for row in all() {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let (width, gap) = (widths[column], if column > 0 { "  " } else { "" });
                let _ = if column > 0 && is_number(column) {
                    write!(line, "{gap}{cell:>width$}")
                } else {
                    write!(line, "{gap}{cell:<width$}")
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        for note in &sheet.notes {
            let _ = writeln!(text, "{note}");
        }
    }
    text
}
