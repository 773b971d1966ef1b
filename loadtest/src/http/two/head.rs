//! A request's head as HTTP/2 has it (RFC 9113, 8.2 and 8.3): `Host` becomes `:authority`, and what frames an HTTP/1.1
//! message or speaks of its connection is left out. Pure.

use super::super::prepared::Prepared;
use super::super::sent::has_token;
use super::super::{Request, TransportError};
use http::header::{CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING};
use http::{HeaderValue, Uri, Version};

/// Fields that speak of an HTTP/1.1 connection: no HTTP/2 request has them.
const OF_THE_CONNECTION: &[&str] =
    &["connection", "host", "http2-settings", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// The head that is sent.
pub(super) fn head(request: &Request, to: &Prepared) -> Result<http::Request<()>, TransportError> {
    let uri = match request.headers.get(HOST) {
        _ if request.options.no_host => None,
        None => to.uri(&to.host),
        Some(own) => to.uri(own),
    };
    let mut headers = request.headers.clone();
    let chunked = |value: &HeaderValue| has_token(value.as_bytes(), b"chunked");
    let streamed = headers.get_all(TRANSFER_ENCODING).iter().any(chunked);
    for name in OF_THE_CONNECTION {
        headers.remove(*name);
    }
    if headers.get(TE).is_some_and(|value| value != "trailers") {
        headers.remove(TE);
    }
    // As in HTTP/1.1: a length written by hand is sent as it is, and a body sent in chunks has none.
    if !request.body.is_empty() && !streamed && !headers.contains_key(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, request.body.len().into());
    }
    let mut head = http::Request::new(());
    *head.version_mut() = Version::HTTP_2;
    *head.method_mut() = request.method.clone();
    *head.headers_mut() = headers;
    *head.uri_mut() = uri.ok_or_else(|| unsendable(request))?;
    Ok(head)
}

fn unsendable(request: &Request) -> TransportError {
    TransportError::Option(if request.options.no_host {
        "`no-header: Host` cannot go over HTTP/2: its requests name their host in any case".to_owned()
    } else {
        "the URL, or the `Host` header, cannot be written in HTTP/2".to_owned()
    })
}

impl Prepared {
    /// The URL with this authority.
    fn uri(&self, authority: &HeaderValue) -> Option<Uri> {
        let scheme = if self.https { "https" } else { "http" };
        let builder = Uri::builder().scheme(scheme).authority(authority.as_bytes());
        builder.path_and_query(self.target.as_str()).build().ok()
    }
}
