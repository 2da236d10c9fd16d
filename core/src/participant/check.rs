//! What is wrong with a device, and the checks that find it. Knows no device.

use crate::Plain;
use crate::series::Series;
use crate::setting::Periods;

/// What is wrong with the numbers of a device.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DeviceError {
    /// A number is outside its range, infinite or not a number.
    #[error("{field}{}{}: found {}, expected {expected}", if period.is_some() { " in period " } else { "" }, period.map(|t| t.to_string()).unwrap_or_default(), Plain(*value))]
    Value {
        /// Name in scenario files.
        field: &'static str,
        /// Where in a series.
        period: Option<usize>,
        /// What was found.
        value: f64,
        /// What is allowed, in words.
        expected: &'static str,
    },
    /// A series does not have one value per period.
    #[error("{field}: found {found} values, expected one for each of the {expected} periods")]
    Length {
        /// Name in scenario files.
        field: &'static str,
        /// How many values there are.
        found: usize,
        /// How many periods there are.
        expected: usize,
    },
    /// Two numbers contradict each other.
    #[error("{field}: found {}, expected {relation} {other_field} ({})", Plain(*value), Plain(*other))]
    Order {
        /// Name in scenario files.
        field: &'static str,
        /// What was found.
        value: f64,
        /// How the two should compare, in words.
        relation: &'static str,
        /// The other name.
        other_field: &'static str,
        /// The other value.
        other: f64,
    },
    /// What is asked cannot be reached with the power there is.
    #[error("{field}: {} to {} is asked, only {} to {} can be reached{}{}", Plain(*asked_min), Plain(*asked_max), Plain(*least), Plain(*greatest), if period.is_some() { " by the end of period " } else { "" }, period.map(|t| t.to_string()).unwrap_or_default())]
    Unreachable {
        /// Name in scenario files.
        field: &'static str,
        /// When it is asked, where that is a period.
        period: Option<usize>,
        /// Least value that would do.
        asked_min: f64,
        /// Greatest value that would do.
        asked_max: f64,
        /// Least value that can be reached.
        least: f64,
        /// Greatest value that can be reached.
        greatest: f64,
    },
    /// Something is wrong with an element of a list of its parameters.
    #[error("{element} {position}: {error}")]
    Element {
        /// Name of the list in scenario files.
        list: &'static str,
        /// What an element of it is called.
        element: &'static str,
        /// Position in the list, from 0.
        position: usize,
        /// What is wrong with it.
        error: Box<DeviceError>,
    },
    /// The device is a share of the participant's own load, and there is none.
    #[error("it is a share of the participant's own load, but the participant has no load")]
    NoLoad,
    /// The shares that devices have of one load exceed the load.
    #[error("share: the shares of the participant's own load sum to {}, expected at most 1", Plain(*sum))]
    SharesExceedLoad {
        /// Sum of the shares.
        sum: f64,
    },
    /// It is registered as something that it is not: a fault of its program, not of its numbers.
    #[error("it is registered as {registered}, but {found}")]
    Role {
        /// What it says that it is.
        registered: &'static str,
        /// What contradicts it.
        found: &'static str,
    },
}

/// No power, energy or price of a participant is greater: what is written beyond it is a slip, and its products overflow.
const MOST: f64 = 1e15;
const OF_ORDINARY_SIZE: &str = "a number of ordinary size (at most 1e15)";

/// Checks that a number is not negative and of ordinary size.
///
/// # Errors
/// [`DeviceError::Value`] otherwise.
pub fn not_negative(field: &'static str, value: f64) -> Result<(), DeviceError> {
    require(value.is_finite() && value >= 0.0, field, value, "at least 0")?;
    finite(field, value)
}

/// Checks that a number is positive and of ordinary size.
///
/// # Errors
/// [`DeviceError::Value`] otherwise.
pub fn positive(field: &'static str, value: f64) -> Result<(), DeviceError> {
    require(value.is_finite() && value > 0.0, field, value, "more than 0")?;
    finite(field, value)
}

/// Checks that a number is one, and of ordinary size.
///
/// # Errors
/// [`DeviceError::Value`] otherwise.
pub fn finite(field: &'static str, value: f64) -> Result<(), DeviceError> {
    require(value.is_finite(), field, value, "a number")?;
    require(value.abs() <= MOST, field, value, OF_ORDINARY_SIZE)
}

/// Checks that a number lies within 0 and 1.
///
/// # Errors
/// [`DeviceError::Value`] otherwise.
pub fn share(field: &'static str, value: f64) -> Result<(), DeviceError> {
    require((0.0..=1.0).contains(&value), field, value, "0 to 1")
}

/// Checks that a number lies above 0 and at most at 1.
///
/// # Errors
/// [`DeviceError::Value`] otherwise.
pub fn efficiency(field: &'static str, value: f64) -> Result<(), DeviceError> {
    require(value > 0.0 && value <= 1.0, field, value, "more than 0, at most 1")
}

/// Checks that a first number does not exceed a second.
///
/// # Errors
/// [`DeviceError::Order`] otherwise.
pub fn at_most(
    (field, value): (&'static str, f64),
    (other_field, other): (&'static str, f64),
) -> Result<(), DeviceError> {
    if value <= other {
        return Ok(());
    }
    Err(DeviceError::Order { field, value, relation: "at most", other_field, other })
}

/// Checks that a series has one value per period, all accepted by `valid`.
///
/// # Errors
/// [`DeviceError::Length`], [`DeviceError::Value`] with the first period that is wrong.
pub fn series(
    field: &'static str,
    series: &Series,
    periods: Periods,
    expected: &'static str,
    valid: impl Fn(f64) -> bool,
) -> Result<(), DeviceError> {
    let values = series.values();
    if values.len() != periods.count {
        return Err(DeviceError::Length { field, found: values.len(), expected: periods.count });
    }
    let refuse = |period: Option<usize>, expected| match period {
        Some(t) => Err(DeviceError::Value { field, period, value: values[t], expected }),
        None => Ok(()),
    };
    refuse(values.iter().position(|v| !v.is_finite() || !valid(*v)), expected)?;
    refuse(values.iter().position(|v| v.abs() > MOST), OF_ORDINARY_SIZE)
}

fn require(holds: bool, field: &'static str, value: f64, expected: &'static str) -> Result<(), DeviceError> {
    if holds { Ok(()) } else { Err(DeviceError::Value { field, period: None, value, expected }) }
}
