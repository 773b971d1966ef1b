//! Forms that people write, forms that nobody should, and a canary that must never be seen.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Target {
    Target::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// All parts in one line: scheme, user, password, host, port, path.
fn parts(text: &str) -> String {
    let t = read(text);
    let password = t.password.as_ref().map_or("-", |p| p.expose());
    format!(
        "{} {} {} {} {} {}",
        t.scheme,
        t.user,
        password,
        t.host,
        t.port.map_or("-".into(), |p| p.to_string()),
        t.path
    )
}

fn refused(text: &str) -> String {
    let error = Target::parse(text).expect_err(text);
    format!("{error}\nhint: {}", error.hint.as_deref().unwrap_or_default())
}

#[test]
fn reads_what_applications_write() {
    let cases = [
        ("http://backend:8000/health", "http  - backend 8000 /health"),
        ("postgresql+asyncpg://app:pw@db:5432/shop", "postgresql app pw db 5432 /shop"),
        ("mysql+pymysql://app:pw@db/shop", "mysql app pw db - /shop"),
        ("jdbc:postgresql://db:5432/shop?user=app&password=pw", "postgresql app pw db 5432 /shop"),
        ("jdbc:mariadb://db/shop", "mariadb  - db - /shop"),
        ("redis://:secret@host:6379/0", "redis  secret host 6379 /0"),
        ("rediss://host", "rediss  - host - "),
        ("valkey://:sec@ret@host/0", "valkey  sec@ret host  /0"),
        ("POSTGRES://App@DB/x", "postgres App - DB - /x"),
        ("tcp://[::1]:5432", "tcp  - ::1 5432 "),
        ("tcp://[fe80::1%25eth0]:80", "tcp  - fe80::1%eth0 80 "),
        ("tcp://host:", "tcp  - host - "),
        ("unix:///run/app.sock", "unix  -  - /run/app.sock"),
        ("unix:/run/app.sock", "unix  -  - /run/app.sock"),
        ("file:///backups/*.sql.gz?max_age=26h", "file  -  - /backups/*.sql.gz"),
        ("postgresql:///shop?host=db.internal&port=5433&user=app", "postgresql app - db.internal 5433 /shop"),
        ("postgresql://db?dbname=shop", "postgresql  - db - /shop"),
        ("https://medium.com/@someone?mail=a@b.c", "https  - medium.com - /@someone"),
        ("http://bücher.example/", "http  - xn--bcher-kva.example - /"),
        ("  http://host/#part \n", "http  - host - /"),
    ];
    for (text, expected) in cases {
        assert_eq!(parts(text), expected, "{text}");
    }
}

#[test]
fn reads_passwords_as_people_really_write_them() {
    let cases = [
        ("p@ss", "p@ss"),
        ("p:ss", "p:ss"),
        ("p#ss", "p#ss"),
        ("12#34", "12#34"),
        ("p/ss", "p/ss"),
        ("p?ss", "p?ss"),
        ("100%", "100%"),
        ("50%zz", "50%zz"),
        ("a@b@c", "a@b@c"),
        ("p/a@b", "p/a@b"),
        ("p%40ss%2F", "p@ss/"),
        ("my pass", "my pass"),
        ("pä$$", "pä$$"),
        ("", ""),
    ];
    for (written, password) in cases {
        for scheme in ["postgres", "mysql", "redis"] {
            let target = read(&format!("{scheme}://app:{written}@db.host:5432/7"));
            assert_eq!(target.password.as_ref().map(Secret::expose), Some(password), "{scheme} {written}");
            assert_eq!(
                (target.user.as_str(), target.host.as_str(), target.port),
                ("app", "db.host", Some(5432)),
                "{written}"
            );
            assert_eq!(target.database(), "7", "{written}");
        }
    }
}

#[test]
fn refuses_a_url_that_can_be_read_in_two_ways() {
    for text in [
        "postgres://u:p@ss/word@host:5432/db",
        "postgres://u:12/34@host/db",
        "postgres://u:12?34@host/db",
        "redis://u:a/b@c/d@e/0",
    ] {
        assert!(refused(text).contains("two ways"), "{text}: {}", refused(text));
    }
}

#[test]
fn finds_sockets() {
    let cases = [
        ("postgresql://user@/db?host=/var/run/postgresql", "/var/run/postgresql"),
        ("postgresql://user@%2Fvar%2Frun%2Fpostgresql/db", "/var/run/postgresql"),
        ("mysql://user@localhost/db?unix_socket=/run/mysqld/mysqld.sock", "/run/mysqld/mysqld.sock"),
        ("mysql://user@/db?socket=/run/mysqld/mysqld.sock", "/run/mysqld/mysqld.sock"),
        ("redis+socket:///run/redis.sock", "/run/redis.sock"),
    ];
    for (text, socket) in cases {
        assert_eq!(read(text).socket(), Some(PathBuf::from(socket)), "{text}");
    }
    assert_eq!(read("postgresql://db/shop").socket(), None);
}

#[test]
fn parameters_come_decoded() {
    let target = read("postgres://db/shop?sslmode=require&options=-c%20a%3Db&flag&x=1+1");
    assert_eq!(target.param(&["ssl-mode", "sslmode"]).as_deref(), Some("require"));
    assert_eq!(target.param(&["options"]).as_deref(), Some("-c a=b"));
    assert_eq!(target.param(&["x"]).as_deref(), Some("1+1"));
    assert_eq!(target.params().len(), 4);
    assert_eq!(target.param(&["absent"]), None);
}

#[test]
fn sqlite_has_nothing_to_probe() {
    for text in
        ["sqlite:///./app.db", "sqlite+aiosqlite:////data/app.db", "sqlite::memory:", "jdbc:sqlite:app.db", "SQLite3:x"]
    {
        assert!(nothing_to_probe(text).is_some(), "{text}");
    }
    assert_eq!(nothing_to_probe("postgres://db/x"), None);
    insta::assert_snapshot!(Target::parse("sqlite:///app.db").unwrap_err(), @"SQLite is a file inside the application: there is nothing to probe, the check is left out");
}

#[test]
fn says_what_to_write_instead() {
    insta::assert_snapshot!(refused("db.internal:5432"), @r"
    the URL has no scheme
    hint: write `tcp://host:port` for a plain connection
    ");
    insta::assert_snapshot!(refused("hello"), @r"
    this is not a URL: it does not begin with a scheme
    hint: write it like `http://host:8000/health`, `postgres://user:password@host:5432/name` or `tcp://host:port`
    ");
    insta::assert_snapshot!(refused("postgres://u:p@host:99999/db"), @r"
    the port of the URL is not a number from 1 to 65535
    hint: if it is part of a password, percent-encode the password: `@` is `%40`, `:` is `%3A`, `/` is `%2F`, `?` is `%3F`, `#` is `%23`, `%` is `%25`
    ");
    insta::assert_snapshot!(refused("tcp://::1:5432"), @r"
    the IPv6 address of the URL is not one in brackets
    hint: write it like `tcp://[::1]:5432`
    ");
    insta::assert_snapshot!(refused("postgres://a:5432,b:5432/db"), @r"
    the URL names several hosts
    hint: write one check for each host, so that each is seen
    ");
    insta::assert_snapshot!(refused("http:///health"), @r"
    the URL names no host
    hint: write `scheme://host:port`, with the host that the application uses
    ");
    insta::assert_snapshot!(refused("http://host/a b"), @r"
    the URL contains a space
    hint: percent-encode it: a space is `%20`
    ");
    insta::assert_snapshot!(refused("http://ho\u{1}st/"), @r"
    the URL contains a control character
    hint: look for a stray line break in it
    ");
}

#[test]
fn suggests_the_scheme_that_was_meant() {
    let said = |scheme| {
        let error = unknown_scheme(scheme, &["http", "postgres", "redis"]);
        format!("{error}\nhint: {}", error.hint.as_deref().unwrap_or_default())
    };
    insta::assert_snapshot!(said("htpp"), @r"
    unknown URL scheme `htpp`
    hint: did you mean `http`? known schemes: http, postgres, redis
    ");
    insta::assert_snapshot!(said("gopher"), @r"
    unknown URL scheme `gopher`
    hint: known schemes: http, postgres, redis
    ");
}

#[test]
fn shows_itself_without_its_secrets() {
    let target = read("postgres://app:canary@[::1]:5432/shop?password=canary&sslmode=require");
    insta::assert_snapshot!(target, @"postgres://[::1]:5432/shop");
    insta::assert_snapshot!(format!("{target:?}"), @r#"Target { url: "postgres://[::1]:5432/shop", password: Some(***), params: 2 }"#);
}

#[test]
fn a_password_that_looks_like_path_and_query_is_refused_and_not_shown() {
    for url in
        ["postgres://a:/CANARY?=@db/shop", "postgres://a:/x?CANARY&=@db/shop", "mysql://a:1/x?y=1&CANARY@db/shop"]
    {
        let error = Target::parse(url).unwrap_err();
        assert!(error.to_string().contains("two ways") && !format!("{error:?}").contains("CANARY"), "{error:?}");
    }
    for url in [
        "postgres://a:12/CANARY?x=@db",
        "redis://a:1/CANARY?x=1&y=@db",
        "http://a:1/CANARY#x@db",
        "http://u:p@CANARY/x@h",
        "tcp://:@CANARY/?@",
    ] {
        let error = Target::parse(url).unwrap_err();
        assert!(error.to_string().contains("two ways") && !format!("{error:?}").contains("CANARY"), "{error:?}");
    }
    for (url, shown) in [
        ("http://a:12/CANARY?x=@db", "http://a:12/***"),
        ("http://a:12/CANARY@db", "http://a:12/***"),
        ("postgres://a:12/CANARY?password=@db", "postgres://a:12/***"),
        ("http://a/health?x=1", "http://a/health"),
    ] {
        assert_eq!(read(url).to_string(), shown);
    }
    let tenant = read("postgres://db/shop?user=app@tenant");
    assert_eq!((tenant.host.as_str(), tenant.user.as_str()), ("db", "app@tenant"));
}

proptest! {
    #[test]
    fn reading_never_panics(text in ".{0,80}", scheme in "(postgres|redis|http|unix|jdbc:mysql|sqlite|[a-z+]{1,9})") {
        let _ = Target::parse(&text);
        let _ = Target::parse(&format!("{scheme}://{text}"));
        let _ = nothing_to_probe(&text);
    }

    /// However the password is written, it is either read or refused, and never shown.
    #[test]
    fn no_output_shows_the_password(before in "[ -~äß]{0,6}", after in "[ -~äß]{0,6}", user in "[a-z@:/#?%]{0,5}",
                                    scheme in "(postgresql\\+psycopg|mysql|mariadb|redis|rediss)", host in "(db|\\[::1\\]|db:5432|:0|a,b)") {
        let shown = match Target::parse(&format!("{scheme}://{user}:{before}CANARY{after}@{host}/shop")) {
            Ok(target) => format!("{target} {target:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains("CANARY"), "{}", shown);
    }

    /// Whatever looks like a password between `//` and the last `@`, in any URL, with all that people forget to encode.
    #[test]
    fn nothing_between_the_slashes_and_the_last_at_is_shown(
        scheme in "(postgres|mysql|redis|rediss|https?|tcp|tls|grpc|jdbc:mysql|file|unix)",
        user in "[a-z]{0,3}(@|/)?", before in "[0-9]{0,2}[:/?#@%&=. ]{0,4}(x=)?", after in "[/?#@:&=%. ]{0,3}(x=|user=)?",
        tail in "(db|db:1|\\[::1\\])?(/shop)?(\\?a=1)?",
    ) {
        let shown = match Target::parse(&format!("{scheme}://{user}:{before}CANARY{after}@{tail}")) {
            Ok(target) => format!("{target} {target:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.to_ascii_uppercase().contains("CANARY"), "{}", shown);
    }

    /// What was encoded comes back as it was.
    #[test]
    fn an_encoded_password_survives(password in ".{0,20}", scheme in "(postgres|mysql|redis|http)") {
        let encoded = percent_encoding::utf8_percent_encode(&password, percent_encoding::NON_ALPHANUMERIC);
        let target = read(&format!("{scheme}://u:{encoded}@host:80/x"));
        prop_assert_eq!(target.password.as_ref().map(Secret::expose), Some(password.as_str()));
    }
}
