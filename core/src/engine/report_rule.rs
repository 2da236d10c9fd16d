//! Report rules: how participants come to say what they say. The trait, what a rule says of itself, and the registry.
//!
//! A rule is one file: a serde struct of parameters, `impl ReportRule`, and
//! [`register_report_rule!`](crate::register_report_rule). It knows the true market and the mechanism, and nothing of files.

use super::said::{Behaviour, Said};
use crate::context::RunContext;
use crate::error::MechanismError;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::open;
use crate::setting::Setting;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Debug;

/// How participants come to say what they say: a pure function of the true market, the mechanism and the seed.
pub trait ReportRule: RegisteredReportRule + erased_serde::Serialize + Debug + Send + Sync {
    /// What is said. The market is the true one, under the terms of the round; the rule may run the mechanism, and the questions
    /// that it asks are not those of the run.
    ///
    /// # Errors
    /// Those of the mechanism, where it has to be run.
    fn said(&self, truth: &Market, mechanism: &dyn Mechanism, ctx: &mut RunContext) -> Result<Said, MechanismError>;

    /// Whether the rule makes sense among these members.
    ///
    /// # Errors
    /// What is wrong, in words.
    fn check(&self, _setting: &Setting) -> Result<(), String> {
        Ok(())
    }

    /// Whether what is said depends on the seed.
    fn draws(&self) -> bool {
        false
    }
}

/// What a report rule says of itself.
pub struct ReportRulePlugin {
    /// Id on the command line and in tables.
    pub id: &'static str,
    /// What it does, in half a sentence.
    pub summary: &'static str,
    /// How participants behave who follow it.
    pub behaviour: Behaviour,
    /// Author and year.
    pub source: &'static str,
    /// How to read and make it.
    pub open: open::Entry<dyn ReportRule>,
}

/// Implemented by [`register_report_rule!`](crate::register_report_rule).
pub trait RegisteredReportRule {
    /// What the rule says of itself.
    fn plugin(&self) -> &'static ReportRulePlugin;
}

/// What the linker collects.
pub struct ReportRuleHandle(pub &'static ReportRulePlugin);

inventory::collect!(ReportRuleHandle);

/// All report rules linked into this binary or [`add_report_rule`]ed while it runs, sorted by id.
pub fn report_rules() -> Vec<&'static ReportRulePlugin> {
    <dyn ReportRule as open::Open>::set().plugins().collect()
}

/// Registers a report rule while the program runs, as [`Registry::add`](open::Registry::add) says.
///
/// # Errors
/// An id that is none, or that another module has.
pub fn add_report_rule(plugin: &'static ReportRulePlugin) -> Result<(), open::NotAdded> {
    <dyn ReportRule as open::Open>::registry().add(plugin)
}

impl open::Open for dyn ReportRule {
    type Plugin = ReportRulePlugin;

    fn registry() -> &'static open::Registry<Self> {
        static ALL: open::Registry<dyn ReportRule> = open::Registry::new("report rule", || {
            inventory::iter::<ReportRuleHandle>.into_iter().map(|h| h.0).collect()
        });
        &ALL
    }

    fn entry(plugin: &'static ReportRulePlugin) -> (&'static str, &'static open::Entry<Self>) {
        (plugin.id, &plugin.open)
    }
}

impl<'de> Deserialize<'de> for Box<dyn ReportRule> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        open::deserialize(deserializer)
    }
}

impl JsonSchema for Box<dyn ReportRule> {
    fn schema_name() -> Cow<'static, str> {
        "ReportRule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        open::schema::<dyn ReportRule>(generator)
    }
}

impl Serialize for dyn ReportRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        open::serialize(self.plugin().id, self, serializer)
    }
}

/// Registers a report rule: its type, id, summary, the behaviour that it is, and its source.
///
/// ```ignore
/// register_report_rule!(Distorted, "distorted", "asks more, or offers less, than is true",
///     behaviour: Truthful, source: "Author (2026)");
/// ```
#[macro_export]
macro_rules! register_report_rule {
    ($ty:ty, $id:literal, $summary:literal, behaviour: $behaviour:ident, source: $source:literal $(,)?) => {
        const _: () = {
            assert!($crate::macro_support::is_id($id), "an id is words of small letters and digits, joined by `-`");
            static PLUGIN: $crate::engine::ReportRulePlugin = $crate::engine::ReportRulePlugin {
                id: $id,
                summary: $summary,
                behaviour: $crate::engine::Behaviour::$behaviour,
                source: $source,
                open: $crate::macro_support::Entry {
                    module: module_path!(),
                    parse: &|d| {
                        $crate::macro_support::parse::<$ty>(d)
                            .map(|r| Box::new(r) as Box<dyn $crate::engine::ReportRule>)
                    },
                    default: &|| Box::new(<$ty>::default()),
                    fields: &$crate::macro_support::fields::<$ty>,
                    schema: &<$ty as $crate::macro_support::JsonSchema>::json_schema,
                },
            };
            impl $crate::engine::RegisteredReportRule for $ty {
                fn plugin(&self) -> &'static $crate::engine::ReportRulePlugin {
                    &PLUGIN
                }
            }
            $crate::macro_support::inventory::submit! { $crate::engine::ReportRuleHandle(&PLUGIN) }
        };
    };
}
