//! The peer's container, a real one where an engine runs: its memory, processor, processes, lives; and the peer's process.

use crate::faults::container::{Limits, Peer};
use crate::faults::scene::{Kept, check};
use crate::faults::web::{Web, fine};
use crate::faults::{Row, Scene};
use crate::program::Running;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

pub(super) static ROWS: &[Row] = &[
    Row::new("container: killed for memory", &[("oom_killed", "*")], oom).also(&["memory_near_limit"]).within(20),
    Row::new("container: dies again and again", &[("crash_loop", "*")], crash_loop).within(30),
    Row::new("container: processor throttled", &[("cpu_throttled", "*")], throttled).within(90),
    Row::new("container: memory near its limit", &[("memory_near_limit", "*")], memory).within(90),
    Row::new("container: processes near their limit", &[("pids_near_limit", "*")], pids).within(30),
    Row::new("process: open files near their limit", &[("fds_near_limit", "*")], fds).within(30),
    Row::new("process: the peer is gone", &[("peer_gone", "*")], gone).within(20),
];

/// A container with a limit, and a line of shell that is done in it.
fn in_container(limits: Limits, line: &'static str) -> Result<Scene, String> {
    let (peer, web) = (Peer::idle(limits)?, Web::start(fine())?);
    let top = format!("peer: {{cgroup: {}}}\n", peer.name());
    let scene = Scene::new(&top, &[check("backend", &web.url("http"), "")]).keeping(web);
    Ok(scene.then(move || {
        let kept = peer.run(line)?;
        Ok(Box::new((kept, peer)) as Kept)
    }))
}

// `tail` keeps a line without an end until it ends.

fn oom() -> Result<Scene, String> {
    in_container(Limits { memory: Some(64), ..Limits::default() }, "head -c 200M /dev/zero | tail >/dev/null")
}

fn memory() -> Result<Scene, String> {
    let line = "(head -c 117M /dev/zero; sleep 300) | tail >/dev/null";
    in_container(Limits { memory: Some(128), ..Limits::default() }, line)
}

fn throttled() -> Result<Scene, String> {
    in_container(Limits { cpu: Some(10), ..Limits::default() }, "while :; do :; done")
}

fn pids() -> Result<Scene, String> {
    let line = "i=0; while [ $i -lt 27 ]; do sleep 300 & i=$((i+1)); done; wait";
    in_container(Limits { pids: Some(30), ..Limits::default() }, line)
}

fn crash_loop() -> Result<Scene, String> {
    let (peer, web) = (Peer::mortal()?, Web::start(fine())?);
    let top = format!("peer: {{cgroup: {}}}\n", peer.name());
    let scene = Scene::new(&top, &[check("backend", &web.url("http"), "")]).keeping(web);
    Ok(scene.then(move || peer.dies()))
}

/// A process with a name of its own that does `line` once the file `go` is there.
fn process(line: &str) -> Result<(tempfile::TempDir, String, Running), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let name = format!("fault{}", crate::servers::free_port());
    let path = folder.path().join(&name);
    let text = format!("#!/bin/bash\ncd {}\nuntil [ -e go ]; do sleep 0.1; done\n{line}\n", folder.path().display());
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
    let running = Running::start(Command::new("prlimit").args(["--nofile=64:64", "--"]).arg(&path));
    Ok((folder, name, running))
}

fn of_process(line: &str) -> Result<Scene, String> {
    let (folder, name, running) = process(line)?;
    let web = Web::start(fine())?;
    let top = format!("peer: {{process: {name}}}\n");
    let scene = Scene::new(&top, &[check("backend", &web.url("http"), "")]).keeping((web, running));
    Ok(scene.then(move || {
        std::fs::write(folder.path().join("go"), "").map_err(|error| error.to_string())?;
        Ok(Box::new(folder) as Kept)
    }))
}

fn fds() -> Result<Scene, String> {
    of_process("for i in $(seq 1 58); do exec {fd}</dev/null; done\nread -r -t 60 < <(sleep 60)")
}

fn gone() -> Result<Scene, String> {
    of_process("exit 1")
}
