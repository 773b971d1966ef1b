//! The peer's processes held against Debian's process-exporter: both look at the same few processes.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;
use tests::agent::Agent;
use tests::compare::{Gaps, Page, compare};
use tests::servers::exporter::Exporter;
use tests::servers::start::{Server, folder, free_port, unprivileged};
use tests::{skipped, tell, wait_for};

/// Two threads that sleep, one that has worked, and some bytes written to a disk.
const WORKER: &str = "
import os, sys, threading, time
for _ in range(2): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
with open('written', 'wb') as file:
    file.write(b'x' * 3000000)
    file.flush()
    os.fsync(file.fileno())
end = time.process_time() + 0.3
while time.process_time() < end: pass
open('ready', 'w').close()
sys.stdin.read()
";

/// Starts another one of its name and a worker, which end with it: what is counted is the peer with what it started.
const FAMILY: &str = "
import subprocess, sys, time
start = lambda *words: subprocess.Popen(words, stdin=subprocess.PIPE)
both = [start(sys.argv[1], '-c', 'import sys; sys.stdin.read()'), start(sys.argv[2], '-c', sys.argv[3])]
time.sleep(600)
";

/// Processes under names of their own, started as the user that the exporter runs as.
fn family(interpreter: &Path, [api, worker]: &[String; 2]) -> Result<Server, String> {
    let folder = folder()?;
    let [api, worker] = [api, worker].map(|name| folder.path().join(name));
    for program in [&api, &worker] {
        symlink(interpreter, program).map_err(|error| error.to_string())?;
    }
    let mut command = unprivileged(&api, folder.path());
    command.args(["-c", FAMILY]).args([api, worker]).arg(WORKER);
    Server::start(command, folder)
}

fn pages() -> Result<(Page, Page), String> {
    // Not one of a user's own, which the exporter's user may not run.
    let python = Path::new("/usr/bin/python3");
    if !python.exists() {
        return Err("python3 is not installed".to_owned());
    }
    // The kernel keeps 15 bytes of a name.
    let names = ["a", "w"].map(|kind| format!("sct{kind}{}", std::process::id()));
    let port = free_port();
    let (listen, wanted) = (format!("-web.listen-address=127.0.0.1:{port}"), names.join(","));
    let theirs = Exporter::start(
        "prometheus-process-exporter",
        port,
        &[&listen, "-procnames", &wanted, "-children=false"],
        &[],
    )?;
    // The exporter counts all of a process that began after itself, and the time that it computes for that is a second off.
    std::thread::sleep(Duration::from_secs(2));
    let family = family(python, &names)?;
    let ready = family.folder().join("ready");
    let _family = family.until(|| ready.exists())?;
    let here = tempfile::tempdir().map_err(|error| error.to_string())?;
    let config = format!("peer: {{process: {}}}\ncollectors: {{interval: 1s}}\n", names[0]);
    let agent = Agent::with_config(here.path(), &config);
    agent.wait_sample(&format!("namedprocess_namegroup_num_procs{{groupname=\"{}\"}}", names[0]), 2.0);
    agent.wait_sample(&format!("namedprocess_namegroup_num_threads{{groupname=\"{}\"}}", names[1]), 3.0);
    let ours = || Page::read(&agent.page("/metrics").body).only(|name| name.starts_with("namedprocess_"));
    // Both have looked at the worker after it came to rest.
    let rested = || {
        let waits = |series: &&tests::compare::Series| series.labels.get("groupname") == Some(&names[1]);
        let page = ours();
        let written = page.series_of("namedprocess_namegroup_write_bytes_total").find(waits)?.value;
        (written >= 3_000_000.0).then_some(page)
    };
    let ours = wait_for("the worker's bytes", Duration::from_secs(30), rested);
    Ok((theirs.page()?.only(|name| name.starts_with("namedprocess_")), ours))
}

#[test]
fn the_peers_processes_are_told_as_process_exporter_tells_them() {
    let test = "the_peers_processes_are_told_as_process_exporter_tells_them";
    let (theirs, ours) = match pages() {
        Ok(pages) => pages,
        Err(why) => return skipped(test, &why),
    };
    let gaps = Gaps::of("process").expect("the gaps");
    let comparison = compare("process", &theirs, &ours, &gaps);
    tell(&format!("{comparison}"));
    assert_eq!(comparison.unexplained, Vec::<String>::new());
    assert!(comparison.total > 10, "the exporter told next to nothing");
}
