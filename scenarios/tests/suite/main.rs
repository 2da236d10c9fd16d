//! Files, experiments, runs and stores with the plugins of Coase: one binary, so that it is linked once.

mod clocks;
mod equations;
mod experiments;
mod household_auctions;
mod library;
mod loading;
mod matching;
mod nodal_cases;
mod nodal_choices;
mod price_factor;
mod reporting;
mod running;
mod second_model;
