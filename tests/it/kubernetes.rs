//! The manifests of `docker/kubernetes`: built by kubectl's kustomize, held against the schemas of Kubernetes and of the Prometheus
//! operator, and against what DESIGN promises of a sidecar in a pod. No cluster runs here.

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use tests::program::{clean, finish_command};
use tests::{python, repo, skipped};

const SECRETS: &[&str] =
    &["db_root_password", "db_password", "redis_password", "jwt_secret", "admin_password", "tls.crt", "tls.key"];

/// A copy of the manifests with secrets, as a user makes one.
fn manifests() -> Result<tempfile::TempDir, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let from = repo::root().join("docker/kubernetes/.");
    let copied = Command::new("cp").arg("-r").arg(from).arg(folder.path()).status();
    copied.map_err(|error| error.to_string())?;
    std::fs::create_dir_all(folder.path().join("secrets")).map_err(|error| error.to_string())?;
    for name in SECRETS {
        std::fs::write(folder.path().join("secrets").join(name), "0123456789abcdef").map_err(|e| e.to_string())?;
    }
    Ok(folder)
}

/// What `kubectl apply -k` would send.
fn built(folder: &Path) -> Result<String, String> {
    let output = Command::new("kubectl").arg("kustomize").arg(folder).output();
    let output = output.map_err(|error| format!("kubectl cannot be started: {error}"))?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The documents of the stack and of the load test, none with a problem.
fn documents() -> Result<Vec<Value>, String> {
    let folder = manifests()?;
    let mut documents = Vec::new();
    for part in [folder.path().to_path_buf(), folder.path().join("loadtest")] {
        let said = python::run("kubernetes.py", &built(&part)?)?;
        assert!(said.good, "{}", said.stderr);
        documents.extend(serde_json::from_str::<Vec<Value>>(&said.stdout).expect("a list"));
    }
    Ok(documents)
}

fn workloads(documents: &[Value]) -> Vec<(&str, &Value)> {
    let templated = documents.iter().filter_map(|document| {
        let pod = document.pointer("/spec/template/spec")?;
        Some((document.pointer("/metadata/name")?.as_str()?, pod))
    });
    templated.collect()
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"].into_iter().flat_map(|key| pod[key].as_array().into_iter().flatten())
}

#[test]
fn every_manifest_fits_the_schemas() {
    let documents = match documents() {
        Ok(documents) => documents,
        Err(why) => return skipped("every_manifest_fits_the_schemas", &why),
    };
    let count = |kind: &str| documents.iter().filter(|document| document["kind"] == kind).count();
    assert_eq!(count("Deployment") + count("StatefulSet"), 5);
    assert_eq!(count("Job"), 1);
    assert!(count("PodMonitor") == 2 && count("PrometheusRule") > 0 && count("NetworkPolicy") > 6);
}

#[test]
fn a_misspelt_key_is_found_in_either_schema() {
    let text = match manifests().and_then(|folder| built(folder.path())) {
        Ok(text) => text,
        Err(why) => return skipped("a_misspelt_key_is_found_in_either_schema", &why),
    };
    for (good, bad) in
        [("livenessProbe", "livenesProbe"), ("podMetricsEndpoints", "podMetricEndpoints"), ("expr:", "exp:")]
    {
        assert!(text.contains(good), "{good}");
        match python::run("kubernetes.py", &text.replace(good, bad)) {
            Ok(said) => {
                assert!(!said.good && said.stderr.contains(bad.trim_end_matches(':')), "{bad}: {}", said.stderr)
            }
            Err(why) => return skipped("a_misspelt_key_is_found_in_either_schema", &why),
        }
    }
}

/// DESIGN, decision 1 and the recipe for Kubernetes.
#[test]
fn each_service_has_a_native_sidecar_that_gates_traffic_and_nothing_else() {
    let documents = match documents() {
        Ok(documents) => documents,
        Err(why) => return skipped("each_service_has_a_native_sidecar_that_gates_traffic_and_nothing_else", &why),
    };
    for (name, pod) in workloads(&documents).into_iter().filter(|(name, _)| *name != "loadtest") {
        let sidecar = &pod["initContainers"][0];
        assert_eq!(sidecar["name"], "sidecar", "{name}");
        assert_eq!(sidecar["restartPolicy"], "Always", "{name}: a native sidecar");
        assert_eq!(sidecar["startupProbe"]["httpGet"]["path"], "/live", "{name}: the service waits for this one");
        assert_eq!(sidecar["livenessProbe"]["httpGet"]["path"], "/live", "{name}");
        assert_eq!(sidecar["readinessProbe"]["httpGet"]["path"], "/ready", "{name}");
        let told = sidecar["env"].as_array().expect("variables").iter();
        let of_peer = told.filter(|variable| variable["valueFrom"]["resourceFieldRef"]["containerName"] == name);
        assert_eq!(of_peer.count(), 2, "{name}: its limits from the downward API");
        let told = |variable: &str, at: &str| {
            let mut all = sidecar["env"].as_array().expect("variables").iter();
            all.find(|one| one["name"] == variable).and_then(|one| one.pointer(at)).cloned()
        };
        let field = "/valueFrom/fieldRef/fieldPath";
        assert_eq!(told("AGENT_PEER_CONTAINER", "/value"), Some(name.into()));
        assert_eq!(told("AGENT_PEER_POD", field), Some("metadata.name".into()), "{name}");
        assert_eq!(told("AGENT_PEER_NAMESPACE", field), Some("metadata.namespace".into()), "{name}");
        let service = &pod["containers"][0];
        assert!(service.get("readinessProbe").is_none(), "{name}: the sidecar's is the pod's");
        assert_ne!(service["securityContext"]["runAsUser"], 65532, "{name}: another user than the sidecar");
        assert_ne!(pod["securityContext"]["runAsUser"], 65532, "{name}: another user than the sidecar");
    }
}

/// The `restricted` Pod Security Standard, and what it leaves open.
#[test]
fn no_container_has_more_rights_than_it_needs() {
    let documents = match documents() {
        Ok(documents) => documents,
        Err(why) => return skipped("no_container_has_more_rights_than_it_needs", &why),
    };
    for (name, pod) in workloads(&documents) {
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
        assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        assert!(pod["volumes"].as_array().expect("volumes").iter().all(|volume| volume.get("hostPath").is_none()));
        for container in containers(pod) {
            let rights = &container["securityContext"];
            assert_eq!(rights["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(rights["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(rights["capabilities"]["drop"][0], "ALL", "{name}");
            let limits = &container["resources"]["limits"];
            assert!(limits["memory"].is_string() && limits["cpu"].is_string(), "{name}: {limits}");
            let image = container["image"].as_str().expect("an image");
            assert!(!image.ends_with(":latest") && image.contains(':'), "{name}: {image} is not pinned");
        }
    }
}

/// Each configuration loads, and what several pods share holds none of them back.
#[test]
fn the_sidecars_configurations_load_and_observe_what_is_shared() {
    let secrets = tempfile::tempdir().expect("a folder");
    for name in SECRETS {
        std::fs::write(secrets.path().join(name), "0123456789abcdef").expect("written");
    }
    // A certificate must be one.
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-keyout",
            "/dev/null",
            "-out",
        ])
        .arg(secrets.path().join("tls.crt"))
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        return skipped("the_sidecars_configurations_load_and_observe_what_is_shared", "no openssl");
    }
    let folder = repo::root().join("docker/kubernetes/sidecars");
    let files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(files.len(), 5);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let here = secrets.path().join("agent.yml");
        std::fs::write(&here, text.replace("/run/secrets", &secrets.path().display().to_string())).expect("written");
        let mut check = clean("agent");
        check.args(["check", "--config"]).arg(&here).env("PEER_MEMORY_LIMIT", "268435456").env("PEER_CPU_LIMIT", "500");
        let said = finish_command(&mut check);
        assert_eq!(said.code, 0, "{}: {}{}", file.display(), said.stdout, said.stderr);
        let shared = said.stdout.lines().filter(|line| line.contains("@db:") || line.contains("@redis:"));
        assert!(shared.clone().all(|line| line.contains("observe")), "{}", said.stdout);
        assert!(!said.stdout.contains("0123456789abcdef"), "{}", said.stdout);
    }
}

/// A Service without an address of its own names ready pods only, and the API, which makes the tables, finds the database by it.
#[test]
fn the_database_is_ready_before_the_tables_that_its_client_makes() {
    let database = repo::read(&repo::root().join("docker/kubernetes/sidecars/db.yml"));
    assert!(!database.lines().any(|line| line.trim_start().starts_with("tables:")), "{database}");
    let backend = repo::read(&repo::root().join("docker/kubernetes/sidecars/backend.yml"));
    assert!(backend.contains("tables: [users"), "they are looked for from there: {backend}");
}

#[test]
fn the_status_page_of_a_pod_is_open_to_its_sidecar_and_nobody_else() {
    let edge = repo::read(&repo::root().join("docker/kubernetes/generated/nginx/nginx.conf"));
    let (_, status) = edge.split_once("listen 127.0.0.1:8081;").expect("the status page");
    let rules: Vec<&str> =
        status.lines().map(str::trim).filter(|l| l.starts_with("allow") || l.starts_with("deny")).collect();
    assert_eq!(rules, ["allow 127.0.0.1;", "deny all;"]);
}

/// The Job is built apart from the stack and meets it in the cluster only.
#[test]
fn the_load_test_asks_for_a_secret_that_the_stack_makes() {
    let documents = match documents() {
        Ok(documents) => documents,
        Err(why) => return skipped("the_load_test_asks_for_a_secret_that_the_stack_makes", &why),
    };
    let named = |kind: &str| documents.iter().filter(|one| one["kind"] == kind).collect::<Vec<_>>();
    let asked =
        named("Job")[0].pointer("/spec/template/spec/containers/0/env/0/valueFrom/secretKeyRef").expect("a key");
    let made = named("Secret").into_iter().find(|secret| secret["metadata"]["name"] == asked["name"]);
    let made = made.unwrap_or_else(|| panic!("no secret `{}`", asked["name"]));
    assert!(made["data"].get(asked["key"].as_str().expect("text")).is_some(), "{asked}");
}

/// The Job's only way to the password: arguments can be read by whoever may list pods.
#[test]
fn the_load_test_takes_the_administrators_password_from_its_environment() {
    let job = repo::read(&repo::root().join("docker/kubernetes/loadtest/job.yaml"));
    let plan = repo::read(&repo::root().join("docker/backend/loadtest.yml"));
    assert!(
        job.contains("- name: ADMIN_PASSWORD") && plan.contains("admin_password: \"${ADMIN_PASSWORD:-"),
        "{job}{plan}"
    );
}

#[test]
fn what_the_pods_share_with_compose_is_fresh() {
    let said = finish_command(Command::new(repo::root().join("docker/kubernetes/refresh")).arg("--check"));
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
}

/// The same relabelling under the operator's spelling of the keys: one set of dashboards and rules fits both.
#[test]
fn the_operator_relabels_as_the_prometheus_of_compose_does() {
    let rules = |file: &str, begins: &str| -> Vec<String> {
        let text = repo::read(&repo::root().join(file));
        let lines = text.lines().skip_while(|line| line.trim() != begins).skip(1);
        let list = lines.take_while(|line| line.trim_start().starts_with("- {"));
        list.map(|line| line.trim().replace("source_labels", "sourceLabels").replace("target_label", "targetLabel"))
            .collect()
    };
    let compose = rules("docker/prometheus/prometheus.yml", "metric_relabel_configs:");
    assert!(compose.len() > 5, "{compose:?}");
    assert_eq!(compose, rules("docker/kubernetes/monitoring.yaml", "metricRelabelings:"));
}
