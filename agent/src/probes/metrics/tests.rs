//! What is kept of a page, what rude peers come to, and that nothing a page holds can spoil ours.

use super::*;
use crate::probes::Outcome;
use crate::probes::net::test_peers::{self, Peer};
use crate::probes::tests::{Cases, TIMEOUT, look, problems};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write as _;
use std::time::Duration;

/// The six cases that every kind has.
pub(in crate::probes) static CASES: Cases = Cases {
    ok: Some(|| Box::pin(async { at(&test_peers::answers(|_| Some(PAGE)).await, "{}").await })),
    refused: || {
        Box::pin(async { look(&format!("metrics://127.0.0.1:{}", test_peers::closed_port().await), "{}").await })
    },
    timeout: || Box::pin(async { at(&test_peers::silent().await, "{}").await }),
    wrong_answer: || Box::pin(async { at(&test_peers::says(b"SSH-2.0-OpenSSH_9.2\r\n").await, "{}").await }),
    oversize: || {
        Box::pin(async { at(&test_peers::floods(b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 8192]).await, "{}").await })
    },
    slow_drip: || {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n";
        Box::pin(async move { at(&test_peers::drips(head, Duration::from_millis(50)).await, "{}").await })
    },
};

const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
    # HELP http_requests_total Requests.\n# TYPE http_requests_total counter\n\
    http_requests_total{method=\"GET\",code=\"200\"} 12 1700000000000\nother 1\n";

async fn at(peer: &Peer, keys: &str) -> Outcome {
    look(&format!("metrics://someone:secret@localhost:{}", peer.port()), keys).await
}

fn said(outcome: &Outcome) -> String {
    let fault = outcome.fault.as_ref().unwrap();
    format!("{}: {}", fault.reason, fault.message)
}

/// What is kept of a page when everything is wanted.
pub(crate) fn exposition(page: &str) -> Exposition {
    let all = Globs::all();
    let mut reader = Reader::new(&all, false);
    page.lines().for_each(|line| reader.take(line).unwrap());
    reader.end().unwrap()
}

/// What is kept of a page, a line a family and a line a sample; or why it is none.
fn kept_of(page: &str, globs: &str, open_metrics: bool) -> String {
    let globs: Globs = serde_json::from_value(globs.into()).unwrap();
    let mut reader = Reader::new(&globs, open_metrics);
    let read = page.lines().try_for_each(|line| reader.take(line)).and_then(|()| reader.end());
    let exposition = match read {
        Ok(exposition) => exposition,
        Err(why) => return why,
    };
    let mut text = String::new();
    for family in &exposition.families {
        text += &format!("{:?} {} {}\n", family.kind, family.name, family.help);
        for (suffix, rest) in family.samples() {
            text += &format!("  {}{}\n", suffix.as_str(), rest);
        }
    }
    for (count, what) in [(exposition.duplicates, "twice"), (exposition.too_long, "too long")] {
        if count > 0 {
            text += &format!("{count} {what}\n");
        }
    }
    text
}

#[test]
fn families_come_whole_with_help_type_and_sorted_labels_and_without_times() {
    let page = "# HELP lat_seconds Time  it \\\\ took.\n# TYPE lat_seconds histogram\n\
        lat_seconds_bucket{path=\"/a\",le=\"0.5\"} 1 1700000000000\nlat_seconds_bucket{path=\"/a\",le=\"+Inf\"} 2\n\
        lat_seconds_sum{path=\"/a\"} 0.75\nlat_seconds_count{path=\"/a\"} 2\n\
        # TYPE gc summary\ngc{quantile=\"0.5\"} NaN\ngc_sum 1\ngc_count 2\n\
        # TYPE temp gauge\ntemp{b=\"x\",a=\"y\\\"z\",check=\"mine\",empty=\"\"} -Infinity\nplain 1e3\n";
    insta::assert_snapshot!(kept_of(page, "*", false), @r#"
    Summary gc 
      ,quantile="0.5"} NaN
      _sum} 1
      _count} 2
    Histogram lat_seconds Time  it \ took.
      _bucket,le="0.5",path="/a"} 1
      _bucket,le="+Inf",path="/a"} 2
      _sum,path="/a"} 0.75
      _count,path="/a"} 2
    Untyped plain 
      } 1e3
    Gauge temp 
      ,a="y\"z",b="x",exported_check="mine"} -Inf
    "#);
}

#[test]
fn open_metrics_names_its_families_without_the_suffix_of_their_samples() {
    let page = "# TYPE hits counter\n# HELP hits Says \\\"hi\\\"\nhits_total{a=\"b\"} 3 1.5 # {trace_id=\"x\"} 1\nhits_created 9\n\
        # TYPE build info\nbuild_info{v=\"1\"} 1\n# TYPE s stateset\ns{s=\"on\"} 1\n# EOF\n";
    insta::assert_snapshot!(kept_of(page, "*", true), @r#"
    Info build_info 
      ,v="1"} 1
    Untyped hits_created 
      } 9
    Counter hits_total Says "hi"
      ,a="b"} 3
    Gauge s 
      ,s="on"} 1
    "#);
    assert_eq!(kept_of("a 1\n", "*", true), "the page breaks off: OpenMetrics ends with `# EOF`");
}

#[test]
fn only_what_is_wanted_is_kept_and_a_histogram_is_wanted_by_its_own_name() {
    let page = "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\na_b 2\nb 3\n";
    assert_eq!(kept_of(page, "a", false), "Histogram a \n  _bucket,le=\"1\"} 1\n  _sum} 1\n  _count} 1\n");
    assert_eq!(kept_of(page, "a_*", false), "Untyped a_b \n  } 2\n");
    assert_eq!(kept_of(page, "*, !a", false), "Untyped a_b \n  } 2\nUntyped b \n  } 3\n");
}

#[test]
fn a_type_that_the_samples_do_not_bear_out_is_not_believed() {
    for (page, expected) in [
        ("# TYPE a histogram\na 1\na_bucket{le=\"1\"} 1\n", "Untyped a \n  } 1\nUntyped a_bucket \n  ,le=\"1\"} 1\n"),
        ("# TYPE a histogram\na_bucket 1\na_sum 1\n", "Untyped a_bucket \n  } 1\nUntyped a_sum \n  } 1\n"),
        ("# TYPE a histogram\na_bucket{le=\"x\"} 1\n", "Untyped a_bucket \n  ,le=\"x\"} 1\n"),
        ("# TYPE a summary\na{x=\"1\"} 1\na_sum 1\n", "Untyped a \n  ,x=\"1\"} 1\nUntyped a_sum \n  } 1\n"),
        ("# TYPE a rubbish\na 1\n", "Untyped a \n  } 1\n"),
        ("# TYPE a gauge\n# TYPE a counter\na 1\n", "Gauge a \n  } 1\n"),
        ("a 1\n# TYPE a gauge\n", "Gauge a \n  } 1\n"),
        ("a{x=\"1\"} 1\nb 1\na{x=\"2\"} 2\n", "Untyped a \n  ,x=\"1\"} 1\n  ,x=\"2\"} 2\nUntyped b \n  } 1\n"),
    ] {
        assert_eq!(kept_of(page, "*", false), expected, "{page}");
    }
}

#[test]
fn a_series_that_is_there_twice_or_too_long_is_left_out_and_counted() {
    let long = "x".repeat(limits::EXPOSITION_LABEL_BYTES);
    let page = format!("a{{x=\"1\",y=\"2\"}} 1\na{{y=\"2\",x=\"1\",z=\"\"}} 2\nb{{x=\"{long}\"}} 1\nb 1\n");
    assert_eq!(
        kept_of(&page, "*", false),
        "Untyped a \n  ,x=\"1\",y=\"2\"} 1\nUntyped b \n  } 1\n1 twice\n1 too long\n"
    );
}

#[test]
fn a_page_that_is_none_is_told_by_its_line() {
    for (page, expected) in [
        ("a 1\n<html>\n", "line 2 is none of an exposition: it does not begin with the name of a metric"),
        ("a{x=\"1\",x=\"2\"} 1\n", "line 1 is none of an exposition: it has the label `x` twice"),
        ("", "the page has no sample at all"),
        ("# only words\n", "the page has no sample at all"),
    ] {
        assert_eq!(kept_of(page, "*", false), expected, "{page}");
    }
    let many: String = (0..=limits::REEXPORTED_SERIES).map(|at| format!("a{{x=\"{at}\"}} 1\n")).collect();
    assert_eq!(kept_of(&many, "a", false), "`reexport` takes more than 5000 series of the page");
    assert_eq!(kept_of(&many, "b", false), "", "what is not wanted is only counted");
    let crowd = "a 1\n".repeat(limits::EXPOSITION_SERIES + 1);
    assert_eq!(kept_of(&crowd, "b", false), "the page has more than 100000 series");
}

#[test]
fn what_is_kept_is_compact() {
    let page: String =
        (0..5000).map(|at| format!("http_requests_total{{path=\"/some/{at}\",code=\"200\"}} {at}\n")).collect();
    let globs = Globs::all();
    let mut reader = Reader::new(&globs, false);
    page.lines().for_each(|line| reader.take(line).unwrap());
    let exposition = reader.end().unwrap();
    let family = &exposition.families[0];
    let bytes = family.text.len() + size_of_val(&*family.samples);
    assert!(bytes < page.len(), "{bytes} bytes for a page of {}", page.len());
}

#[tokio::test]
async fn reads_the_page_measures_it_and_keeps_what_is_asked_for() {
    let asked = test_peers::answers(|asked| {
        let text = String::from_utf8_lossy(asked).to_ascii_lowercase();
        let polite =
            ["get /metrics http", "accept-encoding: gzip", "accept: text/plain;version=0.0.4", "authorization: basic"];
        polite.iter().all(|words| text.contains(words)).then_some(PAGE)
    });
    let outcome = at(&asked.await, r#"{"reexport": ["http_*", "nothing_*"]}"#).await;
    assert_eq!(outcome.fault, None);
    assert_eq!((outcome.value(&SERIES), outcome.value(&BYTES)), (Some(2.0), Some(142.0)));
    let exposition = outcome.exposition.as_ref().unwrap();
    assert_eq!(exposition.families.len(), 1);
    assert_eq!(outcome.note("reexport"), Some("1 series of 1 families"));
    assert_eq!(outcome.note("reexport without a match"), Some("nothing_*"));
    let only_read = at(&test_peers::answers(|_| Some(PAGE)).await, "{}").await;
    assert!(only_read.ok() && only_read.exposition.is_none(), "nothing is exported again unasked");
}

fn gzip_answer(body: &[u8]) -> &'static [u8] {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    let packed = encoder.finish().unwrap();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len());
    Box::leak([head.as_bytes(), &packed].concat().into_boxed_slice())
}

#[tokio::test]
async fn hostile_pages_end_with_their_reason_and_leave_nothing_behind() {
    let bomb = gzip_answer(&vec![b'\n'; 64 << 20]);
    let latin = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfine 1\na{x=\"\xff\"} 1\n";
    let html = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>hello</html>";
    let moved = b"HTTP/1.1 307 Moved\r\nLocation: /metrics/?token=x\r\nContent-Length: 0\r\n\r\n";
    for (answer, expected) in [
        (bomb, "body: the body, unpacked, is larger than 4.0 MiB"),
        (latin, "body: line 2 is none of an exposition: it is no UTF-8"),
        (html, "body: line 1 is none of an exposition: it does not begin with the name of a metric"),
        (moved, "status: answered status 307, expected 200 and metrics"),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "auth: answered status 401, expected 200 and metrics"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\na 1\n",
            "body: the connection broke off after 4 of 99 bytes of the body",
        ),
    ] {
        let outcome = at(&test_peers::answers(move |_| Some(answer)).await, r#"{"reexport": "*"}"#).await;
        assert_eq!(said(&outcome), expected);
        assert!(outcome.exposition.is_none() && outcome.value(&SERIES).is_none(), "{expected}");
        assert!(outcome.took < TIMEOUT * 2, "{expected}: {:?}", outcome.took);
    }
}

#[tokio::test]
async fn ten_million_series_and_an_endless_line_are_cut_off() {
    for filler in [&b"some_metric 1\n"[..], b"x"] {
        let filler: &'static [u8] = Box::leak(filler.repeat(8192 / filler.len()).into_boxed_slice());
        let peer = test_peers::floods(b"HTTP/1.1 200 OK\r\n\r\n", filler).await;
        let outcome = at(&peer, r#"{"reexport": "*"}"#).await;
        assert_eq!(said(&outcome), "body: the body is larger than 4.0 MiB");
    }
}

#[tokio::test]
async fn a_long_page_lets_others_run_while_it_is_read() {
    let page = "a 1\n".repeat(limits::EXPOSITION_LINES_AT_ONCE * 3);
    let nothing = Globs::default();
    let mut reading = std::pin::pin!(read_page(page.as_bytes(), Reader::new(&nothing, false)));
    let mut turns = 0;
    let (series, _) = std::future::poll_fn(|cx| {
        turns += 1;
        reading.as_mut().poll(cx)
    })
    .await
    .unwrap();
    assert_eq!((series, turns), (limits::EXPOSITION_LINES_AT_ONCE * 3, 4));
}

#[test]
fn keys_say_what_is_wrong_with_them() {
    let url = "metrics://x/metrics";
    insta::assert_snapshot!(problems(url, r#"{"reexport": ["http_{a}"]}"#), @"reexport: expected the name of a metric, with `*` for any letters, not `http_{a}`");
    insta::assert_snapshot!(problems(url, r#"{"reexport": 5, "body_size_limit": "1GiB"}"#), @r"
    body_size_limit: at most 16 MiB, a longer answer is no health page: `1GiB`
    reexport: expected names such as `http_*`, in a list or with commas between, found the number 5
    ");
}

/// The grammar that everything kept must satisfy, checked without the reader's own code.
fn is_sound(rest: &str) -> bool {
    let Some((labels, value)) = rest.rsplit_once("} ") else { return false };
    let number = value.parse::<f64>().is_ok() && !value.contains(char::is_whitespace);
    !rest.contains(['\n']) && number && (labels.is_empty() || labels.starts_with(',') && labels.ends_with('"'))
}

proptest! {
    #[test]
    fn whatever_a_page_holds_what_is_kept_can_be_written(
        lines in proptest::collection::vec("(# (TYPE|HELP) )?[a-c](_bucket|_sum|_total)?(\\{[xyl]e?=\"[^\"\n]{0,4}\"\\})? ?(histogram|counter|1|NaN|0x1|-inf|.{0,3})( 17)?|.{0,12}", 0..12),
        open_metrics in any::<bool>(),
    ) {
        let globs = Globs::all();
        // One bad line would cost the page, so that what is good of them is read.
        let mut reader = Reader::new(&globs, open_metrics);
        for line in &lines {
            let _bad = reader.take(line);
        }
        if open_metrics {
            reader.take("# EOF").unwrap();
        }
        let Ok(exposition) = reader.end() else { return Ok(()) };
        let mut seen = std::collections::HashSet::new();
        for family in &exposition.families {
            prop_assert!(!family.is_empty());
            for (suffix, rest) in family.samples() {
                prop_assert!(is_sound(rest), "{rest}");
                let name = format!("{}{}", family.name, suffix.as_str());
                prop_assert!(seen.insert((name, rest.rsplit_once("} ").unwrap().0.to_owned())), "twice: {rest}");
            }
        }
    }

    #[test]
    fn any_bytes_are_taken_calmly(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
    }
}
