//! A check's URL, in every form that applications write. To be completed by its owner.

use crate::secret::Secret;
use std::fmt;

/// The target of a check. Its `Display` never shows a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The scheme in lower case, without a `+driver` suffix: `postgresql+asyncpg` is `postgresql`.
    pub scheme: String,
    /// Host name, IPv4 or IPv6 address (without brackets), decoded; empty when the URL has none (`file:`, `unix:`).
    pub host: String,
    /// The port, when written.
    pub port: Option<u16>,
    /// User name, decoded; empty when absent.
    pub user: String,
    /// Password, decoded.
    pub password: Option<Secret>,
    /// Path as written, percent-encoding kept, with its leading slash; empty when absent.
    pub path: String,
    /// Query as written, without `?`.
    pub query: Option<String>,
}

/// Why a text is no target.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TargetError {
    /// What is wrong; never shows a password.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// When the text is no URL.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let bad = |message: String| TargetError { message, hint: None };
        let url = url::Url::parse(text).map_err(|error| bad(format!("not a URL: {error}")))?;
        Ok(Self {
            scheme: url.scheme().split('+').next().unwrap_or_default().to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port(),
            user: url.username().to_owned(),
            password: url.password().map(Secret::new),
            path: url.path().to_owned(),
            query: url.query().map(str::to_owned),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))?;
        f.write_str(&self.path)
    }
}
