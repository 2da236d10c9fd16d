//! Rows of a CSV file in time: which one begins the horizon, how far apart they are, and whether they follow one another.

use super::{Ask, CsvError, Row, Step, Table, hours, shortened};
use crate::moment::{Moment, Order, first_break, moment, usual_step_h};
use crate::spec::Resample;
use crate::zone::in_zone;

impl Table {
    /// The first row to take: as it is counted, or the one at the time at which the horizon begins.
    pub(super) fn start(&self, name: &str, ask: &Ask<'_>) -> Result<Option<usize>, CsvError> {
        if ask.column.start.is_some() {
            return Ok(ask.column.start);
        }
        let Some((wanted, written)) = &ask.clock.start else { return Ok(None) };
        let moments = self.moments(name, &self.rows, ask)?;
        let position = self.position(name)?;
        let cell = |row: Option<&Row>| row.map_or("", |row| row.cell(position)).to_owned();
        moments.iter().position(|moment| moment.millis == wanted.millis).map(Some).ok_or_else(|| CsvError::NoMoment {
            file: self.file.clone(),
            column: name.to_owned(),
            wanted: written.clone(),
            first: shortened(&cell(self.rows.first())),
            last: shortened(&cell(self.rows.last())),
        })
    }

    /// The times of some rows, with whichever order of day and month lets them follow one another.
    fn moments(&self, name: &str, rows: &[Row], ask: &Ask<'_>) -> Result<Vec<Moment>, CsvError> {
        let position = self.position(name)?;
        let read = |order: Order| -> Result<Vec<Moment>, &Row> {
            rows.iter().map(|row| moment(row.cell(position), ask.column.decimal(), order).ok_or(row)).collect()
        };
        let in_step = |moments: &Vec<Moment>| {
            usual_step_h(moments).is_none_or(|step| step > 0.0 && first_break(moments, step).is_none())
        };
        let (day, month) = (read(Order::DayFirst), read(Order::MonthFirst));
        let moments = match (day, month) {
            (Ok(day), Ok(month)) => Ok(if in_step(&month) && !in_step(&day) { month } else { day }),
            (Ok(moments), Err(_)) | (Err(_), Ok(moments)) => Ok(moments),
            (Err(row), Err(_)) => Err(row),
        };
        let moments = moments.map_err(|row| {
            let cell = shortened(row.cell(position));
            let expected = "expected one such as 2024-10-27 01:00, 27.10.2024 01:00, 01:00, or a number of hours";
            self.out_of_time(row, name, format!("`{cell}` is not a time, {expected}"), None)
        })?;
        let moments = match &ask.clock.zone {
            Some(zone) if moments.iter().any(|m| m.local) => in_zone(&moments, zone).map_err(|row| {
                let reason =
                    format!("there is no `{}` in this zone: clocks were put forward", cell_of(&rows[row], position));
                self.out_of_time(&rows[row], name, reason, None)
            })?,
            _ => moments,
        };
        let local = moments.first().map(|m| m.local);
        match moments.iter().position(|m| Some(m.local) != local) {
            Some(k) => {
                let reason = "some times have their offset from UTC and some have not".to_owned();
                Err(self.out_of_time(&rows[k], name, reason, None))
            }
            None => Ok(moments),
        }
    }

    fn out_of_time(&self, row: &Row, column: &str, reason: String, advice: Option<String>) -> CsvError {
        CsvError::Time { file: self.file.clone(), line: row.line, column: column.to_owned(), reason, advice }
    }

    /// How rows and periods go together by the column of times.
    pub(super) fn step(&self, name: &str, start: Option<usize>, ask: &Ask<'_>) -> Result<Step, CsvError> {
        let start = start.unwrap_or(0).min(self.rows.len());
        let rows = &self.rows[start..self.rows.len().min(start.saturating_add(ask.periods).saturating_add(1))];
        let moments = self.moments(name, rows, ask)?;
        let Some(step_h) = usual_step_h(&moments) else {
            if ask.column.resample.is_none() {
                return Ok(Step::Periods(1));
            }
            let reason = "one row does not say how far apart rows are".to_owned();
            return Err(CsvError::Resample { file: self.file.clone(), reason });
        };
        let ratio = step_h / ask.period_h;
        let each = ratio.round();
        let apart = format!("the rows are {} h apart, and a period has {} h", hours(step_h), hours(ask.period_h));
        let tell = |advice: &str| {
            Err(self.out_of_time(&rows[1.min(rows.len() - 1)], name, apart.clone(), Some(advice.to_owned())))
        };
        if step_h <= 0.0 {
            // Out of order: the rows say where.
            return Ok(Step::Periods(1));
        }
        if ratio < 0.99 {
            let rows = ask.period_h / step_h;
            return match ask.column.resample {
                Some(Resample::Mean) if (rows - rows.round()).abs() <= 0.01 => Ok(Step::Rows(rows.round() as usize)),
                Some(Resample::Mean) => tell("make `period_h` a multiple of the distance of the rows"),
                _ => tell("take the mean of the rows of each period: `resample: Mean` in Csv(..)"),
            };
        }
        if (ratio - each).abs() > 0.01 {
            return tell("make `period_h` a part of the distance of the rows");
        }
        if each > 1.0 && matches!(ask.column.resample, None | Some(Resample::Mean)) {
            return tell("say what holds between rows: `resample: Repeat` or `resample: Interpolate` in Csv(..)");
        }
        Ok(Step::Periods(each as usize))
    }

    /// The same without times: the rows are as many as go into the periods, or as they go into.
    pub(super) fn guessed_step(&self, start: Option<usize>, ask: &Ask<'_>) -> Result<Step, CsvError> {
        let (rows, periods) = (self.rows.len(), ask.periods);
        let means = ask.column.resample == Some(Resample::Mean);
        let reason = if start.is_some() {
            "with `start`, `resample` needs `time`, the column that says how far apart rows are".to_owned()
        } else if means && rows > 0 && rows.is_multiple_of(periods) {
            return Ok(Step::Rows(rows / periods));
        } else if !means && rows > 0 && periods.is_multiple_of(rows) {
            return Ok(Step::Periods(periods / rows));
        } else {
            let what = if means { "are no equal number for each of" } else { "cannot be spread evenly over" };
            format!("{rows} rows {what} {periods} periods; name the column of times as `time`")
        };
        Err(CsvError::Resample { file: self.file.clone(), reason })
    }

    /// Checks that rows follow one another as periods do.
    pub(super) fn check_times(&self, name: &str, rows: &[Row], step: Step, ask: &Ask<'_>) -> Result<(), CsvError> {
        let position = self.position(name)?;
        let moments = self.moments(name, rows, ask)?;
        let step_h = step.row_h(ask.period_h);
        let Some(found) = first_break(&moments, step_h) else { return Ok(()) };
        let cell = |row: usize| shortened(rows[row].cell(position));
        let (this, before) = (cell(found.row), cell(found.row - 1));
        let utc =
            "clocks may have been changed here: name the `zone`, or write times in UTC or with their offset (`+02:00`)";
        let changed = found.local && (found.found_h - step_h).abs() <= 1.0 + 1e-6;
        let reason = if found.found_h == 0.0 {
            format!("`{this}` is there twice")
        } else if found.found_h < 0.0 {
            format!("`{this}` comes after `{before}`")
        } else {
            format!("from `{before}` to `{this}` are {} h, expected {} h", hours(found.found_h), hours(step_h))
        };
        Err(self.out_of_time(&rows[found.row], name, reason, changed.then(|| utc.to_owned())))
    }
}

fn cell_of(row: &Row, position: usize) -> String {
    shortened(row.cell(position))
}
