//! The mechanisms on markets whose answers are known: one binary, so that it is linked once.

mod agv;
mod auctions;
mod audit;
mod books;
mod conformance;
mod cooperative;
mod distributed;
mod five_plants;
mod limited_line;
mod list_audit;
mod many_participants;
mod network_charge;
mod network_fee;
mod one_disagreement_point;
mod prices_at_buses;
mod ranges;
mod reference_rules;
mod relaying;
mod reporting;
mod scarcity;
mod split_accounts;
mod storage_in_figures;
mod three_participants;
mod trade_matrices;
mod vcg;
mod village;
