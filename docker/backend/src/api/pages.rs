//! Owns the small page at `/` and the three files that it links: what a browser loads, and so what a page load measures.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::Routes;
use crate::body::sha256_hex;

struct Asset {
    path: &'static str,
    media_type: &'static str,
    caching: &'static str,
    content: &'static str,
}

const DAY: &str = "public, max-age=86400";
const POLICY: &str = "default-src 'self'; frame-ancestors 'none'";

static ASSETS: [Asset; 4] = [
    Asset {
        path: "/",
        media_type: "text/html; charset=utf-8",
        caching: "no-cache",
        content: include_str!("../../static/index.html"),
    },
    Asset {
        path: "/static/style.css",
        media_type: "text/css; charset=utf-8",
        caching: DAY,
        content: include_str!("../../static/style.css"),
    },
    Asset {
        path: "/static/page.js",
        media_type: "text/javascript; charset=utf-8",
        caching: DAY,
        content: include_str!("../../static/page.js"),
    },
    Asset {
        path: "/static/logo.svg",
        media_type: "image/svg+xml",
        caching: DAY,
        content: include_str!("../../static/logo.svg"),
    },
];

/// The paths.
pub fn routes() -> Routes {
    ASSETS.iter().fold(Routes::new(), |routes, asset| {
        let tag = format!("\"{}\"", sha256_hex(asset.content.as_bytes()));
        routes.route(asset.path, get(async move |headers: HeaderMap| serve(asset, &tag, &headers)))
    })
}

fn serve(asset: &Asset, tag: &str, headers: &HeaderMap) -> Response {
    let common: [(HeaderName, Option<HeaderValue>); 3] = [
        (header::ETAG, HeaderValue::from_str(tag).ok()),
        (header::CACHE_CONTROL, Some(HeaderValue::from_static(asset.caching))),
        (header::CONTENT_SECURITY_POLICY, Some(HeaderValue::from_static(POLICY))),
    ];
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, asset.media_type)], asset.content).into_response()
    };
    response.headers_mut().extend(common.into_iter().filter_map(|(name, value)| Some((name, value?))));
    response
}
