-- `key` is a reserved word of MySQL: one name for the column on all three databases.
ALTER TABLE idempotency_keys RENAME COLUMN key TO client_key;
