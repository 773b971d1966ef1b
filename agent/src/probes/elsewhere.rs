//! What listens on other ports of a host that refuses a check: plain data, found by `ports/`, told by `causes/`.

use super::net::Spoken;
use std::fmt;
use std::net::SocketAddr;

/// A port that is open where the check's own is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The port.
    pub port: u16,
    /// What answers there, when it tells.
    pub spoken: Option<Spoken>,
}

/// What a look at the other ports showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// Where the check expected its service.
    pub expected: SocketAddr,
    /// Whether the service listens on the check's port, on the loopback address of its own container only.
    pub loopback_only: bool,
    /// The open ports that may be the service's: nobody else's, and speaking what the check's URL says or nothing that is known.
    pub open: Vec<Open>,
}

impl fmt::Display for Open {
    /// `3000 (http uvicorn)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.spoken {
            Some(spoken) => write!(f, "{} answers {spoken}", self.port),
            None => write!(f, "{} is open", self.port),
        }
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.expected.port();
        if self.loopback_only {
            return write!(f, "port {port} is open on 127.0.0.1 only, and the check asks {}", self.expected);
        }
        write!(f, "expected port {port}, nothing listens there; ")?;
        for (index, open) in self.open.iter().enumerate() {
            write!(f, "{}{open}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
