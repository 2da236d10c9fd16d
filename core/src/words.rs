//! Numbers as they are told in messages.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

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

/// Up to four decimals of a number of ordinary size, else four digits and its power of ten: for messages.
pub fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || (1e-3..1e7).contains(&size) { format!("{}", (x * 1e4).round() / 1e4) } else { format!("{x:.3e}") }
}

/// A word that lives as long as the program: the same word every time, so that names of certificates, stages and reasons may be
/// made while it runs. Every new word stays in memory: for names, not for texts.
///
/// ```
/// let word = coase_core::intern(&format!("gap_{}", 1));
/// assert!(std::ptr::eq(word, coase_core::intern("gap_1")));
/// ```
pub fn intern(word: &str) -> &'static str {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = words.get(word) {
        return known;
    }
    let kept: &'static str = Box::leak(word.into());
    words.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_short_at_every_size() {
        for (x, said) in [
            (0.0, "0"),
            (304.593_434, "304.5934"),
            (5.0, "5"),
            (-0.000_003, "-3.000e-6"),
            (5e11, "5.000e11"),
            (1e308, "1.000e308"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(number(x), said);
        }
    }
}
