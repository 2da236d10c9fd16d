//! The catalogue of policies against published and hand-made figures.

mod catalogue;
mod files;
mod nodal;
pub(super) mod support;
