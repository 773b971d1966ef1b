//! The families of the public exporter, beside a peer only: what it exports by itself, and those of its other collectors that dashboards
//! and rules ask for. What must stay true: a collector that fails costs only itself and says which right it lacks; none begins when the
//! deadline is near, so that figures never turn a check down.

mod engine;
pub(super) mod replica;
mod sheets;
mod status;
mod value;

use super::session::Rows;
use super::wire::Trouble;
use crate::probes::sql::Lasting;
use crate::probes::sql::connection::{Connection, Failure};
use crate::probes::{Context, clean};
use crate::reading::{Metric, Reading};
use crate::{clock, limits};
use sheets::Sheet;
use status::Named;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::Instant;

static SUCCESS: Metric = Metric::gauge(
    "mysql_exporter_collector_success",
    "1 when the agent could read this group of figures, 0 when it could not",
)
.labelled(&["collector"]);
static DURATION: Metric =
    Metric::gauge("mysql_exporter_collector_duration_seconds", "Seconds that reading this group of figures took")
        .labelled(&["collector"]);
static LAST_ERROR: Metric = Metric::gauge(
    "mysql_exporter_last_scrape_error",
    "1 when the agent could not read some group of figures in its last run, 0 when it read all",
);

const OWN: &[&Metric] = &[&SUCCESS, &DURATION, &LAST_ERROR];
const LISTS: &[&[&Metric]] = &[OWN, status::FACTS, replica::FACTS, sheets::FACTS, engine::FACTS];

#[expect(clippy::indexing_slicing, reason = "at compile time, where a wrong index is an error of the compiler")]
const fn all() -> usize {
    let (mut at, mut length) = (0, super::FIGURES.len());
    while at < LISTS.len() {
        length += LISTS[at].len();
        at += 1;
    }
    length
}

/// All that can come from here, behind what the probe measures itself.
pub(super) const FACTS: [&Metric; all()] = joined();

#[expect(clippy::indexing_slicing, reason = "at compile time, where a wrong index is an error of the compiler")]
const fn joined() -> [&'static Metric; all()] {
    let mut joined = [super::FIGURES[0]; all()];
    let (mut list, mut from, mut to) = (super::FIGURES, 0, 0);
    let mut next = 0;
    while to < joined.len() {
        if from == list.len() {
            (list, from, next) = (LISTS[next], 0, next + 1);
        } else {
            joined[to] = list[from];
            (from, to) = (from + 1, to + 1);
        }
    }
    joined
}

/// A name as a metric has it, in small letters.
fn names(text: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '_' };
    text.chars().map(fits).collect()
}

/// A server's text as a label.
fn label(text: &str) -> String {
    clean(text).chars().take(limits::NAME_WORD_BYTES).collect()
}

/// One pass over the collectors.
struct Collecting<'a, 'n> {
    cx: &'a mut Context<'n>,
    connection: &'a mut Connection,
    readings: Vec<Reading>,
    failed: bool,
}

/// Reads all of them; `version` is the server's.
pub(super) async fn collect(
    cx: &mut Context<'_>,
    connection: &mut Connection,
    version: &str,
    lasting: &mut Lasting,
) -> Result<(), Failure> {
    let mut pass = Collecting { cx, connection, readings: Vec::with_capacity(1024), failed: false };
    pass.connected();
    let of_server = |found: &Rows| status::status(&status::named(&found.rows));
    pass.asked("collect.global_status", "SHOW GLOBAL STATUS", of_server).await?;
    let mut variables = Named::new();
    let keep = |found: &Rows| {
        variables = status::named(&found.rows);
        status::variables(&variables)
    };
    pass.asked("collect.global_variables", "SHOW GLOBAL VARIABLES", keep).await?;
    pass.asked("collect.slave_status", replica::query(version), replica::readings).await?;
    pass.sheet(&sheets::CMP).await?;
    pass.sheet(&sheets::CMPMEM).await?;
    let is_on = |name: &str| variables.get(name).is_some_and(|value| value == "ON" || value == "1");
    let tables = if version.contains("MariaDB") { 1 } else { engine::TIMES.len() };
    pass.times(if is_on("query_response_time_stats") { tables } else { 0 }).await?;
    pass.asked("collect.info_schema.processlist", engine::PROCESSES, |found| engine::processes(&found.rows)).await?;
    let innodb = engine::innodb_query(version.contains("MariaDB"));
    pass.asked("collect.info_schema.innodb_metrics", innodb, |found| engine::innodb(&found.rows)).await?;
    if is_on("log_bin") {
        pass.asked("collect.binlog_size", engine::BINLOGS, |found| engine::binlogs(&found.rows)).await?;
    }
    if is_on("performance_schema") {
        pass.sheet(&sheets::STATEMENTS).await?;
        pass.sheet(&sheets::TABLE_IO).await?;
    }
    pass.heartbeat().await?;
    pass.tables(lasting).await?;
    pass.done();
    Ok(())
}

impl Collecting<'_, '_> {
    /// What it took to get this connection; nothing when it was kept.
    fn connected(&mut self) {
        let phases = ["resolve", "connect", "tls", "login"];
        let took = phases.iter().filter_map(|phase| self.cx.took(phase)).sum::<Duration>();
        self.readings.push(DURATION.with(["connection"], took.as_secs_f64()));
    }

    /// Runs a query; what it gives goes to the readings.
    async fn asked(
        &mut self,
        collector: &'static str,
        sql: &str,
        read: impl FnOnce(&Rows) -> Vec<Reading>,
    ) -> Result<(), Failure> {
        let began = clock::now();
        let found = match self.query(sql).await? {
            Ok(found) => found,
            Err(why) => {
                self.missed(collector, began, &why);
                return Ok(());
            }
        };
        self.readings.extend(read(&found));
        self.ended(collector, began, true);
        Ok(())
    }

    async fn sheet(&mut self, sheet: &Sheet) -> Result<(), Failure> {
        self.asked(sheet.collector, &sheet.query(), |found| sheet.readings(&found.rows)).await
    }

    /// The rows of a query; why there are none; or the failure of a connection that is gone.
    async fn query(&mut self, sql: &str) -> Result<Result<Rows, String>, Failure> {
        let Some(session) = self.connection.mysql() else { return Ok(Err("no session".to_owned())) };
        if self.cx.left() < session.statement_limit {
            return Ok(Err("the deadline is near: give the check a longer `timeout`".to_owned()));
        }
        match session.query(sql).await {
            Ok(found) => Ok(Ok(found)),
            Err(Trouble::Refused { number, message }) => Ok(Err(format!("{}{}", clean(&message), grant(number)))),
            Err(trouble) => Err(trouble.into()),
        }
    }

    fn missed(&mut self, collector: &'static str, began: Instant, why: &str) {
        self.cx.note(collector, &format!("not read: {why}"));
        self.ended(collector, began, false);
    }

    fn ended(&mut self, collector: &'static str, began: Instant, well: bool) {
        self.failed |= !well;
        self.readings.push(SUCCESS.with([collector], f64::from(u8::from(well))));
        self.readings.push(DURATION.with([collector], clock::now().duration_since(began).as_secs_f64()));
    }

    /// The distribution of query times, where the plugin is there and switched on; without it the collector has nothing to say.
    async fn times(&mut self, tables: usize) -> Result<(), Failure> {
        const COLLECTOR: &str = "collect.info_schema.query_response_time";
        let began = clock::now();
        for (at, times) in engine::TIMES.iter().take(tables).enumerate() {
            match self.query(times.sql).await? {
                Ok(found) => self.readings.extend(times.readings(&found.rows)),
                Err(why) if at == 0 => {
                    self.missed(COLLECTOR, began, &why);
                    return Ok(());
                }
                // Not every release with the plugin has the other two tables.
                Err(_why) => {}
            }
        }
        self.ended(COLLECTOR, began, true);
        Ok(())
    }

    async fn heartbeat(&mut self) -> Result<(), Failure> {
        let Ok(found) = self.query(sheets::HEARTBEAT_AT).await? else { return Ok(()) };
        let schemas: HashSet<&str> = found.rows.iter().filter_map(|row| row.first()?.as_deref()).collect();
        let sheet = sheets::HEARTBEAT.iter().find(|(schema, _)| schemas.contains(schema));
        match sheet {
            Some((_, sheet)) => self.sheet(sheet).await,
            None => Ok(()),
        }
    }

    /// Sizes of tables, which are dear to the server: asked for every few minutes, repeated in between.
    async fn tables(&mut self, lasting: &mut Lasting) -> Result<(), Failure> {
        if lasting.due() {
            let begin = self.readings.len();
            self.sheet(&sheets::TABLES).await?;
            self.sheet(&sheets::AUTO_INCREMENTS).await?;
            lasting.keep(self.readings.split_off(begin));
        }
        self.readings.extend(lasting.readings());
        Ok(())
    }

    /// Hands over the readings; a server that repeats itself counts once.
    fn done(mut self) {
        self.readings.push(LAST_ERROR.is(f64::from(u8::from(self.failed))));
        let mut seen: HashSet<(&str, &[String])> = HashSet::with_capacity(self.readings.len());
        let first: Vec<bool> =
            self.readings.iter().map(|reading| seen.insert((reading.metric.name, &reading.labels))).collect();
        let kept = self.readings.into_iter().zip(first).filter_map(|(reading, first)| first.then_some(reading));
        self.cx.measure_all(kept);
    }
}

/// What to grant when this error says that a right is missing.
fn grant(number: u16) -> &'static str {
    match number {
        1142 | 1143 | 1044 => {
            " (GRANT SELECT ON performance_schema.* and, for a heartbeat table, on it, to the agent's account)"
        }
        1227 => " (GRANT PROCESS, REPLICATION CLIENT ON *.* TO the agent's account; MariaDB: also SLAVE MONITOR)",
        _ => "",
    }
}

/// Makes readings of an answer in every way that there is: for fuzz targets.
pub(super) fn replay(found: &Rows) {
    let named = status::named(&found.rows);
    let mut readings = [status::status(&named), status::variables(&named), replica::readings(found)].concat();
    readings.extend(sheets::TABLES.readings(&found.rows));
    readings
        .extend([engine::innodb(&found.rows), engine::processes(&found.rows), engine::binlogs(&found.rows)].concat());
    readings.extend(engine::TIMES[0].readings(&found.rows));
    debug_assert!(readings.len() <= limits::RUN_READINGS, "it grows with what it reads");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::sql::connection::Row;

    #[test]
    fn a_server_that_gives_more_rows_than_it_was_asked_for_gives_no_more_figures() {
        let text = |at: usize| vec![Some(format!("w{at}")), Some("buffer_page_io".to_owned())];
        let row = |at: usize| [text(at), vec![Some("1".to_owned()); 20]].concat();
        let rows: Vec<Row> = (0..5000).map(row).collect();
        let pages: Vec<Row> =
            (0..5000).map(|at| [vec![Some(format!("buffer_page_read_{at}"))], row(at).split_off(1)].concat()).collect();
        let of = |sheet: &Sheet| sheet.readings(&rows).len();
        let bounds: Vec<Row> = (1..5000).map(|at| vec![Some(at.to_string())]).collect();
        let found = [
            (of(&sheets::CMPMEM), 128 * 4),
            (of(&sheets::TABLES), 50 * 5),
            (of(&sheets::AUTO_INCREMENTS), 50 * 2),
            (of(&sheets::TABLE_IO), 20 * 8),
            (engine::innodb(&pages).len(), limits::MYSQL_INNODB_FIGURES),
            (engine::processes(&rows).len(), 4 * limits::MYSQL_PROCESS_GROUPS),
            (engine::TIMES[0].readings(&bounds).len(), 64 + 3),
        ];
        for (at, (found, most)) in found.into_iter().enumerate() {
            assert!(found > 0 && found <= most, "{at}: {found} of {most}");
        }
        assert!(sheets::TABLE_IO.query().ends_with("DESC LIMIT 20"), "and the server is asked for no more");
    }
}
