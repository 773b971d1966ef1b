//! Owns create, read, list, update and delete of every entity. The statements are built from `entities/table.rs`, whose names
//! are ours; whatever a client sent is bound, never spliced.

use serde_json::{Map, Value as Json};
use sqlx::{
    Any, Row,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{Database, DbError, pool::Work};
use crate::{
    entities::{Draft, Entity, Kind, Value},
    limits,
};

/// An entity as clients see it.
pub type Record = Map<String, Json>;

/// A new row's bookkeeping.
#[derive(Clone, Debug)]
pub struct Birth<'a> {
    /// The id, chosen by the caller.
    pub id: &'a str,
    /// Who makes it.
    pub author: &'a str,
    /// When.
    pub now: &'a str,
}

/// What makes a create repeatable.
#[derive(Clone, Debug)]
pub struct IdempotencyKey<'a> {
    /// The client's key.
    pub key: &'a str,
    /// A digest of the body: the same key with another body is a client's mistake.
    pub fingerprint: &'a str,
    /// Unix seconds after which the key is forgotten.
    pub expires_at: i64,
}

/// What a create did.
#[derive(Debug)]
pub enum Created {
    /// A new row.
    New(Record),
    /// Nothing: the key had made this row before.
    Replayed(Record),
    /// Nothing: the key belongs to another body.
    KeyReused,
}

/// What a change did.
#[derive(Debug)]
pub enum Changed {
    /// The row as it is now.
    Done(Record),
    /// Nothing: the row is at this other version.
    Stale(i64),
    /// Nothing: no such row.
    Missing,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// The rows, newest first.
    pub items: Vec<Record>,
    /// Rows there are in all.
    pub total: i64,
}

impl Database {
    /// Stores a new row; with a key, at most once.
    pub async fn create(
        &self,
        entity: &'static Entity,
        draft: &Draft,
        birth: &Birth<'_>,
        key: Option<&IdempotencyKey<'_>>,
    ) -> Result<Created, DbError> {
        let created = self.create_once(entity, draft, birth, key).await;
        let (Err(DbError::Duplicate), Some(key)) = (&created, key) else { return created };
        // Perhaps the same request, sent twice at once: the other one was faster and has committed by now.
        let mut lease = self.writer.lease().await?;
        let mut work = lease.begin().await?;
        earlier_answer(&mut work, entity, birth, key).await?.map_or(created, Ok)
    }

    async fn create_once(
        &self,
        entity: &'static Entity,
        draft: &Draft,
        birth: &Birth<'_>,
        key: Option<&IdempotencyKey<'_>>,
    ) -> Result<Created, DbError> {
        let mut lease = self.writer.lease().await?;
        let mut work = lease.begin().await?;
        if let Some(key) = key
            && let Some(earlier) = earlier_answer(&mut work, entity, birth, key).await?
        {
            return Ok(earlier);
        }
        insert(&mut work, entity, draft, birth).await?;
        let record = fetch(&mut work, entity, birth.id).await?.ok_or(sqlx::Error::RowNotFound)?;
        if let Some(key) = key {
            remember_answer(&mut work, entity, birth, key, &record).await?;
        }
        work.commit().await?;
        Ok(Created::New(record))
    }

    /// The row with this id.
    pub async fn read(&self, entity: &'static Entity, id: &str) -> Result<Option<Record>, DbError> {
        let sql = self.engine.sql(&select_by_id(entity));
        let row = sqlx::query(sql).bind(id).fetch_optional(&mut *self.readers.lease().await?).await?;
        Ok(row.map(|row| record(entity, &row)).transpose()?)
    }

    /// A page of rows, newest first.
    pub async fn list(&self, entity: &'static Entity, limit: u32, offset: u32) -> Result<Page, DbError> {
        let mut lease = self.readers.lease().await?;
        let sql = format!("SELECT * FROM {} ORDER BY created_at DESC, id LIMIT ? OFFSET ?", entity.name);
        let query = sqlx::query(self.engine.sql(&sql)).bind(i64::from(limit)).bind(i64::from(offset));
        let rows = query.fetch_all(&mut *lease).await?;
        let items = rows.iter().map(|row| record(entity, row)).collect::<Result<_, _>>()?;
        let sql = format!("SELECT count(*) FROM {}", entity.name);
        let total = sqlx::query_scalar(self.engine.sql(&sql)).fetch_one(&mut *lease).await?;
        Ok(Page { items, total })
    }

    /// Ids of the rows whose `column` refers to this one, `limits::MAX_REFERRING` at most.
    pub async fn referring(&self, entity: &Entity, column: &str, id: &str) -> Result<Vec<String>, DbError> {
        let sql = self.engine.sql(&format!("SELECT id FROM {} WHERE {column} = ? LIMIT ?", entity.name));
        let query = sqlx::query_scalar(sql).bind(id).bind(limits::MAX_REFERRING);
        Ok(query.fetch_all(&mut *self.readers.lease().await?).await?)
    }

    /// Replaces the fields of a row, if it is at the expected version (any, when none is expected).
    pub async fn update(
        &self,
        entity: &'static Entity,
        id: &str,
        draft: &Draft,
        (expected, now): (Option<i64>, &str),
    ) -> Result<Changed, DbError> {
        let mut lease = self.writer.lease().await?;
        let mut work = lease.begin().await?;
        match locked_version(&mut work, entity, id).await? {
            None => return Ok(Changed::Missing),
            Some(current) if expected.is_some_and(|expected| expected != current) => {
                return Ok(Changed::Stale(current));
            }
            Some(_) => {}
        }
        let columns: String = draft.columns().iter().map(|(column, _)| format!("{column} = ?, ")).collect();
        let sql = format!("UPDATE {} SET {columns}updated_at = ?, version = version + 1 WHERE id = ?", entity.name);
        let query = bind_all(sqlx::query(self.engine.sql(&sql)), draft).bind(now).bind(id);
        query.execute(&mut *work.connection).await?;
        let record = fetch(&mut work, entity, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        work.commit().await?;
        Ok(Changed::Done(record))
    }

    /// Removes a row, if it is at the expected version; `Done` holds what it was.
    pub async fn delete(&self, entity: &'static Entity, id: &str, expected: Option<i64>) -> Result<Changed, DbError> {
        let mut lease = self.writer.lease().await?;
        let mut work = lease.begin().await?;
        match locked_version(&mut work, entity, id).await? {
            None => return Ok(Changed::Missing),
            Some(current) if expected.is_some_and(|expected| expected != current) => {
                return Ok(Changed::Stale(current));
            }
            Some(_) => {}
        }
        let record = fetch(&mut work, entity, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        let sql = self.engine.sql(&format!("DELETE FROM {} WHERE id = ?", entity.name));
        sqlx::query(sql).bind(id).execute(&mut *work.connection).await?;
        work.commit().await?;
        Ok(Changed::Done(record))
    }
}

pub(super) async fn insert(
    work: &mut Work<'_>,
    entity: &'static Entity,
    draft: &Draft,
    birth: &Birth<'_>,
) -> Result<(), DbError> {
    let columns: String = draft.columns().iter().map(|(column, _)| format!(", {column}")).collect();
    let marks = ", ?".repeat(draft.columns().len());
    let sql = format!(
        "INSERT INTO {} (id, created_at, updated_at, created_by, version{columns}) VALUES (?, ?, ?, ?, 1{marks})",
        entity.name
    );
    let query = sqlx::query(work.engine.sql(&sql)).bind(birth.id.to_owned()).bind(birth.now.to_owned());
    let query = query.bind(birth.now.to_owned()).bind(birth.author.to_owned());
    bind_all(query, draft).execute(&mut *work.connection).await?;
    Ok(())
}

fn bind_all<'q>(query: Query<'q, Any, AnyArguments>, draft: &Draft) -> Query<'q, Any, AnyArguments> {
    draft.columns().iter().fold(query, |query, (_, value)| match value {
        Value::NoText => query.bind(None::<String>),
        Value::NoInteger => query.bind(None::<i64>),
        Value::Text(text) => query.bind(text.clone()),
        Value::Integer(number) => query.bind(*number),
    })
}

fn select_by_id(entity: &Entity) -> String {
    format!("SELECT * FROM {} WHERE id = ?", entity.name)
}

async fn fetch(work: &mut Work<'_>, entity: &'static Entity, id: &str) -> Result<Option<Record>, DbError> {
    let sql = work.engine.sql(&select_by_id(entity));
    let row = sqlx::query(sql).bind(id).fetch_optional(&mut *work.connection).await?;
    Ok(row.map(|row| record(entity, &row)).transpose()?)
}

/// The row's version, which nobody else changes until the transaction ends.
async fn locked_version(work: &mut Work<'_>, entity: &'static Entity, id: &str) -> Result<Option<i64>, DbError> {
    let sql = format!("SELECT version FROM {} WHERE id = ?{}", entity.name, work.engine.for_update());
    Ok(sqlx::query_scalar(work.engine.sql(&sql)).bind(id).fetch_optional(&mut *work.connection).await?)
}

async fn earlier_answer(
    work: &mut Work<'_>,
    entity: &Entity,
    birth: &Birth<'_>,
    key: &IdempotencyKey<'_>,
) -> Result<Option<Created>, DbError> {
    let sql = "SELECT fingerprint, answer FROM idempotency_keys WHERE user_id = ? AND entity = ? AND client_key = ?";
    let query = sqlx::query_as::<_, (String, String)>(work.engine.sql(sql));
    let query = query.bind(birth.author).bind(entity.name).bind(key.key);
    let Some((fingerprint, answer)) = query.fetch_optional(&mut *work.connection).await? else { return Ok(None) };
    if fingerprint != key.fingerprint {
        return Ok(Some(Created::KeyReused));
    }
    let record = serde_json::from_str(&answer).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Some(Created::Replayed(record)))
}

async fn remember_answer(
    work: &mut Work<'_>,
    entity: &Entity,
    birth: &Birth<'_>,
    key: &IdempotencyKey<'_>,
    record: &Record,
) -> Result<(), DbError> {
    let answer = serde_json::to_string(record).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let sql = "INSERT INTO idempotency_keys (user_id, entity, client_key, fingerprint, answer, expires_at) \
               VALUES (?, ?, ?, ?, ?, ?)";
    let query = sqlx::query(work.engine.sql(sql)).bind(birth.author).bind(entity.name).bind(key.key);
    query.bind(key.fingerprint).bind(answer).bind(key.expires_at).execute(&mut *work.connection).await?;
    Ok(())
}

/// A row as clients see it; a password is not among the things they see.
fn record(entity: &Entity, row: &AnyRow) -> Result<Record, sqlx::Error> {
    let mut record = Map::new();
    for column in ["id", "created_at", "updated_at", "created_by"] {
        record.insert(column.to_owned(), row.try_get::<String, _>(column)?.into());
    }
    record.insert("version".to_owned(), row.try_get::<i64, _>("version")?.into());
    for field in entity.fields {
        let value: Json = match field.kind {
            Kind::Password => continue,
            Kind::Integer(..) => row.try_get::<Option<i64>, _>(field.name)?.into(),
            _ => row.try_get::<Option<String>, _>(field.name)?.into(),
        };
        record.insert(field.name.to_owned(), value);
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{config::Storage, entities::ENTITIES};

    #[tokio::test]
    async fn the_table_of_entities_and_the_migrations_agree() {
        let database = Database::open(&Storage::Memory, 1, Duration::ZERO).await.expect("opens");
        for entity in &ENTITIES {
            let sql = "SELECT name, type, \"notnull\" FROM pragma_table_info(?) LIMIT -1 OFFSET 5";
            let mut lease = database.readers.lease().await.expect("a connection");
            let columns: Vec<(String, String, i64)> =
                sqlx::query_as(sql).bind(entity.name).fetch_all(&mut *lease).await.expect("reads");
            let described = entity.fields.iter().map(|field| {
                let sql_type = if matches!(field.kind, Kind::Integer(..)) { "INTEGER" } else { "TEXT" };
                (field.name.to_owned(), sql_type.to_owned(), i64::from(field.required))
            });
            assert_eq!(sorted(columns), sorted(described.collect()), "{}", entity.name);
        }
    }

    fn sorted(mut columns: Vec<(String, String, i64)>) -> Vec<(String, String, i64)> {
        columns.sort();
        columns
    }
}
