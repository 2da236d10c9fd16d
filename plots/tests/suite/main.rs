//! Everything that needs a whole result store.

mod figures;
mod fixture;
mod replicated;
mod store;
