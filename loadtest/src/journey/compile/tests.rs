//! What compiles, what is refused by name, and the exact messages.

use crate::journey;
use std::path::Path;

fn refused(text: &str) -> String {
    match journey::parse("a.hurl", text, Path::new("/nonexistent")) {
        Ok(_) => "accepted".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

fn name_of(text: &str) -> String {
    journey::parse("a.hurl", text, Path::new("")).unwrap().entries.first().unwrap().name.clone()
}

/// The first line of the complaint about this option.
fn option(line: &str) -> String {
    refused(&format!("GET http://h/\n[Options]\n{line}\n")).lines().next().unwrap().to_owned()
}

#[test]
fn a_request_is_named_by_a_comment_or_by_method_and_unrendered_path() {
    for (text, name) in [
        ("GET http://h/api/v1/assets/{{id}}", "GET /api/v1/assets/{{id}}"),
        ("GET {{host}}/a?b=1", "GET /a"),
        ("GET http://{{host}}:{{port}}/a#f", "GET /a"),
        ("GET http://h", "GET /"),
        ("GET http://h?a=/b", "GET /"),
        ("GET {{host}}", "GET {{host}}"),
        ("GET {{host}}/", "GET /"),
        ("# @name first\n# @name  log in \n\n# more\nPOST http://h/login", "log in"),
        ("# @name\nPOST http://h/login", "POST /login"),
    ] {
        assert_eq!(name_of(text), name, "{text}");
    }
}

#[test]
fn a_page_is_told_by_its_comment_alone() {
    for (text, page) in [
        ("# @page\nGET http://h/", true),
        ("# @name site\n\n#  @page \nGET http://h/", true),
        ("# @pages\nGET http://h/", false),
        ("GET http://h/ # @page", false),
        ("# see @page\nGET http://h/", false),
    ] {
        let file = journey::parse("a.hurl", text, Path::new("")).unwrap();
        assert_eq!(file.entries[0].page, page, "{text}");
    }
}

#[test]
fn syntax_errors_have_a_place_and_a_caret() {
    insta::assert_snapshot!(refused("GET http://h/\nHTTP 200\n[Assert]\nstatus == 200\n"), @r"
    error: a response has no section `[Assert]`
      at a.hurl:3:2
      3 | [Assert]
        |  ^
    hint: below a response stand `[Captures]` and `[Asserts]`
    ");
    insta::assert_snapshot!(refused("GET h/\n"), @r"
    error: the URL does not begin with `http://` or `https://`
      at a.hurl:1:5
      1 | GET h/
        |     ^^
    hint: give the host as a variable: `GET {{host}}/path`
    ");
    insta::assert_snapshot!(refused("GET http://h/\n[Options]\nretries: 3\n"), @r"
    error: unknown option `retries`
      at a.hurl:3:1
      3 | retries: 3
        | ^
    hint: the options are those of Hurl 8.1, as on its command line without the dashes
    ");
    insta::assert_snapshot!(refused("POST http://h/\n{\"a\": 1,}\n"), @r#"
    error: JSON has no comma before a closing bracket
      at a.hurl:2:8
      2 | {"a": 1,}
        |        ^
    "#);
}

#[test]
fn all_refusals_of_a_file_come_at_once() {
    let text = "GET http://h/\n[Options]\nproxy: http://p\nHTTP/3 200\n[Asserts]\nxpath \"//a\" exists\nbody xpath \"//a\" exists\njsonpath \"$.a-b\" exists\nbody matches \"(\"\n";
    insta::assert_snapshot!(refused(text), @r#"
    error: the option `proxy` is not supported
      at a.hurl:3:1
      3 | proxy: http://p
        | ^^^^^
    hint: load goes straight to its target

    error: `HTTP/3` is not supported
      at a.hurl:4:1
      4 | HTTP/3 200
        | ^^^^^^
    hint: the load tester speaks HTTP/1.0, HTTP/1.1 and HTTP/2; write `HTTP` to accept any of them

    error: the query `xpath` is not supported
      at a.hurl:6:1
      6 | xpath "//a" exists
        | ^^^^^^^^^^^
    hint: ask for JSON and use `jsonpath`, or look for a text with `regex` or `contains`

    error: the filter `xpath` is not supported
      at a.hurl:7:6
      7 | body xpath "//a" exists
        |      ^^^^^^^^^^^
    hint: ask for JSON and use `jsonpath`, or look for a text with `regex` or `contains`

    error: `$.a-b` is not a valid JSONPath
      at a.hurl:8:10
      8 | jsonpath "$.a-b" exists
        |          ^^^^^^^
    hint: expected `.`, `[` or the end at its character 4

    error: `(` is not a valid regular expression
      at a.hurl:9:14
      9 | body matches "("
        |              ^^^
    hint: unclosed group
    "#);
}

#[test]
fn options_are_refused_by_name_unless_switched_off() {
    for name in ["digest", "negotiate", "netrc", "netrc-optional", "ntlm", "path-as-is"] {
        assert_eq!(option(&format!("{name}: true")), format!("error: the option `{name}` is not supported"));
        assert_eq!(option(&format!("{name}: {{{{x}}}}")), format!("error: the option `{name}` is not supported"));
        assert_eq!(option(&format!("{name}: false")), "accepted");
    }
    let lines = [
        ("aws-sigv4", "aws:amz"),
        ("limit-rate", "1"),
        ("netrc-file", "f"),
        ("output", "f"),
        ("pinnedpubkey", "sha256//x"),
        ("proxy", "p"),
        ("tls-max", "1.2"),
        ("tls-min", "1.2"),
        ("unix-socket", "s"),
    ];
    for (name, value) in lines {
        assert_eq!(option(&format!("{name}: {value}")), format!("error: the option `{name}` is not supported"));
    }
    for value in ["true", "{{x}}"] {
        assert_eq!(option(&format!("http3: {value}")), "error: `http3` is not supported");
    }
    assert_eq!(option("repeat: -1"), "error: `repeat: -1` never ends");
}

#[test]
fn every_other_option_is_accepted() {
    for line in [
        "cacert: f",
        "cert: f",
        "key: f",
        "compressed: true",
        "connect-to: a:1:b:2",
        "connect-timeout: 1s",
        "delay: 1m",
        "fail-with-body: true",
        "location: true",
        "location-trusted: true",
        "header: a: b",
        "http1.0: true",
        "http1.1: false",
        "http2: true",
        "http2: {{x}}",
        "http2-prior-knowledge: true",
        "http3: false",
        "insecure: true",
        "ipv4: true",
        "ipv6: true",
        "max-redirs: -1",
        "max-time: 1h",
        "no-header: a",
        "no-jsonpath-coercion: true",
        "repeat: 2",
        "resolve: a:1:b",
        "retry: -1",
        "retry-interval: 5",
        "skip: {{x}}",
        "user: a:b",
        "variable: a=1",
        "verbose: true",
        "very-verbose: true",
        "verbosity: debug",
    ] {
        assert_eq!(option(line), "accepted", "{line}");
    }
}

#[test]
fn other_refusals_are_named_too() {
    insta::assert_snapshot!(refused("POST http://h/\n[Form]\na: 1\n`b`\n"), @r"
    error: the request has more than one body
      at a.hurl:1:6
      1 | POST http://h/
        |      ^^^^^^^^^
    hint: keep the form or the body
    ");
    insta::assert_snapshot!(refused("POST http://h/\nfile,../x;\n"), @r"
    error: cannot read `../x`: it lies outside the directory of the journey
      at a.hurl:2:6
      2 | file,../x;
        |      ^^^^
    hint: files are sought in `/nonexistent`
    ");
    insta::assert_snapshot!(refused("CONNECT http://h/\n"), @r"
    error: the method `CONNECT` is not supported
      at a.hurl:1:9
      1 | CONNECT http://h/
        |         ^^^^^^^^^
    hint: use one that a server answers
    ");
}

#[test]
fn cookie_commands_that_cannot_be_read_are_refused_and_other_comments_are_comments() {
    let text = "# @cookie_storage_set: example.org FALSE /\n# @cookie_storage_forget\nGET http://h/\n";
    insta::assert_snapshot!(refused(text), @r"
    error: this is no cookie to store
      at a.hurl:1:2
      1 | # @cookie_storage_set: example.org FALSE /
        |  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: seven words as in curl's cookie file: `example.org FALSE / FALSE 0 name value` (domain, subdomains too, path, TLS only, expiry in seconds since 1970 or 0, name, value)

    error: unknown cookie command
      at a.hurl:2:2
      2 | # @cookie_storage_forget
        |  ^^^^^^^^^^^^^^^^^^^^^^^
    hint: they are `# @cookie_storage_clear` and `# @cookie_storage_set: COOKIE`
    ");
    assert!(journey::parse("a.hurl", "# see @cookie_storage_set\nGET http://h/\n", Path::new("")).is_ok());
}

#[test]
fn a_header_that_ends_the_body_cannot_be_left_out() {
    insta::assert_snapshot!(refused("GET http://h/\n[Options]\nno-header: content-length\n"), @r"
    error: `no-header: content-length` is not supported
      at a.hurl:3:1
      3 | no-header: content-length
        | ^^^^^^^^^
    hint: the server could not tell where the body ends; it is sent only with a body
    ");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let named = |path: &str, place: &str| journey::Named { path: path.into(), place: place.into(), hint: "do this" };
    let files = [named("nope.hurl", "FILE"), named("/", "journeys[0].files (plan.yml:3:4)")];
    let problems = journey::load("x", &files).unwrap_err();
    insta::assert_snapshot!(problems, @r"
    error: cannot read `nope.hurl`: there is no such file or folder
      at FILE
    hint: do this

    error: cannot read `/`: it is a folder
      at journeys[0].files (plan.yml:3:4)
    hint: do this
    ");
}

proptest::proptest! {
    #[test]
    fn never_panics(text in r#"(GET|POST) (http://h/|\{\{a\}\})[ -~\n]{0,60}"#) {
        let _ = journey::parse("a.hurl", &text, Path::new("/nonexistent"));
    }
}
