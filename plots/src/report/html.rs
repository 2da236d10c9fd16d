//! Writing HTML: everything that is said is escaped, and every element that is opened is closed.
//!
//! Knows nothing of results.

use crate::formula::{Quoted, quoted};
use std::fmt::Write as _;

/// Elements without content.
const VOID: [&str; 4] = ["br", "img", "link", "meta"];

/// Attributes by their names.
pub(crate) type Attributes<'a> = &'a [(&'a str, &'a str)];

/// A part of a page that is being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Html {
    text: String,
    open: Vec<&'static str>,
}

impl Html {
    /// Opens an element.
    pub fn open(&mut self, element: &'static str, attributes: Attributes) -> &mut Html {
        let _ = write!(self.text, "<{element}");
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"{}\"", escaped(value));
        }
        self.text.push('>');
        if !VOID.contains(&element) {
            self.open.push(element);
        }
        self
    }

    /// Closes the element that was opened last.
    pub fn close(&mut self) -> &mut Html {
        let element = self.open.pop().expect("invariant: what is closed was opened");
        let _ = write!(self.text, "</{element}>");
        if BLOCKS.contains(&element) {
            self.text.push('\n');
        }
        self
    }

    /// Says something.
    pub fn say(&mut self, words: &str) -> &mut Html {
        self.text.push_str(&escaped(words));
        self
    }

    /// An element that says something.
    pub fn element(&mut self, element: &'static str, attributes: Attributes, words: &str) -> &mut Html {
        self.open(element, attributes).say(words).close()
    }

    /// Text in which what stands between backticks is code.
    pub fn say_with_code(&mut self, words: &str) -> &mut Html {
        for (k, part) in words.split('`').enumerate() {
            if k % 2 == 1 {
                self.element("code", &[], part);
            } else {
                self.say(part);
            }
        }
        self
    }

    /// Text in which what stands between backticks is code, or a formula.
    pub fn say_with_formulas(&mut self, words: &str) -> &mut Html {
        for (k, part) in words.split('`').enumerate() {
            if k % 2 == 0 {
                self.say(part);
                continue;
            }
            match quoted(part) {
                Quoted::Code(code) => self.element("code", &[], &code),
                Quoted::Formula(formula) => self.raw(&formula.mathml()),
            };
        }
        self
    }

    /// Paragraphs with formulas, parted by empty lines; fenced ones stand as they are written.
    pub fn paragraphs(&mut self, words: &str) -> &mut Html {
        let mut lines = words.lines().peekable();
        let is_fence = |line: &str| line.trim_start().starts_with("```");
        while let Some(line) = lines.next() {
            if is_fence(line) {
                let mut fenced: Vec<&str> = vec![];
                for inner in lines.by_ref().take_while(|inner| !is_fence(inner)) {
                    fenced.push(inner);
                }
                self.element("pre", &[], &fenced.join("\n"));
            } else if !line.trim().is_empty() {
                let mut paragraph = line.trim().to_owned();
                while let Some(next) = lines.next_if(|next| !next.trim().is_empty() && !is_fence(next)) {
                    paragraph.push(' ');
                    paragraph.push_str(next.trim());
                }
                self.open("p", &[]).say_with_formulas(&paragraph).close();
            }
        }
        self
    }

    /// Data for the script, in JSON that holds nothing but what its writer lets in.
    pub fn json(&mut self, json: &str) -> &mut Html {
        self.open("script", &[("type", "application/json")]).raw(json).close()
    }

    /// What is HTML already: a style sheet, a script, a drawing.
    pub fn raw(&mut self, html: &str) -> &mut Html {
        self.text.push_str(html);
        self
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// The text, all elements closed.
    pub fn finished(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }
}

/// Elements that end their line, so that a page can be read and compared as text.
const BLOCKS: [&str; 22] = [
    "html", "head", "title", "style", "script", "body", "header", "main", "nav", "section", "article", "div", "p",
    "ul", "li", "table", "thead", "tbody", "tr", "figure", "details", "h2",
];

/// A text as content or in an attribute.
pub(crate) fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No control character but these is allowed in a page.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// What a reader reads of markup that was written here.
pub(crate) fn words(html: &str) -> String {
    let pieces = html
        .split('<')
        .enumerate()
        .map(|(k, piece)| if k == 0 { piece } else { piece.split_once('>').map_or("", |(_, words)| words) });
    let said = pieces.collect::<String>();
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(said, |said, (entity, c)| said.replace(entity, c))
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn what_is_said_is_escaped_and_what_is_opened_is_closed() {
        let mut html = Html::default();
        html.open("section", &[("id", "a\"b")]).element("b", &[], "x < y & z").open("br", &[]);
        html.open("p", &[]).say_with_code("use `a<b>` here");
        let expected =
            "<section id=\"a&quot;b\"><b>x &lt; y &amp; z</b><br><p>use <code>a&lt;b&gt;</code> here</p>\n</section>\n";
        assert_eq!(html.finished(), expected);
    }

    #[test]
    fn paragraphs_are_parted_by_empty_lines_and_fenced_ones_stay() {
        let mut html = Html::default();
        html.paragraphs("one\ntwo\n\n```text\na = b\n  c\n```\nthree");
        assert_eq!(html.finished(), "<p>one two</p>\n<pre>a = b\n  c</pre><p>three</p>\n");
    }
}
