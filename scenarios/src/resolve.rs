//! From written to resolved: every series a list, every file read, every option filled in.
//!
//! Knows what the defaults are; what makes sense is checked where the model is built.

use crate::csv_file::{CsvError, CsvFiles};
use crate::fault::{Cause, Fault, Place, did_you_mean};
use crate::spec::{CsvColumn, Device, NetworkSource, Scenario, Series};
use crate::text::Text;
use coase_core::network::{self, BUILT_IN, ReadError};
use std::path::{Path, PathBuf};

/// What stands for the folder with reference data at the beginning of a file name.
const DATA: &str = "$COASE_DATA/";
/// No figure of a series is greater: what is written beyond it is a slip, and its products overflow.
const MOST: f64 = 1e15;

/// Where files come from: those already read, and the folder of reference data.
#[derive(Debug, Default)]
pub(crate) struct Files {
    csv: CsvFiles,
    data: Option<PathBuf>,
}

impl Files {
    pub(crate) fn new(data: Option<PathBuf>) -> Self {
        Self { csv: CsvFiles::default(), data }
    }

    fn path(&self, text: &Text, at: &str, file: &str) -> Result<PathBuf, Fault> {
        let Some(rest) = file.strip_prefix(DATA) else { return Ok(text.folder.join(file)) };
        match &self.data {
            Some(data) => Ok(data.join(rest)),
            None => Err(text
                .fault(at, Cause::NoData { file: file.to_owned() })
                .with_hint("set the environment variable COASE_DATA to the folder with the reference data".to_owned())),
        }
    }

    fn column(&mut self, text: &Text, at: &str, csv: &CsvColumn, periods: usize) -> Result<Vec<f64>, Fault> {
        let path = self.path(text, &format!("{at}.file"), &csv.file)?;
        let table = self.csv.table(&path).map_err(|e| text.fault(&format!("{at}.file"), Cause::Csv(e)))?;
        table.column(&csv.column, csv.scale, csv.start.map(|start| (start, periods))).map_err(|error| {
            let (field, hint) = match &error {
                CsvError::NoColumn { column, .. } => ("column", did_you_mean(column, table.columns())),
                CsvError::Short { .. } => ("start", None),
                _ => ("file", None),
            };
            text.fault(&format!("{at}.{field}"), Cause::Csv(error)).with_hint(hint)
        })
    }
}

/// Reads what the scenario refers to and writes its series out.
pub(crate) fn inline(mut scenario: Scenario, text: &Text, files: &mut Files) -> Result<Scenario, Fault> {
    if scenario.periods == 0 {
        return Err(text.fault("periods", Cause::Value { field: "periods", value: 0.0, expected: "at least 1" }));
    }
    let mut writer = Writer { text, files, periods: scenario.periods };
    if let Some(network) = &mut scenario.network {
        writer.series("network.load_shape", "load_shape", &mut network.load_shape)?;
        writer.network(&mut network.source)?;
    }
    writer.series("grid.buy_price_per_kwh", "buy_price_per_kwh", &mut scenario.grid.buy_price_per_kwh)?;
    writer.series("grid.sell_price_per_kwh", "sell_price_per_kwh", &mut scenario.grid.sell_price_per_kwh)?;
    writer.series("grid.intensity_kg_per_kwh", "intensity_kg_per_kwh", &mut scenario.grid.intensity_kg_per_kwh)?;
    if let Some(upstream) = &mut scenario.grid.upstream_cost_per_kwh {
        writer.series("grid.upstream_cost_per_kwh", "upstream_cost_per_kwh", upstream)?;
    }
    for (k, participant) in scenario.participants.iter_mut().enumerate() {
        for (d, device) in participant.devices.iter_mut().enumerate() {
            let (field, series) = match device {
                Device::Pv(r) | Device::Wind(r) => ("profile", &mut r.profile),
                Device::Load { p_kw } => ("p_kw", p_kw),
                Device::Hvac(h) => ("outdoor_c", &mut h.outdoor_c),
                Device::Quadratic(q) => ("b_per_kwh", &mut q.b_per_kwh),
                Device::Interruptible { .. }
                | Device::Shiftable { .. }
                | Device::MicroTurbine(_)
                | Device::Storage(_)
                | Device::EvFleet(_) => continue,
            };
            writer.series(&format!("participants.{k}.devices.{d}.{field}"), field, series)?;
        }
    }
    Ok(scenario)
}

/// Fills in what follows from other fields of the same struct. Import and export limits follow from the built devices.
pub(crate) fn derive(scenario: &mut Scenario) {
    let grid = &mut scenario.grid;
    grid.upstream_cost_per_kwh.get_or_insert_with(|| grid.sell_price_per_kwh.clone());
    for device in scenario.participants.iter_mut().flat_map(|p| &mut p.devices) {
        match device {
            Device::Storage(storage) => _ = storage.soc_end.get_or_insert(storage.soc_start),
            Device::Hvac(hvac) => _ = hvac.start_c.get_or_insert(hvac.target_c),
            _ => {}
        }
    }
}

/// The first periods of an inlined scenario: series are cut, and sessions that end later are dropped.
pub(crate) fn truncate(scenario: &mut Scenario, periods: usize) {
    if periods >= scenario.periods {
        return;
    }
    let cut = |series: &mut Series| {
        if let Series::List(values) = series {
            values.truncate(periods);
        }
    };
    scenario.periods = periods;
    let end_h = periods as f64 * scenario.period_h;
    if let Some(network) = &mut scenario.network {
        cut(&mut network.load_shape);
    }
    let grid = &mut scenario.grid;
    for series in [&mut grid.buy_price_per_kwh, &mut grid.sell_price_per_kwh, &mut grid.intensity_kg_per_kwh] {
        cut(series);
    }
    grid.upstream_cost_per_kwh.as_mut().into_iter().for_each(cut);
    for device in scenario.participants.iter_mut().flat_map(|p| &mut p.devices) {
        match device {
            Device::Pv(r) | Device::Wind(r) => cut(&mut r.profile),
            Device::Load { p_kw } => cut(p_kw),
            Device::Hvac(h) => cut(&mut h.outdoor_c),
            Device::Quadratic(q) => cut(&mut q.b_per_kwh),
            Device::EvFleet(fleet) => fleet.sessions.retain(|s| s.departure_h <= end_h),
            Device::Interruptible { .. } | Device::Shiftable { .. } | Device::MicroTurbine(_) | Device::Storage(_) => {}
        }
    }
}

struct Writer<'a> {
    text: &'a Text,
    files: &'a mut Files,
    periods: usize,
}

impl Writer<'_> {
    fn series(&mut self, at: &str, field: &'static str, series: &mut Series) -> Result<(), Fault> {
        let values = match series {
            Series::Constant(value) => vec![*value; self.periods],
            Series::List(values) => std::mem::take(values),
            Series::Csv(csv) => self.files.column(self.text, at, csv, self.periods)?,
        };
        if values.len() != self.periods {
            let cause = Cause::Length { field, found: values.len(), expected: self.periods };
            let hint = matches!(series, Series::Csv(_) if values.len() > self.periods)
                .then(|| format!("`start: 0` in Csv(..) takes the first {} rows", self.periods));
            return Err(self.text.fault(at, cause).with_hint(hint));
        }
        if let Some(period) = values.iter().position(|v| !v.is_finite()) {
            let place = if matches!(series, Series::List(_)) { format!("{at}.{period}") } else { at.to_owned() };
            return Err(self.text.fault(&place, Cause::NotFinite { field, period, value: values[period] }));
        }
        if let Some(period) = values.iter().position(|v| v.abs() > MOST) {
            let place = if matches!(series, Series::List(_)) { format!("{at}.{period}") } else { at.to_owned() };
            let expected = "a number of ordinary size (at most 1e15)";
            return Err(self.text.fault(&place, Cause::Value { field, value: values[period], expected }));
        }
        *series = Series::List(values);
        Ok(())
    }

    /// A file becomes the network in it; a built-in id stays.
    fn network(&mut self, source: &mut NetworkSource) -> Result<(), Fault> {
        const AT: &str = "network.source";
        let NetworkSource::Name(name) = source else { return Ok(()) };
        if network::built_in(name).is_some() {
            return Ok(());
        }
        let extension = Path::new(name.as_str()).extension().and_then(|e| e.to_str());
        if !matches!(extension, Some("m" | "ron")) {
            let ids = BUILT_IN.iter().map(|b| b.id);
            let hint = did_you_mean(name, ids.clone()).unwrap_or_else(|| {
                format!("built in are {}; other networks are .m or .ron files", ids.collect::<Vec<_>>().join(", "))
            });
            let cause = Cause::Unknown { kind: "built-in network", name: name.clone() };
            return Err(self.text.fault(AT, cause).with_hint(hint));
        }
        let path = self.files.path(self.text, AT, name)?;
        let unreadable = |error: std::io::Error| {
            let cause = Cause::Unreadable { path: path.display().to_string(), reason: error.to_string() };
            self.text.fault(AT, cause)
        };
        let content = std::fs::read_to_string(&path).map_err(unreadable)?;
        *source = NetworkSource::Inline(Box::new(read_network(&path, &content)?));
        Ok(())
    }
}

/// Reads a network file; the fault points into it.
fn read_network(path: &Path, content: &str) -> Result<network::Network, Fault> {
    let is_matpower = path.extension().is_some_and(|e| e == "m");
    let read = if is_matpower { network::Network::from_matpower } else { network::Network::from_ron };
    read(content).map_err(|error| {
        let place = match &error {
            ReadError::Ron { line, column, .. } => Some((*line, *column)),
            ReadError::Head { line, .. } | ReadError::Matpower { line, .. } | ReadError::InvalidAt { line, .. } => {
                Some((*line, 1))
            }
            _ => None,
        };
        let place = place.map(|(line, column)| Place {
            line,
            column,
            width: 1,
            text: content.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned(),
        });
        Fault { file: path.display().to_string(), place, cause: Box::new(Cause::Network(error)), hint: None }
    })
}
