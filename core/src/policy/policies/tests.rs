//! The catalogue of policies against published and hand-made figures.

mod catalogue;
mod files;
mod marginal;
mod nodal;
mod price_factor;
pub(super) mod support;
