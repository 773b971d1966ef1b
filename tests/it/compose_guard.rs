//! What every service of the stack must have: a sidecar that can see it, limits, no rights, a health check, a network of its own, and
//! no secret in plain sight.

use serde_json::Value;
use std::collections::BTreeSet;
use tests::compose::{Mount, config, mounts, names, published, services};
use tests::program::finish;
use tests::repo::{read, root};
use tests::skipped;

const PEERS: [&str; 8] = ["db", "redis", "backend", "frontend", "nginx", "prometheus", "alertmanager", "grafana"];

/// What is run by hand and ends: nothing to restart or to look after.
const JOBS: [&str; 1] = ["backup"];

/// Both databases; `None` where no compose is installed, with a word about it.
fn stacks(test: &str) -> Option<Vec<Value>> {
    let both = [&[""][..], &["", ".mysql"]].map(|names| config(names).expect("accepted"));
    if both.iter().any(Option::is_none) {
        skipped(test, "no compose is installed");
    }
    both.into_iter().collect()
}

fn text<'a>(service: &'a Value, key: &str) -> &'a str {
    service[key].as_str().unwrap_or_default()
}

#[test]
fn every_service_is_bounded_unprivileged_and_checked() {
    let Some(stacks) = stacks("every_service_is_bounded_unprivileged_and_checked") else { return };
    for (name, service) in stacks.iter().flat_map(services) {
        for key in ["mem_limit", "cpus", "pids_limit", "stop_grace_period"] {
            assert!(!service[key].is_null(), "{name} has no {key}");
        }
        let job = JOBS.contains(&name.as_str());
        assert_eq!(text(service, "restart"), if job { "no" } else { "unless-stopped" }, "{name}");
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(names(&service["cap_drop"]), ["ALL"], "{name}");
        assert!(service["cap_add"].is_null() && service["privileged"].is_null(), "{name}");
        assert_eq!(names(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        assert!(!text(service, "user").is_empty() && !text(service, "user").starts_with('0'), "{name}");
        assert!(job || service["healthcheck"]["test"].is_array(), "{name}");
        assert!(!service["logging"]["options"]["max-size"].is_null(), "{name}: its log may fill the disk");
        let socket = |mount: &Mount| mount.source.contains("docker.sock") || mount.target.contains("docker.sock");
        assert!(!mounts(service).iter().any(socket), "{name} holds the Docker socket");
    }
}

#[test]
fn every_service_has_a_sidecar_that_can_see_it() {
    let Some(stacks) = stacks("every_service_has_a_sidecar_that_can_see_it") else { return };
    for stack in &stacks {
        let all = services(stack);
        for name in PEERS {
            let (peer, sidecar) = (&all[name], &all[&format!("{name}-sidecar")]);
            assert_eq!(text(peer, "cgroup_parent"), format!("stack_{name}.slice"));
            assert_eq!(sidecar["environment"]["AGENT_PEER_CGROUP"], format!("stack_{name}"));
            assert_eq!(peer["profiles"], sidecar["profiles"], "{name}");
            assert!(
                sidecar["depends_on"].is_null(),
                "the sidecar of {name} waits, and could not explain a failed start"
            );
            let cgroup = Mount { source: "/sys/fs/cgroup".into(), target: "/sys/fs/cgroup".into(), read_only: true };
            let mounted = mounts(sidecar);
            assert!(mounted.contains(&cgroup), "{name}");
            assert!(mounted.iter().all(|mount| mount.read_only), "{name}: {mounted:?}");
            let networks: BTreeSet<String> = names(&sidecar["networks"]).into_iter().collect();
            assert!(networks.contains("monitoring"), "{name}");
            assert!(names(&peer["networks"]).iter().any(|network| networks.contains(network)), "{name}");
        }
        assert_eq!(all.len(), 2 * PEERS.len() + JOBS.len());
    }
}

/// Volumes that a peer has and that hold nothing of it.
fn is_left_over(stack: &Value, volume: &str) -> bool {
    volume == "db-data" && !stack["volumes"]["mysql-data"].is_null()
}

#[test]
fn every_data_volume_is_watched_by_the_sidecar_beside_it() {
    let Some(stacks) = stacks("every_data_volume_is_watched_by_the_sidecar_beside_it") else { return };
    for stack in &stacks {
        let all = services(stack);
        for name in PEERS {
            let sidecar = &all[&format!("{name}-sidecar")];
            let own = mounts(sidecar);
            let file = sidecar["environment"]["AGENT_CONFIG"].as_str().expect("a file");
            let config = read(&root().join("docker/sidecars").join(file.trim_start_matches("/etc/agent/")));
            let volumes = mounts(&all[name]).into_iter().filter(|mount| !mount.source.contains('/'));
            for volume in volumes.filter(|volume| !is_left_over(stack, &volume.source)) {
                let seen = own.iter().find(|mount| mount.source == volume.source);
                let seen =
                    seen.unwrap_or_else(|| panic!("{} of {name} is not mounted into its sidecar", volume.source));
                let listed =
                    config.lines().any(|line| line.trim().starts_with("volumes:") && line.contains(&seen.target));
                assert!(listed, "{file} does not list {}", seen.target);
            }
        }
    }
}

#[test]
fn only_the_edge_is_open_and_no_database_port_is_published() {
    let Some(stacks) = stacks("only_the_edge_is_open_and_no_database_port_is_published") else { return };
    for (name, service) in stacks.iter().flat_map(services) {
        let expected: &[&str] = match name.as_str() {
            "nginx" => &[":80→80", ":443→443"],
            "prometheus" => &["127.0.0.1:9090→9090"],
            "alertmanager" => &["127.0.0.1:9093→9093"],
            "grafana" => &["127.0.0.1:3001→3001"],
            _ => &[],
        };
        assert_eq!(published(service), expected, "{name}");
    }
    for stack in &stacks {
        for network in ["app", "data", "status"] {
            assert_eq!(stack["networks"][network]["internal"], true, "{network}");
        }
        let all = services(stack);
        let on = |name: &str| {
            let mut found = names(&all[name]["networks"]);
            found.sort();
            found
        };
        assert_eq!(on("db"), ["data"]);
        assert_eq!(on("redis"), ["data"]);
        assert_eq!(on("backend"), ["app", "data"]);
        assert_eq!(on("frontend"), ["app"]);
        assert_eq!(on("nginx"), ["app", "edge", "status"]);
        let on_status = |name: &&String| names(&all[*name]["networks"]).contains(&"status".to_owned());
        assert_eq!(all.keys().filter(on_status).collect::<Vec<_>>(), ["nginx", "nginx-sidecar"]);
    }
}

#[test]
fn the_start_is_ordered_by_health() {
    let Some(stacks) = stacks("the_start_is_ordered_by_health") else { return };
    for stack in &stacks {
        let all = services(stack);
        for (name, awaited) in [
            ("backend", &["db", "redis"][..]),
            ("frontend", &["backend"]),
            ("nginx", &["backend", "frontend"]),
            ("grafana", &["prometheus"]),
        ] {
            let on = &all[name]["depends_on"];
            let mut found = names(on);
            found.sort();
            assert_eq!(found, awaited, "{name}");
            assert!(awaited.iter().all(|one| on[one]["condition"] == "service_healthy"), "{name}");
        }
    }
}

#[test]
fn no_secret_stands_in_the_compose_files() {
    let Some(stacks) = stacks("no_secret_stands_in_the_compose_files") else { return };
    for (name, service) in stacks.iter().flat_map(services) {
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            let sensitive = ["PASSWORD", "SECRET", "TOKEN"].iter().any(|word| variable.contains(word));
            let value = value.as_str().unwrap_or_default();
            assert!(!sensitive || value.starts_with("/run/secrets/"), "{name}: {variable}");
            let authority = value.split_once("://").and_then(|(_, rest)| rest.split_once('@')).map(|(user, _)| user);
            assert!(!authority.is_some_and(|user| user.contains(':')), "{name}: {variable} holds a password");
        }
    }
}

#[test]
fn every_sidecars_configuration_is_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "a secret of the tests\n").expect("written");
    for file in tests::repo::files("docker/sidecars", ".yml") {
        let mut text = read(&file);
        // docker/up asks from inside the sidecar's own network; nobody else has a reason to see addresses and messages.
        assert!(!text.contains("diagnostics_from"), "{} opens restricted pages", file.display());
        for name in ["db_password", "redis_password"] {
            text = text.replace(&format!("/run/secrets/{name}"), &secret.to_string_lossy());
        }
        // The certificate is read when the file is loaded; the tests of the agent have their own of it.
        text = text.replace("ca_file: /run/secrets/tls.crt, ", "").replace("${DB_SCHEME}", "postgresql");
        let copy = folder.path().join(file.file_name().expect("a name"));
        std::fs::write(&copy, text).expect("written");
        let checked = finish("agent", &["check", "--config", &copy.to_string_lossy()]);
        assert_eq!(checked.code, 0, "{}: {}{}", file.display(), checked.stdout, checked.stderr);
        assert!(checked.stdout.contains("readiness, the peer"), "{}", checked.stdout);
    }
}
