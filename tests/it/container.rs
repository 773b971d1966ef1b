//! A real container beside the agent: found by its cgroup's name, its limits read, its restart counted. The container runs the static
//! agent itself, so that no image is needed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tests::agent::Agent;
use tests::compare::Page;
use tests::repo::root;
use tests::servers::prometheus::Prometheus;
use tests::stack::remove;
use tests::{skipped, wait_for};

const IMAGE: &str = "sidecar-test-peer";

/// The one built last.
fn static_agent() -> PathBuf {
    let built = |profile: &str| root().join(format!("target/x86_64-unknown-linux-gnu/{profile}/agent"));
    let age = |path: &PathBuf| path.metadata().and_then(|about| about.modified()).ok();
    let newest = ["agent", "debug"].map(built).into_iter().max_by_key(age);
    newest.unwrap_or_else(|| built("agent"))
}

fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(arguments).output().map_err(|error| format!("docker: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A container under a cgroup of its own name; removed when the test ends.
struct Peer(String);

impl Peer {
    fn start(folder: &Path, purpose: &str, network: &str) -> Result<Self, String> {
        if !static_agent().exists() {
            return Err("the static agent is not built".to_owned());
        }
        docker(&["version"])?;
        std::fs::copy(static_agent(), folder.join("agent")).map_err(|error| error.to_string())?;
        std::fs::write(
            folder.join("Dockerfile"),
            "FROM scratch\nCOPY agent /agent\nUSER 65532\nENTRYPOINT [\"/agent\"]\n",
        )
        .map_err(|error| error.to_string())?;
        docker(&["build", "-q", "-t", IMAGE, &folder.to_string_lossy()])?;
        let name = format!("sidecar_test_{}_{purpose}", std::process::id());
        let parent = format!("{name}.slice");
        docker(&[
            "run",
            "-d",
            "--name",
            &name,
            "--cgroup-parent",
            &parent,
            "--network",
            network,
            "--memory",
            "64m",
            "--cpus",
            "0.5",
            "--pids-limit",
            "50",
            "--read-only",
            "--cap-drop",
            "ALL",
            IMAGE,
            "--peer",
            "http://127.0.0.1:9797/live",
        ])?;
        let peer = Self(name);
        // As PID 1 it hears no signal before it has asked for it.
        wait_for("the container's agent", Duration::from_secs(30), || {
            let both = Command::new("docker").args(["logs", &peer.0]).output().ok()?;
            [both.stdout, both.stderr]
                .iter()
                .any(|said| String::from_utf8_lossy(said).contains("agent is up"))
                .then_some(())
        });
        Ok(peer)
    }
}

/// The container's directories under each controller of v1.
struct Files(Vec<PathBuf>);

impl Files {
    fn number(&self, name: &str) -> f64 {
        self.text(name).trim().parse().expect("a number")
    }

    fn key(&self, name: &str, key: &str) -> f64 {
        let text = self.text(name);
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
        value.unwrap_or_else(|| panic!("no {key} in {text}"))
    }

    fn text(&self, name: &str) -> String {
        let text = self.0.iter().find_map(|folder| std::fs::read_to_string(folder.join(name)).ok());
        text.unwrap_or_else(|| panic!("no {name} in {:?}", self.0))
    }
}

/// They are found by the container's id.
fn directories(id: &str) -> Files {
    let (mut found, mut waiting) = (Vec::new(), vec![(PathBuf::from("/sys/fs/cgroup"), 0)]);
    while let Some((folder, depth)) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy() == id {
                found.push(entry.path());
            } else if depth < 6 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push((entry.path(), depth + 1));
            }
        }
    }
    Files(found)
}

/// What Docker writes as `2.5MiB`, in bytes.
fn docker_bytes(text: &str) -> Option<f64> {
    let end = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(end)?;
    let scale = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)].iter().find(|(name, _)| unit.starts_with(name))?.1;
    number.trim().parse::<f64>().ok().map(|number| number * f64::from(1_u32 << scale))
}

fn processors() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").expect("processors");
    let lines = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    f64::from(u32::try_from(lines.count()).expect("few"))
}

/// A date of Docker's, in seconds since the Unix epoch.
fn seconds(date: &str) -> f64 {
    let output = Command::new("date").args(["-d", date, "+%s.%N"]).output().expect("a date");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("seconds")
}

impl Drop for Peer {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

#[test]
fn a_containers_limits_and_restarts_are_seen_without_the_docker_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let peer = match Peer::start(folder.path(), "restart", "none") {
        Ok(peer) => peer,
        Err(why) => return skipped("a_containers_limits_and_restarts_are_seen_without_the_docker_socket", &why),
    };
    let agent = Agent::start(&["--peer-cgroup", &peer.0, "--check", "dead=tcp://127.0.0.1:1"]);
    agent.wait_sample("sidecar_peer_memory_limit_bytes", 67_108_864.0);
    agent.wait_sample("sidecar_peer_cpu_limit_cores", 0.5);
    agent.wait_sample("sidecar_peer_pids_limit", 50.0);
    agent.wait_sample("sidecar_peer_restarts_total", 0.0);
    let used = agent.sample("sidecar_memory_used_ratio{scope=\"peer\"}").expect("a ratio");
    assert!(used > 0.0 && used < 0.5, "{used}");
    docker(&["restart", "-t", "2", &peer.0]).expect("restarted");
    agent.wait_sample("sidecar_peer_restarts_total", 1.0);
    agent.wait_sample("sidecar_peer_memory_limit_bytes", 67_108_864.0);
}

#[test]
fn a_containers_figures_are_those_of_its_files_and_of_docker() {
    let test = "a_containers_figures_are_those_of_its_files_and_of_docker";
    if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        return skipped(test, "this machine has cgroup v2, see tests/cgroup_v2");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let peer = match Peer::start(folder.path(), "figures", "bridge") {
        Ok(peer) => peer,
        Err(why) => return skipped(test, &why),
    };
    let config = format!(
        "peer: {{cgroup: {}, container: api, namespace: shop, pod: shop-1}}\ncollectors: {{interval: 1s}}\n",
        peer.0
    );
    let agent = Agent::with_config(folder.path(), &config);
    agent.wait_sample("sidecar_peer_restarts_total", 0.0);
    let page = Page::read(&agent.page("/metrics").body);
    let value = |name: &str| page.series_of(name).next().map(|series| series.value);
    let inspect = |what: &str| docker(&["inspect", "-f", what, &peer.0]).expect("inspected");
    let id = inspect("{{.Id}}");
    let files = directories(&id);

    // What does not move.
    for (metric, expected) in [
        ("container_spec_memory_limit_bytes", files.number("memory.limit_in_bytes")),
        ("container_spec_memory_limit_bytes", inspect("{{.HostConfig.Memory}}").parse().expect("bytes")),
        ("container_spec_cpu_quota", files.number("cpu.cfs_quota_us")),
        ("container_spec_cpu_period", files.number("cpu.cfs_period_us")),
        ("container_spec_cpu_shares", files.number("cpu.shares")),
        ("container_threads_max", files.number("pids.max")),
        ("container_processes", 1.0),
        ("container_memory_failcnt", files.number("memory.failcnt")),
        ("container_oom_events_total", 0.0),
        ("machine_cpu_cores", processors()),
    ] {
        assert_eq!(value(metric), Some(expected), "{metric}");
    }
    let started = seconds(&inspect("{{.State.StartedAt}}"));
    // What moves until the container has come to rest: bytes, then seconds. Docker's is the working set.
    let mut apart = Some("nothing was compared".to_owned());
    for _ in 0..20 {
        let stats = docker(&["stats", "--no-stream", "--format", "{{.MemUsage}}", &peer.0]).expect("statistics");
        let dockers = docker_bytes(stats.split(" /").next().unwrap_or_default()).expect("bytes");
        let usage = files.number("memory.usage_in_bytes");
        let page = Page::read(&agent.page("/metrics").body);
        let expected = [
            ("container_memory_usage_bytes", usage, 1e6),
            ("container_memory_working_set_bytes", usage - files.key("memory.stat", "total_inactive_file"), 1e6),
            ("container_memory_working_set_bytes", dockers, 1e6),
            ("container_memory_rss", files.key("memory.stat", "total_rss"), 1e6),
            ("container_memory_cache", files.key("memory.stat", "total_cache"), 1e6),
            ("container_cpu_usage_seconds_total", files.number("cpuacct.usage") / 1e9, 0.5),
            ("container_threads", files.number("pids.current"), 3.0),
            ("container_start_time_seconds", started, 2.0),
        ];
        apart = expected.iter().find_map(|(metric, expected, slack)| {
            let found = page.series_of(metric).next().map_or(f64::NAN, |series| series.value);
            let near = (found - expected).abs() <= *slack;
            (!near).then(|| format!("{metric}: {found} and {expected}"))
        });
        if apart.is_none() {
            break;
        }
    }
    assert_eq!(apart, None);
    if Path::new("/sys/fs/cgroup/unified/cpu.pressure").exists() {
        assert!(value("container_pressure_cpu_waiting_seconds_total").is_some(), "pressure on a hybrid machine");
    }
    let received = page.series_of("container_network_receive_bytes_total").next().expect("a network");
    let labels = |name: &str| received.labels.get(name).map(String::as_str);
    assert_eq!([labels("interface"), labels("name"), labels("pod")], [Some("eth0"), Some("api"), Some("shop-1")]);
    assert!(labels("id").is_some_and(|path| path.ends_with(&id)), "{:?}", received.labels);
}

/// From kubernetes-mixin, awesome-prometheus-alerts and dockprom, with the thresholds left out.
const PASTED: &[&str] = &[
    "sum by (namespace, pod, container) (rate(container_cpu_usage_seconds_total{image!=\"\", container!=\"\", container!=\"POD\"}[1m]))",
    "sum(rate(container_cpu_usage_seconds_total{container!=\"\"}[1m])) by (pod, container) / \
     sum(container_spec_cpu_quota{container!=\"\"} / container_spec_cpu_period{container!=\"\"}) by (pod, container) * 100",
    "sum(increase(container_cpu_cfs_throttled_periods_total{container!=\"\"}[1m])) without (id, instance, job) / \
     sum(increase(container_cpu_cfs_periods_total[1m])) without (id, instance, job)",
    "sum(container_memory_working_set_bytes{name!=\"\"}) by (instance, name) / \
     sum(container_spec_memory_limit_bytes > 0) by (instance, name) * 100",
    "sum(container_memory_working_set_bytes{namespace=\"shop\", pod=\"shop-1\", container!=\"\", image!=\"\"}) by (container)",
    "sum(container_memory_rss{container!=\"\"}) by (namespace)",
    "sum(irate(container_network_receive_bytes_total{namespace=\"shop\"}[1m])) by (pod)",
    "(1 - sum(container_fs_inodes_free{name!=\"\"}) by (instance) / sum(container_fs_inodes_total) by (instance)) * 100",
    "time() - container_last_seen < 60",
    "increase(container_oom_events_total{name!=\"\"}[1m])",
    "sum(rate(container_cpu_usage_seconds_total{name!=\"\"}[1m])) by (instance) / sum(machine_cpu_cores) by (instance) * 100",
];

#[test]
fn pasted_queries_find_the_container() {
    let test = "pasted_queries_find_the_container";
    let folder = tempfile::tempdir().expect("a folder");
    let started = Peer::start(folder.path(), "pasted", "bridge").and_then(|peer| {
        let labels = "container: api, namespace: shop, pod: shop-1";
        let config = format!("peer: {{cgroup: {}, {labels}}}\ncollectors: {{interval: 1s}}\n", peer.0);
        let agent = Agent::with_config(folder.path(), &config);
        let prometheus = Prometheus::start(agent.url.trim_start_matches("http://"))?;
        Ok((peer, agent, prometheus))
    });
    let (_peer, _agent, prometheus) = match started {
        Ok(started) => started,
        Err(why) => return skipped(test, &why),
    };
    for query in PASTED {
        // A share of nothing is no number: on an idle machine no period may have passed between the first two scrapes.
        wait_for(query, Duration::from_secs(60), || Some(prometheus.wait(query)).filter(|found| found.is_finite()));
    }
}

#[test]
fn the_image_stops_in_order_on_dockers_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let peer = match Peer::start(folder.path(), "stop", "none") {
        Ok(peer) => peer,
        Err(why) => return skipped("the_image_stops_in_order_on_dockers_signal", &why),
    };
    docker(&["stop", "-t", "10", &peer.0]).expect("stopped");
    assert_eq!(docker(&["inspect", "-f", "{{.State.ExitCode}}", &peer.0]).as_deref(), Ok("0"));
}
