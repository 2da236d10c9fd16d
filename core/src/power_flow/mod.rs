//! AC and DC power flow.
