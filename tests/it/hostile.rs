//! One agent, every kind of probe, every way of being rude at once: each run ends by its deadline with a closed reason that is not
//! `internal`, memory stays bounded, and a check of a well-behaved peer goes on beside them. That none is late is shown on the paused clock, in
//! `agent/src/schedule/tests.rs`: here two busy cores and a debug build set the pace.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};
use tests::agent::Agent;
use tests::compare::Page;
use tests::program::finish;
use tests::rude::{ALL, RudePeer};
use tests::{tell, wait_for};

/// Deadline of every hostile check, and what a busy machine may add to it.
const TIMEOUT: f64 = 1.0;
const SLACK: f64 = 2.0;
/// Runs of each check that are looked at.
const RUNS: f64 = 3.0;
/// Most memory of the agent over the whole test: 64 runs at once, of which each may hold a body of 1 MiB.
const MOST_KIB: u64 = 96 << 10;

/// Kinds that speak to no TCP peer, and where their hostile peers are.
const ELSEWHERE: &[(&str, &str)] = &[
    ("file", "agent/src/probes/file/tests.rs"),
    ("cert", "agent/src/probes/cert/tests.rs"),
    ("unix", "agent/src/probes/unix.rs, and the dialogue is that of `tcp`"),
    ("icmp", "agent/src/probes/icmp/tests.rs; the kernel reads the packets"),
];

/// What a kind needs beside a URL to be told something.
fn keys(kind: &str) -> &'static str {
    match kind {
        // Without a dialogue, a connection is all that is asked for.
        "tcp" => ", query_response: [{expect: '^hello there$'}]",
        // Over UDP, which a rude datagram cannot hold up, see agent/src/probes/dns/tests.rs.
        "dns" => ", query_name: example.org, transport_protocol: tcp",
        "http" => ", fail_if_body_not_matches_regexp: ['^hello there$']",
        _ => "",
    }
}

/// The kinds of the program under test with the first scheme of each, from its own reference.
fn kinds() -> Vec<(String, String)> {
    let printed = finish("agent", &["reference"]).stdout;
    let probes =
        printed.split("\n## Probes").nth(1).expect("probes").split("\n## ").next().expect("a section").to_owned();
    let mut kinds = Vec::new();
    let mut name = String::new();
    for line in probes.lines() {
        if let Some(kind) = line.strip_prefix("### ") {
            name = kind.to_owned();
        } else if let Some(schemes) = line.strip_prefix("Schemes: `") {
            kinds.push((name.clone(), schemes.split(':').next().expect("a scheme").to_owned()));
        }
    }
    assert!(kinds.len() >= 8, "{kinds:?}");
    kinds.retain(|(kind, _)| ELSEWHERE.iter().all(|(elsewhere, _)| elsewhere != kind));
    kinds
}

/// A peer that answers every request at once.
fn polite() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                while stream.read(&mut request).is_ok_and(|read| read > 0) {
                    if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn config(kinds: &[(String, String)], peers: &[RudePeer]) -> String {
    let mut text = format!(
        "collectors: {{host: false}}\nchecks:\n  - {{name: good, url: \"http://{}/\", interval: 1s, timeout: 1s}}\n",
        polite()
    );
    for (kind, scheme) in kinds {
        for (rudeness, peer) in ALL.iter().zip(peers) {
            let (name, address) = (format!("{kind}-{}", rudeness.name.replace('_', "-")), peer.address);
            text += &format!(
                "  - {{name: {name}, url: \"{scheme}://someone:secret@{address}/x\", interval: 3s, timeout: {TIMEOUT}s, fail_after: 1{}}}\n",
                keys(kind)
            );
        }
    }
    text
}

fn of(page: &Page, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let fits = |labels_of: &std::collections::BTreeMap<String, String>| {
        labels.iter().all(|(label, value)| labels_of.get(*label).is_some_and(|found| found == value))
    };
    page.series_of(name).find(|series| fits(&series.labels)).map(|series| series.value)
}

/// User and system time of the agent so far, in seconds.
fn processor_time(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the agent runs");
    let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the agent runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("kibibytes")
}

/// What is wrong with a hostile check: its name, its kind and the rudeness of its peer.
fn wrong_with(page: &Page, (name, kind, rudeness): &(String, &str, &str)) -> Vec<String> {
    let mut wrong = Vec::new();
    let runs = |result| of(page, "sidecar_check_runs_total", &[("check", name), ("result", result)]).unwrap_or(0.0);
    if runs("ok") > 0.0 || runs("failed") < RUNS {
        wrong.push(format!("{name}: {} runs failed, {} succeeded", runs("failed"), runs("ok")));
    }
    let took = of(page, "probe_duration_seconds", &[("check", name)]).unwrap_or(f64::NAN);
    if took.is_nan() || took > TIMEOUT + SLACK {
        wrong.push(format!("{name}: took {took} s"));
    }
    let failures = page.series_of("sidecar_check_failures_total").filter(|series| series.labels["check"] == *name);
    for reason in failures.filter(|series| series.value > 0.0).map(|series| series.labels["reason"].as_str()) {
        // Nobody can tell a silent peer from a slow one.
        let silent = *rudeness == "silent" && reason != "timeout";
        if reason == "internal" || reason == "config" || silent {
            wrong.push(format!("{name}: reason {reason} of a {kind} check"));
        }
    }
    wrong
}

#[test]
fn no_peer_hangs_swells_or_delays_the_agent() {
    let kinds = kinds();
    let peers: Vec<RudePeer> = ALL.iter().map(|rudeness| RudePeer::start(rudeness).expect("a port")).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let began = Instant::now();
    let agent = Agent::with_config(folder.path(), &config(&kinds, &peers));
    let names: Vec<(String, &str, &str)> = kinds
        .iter()
        .flat_map(|(kind, _)| ALL.iter().map(move |rudeness| (kind.as_str(), rudeness.name)))
        .map(|(kind, rudeness)| (format!("{kind}-{}", rudeness.replace('_', "-")), kind, rudeness))
        .collect();
    let enough = |page: &Page| {
        let ran = |name: &str| of(page, "sidecar_check_runs_total", &[("check", name), ("result", "failed")]);
        names.iter().all(|(name, ..)| ran(name).is_some_and(|runs| runs >= RUNS))
    };
    let page = || Page::read(&agent.page("/metrics").body);
    let mut last = page();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait_for("three failures of each check", Duration::from_secs(150), || {
            std::thread::sleep(Duration::from_millis(500));
            last = page();
            enough(&last).then_some(())
        });
    }));
    let seconds = began.elapsed().as_secs_f64();
    let mut wrong: Vec<String> = names.iter().flat_map(|check| wrong_with(&last, check)).collect();
    let good = |result| of(&last, "sidecar_check_runs_total", &[("check", "good"), ("result", result)]).unwrap_or(0.0);
    let (ok, failed) = (good("ok"), good("failed"));
    if failed > 0.0 || ok < seconds / 4.0 {
        wrong.push(format!("the good check ran {ok} times in {seconds:.0} s and failed {failed} times"));
    }
    let kib = most_memory(agent.running.id());
    if kib > MOST_KIB {
        wrong.push(format!("{kib} KiB of memory, at most {MOST_KIB}"));
    }
    tell(&format!(
        "{} kinds × {} rude peers: {} checks, {:.0} s, {} runs of the good one, {:.1} s of processor time, {} KiB at the most",
        kinds.len(),
        ALL.len(),
        names.len(),
        seconds,
        ok,
        processor_time(agent.running.id()),
        kib
    ));
    assert!(
        ended.is_ok() && wrong.is_empty(),
        "{}\n{}",
        wrong.join("\n"),
        agent.running.said().lines().rev().take(5).collect::<Vec<_>>().join("\n")
    );
}
