//! Games with finitely many strategies, and players who learn them.
//!
//! A [`NormalForm`] holds what everybody gets at every profile. [`learn`] lets everybody follow a [`Learner`] and measures what came of
//! it: external regret against the bound that the learner is known to keep, and the exploitability of average play, exactly. Learned
//! play is not an equilibrium unless that is small.
//!
//! ```
//! use coase_core::learning::{Learner, NormalForm, learn};
//!
//! // Matching pennies: the payoffs of both at each profile, the last player's strategy moving fastest.
//! let game = NormalForm::new(vec![2, 2], vec![1.0, -1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0])?;
//! assert!(game.pure_equilibria().is_empty());
//! let learned = learn(&game, Learner::Hedge { rate: None }, 1_000, 1);
//! assert!(learned.regrets[0] <= learned.bounds.expect("it has one")[0]);
//! assert!(learned.exploitability < 0.1);
//! # Ok::<(), coase_core::learning::NormalFormError>(())
//! ```

mod learner;
mod nfg;
mod normal_form;
mod play;
#[cfg(test)]
mod tests;

pub use learner::{Agent, Learner};
pub use normal_form::{MOST_NUMBERS, NormalForm, NormalFormError};
pub(crate) use play::draw;
pub use play::{Learned, learn, learn_from};
