//! Metrics on axes: what a column of the table `runs` is called in a figure, and in which unit it is drawn.
//!
//! Knows columns by their names and units; what they mean is known where they are computed.

use crate::identity::sentence;
use crate::study::{Study, Unit};
use crate::text::literal;
use coase_core::record::{Column, METRICS};

/// A metric that is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    column: &'static Column,
}

/// What metrics are called where their columns do not say it.
const NAMES: [(&str, &str); 9] = [
    ("jain_index", "Jain's index"),
    ("gini", "Gini coefficient"),
    ("p2p_share", "Share traded among peers"),
    ("loss_kwh", "Network losses"),
    ("dso_revenue", "Network operator's revenue"),
    ("max_regret", "Greatest regret"),
    ("welfare_gain", "Participants' gain"),
    ("individual_rationality_violation", "Losses against no trade"),
    ("load_variance_kw2", "Variance of net load"),
];

impl Measure {
    /// The metric of a column of numbers.
    pub fn of(column: &str) -> Option<Measure> {
        METRICS.iter().find(|known| known.name == column).map(|column| Measure { column })
    }

    /// The column.
    pub fn name(self) -> &'static str {
        self.column.name
    }

    /// What it is called: the words of its column without the unit behind them.
    pub fn title(self) -> String {
        if let Some((_, title)) = NAMES.iter().find(|(name, _)| *name == self.column.name) {
            return (*title).to_owned();
        }
        const UNITS: [&str; 7] = ["_kg", "_kwh", "_kw", "_kva", "_pu", "_per_tonne", "_kw2"];
        let bare = UNITS.iter().find_map(|unit| self.column.name.strip_suffix(unit)).unwrap_or(self.column.name);
        sentence(&bare.replace('_', "-"))
    }

    /// The unit for values up to `largest`; without a label for shares and counts.
    pub fn unit(self, study: &Study, largest: f64) -> Unit {
        match self.column.unit {
            "money" => study.money(largest),
            "kg" => study.carbon(largest),
            other => {
                let label = other.replace("money", &study.currency());
                Unit { factor: 1.0, label: if label == "pu" { "p.u.".to_owned() } else { label } }
            }
        }
    }

    /// `Emissions (t CO_2/day)`.
    pub fn label(self, unit: &Unit) -> String {
        if unit.label.is_empty() { self.title() } else { format!("{} ({})", self.title(), unit.label) }
    }
}

/// What a swept parameter is called on an axis: the words of the field at the end of its path, whose it is, and the unit that is part
/// of its name.
pub fn swept_label(path: &str, study: &Study) -> String {
    named(path, &study.currency())
}

fn named(path: &str, money: &str) -> String {
    let field = path.rsplit('.').next().unwrap_or(path);
    // Positions in a list name nothing.
    if !field.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return literal(path);
    }
    let units = [
        ("_per_kwh", format!("{money}/kWh")),
        ("_per_tonne", format!("{money}/t")),
        ("_per_kg", format!("{money}/kg")),
        ("_kg_per_kwh", "kg/kWh".to_owned()),
        ("_kwh", "kWh".to_owned()),
        ("_kw", "kW".to_owned()),
        ("_kva", "kVA".to_owned()),
        ("_kg", "kg".to_owned()),
        ("_pu", "p.u.".to_owned()),
        ("_h", "h".to_owned()),
    ];
    // The longest ending: that of `kg_per_kwh` is no price.
    let fitting = units.iter().filter(|(ending, _)| field.ends_with(ending)).max_by_key(|(ending, _)| ending.len());
    let bare = fitting.map_or(field, |(ending, _)| &field[..field.len() - ending.len()]);
    let parts: Vec<&str> = path.split('.').collect();
    let whose = match parts[..] {
        ["scenario", "participants", who, "devices", what, _, ..] if what.parse::<usize>().is_err() => {
            format!(", {what} of {who}")
        }
        ["scenario", "participants", who, _, ..] => format!(" of {who}"),
        _ => String::new(),
    };
    let words = sentence(&bare.replace('_', "-")) + &literal(&whose);
    fitting.map_or(words.clone(), |(_, unit)| format!("{words} ({unit})"))
}

impl Study<'_> {
    /// The metrics that are drawn: those that the user wants, else these.
    pub fn measures(&self, own: &[&str]) -> Vec<Measure> {
        let wanted: Vec<&str> = self.wanted.metrics.iter().map(String::as_str).collect();
        let names = if wanted.is_empty() { own } else { &wanted };
        names.iter().filter_map(|name| Measure::of(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Measure, named};

    #[test]
    fn metrics_are_called_by_their_columns_without_units() {
        let title = |column| Measure::of(column).map(Measure::title);
        for (column, expected) in [
            ("emissions_kg", "Emissions"),
            ("social_cost", "Social cost"),
            ("peak_import_kw", "Peak import"),
            ("carbon_price_per_tonne", "Carbon price"),
            ("jain_index", "Jain's index"),
        ] {
            assert_eq!(title(column).as_deref(), Some(expected));
        }
        assert_eq!(title("run_id"), None);
    }

    #[test]
    fn an_axis_says_the_field_whose_it_is_and_its_unit() {
        for (path, expected) in [
            ("scenario.participants.farm.devices.Pv.p_max_kw", "P max, Pv of farm (kW)"),
            ("scenario.participants.farm.devices.0.p_max_kw", "P max of farm (kW)"),
            ("scenario.participants.home.count", "Count of home"),
            ("scenario.grid.sell_price_per_kwh", "Sell price (EUR/kWh)"),
            ("scenario.grid.carbon_kg_per_kwh", "Carbon (kg/kWh)"),
            ("carbon.price_factor", "Price factor"),
            ("scenario.participants.farm.devices.Pv.p_kw.0", "scenario.participants.farm.devices.Pv.p\\_kw.0"),
        ] {
            assert_eq!(named(path, "EUR"), expected);
        }
    }
}
