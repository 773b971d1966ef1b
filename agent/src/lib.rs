//! The sidecar agent: probes its peer and its host, exports what it finds, and says why something is wrong.
//! ARCHITECTURE.md has the map; the data flow is clock → schedule → probe → state → snapshot → pages.

pub mod causes;
pub mod cli;
pub mod clock;
pub mod collectors;
pub mod config;
pub mod exit;
pub mod fuzz;
pub mod health;
pub mod lifecycle;
pub mod limits;
pub mod metrics;
pub mod node;
pub mod paint;
pub mod panics;
pub mod parser;
pub mod preflight;
pub mod probe_once;
pub mod probes;
pub mod profile;
pub mod reading;
pub mod reference;
pub mod reload;
pub mod schedule;
pub mod secret;
pub mod server;
pub mod silence;
pub mod small;
pub mod snapshot;
pub mod startup;
pub mod state;
pub mod status;
pub mod supervise;
pub mod units;
pub mod version;
pub mod wait;
