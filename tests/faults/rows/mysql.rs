//! MySQL and MariaDB: who may come in, what must be there, how full it is.

use crate::faults::scene::check;
use crate::faults::{Row, Scene};
use crate::program::{Running, finish_command};
use crate::servers::mariadb::{MariaDb, PASSWORD};
use std::process::Command;

pub(super) static ROWS: &[Row] = &[
    Row::new("mysql: access denied", &[("authentication_refused", "db")], denied),
    Row::new("mysql: unknown database", &[("database_missing", "db")], unknown_database),
    Row::new("mysql: table missing", &[("schema_missing", "db")], table_missing),
    Row::new("mysql: connections near their limit", &[("connections_near_limit", "db")], near_limit),
    Row::new("mysql: no more connections", &[("connections_exhausted", "db")], exhausted),
    Row::new("mysql: replica stops", &[("replication_broken", "db")], replica_stops).also(&["replication_behind"]),
];

fn url(port: u16, password: &str, database: &str) -> String {
    format!("mysql://app:{password}@127.0.0.1:{port}/{database}")
}

fn own(server: &MariaDb) -> String {
    url(server.port, PASSWORD, "shop")
}

fn such(password: &str, database: &str, more: &str) -> Result<Scene, String> {
    let server = MariaDb::start(&[])?;
    server.sql("GRANT ALL ON *.* TO app@'%'; CREATE TABLE shop.users (id int)")?;
    let checks =
        [check("db", &url(server.port, password, database), more), check("twin", &own(&server), ", tables: [users]")];
    Ok(Scene::of(&checks).keeping(server))
}

fn denied() -> Result<Scene, String> {
    such("not-this-one", "shop", "")
}

fn unknown_database() -> Result<Scene, String> {
    such(PASSWORD, "nowhere", "")
}

fn table_missing() -> Result<Scene, String> {
    such(PASSWORD, "shop", ", tables: [orders]")
}

/// What an application asks, over TCP and with a password.
fn application(server: &MariaDb, query: &str) -> Command {
    let mut command = Command::new("mariadb");
    command.args(["--no-defaults", "-h", "127.0.0.1", "-P", &server.port.to_string(), "-u", "app"]);
    command.arg(format!("-p{PASSWORD}")).args(["-e", query]);
    command
}

fn crowd(server: &MariaDb, size: usize) -> Vec<Running> {
    (0..size).map(|_| Running::start(&mut application(server, "SELECT SLEEP(300)"))).collect()
}

fn near_limit() -> Result<Scene, String> {
    let server = MariaDb::start(&["--max-connections=20"])?;
    Ok(Scene::of(&[check("db", &own(&server), "")]).then(move || Ok(Box::new((crowd(&server, 17), server)))))
}

fn exhausted() -> Result<Scene, String> {
    let (server, other) = (MariaDb::start(&["--max-connections=10"])?, MariaDb::start(&[])?);
    let mut sessions = crowd(&server, 10);
    // Until the next application is refused; whoever still comes in is followed by one more that stays.
    let full = || {
        let refused = finish_command(&mut application(&server, "SELECT 1")).stderr.contains("1040");
        if !refused {
            sessions.append(&mut crowd(&server, 1));
        }
        refused.then_some(())
    };
    crate::wait_for("no more connections", std::time::Duration::from_secs(30), full);
    let checks = [check("db", &own(&server), ""), check("twin", &own(&other), "")];
    Ok(Scene::of(&checks).keeping((sessions, server, other)))
}

fn replica_stops() -> Result<Scene, String> {
    let primary = MariaDb::start(&["--log-bin", "--server-id=1"])?;
    let replica = MariaDb::start(&["--server-id=2"])?;
    replica.follow(&primary)?;
    replica.sql("GRANT REPLICA MONITOR, REPLICATION CLIENT ON *.* TO app@'%'")?;
    Ok(Scene::of(&[check("db", &own(&replica), "")]).then(move || {
        replica.sql("STOP SLAVE")?;
        Ok(Box::new((replica, primary)))
    }))
}
