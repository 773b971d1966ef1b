//! What a check's measurements tell, whether it succeeds or not: parts that the service itself calls unhealthy, a certificate that
//! ends soon.

use super::{Find, Found, Kind, settled};
use crate::limits;
use crate::probes::{Detail, facts};
use crate::snapshot::CheckView;
use crate::units::Span;
use std::time::Duration;

pub(super) static HALF_STARTED: Kind = Kind {
    name: "half_started",
    summary: "the port is open and the service's own health page names a part of it that does not work",
    fix: "see why the named part does not work: its address, its credentials, its schema",
    find: Find::InCheck(half_started),
};

pub(super) static CERTIFICATE_NEAR_EXPIRY: Kind = Kind {
    name: "certificate_near_expiry",
    summary: "a certificate ends within 14 days, or sooner than the check's `expires_after` allows",
    fix: "does its renewal work, and does the server load the new file?",
    find: Find::InCheck(near_expiry),
};

fn half_started(check: &CheckView) -> Option<Found> {
    let parts: Vec<&str> = check.calls_unhealthy().collect();
    let fault = settled(check);
    let says = fault.is_some_and(|fault| fault.detail == Some(Detail::PartsUnhealthy));
    let works = check.last.as_ref().is_some_and(|last| last.outcome.ok());
    if !says && (parts.is_empty() || !works) {
        return None;
    }
    let evidence = match fault {
        Some(fault) if parts.is_empty() => fault.message.clone(),
        _ => format!("it answers and calls unhealthy: {}", parts.join(", ")),
    };
    Some(Found { evidence, tentative: !says, ..Found::default() })
}

fn near_expiry(check: &CheckView) -> Option<Found> {
    let fault = settled(check);
    let said = fault.filter(|fault| fault.detail == Some(Detail::CertificateNearExpiry));
    if let Some(fault) = said {
        return Some(Found { evidence: fault.message.clone(), fix: fault.hint.clone(), ..Found::default() });
    }
    let left = check.last.as_ref()?.outcome.value(&facts::CERTIFICATE_EXPIRES_IN_SECONDS)?;
    let left = Duration::try_from_secs_f64(left).ok().filter(|left| *left < limits::CERTIFICATE_NEAR)?;
    (fault.is_none() && !left.is_zero())
        .then(|| Found { evidence: format!("the certificate ends in {}", Span(left)), ..Found::default() })
}
