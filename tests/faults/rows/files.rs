//! Backups and disks.

use crate::faults::room::Room;
use crate::faults::scene::{Kept, check};
use crate::faults::web::{Web, fine};
use crate::faults::{Row, Scene};
use crate::servers::start::output;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

pub(super) static ROWS: &[Row] = &[
    Row::new("backup: none there", &[("backup_missing", "backup")], missing).always(),
    Row::new("backup: vanishes", &[("backup_missing", "backup")], vanishes),
    Row::new("backup: two days old", &[("backup_stale", "backup")], stale),
    Row::new("backup: a tenth of its size", &[("backup_shrunken", "backup")], shrunken),
    Row::new("backup: cut off in the middle", &[("backup_corrupt", "backup")], corrupt),
    Row::new("disk runs full", &[("disk_full", "*")], disk_full).within(20),
    Row::new("inodes run out", &[("inodes_full", "*")], inodes_full).within(20),
    Row::new("file system becomes read-only", &[("read_only_file_system", "*")], read_only).within(20),
];

const MORE: &str = ", settle: 0s, min_size_ratio: 0.5";

fn backup(folder: &Path) -> String {
    check("backup", &format!("file://{}/*.sql.gz?max_age=26h", folder.display()), MORE)
}

/// A dump of so many rows as `pg_dump | gzip` leaves it, written so long ago.
fn dump(folder: &Path, name: &str, rows: u32, ago: &str) -> Result<(), String> {
    let line = format!(
        "(echo '-- PostgreSQL database dump'; seq 1 {rows} | sha256sum; seq 1 {rows}; echo '-- PostgreSQL database dump complete') \
         | gzip > {name} && touch -d '{ago}' {name}"
    );
    output(Command::new("sh").args(["-c", &line]).current_dir(folder)).map(drop)
}

/// Three good backups in a folder of their own.
fn sound() -> Result<tempfile::TempDir, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    for (name, ago) in [("a.sql.gz", "-3 days"), ("b.sql.gz", "-2 days"), ("c.sql.gz", "-1 hour")] {
        dump(folder.path(), name, 20_000, ago)?;
    }
    Ok(folder)
}

fn missing() -> Result<Scene, String> {
    let (empty, good) = (tempfile::tempdir().map_err(|error| error.to_string())?, sound()?);
    let twin = backup(good.path()).replace("name: backup", "name: twin");
    Ok(Scene::of(&[backup(empty.path()), twin]).keeping((empty, good)))
}

/// The folder is sound until this line of shell.
fn until(line: &'static str) -> Result<Scene, String> {
    let folder = sound()?;
    Ok(Scene::of(&[backup(folder.path())]).then(move || {
        output(Command::new("sh").args(["-c", line]).current_dir(folder.path()))?;
        Ok(Box::new(folder))
    }))
}

fn vanishes() -> Result<Scene, String> {
    until("rm *.gz")
}

fn stale() -> Result<Scene, String> {
    until("rm c.sql.gz")
}

fn shrunken() -> Result<Scene, String> {
    let folder = sound()?;
    Ok(Scene::of(&[backup(folder.path())]).then(move || {
        dump(folder.path(), "d.sql.gz", 1_000, "-1 minute")?;
        Ok(Box::new(folder))
    }))
}

fn corrupt() -> Result<Scene, String> {
    until("head -c 30000 c.sql.gz > d.sql.gz; touch -d '-1 minute' d.sql.gz")
}

/// A room with a small disk that the agent watches, and a deed to it.
fn on_disk(line: &'static str) -> Result<Scene, String> {
    let room = Arc::new(Room::new()?);
    let web = room.inside(|| Web::start_at("127.0.0.1:9000", fine()))?;
    let disk = room.disk();
    let top = format!("peer: {{volumes: [{}]}}\n", disk.display());
    let scene = Scene::new(&top, &[check("backend", "http://127.0.0.1:9000/", "")]).inside(&room);
    Ok(scene.then(move || {
        room.shell(&format!("cd {} && {line}", disk.display()))?;
        Ok(Box::new((web, room)) as Kept)
    }))
}

fn disk_full() -> Result<Scene, String> {
    on_disk("head -c 4190000 /dev/zero > full || true")
}

fn inodes_full() -> Result<Scene, String> {
    on_disk("for i in $(seq 1 198); do : > $i || true; done")
}

fn read_only() -> Result<Scene, String> {
    on_disk("mount -o remount,ro .")
}
