//! Reasons of failures for people. The page is open to all, so this is all it says: no address, no message.

use crate::probes::Reason;

/// A few words that fit behind the name of a check.
pub(super) const fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::Dns => "its name is not known",
        Reason::Refused => "connection refused",
        Reason::Unreachable => "no way to its address",
        Reason::Timeout => "no answer in time",
        Reason::Tls => "the TLS handshake failed",
        Reason::Certificate => "its certificate is not accepted",
        Reason::ProtocolMismatch => "something else answers",
        Reason::Auth => "the credentials were refused",
        Reason::Status => "the status is not as expected",
        Reason::Header => "a header is not as expected",
        Reason::Body => "the answer is not as expected",
        Reason::Schema => "a table or migration is missing",
        Reason::Saturated => "it is full",
        Reason::Stale => "too old, or not there yet",
        Reason::Config => "the check cannot work as configured",
        Reason::Internal => "a bug in the probe",
    }
}
