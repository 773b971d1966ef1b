//! The table of causes. The rows stand beside the code that finds them.

use super::{Find, Found, Kind};
use crate::probes::Reason;
use crate::snapshot::{CheckState, CheckView};

/// All causes that can be named. A new one is one row.
pub static KINDS: &[&Kind] = &[&NOT_LISTENING, &AUTHENTICATION_REFUSED];

static NOT_LISTENING: Kind = Kind {
    name: "not_listening",
    summary: "nothing listens on the port of the check",
    fix: "start the service, or correct the port in the URL",
    find: Find::InCheck(|check| failing(check, Reason::Refused)),
};

static AUTHENTICATION_REFUSED: Kind = Kind {
    name: "authentication_refused",
    summary: "the service refuses the user or the password",
    fix: "compare user and password with those that the service was started with",
    find: Find::InCheck(|check| failing(check, Reason::Auth)),
};

/// The message of a check that is down, or has failed twice in a row, for this reason.
fn failing(check: &CheckView, reason: Reason) -> Option<Found> {
    let fault = check.last.as_ref()?.outcome.fault.as_ref()?;
    let settled = check.state == CheckState::Down || check.streak >= 2;
    (settled && fault.reason == reason).then(|| Found {
        evidence: fault.message.clone(),
        fix: fault.hint.clone(),
        ..Found::default()
    })
}
