//! Times as tables write them, and whether those of a column follow one another as periods do.
//!
//! Knows calendars and no scenario. A time becomes milliseconds from some origin; only differences mean anything.

/// A time of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) millis: i64,
    /// Whether it is a date without an offset from UTC, so that clocks may have been changed.
    pub(crate) local: bool,
}

/// Which of two numbers before the year is the day: `3/4/2024`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    DayFirst,
    MonthFirst,
}

const HOUR: f64 = 3_600_000.0;
/// 1970-01-01 00:00 UTC.
pub(crate) const UNIX_EPOCH_MILLIS: i64 = 719_469 * 86_400_000;

/// Reads a time: `2024-10-27 01:00`, `2024-10-27T01:00:00+02:00`, `27.10.2024 01:00`, `10/27/2024 1:00 AM`, `27-Oct-2024`,
/// `01:00`, or a number of hours. Of a range, `01:00 - 02:00`, its beginning.
pub(crate) fn moment(cell: &str, decimal: char, order: Order) -> Option<Moment> {
    let cell = cell.split(" - ").next().unwrap_or(cell).trim();
    if let Some(hours) = number(cell, decimal) {
        let millis = (hours * HOUR).round();
        return (millis.abs() < 9e15).then_some(Moment { millis: millis as i64, local: false });
    }
    let (cell, offset) = without_zone(cell);
    if cell.is_empty() {
        return None;
    }
    // A `T` between digits separates them too; that of `OCT` does not.
    let between = |k: &usize| cell[..*k].ends_with(|c: char| c.is_ascii_digit());
    let end = cell.find(' ').or_else(|| cell.find('T').filter(between));
    let (date, clock) = match end.map(|k| (&cell[..k], &cell[k + 1..])) {
        Some((date, clock)) if !date.contains(':') => (date, clock.trim()),
        _ if cell.contains(':') => ("", cell),
        _ => (cell, ""),
    };
    let days = if date.is_empty() { 0 } else { days(date, order)? };
    let local = !date.is_empty() && offset.is_none();
    let millis = days * 86_400_000 + if clock.is_empty() { 0 } else { clock_millis(clock)? } - offset.unwrap_or(0);
    Some(Moment { millis, local })
}

/// A finite number with this decimal separator and no other.
pub(crate) fn number(cell: &str, decimal: char) -> Option<f64> {
    // Typesetters' minus, as some tables are exported with.
    let cell = cell.replace('\u{2212}', "-");
    let cell = if decimal == '.' {
        cell
    } else if cell.contains('.') {
        return None;
    } else {
        cell.replace(decimal, ".")
    };
    cell.parse::<f64>().ok().filter(|x| x.is_finite())
}

/// The text without its offset from UTC, and that in milliseconds.
fn without_zone(cell: &str) -> (&str, Option<i64>) {
    for (name, hours) in [("Z", 0), ("UTC", 0), ("GMT", 0), ("CEST", 2), ("CET", 1), ("BST", 1)] {
        if let Some(rest) =
            cell.strip_suffix(name).filter(|rest| rest.ends_with(|c: char| c.is_ascii_digit() || c == ' '))
        {
            return (rest.trim_end(), Some(hours * 3_600_000));
        }
    }
    // An offset stands behind a clock.
    let Some(colon) = cell.find(':') else { return (cell, None) };
    let Some(sign) = cell[colon..].rfind(['+', '-']).map(|k| colon + k) else { return (cell, None) };
    let digits: String = cell[sign + 1..].chars().filter(|c| *c != ':').collect();
    let offset = match digits.len() {
        2 => digits.parse::<i64>().ok().map(|h| h * 60),
        4 => digits.parse::<i64>().ok().map(|hm| hm / 100 * 60 + hm % 100),
        _ => None,
    };
    match offset {
        Some(minutes) => {
            (cell[..sign].trim_end(), Some(if cell[sign..].starts_with('-') { -minutes } else { minutes } * 60_000))
        }
        None => (cell, None),
    }
}

/// Days from an origin.
fn days(date: &str, order: Order) -> Option<i64> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let separator = ['-', '.', '/'].into_iter().find(|c| date.contains(*c))?;
    let parts: Vec<&str> = date.trim_end_matches('.').split(separator).collect();
    let &[a, b, c] = parts.as_slice() else { return None };
    let whole = |part: &str| part.parse::<i64>().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
    let named = |part: &str| MONTHS.iter().position(|m| *m == part.to_ascii_lowercase()).map(|k| k as i64 + 1);
    let (year, month, day) = if a.len() == 4 {
        (whole(a)?, whole(b)?, whole(c)?)
    } else {
        let year = whole(c)? + if c.len() == 2 { 2000 } else { 0 };
        match (named(b), order) {
            (Some(month), _) => (year, month, whole(a)?),
            (None, Order::MonthFirst) if separator == '/' => (year, whole(a)?, whole(b)?),
            _ => (year, whole(b)?, whole(a)?),
        }
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=length).contains(&day) || !(1..=9999).contains(&year) {
        return None;
    }
    // Days before the year, counted from March so that leap days come last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    Some(365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day)
}

/// `1:00`, `01:00:00.000`, `1:00 PM`; `24:00` is the end of the day.
fn clock_millis(clock: &str) -> Option<i64> {
    let upper = clock.to_ascii_uppercase();
    let (clock, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(rest), _) => (rest.trim_end(), Some(0)),
        (_, Some(rest)) => (rest.trim_end(), Some(12)),
        _ => (upper.as_str(), None),
    };
    let mut parts = clock.split(':');
    let mut whole = |greatest: i64| {
        let part = parts.next()?;
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|value| digits && *value <= greatest)
    };
    let hour = whole(24)?;
    let minute = whole(59)?;
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
        None => hour,
    };
    let second = match parts.next() {
        None => 0.0,
        Some(part) if part.starts_with(|c: char| c.is_ascii_digit()) => {
            part.replace(',', ".").parse::<f64>().ok().filter(|s| (0.0..60.0).contains(s))?
        }
        Some(_) => return None,
    };
    let millis = (hour * 60 + minute) * 60_000 + (second * 1000.0).round() as i64;
    (parts.next().is_none() && millis <= 86_400_000).then_some(millis)
}

/// The usual distance of the rows, hours: the median, so that a gap does not hide it. `None` below two rows.
pub(crate) fn usual_step_h(moments: &[Moment]) -> Option<f64> {
    let mut steps: Vec<i64> = moments.windows(2).map(|pair| pair[1].millis - pair[0].millis).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).map(|step| *step as f64 / HOUR)
}

/// The first row that does not follow the one before at this distance.
pub(crate) fn first_break(moments: &[Moment], step_h: f64) -> Option<Break> {
    // A spreadsheet counts in days, which rounds times of a day by some milliseconds.
    let slack_h = (0.01 * step_h).min(1.0 / 3600.0);
    moments.windows(2).enumerate().find_map(|(k, pair)| {
        let found_h = (pair[1].millis - pair[0].millis) as f64 / HOUR;
        ((found_h - step_h).abs() > slack_h).then_some(Break { row: k + 1, found_h, local: pair[1].local })
    })
}

/// A row out of step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Break {
    /// Its position among the rows.
    pub(crate) row: usize,
    /// Hours from the row before.
    pub(crate) found_h: f64,
    /// Whether it is a local time.
    pub(crate) local: bool,
}

#[cfg(test)]
mod tests {
    use super::{HOUR, Moment, Order, first_break, moment, usual_step_h};

    fn hours(a: &str, b: &str) -> f64 {
        let read = |cell| moment(cell, '.', Order::DayFirst).unwrap_or_else(|| panic!("{cell}"));
        (read(b).millis - read(a).millis) as f64 / HOUR
    }

    #[test]
    fn times_are_read_as_tables_write_them() {
        for (a, b, expected) in [
            ("2024-10-27 01:00", "2024-10-27T02:15:00", 1.25),
            ("2024-02-28", "2024-03-01", 48.0),
            ("2023-02-28", "2023-03-01", 24.0),
            ("1999-12-31 23:00", "2000-01-01 00:00", 1.0),
            ("2024-10-27 02:00+02:00", "2024-10-27 02:00+01:00", 1.0),
            ("2024-10-27T00:00:00Z", "2024-10-27T00:30:00.000Z", 0.5),
            ("2024-10-27 02:00 CEST", "2024-10-27 02:00 CET", 1.0),
            ("31.12.2024 23:45", "01.01.2025 00:00", 0.25),
            ("3/4/2024 1:00", "3/4/2024 13:00", 12.0),
            ("27-OCT-2024 11:00 PM", "28-oct-2024 12:00 AM", 1.0),
            ("27.10.2024 00:00 - 27.10.2024 01:00", "27.10.2024 01:00 - 27.10.2024 02:00", 1.0),
            ("23:00", "24:00", 1.0),
            ("7", "7.25", 0.25),
            ("2024-10-27 23:00", "2024-10-27 24:00", 1.0),
        ] {
            assert_eq!(hours(a, b), expected, "{a} to {b}");
        }
        assert_eq!(moment("1,5", ',', Order::DayFirst), Some(Moment { millis: 5_400_000, local: false }));
        let us = |cell| moment(cell, '.', Order::MonthFirst).unwrap().millis;
        assert_eq!(us("10/27/2024 00:00") - us("10/26/2024 00:00"), 86_400_000);
        for bad in
            ["", "load", "2024-13-01", "2024-02-30", "30.02.2023", "25:00", "1:60", "12", "1-2", "2024-10-27 1e5"]
        {
            let found = moment(bad, '.', Order::DayFirst);
            assert!(found.is_none() || bad == "12", "{bad}: {found:?}");
        }
    }

    #[test]
    fn the_origin_is_known() {
        let epoch = moment("1970-01-01T00:00:00Z", '.', Order::DayFirst).unwrap();
        assert_eq!(epoch.millis, super::UNIX_EPOCH_MILLIS);
    }

    #[test]
    fn what_is_out_of_step_is_found() {
        let at = |hours: &[f64]| -> Vec<Moment> {
            hours.iter().map(|h| Moment { millis: (h * HOUR) as i64, local: true }).collect()
        };
        assert_eq!(usual_step_h(&at(&[0.0, 1.0, 2.0, 2.0, 3.0])), Some(1.0));
        assert_eq!(usual_step_h(&at(&[0.0])), None);
        assert_eq!(first_break(&at(&[0.0, 1.0, 2.0001, 3.0]), 1.0), None);
        let broken = first_break(&at(&[0.0, 1.0, 3.0, 4.0]), 1.0).unwrap();
        assert_eq!((broken.row, broken.found_h), (2, 2.0));
        assert_eq!(first_break(&at(&[0.0, 1.0, 1.0]), 1.0).unwrap().found_h, 0.0);
    }
}
