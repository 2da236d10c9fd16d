//! Time zones: what local times mean, and where in time a horizon begins.
//!
//! Knows the data base of zones and no scenario.

use crate::moment::{Moment, Order, UNIX_EPOCH_MILLIS, moment};
use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// Where in time a horizon begins, and whose clocks times without an offset show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    /// The beginning, and how it is written.
    pub(crate) start: Option<(Moment, String)>,
    pub(crate) zone: Option<TimeZone>,
}

impl Clock {
    /// The beginning that a text names.
    pub(crate) fn begins(&self, written: &str) -> Result<(Moment, String), &'static str> {
        let at = moment(written, '.', Order::DayFirst)
            .filter(|_| written.contains(['-', '/']) || written.matches('.').count() == 2);
        let at = at.ok_or("a date and a time, such as `2024-07-01 00:00`")?;
        let at = match &self.zone {
            Some(zone) if at.local => {
                *in_zone(&[at], zone).map_err(|_| "a time that there is in its zone")?.first().unwrap_or(&at)
            }
            _ => at,
        };
        Ok((at, written.to_owned()))
    }
}

/// The zone of a name, such as `Europe/Berlin`.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    // Its own names only: not the zone of this machine.
    (name != "local").then(|| TimeZone::get(name).ok()).flatten()
}

/// Names of all zones.
pub(crate) fn zones() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect()
}

/// Local times as points in time. Of the hour that comes twice when clocks are put back, the first comes first. The row whose
/// time there is not, where clocks are put forward.
pub(crate) fn in_zone(moments: &[Moment], zone: &TimeZone) -> Result<Vec<Moment>, usize> {
    let mut instants: Vec<Moment> = Vec::with_capacity(moments.len());
    for (row, moment) in moments.iter().enumerate() {
        if !moment.local {
            instants.push(*moment);
            continue;
        }
        // The hands of the clock as if it stood in UTC.
        let hands = Timestamp::from_millisecond(moment.millis - UNIX_EPOCH_MILLIS).map_err(|_| row)?;
        let at = |offset: Offset| Moment { millis: moment.millis - 1000 * i64::from(offset.seconds()), local: false };
        let instant = match zone.to_ambiguous_timestamp(Offset::UTC.to_datetime(hands)).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            AmbiguousOffset::Gap { .. } => return Err(row),
            AmbiguousOffset::Fold { before, after } => {
                let is_past = instants.last().is_some_and(|last| at(before).millis <= last.millis);
                at(if is_past { after } else { before })
            }
        };
        instants.push(instant);
    }
    Ok(instants)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cells: &[&str]) -> Vec<Moment> {
        cells.iter().map(|cell| moment(cell, '.', Order::DayFirst).unwrap()).collect()
    }

    fn hours(moments: &[Moment]) -> Vec<i64> {
        moments.windows(2).map(|pair| (pair[1].millis - pair[0].millis) / 3_600_000).collect()
    }

    #[test]
    fn clocks_are_changed_as_they_were() {
        let berlin = zone("Europe/Berlin").unwrap();
        let autumn = read(&["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]);
        assert_eq!(hours(&in_zone(&autumn, &berlin).unwrap()), [1, 1, 1]);
        let spring = read(&["2024-03-31 01:00", "2024-03-31 03:00"]);
        assert_eq!(hours(&in_zone(&spring, &berlin).unwrap()), [1]);
        assert_eq!(in_zone(&read(&["2024-03-31 01:00", "2024-03-31 02:30"]), &berlin), Err(1), "there is no such time");
        let kolkata = in_zone(&read(&["2024-01-01 05:30"]), &zone("Asia/Kolkata").unwrap()).unwrap();
        assert_eq!(kolkata[0].millis, read(&["2024-01-01T00:00:00Z"])[0].millis);
        let first = in_zone(&autumn, &berlin).unwrap()[0].millis;
        assert_eq!(first, read(&["2024-10-26T23:00:00Z"])[0].millis, "summer time is two hours ahead");
    }

    #[test]
    fn zones_have_names_and_beginnings_have_dates() {
        assert!(zone("Europe/Nowhere").is_none() && zone("local").is_none());
        assert!(zones().iter().any(|name| name == "Europe/Lisbon"));
        let clock = Clock { start: None, zone: zone("Europe/Berlin") };
        let utc = read(&["2024-07-01T00:00:00Z"])[0].millis;
        assert_eq!(clock.begins("2024-07-01 02:00").unwrap().0.millis, utc);
        assert_eq!(clock.begins("2024-07-01 00:00Z").unwrap().0.millis, utc);
        for bad in ["July", "12:00", "5.5", "2024-03-31 02:30", ""] {
            assert!(clock.begins(bad).is_err(), "{bad}");
        }
    }
}
