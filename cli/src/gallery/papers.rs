//! Pages of results that hold the statements of a paper against runs: their tables of statements, as they are written.

use anyhow::Context;
use coase_plots::report::Paper;
use std::path::{Path, PathBuf};

/// The papers among the pages of a folder; none where there is no such folder.
pub fn of(docs: &Path) -> anyhow::Result<Vec<Paper>> {
    let Ok(entries) = std::fs::read_dir(docs) else { return Ok(vec![]) };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "md"));
    // Pages without a template are not read from runs.
    files.retain(|file| file.file_name().is_some_and(|name| docs.join("pages").join(name).is_file()));
    files.sort();
    let mut papers = vec![];
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let id = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        papers.extend(paper(&id, &text));
    }
    Ok(papers)
}

/// What a page says of a paper; `None` where it has no table of statements.
fn paper(id: &str, text: &str) -> Option<Paper> {
    let mut lines =
        text.lines().skip_while(|line| !["| id | statement", "| id | claim"].iter().any(|head| line.starts_with(head)));
    let heads = cells(lines.next()?);
    let rows = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).filter(|row| row.len() == heads.len());
    let title = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(id);
    let reconstruction = text.split("**What is reconstruction.**").nth(1).unwrap_or_default();
    let reconstruction = reconstruction.split("\n\n").next().unwrap_or_default();
    Some(Paper {
        id: id.to_owned(),
        title: title.to_owned(),
        reconstruction: plain(&reconstruction.split_whitespace().collect::<Vec<_>>().join(" ")),
        rows: rows.collect(),
        heads,
    })
}

fn cells(line: &str) -> Vec<String> {
    let words = |cell: &str| plain(cell.trim().trim_matches('|').trim()).replace('`', "");
    line.trim().trim_matches('|').split(" | ").map(words).collect()
}

/// Words without the marks of Markdown: of links their words, of emphasis its words.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(words, tail)| Some((words, tail.split_once(')')?.1)));
        out.push_str(before);
        if let Some((words, tail)) = link.filter(|(words, _)| !words.contains('[')) {
            out.push_str(words);
            rest = tail;
        } else {
            out.push('[');
            rest = after;
        }
    }
    (out + rest).replace("**", "")
}

#[cfg(test)]
mod tests {
    use super::paper;

    #[test]
    fn statements_are_read_from_their_table() {
        let text = "# A page (after A 2020)\n\n**What is reconstruction.** All [of](x.md) it,\nand more.\n\nWords.\n\n\
                    | id | statement | verdict | evidence |\n|---|---|---|---|\n| A-1 | it **pays** | holds | `x` is 3 |\n| A-2 | b | fails | c |\n\nEnd | x |\n";
        let found = paper("a", text).unwrap();
        assert_eq!(
            (found.title.as_str(), found.reconstruction.as_str()),
            ("A page (after A 2020)", "All of it, and more.")
        );
        assert_eq!(found.heads, ["id", "statement", "verdict", "evidence"]);
        assert_eq!(found.rows, [["A-1", "it pays", "holds", "x is 3"], ["A-2", "b", "fails", "c"]]);
        assert!(paper("b", "# B\n\n| x | y |\n").is_none());
    }
}
