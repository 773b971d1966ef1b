//! Memory: every line of `/proc/meminfo`, and of `/proc/vmstat` what node_exporter takes by default.

use super::look::{Lack, Look, parser};
use super::{Part, on};
use crate::collectors::files::float;
use crate::parser::Parser;
use crate::reading::Metric;

static MEMORY: Metric = Metric::gauge("node_memory_*", "The line * of /proc/meminfo, in bytes where its name says so");
static VMSTAT: Metric = Metric::untyped("node_vmstat_*", "The line * of /proc/vmstat");

/// The rows of the table.
pub(super) static MEMINFO_PART: Part = on("meminfo", meminfo, &[&MEMORY]);
pub(super) static VMSTAT_PART: Part = on("vmstat", vmstat, &[&VMSTAT]);
/// What reads the kernel's bytes here.
pub(super) const MEMINFO: Parser = parser("node_meminfo", |bytes| {
    String::from_utf8_lossy(bytes).lines().for_each(|line| drop(line_of_meminfo(line)));
});

/// A line as a name and a value in bytes: `Active(anon):  12 kB` is `Active_anon_bytes`.
fn line_of_meminfo(line: &str) -> Option<(String, f64)> {
    let (name, rest) = line.split_once(':')?;
    let mut words = rest.split_ascii_whitespace();
    let value: u64 = words.next()?.parse().ok()?;
    let mut name = name.replace('(', "_").replace(')', "");
    let kilobytes = words.next() == Some("kB");
    if kilobytes {
        name.push_str("_bytes");
    }
    Some((name, float(value) * if kilobytes { 1024.0 } else { 1.0 }))
}

fn meminfo(look: &mut Look<'_>) -> Result<(), Lack> {
    for (name, value) in look.needed("meminfo")?.lines().filter_map(line_of_meminfo) {
        look.give_named(&MEMORY, &name, [], value);
    }
    Ok(())
}

/// Paging, swapping, faults and OOM kills, as node_exporter's default pattern has it.
fn is_wanted(name: &str) -> bool {
    let begins = ["oom_kill", "pgpg", "pswp"].iter().any(|start| name.starts_with(start));
    begins || (name.starts_with("pg") && name.contains("fault"))
}

fn vmstat(look: &mut Look<'_>) -> Result<(), Lack> {
    let text = look.needed("vmstat")?;
    for (name, value) in text.lines().filter_map(|line| line.split_once(' ')).filter(|(name, _)| is_wanted(name)) {
        if let Ok(value) = value.trim().parse::<u64>() {
            look.give_named(&VMSTAT, name, [], float(value));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{found, look_at};

    #[test]
    fn names_and_units_are_node_exporters() {
        let cases = [
            ("MemTotal:       24683652 kB", Some(("MemTotal_bytes", 24_683_652.0 * 1024.0))),
            ("Active(anon):       1580 kB", Some(("Active_anon_bytes", 1580.0 * 1024.0))),
            ("HugePages_Total:       3", Some(("HugePages_Total", 3.0))),
            ("NoValue:", None),
            ("Odd: x kB", None),
            ("", None),
        ];
        for (line, expected) in cases {
            let read = line_of_meminfo(line);
            assert_eq!(read.as_ref().map(|(name, value)| (name.as_str(), *value)), expected, "{line}");
        }
    }

    #[test]
    fn takes_of_vmstat_what_node_exporter_takes() {
        for name in ["oom_kill", "pgpgin", "pswpout", "pgfault", "pgmajfault", "oom_kill_more"] {
            assert!(is_wanted(name), "{name}");
        }
        for name in ["nr_free_pages", "pgfree", "pgsteal_kswapd", "numa_pte_updates", "fault"] {
            assert!(!is_wanted(name), "{name}");
        }
        let (result, readings) =
            look_at(&[("proc/vmstat", "nr_free_pages 5\npgmajfault 7\noom_kill x\n")], &VMSTAT_PART);
        assert_eq!((result, readings.len()), (Ok(()), 1));
        assert_eq!(found(&readings, "node_vmstat_pgmajfault", &[]), Some(7.0));
    }

    #[test]
    fn a_name_that_is_none_is_left_out() {
        let (_, readings) = look_at(&[("proc/meminfo", "Mem Total: 1 kB\nMemFree: 2 kB\n")], &MEMINFO_PART);
        assert_eq!(readings.len(), 1);
        assert_eq!(found(&readings, "node_memory_MemFree_bytes", &[]), Some(2048.0));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in ".{0,80}") {
            let _read = line_of_meminfo(&text);
        }
    }
}
