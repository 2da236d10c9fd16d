//! Open sets of named variants in configuration: `NashBargaining(weights: Exponential)` without a central enum.
//!
//! Works with every self-describing enum syntax that serde knows (RON, JSON). Unknown names and unknown fields are errors
//! with the format's own position. Knows serde and nothing of markets.

mod registry;

pub use crate::declaration::fields;
pub use registry::{NotAdded, Registry};

use crate::declaration::Declaration;
use crate::words::intern;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// How one variant comes into being.
pub struct Entry<T: ?Sized + 'static> {
    /// Module that registered it.
    pub module: &'static str,
    /// Reads its parameters.
    pub parse: &'static Parse<T>,
    /// With all parameters at their defaults.
    pub default: &'static (dyn Fn() -> Box<T> + Send + Sync),
    /// Names of its parameters.
    pub fields: &'static (dyn Fn() -> &'static [&'static str] + Send + Sync),
    /// What its parameters are.
    pub schema: &'static (dyn Fn(&mut SchemaGenerator) -> Schema + Send + Sync),
}

/// Reads the parameters of a variant. A closure, not a function: what makes a variant of another language has to know of which
/// class.
pub type Parse<T> =
    dyn Fn(&mut dyn erased_serde::Deserializer<'_>) -> Result<Box<T>, erased_serde::Error> + Send + Sync;

impl<T: ?Sized + 'static> Entry<T> {
    /// Meaning, unit, default, range and variants of its parameters.
    pub fn declaration(&self) -> Declaration {
        Declaration::read(self.schema, (self.fields)())
    }
}

/// All variants of a kind, sorted by id.
pub struct Set<T: Open + ?Sized> {
    kind: &'static str,
    names: Vec<&'static str>,
    plugins: Vec<&'static T::Plugin>,
    clashes: Vec<Clash>,
}

/// Two variants of a kind with one id: a fault of the program's crates, not of its input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "two plugins have the id `{id}` ({kind}): one is of the crate `{}` (module `{first}`), the other of the crate `{}` (module \
     `{second}`): give one of them another id",
    crate_of(first),
    crate_of(second)
)]
pub struct Clash {
    /// What they are.
    pub kind: &'static str,
    /// Their id.
    pub id: &'static str,
    /// Module that registered one of them.
    pub first: &'static str,
    /// Module that registered the other.
    pub second: &'static str,
}

fn crate_of(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

impl<T: Open + ?Sized> Set<T> {
    /// Collects the variants of a kind. Of two with one id neither can be meant: see [`Set::clashes`].
    pub fn new(kind: &'static str, all: impl Iterator<Item = &'static T::Plugin>) -> Self {
        let mut plugins: Vec<_> = all.collect();
        plugins.sort_by_key(|plugin| {
            let (id, entry) = T::entry(plugin);
            (id, entry.module)
        });
        let clash = |pair: &[&'static T::Plugin]| {
            let ((id, first), (next, second)) = (T::entry(pair[0]), T::entry(pair[1]));
            (id == next).then_some(Clash { kind, id, first: first.module, second: second.module })
        };
        let clashes = plugins.windows(2).filter_map(clash).collect();
        // Formats want names that live as long as the program.
        let names = plugins.iter().map(|plugin| intern(&camel_case(T::entry(plugin).0))).collect();
        Self { kind, names, plugins, clashes }
    }

    /// Variants with one id. A program that has some says so and does nothing else; where it goes on, the id is refused.
    pub fn clashes(&self) -> &[Clash] {
        &self.clashes
    }

    /// What the variants are called together, as in error messages.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// All ids in order.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.entries().map(|e| e.0)
    }

    /// What all of them say of themselves, by their ids.
    pub fn plugins(&self) -> impl Iterator<Item = &'static T::Plugin> + '_ {
        self.plugins.iter().copied()
    }

    /// The variant with an id.
    pub fn get(&self, id: &str) -> Option<&'static Entry<T>> {
        self.entries().find(|e| e.0 == id).map(|e| e.1)
    }

    fn entries(&self) -> impl Iterator<Item = (&'static str, &'static Entry<T>)> + '_ {
        self.plugins().map(T::entry)
    }

    fn clash(&self, name: &str) -> Option<&Clash> {
        self.clashes.iter().find(|clash| camel_case(clash.id) == name)
    }

    fn named(&self, name: &str) -> Option<&'static Entry<T>> {
        self.names.iter().position(|n| *n == name).map(|k| T::entry(self.plugins[k]).1)
    }
}

/// Implemented for `dyn Trait`: where its variants are.
pub trait Open: 'static {
    /// What a variant says of itself.
    type Plugin: Sync + 'static;

    /// Where its variants are registered.
    fn registry() -> &'static Registry<Self>;

    /// The id of a variant, and how it comes into being.
    fn entry(plugin: &'static Self::Plugin) -> (&'static str, &'static Entry<Self>);

    /// All variants that are registered now.
    fn set() -> &'static Set<Self> {
        Self::registry().now()
    }
}

/// Whether a text can be an id: words of small letters and digits that begin with a letter, joined by `-`. No two such ids
/// have the same name in CamelCase.
pub const fn is_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut k = 0;
    let mut begins = true;
    while k < bytes.len() {
        let fits = match bytes[k] {
            b'a'..=b'z' => true,
            b'0'..=b'9' | b'-' => !begins,
            _ => false,
        };
        if !fits {
            return false;
        }
        begins = bytes[k] == b'-';
        k += 1;
    }
    !begins
}

/// `nash-bargaining` to `NashBargaining`.
pub fn camel_case(id: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    id.split('-').map(capital).collect()
}

/// Reads a variant: an enum whose variants are the registered names.
///
/// # Errors
/// The format's own, for unknown names, unknown fields and wrong values.
pub fn deserialize<'de, T: Open + ?Sized, D: Deserializer<'de>>(deserializer: D) -> Result<Box<T>, D::Error> {
    deserializer.deserialize_enum(T::set().kind, &[], AnyVariant(PhantomData))
}

/// Writes a variant so that [`deserialize`] reads it back.
///
/// # Errors
/// The format's own.
pub fn serialize<T, S>(id: &str, body: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Open + erased_serde::Serialize + ?Sized,
    S: Serializer,
{
    struct Body<'a, T: ?Sized>(&'a T);
    impl<T: erased_serde::Serialize + ?Sized> Serialize for Body<'_, T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            erased_serde::serialize(self.0, serializer)
        }
    }
    let set = T::set();
    let position = set.ids().position(|known| known == id);
    let name =
        position.map(|k| set.names[k]).ok_or_else(|| serde::ser::Error::custom(format!("`{id}` is not registered")))?;
    // The name of the enum, which formats write nowhere but check; `kind` is a phrase.
    serializer.serialize_newtype_variant("Variant", 0, name, &Body(body))
}

/// Reads the parameters of a concrete variant; used by registration macros.
///
/// # Errors
/// Unknown fields and wrong values.
pub fn parse<T: for<'a> Deserialize<'a>>(
    deserializer: &mut dyn erased_serde::Deserializer<'_>,
) -> Result<T, erased_serde::Error> {
    erased_serde::deserialize(deserializer)
}

/// The schema of a variant: an id in quotes, or a name with its parameters.
pub fn schema<T: Open + ?Sized>(generator: &mut SchemaGenerator) -> Schema {
    let ids: Vec<&str> = T::set().ids().collect();
    let by_id = json_schema!({"type": "string", "enum": ids, "description": "An id with all defaults."});
    let all: Vec<Schema> = std::iter::once(by_id).chain(forms::<T>(generator)).collect();
    either::<T>(&all)
}

/// The schema of a variant of a kind that has no defaults: a name with its parameters.
pub fn schema_of_forms<T: Open + ?Sized>(generator: &mut SchemaGenerator) -> Schema {
    either::<T>(&forms::<T>(generator))
}

fn either<T: Open + ?Sized>(all: &[Schema]) -> Schema {
    let kind = T::set().kind;
    json_schema!({"oneOf": all, "description": format!("A {kind}."), "x-form": kind})
}

fn forms<T: Open + ?Sized>(generator: &mut SchemaGenerator) -> Vec<Schema> {
    let set = T::set();
    let mut all = vec![];
    for (name, (_, entry)) in set.names.iter().zip(set.entries()) {
        let parameters = BTreeMap::from([(*name, (entry.schema)(generator))]);
        all.push(json_schema!({"type": "object", "properties": parameters, "required": [name], "additionalProperties": false}));
    }
    all
}

struct AnyVariant<T: ?Sized>(PhantomData<T>);

impl<'de, T: Open + ?Sized> Visitor<'de> for AnyVariant<T> {
    type Value = Box<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}", T::set().kind)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Box<T>, A::Error> {
        let (entry, body) = access.variant_seed(VariantName(PhantomData))?;
        body.newtype_variant_seed(VariantBody(entry))
    }
}

struct VariantName<T: ?Sized>(PhantomData<T>);

impl<'de, T: Open + ?Sized> DeserializeSeed<'de> for VariantName<T> {
    type Value = &'static Entry<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T: Open + ?Sized> Visitor<'_> for VariantName<T> {
    type Value = &'static Entry<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of a {}", T::set().kind)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        if let Some(clash) = T::set().clash(name) {
            return Err(E::custom(clash));
        }
        // A typed error: the format reports it exactly like a misspelt variant of a closed enum.
        T::set().named(name).ok_or_else(|| E::unknown_variant(name, &T::set().names))
    }
}

struct VariantBody<T: ?Sized + 'static>(&'static Entry<T>);

impl<'de, T: ?Sized> DeserializeSeed<'de> for VariantBody<T> {
    type Value = Box<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Box<T>, D::Error> {
        (self.0.parse)(&mut <dyn erased_serde::Deserializer<'_>>::erase(deserializer)).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Clash, Entry, Open, Registry, Set, camel_case, is_id};
    use schemars::Schema;

    /// A kind of plugin that says its id and nothing else.
    pub(super) struct Plain;

    pub(super) struct PlainPlugin {
        id: &'static str,
        entry: Entry<Plain>,
    }

    impl Open for Plain {
        type Plugin = PlainPlugin;

        fn registry() -> &'static Registry<Self> {
            static NONE: Registry<Plain> = Registry::new("rule", Vec::new);
            &NONE
        }

        fn entry(plugin: &'static PlainPlugin) -> (&'static str, &'static Entry<Self>) {
            (plugin.id, &plugin.entry)
        }
    }

    pub(super) fn plugin(id: &'static str, module: &'static str) -> &'static PlainPlugin {
        let entry = Entry {
            module,
            parse: &|_| Ok(Box::new(Plain)),
            default: &|| Box::new(Plain),
            fields: &|| &[],
            schema: &|_| Schema::default(),
        };
        Box::leak(Box::new(PlainPlugin { id, entry }))
    }

    #[test]
    fn ids_are_words_joined_by_hyphens() {
        for id in ["tax", "nash-bargaining", "n1-secure", "k-double-auction"] {
            assert!(is_id(id), "{id}");
        }
        for text in ["", "-", "a-", "-a", "a--b", "A", "a_b", "1a", "a-1", "é", "a b"] {
            assert!(!is_id(text), "{text}");
        }
    }

    #[test]
    fn two_variants_with_one_id_are_an_error_that_names_both_crates() {
        let all = [plugin("b", "two::b"), plugin("a", "one::a"), plugin("b", "one")];
        let set = Set::<Plain>::new("rule", all.into_iter());
        assert_eq!(set.clashes(), [Clash { kind: "rule", id: "b", first: "one", second: "two::b" }]);
        let said = set.clashes()[0].to_string();
        assert!(said.contains("`one`") && said.contains("`two`") && said.contains("`b`"), "{said}");
    }

    #[test]
    fn ids_become_type_names() {
        assert_eq!(camel_case("nash-bargaining"), "NashBargaining");
        assert_eq!(camel_case("vcg"), "Vcg");
    }
}
