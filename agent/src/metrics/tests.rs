//! What the pages promise, on a snapshot that holds one of everything.

use super::families::gather;
use super::negotiate::Format;
use super::page::{Pages, render};
use super::reexported::choose;
use super::{Served, encode, names, sample, table, text};
use crate::reading::{Metric, Type};
use crate::snapshot::Snapshot;
use crate::version::Version;
use std::collections::HashSet;
use std::sync::Arc;

fn both(snapshot: Snapshot) -> [String; 2] {
    let snapshot = Arc::new(snapshot);
    let served = Served { connections_refused: 3, web_config_read: Some(true) };
    [text::plain(&snapshot, served).unwrap(), encode::open_metrics(&snapshot, served).unwrap()]
}

/// `UPDATE_GOLDEN=1 cargo test -p agent golden` writes them anew; read the difference before you commit it.
fn assert_golden(name: &str, page: &str) {
    let Version { number: version, commit } = Version::THIS;
    let page = page.replace(&format!("version=\"{version}\",commit=\"{commit}\""), "version=\"0\",commit=\"0\"");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = golden.lines().zip(page.lines()).find(|(old, new)| old != new);
    assert!(golden == page, "{name} is not as it was (UPDATE_GOLDEN=1 to accept), first difference: {differs:?}");
}

#[test]
fn golden_pages_of_both_formats() {
    let [text, open] = both(sample::full());
    assert_golden("metrics.txt", &text);
    assert_golden("metrics.openmetrics.txt", &open);
}

#[test]
fn a_servers_own_family_comes_from_the_sidecar_beside_it_alone() {
    for page in both(sample::full()) {
        assert!(page.contains("\npg_stat_database_xact_commit{check=\"backend\",datname=\"app\"} "), "{page}");
        assert!(!page.contains("of a dependency"), "counted twice once the server has a sidecar of its own:\n{page}");
    }
}

#[test]
fn what_is_not_known_is_absent() {
    for page in both(sample::before_the_first_run()) {
        for name in ["sidecar_ready", "sidecar_check_up", "probe_success", "sidecar_check_runs", "sidecar_source_up"] {
            assert!(!page.contains(&format!("\n{name}")), "{name} in\n{page}");
        }
        assert!(page.contains("sidecar_build_info{version="));
    }
}

#[test]
fn every_reason_counts_from_zero_once_the_check_has_run() {
    for page in both(sample::full()) {
        let zero = page
            .lines()
            .filter(|line| line.starts_with("sidecar_check_failures_total{check=\"backend\"") && line.ends_with(['0']));
        assert_eq!(zero.count(), 16);
    }
}

#[test]
fn beyond_the_limit_only_reasons_that_came_are_shown_and_the_failed_runs_still_are() {
    let [page, _] = both(sample::many_checks(crate::limits::CHECKS_WITH_ALL_REASONS + 1));
    assert_eq!(page.matches("sidecar_check_failures_total{check=\"check0\"").count(), 1);
    assert!(page.contains("sidecar_check_runs_total{check=\"check0\",result=\"ok\"} 38\n"), "{page}");
    assert!(page.contains("sidecar_check_runs_total{check=\"check0\",result=\"failed\"} 2\n"));
}

#[test]
fn label_values_are_escaped_in_both_formats() {
    for page in both(sample::with_label("a\\b\"c\nd")) {
        assert!(page.contains(r#"sidecar_disk_free_ratio{mountpoint="a\\b\"c\nd"}"#), "{page}");
    }
}

#[test]
fn values_that_are_no_numbers_are_written_as_prometheus_reads_them() {
    let cases = [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (0.0, "0"),
        (-0.0, "0"),
        (12.0, "12"),
        (0.25, "0.25"),
        (1_700_000_000.123, "1700000000.123"),
        (1e300, "1e300"),
        (2.5e-9, "2.5e-9"),
    ];
    for (value, expected) in cases {
        let mut page = String::new();
        text::write_value(&mut page, value).unwrap();
        assert_eq!(page, expected);
    }
    let [_, open] = both(sample::with_value(f64::NEG_INFINITY));
    assert!(
        open.contains("sidecar_disk_free_ratio{mountpoint=\"/\"} -inf\n"),
        "OpenMetrics takes inf in any case: {open}"
    );
}

#[test]
fn the_same_series_twice_is_written_once() {
    for page in both(sample::with_duplicate()) {
        assert_eq!(page.matches("sidecar_disk_free_ratio{").count(), 1, "{page}");
    }
}

#[test]
fn open_metrics_ends_with_eof_and_text_has_none() {
    let [text, open] = both(sample::full());
    assert!(open.ends_with("\n# EOF\n") && open.matches("# EOF").count() == 1);
    assert!(!text.contains("# EOF") && text.ends_with('\n'));
}

#[test]
fn both_formats_carry_the_same_samples() {
    let [text, open] = both(sample::full());
    let series = |page: &str| -> Vec<String> {
        let samples = page.lines().filter(|line| !line.starts_with('#'));
        samples.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    assert_eq!(series(&text), series(&open));
}

#[test]
fn a_bare_counter_is_counter_in_text_and_unknown_in_open_metrics() {
    let [text, open] = both(sample::full());
    assert!(text.contains("# TYPE pg_stat_database_xact_commit counter\n"));
    assert!(open.contains("# TYPE pg_stat_database_xact_commit unknown\n"));
}

#[test]
fn a_histogram_is_declared_once_in_text_and_its_samples_are_unknown_in_open_metrics() {
    let [text, open] = both(sample::full());
    let at = |line: &str| text.find(line).unwrap_or_else(|| panic!("no {line} in {text}"));
    assert_eq!(text.matches("# TYPE redis_commands_latencies_usec").count(), 1);
    let declared = at("# TYPE redis_commands_latencies_usec histogram\n");
    assert!(declared < at("\nredis_commands_latencies_usec_bucket{check=\"backend\",cmd=\"get\",le=\"+Inf\"} 5\n"));
    assert!(open.contains("# TYPE redis_commands_latencies_usec_bucket unknown\n"), "{open}");
}

#[test]
fn every_series_on_the_page_belongs_to_a_metric_with_as_many_labels() {
    let snapshot = sample::full();
    for family in gather(&snapshot, &Served::default(), &choose(&snapshot)).values() {
        for row in &family.rows {
            let own = row.labels(family.metric).count() - usize::from(row.check.is_some());
            assert_eq!(own, family.metric.labels.len(), "{}", family.metric.name);
        }
    }
}

#[test]
fn a_name_has_one_meaning() {
    let probes = crate::probes::KINDS.iter().flat_map(|kind| kind.facts).copied();
    let sources = crate::collectors::SOURCES.iter().flat_map(|source| source.facts).copied();
    let all: Vec<&Metric> = names::ALL.iter().copied().chain(probes).chain(sources).collect();
    for metric in &all {
        let twins = all.iter().filter(|other| other.name == metric.name);
        twins.for_each(|twin| assert_eq!(*twin, *metric, "two meanings of {}", metric.name));
    }
    let unique: HashSet<&str> = table().iter().map(|metric| metric.name).collect();
    assert_eq!(unique.len(), table().len());
}

#[test]
fn names_types_units_and_help_follow_the_rules() {
    for metric in table() {
        let Metric { name, help, kind, labels } = metric;
        let clean = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_*".contains(c));
        assert!(clean(name) && labels.iter().all(|label| clean(label)), "{name}");
        // Borrowed gauges may end in `_total` (`container_fs_inodes_total`), ours may not.
        let total = name.ends_with("_total");
        assert!(total || *kind != Type::Counter, "{name}");
        assert!(!total || *kind == Type::Counter || !name.starts_with("sidecar_"), "{name}");
        assert!(*kind != Type::Info || name.ends_with("_info"), "{name}");
        assert!(!labels.contains(&"check"), "{name}: the exposition adds `check`");
        let bad_help = help.is_empty() || help.ends_with('.') || help.contains(['\n', '\\', '"']);
        assert!(!bad_help, "{name}: {help}");
        if name.starts_with("sidecar_") {
            let abbreviated = ["_ms", "_us", "_kb", "_mb", "_percent", "_minutes", "_hours", "_days", "_milliseconds"];
            assert!(!abbreviated.iter().any(|unit| name.ends_with(unit)), "{name}: base units only");
        }
    }
}

#[test]
fn a_page_is_rendered_once_a_snapshot() {
    let pages = Pages::default();
    let snapshot = Arc::new(sample::full());
    let page = |snapshot: &Arc<Snapshot>, served| pages.get(snapshot, served, Format::Text, false).unwrap().body;
    let first = page(&snapshot, Served::default());
    assert_eq!(first.as_ptr(), page(&snapshot, Served::default()).as_ptr());
    assert_ne!(first, page(&snapshot, Served { connections_refused: 1, web_config_read: None }));
    assert_ne!(first, page(&Arc::new(sample::before_the_first_run()), Served::default()));
    assert_eq!(first, page(&snapshot, Served::default()));
}

#[test]
fn gzip_holds_the_same_page() {
    let snapshot = Arc::new(sample::full());
    let [plain, packed] =
        [false, true].map(|gzip| render(&snapshot, Served::default(), Format::OpenMetrics, gzip).unwrap());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut text).unwrap();
    assert_eq!(plain.body, text.as_bytes());
    assert!(packed.body.len() * 3 < plain.body.len());
}

proptest::proptest! {
    #[test]
    fn whatever_a_label_holds_a_sample_stays_on_one_line(value in "\\PC{0,20}|[\\x00-\\x7f]{0,20}") {
        let lines = both(sample::with_label("x")).map(|page| page.lines().count());
        let hostile = both(sample::with_label(&value)).map(|page| page.split('\n').count() - 1);
        proptest::prop_assert_eq!(lines, hostile);
    }
}
