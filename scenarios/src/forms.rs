//! What the forms of files say of themselves: every field of a scenario and of an experiment, for readers and for editors.
//!
//! Knows the written forms and what they declare, and nothing of what they mean to a run.

use crate::answers::{Carbon, Generation, auction_declarations, game_declarations};
use crate::spec::{
    CsvColumn, DrawnSeries, Evidence, ExperimentForm, Grid, Network, Participant, Repeat, Scenario, SweepForm, Vary,
    ZipForm,
};
use coase_core::declaration::{Declaration, schema_of};
use coase_core::statistics::sensitivity::{Parameter, Sensitivity};
use coase_store::{Drawing, Figures, Look};
use serde_json::Value;

/// The parts of scenario, experiment, carbon, game and auction files by their names, each with its fields in the order of the form. Devices,
/// mechanisms and policies are plugins and say of themselves what they take.
pub fn forms() -> Vec<(&'static str, Declaration)> {
    let mut all = vec![
        ("Scenario", Declaration::of::<Scenario>()),
        ("ScenarioNetwork", Declaration::of::<Network>()),
        ("Grid", Declaration::of::<Grid>()),
        ("Participant", Declaration::of::<Participant>()),
        ("Repeat", Declaration::of::<Repeat>()),
        ("Vary", Declaration::of::<Vary>()),
        ("Csv", Declaration::of::<CsvColumn>()),
        ("Drawn", Declaration::of::<DrawnSeries>()),
        ("Experiment", Declaration::of::<ExperimentForm>()),
        ("Sweep", Declaration::of::<SweepForm>()),
        ("Zip", Declaration::of::<ZipForm>()),
        ("Sensitivity", Declaration::of::<Sensitivity>()),
        ("BoxParameter", Declaration::of::<Parameter>()),
        ("Evidence", Declaration::of::<Evidence>()),
        ("Figures", Declaration::of::<Figures>()),
        ("Drawing", Declaration::of::<Drawing>()),
        ("Look", Declaration::of::<Look>()),
        ("Carbon", Declaration::of::<Carbon>()),
        ("Generation", Declaration::of::<Generation>()),
    ];
    all.extend(game_declarations());
    all.extend(auction_declarations());
    all
}

/// The JSON schema of a scenario file: the fields of `Scenario(..)`; a name with fields is an object with that name, a name
/// without fields is a text.
pub fn scenario_schema() -> Value {
    schema_of::<Scenario>()
}

/// The JSON schema of an experiment file: the fields of `Experiment(..)`, likewise.
pub fn experiment_schema() -> Value {
    schema_of::<ExperimentForm>()
}

/// The JSON schema of the carbon file of a power flow, likewise.
pub fn carbon_schema() -> Value {
    schema_of::<Carbon>()
}

#[cfg(test)]
mod tests;
