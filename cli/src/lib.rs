//! The command line of Coase, as a library.
//!
//! A crate with mechanisms of its own becomes a program in three lines, and its mechanisms appear beside the others in
//! `list`, `explain` and every scenario:
//!
//! ```no_run
//! use std::process::ExitCode;
//! // use my_mechanisms as _;
//! fn main() -> ExitCode {
//!     coase::main(std::env::args_os())
//! }
//! ```
//!
//! This crate reads arguments, draws errors, and prints. It knows no mathematics: what it prints was
//! computed elsewhere.

// The linker keeps the plugins of a crate only where somebody says that they are wanted.
use coase_mechanisms as _;

mod args;
mod auction;
mod audit;
mod bundle;
mod check;
mod cite;
mod compare;
mod console;
mod explain;
mod flow;
mod gallery;
mod game;
mod interrupt;
mod list;
mod methods;
mod nearest;
mod new;
mod notes;
mod offence;
mod opf;
mod pages;
mod plot;
mod progress;
mod reference;
mod report;
mod rows;
mod run;
mod schema;
mod sheets;
mod slurm;
mod summary;
mod wrap;

use clap::Parser;
use coase_core::Mechanism;
use coase_core::engine::ReportRule;
use coase_core::open::Open;
use coase_core::participant::Device;
use coase_core::policy::CarbonPolicy;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program with the arguments of a process, the program's name first.
///
/// The exit status is 0 where everything asked for was found, 1 where something ran and failed or is missing, 2 for bad input
/// or usage, and 130 or 143 where Ctrl-C or a request to terminate ended it.
pub fn main<I>(args: I) -> ExitCode
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let cli = match args::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(wrong) => {
            // Help and version come this way too, and go to standard output.
            let text = wrong.render().to_string();
            if wrong.use_stderr() {
                console::error(&text);
                return Finish::BadInput.into();
            }
            console::print(&text);
            return Finish::Done.into();
        }
    };
    plugins_are_told_apart()
        .and_then(|()| dispatch(cli.command))
        .unwrap_or_else(|wrong| {
            console::failure(&wrong);
            Finish::BadInput
        })
        .into()
}

/// Whether the program takes such arguments, the program's name first, and why not. Nothing is run: what documentation shows is
/// checked by it.
///
/// # Errors
/// What the program would complain of.
pub fn takes<I>(args: I) -> Result<(), String>
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    match args::Cli::try_parse_from(args) {
        Err(wrong) if wrong.use_stderr() => Err(wrong.render().to_string()),
        _ => Ok(()),
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finish {
    /// Everything that was asked for was found.
    Done,
    /// It ran, and something failed.
    SomeFailed,
    /// Nothing ran.
    BadInput,
    /// A signal ended it: 128 and its number.
    Interrupted(u8),
}

impl From<Finish> for ExitCode {
    fn from(finish: Finish) -> Self {
        ExitCode::from(match finish {
            Finish::Done => 0,
            Finish::SomeFailed => 1,
            Finish::BadInput => 2,
            Finish::Interrupted(status) => status,
        })
    }
}

/// Two plugins with one id: nobody could say which is meant.
fn plugins_are_told_apart() -> anyhow::Result<()> {
    let mechanisms = <dyn Mechanism>::set().clashes();
    let others = <dyn CarbonPolicy>::set().clashes().iter().chain(<dyn Device>::set().clashes());
    let others = others.chain(<dyn ReportRule>::set().clashes());
    let clash = mechanisms.iter().chain(others).next();
    clash.map_or(Ok(()), |clash| Err(clash.clone().into()))
}

fn dispatch(command: args::Command) -> anyhow::Result<Finish> {
    match command {
        args::Command::Run(what) => run::run(&what),
        args::Command::Audit(what) => audit::audit(&what),
        args::Command::Collect(what) => run::collect(&what),
        args::Command::Slurm(what) => slurm::slurm(&what),
        args::Command::Check(what) => Ok(check::check(&what)),
        args::Command::List(what) => list::list(&what),
        args::Command::Explain(what) => explain::explain(&what),
        args::Command::Schema(what) => schema::schema(&what),
        args::Command::Flow(what) => flow::flow(&what),
        args::Command::Opf(what) => opf::opf(&what),
        args::Command::Auction(what) => auction::auction(&what),
        args::Command::Game(what) => game::game(&what),
        args::Command::Plot(what) => plot::plot(&what),
        args::Command::Methods(what) => methods::methods(&what),
        args::Command::Cite(what) => cite::cite(&what),
        args::Command::Bundle(what) => bundle::bundle(&what),
        args::Command::Verify(what) => bundle::verify(&what),
        args::Command::Report(what) => report::report(&what),
        args::Command::Compare(what) => compare::compare(&what),
        args::Command::New(what) => new::new(&what),
        args::Command::Pages(what) => pages::pages(&what),
        args::Command::Gallery(what) => gallery::gallery(&what),
    }
}
