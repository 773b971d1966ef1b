//! Owns the SQL of uploaded files.

use super::{Database, DbError};

/// The file of a piece of evidence.
#[derive(Debug, sqlx::FromRow)]
pub struct StoredFile {
    /// Name as uploaded, cleaned.
    pub name: String,
    /// Media type as uploaded.
    pub media_type: String,
    /// SHA-256 of the content in lower-case hex.
    pub sha256: String,
    /// The bytes.
    pub content: Vec<u8>,
}

impl Database {
    /// Stores the file of a piece of evidence in place of an earlier one. A missing piece is a `BrokenReference`.
    pub async fn put_file(&self, evidence_id: &str, file: &StoredFile) -> Result<(), DbError> {
        let again = self.engine.upsert("evidence_id", &["name", "media_type", "sha256", "content"]);
        let sql = self.engine.sql(&format!(
            "INSERT INTO evidence_files (evidence_id, name, media_type, sha256, content) VALUES (?, ?, ?, ?, ?) {again}"
        ));
        let query = sqlx::query(sql).bind(evidence_id).bind(&file.name).bind(&file.media_type).bind(&file.sha256);
        query.bind(&file.content).execute(&mut *self.writer.lease().await?).await?;
        Ok(())
    }

    /// The file of a piece of evidence.
    pub async fn file(&self, evidence_id: &str) -> Result<Option<StoredFile>, DbError> {
        let sql = "SELECT name, media_type, sha256, content FROM evidence_files WHERE evidence_id = ?";
        let query = sqlx::query_as(self.engine.sql(sql)).bind(evidence_id);
        Ok(query.fetch_optional(&mut *self.readers.lease().await?).await?)
    }
}
