//! Who may see what: the restricted pages answer this host and the networks of `diagnostics_from`, the open ones everybody.

use std::process::Command;
use tests::agent::Agent;
use tests::http::{get, get_with};
use tests::other_host::OtherHost;
use tests::program::clean;
use tests::skipped;

const RESTRICTED: [&str; 3] = ["/diagnostics", "/config", "/status/diagnostics"];
const OPEN: [&str; 8] = ["/", "/metrics", "/live", "/ready", "/health", "/sd", "/-/healthy", "/-/ready"];

/// An agent that has one check, an alias of its health pages, and perhaps a line more in its configuration.
fn configured(folder: &std::path::Path, listen: &str, more: &str) -> Command {
    let path = folder.join("agent.yml");
    let text = format!(
        "health_aliases: [/status]\n{more}checks:\n  - {{name: db, url: \"tcp://127.0.0.1:1\", interval: 1s, timeout: 1s}}\n"
    );
    std::fs::write(&path, text).expect("written");
    let mut command = clean("agent");
    command.arg("--config").arg(path).args(["--listen", listen]);
    command
}

fn status(agent: &Agent, path: &str, headers: &[(&str, &str)]) -> u16 {
    get_with(&format!("{}{path}", agent.url), headers).expect("an answer").status
}

#[test]
fn this_host_sees_everything_unless_a_proxy_asks_for_somebody() {
    let folder = tempfile::tempdir().expect("a folder");
    let agent = Agent::start_command(&mut configured(folder.path(), "127.0.0.1:0", ""));
    agent.wait_sample("sidecar_check_up{check=\"db\"}", 0.0);
    for path in RESTRICTED {
        let page = agent.page(path);
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert!(page.body.contains("127.0.0.1:1"), "{path} tells the target");
        for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP"] {
            let refused = get_with(&format!("{}{path}", agent.url), &[(header, "127.0.0.1")]).expect("an answer");
            assert_eq!(refused.status, 403, "{path} {header}");
            assert!(!refused.body.contains("127.0.0.1:1"), "{path} {header}: {}", refused.body);
        }
        // A name that a web page had a browser resolve to loopback.
        assert_eq!(status(&agent, path, &[("Host", "rebound.example")]), 403, "{path}");
    }
    let forwarded = [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9")];
    OPEN.iter().for_each(|path| {
        let (plain, forwarded) = (status(&agent, path, &[]), status(&agent, path, &forwarded));
        assert_eq!(plain, forwarded, "{path}");
        assert!([200, 503].contains(&plain), "{path}: {plain}");
    });
    let refused = get_with(&format!("{}/diagnostics", agent.url), &[("Forwarded", "for=127.0.0.1")]).expect("a page");
    insta::assert_snapshot!(refused.body, @"this page is restricted: the request was forwarded by a proxy; ask from the host itself, or set users in the web configuration");
}

/// What a stranger gets, and what he gets once his network is named.
fn from_elsewhere(host: &str, network: &str, start: impl Fn(Command) -> Command) {
    let folder = tempfile::tempdir().expect("a folder");
    let base = format!("http://{host}");
    let agent = Agent::start_at(&base, &mut start(configured(folder.path(), "0.0.0.0:0", "")));
    for path in RESTRICTED {
        assert_eq!(status(&agent, path, &[]), 403, "{path}");
    }
    OPEN.iter().for_each(|path| assert!([200, 503].contains(&status(&agent, path, &[])), "{path}"));
    insta::assert_snapshot!(get(&format!("{}/config", agent.url)).expect("an answer").body, @"this page is restricted: ask from the host itself, add your network to `diagnostics_from`, or set users in the web configuration");
    let named = format!("diagnostics_from: [{network}]\n");
    let agent = Agent::start_at(&base, &mut start(configured(folder.path(), "0.0.0.0:0", &named)));
    for path in RESTRICTED {
        assert_eq!(status(&agent, path, &[]), 200, "{path}");
        assert_eq!(status(&agent, path, &[("X-Forwarded-For", "127.0.0.1")]), 403, "{path}, forwarded");
    }
    let other = "diagnostics_from: [203.0.113.0/24]\n";
    let agent = Agent::start_at(&base, &mut start(configured(folder.path(), "0.0.0.0:0", other)));
    assert_eq!(status(&agent, "/diagnostics", &[]), 403, "another network");
}

#[test]
fn another_host_sees_the_open_pages_and_its_network_can_be_let_in() {
    match OtherHost::new() {
        Ok(other) => from_elsewhere(&other.address, &format!("{}/30", other.ours), |command| other.there(&command)),
        Err(why) => match own_address() {
            Some(address) => from_elsewhere(&address, &address, |command| command),
            None => skipped(
                "another_host_sees_the_open_pages_and_its_network_can_be_let_in",
                &format!("no second host ({why}) and no address beside loopback"),
            ),
        },
    }
}

/// The address of this machine from which it would reach others; nothing is sent.
fn own_address() -> Option<String> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then(|| address.to_string())
}
