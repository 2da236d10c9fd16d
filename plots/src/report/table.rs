//! Tables of a page: heads with units, cells that sort by value, and what the script needs to filter them.

use super::html::{Html, escaped};
use crate::tables::decimals;
use crate::text::number;

/// A column.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub name: String,
    pub unit: String,
    /// What it means; shown where somebody rests on it.
    pub meaning: String,
    pub is_number: bool,
    /// Whether rows are chosen by its values.
    pub is_filter: bool,
    /// Whether it is shown only where somebody asks for it.
    pub is_further: bool,
}

impl Column {
    /// A column of words.
    pub fn words(name: &str) -> Column {
        Column { name: name.to_owned(), ..Column::default() }
    }

    /// A column of words by which rows are chosen.
    pub fn filter(name: &str) -> Column {
        Column { is_filter: true, ..Column::words(name) }
    }

    /// A column of numbers.
    pub fn number(name: &str, unit: &str) -> Column {
        Column { is_number: true, unit: unit.to_owned(), ..Column::words(name) }
    }
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Words(String),
    /// Words that lead to a place of the page.
    Link(String, String),
    /// As in a program: an id, a command.
    Code(String),
    Number(Option<f64>),
    /// A number that is the best of those it is compared with.
    Best(f64),
    /// Words that must not be overlooked.
    Alarm(String),
}

/// A table with its caption.
pub(super) struct Table {
    /// Its address.
    pub id: String,
    pub caption: String,
    pub columns: Vec<Column>,
    /// With the address of the row, empty where nobody asks for it.
    pub rows: Vec<(String, Vec<Cell>)>,
}

impl Table {
    /// Writes it; the script finds it by its class and adds what can be done with it.
    pub fn write(&self, html: &mut Html) {
        let decimals: Vec<usize> = (0..self.columns.len()).map(|k| self.decimals(k)).collect();
        let label = ("aria-label", self.caption.as_str());
        html.open("div", &[("class", "scroll"), ("role", "region"), label, ("tabindex", "0")]);
        html.open("table", &[("id", &self.id), ("class", "data")]);
        html.open("caption", &[]).open("span", &[]).say_with_code(&self.caption).close().close();
        html.open("thead", &[]).open("tr", &[]);
        for column in &self.columns {
            let class = class(column);
            let mut attributes = vec![("scope", "col"), ("class", class)];
            if column.is_filter {
                attributes.push(("data-filter", "1"));
            }
            if !column.meaning.is_empty() {
                attributes.push(("title", &column.meaning));
            }
            html.open("th", &attributes).say(&column.name);
            if !column.unit.is_empty() {
                html.element("span", &[("class", "unit")], &format!(" ({})", column.unit));
            }
            html.close();
        }
        html.close().close().open("tbody", &[]);
        for (id, cells) in &self.rows {
            let attributes: &[(&str, &str)] = if id.is_empty() { &[] } else { &[("id", id)] };
            html.open("tr", attributes);
            for ((cell, column), decimals) in cells.iter().zip(&self.columns).zip(&decimals) {
                write_cell(html, cell, class(column), *decimals);
            }
            html.close();
        }
        html.close().close().close();
    }

    /// Decimals that show about four digits of the largest value; none for counts.
    fn decimals(&self, column: usize) -> usize {
        let value = |cell: &Cell| match cell {
            Cell::Number(value) => *value,
            Cell::Best(value) => Some(*value),
            _ => None,
        };
        let values: Vec<f64> = self.rows.iter().filter_map(|(_, cells)| value(&cells[column])).collect();
        if values.iter().all(|v| v.fract() == 0.0) { 0 } else { decimals(crate::study::largest(values)) }
    }
}

fn class(column: &Column) -> &'static str {
    match (column.is_number, column.is_further) {
        (true, true) => "n more",
        (true, false) => "n",
        (false, true) => "more",
        (false, false) => "w",
    }
}

fn write_cell(html: &mut Html, cell: &Cell, class: &str, decimals: usize) {
    let value = |v: f64| format!("{}", if v == 0.0 { 0.0 } else { v });
    match cell {
        Cell::Words(words) => html.element("td", &[("class", class)], words),
        Cell::Link(words, to) => html.open("td", &[("class", class)]).element("a", &[("href", to)], words).close(),
        Cell::Code(words) => html.open("td", &[("class", class)]).element("code", &[], words).close(),
        Cell::Number(None) => html.element("td", &[("class", class)], "\u{2013}"),
        Cell::Number(Some(v)) => html.element("td", &[("class", class), ("data-v", &value(*v))], &shown(*v, decimals)),
        Cell::Best(v) => {
            let attributes = [("class", class), ("data-v", &value(*v))];
            html.open("td", &attributes).element("b", &[("title", "best")], &shown(*v, decimals)).close()
        }
        Cell::Alarm(words) => {
            html.open("td", &[("class", class)]).element("strong", &[("class", "alarm")], words).close()
        }
    };
}

/// A number to so many decimals; one that they would make nothing of keeps two digits.
fn shown(value: f64, decimals: usize) -> String {
    if value != 0.0 && value.abs() < 0.5 * 10f64.powi(-(decimals as i32)) {
        return format!("{value:.1e}").replace('-', "\u{2212}");
    }
    number(value, decimals)
}

/// A list of words and what they mean.
pub(super) fn facts(html: &mut Html, facts: &[(&str, String)]) {
    html.open("dl", &[]);
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        html.element("dt", &[], name).open("dd", &[]).say_with_code(value).close();
    }
    html.close();
}

/// A block of text that can be copied.
pub(super) fn copied(html: &mut Html, title: &str, text: &str) {
    html.raw(&format!(
        "<pre class=\"copied\" data-copy=\"{}\" tabindex=\"0\">{}</pre>\n",
        escaped(title),
        escaped(text)
    ));
}
