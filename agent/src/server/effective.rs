//! `/config`: the plan in force. It was made without secrets when it was read.

use super::reply::{self, Reply};
use super::routes::Asked;
use http::StatusCode;

/// The page.
pub(super) fn page(asked: &Asked<'_>) -> Reply {
    reply::json(StatusCode::OK, &asked.app.in_force().effective)
}
