//! Owns create, read, list, update and delete of every entity. The statements are built from `entities/table.rs`, whose names
//! are ours; whatever a client sent is bound, never spliced.

use serde_json::{Map, Value as Json};
use sqlx::{AssertSqlSafe, Row, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments, sqlite::SqliteRow};

use super::{Database, DbError};
use crate::entities::{Draft, Entity, Kind, Value};

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
        let mut transaction = self.write().await?;
        if let Some(key) = key
            && let Some(earlier) = earlier_answer(&mut transaction, entity, birth, key).await?
        {
            return Ok(earlier);
        }
        insert(&mut transaction, entity, draft, birth).await?;
        let record = fetch(&mut transaction, entity, birth.id).await?.ok_or(sqlx::Error::RowNotFound)?;
        if let Some(key) = key {
            remember_answer(&mut transaction, entity, birth, key, &record).await?;
        }
        transaction.commit().await?;
        Ok(Created::New(record))
    }

    /// The row with this id.
    pub async fn read(&self, entity: &'static Entity, id: &str) -> Result<Option<Record>, DbError> {
        let sql = select_by_id(entity);
        let row = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.readers).await?;
        Ok(row.map(|row| record(entity, &row)).transpose()?)
    }

    /// A page of rows, newest first.
    pub async fn list(&self, entity: &'static Entity, limit: u32, offset: u32) -> Result<Page, DbError> {
        let mut connection = self.readers.acquire().await?;
        let sql = format!("SELECT * FROM {} ORDER BY created_at DESC, id LIMIT ? OFFSET ?", entity.name);
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(limit).bind(offset).fetch_all(&mut *connection).await?;
        let items = rows.iter().map(|row| record(entity, row)).collect::<Result<_, _>>()?;
        let sql = format!("SELECT count(*) FROM {}", entity.name);
        let total = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
        Ok(Page { items, total })
    }

    /// Replaces the fields of a row, if it is at the expected version (any, when none is expected).
    pub async fn update(
        &self,
        entity: &'static Entity,
        id: &str,
        draft: &Draft,
        (expected, now): (Option<i64>, &str),
    ) -> Result<Changed, DbError> {
        let mut transaction = self.write().await?;
        match version(&mut transaction, entity, id).await? {
            None => return Ok(Changed::Missing),
            Some(current) if expected.is_some_and(|expected| expected != current) => {
                return Ok(Changed::Stale(current));
            }
            Some(_) => {}
        }
        let columns: String = draft.columns().iter().map(|(column, _)| format!("{column} = ?, ")).collect();
        let sql = format!("UPDATE {} SET {columns}updated_at = ?, version = version + 1 WHERE id = ?", entity.name);
        let query = bind_all(sqlx::query(AssertSqlSafe(sql)), draft).bind(now).bind(id);
        query.execute(&mut *transaction).await?;
        let record = fetch(&mut transaction, entity, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        transaction.commit().await?;
        Ok(Changed::Done(record))
    }

    /// Removes a row, if it is at the expected version; `Done` holds what it was.
    pub async fn delete(&self, entity: &'static Entity, id: &str, expected: Option<i64>) -> Result<Changed, DbError> {
        let mut transaction = self.write().await?;
        let Some(record) = fetch(&mut transaction, entity, id).await? else { return Ok(Changed::Missing) };
        let current = record.get("version").and_then(Json::as_i64).unwrap_or_default();
        if expected.is_some_and(|expected| expected != current) {
            return Ok(Changed::Stale(current));
        }
        let sql = format!("DELETE FROM {} WHERE id = ?", entity.name);
        sqlx::query(AssertSqlSafe(sql)).bind(id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Changed::Done(record))
    }
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
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
    let query = sqlx::query(AssertSqlSafe(sql)).bind(birth.id.to_owned()).bind(birth.now.to_owned());
    let query = query.bind(birth.now.to_owned()).bind(birth.author.to_owned());
    bind_all(query, draft).execute(connection).await?;
    Ok(())
}

fn bind_all<'q>(query: Query<'q, Sqlite, SqliteArguments>, draft: &Draft) -> Query<'q, Sqlite, SqliteArguments> {
    draft.columns().iter().fold(query, |query, (_, value)| match value {
        Value::Null => query.bind(None::<String>),
        Value::Text(text) => query.bind(text.clone()),
        Value::Integer(number) => query.bind(*number),
    })
}

fn select_by_id(entity: &Entity) -> String {
    format!("SELECT * FROM {} WHERE id = ?", entity.name)
}

async fn fetch(
    connection: &mut SqliteConnection,
    entity: &'static Entity,
    id: &str,
) -> Result<Option<Record>, DbError> {
    let row = sqlx::query(AssertSqlSafe(select_by_id(entity))).bind(id).fetch_optional(connection).await?;
    Ok(row.map(|row| record(entity, &row)).transpose()?)
}

async fn version(connection: &mut SqliteConnection, entity: &'static Entity, id: &str) -> Result<Option<i64>, DbError> {
    let sql = format!("SELECT version FROM {} WHERE id = ?", entity.name);
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).bind(id).fetch_optional(connection).await?)
}

async fn earlier_answer(
    connection: &mut SqliteConnection,
    entity: &Entity,
    birth: &Birth<'_>,
    key: &IdempotencyKey<'_>,
) -> Result<Option<Created>, DbError> {
    let sql = "SELECT fingerprint, answer FROM idempotency_keys WHERE user_id = ? AND entity = ? AND key = ?";
    let query = sqlx::query_as::<_, (String, String)>(sql).bind(birth.author).bind(entity.name).bind(key.key);
    let Some((fingerprint, answer)) = query.fetch_optional(connection).await? else { return Ok(None) };
    if fingerprint != key.fingerprint {
        return Ok(Some(Created::KeyReused));
    }
    let record = serde_json::from_str(&answer).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Some(Created::Replayed(record)))
}

async fn remember_answer(
    connection: &mut SqliteConnection,
    entity: &Entity,
    birth: &Birth<'_>,
    key: &IdempotencyKey<'_>,
    record: &Record,
) -> Result<(), DbError> {
    let answer = serde_json::to_string(record).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let sql = "INSERT INTO idempotency_keys (user_id, entity, key, fingerprint, answer, expires_at) \
               VALUES (?, ?, ?, ?, ?, ?)";
    let query = sqlx::query(sql).bind(birth.author).bind(entity.name).bind(key.key).bind(key.fingerprint);
    query.bind(answer).bind(key.expires_at).execute(connection).await?;
    Ok(())
}

/// A row as clients see it; a password is not among the things they see.
fn record(entity: &Entity, row: &SqliteRow) -> Result<Record, sqlx::Error> {
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
    use super::*;
    use crate::{config::Storage, entities::ENTITIES};

    #[tokio::test]
    async fn the_table_of_entities_and_the_migrations_agree() {
        let database = Database::open(&Storage::Memory, 1).await.expect("opens");
        for entity in &ENTITIES {
            let sql = "SELECT name, type, \"notnull\" <> 0 FROM pragma_table_info(?) LIMIT -1 OFFSET 5";
            let columns: Vec<(String, String, bool)> =
                sqlx::query_as(sql).bind(entity.name).fetch_all(&database.readers).await.expect("reads");
            let described = entity.fields.iter().map(|field| {
                let sql_type = if matches!(field.kind, Kind::Integer(..)) { "INTEGER" } else { "TEXT" };
                (field.name.to_owned(), sql_type.to_owned(), field.required)
            });
            assert_eq!(sorted(columns), sorted(described.collect()), "{}", entity.name);
        }
    }

    fn sorted(mut columns: Vec<(String, String, bool)>) -> Vec<(String, String, bool)> {
        columns.sort();
        columns
    }
}
