//! Name look-up, connecting and TLS, shared by all probes, each step with its phase, its readings and its closed reason.
//! It knows nothing of what is spoken afterwards, except how to tell from the first bytes what a peer speaks.
//! What must stay true: a dead resolver starves nobody who has an IP address, and a certificate is described even when refused.

mod address;
mod certificate;
pub mod facts;
mod handshake;
pub mod keys;
mod lookup;
mod sniff;
mod spoken;
mod tap;
#[cfg(test)]
pub(crate) mod test_peers;
mod tls;
mod verifier;

use crate::parser::Parser;

pub use address::{Addresses, Connected, IpProtocol, connect, connect_from, fault_of, matching};
pub use certificate::{Certificate, date};
pub use facts::{FACTS, SECURE_FACTS};
pub use handshake::{exactly, handshake};
pub use lookup::{Lookups, addresses, record};
pub use sniff::{Sniffed, explained, session, sniff, watched};
pub use spoken::{Spoken, advice, classify, has_twin};
pub use tap::Tap;
pub use tls::{Tls, TlsConfig, TlsError, TlsVersion, key_fits};

/// What reads a peer's bytes here.
pub(crate) static PARSERS: &[Parser] = &[
    Parser { name: "first_bytes", read: |bytes| drop(classify(bytes)) },
    Parser { name: "certificate", read: |bytes| drop(Certificate::read(bytes)) },
];

/// A TLS session whose first bytes were watched.
pub type TlsStream<S> = tokio_rustls::client::TlsStream<Tap<S>>;

/// A connection of either kind, with TLS or without.
pub trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for S {}

/// What all probes share of the network.
#[derive(Debug, Default)]
pub struct Net {
    /// The gate of the name look-ups.
    pub lookups: Lookups,
    /// What answered at addresses where something unexpected answered.
    pub sniffed: Sniffed,
}
