//! `/live` and `/-/healthy`: this process answers. They depend on nothing else (invariant 1).

use super::reply::{self, Reply};
use super::routes::Asked;
use http::StatusCode;

/// `/live`.
pub(super) fn page(_asked: &Asked<'_>) -> Reply {
    reply::typed(StatusCode::OK, "application/json", "{\"live\":true}\n")
}

/// `/-/healthy`.
pub(super) fn word(_asked: &Asked<'_>) -> Reply {
    reply::text(StatusCode::OK, "healthy\n")
}
