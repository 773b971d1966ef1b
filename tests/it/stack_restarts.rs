//! Containers that come and go: each sidecar finds the new one by its cgroup's name, and counts.

use serde_json::json;
use std::time::Duration;
use tests::stack::{SERVICES, Stack, docker};
use tests::{tell, wait_for};

const SEEN: Duration = Duration::from_secs(90);
const RESTARTS: &str = "sidecar_peer_restarts_total";

fn restarts(stack: &Stack, service: &str) -> f64 {
    wait_for("a count of restarts", SEEN, || stack.sample(service, RESTARTS))
}

/// The kernel's own words for it, or on cgroup v1 what follows from a restart at which the host's count rose.
fn kills(stack: &Stack) -> f64 {
    let of = |how: &str| stack.sample("backend", &format!("sidecar_peer_oom_kills_total{{how=\"{how}\"}}"));
    of("counted").unwrap_or(0.0) + of("inferred").unwrap_or(0.0)
}

pub(crate) fn out_of_memory(stack: &Stack) {
    let (before, killed) = (restarts(stack, "backend"), kills(stack));
    let url = format!("http://{}:8000", stack.address("backend", "app").expect("an address"));
    let faults = ureq::put(format!("{url}/faults")).header("content-type", "application/json");
    faults.send(json!({"leak_bytes_per_request": 16 << 20}).to_string()).expect("the switch of the leak");
    let started = stack.inspect("backend").expect("known")["State"]["StartedAt"].clone();
    wait_for("the kernel to end it", SEEN, || {
        let _answer = tests::http::get(&format!("{url}/health"));
        (stack.inspect("backend").ok()?["State"]["StartedAt"] != started).then_some(())
    });
    wait_for("the restart to be counted", SEEN, || (restarts(stack, "backend") > before).then_some(()));
    wait_for("the kill to be counted", SEEN, || (kills(stack) > killed).then_some(()));
    wait_for("OutOfMemoryKill to fire", SEEN, || stack.fires("OutOfMemoryKill", "backend").then_some(()));
    sees(stack, "backend", before + 1.0);
}

/// The frontend ends by itself again and again, as far as the engine can tell.
pub(crate) fn crash_loop(stack: &Stack) {
    let before = restarts(stack, "frontend");
    let container = stack.container("frontend").expect("a container");
    for round in 1..=3 {
        wait_for("a shell in it", SEEN, || docker(&["exec", &container, "sh", "-c", "kill -QUIT 1"]).ok());
        wait_for("the restart to be counted", SEEN, || {
            (restarts(stack, "frontend") >= before + f64::from(round)).then_some(())
        });
    }
    wait_for("RestartLoop to fire", SEEN, || stack.fires("RestartLoop", "frontend").then_some(()));
    sees(stack, "frontend", before + 3.0);
}

/// The sidecar sees the service by its check and by its cgroup, and has counted every new container once.
fn sees(stack: &Stack, service: &str, expected: f64) {
    wait_for(&format!("{service}-sidecar to see again, after {expected} restarts"), SEEN, || {
        let check = stack.check(service, service).ok()? == "up";
        let memory = stack.sample(service, "sidecar_peer_memory_unreclaimable_bytes")? > 0.0;
        let limit = stack.sample(service, "sidecar_peer_memory_limit_bytes")? > 0.0;
        let ready = stack.sidecar(service, "/ready").ok()?.status == 200;
        (check && memory && limit && ready && restarts(stack, service) >= expected).then_some(())
    });
    assert!((restarts(stack, service) - expected).abs() < 0.5, "{service}: {} restarts", restarts(stack, service));
}

/// A way in which all services get new containers.
type Change = fn(&Stack);

pub(crate) fn all_ways(stack: &Stack) {
    let ways: [(&str, Change); 3] =
        [("restart", |stack| all(stack, &["restart"])), ("stop and start", stop_and_start), ("re-creation", recreate)];
    for (way, change) in ways {
        let before: Vec<f64> = SERVICES.iter().map(|(service, _)| restarts(stack, service)).collect();
        let began = std::time::Instant::now();
        change(stack);
        for ((service, _), before) in SERVICES.iter().zip(before) {
            sees(stack, service, before + 1.0);
        }
        tell(&format!("           {way}: {:.0} s", began.elapsed().as_secs_f64()));
    }
}

/// One command of the engine for all services at once; the sidecars run on.
fn all(stack: &Stack, command: &[&str]) {
    let containers: Vec<String> =
        SERVICES.iter().map(|(service, _)| stack.container(service).expect("a container")).collect();
    std::thread::scope(|scope| {
        for container in &containers {
            scope.spawn(move || docker(&[command, &[container.as_str()]].concat()).expect("done"));
        }
    });
}

fn stop_and_start(stack: &Stack) {
    all(stack, &["stop"]);
    for (service, _) in SERVICES {
        wait_for(&format!("{service}-sidecar to see that it is gone"), SEEN, || {
            stack.sample(service, "sidecar_peer_memory_bytes").is_none().then_some(())
        });
        assert_eq!(stack.sidecar(service, "/live").expect("a page").status, 200);
    }
    all(stack, &["start"]);
}

fn recreate(stack: &Stack) {
    all(stack, &["rm", "-f"]);
    stack.compose(&["up", "-d", "--no-build"]).expect("made anew");
}
