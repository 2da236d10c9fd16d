//! `K = L D L'` with parts that look alike: they are eliminated side by side, and what is left as a whole.
//!
//! ```text
//!     [ A_1            B_1' ]
//! K = [      A_2       B_2' ]        A_k of one pattern, B_k of one pattern
//!     [           ..   ..   ]
//!     [ B_1  B_2  ..   C    ]
//! ```
//!
//! Every number of `N` parts is one `[f64; N]`, so that a list of positions is walked once for `N` parts. A lane never meets
//! another, its operations and their order do not depend on `N`, and none are fused: the bits are the same for every number
//! of lanes on every machine. Keep it so: no `mul_add`, no sum over lanes.

mod ldl;
mod pattern;
mod split;
#[cfg(test)]
mod tests;

pub(crate) use ldl::LaneLdl;
pub(crate) use pattern::LanePattern;
