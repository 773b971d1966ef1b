//! The peer's container: its cgroup, its processes, its lives.

use crate::faults::cgroup::Cgroup;
use crate::faults::scene::{Kept, check};
use crate::faults::web::{Web, fine};
use crate::faults::{Row, Scene};
use crate::program::Running;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

pub(super) static ROWS: &[Row] = &[
    Row::new("container: killed for memory", &[("oom_killed", "*")], oom).also(&["memory_near_limit"]).within(20),
    Row::new("container: dies again and again", &[("crash_loop", "*")], crash_loop).within(30),
    Row::new("container: processor throttled", &[("cpu_throttled", "*")], throttled).within(90),
    Row::new("container: memory near its limit", &[("memory_near_limit", "*")], memory).within(90),
    Row::new("container: processes near their limit", &[("pids_near_limit", "*")], pids).within(30),
    Row::new("process: open files near their limit", &[("fds_near_limit", "*")], fds).within(30),
    Row::new("process: the peer is gone", &[("peer_gone", "*")], gone).within(20),
];

/// A container with a limit, something at work in it, and a fault that is done to it.
fn in_cgroup(
    limits: &[(&'static str, &'static str, &str)],
    act: impl FnOnce(&Arc<Cgroup>) -> Result<Kept, String> + Send + 'static,
) -> Result<Scene, String> {
    let cgroup = Arc::new(Cgroup::new(limits)?);
    let (idle, web) = (cgroup.run("exec sleep 300"), Web::start(fine())?);
    let top = format!("peer: {{cgroup: {}}}\n", cgroup.name);
    let scene = Scene::new(&top, &[check("backend", &web.url("http"), "")]).keeping(web);
    Ok(scene.then(move || {
        let kept = act(&cgroup)?;
        Ok(Box::new((kept, idle, cgroup)) as Kept)
    }))
}

/// A program that takes so many megabytes and keeps them.
fn eats(megabytes: u32) -> String {
    format!("exec python3 -c 'import time; kept = b\"x\" * ({megabytes} << 20); time.sleep(300)'")
}

fn oom() -> Result<Scene, String> {
    in_cgroup(&[("memory", "memory.limit_in_bytes", "64M")], |cgroup| Ok(Box::new(cgroup.run(&eats(200)))))
}

fn memory() -> Result<Scene, String> {
    in_cgroup(&[("memory", "memory.limit_in_bytes", "128M")], |cgroup| Ok(Box::new(cgroup.run(&eats(112)))))
}

fn throttled() -> Result<Scene, String> {
    in_cgroup(&[("cpu", "cpu.cfs_quota_us", "10000")], |cgroup| Ok(Box::new(cgroup.run("while :; do :; done"))))
}

fn pids() -> Result<Scene, String> {
    in_cgroup(&[("pids", "pids.max", "30")], |cgroup| {
        let many: Vec<Running> = (0..28).map(|_| cgroup.run("exec sleep 300")).collect();
        Ok(Box::new(many))
    })
}

/// Four lives within some seconds, each with a program that ends.
fn crash_loop() -> Result<Scene, String> {
    let cgroup = Arc::new(Cgroup::new(&[])?);
    let (mut first, web) = (cgroup.run("exec sleep 300"), Web::start(fine())?);
    let top = format!("peer: {{cgroup: {}}}\n", cgroup.name);
    let scene = Scene::new(&top, &[check("backend", &web.url("http"), "")]).keeping(web);
    Ok(scene.then(move || {
        first.signal(rustix::process::Signal::KILL);
        first.end();
        let lives = std::thread::spawn(move || {
            for _life in 0..6 {
                if cgroup.next_life().is_err() {
                    return;
                }
                let mut life = cgroup.run("exec sleep 300");
                std::thread::sleep(Duration::from_millis(2500));
                life.signal(rustix::process::Signal::KILL);
                life.end();
            }
        });
        Ok(Box::new(Joined(Some(lives))))
    }))
}

/// A thread that is waited for.
struct Joined(Option<std::thread::JoinHandle<()>>);

impl Drop for Joined {
    fn drop(&mut self) {
        let _ended = self.0.take().map(std::thread::JoinHandle::join);
    }
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
