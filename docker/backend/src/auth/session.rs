//! Owns the step from a request to the user behind it: a bearer token, or the session cookie plus, for unsafe methods, the
//! CSRF token. A request that carries a bearer token is judged by that alone.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use super::Claims;
use crate::{app::App, clock, error::ApiError, reads};

/// Name of the session cookie.
pub const COOKIE: &str = "session";
/// Header in which a browser's unsafe requests repeat the CSRF token.
const CSRF_HEADER: &str = "x-csrf-token";

/// A request from a user who is logged in.
#[derive(Clone, Debug)]
pub struct Session {
    /// What the token says.
    pub claims: Claims,
    /// Whether the user is an administrator now.
    pub is_admin: bool,
}

/// A request from an administrator.
#[derive(Clone, Debug)]
pub struct Admin(pub Session);

enum Credential<'a> {
    Bearer(&'a str),
    Cookie(&'a str),
}

impl FromRequestParts<Arc<App>> for Session {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let credential = credential(&parts.headers)?;
        let (Credential::Bearer(token) | Credential::Cookie(token)) = credential;
        let invalid = ApiError::Unauthenticated("the session is over or never was; log in again");
        let Some(claims) = app.tokens.read(token, clock::now().timestamp()) else { return Err(invalid) };
        if matches!(credential, Credential::Cookie(_)) && !parts.method.is_safe() {
            check_csrf(&parts.headers, &claims)?;
        }
        let role = reads::role(app, &claims).await?.ok_or(invalid)?;
        Ok(Self { claims, is_admin: role == "admin" })
    }
}

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let session = Session::from_request_parts(parts, app).await?;
        session.require_admin()?;
        Ok(Self(session))
    }
}

impl Session {
    /// Refuses anyone but an administrator.
    pub fn require_admin(&self) -> Result<(), ApiError> {
        if self.is_admin { Ok(()) } else { Err(ApiError::Forbidden("only an administrator may do this")) }
    }
}

fn credential(headers: &HeaderMap) -> Result<Credential<'_>, ApiError> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(bearer);
        return token
            .map(Credential::Bearer)
            .ok_or(ApiError::Unauthenticated("the `Authorization` header must be `Bearer` and a token"));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find_map(|(name, value)| (name == COOKIE).then_some(Credential::Cookie(value)))
        .ok_or(ApiError::Unauthenticated("log in first: `POST /api/v1/auth/login`"))
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn check_csrf(headers: &HeaderMap, claims: &Claims) -> Result<(), ApiError> {
    let given = headers.get(CSRF_HEADER).map_or(&[][..], |value| value.as_bytes());
    if equal(given, claims.csrf.as_bytes()) {
        return Ok(());
    }
    Err(ApiError::Forbidden("a change by session cookie needs the `X-CSRF-Token` header with the token from login"))
}

/// Compares in a time that depends on the lengths only.
fn equal(one: &[u8], two: &[u8]) -> bool {
    one.len() == two.len() && one.iter().zip(two).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn token(name: header::HeaderName, value: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        match credential(&headers).ok()? {
            Credential::Bearer(token) => Some(format!("bearer {token}")),
            Credential::Cookie(token) => Some(format!("cookie {token}")),
        }
    }

    #[test]
    fn credentials_are_found_where_they_belong() {
        assert_eq!(token(header::AUTHORIZATION, "Bearer abc").as_deref(), Some("bearer abc"));
        assert_eq!(token(header::AUTHORIZATION, "bearer abc").as_deref(), Some("bearer abc"));
        assert_eq!(token(header::AUTHORIZATION, "Basic abc"), None);
        assert_eq!(token(header::COOKIE, "theme=dark; session=abc").as_deref(), Some("cookie abc"));
        assert_eq!(token(header::COOKIE, "mysession=abc"), None);
    }

    #[test]
    fn csrf_tokens_are_equal_only_when_all_bytes_are() {
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd") && !equal(b"abc", b"ab") && !equal(b"", b"a"));
    }
}
