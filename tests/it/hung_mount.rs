//! A mount that hangs for ever, made of a FUSE server that never answers, in a mount namespace of the agent's own so that nobody else
//! meets it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::agent::Agent;
use tests::program::clean;
use tests::{skipped, wait_for};

const THIS: &str = "a_mount_that_hangs_is_marked_and_costs_nobody_else_anything";

/// Mounts, leaves the server's end with a process whose number it writes down, and becomes the agent.
const SCRIPT: &str = "exec 7<>/dev/fuse || exit 1
mount -i -t fuse -o fd=7,rootmode=40000,user_id=0,group_id=0 hung \"$1\" || exit 1
sleep 120 & echo $! > \"$2\"
exec 7>&-
shift 2
exec \"$@\"";

fn can_mount() -> bool {
    let mut trial = Command::new("unshare");
    trial.args(["-m", "sh", "-c", "test -w /dev/fuse && mount -t tmpfs tmpfs /mnt"]);
    trial.output().is_ok_and(|output| output.status.success())
}

struct Holder(String);

impl Drop for Holder {
    fn drop(&mut self) {
        let _ended = Command::new("kill").arg(&self.0).output();
    }
}

fn threads(pid: &str) -> usize {
    std::fs::read_dir(Path::new("/proc").join(pid).join("task")).map_or(0, Iterator::count)
}

#[test]
fn a_mount_that_hangs_is_marked_and_costs_nobody_else_anything() {
    if !can_mount() {
        return skipped(THIS, "needs root and /dev/fuse");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let [hung, noted, config] =
        ["hung", "holder", "agent.yml"].map(|name| folder.path().join(name).display().to_string());
    std::fs::create_dir(&hung).expect("a mount point");
    std::fs::write(&config, "host: true\ncollectors: {interval: 1s, node: {interval: 1s}}\n").expect("written");
    let agent = clean("agent").get_program().to_owned();
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", SCRIPT, "sh", &hung, &noted]).arg(&agent);
    command.args(["--listen", "127.0.0.1:0", "--config", &config]);
    let agent = Agent::start_command(&mut command);
    let holder = Holder(std::fs::read_to_string(&noted).expect("its number").trim().to_owned());

    let error = |words: &str| {
        format!(
            "node_filesystem_device_error{{device=\"hung\",mountpoint=\"{hung}\",fstype=\"fuse\",device_error=\"{words}\"}}"
        )
    };
    agent.wait_sample(&error("mountpoint timeout"), 1.0);
    let page = agent.page("/metrics").body;
    assert!(
        page.contains("node_filesystem_size_bytes{") && !page.contains("node_filesystem_size_bytes{device=\"hung\"")
    );
    for line in ["sidecar_source_up{source=\"host\"} 1", "node_scrape_collector_success{collector=\"filesystem\"} 1"] {
        assert!(page.contains(line), "{line} in {page}");
    }
    let pid = agent.running.id().to_string();
    let (before, at) = (threads(&pid), || agent.sample("node_time_seconds"));
    let first = at().expect("a time");
    wait_for("three more looks", Duration::from_secs(30), || at().filter(|now| *now > first + 3.0));
    assert!(threads(&pid) <= before, "a thread more with each look");

    drop(holder);
    agent.wait_sample(&error("transport endpoint is not connected"), 1.0);
}
