//! The configuration read again while the agent runs: by signal, by request, by a changed file in each of the ways in which files
//! change; a bad one changes nothing, and what is unchanged goes on as if nothing had happened.

use rustix::process::Signal;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tests::agent::Agent;
use tests::http::{Answer, post, post_with};
use tests::other_host::OtherHost;
use tests::program::clean;
use tests::wait_for;

/// A service that accepts connections and says nothing: good for `tcp`, and `http` waits for it in vain.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

fn check(name: &str, url: &str) -> String {
    format!("  - {{name: {name}, url: \"{url}\", interval: 1s, timeout: 900ms}}\n")
}

fn checks(all: &[String]) -> String {
    format!("checks:\n{}", all.concat())
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
}

/// As an editor does: aside, and renamed over the old one.
fn replace(path: &Path, text: &str) {
    let aside = path.with_extension("new");
    write(&aside, text);
    fs::rename(&aside, path).expect("renamed");
}

struct Fixture {
    _folder: tempfile::TempDir,
    path: PathBuf,
    _peer: TcpListener,
    url: String,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (peer, address) = silent();
        let path = folder.path().join("agent.yml");
        Self { _folder: folder, path, _peer: peer, url: format!("tcp://{address}") }
    }

    fn agent(&self, text: &str) -> Agent {
        write(&self.path, text);
        Agent::start(&["--config", &self.path.to_string_lossy()])
    }
}

fn reload(agent: &Agent) -> Answer {
    post(&format!("{}/-/reload", agent.url)).expect("an answer")
}

fn runs(agent: &Agent, check: &str) -> f64 {
    let page = agent.page("/metrics").body;
    let of = |result| {
        tests::http::sample(&page, &format!("sidecar_check_runs_total{{check=\"{check}\",result=\"{result}\"}}"))
    };
    of("ok").unwrap_or(0.0) + of("failed").unwrap_or(0.0)
}

fn wait_runs(agent: &Agent, check: &str, least: f64) -> f64 {
    wait_for("runs", Duration::from_secs(20), || Some(runs(agent, check)).filter(|count| *count >= least))
}

#[test]
fn what_is_unchanged_keeps_its_counters_and_what_is_removed_leaves_no_series() {
    let fixture = Fixture::new();
    let dead = check("dead", "tcp://127.0.0.1:1");
    let agent = fixture.agent(&checks(&[check("a", &fixture.url), dead.clone(), check("gone", &fixture.url)]));
    agent.wait_sample("sidecar_check_up{check=\"dead\"}", 0.0);
    let before = wait_runs(&agent, "a", 3.0);
    let since = agent.sample("sidecar_check_state_since_timestamp_seconds{check=\"dead\"}");

    let text = checks(&[
        check("new", &fixture.url),
        dead.replace("timeout", "# moved\n     timeout"),
        check("a", &fixture.url),
    ]);
    write(&fixture.path, &format!("reload: request\n{text}"));
    let answer = reload(&agent);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let said = answer.json();
    assert_eq!(said["added"], serde_json::json!(["new"]), "{said}");
    assert_eq!((&said["removed"], &said["kept"]), (&serde_json::json!(["gone"]), &serde_json::json!(2)), "{said}");
    let page = agent.page("/metrics").body;
    assert!(!page.contains("check=\"gone\""), "a removed check's series are gone at once");
    assert!(runs(&agent, "a") >= before, "its counter goes on");
    assert_eq!(agent.sample("sidecar_check_up{check=\"dead\"}"), Some(0.0), "its state stays");
    assert_eq!(agent.sample("sidecar_check_state_since_timestamp_seconds{check=\"dead\"}"), since);
    agent.wait_sample("sidecar_check_up{check=\"new\"}", 1.0);
    wait_runs(&agent, "a", before + 2.0);
    assert_eq!(agent.sample("sidecar_config_reloads_total{result=\"ok\"}"), Some(1.0));
    assert_eq!(agent.sample("sidecar_config_last_reload_successful"), Some(1.0));
}

#[test]
fn a_bad_configuration_changes_nothing_and_is_told_everywhere() {
    let fixture = Fixture::new();
    let mut command = clean("agent");
    command
        .args(["--listen", "127.0.0.1:0", "--config", &fixture.path.to_string_lossy()])
        .env("TOKEN", "canary-5ecret");
    let good = checks(&[check("a", &fixture.url)]);
    write(&fixture.path, &format!("reload: request\n{good}"));
    let agent = Agent::start_command(&mut command);
    agent.wait_sample("sidecar_check_up{check=\"a\"}", 1.0);
    let read_at = agent.sample("sidecar_config_last_reload_success_timestamp_seconds");

    write(
        &fixture.path,
        "checks:\n  - {name: a, url: \"htpp://x:${TOKEN}@y/\"}\n  - {name: b, url: \"tcp://x:1\", intervall: 5s}\n",
    );
    agent.running.signal(Signal::HUP);
    let line = agent.running.line("did you mean `interval`");
    assert!(line.contains("agent.yml:3:") && line.contains("unknown key"), "{line}");
    agent.wait_sample("sidecar_config_last_reload_successful", 0.0);
    let answer = reload(&agent);
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.json()["problems"].as_array().map(Vec::len), Some(2), "{}", answer.body);

    write(&fixture.path, "checks: [");
    assert_eq!(reload(&agent).status, 400);
    fs::remove_file(&fixture.path).expect("removed");
    assert_eq!(reload(&agent).status, 500);
    // The answer may be there a moment before the next picture is.
    let diagnostics = wait_for("the fourth refusal", Duration::from_secs(10), || {
        Some(agent.page("/diagnostics").json()).filter(|page| page["agent"]["config"]["refused"] == 4)
    });
    let config = &diagnostics["agent"]["config"];
    assert_eq!(config["last_reload"]["reloaded"], false, "{config}");
    assert!(config["last_reload"]["problems"][0]["message"].to_string().contains("cannot read"), "{config}");
    assert_eq!(diagnostics["services"]["a"]["healthy"], true);
    assert_eq!(agent.sample("sidecar_config_last_reload_success_timestamp_seconds"), read_at);
    let before = runs(&agent, "a");
    wait_runs(&agent, "a", before + 2.0);

    write(&fixture.path, &good);
    agent.running.signal(Signal::HUP);
    agent.wait_sample("sidecar_config_last_reload_successful", 1.0);
    assert!(!agent.running.said().contains("canary-5ecret"), "{}", agent.running.said());
}

#[test]
fn a_watched_file_is_read_again_however_it_was_changed() {
    let fixture = Fixture::new();
    let text = |name: &str| checks(&[check(name, &fixture.url)]);
    let agent = fixture.agent(&text("first"));
    agent.wait_sample("sidecar_check_up{check=\"first\"}", 1.0);
    write(&fixture.path, &text("in-place"));
    agent.wait_sample("sidecar_check_up{check=\"in-place\"}", 1.0);
    replace(&fixture.path, &text("renamed"));
    agent.wait_sample("sidecar_check_up{check=\"renamed\"}", 1.0);
    replace(&fixture.path, "checks: nothing\n");
    let line = agent.running.line("configuration is bad");
    assert!(line.contains("a changed file"), "{line}");
    assert_eq!(agent.sample("sidecar_check_up{check=\"renamed\"}"), Some(1.0));
    replace(&fixture.path, &text("mended"));
    agent.wait_sample("sidecar_check_up{check=\"mended\"}", 1.0);
}

#[test]
fn a_config_map_is_followed_through_its_swapped_link_and_so_is_a_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (_peer, address) = silent();
    let text = checks(&[format!("  - {{name: \"${{file:{}}}\", url: \"tcp://{address}\"}}\n", at("name").display())]);
    let version = |name: &str| {
        fs::create_dir(at(name)).expect("a folder");
        write(&at(name).join("agent.yml"), &format!("# {name}\n{text}"));
        write(&at(name).join("name"), name);
    };
    version("v1");
    symlink("v1", at("..data")).expect("linked");
    for file in ["agent.yml", "name"] {
        symlink(format!("..data/{file}"), at(file)).expect("linked");
    }
    let agent = Agent::start(&["--config", &at("agent.yml").to_string_lossy()]);
    agent.wait_sample("sidecar_check_up{check=\"v1\"}", 1.0);
    version("v2");
    symlink("v2", at("..data_tmp")).expect("linked");
    fs::rename(at("..data_tmp"), at("..data")).expect("swapped");
    agent.wait_sample("sidecar_check_up{check=\"v2\"}", 1.0);
    write(&at("v2/name"), "v3");
    agent.wait_sample("sidecar_check_up{check=\"v3\"}", 1.0);
}

#[test]
fn a_check_that_hangs_is_removed_without_waiting_for_it() {
    let fixture = Fixture::new();
    let hung =
        format!("  - {{name: hung, url: \"{}\", interval: 60s, timeout: 60s}}\n", fixture.url.replace("tcp", "http"));
    let agent = fixture.agent(&format!("reload: request\n{}", checks(&[hung])));
    write(&fixture.path, &checks(&[check("a", &fixture.url)]));
    let answer = reload(&agent);
    assert_eq!(answer.json()["removed"], serde_json::json!(["hung"]), "{}", answer.body);
    agent.wait_sample("sidecar_check_up{check=\"a\"}", 1.0);
}

#[test]
fn a_new_address_waits_for_a_restart_and_other_settings_do_not() {
    let fixture = Fixture::new();
    let all = checks(&[check("a", &fixture.url)]);
    write(&fixture.path, &format!("listen: 127.0.0.1:0\nreload: request\n{all}"));
    let mut command = clean("agent");
    let agent = Agent::start_command(command.args(["--config", &fixture.path.to_string_lossy()]));
    assert_eq!(agent.page("/up/readiness").status, 404);
    write(&fixture.path, &format!("listen: 127.0.0.1:1\nhealth_aliases: [/up]\ncollectors: {{host: false}}\n{all}"));
    let said = reload(&agent).json();
    assert_eq!(said["needs_restart"], serde_json::json!(["listen"]), "{said}");
    assert_eq!(said["settings"], serde_json::json!(["health_aliases", "reload", "collectors"]), "{said}");
    assert_ne!(agent.page("/up/readiness").status, 404);
    assert!(agent.page("/config").json()["collectors"].to_string().find("host").is_none());
    let host = || (!agent.page("/metrics").body.contains("sidecar_source_up{source=\"host\"}")).then_some(());
    wait_for("the source to be gone", Duration::from_secs(10), host);
    agent.wait_sample("sidecar_source_up{source=\"itself\"}", 1.0);
    assert!(agent.running.said().contains("at the next start"), "{}", agent.running.said());
}

#[test]
fn a_hundred_reloads_cost_nothing_that_stays() {
    let fixture = Fixture::new();
    let text = |round: usize| checks(&[check("a", &fixture.url), check(&format!("b{}", round % 2), &fixture.url)]);
    let agent = fixture.agent(&format!("reload: request\n{}", text(0)));
    let figure = |name: &str| {
        let fresh = || agent.sample(name);
        wait_for(name, Duration::from_secs(20), fresh)
    };
    let round = |count: usize| {
        for round in 1..=count {
            write(&fixture.path, &format!("reload: request\n{}", text(round)));
            assert_eq!(reload(&agent).status, 200);
        }
    };
    round(20); // what is allocated once is allocated
    let threads = || fs::read_dir(format!("/proc/{}/task", agent.running.id())).map(Iterator::count).expect("threads");
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", agent.running.id())).expect("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number")
    };
    let (memory_before, threads_before, fds_before) = (memory(), threads(), figure("process_open_fds"));
    round(100);
    assert!(memory() < memory_before + 1024, "{memory_before} kB before, {} kB after", memory());
    assert!(threads() <= threads_before + 1, "{threads_before} threads before, {} after", threads());
    let before = wait_runs(&agent, "a", 1.0);
    wait_runs(&agent, "a", before + 6.0);
    let fds = figure("process_open_fds");
    assert!(fds <= fds_before + 3.0, "{fds_before} before, {fds} after");
    assert_eq!(agent.sample("sidecar_config_reloads_total{result=\"ok\"}"), Some(120.0));
}

#[test]
fn a_stranger_and_a_page_of_another_site_may_not_order_a_reload() {
    let fixture = Fixture::new();
    write(&fixture.path, &checks(&[check("a", &fixture.url)]));
    let agent = Agent::start_at(
        "http://127.0.0.1",
        clean("agent").args(["--listen", "0.0.0.0:0", "--config", &fixture.path.to_string_lossy()]),
    );
    let page = format!("{}/-/reload", agent.url);
    let evil = post_with(&page, &[("origin", "http://evil.example")]).expect("an answer");
    assert_eq!(evil.status, 403, "{}", evil.body);
    match OtherHost::new() {
        Ok(other) => {
            let url = page.replace("127.0.0.1", &other.ours);
            let mut curl = std::process::Command::new("curl");
            curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", &url]);
            let asked = tests::program::finish_command(&mut other.there(&curl));
            assert_eq!(asked.stdout, "403", "{}", asked.stderr);
        }
        Err(why) => eprintln!("SKIPPED the other host: {why}"),
    }
    assert_eq!(agent.sample("sidecar_config_reloads_total{result=\"ok\"}"), Some(0.0));
    assert_eq!(reload(&agent).status, 200);
}
