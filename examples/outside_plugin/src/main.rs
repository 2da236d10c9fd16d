//! Coase with the plugins of this crate.

mod exempted_tax;
mod hydrogen_plant;
mod posted_price;

fn main() -> std::process::ExitCode {
    coase::main(std::env::args_os())
}
