-- One table an entity, every one with the same five bookkeeping columns, as in `../sqlite`. Whole numbers are BIGINT, because the
-- service binds 64 bits. Ids and times are compared byte by byte (COLLATE "C"): they sort as text, whatever the server's locale.
CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY, version BIGINT NOT NULL, created_at TEXT COLLATE "C" NOT NULL, updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL, password TEXT NOT NULL
);
CREATE TABLE assets (
    id TEXT COLLATE "C" PRIMARY KEY, version BIGINT NOT NULL, created_at TEXT COLLATE "C" NOT NULL, updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    name TEXT NOT NULL, category TEXT NOT NULL, criticality BIGINT NOT NULL, owner TEXT, description TEXT
);
CREATE TABLE risks (
    id TEXT COLLATE "C" PRIMARY KEY, version BIGINT NOT NULL, created_at TEXT COLLATE "C" NOT NULL, updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    title TEXT NOT NULL, asset_id TEXT COLLATE "C" REFERENCES assets (id) ON DELETE SET NULL,
    likelihood BIGINT NOT NULL, impact BIGINT NOT NULL, status TEXT NOT NULL, description TEXT
);
CREATE TABLE assessments (
    id TEXT COLLATE "C" PRIMARY KEY, version BIGINT NOT NULL, created_at TEXT COLLATE "C" NOT NULL, updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    title TEXT NOT NULL, risk_id TEXT COLLATE "C" REFERENCES risks (id) ON DELETE SET NULL,
    assessor TEXT NOT NULL, outcome TEXT NOT NULL, score BIGINT, assessed_on TEXT
);
CREATE TABLE tasks (
    id TEXT COLLATE "C" PRIMARY KEY, version BIGINT NOT NULL, created_at TEXT COLLATE "C" NOT NULL, updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    title TEXT NOT NULL, risk_id TEXT COLLATE "C" REFERENCES risks (id) ON DELETE SET NULL,
    status TEXT NOT NULL, priority TEXT NOT NULL, assignee TEXT, due_on TEXT
);
CREATE TABLE evidence (
    id TEXT COLLATE "C" PRIMARY KEY, version BIGINT NOT NULL, created_at TEXT COLLATE "C" NOT NULL, updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    title TEXT NOT NULL, assessment_id TEXT COLLATE "C" REFERENCES assessments (id) ON DELETE SET NULL, form TEXT NOT NULL, notes TEXT
);
CREATE TABLE reports (
    id TEXT COLLATE "C" PRIMARY KEY, version BIGINT NOT NULL, created_at TEXT COLLATE "C" NOT NULL, updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    title TEXT NOT NULL, period_start TEXT NOT NULL, period_end TEXT NOT NULL, status TEXT NOT NULL, summary TEXT
);

-- Lists are read newest first, a page at a time.
CREATE INDEX users_by_age ON users (created_at, id);
CREATE INDEX assets_by_age ON assets (created_at, id);
CREATE INDEX risks_by_age ON risks (created_at, id);
CREATE INDEX assessments_by_age ON assessments (created_at, id);
CREATE INDEX tasks_by_age ON tasks (created_at, id);
CREATE INDEX evidence_by_age ON evidence (created_at, id);
CREATE INDEX reports_by_age ON reports (created_at, id);

-- Deleting a parent looks its children up by these.
CREATE INDEX risks_by_asset ON risks (asset_id);
CREATE INDEX assessments_by_risk ON assessments (risk_id);
CREATE INDEX tasks_by_risk ON tasks (risk_id);
CREATE INDEX evidence_by_assessment ON evidence (assessment_id);

-- The file of a piece of evidence, at most one each, small enough (`limits::MAX_UPLOAD_BYTES`) to live beside it.
CREATE TABLE evidence_files (
    evidence_id TEXT COLLATE "C" PRIMARY KEY REFERENCES evidence (id) ON DELETE CASCADE,
    name TEXT NOT NULL, media_type TEXT NOT NULL, sha256 TEXT NOT NULL, content BYTEA NOT NULL
);

-- Tokens that logged out before they expired. Rows leave when the token would have expired anyway.
CREATE TABLE revoked_tokens (id TEXT COLLATE "C" PRIMARY KEY, expires_at BIGINT NOT NULL);
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

-- What a create with an `Idempotency-Key` answered, so that its retry is answered the same.
CREATE TABLE idempotency_keys (
    user_id TEXT NOT NULL, entity TEXT NOT NULL, client_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL, answer TEXT NOT NULL, expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, entity, client_key)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
