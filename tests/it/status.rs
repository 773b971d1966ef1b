//! `agent status` from outside: agents that are well, ill, silent, strange or not there, in one table and in one JSON.

use std::net::TcpListener;
use std::time::{Duration, Instant};
use tests::agent::Agent;
use tests::program::{Running, clean, finish, finish_command};
use tests::rude::{ALL, RudePeer};
use tests::wait_for;

/// An agent whose one check is its peer.
fn agent(peer: &str) -> Agent {
    Agent::start(&["--peer", peer])
}

fn address(agent: &Agent) -> String {
    agent.url.trim_start_matches("http://").to_owned()
}

/// A port of loopback on which nothing listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").to_string()
}

fn settled(agent: &Agent, status: &str) {
    let words = format!("\"status\": \"{status}\"");
    wait_for(&words, Duration::from_secs(30), || agent.page("/health").body.contains(&words).then_some(()));
}

fn rude(name: &str) -> RudePeer {
    RudePeer::start(ALL.iter().find(|rudeness| rudeness.name == name).expect("a rudeness")).expect("a port")
}

#[test]
fn each_sidecar_has_its_row_and_its_own_words() {
    let peer = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = Agent::start(&["--check", &format!("self=tcp://{}", peer.local_addr().expect("its address"))]);
    settled(&base, "healthy");
    let down = agent(&format!("tcp://{}", nobody()));
    settled(&down, "unhealthy");
    let (silent, garbage) = (rude("silent"), rude("garbage"));
    let urls = [
        address(&base),
        down.url.clone(),
        silent.address.to_string(),
        garbage.address.to_string(),
        nobody(),
        "no-such-name.invalid".to_owned(),
    ];
    let mut arguments = vec!["status", "--timeout", "2s"];
    arguments.extend(urls.iter().map(String::as_str));
    let began = Instant::now();
    let table = finish("agent", &arguments);
    assert!(began.elapsed() < Duration::from_secs(15), "they are asked at once: {:?}", began.elapsed());
    assert_eq!(table.code, 1, "{}", table.stderr);
    assert!(!table.stdout.contains('\u{1b}'), "no colour and no drawing but at a terminal: {}", table.stdout);
    let row = |name: &str| {
        let found = table.stdout.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("no row of {name}:\n{}", table.stdout)).to_owned()
    };
    assert!(row(&urls[0]).contains("healthy") && row(&urls[0]).contains("1/1"), "{}", table.stdout);
    let ill = row(&address(&down));
    assert!(ill.contains("unhealthy") && ill.contains("0/1"), "{}", table.stdout);
    for (at, word) in [(2, "silent"), (3, "no agent"), (4, "refused"), (5, "unknown name")] {
        assert!(row(&urls[at]).contains(word), "{word}:\n{}", table.stdout);
    }
    let names: Vec<&str> = table.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let place = |name: &str| names.iter().position(|found| *found == name);
    let places: Vec<_> = urls.iter().map(|url| place(url.trim_start_matches("http://"))).collect();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "as given: {places:?}");

    let both = finish("agent", &["status", "--format", "json", &urls[0], &urls[5]]);
    let json: serde_json::Value = serde_json::from_str(&both.stdout).expect("JSON");
    assert_eq!(json["sidecars"][0]["good"], true);
    assert_eq!(json["sidecars"][0]["health"]["services"]["self"]["healthy"], true);
    assert_eq!(json["sidecars"][1]["error"]["reason"], "dns");
    assert_eq!(finish("agent", &["status", &urls[0]]).code, 0);
    let by_variable = finish_command(clean("agent").arg("status").env("AGENT_STATUS_URLS", format!("{}, ", urls[0])));
    assert_eq!((by_variable.code, by_variable.stdout.lines().count()), (0, 3), "{}", by_variable.stdout);
}

#[test]
fn every_address_that_is_none_is_told_and_nobody_is_asked() {
    let wrong = finish("agent", &["status", "redis://cache", "ops:s3cret-word@h:99999", "good"]);
    assert_eq!(wrong.code, 2);
    assert_eq!(wrong.stdout, "");
    assert_eq!(wrong.stderr.matches("error:").count(), 2, "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("s3cret-word"), "{}", wrong.stderr);
    let nothing = finish("agent", &["status"]);
    assert_eq!(nothing.code, 2);
    assert!(nothing.stderr.contains("AGENT_STATUS_URLS"), "{}", nothing.stderr);
    assert_eq!(finish("agent", &["status", "db", "--interval", "1s"]).code, 2, "an interval is for --watch");
    let never = finish("agent", &["status", "db", "--watch", "--interval", "1ms"]);
    assert!(never.code == 2 && never.stderr.contains("--interval"), "{}", never.stderr);
    let unread = finish("agent", &["status", "db", "--ca-file", "/nowhere/ca.pem"]);
    assert!(unread.code == 2 && unread.stderr.contains("/nowhere/ca.pem"), "{}", unread.stderr);
}

#[test]
fn watching_adds_a_round_at_each_beat_until_a_signal_comes() {
    let nobody = nobody();
    let mut watching = Running::start(clean("agent").args(["status", "--watch", "--interval", "200ms", &nobody]));
    let summary = "1 sidecar: 1 refused";
    wait_for("three rounds", Duration::from_secs(20), || (watching.said().matches(summary).count() >= 3).then_some(()));
    watching.signal(rustix::process::Signal::INT);
    assert_eq!(watching.end(), 130, "{}", watching.said());
    assert!(!watching.said().contains('\u{1b}'), "plain when it is no terminal: {}", watching.said());
}

#[test]
fn at_a_terminal_the_cursor_comes_back_when_it_is_interrupted() {
    let nobody = nobody();
    let agent = tests::program::binary("agent");
    // util-linux's `script` gives it a terminal; `timeout` sends the interrupt that a key would.
    let line =
        format!("stty cols 60 rows 10; timeout -s INT 2 {} status --watch --interval 200ms {nobody}", agent.display());
    let mut command = std::process::Command::new("script");
    command.args(["-q", "-c", &line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
    let drawn = finish_command(&mut command).stdout;
    assert!(drawn.contains("\u{1b}[?25l") && drawn.contains("\u{1b}[H"), "it is redrawn: {drawn:?}");
    assert!(drawn.trim_end().ends_with("\u{1b}[?25h"), "the cursor is shown again: {drawn:?}");
    assert!(drawn.matches("\u{1b}[2J").count() == 1, "the screen is cleared once: {drawn:?}");
}
