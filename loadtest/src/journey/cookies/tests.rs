//! Cases of `cookies`, one line each, and property tests.

use super::*;
use proptest::prelude::*;

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2024-05-06T07:08:09Z").unwrap().to_utc()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// What is sent to `to` after `from` has set these cookies.
fn check(from: &str, set: &[&str], to: &str, expected: &str) {
    let mut jar = Jar::default();
    set.iter().for_each(|header| jar.take(header, &url(from), now()));
    assert_eq!(jar.header(&url(to), now()).unwrap_or_default(), expected, "{set:?} from {from} to {to}");
}

#[test]
fn a_cookie_goes_back_to_its_host_and_path() {
    check("http://h.de/a/b", &["x=1"], "http://h.de/a/c", "x=1");
    check("http://h.de/a/b", &["x=1"], "http://h.de/a", "x=1");
    check("http://h.de/a/b", &["x=1"], "http://h.de/ab", "");
    check("http://h.de/a/b", &["x=1"], "http://h.de/", "");
    check("http://h.de/a", &["x=1; Path=/b/"], "http://h.de/b/c", "x=1");
    check("http://h.de/a", &["x=1; path=b"], "http://h.de/", "x=1");
    check("http://h.de/", &["x=1"], "http://other.de/", "");
    check("http://h.de/", &["x=1"], "http://www.h.de/", "");
    check("http://h.de:81/", &["x=1"], "http://h.de:82/", "x=1");
}

#[test]
fn a_domain_widens_only_what_the_server_speaks_for() {
    check("http://www.h.de/", &["x=1; Domain=.h.de"], "http://api.h.de/", "x=1");
    check("http://www.h.de/", &["x=1; Domain=H.de"], "http://h.de/", "x=1");
    check("http://www.h.de/", &["x=1; Domain=other.de"], "http://other.de/", "");
    check("http://www.h.de/", &["x=1; Domain=de"], "http://h.de/", "");
    check("http://h.de/", &["x=1; Domain=www.h.de"], "http://www.h.de/", "");
    check("http://eh.de/", &["x=1; Domain=h.de"], "http://h.de/", "");
    check("http://localhost/", &["x=1; Domain=localhost"], "http://localhost/", "x=1");
    check("http://127.0.0.1/", &["x=1; Domain=127.0.0.1"], "http://127.0.0.1/", "x=1");
    check("http://127.0.0.1/", &["x=1; Domain=0.0.1"], "http://127.0.0.1/", "");
}

#[test]
fn secure_cookies_stay_on_https_and_loopback() {
    check("https://h.de/", &["x=1; Secure"], "https://h.de/", "x=1");
    check("https://h.de/", &["x=1; Secure"], "http://h.de/", "");
    check("http://h.de/", &["x=1; Secure"], "https://h.de/", "");
    check("http://127.0.0.1:8000/", &["x=1; Secure"], "http://127.0.0.1:8000/", "x=1");
    check("http://[::1]/", &["x=1; Secure"], "http://[::1]/", "x=1");
    check(
        "https://h.de/",
        &["__Host-x=1; Secure; Path=/", "__Host-y=1; Secure; Path=/a"],
        "https://h.de/a",
        "__Host-x=1",
    );
    check("https://h.de/", &["__Secure-x=1"], "https://h.de/", "");
}

#[test]
fn expired_cookies_go_and_max_age_outweighs_expires() {
    check("http://h.de/", &["x=1", "x=2; Max-Age=0"], "http://h.de/", "");
    check("http://h.de/", &["x=1; Max-Age=-1"], "http://h.de/", "");
    check("http://h.de/", &["x=1; Expires=Wed, 13-Jan-2021 22:23:01 GMT"], "http://h.de/", "");
    check("http://h.de/", &["x=1; Expires=Wed, 13 Jan 2021 22:23:01 GMT; Max-Age=9"], "http://h.de/", "x=1");
    check("http://h.de/", &["x=1; Expires=someday"], "http://h.de/", "x=1");
    check("http://h.de/", &["x=1; Max-Age=99999999999999999999"], "http://h.de/", "x=1");
    let mut jar = Jar::default();
    jar.take("x=1; Max-Age=10", &url("http://h.de/"), now());
    assert_eq!(jar.header(&url("http://h.de/"), now() + TimeDelta::seconds(10)), None);
}

#[test]
fn longer_paths_go_first_then_younger_cookies() {
    check("http://h.de/a/b", &["x=1; Path=/", "y=1", "z=2; Path=/", "x=3; Path=/"], "http://h.de/a/b", "y=1; z=2; x=3");
}

#[test]
fn what_is_no_cookie_is_dropped() {
    check("http://h.de/", &["x", "=1", "", "a\u{1}b=1", "a=b\tc", " c = d "], "http://h.de/", "c=d");
    check("http://h.de/", &[&format!("x={}", "a".repeat(COOKIE_BYTES_MAX))], "http://h.de/", "");
}

#[test]
fn the_jar_is_capped() {
    let mut jar = Jar::default();
    (0..COOKIES_MAX * 2).for_each(|index| jar.take(&format!("c{index}=1"), &url("http://h.de/"), now()));
    assert_eq!(jar.cookies.len(), COOKIES_MAX);
}

proptest! {
    #[test]
    fn never_panics(header in ".{0,80}", path in "/[a-z/%]{0,10}") {
        let mut jar = Jar::default();
        jar.take(&header, &url(&format!("http://h.de{path}")), now());
        let _ = jar.header(&url("http://h.de/"), now());
    }

    #[test]
    fn never_panics_on_near_cookies(header in "[a=;. \"-]{0,12}(Domain|Path|Max-Age|Expires|Secure)[=a/.;0-9\"-]{0,12}") {
        let mut jar = Jar::default();
        jar.take(&header, &url("http://h.de/"), now());
    }
}

#[test]
fn a_line_of_a_cookie_file_is_stored_as_it_says() {
    let now = DateTime::from_timestamp(1_000, 0).unwrap();
    let header = |line: &str, url: &str| {
        let mut jar = Jar::default();
        let set = vec![Stored::parse(line)?];
        jar.prepare(&Storage { set, clear: false }, now);
        jar.header(&url.parse().unwrap(), now)
    };
    assert_eq!(header("h.org FALSE / FALSE 0 a b", "http://h.org/x").as_deref(), Some("a=b"));
    assert_eq!(header("h.org FALSE / FALSE 0 a", "http://h.org/").as_deref(), Some("a="));
    assert_eq!(header("h.org FALSE / FALSE 0 a b", "http://www.h.org/"), None);
    assert_eq!(header("#HttpOnly_.H.org TRUE / FALSE 0 a b", "http://www.h.org/").as_deref(), Some("a=b"));
    assert_eq!(header("h.org FALSE /x FALSE 0 a b", "http://h.org/"), None);
    assert_eq!(header("h.org FALSE / TRUE 0 a b", "http://h.org/"), None);
    assert_eq!(header("h.org FALSE / TRUE 0 a b", "https://h.org/").as_deref(), Some("a=b"));
    assert_eq!(header("h.org FALSE / FALSE 999 a b", "http://h.org/"), None);
    assert_eq!(header("h.org FALSE / FALSE 1001 a b", "http://h.org/").as_deref(), Some("a=b"));
    for bad in [
        "",
        "h.org FALSE /",
        "h.org NO / FALSE 0 a b",
        "h.org FALSE x FALSE 0 a b",
        "h.org FALSE / FALSE x a b",
        "h.org FALSE / FALSE 0 a b c",
    ] {
        assert!(Stored::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn clearing_comes_after_setting() {
    let now = DateTime::from_timestamp(1_000, 0).unwrap();
    let mut jar = Jar::default();
    let set = vec![Stored::parse("h.org FALSE / FALSE 0 a b").unwrap()];
    jar.prepare(&Storage { set, clear: true }, now);
    assert_eq!(jar.header(&"http://h.org/".parse().unwrap(), now), None);
}

#[test]
fn a_redirect_takes_a_cookie_to_no_other_port() {
    let mut jar = Jar::default();
    jar.take("plain=1", &url("http://h.de/"), now());
    jar.take("other=2", &url("http://h.de:8080/"), now());
    let stored = Stored::parse("h.de FALSE / FALSE 0 stored 3").expect("a cookie");
    jar.prepare(&Storage { set: vec![stored], clear: false }, now());
    let sent = |to: &str| jar.header_after_redirect(&url(to), now()).unwrap_or_default();
    assert_eq!(jar.header(&url("http://h.de:9/"), now()).unwrap_or_default().split("; ").count(), 3);
    assert_eq!(sent("http://h.de:9/"), "stored=3");
    assert_eq!(sent("http://h.de:8080/"), "stored=3; other=2");
    assert_eq!(sent("https://h.de/"), "stored=3; plain=1");
}
