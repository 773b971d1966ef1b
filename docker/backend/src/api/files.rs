//! Owns `/api/v1/evidence/{id}/file`: one file to a piece of evidence, in by multipart, out with its checksum.

use std::sync::Arc;

use axum::{
    Json,
    extract::{
        DefaultBodyLimit, Multipart, Path, State,
        multipart::{MultipartError, MultipartRejection},
    },
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::Routes;
use crate::{
    app::App,
    auth::Session,
    body::sha256_hex,
    db::{DbError, files::StoredFile},
    error::{ApiError, FieldProblem},
    limits,
};

const CHECKSUM: HeaderName = HeaderName::from_static("x-checksum-sha256");
const MAX_NAME_CHARS: usize = 100;
const ANY_MEDIA_TYPE: &str = "application/octet-stream";

/// The path.
pub fn routes() -> Routes {
    let most = limits::MAX_UPLOAD_BYTES + limits::MAX_MULTIPART_OVERHEAD_BYTES;
    Routes::new().route("/api/v1/evidence/{id}/file", get(download).post(upload)).layer(DefaultBodyLimit::max(most))
}

async fn upload(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
    multipart: Result<Multipart, MultipartRejection>,
) -> Result<Response, ApiError> {
    let multipart = multipart.map_err(|_| ApiError::UnsupportedMedia("multipart/form-data"))?;
    let file = read_file(multipart).await?;
    match app.database.put_file(&id, &file).await {
        Err(DbError::BrokenReference) => return Err(ApiError::NotFound("piece of evidence")),
        result => result?,
    }
    let body = json!({
        "evidence_id": id, "name": file.name, "media_type": file.media_type,
        "size": file.content.len(), "sha256": file.sha256,
    });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

async fn download(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let file = app.database.file(&id).await?.ok_or(ApiError::NotFound("file"))?;
    let tag = format!("\"{}\"", file.sha256);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    // Always an attachment: a page that somebody uploaded must not run as if it were ours.
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    let headers = [
        (header::CONTENT_TYPE, file.media_type),
        (header::CONTENT_DISPOSITION, disposition),
        (header::ETAG, tag),
        (CHECKSUM, file.sha256),
    ];
    Ok((headers, file.content).into_response())
}

async fn read_file(mut multipart: Multipart) -> Result<StoredFile, ApiError> {
    while let Some(field) = multipart.next_field().await.map_err(refusal)? {
        if field.name() != Some("file") {
            continue;
        }
        let name = clean_name(field.file_name().unwrap_or_default());
        let media_type = clean_media_type(field.content_type());
        let content = field.bytes().await.map_err(refusal)?.to_vec();
        if content.len() > limits::MAX_UPLOAD_BYTES {
            return Err(ApiError::TooLarge(limits::MAX_UPLOAD_BYTES));
        }
        return Ok(StoredFile { name, media_type, sha256: sha256_hex(&content), content });
    }
    Err(ApiError::Invalid(vec![FieldProblem::new("file", "is required: a form field of this name with the content")]))
}

fn refusal(error: MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::TooLarge(limits::MAX_UPLOAD_BYTES);
    }
    ApiError::Malformed(error.body_text())
}

/// A name that is safe in a header and in anybody's download directory.
fn clean_name(name: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let name: String = name.chars().filter(is_plain).take(MAX_NAME_CHARS).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

fn clean_media_type(given: Option<&str>) -> String {
    let is_good = |text: &&str| text.len() <= MAX_NAME_CHARS && HeaderValue::from_str(text).is_ok();
    given.filter(is_good).unwrap_or(ANY_MEDIA_TYPE).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_lose_what_could_harm() {
        assert_eq!(clean_name("report-1.pdf"), "report-1.pdf");
        assert_eq!(clean_name("../../etc/passwd"), "etcpasswd");
        assert_eq!(clean_name("a\"; x=\"b\r\n"), "axb");
        assert_eq!(clean_name("…"), "file");
        assert_eq!(clean_name(&"x".repeat(500)).len(), MAX_NAME_CHARS);
    }

    #[test]
    fn a_media_type_that_is_no_header_becomes_plain_bytes() {
        assert_eq!(clean_media_type(Some("text/plain")), "text/plain");
        assert_eq!(clean_media_type(Some("text/plain\r\nx: y")), ANY_MEDIA_TYPE);
        assert_eq!(clean_media_type(None), ANY_MEDIA_TYPE);
    }
}
