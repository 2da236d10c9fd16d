//! The gallery: what the library's experiments find, what every kind of figure looks like, and what is reproduced of which paper.
//!
//! Three views on one page, of what a caller ran and drew; cards lead to the pages of results. Knows no experiment by name.

use super::html::Html;
use super::table::{Cell, Column, Table, copied};
use super::{begin, finish, open_section, paragraph};

/// What is shown.
#[derive(Clone, Debug, Default)]
pub struct Gallery {
    /// What a reader must know of all runs, such as a shortened horizon.
    pub note: String,
    pub cards: Vec<Card>,
    pub kinds: Vec<Kind>,
    pub papers: Vec<Paper>,
    /// Experiments that were not run, and why.
    pub left_out: Vec<String>,
}

/// A picture in a file beside the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Its address.
    pub file: String,
    /// Its caption.
    pub caption: String,
}

/// An experiment.
#[derive(Clone, Debug, Default)]
pub struct Card {
    pub id: String,
    pub question: String,
    pub answer: String,
    /// Wall time of its runs, s.
    pub seconds: f64,
    pub runs: usize,
    /// Without an answer.
    pub unanswered: usize,
    pub command: String,
    /// Address of its page.
    pub report: String,
    pub picture: Option<Shown>,
    /// What it can be found by.
    pub mechanisms: Vec<String>,
    pub policies: Vec<String>,
    pub networks: Vec<String>,
    pub kinds: Vec<String>,
}

/// A kind of figure.
#[derive(Clone, Debug, Default)]
pub struct Kind {
    pub name: String,
    /// When to use it.
    pub when: String,
    /// The experiment that draws it, as a file; where it is one of the library, its command.
    pub source: String,
    pub picture: Shown,
    /// Drawn of many participants, of one, of runs that failed: what it is of, and the picture.
    pub awkward: Option<(String, Shown)>,
}

/// A page that holds a paper's statements against runs.
#[derive(Clone, Debug, Default)]
pub struct Paper {
    pub id: String,
    pub title: String,
    /// What is not the paper's own; empty where the page does not say.
    pub reconstruction: String,
    /// Heads of the table, and its rows.
    pub heads: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// The page.
pub fn gallery_page(of: &Gallery) -> String {
    let contents = [("experiments", "By experiment"), ("kinds", "By kind of figure"), ("papers", "By paper")];
    let listed: Vec<(&str, &str)> =
        contents.into_iter().filter(|(id, _)| *id != "kinds" || !of.kinds.is_empty()).collect();
    let mut html = Html::default();
    begin(&mut html, "Gallery", &listed);
    html.open("header", &[]).element("h1", &[], "Gallery");
    paragraph(
        &mut html,
        "What Coase answers and draws: every experiment of its library, every kind of figure, every paper that is held against runs.",
    );
    if !of.note.is_empty() {
        html.open("div", &[("class", "note")]);
        paragraph(&mut html, &of.note);
        html.close();
    }
    html.close();
    open_section(&mut html, contents[0].0, contents[0].1);
    html.open("div", &[("class", "cards"), ("data-cards", "1")]);
    for card in &of.cards {
        write_card(card, &mut html);
    }
    html.close();
    if !of.left_out.is_empty() {
        paragraph(&mut html, &format!("Not run: {}.", of.left_out.join("; ")));
    }
    html.close();
    if !of.kinds.is_empty() {
        open_section(&mut html, contents[1].0, contents[1].1);
        for kind in &of.kinds {
            write_kind(kind, &mut html);
        }
        html.close();
    }
    open_section(&mut html, contents[2].0, contents[2].1);
    paragraph(
        &mut html,
        "Statements of papers with what runs say of them, as the pages of results have them: every number there is read from full runs.",
    );
    for paper in &of.papers {
        write_paper(paper, &mut html);
    }
    html.close();
    finish(html)
}

fn write_card(card: &Card, html: &mut Html) {
    let joined = |names: &[String]| names.join("|");
    let (mechanisms, policies) = (joined(&card.mechanisms), joined(&card.policies));
    let (networks, kinds) = (joined(&card.networks), joined(&card.kinds));
    let id = format!("experiment-{}", card.id);
    html.open(
        "article",
        &[
            ("class", "card"),
            ("id", &id),
            ("data-mechanism", &mechanisms),
            ("data-policy", &policies),
            ("data-network", &networks),
            ("data-kind", &kinds),
        ],
    );
    html.open("h3", &[]).element("a", &[("href", &card.report)], &card.id).close();
    if let Some(Shown { file, caption }) = &card.picture {
        html.open("a", &[("href", &card.report)]);
        html.open("img", &[("src", file), ("alt", caption), ("loading", "lazy")]).close();
    }
    html.open("p", &[("class", "asked")]).say_with_code(&card.question).close();
    paragraph(html, &card.answer);
    let failed = if card.unanswered > 0 { format!(", {} without an answer", card.unanswered) } else { String::new() };
    paragraph(html, &format!("{} runs{failed}, {:.1} s.", card.runs, card.seconds));
    html.open("p", &[]).element("code", &[], &card.command).close().close();
}

fn write_kind(kind: &Kind, html: &mut Html) {
    let id = format!("kind-{}", kind.name);
    html.open("article", &[("class", "kind"), ("id", &id)]);
    html.open("h3", &[]).element("code", &[], &kind.name);
    html.say(" ")
        .element("a", &[("class", "here"), ("href", &format!("#{id}")), ("aria-label", "Link to this kind")], "#")
        .close();
    if !kind.when.is_empty() {
        paragraph(html, &kind.when);
    }
    copied(html, "source", &kind.source);
    picture(&kind.picture, html);
    if let Some((of, shown)) = &kind.awkward {
        html.open("details", &[]).element("summary", &[], &format!("The same, of {of}"));
        picture(shown, html);
        html.close();
    }
    html.close();
}

fn picture(shown: &Shown, html: &mut Html) {
    html.open("figure", &[]).open("a", &[("href", &shown.file)]);
    html.open("img", &[("src", &shown.file), ("alt", &shown.caption), ("loading", "lazy")]).close();
    html.element("figcaption", &[], &shown.caption).close();
}

fn write_paper(paper: &Paper, html: &mut Html) {
    let id = format!("paper-{}", paper.id);
    html.open("article", &[("id", &id)]).element("h3", &[], &paper.title);
    if !paper.reconstruction.is_empty() {
        html.open("p", &[])
            .element("b", &[], "What is reconstruction.")
            .say(" ")
            .say_with_code(&paper.reconstruction)
            .close();
    }
    let column = |head: &String| if head == "verdict" { Column::filter(head) } else { Column::words(head) };
    let columns = paper.heads.iter().map(column);
    Table {
        id: format!("table-{}", paper.id),
        caption: format!("Statements and what runs say of them; the page is `docs/{}.md`.", paper.id),
        columns: columns.collect(),
        rows: paper.rows.iter().map(|row| (String::new(), row.iter().cloned().map(Cell::Words).collect())).collect(),
    }
    .write(html);
    html.close();
}
