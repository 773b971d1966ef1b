//! `agent check --privileges` where the tests run: text and JSON, exit codes, and that what is claimed is so.

use tests::program::{clean, finish, finish_command};

#[test]
fn what_is_seen_and_what_is_not_is_told_with_a_way_out() {
    let text = finish("agent", &["check", "--privileges"]);
    assert_eq!(text.code, 0, "warnings forbid nothing: {}{}", text.stdout, text.stderr);
    // The tests run outside a peer's container, so that its cgroup is not named anywhere.
    assert!(text.stdout.contains("privileges-no-cgroup") && text.stdout.contains("cgroup_parent"), "{}", text.stdout);
    let json = finish("agent", &["check", "--privileges", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let rules: Vec<&str> =
        report["findings"].as_array().expect("findings").iter().filter_map(|row| row["rule"].as_str()).collect();
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let root = status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"));
    assert_eq!(rules.contains(&"privileges-root"), root, "{rules:?}");
    let held = status.lines().any(|line| line.starts_with("CapEff:") && line.trim_end_matches('0') != "CapEff:\t");
    let told = rules.contains(&"privileges-capabilities") || rules.contains(&"privileges-privileged");
    assert_eq!(told, held, "{rules:?}");
}

#[test]
fn in_a_pod_the_way_out_is_a_pods() {
    let pod = finish_command(clean("agent").args(["check", "--privileges"]).env("KUBERNETES_SERVICE_HOST", "10.0.0.1"));
    assert!(pod.stdout.contains("shareProcessNamespace") && !pod.stdout.contains("compose: "), "{}", pod.stdout);
    assert!(pod.stdout.contains("AGENT_PEER_POD"), "{}", pod.stdout);
}
