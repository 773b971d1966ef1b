//! Which migration a database stands at. The tables of the usual tools are known by name; the first that exists is read.

use std::cmp::Ordering;

/// A tool that keeps its place in a table.
pub(in crate::probes) struct Tool {
    /// Its table.
    pub(in crate::probes) table: &'static str,
    /// The query of the current version, for PostgreSQL and for MySQL.
    pub(in crate::probes) postgres: &'static str,
    pub(in crate::probes) mysql: &'static str,
    /// The query of a migration that was begun and has not ended, for either, when the table tells. One that failed half-way stays
    /// so, and the tool, and with it the application, refuses to start.
    pub(in crate::probes) broken: Option<&'static str>,
    /// Whether versions are numbers that grow, so that "behind" and "ahead" can be told apart.
    pub(in crate::probes) ordered: bool,
}

/// The known tools, most telling table name first. Only versions that were applied to the end count.
pub(in crate::probes) static TOOLS: &[Tool] = &[
    Tool {
        table: "alembic_version",
        postgres: "SELECT string_agg(version_num, ',' ORDER BY version_num)::text FROM alembic_version",
        mysql: "SELECT group_concat(version_num ORDER BY version_num) FROM alembic_version",
        broken: None,
        ordered: false,
    },
    Tool {
        table: "_sqlx_migrations",
        postgres: "SELECT max(version)::text FROM _sqlx_migrations WHERE success",
        mysql: "SELECT max(version) FROM _sqlx_migrations WHERE success",
        broken: Some(
            "SELECT concat_ws(' ', version, description) FROM _sqlx_migrations WHERE NOT success ORDER BY version LIMIT 1",
        ),
        ordered: true,
    },
    Tool {
        table: "flyway_schema_history",
        postgres: "SELECT version::text FROM flyway_schema_history WHERE success AND version IS NOT NULL \
                   ORDER BY installed_rank DESC LIMIT 1",
        mysql: "SELECT version FROM flyway_schema_history WHERE success AND version IS NOT NULL \
                ORDER BY installed_rank DESC LIMIT 1",
        broken: Some(
            "SELECT concat_ws(' ', version, description) FROM flyway_schema_history WHERE NOT success ORDER BY installed_rank LIMIT 1",
        ),
        ordered: true,
    },
    Tool {
        table: "django_migrations",
        postgres: "SELECT (app || '.' || name)::text FROM django_migrations ORDER BY id DESC LIMIT 1",
        mysql: "SELECT concat(app, '.', name) FROM django_migrations ORDER BY id DESC LIMIT 1",
        broken: None,
        ordered: false,
    },
    Tool {
        table: "_prisma_migrations",
        postgres: "SELECT max(migration_name)::text FROM _prisma_migrations WHERE finished_at IS NOT NULL",
        mysql: "SELECT max(migration_name) FROM _prisma_migrations WHERE finished_at IS NOT NULL",
        broken: Some(
            "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL LIMIT 1",
        ),
        ordered: false,
    },
    Tool {
        table: "schema_migrations",
        postgres: "SELECT max(version)::text FROM schema_migrations",
        mysql: "SELECT max(version) FROM schema_migrations",
        // golang-migrate has a column `dirty`; Rails, whose table has the same name, has none.
        broken: None,
        ordered: true,
    },
];

/// Whether a database at `current` has everything up to `expected`. Of unordered versions any head counts.
pub(super) fn reached(current: &str, expected: &str, ordered: bool) -> bool {
    match ordered.then(|| compare(current, expected)).flatten() {
        Some(order) => order != Ordering::Less,
        None => current.split(',').any(|head| head == expected),
    }
}

/// Compares dotted numbers (`20240301120000`, `1.10.2`); `None` when one of them is none.
fn compare(left: &str, right: &str) -> Option<Ordering> {
    let parts = |text: &str| text.split(['.', '_']).map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    Some(parts(left)?.cmp(&parts(right)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ahead_is_no_fault_and_behind_is_one() {
        assert!(reached("20240301120000", "20240301120000", true));
        assert!(reached("1.10", "1.9", true), "numbers, not text");
        assert!(!reached("1.9", "1.10", true));
        assert!(reached("abc,def", "def", false));
        assert!(!reached("abc", "def", false));
        assert!(!reached("v1", "v2", true), "what is no number must be equal");
    }
}
