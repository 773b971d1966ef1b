//! A restore by the role that the stack's own PostgreSQL gives the application (`docker/db/postgres/10-app.sh`): no superuser, and the
//! extension in its database is not its own.

use std::process::Command;
use tests::program::{Finished, finish_command};
use tests::repo::root;
use tests::servers::postgres::Postgres;
use tests::skipped;

/// The first start's script against this server, its secret in `folder`.
fn prepare(server: &Postgres, folder: &std::path::Path) {
    let secret = folder.join("password").display().to_string();
    std::fs::write(&secret, "canary-of-the-role").expect("written");
    let text =
        tests::repo::read(&root().join("docker/db/postgres/10-app.sh")).replace("/run/secrets/db_password", &secret);
    let mut script = Command::new("bash");
    script.arg("-c").arg(text).env("PGPASSWORD", tests::servers::postgres::PASSWORD);
    let ended = finish_command(script.env("PGHOST", "127.0.0.1").env("PGPORT", server.port.to_string()));
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn the_role_of_the_stack_restores_what_it_backed_up() {
    let server = match Postgres::start(&["shared_preload_libraries=pg_stat_statements"]) {
        Ok(server) => server,
        Err(why) => return skipped("the_role_of_the_stack_restores_what_it_backed_up", &why),
    };
    let home = tempfile::tempdir().expect("a folder");
    prepare(&server, home.path());
    server.psql_in("app", "SET ROLE app; CREATE TABLE users AS SELECT generate_series(1, 5) AS id").expect("a table");
    let run = |script: &str, arguments: &[&str]| -> Finished {
        let mut command = Command::new(root().join("docker/backup").join(script));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).args(arguments);
        command.env("DATABASE_URL", format!("postgresql://app@127.0.0.1:{}/app", server.port));
        command.env("DATABASE_PASSWORD_FILE", home.path().join("password")).env("BACKUP_DIR", home.path());
        let ended = finish_command(&mut command);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended
    };
    let _made = run("backup", &[]);
    server.psql_in("app", "DELETE FROM users WHERE id > 1").expect("rows deleted");
    let restored = run("restore", &["--yes", "latest"]);
    assert_eq!(server.psql_in("app", "SELECT count(*) FROM users").as_deref(), Ok("5"));
    assert!(
        restored.stderr.contains("hint: as superuser, `CREATE EXTENSION pg_stat_statements` in `app`"),
        "{restored:?}"
    );
}
