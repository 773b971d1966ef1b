//! WebSocket steps of a journey: what they are, and from which texts of the plan they are made. Opening one is a request, and so is
//! each round trip from what is sent to the answer that fits.

mod expect;
mod once;
mod run;
#[cfg(test)]
mod tests;

pub use expect::{Comparison, Expectation};
pub use once::{Once, Sum};
pub use run::{Done, Ended, Ledger, Part, run_websocket};

use super::common::CommonHeaders;
use super::compile;
use super::fault::{Cause, Fault};
use super::jsonpath::Path;
use super::outside;
use super::source::Span;
use super::template::{Scope, Template};
use super::variables::is_reserved;
use crate::http::RequestOptions;
use crate::problem::Problem;
use crate::redact::looks_secret;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A WebSocket step.
#[derive(Debug)]
pub struct WebSocketStep {
    /// The name of its round trips in reports.
    pub name: String,
    /// The name of its opening.
    pub opening: String,
    /// `WS` and the unrendered path.
    pub route: String,
    /// Where it is written: file and line.
    pub place: String,
    /// Where it leads.
    pub address: Address,
    /// Headers of the opening.
    pub headers: CommonHeaders,
    /// What is sent, one text a round trip, over and over; none where it only listens.
    pub send: Vec<Template>,
    /// What an answer must be; any will do without.
    pub expect: Option<Expectation>,
    /// What is remembered of each answer.
    pub keeps: Vec<Kept>,
    /// Round trips.
    pub messages: u64,
    /// Time for the opening, and for each round trip.
    pub timeout: Duration,
    /// How its server is known.
    pub options: Arc<RequestOptions>,
    /// As written in the plan, for its fingerprint.
    pub written: String,
}

/// The URL of a WebSocket.
#[derive(Clone, Debug)]
pub struct Address {
    /// As written.
    template: Template,
    /// The URL, where it is constant.
    constant: Option<Arc<Url>>,
    /// `WS` and the unrendered path.
    pub route: String,
}

/// A value of an answer that is remembered.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The variable.
    name: String,
    /// What.
    path: Path,
}

/// What is sent.
///
/// # Errors
/// When a placeholder is malformed.
pub fn message(text: &str) -> Result<Template, Problem> {
    outside::said_template(text)
}

const SCHEMES: [(&str, &str); 4] =
    [("http://", "http://"), ("https://", "https://"), ("ws://", "http://"), ("wss://", "https://")];

impl Address {
    /// Reads a URL with placeholders.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let template = outside::said_template(text)?;
        let constant = match template.constant() {
            Some(constant) => Some(url(constant).map_err(|reason| {
                let shown = crate::redact::without_url_passwords(constant);
                let hint = "write it like `{{target}}/ws` or `wss://api.example.org/ws`";
                Problem::new(format!("`{shown}` is not the URL of a WebSocket: it {reason}")).hint(hint)
            })?),
            None => None,
        };
        Ok(Self { template, constant: constant.map(Arc::new), route: format!("WS {}", compile::path(text)) })
    }

    /// The URL, where it is constant.
    #[must_use]
    pub fn constant(&self) -> Option<&Url> {
        self.constant.as_deref()
    }

    fn render(&self, scope: Scope<'_>) -> Result<Arc<Url>, Fault> {
        if let Some(url) = &self.constant {
            return Ok(Arc::clone(url));
        }
        let text = self.template.render(scope)?;
        url(&text).map(Arc::new).map_err(|reason| {
            Fault::error(Span::default(), Cause::Url { url: text.into_owned(), reason: format!("it {reason}") })
        })
    }
}

/// The URL of HTTP by which a WebSocket is opened; why there is none, to follow the text.
fn url(text: &str) -> Result<Url, String> {
    let known = SCHEMES.iter().find_map(|(scheme, http)| Some(format!("{http}{}", text.strip_prefix(scheme)?)));
    let known = known.ok_or("does not begin with `ws://`, `wss://`, `http://` or `https://`")?;
    Url::parse(&known).map_err(|error| format!("is not a URL: {error}"))
}

impl Kept {
    /// A variable and where in the answer its value lies.
    ///
    /// # Errors
    /// When the name is that of a function, or the path is none.
    pub fn parse(name: &str, path: &str) -> Result<Self, Problem> {
        if is_reserved(name) || name == "target" {
            let hint = "choose another name";
            return Err(Problem::new(format!("`{name}` cannot be captured: it has a meaning already")).hint(hint));
        }
        let parsed = Path::parse(path).map_err(|bad| {
            let hint = format!("expected {} at its character {}", bad.expected, bad.column);
            Problem::new(format!("`{path}` is not a valid JSONPath")).hint(hint)
        })?;
        Ok(Self { name: name.to_owned(), path: parsed })
    }

    /// Whether its value must never be shown.
    fn is_secret(&self) -> bool {
        looks_secret(&self.name)
    }
}
