//! The template of a page: Markdown with braces.
//!
//! ```text
//! {{run NAME: FILE.ron PATH=VALUE ..}}      an experiment of the library, with overrides
//! {{EXPRESSION}}                            a whole number, of a run, a period, a pair or a line (see `details`); `| +` with its sign, `| %` as a percentage, `| .2` decimals
//! {{change EXPRESSION}}                     its mean over the draws with sign, and its 95 % interval; `| %` as a percentage
//! {{claim: EXPRESSION < EXPRESSION}}        nothing is written; where it does not hold, neither is the page
//! {{claim: NAME[MECHANISM, POLICY] ends STATUS}}   of a run without an answer
//! {{claim: NAME upholds CERTIFICATE}}       no run of NAME refutes it, and some run upholds it
//! {{matched NAME[MECHANISM, POLICY]}}       price and emissions of a run that was matched, or that nothing was found
//! {{table COLUMN of NAME}}                  ends with {{end}}; a line of mechanisms, then rows `POLICY` or `WORDS = POLICY - POLICY`
//! {{reference WHAT}}                        fields of a form, with meaning, unit, range and default: see `reference::block`
//! {{audit FILE BUDGET}}                     mechanisms and claims of an experiment, searched: see `audited::block`
//! {{figure: NAME STEM -> FILE.png}}         a figure of the experiment, drawn into the folder of the docs
//! ```

use super::audited;
use super::expression::{Expression, Reference};
use super::named::{Figure, Run, decimals, whole};
use super::values::Runs;
use crate::reference;
use std::fmt::Write;

/// A template in its parts.
pub struct Template {
    parts: Vec<(usize, Part)>,
}

enum Part {
    Text(String),
    Run(Run),
    Figure(Figure),
    Number(Expression, Format),
    Change(Expression, Format),
    Claim(String, Claim),
    Matched(Reference),
    Fields(String),
    Audit(String),
    Table(Table),
}

enum Claim {
    Compared(Expression, Order, Expression),
    Upheld { run: String, certificate: String },
    Ends(Reference, String),
}

#[derive(Clone, Copy)]
enum Order {
    Less,
    Greater,
}

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Whole,
    Signed,
    Percent,
    Decimals(usize),
}

struct Table {
    run: String,
    column: String,
    first: String,
    mechanisms: Vec<String>,
    rows: Vec<(String, Row)>,
}

enum Row {
    Policy(String),
    Difference(String, String),
}

/// A page, and what its runs deny.
pub struct Filled {
    /// The page in pieces; `None` for what experiments would tell that were not run.
    pub pieces: Vec<Option<String>>,
    pub faults: Vec<String>,
    pub numbers: usize,
    pub claims: usize,
}

impl Template {
    /// Reads a template.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        let mut parts = vec![];
        let mut rest = text;
        let line_of = |rest: &str| 1 + text[..text.len() - rest.len()].matches('\n').count();
        while let Some(open) = rest.find("{{") {
            parts.push((line_of(rest), Part::Text(rest[..open].to_owned())));
            let line = line_of(&rest[open..]);
            let inner = &rest[open + 2..];
            let close = inner.find("}}").ok_or_else(|| anyhow::anyhow!("line {line}: `{{{{` is not closed"))?;
            let (word, mut after) = (inner[..close].trim(), &inner[close + 2..]);
            let wrong = |why: String| anyhow::anyhow!("line {line}: {why}");
            let part = if let Some(head) = word.strip_prefix("table ") {
                let (body, end) = after.split_once("{{end}}").ok_or_else(|| wrong("no `{{end}}`".into()))?;
                after = end;
                Part::Table(Table::read(head, body).map_err(wrong)?)
            } else {
                Part::read(word).map_err(wrong)?
            };
            // What leaves nothing leaves no empty line either.
            if matches!(part, Part::Run(_) | Part::Figure(_) | Part::Claim(..)) {
                after = after.strip_prefix('\n').unwrap_or(after);
            }
            parts.push((line, part));
            rest = after;
        }
        parts.push((line_of(rest), Part::Text(rest.to_owned())));
        Ok(Self { parts })
    }

    /// The experiments that it reads.
    pub fn runs(&self) -> Vec<&Run> {
        self.parts.iter().filter_map(|(_, part)| if let Part::Run(run) = part { Some(run) } else { None }).collect()
    }

    /// The figures that it shows.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.parts.iter().filter_map(|(_, part)| if let Part::Figure(figure) = part { Some(figure) } else { None })
    }

    /// The page.
    pub fn filled(&self, runs: &Runs) -> Filled {
        let mut filled = Filled { pieces: vec![], faults: vec![], numbers: 0, claims: 0 };
        for (line, part) in &self.parts {
            if part.reads().iter().any(|run| runs.absent().iter().any(|absent| absent == run)) {
                filled.pieces.push(None);
                continue;
            }
            let written = match part {
                Part::Text(text) => Ok(text.clone()),
                Part::Run(_) | Part::Figure(_) => Ok(String::new()),
                Part::Number(expression, format) => {
                    filled.numbers += 1;
                    expression.value(runs).map(|x| format.written(x))
                }
                Part::Change(expression, format) => {
                    filled.numbers += 3;
                    let signed = if *format == Format::Whole { Format::Signed } else { *format };
                    expression.over_draws(runs).and_then(|found| {
                        let (low, high) = found.interval().ok_or("one draw has no interval")?;
                        let [mean, low, high] = [found.mean, low, high].map(|x| signed.written(x));
                        Ok(format!("{mean} ({low} to {high})"))
                    })
                }
                Part::Claim(words, claim) => {
                    filled.claims += 1;
                    claim.hold(runs).map_err(|why| format!("the runs deny `{words}`: {why}")).map(|()| String::new())
                }
                Part::Matched(reference) => {
                    filled.numbers += 1;
                    runs.matched(reference)
                }
                Part::Fields(words) => reference::block(words),
                Part::Audit(words) => audited::block(words),
                Part::Table(table) => {
                    filled.numbers += table.rows.len() * table.mechanisms.len();
                    table.written(runs)
                }
            };
            match written {
                Ok(text) => filled.pieces.push(Some(text)),
                Err(why) => filled.faults.push(format!("line {line}: {why}")),
            }
        }
        filled
    }
}

impl Filled {
    /// The whole page; `None` where experiments were not run.
    pub fn text(&self) -> Option<String> {
        self.pieces.iter().map(Option::as_deref).collect()
    }

    /// Whether a page is this one wherever it is known.
    pub fn is(&self, page: &str) -> bool {
        let mut rest = page;
        let mut known = String::new();
        let mut is_anchored = true;
        let mut matches = |known: &str, is_anchored: bool| {
            let at = if is_anchored { rest.starts_with(known).then_some(0) } else { rest.find(known) };
            at.map(|at| rest = &rest[at + known.len()..]).is_some()
        };
        for piece in &self.pieces {
            if let Some(text) = piece {
                known += text;
                continue;
            }
            if !known.is_empty() && !matches(&known, is_anchored) {
                return false;
            }
            (known, is_anchored) = (String::new(), false);
        }
        if is_anchored { rest == known } else { rest.ends_with(&known) }
    }
}

impl Part {
    /// The experiments that it reads.
    fn reads(&self) -> Vec<&str> {
        match self {
            Part::Number(expression, _) | Part::Change(expression, _) => expression.runs(),
            Part::Claim(_, Claim::Compared(left, _, right)) => {
                let mut runs = left.runs();
                runs.extend(right.runs());
                runs
            }
            Part::Claim(_, Claim::Upheld { run, .. }) => vec![run],
            Part::Claim(_, Claim::Ends(reference, _)) | Part::Matched(reference) => vec![&reference.run],
            Part::Table(table) => vec![&table.run],
            Part::Text(_) | Part::Run(_) | Part::Figure(_) | Part::Fields(_) | Part::Audit(_) => vec![],
        }
    }

    fn read(word: &str) -> Result<Self, String> {
        if let Some(rest) = word.strip_prefix("run ") {
            let (name, what) = rest.split_once(':').ok_or("`run` is written `run NAME: FILE.ron`")?;
            let mut words = what.split_whitespace();
            let file = words.next().ok_or("`run` names no file")?.to_owned();
            return Ok(Part::Run(Run { name: name.trim().into(), file, set: words.map(str::to_owned).collect() }));
        }
        if let Some(rest) = word.strip_prefix("reference ") {
            return Ok(Part::Fields(rest.to_owned()));
        }
        if let Some(rest) = word.strip_prefix("audit ") {
            return Ok(Part::Audit(rest.to_owned()));
        }
        if let Some(rest) = word.strip_prefix("figure:") {
            let (from, file) = rest.split_once("->").ok_or("`figure` is written `figure: NAME STEM -> FILE.png`")?;
            let (run, stem) = from.trim().split_once(' ').ok_or("`figure` names a run and a stem")?;
            return Ok(Part::Figure(Figure { run: run.into(), stem: stem.trim().into(), file: file.trim().into() }));
        }
        if let Some(rest) = word.strip_prefix("claim:") {
            return Claim::read(rest.trim()).map(|claim| Part::Claim(rest.trim().to_owned(), claim));
        }
        if let Some(rest) = word.strip_prefix("matched ") {
            return one_run(rest).map(Part::Matched);
        }
        let (word, is_change) = word.strip_prefix("change ").map_or((word, false), |rest| (rest, true));
        let (expression, format) = match word.rsplit_once('|') {
            Some((expression, format)) => (expression, Format::read(format.trim())?),
            None => (word, Format::Whole),
        };
        if is_change {
            return Ok(Part::Change(Expression::read(expression)?, format));
        }
        Ok(Part::Number(Expression::read(expression)?, format))
    }
}

/// `NAME[MECHANISM, POLICY]`.
fn one_run(words: &str) -> Result<Reference, String> {
    let (run, labels) = words.split_once('[').ok_or("a run is written `NAME[MECHANISM, POLICY]`")?;
    match Expression::read(&format!("{}.status[{labels}", run.trim()))? {
        Expression::Figure(reference) => Ok(reference),
        _ => Err(format!("`{words}` is more than one run")),
    }
}

impl Claim {
    fn read(words: &str) -> Result<Self, String> {
        if let Some((run, status)) = words.split_once(" ends ") {
            return Ok(Claim::Ends(one_run(run.trim())?, status.trim().to_owned()));
        }
        if let Some((run, certificate)) = words.split_once(" upholds ") {
            return Ok(Claim::Upheld { run: run.trim().into(), certificate: certificate.trim().into() });
        }
        for (sign, order) in [('<', Order::Less), ('>', Order::Greater)] {
            if let Some((left, right)) = words.split_once(sign) {
                return Ok(Claim::Compared(Expression::read(left)?, order, Expression::read(right)?));
            }
        }
        Err(format!(
            "`{words}` claims nothing: write `A < B`, `A > B`, `NAME upholds CERTIFICATE` or `NAME[..] ends STATUS`"
        ))
    }

    fn hold(&self, runs: &Runs) -> Result<(), String> {
        match self {
            Claim::Compared(left, order, right) => {
                let (a, b) = (left.value(runs)?, right.value(runs)?);
                let holds = match order {
                    Order::Less => a < b,
                    Order::Greater => a > b,
                };
                if holds { Ok(()) } else { Err(format!("{a} against {b}")) }
            }
            Claim::Upheld { run, certificate } => runs.upholds(run, certificate),
            Claim::Ends(reference, status) => match runs.status(reference)? {
                found if found == status => Ok(()),
                found => Err(format!("it is {found}")),
            },
        }
    }
}

impl Format {
    fn read(word: &str) -> Result<Self, String> {
        match word {
            "+" => Ok(Format::Signed),
            "%" => Ok(Format::Percent),
            _ => word
                .strip_prefix('.')
                .and_then(|digits| digits.parse().ok())
                .map(Format::Decimals)
                .ok_or_else(|| format!("`{word}` is no format: `+`, `%` or `.2`")),
        }
    }

    fn written(self, x: f64) -> String {
        match self {
            Format::Signed if x > 0.5 => format!("+{}", whole(x)),
            Format::Whole | Format::Signed => whole(x),
            Format::Percent => format!("{} %", whole(100.0 * x)),
            Format::Decimals(digits) => decimals(x, digits),
        }
    }
}

impl Table {
    fn read(head: &str, body: &str) -> Result<Self, String> {
        let (column, run) = head.split_once(" of ").ok_or("a table is written `table COLUMN of NAME`")?;
        let mut lines = body.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut names = lines.next().ok_or("the table has no head")?.split('|').map(|name| name.trim().to_owned());
        let first = names.next().unwrap_or_default();
        let row = |line: &str| match line.split_once(" = ") {
            None => Ok((line.to_owned(), Row::Policy(line.to_owned()))),
            Some((words, difference)) => {
                let (with, without) =
                    difference.split_once(" - ").ok_or_else(|| format!("`{difference}` is no difference"))?;
                Ok((words.to_owned(), Row::Difference(with.trim().into(), without.trim().into())))
            }
        };
        Ok(Self {
            run: run.trim().into(),
            column: column.trim().into(),
            first,
            mechanisms: names.collect(),
            rows: lines.map(row).collect::<Result<_, String>>()?,
        })
    }

    fn written(&self, runs: &Runs) -> Result<String, String> {
        let heads: Vec<String> = self.mechanisms.iter().map(|m| format!("`{m}`")).collect();
        let mut text =
            format!("| {} | {} |\n|---|{}", self.first, heads.join(" | "), "---:|".repeat(self.mechanisms.len()));
        for (words, row) in &self.rows {
            let of = |mechanism: &String, policy: &String| {
                runs.figure(&Reference {
                    run: self.run.clone(),
                    table: "runs".into(),
                    column: self.column.clone(),
                    labels: vec![mechanism.clone(), policy.clone()],
                })
            };
            let cell = |mechanism: &String| match row {
                Row::Policy(policy) => of(mechanism, policy).map(|x| Format::Whole.written(x)),
                Row::Difference(with, without) => {
                    Ok(Format::Signed.written(of(mechanism, with)? - of(mechanism, without)?))
                }
            };
            let cells = self.mechanisms.iter().map(cell).collect::<Result<Vec<_>, String>>()?;
            let _ = write!(text, "\n| {words} | {} |", cells.join(" | "));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::values::Runs;
    use super::Template;
    use crate::rows::Row;

    fn runs() -> Runs {
        let row = |cells: &[(&str, &str)]| Row::of(cells);
        let run = |mechanism: &'static str, policy: &'static str, kg: &'static str, status: &'static str| {
            row(&[
                ("run_id", kg),
                ("variant", mechanism),
                ("carbon_label", policy),
                ("status", status),
                ("carbon.factor", ""),
                ("emissions_kg", kg),
            ])
        };
        let table = vec![
            run("grid-only", "none", "1500.4", "converged"),
            run("grid-only", "tax + x", "1200", "converged"),
            run("nash", "none", "2500000", "converged"),
            run("nash", "tax + x", "0", "infeasible"),
        ];
        let certificates = vec![
            row(&[("run_id", "1500.4"), ("name", "budget_balance"), ("verdict", "upheld")]),
            row(&[("run_id", "1200"), ("name", "efficiency"), ("verdict", "refuted")]),
        ];
        Runs::of("base", [("runs", table), ("certificates", certificates)])
    }

    fn filled(text: &str) -> (String, Vec<String>) {
        let filled = Template::read(text).unwrap().filled(&runs());
        (filled.text().unwrap(), filled.faults)
    }

    #[test]
    fn numbers_and_tables_come_from_the_runs() {
        let text = "{{run base: x.ron}}\nA {{base.emissions_kg[grid-only, none]}} B \
            {{base.emissions_kg[grid-only, tax + x] - base.emissions_kg[grid-only, none] | +}} C \
            {{base.emissions_kg[grid-only, tax + x] / base.emissions_kg[nash, none] | .4}}\n\n\
            {{table emissions_kg of base}}\ncell | grid-only\nnone\nthe tax = tax + x - none\n{{end}}\n\nend";
        let (page, faults) = filled(text);
        assert_eq!(faults, Vec::<String>::new());
        let table = "| cell | `grid-only` |\n|---|---:|\n| none | 1,500 |\n| the tax | -300 |";
        assert_eq!(page, format!("A 1,500 B -300 C 0.0005\n\n{table}\n\nend"));
    }

    #[test]
    fn a_claim_that_the_runs_deny_is_a_fault_with_its_line() {
        let text = "one\n{{claim: base.emissions_kg[grid-only, none] < base.emissions_kg[grid-only, tax + x]}}\n\
            {{claim: base.emissions_kg[grid-only, none] > 10}}\n{{claim: base upholds budget_balance}}\n\
            {{claim: base upholds efficiency}}\n{{claim: base upholds nothing_of_the_kind}}\n\
            {{claim: base[nash, tax + x] ends infeasible}}\n{{claim: base[nash, none] ends infeasible}}\ntwo";
        let (page, faults) = filled(text);
        assert_eq!(page, "one\ntwo");
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(faults[3].contains("ends infeasible") && faults[3].contains("it is converged"), "{faults:?}");
        assert!(faults[0].starts_with("line 2: the runs deny"), "{faults:?}");
        assert!(faults[1].contains("efficiency") && faults[2].contains("nothing_of_the_kind"), "{faults:?}");
    }

    #[test]
    fn a_figure_of_a_run_without_an_answer_is_a_fault() {
        let (_, faults) =
            filled("{{base.emissions_kg[nash, tax + x]}} {{base.emissions_kg[nash, nix]}} {{base.nix[nash, none]}}");
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].contains("infeasible"), "{faults:?}");
    }

    #[test]
    fn what_was_not_run_is_not_compared_and_the_rest_is() {
        let mut some = runs();
        some.forget("days");
        let text =
            "A {{base.emissions_kg[grid-only, none]}} B {{change days.x[a, b]}}{{claim: low(days.x[a, b]) > 0}} C\nD";
        let filled = Template::read(text).unwrap().filled(&some);
        assert_eq!((filled.text(), filled.faults.len()), (None, 0));
        for (page, is) in [
            ("A 1,500 B +3 (+2 to +4) C\nD", true),
            ("A 1,500 B  C\nD", true),
            ("A 1,501 B +3 C\nD", false),
            ("A 1,500 B +3 C\nE", false),
            ("A 1,500 B +3 C\nD.", false),
            ("A 1,500 C\nD", false),
        ] {
            assert_eq!(filled.is(page), is, "{page}");
        }
        let whole = Template::read("A").unwrap().filled(&some);
        assert!(whole.is("A") && !whole.is("AB") && !whole.is("BA"));
    }

    #[test]
    fn changes_over_draws_have_their_interval() {
        let day = |seed: &'static str, policy: &'static str, kg: &'static str| {
            Row::of(&[
                ("run_id", seed),
                ("variant", "grid-only"),
                ("carbon_label", policy),
                ("seed", seed),
                ("status", "converged"),
                ("emissions_kg", kg),
            ])
        };
        let rows = [("1", "5", "9"), ("2", "6", "10"), ("3", "8", "12")];
        let table = rows.iter().flat_map(|(seed, a, b)| [day(seed, "a", a), day(seed, "b", b)]).collect();
        let runs = Runs::of("days", [("runs", table)]);
        let filled = |text: &str| {
            let filled = Template::read(text).unwrap().filled(&runs);
            (filled.text(), filled.faults)
        };
        let (page, faults) = filled(
            "{{change days.emissions_kg[grid-only, b] - days.emissions_kg[grid-only, a]}}\
                {{claim: high(days.emissions_kg[grid-only, a] - days.emissions_kg[grid-only, b]) < 0}}",
        );
        assert_eq!((page.as_deref(), faults), (Some("+4 (+4 to +4)"), vec![]), "every day differs by four");
        let (_, faults) = filled("{{days.emissions_kg[grid-only, a]}}");
        assert!(faults[0].contains("write `mean(..)`"), "{faults:?}");
    }

    #[test]
    fn a_template_that_makes_no_sense_is_refused_with_its_line() {
        for text in
            ["a\n{{base.x[", "a\n{{base}}", "a\n{{table x of base}}\nb", "a\n{{claim: nothing}}", "a\n{{1 | ?}}"]
        {
            let wrong = Template::read(text).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(wrong.starts_with("line 2"), "{text}: {wrong}");
        }
    }
}
