//! "Did you mean".

use coase_scenarios::nearest;

/// The ending of an error message: ` (did you mean ..?)`, or nothing.
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or(String::new(), |found| format!("; did you mean `{found}`?"))
}

#[cfg(test)]
mod tests {
    use super::hint;
    use coase_scenarios::nearest;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        assert_eq!(nearest("nash-bargianing", ["grid-only", "nash-bargaining"]), Some("nash-bargaining"));
        assert_eq!(hint("ieee33", ["ieee-33", "ieee-69"]), "; did you mean `ieee-33`?");
    }

    #[test]
    fn a_word_like_nothing_gets_no_advice() {
        assert_eq!(nearest("xyz", ["grid-only", "nash-bargaining"]), None);
    }
}
