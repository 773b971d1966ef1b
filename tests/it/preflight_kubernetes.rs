//! `agent check --kubernetes` from outside: exit codes, the place of a finding, JSON, several files as one stack, and our own manifests.
//! Every rule on every line is held in `agent/src/preflight/kubernetes/tests.rs`, over the same files.

use std::time::{Duration, Instant};
use tests::program::finish;
use tests::repo::root;

fn manifests(name: &str) -> String {
    root().join("tests/preflight/kubernetes").join(name).display().to_string()
}

#[test]
fn a_moved_port_is_found_on_its_line_with_what_the_pods_have() {
    let bad = finish("agent", &["check", "--kubernetes", &manifests("bad/moved-port.yaml")]);
    assert_eq!(bad.code, 1, "{}{}", bad.stdout, bad.stderr);
    assert!(bad.stdout.contains("the pods of Deployment/api have no port 3000, but 8000 (http)"), "{}", bad.stdout);
    assert!(bad.stdout.contains("moved-port.yaml:25"), "{}", bad.stdout);
    let json = finish("agent", &["check", "--format", "json", "--kubernetes", &manifests("bad/moved-port.yaml")]);
    let report: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(report["findings"][0]["line"], 25);
    assert_eq!(report["counts"]["errors"], 3);
}

#[test]
fn well_made_manifests_are_good_and_secrets_are_never_shown() {
    let own = root().join("docker/kubernetes").display().to_string();
    let good = finish("agent", &["check", "--kubernetes", &own]);
    assert_eq!(good.code, 0, "{}{}", good.stdout, good.stderr);
    for format in ["text", "json", "junit"] {
        let bad = finish("agent", &["check", "--format", format, "--kubernetes", &manifests("bad/safety.yaml")]);
        assert_eq!(bad.code, 1);
        assert!(!format!("{}{}", bad.stdout, bad.stderr).contains("s3cret"), "{format}: {}", bad.stdout);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_wrong_input() {
    let gone = finish("agent", &["check", "--kubernetes", "/nowhere/pod.yaml"]);
    assert_eq!(gone.code, 2);
    assert!(gone.stderr.contains("/nowhere/pod.yaml"), "{}", gone.stderr);
    let other = root().join("docker/compose.yaml").display().to_string();
    assert_eq!(finish("agent", &["check", "--kubernetes", &other]).code, 2, "a compose file is no manifest");
}

#[test]
fn all_files_of_one_call_are_one_stack() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let service =
        "kind: Service\nmetadata: {name: api}\nspec: {selector: {app: api}, ports: [{port: 80, targetPort: 3000}]}\n";
    let pod = "kind: Pod\nmetadata: {name: api, labels: {app: api}}\nspec:\n  securityContext: {runAsNonRoot: true}\n  containers:\n  \
               - {name: api, image: 'api:1', ports: [{containerPort: 8000}], resources: {limits: {memory: 1Gi}}}\n";
    let (service, pod) = (put("service.yaml", service), put("pod.yaml", pod));
    assert_eq!(finish("agent", &["check", "--kubernetes", &service]).code, 0, "its pods may be anywhere");
    let both = finish("agent", &["check", "--kubernetes", &service, &pod]);
    assert!(both.code == 1 && both.stdout.contains("kubernetes-target-port"), "{}", both.stdout);
}

#[test]
fn forty_services_take_no_time_worth_noticing() {
    let text = std::fs::read_to_string(manifests("good/web-and-database.yaml")).expect("a manifest");
    let many: String =
        (0..40).map(|at| format!("{}\n---\n", text.replace("name: api}", &format!("name: api-{at}}}")))).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("many.yaml");
    std::fs::write(&path, many).expect("a file");
    let began = Instant::now();
    let _many = finish("agent", &["check", "--kubernetes", &path.display().to_string()]);
    // 50 ms are promised of the shipped binary on a quiet machine; a debug build on a busy one is given more.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
