//! Values as the text of a table.

use coase_core::record::Value;
use std::fmt::Write as _;

/// Texts of numbers that were written lately. The runs of a study have most of their numbers in common, and to find the
/// shortest digits takes longer than to look a number up.
pub(crate) struct Written {
    known: Vec<Known>,
    text: String,
}

/// A number with its text.
#[derive(Clone, Copy)]
struct Known {
    bits: u64,
    length: u8,
    text: [u8; LONGEST],
}

/// Bytes of the longest text of a number: sign, 17 digits, point, exponent of five.
const LONGEST: usize = 24;

/// Numbers that are kept, as a power of two: they fill some megabytes.
const KEPT: u32 = 16;

impl Written {
    pub(crate) fn new() -> Self {
        // No number that is not one is ever asked for.
        Self {
            known: vec![Known { bits: f64::NAN.to_bits(), length: 0, text: [0; LONGEST] }; 1 << KEPT],
            text: String::new(),
        }
    }

    /// Appends the text of a number.
    pub(crate) fn push(&mut self, number: f64, out: &mut Vec<u8>) {
        let bits = number.to_bits();
        // Fibonacci hashing: the product's first bits depend on all bits of the number.
        let place = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - KEPT);
        let known = &mut self.known[place as usize];
        if known.bits != bits {
            self.text.clear();
            write(number, &mut self.text);
            let Some(text) = known.text.get_mut(..self.text.len()) else { return out.extend(self.text.as_bytes()) };
            text.copy_from_slice(self.text.as_bytes());
            (known.bits, known.length) = (bits, self.text.len() as u8);
        }
        out.extend(&known.text[..usize::from(known.length)]);
    }
}

/// Appends the text of a whole number.
pub(crate) fn push_integer(number: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend(&digits[at..]);
}

/// A number as the shortest text that reads back the same: plain or with an exponent, whichever is shorter; plain where they
/// are equally long.
pub fn written(number: f64) -> String {
    let mut text = String::new();
    write(number, &mut text);
    text
}

/// A value as the tables have it in CSV; nothing where it is missing.
pub fn in_a_table(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => written(*number),
        Value::Missing => String::new(),
    }
}

/// Appends the text of a number. The digits are those of the standard library, which are found once: a table is numbers for
/// the most part.
pub(crate) fn write(number: f64, text: &mut String) {
    let begin = text.len();
    // `-d.ddde-dd`: writing to a string cannot fail.
    let _ = write!(text, "{number:e}");
    let mut found = Scientific::default();
    let is_read = found.read(&text.as_bytes()[begin..]);
    let Scientific { digits, count, power, is_negative } = found;
    let n = count as i32;
    let plain = match power {
        power if power >= n - 1 => power + 1,
        power if power >= 0 => n + 1,
        power => 1 - power + n,
    };
    let length = (text.len() - begin) as i32 - i32::from(is_negative);
    if !is_read || length < plain {
        return;
    }
    text.truncate(begin + usize::from(is_negative));
    let digits = &digits[..count];
    let push = |text: &mut String, digits: &[u8]| text.extend(digits.iter().map(|digit| char::from(*digit)));
    let zeros = |text: &mut String, zeros: i32| text.extend(std::iter::repeat_n('0', zeros as usize));
    if power >= n - 1 {
        push(text, digits);
        zeros(text, power - n + 1);
    } else if power >= 0 {
        let (whole, fraction) = digits.split_at(power as usize + 1);
        push(text, whole);
        text.push('.');
        push(text, fraction);
    } else {
        text.push_str("0.");
        zeros(text, -power - 1);
        push(text, digits);
    }
}

/// Sign, digits and power of ten of the first digit.
#[derive(Default)]
struct Scientific {
    is_negative: bool,
    digits: [u8; 20],
    count: usize,
    power: i32,
}

impl Scientific {
    /// Reads `-d.ddde-dd`; whether it was that.
    fn read(&mut self, text: &[u8]) -> bool {
        let (mut is_power, mut sign) = (false, 1);
        for byte in text {
            match byte {
                b'-' if is_power => sign = -1,
                b'-' => self.is_negative = true,
                b'.' => {}
                b'e' => is_power = true,
                b'0'..=b'9' if is_power => self.power = 10 * self.power + i32::from(byte - b'0'),
                b'0'..=b'9' if self.count < self.digits.len() => {
                    self.digits[self.count] = *byte;
                    self.count += 1;
                }
                _ => return false,
            }
        }
        self.power *= sign;
        is_power
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Written, push_integer, written};
    use proptest::prelude::*;

    /// The rule, by the formats of the standard library.
    fn by_the_rule(number: f64) -> String {
        let (plain, scientific) = (number.to_string(), format!("{number:e}"));
        if scientific.len() < plain.len() { scientific } else { plain }
    }

    #[test]
    fn numbers_are_the_shortest_text_that_reads_back_the_same() {
        for (number, expected) in [
            (0.1, "0.1"),
            (3.0, "3"),
            (1e300, "1e300"),
            (-2.5e-9, "-2.5e-9"),
            (0.0, "0"),
            (1e6, "1e6"),
            (1234.5, "1234.5"),
            (5e-324, "5e-324"),
            (100.0, "100"),
            (1000.0, "1e3"),
            (1200.0, "1200"),
            (0.01, "0.01"),
            (0.001, "1e-3"),
        ] {
            assert_eq!(written(number), expected);
            assert_eq!(written(number).parse::<f64>(), Ok(number));
            assert_eq!(by_the_rule(number), expected);
        }
    }

    #[test]
    fn the_longest_text_is_no_longer() {
        assert_eq!(written(-f64::MIN_POSITIVE).len(), LONGEST);
    }

    proptest! {
        /// Whatever stood at a number's place before: few numbers, so that they come again.
        #[test]
        fn a_number_is_written_alike_whether_it_is_known_or_not(numbers in proptest::collection::vec(prop_oneof![(-5_i32..5).prop_map(f64::from), any::<f64>()], 0..50)) {
            let mut known = Written::new();
            for number in numbers.into_iter().filter(|x| x.is_finite()) {
                let mut text = vec![];
                known.push(number, &mut text);
                known.push(number, &mut text);
                prop_assert_eq!(String::from_utf8(text).unwrap(), by_the_rule(number).repeat(2));
            }
        }

        #[test]
        fn whole_numbers_are_written_as_the_standard_library_would(number: i64, few in -20_i64..20) {
            for number in [number, few, i64::MIN, i64::MAX] {
                let mut text = vec![];
                push_integer(number, &mut text);
                prop_assert_eq!(String::from_utf8(text).unwrap(), number.to_string());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn every_number_is_written_as_the_standard_library_would(bits: u64, whole in -1_000_000_i64..1_000_000, scale in -12..12) {
            let number = f64::from_bits(bits);
            if number.is_finite() {
                prop_assert_eq!(written(number), by_the_rule(number));
            }
            let number = whole as f64 * 10f64.powi(scale);
            prop_assert_eq!(written(number), by_the_rule(number));
        }
    }
}
