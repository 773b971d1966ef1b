-- One table an entity, every one with the same five bookkeeping columns, as in `../sqlite`; for MySQL 8 and MariaDB 10.5 or later.
-- Everything is compared byte by byte (utf8mb4_bin), as on the other databases: the usual collation would take `A` for `a`.
-- A text in a key has a length, and a foreign key stands in a line of its own, for MySQL reads over one beside the column.
CREATE TABLE users (
    id VARCHAR(36) PRIMARY KEY, version BIGINT NOT NULL, created_at VARCHAR(32) NOT NULL, updated_at VARCHAR(32) NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    email VARCHAR(254) NOT NULL UNIQUE, name VARCHAR(200) NOT NULL, role VARCHAR(20) NOT NULL, password VARCHAR(255) NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE assets (
    id VARCHAR(36) PRIMARY KEY, version BIGINT NOT NULL, created_at VARCHAR(32) NOT NULL, updated_at VARCHAR(32) NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    name VARCHAR(200) NOT NULL, category VARCHAR(20) NOT NULL, criticality BIGINT NOT NULL, owner VARCHAR(200), description TEXT
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE risks (
    id VARCHAR(36) PRIMARY KEY, version BIGINT NOT NULL, created_at VARCHAR(32) NOT NULL, updated_at VARCHAR(32) NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    title VARCHAR(200) NOT NULL, asset_id VARCHAR(36),
    likelihood BIGINT NOT NULL, impact BIGINT NOT NULL, status VARCHAR(20) NOT NULL, description TEXT,
    FOREIGN KEY (asset_id) REFERENCES assets (id) ON DELETE SET NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE assessments (
    id VARCHAR(36) PRIMARY KEY, version BIGINT NOT NULL, created_at VARCHAR(32) NOT NULL, updated_at VARCHAR(32) NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    title VARCHAR(200) NOT NULL, risk_id VARCHAR(36),
    assessor VARCHAR(200) NOT NULL, outcome VARCHAR(20) NOT NULL, score BIGINT, assessed_on VARCHAR(10),
    FOREIGN KEY (risk_id) REFERENCES risks (id) ON DELETE SET NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE tasks (
    id VARCHAR(36) PRIMARY KEY, version BIGINT NOT NULL, created_at VARCHAR(32) NOT NULL, updated_at VARCHAR(32) NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    title VARCHAR(200) NOT NULL, risk_id VARCHAR(36),
    status VARCHAR(20) NOT NULL, priority VARCHAR(20) NOT NULL, assignee VARCHAR(200), due_on VARCHAR(10),
    FOREIGN KEY (risk_id) REFERENCES risks (id) ON DELETE SET NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE evidence (
    id VARCHAR(36) PRIMARY KEY, version BIGINT NOT NULL, created_at VARCHAR(32) NOT NULL, updated_at VARCHAR(32) NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    title VARCHAR(200) NOT NULL, assessment_id VARCHAR(36), form VARCHAR(20) NOT NULL, notes TEXT,
    FOREIGN KEY (assessment_id) REFERENCES assessments (id) ON DELETE SET NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE reports (
    id VARCHAR(36) PRIMARY KEY, version BIGINT NOT NULL, created_at VARCHAR(32) NOT NULL, updated_at VARCHAR(32) NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    title VARCHAR(200) NOT NULL, period_start VARCHAR(10) NOT NULL, period_end VARCHAR(10) NOT NULL, status VARCHAR(20) NOT NULL, summary TEXT
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Lists are read newest first, a page at a time.
CREATE INDEX users_by_age ON users (created_at, id);
CREATE INDEX assets_by_age ON assets (created_at, id);
CREATE INDEX risks_by_age ON risks (created_at, id);
CREATE INDEX assessments_by_age ON assessments (created_at, id);
CREATE INDEX tasks_by_age ON tasks (created_at, id);
CREATE INDEX evidence_by_age ON evidence (created_at, id);
CREATE INDEX reports_by_age ON reports (created_at, id);

-- The file of a piece of evidence, at most one each, small enough (`limits::MAX_UPLOAD_BYTES`) to live beside it.
CREATE TABLE evidence_files (
    evidence_id VARCHAR(36) PRIMARY KEY,
    name VARCHAR(200) NOT NULL, media_type VARCHAR(100) NOT NULL, sha256 VARCHAR(64) NOT NULL, content MEDIUMBLOB NOT NULL,
    FOREIGN KEY (evidence_id) REFERENCES evidence (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Tokens that logged out before they expired. Rows leave when the token would have expired anyway.
CREATE TABLE revoked_tokens (id VARCHAR(36) PRIMARY KEY, expires_at BIGINT NOT NULL)
    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

-- What a create with an `Idempotency-Key` answered, so that its retry is answered the same.
CREATE TABLE idempotency_keys (
    user_id VARCHAR(36) NOT NULL, entity VARCHAR(20) NOT NULL, client_key VARCHAR(128) NOT NULL,
    fingerprint VARCHAR(64) NOT NULL, answer MEDIUMTEXT NOT NULL, expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, entity, client_key)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
