//! Equations of columns that are made of other columns of the same table hold in every row.

use coase_core::record::Table;
use coase_mechanisms as _;
use coase_scenarios::{Loader, RunOptions};
use coase_store::RowRef;
use std::path::Path;

/// A sum of products of names, numbers and sums in parentheses; `None` where the text is anything else, or a cell is missing.
struct Reader<'a> {
    rest: &'a str,
    row: RowRef<'a>,
}

impl Reader<'_> {
    fn take(&mut self, symbol: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(symbol);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn sum(&mut self) -> Option<f64> {
        let mut sum = self.product()?;
        loop {
            if self.take('+') {
                sum += self.product()?;
            } else if self.take('-') {
                sum -= self.product()?;
            } else {
                return Some(sum);
            }
        }
    }

    fn product(&mut self) -> Option<f64> {
        let mut product = self.factor()?;
        loop {
            if self.take('*') {
                product *= self.factor()?;
            } else if self.take('/') {
                product /= self.factor()?;
            } else {
                return Some(product);
            }
        }
    }

    fn factor(&mut self) -> Option<f64> {
        if self.take('(') {
            let inner = self.sum();
            return inner.filter(|_| self.take(')'));
        }
        let text = self.rest.trim_start();
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        word.parse().ok().or_else(|| self.row.number(word))
    }
}

fn right_side(equation: &str, row: RowRef) -> Option<f64> {
    let mut reader = Reader { rest: equation, row };
    reader.sum().filter(|_| reader.rest.trim().is_empty())
}

#[test]
fn what_an_equation_says_is_what_the_table_holds() {
    let text = r#"Experiment(
        scenarios: ["three_vpp", "five_vpps"],
        mechanisms: ["grid-only", "nash-bargaining"],
        carbon: ["none", "tax", "nodal-flow"],
        first_periods: 2,
    )"#;
    let experiment = Loader::default().load_text("equations", text, Path::new("."), &[]).unwrap();
    let tables = experiment.tables(&experiment.run(&RunOptions::default(), ()).unwrap());
    let mut held = vec![];
    for table in Table::ALL {
        for column in table.columns() {
            let Some(equation) = column.equation else { continue };
            for row in tables.frame(table).rows() {
                let sides = row.number(column.name).zip(right_side(equation, row));
                let Some((found, expected)) = sides else { continue };
                let name = format!("{}.{}", table.name(), column.name);
                assert!((found - expected).abs() <= 1e-9 * (1.0 + found.abs()), "{name}: {found} {expected}");
                if held.last() != Some(&name) {
                    held.push(name);
                }
            }
        }
    }
    let known = [
        "runs.social_cost",
        "runs.carbon_average_price_per_tonne",
        "runs.covered_kg",
        "runs.uncovered_kg",
        "participants.gain",
        "participants.payment",
        "nodes.price_per_kwh",
    ];
    assert!(known.iter().all(|name| held.iter().any(|found| found == name)), "{held:?}");
}
