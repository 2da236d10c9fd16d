//! The mechanism trait, what a plugin says of itself, and the registry.
//!
//! A mechanism is one file: a serde struct of parameters, `impl Mechanism`, and [`register!`](crate::register). It knows the
//! market and nothing of files, figures or other mechanisms.

use crate::auction::Auction;
use crate::context::RunContext;
use crate::curve::Curve;
use crate::error::MechanismError;
use crate::game::Game;
use crate::market::Market;
use crate::open;
use crate::outcome::{Claim, Outcome, Status};
use crate::plain_game::PlainGame;
use crate::policy::CarbonPolicy;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Debug;

/// A market rule: a pure function of the reported market and the seed.
///
/// ```
/// use coase_core::mechanism::{Mechanism, mechanisms};
/// use coase_core::schemars::{self, JsonSchema};
/// use coase_core::{Market, MechanismError, Outcome, RunContext, register};
/// use serde::{Deserialize, Serialize};
///
/// /// Nobody trades.
/// #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default, deny_unknown_fields)]
/// struct NoTrade {}
///
/// impl Mechanism for NoTrade {
///     fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
///         Ok(Outcome::new(market.setting()))
///     }
/// }
///
/// register!(NoTrade, "no-trade", Baseline, "nobody trades", claims: [BudgetBalanced], needs: [], information: Prices);
/// assert!(mechanisms().iter().any(|plugin| plugin.id == "no-trade"));
/// ```
pub trait Mechanism: Registered + erased_serde::Serialize + Debug + Send + Sync {
    /// Turns the market as reported into a commitment.
    ///
    /// # Errors
    /// See [`MechanismError`].
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError>;

    /// Whether its outcome depends on the seed; of a wrapper, whether that of what it wraps does.
    fn draws(&self) -> bool {
        false
    }

    /// Whether its parameters say what is believed of everybody, so that it needs no priors of the scenario.
    fn brings_priors(&self) -> bool {
        false
    }

    /// The part that needs only a book of orders.
    fn as_auction(&self) -> Option<&dyn Auction> {
        None
    }

    /// The lines that explain an outcome of its own on this market, in a fixed order: utilities against types, revenue against
    /// a fee, shares over time. Computed only where they are asked for.
    ///
    /// # Errors
    /// See [`MechanismError`].
    fn curves(&self, _market: &Market, _outcome: &Outcome, _seed: u64) -> Result<Vec<Curve>, MechanismError> {
        Ok(vec![])
    }

    /// The game it plays on a market, where strategies are not reports: prices, quantities, fees.
    fn game<'a>(&'a self, _market: &'a Market) -> Option<Box<dyn Game + 'a>> {
        None
    }

    /// The games that it plays on a market as numbers alone, in the order of their slots; none where they are of no form of
    /// [`Numbers`](crate::plain_game::Numbers). Whoever solves them elsewhere finds what this mechanism finds.
    ///
    /// # Errors
    /// See [`MechanismError`].
    fn plain_games(&self, _market: &Market) -> Result<Vec<PlainGame>, MechanismError> {
        Ok(vec![])
    }
}

impl dyn Mechanism + '_ {
    /// Runs it and checks what it returns: the door through which every outcome enters. A mechanism that was told to stop has
    /// not converged, whatever it says; [`RunContext::broken_off`] says why.
    ///
    /// # Errors
    /// Those of [`Mechanism::run`], and [`MechanismError::Outcome`].
    pub fn outcome(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let mut outcome = self.run(market, ctx)?;
        outcome.check(market.setting())?;
        if let (Status::Converged, Some(told)) = (&outcome.status, ctx.broken_off()) {
            outcome.status = Status::NotConverged { residual: told.residual() };
        }
        Ok(outcome)
    }
}

/// Family of mechanisms, for lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Reference rules.
    Baseline,
    /// Coalitions that share a gain.
    Cooperative,
    /// Strategic play.
    Game,
    /// Bids and asks.
    Auction,
    /// More than energy.
    Product,
    /// Changes another mechanism.
    Wrapper,
}

/// What a scenario must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A grid tariff.
    Tariff,
    /// Priors of all members.
    Prior,
    /// A reserve product.
    Reserve,
    /// A network.
    Network,
    /// A network without loops.
    RadialNetwork,
    /// Convex local problems.
    Convexity,
    /// Nothing required of participants by the operator.
    NoRequirement,
}

/// What participants reveal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Information {
    /// Devices and costs are known.
    FullTypes,
    /// What participants report.
    Reports,
    /// Reports, and priors about the others.
    Prior,
    /// Only responses to prices.
    Prices,
}

impl Information {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Information::FullTypes => "full_types",
            Information::Reports => "reports",
            Information::Prior => "prior",
            Information::Prices => "prices",
        }
    }
}

/// Whether the mechanism looks at the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkView {
    /// It does not.
    Blind,
    /// It clears the network itself.
    Inside,
}

/// What a mechanism says of itself.
pub struct Plugin {
    /// Id on the command line and in tables.
    pub id: &'static str,
    /// Family.
    pub family: Family,
    /// What it does, in half a sentence.
    pub summary: &'static str,
    /// What it claims, and under which condition (empty: always).
    pub claims: &'static [(Claim, &'static str)],
    /// What it needs.
    pub needs: &'static [Need],
    /// What participants reveal.
    pub information: Information,
    /// Whether it looks at the network.
    pub network: NetworkView,
    /// Author and year.
    pub source: &'static str,
    /// How to read and make it.
    pub open: open::Entry<dyn Mechanism>,
}

/// Where the condition of a claim is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// The true market under the final terms.
    pub market: &'a Market,
    /// The carbon policy.
    pub policy: &'a dyn CarbonPolicy,
    /// What the mechanism decided.
    pub outcome: &'a Outcome,
}

/// Whether the condition of a claim holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It does, or there is none.
    Holds,
    /// It does not, and why: who, when, what.
    Fails(String),
    /// It is given in words only.
    Unknown,
}

/// Implemented by [`register!`](crate::register).
pub trait Registered {
    /// What the mechanism says of itself.
    fn plugin(&self) -> &'static Plugin;

    /// Whether the condition of a claim holds here.
    fn condition(&self, claim: Claim, here: &Here<'_>) -> Condition;
}

/// What the linker collects.
pub struct Handle(pub &'static Plugin);

inventory::collect!(Handle);

/// All mechanisms linked into this binary or [`add`]ed while it runs, sorted by id. A binary or test that wants the plugins of a crate says
/// `use that_crate as _;`, or the linker drops them.
pub fn mechanisms() -> Vec<&'static Plugin> {
    <dyn Mechanism as open::Open>::set().plugins().collect()
}

/// Registers a mechanism while the program runs: a binding of another language, whose plugins no linker sees. One that the same
/// module added under this id is replaced.
///
/// # Errors
/// An id that is none, or that another module has.
pub fn add(plugin: &'static Plugin) -> Result<(), open::NotAdded> {
    <dyn Mechanism as open::Open>::registry().add(plugin)
}

impl open::Open for dyn Mechanism {
    type Plugin = Plugin;

    fn registry() -> &'static open::Registry<Self> {
        static ALL: open::Registry<dyn Mechanism> =
            open::Registry::new("mechanism", || inventory::iter::<Handle>.into_iter().map(|h| h.0).collect());
        &ALL
    }

    fn entry(plugin: &'static Plugin) -> (&'static str, &'static open::Entry<Self>) {
        (plugin.id, &plugin.open)
    }
}

impl<'de> Deserialize<'de> for Box<dyn Mechanism> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        open::deserialize(deserializer)
    }
}

impl JsonSchema for Box<dyn Mechanism> {
    fn schema_name() -> Cow<'static, str> {
        "Mechanism".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        open::schema::<dyn Mechanism>(generator)
    }
}

impl Serialize for dyn Mechanism {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        open::serialize(self.plugin().id, self, serializer)
    }
}

/// Registers a mechanism: its type, id, family, summary, claims (with their conditions), needs and what participants reveal.
///
/// ```ignore
/// register!(PostedPrice, "posted-price", Baseline, "one price inside the tariff",
///     claims: [BudgetBalanced, IndividuallyRational if "there is one period" => one_period], needs: [Tariff],
///     information: Prices, source: "an example");
///
/// fn one_period(_: &PostedPrice, here: &Here<'_>) -> Result<(), String> {
///     let periods = here.market.setting().periods.count;
///     if periods == 1 { Ok(()) } else { Err(format!("there are {periods}")) }
/// }
/// ```
///
/// A condition is given in words, for readers, and as a function that says whether it holds on a run and why not: where it
/// does not, the claim is `not_applicable`. Without the function a claim that does not hold is a figure and not refuted.
///
/// `network: Inside` may follow where the mechanism clears the network itself.
#[macro_export]
macro_rules! register {
    ($ty:ty, $id:literal, $family:ident, $summary:literal,
     claims: [$($claim:ident $(if $when:literal $(=> $holds:expr)?)?),* $(,)?], needs: [$($need:ident),* $(,)?], information: $information:ident
     $(, source: $source:literal)? $(, network: $network:ident)? $(,)?) => {
        const _: () = {
            assert!($crate::macro_support::is_id($id), "an id is words of small letters and digits, joined by `-`");
            static PLUGIN: $crate::mechanism::Plugin = $crate::mechanism::Plugin {
                id: $id,
                family: $crate::mechanism::Family::$family,
                summary: $summary,
                claims: &[$(($crate::outcome::Claim::$claim, concat!("", $($when)?))),*],
                needs: &[$($crate::mechanism::Need::$need),*],
                information: $crate::mechanism::Information::$information,
                network: {
                    #[allow(unused_imports)]
                    use $crate::mechanism::NetworkView::*;
                    let view = Blind;
                    $(let view = { let _ = view; $crate::mechanism::NetworkView::$network };)?
                    view
                },
                source: concat!("", $($source)?),
                open: $crate::macro_support::Entry {
                    module: module_path!(),
                    parse: &|d| $crate::macro_support::parse::<$ty>(d).map(|m| Box::new(m) as Box<dyn $crate::mechanism::Mechanism>),
                    default: &|| Box::new(<$ty>::default()),
                    fields: &$crate::macro_support::fields::<$ty>,
                    schema: &<$ty as $crate::macro_support::JsonSchema>::json_schema,
                },
            };
            impl $crate::mechanism::Registered for $ty {
                fn plugin(&self) -> &'static $crate::mechanism::Plugin {
                    &PLUGIN
                }

                #[allow(unused_variables, unreachable_code)]
                fn condition(
                    &self,
                    claim: $crate::outcome::Claim,
                    here: &$crate::mechanism::Here<'_>,
                ) -> $crate::mechanism::Condition {
                    $($(if claim == $crate::outcome::Claim::$claim {
                        let words: &str = $when;
                        $(
                            let holds: fn(&$ty, &$crate::mechanism::Here<'_>) -> Result<(), String> = $holds;
                            return match holds(self, here) {
                                Ok(()) => $crate::mechanism::Condition::Holds,
                                Err(why) => $crate::mechanism::Condition::Fails(why),
                            };
                        )?
                        return $crate::mechanism::Condition::Unknown;
                    })?)*
                    $crate::mechanism::Condition::Holds
                }
            }
            $crate::macro_support::inventory::submit! { $crate::mechanism::Handle(&PLUGIN) }
        };
    };
}
