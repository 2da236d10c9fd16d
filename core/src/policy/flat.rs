//! A policy's own parameters and the modifiers of every policy, side by side in one struct of the file.
//!
//! Formats that know positions and reject unknown fields do not survive serde's `flatten`: here the fields of the modifiers
//! are taken out of the map as they come, and the policy's own `Deserialize` reads the rest. Knows serde only.

use super::modified::Modified;
use super::modifiers::Modifiers;
use super::rule::Rule;
use crate::open;
use serde::de::value::StringDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::ser::{self, Impossible, SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{LazyLock, Mutex, PoisonError};

impl<'de, R: Rule + for<'a> Deserialize<'a>> Deserialize<'de> for Modified<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let own = open::fields::<R>();
        let all = interned([own, Modifiers::fields()].concat());
        deserializer.deserialize_struct("", all, Both { all, rule: PhantomData })
    }
}

impl<R: Rule> Serialize for Modified<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.written().serialize(Extended { inner: serializer, modifiers: self.modifiers() })
    }
}

/// A list of names that lives as long as the program: there is one per policy.
fn interned(names: Vec<&'static str>) -> &'static [&'static str] {
    static LISTS: LazyLock<Mutex<BTreeSet<&'static [&'static str]>>> = LazyLock::new(Mutex::default);
    let mut lists = LISTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lists.get(names.as_slice()) {
        return known;
    }
    let list: &'static [&'static str] = Box::leak(names.into_boxed_slice());
    lists.insert(list);
    list
}

struct Both<R> {
    all: &'static [&'static str],
    rule: PhantomData<R>,
}

impl<'de, R: Rule + Deserialize<'de>> Visitor<'de> for Both<R> {
    type Value = Modified<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the parameters of a carbon policy")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Modified<R>, E> {
        self.visit_map(de::value::MapDeserializer::new(std::iter::empty::<(&str, ())>()))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Modified<R>, M::Error> {
        let mut modifiers = Modifiers::default();
        let rest = Rest { map, all: self.all, modifiers: &mut modifiers, taken: vec![] };
        let rule = R::deserialize(de::value::MapAccessDeserializer::new(rest))?;
        Ok(Modified::new(rule, modifiers))
    }
}

/// The map without the fields of the modifiers, which are read in passing.
struct Rest<'m, M> {
    map: M,
    all: &'static [&'static str],
    modifiers: &'m mut Modifiers,
    taken: Vec<&'static str>,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Rest<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        while let Some(FieldName(name)) = self.map.next_key()? {
            let Some(known) = self.all.iter().find(|f| **f == name) else {
                return Err(de::Error::unknown_field(&name, self.all));
            };
            if self.taken.contains(known) {
                return Err(de::Error::duplicate_field(known));
            }
            if !self.modifiers.read(known, &mut self.map)? {
                let name: StringDeserializer<M::Error> = name.into_deserializer();
                return seed.deserialize(name).map(Some);
            }
            self.taken.push(known);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.map.next_value_seed(seed)
    }
}

struct FieldName(String);

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = FieldName;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<FieldName, E> {
                Ok(FieldName(name.to_owned()))
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

/// A serializer that adds the modifiers to the struct it is given.
struct Extended<'m, S> {
    inner: S,
    modifiers: &'m Modifiers,
}

struct ExtendedStruct<'m, S> {
    inner: S,
    modifiers: &'m Modifiers,
}

impl<S: SerializeStruct> SerializeStruct for ExtendedStruct<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), S::Error> {
        self.inner.serialize_field(key, value)
    }

    fn end(mut self) -> Result<S::Ok, S::Error> {
        self.modifiers.write(&mut self.inner)?;
        self.inner.end()
    }
}

/// The parameters of a policy are a struct: nothing else can be extended.
macro_rules! refuse {
    ($($method:ident($($arg:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $arg),*) -> Result<$ok, S::Error> {
            Err(ser::Error::custom("the parameters of a carbon policy are not a struct"))
        })*
    };
}

impl<'m, S: Serializer> Serializer for Extended<'m, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Impossible<S::Ok, S::Error>;
    type SerializeStruct = ExtendedStruct<'m, S::SerializeStruct>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    fn serialize_struct(self, name: &'static str, fields: usize) -> Result<Self::SerializeStruct, S::Error> {
        let inner = self.inner.serialize_struct(name, fields + Modifiers::fields().len())?;
        Ok(ExtendedStruct { inner, modifiers: self.modifiers })
    }

    refuse! {
        serialize_bool(bool) -> S::Ok;
        serialize_i8(i8) -> S::Ok;
        serialize_i16(i16) -> S::Ok;
        serialize_i32(i32) -> S::Ok;
        serialize_i64(i64) -> S::Ok;
        serialize_u8(u8) -> S::Ok;
        serialize_u16(u16) -> S::Ok;
        serialize_u32(u32) -> S::Ok;
        serialize_u64(u64) -> S::Ok;
        serialize_f32(f32) -> S::Ok;
        serialize_f64(f64) -> S::Ok;
        serialize_char(char) -> S::Ok;
        serialize_str(&str) -> S::Ok;
        serialize_bytes(&[u8]) -> S::Ok;
        serialize_none() -> S::Ok;
        serialize_unit() -> S::Ok;
        serialize_unit_struct(&'static str) -> S::Ok;
        serialize_unit_variant(&'static str, u32, &'static str) -> S::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }
}
