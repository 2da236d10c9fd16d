//! Instances that several tests share.
#![allow(dead_code, reason = "every test file uses its own part")]

pub mod five_vpps;
pub mod local_problem;
pub mod shapes;
