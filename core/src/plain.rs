//! Numbers as messages show them.

use std::fmt;

/// A number as people write it: very large and very small ones with an exponent, not with hundreds of zeros.
///
/// ```
/// use coase_core::Plain;
/// assert_eq!(format!("{} {} {} {}", Plain(0.5), Plain(-250.0), Plain(1e308), Plain(f64::NAN)), "0.5 -250 1e308 NaN");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plain(pub f64);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size == 0.0 || !size.is_finite() || (1e-6..1e15).contains(&size) {
            write!(f, "{}", self.0)
        } else {
            write!(f, "{:e}", self.0)
        }
    }
}
