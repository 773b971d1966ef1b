//! Containers as trees: a well-made one, a careless one, and pods.

use super::*;
use std::fs;
use tempfile::TempDir;

const WELL: &str = "Name:\tagent\nUid:\t65532\t65532\t65532\t65532\nGid:\t65532\t65532\t65532\t65532\nGroups:\t\nNoNewPrivs:\t1\nCapEff:\t0000000000000000\n";
const CARELESS: &str =
    "Name:\tagent\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\nNoNewPrivs:\t0\nCapEff:\t000001ffffffffff\n";

/// A container with this status, these mounts and these files.
fn container(status: &str, mountinfo: &str, files: &[&str]) -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("proc/self/status", status);
    put("proc/self/mountinfo", mountinfo);
    put("proc/sys/net/ipv4/ping_group_range", "1\t0\n");
    files.iter().for_each(|file| put(file, ""));
    tree
}

fn found(tree: &TempDir, environment: &Environment) -> (Vec<&'static str>, Findings) {
    let here = tree.path().to_path_buf();
    let roots = Roots { proc: here.join("proc"), cgroup: here.join("cgroup"), sys: here.join("sys"), root: "/".into() };
    let mut findings = Findings::default();
    check(&Sight { roots, here, peer: PeerPlan::default() }, environment, &mut findings);
    (findings.all.iter().map(|finding| finding.rule.name).collect(), findings)
}

const READ_ONLY: &str = "1 0 0:1 / / ro - overlay overlay rw\n2 1 0:2 / /backups ro - ext4 /dev/sda1 rw\n";

#[test]
fn a_well_made_container_lacks_sight_only() {
    let tree = container(WELL, READ_ONLY, &["backups/a.sql"]);
    let (rules, findings) = found(&tree, &Environment::from([]));
    assert_eq!(
        rules,
        ["privileges-no-cgroup", "privileges-no-process", "privileges-no-host-root", "privileges-no-ping"]
    );
    assert!(findings.all.iter().all(|finding| finding.fix.starts_with("compose: ")), "{findings:?}");
    let seen: Vec<&str> = findings.checked.iter().map(|checked| checked.input.as_str()).collect();
    assert_eq!(seen, ["volume /backups", "capabilities"]);
}

#[test]
fn every_right_too_many_is_named() {
    let mounts = "1 0 0:1 / / rw - overlay overlay rw\n2 1 0:2 / /data rw - ext4 /dev/sda1 rw\n3 1 0:3 / /proc rw - proc proc rw,hidepid=invisible\n";
    let tree = container(CARELESS, mounts, &["data/x", "run/docker.sock"]);
    let (rules, _) = found(&tree, &Environment::from([]));
    let wanted = [
        "privileges-hidepid",
        "privileges-writable",
        "privileges-privileged",
        "privileges-root",
        "privileges-new-privileges",
        "privileges-engine-socket",
    ];
    for rule in wanted {
        assert!(rules.contains(&rule), "{rule}: {rules:?}");
    }
    assert_eq!(
        rules.iter().filter(|rule| **rule == "privileges-writable").count(),
        2,
        "the volume and the root: {rules:?}"
    );
    assert!(!rules.contains(&"privileges-no-ping"), "CAP_NET_RAW is enough");
}

#[test]
fn a_pod_is_told_in_its_own_words() {
    let tree = container(WELL, READ_ONLY, &["backups/a", "var/run/secrets/kubernetes.io/serviceaccount/token"]);
    let environment = Environment::from([("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("AGENT_PEER_POD", "db-0")]);
    let (rules, findings) = found(&tree, &environment);
    assert!(rules.contains(&"privileges-api-token"), "{rules:?}");
    let names = findings.all.iter().find(|finding| finding.rule.name == "privileges-no-downward-api").unwrap();
    assert_eq!(names.message, "not told: AGENT_PEER_NAMESPACE, AGENT_PEER_CONTAINER");
    assert!(findings.all.iter().all(|finding| finding.fix.starts_with("Kubernetes: ")), "{findings:?}");
}

#[test]
fn a_volume_that_cannot_be_read_is_not_seen() {
    let mounts = "1 0 0:1 / / ro - overlay overlay rw\n2 1 0:2 / /gone ro - ext4 /dev/sda1 rw\n";
    let tree = container(WELL, mounts, &[]);
    let (rules, _) = found(&tree, &Environment::from([]));
    assert!(rules.contains(&"privileges-volume-unreadable"), "{rules:?}");
}

#[test]
fn without_a_proc_nothing_is_claimed() {
    let tree = tempfile::tempdir().unwrap();
    let (rules, findings) = found(&tree, &Environment::from([]));
    assert!(rules.is_empty() && findings.checked.is_empty());
    assert!(findings.unreadable[0].contains("self/status"), "{findings:?}");
}
