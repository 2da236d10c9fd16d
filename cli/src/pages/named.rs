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

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn whole_numbers_have_their_thousands_apart() {
        let found = [0.0, -0.2, 12.5, 999.6, 1234567.0, -1448.0].map(whole);
        assert_eq!(found, ["0", "0", "12", "1,000", "1,234,567", "-1,448"]);
    }
}
