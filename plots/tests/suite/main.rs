//! Everything that needs a whole result store.

mod figures;
mod fixture;
mod games;
mod replicated;
mod store;
