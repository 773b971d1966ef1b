//! A real container beside the agent: found by its cgroup's name, its limits read, its restart counted. The container runs the static
//! agent itself, so that no image is needed.

use std::path::{Path, PathBuf};
use std::process::Command;
use tests::agent::Agent;
use tests::repo::root;
use tests::skipped;

const IMAGE: &str = "sidecar-test-peer";

fn static_agent() -> PathBuf {
    root().join("target/x86_64-unknown-linux-gnu/agent/agent")
}

fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(arguments).output().map_err(|error| format!("docker: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A container under a cgroup of its own name; removed when the test ends.
struct Peer(String);

impl Peer {
    fn start(folder: &Path, purpose: &str) -> Result<Self, String> {
        if !static_agent().exists() {
            return Err("the static agent is not built".to_owned());
        }
        docker(&["version"])?;
        std::fs::copy(static_agent(), folder.join("agent")).map_err(|error| error.to_string())?;
        std::fs::write(
            folder.join("Dockerfile"),
            "FROM scratch\nCOPY agent /agent\nUSER 65532\nENTRYPOINT [\"/agent\"]\n",
        )
        .map_err(|error| error.to_string())?;
        docker(&["build", "-q", "-t", IMAGE, &folder.to_string_lossy()])?;
        let name = format!("sidecar_test_{}_{purpose}", std::process::id());
        let parent = format!("{name}.slice");
        docker(&[
            "run",
            "-d",
            "--name",
            &name,
            "--cgroup-parent",
            &parent,
            "--network",
            "none",
            "--memory",
            "64m",
            "--cpus",
            "0.5",
            "--pids-limit",
            "50",
            "--read-only",
            "--cap-drop",
            "ALL",
            IMAGE,
            "--peer",
            "http://127.0.0.1:9797/live",
        ])?;
        Ok(Self(name))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _removed = docker(&["rm", "-f", &self.0]);
    }
}

#[test]
fn a_containers_limits_and_restarts_are_seen_without_the_docker_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let peer = match Peer::start(folder.path(), "restart") {
        Ok(peer) => peer,
        Err(why) => return skipped("a_containers_limits_and_restarts_are_seen_without_the_docker_socket", &why),
    };
    let agent = Agent::start(&["--peer-cgroup", &peer.0, "--check", "dead=tcp://127.0.0.1:1"]);
    agent.wait_sample("sidecar_peer_memory_limit_bytes", 67_108_864.0);
    agent.wait_sample("sidecar_peer_cpu_limit_cores", 0.5);
    agent.wait_sample("sidecar_peer_pids_limit", 50.0);
    agent.wait_sample("sidecar_peer_restarts_total", 0.0);
    let used = agent.sample("sidecar_memory_used_ratio{scope=\"peer\"}").expect("a ratio");
    assert!(used > 0.0 && used < 0.5, "{used}");
    docker(&["restart", "-t", "2", &peer.0]).expect("restarted");
    agent.wait_sample("sidecar_peer_restarts_total", 1.0);
    agent.wait_sample("sidecar_peer_memory_limit_bytes", 67_108_864.0);
}

#[test]
fn the_image_stops_in_order_on_dockers_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let peer = match Peer::start(folder.path(), "stop") {
        Ok(peer) => peer,
        Err(why) => return skipped("the_image_stops_in_order_on_dockers_signal", &why),
    };
    docker(&["stop", "-t", "10", &peer.0]).expect("stopped");
    assert_eq!(docker(&["inspect", "-f", "{{.State.ExitCode}}", &peer.0]).as_deref(), Ok("0"));
}
