//! What holds for the requests of a run whose entries do not say it themselves.

use super::options::Options;
use crate::http::{Protocol, RequestOptions};
use std::sync::Arc;

/// The options of entries that have none; shared by all users.
#[derive(Clone, Debug, Default)]
pub struct Defaults(Option<Arc<Options>>);

impl Defaults {
    /// Speak this, where the entry does not ask for a version.
    #[must_use]
    pub fn speaking(protocol: Protocol) -> Self {
        if protocol == Protocol::default() {
            return Self::default();
        }
        let wire = Arc::new(RequestOptions { protocol, ..RequestOptions::default() });
        Self(Some(Arc::new(Options { wire, ..Options::default() })))
    }

    /// The options of an entry without any; those of Hurl unless something else was said.
    pub(super) fn or(&self, usual: &Arc<Options>) -> Arc<Options> {
        Arc::clone(self.0.as_ref().unwrap_or(usual))
    }

    /// What is spoken.
    pub(super) fn protocol(&self) -> Protocol {
        self.0.as_ref().map_or_else(Protocol::default, |options| options.wire.protocol)
    }
}
