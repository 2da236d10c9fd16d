//! What every carbon policy can be told besides its own parameters: who is covered, what counts as import, where the money
//! goes. Knows no concrete policy.

use super::error::PolicyError;
use crate::carbon_flow::storage::StorageRule;
use crate::declaration::{self, Declaration};
use schemars::JsonSchema;
use serde::de::MapAccess;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize};

/// What counts as import from upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ImportBase {
    /// Every kWh bought from the grid, as in most of the literature. What one member exports and another imports through the
    /// grid is charged as if it came from upstream: `phantom_kg`.
    #[default]
    Gross,
    /// Imports less exports, which are credited at the grid's intensity: conserved over the members.
    NetOfExports,
}

/// Who is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Coverage {
    /// The members.
    #[default]
    VppsOnly,
    /// The members, and the network operator for passive load and losses: one more account by the same rule, without a
    /// fixed quota.
    Feeder,
}

/// What the authority does with its revenue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Recycling {
    /// It keeps it.
    #[default]
    Kept,
    /// Every member gets the same: a dividend. Of what it pays itself, one part in the number of members comes back.
    EqualPerHead,
    /// Members get it in proportion to the energy that they consumed over the horizon, as metered: load as served, cooling,
    /// charging of vehicles. Who consumes more gets more, and of what it pays itself its share comes back.
    PerLoad,
    /// What a member pays is given to the other members in equal parts, so that no refund depends on what its receiver pays:
    /// refunds blunt no incentive, but differ where payments do. A single member gets nothing.
    EqualAmongOthers,
    /// It goes to the network operator.
    ToDso,
}

/// Options of every policy; the defaults are the first variants, `visible: true`, prices as they are written, and zero.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Modifiers {
    /// Whether participants see the charge when they decide; otherwise they ignore carbon and are charged afterwards.
    pub visible: bool,
    /// What counts as import.
    pub import_base: ImportBase,
    /// Who is charged.
    pub coverage: Coverage,
    /// Where the revenue goes. Nobody sees a refund when it decides.
    pub recycling: Recycling,
    /// Share by which quotas, fixed or per kWh, and caps shrink every year.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub quota_decline_per_year: f64,
    /// Years since quotas and caps had their written size: what a sweep over years varies.
    #[schemars(range(min = 0.0), extend("unit" = "a"))]
    pub year: f64,
    /// How carbon follows stored energy. It acts where the carbon flow is computed: on the intensities of nodes and exports,
    /// and so on policies that charge by them and on every account of traced carbon; charges on imports and direct emissions
    /// contain no stored carbon.
    pub storage_carbon: StorageRule,
    /// Whether quotas per kWh may exceed the emission per kWh, so that emitting is paid for.
    pub allow_negative_carbon_price: bool,
    /// What every price of the policy is multiplied by, so that policies whose prices have different names are swept, and
    /// made comparable, alike. Without effect where there is no price.
    #[schemars(range(min = 0.0))]
    pub price_factor: f64,
}

impl Default for Modifiers {
    fn default() -> Self {
        Self {
            visible: true,
            import_base: ImportBase::default(),
            coverage: Coverage::default(),
            recycling: Recycling::default(),
            quota_decline_per_year: 0.0,
            year: 0.0,
            storage_carbon: StorageRule::default(),
            allow_negative_carbon_price: false,
            price_factor: 1.0,
        }
    }
}

impl Modifiers {
    /// Names of the fields in files, as they are declared.
    pub(super) fn fields() -> &'static [&'static str] {
        declaration::fields::<Self>()
    }

    /// What they mean, which units they have and what they can be.
    pub fn declaration() -> Declaration {
        Declaration::of::<Self>()
    }

    /// What is left of a quota or cap this year: `(1 - decline)^year`.
    pub fn quota_factor(&self) -> f64 {
        (1.0 - self.quota_decline_per_year).powf(self.year)
    }

    /// Refuses numbers without meaning.
    ///
    /// # Errors
    /// A decline outside [0, 1), a year before the first, a price factor that is negative or not finite.
    pub fn check(&self) -> Result<(), PolicyError> {
        let (decline, year) = (self.quota_decline_per_year, self.year);
        if !(0.0..1.0).contains(&decline) {
            return Err(PolicyError::Parameter {
                name: "quota_decline_per_year",
                value: decline,
                expected: "at least 0 and below 1",
            });
        }
        if !(year >= 0.0 && year.is_finite()) {
            return Err(PolicyError::Parameter { name: "year", value: year, expected: "at least 0" });
        }
        let factor = self.price_factor;
        if !(factor >= 0.0 && factor.is_finite()) {
            return Err(PolicyError::Parameter { name: "price_factor", value: factor, expected: "at least 0" });
        }
        Ok(())
    }

    /// Takes the value of a field from a map, if it is one of [`Modifiers::fields`].
    pub(super) fn read<'de, M: MapAccess<'de>>(&mut self, name: &str, map: &mut M) -> Result<bool, M::Error> {
        match name {
            "visible" => self.visible = map.next_value()?,
            "import_base" => self.import_base = map.next_value()?,
            "coverage" => self.coverage = map.next_value()?,
            "recycling" => self.recycling = map.next_value()?,
            "quota_decline_per_year" => self.quota_decline_per_year = map.next_value()?,
            "year" => self.year = map.next_value()?,
            "storage_carbon" => self.storage_carbon = map.next_value()?,
            "allow_negative_carbon_price" => self.allow_negative_carbon_price = map.next_value()?,
            "price_factor" => self.price_factor = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Writes all fields into a struct. A field that is missing here does not compile, and one that [`Modifiers::read`] does not
    /// know is found by the test that reads what is written.
    pub(super) fn write<S: SerializeStruct>(&self, fields: &mut S) -> Result<(), S::Error> {
        let Self {
            visible,
            import_base,
            coverage,
            recycling,
            quota_decline_per_year,
            year,
            storage_carbon,
            allow_negative_carbon_price,
            price_factor,
        } = self;
        fields.serialize_field("visible", visible)?;
        fields.serialize_field("import_base", import_base)?;
        fields.serialize_field("coverage", coverage)?;
        fields.serialize_field("recycling", recycling)?;
        fields.serialize_field("quota_decline_per_year", quota_decline_per_year)?;
        fields.serialize_field("year", year)?;
        fields.serialize_field("storage_carbon", storage_carbon)?;
        fields.serialize_field("allow_negative_carbon_price", allow_negative_carbon_price)?;
        fields.serialize_field("price_factor", price_factor)
    }
}
