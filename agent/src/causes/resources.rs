//! Causes that are a resource of the peer or the host: memory, processor, descriptors, processes, restarts and kills. They are read from
//! what was measured last and from the bounded [`Past`]; each sentence names value and limit.

use super::figures::Figures;
use super::past::Past;
use super::{Find, Found, Kind};
use crate::clock::Utc;
use crate::limits;
use crate::snapshot::Snapshot;
use crate::units::{Span, human_bytes};
use std::time::SystemTime;

/// The subjects: the service beside this agent, the machine, and the agent itself.
const PEER: &str = "peer";
const HOST: &str = "host";
const AGENT: &str = "agent";

pub(super) static CRASH_LOOP: Kind = Kind {
    name: "crash_loop",
    summary: "the peer was restarted three times or more within ten minutes, seen by its container, its process or its uptime; stands \
              until ten minutes have passed without one",
    fix: "read the last lines of its log before it ended: it fails at its start, is killed, or its health check is too strict",
    find: Find::OverTime(crash_loop),
};

pub(super) static OOM_KILLED: Kind = Kind {
    name: "oom_killed",
    summary: "a process of the peer's container was killed for want of memory within the last ten minutes; on cgroup v1 inferred from \
              its end and the host's count, and said so",
    fix: "raise its memory limit, or find what takes the memory: `sidecar_peer_memory_unreclaimable_bytes` shows how it grew",
    find: Find::OverTime(oom_killed),
};

pub(super) static PEER_GONE: Kind = Kind {
    name: "peer_gone",
    summary: "the peer's container or process was seen by this agent and is not there any more, at two looks in a row; a restart is \
              quicker",
    fix: "start it again; its log and its exit code say why it ended, and a restart policy (`restart: unless-stopped`) brings it back",
    find: Find::OverTime(peer_gone),
};

pub(super) static CPU_THROTTLED: Kind = Kind {
    name: "cpu_throttled",
    summary: "the peer's container was held back by its processor quota in a quarter of its scheduling periods or more, over a minute",
    fix: "raise its processor limit, or give it fewer threads: a quota that all use at once is spent in a part of each period",
    find: Find::OverTime(cpu_throttled),
};

pub(super) static MEMORY_NEAR_LIMIT: Kind = Kind {
    name: "memory_near_limit",
    summary: "memory that cannot be reclaimed is 90 % of the limit or more: of the peer's container, or of the host where that is its \
              limit or `host: true`; stands until it is below 81 %",
    fix: "raise the limit, or find the leak before the kernel kills it",
    find: Find::OverTime(memory_near_limit),
};

pub(super) static FDS_NEAR_LIMIT: Kind = Kind {
    name: "fds_near_limit",
    summary: "open file descriptors are 90 % of the limit or more, of a process of the peer, of the agent, or of the host with \
              `host: true`; stands until they are below 81 %",
    fix: "raise `ulimit -n` (`ulimits: {nofile: …}` in compose), or find the connections and files that are never closed",
    find: Find::OverTime(fds_near_limit),
};

pub(super) static PIDS_NEAR_LIMIT: Kind = Kind {
    name: "pids_near_limit",
    summary: "processes and threads of the peer's container are 90 % of its limit or more; stands until they are below 81 %",
    fix: "raise `pids_limit`, or find what starts threads or leaves zombies: at the limit it can start none, nor a shell to look",
    find: Find::OverTime(pids_near_limit),
};

/// A share of a limit as a finding: a cause from 90 % on, kept until it is well below.
fn near(subject: &str, share: Option<f64>, evidence: impl FnOnce(String) -> String) -> Option<Found> {
    let share = share.filter(|share| *share >= limits::LIMIT_NEAR_FROM * limits::CAUSE_KEPT)?;
    Some(Found {
        subject: Some(subject.to_owned()),
        evidence: evidence(percent(share)),
        keeps: share < limits::LIMIT_NEAR_FROM,
        ..Found::default()
    })
}

/// A share for people.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// An amount of bytes for people.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are positive and below 2^53")]
pub(super) fn size(bytes: f64) -> String {
    human_bytes(bytes.max(0.0) as u64)
}

/// The time of day.
pub(super) fn time(at: SystemTime) -> String {
    let Utc { hour, minute, second, .. } = Utc::of(at);
    format!("{hour:02}:{minute:02}:{second:02} UTC")
}

fn crash_loop(snapshot: &Snapshot, past: &Past) -> Vec<Found> {
    let recent = past.restarts().filter_map(|(seen_by, times)| {
        let (count, first, last) = times.within(limits::CAUSE_MEMORY, snapshot.at)?;
        Some((count, seen_by, first, last))
    });
    // One restart is seen by several; who saw most tells.
    let Some((count, seen_by, first, last)) = recent.max_by_key(|(count, ..)| *count) else { return Vec::new() };
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let evidence = format!(
        "restarted {times} within {}, the last time at {}, by {seen_by}",
        Span(limits::CAUSE_MEMORY),
        time(last)
    );
    let keeps = count < limits::CRASH_LOOP_RESTARTS;
    vec![Found { subject: Some(PEER.to_owned()), evidence, since: Some(first), keeps, ..Found::default() }]
}

fn oom_killed(snapshot: &Snapshot, past: &Past) -> Vec<Found> {
    let within = |how| past.kills(how)?.within(limits::CAUSE_MEMORY, snapshot.at);
    let limit = past.source("cgroup").and_then(|figures| figures.value("sidecar_peer_memory_limit_bytes"));
    let limit = limit.map_or(String::new(), |limit| format!(", its limit is {}", size(limit)));
    let (evidence, since) = match (within("counted"), within("inferred")) {
        (Some((1, _, last)), _) => (format!("a process was killed for want of memory at {}{limit}", time(last)), last),
        (Some((count, first, last)), _) => {
            let text = format!("{count} processes were killed for want of memory, the last at {}{limit}", time(last));
            (text, first)
        }
        (None, Some((_, first, last))) => {
            let text = format!(
                "its container ended at {} just as the count of kills for want of memory around it rose{limit}; that it was this \
                 one is inferred, for its own count ended with it",
                time(last)
            );
            (text, first)
        }
        (None, None) => return Vec::new(),
    };
    vec![Found { subject: Some(PEER.to_owned()), evidence, since: Some(since), ..Found::default() }]
}

fn peer_gone(_: &Snapshot, past: &Past) -> Vec<Found> {
    let words = ["its container", "its process"];
    let gone = words.into_iter().zip(&past.presence).find_map(|(what, presence)| Some((what, presence.gone()?)));
    let Some((what, (since, why))) = gone else { return Vec::new() };
    let evidence = format!("{what} is gone since {}: {why}", time(since));
    vec![Found { subject: Some(PEER.to_owned()), evidence, since: Some(since), ..Found::default() }]
}

fn cpu_throttled(_: &Snapshot, past: &Past) -> Vec<Found> {
    let Some(share) = past.throttling.share() else { return Vec::new() };
    if share < limits::THROTTLED_FROM * limits::CAUSE_KEPT {
        return Vec::new();
    }
    let cores = past.source("cgroup").and_then(|figures| figures.value("sidecar_peer_cpu_limit_cores"));
    let cores = cores.map_or(String::new(), |cores| format!("; its limit is {cores} cores"));
    let evidence = format!(
        "held back in {} of its scheduling periods over {}{cores}",
        percent(share),
        Span(limits::THROTTLED_OVER)
    );
    let keeps = share < limits::THROTTLED_FROM;
    vec![Found { subject: Some(PEER.to_owned()), evidence, keeps, ..Found::default() }]
}

fn memory_near_limit(_: &Snapshot, past: &Past) -> Vec<Found> {
    let of_peer = |source: &str| memory_of_peer(past.source(source)?);
    let peer = of_peer("cgroup").or_else(|| of_peer("pod"));
    let host = past.source("host").filter(|_| past.watches_the_host() || has_no_limit(past)).and_then(memory_of_host);
    [peer, host].into_iter().flatten().collect()
}

/// Whether the peer's memory is known, and nothing but the host limits it.
fn has_no_limit(past: &Past) -> bool {
    past.source("cgroup").is_some_and(|figures| {
        figures.value("sidecar_peer_memory_unreclaimable_bytes").is_some()
            && figures.value("sidecar_peer_memory_limit_bytes").is_none()
    })
}

fn memory_of_peer(figures: &Figures) -> Option<Found> {
    let share = figures.labelled("sidecar_memory_used_ratio", PEER)?;
    let used = figures.value("sidecar_peer_memory_unreclaimable_bytes")?;
    let limit = figures.value("sidecar_peer_memory_limit_bytes");
    let most = limit.unwrap_or(used / share);
    let whose = if limit.is_some() { "" } else { ", of the host or as told, for the container has no limit" };
    near(PEER, Some(share), |share| {
        format!("memory {} of {} ({share}) that cannot be reclaimed{whose}", size(used), size(most))
    })
}

fn memory_of_host(figures: &Figures) -> Option<Found> {
    let share = figures.labelled("sidecar_memory_used_ratio", HOST);
    let total = figures.value("sidecar_host_memory_total_bytes")?;
    let available = figures.value("sidecar_host_memory_available_bytes")?;
    near(HOST, share, |share| {
        format!("memory {} of {} ({share}) that cannot be had without swapping", size(total - available), size(total))
    })
}

fn fds_near_limit(_: &Snapshot, past: &Past) -> Vec<Found> {
    let share = |source: &str, scope: &str| past.source(source)?.labelled("sidecar_fds_used_ratio", scope);
    let process = past.source("process");
    let figure = |name: &str| process.and_then(|figures| figures.value(name));
    let worst = past.source("namegroups").and_then(|figures| {
        let all = figures.all("namedprocess_namegroup_worst_fd_ratio");
        all.max_by(|(_, one), (_, other)| one.total_cmp(other))
    });
    let first = share("process", PEER).unwrap_or(0.0);
    let peer = match worst {
        Some((labels, worst)) if worst > first => near(PEER, Some(worst), |share| {
            let name = labels.first().map_or("", String::as_str);
            format!("a process called `{name}` has {share} of the file descriptors open that it may open")
        }),
        _ => near(PEER, Some(first), |share| {
            let (open, most) = (figure("sidecar_peer_process_open_fds"), figure("sidecar_peer_process_max_fds"));
            let figures = open.zip(most).map_or(String::new(), |(open, most)| format!("{open} of {most}, "));
            format!("its process has {figures}{share} of the file descriptors open that it may open")
        }),
    };
    let agent = near(AGENT, share("itself", AGENT), |share| {
        format!("the agent has {share} of the file descriptors open that it may open")
    });
    let host = past.watches_the_host().then(|| {
        near(HOST, share("host", HOST), |share| format!("{share} of the files that the host may open are open"))
    });
    [peer, agent, host.flatten()].into_iter().flatten().collect()
}

fn pids_near_limit(_: &Snapshot, past: &Past) -> Vec<Found> {
    let Some(figures) = past.source("cgroup") else { return Vec::new() };
    let (pids, most) = (figures.value("sidecar_peer_pids"), figures.value("sidecar_peer_pids_limit"));
    let found = near(PEER, figures.labelled("sidecar_pids_used_ratio", PEER), |share| {
        let figures = pids.zip(most).map_or(String::new(), |(pids, most)| format!("{pids} of {most}, "));
        format!("{figures}{share} of the processes and threads that its container may have")
    });
    found.into_iter().collect()
}
