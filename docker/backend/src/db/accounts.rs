//! Owns the SQL of logging in and out.

use super::{Database, DbError};
use crate::limits;

/// What a login needs of a user.
#[derive(Debug, sqlx::FromRow)]
pub struct Account {
    /// The user's id.
    pub id: String,
    /// `member` or `admin`.
    pub role: String,
    /// The password's hash, in PHC form.
    pub password: String,
}

/// What every request with a token asks.
#[derive(Debug, sqlx::FromRow)]
pub struct Standing {
    /// The user's role as it is now, not as it was at login.
    pub role: String,
    /// 1 when the token has logged out.
    revocations: i64,
}

impl Standing {
    /// Whether the token has logged out.
    pub fn is_revoked(&self) -> bool {
        self.revocations > 0
    }
}

impl Database {
    /// The account with this e-mail address.
    pub async fn account(&self, email: &str) -> Result<Option<Account>, DbError> {
        let sql = self.engine.sql("SELECT id, role, password FROM users WHERE email = ?");
        Ok(sqlx::query_as(sql).bind(email).fetch_optional(&mut *self.readers.lease().await?).await?)
    }

    /// How a user and a token stand now; `None` when the user is gone. One look-up by two primary keys, so a deleted user,
    /// a changed role and a logout all take effect with the next request.
    pub async fn standing(&self, user_id: &str, token_id: &str) -> Result<Option<Standing>, DbError> {
        let sql = self.engine.sql(
            "SELECT role, (SELECT count(*) FROM revoked_tokens WHERE id = ?) AS revocations FROM users WHERE id = ?",
        );
        let query = sqlx::query_as(sql).bind(token_id).bind(user_id);
        Ok(query.fetch_optional(&mut *self.readers.lease().await?).await?)
    }

    /// Revokes a token until it expires anyway. `false` when the list is full: about so, as several may be added at once.
    pub async fn revoke(&self, token_id: &str, expires_at: i64) -> Result<bool, DbError> {
        let mut lease = self.writer.lease().await?;
        let revoked: i64 = sqlx::query_scalar("SELECT count(*) FROM revoked_tokens").fetch_one(&mut *lease).await?;
        if revoked >= limits::MAX_REVOKED_TOKENS {
            return Ok(false);
        }
        let again = self.engine.upsert("id", &["expires_at"]);
        let sql = self.engine.sql(&format!("INSERT INTO revoked_tokens (id, expires_at) VALUES (?, ?) {again}"));
        sqlx::query(sql).bind(token_id).bind(expires_at).execute(&mut *lease).await?;
        Ok(true)
    }

    /// Tokens on the list.
    pub async fn revoked_tokens(&self) -> Result<i64, DbError> {
        let query = sqlx::query_scalar("SELECT count(*) FROM revoked_tokens");
        Ok(query.fetch_one(&mut *self.readers.lease().await?).await?)
    }

    /// Changes a user's role. `false` when there is no such user.
    pub async fn set_role(&self, user_id: &str, role: &str, now: &str) -> Result<bool, DbError> {
        let sql = self.engine.sql("UPDATE users SET role = ?, updated_at = ?, version = version + 1 WHERE id = ?");
        let query = sqlx::query(sql).bind(role).bind(now).bind(user_id);
        Ok(query.execute(&mut *self.writer.lease().await?).await?.rows_affected() == 1)
    }
}
