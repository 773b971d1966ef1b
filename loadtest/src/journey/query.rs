//! Queries: what of a response a capture or an assert looks at.

use super::certificate::{self, Field};
use super::fault::{Cause, Fault};
use super::filter::Filter;
use super::pattern::{PathSource, Pattern};
use super::received::Received;
use super::set_cookie::{Attribute, SetCookie};
use super::source::Span;
use super::template::{Scope, Template};
use super::value::Value;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// A query with the filters behind it.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Where the query stands.
    pub span: Span,
    /// What is looked at.
    pub query: Query,
    /// What is made of it.
    pub filters: Vec<Filter>,
}

/// What is looked at.
#[derive(Clone, Debug)]
pub enum Query {
    /// The status code.
    Status,
    /// The version of HTTP, as `1.1`.
    Version,
    /// The URL of the last request.
    Url,
    /// A header: its value, or a list of several.
    Header(Template),
    /// A cookie that this response sets, or one of its attributes.
    Cookie(Template, Attribute),
    /// The body as text.
    Body,
    /// Nodes of a JSON body.
    JsonPath(PathSource),
    /// The first group of a match in the body.
    Regex(Pattern),
    /// A variable.
    Variable(Template),
    /// Milliseconds from the start of the request to the last byte.
    Duration,
    /// The decoded body.
    Bytes,
    /// The body as it came.
    RawBytes,
    /// The hash of the decoded body.
    Sha256,
    /// The hash of the decoded body.
    Md5,
    /// A field of the server's certificate.
    Certificate(Field),
    /// The server's address.
    Ip,
    /// The redirects that were followed.
    Redirects,
}

/// What queries look into.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Variables and time.
    pub scope: Scope<'a>,
    /// All responses of the entry, the last one last; never empty.
    pub hops: &'a [Received],
    /// Whether a single node of a JSONPath stands for itself.
    pub coerce: bool,
}

type Found<'v> = Result<Option<Cow<'v, Value>>, Fault>;

#[expect(clippy::unnecessary_wraps, reason = "the shape of every query's answer")]
const fn owned<'v>(value: Value) -> Found<'v> {
    Ok(Some(Cow::Owned(value)))
}

impl Probe {
    /// The value, if there is one.
    ///
    /// # Errors
    /// When the query or a filter cannot be worked out.
    pub fn look<'v>(&'v self, view: View<'v>) -> Found<'v> {
        let mut found = self.query.look(self.span, view)?;
        for filter in &self.filters {
            let Some(value) = found else { return Err(Fault::error(filter.span, Cause::NothingToFilter)) };
            found = filter.apply(value.as_ref(), view.scope, view.coerce)?.map(Cow::Owned);
        }
        Ok(found)
    }
}

impl Query {
    fn look<'v>(&'v self, span: Span, view: View<'v>) -> Found<'v> {
        let Some(last) = view.hops.last() else { return Ok(None) };
        let at = |cause| Fault::error(span, cause);
        match self {
            Self::Status => owned(Value::count(last.response.status.into())),
            Self::Version => owned(Value::text(last.response.version.number())),
            Self::Url => owned(Value::text(last.url.as_str())),
            Self::Header(name) => Ok(header(last, &name.render(view.scope)?).map(Cow::Owned)),
            Self::Cookie(name, attribute) => cookie(last, name, *attribute, view.scope),
            Self::Body => last.text().map(|text| Some(Cow::Borrowed(text))).map_err(at),
            Self::JsonPath(path) => path.find(view.scope, last.json().map_err(at)?, view.coerce),
            Self::Regex(pattern) => match last.text().map_err(at)? {
                Value::String(text) => Ok(pattern.capture(view.scope, text)?.map(Cow::Owned)),
                _ => Ok(None),
            },
            Self::Variable(name) => Ok(view.scope.variables.get(&name.render(view.scope)?).map(Cow::Borrowed)),
            Self::Duration => {
                owned(Value::count(usize::try_from(last.response.timings.total.as_millis()).unwrap_or(usize::MAX)))
            }
            Self::Bytes => owned(Value::Bytes(last.bytes().map_err(at)?.clone())),
            Self::RawBytes => owned(Value::Bytes(last.response.body.clone())),
            Self::Sha256 => owned(Value::Bytes(Sha256::digest(last.bytes().map_err(at)?).to_vec().into())),
            Self::Md5 => owned(Value::Bytes(Md5::digest(last.bytes().map_err(at)?).to_vec().into())),
            Self::Certificate(field) => {
                let certificate = last.response.certificate.as_ref();
                Ok(certificate.and_then(|der| certificate::look(der, *field)).map(Cow::Owned))
            }
            Self::Ip => Ok(last.response.address.map(|address| Cow::Owned(Value::text(address.to_string())))),
            Self::Redirects => owned(redirects(view.hops)),
        }
    }
}

fn header(response: &Received, name: &str) -> Option<Value> {
    let mut values: Vec<Value> = response.headers(name).map(|value| Value::text(value.into_owned())).collect();
    match values.len() {
        0 => None,
        1 => values.pop(),
        _ => Some(Value::List(values)),
    }
}

fn cookie<'v>(response: &Received, name: &Template, attribute: Attribute, scope: Scope<'_>) -> Found<'v> {
    let wanted = name.render(scope)?;
    let headers: Vec<_> = response.headers("set-cookie").collect();
    let cookie = headers.iter().filter_map(|header| SetCookie::parse(header)).find(|cookie| cookie.name == wanted);
    let Some(cookie) = cookie else { return Ok(None) };
    let value = cookie.look(attribute).map_err(|date| Fault::error(name.span, Cause::Date(date)))?;
    Ok(value.map(Cow::Owned))
}

fn redirects(hops: &[Received]) -> Value {
    let pairs = hops.iter().zip(hops.iter().skip(1));
    let redirect = |(from, to): (&Received, &Received)| Value::Redirect {
        status: from.response.status,
        location: to.url.to_string(),
    };
    Value::List(pairs.map(redirect).collect())
}
