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

use crate::config::render_problem;
use crate::node::{Node, Place, Problems, Value};
use crate::paint::Paint;
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
    /// In the form of the configuration's messages, to be written after `error: `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Unreadable(message) => message.clone(),
            Self::Problems { file, problems } => {
                let file = file.to_string_lossy();
                let one = |problem| render_problem(problem, Some(&file), "error:", Paint::OFF);
                problems.0.iter().map(one).collect::<Vec<_>>().join("\n")
            }
        };
        f.write_str(text.trim_start_matches("error: ").trim_end())
    }
}

impl std::error::Error for WebConfigError {}

/// A checked web configuration.
pub(super) struct WebConfig {
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) users: Option<Users>,
    pub(super) rate: Option<Rate>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// What the operator should know though nothing is wrong; logged when the file is read.
    notes: Vec<&'static str>,
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
    /// Accepted for the sake of existing files, and noted: this server speaks HTTP/1.1 and offers nothing else in ALPN.
    http2: Option<bool>,
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

    /// The key of `tls_server_config` that was written: `cert` or `cert_file`.
    fn written(&self, key: &str) -> String {
        let inline = format!("tls_server_config.{key}");
        if find(self.root, &inline).1 { inline } else { inline + "_file" }
    }
}

/// Where a key's value is written; the nearest place above it when the key is not there.
fn place(root: &Node, path: &str) -> Place {
    find(root, path).0.at
}

/// The node of a key path, or the nearest above it; and whether it is the one.
fn find<'a>(root: &'a Node, path: &str) -> (&'a Node, bool) {
    let mut node = root;
    for name in path.split('.') {
        let Value::Map(entries) = &node.value else { return (node, false) };
        let Some((_, below)) = entries.iter().find(|(key, _)| key.name == name) else { return (node, false) };
        node = below;
    }
    (node, true)
}

/// What a file says, and the state of the files that it names, whether or not it is good.
struct Loaded {
    config: Result<WebConfig, Problems>,
    seen: Seen,
}

/// Reads a web configuration once, as the start would; what its operator should know although it works.
///
/// # Errors
/// With everything that is wrong with it.
pub fn check(path: &Path, read: ReadNode) -> Result<Vec<&'static str>, WebConfigError> {
    let (config, _seen) = watched::load_file(path, read);
    config.map(|config| config.notes)
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
    let notes = notes(&raw);
    let config = WebConfig {
        tls: raw.tls_server_config.and_then(|raw| tls::build(&raw, base, &mut found)),
        users: raw.basic_auth_users.and_then(|raw| Users::new(raw, &mut found)),
        rate: raw.rate_limit.and_then(|raw| Rate::new(raw.interval.0, raw.burst)),
        headers: raw.http_server_config.map_or_else(Vec::new, |http| headers::check(&http.headers, &mut found)),
        notes,
    };
    let problems = found.problems;
    Loaded { config: if problems.0.is_empty() { Ok(config) } else { Err(problems) }, seen }
}

fn notes(raw: &Raw) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if raw.http_server_config.as_ref().is_some_and(|http| http.http2 == Some(true)) {
        notes.push("http2 is not spoken, clients get HTTP/1.1");
    }
    if raw.basic_auth_users.as_ref().is_some_and(|users| !users.is_empty()) && raw.tls_server_config.is_none() {
        notes.push("there are users and no tls_server_config, so passwords cross the network in clear");
    }
    notes
}
