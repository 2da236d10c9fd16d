//! What is asked and what an answer is worth: the builder, values over its pattern, certificates. Solves nothing.

mod builder;
mod certificate;
pub(in crate::program) mod cone;
mod error;
mod expression;
pub(super) mod filling;
pub(in crate::program) mod flow_pattern;
pub(in crate::program) mod flows;
mod instance;
pub(in crate::program) mod normal_form;
mod solution;
mod template;

pub use builder::{Program, Restriction};
pub use certificate::Certificate;
pub use cone::{Cone, ConeDual};
pub use error::{Refusal, SolveError};
pub use expression::{Cost, Expr, Row, Var};
pub use instance::{Instance, Written};
pub use solution::{Chosen, Solution};
pub use template::Template;
