//! Owns how a JSON body is read: media type, size, syntax, each with its own refusal.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    error::{ApiError, FieldProblem},
    limits,
};

/// A JSON body, with its digest for the comparison of retries.
#[derive(Debug)]
pub struct JsonBody {
    /// What it says.
    pub value: Value,
    /// SHA-256 of the bytes, in hex.
    pub fingerprint: String,
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::UnsupportedMedia("application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(limits::MAX_BODY_BYTES),
            _ => ApiError::Malformed("it ended early".to_owned()),
        })?;
        let value = serde_json::from_slice(&bytes).map_err(|error| ApiError::Malformed(error.to_string()))?;
        Ok(Self { value, fingerprint: sha256_hex(&bytes) })
    }
}

impl JsonBody {
    /// The text fields of these names, or all that are missing.
    pub fn texts<const N: usize>(&self, names: [&str; N]) -> Result<[&str; N], ApiError> {
        let problems: Vec<_> = names
            .iter()
            .filter(|name| self.text(name).is_none())
            .map(|name| FieldProblem::new(name, "is required and must be a string"))
            .collect();
        if problems.is_empty() {
            Ok(names.map(|name| self.text(name).unwrap_or_default()))
        } else {
            Err(ApiError::Invalid(problems))
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.value.get(name).and_then(Value::as_str)
    }
}

/// The digest in the form in which it is stored and shown.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    async fn read(media_type: &str, body: &'static str) -> Result<JsonBody, String> {
        let request =
            Request::builder().header(header::CONTENT_TYPE, media_type).body(Body::from(body)).expect("builds");
        JsonBody::from_request(request, &()).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn broken_json_is_refused_with_line_and_column() {
        let error = read("application/json", "{\n  \"a\": }").await.expect_err("refused");
        assert_eq!(error, "the body cannot be read: expected value at line 2 column 8");
    }

    #[tokio::test]
    async fn a_deeply_nested_body_is_refused_and_not_recursed_into() {
        let body: &'static str = "[".repeat(10_000).leak();
        assert!(read("application/json", body).await.expect_err("refused").contains("recursion limit"));
    }

    #[tokio::test]
    async fn only_json_is_taken_for_json() {
        assert!(read("application/json; charset=utf-8", "1").await.is_ok());
        assert_eq!(read("text/plain", "1").await.expect_err("refused"), "the body must be `application/json`");
    }

    #[test]
    fn digests_are_lower_case_hex() {
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
