//! Our page beside a PostgreSQL against that of Debian's postgres_exporter (0.11) on the same server: tables, an open transaction, a
//! replica that follows by a slot, `pg_stat_statements`. What upstream has dropped since is taken off the older page first.

use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tests::agent::Agent;
use tests::compare::{Gaps, Page, compare};
use tests::servers::exporter::Exporter;
use tests::servers::postgres::{PASSWORD, Postgres};
use tests::{servers, skipped, tell, wait_for};

const TABLES: &str = "CREATE EXTENSION pg_stat_statements; CREATE TABLE users (id int PRIMARY KEY, name text); \
    INSERT INTO users SELECT n, repeat('x', 100) FROM generate_series(1, 5000) n; DELETE FROM users WHERE id > 4500; \
    CREATE TABLE orders (id int); CREATE ROLE app LOGIN CONNECTION LIMIT 7";

/// A session that holds a transaction open until it is dropped.
struct Holder(Child);

impl Holder {
    fn of(server: &Postgres) -> Self {
        let url =
            format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{}/postgres?application_name=holder", server.port);
        let mut command = Command::new("psql");
        command.args(["-X", "-d", &url]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("psql");
        let asked = std::io::Write::write_all(
            child.stdin.as_mut().expect("its input"),
            b"BEGIN; LOCK TABLE orders IN SHARE MODE;\n",
        );
        asked.expect("a transaction");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A primary with data, and a replica of it.
fn pair() -> Result<(Postgres, Postgres), String> {
    servers::installed("psql")?;
    let archive = ["archive_mode=on", "archive_command=true"];
    let primary = Postgres::start(&["shared_preload_libraries=pg_stat_statements", archive[0], archive[1]])?;
    primary.psql(TABLES)?;
    primary.psql("SELECT pg_switch_wal()")?;
    wait_for("an archived file", Duration::from_secs(30), || {
        primary.psql("SELECT archived_count > 0 FROM pg_stat_archiver").ok().filter(|archived| archived == "t")
    });
    let replica = primary.replica("standby_one")?;
    wait_for("the replica's stream", Duration::from_secs(30), || {
        primary.psql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'").ok().filter(|n| n == "1")
    });
    Ok((primary, replica))
}

fn url(server: &Postgres) -> String {
    format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{}/postgres?sslmode=disable", server.port)
}

fn beside(server: &Postgres, folder: &std::path::Path) -> Agent {
    let config = format!("checks:\n  - {{name: db, url: \"{}\", peer: true, interval: 1s}}\n", url(server));
    let agent = Agent::with_config(folder, &config);
    agent.wait_sample("pg_up{check=\"db\"}", 1.0);
    agent
}

/// The older page as upstream would write it now: it labels no series with the server that it was told of, and leaves out the row of what
/// belongs to no database.
fn of_today(page: Page) -> Page {
    page.each(|series| {
        series.labels.remove("server");
        !series.name.starts_with("pg_stat_database") || series.labels.contains_key("datname")
    })
}

#[test]
fn our_page_replaces_that_of_postgres_exporter() {
    let name = "our_page_replaces_that_of_postgres_exporter";
    let (primary, _replica) = match pair() {
        Ok(pair) => pair,
        Err(why) => return skipped(name, &why),
    };
    let _holder = Holder::of(&primary);
    let port = servers::free_port();
    let address = format!("--web.listen-address=127.0.0.1:{port}");
    let exporter = match Exporter::start(
        "prometheus-postgres-exporter",
        port,
        &[&address],
        &[("DATA_SOURCE_NAME", &url(&primary))],
    ) {
        Ok(exporter) => exporter,
        Err(why) => return skipped(name, &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let agent = beside(&primary, folder.path());
    wait_for("the holder", Duration::from_secs(30), || {
        agent.page("/metrics").body.contains("application_name=\"holder\"").then_some(())
    });
    // Two looks at what moves may be too far apart for as long as the server is young: the time of its sessions grows by seconds.
    let (mut theirs, mut ours, mut unexplained) = (Page::default(), Page::default(), Vec::new());
    for _look in 0..40 {
        theirs = of_today(exporter.page().expect("their page")).only(|name| name.starts_with("pg_"));
        ours = Page::read(&agent.page("/metrics").body);
        let comparison = compare("postgres", &theirs, &ours, &Gaps::of("postgres").expect("the list of gaps"));
        tell(&format!("{comparison}"));
        unexplained = comparison.unexplained;
        if unexplained.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    // What is told apart by more labels now comes to the same in all.
    for state in ["idle in transaction", "fastpath function call", "disabled"] {
        let (theirs, ours) = (sessions(&theirs, state), sessions(&ours, state));
        assert!((theirs - ours).abs() < 0.5, "{state}: theirs {theirs}, ours {ours}");
    }
    assert!(sessions(&ours, "idle in transaction") > 0.5);
}

fn sessions(page: &Page, state: &str) -> f64 {
    let wanted = [("state", state), ("datname", "postgres")];
    let of = |series: &&tests::compare::Series| {
        wanted.iter().all(|(label, value)| series.labels.get(*label).is_some_and(|found| found == value))
    };
    page.series_of("pg_stat_activity_count").filter(of).map(|series| series.value).sum()
}
