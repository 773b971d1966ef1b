//! A real MariaDB, from Debian's package, with `root` over its socket and a user with a password over TCP.

use super::start::{Server, folder, free_port, installed, output, unprivileged};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The password of the user `app`.
pub const PASSWORD: &str = "canary-mariadb";

/// A MariaDB at work, with a database `shop` and a user `app` who owns it.
pub struct MariaDb {
    /// Its port on loopback.
    pub port: u16,
    /// Its unix socket.
    pub socket: PathBuf,
    /// The process and its folder.
    pub server: Server,
}

impl MariaDb {
    /// Starts one; `settings` are more words of its command line: `--max-connections=20`.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start(settings: &[&str]) -> Result<Self, String> {
        let (program, folder, port) = (installed("mariadbd")?, folder()?, free_port());
        let (home, data) = (folder.path(), folder.path().join("data"));
        let socket = home.join("socket");
        let mut install = unprivileged(&installed("mariadb-install-db")?, home);
        install.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
        // A server that starts deletes the temporary tables of all others that share its folder for them.
        install.env("TMPDIR", home);
        output(install.args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]))?;
        let mut command = unprivileged(&program, home);
        command.env("TMPDIR", home);
        command.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
        command.arg(format!("--socket={}", socket.display())).arg(format!("--port={port}"));
        command
            .args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=16M"])
            .args(settings);
        let server = Server::start(command, folder)?;
        let server = server.until(|| sql(&socket, "SELECT 1").is_ok())?;
        let account = format!(
            "CREATE DATABASE shop; CREATE USER app@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON shop.* TO app@'%'"
        );
        sql(&socket, &account)?;
        Ok(Self { port, socket, server })
    }

    /// What `mariadb` prints for a query of `root`, without decoration.
    ///
    /// # Errors
    /// When it fails.
    pub fn sql(&self, query: &str) -> Result<String, String> {
        sql(&self.socket, query)
    }

    /// Makes it follow another one by GTID, which must write binary logs and have another server id; both keep what they have.
    ///
    /// # Errors
    /// When either refuses.
    pub fn follow(&self, primary: &Self) -> Result<(), String> {
        primary.sql("GRANT REPLICATION SLAVE ON *.* TO app@'%'")?;
        let at = primary.sql("SELECT @@gtid_binlog_pos")?;
        let change = format!(
            "SET GLOBAL gtid_slave_pos = '{at}'; CHANGE MASTER TO master_host='127.0.0.1', master_port={}, \
             master_user='app', master_password='{PASSWORD}', master_use_gtid=slave_pos, master_connect_retry=1; START SLAVE",
            primary.port
        );
        self.sql(&change).map(drop)
    }

    /// Starts it again at the same port with the same data, after a stop.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<(), String> {
        let socket = self.socket.clone();
        self.server.restart(|| sql(&socket, "SELECT 1").is_ok())
    }
}

fn sql(socket: &Path, query: &str) -> Result<String, String> {
    let mut command = Command::new("mariadb");
    command.arg("--no-defaults").arg("--socket").arg(socket).args(["-u", "root", "-N", "-B", "-e", query]);
    output(&mut command)
}
