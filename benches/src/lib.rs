//! What benchmarks of whole runs share.

pub mod growth;
