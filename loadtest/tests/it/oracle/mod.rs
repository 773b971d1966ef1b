//! Walks the cases. A case begins with a comment `# expect: EXIT`, Hurl's exit code; lines that fail end with `# fails`.
//! Where we differ from Hurl on purpose, `# hurl: EXIT` says how it ends, the lines that fail only there or only here
//! end with `# fails in hurl` or `# fails here`, and a comment says why. With `HURL` set to a real binary, that too runs
//! every case, and must do what the case says of it. `server.rs` answers what the cases ask for.

mod server;

use loadtest::http::{Client, Network};
use loadtest::journey::{self, Journey};
use loadtest::smoke::{Report, Setting, smoke};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// How a case ends.
#[derive(Debug, PartialEq, Eq)]
struct End {
    exit: u8,
    lines: BTreeSet<u32>,
}

impl End {
    /// What the case says of one of the two programs.
    fn stated(text: &str, exit: &str, ours: bool) -> Self {
        let exit = text.lines().find_map(|line| line.strip_prefix(exit)).and_then(|exit| exit.parse().ok());
        let only = if ours { "# fails here" } else { "# fails in hurl" };
        let fails = |line: &str| line.ends_with("# fails") || line.ends_with(only);
        let lines = text.lines().zip(1..).filter(|(line, _)| fails(line)).map(|(_, number)| number);
        Self { exit: exit.expect("a case states how it ends"), lines: lines.collect() }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.lines.iter().map(u32::to_string).collect();
        let at = if lines.is_empty() { "" } else { " at " };
        write!(f, "{}{at}{}", self.exit, lines.join(" "))
    }
}

fn cases() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/oracle/cases");
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "hurl")).collect();
    let only = std::env::var("CASE").unwrap_or_default();
    cases.retain(|path| path.to_string_lossy().contains(&only));
    cases.sort();
    cases
}

fn variables(port: u16, run: &str) -> Vec<String> {
    vec![
        format!("host=http://127.0.0.1:{port}"),
        format!("other=http://localhost:{port}"),
        format!("authority=127.0.0.1:{port}"),
        format!("run={run}"),
        "text=hello".to_owned(),
        "spaced=a b&c=d/e".to_owned(),
        "quoted=\"7\"".to_owned(),
        "integer=42".to_owned(),
        "big=12345678901234567890123".to_owned(),
        "float=1.5".to_owned(),
        "negative=-1.5".to_owned(),
        "whole=2.0".to_owned(),
        "yes=true".to_owned(),
        "nothing=null".to_owned(),
    ]
}

async fn ours(case: &Path, variables: &[String]) -> (End, String) {
    let journey =
        match journey::load("case", &[journey::Named { path: case.to_path_buf(), place: "oracle".into(), hint: "" }]) {
            Ok(journey) => journey,
            Err(problems) => return (End { exit: 2, lines: lines_of(&problems.to_string()) }, problems.to_string()),
        };
    let variables: HashMap<_, _> = variables.iter().map(|text| journey::parse_variable(text).unwrap()).collect();
    let (report, text) = run(journey, variables).await;
    let failures: Vec<_> =
        report.journeys.iter().flat_map(|journey| &journey.entries).flat_map(|entry| &entry.failures).collect();
    let exit = match failures.iter().any(|failure| failure.kind == "error") {
        _ if failures.is_empty() => 0,
        true => 3,
        false => 4,
    };
    (End { exit, lines: failures.iter().map(|failure| failure.line).collect() }, text)
}

async fn run(journey: Journey, variables: HashMap<String, journey::Value>) -> (Report, String) {
    let mut out = vec![];
    let (network, variables) = (Arc::new(Network::default()), Arc::new(variables));
    let setting = Setting {
        session: &mut || journey::Session::new(Arc::clone(&variables), Arc::default()),
        connect: &mut || Box::new(Client::new(Arc::clone(&network))),
        network: &network,
        clean: &|text: &str| text.to_owned(),
    };
    let report = smoke(&[journey], setting, &mut out).await.unwrap();
    (report, String::from_utf8(out).unwrap())
}

/// The lines named by `file.hurl:LINE:COLUMN`.
fn lines_of(text: &str) -> BTreeSet<u32> {
    let places = text.split(".hurl:").skip(1);
    places.filter_map(|rest| rest.split(':').next()).filter_map(|line| line.parse().ok()).collect()
}

fn real(hurl: &str, case: &Path, variables: &[String]) -> (End, String) {
    let mut command = Command::new(hurl);
    command.args(["--no-output", "--no-color"]);
    for variable in variables {
        command.args(["--variable", variable]);
    }
    let output = command.arg(case).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let places: String = text.lines().filter(|line| line.trim_start().starts_with("-->")).collect();
    let exit = u8::try_from(output.status.code().unwrap()).unwrap();
    (End { exit, lines: lines_of(&places) }, text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_ends_as_in_hurl() {
    let port = server::start().await.port();
    let hurl = std::env::var("HURL").ok();
    let mut differences = vec![];
    let cases = cases();
    assert!(!cases.is_empty(), "no cases found");
    for case in &cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(case).unwrap();
        let expected = End::stated(&text, "# expect: ", true);
        let (end, shown) = ours(case, &variables(port, &format!("ours-{name}"))).await;
        if end != expected {
            differences.push(format!("{name}: expected {expected}, ours {end}\n{shown}"));
        }
        if let Some(hurl) = &hurl {
            let exit = if text.contains("\n# hurl: ") { "# hurl: " } else { "# expect: " };
            let expected = End::stated(&text, exit, false);
            let (end, shown) = real(hurl, case, &variables(port, &format!("real-{name}")));
            if end != expected {
                differences.push(format!("{name}: expected {expected}, real Hurl {end}\n{shown}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
