//! `agent probe`: one run of one probe, shown to a person. A pure rendering of the outcome, after the run.

use crate::causes::{self, Kind};
use crate::clock::{self, Utc};
use crate::config::Check;
use crate::exit::Exit;
use crate::paint::Paint;
use crate::probes::net::Net;
use crate::probes::{self, Depth, Outcome};
use crate::reading::Reading;
use crate::snapshot::CheckFacts;
use crate::units::{Span, human_bytes};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

/// Runs the check's probe once; the page to print, and how the program ends.
pub async fn probe(mut check: Check, debug: bool, paint: Paint) -> (String, Exit) {
    let outcome = probes::run(check.probe.as_mut(), &Net::default(), check.facts.timeout, Depth::Peer).await;
    let exit = if outcome.ok() { Exit::Good } else { Exit::BadNews };
    let cause = causes::of_one_run(&check.facts, clock::wall(), &outcome);
    let mut page = page(&check.facts, &outcome, debug, paint);
    cause.into_iter().for_each(|cause| named(&mut page, cause, paint));
    (page, exit)
}

/// Phases, facts, verdict; with `debug` every reading as Prometheus would read it.
fn page(facts: &CheckFacts, outcome: &Outcome, debug: bool, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} {}", facts.target, paint.dim(&format!("({})", facts.kind)));
    let phases = outcome.phases.iter().map(|phase| (phase.name.to_owned(), Span(phase.took).to_string()));
    section(&mut out, "phases", phases.collect(), paint);
    let notes = outcome.notes.iter().map(|note| (note.name.to_owned(), note.text.clone()));
    section(&mut out, "facts", notes.collect(), paint);
    if debug {
        section(&mut out, "readings", Vec::new(), paint);
        exposition(&mut out, &outcome.readings);
    } else {
        let (own, ours): (Vec<&Reading>, _) =
            outcome.readings.iter().partition(|reading| reading.metric.is_of_the_peer_alone());
        section(&mut out, "measured", ours.iter().map(|reading| (name(reading), value(reading))).collect(), paint);
        families(&mut out, own.iter().map(|reading| reading.metric.name), paint);
    }
    verdict(&mut out, outcome, paint);
    out
}

/// The widest column of names; the usual ones with a label fit.
const NAME_COLUMN: usize = 60;

/// Two columns under a title; nothing when there is nothing to show.
fn section(out: &mut String, title: &str, rows: Vec<(String, String)>, paint: Paint) {
    if rows.is_empty() && title != "readings" {
        return;
    }
    let _ = writeln!(out, "\n{}", paint.dim(title));
    // A long name, such as that of a certificate's labels, stands out of the column and does not push all values off the screen.
    let lengths = rows.iter().map(|(name, _)| name.chars().count());
    let width = lengths.filter(|length| *length <= NAME_COLUMN).max().unwrap_or_default();
    for (name, value) in rows {
        let _ = writeln!(out, "  {name:<width$}  {value}");
    }
}

/// How many series of a server's own families there are: hundreds, which nobody reads one by one.
fn families(out: &mut String, names: impl Iterator<Item = &'static str>, paint: Paint) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    names.filter_map(|name| name.split_once('_')).for_each(|(family, _)| *counts.entry(family).or_default() += 1);
    if counts.is_empty() {
        return;
    }
    let rows = counts.iter().map(|(family, count)| (format!("{family}_*"), format!("{count} series")));
    section(out, "the server's own (each with `--debug`)", rows.collect(), paint);
}

fn verdict(out: &mut String, outcome: &Outcome, paint: Paint) {
    let took = Span(outcome.took);
    let Some(fault) = &outcome.fault else {
        let _ = writeln!(out, "\n{} in {took}", paint.green("ok"));
        return;
    };
    let _ = writeln!(out, "\n{} after {took}: {}", paint.red("failed"), fault.reason);
    let _ = writeln!(out, "  {}", fault.message);
    if let Some(hint) = &fault.hint {
        let _ = writeln!(out, "{} {hint}", paint.cyan("hint:"));
    }
}

/// What the agent would call it, were it to watch this.
fn named(out: &mut String, cause: &Kind, paint: Paint) {
    let _ = writeln!(out, "{} {}: {}", paint.cyan("cause:"), cause.name, cause.summary);
}

/// The metric's name with its labels, as in an exposition.
fn name(reading: &Reading) -> String {
    let pairs = reading.metric.labels.iter().zip(&reading.labels);
    let labels: Vec<String> = pairs.map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
    if labels.is_empty() {
        reading.metric.name.to_owned()
    } else {
        format!("{}{{{}}}", reading.metric.name, labels.join(","))
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Ends of names whose values are moments in seconds since 1970; other `…_time_seconds` are durations.
const MOMENTS: [&str; 4] = ["_timestamp_seconds", "_start_time_seconds", "_boot_time_seconds", "_cert_expiry"];
/// The year 9999 ends here; what is later is no moment that anybody meant.
const LAST_MOMENT: f64 = 253_402_300_800.0;

/// The value for people, by the unit in the metric's name.
fn value(reading: &Reading) -> String {
    let (name, value) = (reading.metric.name, reading.value);
    let base = name.strip_suffix("_total").unwrap_or(name);
    if !value.is_finite() {
        return value.to_string();
    }
    if MOMENTS.iter().any(|end| base.ends_with(end)) {
        let since = Duration::try_from_secs_f64(value).unwrap_or_default();
        let at = SystemTime::UNIX_EPOCH.checked_add(since).filter(|_| (1.0..LAST_MOMENT).contains(&value));
        return at.map_or_else(|| value.to_string(), |at| Utc::of(at).seconds());
    }
    if base.ends_with("_seconds") {
        let span = Duration::try_from_secs_f64(value.abs()).map(|span| Span(span).to_string());
        let sign = if value < 0.0 { "-" } else { "" };
        return span.map_or_else(|_| value.to_string(), |span| format!("{sign}{span}"));
    }
    // `…_failed_due_to_bytes` is a truth value.
    if base.ends_with("_bytes") && !base.ends_with("_due_to_bytes") && (0.0..9e18).contains(&value) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range of u64")]
        return human_bytes(value as u64);
    }
    if base.ends_with("_ratio") {
        return format!("{:.1} %", value * 100.0);
    }
    value.to_string()
}

/// Readings in the text format of Prometheus, help and type once for each metric.
fn exposition(out: &mut String, readings: &[Reading]) {
    let mut seen: Vec<&'static str> = Vec::new();
    for reading in readings {
        let metric = reading.metric;
        let family = metric.family();
        if !seen.contains(&family) {
            seen.push(family);
            let _ = writeln!(out, "# HELP {family} {}\n# TYPE {family} {}", metric.help, metric.kind.as_str());
        }
        let _ = writeln!(out, "{} {}", name(reading), reading.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample::facts_of;
    use crate::probes::{Fault, Note, Phase, Reason};
    use crate::reading::Metric;
    use crate::snapshot::Role;

    static STATUS: Metric = Metric::gauge("probe_http_status_code", "Status of the answer");
    static EXPIRES: Metric = Metric::gauge("sidecar_certificate_expires_in_seconds", "Seconds until expiry");
    static SIZE: Metric = Metric::gauge("sidecar_x_bytes", "Size").labelled(&["part"]);
    static SHARE: Metric = Metric::gauge("sidecar_x_ratio", "Share");
    static COUNT: Metric = Metric::counter("sidecar_x_total", "Count");

    fn facts() -> CheckFacts {
        facts_of("probe", "http", "https://example.org/", Role::Observe)
    }

    fn outcome() -> Outcome {
        Outcome {
            took: Duration::from_micros(12_400),
            phases: vec![
                Phase { name: "resolve", took: Duration::from_micros(850) },
                Phase { name: "processing", took: Duration::from_millis(11) },
            ],
            readings: vec![
                STATUS.is(200.0),
                EXPIRES.is(-864_000.0),
                SIZE.with(["a\"b"], 1536.0),
                SIZE.with(["c"], 1.0),
                SIZE.with([&*"x".repeat(60)], 2.0),
                SHARE.is(0.256),
                COUNT.is(7.0),
            ],
            notes: vec![Note { name: "version", text: "nginx/1.26".to_owned() }],
            ..Outcome::default()
        }
    }

    #[test]
    fn shows_what_was_found() {
        insta::assert_snapshot!(page(&facts(), &outcome(), false, Paint::OFF), @r#"
        https://example.org/ (http)

        phases
          resolve     850 µs
          processing  11 ms

        facts
          version  nginx/1.26

        measured
          probe_http_status_code                  200
          sidecar_certificate_expires_in_seconds  -10d
          sidecar_x_bytes{part="a\"b"}            1.5 KiB
          sidecar_x_bytes{part="c"}               1 B
          sidecar_x_bytes{part="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}  2 B
          sidecar_x_ratio                         25.6 %
          sidecar_x_total                         7

        ok in 12.4 ms
        "#);
    }

    #[test]
    fn a_moment_is_shown_as_one_and_a_duration_as_another() {
        static EXPIRY: Metric = Metric::gauge("probe_ssl_earliest_cert_expiry", "When");
        static STARTED: Metric = Metric::gauge("pg_postmaster_start_time_seconds", "When");
        static LOOKUP: Metric = Metric::gauge("probe_dns_lookup_time_seconds", "How long");
        for (metric, seconds, shown) in [
            (&EXPIRY, 1_700_000_000.0, "2023-11-14T22:13:20Z"),
            (&STARTED, 1_700_000_000.5, "2023-11-14T22:13:20Z"),
            (&STARTED, 0.0, "0"),
            (&STARTED, -62_135_596_800.0, "-62135596800"),
            (&STARTED, 1e300, &*1e300_f64.to_string()),
            (&LOOKUP, 1.5, "1.5 s"),
        ] {
            assert_eq!(value(&metric.is(seconds)), shown, "{}", metric.name);
        }
    }

    #[test]
    fn a_servers_own_families_are_counted() {
        static KEYS: Metric = Metric::gauge("redis_db_keys", "Keys").labelled(&["db"]);
        static UP: Metric = Metric::gauge("redis_up", "Whether it works");
        static STARTED: Metric = Metric::gauge("process_start_time_seconds", "Start");
        let readings = vec![KEYS.with(["db0"], 3.0), STATUS.is(200.0), UP.is(1.0), STARTED.is(7.0)];
        let outcome = Outcome { readings, ..Outcome::default() };
        insta::assert_snapshot!(page(&facts(), &outcome, false, Paint::OFF), @r"
        https://example.org/ (http)

        measured
          probe_http_status_code  200

        the server's own (each with `--debug`)
          process_*  1 series
          redis_*    2 series

        ok in 0 s
        ");
        let debug = page(&facts(), &outcome, true, Paint::OFF);
        assert!(debug.contains("redis_db_keys{db=\"db0\"} 3\n") && !debug.contains("hint"), "{debug}");
    }

    #[test]
    fn debug_shows_readings_as_prometheus_reads_them() {
        insta::assert_snapshot!(page(&facts(), &outcome(), true, Paint::OFF), @r#"
        https://example.org/ (http)

        phases
          resolve     850 µs
          processing  11 ms

        facts
          version  nginx/1.26

        readings
        # HELP probe_http_status_code Status of the answer
        # TYPE probe_http_status_code gauge
        probe_http_status_code 200
        # HELP sidecar_certificate_expires_in_seconds Seconds until expiry
        # TYPE sidecar_certificate_expires_in_seconds gauge
        sidecar_certificate_expires_in_seconds -864000
        # HELP sidecar_x_bytes Size
        # TYPE sidecar_x_bytes gauge
        sidecar_x_bytes{part="a\"b"} 1536
        sidecar_x_bytes{part="c"} 1
        sidecar_x_bytes{part="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"} 2
        # HELP sidecar_x_ratio Share
        # TYPE sidecar_x_ratio gauge
        sidecar_x_ratio 0.256
        # HELP sidecar_x_total Count
        # TYPE sidecar_x_total counter
        sidecar_x_total 7

        ok in 12.4 ms
        "#);
    }

    #[test]
    fn a_failure_has_the_name_that_the_agent_gives_it() {
        let at = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        let fault = Fault::new(Reason::Refused, "nothing").exactly(probes::Detail::NothingListens(at));
        let outcome = Outcome { fault: Some(fault), ..Outcome::default() };
        let mut out = String::new();
        let cause = causes::of_one_run(&facts(), SystemTime::UNIX_EPOCH, &outcome);
        named(&mut out, cause.expect("a name"), Paint::OFF);
        assert!(out.starts_with("cause: not_listening: the host refuses the connection"), "{out}");
        assert!(causes::of_one_run(&facts(), SystemTime::UNIX_EPOCH, &Outcome::default()).is_none());
    }

    #[test]
    fn a_failure_has_its_reason_and_advice() {
        let fault = Fault::new(Reason::Refused, "nothing listens on 127.0.0.1:1").hint("is the service up?");
        let failed = Outcome { fault: Some(fault), took: Duration::from_millis(1), ..Outcome::default() };
        insta::assert_snapshot!(page(&facts(), &failed, false, Paint::OFF), @r"
        https://example.org/ (http)

        failed after 1 ms: refused
          nothing listens on 127.0.0.1:1
        hint: is the service up?
        ");
    }
}
