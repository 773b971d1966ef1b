//! A maintenance window of the real agent: by request and by file; checks go on, `/ready` is unchanged, and it ends.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;
use tests::agent::Agent;
use tests::http::post;
use tests::program::finish_command;
use tests::wait_for;

fn peer() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("tcp://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

#[test]
fn a_request_silences_and_ends_it_and_ready_is_unchanged() {
    let (_peer, url) = peer();
    let agent = Agent::start(&["--peer", &url]);
    agent.wait_sample("sidecar_check_up{check=\"peer\"}", 1.0);
    assert_eq!(agent.sample("sidecar_silenced"), Some(0.0));
    assert_eq!(agent.sample("sidecar_silence_ends_timestamp_seconds"), None);

    let page = format!("{}/-/silence", agent.url);
    let begun = post(&format!("{page}?for=10m&reason=deployment%20of%201.2")).expect("an answer");
    assert_eq!((begun.status, &begun.json()["silenced"]["by"]), (200, &"request".into()), "{}", begun.body);
    agent.wait_sample("sidecar_silenced", 1.0);
    assert!(agent.sample("sidecar_silence_ends_timestamp_seconds").is_some_and(|end| end > 1.7e9));
    assert_eq!(agent.page("/health").json()["silenced"]["reason"], "deployment of 1.2");
    assert_eq!(agent.page("/diagnostics").json()["silenced"]["until"], begun.json()["silenced"]["until"]);
    let status = agent.page("/").body;
    assert!(status.contains("silenced until") && status.contains("deployment of 1.2"), "{status}");
    assert_eq!((agent.page("/ready").status, agent.page("/health").status), (200, 200));

    assert_eq!(post(&format!("{page}?for=2d")).expect("an answer").status, 400);
    let ended = finish_command(Command::new("curl").args(["-s", "-X", "DELETE", &page]));
    assert!(ended.stdout.contains("\"silenced\": null"), "{}{}", ended.stdout, ended.stderr);
    agent.wait_sample("sidecar_silenced", 0.0);
    assert!(agent.page("/health").json().get("silenced").is_none());

    let short = post(&format!("{page}?for=1s")).expect("an answer");
    assert_eq!(short.status, 200);
    agent.wait_sample("sidecar_silenced", 1.0);
    agent.wait_sample("sidecar_silenced", 0.0);
    assert!(agent.running.line("the silence is over").contains("INFO"));
}

#[test]
fn a_mark_file_silences_over_a_restart_and_its_end_is_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("maintenance");
    let (_peer, url) = peer();
    let text = format!("silence_file: {}\nchecks:\n  - {{name: a, url: \"{url}\"}}\n", mark.display());
    std::fs::write(&mark, "for 10m new database\n").expect("written");
    let agent = Agent::with_config(folder.path(), &text);
    agent.wait_sample("sidecar_silenced", 1.0);
    let end = agent.sample("sidecar_silence_ends_timestamp_seconds");
    drop(agent);
    let agent = Agent::with_config(folder.path(), &text);
    agent.wait_sample("sidecar_silenced", 1.0);
    assert_eq!(agent.sample("sidecar_silence_ends_timestamp_seconds"), end, "it counts from the file's last change");
    let said = agent.page("/health").json();
    assert_eq!(
        (&said["silenced"]["by"], &said["silenced"]["reason"]),
        (&"file".into(), &"new database".into()),
        "{said}"
    );
    std::fs::remove_file(&mark).expect("removed");
    agent.wait_sample("sidecar_silenced", 0.0);
    std::fs::write(&mark, "").expect("written");
    let by_file = || (agent.sample("sidecar_silenced") == Some(1.0)).then_some(());
    wait_for("the new mark", Duration::from_secs(20), by_file);
    let other = text.replace("maintenance", "another");
    std::fs::write(folder.path().join("agent.yml"), other).expect("written");
    assert_eq!(post(&format!("{}/-/reload", agent.url)).expect("an answer").json()["settings"][0], "silence_file");
    agent.wait_sample("sidecar_silenced", 0.0);
}
