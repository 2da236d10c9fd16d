//! Coase with one more mechanism.

mod posted_price;

fn main() -> std::process::ExitCode {
    coase::main(std::env::args_os())
}
