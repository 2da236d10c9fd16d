//! `coase cite`: what a paper cites that uses some results, as BibTeX.
//!
//! What was used is read from the resolved experiment, in which every mechanism, policy, rule of behaviour, device and network
//! stands by its name; what each rests on is declared by the plugin. The entries themselves are a file beside this one.

use crate::Finish;
use crate::args::Cite;
use crate::console;
use anyhow::Context;
use coase_core::engine::report_rules;
use coase_core::mechanism::mechanisms;
use coase_core::network::BUILT_IN;
use coase_core::open::camel_case;
use coase_core::participant::devices;
use coase_core::policy::policies;
use coase_store::{Manifest, Store};
use std::fmt::Write;

/// Every entry below a comment with the words by which plugins name it, or the id of the network that it describes.
const REFERENCES: &str = include_str!("cite/references.bib");

/// Prints what results rest on.
pub fn cite(args: &Cite) -> anyhow::Result<Finish> {
    console::print(&of_store(&Store::open(&args.folder)?)?);
    Ok(Finish::Done)
}

/// BibTeX of what the results of a store rest on.
pub fn of_store(store: &Store) -> anyhow::Result<String> {
    Ok(bibliography(&store.manifest()?, &used_in(store)?))
}

/// What the results of a store used.
pub fn used_in(store: &Store) -> anyhow::Result<Vec<Used>> {
    let path = store.dir().join("resolved.ron");
    let resolved = std::fs::read_to_string(&path).with_context(|| {
        format!("{}: the resolved experiment cannot be read; `coase run` writes it", path.display())
    })?;
    Ok(used(&resolved))
}

/// Keys of the works that a source names.
pub fn keys(source: &str) -> Vec<&'static str> {
    let references = references();
    let mut found = cited_in(source, &references);
    found.sort_by_key(|(end, _)| *end);
    found.iter().filter_map(|(_, reference)| reference.entry.split(['{', ',']).nth(1)).collect()
}

/// The entries of the works that a source names, as they stand in a bibliography.
pub fn entries(source: &str) -> Vec<&'static str> {
    let references = references();
    let mut found = cited_in(source, &references);
    found.sort_by_key(|(end, _)| *end);
    let mut entries: Vec<&'static str> = found.iter().map(|(_, reference)| reference.entry).collect();
    entries.dedup();
    entries
}

/// Something that was used, and the words in which it names what it rests on.
pub struct Used {
    pub id: &'static str,
    pub source: &'static str,
}

/// What stands in a resolved experiment.
fn used(resolved: &str) -> Vec<Used> {
    let plugins = mechanisms().into_iter().map(|p| (p.id, p.source));
    let plugins = plugins.chain(policies().into_iter().map(|p| (p.id, p.source)));
    let plugins = plugins.chain(report_rules().into_iter().map(|p| (p.id, p.source)));
    let plugins = plugins.chain(devices().into_iter().map(|p| (p.id, p.source)));
    let networks = BUILT_IN.iter().map(|network| (network.id, network.id));
    let stands = |(id, _): &(&str, &str)| {
        let form = camel_case(id) + "(";
        let begins_a_word = |(at, _): (usize, &str)| {
            !resolved[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
        };
        resolved.contains(&format!("\"{id}\"")) || resolved.match_indices(&form).any(begins_a_word)
    };
    plugins.chain(networks).filter(stands).map(|(id, source)| Used { id, source }).collect()
}

/// An entry of the file.
struct Reference {
    cited: &'static str,
    entry: &'static str,
}

fn references() -> Vec<Reference> {
    let blocks = REFERENCES.split("% ").skip(1);
    blocks
        .filter_map(|block| block.split_once('\n'))
        .map(|(cited, entry)| Reference { cited, entry: entry.trim() })
        .collect()
}

/// Where in the words of a source a reference is cited; words that a longer reference takes up are not another's.
fn cited_in<'r>(source: &str, references: &'r [Reference]) -> Vec<(usize, &'r Reference)> {
    let mut by_length: Vec<&Reference> = references.iter().collect();
    by_length.sort_by_key(|reference| std::cmp::Reverse(reference.cited.len()));
    let mut taken: Vec<(std::ops::Range<usize>, &Reference)> = vec![];
    for reference in by_length {
        for (at, words) in source.match_indices(reference.cited) {
            let place = at..at + words.len();
            let clashes = |(other, by): &(std::ops::Range<usize>, &Reference)| {
                other.start < place.end && place.start < other.end && by.cited != reference.cited
            };
            if !taken.iter().any(clashes) {
                taken.push((place, reference));
            }
        }
    }
    taken.into_iter().map(|(place, reference)| (place.end, reference)).collect()
}

fn bibliography(manifest: &Manifest, used: &[Used]) -> String {
    let references = references();
    let mut text = format!(
        "% Coase itself\n@software{{Coase,\n  author = {{{{The Coase developers}}}},\n  title = {{Coase: market mechanisms for electricity and carbon \
         on one shared network model}},\n  version = {{{}}},\n  note = {{source revision {}}},\n}}\n",
        manifest.program_version,
        manifest.source_revision.as_deref().unwrap_or("unknown"),
    );
    for reference in &references {
        let cites = |u: &&Used| cited_in(u.source, &references).iter().any(|(_, found)| found.entry == reference.entry);
        let by: Vec<&str> = used.iter().filter(cites).map(|u| u.id).collect();
        if !by.is_empty() {
            let _ = write!(text, "\n% {}\n{}\n", by.join(", "), reference.entry);
        }
    }
    let without: Vec<&Used> = used.iter().filter(|u| cited_in(u.source, &references).is_empty()).collect();
    for Used { id, source } in without.into_iter().filter(|u| !u.source.is_empty()) {
        let _ = write!(text, "\n% {id}: no entry; {source}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{cited_in, references, used};
    use coase_core::engine::report_rules;
    use coase_core::mechanism::mechanisms;
    use coase_core::network::BUILT_IN;
    use coase_core::participant::devices;
    use coase_core::policy::policies;
    use std::collections::BTreeSet;

    /// Whoever names an author and a year in a source has an entry for it.
    #[test]
    fn every_work_that_a_plugin_names_has_an_entry() {
        let references = references();
        let sources = mechanisms().into_iter().map(|p| (p.id, p.source));
        let sources = sources.chain(policies().into_iter().map(|p| (p.id, p.source)));
        let sources = sources.chain(report_rules().into_iter().map(|p| (p.id, p.source)));
        let sources: Vec<(&str, &str)> = sources.chain(devices().into_iter().map(|p| (p.id, p.source))).collect();
        let mut works = 0;
        for (id, source) in &sources {
            let found: BTreeSet<usize> = cited_in(source, &references).into_iter().map(|(end, _)| end).collect();
            for (at, _) in source.match_indices(')') {
                let is_year = at >= 5
                    && source.as_bytes()[at - 5] == b'('
                    && source[at - 4..at].bytes().all(|digit| digit.is_ascii_digit());
                if is_year {
                    works += 1;
                    assert!(found.contains(&(at + 1)), "{id}: no entry for a work in `{source}`");
                }
            }
        }
        assert!(works > 50, "{works}");
        // And no entry stands for nothing.
        for reference in &references {
            let is_network = BUILT_IN.iter().any(|network| network.id == reference.cited);
            let named = sources.iter().any(|(_, source)| cited_in(source, std::slice::from_ref(reference)).len() == 1);
            assert!(is_network || named, "nobody cites {}", reference.cited);
        }
    }

    #[test]
    fn entries_have_keys_of_their_own_and_close_their_braces() {
        let mut keys = BTreeSet::new();
        for reference in references() {
            let key = reference.entry.split(['{', ',']).nth(1).unwrap();
            assert!(keys.insert(key), "{key} twice");
            let count = |brace: char| reference.entry.matches(brace).count();
            assert_eq!(count('{'), count('}'), "{key}");
            assert!(reference.entry.starts_with('@') && reference.entry.ends_with('}'), "{key}");
            for field in ["author", "title", "year"] {
                assert!(reference.entry.contains(&format!("\n  {field} = {{")), "{key}: no {field}");
            }
        }
    }

    #[test]
    fn what_is_used_is_found_by_whole_names() {
        let ids = |text: &str| used(text).into_iter().map(|u| u.id).collect::<Vec<_>>();
        assert_eq!(
            ids("mechanisms: [NetworkRepair(inner: NashBargaining(weights: Equal))]"),
            ["nash-bargaining", "network-repair"]
        );
        assert_eq!(ids("source: \"ieee-33\", carbon: [\"none\"]"), ["none", "ieee-33"]);
        assert_eq!(ids("MyNashBargaining(x: 1)"), Vec::<&str>::new());
    }
}
