//! From `loadtest.yml`, flags and environment to a checked [`Plan`], or every problem with its place. Only the plan runs.
//! Knows journeys and targets, not the engine. What must stay true: after this point nothing is parsed again, and a plan
//! with a problem never half-starts (invariant 7).

mod agents;
mod around;
mod build;
mod consent;
mod expand;
mod explain;
mod feed;
mod gentle;
mod hash;
mod headers;
mod journeys;
mod origin;
mod profiles;
mod protocol;
mod raw;
mod raw_steps;
mod reader;
mod required;
mod search;
mod stages;
mod steps;
mod target;
mod validation;
mod yaml;

pub use around::Captured;
pub use build::build;
pub use consent::{consent, consent_to_validate};
pub use explain::explain;
pub use feed::{FORMATS, Feed, Format, ORDERS, Order};
pub use gentle::Gently;
pub use headers::{Header, Headers};
pub use journeys::PlannedJourney;
pub use origin::{Origin, Setting};
pub use profiles::{PROFILES, Part, Profile};
pub use protocol::spoken;
pub use raw::KEYS;
pub use stages::{ARRIVALS, Arrivals, Level, Load, Stage};
pub use steps::STEP_KEYS;
pub use target::Url;
pub use validation::{RateLimit, VALIDATION_KEYS, Validation, ValidationFlags};

use crate::http::Protocol;
use crate::journey::{Journey, Value};
use crate::redact::Redactor;
use crate::sidecars::Sidecar;
use crate::targets::{Names, Target};
use crate::units::Think;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What the command line says, as text: the plan checks flags and file alike, and reports all problems at once.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--plan`
    pub plan: Option<PathBuf>,
    /// `--target`
    pub target: Option<String>,
    /// `--users`
    pub users: Option<String>,
    /// `--run-time`
    pub run_time: Option<String>,
    /// `--rate`
    pub rate: Option<String>,
    /// `--arrivals`
    pub arrivals: Option<String>,
    /// `--profile`
    pub profile: Option<String>,
    /// `--ramp`
    pub ramp: Option<String>,
    /// `--think`
    pub think: Option<String>,
    /// `--requests`
    pub requests: Option<String>,
    /// `--max-errors`
    pub max_errors: Option<String>,
    /// `--http2`
    pub http2: Option<String>,
    /// `--require`
    pub require: Vec<String>,
    /// `--abort-after`
    pub abort_after: Option<String>,
    /// `--variable`
    pub variable: Vec<String>,
    /// `--agents`
    pub agents: Vec<String>,
    /// `--calm`
    pub calm: Option<String>,
    /// `--i-own-this-target`
    pub own: bool,
    /// Those of `loadtest validate`
    pub validation: ValidationFlags,
}

/// A variable of all journeys.
#[derive(Clone)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value as text.
    pub value: String,
    /// Its value as Hurl types it on its command line.
    pub typed: Value,
    /// Whether it is hidden wherever people read.
    pub secret: bool,
    /// Where it was set.
    pub from: Origin,
}

/// Everything checked; what runs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The target's URL.
    pub target: Setting<Url>,
    /// How the load goes.
    pub load: Load,
    /// Pause of a user between two journeys.
    pub think: Setting<Think>,
    /// Requests after which the run ends, if that comes first.
    pub requests: Option<Setting<u64>>,
    /// Failed requests that end the run.
    pub max_errors: Option<Setting<u64>>,
    /// What requests speak whose entries do not ask for a version.
    pub http2: Setting<Protocol>,
    /// Variables of all journeys, `target` among them.
    pub variables: Vec<Variable>,
    /// Headers of all requests.
    pub headers: Headers,
    /// Data files.
    pub feeds: Vec<Feed>,
    /// The journeys; never empty.
    pub journeys: Vec<PlannedJourney>,
    /// What runs once before all else.
    pub setup: Option<Setting<Arc<Journey>>>,
    /// What runs once after the load.
    pub teardown: Option<Setting<Arc<Journey>>>,
    /// All that targets may name; the order of the requests is the order of their indices.
    pub names: Names,
    /// The targets; never empty.
    pub targets: Vec<Setting<Target>>,
    /// The sidecars to be asked.
    pub agents: Vec<Setting<Sidecar>>,
    /// Time before the load in which they are asked already.
    pub calm: Setting<Duration>,
    /// What `loadtest validate` holds the target against.
    pub validation: Validation,
    /// Whether the user said that the target is theirs.
    pub own: bool,
    /// Hides the plan's secrets.
    pub redactor: Redactor,
    /// SHA-256 over everything that shapes the load, for comparing like with like.
    pub hash: String,
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.name, self.shown())
    }
}

impl Variable {
    /// The value for people.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.secret { crate::redact::STARS } else { &self.value }
    }
}

#[cfg(test)]
mod steps_tests;
#[cfg(test)]
mod tests;
