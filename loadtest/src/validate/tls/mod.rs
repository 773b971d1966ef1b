//! TLS as validators look at it: hellos written by hand, the certificates and stapled answer of a handshake, and OCSP's DER.

pub(super) mod handshake;
pub(super) mod hello;
pub(super) mod ocsp;
