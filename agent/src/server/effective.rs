//! `/config`: the plan in force. It was made without secrets when the agent started.

use super::reply::{self, Reply};
use super::routes::Asked;
use http::StatusCode;

/// The page.
pub(super) fn page(asked: &Asked<'_>) -> Reply {
    reply::json(StatusCode::OK, &asked.app.effective)
}
