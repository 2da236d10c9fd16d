//! From written to resolved: every series a list, every file read, every option filled in.
//!
//! Knows what the defaults are; what makes sense is checked where the model is built.

use crate::csv_file::{Ask, CsvError, CsvFiles};
use crate::fault::{Cause, Fault, Place, did_you_mean};
use crate::reading::{read_matpower_text, read_text};
use crate::spec::{CsvColumn, NetworkSource, Participant, Scenario, Series};
use crate::text::Text;
use crate::zone::{Clock, zone, zones};
use coase_core::intern;
use coase_core::network::{self, BUILT_IN, ReadError};
use coase_core::participant::{DeviceError, Scene};
use coase_core::setting::Prior;
use std::collections::BTreeSet;
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
    /// Files that scenarios name.
    named: BTreeSet<PathBuf>,
}

impl Files {
    pub(crate) fn new(data: Option<PathBuf>) -> Self {
        Self { csv: CsvFiles::default(), data, named: BTreeSet::new() }
    }

    /// Files that scenarios named, and that were read.
    pub(crate) fn named(self) -> BTreeSet<PathBuf> {
        self.named
    }

    fn path(&mut self, text: &Text, at: &str, file: &str) -> Result<PathBuf, Fault> {
        let path = match (file.strip_prefix(DATA), &self.data) {
            (None, _) => text.folder.join(file),
            (Some(rest), Some(data)) => data.join(rest),
            (Some(_), None) => {
                let fault = text.fault(at, Cause::NoData { file: file.to_owned() });
                let hint = "set the environment variable COASE_DATA to the folder with the reference data";
                return Err(fault.with_hint(hint.to_owned()));
            }
        };
        self.named.insert(path.clone());
        Ok(path)
    }

    fn column(&mut self, text: &Text, at: &str, ask: &Ask<'_>) -> Result<Vec<f64>, Fault> {
        let csv = ask.column;
        let path = self.path(text, &format!("{at}.file"), &csv.file)?;
        check_separators(text, at, csv)?;
        let fault = |field: &str, error: CsvError| {
            let advice = error.advice();
            text.fault(&format!("{at}.{field}"), Cause::Csv(error)).with_hint(advice)
        };
        let table = self.csv.table(&path, csv.separator).map_err(|error| fault("file", error))?;
        table.series(ask).map_err(|error| match &error {
            CsvError::NoColumn { column, advice, .. } => {
                let meant = if advice.is_none() { did_you_mean(column, table.columns()) } else { None };
                let field = if csv.time.as_ref() == Some(column) { "time" } else { "column" };
                fault(field, error).with_hint(meant)
            }
            CsvError::TwoColumns { .. } => fault("column", error),
            CsvError::NoMoment { .. } if csv.from.is_none() => {
                let advice = error.advice();
                text.fault("start", Cause::Csv(error)).with_hint(advice)
            }
            CsvError::NoMoment { .. } => fault("from", error),
            CsvError::Short { .. } => fault("start", error),
            CsvError::Time { .. } => fault("time", error),
            CsvError::Resample { .. } => fault("resample", error),
            _ => fault("file", error),
        })
    }
}

/// Refuses characters that cannot separate what they should.
fn check_separators(text: &Text, at: &str, csv: &CsvColumn) -> Result<(), Fault> {
    let wrong = |field: &'static str, found: char, expected: &str| {
        let cause =
            Cause::Field { field: field.to_owned(), found: format!("{found:?}"), expected: expected.to_owned() };
        Err(text.fault(&format!("{at}.{field}"), cause))
    };
    let separates = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && !"\"\n\r.+-".contains(c);
    match (csv.separator, csv.decimal) {
        (Some(c), _) if !separates(c) => wrong("separator", c, "a character such as ',', ';', '|' or '\\t'"),
        (_, Some(c)) if !".,".contains(c) => wrong("decimal", c, "'.' or ','"),
        (Some(','), Some(',')) => wrong("decimal", ',', "another character than the separator"),
        _ => Ok(()),
    }
}

/// Periods beyond which no scenario is read: some 11 years of quarters of an hour.
const MOST_PERIODS: usize = 400_000;
/// Numbers in all series together, beyond which no scenario is read.
const MOST_NUMBERS: usize = 50_000_000;

/// Refuses horizons that would fill the memory before anything else can be said about them.
fn check_size(scenario: &Scenario, text: &Text) -> Result<(), Fault> {
    let value = |field, value: f64, expected| text.fault(field, Cause::Value { field, value, expected });
    let periods = scenario.periods;
    if !(1..=MOST_PERIODS).contains(&periods) {
        return Err(value("periods", periods as f64, "at least 1 and at most 400000"));
    }
    if !(scenario.period_h.is_finite() && scenario.period_h > 0.0) {
        return Err(value("period_h", scenario.period_h, "more than 0"));
    }
    let series = 5 + scenario.participants.iter().map(|p| p.devices.len()).sum::<usize>();
    if periods.saturating_mul(series) > MOST_NUMBERS {
        let what = format!("a scenario of {periods} periods and {series} series");
        let why = "no more than 50 million numbers are read: run fewer periods or participants at a time";
        return Err(text.fault("periods", Cause::NotPossible { what, why }));
    }
    Ok(())
}

/// Reads what the scenario refers to and writes its series out. A series may be longer than the horizon by `beyond` periods,
/// from which seeds take their days; a column of a file is then read so far.
pub(crate) fn inline(mut scenario: Scenario, text: &Text, files: &mut Files, beyond: usize) -> Result<Scenario, Fault> {
    check_size(&scenario, text)?;
    let clock =
        clock(text, ("zone", scenario.zone.as_deref()), ("start", scenario.start.as_deref()), &Clock::default())?;
    let mut writer = Writer { text, files, periods: scenario.periods, period_h: scenario.period_h, beyond, clock };
    if let Some(network) = &mut scenario.network {
        writer.network(&mut network.source)?;
    }
    for (at, _, series) in scenario.every_series() {
        let field = at.rsplit('.').next().map_or("series", intern);
        writer.series(&at, field, series)?;
    }
    for (k, participant) in scenario.participants.iter_mut().enumerate() {
        if let Some(Prior::Kernel { history_per_kwh, .. }) = &mut participant.prior {
            writer.history(&format!("participants.{k}.prior.history_per_kwh"), history_per_kwh)?;
        }
    }
    Ok(scenario)
}

/// A device in the list of participants whose open parameters follow from nothing.
pub(crate) struct Incomplete {
    pub(crate) participant: usize,
    pub(crate) device: usize,
    pub(crate) error: DeviceError,
}

/// Fills in what follows from other fields. Import and export limits follow from the built devices.
pub(crate) fn derive(scenario: &mut Scenario) -> Result<(), Incomplete> {
    let grid = &mut scenario.grid;
    grid.upstream_cost_per_kwh.get_or_insert_with(|| grid.sell_price_per_kwh.clone());
    let scene = Scene { dearest_per_kwh: grid.buy_price_per_kwh.values().iter().copied().fold(0.0, f64::max) };
    for (k, participant) in scenario.participants.iter_mut().enumerate() {
        for (d, device) in participant.devices.iter_mut().enumerate() {
            device.complete(&scene).map_err(|error| Incomplete { participant: k, device: d, error })?;
        }
    }
    Ok(())
}

/// Charging sessions that a shortened horizon leaves out.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// Whose vehicles.
    pub participant: String,
    /// What is left out of them.
    pub of_devices: coase_core::participant::LeftOut,
}

/// The first periods of an inlined scenario: series are cut, and sessions that end later are dropped.
pub(crate) fn truncate(scenario: &mut Scenario, periods: usize) -> Vec<LeftOut> {
    if periods >= scenario.periods {
        return vec![];
    }
    let end_h = periods as f64 * scenario.period_h;
    let left_out = scenario.participants.iter_mut().filter_map(|p| shorten(p, end_h)).collect();
    let cut = |series: &mut Series| series.truncate(periods);
    scenario.periods = periods;
    if let Some(network) = &mut scenario.network {
        cut(&mut network.load_shape);
    }
    let grid = &mut scenario.grid;
    for series in [&mut grid.buy_price_per_kwh, &mut grid.sell_price_per_kwh, &mut grid.intensity_kg_per_kwh] {
        cut(series);
    }
    grid.upstream_cost_per_kwh.as_mut().into_iter().for_each(cut);
    for device in scenario.participants.iter_mut().flat_map(|p| &mut p.devices) {
        device.series().into_iter().for_each(|(_, series)| cut(series));
    }
    left_out
}

fn shorten(participant: &mut Participant, end_h: f64) -> Option<LeftOut> {
    let mut sum = coase_core::participant::LeftOut::default();
    for device in &mut participant.devices {
        let left = device.shorten(end_h);
        sum.sessions += left.sessions;
        sum.of += left.of;
        sum.vehicles += left.vehicles;
        sum.energy_kwh += left.energy_kwh;
    }
    (sum.sessions > 0).then(|| LeftOut { participant: participant.id.clone(), of_devices: sum })
}

struct Writer<'a> {
    text: &'a Text,
    files: &'a mut Files,
    periods: usize,
    period_h: f64,
    beyond: usize,
    /// That of the scenario.
    clock: Clock,
}

/// What a zone and a beginning say; where they do not, what is said otherwise.
fn clock(
    text: &Text,
    (at_zone, zone_name): (&str, Option<&str>),
    (at_start, start): (&str, Option<&str>),
    otherwise: &Clock,
) -> Result<Clock, Fault> {
    let mut clock = otherwise.clone();
    if let Some(name) = zone_name {
        clock.zone = Some(zone(name).ok_or_else(|| {
            let known = zones();
            let hint = did_you_mean(name, known.iter().map(String::as_str));
            let hint = hint.unwrap_or_else(|| "zones have names such as `Europe/Berlin` or `UTC`".to_owned());
            text.fault(at_zone, Cause::Unknown { kind: "time zone", name: name.to_owned() }).with_hint(hint)
        })?);
    }
    if let Some(written) = start {
        clock.start = Some(clock.begins(written).map_err(|expected| {
            let field = at_start.rsplit('.').next().unwrap_or(at_start).to_owned();
            text.fault(at_start, Cause::Field { field, found: format!("`{written}`"), expected: expected.to_owned() })
        })?);
    }
    Ok(clock)
}

impl Writer<'_> {
    /// The clock of a column, which needs times where it is told to begin at one.
    fn clock(&self, at: &str, column: &CsvColumn) -> Result<Clock, Fault> {
        let (zone, from) = (format!("{at}.zone"), format!("{at}.from"));
        let needs = |field: &str, what: &str, why: &'static str| {
            Err(self.text.fault(field, Cause::NotPossible { what: what.to_owned(), why }))
        };
        if column.time.is_none() && column.from.is_some() {
            return needs(&from, "`from` without `time`", "`time` names the column in which it is looked for");
        }
        if column.start.is_some() && column.from.is_some() {
            return needs(&from, "`from` beside `start`", "both say where to begin");
        }
        clock(self.text, (&zone, column.zone.as_deref()), (&from, column.from.as_deref()), &self.clock)
    }

    fn series(&mut self, at: &str, field: &'static str, series: &mut Series) -> Result<(), Fault> {
        let long = self.periods.saturating_add(self.beyond);
        let values = match series {
            Series::Constant(value) => vec![*value; self.periods],
            Series::List(values) => std::mem::take(values),
            Series::Csv(column) => {
                // Days are counted from the first row that is taken.
                let clock = self.clock(at, column)?;
                let is_timed = column.time.is_some() && clock.start.is_some();
                let start = if self.beyond > 0 && !is_timed { column.start.or(Some(0)) } else { column.start };
                let column = CsvColumn { start, ..column.clone() };
                let ask = Ask { column: &column, periods: long, period_h: self.period_h, clock: &clock };
                self.files.column(self.text, at, &ask)?
            }
            Series::Drawn(drawn) => return self.series(&format!("{at}.times"), field, &mut drawn.times),
        };
        if values.len() != self.periods && (self.beyond == 0 || values.len() < long) {
            let cause = Cause::Length { field, found: values.len(), expected: self.periods };
            let hint = self.length_hint(series, values.len());
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

    /// Past values, however many there are: a column of a file is taken as a whole.
    fn history(&mut self, at: &str, history: &mut Series) -> Result<(), Fault> {
        let why = "past values have no periods: all rows of the column are taken";
        let values = match history {
            Series::Constant(value) => vec![*value],
            Series::List(values) => std::mem::take(values),
            Series::Csv(column) => {
                let CsvColumn { start, time, from, resample, .. } = &*column;
                let given = [
                    ("start", start.is_some()),
                    ("time", time.is_some()),
                    ("from", from.is_some()),
                    ("resample", resample.is_some()),
                ];
                if let Some((field, _)) = given.iter().find(|(_, given)| *given) {
                    let cause = Cause::NotPossible { what: format!("`{field}` in a history"), why };
                    return Err(self.text.fault(&format!("{at}.{field}"), cause));
                }
                let ask = Ask { column, periods: 0, period_h: self.period_h, clock: &self.clock };
                self.files.column(self.text, at, &ask)?
            }
            Series::Drawn(_) => {
                return Err(self.text.fault(at, Cause::NotPossible { what: "a history that is drawn".into(), why }));
            }
        };
        *history = Series::List(values);
        Ok(())
    }

    fn length_hint(&self, series: &Series, found: usize) -> Option<String> {
        let Series::Csv(_) = series else { return None };
        if found > self.periods {
            return Some(format!(
                "`start: 0` in Csv(..) takes what the first {} periods need; of a table with a column of times, \
                 `time: \"COLUMN\", from: \"2024-07-01 00:00\"` takes those from that time on",
                self.periods
            ));
        }
        // Hours in a scenario of quarters of an hour.
        (found > 0 && self.periods.is_multiple_of(found)).then(|| {
            let each = self.periods / found;
            format!(
                "if a row stands for {each} periods, say so: `resample: Repeat` or `resample: Interpolate` in Csv(..)"
            )
        })
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
        let network = read_network(&path).map_err(|fault| match &*fault.cause {
            Cause::Unreadable { .. } => self.text.fault(AT, *fault.cause),
            _ => fault,
        })?;
        *source = NetworkSource::Inline(Box::new(network));
        Ok(())
    }
}

/// Reads a network file, MATPOWER's where its name ends with `.m`.
///
/// # Errors
/// What is wrong, with its place in the file.
pub fn read_network(path: &Path) -> Result<network::Network, Fault> {
    let is_matpower = path.extension().is_some_and(|e| e == "m");
    let content = if is_matpower { read_matpower_text(path)? } else { read_text(path)? };
    let read = if is_matpower { network::Network::from_matpower } else { network::Network::from_ron };
    read(&content).map_err(|error| {
        if let ReadError::Ron { line, column, source } = error {
            let text = Text::new(path.display().to_string(), "", content.as_str());
            return text.ron_fault_at(source, line, column);
        }
        let place = match &error {
            ReadError::Head { line, .. } | ReadError::Matpower { line, .. } | ReadError::InvalidAt { line, .. } => {
                Some(*line)
            }
            _ => None,
        };
        let place = place.map(|line| {
            let text = content.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
            // The whole line is at fault.
            let column = text.chars().take_while(|c| c.is_whitespace()).count() + 1;
            let width = text.trim().chars().count().max(1);
            Place { line, column, width, text }
        });
        Fault { file: path.display().to_string(), place, cause: Box::new(Cause::Network(error)), hint: None }
    })
}
