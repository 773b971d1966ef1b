//! Owns the paths: which exist, and what lies around all of them.

use std::sync::Arc;

use axum::{Router, extract::DefaultBodyLimit, middleware::from_fn_with_state};

use crate::{api, app::App, entities::ENTITIES, error::ApiError, limits, middleware};

/// The whole service as one router.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .merge(api::pages::routes())
        .merge(api::health::routes())
        .merge(api::metrics::routes())
        .merge(api::login::routes())
        .merge(api::files::routes())
        .merge(api::recommendations::routes())
        .merge(api::admin::routes())
        .merge(api::websocket::routes());
    for entity in &ENTITIES {
        router = router.merge(api::records::routes(entity));
    }
    if app.faults.is_some() {
        router = router.merge(api::faults::routes());
    }
    router
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .fallback(async || ApiError::NotFound("path"))
        .layer(DefaultBodyLimit::max(limits::MAX_BODY_BYTES))
        .layer(from_fn_with_state(app.clone(), middleware::guard))
        .layer(from_fn_with_state(app.clone(), middleware::observe))
        .with_state(app)
}
