//! cgroup v2 in a kernel of its own: `tests/cgroup_v2/run` boots it under qemu and holds the agent's pages against what the kernel
//! counted. Needs what that script has fetched once; fetches nothing itself.

use std::process::Command;
use tests::repo::root;
use tests::{skipped, tell};

#[test]
fn kills_throttling_and_restarts_on_cgroup_v2_are_what_the_kernel_counted() {
    let test = "kills_throttling_and_restarts_on_cgroup_v2_are_what_the_kernel_counted";
    let output = Command::new(root().join("tests/cgroup_v2/run")).env("FETCH", "no").output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code() {
        Some(0) => tell(&said),
        Some(77) => skipped(test, &said),
        _ => panic!("{said}\n{}", String::from_utf8_lossy(&output.stderr)),
    }
}
