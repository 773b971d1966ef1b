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
    /// Whether the token has logged out.
    pub is_revoked: bool,
}

impl Database {
    /// The account with this e-mail address.
    pub async fn account(&self, email: &str) -> Result<Option<Account>, DbError> {
        let query = sqlx::query_as("SELECT id, role, password FROM users WHERE email = ?");
        Ok(query.bind(email).fetch_optional(&self.readers).await?)
    }

    /// How a user and a token stand now; `None` when the user is gone. One look-up by two primary keys, so a deleted user,
    /// a changed role and a logout all take effect with the next request.
    pub async fn standing(&self, user_id: &str, token_id: &str) -> Result<Option<Standing>, DbError> {
        let sql =
            "SELECT role, EXISTS (SELECT 1 FROM revoked_tokens WHERE id = ?) AS is_revoked FROM users WHERE id = ?";
        Ok(sqlx::query_as(sql).bind(token_id).bind(user_id).fetch_optional(&self.readers).await?)
    }

    /// Revokes a token until it expires anyway. `false` when the list is full.
    pub async fn revoke(&self, token_id: &str, expires_at: i64) -> Result<bool, DbError> {
        let sql = "INSERT INTO revoked_tokens (id, expires_at) SELECT ?, ? \
                   WHERE (SELECT count(*) FROM revoked_tokens) < ? ON CONFLICT (id) DO UPDATE SET id = excluded.id";
        let query = sqlx::query(sql).bind(token_id).bind(expires_at).bind(limits::MAX_REVOKED_TOKENS);
        Ok(query.execute(&self.writer).await?.rows_affected() == 1)
    }

    /// Tokens on the list.
    pub async fn revoked_tokens(&self) -> Result<i64, DbError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM revoked_tokens").fetch_one(&self.readers).await?)
    }

    /// Changes a user's role. `false` when there is no such user.
    pub async fn set_role(&self, user_id: &str, role: &str, now: &str) -> Result<bool, DbError> {
        let sql = "UPDATE users SET role = ?, updated_at = ?, version = version + 1 WHERE id = ?";
        let query = sqlx::query(sql).bind(role).bind(now).bind(user_id);
        Ok(query.execute(&self.writer).await?.rows_affected() == 1)
    }
}
