//! `coase check`.

use crate::args::Check;
use crate::console;
use crate::{Finish, offence::Offence};

/// Reads and checks files and runs nothing; all files are checked, whatever is wrong with the first.
pub fn check(args: &Check) -> Finish {
    let mut finish = Finish::Done;
    for file in &args.files {
        match coase_scenarios::load(file, &args.set) {
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
            Err(fault) => {
                console::error(&Offence::from(fault).drawn());
                finish = Finish::BadInput;
            }
        }
    }
    finish
}
