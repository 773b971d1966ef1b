//! The plan's `headers`: sent with every request of every journey.

use super::origin::Origin;
use super::raw::RawPlan;
use super::reader::Reader;
use crate::journey::{CommonHeader, CommonHeaders};
use crate::problem::Problem;
use crate::redact::{STARS, looks_secret};

/// A header of the plan.
#[derive(Clone)]
pub struct Header {
    /// Its name as written.
    pub name: String,
    /// Whether its value is hidden wherever people read.
    pub secret: bool,
    /// Where it was set.
    pub from: Origin,
    value: String,
    read: CommonHeader,
}

/// The headers of a plan, each name once.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<Header>);

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.shown())
    }
}

impl Header {
    /// The value for people.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.secret { STARS } else { &self.value }
    }
}

impl Headers {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Header> {
        self.0.iter()
    }

    /// As the journeys send them.
    #[must_use]
    pub fn common(&self) -> CommonHeaders {
        CommonHeaders::new(self.0.iter().map(|header| header.read.clone()))
    }

    /// Values that must not be shown.
    pub(super) fn secrets(&self) -> Vec<String> {
        self.0.iter().filter(|header| header.secret).flat_map(|header| hidden(&header.value)).collect()
    }
}

/// Reads the headers of the file.
pub(super) fn read(reader: &mut Reader<'_>, raw: &RawPlan) -> Headers {
    let mut headers: Vec<Header> = Vec::new();
    for (name, at) in raw.headers.iter().flatten() {
        let Some(text) = reader.text(&format!("headers.{name}"), at) else { continue };
        if headers.iter().any(|earlier| earlier.name.eq_ignore_ascii_case(name)) {
            let problem = Problem::new(format!("the header `{name}` is written twice, in different cases"));
            reader.problem(&text, problem.hint("keep one of them: names of headers have no case"));
            continue;
        }
        match CommonHeader::parse(name, &text.text) {
            Ok(read) => {
                let secret = text.secret || is_secret(name);
                headers.push(Header { name: name.clone(), secret, from: text.from, value: text.text, read });
            }
            Err(problem) => reader.problem(&text, problem),
        }
    }
    Headers(headers)
}

/// What of a secret header must not be shown: its value, and what stands behind a scheme such as `Bearer`.
pub(super) fn hidden(value: &str) -> impl Iterator<Item = String> {
    let behind = value.trim().split_once(' ').map(|(_, rest)| rest.trim().to_owned());
    [value.to_owned()].into_iter().chain(behind)
}

/// Whether the value of a header of this name is hidden wherever people read.
pub(super) fn is_secret(name: &str) -> bool {
    looks_secret(name)
        || ["authorization", "proxy-authorization", "cookie"].iter().any(|known| known.eq_ignore_ascii_case(name))
}
