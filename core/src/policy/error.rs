//! Why a policy refuses a scenario.

/// Why a policy cannot be applied to a scenario.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// A parameter has no meaning.
    #[error("`{name}` is {value}: expected {expected}")]
    Parameter {
        /// Which.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
    /// The retail price already contains carbon that the policy would charge again.
    #[error(
        "the tariff already contains {upstream_carbon_per_tonne} per tonne of upstream carbon, which this policy would charge a second time"
    )]
    AlreadyInTariff {
        /// What the tariff contains.
        upstream_carbon_per_tonne: f64,
    },
    /// A quota factor exceeds the emission factor: emitting would be paid for.
    #[error(
        "the quota of {quota_kg_per_kwh} kg/kWh exceeds the emission of {emission_kg_per_kwh} kg/kWh ({what}): a negative carbon price; set `allow_negative_carbon_price: true` if it is meant"
    )]
    NegativePrice {
        /// Which source.
        what: &'static str,
        /// Quota per kWh.
        quota_kg_per_kwh: f64,
        /// Emission per kWh.
        emission_kg_per_kwh: f64,
    },
    /// Two parameters that contradict each other.
    #[error("{what} has no meaning")]
    Combination {
        /// Which.
        what: &'static str,
    },
    /// What the policy says itself: whatever has no variant here.
    #[error("{0}")]
    Failed(String),
    /// The scenario lacks what the policy needs.
    #[error("needs {need}; this scenario does not offer it")]
    Unmet {
        /// What is missing.
        need: &'static str,
    },
}
