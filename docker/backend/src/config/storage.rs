//! Owns where the rows live and where the cache is, as `DATABASE_URL` and `REDIS_URL` say.

use std::path::PathBuf;

use super::{
    reader::{Reader, SecretName},
    server_url::{self, Form, ServerUrl},
};

const DATABASE: SecretName = SecretName { plain: "DATABASE_URL", file: "DATABASE_URL_FILE" };
const DATABASE_PASSWORD: SecretName = SecretName { plain: "DATABASE_PASSWORD", file: "DATABASE_PASSWORD_FILE" };
const REDIS: SecretName = SecretName { plain: "REDIS_URL", file: "REDIS_URL_FILE" };
const REDIS_PASSWORD: SecretName = SecretName { plain: "REDIS_PASSWORD", file: "REDIS_PASSWORD_FILE" };

const POSTGRES: Form = Form {
    variable: DATABASE.plain,
    password: DATABASE_PASSWORD,
    scheme: "postgres",
    port: 5432,
    names_database: true,
    parameters: &["sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "options"],
    example: "postgres://user@host:5432/database",
};
const MYSQL: Form = Form {
    variable: DATABASE.plain,
    password: DATABASE_PASSWORD,
    scheme: "mysql",
    port: 3306,
    names_database: true,
    parameters: &["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key"],
    example: "mysql://user@host:3306/database",
};
const REDIS_FORM: Form = Form {
    variable: REDIS.plain,
    password: REDIS_PASSWORD,
    scheme: "redis",
    port: 6379,
    names_database: false,
    parameters: &[],
    example: "redis://host:6379/0",
};

/// Where the rows live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A file of our own in the temporary directory, removed at the end: the default, as a demo should leave nothing behind.
    Temporary,
    /// `sqlite::memory:`. One connection only, since each connection would see a database of its own.
    Memory,
    /// `sqlite://path`, created when missing.
    File(PathBuf),
    /// `postgres://…`
    Postgres(ServerUrl),
    /// `mysql://…` or `mariadb://…`
    MySql(ServerUrl),
}

/// What `DATABASE_URL` says; a file that is removed again when it says nothing.
pub(super) fn storage(reader: &mut Reader<'_>) -> Storage {
    let forms = "`postgres://…`, `mysql://…`, `sqlite://path/to/file.db` or `sqlite::memory:`";
    let Some(url) = reader.secret(DATABASE, 1) else {
        refuse_lonely_password(reader, DATABASE_PASSWORD, DATABASE);
        return Storage::Temporary;
    };
    let Some((scheme, rest)) = url.reveal().split_once(':') else {
        reader.problem(DATABASE.plain, "is not a URL", forms);
        return Storage::Temporary;
    };
    let rest_with_colon = url.reveal().get(scheme.len()..).unwrap_or_default();
    // `postgresql+asyncpg`: the driver is another program's business.
    let read = match scheme.split('+').next().unwrap_or(scheme) {
        "sqlite" => return sqlite(reader, rest),
        "postgres" | "postgresql" => server_url::read(reader, rest_with_colon, &POSTGRES).map(Storage::Postgres),
        "mysql" | "mariadb" => server_url::read(reader, rest_with_colon, &MYSQL).map(Storage::MySql),
        _ => {
            // Only the scheme is repeated: what follows may hold a password.
            let message = format!("names a database that this build has no driver for: `{}`", printable(scheme));
            reader.problem(DATABASE.plain, &message, &format!("it must be {forms}"));
            None
        }
    };
    read.unwrap_or(Storage::Temporary)
}

fn sqlite(reader: &mut Reader<'_>, rest: &str) -> Storage {
    if reader.is_given(DATABASE_PASSWORD) {
        reader.problem(DATABASE_PASSWORD.plain, "is set, and SQLite has no password", "unset it, or name a server");
    }
    match rest.strip_prefix("//").unwrap_or(rest) {
        ":memory:" => Storage::Memory,
        "" => {
            reader.problem(DATABASE.plain, "names no file", "`sqlite://path/to/file.db` or `sqlite::memory:`");
            Storage::Temporary
        }
        path => Storage::File(PathBuf::from(path.split_once('?').map_or(path, |(file, _)| file))),
    }
}

/// What `REDIS_URL` says; without it nothing is cached.
pub(super) fn redis(reader: &mut Reader<'_>) -> Option<ServerUrl> {
    let Some(url) = reader.secret(REDIS, 1) else {
        refuse_lonely_password(reader, REDIS_PASSWORD, REDIS);
        return None;
    };
    let (scheme, _) = url.reveal().split_once(':').unwrap_or(("", ""));
    if scheme != REDIS_FORM.scheme {
        let message = format!("is no URL of a Redis that this build can talk to: `{}`", printable(scheme));
        let hint = format!("such as `{}`; TLS (`rediss`) is not built in", REDIS_FORM.example);
        reader.problem(REDIS.plain, &message, &hint);
        return None;
    }
    let redis = server_url::read(reader, url.reveal().get(scheme.len()..).unwrap_or_default(), &REDIS_FORM)?;
    let number = redis.reveal().path().trim_matches('/');
    if !number.is_empty() && number.parse::<u8>().is_err() {
        reader.problem(REDIS.plain, "names a database that is no number", "such as `redis://host:6379/0`");
        return None;
    }
    Some(redis)
}

fn refuse_lonely_password(reader: &mut Reader<'_>, password: SecretName, url: SecretName) {
    if reader.is_given(password) && !reader.is_given(url) {
        reader.problem(password.plain, "is set without a URL that it belongs to", &format!("set `{}`", url.plain));
    }
}

/// A scheme has few possible characters; anything else may be the beginning of a secret.
fn printable(scheme: &str) -> &str {
    let is_scheme = scheme.len() <= 24 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if is_scheme { scheme } else { "…" }
}
