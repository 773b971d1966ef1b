//! The table of causes. The rows stand beside the code that finds them.

use super::{Kind, failing, measured};

/// All causes that can be named. A new one is one row.
pub static KINDS: &[&Kind] = &[
    &failing::WRONG_PORT,
    &failing::WRONG_PROTOCOL,
    &failing::LOOPBACK_ONLY,
    &failing::NOT_LISTENING,
    &failing::HOST_UNREACHABLE,
    &failing::CONNECT_TIMEOUT,
    &failing::NO_ANSWER,
    &failing::SLOW_ANSWER,
    &failing::DNS_UNKNOWN,
    &failing::DNS_DEAD_ADDRESS,
    &failing::TLS_HANDSHAKE,
    &failing::TLS_MISSING,
    &failing::TLS_UNEXPECTED,
    &failing::CERTIFICATE_EXPIRED,
    &failing::CERTIFICATE_NOT_YET_VALID,
    &failing::CERTIFICATE_WRONG_HOST,
    &failing::CERTIFICATE_UNKNOWN_ISSUER,
    &measured::CERTIFICATE_NEAR_EXPIRY,
    &failing::AUTHENTICATION_REFUSED,
    &failing::PERMISSION_MISSING,
    &failing::DATABASE_MISSING,
    &failing::SCHEMA_MISSING,
    &failing::MIGRATION_BEHIND,
    &failing::DEPENDENCY_NOT_READY,
    &measured::HALF_STARTED,
    &failing::UNEXPECTED_STATUS,
    &failing::UNEXPECTED_ANSWER,
    &failing::UPSTREAM_DOWN,
    &failing::RATE_LIMITED,
    &failing::CONFIG_DRIFT,
    &failing::CHECK_MISCONFIGURED,
];
