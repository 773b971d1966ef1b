//! A family of the public exporter as a table row: one query, and what its columns mean. [`gather`] asks the rows for what suits the
//! server's version. What must stay true: each fails alone, in a share of the time that is left; labels are cleaned, rows capped, and
//! no series comes twice, whatever the server sends.

use crate::limits;
use crate::probes::sql::Lasting;
use crate::probes::sql::connection::{Connection, Failure, Row};
use crate::probes::{Context, Reason, clean};
use crate::reading::{Metric, Reading};
use crate::small;

/// A query and its columns: first the labels, then one value a metric; NULL is no reading.
pub(super) struct Family {
    /// What a note calls it when it could not be read.
    pub(super) name: &'static str,
    /// The server's major version that has it first.
    pub(super) since: u32,
    /// Where it has it.
    pub(super) on: On,
    /// The query as [`suited`] reads it; the limit of its rows is added.
    pub(super) sql: &'static str,
    /// The names of the first columns; each metric has some of them as its labels.
    pub(super) labels: &'static [&'static str],
    /// The metrics of the other columns, in order; a pattern is named by the first column instead of having labels.
    pub(super) metrics: &'static [&'static Metric],
    /// Rows that are kept; the query orders them, so that the largest are.
    pub(super) rows: usize,
}

/// Which servers have a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// Every one.
    Any,
    /// One that follows another.
    Replica,
    /// One with the extension `pg_stat_statements` in the database of the URL.
    Statements,
    /// Every one, every few minutes: its query is dear.
    Seldom,
}

/// What is known of the server when its families are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    pub(super) version: u32,
    pub(super) replica: bool,
    pub(super) statements: bool,
}

impl Family {
    fn suits(&self, server: Server) -> bool {
        let there = match self.on {
            On::Any | On::Seldom => true,
            On::Replica => server.replica,
            On::Statements => server.statements,
        };
        there && server.version >= self.since
    }

    /// The readings of an answer.
    pub(super) fn readings(&self, rows: &[Row]) -> Vec<Reading> {
        let mut readings: Vec<Reading> = Vec::with_capacity(rows.len() * self.metrics.len());
        for row in rows.iter().take(self.rows) {
            let text = |at: usize| row.get(at).and_then(Option::as_deref);
            for (at, metric) in self.metrics.iter().enumerate() {
                let value = text(self.labels.len() + at).and_then(|text| text.parse().ok());
                let Some(value) = value.filter(|value: &f64| value.is_finite()) else { continue };
                let pattern = metric.name.contains('*');
                let named = if pattern { text(0).and_then(|word| metric.named(word)) } else { Some(*metric) };
                let Some(metric) = named else { continue };
                let place = |label: &&str| self.labels.iter().position(|name| name == label);
                let labels = metric.labels.iter().map(|label| place(label).and_then(text).map_or(String::new(), clean));
                readings.push(Reading { metric, labels: labels.collect(), value });
            }
        }
        // Cleaning may make two names one, and a server may lie: a page with the same series twice would be refused as a whole.
        small::sort_by(&mut readings, |a, b| (a.metric.name, &a.labels).cmp(&(b.metric.name, &b.labels)));
        readings.dedup_by(|a, b| a.metric == b.metric && a.labels == b.labels);
        readings
    }
}

/// The databases that the families of databases tell of.
const BUSIEST: &str = "(SELECT oid, datname, datconnlimit, datallowconn, datfrozenxid, datminmxid FROM pg_database \
                       ORDER BY pg_stat_get_db_xact_commit(oid) DESC, oid LIMIT ";

/// The tables that the families of tables tell of, from the largest on. Those of a session alone come and go too often.
const LARGEST: &str = "(SELECT c.oid, n.nspname, c.relname, nullif(c.reltoastrelid, 0) AS toast FROM pg_class c \
                       JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' \
                       AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast' \
                       ORDER BY c.relpages DESC, pg_stat_get_live_tuples(c.oid) DESC, c.oid LIMIT ";

/// The query for a server of this version: of each `{14:this|that}` the part that suits; `{busiest}` and `{tables}` stand
/// for the databases and tables that are told of, `{sessions}` for the number of groups of sessions that are kept apart.
pub(super) fn suited(family: &Family, version: u32) -> String {
    let mut suited = String::with_capacity(2 * family.sql.len());
    let mut rest = family.sql;
    while let Some((before, (choice, behind))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        suited.push_str(before);
        match (choice, choice.split_once(':')) {
            ("busiest", _) => suited.push_str(&format!("{BUSIEST}{})", limits::PG_DATABASES)),
            (_, Some((since, parts))) => {
                let (this, that) = parts.split_once('|').unwrap_or((parts, ""));
                suited.push_str(if since.parse().is_ok_and(|since: u32| version >= since) { this } else { that });
            }
            ("tables", _) => suited.push_str(&format!("{LARGEST}{})", limits::PG_TABLES)),
            _ => suited.push_str(&limits::PG_SESSIONS.to_string()),
        }
        rest = behind;
    }
    suited.push_str(rest);
    suited.push_str(&format!(" LIMIT {}", family.rows));
    suited
}

/// Asks for the families one after the other. Whether one could not be read for another reason than a missing right is the answer.
pub(super) async fn gather(
    cx: &mut Context<'_>,
    connection: &mut Connection,
    server: Server,
    lasting: &mut Lasting,
    families: &[&'static Family],
) -> Result<bool, Failure> {
    let reserve = cx.left().mul_f64(limits::FAMILIES_RESERVE);
    let (due, mut dear, mut failed) = (lasting.due(), Vec::new(), false);
    for family in families.iter().filter(|family| family.suits(server) && (due || family.on != On::Seldom)) {
        let share = cx.left().saturating_sub(reserve).mul_f64(limits::FAMILY_SHARE);
        if share < limits::FAMILY_LEAST {
            cx.note(family.name, "not read: no time was left");
            failed = true;
            continue;
        }
        match connection.rows(&suited(family, server.version), share).await {
            Ok(rows) if family.on == On::Seldom => dear.extend(family.readings(&rows)),
            Ok(rows) => cx.measure_all(family.readings(&rows)),
            Err(failure) if failure.gone => return Err(failure),
            Err(failure) => {
                failed |= failure.fault.reason != Reason::Auth;
                cx.note(family.name, &format!("not read: {}", failure.fault.message));
            }
        }
    }
    if due {
        lasting.keep(dear);
    }
    cx.measure_all(lasting.readings());
    Ok(failed)
}

/// How many metrics [`joined`] joins.
#[expect(clippy::indexing_slicing, reason = "runs in the compiler, where an index out of bounds is an error")]
pub(super) const fn count(own: &[&Metric], families: &[&Family]) -> usize {
    let (mut count, mut at) = (own.len(), 0);
    while at < families.len() {
        count += families[at].metrics.len();
        at += 1;
    }
    count
}

/// The probe's own metrics and those of all families as one list, for the row of the kind.
#[expect(clippy::indexing_slicing, reason = "runs in the compiler, where an index out of bounds is an error")]
pub(super) const fn joined<const N: usize>(own: &[&'static Metric], families: &[&Family]) -> [&'static Metric; N] {
    let (mut all, mut place, mut at) = ([own[0]; N], 0, 0);
    while place < own.len() {
        all[place] = own[place];
        place += 1;
    }
    while at < families.len() {
        let (metrics, mut one) = (families[at].metrics, 0);
        while one < metrics.len() {
            all[place] = metrics[one];
            place += 1;
            one += 1;
        }
        at += 1;
    }
    all
}

/// For the fuzz target: lines with tabs as rows of every family's answer.
pub(super) fn read(bytes: &[u8], families: &[&Family]) {
    let text = String::from_utf8_lossy(bytes);
    let cells = |line: &str| line.split('\t').map(|cell| (cell != "\\N").then(|| cell.to_owned())).collect();
    let rows: Vec<Row> = text.lines().map(cells).collect();
    for family in families {
        let readings = family.readings(&rows);
        assert!(readings.len() <= family.rows * family.metrics.len());
    }
}
