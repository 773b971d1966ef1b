//! `docker/backup` against a real PostgreSQL and a real MariaDB, and the agent's check of kind `file` on what it writes: a good backup is
//! good, each damage has its reason, a restore brings the rows back, and a restore that fails leaves the old database.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};
use tests::program::{Finished, Running, finish, finish_command};
use tests::servers::mariadb::{self, MariaDb};
use tests::servers::postgres::{self, Postgres};
use tests::{skipped, wait_for};

/// A database `shop` and where its backups go.
struct Shop {
    home: tempfile::TempDir,
    engine: &'static str,
    url: String,
    server: Server,
}

enum Server {
    Postgres(Postgres),
    MariaDb(MariaDb),
}

/// Text that a dump must quote, and that must not be taken for a line of the dump.
const AWKWARD: &str = "a\nINSERT INTO `users` VALUES (1);\n\\.\tü";

impl Shop {
    fn postgres() -> Result<Self, String> {
        let server = Postgres::start(&[])?;
        server.psql("CREATE DATABASE shop ENCODING 'UTF8' TEMPLATE template0")?;
        let url = format!("postgresql+asyncpg://postgres@127.0.0.1:{}/shop?x=1", server.port);
        Self::filled("postgres", postgres::PASSWORD, url, Server::Postgres(server))
    }

    fn mariadb() -> Result<Self, String> {
        let server = MariaDb::start(&[])?;
        server.sql("GRANT ALL ON `shop%`.* TO app@'%'")?;
        let url = format!("mysql+pymysql://app@127.0.0.1:{}/shop", server.port);
        Self::filled("mysql", mariadb::PASSWORD, url, Server::MariaDb(server))
    }

    fn filled(engine: &'static str, password: &str, url: String, server: Server) -> Result<Self, String> {
        let home = tempfile::tempdir().map_err(|error| error.to_string())?;
        fs::write(home.path().join("password"), format!("{password}\n")).map_err(|error| error.to_string())?;
        let shop = Self { home, engine, url, server };
        let text = AWKWARD.replace('\\', if engine == "mysql" { "\\\\" } else { "\\" });
        shop.sql("shop", "CREATE TABLE users (id int PRIMARY KEY, name text)")?;
        shop.sql(
            "shop",
            "CREATE TABLE orders (id int PRIMARY KEY, buyer int NOT NULL, FOREIGN KEY (buyer) REFERENCES users (id))",
        )?;
        shop.sql("shop", "CREATE TABLE nothing (id int)")?;
        let users: Vec<String> = (1..=500).map(|id| format!("({id}, '{text}{}')", id * 7919 % 1000)).collect();
        shop.sql("shop", &format!("INSERT INTO users VALUES {}", users.join(", ")))?;
        shop.sql("shop", "INSERT INTO orders SELECT id, id FROM users WHERE id <= 100")?;
        Ok(shop)
    }

    fn sql(&self, database: &str, sql: &str) -> Result<String, String> {
        match &self.server {
            Server::Postgres(server) => server.psql_in(database, sql),
            Server::MariaDb(server) => server.sql(&format!("USE {database}; {sql}")),
        }
    }

    /// The names of all databases of the shop.
    fn databases(&self) -> Vec<String> {
        let sql = match &self.server {
            Server::Postgres(_) => "SELECT datname FROM pg_database WHERE datname LIKE 'shop%' ORDER BY 1",
            Server::MariaDb(_) => {
                "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'shop%' ORDER BY 1"
            }
        };
        let asked = match &self.server {
            Server::Postgres(server) => server.psql(sql),
            Server::MariaDb(server) => server.sql(sql),
        };
        asked.expect("names").lines().map(str::to_owned).collect()
    }

    /// Rows of users and orders, and a sum over the texts.
    fn contents(&self, database: &str) -> String {
        let length = if self.engine == "mysql" { "char_length" } else { "length" };
        let users = self.sql(database, &format!("SELECT count(*), sum({length}(name)) FROM users"));
        let orders = self.sql(database, "SELECT count(*) FROM orders");
        format!("{} {}", users.expect("users").replace('|', "\t"), orders.expect("orders"))
    }

    /// An application that stays connected.
    fn client(&self) -> Option<Running> {
        let Server::Postgres(server) = &self.server else { return None };
        let mut command = Command::new("psql");
        command.env("PGPASSWORD", postgres::PASSWORD).args(["-X", "-h", "127.0.0.1", "-U", "postgres", "-d", "shop"]);
        command.args(["-p", &server.port.to_string(), "-c", "SELECT pg_sleep(600)"]);
        let client = Running::start(&mut command);
        let sleeps =
            || server.psql("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND datname = 'shop'");
        wait_for("a client", Duration::from_secs(20), || sleeps().is_ok_and(|found| found == "1").then_some(()));
        Some(client)
    }

    fn backups(&self) -> PathBuf {
        self.home.path().join(self.engine)
    }

    fn command(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(tests::repo::root().join("docker/backup").join(script));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).args(arguments);
        command.env("DATABASE_URL", &self.url).env("DATABASE_PASSWORD_FILE", self.home.path().join("password"));
        command.env("BACKUP_DIR", self.home.path());
        command
    }

    fn run(&self, script: &str, arguments: &[&str]) -> Finished {
        let finished = finish_command(&mut self.command(script, arguments));
        assert!(!format!("{finished:?}").contains("canary"), "no password in {finished:?}");
        finished
    }

    /// Makes a backup and gives its path.
    fn backup(&self) -> PathBuf {
        let finished = self.run("backup", &[]);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        PathBuf::from(finished.stdout.trim_end())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What `agent probe` says of the backups in a folder: exit code and text.
fn judged(folder: &Path) -> (i32, String) {
    let finished = finish("agent", &["probe", &format!("file://{}/*.sql.gz?settle=0s&max_age=26h", folder.display())]);
    (finished.code, finished.stdout)
}

fn dated(path: &Path, age: Duration) {
    let file = fs::File::options().append(true).open(path).expect("a file");
    file.set_modified(SystemTime::now() - age).expect("a date");
}

const DAY: Duration = Duration::from_hours(24);

fn both(test: &str, check: fn(&Shop)) {
    for shop in [Shop::postgres(), Shop::mariadb()] {
        match shop {
            Ok(shop) => check(&shop),
            Err(why) => skipped(test, &why),
        }
    }
}

#[test]
fn each_damage_of_a_real_backup_has_its_reason() {
    both("each_damage_of_a_real_backup_has_its_reason", |shop| {
        let good = shop.backup();
        let name = good.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(
            name.starts_with("shop-2")
                && name.ends_with("Z.sql.gz")
                && name.len() == "shop-20261121T000000Z.sql.gz".len(),
            "{name}"
        );
        assert_eq!(fs::metadata(&good).expect("a backup").permissions().mode() & 0o777, 0o640, "not for everybody");
        let (code, said) = judged(&shop.backups());
        assert_eq!(code, 0, "{said}");
        let dump = if shop.engine == "mysql" { "dump of MySQL, whole" } else { "dump of PostgreSQL, whole" };
        for words in [dump, &name, "sidecar_backup_valid", "sidecar_backup_age_seconds", "sidecar_backup_count"] {
            assert!(said.contains(words), "no `{words}` in {said}");
        }
        let bytes = fs::read(&good).expect("a backup");
        let plain = finish_command(Command::new("gzip").arg("-dc").arg(&good)).stdout;
        let cut = tempfile::NamedTempFile::new().expect("a file");
        fs::write(cut.path(), &plain[..plain.len() - 200]).expect("a cut dump");
        let cut = packed(cut.path());
        type Damage<'a> = (&'a str, &'a [u8], Duration, &'a str, &'a str);
        let damages: [Damage<'_>; 6] = [
            ("truncated", &bytes[..bytes.len() - 100], Duration::ZERO, "body", "ends in the middle of its gzip stream"),
            ("cut before it was packed", &cut, Duration::ZERO, "body", "was cut short"),
            ("garbage", b"garbage", Duration::ZERO, "body", "is no gzip file"),
            ("empty", b"", Duration::ZERO, "body", "is no gzip file"),
            ("old", &bytes, DAY + Duration::from_hours(3), "stale", "is 1d 3h old, at most 1d 2h allowed"),
            ("whole", &bytes, Duration::ZERO, "", ""),
        ];
        for (what, bytes, age, reason, words) in damages {
            fs::write(&good, bytes).expect("written");
            dated(&good, age);
            let (code, said) = judged(&shop.backups());
            assert_eq!(code, i32::from(!reason.is_empty()), "{what}: {said}");
            let verdict = if reason.is_empty() { "ok in ".to_owned() } else { format!(": {reason}\n") };
            assert!(said.contains(&verdict) && said.contains(words), "{what}: {said}");
        }
        for day in 1..4 {
            let earlier = good.with_file_name(format!("shop-2026010{day}T000000Z.sql.gz"));
            fs::copy(&good, &earlier).expect("a copy");
            dated(&earlier, DAY * day);
        }
        shop.sql("shop", "DELETE FROM orders").expect("rows deleted");
        shop.sql("shop", "DELETE FROM users WHERE id > 5").expect("rows deleted");
        std::thread::sleep(Duration::from_secs(1));
        shop.backup();
        let (code, said) = judged(&shop.backups());
        assert!(code == 1 && said.contains(": body\n") && said.contains("of the median of the earlier ones"), "{said}");
        let empty = tempfile::tempdir().expect("a folder");
        let (code, said) = judged(empty.path());
        assert!(code == 1 && said.contains(": stale\n") && said.contains("there is no backup"), "{said}");
    });
}

fn packed(file: &Path) -> Vec<u8> {
    let output = Command::new("gzip").arg("-c").arg(file).output().expect("gzip");
    output.stdout
}

#[test]
fn a_restore_brings_the_rows_back_and_can_be_undone() {
    both("a_restore_brings_the_rows_back_and_can_be_undone", |shop| {
        let before = shop.contents("shop");
        let good = shop.backup();
        let listed = shop.run("restore", &[]);
        assert!(listed.code == 0 && listed.stdout.contains(&good.display().to_string()), "{listed:?}");
        shop.sql("shop", "DROP TABLE orders").expect("a table dropped");
        shop.sql("shop", "DELETE FROM users WHERE id > 3").expect("rows deleted");
        shop.sql("shop", "CREATE TABLE orders (id int)").expect("another table");
        let harmed = shop.contents("shop");
        let finished = shop.run("restore", &["latest"]);
        assert!(finished.code == 2 && finished.stderr.contains("nobody answers"), "{finished:?}");
        let _client = shop.client();
        for (answer, code) in [("shopp", 2), ("shop", 0)] {
            let mut command = Command::new("bash");
            let restore = shop.command("restore", &["latest"]);
            for (name, value) in restore.get_envs() {
                command.env(name, value.unwrap_or_default());
            }
            command.args(["-c", "printf '%s\\n' \"$1\" | \"$0\" latest"]).arg(restore.get_program()).arg(answer);
            let finished = finish_command(&mut command);
            assert_eq!(finished.code, code, "{answer}: {}", finished.stderr);
            let expected = if code == 0 { &before } else { &harmed };
            assert_eq!(&shop.contents("shop"), expected, "{}", finished.stderr);
            if code == 0 {
                assert!(
                    finished.stderr.contains("restored `shop`: 600 rows in 3 tables, counted"),
                    "{}",
                    finished.stderr
                );
                undo(shop, &finished.stderr, &harmed);
            }
        }
        let copied = shop.run("restore", &["--yes", "--into", "shop_copy", &good.display().to_string()]);
        assert_eq!(copied.code, 0, "{}", copied.stderr);
        assert_eq!((shop.contents("shop_copy"), shop.contents("shop")), (before, harmed), "only the copy is new");
        let again = shop.run("restore", &["--yes", "--into", "shop_copy", "latest"]);
        assert!(again.code == 2 && again.stderr.contains("already"), "{again:?}");
    });
}

/// Does what the words of a restore say that undoes it.
fn undo(shop: &Shop, words: &str, harmed: &str) {
    let databases = shop.databases();
    assert!(databases.len() == 2 && databases[1].starts_with("shop_before_"), "{databases:?}");
    assert_eq!(shop.contents(&databases[1]), harmed, "the old one is kept");
    let safety = words.lines().find_map(|line| line.strip_prefix("undo:")).expect("words about undoing");
    let safety = safety.trim().strip_prefix("restore ").expect("a command");
    assert!(Path::new(safety).parent().is_some_and(|folder| folder.ends_with("before-restore")), "{safety}");
    std::thread::sleep(Duration::from_secs(1));
    let undone = shop.run("restore", &["--yes", safety]);
    assert_eq!(undone.code, 0, "{}", undone.stderr);
    assert_eq!(shop.contents("shop"), harmed);
}

#[test]
fn a_restore_that_fails_leaves_the_old_database() {
    both("a_restore_that_fails_leaves_the_old_database", |shop| {
        let before = shop.contents("shop");
        let good = shop.backup();
        let plain = finish_command(Command::new("gzip").arg("-dc").arg(&good)).stdout;
        let refused = plain.replacen("PRIMARY KEY", "PRIMARY KEYS", 1);
        let end = if shop.engine == "mysql" { "-- Dump completed" } else { "--\n-- PostgreSQL database dump complete" };
        let table = if shop.engine == "mysql" { "orders" } else { "public.orders" };
        let lossy = plain.replacen(end, &format!("DELETE FROM {table};\nCOMMIT;\n{end}"), 1);
        let cut = &plain[..plain.len() - 300];
        let other = "--\n-- SQLite dump\n";
        for (what, text, code, words) in [
            ("an error in the middle", refused.as_str(), 1, "could not be loaded"),
            ("rows that are lost", lossy.as_str(), 1, "are not those of the backup"),
            ("a dump without its end", cut, 1, "was cut short"),
            ("another dump", other, 1, "is no dump of"),
        ] {
            let file = tempfile::NamedTempFile::new().expect("a file");
            fs::write(file.path(), text).expect("a dump");
            let bad = shop.backups().join("bad.sql.gz");
            fs::write(&bad, packed(file.path())).expect("a backup");
            std::thread::sleep(Duration::from_secs(1));
            let finished = shop.run("restore", &["--yes", "bad.sql.gz"]);
            assert_eq!(finished.code, code, "{what}: {finished:?}");
            assert!(finished.stderr.contains(words), "{what}: {}", finished.stderr);
            assert_eq!(shop.contents("shop"), before, "{what}: the old database is as it was");
            assert_eq!(shop.databases(), ["shop"], "{what}: nothing is left behind");
        }
    });
}

#[test]
fn a_database_that_is_gone_is_restored_and_keeps_its_sidecar_quiet() {
    both("a_database_that_is_gone_is_restored_and_keeps_its_sidecar_quiet", |shop| {
        let before = shop.contents("shop");
        shop.backup();
        let elsewhere = if shop.engine == "mysql" { "mysql" } else { "postgres" };
        shop.sql(elsewhere, "DROP DATABASE shop").expect("dropped");
        let finished = shop.run("restore", &["--yes", "latest"]);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_eq!((shop.contents("shop"), shop.databases()), (before, vec!["shop".to_owned()]));
        assert_eq!(judged(&shop.backups()).0, 0, "what a restore leaves beside the backups is none");
    });
}

#[test]
fn what_mysql_cannot_move_is_refused_before_anything_is_touched() {
    let shop = match Shop::mariadb() {
        Ok(shop) => shop,
        Err(why) => return skipped("what_mysql_cannot_move_is_refused_before_anything_is_touched", &why),
    };
    // The view belongs to root: whoever restores it must be allowed to make views for others.
    shop.sql("shop", "GRANT SET USER ON *.* TO app@'%'").expect("a grant");
    let before = shop.contents("shop");
    shop.sql("shop", "CREATE VIEW buyers AS SELECT buyer FROM orders").expect("a view");
    shop.backup();
    let refused = |what: &str| {
        let finished = shop.run("restore", &["--yes", "latest"]);
        assert!(finished.code == 2 && finished.stderr.contains("--into shop_restored"), "{what}: {finished:?}");
        assert_eq!((shop.contents("shop"), shop.databases()), (before.clone(), vec!["shop".to_owned()]), "{what}");
    };
    refused("a view in both");
    shop.sql("shop", "DROP VIEW buyers").expect("no view");
    refused("a view in the backup alone");
    let copied = shop.run("restore", &["--yes", "--into", "shop_restored", "latest"]);
    assert_eq!(copied.code, 0, "{}", copied.stderr);
    assert_eq!(shop.sql("shop_restored", "SELECT count(*) FROM buyers").expect("the view"), "100");
}

#[test]
fn the_scripts_pass_shellcheck() {
    if let Err(why) = tests::servers::installed("shellcheck") {
        return skipped("the_scripts_pass_shellcheck", &why);
    }
    let mut command = Command::new("shellcheck");
    command.current_dir(tests::repo::root()).args([
        "-x",
        "docker/backup/backup",
        "docker/backup/restore",
        "docker/backup/database.sh",
    ]);
    let finished = finish_command(&mut command);
    assert_eq!(finished.code, 0, "{}", finished.stdout);
}

#[test]
fn retention_keeps_the_newest_and_touches_nobody_elses() {
    let shop = match Shop::postgres() {
        Ok(shop) => shop,
        Err(why) => return skipped("retention_keeps_the_newest_and_touches_nobody_elses", &why),
    };
    fs::create_dir(shop.backups()).expect("a folder");
    let mut foreign =
        vec!["notes.txt".to_owned(), "shop-eu-20200101T000000Z.sql.gz".to_owned(), "shop-by-hand.sql.gz".to_owned()];
    let ours = (1..=9).map(|day| format!("shop-2020010{day}T000000Z.sql.gz"));
    for name in ours.chain(foreign.iter().cloned()) {
        fs::write(shop.backups().join(name), "x").expect("a file");
    }
    fs::write(shop.backups().join(".shop-20200101T000000Z.sql.gz.tmp"), "x").expect("what a killed run left");
    let new = shop.backup();
    let mut expected: Vec<String> = (4..=9).map(|day| format!("shop-2020010{day}T000000Z.sql.gz")).collect();
    expected.push(new.file_name().expect("a name").to_string_lossy().into_owned());
    expected.push(".shop.lock".to_owned());
    expected.append(&mut foreign);
    expected.sort();
    assert_eq!(names(&shop.backups()), expected, "seven are kept however old");
    std::thread::sleep(Duration::from_secs(1));
    let finished =
        finish_command(shop.command("backup", &[]).env("BACKUP_KEEP_LEAST", "1").env("BACKUP_KEEP_DAYS", "30"));
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let left = names(&shop.backups());
    assert!(!left.iter().any(|name| name.starts_with("shop-2020")), "{left:?}");
    assert!(new.exists(), "the one of a moment ago is not old");
}

/// A folder with every program of `PATH` but one.
fn without(program: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for bin in ["/usr/bin", "/usr/local/bin"] {
        for entry in fs::read_dir(bin).into_iter().flatten().map(|entry| entry.expect("an entry")) {
            if entry.file_name() != program {
                // The first of a name stands.
                let _there = symlink(entry.path(), folder.path().join(entry.file_name()));
            }
        }
    }
    folder
}

#[test]
fn a_backup_that_cannot_be_made_says_why_and_leaves_nothing() {
    let shop = match Shop::postgres() {
        Ok(shop) => shop,
        Err(why) => return skipped("a_backup_that_cannot_be_made_says_why_and_leaves_nothing", &why),
    };
    fs::create_dir(shop.backups()).expect("a folder");
    let fails = |command: &mut Command, code: i32, words: &str| {
        let finished = finish_command(command);
        assert_eq!(finished.code, code, "{finished:?}");
        assert!(finished.stderr.contains(words), "no `{words}` in {}", finished.stderr);
        let left = names(&shop.backups());
        assert!(left.iter().all(|name| name.starts_with(".shop.lock")), "{left:?}");
    };
    let backup = || shop.command("backup", &[]);
    fails(backup().env_remove("DATABASE_URL"), 2, "`DATABASE_URL` is not set");
    fails(backup().env("DATABASE_URL", "sqlite:///x.db"), 2, "neither of PostgreSQL nor of MySQL");
    fails(backup().env("DATABASE_URL", "postgres://db"), 2, "names no database");
    fails(backup().env("DATABASE_URL", "postgres://db/a%2fb"), 2, "the name of the database is not");
    fails(backup().env("DATABASE_PASSWORD_FILE", "/no/such/file"), 2, "cannot be read");
    fails(backup().env("BACKUP_KEEP_DAYS", "ten"), 2, "are whole numbers");
    fails(&mut shop.command("backup", &["--quick"]), 2, "unknown argument `--quick`");
    let wrong = shop.home.path().join("wrong");
    fs::write(&wrong, "c4nary").expect("a password");
    fails(backup().env("DATABASE_PASSWORD_FILE", &wrong), 1, "the dump of `shop` failed");
    let lock = fs::File::create(shop.backups().join(".shop.lock")).expect("a lock");
    lock.lock().expect("locked");
    fails(&mut backup(), 4, "another backup or restore of this database is running");
    drop(lock);
    let bare = without("flock");
    let folder = shop.backups().join(".shop.lock.d");
    fs::create_dir(&folder).expect("a lock");
    fails(backup().env("PATH", bare.path()), 4, "if it was killed, remove");
    fs::remove_dir(&folder).expect("unlocked");
    let finished = finish_command(backup().env("PATH", bare.path()));
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(!folder.exists(), "the lock is gone with its owner");
}

#[test]
fn the_password_may_stand_in_the_url_and_hold_any_sign() {
    let shop = match Shop::postgres() {
        Ok(shop) => shop,
        Err(why) => return skipped("the_password_may_stand_in_the_url_and_hold_any_sign", &why),
    };
    shop.sql("postgres", "CREATE ROLE \"o'brien\" LOGIN SUPERUSER PASSWORD 'a:b\\c@d%e\"f'").expect("a role");
    let port = shop.url.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()).expect("a port");
    let url = format!("postgres://o'brien:a%3Ab%5Cc%40d%25e%22f@127.0.0.1:{port}/shop");
    let finished =
        finish_command(shop.command("backup", &[]).env("DATABASE_URL", url).env_remove("DATABASE_PASSWORD_FILE"));
    assert_eq!(finished.code, 0, "{}", finished.stderr);
}
