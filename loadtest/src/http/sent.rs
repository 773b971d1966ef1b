//! A request as bytes. Adds what the wire needs and nothing else: `Host`, and the length of a body that is not empty.

use super::prepared::Prepared;
use super::{Protocol, Request};
use crate::limits;
use http::{HeaderValue, Method, header};

/// What of a request decides how its answer is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// `HEAD`: the answer has no body, whatever its fields say.
    pub(super) head: bool,
    /// `CONNECT`: an answer of success has none either.
    pub(super) connect: bool,
    /// The request itself says that the connection ends with it.
    pub(super) closes: bool,
    /// Largest body.
    pub(super) most_body: usize,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        let close = |value: &HeaderValue| has_token(value.as_bytes(), b"close");
        Self {
            head: request.method == Method::HEAD,
            connect: request.method == Method::CONNECT,
            closes: request.headers.get_all(header::CONNECTION).iter().any(close),
            most_body: request.options.most_body.unwrap_or(limits::BODY_BYTES),
        }
    }
}

/// Whether a list of tokens, as `Connection` has it, names this one.
pub(super) fn has_token(list: &[u8], token: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
}

/// Writes the whole request, body included.
pub(super) fn write(out: &mut Vec<u8>, request: &Request, to: &Prepared) {
    let headers = &request.headers;
    out.extend_from_slice(request.method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(to.target.as_bytes());
    let old = request.options.protocol == Protocol::Http10;
    out.extend_from_slice(if old { b" HTTP/1.0\r\n" } else { b" HTTP/1.1\r\n" });
    if !request.options.no_host && !headers.contains_key(header::HOST) {
        field(out, b"host", to.host.as_bytes());
    }
    let chunked = |value: &HeaderValue| has_token(value.as_bytes(), b"chunked");
    let chunked = !request.body.is_empty() && headers.get_all(header::TRANSFER_ENCODING).iter().any(chunked);
    for (name, value) in headers {
        // Without a body there is nothing to be encoded, and a server would wait for it.
        if !(request.body.is_empty() && name == header::TRANSFER_ENCODING) {
            field(out, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    if request.body.is_empty() {
        out.extend_from_slice(b"\r\n");
    } else if chunked {
        out.extend_from_slice(format!("\r\n{:x}\r\n", request.body.len()).as_bytes());
        out.extend_from_slice(&request.body);
        out.extend_from_slice(b"\r\n0\r\n\r\n");
    } else {
        // A length written by hand is sent as it is, as curl does: a journey may want to see what a server makes of it.
        if !headers.contains_key(header::CONTENT_LENGTH) {
            field(out, b"content-length", request.body.len().to_string().as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&request.body);
    }
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::super::RequestOptions;
    use super::*;
    use std::sync::Arc;

    fn check(method: &str, fields: &[(&'static str, &str)], body: &'static str, no_host: bool) -> String {
        let url: Arc<url::Url> = Arc::new("http://a.example:81/p?q=1#f".parse().unwrap());
        let request = Request {
            method: method.parse().unwrap(),
            url: Arc::clone(&url),
            headers: fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
            body: body.into(),
            options: Arc::new(RequestOptions { no_host, ..RequestOptions::default() }),
        };
        let mut out = Vec::new();
        write(&mut out, &request, &super::super::prepared::Prepareds::default().get(&url).unwrap());
        String::from_utf8(out).unwrap().replace("\r\n", "|")
    }

    #[test]
    fn a_request_is_written_with_what_the_wire_needs_and_nothing_else() {
        insta::assert_snapshot!(check("GET", &[], "", false), @"GET /p?q=1 HTTP/1.1|host: a.example:81||");
        insta::assert_snapshot!(check("GET", &[], "", true), @"GET /p?q=1 HTTP/1.1||");
        insta::assert_snapshot!(check("GET", &[("host", "b"), ("x", "1")], "", false), @"GET /p?q=1 HTTP/1.1|host: b|x: 1||");
        insta::assert_snapshot!(check("POST", &[("x", "1"), ("y", "2")], "hi", false),
            @"POST /p?q=1 HTTP/1.1|host: a.example:81|x: 1|y: 2|content-length: 2||hi");
        insta::assert_snapshot!(check("POST", &[("content-length", "9")], "hi", false),
            @"POST /p?q=1 HTTP/1.1|host: a.example:81|content-length: 9||hi");
        insta::assert_snapshot!(check("PUT", &[("transfer-encoding", "chunked")], "0123456789abcdef", false),
            @"PUT /p?q=1 HTTP/1.1|host: a.example:81|transfer-encoding: chunked||10|0123456789abcdef|0||");
        insta::assert_snapshot!(check("PUT", &[("transfer-encoding", "chunked")], "", false),
            @"PUT /p?q=1 HTTP/1.1|host: a.example:81||");
    }
}
