//! Owns `/api/v1/auth/*`: logging in, logging out, asking who one is.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;

use super::Routes;
use crate::{
    app::App,
    auth::{COOKIE, Session},
    body::JsonBody,
    clock,
    error::ApiError,
    limits, reads,
    secret::Secret,
};

/// The paths.
pub fn routes() -> Routes {
    Routes::new()
        .route("/api/v1/auth/login", post(login))
        .route("/api/v1/auth/logout", post(logout))
        .route("/api/v1/auth/me", get(me))
}

async fn login(State(app): State<Arc<App>>, body: JsonBody) -> Result<Response, ApiError> {
    let [email, password] = body.texts(["email", "password"])?;
    let refused = ApiError::Unauthenticated("e-mail address or password is wrong");
    if password.chars().count() > limits::MAX_PASSWORD_CHARS {
        return Err(refused);
    }
    let account = app.database.account(email).await?;
    let stored = account.as_ref().map(|account| account.password.clone());
    let verified = app.hasher.verify(Secret::new(password), stored).await;
    let is_right = verified.map_err(|error| ApiError::internal(&error))?;
    let Some(account) = account.filter(|_| is_right) else { return Err(refused) };
    let issued = app.tokens.issue(&account.id, clock::now().timestamp()).map_err(|error| ApiError::internal(&error))?;
    let life = limits::SESSION_LIFE.as_secs();
    let answer = Json(json!({
        "token": issued.token, "csrf_token": issued.claims.csrf, "expires_in": life,
        "user_id": account.id, "role": account.role,
    }));
    with_cookie(answer, &app, &issued.token, life)
}

async fn logout(State(app): State<Arc<App>>, session: Session) -> Result<Response, ApiError> {
    reads::before_logout(&app, &session.claims).await;
    if !app.database.revoke(&session.claims.jti, session.claims.exp).await? {
        let message = "too many sessions were ended lately; try again in a minute";
        return Err(ApiError::Unavailable { code: "logout_unavailable", message });
    }
    with_cookie(StatusCode::NO_CONTENT, &app, "", 0)
}

async fn me(session: Session) -> impl IntoResponse {
    let role = if session.is_admin { "admin" } else { "member" };
    Json(json!({ "user_id": session.claims.sub, "role": role, "expires_at": session.claims.exp }))
}

/// `SameSite=Lax` keeps the cookie from most foreign requests, the CSRF token guards the rest.
fn with_cookie(answer: impl IntoResponse, app: &App, token: &str, life: u64) -> Result<Response, ApiError> {
    let secure = if app.cookie_secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={token}; Path=/; Max-Age={life}; HttpOnly; SameSite=Lax{secure}");
    let cookie = HeaderValue::from_str(&cookie).map_err(|error| ApiError::internal(&error))?;
    let no_store = HeaderValue::from_static("no-store");
    Ok(([(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, no_store)], answer).into_response())
}
