//! `timings.csv`: wall time of the runs that were made, the only table that two identical runs do not share. Every part of an
//! experiment keeps its own file.

use crate::error::StoreError;
use crate::folder::Store;
use crate::result::Timing;
use crate::whole::write_whole;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const HEADER: &str = "run_id,build_s,mechanism_s,evaluation_s";

impl Store {
    /// Adds the times of runs to those of the experiment's other runs that are there; `part` is number and count of the part
    /// of the experiment, where it is one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add_timings<'a>(
        &self,
        planned: impl IntoIterator<Item = &'a str>,
        part: Option<(usize, usize)>,
        times: impl IntoIterator<Item = (&'a str, Timing)>,
    ) -> Result<(), StoreError> {
        let name = part.map_or_else(|| "timings.csv".to_owned(), |(k, n)| format!("timings-{k}-of-{n}.csv"));
        let path = self.dir().join(name);
        // A result that was there already keeps the time it took when it was made.
        let old = fs::read_to_string(&path).unwrap_or_default();
        let planned: BTreeSet<&str> = planned.into_iter().collect();
        let mut rows: BTreeMap<&str, String> = old
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(','))
            .filter(|(id, _)| planned.contains(id))
            .map(|(id, times)| (id, times.to_owned()))
            .collect();
        for (id, timing) in times {
            let [build, mechanism, evaluation] =
                [timing.build, timing.mechanism, timing.evaluation].map(|d| d.as_secs_f64());
            rows.insert(id, format!("{build:.6},{mechanism:.6},{evaluation:.6}"));
        }
        let mut text = format!("{HEADER}\n");
        for (id, times) in rows {
            let _ = writeln!(text, "{id},{times}");
        }
        if text == old { Ok(()) } else { write_whole(&path, text.as_bytes()) }
    }

    /// The times that are known, by run: what was made here or by parts of the experiment.
    pub fn timings(&self) -> BTreeMap<String, Timing> {
        let files = fs::read_dir(self.dir()).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_one = |path: &Path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with("timings") && path.extension().is_some_and(|extension| extension == "csv")
        };
        let mut files: Vec<PathBuf> = files.filter(|path| is_one(path)).collect();
        files.sort();
        let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
        texts.flat_map(|text| text.lines().filter_map(timed).collect::<Vec<_>>()).collect()
    }
}

/// A row of the table; `None` for its head and for what is none.
fn timed(line: &str) -> Option<(String, Timing)> {
    let (id, times) = line.split_once(',')?;
    let times: Option<Vec<Duration>> =
        times.split(',').map(|s| Duration::try_from_secs_f64(s.parse().ok()?).ok()).collect();
    let [build, mechanism, evaluation] = times?.try_into().ok()?;
    Some((id.to_owned(), Timing { build, mechanism, evaluation }))
}
