//! `coase check`.

use crate::args::Check;
use crate::console;
use crate::{Finish, offence::Offence, plot};

/// Reads and checks files and runs nothing; all files are checked, whatever is wrong with the first.
pub fn check(args: &Check) -> Finish {
    let mut finish = Finish::Done;
    for file in &args.files {
        let checked = coase_scenarios::load(file, &args.set).map_err(Offence::from).and_then(|experiment| {
            plot::check(experiment.figures(), &experiment.names_for_figures())?;
            Ok(experiment)
        });
        match checked {
            Ok(experiment) => {
                let (runs, shown) = (experiment.runs.len(), file.display());
                let noun = if runs == 1 { "run" } else { "runs" };
                console::print(&format!("{shown}: ok, {runs} {noun}\n"));
                console::notes(&experiment.notes());
                let missing = coase_plots::missing_from_names(experiment.names());
                if !missing.is_empty() {
                    console::notes(&[coase_plots::advice_on_missing(&missing)]);
                }
            }
            Err(offence) => {
                console::error(&offence.drawn());
                finish = Finish::BadInput;
            }
        }
    }
    finish
}
