//! Reading one answer from the bytes as they come: head, framing, body (RFC 9112, 6 and 7). Pure: it neither reads nor
//! asks the time. httparse says what a well-formed head is.

use super::chunks::Chunks;
use super::fields::{Fields, all};
use super::sent::{Asked, has_token};
use super::{HttpVersion, TransportError};
use crate::limits;
use bytes::Bytes;
use std::mem::MaybeUninit;

/// The head of an answer.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) version: HttpVersion,
    pub(super) status: u16,
    pub(super) fields: Fields,
    /// Whether the peer keeps the connection.
    keeps: bool,
}

/// How the end of the body is known.
#[derive(Debug)]
enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunks),
    /// The body ends with the connection.
    Close,
}

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Reply {
    asked: Asked,
    /// What has come of a head that is not whole.
    partial: Vec<u8>,
    /// Bytes of heads so far, interim answers included.
    head_bytes: usize,
    head: Option<(Head, Framing)>,
    body: Vec<u8>,
    /// The peer sent more than its answer.
    surplus: bool,
    /// What came behind a 101: the first bytes of the other protocol.
    switched: Vec<u8>,
}

/// An answer that is whole.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) head: Head,
    pub(super) body: Bytes,
    /// Whether the connection may carry another request.
    pub(super) keeps: bool,
    /// What came behind a 101.
    pub(super) switched: Vec<u8>,
}

impl Reply {
    pub(super) const fn new(asked: Asked) -> Self {
        Self {
            asked,
            partial: Vec::new(),
            head_bytes: 0,
            head: None,
            body: Vec::new(),
            surplus: false,
            switched: Vec::new(),
        }
    }

    /// Whether the head is whole.
    pub(super) const fn has_head(&self) -> bool {
        self.head.is_some()
    }

    /// Takes the next bytes; whether the answer is whole.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<bool, TransportError> {
        if self.head.is_some() {
            return self.take_body(bytes);
        }
        if self.partial.is_empty() {
            return self.take_head(bytes);
        }
        // Until a line ends, a head that was not whole is not whole.
        self.partial.extend_from_slice(bytes);
        if bytes.contains(&b'\n') || self.partial.len() > limits::HEAD_BYTES {
            let partial = std::mem::take(&mut self.partial);
            return self.take_head(&partial);
        }
        Ok(false)
    }

    /// The connection has ended: the whole answer, if that is how it ends.
    pub(super) fn end(&mut self) -> Result<(), TransportError> {
        match &self.head {
            Some((_, Framing::Close)) => Ok(()),
            _ => Err(TransportError::Reset),
        }
    }

    /// The answer, once it is whole.
    pub(super) fn into_whole(self) -> Option<Whole> {
        let (head, framing) = self.head?;
        let framed = !matches!(framing, Framing::Close) && head.status != 101;
        let keeps = head.keeps && framed && !self.surplus && !self.asked.closes && !self.asked.connect;
        Some(Whole { head, body: self.body.into(), keeps, switched: self.switched })
    }

    fn take_head(&mut self, mut bytes: &[u8]) -> Result<bool, TransportError> {
        loop {
            let Some((head, length, lines)) = parse(bytes)? else {
                if self.head_bytes + bytes.len() > limits::HEAD_BYTES {
                    return Err(TransportError::HeadTooLarge(limits::HEAD_BYTES));
                }
                self.partial = bytes.to_vec();
                return Ok(false);
            };
            self.head_bytes += length;
            if self.head_bytes > limits::HEAD_BYTES {
                return Err(TransportError::HeadTooLarge(limits::HEAD_BYTES));
            }
            bytes = bytes.get(length..).unwrap_or_default();
            // Interim answers announce the real one; 101 is the last that this connection gives.
            if !(100..=199).contains(&head.status) || head.status == 101 {
                let framing = framing(&head, lines, self.asked)?;
                self.head = Some((head, framing));
                return self.take_body(bytes);
            }
        }
    }

    fn take_body(&mut self, bytes: &[u8]) -> Result<bool, TransportError> {
        let most = self.asked.most_body;
        let Self { head: Some((head, framing)), body, surplus, switched, .. } = self else { return Ok(false) };
        let whole = match framing {
            Framing::Length(left) => {
                let here = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                keep(body, bytes.get(..here).unwrap_or_default(), most)?;
                *left -= here as u64;
                *surplus = here < bytes.len();
                if head.status == 101 {
                    switched.extend_from_slice(bytes);
                }
                *left == 0
            }
            Framing::Chunked(chunks) => {
                *surplus = chunks.take(bytes, |part| keep(body, part, most))? < bytes.len();
                chunks.is_done()
            }
            Framing::Close => {
                keep(body, bytes, most)?;
                false
            }
        };
        Ok(whole)
    }
}

/// Adds to a body what it may hold.
pub(super) fn keep(body: &mut Vec<u8>, bytes: &[u8], most: usize) -> Result<(), TransportError> {
    if body.len() + bytes.len() > most {
        return Err(TransportError::BodyTooLarge(most));
    }
    body.extend_from_slice(bytes);
    Ok(())
}

/// A head, its length, and its lines of fields.
type Parsed<'a> = (Head, usize, &'a [u8]);

/// Reads a head; none while it is not whole.
fn parse(bytes: &[u8]) -> Result<Option<Parsed<'_>>, TransportError> {
    let mut fields = [const { MaybeUninit::uninit() }; limits::HEAD_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let parsed =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, &mut fields);
    let length = match parsed {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(TransportError::HeadTooLarge(limits::HEAD_BYTES)),
        Err(error) => return Err(TransportError::Protocol(error.to_string())),
    };
    let (Some(minor), Some(status)) = (response.version, response.code) else { return Ok(None) };
    let version = if minor == 0 { HttpVersion::Http10 } else { HttpVersion::Http11 };
    // The names are slices of `bytes`: the first one begins the lines of fields.
    let first = response.headers.first().map_or(length, |field| field.name.as_ptr().addr() - bytes.as_ptr().addr());
    let lines = bytes.get(first..length).unwrap_or_default();
    let connection = |token: &[u8]| all(lines, "connection").any(|value| has_token(value, token));
    let keeps = if minor == 0 { connection(b"keep-alive") } else { !connection(b"close") };
    Ok(Some((Head { version, status, fields: Fields::new(lines), keeps }, length, lines)))
}

/// RFC 9112, 6.3.
fn framing(head: &Head, lines: &[u8], asked: Asked) -> Result<Framing, TransportError> {
    let bad = |what: &str| TransportError::Protocol(what.to_owned());
    let success = (200..=299).contains(&head.status);
    if asked.head || matches!(head.status, 101 | 204 | 304) || (asked.connect && success) {
        return Ok(Framing::Length(0));
    }
    if let Some(last) = all(lines, "transfer-encoding").last() {
        if head.version == HttpVersion::Http10 {
            return Err(bad("a transfer encoding in HTTP/1.0"));
        }
        let last = last.rsplit(|byte| *byte == b',').next().unwrap_or_default().trim_ascii();
        let chunked = last.eq_ignore_ascii_case(b"chunked");
        return Ok(if chunked { Framing::Chunked(Chunks::default()) } else { Framing::Close });
    }
    let mut lengths = all(lines, "content-length").flat_map(|value| value.split(|byte| *byte == b','));
    let Some(first) = lengths.next().map(number) else { return Ok(Framing::Close) };
    match first.filter(|first| lengths.all(|other| number(other) == Some(*first))) {
        Some(length) => Ok(Framing::Length(length)),
        None => Err(bad("an invalid content length")),
    }
}

/// Digits alone: `parse` would take a sign too.
fn number(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
