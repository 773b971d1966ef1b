//! Owns the SQL of the business job.

use super::{Database, DbError};

/// An open risk with what it threatens.
#[derive(Debug, sqlx::FromRow)]
pub struct OpenRisk {
    /// The risk's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Likelihood times impact, times the asset's criticality (1 without an asset).
    pub score: i64,
    /// The asset's name.
    pub asset: Option<String>,
    /// Tasks on it that are not done.
    pub open_tasks: i64,
}

impl Database {
    /// The open risks with the highest scores.
    pub async fn worst_risks(&self, limit: i64) -> Result<Vec<OpenRisk>, DbError> {
        let sql = "SELECT risks.id, risks.title, assets.name AS asset, \
                   likelihood * impact * coalesce(assets.criticality, 1) AS score, \
                   (SELECT count(*) FROM tasks WHERE tasks.risk_id = risks.id AND tasks.status <> 'done') AS open_tasks \
                   FROM risks LEFT JOIN assets ON assets.id = risks.asset_id \
                   WHERE risks.status = 'open' ORDER BY score DESC, risks.created_at, risks.id LIMIT ?";
        let query = sqlx::query_as(self.engine.sql(sql)).bind(limit);
        Ok(query.fetch_all(&mut *self.readers.lease().await?).await?)
    }
}
