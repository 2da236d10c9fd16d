//! Carbon policies: terms for participants, a signal that the engine brings to a fixed point, and who pays for the tonnes.
//!
//! A policy knows the setting and the physical outcome; it knows no mechanism, no device and no file.

use super::error::PolicyError;
use super::node_prices::NodePrices;
use super::responsibility::{MarginalPrice, Responsibility};
use super::scarcity::Scarcity;
use super::signal::Signal;
use crate::carbon_flow::storage::StorageRule;
use crate::open;
use crate::outcome::{Certificate, Ledger};
use crate::physical::Physical;
use crate::setting::Setting;
use crate::terms::Terms;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

/// What the engine does with a policy's signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalKind {
    /// There is none: terms do not depend on the outcome.
    None,
    /// One price of a kg, at which what is scarce is in balance ([`CarbonPolicy::scarcity`]).
    Scarcity,
    /// Shares that outcomes determine and terms contain, each between 0 and 1: iterated until they are consistent.
    Shares,
    /// Prices at nodes, one per member and period (member-major): brought to a fixed point with an anchor on quantities.
    Nodal,
}

/// A carbon policy.
pub trait CarbonPolicy: RegisteredPolicy + erased_serde::Serialize + Debug + Send + Sync {
    /// Refuses parameters without meaning and scenarios it would misprice.
    ///
    /// # Errors
    /// See [`PolicyError`].
    fn check(&self, setting: &Setting) -> Result<(), PolicyError>;

    /// The carbon price that is charged, per tonne, where the policy has one: as written, times
    /// [`Modifiers::price_factor`](super::Modifiers::price_factor); of a ladder, that of its first tier.
    fn price_per_tonne(&self) -> Option<f64>;

    /// The same before it is multiplied.
    fn written_price_per_tonne(&self) -> Option<f64> {
        self.price_per_tonne()
    }

    /// Every parameter that is a price of carbon, by its path in files, as it is written: what the price factor multiplies.
    fn carbon_prices(&self) -> Vec<(String, f64)> {
        vec![]
    }

    /// What written prices are multiplied by.
    fn price_factor(&self) -> f64 {
        1.0
    }

    /// The same policy with another [`Modifiers::price_factor`](super::Modifiers::price_factor).
    fn with_price_factor(&self, factor: f64) -> Arc<dyn CarbonPolicy>;

    /// How carbon follows stored energy.
    fn storage_rule(&self) -> StorageRule {
        StorageRule::Conserving
    }

    /// What kind of signal it has.
    fn signal_kind(&self) -> SignalKind {
        SignalKind::None
    }

    /// Where the signal starts.
    fn start(&self, _setting: &Setting) -> Signal {
        Signal::None
    }

    /// Terms of every member at a signal.
    fn terms(&self, setting: &Setting, signal: &Signal) -> Vec<Terms>;

    /// Terms of every member as they are charged in the end, whether or not dispatch sees them.
    fn charged_terms(&self, setting: &Setting, signal: &Signal) -> Vec<Terms> {
        self.terms(setting, signal)
    }

    /// The signal that a physical outcome calls for; the engine looks for its fixed point around any mechanism. Where the
    /// price jumps at the root ([`root_jump_per_kwh`](Self::root_jump_per_kwh)), at the shares of the jump that `signal` has;
    /// without them at those of the direction in which energy flows.
    fn target(&self, _setting: &Setting, _physical: &Physical, signal: &Signal) -> Signal {
        signal.clone()
    }

    /// What is scarce at an outcome under [`SignalKind::Scarcity`]: the signal is the price of a kg in balance with it.
    fn scarcity(&self, _setting: &Setting, _physical: &Physical) -> Option<Scarcity> {
        None
    }

    /// Whether an outcome keeps what the policy says of it: caps, allowances that are there and used once.
    fn evidence(&self, _setting: &Setting, _physical: &Physical, _signal: &Signal) -> Vec<Certificate> {
        vec![]
    }

    /// What comes of one of the claims of its plugin, by position, on an outcome: a certificate named [`POLICY_CLAIM`](super::POLICY_CLAIM), not
    /// applicable where the claim's condition does not hold. `None` where one run cannot tell.
    fn claim(&self, _setting: &Setting, _claim: usize, _physical: &Physical, _signal: &Signal) -> Option<Certificate> {
        None
    }

    /// Whether the network's limits have prices too, which the engine finds: where energy is priced at nodes. Where the
    /// retail tariff stays nobody pays them, and violations are reported.
    fn prices_limits(&self) -> bool {
        false
    }

    /// By how much the price at the root rises when import begins, per kWh and period, at this outcome; not negative. `None`
    /// where prices at nodes are not those of the root carried there by marginal losses.
    ///
    /// A price `(base + theta jump) dP_0/dx` with `theta` 1 while energy comes in and 0 while it is fed back is the gradient
    /// of `base P_0 + jump [P_0]+`. While the exchange rests any `theta` between is a price: a multiplier, which the engine
    /// finds. Where this is given the signal has `theta` as [`root_share`](super::NodalSignal::root_share) and starts with 1.
    fn root_jump_per_kwh(&self, _setting: &Setting, _physical: &Physical) -> Option<Vec<f64>> {
        None
    }

    /// Whether prices pass steeply, but without a jump, from those of one direction of a flow to those of the other, inside
    /// the network too. The search for their fixed point then heeds their slope from its beginning.
    fn turns_steeply(&self, _setting: &Setting) -> bool {
        false
    }

    /// What one more kWh withdrawn at every bus costs a load there that the policy charges, in its parts and before any
    /// margin of the retailer: at a member's bus the price that it is charged. `None` where prices do not differ by node.
    /// Limits of the network have no part in it: what they cost is the engine's.
    fn node_prices(&self, _setting: &Setting, _physical: &Physical, _signal: &Signal) -> Option<NodePrices> {
        None
    }

    /// Enters what everybody pays for carbon and what is given back, with the reasons
    /// [`Carbon`](crate::outcome::Reason::Carbon) and [`CarbonRefund`](crate::outcome::Reason::CarbonRefund). Where prices of
    /// electricity differ by bus, energy at the root's price has the reason [`Tariff`](crate::outcome::Reason::Tariff), and what
    /// the bus is worth beyond it [`Nodal`](crate::outcome::Reason::Nodal); whatever is entered under any other reason counts
    /// as paid for carbon.
    fn settle(&self, setting: &Setting, physical: &Physical, signal: &Signal, ledger: &mut Ledger);

    /// Who is charged for which kilograms.
    fn responsibility(&self, setting: &Setting, physical: &Physical, signal: &Signal) -> Responsibility;

    /// What the next kilogram costs everybody who pays for carbon, network operator included.
    fn marginal_prices(&self, setting: &Setting, physical: &Physical, signal: &Signal) -> Vec<MarginalPrice> {
        self.responsibility(setting, physical, signal).marginal_prices
    }
}

/// What a policy says of itself.
pub struct PolicyPlugin {
    /// Id on the command line and in tables.
    pub id: &'static str,
    /// What it does, in half a sentence.
    pub summary: &'static str,
    /// What it claims, one sentence each.
    pub claims: &'static [&'static str],
    /// Author and year.
    pub source: &'static str,
    /// How to read and make it.
    pub open: open::Entry<dyn CarbonPolicy>,
}

/// A policy that is registered: by [`register_policy!`](crate::register_policy), or by what its rule says.
pub trait RegisteredPolicy {
    /// What the policy says of itself.
    fn plugin(&self) -> &'static PolicyPlugin;
}

/// What the linker collects.
pub struct PolicyHandle(pub &'static PolicyPlugin);

inventory::collect!(PolicyHandle);

/// All carbon policies linked into this binary or [`add_policy`]ed while it runs, sorted by id.
pub fn policies() -> Vec<&'static PolicyPlugin> {
    <dyn CarbonPolicy as open::Open>::set().plugins().collect()
}

/// Registers a carbon policy while the program runs, as [`Registry::add`](open::Registry::add) says.
///
/// # Errors
/// An id that is none, or that another module has.
pub fn add_policy(plugin: &'static PolicyPlugin) -> Result<(), open::NotAdded> {
    <dyn CarbonPolicy as open::Open>::registry().add(plugin)
}

impl open::Open for dyn CarbonPolicy {
    type Plugin = PolicyPlugin;

    fn registry() -> &'static open::Registry<Self> {
        static ALL: open::Registry<dyn CarbonPolicy> =
            open::Registry::new("carbon policy", || inventory::iter::<PolicyHandle>.into_iter().map(|h| h.0).collect());
        &ALL
    }

    fn entry(plugin: &'static PolicyPlugin) -> (&'static str, &'static open::Entry<Self>) {
        (plugin.id, &plugin.open)
    }
}

impl<'de> Deserialize<'de> for Box<dyn CarbonPolicy> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        open::deserialize(deserializer)
    }
}

impl JsonSchema for Box<dyn CarbonPolicy> {
    fn schema_name() -> Cow<'static, str> {
        "CarbonPolicy".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        open::schema::<dyn CarbonPolicy>(generator)
    }
}

impl Serialize for dyn CarbonPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        open::serialize(self.plugin().id, self, serializer)
    }
}

/// Registers a carbon policy: its type, id, summary, claims and source.
///
/// A policy is a [`Rule`](crate::policy::Rule) of the crate's own under [`Modified`](crate::policy::Modified), which gives it
/// the parameters of every policy; this works in any crate, and is written so, without a path:
///
/// ```ignore
/// register_policy!(Modified<Tax>, "tax", "one price for every tonne emitted or imported",
///     claims: ["emissions never grow with the price"], source: "Pigou (1920)");
/// ```
///
/// A type that implements [`CarbonPolicy`] itself stands in the place of `Modified<..>`; it has the parameters that it
/// declares, and no others.
#[macro_export]
macro_rules! register_policy {
    (Modified<$rule:ty>, $id:literal, $summary:literal, claims: [$($claim:literal),* $(,)?], source: $source:literal $(,)?) => {
        $crate::register_policy!(@submit (Modified<$rule>), $id, $summary, [$($claim),*], $source,
            impl $crate::policy::RegisteredRule for $rule {
                fn plugin() -> &'static $crate::policy::PolicyPlugin {
                    &PLUGIN
                }
            });
    };
    ($ty:ty, $id:literal, $summary:literal, claims: [$($claim:literal),* $(,)?], source: $source:literal $(,)?) => {
        $crate::register_policy!(@submit ($ty), $id, $summary, [$($claim),*], $source,
            impl $crate::policy::RegisteredPolicy for $ty {
                fn plugin(&self) -> &'static $crate::policy::PolicyPlugin {
                    &PLUGIN
                }
            });
    };
    (@submit ($ty:ty), $id:literal, $summary:literal, [$($claim:literal),*], $source:literal, $registered:item) => {
        const _: () = {
            assert!($crate::macro_support::is_id($id), "an id is words of small letters and digits, joined by `-`");
            static PLUGIN: $crate::policy::PolicyPlugin = $crate::policy::PolicyPlugin {
                id: $id,
                summary: $summary,
                claims: &[$($claim),*],
                source: $source,
                open: $crate::macro_support::Entry {
                    module: module_path!(),
                    parse: &|d| $crate::macro_support::parse::<$ty>(d).map(|p| Box::new(p) as Box<dyn $crate::policy::CarbonPolicy>),
                    default: &|| Box::new(<$ty>::default()),
                    fields: &$crate::macro_support::fields::<$ty>,
                    schema: &<$ty as $crate::macro_support::JsonSchema>::json_schema,
                },
            };
            $registered
            $crate::macro_support::inventory::submit! { $crate::policy::PolicyHandle(&PLUGIN) }
        };
    };
}
