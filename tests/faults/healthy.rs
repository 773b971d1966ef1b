//! A healthy stack under light load: whatever is named is false.

use super::scene::{Watched, check, shown};
use super::web::{Web, fine};
use crate::http::get;
use crate::servers::mariadb::{self, MariaDb};
use crate::servers::nginx::Nginx;
use crate::servers::postgres::{self, Postgres};
use crate::servers::redis::{self, Redis};
use std::time::{Duration, Instant};

/// What came of it.
pub struct Healthy {
    /// Looks at the page.
    pub looks: u32,
    /// Causes that were named, each once, with the second in which it was seen first.
    pub named: Vec<String>,
    /// Whether all checks were up at the end.
    pub up: bool,
}

/// Redis, PostgreSQL, MariaDB, nginx and an HTTP service, asked some times a second by others, for so long.
///
/// # Errors
/// When one of them is not installed or does not start.
pub fn watch(time: Duration) -> Result<Healthy, String> {
    let (redis, postgres, mariadb) = (Redis::start(&[])?, Postgres::start(&[])?, MariaDb::start(&[])?);
    let web = Web::start(fine())?;
    let site =
        format!("location / {{ proxy_pass http://{}; }} location = /stub_status {{ stub_status; }}", web.address);
    let nginx = Nginx::start(&site)?;
    let status = format!("{}/stub_status", nginx.url.replacen("http", "nginx", 1));
    let checks = [
        check("cache", &format!("redis://:{}@127.0.0.1:{}/0", redis::PASSWORD, redis.port), ""),
        check("db", &format!("postgres://postgres:{}@127.0.0.1:{}/postgres", postgres::PASSWORD, postgres.port), ""),
        check("mysql", &format!("mysql://app:{}@127.0.0.1:{}/shop", mariadb::PASSWORD, mariadb.port), ""),
        check("nginx", &status, ""),
        check("edge", &nginx.url, ""),
        check("backend", &web.url("http"), ", peer: true"),
    ];
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("agent.yml");
    let text = format!("collectors: {{interval: 1s}}\nchecks:\n{}", checks.concat());
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    let watched = Watched::start(&path, None);
    let began = Instant::now();
    let mut healthy = Healthy { looks: 0, named: Vec::new(), up: false };
    while began.elapsed() < time {
        drop(get(&nginx.url));
        drop(redis.cli(&["SET", "bench", "value"]));
        if healthy.looks.is_multiple_of(10) {
            drop((postgres.psql("SELECT count(*) FROM pg_class"), mariadb.sql("SELECT count(*) FROM mysql.user")));
        }
        let causes = watched.causes()?;
        healthy.looks += 1;
        for cause in causes {
            let words = shown(&[cause]);
            if !healthy.named.iter().any(|named| named.starts_with(&words)) {
                healthy.named.push(format!("{words} after {:.1} s", began.elapsed().as_secs_f64()));
            }
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let page = watched.page("/metrics")?;
    let up = page.lines().filter(|line| line.starts_with("sidecar_check_up{") && line.ends_with(" 1"));
    healthy.up = up.count() == checks.len();
    Ok(healthy)
}
