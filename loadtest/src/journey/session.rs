//! One virtual user: its variables and its cookies. Cheap to make; made anew for every iteration that must start fresh.

use super::common::CommonHeaders;
use super::cookies::Jar;
use super::defaults::Defaults;
use super::template::Scope;
use super::value::Value;
use super::variables::Variables;
use super::who::Who;
use crate::clock;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// A virtual user's memory.
#[derive(Debug, Default)]
pub struct Session {
    /// Its variables.
    pub variables: Variables,
    /// Its cookies.
    pub cookies: Jar,
    /// The headers that all its requests get.
    pub headers: CommonHeaders,
    /// The options that its requests have unless an entry says otherwise.
    pub defaults: Defaults,
}

impl Session {
    /// That user, new, over the variables that all share.
    #[must_use]
    pub fn new(base: Arc<HashMap<String, Value>>, who: Arc<Who>) -> Self {
        Self { variables: Variables::over(base, who), ..Self::default() }
    }

    /// What templates are rendered against, now.
    #[must_use]
    pub fn scope<'a>(&'a self, root: &'a Path) -> Scope<'a> {
        Scope { variables: &self.variables, now: Self::now(), root }
    }

    /// The time of day.
    #[must_use]
    pub fn now() -> DateTime<Utc> {
        clock::wall().into()
    }

    /// The text without what this user has captured as secret.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let secrets = self.variables.secrets().iter().filter(|secret| !secret.is_empty());
        crate::redact::hide(text, secrets.map(String::as_str))
    }
}
