//! Two result folders side by side: runs that differ first, then what only one has.
//!
//! Runs are the same where scenario, mechanism, policy, swept values and seed are: what identifies a run in a store also names
//! the program, and two programs are often what is compared.

use super::html::Html;
use super::table::{Cell, Column, Table, facts};
use super::{begin, finish, open_section, paragraph, per_cent};
use crate::store::Store;
use crate::study::SAME;
use coase_core::record::METRICS;
use std::collections::BTreeMap;

/// Rows of figures that differ, in a page.
const MOST_ROWS: usize = 4000;
/// Runs that only one has, in a page.
const MOST_RUNS: usize = 500;

/// What differs between two results, A and B.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// What is said of both, such as the version of the program, where it differs.
    pub about: Vec<Change>,
    /// Runs that differ; those with the greatest relative change of a figure first, those that ended differently before them.
    pub differing: Vec<Differing>,
    /// Runs that both have with the same figures.
    pub equal: usize,
    /// Runs that only A has, in words.
    pub only_a: Vec<String>,
    /// Runs that only B has, in words.
    pub only_b: Vec<String>,
}

/// Something that is said of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub what: String,
    pub a: String,
    pub b: String,
}

/// A run that both have, with what differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Differing {
    pub run: Key,
    /// How it ended in A and in B.
    pub status: [&'static str; 2],
    /// Figures of the table `runs` that differ by more than a millionth.
    pub figures: Vec<Changed>,
    /// Certificates whose verdict differs.
    pub verdicts: Vec<Change>,
}

/// A figure that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// Its column in `runs`.
    pub metric: &'static str,
    pub unit: &'static str,
    pub a: Option<f64>,
    pub b: Option<f64>,
}

/// What makes a run the same in both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub scenario: String,
    /// Labels of the variant and of the policy.
    pub mechanism: String,
    pub policy: String,
    /// Swept parameters that the run has, with their values.
    pub swept: Vec<(String, String)>,
    pub seed: u64,
}

impl Key {
    /// In a sentence.
    pub fn words(&self) -> String {
        let swept: Vec<String> = self.swept.iter().map(|(path, value)| format!("{path} = {value}")).collect();
        let with = if swept.is_empty() { String::new() } else { format!(" with {}", swept.join(", ")) };
        format!("{} under {} in {}{with}, seed {}", self.mechanism, self.policy, self.scenario, self.seed)
    }
}

impl Changed {
    /// Change over the size of the greater; 2 where only one is there.
    fn size(&self) -> f64 {
        match (self.a, self.b) {
            (Some(a), Some(b)) => (b - a).abs() / a.abs().max(b.abs()).max(f64::MIN_POSITIVE),
            _ => 2.0,
        }
    }
}

impl Differing {
    fn size(&self) -> f64 {
        let ended = if self.status[0] == self.status[1] { 0.0 } else { 4.0 };
        let verdicts = if self.verdicts.is_empty() { 0.0 } else { 1e-12 };
        self.figures.iter().map(Changed::size).fold(ended + verdicts, f64::max)
    }
}

/// Compares two results.
pub fn compare(a: &Store, b: &Store) -> Comparison {
    let (of_a, of_b) = (keys(a), keys(b));
    let mut found = Comparison { about: about(a, b), ..Comparison::default() };
    for (key, run_a) in &of_a {
        let Some(run_b) = of_b.get(key) else {
            found.only_a.push(key.words());
            continue;
        };
        let differing = Differing {
            run: key.clone(),
            status: [a.runs[*run_a].status.name(), b.runs[*run_b].status.name()],
            figures: figures(a, *run_a, b, *run_b),
            verdicts: verdicts(a, *run_a, b, *run_b),
        };
        if differing.figures.is_empty() && differing.verdicts.is_empty() && differing.status[0] == differing.status[1] {
            found.equal += 1;
        } else {
            found.differing.push(differing);
        }
    }
    found.only_b.extend(of_b.keys().filter(|key| !of_a.contains_key(*key)).map(Key::words));
    found.differing.sort_by(|one, other| other.size().total_cmp(&one.size()));
    found
}

fn keys(store: &Store) -> BTreeMap<Key, usize> {
    let key = |run: &crate::store::Run| Key {
        scenario: run.scenario.clone(),
        mechanism: run.variant.clone(),
        policy: run.carbon_label.clone(),
        swept: store.sweeps.iter().cloned().zip(run.sweep.iter().cloned()).filter(|(_, v)| !v.is_empty()).collect(),
        seed: run.seed,
    };
    store.runs.iter().enumerate().map(|(place, run)| (key(run), place)).collect()
}

fn figures(a: &Store, run_a: usize, b: &Store, run_b: usize) -> Vec<Changed> {
    let mut changed: Vec<Changed> = METRICS
        .iter()
        .map(|column| Changed {
            metric: column.name,
            unit: column.unit,
            a: a.metric(run_a, column.name),
            b: b.metric(run_b, column.name),
        })
        .filter(|figure| match (figure.a, figure.b) {
            (Some(a), Some(b)) => (a - b).abs() > SAME * (1.0 + a.abs().max(b.abs())),
            (a, b) => a.is_some() != b.is_some(),
        })
        .collect();
    changed.sort_by(|one, other| other.size().total_cmp(&one.size()));
    changed
}

fn verdicts(a: &Store, run_a: usize, b: &Store, run_b: usize) -> Vec<Change> {
    let of = |store: &Store, run: usize| -> BTreeMap<String, String> {
        store.certificates(run).into_iter().map(|row| (row.name, row.verdict)).collect()
    };
    let (of_a, of_b) = (of(a, run_a), of(b, run_b));
    let mut names: Vec<&String> = of_a.keys().chain(of_b.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let verdict = |of: &BTreeMap<String, String>, name: &String| of.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .map(|name| Change { what: name.clone(), a: verdict(&of_a, name), b: verdict(&of_b, name) })
        .filter(|change| change.a != change.b)
        .collect()
}

fn about(a: &Store, b: &Store) -> Vec<Change> {
    let of = |store: &Store| -> Vec<(String, String)> {
        let manifest = store.data().manifest();
        let mut all = vec![
            ("experiment".to_owned(), manifest.experiment.clone()),
            ("experiment hash".to_owned(), manifest.experiment_hash.clone()),
            ("program".to_owned(), format!("{} {}", manifest.program, manifest.program_version).trim().to_owned()),
            ("revision".to_owned(), manifest.source_revision.clone().unwrap_or_default()),
            ("baseline".to_owned(), manifest.baseline.clone()),
        ];
        for choices in &manifest.choices {
            let of = |what: &str| format!("{what} of {}", choices.scenario);
            all.push((of("damage per tonne"), choices.damage_per_tonne.to_string()));
            all.push((of("upstream cost"), choices.upstream_cost.clone()));
            all.push((of("match"), choices.matching.clone()));
        }
        all
    };
    let (of_a, of_b) = (of(a), of(b));
    let value = |of: &[(String, String)], what: &str| {
        of.iter().find(|(name, _)| name == what).map_or_else(String::new, |(_, value)| value.clone())
    };
    let mut names: Vec<String> = vec![];
    for (name, _) in of_a.iter().chain(&of_b) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
        .into_iter()
        .map(|what| Change { a: value(&of_a, &what), b: value(&of_b, &what), what })
        .filter(|change| change.a != change.b)
        .collect()
}

/// The page of a comparison; the folders by what a reader calls them.
pub fn comparison_page(found: &Comparison, a: &str, b: &str) -> String {
    let contents = [("differing", "Runs that differ"), ("only", "Runs of one only"), ("about", "What they rest on")];
    let mut html = Html::default();
    begin(&mut html, &format!("{a} against {b}"), &contents);
    html.open("header", &[]).element("h1", &[], "Two results side by side");
    facts(&mut html, &[("A", format!("`{a}`")), ("B", format!("`{b}`"))]);
    html.open("p", &[("class", "badges")]);
    let badge = |n: usize| if n == 0 { "badge" } else { "badge bad" };
    html.element("span", &[("class", badge(found.differing.len()))], &format!("{} differ", found.differing.len()))
        .say(" ");
    html.element("span", &[("class", "badge good")], &format!("{} equal", found.equal)).say(" ");
    html.element("span", &[("class", badge(found.only_a.len()))], &format!("{} only in A", found.only_a.len()))
        .say(" ");
    html.element("span", &[("class", badge(found.only_b.len()))], &format!("{} only in B", found.only_b.len()));
    html.close();
    paragraph(
        &mut html,
        "Runs are the same where scenario, mechanism, policy, swept values and seed are. Figures that differ by less than a \
         millionth of their size are equal.",
    );
    html.close();
    open_section(&mut html, contents[0].0, contents[0].1);
    differing(found, &mut html);
    html.close();
    open_section(&mut html, contents[1].0, contents[1].1);
    for (name, runs) in [("A", &found.only_a), ("B", &found.only_b)] {
        if runs.is_empty() {
            paragraph(&mut html, &format!("{name} has no run that the other lacks."));
            continue;
        }
        html.open("details", &[("open", "")]).element("summary", &[], &format!("{} only in {name}", runs.len()));
        html.open("ul", &[]);
        for run in runs.iter().take(MOST_RUNS) {
            html.element("li", &[], run);
        }
        if runs.len() > MOST_RUNS {
            html.element("li", &[], &format!("and {} more", runs.len() - MOST_RUNS));
        }
        html.close().close();
    }
    html.close();
    open_section(&mut html, contents[2].0, contents[2].1);
    if found.about.is_empty() {
        paragraph(&mut html, "Both are of one experiment, program and way of counting.");
    } else {
        let words = |change: &Change| {
            let cell = |text: &String| Cell::Words(if text.is_empty() { "\u{2013}".to_owned() } else { text.clone() });
            (String::new(), vec![Cell::Words(change.what.clone()), cell(&change.a), cell(&change.b)])
        };
        Table {
            id: "table-about".to_owned(),
            caption: "What is said of both and differs.".to_owned(),
            columns: ["What", "A", "B"].map(Column::words).to_vec(),
            rows: found.about.iter().map(words).collect(),
        }
        .write(&mut html);
    }
    html.close();
    finish(html)
}

fn differing(found: &Comparison, html: &mut Html) {
    if found.differing.is_empty() {
        return paragraph(html, "No run that both have differs.");
    }
    let mut columns: Vec<Column> = ["Scenario", "Mechanism", "Carbon policy"].map(Column::filter).to_vec();
    columns.extend([Column::words("Swept values and seed"), Column::filter("Figure")]);
    let key = |run: &Key, what: &str| {
        let swept: Vec<String> = run.swept.iter().map(|(path, value)| format!("{path} = {value}")).collect();
        let place = swept.into_iter().chain([format!("seed {}", run.seed)]).collect::<Vec<_>>().join(", ");
        [run.scenario.clone(), run.mechanism.clone(), run.policy.clone(), place, what.replace('_', " ")]
            .map(Cell::Words)
            .to_vec()
    };
    let mut ended: Vec<(String, Vec<Cell>)> = vec![];
    let mut rows: Vec<(String, Vec<Cell>)> = vec![];
    for run in &found.differing {
        let mut told = |what: &str, a: &str, b: &str| {
            let cell =
                |text: &str| Cell::Words(if text.is_empty() { "\u{2013}".to_owned() } else { text.replace('_', " ") });
            ended.push((String::new(), [key(&run.run, what), vec![cell(a), cell(b)]].concat()));
        };
        if run.status[0] != run.status[1] {
            told("status", run.status[0], run.status[1]);
        }
        for change in &run.verdicts {
            told(&change.what, &change.a, &change.b);
        }
        for figure in &run.figures {
            let change = figure.a.zip(figure.b).map(|(a, b)| b - a);
            let share = figure.a.zip(figure.b).and_then(|(a, b)| per_cent(a, b)).unwrap_or_default();
            let cells = vec![Cell::Number(figure.a), Cell::Number(figure.b), Cell::Number(change), Cell::Words(share)];
            rows.push((String::new(), [key(&run.run, figure.metric), cells].concat()));
        }
    }
    if !ended.is_empty() {
        let columns = [columns.clone(), ["A", "B"].map(Column::words).to_vec()].concat();
        let caption = "How runs ended, and verdicts of certificates.".to_owned();
        Table { id: "table-ended".to_owned(), caption, columns, rows: ended }.write(html);
    }
    if !rows.is_empty() {
        let count = rows.len();
        rows.truncate(MOST_ROWS);
        let which = if count > MOST_ROWS { format!(": the first {MOST_ROWS} of {count}") } else { String::new() };
        columns.extend(["A", "B", "B \u{2212} A"].map(|head| Column::number(head, "")));
        columns.push(Column::words("Change"));
        let caption = format!(
            "Figures that differ, runs with the greatest relative change first{which}. Units are those of `runs`."
        );
        Table { id: "table-differing".to_owned(), caption, columns, rows }.write(html);
    }
}
