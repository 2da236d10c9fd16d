//! Everything that needs a whole result store.

mod figures;
mod fixture;
mod games;
mod kinds;
mod markup;
mod papers;
mod replicated;
mod report;
mod store;
mod wanted;
