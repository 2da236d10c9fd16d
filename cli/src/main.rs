//! The `coase` program: everything is in the library, so that other mechanism crates can have a binary of their own.

use std::process::ExitCode;

fn main() -> ExitCode {
    coase::main(std::env::args_os())
}
