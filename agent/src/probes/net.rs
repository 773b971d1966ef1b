//! Name look-up, connecting and TLS, shared by all probes, each step with its phase, its readings and its closed reason.
//! To be completed by its owner.

/// What all probes share of the network: the gate of the name look-ups and the TLS settings.
#[derive(Debug, Default)]
pub struct Net {}
