//! What both validators of CORS share: asking with an origin, as a browser would, and reading what it would be allowed.

use super::{Site, site};
use crate::http::{Response, TransportError};
use crate::plan::Url;
use http::Method;
use std::sync::Arc;

/// What an answer lets a page of the asking origin do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) status: u16,
    /// `Access-Control-Allow-Origin`; several are as good as none.
    pub(super) origin: Option<String>,
    pub(super) credentials: bool,
    /// Whether `Vary` tells caches that the answer depends on the origin.
    pub(super) varies: bool,
}

impl Grant {
    fn of(response: &Response) -> Self {
        let origins = site::values(response, "access-control-allow-origin");
        let credentials = site::value(response, "access-control-allow-credentials");
        let vary = site::values(response, "vary");
        Self {
            status: response.status,
            origin: if origins.len() == 1 { origins.into_iter().next() } else { None },
            credentials: credentials.as_deref() == Some("true"),
            varies: vary
                .iter()
                .flat_map(|one| one.split(','))
                .any(|one| matches!(one.trim().to_ascii_lowercase().as_str(), "origin" | "*")),
        }
    }

    /// Whether a browser lets a page of that origin read the answer.
    pub(super) fn allows(&self, origin: &str) -> bool {
        self.origin.as_deref().is_some_and(|allowed| allowed == origin || allowed == "*")
    }
}

/// The path that is asked.
pub(super) fn path(site: &Site<'_>) -> String {
    let validation = &site.plan.validation;
    let first = validation.cors_path.as_ref().or(validation.protected.first()).or(validation.pages.first());
    first.cloned().unwrap_or_default()
}

/// The request itself, and the question that comes before it (a preflight), both as from a page of that origin.
pub(super) async fn ask(site: &Site<'_>, url: &Arc<Url>, origin: &str) -> Result<[Grant; 2], TransportError> {
    let plain = site.ask(&Method::GET, url, &[("origin", origin)]).await?;
    let asked = [("origin", origin), ("access-control-request-method", "GET")];
    let before = site.ask(&Method::OPTIONS, url, &asked).await?;
    Ok([Grant::of(&plain), Grant::of(&before)])
}
