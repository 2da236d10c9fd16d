//! Open sets of named variants in configuration: `NashBargaining(weights: Exponential)` without a central enum.
//!
//! Works with every self-describing enum syntax that serde knows (RON, JSON). Unknown names and unknown fields are errors
//! with the format's own position. Knows serde and nothing of markets.

use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::sync::LazyLock;

/// How one variant comes into being.
pub struct Entry<T: ?Sized> {
    /// Module that registered it.
    pub module: &'static str,
    /// Reads its parameters.
    pub parse: fn(&mut dyn erased_serde::Deserializer<'_>) -> Result<Box<T>, erased_serde::Error>,
    /// With all parameters at their defaults.
    pub default: fn() -> Box<T>,
    /// Names of its parameters.
    pub fields: fn() -> &'static [&'static str],
}

/// All variants of a kind, sorted by id.
pub struct Set<T: ?Sized + 'static> {
    kind: &'static str,
    names: Vec<&'static str>,
    entries: Vec<(&'static str, &'static Entry<T>)>,
}

impl<T: ?Sized> Set<T> {
    /// Collects the variants of a kind.
    ///
    /// # Panics
    /// If two modules registered the same id: a fault of the binary, not of its input.
    pub fn new(kind: &'static str, all: impl Iterator<Item = (&'static str, &'static Entry<T>)>) -> Self {
        let mut entries: Vec<_> = all.collect();
        entries.sort_by_key(|e| e.0);
        for pair in entries.windows(2) {
            let [(id, first), (next, second)] = pair else { continue };
            assert!(id != next, "{kind} `{id}` is registered twice, in {} and in {}", first.module, second.module);
        }
        // The set lives as long as the program: so may its names.
        let names = entries.iter().map(|e| &*Box::leak(camel_case(e.0).into_boxed_str())).collect();
        Self { kind, names, entries }
    }

    /// What the variants are called together, as in error messages.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// All ids in order.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.entries.iter().map(|e| e.0)
    }

    /// The variant with an id.
    pub fn get(&self, id: &str) -> Option<&'static Entry<T>> {
        self.entries.iter().find(|e| e.0 == id).map(|e| e.1)
    }

    fn named(&self, name: &str) -> Option<&'static Entry<T>> {
        self.names.iter().position(|n| *n == name).map(|k| self.entries[k].1)
    }
}

/// Implemented for `dyn Trait`: where its variants are.
pub trait Open: 'static {
    /// All registered variants.
    fn set() -> &'static LazyLock<Set<Self>>;
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
    let position = set.entries.iter().position(|e| e.0 == id);
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

/// Names of a parameter struct's fields, without an instance: asks its own `Deserialize`.
pub fn fields<T: for<'a> Deserialize<'a>>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    // The probe always fails: it only listens to what the type asks for.
    let _ = T::deserialize(FieldProbe(&mut found));
    found
}

struct FieldProbe<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldProbe<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("probe"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(de::Error::custom("probe"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
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
    use super::camel_case;

    #[test]
    fn ids_become_type_names() {
        assert_eq!(camel_case("nash-bargaining"), "NashBargaining");
        assert_eq!(camel_case("vcg"), "Vcg");
    }
}
