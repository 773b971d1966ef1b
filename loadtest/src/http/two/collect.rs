//! The answer as it comes: head and body, no more of each than the caps allow.

use super::super::HttpVersion;
use super::super::TransportError;
use super::super::fields::Fields;
use super::super::reply::keep;
use super::super::wire::{Answer, Broken};
use super::broken::broken;
use crate::limits;
use h2::{Reason, RecvStream};
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// What has come of an answer.
pub(super) struct Collected {
    pub(super) status: u16,
    fields: Fields,
    body: Vec<u8>,
}

impl Collected {
    /// Of a head. Its fields become lines as in HTTP/1.1, which is what journeys look at; no value holds a line's end, for h2
    /// takes none.
    pub(super) fn new(head: &http::response::Parts) -> Result<Self, TransportError> {
        if head.headers.len() > limits::HEAD_FIELDS {
            return Err(TransportError::HeadTooLarge(limits::HEAD_BYTES));
        }
        let mut lines = Vec::new();
        for (name, value) in &head.headers {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                lines.extend_from_slice(part);
            }
        }
        Ok(Self { status: head.status.as_u16(), fields: Fields::new(&lines), body: Vec::new() })
    }

    /// Takes what has come of the body; ready at its end.
    pub(super) fn poll(
        &mut self,
        stream: &mut RecvStream,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        loop {
            match ready!(stream.poll_data(cx)) {
                // With trailers this comes when they have come too; nobody looks at them.
                None => return Poll::Ready(Ok(())),
                Some(Ok(bytes)) => {
                    keep(&mut self.body, &bytes, most).map_err(answered)?;
                    stream.flow_control().release_capacity(bytes.len()).map_err(|error| during(&error))?;
                }
                // Its answer is whole, and it wants no more of the request (RFC 9113, 8.1).
                Some(Err(error)) if said_enough(&error) && self.has_its_length() => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(during(&error))),
            }
        }
    }

    /// Whether the body has the length that the head announced, if it did.
    fn has_its_length(&self) -> bool {
        self.fields.get("content-length").is_none_or(|length| length == self.body.len().to_string().as_bytes())
    }

    /// Bytes of body that have come.
    pub(super) const fn length(&self) -> usize {
        self.body.len()
    }

    pub(super) fn into_answer(self, first_byte: Instant, end: Instant) -> Answer {
        let Self { status, fields, body, .. } = self;
        Answer { version: HttpVersion::Http2, status, fields, body: body.into(), first_byte, end, switched: Vec::new() }
    }
}

fn said_enough(error: &h2::Error) -> bool {
    error.is_reset() && error.is_remote() && error.reason() == Some(Reason::NO_ERROR)
}

/// Something of the answer has come, so the peer has seen the request.
fn during(error: &h2::Error) -> Broken {
    answered(broken(error, false).error)
}

const fn answered(error: TransportError) -> Broken {
    Broken { error, unanswered: false }
}
