//! The network: buses, branches, generators; topology; readers.
