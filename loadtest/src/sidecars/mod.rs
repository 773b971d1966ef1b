//! What the stack's sidecars (`agent`) say of their services while the load runs: pages of `/metrics` scraped once a second,
//! figures read from them by a closed table, their course over time. Knows nothing of targets and culprits, and of the agent
//! only what it says over the wire. What must stay true: whatever a sidecar sends, the memory it takes has a cap, and a figure
//! that it did not tell is absent.

mod figures;
mod page;
mod reader;
mod scrape;
mod source;
#[cfg(test)]
mod tests;
mod track;

pub use figures::{FIGURES, Figure, Kind, Take, find};
pub use scrape::{Watch, watch};
pub use track::{Evidence, Gap, Hears, Named, Point, Service, Track};

use url::Url;

/// A sidecar to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// The name of its service, as targets and reports write it.
    pub name: String,
    /// Its page of metrics.
    pub url: Url,
}
