//! What the file says of the host, with the program's own sources.

use super::*;
use crate::paint::Paint;
use std::time::Duration;

/// With the sources of the program, for the parts of `node` are its own.
fn load_of_program(text: &str) -> Result<Plan, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.yml");
    std::fs::write(&path, text).unwrap();
    let flags = Flags { config: Some(path.display().to_string()), ..Flags::default() };
    let loaded = load(&flags, &Environment::default(), Tables::of_program());
    loaded
        .map(|loaded| loaded.plan)
        .map_err(|error| error.render(Paint::OFF).replace(&flags.config.unwrap(), "agent.yml"))
}

#[test]
fn the_source_node_runs_only_when_host_is_written_and_its_parts_are_switched() {
    let runs = |text: &str| load_of_program(text).unwrap().collectors.contains(&"node");
    assert!(runs("host: true\n") && runs("host: true\ncollectors: {node: {hwmon: false}}\n"));
    assert!(!runs("peer: {process: x}\n") && !runs("host: false\n") && !runs("host: true\ncollectors: {node: off}\n"));
    let plan = load_of_program(
        "host: true\nhost_root: /host\ncollectors: {node: {hwmon: no, interrupts: true, interval: 30s}}\n",
    );
    let plan = plan.unwrap();
    assert_eq!(plan.peer.node.switches, [("hwmon", false), ("interrupts", true)]);
    assert_eq!(plan.peer.node.interval, Some(Duration::from_secs(30)));
    assert_eq!(plan.host_root, std::path::PathBuf::from("/host"));
    assert_eq!(plan.effective()["node"], serde_json::json!({"hwmon": false, "interrupts": true}));
}

#[test]
fn what_is_wrong_about_the_host_is_said() {
    let refused = |text: &str| load_of_program(text).map(|_| ()).unwrap_err();
    insta::assert_snapshot!(refused("collectors: {node: {hwmom: true, interval: 1ms}}\nhost_root: host\n"), @r"
    error: `node` runs only with `host: true`
      at collectors.node (agent.yml:1:20)
    hint: write `host: true` at the top; of several agents on a host, one is enough

    error: unknown part `hwmom`
      at collectors.node.hwmom (agent.yml:1:21)
    hint: did you mean `hwmon`?

    error: an interval lies between 100 ms and 7d
      at collectors.node.interval (agent.yml:1:44)

    error: not an absolute path: `host`
      at host_root (agent.yml:2:12)
    hint: write where the host's `/` is mounted here, as in `/host`
    ");
}
