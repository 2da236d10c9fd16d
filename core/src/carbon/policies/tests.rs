//! The catalogue of policies against published and hand-made figures.

mod catalogue;
mod files;
pub(super) mod support;
