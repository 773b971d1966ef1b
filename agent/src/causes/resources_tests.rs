//! Each cause of a resource: named at its threshold, not just below it, kept in between, gone after.

use super::tests::scene::{Figure, Scene};
use crate::collectors::Collected;
use crate::limits;

const NONE: [&str; 0] = [];
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

fn restarts(scene: &mut Scene, seconds: u64, count: f64) {
    scene.read(seconds, "cgroup", &[("sidecar_peer_restarts_total", &[], count)]);
}

#[test]
fn three_restarts_within_ten_minutes_are_a_loop_until_there_was_none_for_ten() {
    let mut scene = Scene::new(&[]);
    for (seconds, count) in [(0, 5.0), (60, 6.0), (120, 7.0)] {
        restarts(&mut scene, seconds, count);
    }
    assert_eq!(scene.names(), NONE, "those before the first look do not count, and two are none");
    restarts(&mut scene, 180, 8.0);
    insta::assert_snapshot!(scene.words(), @"crash_loop(peer): restarted 3 times within 10m, the last time at 22:16:20 UTC, by its container");
    scene.wait(700);
    insta::assert_snapshot!(scene.words(), @"crash_loop(peer): restarted 2 times within 10m, the last time at 22:16:20 UTC, by its container");
    scene.wait(781);
    assert_eq!(scene.names(), NONE);
}

#[test]
fn restarts_that_are_far_apart_are_no_loop() {
    let mut scene = Scene::new(&[]);
    for count in 0..20_u32 {
        restarts(&mut scene, u64::from(count) * 301, f64::from(count));
        assert_eq!(scene.names(), NONE, "{count}");
    }
}

#[test]
fn a_loop_is_also_seen_by_the_start_of_the_process_alone() {
    let mut scene = Scene::new(&[]);
    for (seconds, started) in [(0, 10.0), (5, 11.5), (10, 20.0), (20, 30.0), (30, 41.0)] {
        assert_eq!(scene.names(), NONE, "a second more or less is the kernel's reckoning");
        scene.read(seconds, "process", &[("sidecar_peer_process_start_time_seconds", &[], started)]);
    }
    assert!(scene.words().ends_with("by its process"), "{}", scene.words());
}

#[test]
fn a_loop_is_also_seen_by_the_uptime_of_the_peers_server_alone() {
    let uptime = |scene: &mut Scene, name: &str| {
        for (seconds, uptime) in [(0, 500.0), (10, 510.0), (20, 4.0), (30, 3.0), (40, 13.0), (50, 2.0)] {
            scene.ran(seconds, name, &[("sidecar_database_uptime_seconds", &[], uptime)]);
        }
    };
    let mut scene = Scene::new(&[("db", "postgres", true), ("other", "redis", false)]);
    uptime(&mut scene, "other");
    assert_eq!(scene.names(), NONE, "a dependency's restarts are told by the sidecar beside it");
    uptime(&mut scene, "db");
    insta::assert_snapshot!(scene.words(), @"crash_loop(peer): restarted 3 times within 10m, the last time at 22:14:10 UTC, by its uptime");
}

fn kills(counted: f64) -> [Figure<'static>; 2] {
    [("sidecar_peer_oom_kills_total", &["counted"], counted), ("sidecar_peer_memory_limit_bytes", &[], 2.0 * GIB)]
}

#[test]
fn a_kill_for_want_of_memory_is_a_cause_for_ten_minutes() {
    let mut scene = Scene::new(&[]);
    scene.read(0, "cgroup", &kills(4.0));
    assert_eq!(scene.names(), NONE, "nobody knows when those were");
    scene.read(5, "cgroup", &kills(5.0));
    insta::assert_snapshot!(scene.words(), @"oom_killed(peer): a process was killed for want of memory at 22:13:25 UTC, its limit is 2.0 GiB");
    scene.read(15, "cgroup", &kills(7.0));
    insta::assert_snapshot!(scene.words(), @"oom_killed(peer): 3 processes were killed for want of memory, the last at 22:13:35 UTC, its limit is 2.0 GiB");
    scene.wait(615);
    assert_eq!(scene.names(), ["oom_killed(peer)"]);
    scene.wait(616);
    assert_eq!(scene.names(), NONE);
}

#[test]
fn a_kill_that_is_inferred_is_said_to_be() {
    let mut scene = Scene::new(&[]);
    for (seconds, inferred) in [(0, 0.0), (5, 1.0)] {
        let figures: [Figure<'_>; 1] = [("sidecar_peer_oom_kills_total", &["inferred"], inferred)];
        scene.read(seconds, "cgroup", &figures);
    }
    insta::assert_snapshot!(scene.words(), @"oom_killed(peer): its container ended at 22:13:25 UTC just as the count of kills for want of memory around it rose; that it was this one is inferred, for its own count ended with it");
}

#[test]
fn a_peer_that_was_there_and_is_not_is_gone_until_it_is_back() {
    const RUNS: &[Figure<'_>] =
        &[("sidecar_memory_used_ratio", &["peer"], 0.1), ("sidecar_peer_restarts_total", &[], 0.0)];
    let mut scene = Scene::new(&[("api", "http", true)]);
    let ended = |scene: &mut Scene, seconds| {
        let lasting = super::tests::scene::readings(&[("sidecar_peer_restarts_total", &[], 0.0)]);
        scene.told(seconds, "cgroup", Collected::Noted(lasting, "its container has ended".to_owned()));
    };
    ended(&mut scene, 0);
    ended(&mut scene, 5);
    assert_eq!(scene.names(), NONE, "it was never there");
    scene.read(10, "cgroup", RUNS);
    ended(&mut scene, 15);
    assert_eq!(scene.names(), NONE, "it may be on its way from one life to the next");
    scene.told(18, "cgroup", Collected::Failed("permission denied".to_owned()));
    assert_eq!(scene.names(), NONE, "who could not look has not missed it");
    ended(&mut scene, 20);
    insta::assert_snapshot!(scene.words(), @"peer_gone(peer): its container is gone since 22:13:35 UTC: its container has ended");
    scene.failed(21, "api", crate::probes::Detail::UpstreamDown);
    let follows: Vec<_> = scene.causes().into_iter().map(|cause| (cause.kind.name, cause.caused_by)).collect();
    assert_eq!(follows, [("upstream_down", Some("peer".to_owned())), ("peer_gone", None)]);
    scene.failed(22, "api", crate::probes::Detail::NameUnknown);
    let follows: Vec<_> = scene.causes().into_iter().map(|cause| (cause.kind.name, cause.caused_by)).collect();
    assert_eq!(follows, [("dns_unknown", Some("peer".to_owned())), ("peer_gone", None)], "its name went with it");
    scene.read(25, "cgroup", RUNS);
    assert_eq!(scene.names(), ["dns_unknown(api)"]);
}

/// Ten scheduling periods a second, of which so many are held back.
fn throttled(scene: &mut Scene, seconds: std::ops::RangeInclusive<u64>, share: impl Fn(u64) -> f64) {
    let mut held = 0.0;
    for second in seconds.step_by(5) {
        held += 50.0 * share(second);
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let periods = second as f64 * 10.0;
        let figures: [Figure<'_>; 3] = [
            ("sidecar_peer_cpu_periods_total", &[], periods),
            ("sidecar_peer_cpu_throttled_periods_total", &[], held),
            ("sidecar_peer_cpu_limit_cores", &[], 0.5),
        ];
        scene.read(second, "cgroup", &figures);
    }
}

#[test]
fn throttling_over_a_minute_is_a_cause_and_a_burst_is_none() {
    let mut scene = Scene::new(&[]);
    throttled(&mut scene, 0..=55, |_| 0.6);
    assert_eq!(scene.names(), NONE, "not a minute yet");
    throttled(&mut scene, 0..=120, |_| 0.6);
    insta::assert_snapshot!(scene.words(), @"cpu_throttled(peer): held back in 60 % of its scheduling periods over 1m; its limit is 0.5 cores");
    let mut scene = Scene::new(&[]);
    throttled(&mut scene, 0..=120, |second| if second == 100 { 1.0 } else { 0.0 });
    assert_eq!(scene.names(), NONE, "a burst of five seconds");
    let mut scene = Scene::new(&[]);
    throttled(&mut scene, 0..=120, |_| 0.24);
    assert_eq!(scene.names(), NONE, "just below, and it does not stand");
}

#[test]
fn throttling_that_eases_is_kept_until_it_is_well_below() {
    let mut scene = Scene::new(&[]);
    throttled(&mut scene, 0..=70, |_| 0.6);
    assert_eq!(scene.names(), ["cpu_throttled(peer)"]);
    throttled(&mut scene, 0..=70, |_| 0.24);
    assert_eq!(scene.names(), ["cpu_throttled(peer)"], "the counters began anew, and 24 % keeps it");
    throttled(&mut scene, 0..=70, |_| 0.2);
    assert_eq!(scene.names(), NONE);
}

fn memory(scene: &mut Scene, share: f64, limited: bool) {
    let mut figures: Vec<Figure<'_>> = vec![
        ("sidecar_memory_used_ratio", &["peer"], share),
        ("sidecar_peer_memory_unreclaimable_bytes", &[], share * 2.0 * GIB),
    ];
    if limited {
        figures.push(("sidecar_peer_memory_limit_bytes", &[], 2.0 * GIB));
    }
    scene.read(0, "cgroup", &figures);
}

fn host_memory(scene: &mut Scene, share: f64) {
    let figures: [Figure<'_>; 3] = [
        ("sidecar_memory_used_ratio", &["host"], share),
        ("sidecar_host_memory_total_bytes", &[], 16.0 * GIB),
        ("sidecar_host_memory_available_bytes", &[], (1.0 - share) * 16.0 * GIB),
    ];
    scene.read(0, "host", &figures);
}

#[test]
fn memory_near_the_limit_does_not_flap() {
    let mut scene = Scene::new(&[]);
    memory(&mut scene, 0.899, true);
    assert_eq!(scene.names(), NONE);
    memory(&mut scene, 0.95, true);
    insta::assert_snapshot!(scene.words(), @"memory_near_limit(peer): memory 1.9 GiB of 2.0 GiB (95 %) that cannot be reclaimed");
    memory(&mut scene, 0.82, true);
    assert_eq!(scene.names(), ["memory_near_limit(peer)"], "it is kept");
    memory(&mut scene, 0.80, true);
    assert_eq!(scene.names(), NONE);
    memory(&mut scene, 0.82, true);
    assert_eq!(scene.names(), NONE, "and does not begin below its threshold");
}

#[test]
fn the_hosts_memory_is_a_cause_where_it_is_the_limit_or_the_host_is_watched() {
    let mut scene = Scene::new(&[]);
    host_memory(&mut scene, 0.95);
    assert_eq!(scene.names(), NONE, "every sidecar of the host would say so");
    memory(&mut scene, 0.1, true);
    assert_eq!(scene.names(), NONE);
    memory(&mut scene, 0.1, false);
    insta::assert_snapshot!(scene.words(), @"memory_near_limit(host): memory 15.2 GiB of 16.0 GiB (95 %) that cannot be had without swapping");
    let mut scene = Scene::new(&[]);
    host_memory(&mut scene, 0.95);
    scene.read(0, "node", &[]);
    assert_eq!(scene.names(), ["memory_near_limit(host)"]);
}

#[test]
fn a_source_that_could_not_be_read_takes_no_cause_away_and_a_peer_that_is_gone_does() {
    let mut scene = Scene::new(&[]);
    memory(&mut scene, 0.95, true);
    scene.told(5, "cgroup", Collected::Failed("permission denied".to_owned()));
    assert_eq!(scene.names(), ["memory_near_limit(peer)"]);
    scene.told(10, "cgroup", Collected::Absent("no such container".to_owned()));
    assert_eq!(scene.names(), NONE);
}

#[test]
fn descriptors_near_the_limit_are_named_with_whom_they_belong_to() {
    let mut scene = Scene::new(&[]);
    let process = |scene: &mut Scene, open: f64| {
        let figures: [Figure<'_>; 3] = [
            ("sidecar_fds_used_ratio", &["peer"], open / 64.0),
            ("sidecar_peer_process_open_fds", &[], open),
            ("sidecar_peer_process_max_fds", &[], 64.0),
        ];
        scene.read(0, "process", &figures);
    };
    process(&mut scene, 57.0);
    scene.read(0, "itself", &[("sidecar_fds_used_ratio", &["agent"], 0.2)]);
    scene.read(0, "host", &[("sidecar_fds_used_ratio", &["host"], 0.99)]);
    assert_eq!(scene.names(), NONE, "57 of 64 are 89 %; the host is not ours to watch");
    process(&mut scene, 60.0);
    insta::assert_snapshot!(scene.words(), @"fds_near_limit(peer): its process has 60 of 64, 94 % of the file descriptors open that it may open");
    scene.read(0, "namegroups", &[("namedprocess_namegroup_worst_fd_ratio", &["worker"], 0.97)]);
    scene.read(0, "itself", &[("sidecar_fds_used_ratio", &["agent"], 0.92)]);
    scene.read(0, "node", &[]);
    insta::assert_snapshot!(scene.words(), @r"
    fds_near_limit(peer): a process called `worker` has 97 % of the file descriptors open that it may open
    fds_near_limit(agent): the agent has 92 % of the file descriptors open that it may open
    fds_near_limit(host): 99 % of the files that the host may open are open
    ");
}

#[test]
fn processes_near_the_limit() {
    let mut scene = Scene::new(&[]);
    let pids = |scene: &mut Scene, pids: f64| {
        let figures: [Figure<'_>; 3] = [
            ("sidecar_pids_used_ratio", &["peer"], pids / 100.0),
            ("sidecar_peer_pids", &[], pids),
            ("sidecar_peer_pids_limit", &[], 100.0),
        ];
        scene.read(0, "cgroup", &figures);
    };
    for (count, named) in [(89.0, false), (90.0, true), (82.0, true), (80.0, false)] {
        pids(&mut scene, count);
        assert_eq!(!scene.names().is_empty(), named, "{count}");
    }
    pids(&mut scene, 98.0);
    insta::assert_snapshot!(scene.words(), @"pids_near_limit(peer): 98 of 100, 98 % of the processes and threads that its container may have");
}

fn volume(scene: &mut Scene, free: f64, size: f64, inodes: f64, read_only: f64) {
    let figures: [Figure<'_>; 5] = [
        ("sidecar_disk_size_bytes", &["/data"], size),
        ("sidecar_disk_free_bytes", &["/data"], free * size),
        ("sidecar_disk_free_ratio", &["/data"], free),
        ("sidecar_disk_inodes_free_ratio", &["/data"], inodes),
        ("sidecar_disk_read_only", &["/data"], read_only),
    ];
    scene.read(0, "volumes", &figures);
}

#[test]
fn a_volume_is_full_below_a_twentieth_unless_that_is_room_enough() {
    let mut scene = Scene::new(&[]);
    for (free, named) in [(0.0501, false), (0.049, true), (0.059, true), (0.061, false), (0.055, false)] {
        volume(&mut scene, free, 10.0 * GIB, 0.5, 0.0);
        assert_eq!(scene.names() == ["disk_full(/data)"], named, "{free}");
    }
    volume(&mut scene, 0.01, 10.0 * GIB, 0.5, 0.0);
    insta::assert_snapshot!(scene.words(), @"disk_full(/data): 99 % of 10.0 GiB are in use, 102.4 MiB are free");
    volume(&mut scene, 0.04, 1000.0 * GIB, 0.5, 0.0);
    assert_eq!(scene.names(), NONE, "40 GiB are free");
}

#[test]
fn a_volume_without_inodes_and_one_that_is_read_only() {
    let mut scene = Scene::new(&[]);
    volume(&mut scene, 0.5, GIB, 0.051, 0.0);
    assert_eq!(scene.names(), NONE);
    volume(&mut scene, 0.5, GIB, 0.01, 0.0);
    insta::assert_snapshot!(scene.words(), @"inodes_full(/data): 99 % of its inodes are in use, so hardly a file can be made");
    volume(&mut scene, 0.5, GIB, 0.5, 1.0);
    insta::assert_snapshot!(scene.words(), @"read_only_file_system(/data): it took writes, and its file system is read-only now");
    volume(&mut scene, 0.5, GIB, 0.5, 0.0);
    assert_eq!(scene.names(), NONE);
}

#[test]
fn a_volume_is_there_to_be_written_and_a_root_may_be_read_only() {
    let mut scene = Scene::new(&[]);
    volume(&mut scene, 0.5, GIB, 0.5, 1.0);
    insta::assert_snapshot!(scene.words(), @"read_only_file_system(/data): its file system is read-only, so the peer cannot write to it");
    let mut scene = Scene::new(&[]);
    scene.read(0, "volumes", &[("sidecar_disk_read_only", &["/"], 1.0)]);
    assert_eq!(scene.names(), NONE);
    scene.read(0, "volumes", &[("sidecar_disk_read_only", &["/"], 0.0)]);
    scene.read(0, "volumes", &[("sidecar_disk_read_only", &["/"], 1.0)]);
    assert_eq!(scene.names(), ["read_only_file_system(/)"]);
}

#[test]
fn file_systems_of_the_host_are_looked_at_where_it_is_watched() {
    const LABELS: &[&str] = &["/dev/sdb1", "/srv", "ext4", ""];
    let mut scene = Scene::new(&[]);
    let node = |scene: &mut Scene, read_only: f64| {
        let figures: [Figure<'_>; 5] = [
            ("node_filesystem_size_bytes", LABELS, 100.0 * GIB),
            ("node_filesystem_avail_bytes", LABELS, GIB),
            ("node_filesystem_files", LABELS, 0.0),
            ("node_filesystem_files_free", LABELS, 0.0),
            ("node_filesystem_readonly", LABELS, read_only),
        ];
        scene.read(0, "node", &figures);
    };
    node(&mut scene, 1.0);
    insta::assert_snapshot!(scene.words(), @"disk_full(/srv): 99 % of 100.0 GiB are in use, 1.0 GiB are free");
    node(&mut scene, 0.0);
    node(&mut scene, 1.0);
    assert_eq!(scene.names(), ["disk_full(/srv)", "read_only_file_system(/srv)"]);
}

#[test]
fn a_clock_more_than_a_minute_away_is_off() {
    let mut scene = Scene::new(&[("api", "http", true)]);
    for (offset, named) in [(60.0, false), (-61.0, true), (55.0, true), (53.0, false)] {
        scene.ran(0, "api", &[("sidecar_clock_offset_seconds", &[], offset)]);
        assert_eq!(!scene.names().is_empty(), named, "{offset}");
    }
    scene.ran(0, "api", &[("sidecar_clock_offset_seconds", &[], -7200.0)]);
    insta::assert_snapshot!(scene.words(), @"clock_off(api): by the `Date` of its answer its clock is 2h behind the agent's; one of them is wrong");
}

#[test]
fn a_host_whose_clock_was_never_kept_is_none_of_our_business_and_one_that_lost_its_keeper_is() {
    let mut scene = Scene::new(&[]);
    let kept = |scene: &mut Scene, kept: f64| scene.read(0, "node", &[("node_timex_sync_status", &[], kept)]);
    kept(&mut scene, 0.0);
    assert_eq!(scene.names(), NONE, "many a virtual machine takes its time from below");
    kept(&mut scene, 1.0);
    kept(&mut scene, 0.0);
    assert_eq!(scene.names(), ["clock_off(host)"]);
    kept(&mut scene, 1.0);
    assert_eq!(scene.names(), NONE);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut scene = Scene::new(&[]);
    for second in 0..10_000_u32 {
        scene.read(u64::from(second), "cgroup", &kills(f64::from(second) * 1e9));
    }
    assert!(scene.words().contains(&format!("{} processes", limits::EVENTS_REMEMBERED)), "{}", scene.words());
}
