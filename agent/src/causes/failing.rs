//! The name of a check's failure: exactly one, told from the fault's reason and detail, never from its text.
//! What must stay true: a single lost answer names nothing; what cannot be an accident (a wrong certificate, a refused login, another
//! protocol) is named at once.

mod rows;

pub(super) use rows::*;

use super::{Found, Kind};
use crate::probes::{Detail, Fault, Reason, Target};
use crate::snapshot::{CheckState, CheckView};
use std::net::IpAddr;

/// The fault of a check's last run, once its failure is settled: the check is down, it has failed twice in a row, or the fault is of a
/// kind that no accident makes.
#[must_use]
pub fn settled(check: &CheckView) -> Option<&Fault> {
    let fault = check.last.as_ref()?.outcome.fault.as_ref()?;
    (check.state == CheckState::Down || check.streak >= 2 || is_conclusive(fault)).then_some(fault)
}

/// Whether a fault cannot be an accident of one run.
fn is_conclusive(fault: &Fault) -> bool {
    use Detail as D;
    match &fault.detail {
        Some(
            D::NameUnknown
            | D::ResolverSilent
            | D::NothingListens(_)
            | D::NoRoute
            | D::ConnectTimeout
            | D::NoAnswer
            | D::TooSlow
            | D::TooManyConnections
            | D::OutOfMemory
            | D::Loading
            | D::ReplicationBroken
            | D::NotReady
            | D::Status(_)
            | D::UpstreamDown
            | D::RateLimited
            | D::PartsUnhealthy,
        ) => false,
        Some(_) => true,
        None => matches!(fault.reason, Reason::Config | Reason::Certificate),
    }
}

/// The name of a failure that is settled, with what is to be said of it. `None` also for what has rows of its own: the states of
/// datastores, backups, and certificates near their end.
pub(super) fn name(check: &CheckView) -> Option<(&'static Kind, Found)> {
    let fault = settled(check)?;
    if check.facts.kind == "file" {
        return None;
    }
    let (kind, evidence) = match &fault.detail {
        Some(detail) => exactly(check, fault, detail)?,
        None => (by_reason(check, fault.reason), None),
    };
    let evidence = evidence.unwrap_or_else(|| fault.message.clone());
    // What the probe advises fits its own message; a name that knows more has better advice.
    let fix = fault.hint.clone().filter(|_| !SURER.contains(&kind.name));
    Some((kind, Found { evidence, fix, since: check.streak_since, ..Found::default() }))
}

/// Names that rest on more than the fault.
const SURER: [&str; 4] = ["wrong_port", "loopback_only", "dependency_not_ready", "dns_dead_address"];

type Named = (&'static Kind, Option<String>);

fn exactly(check: &CheckView, fault: &Fault, detail: &Detail) -> Option<Named> {
    use Detail as D;
    let kind = match detail {
        D::NameUnknown | D::ResolverSilent => return Some(no_name(check, fault)),
        D::NothingListens(_) => return Some(refused(check, fault)),
        D::NoRoute | D::ConnectTimeout => return Some(unreached(check, fault, detail)),
        D::NotReady if is_awaited(check) => return Some(awaited(fault)),
        D::NotReady => &DEPENDENCY_NOT_READY,
        D::NoAnswer => &NO_ANSWER,
        D::TooSlow => &SLOW_ANSWER,
        D::Speaks(_) => &WRONG_PROTOCOL,
        D::TlsUnexpected => &TLS_UNEXPECTED,
        D::TlsMissing => &TLS_MISSING,
        D::CertificateExpired => &CERTIFICATE_EXPIRED,
        D::CertificateNotYetValid => &CERTIFICATE_NOT_YET_VALID,
        D::CertificateWrongHost => &CERTIFICATE_WRONG_HOST,
        D::CertificateUnknownIssuer => &CERTIFICATE_UNKNOWN_ISSUER,
        D::LoginRefused => &AUTHENTICATION_REFUSED,
        D::PermissionMissing => &PERMISSION_MISSING,
        D::DatabaseMissing => &DATABASE_MISSING,
        D::TableMissing => &SCHEMA_MISSING,
        D::MigrationBehind => &MIGRATION_BEHIND,
        D::Status(_) => &UNEXPECTED_STATUS,
        D::UpstreamDown => &UPSTREAM_DOWN,
        D::RateLimited => &RATE_LIMITED,
        D::ConfigurationRefused => &CONFIG_DRIFT,
        D::PartsUnhealthy
        | D::CertificateNearExpiry
        | D::TooManyConnections
        | D::OutOfMemory
        | D::Loading
        | D::ReadOnly
        | D::ReplicationBroken
        | D::BackupMissing
        | D::BackupStale
        | D::BackupShrunken
        | D::BackupCorrupt => return None,
    };
    Some((kind, None))
}

fn by_reason(check: &CheckView, reason: Reason) -> &'static Kind {
    match reason {
        Reason::Dns => &DNS_UNKNOWN,
        Reason::Refused if is_awaited(check) => &DEPENDENCY_NOT_READY,
        Reason::Refused => &NOT_LISTENING,
        Reason::Unreachable => &HOST_UNREACHABLE,
        Reason::Timeout => &NO_ANSWER,
        Reason::Tls | Reason::Certificate => &TLS_HANDSHAKE,
        Reason::Auth => &AUTHENTICATION_REFUSED,
        Reason::Status | Reason::Saturated => &UNEXPECTED_STATUS,
        Reason::ProtocolMismatch | Reason::Header | Reason::Body | Reason::Stale => &UNEXPECTED_ANSWER,
        Reason::Schema => &SCHEMA_MISSING,
        Reason::Config | Reason::Internal => &CHECK_MISCONFIGURED,
    }
}

/// Whether a dependency has never worked since the agent started: it is waited for.
fn is_awaited(check: &CheckView) -> bool {
    !check.facts.peer && check.last_ok_at.is_none()
}

fn awaited(fault: &Fault) -> Named {
    let evidence = format!("it has not been up since the agent's start: {}", fault.message);
    (&DEPENDENCY_NOT_READY, Some(evidence))
}

fn no_name(check: &CheckView, fault: &Fault) -> Named {
    let before = check.usual_address.map(|address| {
        let why = "in a compose network a container that does not run has no name";
        format!("{}; it was {address} when the check last succeeded ({why})", fault.message)
    });
    (&DNS_UNKNOWN, before)
}

/// Nothing listens: perhaps elsewhere, perhaps on the loopback address only, perhaps not yet.
fn refused(check: &CheckView, fault: &Fault) -> Named {
    if let Some(elsewhere) = check.elsewhere.as_deref() {
        if elsewhere.loopback_only {
            return (&LOOPBACK_ONLY, Some(elsewhere.to_string()));
        }
        if !elsewhere.open.is_empty() {
            return (&WRONG_PORT, Some(elsewhere.to_string()));
        }
    }
    if is_awaited(check) {
        return awaited(fault);
    }
    let (usual, now) = (check.usual_address, address_of(check));
    let evidence = match usual.zip(now).filter(|(usual, now)| usual != now) {
        Some((usual, now)) => format!("{}; its name was {usual} before, and is {now} now", fault.message),
        None if now.is_some_and(|now| now.is_loopback()) => fault.message.clone(),
        None => format!("{}, or it listens on the loopback address of its own container only", fault.message),
    };
    (&NOT_LISTENING, Some(evidence))
}

/// No way to an address, or no answer from it. A name that has another address than when it worked, or one that nobody on its network
/// has, is a dead entry; a firewall or a broken network otherwise.
fn unreached(check: &CheckView, fault: &Fault, detail: &Detail) -> Named {
    let (usual, now) = (check.usual_address, address_of(check));
    if let Some((usual, now)) = usual.zip(now).filter(|(usual, now)| usual != now) {
        let evidence =
            format!("its name was {usual} when the check last succeeded and is {now} now: {}", fault.message);
        return (&DNS_DEAD_ADDRESS, Some(evidence));
    }
    if *detail == Detail::ConnectTimeout {
        return (&CONNECT_TIMEOUT, None);
    }
    match named_host(check).zip(now).filter(|_| usual.is_none()) {
        Some((host, now)) => (&DNS_DEAD_ADDRESS, Some(format!("`{host}` is {now}: {}", fault.message))),
        None => (&HOST_UNREACHABLE, None),
    }
}

fn address_of(check: &CheckView) -> Option<IpAddr> {
    check.last.as_ref()?.outcome.address
}

/// The host of the check's URL, when it is a name and not an address.
fn named_host(check: &CheckView) -> Option<String> {
    let host = Target::parse(&check.facts.target).ok()?.host;
    host.parse::<IpAddr>().is_err().then_some(host)
}
