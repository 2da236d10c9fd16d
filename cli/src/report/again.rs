//! The command that makes a run again.

use crate::audit::quoted;
use coase_plots::store::Store;
use coase_scenarios::only;

/// For every run of a store, the command that makes it again in the folder of the results, from the experiment with every default
/// written out.
pub fn commands(results: &Store) -> Vec<String> {
    let is_alone = results.runs.len() < 2;
    let many_rules = results.runs.iter().any(|run| run.reporting != results.runs[0].reporting);
    let of = |run: &coase_plots::store::Run| {
        if is_alone {
            return "coase run resolved.ron --out again".to_owned();
        }
        let reporting = if many_rules { run.reporting.as_str() } else { "" };
        let axes = [
            ("scenario", run.scenario.as_str()),
            ("mechanism", run.label.as_str()),
            ("carbon", run.carbon_label.as_str()),
            ("reporting", reporting),
        ];
        let seed = run.seed.to_string();
        let axes = axes.into_iter().chain([("seed", seed.as_str())]);
        let swept = results.sweeps.iter().map(String::as_str).zip(run.sweep.iter().map(String::as_str));
        let only = only(axes.chain(swept).map(|(axis, value)| (axis, value.to_owned())));
        format!("coase run resolved.ron --set {} --out again", quoted(&format!("experiment.only={only}")))
    };
    results.runs.iter().map(of).collect()
}
