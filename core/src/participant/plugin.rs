//! What a device says of itself, and the registry. Knows no device.

use super::Device;
use super::oracle::Oracle;
use crate::open;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::Any;
use std::borrow::Cow;

/// What the energy of a device is: decides what counts as load and as generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceRole {
    /// Generates. What it draws, if it can, is consumed.
    #[default]
    Generation,
    /// Load that is always served.
    FixedLoad,
    /// Load that decides when or how much. What it gives is load that is cut or moved: never generation.
    FlexibleLoad,
    /// Takes energy and may give it back. What it gives was generated before, here or elsewhere.
    Store,
}

impl DeviceRole {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            DeviceRole::Generation => "generation",
            DeviceRole::FixedLoad => "fixed load",
            DeviceRole::FlexibleLoad => "flexible load",
            DeviceRole::Store => "store",
        }
    }

    /// Whether it is part of a load.
    pub fn is_load(self) -> bool {
        matches!(self, DeviceRole::FixedLoad | DeviceRole::FlexibleLoad)
    }
}

/// Where the carbon of a device's energy is accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarbonRole {
    /// Emits what [`Device::emission_kg_per_kwh`] says for every kWh generated.
    Direct,
    /// Generates without emissions.
    Free,
    /// Consumes: bears the carbon of what it takes, when it takes it. What it may give back later carries none.
    Load,
    /// Carries the carbon of what it takes until it gives it back, less its losses; see [`Device::store`].
    Carried,
}

impl CarbonRole {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            CarbonRole::Direct => "direct emissions",
            CarbonRole::Free => "generation without emissions",
            CarbonRole::Load => "bears the carbon of what it takes",
            CarbonRole::Carried => "carries the carbon of what it takes until it gives it back",
        }
    }
}

/// How one direction of a device's power is shown in figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// In the legend.
    pub label: &'static str,
    /// `0xRRGGBB`.
    pub colour: u32,
    /// Pattern over the colour.
    pub hatch: Hatching,
}

/// A pattern by which areas are told apart without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hatching {
    /// None.
    Plain,
    /// Lines that rise to the right.
    Forward,
    /// Lines that fall to the right.
    Back,
    /// Both.
    Cross,
    /// Dots.
    Dots,
    /// Level lines.
    Horizontal,
}

impl Shown {
    /// A colour without a pattern.
    pub const fn plain(label: &'static str, colour: u32) -> Self {
        Self { label, colour, hatch: Hatching::Plain }
    }

    /// A colour with a pattern.
    pub const fn hatched(label: &'static str, colour: u32, hatch: Hatching) -> Self {
        Self { label, colour, hatch }
    }
}

/// How a device is shown in the dispatch of its participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Place in the stack, from zero outwards; the outermost if it does not matter.
    pub place: u8,
    /// What it gives; `None`: grey under its id.
    pub gives: Option<Shown>,
    /// What it takes; `None`: grey under its id.
    pub takes: Option<Shown>,
}

impl Look {
    /// Outermost, in grey.
    pub const NONE: Self = Self { place: u8::MAX, gives: None, takes: None };
}

/// Where a device comes among all in tables that list every kind: those of Coase in an order that does not change, all others
/// behind them by their ids.
pub const RANK_OF_OTHERS: u16 = u16::MAX;

/// What a device says of itself.
pub struct DevicePlugin {
    /// Id, as in `coase explain`; scenario files have it in CamelCase.
    pub id: &'static str,
    /// The id as column names have it: `ev_fleet`.
    pub kind: &'static str,
    /// What it is, in half a sentence.
    pub summary: &'static str,
    /// What its energy is.
    pub role: DeviceRole,
    /// Where its carbon is accounted for.
    pub carbon: CarbonRole,
    /// Meaning of its column of power, `<kind>_kw` in the table `periods`.
    pub power: &'static str,
    /// Name and meaning of its column of stored energy in the table `periods`; devices may share one.
    pub stored: Option<(&'static str, &'static str)>,
    /// How it is shown in figures.
    pub look: Look,
    /// Place among all devices in tables; see [`RANK_OF_OTHERS`].
    pub rank: u16,
    /// What it is tested against.
    pub oracle: Option<Oracle>,
    /// Author and year of the model.
    pub source: &'static str,
    /// How to read and make it. It has no defaults for what only its owner can know: what `default` makes is an example.
    pub open: open::Entry<dyn Device>,
}

/// Implemented by [`register_device!`](crate::register_device).
pub trait RegisteredDevice: Any {
    /// What the device says of itself.
    fn plugin(&self) -> &'static DevicePlugin;

    /// A copy of it.
    fn copied(&self) -> Box<dyn Device>;

    /// Whether another device is of the same kind and has the same parameters.
    fn equals(&self, other: &dyn Device) -> bool;

    /// What `downcast_ref` of a device looks at.
    fn as_any(&self) -> &dyn Any;
}

impl dyn Device {
    /// The device as what it is, for who knows its type.
    pub fn downcast_ref<T: Device>(&self) -> Option<&T> {
        self.as_any().downcast_ref()
    }
}

impl Clone for Box<dyn Device> {
    fn clone(&self) -> Self {
        (**self).copied()
    }
}

impl PartialEq for dyn Device {
    fn eq(&self, other: &Self) -> bool {
        self.equals(other)
    }
}

/// What the linker collects.
pub struct DeviceHandle(pub &'static DevicePlugin);

inventory::collect!(DeviceHandle);

/// All devices linked into this binary, in the order of tables.
pub fn devices() -> Vec<&'static DevicePlugin> {
    let mut all: Vec<_> = <dyn Device as open::Open>::set().plugins().collect();
    all.sort_by_key(|p| (p.rank, p.id));
    all
}

impl open::Open for dyn Device {
    type Plugin = DevicePlugin;

    fn registry() -> &'static open::Registry<Self> {
        static ALL: open::Registry<dyn Device> =
            open::Registry::new("device", || inventory::iter::<DeviceHandle>.into_iter().map(|h| h.0).collect());
        &ALL
    }

    fn entry(plugin: &'static DevicePlugin) -> (&'static str, &'static open::Entry<Self>) {
        (plugin.id, &plugin.open)
    }
}

impl<'de> Deserialize<'de> for Box<dyn Device> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        open::deserialize(deserializer)
    }
}

impl JsonSchema for Box<dyn Device> {
    fn schema_name() -> Cow<'static, str> {
        "Device".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        open::schema_of_forms::<dyn Device>(generator)
    }
}

impl Serialize for dyn Device {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        open::serialize(self.plugin().id, self, serializer)
    }
}

/// Registers a device: its type, id, summary, role, carbon role, the meaning of its column of power, and an example with which
/// it can be shown. Its equations are the doc comment of the type, from which `coase explain` has them.
///
/// ```ignore
/// register_device!(Electrolyser, "electrolyser", "makes hydrogen",
///     role: FlexibleLoad, carbon: Load,
///     power: "Electrolyser, negative.",
///     example: Electrolyser { p_max_kw: 50.0, demand_kwh: 200.0 },
///     oracle: (draw, check));
/// ```
///
/// These may follow: `stored: ("h2_kwh", "Energy in the tank at the end of the period.")` for a column of stored energy,
/// `look: Look { .. }` for its colours and words in figures, `oracle: (draw, check)` for its test (see
/// [`oracle`](crate::participant::oracle); a device without one fails the test of all devices), `source: "author (year)"`,
/// `rank: 3` for a place among the devices of Coase. They stand in this order.
#[macro_export]
macro_rules! register_device {
    ($ty:ty, $id:literal, $summary:literal, role: $role:ident, carbon: $carbon:ident, power: $power:literal, example: $example:expr
     $(, stored: ($stored:literal, $meaning:literal))? $(, look: $look:expr)? $(, oracle: ($draw:expr, $check:expr))?
     $(, source: $source:literal)? $(, rank: $rank:literal)? $(,)?) => {
        const _: () = {
            assert!($crate::macro_support::is_id($id), "an id is words of small letters and digits, joined by `-`");
            const KIND: [u8; $id.len()] = $crate::macro_support::underscored($id);
            static PLUGIN: $crate::participant::DevicePlugin = $crate::participant::DevicePlugin {
                id: $id,
                kind: $crate::macro_support::text(&KIND),
                summary: $summary,
                role: $crate::participant::DeviceRole::$role,
                carbon: $crate::participant::CarbonRole::$carbon,
                power: $power,
                stored: {
                    let stored = None;
                    $(let stored = { let _: Option<()> = stored; Some(($stored, $meaning)) };)?
                    stored
                },
                look: {
                    let look = $crate::participant::Look::NONE;
                    $(let look = { let _ = look; $look };)?
                    look
                },
                rank: {
                    let rank = $crate::participant::plugin::RANK_OF_OTHERS;
                    $(let rank = { let _ = rank; $rank };)?
                    rank
                },
                oracle: {
                    let oracle = None;
                    $(let oracle = {
                        let _: Option<()> = oracle;
                        Some($crate::participant::oracle::Oracle {
                            draw: |draw, periods| {
                                let draws: fn(
                                    &mut $crate::participant::oracle::Draw,
                                    $crate::setting::Periods,
                                ) -> $ty = $draw;
                                Box::new(draws(draw, periods))
                            },
                            check: |device, delivered| {
                                let checks: fn(
                                    &$ty,
                                    &$crate::participant::oracle::Delivered<'_>,
                                ) -> Result<f64, String> = $check;
                                match device.downcast_ref::<$ty>() {
                                    Some(device) => checks(device, delivered),
                                    None => Err(concat!("no ", $id).to_owned()),
                                }
                            },
                        })
                    };)?
                    oracle
                },
                source: concat!("", $($source)?),
                open: $crate::macro_support::Entry {
                    module: module_path!(),
                    parse: &|d| $crate::macro_support::parse::<$ty>(d).map(|m| Box::new(m) as Box<dyn $crate::participant::Device>),
                    default: &|| Box::new($example),
                    fields: &$crate::macro_support::fields::<$ty>,
                    schema: &<$ty as $crate::macro_support::JsonSchema>::json_schema,
                },
            };
            impl $crate::participant::plugin::RegisteredDevice for $ty {
                fn plugin(&self) -> &'static $crate::participant::DevicePlugin {
                    &PLUGIN
                }

                fn copied(&self) -> Box<dyn $crate::participant::Device> {
                    Box::new(self.clone())
                }

                fn equals(&self, other: &dyn $crate::participant::Device) -> bool {
                    other.downcast_ref::<$ty>() == Some(self)
                }

                fn as_any(&self) -> &dyn std::any::Any {
                    self
                }
            }
            $crate::macro_support::inventory::submit! { $crate::participant::plugin::DeviceHandle(&PLUGIN) }
        };
    };
}

#[cfg(test)]
mod tests {
    use super::devices;

    #[test]
    fn every_device_says_what_it_is_and_its_example_is_of_its_kind() {
        for plugin in devices() {
            assert!(!plugin.summary.is_empty() && !plugin.power.is_empty());
            let example = (plugin.open.default)();
            assert_eq!(example.plugin().id, plugin.id);
            assert!(example == example.clone());
        }
    }
}
