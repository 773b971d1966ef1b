//! TLS, users, headers and rate limit in the format of exporter-toolkit's `web.config.file`, so that a file made for any
//! Prometheus exporter is good here: text in, [`WebConfig`] out, or every problem with its place.
//!
//! What differs from the exporters, and why: health pages stay open when users are set, for a container's health check and a
//! kubelet have no password; HTTP/2 is not spoken, so `http2` changes nothing; TLS 1.0 and 1.1 and the ciphers of their time are
//! refused by name; the file is looked at once a second at most, not on every request.

mod clients;
mod headers;
mod names;
mod rate;
mod tls;
mod users;
mod watched;

#[cfg(test)]
pub(super) mod tests;

pub(super) use users::Login;
pub(super) use watched::Watched;

use crate::node::{Node, Place, Problem, Problems, Value};
use crate::secret::Secret;
use crate::units::Span;
use http::header::{HeaderName, HeaderValue};
use rate::Rate;
use rustls::ServerConfig;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use users::Users;
use watched::Seen;

/// Reads a YAML file; the error is the whole message for people.
pub type ReadNode = fn(&Path) -> Result<Node, String>;

/// A refused web configuration.
#[derive(Debug, PartialEq, Eq)]
pub enum WebConfigError {
    /// It could not be read, or is no YAML: the message for people.
    Unreadable(String),
    /// It is well formed and makes no sense: everything that is wrong.
    Problems {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        problems: Problems,
    },
}

impl fmt::Display for WebConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(message) => f.write_str(message),
            Self::Problems { file, problems: Problems(problems) } => {
                problems.iter().enumerate().try_for_each(|(index, problem)| {
                    f.write_str(if index == 0 { "" } else { "\n" })?;
                    write_problem(f, file, problem)
                })
            }
        }
    }
}

impl std::error::Error for WebConfigError {}

fn write_problem(f: &mut fmt::Formatter<'_>, file: &Path, problem: &Problem) -> fmt::Result {
    let Problem { message, path, at, hint } = problem;
    let path = if path.is_empty() { "the top" } else { path };
    write!(f, "{message}\n  at {path} ({}:{}:{})", file.display(), at.line, at.column)?;
    hint.as_ref().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
}

/// A checked web configuration.
pub(super) struct WebConfig {
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) users: Option<Users>,
    pub(super) rate: Option<Rate>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    tls_server_config: Option<tls::Raw>,
    http_server_config: Option<RawHttp>,
    basic_auth_users: Option<BTreeMap<String, Secret>>,
    rate_limit: Option<RawRate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHttp {
    /// Accepted for the sake of existing files: this server speaks HTTP/1.1 and offers nothing else in ALPN.
    #[serde(default, rename = "http2")]
    _http2: Option<bool>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRate {
    interval: Span,
    burst: u32,
}

/// Problems of a node, with the places of its keys.
struct Found<'a> {
    root: &'a Node,
    problems: Problems,
}

impl Found<'_> {
    /// Notes a problem at a key path such as `tls_server_config.min_version`.
    fn add(&mut self, path: &str, message: impl Into<String>, hint: &str) {
        self.problems.add_with_hint(path, place(self.root, path), message, hint);
    }
}

/// Where a key's value is written; the nearest place above it when the key is not there.
fn place(root: &Node, path: &str) -> Place {
    let mut node = root;
    for name in path.split('.') {
        let Value::Map(entries) = &node.value else { break };
        let Some((_, below)) = entries.iter().find(|(key, _)| key.name == name) else { break };
        node = below;
    }
    node.at
}

/// What a file says, and the state of the files that it names, whether or not it is good.
struct Loaded {
    config: Result<WebConfig, Problems>,
    seen: Seen,
}

/// Understands a web configuration; files in it are relative to `base`.
fn load(root: &Node, base: &Path) -> Loaded {
    let mut problems = Problems::default();
    let raw = match root.value {
        Value::Null => {
            Some(Raw { tls_server_config: None, http_server_config: None, basic_auth_users: None, rate_limit: None })
        }
        _ => root.read::<Raw>("", &mut problems),
    };
    let Some(raw) = raw else { return Loaded { config: Err(problems), seen: Seen::new() } };
    // Before they are read, so that a change in between is noticed at the next look.
    let files = raw.tls_server_config.as_ref().map_or_else(Vec::new, |tls| tls.files(base));
    let seen = watched::look_at_all(files);
    let mut found = Found { root, problems };
    let config = WebConfig {
        tls: raw.tls_server_config.and_then(|raw| tls::build(&raw, base, &mut found)),
        users: raw.basic_auth_users.and_then(|raw| Users::new(raw, &mut found)),
        rate: raw.rate_limit.and_then(|raw| Rate::new(raw.interval.0, raw.burst)),
        headers: raw.http_server_config.map_or_else(Vec::new, |http| headers::check(&http.headers, &mut found)),
    };
    let problems = found.problems;
    Loaded { config: if problems.0.is_empty() { Ok(config) } else { Err(problems) }, seen }
}
