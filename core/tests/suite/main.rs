//! What this crate does as a whole, through its public interface: one binary, so that it is linked once.

mod audit;
mod carbon_flow;
mod choices;
mod day_of_five_vpps;
mod day_of_one_vpp;
mod devices_follow_their_equations;
mod every_payment_counts;
mod joint_within_limits;
mod layers;
mod limits_in_prices;
mod network_day;
mod nodal_fixed_point;
mod parts_of_a_market;
mod play;
mod policies_in_the_market;
mod program;
mod realisations;
mod root_export;
mod root_turn;
mod sessions;
