//! A subset of a font as WOFF, to travel inside an SVG.
//!
//! The tables of the subset, each deflated, and a character map of the few characters that are left. (W3C, WOFF File
//! Format 1.0.)

/// The font with these characters only, as the text of a `data:` address; `None` if it cannot be subset.
pub fn data_address(data: &[u8], index: u32, glyphs: &[(char, u16)]) -> Option<String> {
    let numbers: Vec<u16> = glyphs.iter().map(|g| g.1).collect();
    let subset = subsetter::subset(data, index, subsetter::Profile::pdf(&numbers)).ok()?;
    Some(format!("data:font/woff;base64,{}", base64(&woff(&subset, glyphs)?)))
}

fn woff(font: &[u8], glyphs: &[(char, u16)]) -> Option<Vec<u8>> {
    let number = |at: usize| Some(u32::from_be_bytes(font.get(at..at + 4)?.try_into().ok()?));
    let count = usize::from(u16::from_be_bytes(font.get(4..6)?.try_into().ok()?));
    let mut tables: Vec<([u8; 4], Vec<u8>)> = vec![];
    for entry in (0..count).map(|k| 12 + 16 * k) {
        let tag: [u8; 4] = font.get(entry..entry + 4)?.try_into().ok()?;
        let (offset, length) = (number(entry + 8)? as usize, number(entry + 12)? as usize);
        let table = font.get(offset..offset.checked_add(length)?)?.to_vec();
        if tag != *b"cmap" {
            tables.push((tag, table));
        }
    }
    tables.push((*b"cmap", character_map(glyphs)));
    tables.sort();
    let mut directory = vec![];
    let mut body = vec![];
    let begin = 44 + 20 * tables.len();
    let mut unpacked = 12 + 16 * tables.len();
    for (tag, table) in &tables {
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(table, 9);
        let stored: &[u8] = if packed.len() < table.len() { &packed } else { table };
        directory.extend(tag);
        for value in [begin + body.len(), stored.len(), table.len()] {
            directory.extend(u32::try_from(value).ok()?.to_be_bytes());
        }
        directory.extend(checksum(table).to_be_bytes());
        unpacked += table.len().next_multiple_of(4);
        body.extend(stored);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut out = b"wOFF".to_vec();
    out.extend(font.get(..4)?);
    out.extend(u32::try_from(begin + body.len()).ok()?.to_be_bytes());
    out.extend(u16::try_from(tables.len()).ok()?.to_be_bytes());
    out.extend([0, 0]);
    out.extend(u32::try_from(unpacked).ok()?.to_be_bytes());
    // Version 1.0; neither metadata nor private data.
    out.extend([0, 1, 0, 0]);
    out.extend([0; 20]);
    out.extend(directory);
    out.extend(body);
    Some(out)
}

/// One subtable of format 12 for all of Unicode, a group for each character.
fn character_map(glyphs: &[(char, u16)]) -> Vec<u8> {
    let mut sorted = glyphs.to_vec();
    sorted.sort_unstable();
    sorted.dedup_by_key(|g| g.0);
    let mut map = vec![0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12, 0, 12, 0, 0];
    let groups = sorted.len() as u32;
    for value in [16 + 12 * groups, 0, groups] {
        map.extend(value.to_be_bytes());
    }
    for (c, glyph) in sorted {
        for value in [u32::from(c), u32::from(c), u32::from(glyph)] {
            map.extend(value.to_be_bytes());
        }
    }
    map
}

fn checksum(table: &[u8]) -> u32 {
    table.chunks(4).fold(0, |sum: u32, chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        sum.wrapping_add(u32::from_be_bytes(word))
    })
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for k in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * k) & 63) as usize];
            out.push(if k <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{base64, character_map, data_address, woff};
    use ab_glyph::{Font, FontRef};

    #[test]
    fn base64_is_that_of_its_specification() {
        // RFC 4648, section 10.
        for (text, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn the_tables_of_the_subset_come_back_and_map_its_characters() {
        let font = dejavu::sans_condensed::regular();
        let glyph = FontRef::try_from_slice(font).unwrap().glyph_id('n').0;
        let packed =
            woff(&subsetter::subset(font, 0, subsetter::Profile::pdf(&[glyph])).unwrap(), &[('n', glyph)]).unwrap();
        let number = |at: usize| u32::from_be_bytes(packed[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!((&packed[..4], number(8)), (&b"wOFF"[..], packed.len()));
        let count = usize::from(u16::from_be_bytes([packed[12], packed[13]]));
        let cmap = (0..count).map(|k| 44 + 20 * k).find(|at| &packed[*at..at + 4] == b"cmap").unwrap();
        let (offset, stored, length) = (number(cmap + 4), number(cmap + 8), number(cmap + 12));
        let table = &packed[offset..offset + stored];
        let table =
            if stored < length { miniz_oxide::inflate::decompress_to_vec_zlib(table).unwrap() } else { table.to_vec() };
        assert_eq!(table, character_map(&[('n', glyph)]));
        assert!(data_address(font, 0, &[('n', glyph)]).unwrap().len() < 60_000);
        assert!(data_address(b"no font", 0, &[('n', 1)]).is_none());
    }
}
