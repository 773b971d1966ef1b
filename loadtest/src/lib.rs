//! The load tester: drives journeys with the goose engine and answers GO or NO-GO.
//! ARCHITECTURE.md has the map; the data flow is plan → engine → samples → summary → judge → report.

pub mod clock;
pub mod engine;
pub mod http;
pub mod journey;
pub mod limits;
pub mod measure;
pub mod problem;
pub mod smoke;
pub mod units;
