//! Lists of mechanisms, policies and report rules: `"nash-bargaining"`, `NashBargaining(weights: Exponential)`, or either with a label.
//!
//! Knows the registry in the core, and no entry of it.

use crate::build::check_name;
use crate::fault::{Cause, Fault, did_you_mean};
use crate::outline::Node;
use crate::overrides::{ParameterPath, Root};
use crate::spec::Labelled;
use crate::text::{Text, options};
use coase_core::Mechanism;
use coase_core::engine::ReportRule;
use coase_core::open::{Open, camel_case};
use coase_core::policy::CarbonPolicy;
use ron::ser::PrettyConfig;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// An open kind of plugin whose variants an experiment lists.
pub(crate) trait Kind: Open {
    /// The field that holds it beside a label.
    const FIELD: &'static str;
    /// What one is called.
    const NAME: &'static str;

    fn id(&self) -> &'static str;

    /// As RON, readable by the same loader.
    fn written(&self) -> Result<String, ron::Error>;

    /// As JSON, for hashes.
    fn hashed(&self) -> Result<String, serde_json::Error>;
}

impl Kind for dyn Mechanism {
    const FIELD: &'static str = "mechanism";
    const NAME: &'static str = "mechanism";

    fn id(&self) -> &'static str {
        self.plugin().id
    }

    fn written(&self) -> Result<String, ron::Error> {
        options().to_string_pretty(self, PrettyConfig::new().depth_limit(0))
    }

    fn hashed(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl Kind for dyn CarbonPolicy {
    const FIELD: &'static str = "policy";
    const NAME: &'static str = "carbon policy";

    fn id(&self) -> &'static str {
        coase_core::policy::RegisteredPolicy::plugin(self).id
    }

    fn written(&self) -> Result<String, ron::Error> {
        options().to_string_pretty(self, PrettyConfig::new().depth_limit(0))
    }

    fn hashed(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl Kind for dyn ReportRule {
    const FIELD: &'static str = "reporting";
    const NAME: &'static str = "report rule";

    fn id(&self) -> &'static str {
        self.plugin().id
    }

    fn written(&self) -> Result<String, ron::Error> {
        options().to_string_pretty(self, PrettyConfig::new().depth_limit(0))
    }

    fn hashed(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// A plugin with its parameters and its label.
#[derive(Debug)]
pub(crate) struct Variant<T: ?Sized> {
    pub(crate) id: &'static str,
    pub(crate) label: String,
    pub(crate) plugin: Arc<T>,
    /// `Name(..)`, wherever it stands.
    text: Text,
}

impl<T: ?Sized> Clone for Variant<T> {
    fn clone(&self) -> Self {
        Self { id: self.id, label: self.label.clone(), plugin: self.plugin.clone(), text: self.text.clone() }
    }
}

impl<T: Kind + ?Sized> Variant<T>
where
    Box<T>: DeserializeOwned,
{
    /// Reads one element of a list.
    pub(crate) fn read(element: &Text) -> Result<Self, Fault> {
        let tree = element.outline();
        if let Some(tree) = tree.as_ref().filter(|tree| tree.name.is_none() && tree.field("label").is_some()) {
            return Self::labelled(element, tree);
        }
        let id = element.as_str().strip_prefix('"').and_then(|t| t.strip_suffix('"'));
        let (plugin, text) = match id.map(|id| (id, T::set().get(id))) {
            None => (Self::parse(element)?, element.clone()),
            Some((id, Some(entry))) => ((entry.default)(), element.replaced(&format!("{}()", camel_case(id)))),
            Some((id, None)) => {
                let cause = Cause::Unknown { kind: T::NAME, name: id.to_owned() };
                let hint = did_you_mean(id, T::set().ids()).unwrap_or_else(all_ids::<T>);
                return Err(element.fault("", cause).with_hint(hint));
            }
        };
        Ok(Self { id: plugin.id(), label: plugin.id().to_owned(), plugin: plugin.into(), text })
    }

    /// The same with a parameter set, where it has the parameter.
    pub(crate) fn with(&self, path: &[&str], value: &str) -> Option<Result<Self, Fault>> {
        // One of several is addressed by its label, which may hold dots.
        let whole = path.join(".");
        let own = whole.strip_prefix(&self.label).and_then(|rest| rest.strip_prefix('.'));
        let own: Option<Vec<&str>> = own.map(|rest| rest.split('.').collect());
        let path = own.as_deref().unwrap_or(path);
        // `None(..)` is RON's empty option: the policy of that name has no written parameters.
        if self.id == "none" || !self.fields().contains(path.first()?) {
            return None;
        }
        let text = self.opened(path).put(path, value).ok()?;
        // A wrapper has the parameters of what it wraps.
        let tree = text.outline()?;
        let lacks = |depth: usize| {
            let (node, reached) = tree.deepest(&path[..depth]);
            let id = T::set().ids().find(|id| node.name.as_deref() == Some(&*camel_case(id)));
            let fields = id.filter(|_| reached == depth).and_then(|id| T::set().get(id)).map(|entry| (entry.fields)());
            fields.is_some_and(|fields| !fields.contains(&path[depth]))
        };
        if (1..path.len()).any(lacks) {
            return None;
        }
        Some(Self::parse(&text).map(|plugin| Self { plugin: plugin.into(), text, ..self.clone() }))
    }

    /// Its text, all defaults written where a path goes through a parameter that is not, or is a mere id.
    fn opened(&self, path: &[&str]) -> Text {
        let is_open = path.len() < 2
            || self.text.outline().is_some_and(|tree| {
                let (node, depth) = tree.deepest(&path[..1]);
                depth == 1 && !self.text.as_str()[node.span.clone()].starts_with('"')
            });
        match self.plugin.written() {
            Ok(written) if !is_open => self.text.replaced(&written),
            _ => self.text.clone(),
        }
    }

    /// Names of its parameters.
    pub(crate) fn fields(&self) -> &'static [&'static str] {
        T::set().get(self.id).map_or(&[], |entry| (entry.fields)())
    }

    /// With all its parameters, as an element of a list.
    pub(crate) fn written(&self) -> Result<String, ron::Error> {
        // `None()` is not RON, and what has no parameters needs no brackets.
        let body = if self.fields().is_empty() || self.id == "none" {
            format!("{:?}", self.id)
        } else {
            self.plugin.written()?
        };
        let is_labelled = self.label != self.id;
        Ok(if is_labelled { format!("(label: {:?}, {}: {body})", self.label, T::FIELD) } else { body })
    }

    fn labelled(element: &Text, tree: &Node) -> Result<Self, Fault> {
        let form: Labelled = element.parse()?;
        let given = [
            ("mechanism", form.mechanism.is_some()),
            ("policy", form.policy.is_some()),
            ("reporting", form.reporting.is_some()),
        ];
        if let Some((other, _)) = given.iter().find(|(field, given)| *given && *field != T::FIELD) {
            return Err(
                element.fault(other, Cause::Unknown { kind: "field of this list's elements", name: (*other).into() })
            );
        }
        let Some(inner) = tree.field(T::FIELD) else {
            return Err(element.fault("", Cause::Missing { field: T::FIELD, why: "a label is the label of something" }));
        };
        if !form.label.starts_with(char::is_alphabetic) {
            let why = "labels begin with a letter";
            return Err(element.fault("label", Cause::Name { kind: "a label", name: form.label, why }));
        }
        check_name(element, "label", "a label", &form.label)?;
        Ok(Self { label: form.label, ..Self::read(&element.part(&inner.span))? })
    }

    fn parse(text: &Text) -> Result<Box<T>, Fault> {
        let word = text.as_str();
        let head = text.head();
        let id = T::set().ids().find(|id| camel_case(id) == head);
        // RON has a word of its own for nothing, and `none` is the name of a policy.
        if word == "None" {
            let expected = format!("a name with parameters, such as `{}`, or an id in quotes", example::<T>());
            let field = T::NAME.to_owned();
            let fault = text.fault("", Cause::Field { field, found: "None".to_owned(), expected });
            return Err(fault.with_hint(T::set().get("none").map(|_| "write \"none\" in quotes".to_owned())));
        }
        text.parse::<Box<T>>().map_err(|fault| {
            let is_bare = !word.contains('(') && word.starts_with(char::is_alphabetic);
            let bare = is_bare.then(|| format!("write `{head}()`, or its id in quotes"));
            // A value without a name: the names there are.
            let unnamed = matches!(&*fault.cause, Cause::Field { found, .. } if found.starts_with("given `"));
            let entry = id.filter(|_| unnamed).and_then(|id| T::set().get(id));
            let named = entry.map(|entry| format!("the parameters of `{head}` are {}", (entry.fields)().join(", ")));
            fault.with_hint(bare.or(named))
        })
    }
}

/// A name of the kind with its parentheses.
fn example<T: Kind + ?Sized>() -> String {
    T::set().ids().find(|id| *id != "none").map_or_else(String::new, |id| camel_case(id) + "()")
}

fn all_ids<T: Kind + ?Sized>() -> String {
    format!("there are {}", T::set().ids().collect::<Vec<_>>().join(", "))
}

/// What a path that leads nowhere may have meant: a parameter of a listed plugin, or how to go on in a scenario.
pub(crate) fn path_hint<'a>(
    path: &ParameterPath,
    mut scenarios: impl Iterator<Item = &'a Text>,
    mechanisms: &[Variant<dyn Mechanism>],
    policies: &[Variant<dyn CarbonPolicy>],
    rules: &[Variant<dyn ReportRule>],
) -> Option<String> {
    // What may follow the root: a parameter, or a label and then a parameter.
    fn of<T: Kind + ?Sized>(variants: &[Variant<T>]) -> (Vec<&str>, Vec<&str>)
    where
        Box<T>: DeserializeOwned,
    {
        let labels = variants.iter().map(|variant| variant.label.as_str()).collect();
        (labels, variants.iter().flat_map(Variant::fields).copied().collect())
    }
    let (labels, fields) = match path.root {
        Root::Mechanism => of(mechanisms),
        Root::Carbon => of(policies),
        Root::Reporting => of(rules),
        Root::Scenario => return scenarios.find_map(|scenario| way_on(path, scenario)),
        Root::Experiment => return None,
    };
    let parts = path.parts();
    let first = *parts.first()?;
    // Behind a label only its parameter can be wrong.
    if let (true, Some(second)) = (labels.contains(&first), parts.get(1)) {
        return did_you_mean(second, fields);
    }
    let meant = if parts.len() > 1 { did_you_mean(first, labels.iter().copied()) } else { None };
    meant.or_else(|| did_you_mean(first, fields))
}

/// How far a path leads in a scenario, and how it can go on there.
fn way_on(path: &ParameterPath, text: &Text) -> Option<String> {
    let (tree, parts) = (text.outline()?, path.parts());
    let (node, depth) = tree.deepest(&parts);
    let reached = ["scenario"].iter().chain(&parts[..depth]).copied().collect::<Vec<_>>().join(".");
    let ways = node.ways_on();
    let missing = parts.get(depth)?;
    if ways.is_empty() {
        return Some(format!("`{reached}` is a value without parts: the path ends there"));
    }
    let more = if ways.len() > MOST_WAYS { ", .." } else { "" };
    let shown: Vec<String> = ways.iter().take(MOST_WAYS).map(|way| format!("`{way}`")).collect();
    let meant =
        did_you_mean(missing, ways.iter().map(String::as_str)).map_or(String::new(), |hint| format!("; {hint}"));
    Some(format!("after `{reached}` comes {}{more}{meant}", shown.join(", ")))
}

/// Elements of a list that a hint names.
const MOST_WAYS: usize = 8;
