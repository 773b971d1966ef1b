//! The host's clock: time, zone, clock sources. Source: RFC 8536 for the zone's file.

use super::look::{Lack, Look, numbered, parser, text};
use super::{Part, on};
use crate::clock;
use crate::limits;
use crate::parser::Parser;
use crate::reading::Metric;
use std::io::Read as _;
use std::path::Path;

static NOW: Metric =
    Metric::gauge("node_time_seconds", "The clock at the time of the look, in seconds since the Unix epoch");
static ZONE: Metric = Metric::gauge("node_time_zone_offset_seconds", "What the zone is ahead of UTC, in seconds")
    .labelled(&["time_zone"]);
static SOURCES: Metric =
    Metric::gauge("node_time_clocksource_available_info", "Clock sources that there are, always 1")
        .labelled(&["device", "clocksource"]);
static SOURCE: Metric = Metric::gauge("node_time_clocksource_current_info", "The clock source in use, always 1")
    .labelled(&["device", "clocksource"]);

/// The row of the table.
pub(super) static TIME: Part = on("time", time, &[&NOW, &ZONE, &SOURCES, &SOURCE]);
/// What reads the host's bytes here.
pub(super) const ZONE_FILE: Parser = parser("node_time_zone", |bytes| drop(zone(bytes, 1_800_000_000)));

/// The zone's name and what it is ahead of UTC.
type Zone = (String, i32);

/// The bytes read so far.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<usize> {
        let bytes = self.take(4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok().filter(|number| *number <= limits::PROC_FILE_BYTES)
    }
}

/// The counts of a header: of UT marks, standard marks, leap seconds, transitions, types and letters.
fn header(bytes: &mut Bytes<'_>) -> Option<[usize; 6]> {
    let head = bytes.take(20)?;
    if !head.starts_with(b"TZif") {
        return None;
    }
    let mut counts = [0; 6];
    for count in &mut counts {
        *count = bytes.number()?;
    }
    Some(counts)
}

/// The zone at a moment by a TZif file; `None` when it is none, and beyond its table where a rule with summer time would have to be
/// applied: absent is better than an hour off.
fn zone(file: &[u8], now: i64) -> Option<Zone> {
    let mut bytes = Bytes(file);
    // Version 1 has 32 bits a time; all files of this century have version 2 behind it.
    let [marks, standard, leaps, transitions, types, letters] = header(&mut bytes)?;
    bytes.take(transitions * 5 + types * 6 + letters + leaps * 8 + standard + marks)?;
    let [marks, standard, leaps, transitions, types, letters] = header(&mut bytes)?;
    let times =
        bytes.take(transitions * 8)?.chunks_exact(8).filter_map(|time| Some(i64::from_be_bytes(time.try_into().ok()?)));
    let passed = times.take_while(|time| *time <= now).count();
    let kinds = bytes.take(transitions)?;
    let table = bytes.take(types * 6)?;
    let names = bytes.take(letters)?;
    bytes.take(leaps * 12 + standard + marks)?;
    if passed == transitions
        && let Some(rule) = footer(bytes.0)
    {
        return fixed(rule);
    }
    let kind = match passed.checked_sub(1) {
        Some(last) => usize::from(*kinds.get(last)?),
        None => 0,
    };
    let mut entry = Bytes(table.get(kind * 6..)?);
    let offset = i32::from_be_bytes(entry.take(4)?.try_into().ok()?);
    let name = names.get(usize::from(*entry.take(2)?.get(1)?)..)?.split(|byte| *byte == 0).next()?;
    Some((String::from_utf8_lossy(name).into_owned(), offset))
}

/// The rule behind the table, between line ends; `None` when there is none.
fn footer(bytes: &[u8]) -> Option<&str> {
    let rule = bytes.strip_prefix(b"\n")?.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(rule).ok().filter(|rule| !rule.is_empty())
}

/// A rule without summer time: `UTC0`, `IST-5:30`, `<+0545>-5:45`. The sign is that of POSIX: behind UTC.
fn fixed(rule: &str) -> Option<Zone> {
    let (name, offset) = match rule.strip_prefix('<') {
        Some(rest) => rest.split_once('>')?,
        None => rule.split_at_checked(rule.find(|c: char| !c.is_ascii_alphabetic())?)?,
    };
    let (sign, digits) = match offset.strip_prefix('-') {
        Some(digits) => (1, digits),
        None => (-1, offset.trim_start_matches('+')),
    };
    let mut seconds = 0;
    for (part, unit) in digits.split(':').zip([3600, 60, 1]) {
        seconds += part.parse::<i32>().ok().filter(|part| (0..=167).contains(part))? * unit;
    }
    Some((name.to_owned(), sign * seconds))
}

/// The zone's file; a link with an absolute path is meant within the host's root.
fn zone_file(root: &Path) -> Option<Vec<u8>> {
    let link = root.join("etc/localtime");
    let target = std::fs::read_link(&link).ok().and_then(|to| Some(root.join(to.strip_prefix("/").ok()?)));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(target.unwrap_or(link)).ok()?;
    file.take(u64::try_from(limits::PROC_FILE_BYTES).unwrap_or(u64::MAX)).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn time(look: &mut Look<'_>) -> Result<(), Lack> {
    let now = clock::unix(look.at.wall);
    look.give(&NOW, [], now);
    if let Ok(root) = look.sight.own_files() {
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
        let known = match zone_file(root) {
            Some(file) => zone(&file, now as i64),
            None => Some(("UTC".to_owned(), 0)),
        };
        if let Some((name, offset)) = known {
            look.give(&ZONE, [&name], f64::from(offset));
        }
    }
    let folder = look.sys("devices/system/clocksource");
    for (name, device) in numbered(&folder, "clocksource").unwrap_or_default() {
        let (folder, device) = (folder.join(name), device.to_string());
        let available = text(&folder.join("available_clocksource")).unwrap_or_default();
        for source in available.split_ascii_whitespace() {
            look.give(&SOURCES, [&device, source], 1.0);
        }
        if let Some(source) = text(&folder.join("current_clocksource")) {
            look.give(&SOURCE, [&device, &source], 1.0);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{found, look_at};

    /// A file with these transitions into the types `(offset, name)`, and a rule behind it.
    fn file(transitions: &[(i64, u8)], types: &[(i32, &str)], rule: &str) -> Vec<u8> {
        let head = |counts: [usize; 6]| {
            let mut bytes = b"TZif2".to_vec();
            bytes.extend([0; 15]);
            counts.iter().for_each(|count| bytes.extend(u32::try_from(*count).expect("small").to_be_bytes()));
            bytes
        };
        let letters: Vec<u8> = types.iter().flat_map(|(_, name)| [name.as_bytes(), b"\0"].concat()).collect();
        let mut bytes = head([0, 0, 0, 0, 1, 1]);
        bytes.extend([0; 7]);
        bytes.extend(head([0, 0, 0, transitions.len(), types.len(), letters.len()]));
        transitions.iter().for_each(|(time, _)| bytes.extend(time.to_be_bytes()));
        bytes.extend(transitions.iter().map(|(_, kind)| *kind));
        let mut at = 0;
        for (offset, name) in types {
            bytes.extend(offset.to_be_bytes());
            bytes.extend([0, at]);
            at += u8::try_from(name.len() + 1).expect("short");
        }
        bytes.extend(letters);
        bytes.extend(format!("\n{rule}\n").bytes());
        bytes
    }

    #[test]
    fn the_zone_is_that_of_the_moment() {
        let types = [(3600, "CET"), (7200, "CEST")];
        let berlin = file(&[(1000, 1), (2000, 0)], &types, "CET-1CEST,M3.5.0,M10.5.0/3");
        assert_eq!(zone(&berlin, 500), Some(("CET".to_owned(), 3600)));
        assert_eq!(zone(&berlin, 1000), Some(("CEST".to_owned(), 7200)));
        assert_eq!(zone(&berlin, 5000), None, "a rule with summer time is not applied");
        assert_eq!(zone(&file(&[], &[(0, "UTC")], "UTC0"), 5000), Some(("UTC".to_owned(), 0)));
        assert_eq!(zone(&file(&[(1000, 0)], &[(60, "X")], ""), 5000), Some(("X".to_owned(), 60)));
    }

    #[test]
    fn rules_without_summer_time_are_understood() {
        for (rule, expected) in [
            ("UTC0", Some(("UTC", 0))),
            ("IST-5:30", Some(("IST", 19_800))),
            ("<+0545>-5:45", Some(("+0545", 20_700))),
            ("EST5", Some(("EST", -18_000))),
            ("EST5EDT,M3.2.0,M11.1.0", None),
            ("X", None),
            ("X99999", None),
        ] {
            assert_eq!(fixed(rule), expected.map(|(name, offset)| (name.to_owned(), offset)), "{rule}");
        }
    }

    #[test]
    fn tells_the_clock_sources() {
        let files = [
            ("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc kvm-clock \n"),
            ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
        ];
        let (_, readings) = look_at(&files, &TIME);
        assert_eq!(found(&readings, "node_time_clocksource_available_info", &["0", "kvm-clock"]), Some(1.0));
        assert_eq!(found(&readings, "node_time_clocksource_current_info", &["0", "tsc"]), Some(1.0));
        assert_eq!(found(&readings, "node_time_zone_offset_seconds", &["UTC"]), Some(0.0), "without a file it is UTC");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_the_parser(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), cut in 0_usize..200) {
            let _zone = zone(&bytes, 0);
            let mut broken = file(&[(1000, 1)], &[(0, "A"), (1, "B")], "A0");
            broken.truncate(cut);
            broken.extend(bytes);
            let _zone = zone(&broken, 0);
        }
    }
}
