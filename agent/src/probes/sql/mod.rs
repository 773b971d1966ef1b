//! What the probes of both SQL databases share: parameters, the order of a run, required tables, migrations. The dialects are in
//! `postgres.rs` and `mysql.rs`. What must stay true: one connection each, kept; every query is fixed, read-only and under the
//! deadline; a figure that may not be read costs only itself.

pub(super) mod connection;
pub(super) mod migrations;
pub(super) mod relay;
pub(super) mod tables;
#[cfg(test)]
mod tests;

use super::database::{CONNECTIONS, CONNECTIONS_MAX, SIZE, TABLES_MISSING};
use super::facts::CONNECTIONS_USED_RATIO;
use super::net::{Tls, TlsConfig};
use super::outcome::late;
use super::{Context, Depth, Detail, Fault, Key, Probe, Reason, Run, Target, mysql, parameters, postgres};
use crate::node::{Node, Problems};
use crate::reading::{Metric, Reading};
use crate::units::Span;
use crate::{clock, limits};
use connection::{Connection, Failure, Row, number};
use std::time::Duration;
use tables::Table;
use tokio::time::{Instant, timeout_at};

/// The keys of both probes.
pub(super) static KEYS: &[Key] = &[
    Key {
        name: "tables",
        form: "list of text",
        default: "none",
        doc: "Tables that must exist, as `users` or `schema.users`. Those that do not are named, with reason `schema`.",
    },
    Key {
        name: "migrations",
        form: "true or false",
        default: "true",
        doc: "Look for the table of alembic, sqlx, Diesel, SeaORM, Flyway, Django, Prisma, Knex, goose or `schema_migrations` \
              (golang-migrate, Rails), and show the version. One that was begun and has not ended (sqlx, Flyway, Prisma, Knex, \
              golang-migrate) fails the check with reason `schema`.",
    },
    Key {
        name: "migration_version",
        form: "text",
        default: "none",
        doc: "The version that the application needs: a database behind it fails with reason `schema`. Ahead of it is well.",
    },
    Key {
        name: "slow_after",
        form: "duration",
        default: "1s",
        doc: "From when on a running query counts as slow (PostgreSQL; MySQL has its own `long_query_time`).",
    },
    Key {
        name: "tls_config",
        form: "mapping",
        default: "as `sslmode` of the URL says",
        doc: "TLS settings, as for `http`. With `ca_file`, `server_name` or `min_version` and no `sslmode` in the URL, TLS is \
              required and the certificate verified.",
    },
];

/// Their values.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Params {
    tables: Vec<String>,
    migrations: bool,
    migration_version: Option<String>,
    slow_after: Span,
    tls_config: TlsConfig,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            tables: Vec::new(),
            migrations: true,
            migration_version: None,
            slow_after: Span(Duration::from_secs(1)),
            tls_config: TlsConfig::default(),
        }
    }
}

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

/// How much TLS is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// None.
    Off,
    /// When the server offers it; any certificate.
    Preferred,
    /// Nothing without it; any certificate.
    Required,
    /// Nothing without it, and the certificate is verified.
    Verified,
}

/// A check as it runs.
pub(super) struct Plan {
    pub(super) target: Target,
    pub(super) security: Security,
    pub(super) tls: Tls,
    pub(super) slow_after: Duration,
    tables: Vec<Table>,
    migrations: bool,
    migration_version: Option<String>,
}

struct Sql {
    dialect: Dialect,
    plan: Plan,
    kept: Option<Connection>,
    /// When the size was asked for, and what it was when that was told.
    size: Option<(Instant, Option<f64>)>,
    lasting: Lasting,
}

/// Readings of a peer that are dear to the server (sizes, mostly): renewed every few minutes, repeated in between.
#[derive(Default)]
pub(super) struct Lasting {
    asked: Option<Instant>,
    readings: Vec<Reading>,
}

impl Lasting {
    /// Whether it is time to ask again.
    pub(super) fn due(&self) -> bool {
        self.asked.is_none_or(|at| clock::now().duration_since(at) >= limits::SIZE_INTERVAL)
    }

    /// Keeps what was found, in the place of what was kept before.
    pub(super) fn keep(&mut self, readings: Vec<Reading>) {
        *self = Self { asked: Some(clock::now()), readings };
    }

    /// What is kept.
    pub(super) fn readings(&self) -> impl Iterator<Item = Reading> {
        self.readings.iter().cloned()
    }
}

/// Makes a probe, or says what is wrong with its keys.
pub(super) fn build(dialect: Dialect, target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let plan = plan(target, own, problems)?;
    Some(Box::new(Sql { dialect, plan, kept: None, size: None, lasting: Lasting::default() }))
}

pub(super) fn plan(target: &Target, own: &Node, problems: &mut Problems) -> Option<Plan> {
    let params: Params = parameters(own, problems)?;
    let tables = tables::read(&params.tables, own, problems);
    let Some((security, tls_config)) = security(target, params.tls_config) else {
        let hint = "PostgreSQL knows disable, allow, prefer, require, verify-ca and verify-full; MySQL DISABLED, PREFERRED, \
                    REQUIRED, VERIFY_CA and VERIFY_IDENTITY";
        problems.add_with_hint("url", own.at, "`sslmode` of the URL is none that is known", hint);
        return None;
    };
    let tls = Tls::new(&tls_config, own.at, problems)?;
    Some(Plan {
        target: target.clone(),
        security,
        tls,
        slow_after: params.slow_after.0,
        tables: tables?,
        migrations: params.migrations || params.migration_version.is_some(),
        migration_version: params.migration_version,
    })
}

/// What the URL's `sslmode` and the check's `tls_config` come to. A unix socket needs none. `verify-ca` verifies the name as well.
fn security(target: &Target, mut tls: TlsConfig) -> Option<(Security, TlsConfig)> {
    let file = |names| target.param(names).filter(|file| file != "system").map(Into::into);
    tls.ca_file = tls.ca_file.or_else(|| file(&["sslrootcert", "ssl-root-cert", "ssl-ca", "ssl_ca", "sslca"]));
    tls.cert_file = tls.cert_file.or_else(|| file(&["sslcert", "ssl-cert", "ssl_cert"]));
    tls.key_file = tls.key_file.or_else(|| file(&["sslkey", "ssl-key", "ssl_key"]));
    let wants_verifying = tls.ca_file.is_some() || tls.server_name.is_some() || tls.min_version.is_some();
    let written = target.param(&["sslmode", "ssl-mode", "ssl_mode", "sslMode"]).unwrap_or_default();
    let mode = match written.to_ascii_lowercase().replace('_', "-").as_str() {
        _ if target.socket().is_some() => Security::Off,
        "disable" | "disabled" | "allow" => Security::Off,
        "" if wants_verifying => Security::Verified,
        "" | "prefer" | "preferred" => Security::Preferred,
        "require" | "required" if tls.ca_file.is_some() => Security::Verified,
        "require" | "required" => Security::Required,
        "verify-ca" | "verify-full" | "verify-identity" => Security::Verified,
        _ => return None,
    };
    tls.insecure_skip_verify |= mode != Security::Verified;
    Some((mode, tls))
}

impl Probe for Sql {
    /// Runs under the deadline itself, so that a peer that does not answer to the end is told to be down.
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            let whole = cx.left();
            self.up(cx, false);
            let Ok(ended) = timeout_at(cx.deadline, self.look(cx)).await else {
                self.up(cx, false);
                return Err(late(cx.current_phase(), whole));
            };
            ended
        })
    }
}

impl Sql {
    /// Says of a peer, as its public exporter does, whether it answers.
    fn up(&self, cx: &mut Context<'_>, answers: bool) {
        let metric = match self.dialect {
            Dialect::Postgres => &postgres::UP,
            Dialect::MySql => &mysql::UP,
        };
        if cx.depth == Depth::Peer {
            cx.measure(metric.is(f64::from(u8::from(answers))));
        }
    }

    /// A connection that has just answered the first query: the kept one, or a new one when that is gone.
    async fn connected(&mut self, cx: &mut Context<'_>) -> Result<(Connection, Vec<Row>), Fault> {
        let sql = match self.dialect {
            Dialect::Postgres => postgres::server(&self.plan),
            Dialect::MySql => mysql::SERVER.to_owned(),
        };
        if let Some(mut kept) = self.kept.take() {
            cx.phase("query");
            kept.begin_run();
            match kept.rows(&sql, cx.left()).await {
                Ok(rows) => return Ok((kept, rows)),
                Err(failure) if failure.gone || failure.fault.reason == Reason::Status => {}
                Err(failure) => return Err(failure.fault),
            }
        }
        let mut fresh = match self.dialect {
            Dialect::Postgres => postgres::open(cx, &self.plan).await?,
            Dialect::MySql => mysql::open(cx, &self.plan).await?,
        };
        cx.phase("query");
        let rows = fresh.rows(&sql, cx.left()).await.map_err(|failure| failure.fault)?;
        Ok((fresh, rows))
    }

    /// Looks once. The connection is taken out while in use: when the deadline ends it, the connection goes with it.
    async fn look(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let (mut connection, server) = self.connected(cx).await?;
        self.up(cx, true);
        let ended = self.figures(cx, &mut connection, &server).await;
        match ended.as_ref().err() {
            Some(failure) if failure.gone => self.up(cx, false),
            // A missing table leaves a server up.
            _ => self.kept = Some(connection),
        }
        ended.map_err(|failure| failure.fault)
    }

    async fn figures(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
        server: &[Row],
    ) -> Result<(), Failure> {
        match self.dialect {
            Dialect::Postgres => postgres::figures(cx, connection, server).await?,
            Dialect::MySql => mysql::figures(cx, connection, server).await?,
        }
        self.size(cx, connection).await?;
        let missing = self.missing(cx, connection).await?;
        let migrations = if self.plan.migrations {
            migrations::look(cx, connection, self.dialect, self.plan.migration_version.as_deref()).await?
        } else {
            None
        };
        if cx.depth == Depth::Peer {
            match self.dialect {
                Dialect::Postgres => postgres::families(cx, connection, server, &mut self.lasting).await?,
                Dialect::MySql => mysql::families(cx, connection, server, &mut self.lasting).await?,
            }
        }
        cx.end_phase();
        missing.or(migrations).map_or(Ok(()), |fault| Err(Failure { fault, gone: false }))
    }

    /// The size on disk. Summing up files is dear on a large database, so it is asked for every few minutes, whether it is told or not,
    /// and repeated in between; half of the time that is left is enough, or it would cost the check.
    async fn size(&mut self, cx: &mut Context<'_>, connection: &mut Connection) -> Result<(), Failure> {
        let now = clock::now();
        let due = self.size.is_none_or(|(at, _)| now.duration_since(at) >= limits::SIZE_INTERVAL);
        let sql = match self.dialect {
            Dialect::Postgres => postgres::SIZE,
            Dialect::MySql => mysql::SIZE,
        };
        if due {
            self.size = Some((now, self.size.and_then(|(_, bytes)| bytes)));
            match connection.rows(sql, cx.left() / 2).await {
                Ok(rows) => self.size = Some((now, number(&rows, 0))),
                Err(failure) if failure.gone => return Err(failure),
                Err(failure) => {
                    self.size = Some((now, None));
                    cx.note("size", &format!("not read: {}", failure.fault.message));
                }
            }
        }
        self.size.and_then(|(_, bytes)| bytes).into_iter().for_each(|bytes| cx.measure(SIZE.is(bytes)));
        Ok(())
    }

    /// The fault of required tables that do not exist, all of them named.
    async fn missing(&self, cx: &mut Context<'_>, connection: &mut Connection) -> Result<Option<Fault>, Failure> {
        let tables = &self.plan.tables;
        if tables.is_empty() {
            return Ok(None);
        }
        let missing = absent(cx, connection, self.dialect, tables).await?;
        #[expect(clippy::cast_precision_loss, reason = "the number of lines in a config file")]
        cx.measure(TABLES_MISSING.is(missing.len() as f64));
        let names: Vec<String> = missing.iter().map(|table| format!("`{table}`")).collect();
        let what = if names.len() == 1 { "table is" } else { "tables are" };
        Ok((!names.is_empty()).then(|| {
            Fault::new(Reason::Schema, format!("{} required {what} missing: {}", names.len(), names.join(", ")))
                .exactly(Detail::TableMissing)
                .hint("run the migrations, or correct `tables` or the database in the URL's path")
        }))
    }
}

/// Those of these tables that do not exist.
async fn absent<'a>(
    cx: &Context<'_>,
    connection: &mut Connection,
    dialect: Dialect,
    tables: &'a [Table],
) -> Result<Vec<&'a Table>, Failure> {
    Ok(match dialect {
        Dialect::Postgres => postgres::missing(&connection.rows(&postgres::find(tables), cx.left()).await?, tables),
        Dialect::MySql => mysql::missing(&connection.rows(&mysql::find(tables), cx.left()).await?, tables),
    })
}

/// Runs a query whose failure costs only its own figure: a note says why. A connection that is gone is a failure all the same.
pub(super) async fn optional(
    cx: &mut Context<'_>,
    connection: &mut Connection,
    sql: &str,
    figure: &'static str,
) -> Result<Option<Vec<Row>>, Failure> {
    match connection.rows(sql, cx.left()).await {
        Ok(rows) => Ok(Some(rows)),
        Err(failure) if failure.gone => Err(failure),
        Err(failure) => {
            cx.note(figure, &format!("not read: {}", failure.fault.message));
            Ok(None)
        }
    }
}

/// Keeps what was found.
pub(super) fn measure(cx: &mut Context<'_>, found: &[(&'static Metric, Option<f64>)]) {
    for (metric, value) in found {
        value.iter().for_each(|value| cx.measure(metric.is(*value)));
    }
}

/// Keeps connections, their limit and the ratio of both.
pub(super) fn measure_connections(cx: &mut Context<'_>, used: Option<f64>, most: Option<f64>) {
    let ratio = used.zip(most.filter(|most| *most > 0.0)).map(|(used, most)| used / most);
    measure(cx, &[(&CONNECTIONS, used), (&CONNECTIONS_MAX, most), (&CONNECTIONS_USED_RATIO, ratio)]);
}
