//! Statistics of samples: how sure a mean is, comparing like with like, ranks, risk, what a result hinges on, and the draws of
//! weather that all of it rests on.
//!
//! Knows numbers and no table. What is drawn comes from keyed streams: the same input gives the same output.
//!
//! | question | where |
//! |---|---|
//! | is this better than the baseline, and how sure is that? | [`against`], [`resample`], [`hypothesis`], [`bounds`] |
//! | which of several differ? | [`ranks`] |
//! | how many draws does it take? | [`power`] |
//! | how bad can it get? | [`risk`] |
//! | what is believed of a value before it is seen? | [`bounded`], [`kernel`] |
//! | what does it hinge on, and where does it hold? | [`sensitivity`] |
//! | what weather is dealt to all of them? | [`luck`], [`weather`], [`copula`], [`reduction`] |

pub mod against;
pub mod bounded;
pub mod bounds;
pub mod copula;
pub mod distributions;
pub mod hypothesis;
pub mod kernel;
pub mod luck;
mod pairing;
pub mod power;
pub mod quantiles;
pub mod ranks;
pub mod reduction;
pub mod resample;
pub mod risk;
mod samples;
pub mod sensitivity;
mod special;
pub mod weather;

pub use pairing::{Paired, paired};
pub use samples::{Estimate, estimate, mean, quantile};
