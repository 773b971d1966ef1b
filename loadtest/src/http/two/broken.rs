//! What an error of the h2 crate means for a request. Pure.

use super::super::TransportError;
use super::super::wire::Broken;
use h2::Reason;

/// Why an exchange failed. `idle` says that the request had not left: then the peer cannot have seen it.
pub(super) fn broken(error: &h2::Error, idle: bool) -> Broken {
    Broken { error: class(error), unanswered: idle || unseen(error) }
}

/// Whether the peer says, or shows, that it has not looked at the request (RFC 9113, 8.7): refused; or above the last one that
/// it would answer before it goes, the only requests that h2 ends with the peer's GOAWAY; or the connection ended.
fn unseen(error: &h2::Error) -> bool {
    let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    error.is_io() || (error.is_remote() && (refused || error.is_go_away()))
}

fn class(error: &h2::Error) -> TransportError {
    let rule = |what: String| TransportError::Protocol(what);
    match error.reason() {
        Some(Reason::HTTP_1_1_REQUIRED) if error.is_remote() => {
            rule("the server wants HTTP/1.1 for this request (HTTP_1_1_REQUIRED)".to_owned())
        }
        // Found by ourselves: the peer breaks a rule, or one of our caps.
        Some(reason) if error.is_library() => {
            rule(format!("it breaks a rule or a cap of HTTP/2 ({error})", error = told(error, reason)))
        }
        // Nothing that a request of ours could be.
        None if !error.is_io() => rule(format!("as HTTP/2: {error}")),
        _ => TransportError::Reset,
    }
}

/// The reason's name and, of a connection's error, what h2 says of it; nothing that the peer wrote.
fn told(error: &h2::Error, reason: Reason) -> String {
    let text = error.to_string();
    let more = text.split_once(" (b\"").and_then(|(_, more)| more.strip_suffix("\")"));
    more.map_or_else(|| format!("{reason:?}"), |more| format!("{reason:?}, {}", more.replace('_', " ")))
}
