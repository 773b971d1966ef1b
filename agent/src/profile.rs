//! For which life of a stack an input is checked: what is fine on a laptop is not in production.

use crate::node::did_you_mean;
use serde::Deserialize;
use std::str::FromStr;

/// The life of a stack, strictest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// People rely on it.
    #[default]
    Production,
    /// As production, with test keys and its own names.
    Staging,
    /// A laptop: defaults, localhost and plain text are fine.
    Development,
}

impl Profile {
    /// All, strictest first.
    pub const ALL: &'static [Self] = &[Self::Production, Self::Staging, Self::Development];

    /// `production`, `staging` or `development`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<&str> = Self::ALL.iter().map(|profile| profile.as_str()).collect();
        let known = Self::ALL.iter().copied().find(|profile| profile.as_str() == text);
        known.ok_or_else(|| format!("unknown profile `{text}`, {}", did_you_mean(text, "profiles", &names)))
    }
}
