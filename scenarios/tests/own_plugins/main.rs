//! Mechanisms and policies that are registered by tests: apart from the suite, whose tests speak of all that are registered.

mod outside;
mod statuses;
