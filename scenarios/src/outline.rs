//! Where things stand in a RON text: the tree of its fields, lists and maps, with their places and without their types.
//!
//! Serves two purposes: a fault that is found after reading points at its line, and `--set` and sweeps put a value in its
//! place before reading. Knows RON's brackets and nothing of scenarios.

use std::fmt;
use std::ops::Range;

/// A value in the text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Where it stands, without surrounding blanks.
    pub(crate) span: Range<usize>,
    /// The word before its bracket: a struct's or variant's name.
    pub(crate) name: Option<String>,
    kind: Kind,
}

/// `inside` is where the inside of the brackets begins.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// Number, word, or what a string holds.
    Plain(String),
    /// `(a: 1, b: 2)`, or `()`.
    Fields { inside: usize, fields: Vec<(String, Node)> },
    /// `[1, 2]` or `(1, 2)`.
    Items(Vec<Node>),
    /// `{"a": 1}`.
    Entries { inside: usize, entries: Vec<(String, Node)> },
}

/// Nothing in the text answers to a path, nor could it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoSuchPlace;

/// The tree of a text that RON accepts; `None` if it is not RON.
pub(crate) fn outline(text: &str) -> Option<Node> {
    Reader { text, at: beginning(text), depth: 0 }.value()
}

/// Where the value begins: after comments and `#![enable(..)]`.
pub(crate) fn beginning(text: &str) -> usize {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.skip_blanks();
    while reader.rest().starts_with("#!") {
        reader.at += reader.rest().find(']').map_or(reader.rest().len(), |end| end + 1);
        reader.skip_blanks();
    }
    reader.at
}

/// The text with `value` put at `path`: instead of what is there, or as a new field of the struct or map that the path
/// leads to.
pub(crate) fn put(text: &str, path: &[&str], value: &str) -> Result<String, NoSuchPlace> {
    let tree = outline(text).ok_or(NoSuchPlace)?;
    let (node, depth) = tree.deepest(path);
    let missing = &path[depth..];
    // `a: (b: VALUE)` for what is not there yet.
    let nested = |parts: &[&str]| parts.iter().rev().fold(value.to_owned(), |inner, part| format!("({part}: {inner})"));
    let (span, insert) = match (missing, &node.innermost().kind) {
        ([], _) => (node.span.clone(), value.to_owned()),
        ([first, rest @ ..], Kind::Fields { inside, .. }) => (*inside..*inside, format!("{first}: {}, ", nested(rest))),
        ([key], Kind::Entries { inside, .. }) => (*inside..*inside, format!("{key:?}: {value}, ")),
        (parts, Kind::Plain(word)) if word == "None" => (node.span.clone(), nested(parts)),
        _ => return Err(NoSuchPlace),
    };
    Ok(format!("{}{insert}{}", &text[..span.start], &text[span.end..]))
}

/// A step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A field or a key.
    Name(String),
    /// A position in a list.
    Position(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Name(name) => f.write_str(name),
            Step::Position(position) => write!(f, "{position}"),
        }
    }
}

impl Node {
    /// The values around an offset, from the whole to the innermost, each with the step that leads to it.
    pub(crate) fn way_to(&self, at: usize) -> Vec<(Option<Step>, &Node)> {
        let mut way = vec![(None, self)];
        let mut here = self;
        let around = |node: &Node| node.span.start <= at && at < node.span.end;
        loop {
            let next = match &here.kind {
                Kind::Plain(_) => None,
                Kind::Fields { fields: children, .. } | Kind::Entries { entries: children, .. } => {
                    let child = children.iter().find(|(_, node)| around(node));
                    child.map(|(name, node)| (Some(Step::Name(name.clone())), node))
                }
                Kind::Items(items) => {
                    let child = items.iter().enumerate().find(|(_, node)| around(node));
                    // What a name wraps alone is no element of a list.
                    let is_wrapped = here.name.is_some() && items.len() == 1;
                    child.map(|(k, node)| ((!is_wrapped).then_some(Step::Position(k)), node))
                }
            };
            let Some((step, node)) = next else { return way };
            way.push((step, node));
            here = node;
        }
    }

    /// Whether it is `(a: 1, b: 2)`, or `()`.
    pub(crate) fn has_fields(&self) -> bool {
        matches!(self.kind, Kind::Fields { .. })
    }

    /// The deepest place on a path that exists, and how many of the path's parts led there. A part is a field, a key, a
    /// position in a list, the `id` or `label` of a list element, or its name where no other has it (`Pv`); `Some(..)` and
    /// other wrappers of one value are looked through.
    pub(crate) fn deepest(&self, path: &[&str]) -> (&Node, usize) {
        let mut here = self;
        for (depth, part) in path.iter().enumerate() {
            match here.child(part) {
                Some(child) => here = child,
                None => return (here, depth),
            }
        }
        (here, path.len())
    }

    /// The elements of a list.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::Items(items) => items,
            _ => &[],
        }
    }

    /// As JSON: `Name(a: 1)` is `{"Name": {"a": 1}}`, `Name` is `"Name"`, and `Some(x)` is `x`.
    #[cfg(test)]
    pub(crate) fn json(&self, text: &str) -> serde_json::Value {
        use serde_json::Value;
        let of = |children: &[(String, Node)]| -> Value {
            children
                .iter()
                .map(|(name, node)| (name.clone(), node.json(text)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let is_quoted = text[self.span.clone()].starts_with('"');
        let body = match &self.kind {
            Kind::Plain(word) if is_quoted => word.as_str().into(),
            Kind::Plain(word) if word == "None" => Value::Null,
            Kind::Plain(word) => serde_json::from_str(word)
                .or_else(|_| word.parse::<f64>().map(Value::from))
                .unwrap_or_else(|_| word.as_str().into()),
            Kind::Fields { fields: children, .. } | Kind::Entries { entries: children, .. } => of(children),
            Kind::Items(items) if self.name.is_some() && items.len() == 1 => items[0].json(text),
            Kind::Items(items) => items.iter().map(|item| item.json(text)).collect(),
        };
        match self.name.as_deref() {
            None | Some("Some") => body,
            Some(name) => serde_json::Map::from_iter([(name.to_owned(), body)]).into(),
        }
    }

    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Fields { fields, .. } => fields.iter().find(|f| f.0 == name).map(|f| &f.1),
            _ => None,
        }
    }

    fn child(&self, part: &str) -> Option<&Node> {
        match &self.innermost().kind {
            Kind::Plain(_) => None,
            Kind::Fields { fields: children, .. } | Kind::Entries { entries: children, .. } => {
                children.iter().find(|c| c.0 == part).map(|c| &c.1)
            }
            Kind::Items(items) => match part.parse::<usize>() {
                Ok(position) => items.get(position),
                Err(_) => items.iter().find(|item| item.answers_to(part)).or_else(|| {
                    let mut called = items.iter().filter(|item| item.name.as_deref() == Some(part));
                    called.next().filter(|_| called.next().is_none())
                }),
            },
        }
    }

    /// By which parts a path can go on from here into a list: ids, labels or names where they tell elements apart, else
    /// positions. Empty where it is no list.
    pub(crate) fn ways_on(&self) -> Vec<String> {
        let items = self.innermost().items();
        let word = |item: &Node| {
            let key = ["id", "label"].iter().find_map(|key| item.field(key));
            match key.map(|field| &field.kind) {
                Some(Kind::Plain(word)) => Some(word.clone()),
                _ => item.name.clone(),
            }
        };
        let leads_to = |part: &str, item: &Node| self.child(part).is_some_and(|found| found.span == item.span);
        let of = |(k, item): (usize, &Node)| match word(item) {
            Some(word) if leads_to(&word, item) => word,
            Some(word) => format!("{k} ({word})"),
            None => k.to_string(),
        };
        items.iter().enumerate().map(of).collect()
    }

    /// What `Some(..)`, `Pv((..))` and the like wrap.
    fn innermost(&self) -> &Node {
        match &self.kind {
            Kind::Items(items) if self.name.is_some() && items.len() == 1 => items[0].innermost(),
            _ => self,
        }
    }

    fn answers_to(&self, id: &str) -> bool {
        ["id", "label"]
            .iter()
            .any(|key| matches!(self.field(key).map(|f| &f.kind), Some(Kind::Plain(word)) if word == id))
    }
}

/// Brackets within brackets beyond which a text is not read, as in RON itself.
const DEEPEST: usize = 128;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += block_comment(trimmed);
            } else {
                return;
            }
        }
    }

    fn eat(&mut self, token: char) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(token);
        if found {
            self.at += token.len_utf8();
        }
        found
    }

    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_alphanumeric() || "_.+-".contains(c))).unwrap_or(rest.len());
        self.at += length;
        (length > 0).then(|| &rest[..length])
    }

    fn value(&mut self) -> Option<Node> {
        self.skip_blanks();
        let start = self.at;
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let (name, kind) = match self.peek()? {
            '"' | '\'' => (None, Kind::Plain(self.quoted()?)),
            'r' if is_raw_string(self.rest()) => (None, Kind::Plain(self.raw_string()?)),
            '[' => (None, self.list()?),
            '{' => (None, self.map()?),
            '(' => (None, self.parentheses()?),
            _ => {
                let word = self.word()?.to_owned();
                let end = self.at;
                self.skip_blanks();
                if self.peek() == Some('(') {
                    (Some(word), self.parentheses()?)
                } else {
                    self.at = end;
                    (None, Kind::Plain(word))
                }
            }
        };
        self.depth -= 1;
        Some(Node { span: start..self.at, name, kind })
    }

    fn quoted(&mut self) -> Option<String> {
        let rest = self.rest();
        let quote = rest.chars().next()?;
        let mut escaped = false;
        for (k, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == quote => {
                    self.at += k + c.len_utf8();
                    return Some(rest[1..k].to_owned());
                }
                _ => {}
            }
        }
        None
    }

    fn raw_string(&mut self) -> Option<String> {
        let rest = self.rest();
        let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
        let open = 2 + hashes;
        let close = format!("\"{}", "#".repeat(hashes));
        let length = rest[open..].find(&close)?;
        self.at += open + length + close.len();
        Some(rest[open..open + length].to_owned())
    }

    fn list(&mut self) -> Option<Kind> {
        self.at += 1;
        self.items(']').map(Kind::Items)
    }

    fn items(&mut self, close: char) -> Option<Vec<Node>> {
        let mut items = vec![];
        while !self.eat(close) {
            items.push(self.value()?);
            if !self.eat(',') && !self.eat(close) {
                return None;
            } else if self.text[..self.at].ends_with(close) {
                break;
            }
        }
        Some(items)
    }

    fn map(&mut self) -> Option<Kind> {
        self.at += 1;
        let inside = self.at;
        let mut entries = vec![];
        while !self.eat('}') {
            let Kind::Plain(key) = self.value()?.kind else { return None };
            if !self.eat(':') {
                return None;
            }
            entries.push((key, self.value()?));
            if !self.eat(',') {
                if self.eat('}') {
                    break;
                }
                return None;
            }
        }
        Some(Kind::Entries { inside, entries })
    }

    fn parentheses(&mut self) -> Option<Kind> {
        self.at += 1;
        let inside = self.at;
        if self.eat(')') {
            return Some(Kind::Fields { inside, fields: vec![] });
        }
        if !self.begins_with_field() {
            return self.items(')').map(Kind::Items);
        }
        let mut fields = vec![];
        while !self.eat(')') {
            self.skip_blanks();
            let name = self.word()?.to_owned();
            if !self.eat(':') {
                return None;
            }
            fields.push((name, self.value()?));
            if !self.eat(',') {
                if self.eat(')') {
                    break;
                }
                return None;
            }
        }
        Some(Kind::Fields { inside, fields })
    }

    fn begins_with_field(&self) -> bool {
        let mut ahead = Reader { text: self.text, at: self.at, depth: 0 };
        ahead.skip_blanks();
        ahead.word().is_some() && ahead.eat(':')
    }
}

fn is_raw_string(text: &str) -> bool {
    text[1..].trim_start_matches('#').starts_with('"')
}

/// Length of the nested comment that the text begins with.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{NoSuchPlace, beginning, outline, put};

    const TEXT: &str = r##"// a comment (with brackets
#![enable(implicit_some)]
Scenario( /* an /* inner */ one */
    name: "a, \"b\") ", network: Some((source: "ieee-33", branch_limit_kva: {"5-6": 800})),
    participants: [
        (id: "vpp1", devices: [Pv(p_max_kw: 1500), Load(p_kw: [1, 2])]),
        (id: "vpp2", devices: []),
    ],
    damage: None, raw: r#"x ] y"#, empty: Fixed(),
)"##;

    fn at(path: &str) -> &'static str {
        let parts: Vec<&str> = path.split('.').collect();
        let tree = outline(TEXT).unwrap();
        let (node, depth) = tree.deepest(&parts);
        assert_eq!(depth, parts.len(), "{path}");
        &TEXT[node.span.clone()]
    }

    #[test]
    fn places_are_found_by_field_position_id_and_key() {
        assert_eq!(at("name"), r#""a, \"b\") ""#);
        assert_eq!(at("participants.vpp1.devices.0.p_max_kw"), "1500");
        assert_eq!(at("participants.0.devices.1.p_kw.1"), "2");
        assert_eq!(at("participants.vpp1.devices.Pv.p_max_kw"), "1500");
        assert_eq!(at("network.source"), "\"ieee-33\"");
        assert_eq!(at("network.branch_limit_kva.5-6"), "800");
        assert_eq!(at("raw"), "r#\"x ] y\"#");
        assert!(TEXT[beginning(TEXT)..].starts_with("Scenario"));
    }

    #[test]
    fn what_is_not_there_ends_at_its_parent() {
        let tree = outline(TEXT).unwrap();
        let (node, depth) = tree.deepest(&["participants", "vpp2", "bus"]);
        assert_eq!((&TEXT[node.span.clone()], depth), (r#"(id: "vpp2", devices: [])"#, 2));
    }

    #[test]
    fn a_name_that_two_elements_have_is_no_place_and_positions_tell_them_apart() {
        let text = "[Pv(a: 1), Load(p: 2), Load(p: 3), (id: \"x\"), 5]";
        let tree = outline(text).unwrap();
        assert_eq!(tree.ways_on(), ["Pv", "1 (Load)", "2 (Load)", "x", "4"]);
        assert_eq!(tree.deepest(&["Load", "p"]).1, 0);
        assert_eq!(tree.deepest(&["2", "p"]).1, 2);
        assert!(outline("(a: 1)").unwrap().ways_on().is_empty());
    }

    #[test]
    fn values_are_put_in_place() {
        let with = |path: &str, value| put(TEXT, &path.split('.').collect::<Vec<_>>(), value);
        assert!(with("participants.vpp1.devices.0.p_max_kw", "7").unwrap().contains("Pv(p_max_kw: 7)"));
        assert!(with("participants.vpp2.bus", "3").unwrap().contains(r#"(bus: 3, id: "vpp2""#));
        assert!(with("network.load_scale", "0.5").unwrap().contains("Some((load_scale: 0.5, source"));
        assert!(with("network.branch_limit_kva.1-2", "9").unwrap().contains(r#"{"1-2": 9, "5-6""#));
        assert!(with("damage.a.b", "1").unwrap().contains("damage: (a: (b: 1))"));
        assert!(with("evidence.core", "true").unwrap().contains("evidence: (core: true), "));
        assert!(with("empty.x", "1").unwrap().contains("Fixed(x: 1, )"));
        assert_eq!(with("participants.vpp9.bus", "3"), Err(NoSuchPlace));
        assert_eq!(with("name.x", "3"), Err(NoSuchPlace));
    }
}
