//! The environment, well and badly filled in.

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Config, Problems> {
    Config::from_lookup(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
}

fn message(variables: &[(&str, &str)]) -> String {
    read(variables).expect_err("the variables should be refused").to_string()
}

#[test]
fn an_empty_environment_is_a_working_demo() {
    let config = read(&[]).expect("defaults");
    assert_eq!(config.listen.to_string(), "0.0.0.0:8000");
    assert_eq!(config.storage, Storage::Temporary);
    assert_eq!(config.seed_users, 200);
    assert!(config.faults.is_none());
    assert_eq!(config.warnings.len(), 2, "both defaults that a real service must not keep are warned about");
}

#[test]
fn generated_secrets_differ_and_are_long() {
    let (one, two) = (read(&[]).expect("defaults"), read(&[]).expect("defaults"));
    assert_ne!(one.jwt_secret.reveal(), two.jwt_secret.reveal());
    assert!(one.jwt_secret.reveal().len() >= limits::MIN_SECRET_CHARS);
}

#[test]
fn sqlite_urls_are_understood() {
    let storage = |url| read(&[("DATABASE_URL", url)]).expect("a good URL").storage;
    assert_eq!(storage("sqlite::memory:"), Storage::Memory);
    assert_eq!(storage("sqlite://demo.db"), Storage::File("demo.db".into()));
    assert_eq!(storage("sqlite:///var/lib/demo.db?mode=rwc"), Storage::File("/var/lib/demo.db".into()));
}

#[test]
fn every_problem_is_listed_at_once() {
    let text = message(&[
        ("LISTEN", "localhost"),
        ("DATABASE_URL", "oracle+oracledb://app:canary@db/app"),
        ("JWT_SECRET", "canary"),
        ("POOL_SIZE", "1"),
        ("LOG_FORMAT", "xml"),
        ("ADMIN_PASSWORD", ""),
        ("FAULT_STUCK_WORKER", "1"),
    ]);
    let expected = "\
error: `LISTEN` cannot be read
hint: it must be an address and a port, such as `0.0.0.0:8000` or `127.0.0.1:0`
error: `DATABASE_URL` names a database that this build has no driver for: `oracle+oracledb`
hint: it must be `postgres://…`, `mysql://…`, `sqlite://path/to/file.db` or `sqlite::memory:`
error: `POOL_SIZE` is out of range: 1
hint: it must be a whole number from 2 to 64
error: `JWT_SECRET` is too short: 6 characters
hint: at least 32 characters; `openssl rand -base64 48` makes a good one
error: `ADMIN_PASSWORD` is set but empty
hint: give it a value, or unset it for the default
error: `FAULTS` is not `1`, yet a `FAULT_*` variable is set
hint: set `FAULTS=1`, or unset `FAULT_*`
error: `LOG_FORMAT` is neither of its two values
hint: `text` or `json`";
    assert_eq!(text, expected);
}

#[test]
fn no_value_shows_up_in_a_message_or_in_debug_output() {
    let names = [
        "LISTEN",
        "DATABASE_URL",
        "DATABASE_URL_FILE",
        "DATABASE_PASSWORD",
        "REDIS_URL",
        "REDIS_PASSWORD_FILE",
        "JWT_SECRET",
        "POOL_SIZE",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "FAULTS",
        "FAULT_ERROR_RATE",
    ];
    for name in names {
        let text = message(&[(name, "canary canary:x")]);
        assert!(!text.contains("canary"), "{name}: {text}");
    }
    let secret = "canary-canary-canary-canary-canary-canary";
    let config = read(&[("JWT_SECRET", secret), ("ADMIN_PASSWORD", secret), ("SEED_PASSWORD", secret)]).expect("good");
    assert!(!format!("{config:?}").contains("canary"));
}

#[test]
fn faults_can_be_set_at_start_when_allowed() {
    let config = read(&[("FAULTS", "1"), ("FAULT_LATENCY_MS", "250"), ("FAULT_ERROR_RATE", "0.5")]).expect("good");
    let faults = config.faults.expect("allowed");
    assert_eq!((faults.latency_ms, faults.error_rate), (250, 0.5));
}

fn database(url: &str, password: Option<&str>) -> ServerUrl {
    let password = password.map(|password| ("DATABASE_PASSWORD", password));
    let variables: Vec<_> = [("DATABASE_URL", url)].into_iter().chain(password).collect();
    match read(&variables).expect("a good URL").storage {
        Storage::Postgres(url) | Storage::MySql(url) => url,
        other => panic!("not a server: {other:?}"),
    }
}

#[test]
fn database_urls_are_taken_as_people_have_them() {
    for (url, scheme, place) in [
        ("postgres://app:pw@db/shop", "postgres", "db:5432/shop"),
        ("postgresql+asyncpg://app:p%40%2F@db:6543/shop", "postgres", "db:6543/shop"),
        ("postgresql+psycopg2://app@[::1]/shop", "postgres", "[::1]:5432/shop"),
        ("mysql+pymysql://app:pw@db/shop?charset=utf8mb4", "mysql", "db:3306/shop"),
        ("mariadb://app:pw@db:3307/shop", "mysql", "db:3307/shop"),
    ] {
        let read = database(url, None);
        assert_eq!((read.reveal().scheme(), read.place()), (scheme, place), "{url}");
    }
    assert_eq!(database("postgresql+asyncpg://app:p%40%2F@db/shop", None).reveal().password(), Some("p%40%2F"));
}

#[test]
fn a_password_of_its_own_goes_into_the_url_whatever_it_holds() {
    let password = "%41@/:#?[ü ]%";
    let url = database("postgres://app@db/shop?sslmode=require", Some(password));
    let inside = url.reveal().password().expect("a password").to_owned();
    let decoded = percent_encoding::percent_decode_str(&inside).decode_utf8().expect("text").into_owned();
    assert_eq!(decoded, password);
    assert_eq!((url.place(), url.reveal().query()), ("db:5432/shop", Some("sslmode=require")));
}

#[test]
fn a_bad_server_url_is_refused_with_the_way_out() {
    let cases: [&[(&str, &str)]; 6] = [
        &[("DATABASE_URL", "postgres://app:canary#x@db/shop")],
        &[("DATABASE_URL", "mysql://app:canary@db")],
        &[("DATABASE_URL", "postgres://app:canary@db/shop"), ("DATABASE_PASSWORD", "canary")],
        &[("DATABASE_URL", "postgres://app:canary@db/shop?ssl=canary")],
        &[("REDIS_URL", "rediss://:canary@cache")],
        &[("REDIS_URL", "redis://:canary@cache/zero")],
    ];
    let problems = cases.map(|variables| message(variables).lines().next().unwrap_or_default().to_owned());
    assert_eq!(
        problems,
        [
            "error: `DATABASE_URL` cannot be read",
            "error: `DATABASE_URL` names no database",
            "error: `DATABASE_PASSWORD` is set, and the URL of `DATABASE_URL` holds a password as well",
            "error: `DATABASE_URL` asks for TLS by a parameter unknown here",
            "error: `REDIS_URL` is no URL of a Redis that this build can talk to: `rediss`",
            "error: `REDIS_URL` names a database that is no number",
        ]
    );
    for variables in cases {
        assert!(!message(variables).contains("canary"), "{}", message(variables));
    }
}

#[test]
fn every_secret_may_come_from_a_file_and_never_from_two_places() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).expect("writes");
        path.to_str().expect("text").to_owned()
    };
    let (secret, url) = (file("secret", &format!("{}\n", "s".repeat(40))), file("url", "postgres://app@db/shop\r\n"));
    let config = read(&[
        ("JWT_SECRET_FILE", &secret),
        ("ADMIN_PASSWORD_FILE", &secret),
        ("SEED_PASSWORD_FILE", &secret),
        ("DATABASE_URL_FILE", &url),
        ("DATABASE_PASSWORD_FILE", &secret),
        ("REDIS_URL", "redis://cache"),
        ("REDIS_PASSWORD_FILE", &secret),
    ])
    .expect("good");
    let expected = "s".repeat(40);
    for read in [&config.jwt_secret, &config.admin_password, &config.seed_password] {
        assert_eq!(read.reveal(), expected);
    }
    let Storage::Postgres(database) = &config.storage else { panic!("{:?}", config.storage) };
    assert_eq!((database.place(), database.reveal().password()), ("db:5432/shop", Some(expected.as_str())));
    assert_eq!(config.redis.as_ref().and_then(|url| url.reveal().password()), Some(expected.as_str()));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert!(!format!("{config:?}").contains("sss"));

    let (empty, missing) = (file("empty", "\n"), format!("{}/canary", directory.path().display()));
    for (name, file) in [
        ("JWT_SECRET", "JWT_SECRET_FILE"),
        ("ADMIN_PASSWORD", "ADMIN_PASSWORD_FILE"),
        ("SEED_PASSWORD", "SEED_PASSWORD_FILE"),
        ("DATABASE_URL", "DATABASE_URL_FILE"),
        ("REDIS_URL", "REDIS_URL_FILE"),
        ("DATABASE_PASSWORD", "DATABASE_PASSWORD_FILE"),
        ("REDIS_PASSWORD", "REDIS_PASSWORD_FILE"),
    ] {
        let with = |mut variables: Vec<(&'static str, String)>| {
            let url = match name {
                "DATABASE_PASSWORD" => Some(("DATABASE_URL", "postgres://app@db/shop".to_owned())),
                "REDIS_PASSWORD" => Some(("REDIS_URL", "redis://cache".to_owned())),
                _ => None,
            };
            variables.extend(url);
            let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            message(&variables).lines().next().unwrap_or_default().to_owned()
        };
        assert_eq!(
            with(vec![(name, "x".repeat(40)), (file, secret.clone())]),
            format!("error: `{name}` and `{file}` are both set")
        );
        assert_eq!(with(vec![(file, empty.clone())]), format!("error: `{file}` names an empty file"));
        let text = with(vec![(file, missing.clone())]);
        assert_eq!(text, format!("error: `{file}` names a file that cannot be read: no such file"));
    }
}
