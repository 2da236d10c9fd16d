//! Columns of the result tables, metrics among them.

use super::{Sheet, words};
use crate::list;
use coase_core::record::{Column, METRICS, Table};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Names of all columns.
pub fn ids() -> Vec<String> {
    let names: BTreeSet<&str> = Table::ALL.iter().flat_map(|table| table.columns()).map(|c| c.name).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// The columns of a name, table by table.
pub fn columns(id: &str) -> Option<anyhow::Result<Sheet>> {
    let of = |table: &Table| table.columns().into_iter().find(|c| c.name == id).map(|column| (*table, column));
    let found: Vec<(Table, &Column)> = Table::ALL.iter().filter_map(of).collect();
    let is_metric = METRICS.iter().any(|c| c.name == id);
    let kind = if is_metric { "metric" } else { "column" };
    let mut text = format!("{id} ({kind})\n");
    let mut columns: Vec<Value> = vec![];
    for (table, column) in &found {
        text.extend(["  in the table ", table.name(), &unit(column), "\n"]);
        text += &words::wrapped(column.meaning, "      ");
        if let Some(equation) = column.equation {
            text += &words::wrapped(&format!("= {equation}"), "      ");
        }
        let mut json = list::column_json(column);
        json["table"] = table.name().into();
        columns.push(json);
    }
    (!found.is_empty()).then(|| Ok(Sheet { json: json!({"id": id, "kind": kind, "columns": columns}), text }))
}

fn unit(column: &Column) -> String {
    if column.unit.is_empty() { String::new() } else { format!(" [{}]", column.unit) }
}
