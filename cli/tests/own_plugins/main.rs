//! A device, mechanisms and a carbon policy that nothing in the workspace knows of, registered by these tests: apart from the
//! suite, whose tests speak of all that are registered.

mod own_auction;
mod own_device;
mod own_mechanism;
mod own_policy;

use std::path::PathBuf;

fn folder(name: &str) -> PathBuf {
    coase_testkit::files::folder(env!("CARGO_TARGET_TMPDIR"), name)
}
