//! The sidecar agent: probes its peer and its host, exports what it finds, and says why something is wrong.
//! ARCHITECTURE.md has the map; the data flow is clock → schedule → probe → state → snapshot → pages.

pub mod clock;
pub mod collectors;
pub mod config;
pub mod limits;
pub mod metrics;
pub mod node;
pub mod probes;
pub mod reading;
pub mod secret;
pub mod server;
pub mod snapshot;
pub mod units;
