//! A network as the command line names it.

use crate::nearest::hint;
use crate::offence::Offence;
use anyhow::{Context, bail};
use coase_core::network::{self, Network};
use coase_scenarios::read_network;
use std::path::Path;

/// Loads a built-in network by id, or a `.m` or `.ron` file.
pub fn load(name: &str) -> anyhow::Result<Network> {
    if let Some(built_in) = network::built_in(name) {
        return built_in.network().with_context(|| format!("built-in network `{name}`"));
    }
    let path = Path::new(name);
    if !matches!(path.extension().and_then(|e| e.to_str()), Some("m" | "ron")) {
        let ids = network::BUILT_IN.iter().map(|b| b.id);
        bail!("`{name}` is neither a built-in network nor a .m or .ron file{}", hint(name, ids))
    }
    let mut network = read_network(path).map_err(Offence::from)?;
    if network.name.is_empty() {
        network.name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    }
    Ok(network)
}
