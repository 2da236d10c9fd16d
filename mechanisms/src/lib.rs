//! The market mechanisms of Coase, each a plugin that registers itself.
//!
//! One file per mechanism (a folder where it has parts); algorithms that several share have modules of their own. A
//! mechanism knows the market and nothing of files, figures or another mechanism's insides. Whoever wants the plugins of
//! this crate in a binary or a test writes `use coase_mechanisms as _;`, or the linker drops them.

mod aggregator;
mod agv;
mod auctions;
mod bayesian_v2v;
mod bilateral_preferences;
mod bill_sharing;
mod canonical_payments;
mod central_optimum;
mod cooperation;
mod distributed;
mod energy_collective;
mod evolutionary_buyers;
mod fixed_positions;
mod gap;
mod grid_only;
mod integrated_leader;
mod internal_price;
mod kalai_smorodinsky;
mod leader_search;
mod mid_market_rate;
mod multiple_game;
mod nash_bargaining;
mod net_billing;
mod network_fee;
mod network_repair;
mod nucleolus;
mod pricing_game;
mod random_matching;
mod responsive;
mod security_constrained;
mod shapley;
mod shares_in_motion;
mod sharing_keys;
mod stalls;
mod supply_demand_ratio;
mod tariff_band;
mod tatonnement;
mod trade_matrix;
mod uniform_price;
mod vcg;

pub use aggregator::Aggregator;
pub use agv::{Agv, Calibration, Matching, Participation, PublicQuantity};
pub use auctions::vcg_blocks::vcg as vcg_of_blocks;
pub use auctions::{
    CompetitionPadding, ContinuousDoubleAuction, DoubleAuction, Huang, IterativeDoubleAuction, Mcafee, Muda,
    PaddedSide, Padding, PayAsBid, Rationing, ServiceQuotation, Shares, Traders,
};
pub use bayesian_v2v::{BayesianV2v, Response, V2vRule};
pub use bilateral_preferences::BilateralPreferences;
pub use bill_sharing::{BillSharing, Billing};
pub use central_optimum::CentralOptimum;
pub use distributed::{Acceleration, Groups, Metric, NetworkPart, Partners, Scaling, Solver};
pub use energy_collective::EnergyCollective;
pub use evolutionary_buyers::EvolutionaryBuyers;
pub use fixed_positions::Surplus;
pub use grid_only::GridOnly;
pub use integrated_leader::{Following, LeaderPrices, StackelbergIntegratedPrice};
pub use kalai_smorodinsky::{KalaiSmorodinsky, Utopia};
pub use mid_market_rate::MidMarketRate;
pub use multiple_game::MultipleGame;
pub use nash_bargaining::{NashBargaining, PaymentMode, Weights};
pub use net_billing::NetBilling;
pub use network_fee::{Distance, Fee, FeeSolver, StackelbergNetworkFee};
pub use network_repair::NetworkRepair;
pub use nucleolus::Nucleolus;
pub use pricing_game::PricingGame;
pub use random_matching::RandomMatching;
pub use security_constrained::{SecurityConstrained, Settlement};
pub use shapley::Shapley;
pub use sharing_keys::{Keys, SharingKeys};
pub use supply_demand_ratio::SupplyDemandRatio;
pub use tatonnement::Tatonnement;
pub use trade_matrix::TradeMatrix;
pub use uniform_price::UniformPrice;
pub use vcg::{NetworkUse, Pivot, Vcg};
