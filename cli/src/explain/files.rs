//! Networks and files that come with the program: what they are and where their data come from.

use super::{Sheet, words};
use anyhow::Context;
use coase_core::network::{BUILT_IN, Topology, built_in};
use coase_scenarios::{LIBRARY, library_file};
use serde_json::json;

/// Ids of the built-in networks.
pub fn network_ids() -> Vec<String> {
    BUILT_IN.iter().map(|network| network.id.to_owned()).collect()
}

/// A built-in network.
pub fn network(id: &str) -> Option<anyhow::Result<Sheet>> {
    built_in(id).map(|entry| {
        let network = entry.network().with_context(|| format!("`{id}` cannot be read"))?;
        let closed = network.branches.iter().filter(|branch| branch.in_service).count();
        let (p, q) = network.buses.iter().fold((0.0, 0.0), |(p, q), bus| (p + bus.p_load_kw, q + bus.q_load_kvar));
        let shape = if Topology::new(&network).is_radial() { "radial" } else { "meshed" };
        let source = comment(entry.ron);
        let (buses, branches) = (network.buses.len(), network.branches.len());
        let json = json!({"id": id, "kind": "network", "summary": entry.summary, "shape": shape, "buses": buses,
            "branches": branches, "branches_in_service": closed, "generators": network.generators.len(), "load_kw": p,
            "load_kvar": q, "base_mva": network.base_mva, "source": source, "ron": format!("network: (source: \"{id}\")")});
        let text = format!(
            "{id} (network)\n  {}\n\nIn a file: network: (source: \"{id}\")\n{shape}, {buses} buses, {branches} branches of which \
             {closed} are in service, load {p:.1} kW and {q:.1} kvar\n\n{}",
            entry.summary,
            words::wrapped(&source, "")
        );
        Ok(Sheet { json, text })
    })
}

/// Names of the library's files.
pub fn library_ids() -> Vec<String> {
    LIBRARY.iter().map(|file| file.id.to_owned()).collect()
}

/// A file of the library.
pub fn library(id: &str) -> Option<anyhow::Result<Sheet>> {
    library_file(id).map(|file| {
        let source = comment(file.text);
        let json =
            json!({"id": file.id, "kind": "scenario", "summary": file.summary, "source": source, "ron": file.text});
        let text = format!(
            "{id} (library)\n  {}\n\nIn an experiment: scenarios: [\"{id}\"]\n\n{}",
            file.summary,
            words::wrapped(&source, ""),
            id = file.id
        );
        Ok(Sheet { json, text })
    })
}

/// What the comment at the top of a file says.
pub fn comment(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//"));
    let paragraphs = lines.map(str::trim).fold(String::new(), |text, line| match line {
        "" => text + "\n\n",
        _ if text.is_empty() || text.ends_with('\n') => text + line,
        _ => text + " " + line,
    });
    paragraphs.trim().to_owned()
}
