use super::{Ask, CsvError, Table};
use crate::spec::{CsvColumn, Resample};
use crate::zone::Clock;

fn column(name: &str) -> CsvColumn {
    CsvColumn {
        file: "x.csv".into(),
        column: name.into(),
        scale: 1.0,
        start: None,
        separator: None,
        decimal: None,
        time: None,
        from: None,
        zone: None,
        resample: None,
    }
}

fn read(text: &str, column: &CsvColumn, periods: usize, period_h: f64) -> Result<Vec<f64>, CsvError> {
    Table::of("x.csv".into(), text, column.separator)?.series(&Ask {
        column,
        periods,
        period_h,
        clock: &Clock::default(),
    })
}

fn timed(start: Option<usize>, resample: Option<Resample>) -> CsvColumn {
    CsvColumn { time: Some("time".into()), start, resample, ..column("p") }
}

#[test]
fn german_tables_are_read_once_that_is_said() {
    let text = "zeit;leistung\r\n27.10.2024 00:00;1,5\r\n27.10.2024 01:00;-2\r\n;\r\n";
    let mut german = CsvColumn { separator: Some(';'), decimal: Some(','), ..column("leistung") };
    assert_eq!(read(text, &german, 2, 1.0).unwrap(), [1.5, -2.0]);
    german.time = Some("zeit".into());
    assert_eq!(read(text, &german, 2, 1.0).unwrap(), [1.5, -2.0]);
    // What Excel writes in front says it too.
    let excel = CsvColumn { separator: None, ..german.clone() };
    assert_eq!(read(&format!("sep=;\r\n{text}"), &excel, 2, 1.0).unwrap(), [1.5, -2.0]);
    // Points that group thousands would be read as decimals elsewhere.
    let error = read("leistung\n1.234\n", &CsvColumn { separator: None, time: None, ..german }, 1, 1.0).unwrap_err();
    assert!(matches!(&error, CsvError::Cell { line: 2, cell, .. } if cell == "1.234"), "{error}");
}

#[test]
fn the_error_says_what_separates() {
    let advice = |text: &str, name: &str| read(text, &column(name), 2, 1.0).unwrap_err().advice().unwrap();
    let expected = "the cells seem to be separated by `;`: Csv(.., separator: ';', decimal: ',')";
    assert_eq!(advice("zeit;p\n00:00;1,5\n01:00;2,5\n", "p"), expected);
    assert_eq!(
        advice("zeit;p\n00:00;1\n01:00;2\n", "p"),
        "the cells seem to be separated by `;`: Csv(.., separator: ';')"
    );
    assert_eq!(
        advice("zeit\tp\n00:00\t1\n", "p"),
        "the cells seem to be separated by `\\t`: Csv(.., separator: '\\t')"
    );
    assert_eq!(advice("t,p\n0,1\n\n1,\"1,5\"\n", "p"), "where commas are decimal: `decimal: ','` in Csv(..)");
    assert_eq!(advice("t,p\n0,\"1,234.5\"\n", "p"), "write numbers without separators of thousands");
}

#[test]
fn columns_are_named_as_they_are() {
    let error = read("load,pv,load\n1,2,3\n", &column("load"), 1, 1.0).unwrap_err();
    assert_eq!(error.to_string(), "x.csv, line 1: the columns 1 and 3 are all called `load`");
    // A name that is there twice is no fault where another column is asked for.
    assert_eq!(read("load,pv,load\n1,2,3\n", &column("pv"), 1, 1.0).unwrap(), [2.0]);
    let error = read(",load,pv\n0,1,2\n", &column("wind"), 1, 1.0).unwrap_err();
    assert_eq!(error.to_string(), "x.csv has no column `wind`; there are ``, `load`, `pv`");
    // The index that pandas writes has no name.
    assert_eq!(read(",load\n0,1\n1,2\n", &column("load"), 2, 1.0).unwrap(), [1.0, 2.0]);
    let error = read("", &column("load"), 1, 1.0).unwrap_err();
    assert!(error.to_string().contains("it is empty"), "{error}");
    let many: Vec<String> = (0..40).map(|k| format!("c{k}")).collect();
    let error = read(&many.join(","), &column("load"), 1, 1.0).unwrap_err().to_string();
    assert!(error.ends_with("`c11` and 28 more"), "{error}");
}

#[test]
fn cells_that_are_no_numbers_are_named_with_their_line() {
    for (cell, shown) in
        [("", "empty"), ("NaN", "NaN"), ("inf", "inf"), ("1e999", "1e999"), ("a\u{1}b", "a\\u{1}b"), ("0x1", "0x1")]
    {
        let text = format!("t,p\n0,1\n\n1,{cell}\n");
        let error = read(&text, &column("p"), 2, 1.0).unwrap_err();
        assert!(matches!(error, CsvError::Cell { line: 4, .. }) && error.to_string().contains(shown), "{error}");
    }
    assert_eq!(read("p\n+1\n\u{2212}2.5\n-0\n1e-3\n", &column("p"), 4, 1.0).unwrap(), [1.0, -2.5, 0.0, 1e-3]);
}

#[test]
fn times_must_follow_one_another_as_periods_do() {
    let told = |text: &str, period_h: f64| {
        let error = read(text, &timed(None, None), 3, period_h).unwrap_err();
        (error.to_string(), error.advice().unwrap_or_default())
    };
    let (twice, advice) =
        told("time,p\n2024-10-27 01:00,1\n2024-10-27 02:00,1\n2024-10-27 02:00,1\n2024-10-27 03:00,1\n", 1.0);
    assert_eq!(twice, "x.csv, line 4, column `time`: `2024-10-27 02:00` is there twice");
    assert!(advice.contains("UTC"), "{advice}");
    let (gap, _) = told("time,p\n0,1\n1,1\n3,1\n4,1\n", 1.0);
    assert_eq!(gap, "x.csv, line 4, column `time`: from `1` to `3` are 2 h, expected 1 h");
    let (back, _) = told("time,p\n0,1\n2,1\n1,1\n3,1\n", 1.0);
    assert!(back.contains("line 3") || back.contains("line 4"), "{back}");
    let (coarse, advice) = told("time,p\n0,1\n1,1\n2,1\n", 0.25);
    assert!(
        coarse.contains("the rows are 1 h apart, and a period has 0.25 h") && advice.contains("Repeat"),
        "{coarse} {advice}"
    );
    let (fine, advice) = told("time,p\n00:00,1\n00:15,1\n00:30,1\n", 1.0);
    assert!(fine.contains("0.25 h apart") && advice.contains("the mean of the rows"), "{fine} {advice}");
    let (odd, _) = told("time,p\n0,1\n1,1\n2,1\n", 0.4);
    assert!(odd.contains("1 h apart"), "{odd}");
    let (none, _) = told("time,p\n0,1\nnoon,1\n2,1\n", 1.0);
    assert!(none.contains("line 3") && none.contains("`noon` is not a time"), "{none}");
    let (mixed, _) = told("time,p\n2024-01-01 00:00Z,1\n2024-01-01 01:00,1\n2024-01-01 02:00,1\n", 1.0);
    assert!(mixed.contains("line 3") && mixed.contains("offset"), "{mixed}");
    // The same night with offsets is in order, and so is a year of Excel's rounded times.
    let night = "time,p\n2024-10-27 01:00+02:00,1\n2024-10-27 02:00+02:00,2\n2024-10-27 02:00+01:00,3\n";
    assert_eq!(read(night, &timed(None, None), 3, 1.0).unwrap(), [1.0, 2.0, 3.0]);
    // Either order of day and month, whichever lets the days follow one another.
    let us = "time,p\n1/31/2024 23:00,1\n2/1/2024 00:00,2\n2/1/2024 01:00,3\n";
    assert_eq!(read(us, &timed(None, None), 3, 1.0).unwrap(), [1.0, 2.0, 3.0]);
    let ambiguous = "time,p\n1/2/2024,1\n1/3/2024,2\n1/4/2024,3\n";
    assert_eq!(read(ambiguous, &timed(None, None), 3, 24.0).unwrap(), [1.0, 2.0, 3.0]);
    // Only the rows that are taken are looked at.
    let tail = "time,p\n0,1\n5,1\n6,2\n7,3\n9,4\n";
    assert_eq!(read(tail, &timed(Some(1), None), 3, 1.0).unwrap(), [1.0, 2.0, 3.0]);
}

#[test]
fn coarser_rows_are_repeated_or_interpolated_once_that_is_said() {
    let text = "time,p\n00:00,0\n01:00,4\n02:00,8\n";
    let ask = |start, resample| timed(start, Some(resample));
    assert_eq!(read(text, &ask(Some(0), Resample::Repeat), 4, 0.5).unwrap(), [0.0, 0.0, 4.0, 4.0]);
    assert_eq!(read(text, &ask(Some(0), Resample::Interpolate), 4, 0.5).unwrap(), [0.0, 2.0, 4.0, 6.0]);
    // After the last row its value holds.
    assert_eq!(read(text, &ask(None, Resample::Interpolate), 6, 0.5).unwrap(), [0.0, 2.0, 4.0, 6.0, 8.0, 8.0]);
    // A horizon may end within a row.
    assert_eq!(read(text, &ask(Some(1), Resample::Repeat), 3, 0.5).unwrap(), [4.0, 4.0, 8.0]);
    let scaled = CsvColumn { scale: 0.5, ..ask(Some(0), Resample::Interpolate) };
    assert_eq!(read(text, &scaled, 2, 0.5).unwrap(), [0.0, 1.0]);
    // Without times, by the number of rows.
    let untimed = CsvColumn { resample: Some(Resample::Repeat), ..column("p") };
    assert_eq!(read(text, &untimed, 6, 0.5).unwrap(), [0.0, 0.0, 4.0, 4.0, 8.0, 8.0]);
    assert_eq!(read(text, &untimed, 3, 0.5).unwrap(), [0.0, 4.0, 8.0]);
    assert!(matches!(read(text, &untimed, 7, 0.5), Err(CsvError::Resample { .. })));
    let from = CsvColumn { start: Some(1), ..untimed };
    assert!(matches!(read(text, &from, 4, 0.5), Err(CsvError::Resample { .. })));
    assert!(matches!(read(text, &ask(Some(2), Resample::Repeat), 4, 0.5), Err(CsvError::Resample { .. })));
}

mod damaged {
    use super::{CsvColumn, column, read, timed};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn no_text_breaks_the_reader_and_what_it_reads_is_finite(
            text in "(time|p|,|;|\n|\r\n|\"|[0-9]{1,3}|:|-|\\.|\t|1e308|NaN| |sep=;|ü|\u{1}){0,40}",
            german in any::<bool>(),
        ) {
            let separator = german.then_some(';');
            let ask = CsvColumn { separator, decimal: german.then_some(','), scale: 1.0, ..column("p") };
            for ask in [ask.clone(), CsvColumn { separator, ..timed(Some(0), None) }] {
                let text = format!("time,p\n{text}");
                if let Ok(values) = read(&text, &ask, 3, 1.0) {
                    prop_assert!(values.iter().all(|value| value.is_finite()));
                }
            }
        }
    }
}

/// Clocks as a test gives them.
fn clock(start: Option<&str>, zone: Option<&str>) -> Clock {
    let clock = Clock { start: None, zone: zone.map(|name| crate::zone::zone(name).unwrap()) };
    Clock { start: start.map(|text| clock.begins(text).unwrap()), ..clock }
}

fn read_at(text: &str, clock: &Clock, column: &CsvColumn, periods: usize, period_h: f64) -> Result<Vec<f64>, CsvError> {
    Table::of("x.csv".into(), text, column.separator)?.series(&Ask { column, periods, period_h, clock })
}

/// One horizon over files in local time and in UTC, over the hour that comes twice.
#[test]
fn a_horizon_begins_at_one_time_in_every_file() {
    let local =
        "time,p\n2024-10-27 00:00,0\n2024-10-27 01:00,1\n2024-10-27 02:00,2\n2024-10-27 02:00,3\n2024-10-27 03:00,4\n";
    let utc =
        "time,p\n2024-10-26T23:00:00Z,1\n2024-10-27T00:00:00Z,2\n2024-10-27T01:00:00Z,3\n2024-10-27T02:00:00Z,4\n";
    let clock = clock(Some("2024-10-27 01:00"), Some("Europe/Berlin"));
    for text in [local, utc] {
        assert_eq!(read_at(text, &clock, &timed(None, None), 4, 1.0).unwrap(), [1.0, 2.0, 3.0, 4.0]);
        // A file in another row order of the day is cut, not checked beyond.
        assert_eq!(read_at(text, &clock, &timed(None, None), 2, 1.0).unwrap(), [1.0, 2.0]);
    }
    // Without a zone the hour that comes twice is a fault, which names the remedy.
    let error = read(local, &timed(None, None), 5, 1.0).unwrap_err();
    assert!(error.advice().unwrap().contains("`zone`"), "{error}");
    let late = self::clock(Some("2025-01-01 00:00"), None);
    let error = read_at(local, &late, &timed(None, None), 2, 1.0).unwrap_err().to_string();
    assert_eq!(
        error,
        "x.csv, column `time`: no row is of 2025-01-01 00:00; the times go from 2024-10-27 00:00 to 2024-10-27 03:00"
    );
    // Counted rows come before times.
    assert_eq!(read_at(local, &late, &timed(Some(0), None), 2, 1.0).unwrap(), [0.0, 1.0]);
}

#[test]
fn a_time_that_there_is_not_is_named() {
    let text = "time,p\n2024-03-31 01:30,1\n2024-03-31 02:00,2\n2024-03-31 02:30,3\n";
    let error = read_at(text, &clock(None, Some("Europe/Berlin")), &timed(None, None), 3, 0.5).unwrap_err().to_string();
    assert!(error.contains("line 3") && error.contains("there is no `2024-03-31 02:00` in this zone"), "{error}");
}

/// Quarters of an hour become hours by their mean, with and without times.
#[test]
fn shorter_rows_are_averaged() {
    let text = "time,p\n0:00,1\n0:15,2\n0:30,3\n0:45,6\n1:00,10\n1:15,10\n1:30,20\n1:45,20\n";
    let mean = timed(None, Some(Resample::Mean));
    assert_eq!(read(text, &mean, 2, 1.0).unwrap(), [3.0, 15.0]);
    assert_eq!(read(text, &CsvColumn { time: None, ..mean.clone() }, 2, 1.0).unwrap(), [3.0, 15.0]);
    assert_eq!(read(text, &timed(Some(2), Some(Resample::Mean)), 1, 1.5).unwrap(), [11.5]);
    let advice = |column: &CsvColumn, period_h| read(text, column, 2, period_h).unwrap_err().advice().unwrap();
    assert_eq!(
        advice(&timed(None, None), 1.0),
        "take the mean of the rows of each period: `resample: Mean` in Csv(..)"
    );
    assert_eq!(advice(&mean, 0.4), "make `period_h` a multiple of the distance of the rows");
    // The mean of one longer row is no mean.
    assert!(read("time,p\n0:00,1\n1:00,2\n", &mean, 4, 0.5).is_err());
    let odd = CsvColumn { time: None, ..mean };
    assert!(read(text, &odd, 3, 1.0).unwrap_err().to_string().contains("no equal number for each of 3 periods"));
}
