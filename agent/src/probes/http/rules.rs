//! What an answer must be like, and what is said when it is not. Pure.

use super::json::Assertion;
use super::parts::failing;
use super::pool::Page;
use super::status::StatusCodes;
use crate::probes::{Detail, Fault, Reason, clean};
use http::header::{HeaderMap, HeaderName};
use http::{StatusCode, Version};
use regex_lite::Regex;

/// The rules of a check.
pub(super) struct Rules {
    pub(super) status: StatusCodes,
    pub(super) versions: Vec<Version>,
    pub(super) no_ssl: bool,
    pub(super) only_ssl: bool,
    pub(super) body_without: Vec<Regex>,
    pub(super) body_with: Vec<Regex>,
    pub(super) header_without: Vec<HeaderRule>,
    pub(super) header_with: Vec<HeaderRule>,
    pub(super) json: Vec<Assertion>,
    pub(super) with_credentials: bool,
}

/// A rule about one header.
pub(super) struct HeaderRule {
    pub(super) name: HeaderName,
    pub(super) regexp: Regex,
    pub(super) allow_missing: bool,
}

/// The answer that is judged: the last one, body unpacked.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) secure: bool,
    pub(super) body: Vec<u8>,
}

/// Why an answer does not pass.
#[derive(Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) fault: Fault,
    /// Whether a regular expression said so.
    pub(super) regex: bool,
}

impl From<Fault> for Verdict {
    fn from(fault: Fault) -> Self {
        Self { fault, regex: false }
    }
}

impl Rules {
    /// The first rule that the answer breaks, in the order of the wire.
    pub(super) fn judge(&self, answer: &Answer, page: &Page<'_>) -> Result<(), Verdict> {
        if let Some(fault) = plain_to_tls_port(answer) {
            return Err(fault.into());
        }
        self.judge_head(answer, page)?;
        let regex = |fault: Option<Fault>| fault.map_or(Ok(()), |fault| Err(Verdict { fault, regex: true }));
        regex(self.bad_header(&answer.headers))?;
        regex(self.bad_body(&String::from_utf8_lossy(&answer.body)))?;
        if self.json.is_empty() {
            return Ok(());
        }
        let Some(json) = &page.json else {
            return Err(Fault::new(
                Reason::Body,
                format!("the answer is no JSON, it begins with {}", begin(&answer.body)),
            )
            .into());
        };
        match self.json.iter().find_map(|assertion| assertion.broken_by(json)) {
            Some(message) => Err(Fault::new(Reason::Body, message).into()),
            None => Ok(()),
        }
    }

    fn judge_head(&self, answer: &Answer, page: &Page<'_>) -> Result<(), Fault> {
        if !self.status.contain(answer.status.as_u16()) {
            return Err(self.bad_status(answer, page));
        }
        if !self.versions.is_empty() && !self.versions.contains(&answer.version) {
            let expected: Vec<_> = self.versions.iter().map(|version| format!("{version:?}")).collect();
            let message = format!("answered in {:?}, expected {}", answer.version, expected.join(" or "));
            return Err(Fault::new(Reason::Header, message));
        }
        if self.no_ssl && answer.secure {
            return Err(Fault::new(Reason::Tls, "the answer came over TLS, and `fail_if_ssl` is set"));
        }
        if self.only_ssl && !answer.secure {
            return Err(Fault::new(Reason::Tls, "the answer came without TLS, and `fail_if_not_ssl` is set"));
        }
        Ok(())
    }

    fn bad_status(&self, answer: &Answer, page: &Page<'_>) -> Fault {
        let code = answer.status.as_u16();
        let mut message = format!("answered status {code}, expected {}", self.status);
        let failing = page.json.as_ref().map(failing).unwrap_or_default();
        if !failing.is_empty() {
            message = format!("{message}; it names as failed: {}", failing.join(", "));
        }
        match code {
            401 | 403 if self.with_credentials => {
                let detail = if code == 401 { Detail::LoginRefused } else { Detail::PermissionMissing };
                Fault::new(Reason::Auth, message)
                    .exactly(detail)
                    .hint("the credentials were refused; are they of this environment?")
            }
            401 => Fault::new(Reason::Status, message)
                .exactly(Detail::LoginRefused)
                .hint("it wants credentials: `basic_auth`, `authorization`, or user and password in the URL"),
            404 => Fault::new(Reason::Status, message)
                .exactly(Detail::Status(404))
                .hint("the server is up; is the path right?"),
            301 | 302 | 303 | 307 | 308 => {
                let to =
                    answer.headers.get(http::header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
                let to: String = clean(to).chars().take_while(|c| *c != '?').collect();
                Fault::new(Reason::Status, message)
                    .exactly(Detail::Status(code))
                    .hint(format!("it redirects to `{to}`"))
            }
            _ if !failing.is_empty() => Fault::new(Reason::Status, message).exactly(Detail::PartsUnhealthy),
            _ => Fault::new(Reason::Status, message).exactly(by_status(answer)),
        }
    }

    fn bad_header(&self, headers: &HeaderMap) -> Option<Fault> {
        let without = self.header_without.iter().map(|rule| (rule, false));
        let with = self.header_with.iter().map(|rule| (rule, true));
        without.chain(with).find_map(|(rule, wanted)| rule.broken(headers, wanted))
    }

    fn bad_body(&self, text: &str) -> Option<Fault> {
        if let Some(found) = self.body_without.iter().find(|pattern| pattern.is_match(text)) {
            return Some(Fault::new(Reason::Body, format!("the body matches `{found}`, which it must not")));
        }
        let missing = self.body_with.iter().find(|pattern| !pattern.is_match(text))?;
        let begins = begin(text.as_bytes());
        Some(Fault::new(Reason::Body, format!("the body does not match `{missing}`, it begins with {begins}")))
    }
}

impl HeaderRule {
    fn broken(&self, headers: &HeaderMap, wanted: bool) -> Option<Fault> {
        let name = &self.name;
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        if values.is_empty() {
            return (!self.allow_missing)
                .then(|| Fault::new(Reason::Header, format!("the answer has no header `{name}`")));
        }
        let matches = values.iter().any(|value| self.regexp.is_match(value));
        let must = if wanted { "does not match" } else { "matches" };
        (matches != wanted).then(|| {
            let shown = clean(&values.join(", "));
            Fault::new(Reason::Header, format!("header `{name}` {must} `{}`, it is `{shown}`", self.regexp))
        })
    }
}

/// What a status says exactly. A proxy writes its own page for 502 and 504, and for a limit; 503 alone tells neither.
fn by_status(answer: &Answer) -> Detail {
    let says = || String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    match answer.status.as_u16() {
        500 | 503 if GATEWAY.iter().any(|words| says().contains(words)) => Detail::UpstreamDown,
        503 if answer.headers.contains_key(http::header::RETRY_AFTER) && says().contains("limit") => {
            Detail::RateLimited
        }
        code => Detail::of_status(code),
    }
}

/// What proxies write when what is behind them does not answer, whatever the status that they make of it; the last is this stack's own page.
const GATEWAY: [&str; 8] = [
    "bad gateway",
    "gateway time",
    "upstream connect error",
    "no healthy upstream",
    "no server is available to handle this request",
    "no available server",
    "backend fetch failed",
    "the service behind does not answer",
];

/// nginx and Go say in plain HTTP that their port wants TLS.
fn plain_to_tls_port(answer: &Answer) -> Option<Fault> {
    let says = String::from_utf8_lossy(answer.body.get(..1024.min(answer.body.len()))?).to_ascii_lowercase();
    let wants_tls =
        says.contains("plain http request was sent to https port") || says.contains("http request to an https server");
    (answer.status == 400 && !answer.secure && wants_tls).then(|| {
        Fault::new(Reason::ProtocolMismatch, "the port speaks tls, the URL says http")
            .exactly(Detail::TlsUnexpected)
            .hint("write the URL as `https://…`")
    })
}

/// The beginning of a body, for people.
pub(in crate::probes) fn begin(body: &[u8]) -> String {
    let text = clean(&String::from_utf8_lossy(body.get(..400.min(body.len())).unwrap_or_default()));
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let more = if text.chars().nth(80).is_some() { "…" } else { "" };
    format!("`{}{more}`", text.chars().take(80).collect::<String>())
}
