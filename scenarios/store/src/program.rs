//! Which build of the program made a result.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// Which program made a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Build {
    /// Its version.
    pub version: String,
    /// Revision of its source.
    pub source_revision: Option<String>,
    /// Hash of the program itself, where that has plugins of which the revision says nothing.
    pub program_hash: Option<String>,
}

impl Build {
    /// Hash of a program.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn hash_of(program: &Path) -> std::io::Result<String> {
        Ok(blake3::hash(&std::fs::read(program)?).to_hex()[..32].to_owned())
    }

    /// Version and revision: what two copies of the program share that were built apart.
    pub fn source(&self) -> (&str, Option<&str>) {
        (&self.version, self.source_revision.as_deref())
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| text.chars().take(12).collect::<String>();
        write!(f, "{}", self.version)?;
        if let Some(revision) = &self.source_revision {
            // The end says whether the source was changed since the revision.
            let (id, changed) = revision.split_once('-').map_or((revision.as_str(), None), |(id, c)| (id, Some(c)));
            write!(f, " of source {}", short(id))?;
            changed.map_or(Ok(()), |changed| write!(f, "-{changed}"))?;
        }
        self.program_hash.as_ref().map_or(Ok(()), |hash| write!(f, ", program {}", short(hash)))
    }
}
