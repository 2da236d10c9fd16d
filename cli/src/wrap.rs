//! Lines that fit a terminal: paragraphs broken between words, tables broken between columns.

/// Most characters in a line of prose, however wide the terminal: longer ones are hard to follow.
pub const PROSE: usize = 100;

/// A text in which every line that is longer than `width` is broken between words and goes on behind its own indent and two
/// blanks. Lines without blanks stay.
pub fn folded(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if line.chars().count() <= width {
            out += line;
            out.push('\n');
            continue;
        }
        let own: String = line.chars().take_while(|c| *c == ' ').collect();
        // What begins with a word in capitals and two blanks goes on under itself.
        let further = format!("{own}  ");
        push_words(&mut out, line.trim_start(), &own, &further, width);
    }
    out
}

/// Puts words into lines, the first behind `first`, the others behind `further`. Blanks between words stay as they are where a
/// line is not broken there.
fn push_words(out: &mut String, words: &str, first: &str, further: &str, width: usize) {
    let mut line = first.to_owned();
    let (mut used, mut is_empty) = (first.chars().count(), true);
    for piece in words.split_inclusive(' ') {
        let length = piece.trim_end().chars().count();
        if !is_empty && used + length > width {
            out.push_str(line.trim_end());
            out.push('\n');
            further.clone_into(&mut line);
            used = further.chars().count();
        }
        line += piece;
        used += piece.chars().count();
        is_empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

/// A column of a table: its head in two lines, and its cells.
pub type Column<'a> = ([&'a str; 2], Vec<String>);

/// Fewest characters that a name in front of a table is left.
const LEAST_NAME: usize = 20;

/// A name in lines of at most so many characters, broken between words where it can be.
fn name_lines(name: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for piece in name.split_inclusive(' ') {
        let length = piece.trim_end().chars().count();
        if used > 0 && used + length > most {
            lines.push(String::new());
            used = 0;
        }
        for c in piece.chars() {
            if used == most && c != ' ' {
                lines.push(String::new());
                used = 0;
            }
            lines.last_mut().expect("invariant: there is a line").push(c);
            used += 1;
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// A table with names in front, its cells at the right of their columns, behind two blanks. Columns that do not fit into `width`
/// follow in further blocks, with the names again. Names that would take more than two fifths of it go on in further lines.
pub fn columns(names: &[&str], columns: &[Column], width: Option<usize>) -> String {
    let count = |text: &str| text.chars().count();
    let most = width.map_or(usize::MAX, |width| LEAST_NAME.max(width * 2 / 5));
    let names: Vec<Vec<String>> = names.iter().map(|name| name_lines(name, most)).collect();
    let name = names.iter().flatten().map(|line| count(line)).max().unwrap_or(0);
    let of = |(head, cells): &Column| {
        head.iter().copied().chain(cells.iter().map(String::as_str)).map(count).max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().map(of).collect();
    let mut out = String::new();
    let mut from = 0;
    while from < columns.len() {
        let (mut to, mut used) = (from + 1, 2 + name + 2 + widths[from]);
        while to < columns.len() && width.is_none_or(|most| used + 2 + widths[to] <= most) {
            used += 2 + widths[to];
            to += 1;
        }
        let row = |first: &str, cell: &dyn Fn(usize) -> String| {
            let cells: Vec<String> = (from..to).map(|k| format!("  {:>1$}", cell(k), widths[k])).collect();
            format!("  {first:name$}{}", cells.concat()).trim_end().to_owned() + "\n"
        };
        for k in 0..2 {
            let heads = row("", &|column| columns[column].0[k].to_owned());
            out += if heads.trim().is_empty() { "" } else { &heads };
        }
        for (at, lines) in names.iter().enumerate() {
            // The cells stand in the last line, where the name ends.
            for line in &lines[..lines.len() - 1] {
                out.extend(["  ", line.as_str(), "\n"]);
            }
            out += &row(&lines[lines.len() - 1], &|column| columns[column].1[at].clone());
        }
        from = to;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{columns, folded};

    #[test]
    fn long_lines_go_on_behind_their_indent() {
        let text = "short\n  a line that is longer than it may be\nFAILED  one two three four five\n";
        let expected = "short\n  a line that is\n    longer than it\n    may be\nFAILED  one two\n  three four five\n";
        assert_eq!(folded(text, 18), expected);
        assert_eq!(folded(text, 80), text);
        // A word has no place to be broken.
        assert_eq!(folded("abcdefghij klm", 4), "abcdefghij\n  klm\n");
    }

    #[test]
    fn a_long_name_goes_on_in_further_lines_and_leaves_room_for_numbers() {
        let all = [(["one", ""], vec!["1.00".to_owned(), "2.00".to_owned()])];
        let text = columns(&["bargaining with exponential weights", "b"], &all, Some(50));
        assert_eq!(
            text,
            "                        one\n  bargaining with\n  exponential weights  1.00\n  b                    2.00\n"
        );
        let word = columns(&["a".repeat(45).as_str(), "b"], &all, Some(50));
        assert!(
            word.lines().all(|line| line.chars().count() <= 50) && word.contains("\n  aaaaa                 1.00\n"),
            "{word}"
        );
    }

    #[test]
    fn columns_that_do_not_fit_follow_below_with_the_names_again() {
        let column = |head: &'static str| ([head, ""], vec!["1.00".to_owned(), "*20.00".to_owned()]);
        let all = [column("one"), column("two"), column("three")];
        let narrow = columns(&["a", "bb"], &all, Some(20));
        let expected = "         one     two\n  a     1.00    1.00\n  bb  *20.00  *20.00\n       three\n  a     1.00\n  bb  *20.00\n";
        assert_eq!(narrow, expected);
        assert!(narrow.lines().all(|line| line.chars().count() <= 20));
        assert_eq!(columns(&["a", "bb"], &all, None).lines().count(), 3);
    }
}
