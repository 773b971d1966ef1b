//! Causes that lie in file systems and the clock: full, out of inodes, read-only, off. Volumes of the peer and `/` of this container,
//! whose disk it shares with the peer's own layer; with `host: true` all file systems of the host.

use super::figures::Figures;
use super::past::Past;
use super::resources::{percent, size};
use super::{Find, Found, Kind};
use crate::limits;
use crate::snapshot::Snapshot;
use crate::units::Span;
use std::time::Duration;

pub(super) static DISK_FULL: Kind = Kind {
    name: "disk_full",
    summary: "a volume of the peer, `/`, or with `host: true` a file system of the host has less than 5 % and less than 20 GiB free; \
              stands until 6 % are free. 80 % in use is no cause, DiskSpaceLow warns of it",
    fix: "free space or enlarge it: old logs, old backups, images of containers (`docker system df`)",
    find: Find::OverTime(|_, past| past_disks(past).iter().filter_map(disk_full).collect()),
};

pub(super) static INODES_FULL: Kind = Kind {
    name: "inodes_full",
    summary: "less than 5 % of the inodes of such a file system are free; stands until 6 % are",
    fix: "remove small files by the thousand (sessions, caches, queues of mail): space is left and no file can be made",
    find: Find::OverTime(|_, past| past_disks(past).iter().filter_map(inodes_full).collect()),
};

pub(super) static READ_ONLY_FILE_SYSTEM: Kind = Kind {
    name: "read_only_file_system",
    summary: "the file system of a volume of the peer is read-only, or another one that took writes became so",
    fix: "look at the kernel's log (`dmesg`): after an error of the disk a file system is remounted read-only; repair it before it is \
          mounted writable again",
    find: Find::OverTime(read_only),
};

pub(super) static CLOCK_OFF: Kind = Kind {
    name: "clock_off",
    summary: "the clock of an HTTP service (`Date` of an answer that is from no cache) and the agent's are more than a minute apart, or \
              with `host: true` nothing keeps the host's clock any more",
    fix: "let chrony or another NTP client keep both clocks; tokens, certificates and caches depend on them",
    find: Find::OverTime(clock_off),
};

/// Room of a file system.
struct Disk {
    point: String,
    /// Free and whole size in bytes.
    space: Option<(f64, f64)>,
    free: Option<f64>,
    inodes_free: Option<f64>,
}

/// File systems, each mount point once.
fn past_disks(past: &Past) -> Vec<Disk> {
    let mut disks: Vec<Disk> = past.source("volumes").map(volumes).unwrap_or_default();
    for disk in past.source("node").map(of_the_host).unwrap_or_default() {
        if !disks.iter().any(|known| known.point == disk.point) {
            disks.push(disk);
        }
    }
    disks
}

fn volumes(figures: &Figures) -> Vec<Disk> {
    let sizes = figures.all("sidecar_disk_size_bytes").filter_map(|(labels, size)| Some((labels.first()?, size)));
    let disk = |(point, size): (&String, f64)| Disk {
        point: point.clone(),
        space: figures.labelled("sidecar_disk_free_bytes", point).map(|free| (free, size)),
        free: figures.labelled("sidecar_disk_free_ratio", point),
        inodes_free: figures.labelled("sidecar_disk_inodes_free_ratio", point),
    };
    sizes.map(disk).collect()
}

fn of_the_host(figures: &Figures) -> Vec<Disk> {
    let value =
        |name: &str, labels: &[String]| figures.all(name).find(|(own, _)| *own == labels).map(|(_, value)| value);
    let share = |part: Option<f64>, whole: Option<f64>| Some(part? / whole.filter(|whole| *whole > 0.0)?);
    let sizes = figures.all("node_filesystem_size_bytes");
    let disk = |(labels, size): (&[String], f64)| {
        let free = value("node_filesystem_avail_bytes", labels);
        Some(Disk {
            point: labels.get(1)?.clone(),
            space: free.map(|free| (free, size)),
            free: share(free, Some(size)),
            inodes_free: share(value("node_filesystem_files_free", labels), value("node_filesystem_files", labels)),
        })
    };
    sizes.filter_map(disk).collect()
}

fn disk_full(disk: &Disk) -> Option<Found> {
    let free = disk.free.filter(|free| *free < limits::DISK_FULL_UNTIL)?;
    let (bytes, whole) = disk.space.filter(|(bytes, _)| *bytes < limits::DISK_ROOM_BYTES)?;
    Some(Found {
        subject: Some(disk.point.clone()),
        evidence: format!("{} of {} are in use, {} are free", percent(1.0 - free), size(whole), size(bytes)),
        keeps: free >= limits::DISK_FULL_BELOW,
        ..Found::default()
    })
}

fn inodes_full(disk: &Disk) -> Option<Found> {
    let free = disk.inodes_free.filter(|free| *free < limits::DISK_FULL_UNTIL)?;
    Some(Found {
        subject: Some(disk.point.clone()),
        evidence: format!("{} of its inodes are in use, so hardly a file can be made", percent(1.0 - free)),
        keeps: free >= limits::DISK_FULL_BELOW,
        ..Found::default()
    })
}

fn read_only(_: &Snapshot, past: &Past) -> Vec<Found> {
    let on = |figures: Option<&Figures>, name: &str, at: usize| -> Vec<String> {
        let all = figures.into_iter().flat_map(|figures| figures.all(name)).filter(|(_, value)| *value > 0.5);
        all.filter_map(|(labels, _)| labels.get(at).cloned()).collect()
    };
    let volumes = on(past.source("volumes"), "sidecar_disk_read_only", 0);
    let host = on(past.source("node"), "node_filesystem_readonly", 1).into_iter().filter(|at| !volumes.contains(at));
    // A container's root may be read-only by intent, and so may a host's file systems; a volume of data is there to be written.
    let turned = host.filter(|point| past.was_writable(point)).collect::<Vec<_>>();
    let named = volumes.iter().filter(|point| *point != "/" || past.was_writable(point));
    let found = |point: &String| {
        let evidence = if past.was_writable(point) {
            "it took writes, and its file system is read-only now"
        } else {
            "its file system is read-only, so the peer cannot write to it"
        };
        Found { subject: Some(point.clone()), evidence: evidence.to_owned(), ..Found::default() }
    };
    named.chain(&turned).map(found).collect()
}

fn clock_off(snapshot: &Snapshot, past: &Past) -> Vec<Found> {
    let most = limits::CLOCK_OFF.as_secs_f64();
    let offset = |index: usize| past.check(index)?.figures.value("sidecar_clock_offset_seconds");
    let told = snapshot.checks.iter().enumerate().filter_map(|(index, check)| Some((check, offset(index)?)));
    let services = told.filter(|(_, offset)| offset.abs() > most * limits::CAUSE_KEPT).map(|(check, offset)| {
        let apart = Span(Duration::from_secs_f64(offset.abs().round()));
        let way = if offset > 0.0 { "ahead of" } else { "behind" };
        Found {
            subject: Some(check.facts.name.clone()),
            evidence: format!(
                "by the `Date` of its answer its clock is {apart} {way} the agent's; one of them is wrong"
            ),
            keeps: offset.abs() <= most,
            ..Found::default()
        }
    });
    let mut found: Vec<Found> = services.collect();
    let kept = past.source("node").and_then(|figures| figures.value("node_timex_sync_status"));
    if past.clock_was_kept && kept.is_some_and(|kept| kept < 0.5) {
        let evidence =
            "nothing keeps the host's clock any more, says its kernel; it may be off by 16 s and drifts".to_owned();
        found.push(Found { subject: Some("host".to_owned()), evidence, ..Found::default() });
    }
    found
}
