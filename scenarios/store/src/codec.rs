//! Bytes of a run file: numbers in little-endian order, lengths and whole numbers in base 128, words with their length,
//! columns with their words kept once.

use crate::frame::{Cells, Frame, Head, NO_WORD, Series, Words};
use coase_core::record::Kind;

/// What bytes that are not of the form expected are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Bytes being written.
#[derive(Default)]
pub(crate) struct Encoder(pub(crate) Vec<u8>);

impl Encoder {
    /// A whole number: seven bits a byte, the least first, the eighth bit where more follow.
    pub(crate) fn count(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(crate) fn number(&mut self, number: f64) {
        self.0.extend(number.to_le_bytes());
    }

    pub(crate) fn word(&mut self, word: &str) {
        self.count(word.len() as u64);
        self.0.extend(word.as_bytes());
    }

    /// Whether it is there, then what it is.
    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// The rows of a table, column by column; the columns are those of the schema.
    pub(crate) fn frame(&mut self, frame: &Frame) {
        self.count(frame.len() as u64);
        frame.all().iter().for_each(|series| self.series(series));
    }

    fn series(&mut self, series: &Series) {
        let is_empty = match &series.cells {
            Cells::Text(words) => words.words().is_empty(),
            Cells::Number(numbers) => numbers.iter().all(|x| x.is_nan()),
            Cells::Integer(numbers) => numbers.iter().all(Option::is_none),
        };
        self.0.push(u8::from(!is_empty));
        if is_empty {
            return;
        }
        match &series.cells {
            Cells::Text(words) => {
                self.count(words.words().len() as u64);
                words.words().iter().for_each(|word| self.word(word));
                // Zero is a word that is missing.
                words.places().iter().for_each(|at| self.count(u64::from(at.wrapping_add(1))));
            }
            Cells::Number(numbers) => numbers.iter().for_each(|x| self.number(*x)),
            Cells::Integer(numbers) => numbers.iter().for_each(|number| self.option(*number, Self::integer)),
        }
    }

    /// Zigzag, so that small numbers of either sign are short.
    fn integer(&mut self, number: i64) {
        self.count(((number << 1) ^ (number >> 63)) as u64);
    }
}

/// Bytes being read.
pub(crate) struct Decoder<'a>(pub(crate) &'a [u8]);

impl<'a> Decoder<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(Malformed("it ends too early"))?;
        self.0 = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.bytes(1)?[0])
    }

    pub(crate) fn count(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed("a number that does not end"))
    }

    /// A number of things, each of which takes at least some bytes: no more than can be there.
    fn length(&mut self) -> Result<usize, Malformed> {
        let count = self.count()?;
        usize::try_from(count).ok().filter(|n| *n <= MOST).ok_or(Malformed("a length beyond all bounds"))
    }

    pub(crate) fn number(&mut self) -> Result<f64, Malformed> {
        let bytes = self.bytes(8)?.try_into().map_err(|_| Malformed("no number"))?;
        Ok(f64::from_le_bytes(bytes))
    }

    pub(crate) fn word(&mut self) -> Result<&'a str, Malformed> {
        let length = self.length()?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Malformed("a word that is no text"))
    }

    /// Bytes with their length before them.
    pub(crate) fn part(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length()?;
        self.bytes(length)
    }

    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Malformed("neither there nor missing")),
        }
    }

    pub(crate) fn frame(&mut self, heads: Vec<Head>) -> Result<Frame, Malformed> {
        let len = self.length()?;
        let series: Result<Vec<Series>, Malformed> =
            heads.into_iter().map(|head| Ok(Series { cells: self.cells(head.kind, len)?, head })).collect();
        Ok(Frame::of(series?, len))
    }

    fn cells(&mut self, kind: Kind, len: usize) -> Result<Cells, Malformed> {
        let is_there = match self.byte()? {
            0 => false,
            1 => true,
            _ => return Err(Malformed("neither a column nor none")),
        };
        Ok(match kind {
            Kind::Text => Cells::Text(self.words(len, is_there)?),
            Kind::Number if is_there => {
                let bytes = self.bytes(len * 8)?;
                let number = |bytes: &[u8]| bytes.try_into().map_or(f64::NAN, f64::from_le_bytes);
                Cells::Number(bytes.chunks_exact(8).map(number).collect())
            }
            Kind::Number => Cells::Number(vec![f64::NAN; len]),
            Kind::Integer if is_there => {
                Cells::Integer((0..len).map(|_| self.option(Self::integer)).collect::<Result<_, _>>()?)
            }
            Kind::Integer => Cells::Integer(vec![None; len]),
        })
    }

    fn integer(&mut self) -> Result<i64, Malformed> {
        let value = self.count()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn words(&mut self, len: usize, is_there: bool) -> Result<Words, Malformed> {
        if !is_there {
            return Ok(Words::of(vec![], vec![NO_WORD; len]));
        }
        let count = self.length()?;
        let words: Vec<String> = (0..count).map(|_| Ok(self.word()?.to_owned())).collect::<Result<_, _>>()?;
        let mut places = vec![];
        for _ in 0..len {
            places.push(match self.count()? {
                0 => NO_WORD,
                at if at <= words.len() as u64 => (at - 1) as u32,
                _ => return Err(Malformed("no such word")),
            });
        }
        Ok(Words::of(words, places))
    }
}

/// More rows or bytes than any run has.
const MOST: usize = 1 << 30;

#[cfg(test)]
mod tests {
    use super::{Decoder, Encoder};
    use crate::frame::{Frame, Head};
    use coase_core::record::{Kind, Value};
    use proptest::prelude::*;

    fn heads() -> Vec<Head> {
        let head = |name: &str, kind| Head { name: name.to_owned(), kind, unit: "", meaning: "" };
        vec![head("word", Kind::Text), head("number", Kind::Number), head("whole", Kind::Integer)]
    }

    fn cells() -> impl Strategy<Value = Vec<Value>> {
        let word = prop_oneof![Just(Value::Missing), "[a-c\u{e9}]{0,3}".prop_map(Value::Text)];
        let number = prop_oneof![Just(Value::Missing), any::<f64>().prop_map(Value::from)];
        let whole = prop_oneof![
            Just(Value::Missing),
            any::<i64>().prop_map(Value::Integer),
            Just(Value::Integer(i64::MIN)),
            Just(Value::Integer(i64::MAX)),
            (-3_i64..3).prop_map(Value::Integer),
        ];
        (word, number, whole).prop_map(|(a, b, c)| vec![a, b, c])
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(rows in proptest::collection::vec(cells(), 0..40)) {
            let mut frame = Frame::new(heads());
            for row in &rows {
                frame.push(row);
            }
            let mut encoder = Encoder::default();
            encoder.frame(&frame);
            let mut decoder = Decoder(&encoder.0);
            let read = decoder.frame(heads()).unwrap();
            prop_assert!(decoder.0.is_empty());
            for (k, row) in rows.iter().enumerate() {
                let found: Vec<Value> = read.row(k).cells().map(|cell| cell.1).collect();
                prop_assert_eq!(&found, row);
            }
        }

        /// Whatever the bytes are, reading them ends.
        #[test]
        fn no_bytes_are_too_odd(rows in 0_u8..100, rest in proptest::collection::vec(any::<u8>(), 0..200)) {
            let bytes = [&[rows], rest.as_slice()].concat();
            let _ = Decoder(&bytes).frame(heads());
        }
    }
}
