//! The market mechanisms of Coase, each a plugin that registers itself.
//!
//! One file per mechanism (a folder where it has parts); algorithms that several share have modules of their own. A
//! mechanism knows the market and nothing of files, figures or another mechanism's insides. Whoever wants the plugins of
//! this crate in a binary or a test writes `use coase_mechanisms as _;`, or the linker drops them.

mod agv;
mod auctions;
mod bill_sharing;
mod canonical_payments;
mod central_optimum;
mod cooperation;
mod distributed;
mod gap;
mod grid_only;
mod internal_price;
mod kalai_smorodinsky;
mod mid_market_rate;
mod nash_bargaining;
mod network_repair;
mod nucleolus;
mod security_constrained;
mod shapley;
mod supply_demand_ratio;
mod trade_matrix;
mod uniform_price;
mod vcg;

pub use agv::{Agv, Calibration, Matching, Participation};
pub use auctions::vcg_blocks::vcg as vcg_of_blocks;
pub use auctions::{
    CompetitionPadding, ContinuousDoubleAuction, DoubleAuction, Huang, IterativeDoubleAuction, Mcafee, Muda,
    PaddedSide, Padding, PayAsBid, Rationing, Shares, Traders,
};
pub use bill_sharing::{BillSharing, Billing};
pub use central_optimum::CentralOptimum;
pub use distributed::{Acceleration, Groups, Metric, NetworkPart, Partners, Scaling, Solver};
pub use grid_only::GridOnly;
pub use kalai_smorodinsky::{KalaiSmorodinsky, Utopia};
pub use mid_market_rate::MidMarketRate;
pub use nash_bargaining::{NashBargaining, PaymentMode, Weights};
pub use network_repair::NetworkRepair;
pub use nucleolus::Nucleolus;
pub use security_constrained::{SecurityConstrained, Settlement};
pub use shapley::Shapley;
pub use supply_demand_ratio::SupplyDemandRatio;
pub use trade_matrix::TradeMatrix;
pub use uniform_price::UniformPrice;
pub use vcg::{NetworkUse, Pivot, Vcg};
