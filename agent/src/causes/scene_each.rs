//! For every cause of a resource, a datastore or a backup a scene in which it, and only it, is named.

use super::tests::scene::{Figure, Scene};
use crate::collectors::Collected;
use crate::probes::Detail;

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// A scene to which a source gave these figures in turn, a minute apart.
fn read(name: &'static str, looks: &[&[Figure<'_>]]) -> Scene {
    let mut scene = Scene::new(&[]);
    (0..).step_by(60).zip(looks).for_each(|(seconds, figures)| scene.read(seconds, name, figures));
    scene
}

/// A scene whose one check measured these figures in turn, ten seconds apart.
fn ran(kind: &'static str, runs: &[&[Figure<'_>]]) -> Scene {
    let mut scene = Scene::new(&[("it", kind, false)]);
    (0..).step_by(10).zip(runs).for_each(|(seconds, figures)| scene.ran(seconds, "it", figures));
    scene
}

fn failed(kind: &'static str, detail: Detail) -> Scene {
    let mut scene = Scene::new(&[("it", kind, false)]);
    scene.failed(0, "it", detail);
    scene
}

fn starved() -> Scene {
    let mut scene = Scene::new(&[("api", "http", true), ("db", "postgres", false)]);
    scene.ran(0, "db", &[("sidecar_database_connections", &[], 5.0), ("sidecar_database_connections_max", &[], 100.0)]);
    for seconds in 0..3 {
        let pool: [Figure<'_>; 2] = [("sidecar_pool_size", &[""], 5.0), ("sidecar_pool_checked_out", &[""], 5.0)];
        scene.ran(seconds, "api", &pool);
    }
    scene
}

fn gone() -> Scene {
    let mut scene = read("process", &[&[("sidecar_peer_process_start_time_seconds", &[], 10.0)]]);
    for seconds in [5, 10] {
        scene.told(seconds, "process", Collected::Absent("no process is called `api` here".to_owned()));
    }
    scene
}

/// Name and scene of each.
pub(super) fn each() -> Vec<(&'static str, Scene)> {
    let restarts = [0.0, 1.0, 2.0, 3.0].map(|count| [("sidecar_peer_restarts_total", &[][..], count)]);
    let kills = [0.0, 1.0].map(|count| [("sidecar_peer_oom_kills_total", &["counted"][..], count)]);
    let throttled = [0.0, 1.0].map(|times| {
        [
            ("sidecar_peer_cpu_periods_total", &[][..], times * 600.0),
            ("sidecar_peer_cpu_throttled_periods_total", &[][..], times * 300.0),
        ]
    });
    let memory: [Figure<'_>; 2] =
        [("sidecar_memory_used_ratio", &["peer"], 0.95), ("sidecar_peer_memory_unreclaimable_bytes", &[], GIB)];
    let disk: [Figure<'_>; 3] = [
        ("sidecar_disk_size_bytes", &["/data"], GIB),
        ("sidecar_disk_free_bytes", &["/data"], 0.0),
        ("sidecar_disk_free_ratio", &["/data"], 0.0),
    ];
    let inodes: [Figure<'_>; 2] =
        [("sidecar_disk_size_bytes", &["/data"], GIB), ("sidecar_disk_inodes_free_ratio", &["/data"], 0.0)];
    let down: [Figure<'_>; 1] = [("sidecar_database_replication_up", &[], 0.0)];
    let restarts: Vec<&[Figure<'_>]> = restarts.iter().map(|figures| &figures[..]).collect();
    let kills: Vec<&[Figure<'_>]> = kills.iter().map(|figures| &figures[..]).collect();
    let throttled: Vec<&[Figure<'_>]> = throttled.iter().map(|figures| &figures[..]).collect();
    vec![
        ("crash_loop", read("cgroup", &restarts)),
        ("oom_killed", read("cgroup", &kills)),
        ("peer_gone", gone()),
        ("cpu_throttled", read("cgroup", &throttled)),
        ("memory_near_limit", read("cgroup", &[&memory])),
        ("fds_near_limit", read("process", &[&[("sidecar_fds_used_ratio", &["peer"], 0.95)]])),
        ("pids_near_limit", read("cgroup", &[&[("sidecar_pids_used_ratio", &["peer"], 0.95)]])),
        ("disk_full", read("volumes", &[&disk])),
        ("inodes_full", read("volumes", &[&inodes])),
        ("read_only_file_system", read("volumes", &[&[("sidecar_disk_read_only", &["/data"], 1.0)]])),
        ("clock_off", ran("http", &[&[("sidecar_clock_offset_seconds", &[], 100.0)]])),
        ("connections_near_limit", ran("mysql", &[&[("sidecar_connections_used_ratio", &[], 0.9)]])),
        ("connections_exhausted", failed("postgres", Detail::TooManyConnections)),
        ("pool_starved", starved()),
        ("redis_read_only", failed("redis", Detail::ReadOnly)),
        ("redis_loading", failed("redis", Detail::Loading)),
        ("redis_out_of_memory", failed("redis", Detail::OutOfMemory)),
        ("replication_behind", ran("mysql", &[&[("sidecar_database_replication_lag_seconds", &[], 60.0)]])),
        ("replication_broken", ran("mysql", &[&down, &down])),
        ("backup_missing", failed("file", Detail::BackupMissing)),
        ("backup_stale", failed("file", Detail::BackupStale)),
        ("backup_shrunken", failed("file", Detail::BackupShrunken)),
        ("backup_corrupt", failed("file", Detail::BackupCorrupt)),
    ]
}
