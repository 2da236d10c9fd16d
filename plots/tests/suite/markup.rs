//! A parser of HTML that refuses what browsers would mend: elements that are not closed, attributes without quotes, and
//! characters that should have been escaped.

/// An element with what is in it.
#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    children: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Element(Element),
    Text(String),
}

const VOID: [&str; 4] = ["br", "img", "link", "meta"];
/// What is in these is not markup.
const RAW: [&str; 2] = ["script", "style"];

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// It and all elements in it.
    pub fn all(&self) -> Vec<&Element> {
        let inner = self.children.iter().filter_map(|c| if let Node::Element(e) = c { Some(e) } else { None });
        std::iter::once(self).chain(inner.flat_map(Element::all)).collect()
    }

    /// Elements of a name in it.
    pub fn find(&self, name: &str) -> Vec<&Element> {
        self.all().into_iter().filter(|e| e.name == name).collect()
    }

    /// Everything in it, be it read or run.
    pub fn raw(&self) -> String {
        let text = |child: &Node| if let Node::Text(text) = child { text.clone() } else { String::new() };
        self.children.iter().map(text).collect()
    }

    /// What a reader reads.
    pub fn text(&self) -> String {
        let of = |child: &Node| match child {
            Node::Text(text) => text.clone(),
            Node::Element(e) if RAW.contains(&e.name.as_str()) => String::new(),
            Node::Element(e) => e.text(),
        };
        self.children.iter().map(of).collect()
    }
}

/// The document in an element without a name.
///
/// # Errors
/// Where it is not well-formed, with what stands there.
pub fn parse(html: &str) -> Result<Element, String> {
    let mut rest = html.strip_prefix("<!DOCTYPE html>").ok_or("no document type")?;
    let mut open = vec![Element::default()];
    while !rest.is_empty() {
        let here = || rest.chars().take(80).collect::<String>();
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let text = unescaped(&rest[..end])?;
            last(&mut open).children.push(Node::Text(text));
            rest = &rest[end..];
            continue;
        };
        if let Some(closing) = tag.strip_prefix('/') {
            let end = closing.find('>').ok_or_else(here)?;
            let element = open.pop().ok_or_else(here)?;
            if element.name != closing[..end] || open.is_empty() {
                return Err(format!("`{}` is closed by {}", element.name, here()));
            }
            last(&mut open).children.push(Node::Element(element));
            rest = &closing[end + 1..];
            continue;
        }
        let (element, is_closed, after) = begun(tag).ok_or_else(|| format!("no tag: {}", here()))?;
        rest = after;
        if is_closed || VOID.contains(&element.name.as_str()) {
            last(&mut open).children.push(Node::Element(element));
        } else if RAW.contains(&element.name.as_str()) {
            let end = rest.find(&format!("</{}>", element.name)).ok_or("raw text without an end")?;
            let (raw, name) = (rest[..end].to_owned(), element.name.clone());
            last(&mut open).children.push(Node::Element(Element { children: vec![Node::Text(raw)], ..element }));
            rest = &rest[end + name.len() + 3..];
        } else {
            open.push(element);
        }
    }
    match open.len() {
        1 => Ok(open.remove(0)),
        _ => Err(format!("`{}` is not closed", last(&mut open).name)),
    }
}

fn last(open: &mut [Element]) -> &mut Element {
    open.last_mut().expect("the document itself stays open")
}

/// The element that begins behind `<`, whether it is closed at once, and what follows.
fn begun(tag: &str) -> Option<(Element, bool, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_');
    let end = tag.find(|c| !is_name(c))?;
    let (name, mut rest) = tag.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut attributes = vec![];
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>') {
            return Some((Element { name: name.to_owned(), attributes, children: vec![] }, false, after));
        }
        if let Some(after) = rest.strip_prefix("/>") {
            return Some((Element { name: name.to_owned(), attributes, children: vec![] }, true, after));
        }
        let end = rest.find(|c| !is_name(c)).filter(|end| *end > 0)?;
        let (attribute, after) = rest.split_at(end);
        let value = after.strip_prefix("=\"")?;
        let end = value.find('"')?;
        if value[..end].contains('<') || attributes.iter().any(|(name, _)| name == attribute) {
            return None;
        }
        attributes.push((attribute.to_owned(), unescaped(&value[..end]).ok()?));
        rest = &value[end + 1..];
    }
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let end = rest[at..].find(';').ok_or_else(|| format!("`&` is not escaped: {rest}"))? + at;
        out.push(match &rest[at..=end] {
            "&amp;" => '&',
            "&lt;" => '<',
            "&gt;" => '>',
            "&quot;" => '"',
            "&#39;" | "&apos;" => '\'',
            other => return Err(format!("no character is called {other}")),
        });
        rest = &rest[end + 1..];
    }
    if text.contains('>') {
        return Err(format!("`>` is not escaped: {text}"));
    }
    Ok(out + rest)
}
