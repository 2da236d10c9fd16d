//! A scenario as written.

use super::Series;
use coase_core::participant::Device;
use coase_core::setting::{FixedPointSearch, Prior, Setting};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Who lives where, with which devices, under which tariff.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name in tables.
    pub name: String,
    /// Number of periods.
    #[schemars(range(min = 1))]
    pub periods: usize,
    /// Length of a period, hours.
    #[serde(default = "super::one")]
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub period_h: f64,
    /// When the first period begins, as `2024-07-01 00:00`: columns with a column of times are read from there on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// The time zone of times without an offset, as `Europe/Berlin`, also of `start`. Periods are hours that pass: where
    /// clocks are changed, a day has 23 or 25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Currency of all money.
    pub currency: String,
    /// The network; without one everybody is at one place.
    #[serde(default)]
    pub network: Option<Network>,
    /// The tariff.
    pub grid: Grid,
    /// Damage of a tonne of emissions; `None`: the carbon price of the first policy that has one.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub damage_per_tonne: Option<f64>,
    /// Programs that one answer may take to settle its choices, such as charging or discharging: then the best one found
    /// stands, and the certificate `choices_gap` says what it may be away from the best.
    #[serde(default = "choice_programs")]
    #[schemars(range(min = 1))]
    pub choice_programs: usize,
    /// Rounds that one attempt at a fixed point of nodal prices may take; three times as many where a share of the price's jump
    /// at the root is sought too.
    #[serde(default = "fixed_point_rounds")]
    #[schemars(range(min = 1))]
    pub fixed_point_rounds: usize,
    /// Attempts at such a fixed point, 1 to 5; after the last the nearest point stands, and its certificates say how near.
    #[serde(default = "fixed_point_attempts")]
    #[schemars(range(min = 1, max = 5))]
    pub fixed_point_attempts: usize,
    /// Who takes part: participants, or `Repeat(..)` for many alike.
    #[schemars(with = "Vec<ListedParticipant>")]
    pub participants: Vec<Participant>,
}

fn choice_programs() -> usize {
    Setting::CHOICE_PROGRAMS
}

fn fixed_point_rounds() -> usize {
    FixedPointSearch::default().rounds
}

fn fixed_point_attempts() -> usize {
    FixedPointSearch::default().attempts
}

/// The network and the passive load on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ScenarioNetwork")]
pub struct Network {
    /// Where it comes from: the id of a built-in network, a `.m` or `.ron` file, or `Network(..)` in place.
    pub source: NetworkSource,
    /// Factor on the network's own loads.
    #[serde(default = "super::one")]
    pub load_scale: f64,
    /// The same per period.
    #[serde(default = "super::ones")]
    pub load_shape: Series,
    /// Lower voltage limit of every bus, pu; `None`: those of the network.
    #[serde(default)]
    pub v_min_pu: Option<f64>,
    /// Upper voltage limit of every bus, pu.
    #[serde(default)]
    pub v_max_pu: Option<f64>,
    /// Limits of single branches, by the ids of their buses: `"5-6"`.
    #[serde(default)]
    pub branch_limit_kva: BTreeMap<String, f64>,
}

/// A name or a whole network.
#[derive(Clone, Debug, PartialEq)]
pub enum NetworkSource {
    /// A built-in id, or a `.m` or `.ron` file.
    Name(String),
    /// `Network(..)` in place.
    Inline(Box<coase_core::network::Network>),
}

/// The retail tariff and what comes with the energy from upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Price of imports.
    pub buy_price_per_kwh: Series,
    /// Price of exports.
    pub sell_price_per_kwh: Series,
    /// Emission intensity of imports.
    pub intensity_kg_per_kwh: Series,
    /// Resource value of upstream energy; `None`: the sell price.
    #[serde(default)]
    pub upstream_cost_per_kwh: Option<Series>,
    /// Carbon price per tonne that the tariff contains.
    #[serde(default)]
    #[schemars(extend("unit" = "money/t"))]
    pub upstream_carbon_in_tariff: f64,
}

/// A participant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// Name in tables.
    pub id: String,
    /// Bus; required where there is a network.
    #[serde(default)]
    pub bus: Option<u64>,
    /// Free emission allowance over the horizon, kg.
    #[serde(default)]
    pub quota_kg: f64,
    /// Power factor of its exchange with the network.
    #[serde(default = "super::one")]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub power_factor: f64,
    /// Greatest import, kW; `None`: what its devices can consume.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub import_max_kw: Option<f64>,
    /// Greatest export, kW; `None`: what its devices can generate.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub export_max_kw: Option<f64>,
    /// Greatest net sale to other participants, and greatest net purchase from them, kW, apart from the limits on the exchange with
    /// the grid; `None`: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub peer_max_kw: Option<f64>,
    /// What is publicly believed of the price at which it trades, for mechanisms that need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<Prior>,
    /// What it owns.
    pub devices: Vec<Box<dyn Device>>,
}

impl JsonSchema for NetworkSource {
    fn schema_name() -> Cow<'static, str> {
        "NetworkSource".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let network = generator.subschema_for::<coase_core::network::Network>();
        let inline = json_schema!({"type": "object", "properties": {"Network": network}, "required": ["Network"],
            "additionalProperties": false});
        json_schema!({"anyOf": [{"type": "string"}, inline]})
    }
}

impl Serialize for NetworkSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            NetworkSource::Name(name) => serializer.serialize_str(name),
            NetworkSource::Inline(network) => network.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for NetworkSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnySource)
    }
}

struct AnySource;

impl<'de> Visitor<'de> for AnySource {
    type Value = NetworkSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id of a built-in network, the name of a .m or .ron file, or Network(..)")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<NetworkSource, E> {
        Ok(NetworkSource::Name(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NetworkSource, A::Error> {
        Deserialize::deserialize(de::value::MapAccessDeserializer::new(map))
            .map(|network| NetworkSource::Inline(Box::new(network)))
    }
}

/// What stands in a list of participants, for the schema: repeated ones are written out before the list is read.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ParticipantEntry", extend("x-form" = "participant"))]
#[expect(dead_code, reason = "only its schema is wanted")]
enum ListedParticipant {
    Plain(Box<Participant>),
    Repeated(Repeated),
}

#[derive(JsonSchema)]
#[expect(dead_code)]
enum Repeated {
    Repeat(super::Repeat),
}
