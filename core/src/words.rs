//! Numbers as they are told in messages.

/// Up to four decimals of a number of ordinary size, else four digits and its power of ten.
pub(crate) fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || (1e-3..1e7).contains(&size) { format!("{}", (x * 1e4).round() / 1e4) } else { format!("{x:.3e}") }
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
