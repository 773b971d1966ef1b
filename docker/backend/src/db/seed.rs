//! Owns the rows that a fresh demo starts with: an administrator, demo users, and a few assets and risks to look at.

use serde_json::json;
use uuid::Uuid;

use super::{
    Database, DbError,
    pool::Work,
    records::{Birth, insert},
};
use crate::{
    config::ADMIN_EMAIL,
    entities::{self, Purpose},
};

const SEED_AUTHOR: &str = "seed";
const SAMPLES: u32 = 12;

/// Hashes of the seeded passwords. Every demo user has the same password and so may share one hash: hashing it 200 times
/// would only delay the start.
#[derive(Debug)]
pub struct SeedHashes {
    /// The administrator's.
    pub admin: String,
    /// The demo users'.
    pub users: String,
}

impl Database {
    /// Makes the accounts, or gives existing ones the passwords of this start: the environment is the truth. Samples are
    /// added to an empty database only. Instances that start at once take turns: each begins with the administrator's row, and
    /// the second waits there until the first has committed.
    pub async fn seed(&self, users: u32, hashes: &SeedHashes, now: &str) -> Result<(), DbError> {
        let mut lease = self.writer.lease().await?;
        let mut work = lease.begin().await?;
        put_account(&mut work, (ADMIN_EMAIL, "admin"), &hashes.admin, now).await?;
        for number in 1..=users {
            let email = format!("user{number}@example.org");
            put_account(&mut work, (&email, "member"), &hashes.users, now).await?;
        }
        let assets: i64 = sqlx::query_scalar("SELECT count(*) FROM assets").fetch_one(&mut *work.connection).await?;
        if assets == 0 {
            put_samples(&mut work, now).await?;
        }
        work.commit().await
    }
}

async fn put_account(work: &mut Work<'_>, (email, role): (&str, &str), hash: &str, now: &str) -> Result<(), DbError> {
    let name = email.split('@').next().unwrap_or(email);
    let again = work.engine.upsert("email", &["password"]);
    let sql = work.engine.sql(&format!(
        "INSERT INTO users (id, version, created_at, updated_at, created_by, email, name, role, password) \
         VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?) {again}"
    ));
    let query = sqlx::query(sql).bind(Uuid::new_v4().to_string()).bind(now).bind(now).bind(SEED_AUTHOR);
    query.bind(email).bind(name).bind(role).bind(hash).execute(&mut *work.connection).await?;
    Ok(())
}

async fn put_samples(work: &mut Work<'_>, now: &str) -> Result<(), DbError> {
    for number in 1..=SAMPLES {
        let asset = Uuid::new_v4().to_string();
        let body =
            json!({ "name": format!("Sample server {number}"), "category": "server", "criticality": number % 5 + 1 });
        put_sample(work, "assets", (&asset, &body), now).await?;
        let body = json!({
            "title": format!("Sample risk {number}"), "asset_id": asset, "status": "open",
            "likelihood": number % 5 + 1, "impact": number % 4 + 1,
        });
        put_sample(work, "risks", (&Uuid::new_v4().to_string(), &body), now).await?;
    }
    Ok(())
}

async fn put_sample(
    work: &mut Work<'_>,
    name: &str,
    (id, body): (&str, &serde_json::Value),
    now: &str,
) -> Result<(), DbError> {
    let entity = entities::named(name).ok_or(sqlx::Error::RowNotFound)?;
    // A sample goes the way of every other body; one that is not valid is left out and a test notices.
    let Ok(draft) = entity.check(body, Purpose::Create) else { return Ok(()) };
    insert(work, entity, &draft, &Birth { id, author: SEED_AUTHOR, now }).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Storage;

    #[tokio::test]
    async fn seeding_twice_adds_nothing_and_renews_the_passwords() {
        let database = Database::open(&Storage::Memory, 1, Duration::ZERO).await.expect("opens");
        for hash in ["one", "two"] {
            let hashes = SeedHashes { admin: hash.to_owned(), users: hash.to_owned() };
            database.seed(3, &hashes, "2026-01-01T00:00:00.000Z").await.expect("seeds");
        }
        let counts = database.row_counts().await.expect("counts");
        assert_eq!((counts["users"], counts["assets"], counts["risks"]), (4, 12, 12));
        let account = database.account("user3@example.org").await.expect("reads").expect("is there");
        assert_eq!((account.password.as_str(), account.role.as_str()), ("two", "member"));
    }
}
