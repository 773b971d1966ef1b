//! Services' own families on our page: whole, once, beside ours and never mixed with them.

use super::negotiate::Format;
use super::page::render;
use super::{Served, sample};
use crate::probes::Outcome;
use crate::probes::metrics::tests::exposition;
use crate::snapshot::{Role, Snapshot};
use std::sync::Arc;

const SERVICE: &str = "# HELP http_requests_total Requests \"served\".\n# TYPE http_requests_total counter\n\
    http_requests_total{code=\"200\",check=\"theirs\"} 12\n# TYPE lat histogram\nlat_bucket{le=\"+Inf\"} 2\nlat_sum 1\nlat_count 2\n\
    # TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 9\nsidecar_build_info 1\nup 1\nscrape_samples_scraped 1\nnginx_up 1\nplain 1\n";

fn snapshot(pages: &[(&str, &str)]) -> Snapshot {
    let mut snapshot = sample::full();
    for (name, page) in pages {
        let outcome = Outcome { exposition: Some(Arc::new(exposition(page))), ..Outcome::default() };
        let target = "metrics://backend:8000/metrics";
        snapshot.checks.push(sample::ran(sample::facts_of(name, "metrics", target, Role::Observe), outcome));
    }
    snapshot
}

fn page(snapshot: Snapshot, format: Format) -> String {
    let page = render(&Arc::new(snapshot), Served::default(), format, false).unwrap();
    String::from_utf8(page.body.to_vec()).unwrap()
}

/// The lines behind our own families.
fn tail(page: &str) -> &str {
    &page[page.find("# HELP http_requests").unwrap()..]
}

#[test]
fn a_services_families_stand_behind_ours_in_both_formats() {
    insta::assert_snapshot!(tail(&page(snapshot(&[("app", SERVICE)]), Format::Text)), @r#"
    # HELP http_requests_total Requests "served".
    # TYPE http_requests_total counter
    http_requests_total{check="app",code="200",exported_check="theirs"} 12
    # TYPE lat histogram
    lat_bucket{check="app",le="+Inf"} 2
    lat_sum{check="app"} 1
    lat_count{check="app"} 2
    # TYPE plain untyped
    plain{check="app"} 1
    "#);
    insta::assert_snapshot!(tail(&page(snapshot(&[("app", SERVICE)]), Format::OpenMetrics)), @r#"
    # HELP http_requests Requests \"served\".
    # TYPE http_requests counter
    http_requests_total{check="app",code="200",exported_check="theirs"} 12
    # TYPE lat histogram
    lat_bucket{check="app",le="+Inf"} 2
    lat_sum{check="app"} 1
    lat_count{check="app"} 2
    # TYPE plain unknown
    plain{check="app"} 1
    # EOF
    "#);
}

#[test]
fn what_a_service_tells_of_its_process_stands_beside_what_the_agent_tells_of_itself() {
    for (format, family) in [(Format::Text, "process_cpu_seconds_total"), (Format::OpenMetrics, "process_cpu_seconds")]
    {
        let page = page(snapshot(&[("app", SERVICE)]), format);
        assert_eq!(page.matches(&format!("# TYPE {family} counter\n")).count(), 1, "{page}");
        let samples: Vec<&str> = page.lines().filter(|line| line.starts_with("process_cpu_seconds_total")).collect();
        let [ours, theirs] = samples[..] else { panic!("{samples:?}") };
        assert!(ours.starts_with("process_cpu_seconds_total "), "{ours}");
        assert!(theirs.starts_with("process_cpu_seconds_total{check=\"app\"} 9"), "{theirs}");
        // The families stand together.
        let at = |text: &str| page.find(text).unwrap();
        assert_eq!(page[at(ours)..at(theirs)].lines().count(), 1);
    }
    // Of another type, or with labels, it means something else.
    let odd = "# TYPE process_cpu_seconds_total gauge\nprocess_cpu_seconds_total 9\nprocess_threads 3\n\
        # TYPE process_open_fds gauge\nprocess_open_fds{pid=\"7\"} 3\n";
    let page = page(snapshot(&[("app", odd)]), Format::Text);
    assert!(!page.contains("{check=\"app\"} 9") && !page.contains("pid=\"7\""));
    assert!(page.contains("left_out_series{check=\"app\",reason=\"own_name\"} 3\n"));
}

#[test]
fn a_name_of_ours_is_left_out_of_theirs_and_counted() {
    for format in [Format::Text, Format::OpenMetrics] {
        let page = page(snapshot(&[("app", SERVICE)]), format);
        for name in ["sidecar_build_info", "up", "scrape_samples_scraped", "nginx_up"] {
            assert!(!page.contains(&format!("\n{name}{{check=\"app\"")), "{name}");
        }
        for (series, value) in [
            ("sidecar_exposition_reexported_series{check=\"app\"}", "6"),
            ("sidecar_exposition_left_out_series{check=\"app\",reason=\"own_name\"}", "4"),
            ("sidecar_exposition_left_out_series{check=\"app\",reason=\"other_type\"}", "0"),
        ] {
            let line = page.lines().find(|line| line.starts_with(series)).unwrap_or_default();
            assert_eq!(line.trim_start_matches(series).trim().trim_end_matches(".0"), value, "{line}");
        }
    }
}

#[test]
fn two_services_with_one_name_share_its_family_when_they_agree_on_its_type() {
    let pages = [("one", "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n"), ("two", "# TYPE a gauge\na 2\nb 2\n")];
    let page = page(snapshot(&pages), Format::Text);
    assert!(
        page.ends_with("# TYPE a gauge\na{check=\"one\"} 1\na{check=\"two\"} 2\n# TYPE b gauge\nb{check=\"one\"} 1\n")
    );
    assert!(page.contains("left_out_series{check=\"two\",reason=\"other_type\"} 1\n"));
}

#[test]
fn a_counter_whose_short_name_is_another_family_keeps_its_long_one() {
    let page = page(
        snapshot(&[("app", "# TYPE jobs_total counter\njobs_total 1\n# TYPE jobs gauge\njobs 2\n")]),
        Format::OpenMetrics,
    );
    assert!(page.contains(
        "# TYPE jobs gauge\njobs{check=\"app\"} 2\n# TYPE jobs_total unknown\njobs_total{check=\"app\"} 1\n"
    ));
}

#[test]
fn nothing_is_said_of_what_nobody_asked_for() {
    assert!(!page(sample::full(), Format::Text).contains("sidecar_exposition"));
}
