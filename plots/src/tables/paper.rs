//! A table for a paper: rows of numbers behind two names, as booktabs tables that fit a column or a page, and in Markdown.
//!
//! Columns stand in blocks of at most six numbers; each block is a table of its own in LaTeX. Knows nothing of results.

use super::{decimals, fixed, piped};
use crate::latex::{FURTHER, escaped, number, reference, sets};
use crate::text::width;
use std::fmt::Write as _;

/// Numbers that a row of a printed page takes.
const MOST: usize = 6;
/// Width of a column and of a page of IEEE's journals, pt.
const COLUMN: f64 = 252.0;
const PAGE: f64 = 516.0;
/// Lines that a page is high enough for.
const LINES: usize = 56;
/// Type, and what stands between columns, pt.
const SIZE: f64 = 8.0;
const BETWEEN: f64 = 8.0;
/// Names wider than this are broken, pt.
const LONGEST_NAME: f64 = 110.0;
/// Words of a last column, such as a place, pt.
const LONGEST_WORDS: f64 = 95.0;

/// The table.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Paper {
    /// Its label, `tab:NAME`.
    pub name: String,
    /// What it shows, in few words.
    pub title: String,
    /// What a reader must know besides.
    pub caption: String,
    /// Names of the two leading columns.
    pub stub: [&'static str; 2],
    pub columns: Vec<Column>,
    pub groups: Vec<Group>,
    /// What is said below.
    pub notes: Vec<Note>,
}

/// Something that is said below a table.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Note {
    /// The name of the column that it is about; empty where it is about all.
    pub about: &'static str,
    pub words: String,
}

/// A column.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Column {
    pub name: String,
    pub unit: String,
    /// Title of the block that begins here; empty where the block of the column before goes on.
    pub block: String,
    pub kind: Kind,
}

/// What stands in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Kind {
    #[default]
    Number,
    /// A change in per cent, with its sign.
    Change,
    Words,
}

/// Rows that share their first name.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Group {
    pub name: String,
    pub rows: Vec<(String, Vec<Cell>)>,
}

/// A cell.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Cell {
    pub value: Option<f64>,
    /// 95 % interval of the mean.
    pub interval: Option<(f64, f64)>,
    /// Whether it is the best of those it is compared with.
    pub is_best: bool,
    pub words: String,
}

impl Cell {
    pub fn of(value: Option<f64>) -> Cell {
        Cell { value, ..Cell::default() }
    }
}

/// How the numbers of a column are written.
#[derive(Clone, Copy)]
struct Scale {
    /// A multiple of three; values are divided by ten to it.
    exponent: i32,
    decimals: usize,
}

impl Paper {
    /// Without the columns whose numbers are all zero, which the caption names; with the changes that follow them. A table that
    /// would have no number left stays as it is.
    pub fn without_zeros(mut self) -> Paper {
        let is_zero = |k: usize| {
            let values: Vec<f64> = self.cells(k).filter_map(|cell| cell.value).collect();
            self.columns[k].kind == Kind::Number && !values.is_empty() && values.iter().all(|v| *v == 0.0)
        };
        let mut left_out = vec![false; self.columns.len()];
        for k in 0..self.columns.len() {
            let follows = self.columns[k].kind == Kind::Change && k > 0 && left_out[k - 1];
            left_out[k] = is_zero(k) || follows;
        }
        let is_number = |k: &usize| self.columns[*k].kind == Kind::Number;
        if left_out.iter().all(|out| !out) || (0..self.columns.len()).filter(is_number).all(|k| left_out[k]) {
            return self;
        }
        let named = (0..self.columns.len()).filter(|k| left_out[*k] && is_number(k));
        let names: Vec<&str> = named.map(|k| self.columns[k].name.as_str()).collect();
        self.caption = format!("{} Zero throughout, and left out: {}.", self.caption.trim(), names.join(", "));
        // The title of a block goes on to its next column.
        for k in 0..self.columns.len() {
            if left_out[k] && self.columns.get(k + 1).is_some_and(|next| next.block.is_empty()) {
                self.columns[k + 1].block = std::mem::take(&mut self.columns[k].block);
            }
        }
        fn kept<T>(all: &mut Vec<T>, left_out: &[bool]) {
            let mut out = left_out.iter();
            all.retain(|_| !out.next().copied().unwrap_or(false));
        }
        kept(&mut self.columns, &left_out);
        for (_, cells) in self.groups.iter_mut().flat_map(|group| &mut group.rows) {
            kept(cells, &left_out);
        }
        self
    }

    /// The columns of every block.
    fn blocks(&self) -> Vec<Vec<usize>> {
        let mut blocks: Vec<Vec<usize>> = vec![];
        for (k, column) in self.columns.iter().enumerate() {
            let is_number = |k: &usize| self.columns[*k].kind != Kind::Words;
            let is_full = blocks.last().is_none_or(|block| {
                column.kind != Kind::Words && block.iter().filter(|k| is_number(k)).count() >= MOST
            });
            if is_full || !column.block.is_empty() {
                blocks.push(vec![]);
            }
            blocks.last_mut().expect("invariant: the first column begins one").push(k);
        }
        blocks
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &Cell> {
        self.groups.iter().flat_map(|group| &group.rows).map(move |(_, cells)| &cells[column])
    }

    fn scale(&self, column: usize) -> Scale {
        if self.columns[column].kind == Kind::Change {
            return Scale { exponent: 0, decimals: 1 };
        }
        let largest = crate::study::largest(self.cells(column).filter_map(|cell| cell.value));
        // What a row has no room for is written in millions, and so on.
        let exponent = if largest >= 1e6 { (largest.log10() / 3.0).floor() as i32 * 3 } else { 0 };
        Scale { exponent, decimals: decimals(largest / 10f64.powi(exponent)) }
    }

    /// The value of a cell as digits; empty where there is none.
    fn written(&self, column: usize, scale: Scale, cell: &Cell) -> String {
        let of = |v: f64| fixed(v / 10f64.powi(scale.exponent), scale.decimals);
        match (cell.value, self.columns[column].kind) {
            (None, _) => String::new(),
            (Some(v), Kind::Change) if of(v).parse::<f64>().is_ok_and(|v| v > 0.0) => format!("+{}", of(v)),
            (Some(v), _) => of(v),
        }
    }

    fn unit(&self, column: usize, scale: Scale, power: impl Fn(i32) -> String) -> String {
        let unit = &self.columns[column].unit;
        let words = match (scale.exponent, unit.as_str()) {
            (0, unit) => unit.to_owned(),
            (e, "") => power(e),
            (e, unit) => format!("{} {unit}", power(e)),
        };
        if words.is_empty() { words } else { format!("({words})") }
    }

    /// Tables in LaTeX, one for each block.
    pub fn latex(&self) -> String {
        let mut out = String::from("% \\usepackage{booktabs}\n");
        let names = self.columns.iter().flat_map(|c| [&c.name, &c.unit, &c.block]);
        let rows = self.groups.iter().flat_map(|g| &g.rows);
        let words = rows.clone().flat_map(|(_, cells)| cells.iter().map(|cell| &cell.words));
        let said = names.chain(self.groups.iter().map(|g| &g.name)).chain(rows.map(|r| &r.0)).chain(words);
        if said
            .chain([&self.title, &self.caption])
            .chain(self.notes.iter().map(|note| &note.words))
            .any(|name| name.chars().any(|c| !sets(c)))
        {
            out.push_str(FURTHER);
        }
        let blocks = self.blocks();
        let parts = self.parts();
        let count = blocks.len() * parts.len();
        let mut number = 0;
        for block in &blocks {
            for (part, groups) in parts.iter().enumerate() {
                number += 1;
                self.latex_block(&mut out, block, groups, (number, count), part > 0);
            }
        }
        out
    }

    /// The groups in parts that a page is high enough for; a group that no page is high enough for is parted too.
    fn parts(&self) -> Vec<Vec<Group>> {
        let lines = |(_, cells): &(String, Vec<Cell>)| 1 + usize::from(cells.iter().any(|c| c.interval.is_some()));
        let mut parts: Vec<Vec<Group>> = vec![];
        let mut used = LINES;
        for group in &self.groups {
            let whole: usize = group.rows.iter().map(lines).sum();
            let mut is_begun = false;
            for row in &group.rows {
                let is_new = !is_begun && used > 0 && used + whole.min(LINES) > LINES;
                if is_new || used + lines(row) > LINES {
                    parts.push(vec![]);
                    (used, is_begun) = (0, false);
                }
                let part = parts.last_mut().expect("invariant: the first row begins one");
                if !is_begun {
                    part.push(Group { name: group.name.clone(), rows: vec![] });
                    is_begun = true;
                }
                part.last_mut().expect("invariant: a group was begun").rows.push(row.clone());
                used += lines(row);
            }
        }
        parts
    }

    /// A block of the columns and a part of the rows, the `number`th of `count` tables.
    fn latex_block(
        &self,
        out: &mut String,
        block: &[usize],
        groups: &[Group],
        (number_of, count): (usize, usize),
        goes_on: bool,
    ) {
        let scales: Vec<Scale> = block.iter().map(|k| self.scale(*k)).collect();
        let widest = self.width(block, &scales);
        let (environment, size) = match widest {
            w if w <= COLUMN => ("table", "footnotesize"),
            w if w <= PAGE => ("table*", "footnotesize"),
            _ => ("table*", "scriptsize"),
        };
        let title = match block.first().map(|k| self.columns[*k].block.as_str()) {
            Some(block) if !block.is_empty() => format!("{}: {}", self.title, block),
            _ if number_of > 1 && !goes_on => format!("{}, further columns", self.title),
            _ => self.title.clone(),
        };
        let title = if goes_on { format!("{title} (continued)") } else { title };
        let caption = if number_of == 1 { format!("{title}. {}", self.caption.trim()) } else { format!("{title}.") };
        let label = if count > 1 { format!("tab:{}-{number_of}", self.name) } else { format!("tab:{}", self.name) };
        let _ = writeln!(out, "\\begin{{{environment}}}[tbp]\n\\centering\n\\caption{{{}}}", escaped(caption.trim()));
        let _ = writeln!(
            out,
            "\\label{{{}}}\n\\{size}\n\\setlength{{\\tabcolsep}}{{{}pt}}",
            reference(&label),
            BETWEEN / 2.0
        );
        let aligned: Vec<String> = (0..2)
            .map(|k| if self.name_width(k) > LONGEST_NAME { format!("p{{{LONGEST_NAME}pt}}") } else { "l".to_owned() })
            .chain(block.iter().map(|k| match self.columns[*k].kind {
                Kind::Words => format!("p{{{LONGEST_WORDS}pt}}"),
                Kind::Number | Kind::Change => "r".to_owned(),
            }))
            .collect();
        let _ = writeln!(out, "\\begin{{tabular}}{{@{{}}{}@{{}}}}\n\\toprule", aligned.concat());
        let heads = block.iter().map(|k| escaped(&self.columns[*k].name));
        let power = |e: i32| format!("$10^{{{e}}}$");
        let units = block.iter().zip(&scales).map(|(k, scale)| {
            // The power is LaTeX already.
            let plain = Column { unit: escaped(&self.columns[*k].unit), ..self.columns[*k].clone() };
            let with = Paper { columns: vec![plain], ..Paper::default() };
            with.unit(0, *scale, power)
        });
        let _ = writeln!(out, "{} & {} & {} \\\\", self.stub[0], self.stub[1], heads.collect::<Vec<_>>().join(" & "));
        let _ = writeln!(out, " & & {} \\\\\n\\midrule", units.collect::<Vec<_>>().join(" & "));
        for (g, group) in groups.iter().enumerate() {
            if g > 0 {
                out.push_str("\\addlinespace\n");
            }
            for (i, (name, cells)) in group.rows.iter().enumerate() {
                let first = if i == 0 { escaped(&group.name) } else { String::new() };
                let written = block.iter().zip(&scales).map(|(k, scale)| self.latex_cell(*k, *scale, &cells[*k]));
                let _ = writeln!(out, "{first} & {} & {} \\\\", escaped(name), written.collect::<Vec<_>>().join(" & "));
                let intervals: Vec<String> =
                    block.iter().zip(&scales).map(|(k, scale)| latex_interval(*scale, &cells[*k])).collect();
                if intervals.iter().any(|text| !text.is_empty()) {
                    let _ = writeln!(out, " & & {} \\\\", intervals.join(" & "));
                }
            }
        }
        out.push_str("\\bottomrule\n\\end{tabular}\n");
        let is_here = |note: &&Note| note.about.is_empty() || block.iter().any(|k| self.columns[*k].name == note.about);
        let notes: Vec<String> = self.notes.iter().filter(is_here).map(|note| escaped(&note.words)).collect();
        if !notes.is_empty() {
            let notes = notes.join(" ");
            let _ = writeln!(
                out,
                "\\par\\smallskip\n\\begin{{minipage}}{{\\linewidth}}\\scriptsize {notes}\\end{{minipage}}"
            );
        }
        let _ = writeln!(out, "\\end{{{environment}}}");
    }

    fn latex_cell(&self, column: usize, scale: Scale, cell: &Cell) -> String {
        if self.columns[column].kind == Kind::Words {
            return escaped(&cell.words);
        }
        match self.written(column, scale, cell).as_str() {
            "" => "--".to_owned(),
            written if cell.is_best => format!("\\textbf{{{}}}", number(written)),
            written => match written.strip_prefix('+') {
                Some(rest) => format!("$+${}", number(rest)),
                None => number(written),
            },
        }
    }

    /// Estimated width of a block, pt.
    fn width(&self, block: &[usize], scales: &[Scale]) -> f64 {
        let names: f64 = (0..2).map(|k| self.name_width(k).min(LONGEST_NAME)).sum();
        let of = |(k, scale): (&usize, &Scale)| {
            if self.columns[*k].kind == Kind::Words {
                return LONGEST_WORDS;
            }
            let head = width(&crate::text::literal(&self.columns[*k].name), SIZE);
            let unit = width(&crate::text::literal(&self.columns[*k].unit), SIZE);
            let cell = |cell: &Cell| {
                let value = width(&self.written(*k, *scale, cell), SIZE);
                let interval = cell.interval.map_or(0.0, |(a, b)| {
                    let of = |v: f64| fixed(v / 10f64.powi(scale.exponent), scale.decimals);
                    width(&format!("[{}, {}]", of(a), of(b)), SIZE - 1.0)
                });
                value.max(interval)
            };
            self.cells(*k).map(cell).fold(head.max(unit), f64::max)
        };
        names + block.iter().zip(scales).map(of).sum::<f64>() + BETWEEN * (block.len() + 1) as f64
    }

    fn name_width(&self, k: usize) -> f64 {
        let names: Box<dyn Iterator<Item = &String>> = if k == 0 {
            Box::new(self.groups.iter().map(|group| &group.name))
        } else {
            Box::new(self.groups.iter().flat_map(|group| group.rows.iter().map(|(name, _)| name)))
        };
        names.map(|name| width(&crate::text::literal(name), SIZE)).fold(width(self.stub[k], SIZE), f64::max)
    }

    /// One table in Markdown.
    pub fn markdown(&self) -> String {
        let scales: Vec<Scale> = (0..self.columns.len()).map(|k| self.scale(k)).collect();
        let mut out = format!("{}. {}\n\n", self.title, self.caption.trim());
        let head = scales.iter().enumerate().map(|(k, scale)| {
            let unit = self.unit(k, *scale, |e| format!("10^{e}"));
            format!("{} {}", piped(&self.columns[k].name), piped(&unit)).trim().to_owned()
        });
        let _ = writeln!(out, "| {} | {} | {} |", self.stub[0], self.stub[1], head.collect::<Vec<_>>().join(" | "));
        let lines: String = self.columns.iter().map(|c| if c.kind == Kind::Words { "---|" } else { "---:|" }).collect();
        let _ = writeln!(out, "|---|---|{lines}");
        let minus = |s: String| s.replace('-', "\u{2212}");
        for group in &self.groups {
            for (name, cells) in &group.rows {
                let cell = |(k, scale): (usize, &Scale)| {
                    let cell = &cells[k];
                    if self.columns[k].kind == Kind::Words {
                        return piped(&cell.words);
                    }
                    let written = minus(self.written(k, *scale, cell));
                    let interval = cell.interval.map_or_else(String::new, |(a, b)| {
                        let of = |v: f64| minus(fixed(v / 10f64.powi(scale.exponent), scale.decimals));
                        format!(" [{}, {}]", of(a), of(b))
                    });
                    if cell.is_best { format!("**{written}**{interval}") } else { format!("{written}{interval}") }
                };
                let cells: Vec<String> = scales.iter().enumerate().map(cell).collect();
                let _ = writeln!(out, "| {} | {} | {} |", piped(&group.name), piped(name), cells.join(" | "));
            }
        }
        if !self.notes.is_empty() {
            let notes: Vec<&str> = self.notes.iter().map(|note| note.words.as_str()).collect();
            let _ = write!(out, "\n{}\n", notes.join(" "));
        }
        out
    }
}

fn latex_interval(scale: Scale, cell: &Cell) -> String {
    let of = |v: f64| number(&fixed(v / 10f64.powi(scale.exponent), scale.decimals));
    cell.interval.map_or_else(String::new, |(a, b)| format!("{{\\scriptsize [{}, {}]}}", of(a), of(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Paper {
        let best = |v: f64| Cell { is_best: true, ..Cell::of(Some(v)) };
        let group = |name: &str, v: f64| Group {
            name: name.into(),
            rows: vec![
                ("None".into(), vec![Cell::of(Some(v)), Cell::of(None)]),
                ("50 % | tax".into(), vec![best(-v), Cell::of(Some(-0.04))]),
            ],
        };
        Paper {
            name: "my_table".into(),
            title: "Costs".into(),
            caption: "All of them.".into(),
            stub: ["Policy", "Mechanism"],
            columns: vec![
                Column { name: "Cost".into(), unit: "CNY".into(), ..Column::default() },
                Column { name: "Change".into(), unit: "%".into(), kind: Kind::Change, ..Column::default() },
            ],
            groups: vec![group("A_b", 12345.6), group("C", 0.4)],
            notes: vec![Note { about: "Change", words: "--: no value.".into() }],
        }
    }

    #[test]
    fn latex_is_a_booktabs_table_with_caption_label_best_and_notes() {
        let expected = "% \\usepackage{booktabs}\n\\begin{table}[tbp]\n\\centering\n\\caption{Costs. All of them.}\n\
            \\label{tab:my-table}\n\\footnotesize\n\\setlength{\\tabcolsep}{4pt}\n\\begin{tabular}{@{}llrr@{}}\n\\toprule\n\
            Policy & Mechanism & Cost & Change \\\\\n & & (CNY) & (\\%) \\\\\n\\midrule\n\
            A\\_b & None & 12\\,346 & -- \\\\\n & 50 \\% \\textbar{} tax & \\textbf{$-$12\\,346} & 0.0 \\\\\n\\addlinespace\n\
            C & None & 0 & -- \\\\\n & 50 \\% \\textbar{} tax & \\textbf{0} & 0.0 \\\\\n\\bottomrule\n\\end{tabular}\n\
            \\par\\smallskip\n\\begin{minipage}{\\linewidth}\\scriptsize --: no value.\\end{minipage}\n\\end{table}\n";
        assert_eq!(table().latex(), expected);
    }

    #[test]
    fn columns_of_zeros_are_left_out_and_named() {
        let column = |name: &str, block: &str, kind| Column {
            name: name.into(),
            block: block.into(),
            kind,
            ..Column::default()
        };
        let columns = vec![
            column("Cost", "costs", Kind::Number),
            column("Change", "", Kind::Change),
            column("Relayed", "energy", Kind::Number),
            column("Peak", "", Kind::Number),
        ];
        let row = |values: [Option<f64>; 4]| ("m".to_owned(), values.map(Cell::of).to_vec());
        let group = |rows| vec![Group { name: "p".into(), rows }];
        let rows = vec![row([Some(0.0), None, Some(0.0), Some(2.0)]), row([Some(0.0), None, Some(-0.0), None])];
        let shown = Paper { columns: columns.clone(), groups: group(rows), ..table() }.without_zeros();
        let names: Vec<(&str, &str)> = shown.columns.iter().map(|c| (c.name.as_str(), c.block.as_str())).collect();
        assert_eq!(names, [("Peak", "energy")]);
        assert!(shown.caption.ends_with("Zero throughout, and left out: Cost, Relayed."), "{}", shown.caption);
        assert!(shown.groups[0].rows.iter().all(|(_, cells)| cells.len() == 1));
        // Nothing but zeros is shown as it is.
        let nothing = Paper { columns, groups: group(vec![row([Some(0.0), None, Some(0.0), Some(0.0)])]), ..table() };
        assert_eq!(nothing.clone().without_zeros(), nothing);
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
        assert!(text.starts_with(
            "Costs. All of them.\n\n| Policy | Mechanism | Cost (CNY) | Change (%) |\n|---|---|---:|---:|\n"
        ));
        assert!(text.contains("| A_b | 50 % \\| tax | **\u{2212}12346** | 0.0 |\n"), "{text}");
    }

    #[test]
    fn rows_that_no_page_is_high_enough_for_are_parted() {
        let rows = |n: usize| (0..n).map(|k| (format!("r{k}"), vec![Cell::of(Some(1.0)), Cell::of(None)])).collect();
        let group = |name: &str, n: usize| Group { name: name.into(), rows: rows(n) };
        let table = Paper { groups: vec![group("a", 30), group("b", 30), group("c", 80)], ..table() };
        let sizes: Vec<Vec<usize>> =
            table.parts().iter().map(|part| part.iter().map(|group| group.rows.len()).collect()).collect();
        assert_eq!(sizes, [vec![30], vec![30], vec![LINES], vec![80 - LINES]]);
        let text = table.latex();
        assert!(text.contains("\\label{tab:my-table-4}") && text.contains("Costs (continued)."), "{text}");
    }

    #[test]
    fn more_than_six_numbers_are_several_tables_and_millions_have_their_power_in_the_head() {
        let column = |k: usize| Column { name: format!("c{k}"), unit: "CNY".into(), ..Column::default() };
        let cells =
            (0..8).map(|k| Cell { interval: Some((1.0, 2e6)), ..Cell::of(Some(1.5e6 + f64::from(k))) }).collect();
        let table = Paper {
            name: "t".into(),
            columns: (0..8).map(column).collect(),
            groups: vec![Group { name: "g".into(), rows: vec![("r".into(), cells)] }],
            ..table()
        };
        let text = table.latex();
        assert_eq!(text.matches("\\begin{tabular}").count(), 2);
        assert!(text.contains("{@{}llrrrrrr@{}}") && text.contains("{@{}llrr@{}}"), "{text}");
        assert!(text.contains("($10^{6}$ CNY)") && text.contains("1.500") && text.contains("[0.000, 2.000]"), "{text}");
        assert!(text.contains("\\label{tab:t-2}"));
    }
}
