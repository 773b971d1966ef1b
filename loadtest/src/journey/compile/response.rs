//! Responses: what is expected, captured and asserted.

use super::{Compiler, request, span, text};
use crate::http::HttpVersion;
use crate::journey::entry::{Assert, Capture, ResponseSpec};
use crate::journey::source::Span;
use hurl_core::ast::{self, SectionValue, StatusValue, VersionValue};

impl Compiler {
    pub(super) fn response(&mut self, response: &ast::Response) -> Option<ResponseSpec> {
        let version = self.version(&response.version);
        let body = response.body.as_ref().map(|body| self.body(body));
        let (mut captures, mut asserts) = (vec![], vec![]);
        for section in &response.sections {
            match &section.value {
                SectionValue::Captures(list) => captures.extend(list.iter().map(|capture| self.capture(capture))),
                SectionValue::Asserts(list) => asserts.extend(list.iter().map(|assert| self.assert(assert))),
                // The parser lets these stand below a request only.
                SectionValue::QueryParams(..)
                | SectionValue::BasicAuth(_)
                | SectionValue::FormParams(..)
                | SectionValue::MultipartFormData(..)
                | SectionValue::Cookies(_)
                | SectionValue::Options(_) => {}
            }
        }
        Some(ResponseSpec {
            version: version?,
            status: match response.status.value {
                StatusValue::Any => None,
                StatusValue::Specific(status) => Some((span(response.status.source_info), status)),
            },
            captures: captures.into_iter().collect::<Option<_>>()?,
            headers: response.headers.iter().map(request::pair).collect(),
            body: match body {
                Some(body) => Some(body?.0),
                None => None,
            },
            asserts: asserts.into_iter().collect::<Option<_>>()?,
        })
    }

    /// The outer `None` is a refusal, the inner one any version.
    #[expect(clippy::option_option, reason = "refused, or any, or one: three different answers")]
    fn version(&mut self, version: &ast::Version) -> Option<Option<(Span, HttpVersion)>> {
        let at = span(version.source_info);
        match version.value {
            VersionValue::Version1 => Some(Some((at, HttpVersion::Http10))),
            VersionValue::Version11 => Some(Some((at, HttpVersion::Http11))),
            VersionValue::Version2 => Some(Some((at, HttpVersion::Http2))),
            VersionValue::Version3 => self.no_http(at, "HTTP/3"),
            VersionValue::VersionAny => Some(None),
        }
    }

    fn capture(&mut self, capture: &ast::Capture) -> Option<Capture> {
        let probe = self.probe(&capture.query, &capture.filters)?;
        Some(Capture { name: text::template(&capture.name), probe, redact: capture.redacted })
    }

    fn assert(&mut self, assert: &ast::Assert) -> Option<Assert> {
        let probe = self.probe(&assert.query, &assert.filters);
        let predicate = self.predicate(&assert.predicate);
        Some(Assert { probe: probe?, predicate: predicate? })
    }
}
