//! Tables for papers: the main metrics by mechanism and policy, and the participants, in LaTeX (booktabs) and Markdown; where
//! seeds draw, who differs from whom and how bad it can get, also as tidy data.

mod box_share;
mod cases;
mod differences;
mod risk;
mod sensitivity;
mod sheet;

use crate::designed::Designed;
use crate::draw::{PlotError, stem, unused, write};
use crate::footnote::Basis;
use crate::identity::Identity;
use crate::store::{ParticipantRow, Store};
use crate::study::Study;
use crate::text::unmarked;
use coase_core::statistics::Estimate;
use std::fmt::Write as _;
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
        for (name, table) in [("metrics", metrics(study)), ("participants", participants(study))] {
            let Some(table) = table else { continue };
            let name = unused(&stem(&[name, scenario]), |taken| stems.iter().any(|stem| taken(stem)));
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
        for (extension, text) in [("tex", sheet.latex()), ("md", sheet.markdown()), ("csv", sheet.csv())] {
            let file = folder.join(name).with_extension(extension);
            write(&file, text.as_bytes())?;
            written.push(file);
        }
    }
    Ok(written)
}

/// A table of text and numbers. The rows of a group share their first cell.
#[derive(Clone, PartialEq, Debug)]
struct Table {
    caption: String,
    /// Names of the two leading columns.
    stub: [&'static str; 2],
    columns: Vec<Column>,
    groups: Vec<Group>,
}

#[derive(Clone, PartialEq, Debug)]
struct Column {
    name: String,
    unit: String,
    decimals: usize,
}

#[derive(Clone, PartialEq, Debug)]
struct Group {
    name: String,
    rows: Vec<(String, Vec<Option<f64>>)>,
}

/// Column of `runs`, name, kind.
const METRICS: [(&str, &str, Kind); 14] = [
    ("total_cost", "Total cost", Kind::Money),
    ("social_cost", "Social cost", Kind::Money),
    ("welfare_gain", "Private gain", Kind::Money),
    ("resource_gain", "Resource gain", Kind::Money),
    ("efficiency", "Private efficiency", Kind::Share),
    ("jain_index", "Jain index", Kind::Share),
    ("emissions_kg", "Emissions", Kind::Carbon),
    ("carbon_cost", "Carbon cost", Kind::Money),
    ("p2p_share", "P2P share", Kind::Share),
    ("resold_kwh", "Relayed", Kind::Energy),
    ("self_sufficiency", "Self-sufficiency", Kind::Share),
    ("peak_import_kw", "Peak import", Kind::Power),
    ("loss_kwh", "Losses", Kind::Energy),
    ("voltage_violation_pu", "Voltage violation", Kind::Voltage),
];

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Money,
    Share,
    Carbon,
    Power,
    Energy,
    Voltage,
}

impl Kind {
    fn unit(self, study: &Study) -> String {
        match self {
            Kind::Money => unmarked(&study.currency()),
            Kind::Share => String::new(),
            Kind::Carbon => "kg".into(),
            Kind::Power => "kW".into(),
            Kind::Energy => "kWh".into(),
            Kind::Voltage => "p.u.".into(),
        }
    }
}

fn metrics(study: &Study) -> Option<Table> {
    let value = |m: usize, p: usize, name: &str| study.metric(m, p, name).map(|e| e.mean);
    let known =
        |name: &str| study.mechanisms.iter().any(|m| study.policies.iter().any(|p| value(*m, *p, name).is_some()));
    let shown: Vec<_> = METRICS.iter().filter(|(name, _, _)| known(name)).collect();
    if shown.is_empty() {
        return None;
    }
    let groups = study
        .mechanisms
        .iter()
        .map(|m| Group {
            name: unmarked(&study.mechanism(*m).name),
            rows: study
                .policies
                .iter()
                .filter(|p| !study.runs(*m, **p).is_empty())
                .map(|p| {
                    let cells = shown.iter().map(|(name, _, _)| value(*m, *p, name)).collect();
                    (unmarked(&study.policy(*p).name), cells)
                })
                .collect(),
        })
        .collect();
    let columns = shown.iter().map(|(_, name, kind)| ((*name).to_owned(), kind.unit(study))).collect();
    Some(Table::new(
        &format!(
            "Main metrics by mechanism and carbon policy. Private gain and efficiency are of the participants' own costs before \
             payments: tariff margins and carbon payments avoided count. The resource gain is what is saved, whoever has it. \
             Relayed energy is imported by some and sold to others in the same period.{}{}",
            study.social_cost_in_words(),
            study.footnote(&Basis::PlainMeans)
        ),
        ["Mechanism", "Carbon policy"],
        columns,
        groups,
    ))
}

type Value = fn(&ParticipantRow) -> Option<f64>;

const PARTICIPANTS: [(&str, Value, Kind); 11] = [
    ("Total cost", |r| r.total_cost, Kind::Money),
    ("Gain", |r| r.gain, Kind::Money),
    ("Resource", |r| r.gain_resource, Kind::Money),
    ("Retail margin", |r| r.gain_retail_margin, Kind::Money),
    ("Carbon", |r| r.gain_carbon, Kind::Money),
    ("Network", |r| r.gain_network, Kind::Money),
    ("Payment", |r| r.payment, Kind::Money),
    ("Emissions", |r| r.emissions_kg, Kind::Carbon),
    ("Import", |r| r.import_kwh, Kind::Energy),
    ("Sold", |r| r.sold_kwh, Kind::Energy),
    ("Bought", |r| r.bought_kwh, Kind::Energy),
];

/// Under the reference policy: one for each policy would fill pages.
fn participants(study: &Study) -> Option<Table> {
    let policy = study.reference_policy()?;
    let value = |m: usize, i: usize, value: Value| -> Option<Estimate> { study.of_participant((m, policy), i, value) };
    let known =
        |v: Value| study.mechanisms.iter().any(|m| study.participants.iter().any(|i| value(*m, *i, v).is_some()));
    let shown: Vec<_> = PARTICIPANTS.iter().filter(|(_, v, _)| known(*v)).collect();
    if shown.is_empty() {
        return None;
    }
    let groups = study
        .mechanisms
        .iter()
        .filter(|m| !study.runs(**m, policy).is_empty())
        .map(|m| Group {
            name: unmarked(&study.mechanism(*m).name),
            rows: study
                .participants
                .iter()
                .map(|i| {
                    let cells = shown.iter().map(|(_, v, _)| value(*m, *i, *v).map(|e| e.mean)).collect();
                    (unmarked(&study.participant(*i).name), cells)
                })
                .collect(),
        })
        .collect();
    let columns = shown.iter().map(|(name, _, kind)| ((*name).to_owned(), kind.unit(study))).collect();
    Some(Table::new(
        &format!(
            "Participants by mechanism under carbon policy {}: cost, gain over grid only and its parts (gain = resource + \
             retail margin + carbon + network - payment), energy.{}",
            study.policy(policy).name,
            study.footnote(&Basis::PlainMeans)
        ),
        ["Mechanism", "Participant"],
        columns,
        groups,
    ))
}

impl Table {
    fn new(caption: &str, stub: [&'static str; 2], columns: Vec<(String, String)>, mut groups: Vec<Group>) -> Table {
        groups.retain(|g| !g.rows.is_empty());
        let columns = columns
            .into_iter()
            .enumerate()
            .map(|(k, (name, unit))| {
                let values = groups.iter().flat_map(|g| g.rows.iter()).filter_map(|(_, cells)| cells[k]);
                Column { name, unit, decimals: decimals(crate::study::largest(values)) }
            })
            .collect();
        Table { caption: unmarked(caption), stub, columns, groups }
    }

    fn latex(&self) -> String {
        let mut out = format!("% {}\n% \\usepackage{{booktabs}}\n", self.caption.replace('\n', " "));
        let names = self.columns.iter().flat_map(|c| [&c.name, &c.unit]);
        let groups = self.groups.iter().flat_map(|g| std::iter::once(&g.name).chain(g.rows.iter().map(|r| &r.0)));
        if names.chain(groups).any(|name| name.chars().any(|c| !sets(c))) {
            out.push_str(FURTHER);
        }
        let _ = writeln!(out, "\\begin{{tabular}}{{ll{}}}\n\\toprule", "r".repeat(self.columns.len()));
        let names = self.columns.iter().map(|c| escaped(&c.name));
        let units = self
            .columns
            .iter()
            .map(|c| if c.unit.is_empty() { String::new() } else { format!("({})", escaped(&c.unit)) });
        let _ = writeln!(out, "{} & {} & {} \\\\", self.stub[0], self.stub[1], names.collect::<Vec<_>>().join(" & "));
        let _ = writeln!(out, " & & {} \\\\\n\\midrule", units.collect::<Vec<_>>().join(" & "));
        for (g, group) in self.groups.iter().enumerate() {
            if g > 0 {
                out.push_str("\\addlinespace\n");
            }
            for (i, (name, cells)) in group.rows.iter().enumerate() {
                let first = if i == 0 { escaped(&group.name) } else { String::new() };
                let cells = self.cells(cells, "--", |s| match s.strip_prefix('-') {
                    Some(magnitude) => format!("$-${magnitude}"),
                    None => s,
                });
                let _ = writeln!(out, "{first} & {} & {} \\\\", escaped(name), cells.join(" & "));
            }
        }
        out + "\\bottomrule\n\\end{tabular}\n"
    }

    fn markdown(&self) -> String {
        let head = self.columns.iter().map(|c| match c.unit.as_str() {
            "" => piped(&c.name),
            unit => format!("{} ({})", piped(&c.name), piped(unit)),
        });
        let mut out = format!("{}\n\n", self.caption);
        let _ = writeln!(out, "| {} | {} | {} |", self.stub[0], self.stub[1], head.collect::<Vec<_>>().join(" | "));
        let _ = writeln!(out, "|---|---|{}", "---:|".repeat(self.columns.len()));
        for group in &self.groups {
            for (name, cells) in &group.rows {
                let cells = self.cells(cells, "", |s| s.replace('-', "\u{2212}"));
                let _ = writeln!(out, "| {} | {} | {} |", piped(&group.name), piped(name), cells.join(" | "));
            }
        }
        out
    }

    fn cells(&self, cells: &[Option<f64>], missing: &str, written: impl Fn(String) -> String) -> Vec<String> {
        let cell = |(value, column): (&Option<f64>, &Column)| match value {
            None => missing.to_owned(),
            Some(v) => written(fixed(*v, column.decimals)),
        };
        cells.iter().zip(&self.columns).map(cell).collect()
    }
}

/// Decimals that show about four digits of the largest value of a column.
fn decimals(largest: f64) -> usize {
    match largest {
        v if v >= 1000.0 => 0,
        v if v >= 100.0 => 1,
        v if v >= 10.0 => 2,
        _ => 3,
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

/// Whether every LaTeX sets a character without a package.
fn sets(c: char) -> bool {
    c.is_ascii() || matches!(c, '\u{2013}' | '\u{2014}' | '\u{a0}'..='\u{ff}')
}

/// Characters that pdfLaTeX knows nothing of become their numbers there, so that the table compiles; XeLaTeX and LuaLaTeX
/// set them in the font of the document.
const FURTHER: &str = "% Names beyond Latin-1: XeLaTeX and LuaLaTeX set them in the font of your document. pdfLaTeX sets their\n\
    % numbers, unless you say otherwise, with CJKutf8 for instance: \\newcommand{\\coasetext}[2]{#1}\n\
    \\providecommand{\\coasetext}[2]{\\ifdefined\\XeTeXversion#1\\else\\ifdefined\\directlua#1\\else#2\\fi\\fi}\n";

/// A text with everything that LaTeX reads as commands made harmless.
fn escaped(s: &str) -> String {
    let mut out = String::new();
    let mut rest = s;
    while !rest.is_empty() {
        let known = rest.find(|c| !sets(c)).unwrap_or(rest.len());
        out.push_str(&escaped_known(&rest[..known]));
        rest = &rest[known..];
        let further = rest.find(sets).unwrap_or(rest.len());
        if further > 0 {
            let numbers: Vec<String> = rest[..further].chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
            let _ = write!(out, "\\coasetext{{{}}}{{{}}}", &rest[..further], numbers.join(" "));
            rest = &rest[further..];
        }
    }
    out
}

fn escaped_known(s: &str) -> String {
    let mut out = String::new();
    for c in s.chars() {
        match c {
            // A line break would end the row, and a blank line the table.
            c if c.is_control() => out.push(' '),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '\\' => out.push_str("\\textbackslash{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '\u{2013}' => out.push_str("--"),
            '\u{2014}' => out.push_str("---"),
            '\u{a0}' => out.push('~'),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let group = |name: &str, v: f64| Group {
            name: name.into(),
            rows: vec![("None".into(), vec![Some(v), None]), ("50 % | tax".into(), vec![Some(-v), Some(-0.0001)])],
        };
        Table::new(
            "Caption.",
            ["Mechanism", "Policy"],
            vec![("Cost".into(), "CNY".into()), ("Share".into(), String::new())],
            vec![group("A_b", 12345.6), group("C", 0.4)],
        )
    }

    #[test]
    fn latex_is_booktabs_with_escapes() {
        let expected = "% Caption.\n% \\usepackage{booktabs}\n\\begin{tabular}{llrr}\n\\toprule\n\
            Mechanism & Policy & Cost & Share \\\\\n & & (CNY) &  \\\\\n\\midrule\n\
            A\\_b & None & 12346 & -- \\\\\n & 50 \\% | tax & $-$12346 & 0.000 \\\\\n\\addlinespace\n\
            C & None & 0 & -- \\\\\n & 50 \\% | tax & 0 & 0.000 \\\\\n\\bottomrule\n\\end{tabular}\n";
        assert_eq!(table().latex(), expected);
    }

    #[test]
    fn names_in_other_scripts_compile_in_every_latex() {
        let mut table = table();
        assert!(!table.latex().contains("coasetext"));
        table.groups[0].name = "\u{98ce}\u{7535} A_1 \u{df}\u{1f600}".into();
        let text = table.latex();
        let row = "\\coasetext{\u{98ce}\u{7535}}{U+98CE U+7535} A\\_1 \u{df}\\coasetext{\u{1f600}}{U+1F600} & None";
        assert!(text.contains(row), "{text}");
        assert!(text.find("\\providecommand{\\coasetext}") < text.find("\\begin{tabular}"), "{text}");
        // Outside of the first argument, which pdfLaTeX skips, and of comments, only what it knows.
        let skipped = text.lines().filter(|line| !line.starts_with('%')).collect::<String>();
        let skipped = skipped.replace("{\u{98ce}\u{7535}}", "").replace("{\u{1f600}}", "");
        assert!(skipped.chars().all(sets), "{skipped}");
    }

    #[test]
    fn markdown_has_a_cell_for_every_column() {
        let text = table().markdown();
        assert!(text.starts_with("Caption.\n\n| Mechanism | Policy | Cost (CNY) | Share |\n|---|---|---:|---:|\n"));
        assert!(text.contains("| A_b | 50 % \\| tax | \u{2212}12346 | 0.000 |\n"));
    }
}
