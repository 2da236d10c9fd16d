//! Coase with the plugins of this crate.

mod exempted_tax;
mod hydrogen_plant;
mod k_double_auction;
mod posted_price;

fn main() -> std::process::ExitCode {
    coase::main(std::env::args_os())
}
