//! What was measured: samples go into a recorder of HDR histograms per stage and request name, a summary comes out.
//! In microseconds, body included. Knows neither the engine nor the report.

mod sample;
mod summary;

pub use sample::{Failure, Sample};
pub use summary::{Generator, Row, Summary};
