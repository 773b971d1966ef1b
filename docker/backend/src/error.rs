//! Owns the one shape of every refusal: `{"error":{"code","message",…}}` with its status. A cause that a client must not see
//! (an SQL error, say) goes to the log and never into the answer.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use thiserror::Error;

use crate::db::DbError;

/// One field of a body that cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The field's name.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl FieldProblem {
    /// A problem of one field.
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

/// Everything the API refuses with. The text is the message that the client reads.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The body is not JSON, or not the multipart that it says.
    #[error("the body cannot be read: {0}")]
    Malformed(String),
    /// A header or the query is wrong.
    #[error("{0}")]
    BadRequest(String),
    /// No session, or not a valid one.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// A session, but not the right one.
    #[error("{0}")]
    Forbidden(&'static str),
    /// No such thing.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The path exists, the method does not.
    #[error("this path does not take that method; the `Allow` header lists those it takes")]
    MethodNotAllowed,
    /// The request contradicts what is there.
    #[error("{message}")]
    Conflict {
        /// The stable name of the contradiction.
        code: &'static str,
        /// What contradicts what.
        message: String,
    },
    /// `If-Match` names another version than the current one.
    #[error("the entity has changed since: it is now at version {0}")]
    Stale(i64),
    /// More bytes than allowed.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// A body of another media type than the endpoint takes.
    #[error("the body must be `{0}`")]
    UnsupportedMedia(&'static str),
    /// The body is readable and makes no sense: all its problems.
    #[error("{} cannot be accepted", count(.0.len()))]
    Invalid(Vec<FieldProblem>),
    /// Temporarily unable; the client may come again.
    #[error("{message}")]
    Unavailable {
        /// The stable name of what is missing.
        code: &'static str,
        /// What is missing.
        message: &'static str,
    },
    /// The answer took longer than the deadline.
    #[error("the request took longer than {0} s")]
    Timeout(u64),
    /// The error-rate fault struck.
    #[error("an injected fault: see `GET /faults`")]
    Injected,
    /// Our mistake; the cause is logged.
    #[error("something went wrong on our side; the log has the cause")]
    Internal,
}

fn count(fields: usize) -> String {
    if fields == 1 { "1 field".to_owned() } else { format!("{fields} fields") }
}

impl ApiError {
    /// Logs the cause of a failure that is ours and gives the answer that hides it.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(error = %cause, "a request failed for an internal reason");
        Self::Internal
    }

    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed_body"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Conflict { code, .. } => (StatusCode::CONFLICT, code),
            Self::Stale(_) => (StatusCode::PRECONDITION_FAILED, "stale_version"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::UnsupportedMedia(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields"),
            Self::Unavailable { code, .. } => (StatusCode::SERVICE_UNAVAILABLE, code),
            Self::Timeout(_) => (StatusCode::GATEWAY_TIMEOUT, "timeout"),
            Self::Injected => (StatusCode::INTERNAL_SERVER_ERROR, "injected_fault"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Busy => Self::Unavailable {
                code: "database_busy",
                message: "no database connection became free in time; try again shortly",
            },
            DbError::Gone(cause) => {
                tracing::warn!(error = %cause, "the database cannot be reached");
                Self::Unavailable {
                    code: "database_unavailable",
                    message: "the database cannot be reached; try again shortly",
                }
            }
            DbError::Nul => Self::BadRequest("no text may hold a NUL character".to_owned()),
            DbError::Duplicate => Self::Conflict {
                code: "duplicate",
                message: "another entity has the same unique value, such as the e-mail address".to_owned(),
            },
            other => Self::internal(&other),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        let mut error = json!({ "code": code, "message": self.to_string() });
        if let (Self::Invalid(problems), Some(object)) = (&self, error.as_object_mut()) {
            object.insert("fields".to_owned(), json!(problems));
        }
        let mut response = (status, Json(json!({ "error": error }))).into_response();
        if let Self::Unavailable { .. } = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Self::Unauthenticated(_) = self {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
