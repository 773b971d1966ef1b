//! The machine's parts that break: software RAID, memory with error correction; and what its processors draw.
//! Source: md(4), kernel documentation, admin-guide/md, RAS and power/powercap.

use super::look::{Lack, Look, names, number, numbered, parser, text};
use super::{Part, on};
use crate::collectors::files::float;
use crate::parser::Parser;
use crate::reading::Metric;
use std::path::Path;

static STATE: Metric = Metric::gauge("node_md_state", "1 for the state that the array is in, 0 for the others")
    .labelled(&["device", "state"]);
static DISKS: Metric = Metric::gauge("node_md_disks", "Disks of the array by state").labelled(&["device", "state"]);
static REQUIRED: Metric =
    Metric::gauge("node_md_disks_required", "Disks that the array has when it is whole").labelled(&["device"]);
static BLOCKS: Metric = Metric::gauge("node_md_blocks", "Blocks of the array").labelled(&["device"]);
static SYNCED: Metric = Metric::gauge("node_md_blocks_synced", "Blocks that are in sync").labelled(&["device"]);
static RAID_DISKS: Metric =
    Metric::gauge("node_md_raid_disks", "Disks that the array is made for").labelled(&["device"]);
static DEGRADED: Metric = Metric::gauge("node_md_degraded", "Disks that the array lacks").labelled(&["device"]);
static CORRECTED: Metric =
    Metric::counter("node_edac_correctable_errors_total", "Errors of memory that were corrected")
        .labelled(&["controller"]);
static UNCORRECTED: Metric =
    Metric::counter("node_edac_uncorrectable_errors_total", "Errors of memory that could not be corrected")
        .labelled(&["controller"]);
static ROW_CORRECTED: Metric =
    Metric::counter("node_edac_csrow_correctable_errors_total", "Errors of a row that were corrected")
        .labelled(&["controller", "csrow"]);
static ROW_UNCORRECTED: Metric =
    Metric::counter("node_edac_csrow_uncorrectable_errors_total", "Errors of a row that could not be corrected")
        .labelled(&["controller", "csrow"]);
static CHANNEL_CORRECTED: Metric =
    Metric::counter("node_edac_channel_correctable_errors_total", "Errors of a channel that were corrected")
        .labelled(&["controller", "csrow", "channel", "dimm_label"]);
static CHANNEL_UNCORRECTED: Metric =
    Metric::counter("node_edac_channel_uncorrectable_errors_total", "Errors of a channel that could not be corrected")
        .labelled(&["controller", "csrow", "channel", "dimm_label"]);
static JOULES: Metric = Metric::counter("node_rapl_*_joules_total", "Energy that the zone * has used, in joules")
    .labelled(&["index", "path"]);

/// The rows of the table.
pub(super) static MDADM: Part =
    on("mdadm", mdadm, &[&STATE, &DISKS, &REQUIRED, &BLOCKS, &SYNCED, &RAID_DISKS, &DEGRADED]);
pub(super) static EDAC: Part = on(
    "edac",
    edac,
    &[&CORRECTED, &UNCORRECTED, &ROW_CORRECTED, &ROW_UNCORRECTED, &CHANNEL_CORRECTED, &CHANNEL_UNCORRECTED],
);
pub(super) static RAPL: Part = on("rapl", rapl, &[&JOULES]);
/// What reads the kernel's bytes here.
pub(super) const MDSTAT: Parser = parser("node_mdstat", |bytes| drop(arrays(&String::from_utf8_lossy(bytes))));

/// An array of `/proc/mdstat`.
#[derive(Debug, Default, PartialEq)]
struct Array {
    name: String,
    state: &'static str,
    active: u64,
    required: u64,
    failed: u64,
    spare: u64,
    blocks: u64,
    synced: u64,
}

/// The states that are exported, as node_exporter names them, and as they are found below.
const STATES: [(&str, &str); 5] = [
    ("active", "active"),
    ("inactive", "inactive"),
    ("recovering", "recovery"),
    ("resync", "resync"),
    ("check", "check"),
];

fn arrays(text: &str) -> Vec<Array> {
    let mut arrays: Vec<Array> = Vec::new();
    for line in text.lines() {
        let begins = line.split_once(" : ").filter(|(name, _)| name.starts_with("md") && !name.contains(' '));
        if let Some((name, rest)) = begins {
            arrays.push(first_line(name, rest));
        } else if let (true, Some(array)) = (line.starts_with(' '), arrays.last_mut()) {
            further_line(array, line);
        }
    }
    arrays
}

/// `md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]`
fn first_line(name: &str, rest: &str) -> Array {
    let count = |what: &str| u64::try_from(rest.matches(what).count()).unwrap_or(u64::MAX);
    let mut array = Array { name: name.to_owned(), failed: count("(F)"), spare: count("(S)"), ..Array::default() };
    array.state = if rest.starts_with("inactive") { "inactive" } else { "active" };
    // Without redundancy every disk is needed, and the line below names no number.
    if array.state == "active" && (rest.contains(" raid0 ") || rest.contains(" linear ")) {
        array.active = count("[");
        array.required = array.active;
    }
    array
}

/// `195310144 blocks super 1.2 [2/1] [U_]`, or how far a recovery is: `recovery = 8.5% (16775552/195310144) finish=17.0min`
fn further_line(array: &mut Array, line: &str) {
    let pair = |text: &str| {
        let (one, other) = text.split_once('/')?;
        Some((one.parse::<u64>().ok()?, other.parse::<u64>().ok()?))
    };
    let within = |from: char, to: char| {
        let mut found = line.split(from).skip(1).filter_map(|rest| rest.split(to).next());
        found.find_map(pair)
    };
    let mut words = line.split_ascii_whitespace();
    if let (Some(Ok(blocks)), Some("blocks")) = (words.next().map(str::parse), words.next()) {
        array.blocks = blocks;
        array.synced = blocks;
        if let (true, Some((required, active))) = (array.state == "active", within('[', ']')) {
            (array.required, array.active) = (required, active);
        }
    }
    let under_way = STATES.iter().skip(2).find(|(_, word)| line.contains(word) && line.contains('='));
    if let Some((state, _)) = under_way {
        array.state = state;
        array.synced = within('(', ')').map_or(0, |(synced, _)| synced);
    }
}

fn mdadm(look: &mut Look<'_>) -> Result<(), Lack> {
    let text = look.proc("mdstat")?;
    for array in arrays(&text) {
        let device = array.name.as_str();
        for (state, _) in STATES {
            look.give(&STATE, [device, state], f64::from(u8::from(state == array.state)));
        }
        for (state, count) in [("active", array.active), ("failed", array.failed), ("spare", array.spare)] {
            look.give(&DISKS, [device, state], float(count));
        }
        for (metric, count) in [(&REQUIRED, array.required), (&BLOCKS, array.blocks), (&SYNCED, array.synced)] {
            look.give(metric, [device], float(count));
        }
        let folder = look.sys("block").join(device).join("md");
        for (metric, file) in [(&RAID_DISKS, "raid_disks"), (&DEGRADED, "degraded")] {
            if let Some(count) = number(&folder.join(file)) {
                look.give(metric, [device], count);
            }
        }
    }
    Ok(())
}

fn edac(look: &mut Look<'_>) -> Result<(), Lack> {
    let folder = look.sys("devices/system/edac/mc");
    for (name, controller) in numbered(&folder, "mc")? {
        let (folder, controller) = (folder.join(name), controller.to_string());
        for (metric, file) in [(&CORRECTED, "ce_count"), (&UNCORRECTED, "ue_count")] {
            if let Some(count) = number(&folder.join(file)) {
                look.give(metric, [&controller], count);
            }
        }
        for (metric, file) in [(&ROW_CORRECTED, "ce_noinfo_count"), (&ROW_UNCORRECTED, "ue_noinfo_count")] {
            if let Some(count) = number(&folder.join(file)) {
                look.give(metric, [&controller, "unknown"], count);
            }
        }
        for (name, row) in numbered(&folder, "csrow")? {
            memory_row(look, &folder.join(name), &controller, &row.to_string());
        }
    }
    Ok(())
}

fn memory_row(look: &mut Look<'_>, folder: &Path, controller: &str, row: &str) {
    for (metric, file) in [(&ROW_CORRECTED, "ce_count"), (&ROW_UNCORRECTED, "ue_count")] {
        if let Some(count) = number(&folder.join(file)) {
            look.give(metric, [controller, row], count);
        }
    }
    let files = names(folder).unwrap_or_default();
    let channels = files.iter().filter_map(|name| name.strip_prefix("ch")?.strip_suffix("_ce_count"));
    for channel in channels {
        let label = text(&folder.join(format!("ch{channel}_dimm_label"))).unwrap_or_else(|| "unknown".to_owned());
        let label = label.replace('#', "").replace("csrow", "_csrow").replace("channel", "_channel");
        for (metric, kind) in [(&CHANNEL_CORRECTED, "ce"), (&CHANNEL_UNCORRECTED, "ue")] {
            if let Some(count) = number(&folder.join(format!("ch{channel}_{kind}_count"))) {
                look.give(metric, [controller, row, channel, &label], count);
            }
        }
    }
}

/// Only root may read the counters since Linux 5.10; what may not be read is not there.
fn rapl(look: &mut Look<'_>) -> Result<(), Lack> {
    let folder = look.sys("class/powercap");
    let mut any = false;
    for entry in names(&folder)? {
        let zone = folder.join(&entry);
        let (Some(name), Some(micro)) = (text(&zone.join("name")), number(&zone.join("energy_uj"))) else { continue };
        // `package-0` is zone `package`, number 0; `core` has the number of its folder's last part.
        let (word, index) = match name.rsplit_once('-') {
            Some((word, index)) if index.bytes().all(|b| b.is_ascii_digit()) && !index.is_empty() => (word, index),
            _ => (name.as_str(), entry.rsplit(':').next().unwrap_or("0")),
        };
        let clean = word.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        look.give_named(&JOULES, &clean, [index, &zone.display().to_string()], micro / 1e6);
        any = true;
    }
    if any { Ok(()) } else { Err(Lack::Nothing) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{found, look_at};

    fn array(text: &str) -> Array {
        let mut all = arrays(text);
        assert_eq!(all.len(), 1, "{text}");
        all.remove(0)
    }

    fn of(name: &str, state: &'static str, disks: [u64; 4], blocks: [u64; 2]) -> Array {
        let [active, required, failed, spare] = disks;
        Array { name: name.to_owned(), state, active, required, failed, spare, blocks: blocks[0], synced: blocks[1] }
    }

    #[test]
    fn reads_every_state_of_an_array() {
        let cases = [
            (
                "md3 : active raid6 sda1[8] sdh1[7] sdd1[3](S)\n      5853468288 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/8] [UUUUUUUU]\n      bitmap: 0/10 pages [0KB], 65536KB chunk\n",
                of("md3", "active", [8, 8, 0, 1], [5_853_468_288, 5_853_468_288]),
            ),
            (
                "md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]\n      195310144 blocks [2/1] [U_]\n      [=>...........]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec\n",
                of("md6", "recovering", [1, 2, 1, 1], [195_310_144, 16_775_552]),
            ),
            (
                "md7 : active raid1 sdb3[1] sda3[0]\n      100 blocks [2/2] [UU]\n      \tresync=DELAYED\n",
                of("md7", "resync", [2, 2, 0, 0], [100, 0]),
            ),
            (
                "md9 : active raid1 sdc2[2] sdd2[3]\n      523968 blocks super 1.2 [2/2] [UU]\n      [>....]  check =  1.0% (100/523968) finish=1min\n",
                of("md9", "check", [2, 2, 0, 0], [523_968, 100]),
            ),
            (
                "md219 : inactive sdb[2](S) sdc[1](S) sda[0](S)\n        7932 blocks super external:imsm\n",
                of("md219", "inactive", [0, 0, 0, 3], [7932, 7932]),
            ),
            (
                "md00 : active raid0 xvdb[0] xvdc[1]\n      4186624 blocks super 1.2 256k chunks\n",
                of("md00", "active", [2, 2, 0, 0], [4_186_624, 4_186_624]),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(array(&format!("Personalities : [raid1] [raid6]\n{text}\nunused devices: <none>\n")), expected);
        }
        assert_eq!(arrays("Personalities : \nunused devices: <none>\n"), []);
    }

    #[test]
    fn a_degraded_array_is_told() {
        let files = [
            ("proc/mdstat", "md0 : active raid1 sda1[0]\n      100 blocks [2/1] [U_]\n"),
            ("sys/block/md0/md/degraded", "1\n"),
        ];
        let (result, readings) = look_at(&files, &MDADM);
        assert_eq!(result, Ok(()));
        assert_eq!(found(&readings, "node_md_disks", &["md0", "active"]), Some(1.0));
        assert_eq!(found(&readings, "node_md_disks_required", &["md0"]), Some(2.0));
        assert_eq!(found(&readings, "node_md_degraded", &["md0"]), Some(1.0));
        assert_eq!(found(&readings, "node_md_state", &["md0", "active"]), Some(1.0));
        assert_eq!(look_at(&[], &MDADM).0, Err(Lack::Nothing));
    }

    #[test]
    fn errors_of_memory_are_told_by_controller_row_and_channel() {
        let at = |name: &str| format!("sys/devices/system/edac/mc/mc0/{name}");
        let files: Vec<(String, &str)> = [
            ("ce_count", "1"),
            ("ue_count", "5"),
            ("ce_noinfo_count", "2"),
            ("csrow0/ce_count", "3"),
            ("csrow0/ch0_ce_count", "4"),
            ("csrow0/ch0_ue_count", "6"),
            ("csrow0/ch0_dimm_label", "CPU_SrcID#0_MC#0"),
        ]
        .map(|(name, text)| (at(name), text))
        .to_vec();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        let (_, readings) = look_at(&files, &EDAC);
        assert_eq!(found(&readings, "node_edac_correctable_errors_total", &["0"]), Some(1.0));
        assert_eq!(found(&readings, "node_edac_uncorrectable_errors_total", &["0"]), Some(5.0));
        assert_eq!(found(&readings, "node_edac_csrow_correctable_errors_total", &["0", "unknown"]), Some(2.0));
        let labels = ["0", "0", "0", "CPU_SrcID0_MC0"];
        assert_eq!(found(&readings, "node_edac_channel_uncorrectable_errors_total", &labels), Some(6.0));
    }

    #[test]
    fn energy_is_told_by_zone() {
        let files = [
            ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
            ("sys/class/powercap/intel-rapl:0/energy_uj", "240422366267\n"),
        ];
        let (result, readings) = look_at(&files, &RAPL);
        assert_eq!((result, readings.len()), (Ok(()), 1));
        assert_eq!((readings[0].metric.name, readings[0].labels[0].as_str()), ("node_rapl_package_joules_total", "0"));
        assert_eq!(look_at(&[("sys/class/powercap/x", "")], &RAPL).0, Err(Lack::Nothing));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in "(md[0-9] : (in)?active .{0,30}\n  .{0,60}\n){0,3}|.{0,120}") {
            let _arrays = arrays(&text);
        }
    }
}
