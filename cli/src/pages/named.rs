//! What a page names: experiments, figures, and numbers as they are written.

/// An experiment of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub name: String,
    pub file: String,
    pub set: Vec<String>,
}

/// A figure of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub run: String,
    pub stem: String,
    pub file: String,
}

/// A number without decimals, its thousands apart.
pub fn whole(x: f64) -> String {
    let digits = format!("{:.0}", x.abs());
    let mut grouped = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if x < 0.0 && digits != "0" { format!("-{grouped}") } else { grouped }
}

/// A number with so many decimals; what rounds to nothing has no sign.
pub fn decimals(x: f64, digits: usize) -> String {
    let text = format!("{x:.digits$}");
    let is_nothing = text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
    if is_nothing { text.trim_start_matches('-').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{decimals, whole};

    #[test]
    fn what_rounds_to_nothing_has_no_sign() {
        let found = [-1e-9, 0.0, -0.005, -0.004, 1.0].map(|x| decimals(x, 2));
        assert_eq!(found, ["0.00", "0.00", "-0.01", "0.00", "1.00"]);
    }

    #[test]
    fn whole_numbers_have_their_thousands_apart() {
        let found = [0.0, -0.2, 12.5, 999.6, 1234567.0, -1448.0].map(whole);
        assert_eq!(found, ["0", "0", "12", "1,000", "1,234,567", "-1,448"]);
    }
}
