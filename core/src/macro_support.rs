//! What [`register!`](crate::register), [`register_device!`](crate::register_device),
//! [`register_policy!`](crate::register_policy) and [`register_report_rule!`](crate::register_report_rule) write into the crate that calls them, and nothing else may use: so that such a
//! crate depends on this one and on serde only, and other versions of the same packages beside it do not matter.

pub use crate::open::{Entry, fields, is_id, parse};
pub use inventory;
pub use schemars::JsonSchema;

/// An id with `_` for `-`, as column names have it.
pub const fn underscored<const N: usize>(id: &str) -> [u8; N] {
    let bytes = id.as_bytes();
    let mut kind = [0; N];
    let mut k = 0;
    while k < N {
        kind[k] = if bytes[k] == b'-' { b'_' } else { bytes[k] };
        k += 1;
    }
    kind
}

/// The text of [`underscored`].
pub const fn text(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("an id is ASCII"),
    }
}
