//! Carbon: emission flow through a network, embodied carbon of storage, policies.
