//! RON as files of this project are written.

use ron::extensions::Extensions;

/// RON as the project writes it: `Some`, newtypes and newtype variants need no brackets of their own.
pub(crate) fn options() -> ron::Options {
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    ron::Options::default().with_default_extension(extensions)
}
