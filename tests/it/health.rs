//! What a container's HEALTHCHECK costs, measured at the binary that ships.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use tests::repo::root;
use tests::{skipped, tell};

/// Peak memory that `agent health` may have, most of it pages of the program's file that every agent of the machine shares.
const PEAK_KB: u64 = 3_000;

/// It waits for its answer while it is looked at: all that comes later is the reading of one line.
#[test]
fn a_health_check_takes_less_than_3_mb() {
    let test = "a_health_check_takes_less_than_3_mb";
    let shipped = root().join(format!("target/{}-unknown-linux-gnu/agent/agent", std::env::consts::ARCH));
    if !shipped.exists() {
        return skipped(test, "the static agent is not built; tests/run builds it");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/live", listener.local_addr().unwrap());
    let mut asking = Command::new(&shipped).args(["health", &url]).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let _ = stream.read(&mut [0; 512]).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", asking.id())).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    assert!(asking.wait().unwrap().success());
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    let peak: u64 = line("VmHWM:").trim_end_matches(" kB").parse().unwrap();
    tell(&format!("agent health: {peak} KiB at most, of it {} of its own", line("RssAnon:")));
    // `kB` of the kernel are 1024 bytes.
    assert!(peak * 1024 <= PEAK_KB * 1000, "{status}");
}
