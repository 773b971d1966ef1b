//! A service's own page of metrics through the agent: a real page comes out as it went in, for promtool and for a real Prometheus in
//! either format; what lies, is twice, or is the agent's own name spoils nothing; and what cannot be read is gone at once.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tests::agent::Agent;
use tests::compare::{Gaps, Page, compare};
use tests::http::{get, get_with};
use tests::servers::prometheus::{Prometheus, check_metrics};
use tests::{skipped, wait_for};

const TEXT: &str = "text/plain; version=0.0.4";
const OPEN: &str = "application/openmetrics-text; version=1.0.0";

/// A page's type and text.
type Served = (&'static str, Vec<u8>);

/// Pages by path, each with its type, on a port of their own; they can be changed.
#[derive(Clone)]
struct Pages {
    address: SocketAddr,
    pages: Arc<Mutex<HashMap<String, Served>>>,
}

impl Pages {
    fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let served = Self { address, pages: Arc::default() };
        let pages = Arc::clone(&served.pages);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut asked = [0; 4096];
                let length = stream.read(&mut asked).unwrap_or(0);
                let text = String::from_utf8_lossy(&asked[..length]).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                let found = pages.lock().expect("the pages").get(&path).cloned();
                let (status, (kind, body)) = found.map_or(("404 No", (TEXT, Vec::new())), |page| ("200 OK", page));
                let head =
                    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
                let _gone = stream.write_all(&[head.as_bytes(), &body].concat());
            }
        });
        served
    }

    fn put(&self, path: &str, kind: &'static str, body: &[u8]) {
        self.pages.lock().expect("the pages").insert(path.to_owned(), (kind, body.to_vec()));
    }

    fn check(&self, name: &str, path: &str, reexport: &str) -> String {
        let address = self.address;
        format!(
            "  - {{name: {name}, url: \"metrics://{address}{path}\", interval: 1s, timeout: 1s, reexport: {reexport}}}\n"
        )
    }
}

fn agent(checks: &[String]) -> (tempfile::TempDir, Agent) {
    let folder = tempfile::tempdir().expect("a folder");
    let agent = Agent::with_config(folder.path(), &format!("checks:\n{}", checks.concat()));
    (folder, agent)
}

#[test]
fn a_real_page_comes_out_as_it_went_in() {
    let test = "a_real_page_comes_out_as_it_went_in";
    let peer = match Prometheus::start("127.0.0.1:1") {
        Ok(peer) => peer,
        Err(why) => return skipped(test, &why),
    };
    let url = peer.url.replacen("http://", "metrics://", 1);
    let check = format!("  - {{name: app, url: \"{url}\", interval: 1s, reexport: ['*', '!promhttp_*']}}\n");
    let (_folder, agent) = agent(&[check]);
    // Which it counts once it has been read a first time.
    let page = "prometheus_http_requests_total{check=\"app\",code=\"200\",handler=\"/metrics\"}";
    wait_for("the page that tells of itself", Duration::from_secs(20), || agent.sample(page));
    let wanted = |name: &str| !name.starts_with("promhttp_");
    let theirs = Page::read(&get(&format!("{}/metrics", peer.url)).expect("a page").body).only(wanted);
    let ours = get_with(&format!("{}/metrics", agent.url), &[("Accept", TEXT)]).expect("a page").body;
    // What counts bytes, blocks and time moves between two looks.
    let moves = "go_* value moves\nprocess_* value moves\nprometheus_* value moves\n";
    let comparison = compare("reexport", &theirs, &Page::read(&ours), &Gaps::read(moves).expect("gaps"));
    tests::tell(&format!("{comparison}"));
    let found: Vec<_> = comparison.unexplained.iter().filter(|line| !line.contains("excuses nothing")).collect();
    assert!(found.is_empty(), "{found:?}");
    assert!(!ours.contains("\npromhttp_"), "what is taken away");
    let of = |labels: &str| agent.sample(&format!("process_start_time_seconds{labels}")).expect("a start");
    assert!(of("") > of("{check=\"app\"}"), "the agent started after the service that it reads");
    let figure = |series: &str| agent.sample(&format!("sidecar_exposition_{series}")).expect(series);
    assert_eq!(figure("left_out_series{check=\"app\",reason=\"own_name\"}"), 0.0);
    assert!(figure("reexported_series{check=\"app\"}") > 100.0);
    let said = check_metrics(&ours).expect("promtool");
    assert!(!said.contains("error while linting"), "{said}");

    let scraper = Prometheus::start(agent.url.trim_start_matches("http://")).expect("a second Prometheus");
    scraper.wait("up{job=\"sidecar\"} == 1");
    for query in [
        "prometheus_build_info{check=\"app\"}",
        "count(prometheus_http_request_duration_seconds_bucket{check=\"app\",le=\"+Inf\"})",
        "go_gc_duration_seconds{check=\"app\",quantile=\"0.5\"}",
        "process_resident_memory_bytes{check=\"app\"} and ignoring(check) process_resident_memory_bytes{check=\"\"}",
    ] {
        scraper.wait(query);
    }
}

/// Pages that lie or are broken in some way that a reader of foreign pages must expect.
const ODD: [(&str, &[u8]); 9] = [
    (TEXT, b"# TYPE a histogram\na 1\na_bucket{le=\"1\"} 1\na_sum NaN\na_count 2\n"),
    (TEXT, b"# TYPE a summary\na{x=\"1\"} 1\na_bucket 7\n"),
    (TEXT, b"a{x=\"1\"} 1\na{x=\"1\"} 2\nb 1\na{x=\"2\"} 3\n# TYPE a counter\n# HELP a one\n# HELP a two\n"),
    (TEXT, b"# HELP c back\\\\slash \\n and \"quotes\"\n# TYPE c gauge\nc{v=\"q\\\"b\\\\n\\n\",check=\"x\",empty=\"\"} -Inf 1700000000000\n"),
    (TEXT, b"up 1\nscrape_duration_seconds 1\nsidecar_check_up 1\nprobe_success 1\nd_total 1\nd 2\n"),
    (OPEN, b"# TYPE e counter\n# HELP e says \\\"e\\\"\ne_total 1 # {t=\"x\"} 1\ne_created 2\n# TYPE f info\nf_info{v=\"1\"} 1\n# EOF\n"),
    (OPEN, b"# TYPE g gaugehistogram\ng_bucket{le=\"+Inf\"} 1\ng_gcount 1\ng_gsum 1\n# TYPE h stateset\nh{h=\"on\"} 1\n# EOF\n"),
    (TEXT, "i{x=\"\u{e9}\u{1f600}\u{202e}\"} 1e-300\nj +Inf\nk nan\nl 0.1e+5\n".as_bytes()),
    (TEXT, b"# TYPE a gauge\na 5\n"),
];

#[test]
fn odd_pages_spoil_nothing_for_promtool_and_a_real_prometheus_in_both_formats() {
    let pages = Pages::serve();
    let mut checks = Vec::new();
    for (at, (kind, body)) in ODD.iter().enumerate() {
        pages.put(&format!("/{at}"), kind, body);
        checks.push(pages.check(&format!("odd-{at}"), &format!("/{at}"), "'*'"));
    }
    let (_folder, agent) = agent(&checks);
    for at in 0..ODD.len() {
        agent.wait_sample(&format!("sidecar_check_up{{check=\"odd-{at}\"}}"), 1.0);
    }
    let text = get_with(&format!("{}/metrics", agent.url), &[("Accept", TEXT)]).expect("a page").body;
    match check_metrics(&text) {
        Ok(said) => assert!(!said.contains("error while linting") && !said.contains("sidecar_"), "{said}"),
        Err(why) => skipped("odd_pages_spoil_nothing (promtool)", &why),
    }
    let prometheus = match Prometheus::start(agent.url.trim_start_matches("http://")) {
        Ok(prometheus) => prometheus,
        Err(why) => return skipped("odd_pages_spoil_nothing_for_promtool_and_a_real_prometheus_in_both_formats", &why),
    };
    // It asks for OpenMetrics by itself; a sample that it dropped or a page that it refused would be missing here.
    prometheus.wait("up{job=\"sidecar\"} == 1");
    // The agent's own page still grows while it measures for the first time.
    wait_for("a scrape with every sample of the page", Duration::from_secs(20), || {
        let page = agent.page("/metrics").body;
        let lines = page.lines().filter(|line| !line.starts_with('#')).count();
        let scraped = prometheus.query("scrape_samples_scraped{job=\"sidecar\"}")?;
        ((scraped - f64::from(u32::try_from(lines).ok()?)).abs() < 0.5).then_some(())
    });
    for (query, value) in [
        ("a{check=\"odd-0\"}", 1.0),
        ("sidecar_exposition_left_out_series{check=\"odd-8\",reason=\"other_type\"}", 1.0),
        ("sidecar_exposition_left_out_series{check=\"odd-2\",reason=\"duplicate\"}", 1.0),
        ("c{check=\"odd-3\",exported_check=\"x\",v=\"q\\\"b\\\\n\\n\"}", f64::NEG_INFINITY),
        ("e_total{check=\"odd-5\"}", 1.0),
        ("count({check=~\"odd-.*\",__name__=~\"up|scrape_duration_seconds\"}) or vector(0)", 0.0),
    ] {
        let found = prometheus.wait(query);
        assert!(found == value, "{query}: {found}");
    }
}

#[test]
fn a_page_that_cannot_be_read_is_gone_at_once_and_says_why() {
    let pages = Pages::serve();
    pages.put("/metrics", TEXT, b"# TYPE jobs gauge\njobs 5\n");
    let (_folder, agent) = agent(&[pages.check("app", "", "jobs")]);
    agent.wait_sample("jobs{check=\"app\"}", 5.0);
    pages.put("/metrics", TEXT, b"<html>maintenance</html>");
    wait_for("the old figure to be gone", Duration::from_secs(10), || {
        agent.sample("jobs{check=\"app\"}").is_none().then_some(())
    });
    assert!(
        agent.sample("sidecar_check_failures_total{check=\"app\",reason=\"body\"}").is_some_and(|failed| failed >= 1.0)
    );
    let told = agent.page("/diagnostics").body;
    assert!(told.contains("line 1 is none of an exposition"), "{told}");
    pages.put("/metrics", TEXT, b"# TYPE jobs gauge\njobs 6\n");
    agent.wait_sample("jobs{check=\"app\"}", 6.0);
}

#[test]
fn the_checks_are_discovered_by_a_real_prometheus() {
    let pages = Pages::serve();
    pages.put("/metrics", TEXT, b"jobs 5\n");
    let dead = "  - {name: dead, url: \"tcp://127.0.0.1:1\", interval: 1s, role: readiness}\n".to_owned();
    let (_folder, agent) = agent(&[pages.check("app", "", "jobs"), dead]);
    agent.wait_sample("jobs{check=\"app\"}", 5.0);
    let address = agent.url.trim_start_matches("http://");
    // Each check is a target of its own: scraped from the sidecar that told of it, and left with what is its own.
    let text = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n  - job_name: checks\n    http_sd_configs: [{{url: 'http://{address}/sd', refresh_interval: 1s}}]\n    \
         relabel_configs: [{{target_label: __address__, replacement: '{address}'}}]\n    \
         metric_relabel_configs: [{{source_labels: [exported_check], target_label: check, action: keepequal}}]\n"
    );
    let prometheus = match Prometheus::start_with(&text, &[]) {
        Ok(prometheus) => prometheus,
        Err(why) => return skipped("the_checks_are_discovered_by_a_real_prometheus", &why),
    };
    for (query, value) in [
        ("up{job=\"checks\",check=\"app\",kind=\"metrics\",role=\"observe\",peer=\"false\"}", 1.0),
        ("up{job=\"checks\",check=\"dead\",kind=\"tcp\",role=\"readiness\",peer=\"false\"}", 1.0),
        ("probe_success{check=\"dead\"}", 0.0),
        ("jobs{check=\"app\",kind=\"metrics\"}", 5.0),
        ("count(jobs)", 1.0),
    ] {
        let found = prometheus.wait(query);
        assert!((found - value).abs() < 1e-9, "{query}: {found}");
    }
}
