//! Pages, one after the other, to courses.

use super::page::Page;
use super::reader::{Reader, Values};
use super::*;
use crate::limits;

fn page(text: &str) -> Page {
    Page::read(text, &figures::wanted()).expect("a page")
}

fn value(values: &Values, name: &str) -> Option<f64> {
    values.figures.iter().find(|(figure, ..)| figure.name == name).map(|(_, value, _)| *value)
}

/// A page of a backend's agent as it really is, cut to what matters.
const BACKEND: &str = r#"
# TYPE sidecar_cpu_used_ratio gauge
sidecar_cpu_used_ratio{scope="host"} 0.9
sidecar_cpu_used_ratio{scope="agent"} 0.01
sidecar_cpu_used_ratio{scope="peer"} 0.42
sidecar_cpu_throttled_ratio{scope="peer"} 0.41
sidecar_memory_used_ratio{scope="peer"} 0.31
sidecar_peer_pressure_ratio{resource="cpu"} 0.2
sidecar_peer_pressure_ratio{resource="io"} 0.1
sidecar_disk_free_ratio{mountpoint="/data"} 0.4
sidecar_disk_free_ratio{mountpoint="/logs"} 0.03
sidecar_check_info{check="backend",kind="http",role="readiness",peer="true"} 1
sidecar_check_info{check="db",kind="postgres",role="observe",peer="false"} 1
sidecar_check_up{check="backend"} 1
sidecar_check_up{check="db"} 0
sidecar_connections_used_ratio{check="db"} 0.99
sidecar_pool_used_ratio{check="backend",service="database"} 0.75
sidecar_pool_used_ratio{check="backend",service="cache"} 0.25
sidecar_cause_active{cause="not_listening",subject="db"} 1
sidecar_check_last_run_timestamp_seconds{check="backend"} 1000
container_last_seen{container="c",id="i",image="m",name="n",namespace="",pod=""} 1002
"#;

#[test]
fn the_figures_of_a_page_are_those_of_the_peer() {
    let values = Reader::default().read(&page(BACKEND));
    let told: Vec<String> =
        values.figures.iter().map(|(figure, value, looked)| format!("{figure:?} {value:.2} ({looked})")).collect();
    insta::assert_snapshot!(told.join(", "), @"cpu 0.42 (1002), cpu_throttled 0.41 (1002), cpu_pressure 0.20 (1002), memory 0.31 (1002), io_pressure 0.10 (1002), disk 0.97 (1002), pool 0.75 (1000), down 0.00 (1000), host_cpu 0.90 (1002)");
    assert_eq!(values.dependencies, ["db"]);
    assert_eq!(values.causes, [("not_listening".to_owned(), "db".to_owned())]);
    assert_eq!((values.stamp, values.nonsense), (1002.0, None));
}

#[test]
fn an_average_is_that_of_the_time_between_two_looks() {
    let statements = |calls: u32, seconds: f64, more: &str, ran: u32| {
        page(&format!(
            "pg_stat_statements_calls_total{{queryid=\"1\"}} {calls}\npg_stat_statements_seconds_total{{queryid=\"1\"}} {seconds}\n\
             {more}sidecar_check_last_run_timestamp_seconds{{check=\"db\"}} {ran}\n"
        ))
    };
    let mut reader = Reader::default();
    let mut query = |page: &Page| value(&reader.read(page), "query");
    assert_eq!(query(&statements(1000, 2.0, "", 1)), None, "one look is none");
    assert_eq!(query(&statements(1010, 7.0, "", 2)), Some(500_000.0), "5 s over ten calls, in microseconds");
    assert_eq!(query(&statements(1010, 7.0, "", 2)), Some(500_000.0), "the same look once more");
    let other =
        "pg_stat_statements_calls_total{queryid=\"2\"} 900\npg_stat_statements_seconds_total{queryid=\"2\"} 90\n";
    assert_eq!(
        query(&statements(1020, 7.1, other, 3)).map(f64::round),
        Some(10_000.0),
        "a statement that is new tells nothing yet"
    );
    assert_eq!(query(&statements(1020, 7.1, other, 4)), None, "nobody asked the database anything");
    assert_eq!(query(&statements(5, 0.1, "", 5)), None, "its statistics were reset");
}

#[test]
fn events_count_from_the_first_page_on() {
    let restarts = |count: u32| page(&format!("sidecar_peer_restarts_total {count}\n"));
    let mut reader = Reader::default();
    for (count, rise) in [(7, 0.0), (7, 0.0), (9, 2.0)] {
        assert_eq!(value(&reader.read(&restarts(count)), "restarts"), Some(rise));
    }
}

#[test]
fn a_figure_that_cannot_be_is_left_out_and_said() {
    for lie in ["-3", "99", "1e300"] {
        let values = Reader::default().read(&page(&format!("sidecar_cpu_used_ratio{{scope=\"peer\"}} {lie}\n")));
        assert_eq!(value(&values, "cpu"), None, "{lie}");
        assert!(values.nonsense.is_some_and(|said| said.contains("which cannot be")), "{lie}");
    }
}

#[test]
fn an_agent_that_stopped_to_look_is_as_good_as_silent() {
    let mut service = Service::new("backend");
    let mut reader = Reader::default();
    (0..60).for_each(|at| service.told(f64::from(at), reader.read(&page(BACKEND))));
    assert_eq!(service.track("cpu").map(|track| track.points.len()), Some(1), "a look is one however often it is told");
    assert!(
        matches!(service.hears(&(0.0..60.0)), Hears::Silent(silent, why) if silent > 25.0 && why.contains("stand still"))
    );
    assert_eq!(service.hears(&(0.0..20.0)), Hears::Well);
}

#[test]
fn a_gap_is_one_however_often_it_was_asked() {
    let mut service = Service::new("db");
    (10..30).for_each(|at| service.silent(f64::from(at), "connection refused"));
    (90..92).for_each(|at| service.silent(f64::from(at), "no whole answer"));
    assert_eq!(service.gaps.len(), 2);
    assert_eq!(service.hears(&(0.0..100.0)), Hears::Silent(22.0, "connection refused"));
    assert_eq!(service.hears(&(0.0..200.0)), Hears::Well, "a tenth is not too much");
}

#[test]
fn a_long_run_is_kept_in_coarser_grain_and_loses_no_peak() {
    let figure = find("cpu").expect("a row");
    let peak = 70_000;
    let track = Track::of(figure, (0..100_000).map(|at| (f64::from(at), if at == peak { 1.0 } else { 0.5 })));
    assert!(track.points.len() <= limits::SIDECAR_POINTS, "{}", track.points.len());
    assert_eq!(track.most(&(0.0..1e6)), Some(1.0));
    assert!((track.mean(&(0.0..1e6)).expect("points") - 0.5).abs() < 0.001);
    assert!(track.points.is_sorted_by(|a, b| a.at < b.at));
}

#[test]
fn every_row_is_sound() {
    for row in FIGURES {
        assert!(row.unless.iter().all(|other| find(other).is_some()), "{row:?}");
        assert!(row.step > 0.0 && !row.sources.is_empty(), "{row:?}");
        assert!(FIGURES.iter().filter(|other| other.name == row.name).count() == 1, "{row:?}");
        assert!(crate::targets::Indicator::find(row.name).is_none(), "{row:?} would hide an indicator");
    }
}
