//! Who the virtual users are to the server: an address each, headers of the plan, and what a journey may say against them.

use super::server::Server;
use super::{loadtest, stderr, stdout};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;

/// Files in a folder of their own.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn run(folder: &Path, target: &str, flags: &[&str]) -> Output {
    let load = ["--target", target, "--users", "12", "--ramp", "0s", "--run-time", "1s", "--think", "20ms"];
    loadtest(&[&load, flags].concat()).current_dir(folder).output().expect("a run")
}

/// How often each value of a header came; absent headers as `none`.
fn values(heads: &[String], header: &str) -> BTreeMap<String, usize> {
    let value = |head: &String| {
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{header}: ")));
        line.unwrap_or("none").trim().to_owned()
    };
    heads.iter().map(value).fold(BTreeMap::new(), |mut all, value| {
        *all.entry(value).or_default() += 1;
        all
    })
}

#[test]
fn every_user_has_its_own_address_in_a_header_of_the_plan() {
    let server = Server::start();
    let plan = "journeys: [{name: pages, files: pages.hurl}]\nheaders:\n  X-Forwarded-For: \"{{user_address}}\"\n  X-User: \"{{user}}\"\n";
    let journey = "GET {{target}}/a\nHTTP 200\n\nGET {{target}}/own\nX-Forwarded-For: 10.9.8.7\nHTTP 200\n\nGET {{target}}/option\n[Options]\nheader: x-forwarded-for: 10.9.8.6\nHTTP 200\n\nGET {{target}}/without\n[Options]\nno-header: X-Forwarded-For\nHTTP 200\n";
    let folder = folder(&[("loadtest.yml", plan), ("pages.hurl", journey)]);
    let output = run(folder.path(), &server.url(), &[]);
    assert_ne!(output.status.code(), Some(2), "{}", stderr(&output));
    let heads = server.heads();
    let of = |path: &str| -> Vec<String> {
        heads.iter().filter(|head| head.starts_with(&format!("GET {path} "))).cloned().collect()
    };
    let addresses: BTreeSet<String> = values(&of("/a"), "x-forwarded-for").into_keys().collect();
    assert_eq!(addresses, (1..=12).map(|user| format!("198.18.0.{user}")).collect());
    let alone = |path: &str| values(&of(path), "x-forwarded-for").into_keys().collect::<Vec<_>>();
    assert_eq!(alone("/own"), ["10.9.8.7"]);
    assert_eq!(alone("/option"), ["10.9.8.6"]);
    assert_eq!(alone("/without"), ["none"]);
    // Number and address belong together, in every round.
    for head in of("/a") {
        let one = values(std::slice::from_ref(&head), "x-user").into_keys().next().expect("a value");
        assert!(head.contains(&format!("x-forwarded-for: 198.18.0.{one}\r\n")), "{head}");
    }
}

#[test]
fn variables_of_the_plan_hide_the_built_in_ones() {
    let server = Server::start();
    let plan = "journeys: [{files: pages.hurl}]\nvariables: {user: bob}\ndata: [{file: rows.csv}]\n";
    let journey = "GET {{target}}/?user={{user}}&address={{user_address}}\nHTTP 200\n";
    let folder = folder(&[("loadtest.yml", plan), ("pages.hurl", journey), ("rows.csv", "user_address\n10.0.0.9\n")]);
    let output = run(folder.path(), &server.url(), &[]);
    assert_ne!(output.status.code(), Some(2), "{}", stderr(&output));
    let heads = server.heads();
    let ours = |head: &String| head.starts_with("GET /?user=bob&address=10.0.0.9 ");
    assert!(heads.len() > 12 && heads.iter().all(ours), "{heads:?}");
}

#[test]
fn a_smoke_test_is_user_one() {
    let server = Server::start();
    let folder =
        folder(&[("a.hurl", "GET {{target}}/\nX-Forwarded-For: {{user_address}}\nX-User: {{user}}\nHTTP 200\n")]);
    let target = format!("target={}", server.url());
    let output =
        loadtest(&["smoke", "a.hurl", "--variable", &target]).current_dir(folder.path()).output().expect("a run");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let head = server.heads().concat();
    assert!(head.contains("x-forwarded-for: 198.18.0.1\r\n") && head.contains("x-user: 1\r\n"), "{head}");
}

#[test]
fn a_header_of_the_plan_that_cannot_be_worked_out_is_named_before_the_load() {
    let server = Server::start();
    let plan = "journeys: [{files: a.hurl}]\nheaders: {X-Tenant: \"{{tenant}}\"}\n";
    let folder = folder(&[("loadtest.yml", plan), ("a.hurl", "GET {{target}}/\nHTTP 200\n")]);
    let output = run(folder.path(), &server.url(), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("the plan's header `x-tenant`: no variable `tenant`"), "{}", stdout(&output));
    assert_eq!(server.heads().len(), 0);
}

#[test]
fn a_host_header_left_out_is_not_sent() {
    let server = Server::start();
    let folder =
        folder(&[("a.hurl", "GET {{target}}/\n[Options]\nno-header: Host\nHTTP 200\n\nGET {{target}}/\nHTTP 200\n")]);
    let target = format!("target={}", server.url());
    let output =
        loadtest(&["smoke", "a.hurl", "--variable", &target]).current_dir(folder.path()).output().expect("a run");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let sent: Vec<bool> = server.heads().iter().map(|head| head.contains("host: ")).collect();
    assert_eq!(sent, [false, true]);
}

#[test]
fn comments_of_hurl_set_and_clear_cookies() {
    let server = Server::start();
    let journey = "# @cookie_storage_set: 127.0.0.1\tFALSE\t/\tFALSE\t0\tseason\twinter\nGET {{target}}/\n\nGET {{target}}/again\n\n# @cookie_storage_clear\nGET {{target}}/cleared\n";
    let folder = folder(&[("a.hurl", journey)]);
    let target = format!("target={}", server.url());
    let output =
        loadtest(&["smoke", "a.hurl", "--variable", &target]).current_dir(folder.path()).output().expect("a run");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let sent: Vec<bool> = server.heads().iter().map(|head| head.contains("cookie: season=winter\r\n")).collect();
    assert_eq!(sent, [true, true, false]);
}

#[test]
fn a_preflight_that_takes_too_long_says_what_was_not_tried_and_goes_on() {
    let server = Server::start();
    let plan = "journeys: [{name: long, files: long.hurl}, {name: short, files: short.hurl}]\n";
    let long: String = (0..30).map(|step| format!("GET {{{{target}}}}/tardy/{step}\nHTTP 200\n\n")).collect();
    let folder = folder(&[("loadtest.yml", plan), ("long.hurl", &long), ("short.hurl", "GET {{target}}/\nHTTP 200\n")]);
    let begun = std::time::Instant::now();
    let output = run(folder.path(), &server.url(), &[]);
    assert!(begun.elapsed() < std::time::Duration::from_secs(40), "{:?}", begun.elapsed());
    assert_ne!(output.status.code(), Some(1), "{}", stdout(&output));
    let said = stderr(&output);
    assert!(said.contains("Not tried:\n  `long` from `GET /tardy/1"), "{said}");
    assert!(!said.contains("`short` from"), "{said}");
}
