//! `coase schema`.

use crate::Finish;
use crate::args::{Schema, SchemaForm};
use crate::console;
use coase_core::declaration::schema_of;
use coase_core::network::Network;
use coase_scenarios::answers::{auction_schema, game_schema};
use coase_scenarios::{carbon_schema, experiment_schema, scenario_schema};
use serde_json::{Value, json};

/// Prints the schema of a form.
pub fn schema(args: &Schema) -> anyhow::Result<Finish> {
    let of = |form| match form {
        SchemaForm::Scenario => scenario_schema(),
        SchemaForm::Experiment => experiment_schema(),
        SchemaForm::Network => schema_of::<Network>(),
        SchemaForm::Carbon => carbon_schema(),
        SchemaForm::Auction => auction_schema(),
        SchemaForm::Game => game_schema(),
    };
    let all = || -> Value {
        json!({"scenario": of(SchemaForm::Scenario), "experiment": of(SchemaForm::Experiment), "network": of(SchemaForm::Network), "carbon": of(SchemaForm::Carbon), "auction": of(SchemaForm::Auction), "game": of(SchemaForm::Game)})
    };
    console::print_json(&args.form.map_or_else(all, of))?;
    Ok(Finish::Done)
}
