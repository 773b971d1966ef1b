//! The load tester: drives journeys with the goose engine and answers GO or NO-GO.
//! ARCHITECTURE.md has the map; the data flow is plan → engine → samples → summary → judge → report.

pub mod baseline;
pub mod cli;
pub mod clock;
pub mod culprit;
pub mod engine;
pub mod exit;
pub mod http;
pub mod journey;
pub mod limits;
pub mod live;
pub mod measure;
pub mod plan;
pub mod problem;
pub mod redact;
pub mod reference;
pub mod report;
pub mod run;
pub mod sidecars;
pub mod smoke;
pub mod suggest;
pub mod targets;
pub mod units;
pub mod validate;
