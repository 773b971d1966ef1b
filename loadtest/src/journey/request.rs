//! From a request as written to the requests that are sent: rendered once per attempt, completed once per hop.

use super::common::is_credential;
use super::entry::{Content, Entry, Pair, RequestSpec};
use super::fault::{Cause, Fault};
use super::multipart;
use super::options::Options;
use super::session::Session;
use super::source::Span;
use super::template::{Scope, Template};
use crate::http::{basic, user_of};
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// All but RFC 3986's unreserved characters: values, as curl encodes them.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Names are sent as written, as Hurl does, but for what would change the meaning of the whole.
const NAME: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'&').add(b'<').add(b'=').add(b'>');
pub(super) const WHO: &str = concat!("loadtest/", env!("CARGO_PKG_VERSION"));

/// A request rendered.
#[derive(Debug)]
pub(super) struct Rendered {
    /// The method.
    pub method: Method,
    /// The URL.
    pub url: Arc<Url>,
    /// The body; empty means none.
    pub body: Bytes,
    headers: HeaderMap,
    cookies: String,
    content_type: Option<&'static str>,
    boundary: Option<String>,
}

/// Parses an absolute URL of HTTP.
///
/// # Errors
/// In words, to follow the URL.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    if !(text.starts_with("http://") || text.starts_with("https://")) {
        return Err("does not begin with `http://` or `https://`".to_owned());
    }
    Url::parse(text).map_err(|error| format!("is not a URL: {error}"))
}

impl Rendered {
    /// Renders an entry's request.
    ///
    /// # Errors
    /// When a part cannot be rendered, or cannot be sent.
    pub(super) fn new(entry: &Entry, scope: Scope<'_>) -> Result<Self, Fault> {
        let spec = &entry.request;
        let url = match &spec.constant_url {
            Some(url) => Arc::clone(url),
            None => url(spec, scope)?,
        };
        let headers = match &spec.constant_headers {
            Some(headers) => headers.clone(),
            None => headers(spec, scope)?,
        };
        let mut rendered = Self {
            method: spec.method.clone(),
            url,
            headers,
            cookies: cookies(&spec.cookies, scope)?,
            body: Bytes::new(),
            content_type: None,
            boundary: None,
        };
        rendered.fill(&spec.content, scope)?;
        Ok(rendered)
    }

    /// A request without anything of an entry: for a file of its page.
    pub(super) fn plain(method: Method, url: Arc<Url>) -> Self {
        let (headers, body, cookies) = (HeaderMap::new(), Bytes::new(), String::new());
        Self { method, url, body, headers, cookies, content_type: None, boundary: None }
    }

    fn fill(&mut self, content: &Content, scope: Scope<'_>) -> Result<(), Fault> {
        match content {
            Content::Nothing => {}
            Content::Form(pairs) => {
                self.body = encoded(pairs, scope)?.into();
                self.content_type = Some("application/x-www-form-urlencoded");
            }
            Content::Multipart(parts) => {
                let boundary = multipart::boundary();
                self.body = multipart::write(parts, &boundary, scope)?;
                self.content_type = Some("multipart/form-data");
                self.boundary = Some(boundary);
            }
            Content::Body(body, content_type) => {
                self.body = body.bytes(scope)?;
                self.content_type = *content_type;
            }
        }
        Ok(())
    }

    /// Drops the body, as a redirect does that changes the method.
    pub(super) fn without_body(&mut self) {
        self.body = Bytes::new();
        self.content_type = None;
        self.boundary = None;
    }

    /// All headers for a request to `url`. With `trusted` off, credentials stay at home.
    ///
    /// # Errors
    /// When an option makes a header that cannot be sent.
    pub(super) fn head(
        &self,
        url: &Url,
        options: &Options,
        session: &Session,
        trusted: bool,
    ) -> Result<HeaderMap, Cause> {
        // Nothing in a header is read from a file.
        let root = Path::new("");
        let mut headers = self.headers.clone();
        for (name, value) in &options.headers {
            let (name, value) = pair(name, value)?;
            headers.append(name, value);
        }
        if !trusted {
            let away: Vec<HeaderName> = headers.keys().filter(|name| is_credential(name)).cloned().collect();
            away.iter().for_each(|name| drop(headers.remove(name)));
        }
        self.add_content_type(&mut headers)?;
        let user = options.user.clone().filter(|_| trusted).or_else(|| user_of(url));
        if let Some(user) = user {
            let mut value = sendable(&AUTHORIZATION, &basic(&user))?;
            value.set_sensitive(true);
            headers.entry(AUTHORIZATION).or_insert(value);
        }
        session.headers.add(&mut headers, session.scope(root), trusted)?;
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(WHO));
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        if options.compressed {
            headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("gzip, deflate, br"));
        }
        self.add_cookies(&mut headers, url, session, trusted)?;
        for name in &options.no_headers {
            headers.remove(name.as_str());
        }
        Ok(headers)
    }

    fn add_content_type(&self, headers: &mut HeaderMap) -> Result<(), Cause> {
        if let Some(content_type) = self.content_type {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        }
        if let (Some(boundary), Some(content_type)) = (&self.boundary, headers.get(CONTENT_TYPE)) {
            let whole = format!("{}; boundary={boundary}", String::from_utf8_lossy(content_type.as_bytes()));
            headers.insert(CONTENT_TYPE, sendable(&CONTENT_TYPE, &whole)?);
        }
        Ok(())
    }

    /// The jar's cookies, then those of the entry; a header written by hand stands beside the first and replaces the
    /// second, as in curl.
    fn add_cookies(&self, headers: &mut HeaderMap, url: &Url, session: &Session, trusted: bool) -> Result<(), Cause> {
        let own = Some(self.cookies.as_str()).filter(|own| trusted && !own.is_empty() && !headers.contains_key(COOKIE));
        let (jar, now) = (&session.cookies, Session::now());
        let kept = if trusted { jar.header(url, now) } else { jar.header_after_redirect(url, now) };
        let value = match (kept, own) {
            (None, None) => return Ok(()),
            (Some(jar), None) => jar,
            (None, Some(own)) => own.to_owned(),
            (Some(jar), Some(own)) => format!("{jar}; {own}"),
        };
        headers.append(COOKIE, sendable(&COOKIE, &value)?);
        Ok(())
    }
}

fn url(spec: &RequestSpec, scope: Scope<'_>) -> Result<Arc<Url>, Fault> {
    let text = spec.url.render(scope)?;
    let whole = with_query(&text, &encoded(&spec.query, scope)?);
    if let Some((_, url)) = spec.first_url.get().filter(|(first, _)| *first == whole) {
        return Ok(Arc::clone(url));
    }
    match parse_url(&whole) {
        Ok(url) => {
            let url = Arc::new(url);
            let _ = spec.first_url.set((whole, Arc::clone(&url)));
            Ok(url)
        }
        Err(reason) => Err(Fault::error(spec.url.span, Cause::Url { url: whole, reason: format!("it {reason}") })),
    }
}

/// The URL with further query parameters.
#[must_use]
pub(super) fn with_query(url: &str, query: &str) -> String {
    let join = match (query.is_empty(), url.ends_with('?'), url.contains('?')) {
        (true, _, _) | (false, true, _) => "",
        (false, false, true) => "&",
        (false, false, false) => "?",
    };
    format!("{url}{join}{query}")
}

/// `name=value&…`, encoded.
///
/// # Errors
/// When one cannot be rendered.
pub(super) fn encoded(pairs: &[Pair], scope: Scope<'_>) -> Result<String, Fault> {
    let mut out = String::new();
    for Pair { name, value } in pairs {
        let (name, value) = (name.render(scope)?, value.render(scope)?);
        out.push_str(if out.is_empty() { "" } else { "&" });
        out.extend(utf8_percent_encode(&name, NAME));
        out.push('=');
        out.extend(utf8_percent_encode(&value, VALUE));
    }
    Ok(out)
}

/// Headers and authorization as written.
///
/// # Errors
/// When one cannot be rendered or sent.
pub(super) fn headers(spec: &RequestSpec, scope: Scope<'_>) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::with_capacity(spec.headers.len() + 6);
    for Pair { name, value } in &spec.headers {
        let span = name.span;
        let (name, value) = pair(&name.render(scope)?, &value.render(scope)?).map_err(|c| Fault::error(span, c))?;
        headers.append(name, value);
    }
    if let Some(Pair { name, value }) = &spec.basic_auth {
        let user = format!("{}:{}", name.render(scope)?, value.render(scope)?);
        let mut value = sendable(&AUTHORIZATION, &basic(&user)).map_err(|cause| Fault::error(name.span, cause))?;
        value.set_sensitive(true);
        headers.append(AUTHORIZATION, value);
    }
    Ok(headers)
}

fn cookies(pairs: &[Pair], scope: Scope<'_>) -> Result<String, Fault> {
    let one = |Pair { name, value }: &Pair| Ok(format!("{}={}", name.render(scope)?, value.render(scope)?));
    Ok(pairs.iter().map(one).collect::<Result<Vec<_>, Fault>>()?.join("; "))
}

fn pair(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Cause> {
    let name = HeaderName::try_from(name).map_err(|_| Cause::Header(name.to_owned()))?;
    let value = sendable(&name, value)?;
    Ok((name, value))
}

/// The value is not named in the complaint: it may be a secret.
pub(super) fn sendable(name: &HeaderName, value: &str) -> Result<HeaderValue, Cause> {
    HeaderValue::from_str(value)
        .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
        .map_err(|_| Cause::Header(format!("{name}: …")))
}

/// The constant parts of a request, worked out once; what is not constant, or cannot be worked out, is left for later.
pub(super) fn prepare(spec: &mut RequestSpec, scope: Scope<'_>) {
    let is_constant = |template: &Template| template.constant().is_some();
    let all = |pairs: &[Pair]| pairs.iter().all(|pair| is_constant(&pair.name) && is_constant(&pair.value));
    if is_constant(&spec.url) && all(&spec.query) {
        spec.constant_url = url(spec, scope).ok();
    }
    if all(&spec.headers) && spec.basic_auth.as_ref().is_none_or(|pair| all(std::slice::from_ref(pair))) {
        spec.constant_headers = headers(spec, scope).ok();
    }
}

/// Where a request stands, for faults that belong to the whole of it.
#[must_use]
pub(super) const fn place(entry: &Entry) -> Span {
    entry.request.url.span
}
