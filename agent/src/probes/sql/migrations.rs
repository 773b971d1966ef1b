//! Which migration a database stands at. The tables of the usual tools are known by name; the first that exists is read.

use super::connection::{Connection, Failure, first};
use super::tables::Table;
use super::{Dialect, absent};
use crate::probes::{Context, Detail, Fault, Reason, clean};
use std::cmp::Ordering;

/// A query for PostgreSQL and for MySQL.
pub(in crate::probes) struct Query {
    pub(in crate::probes) postgres: &'static str,
    pub(in crate::probes) mysql: &'static str,
}

impl Query {
    const fn spoken(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Postgres => self.postgres,
            Dialect::MySql => self.mysql,
        }
    }
}

/// A query that both understand.
const fn both(sql: &'static str) -> Query {
    Query { postgres: sql, mysql: sql }
}

/// A tool that keeps its place in a table.
pub(in crate::probes) struct Tool {
    /// Its table.
    pub(in crate::probes) table: &'static str,
    /// The query of the current version.
    pub(in crate::probes) version: Query,
    /// The query of a migration that was begun and has not ended, when the table tells. One that failed half-way stays so, and the tool,
    /// and with it the application, refuses to start. A table of the same name but without the column is another tool's.
    pub(in crate::probes) broken: Option<Query>,
    /// Whether versions are numbers that grow, so that "behind" and "ahead" can be told apart.
    pub(in crate::probes) ordered: bool,
}

/// The known tools, most telling table name first. Only versions that were applied to the end count.
pub(in crate::probes) static TOOLS: &[Tool] = &[
    Tool {
        table: "alembic_version",
        version: Query {
            postgres: "SELECT string_agg(version_num, ',' ORDER BY version_num)::text FROM alembic_version",
            mysql: "SELECT group_concat(version_num ORDER BY version_num) FROM alembic_version",
        },
        broken: None,
        ordered: false,
    },
    Tool {
        table: "_sqlx_migrations",
        version: both("SELECT max(version) FROM _sqlx_migrations WHERE success"),
        broken: Some(both(
            "SELECT concat_ws(' ', version, description) FROM _sqlx_migrations WHERE NOT success ORDER BY version LIMIT 1",
        )),
        ordered: true,
    },
    Tool {
        table: "__diesel_schema_migrations",
        version: both("SELECT max(version) FROM __diesel_schema_migrations"),
        // Each of its migrations is a transaction, or leaves no row.
        broken: None,
        ordered: true,
    },
    Tool {
        table: "seaql_migrations",
        version: both("SELECT max(version) FROM seaql_migrations"),
        broken: None,
        ordered: false,
    },
    Tool {
        table: "flyway_schema_history",
        version: both(
            "SELECT version FROM flyway_schema_history WHERE success AND version IS NOT NULL ORDER BY installed_rank DESC LIMIT 1",
        ),
        broken: Some(both(
            "SELECT concat_ws(' ', version, description) FROM flyway_schema_history WHERE NOT success ORDER BY installed_rank LIMIT 1",
        )),
        ordered: true,
    },
    Tool {
        table: "django_migrations",
        version: both("SELECT concat(app, '.', name) FROM django_migrations ORDER BY id DESC LIMIT 1"),
        broken: None,
        ordered: false,
    },
    Tool {
        table: "_prisma_migrations",
        version: both(
            "SELECT max(migration_name) FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
        ),
        broken: Some(both(
            "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL LIMIT 1",
        )),
        ordered: false,
    },
    Tool {
        table: "knex_migrations",
        version: both("SELECT name FROM knex_migrations ORDER BY id DESC LIMIT 1"),
        // The lock of a run that died stays, and every later run refuses.
        broken: Some(both("SELECT 'the one behind the last' FROM knex_migrations_lock WHERE is_locked = 1 LIMIT 1")),
        ordered: false,
    },
    Tool {
        table: "goose_db_version",
        version: both("SELECT max(version_id) FROM goose_db_version WHERE is_applied"),
        broken: None,
        ordered: true,
    },
    Tool {
        table: "schema_migrations",
        version: both("SELECT max(version) FROM schema_migrations"),
        // golang-migrate has a column `dirty`; Rails and others, whose table has the same name, have none. PostgreSQL would log an
        // unknown column as an error each time, so it is looked for in the row.
        broken: Some(Query {
            postgres: "SELECT version FROM schema_migrations m WHERE (to_jsonb(m) ->> 'dirty')::boolean LIMIT 1",
            mysql: "SELECT version FROM schema_migrations WHERE dirty LIMIT 1",
        }),
        ordered: true,
    },
];

/// Notes the migration that the database stands at; the fault of one that is broken, or behind what is expected.
pub(super) async fn look(
    cx: &mut Context<'_>,
    connection: &mut Connection,
    dialect: Dialect,
    expected: Option<&str>,
) -> Result<Option<Fault>, Failure> {
    let names: Vec<Table> = TOOLS.iter().map(|tool| Table { schema: None, name: tool.table.to_owned() }).collect();
    let absent = absent(cx, connection, dialect, &names).await?;
    let Some(tool) = TOOLS.iter().find(|tool| absent.iter().all(|table| table.name != tool.table)) else {
        return Ok(expected.map(|expected| behind(format!("no migration is recorded, expected `{expected}`"))));
    };
    let current = match connection.rows(tool.version.spoken(dialect), cx.left()).await {
        Ok(rows) => first(&rows, 0).map(str::to_owned),
        // A lock on the table says nothing of the migration: "none is recorded" would be false.
        Err(failure) if failure.gone || failure.fault.detail == Some(Detail::TooSlow) => return Err(failure),
        Err(failure) => {
            cx.note("migration", &format!("not read: {}", failure.fault.message));
            None
        }
    };
    if let Some(version) = &current {
        cx.note("migration", &format!("{version} ({})", tool.table));
    }
    if let Some(query) = &tool.broken
        && let Some(broken) = broken(cx, connection, query.spoken(dialect)).await?
    {
        let message = format!("migration `{}` of `{}` was begun and has not ended", clean(&broken), tool.table);
        let hint = "if none is running, it failed half-way and the application will not start: mend the schema by hand, correct its \
                    row, and run the migrations again";
        return Ok(Some(Fault::new(Reason::Schema, message).exactly(Detail::MigrationBehind).hint(hint)));
    }
    let Some(expected) = expected else { return Ok(None) };
    Ok(match current {
        None => Some(behind(format!("no migration is recorded, expected `{expected}`"))),
        Some(version) if !reached(&version, expected, tool.ordered) => Some(behind(format!(
            "the database stands at migration `{}` of `{}`, expected `{expected}`",
            clean(&version),
            tool.table
        ))),
        Some(_) => None,
    })
}

fn behind(message: String) -> Fault {
    Fault::new(Reason::Schema, message).exactly(Detail::MigrationBehind).hint("run the migrations")
}

/// The migration that was begun and has not ended. A table without the column that tells is no failure.
async fn broken(
    cx: &mut Context<'_>,
    connection: &mut Connection,
    query: &'static str,
) -> Result<Option<String>, Failure> {
    match connection.rows(query, cx.left()).await {
        Ok(rows) => Ok(first(&rows, 0).map(str::to_owned)),
        Err(failure) if failure.gone => Err(failure),
        Err(failure) => {
            if failure.fault.reason != Reason::Schema {
                cx.note("broken_migration", &format!("not read: {}", failure.fault.message));
            }
            Ok(None)
        }
    }
}

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
