//! Where two tables differ first.

/// Nothing where they are the same; else the first line and column that differ, or how many rows there are.
pub fn tables(packed: &[u8], made: &[u8]) -> Option<String> {
    if packed == made {
        return None;
    }
    let (packed, made) = (String::from_utf8_lossy(packed), String::from_utf8_lossy(made));
    let head: Vec<&str> = packed.lines().next().unwrap_or_default().split(',').collect();
    for (at, (old, new)) in packed.lines().zip(made.lines()).enumerate() {
        if old != new {
            let cells = old.split(',').zip(new.split(',')).enumerate();
            let differing = cells.into_iter().find(|(_, (a, b))| a != b);
            return Some(match differing {
                Some((column, (a, b))) if at > 0 => {
                    let name = head.get(column).copied().unwrap_or("?");
                    format!("line {}, column {name}: `{b}` now, `{a}` packed", at + 1)
                }
                _ => format!("line {}: `{new}` now, `{old}` packed", at + 1),
            });
        }
    }
    Some(format!("{} lines now, {} packed", made.lines().count(), packed.lines().count()))
}

#[cfg(test)]
mod tests {
    use super::tables;

    #[test]
    fn the_first_difference_is_named_by_line_and_column() {
        assert_eq!(tables(b"a,b\n1,2\n", b"a,b\n1,2\n"), None);
        assert_eq!(tables(b"a,b\n1,2\n", b"a,b\n1,3\n").unwrap(), "line 2, column b: `3` now, `2` packed");
        assert_eq!(tables(b"a,b\n1,2\n", b"a,b\n").unwrap(), "1 lines now, 2 packed");
        assert_eq!(tables(b"a\n1\n", b"b\n1\n").unwrap(), "line 1: `b` now, `a` packed");
    }
}
