//! `/metrics`: the format and compression that were asked for.

use super::reply::{self, Reply};
use super::routes::Asked;
use crate::metrics::negotiate;
use http::StatusCode;
use http::header::{self, HeaderName};

/// The page.
pub(super) fn page(asked: &Asked<'_>) -> Reply {
    let format = negotiate::format(&header_text(asked, header::ACCEPT));
    let gzip = negotiate::gzip(&header_text(asked, header::ACCEPT_ENCODING));
    let Some(page) = asked.app.pages.get(&asked.snapshot, asked.app.served(), format, gzip) else {
        return reply::text(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be written\n");
    };
    let reply = reply::typed(StatusCode::OK, format.content_type(), page.body);
    let reply = reply::with(reply, header::VARY, "Accept, Accept-Encoding");
    if gzip { reply::with(reply, header::CONTENT_ENCODING, "gzip") } else { reply }
}

/// Several lines of one header are one list (RFC 9110, 5.3).
fn header_text(asked: &Asked<'_>, name: HeaderName) -> String {
    let lines = asked.head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.collect::<Vec<_>>().join(",")
}
