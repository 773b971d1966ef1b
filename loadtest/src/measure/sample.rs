//! One finished (or given-up) request.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Why a request counts as an error: a closed set, for it becomes a key of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// The name is unknown.
    Dns,
    /// Nothing listens, or no route.
    Connect,
    /// TLS or certificate.
    Tls,
    /// No answer in time; also a request still hanging when the run ended, with its age as a lower bound.
    Timeout,
    /// The connection broke while the answer was awaited or read.
    Broken,
    /// The answer is no HTTP, or is larger than the cap.
    Protocol,
    /// The status is not the expected one.
    Status,
    /// Another assert of the journey failed.
    Assert,
    /// A capture or template of the journey could not be worked out.
    Journey,
    /// The target refused who asks (401) or what he asks for (403), where the journey expected another status.
    Auth,
    /// The target turned the request away for coming too often (429), where the journey expected another status.
    Limited,
    /// What was read back is not what was written or sent: a checksum, or an equality with a variable, failed.
    Data,
}

impl Failure {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 12] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Broken,
        Self::Protocol,
        Self::Status,
        Self::Assert,
        Self::Journey,
        Self::Auth,
        Self::Limited,
        Self::Data,
    ];

    /// Whether the target gave no usable answer at all, as against one that was not liked.
    #[must_use]
    pub const fn is_silence(self) -> bool {
        matches!(self, Self::Dns | Self::Connect | Self::Tls | Self::Timeout | Self::Broken)
    }

    /// The word for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Protocol => "protocol",
            Self::Status => "status",
            Self::Assert => "assert",
            Self::Journey => "journey",
            Self::Auth => "auth",
            Self::Limited => "limited",
            Self::Data => "data",
        }
    }
}

/// One request as measured.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Index of the request's name in the plan's list of names.
    pub name: usize,
    /// Index of the stage in which it was due.
    pub stage: usize,
    /// From the due time (or the start, where there is no pace) to the last byte of the body.
    pub latency: Duration,
    /// HTTP status; 0 when there was no answer.
    pub status: u16,
    /// Bytes of body received.
    pub bytes: u64,
    /// Whether the answer came over HTTP/2.
    pub http2: bool,
    /// Why it counts as an error.
    pub failure: Option<Failure>,
}
