//! Owns `/api/v1/{users,assets,risks,assessments,tasks,evidence,reports}`: one implementation for all of them.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::Routes;
use crate::{
    app::App,
    auth::Session,
    body::JsonBody,
    clock,
    db::{
        DbError,
        records::{Birth, Changed, Created, IdempotencyKey, Record},
    },
    entities::{Draft, Entity, Kind, Purpose, Writers},
    error::{ApiError, FieldProblem},
    limits, reads,
    secret::Secret,
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

type Shared = State<Arc<App>>;
type Of = Extension<&'static Entity>;

/// The two paths of an entity.
pub fn routes(entity: &'static Entity) -> Routes {
    Routes::new()
        .route(&format!("/api/v1/{}", entity.name), get(list).post(create))
        .route(&format!("/api/v1/{}/{{id}}", entity.name), get(read).put(update).delete(delete))
        .layer(Extension(entity))
}

#[derive(Debug, Deserialize)]
struct PageQuery {
    limit: Option<u32>,
    offset: Option<u32>,
}

async fn list(
    State(app): Shared,
    Extension(entity): Of,
    _session: Session,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let expected = "`limit` and `offset` must be whole numbers, 0 or more";
    let Query(query) = query.map_err(|_| ApiError::BadRequest(expected.to_owned()))?;
    let limit = query.limit.unwrap_or(limits::DEFAULT_PAGE_ROWS).min(limits::MAX_PAGE_ROWS);
    let offset = query.offset.unwrap_or(0).min(limits::MAX_PAGE_OFFSET);
    let page = app.database.list(entity, limit, offset).await?;
    let body = json!({ "items": page.items, "total": page.total, "limit": limit, "offset": offset });
    Ok(Json(body).into_response())
}

async fn create(
    State(app): Shared,
    Extension(entity): Of,
    session: Session,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, ApiError> {
    require_writer(entity, &session)?;
    let draft = checked(&app, entity, &body, Purpose::Create).await?;
    let now = clock::now();
    let key = idempotency_key(&headers)?.map(|key| IdempotencyKey {
        key,
        fingerprint: &body.fingerprint,
        expires_at: now.timestamp().saturating_add_unsigned(limits::IDEMPOTENCY_LIFE.as_secs()),
    });
    let (id, now) = (Uuid::new_v4().to_string(), clock::stamp(now));
    let birth = Birth { id: &id, author: &session.claims.sub, now: &now };
    let created = app.database.create(entity, &draft, &birth, key.as_ref()).await;
    match created.map_err(|error| name_broken_reference(entity, error))? {
        Created::New(record) => Ok(answer_created(entity, record)),
        Created::Replayed(record) => Ok(([(REPLAYED, "true")], answer_created(entity, record)).into_response()),
        Created::KeyReused => Err(ApiError::Conflict {
            code: "idempotency_key_reused",
            message: "this `Idempotency-Key` came with another body before; use a new key".to_owned(),
        }),
    }
}

async fn read(
    State(app): Shared,
    Extension(entity): Of,
    _session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let record = reads::record(&app, entity, &id).await?.ok_or(ApiError::NotFound(entity.singular))?;
    let tag = etag(&record);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag)], Json(record)).into_response())
}

async fn update(
    State(app): Shared,
    Extension(entity): Of,
    session: Session,
    Path(id): Path<String>,
    (headers, body): (HeaderMap, JsonBody),
) -> Result<Response, ApiError> {
    require_writer(entity, &session)?;
    let expected = expected_version(&headers)?;
    let draft = checked(&app, entity, &body, Purpose::Update).await?;
    if is_self(entity, &id, &session) && draft.text("role") != Some("admin") {
        return Err(own_account("the role of"));
    }
    let now = clock::stamp(clock::now());
    reads::before_update(&app, entity, &id).await;
    let changed = app.database.update(entity, &id, &draft, (expected, &now)).await;
    let record = done(entity, changed.map_err(|error| name_broken_reference(entity, error))?)?;
    Ok(([(header::ETAG, etag(&record))], Json(record)).into_response())
}

async fn delete(
    State(app): Shared,
    Extension(entity): Of,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    require_writer(entity, &session)?;
    if is_self(entity, &id, &session) {
        return Err(own_account("the whole of"));
    }
    let expected = expected_version(&headers)?;
    reads::before_delete(&app, entity, &id).await?;
    let changed = app.database.delete(entity, &id, expected).await?;
    done(entity, changed).map(|_| StatusCode::NO_CONTENT)
}

fn require_writer(entity: &Entity, session: &Session) -> Result<(), ApiError> {
    match entity.writers {
        Writers::Members => Ok(()),
        Writers::Admins => session.require_admin(),
    }
}

/// The body as it may be stored: checked, and with a hash where a password was.
async fn checked(app: &App, entity: &'static Entity, body: &JsonBody, purpose: Purpose) -> Result<Draft, ApiError> {
    let mut draft = entity.check(&body.value, purpose).map_err(ApiError::Invalid)?;
    let secret_field = entity.fields.iter().find(|field| matches!(field.kind, Kind::Password));
    if let Some(field) = secret_field
        && let Some(password) = draft.text(field.name).map(Secret::new)
    {
        let hash = app.hasher.hash(password).await.map_err(|error| ApiError::internal(&error))?;
        draft.replace_text(field.name, hash);
    }
    Ok(draft)
}

/// An administrator who demotes or deletes the own account could leave nobody to undo it.
fn is_self(entity: &Entity, id: &str, session: &Session) -> bool {
    entity.name == "users" && session.claims.sub == id
}

fn own_account(what: &str) -> ApiError {
    ApiError::Conflict {
        code: "own_account",
        message: format!("another administrator must remove {what} your account"),
    }
}

fn done(entity: &Entity, changed: Changed) -> Result<Record, ApiError> {
    match changed {
        Changed::Done(record) => Ok(record),
        Changed::Stale(current) => Err(ApiError::Stale(current)),
        Changed::Missing => Err(ApiError::NotFound(entity.singular)),
    }
}

/// SQLite does not say which reference is broken, so every reference of the entity is named.
fn name_broken_reference(entity: &Entity, error: DbError) -> ApiError {
    let DbError::BrokenReference = error else { return error.into() };
    let problems = entity.fields.iter().filter_map(|field| match field.kind {
        Kind::Reference(singular) => {
            Some(FieldProblem::new(field.name, format!("must be the id of an existing {singular}")))
        }
        _ => None,
    });
    ApiError::Invalid(problems.collect())
}

fn answer_created(entity: &Entity, record: Record) -> Response {
    let id = record.get("id").and_then(serde_json::Value::as_str).unwrap_or_default();
    let location = format!("/api/v1/{}/{id}", entity.name);
    let headers = [(header::LOCATION, location), (header::ETAG, etag(&record))];
    (StatusCode::CREATED, headers, Json(record)).into_response()
}

/// The version in quotes: equal exactly when nothing was changed in between.
fn etag(record: &Record) -> String {
    format!("\"{}\"", record.get("version").and_then(serde_json::Value::as_i64).unwrap_or_default())
}

/// The version that `If-Match` asks for; `None` when any will do.
fn expected_version(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    let hint =
        || ApiError::BadRequest("`If-Match` must be the `ETag` of an earlier answer, quotes included".to_owned());
    version.map(Some).ok_or_else(hint)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let is_good = |key: &&str| (1..=limits::MAX_IDEMPOTENCY_KEY_BYTES).contains(&key.len());
    let most = limits::MAX_IDEMPOTENCY_KEY_BYTES;
    let hint = || ApiError::BadRequest(format!("`Idempotency-Key` must be 1 to {most} visible ASCII characters"));
    value.to_str().ok().filter(is_good).map(Some).ok_or_else(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn version(if_match: &'static str) -> Option<Option<i64>> {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(if_match))]);
        expected_version(&headers).ok()
    }

    #[test]
    fn if_match_takes_what_etag_gave() {
        assert_eq!(version("\"3\""), Some(Some(3)));
        assert_eq!(version("*"), Some(None));
        assert_eq!(version("3"), None);
        assert_eq!(version("W/\"3\""), None, "a weak tag never matches");
    }

    #[test]
    fn an_idempotency_key_is_bounded() {
        let key = |text: &str| {
            let value = HeaderValue::from_str(text).expect("a header value");
            idempotency_key(&HeaderMap::from_iter([(IDEMPOTENCY_KEY, value)])).is_ok()
        };
        assert!(key("a") && key(&"a".repeat(128)));
        assert!(!key("") && !key(&"a".repeat(129)));
    }
}
