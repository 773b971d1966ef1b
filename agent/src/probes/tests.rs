//! Walks the table of kinds: every row has an example that loads, a twin with an unknown key that does not, keys that are those
//! of its type, facts named as the convention has it, and the six cases.

use super::net::test_peers::{self, Peer};
use super::net::{FACTS, Net, SECURE_FACTS};
use super::{Depth, KINDS, Outcome, Reason, Target, kind_of, run};
use crate::config::{Environment, Flags, Tables, load};
use crate::node::{Key, Node, Place, Problems, Value};
use crate::paint::Paint;
use std::collections::HashSet;
use std::io::Write as _;
use std::pin::Pin;
use std::time::Duration;

/// A look at a peer of one of the six sorts.
pub(crate) type Case = fn() -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The six cases of a kind. A kind that lacks one does not compile; a kind that lacks all is found by the walk.
pub(crate) struct Cases {
    /// A healthy peer; `None` when that takes the real server, and `agent/tests` has the case.
    pub(crate) ok: Option<Case>,
    /// Nothing listens.
    pub(crate) refused: Case,
    /// A peer that accepts and never says a word.
    pub(crate) timeout: Case,
    /// A peer that says something else.
    pub(crate) wrong_answer: Case,
    /// A peer that never stops talking.
    pub(crate) oversize: Case,
    /// A peer that sends a byte now and then.
    pub(crate) slow_drip: Case,
}

/// Five rude peers for a kind whose polite one is a real server; `begins` is how a message of its protocol may begin.
macro_rules! rude {
    ($scheme:literal, $begins:literal) => {
        Cases {
            ok: None,
            refused: || {
                Box::pin(async {
                    look(&format!("{}://127.0.0.1:{}", $scheme, test_peers::closed_port().await), "{}").await
                })
            },
            timeout: || Box::pin(async { meet_peer($scheme, test_peers::silent().await).await }),
            wrong_answer: || {
                Box::pin(async { meet_peer($scheme, test_peers::says(b"SSH-2.0-OpenSSH_9.2\r\n").await).await })
            },
            oversize: || Box::pin(async { meet_peer($scheme, test_peers::floods(b"", &[b'x'; 8192]).await).await }),
            slow_drip: || {
                let tick = Duration::from_millis(50);
                Box::pin(async move { meet_peer($scheme, test_peers::drips($begins, tick).await).await })
            },
        }
    };
}

async fn meet_peer(scheme: &str, peer: Peer) -> Outcome {
    look(&format!("{scheme}://someone:secret@127.0.0.1:{}/app?sslmode=disable", peer.port()), "{}").await
}

/// The cases of each kind: a new kind adds its row here.
static CASES: &[(&str, &Cases)] = &[
    ("http", &super::http::CASES),
    ("tcp", &super::tcp::CASES),
    ("tls", &super::tls::tests::CASES),
    ("redis", &rude!("redis", b"+")),
    ("postgres", &rude!("postgres", b"R\0\0\x10\0")),
    ("mysql", &rude!("mysql", b"\xff\xff\0\0\x0a8.0")),
    ("nginx", &super::nginx::tests::CASES),
    ("metrics", &super::metrics::tests::CASES),
    ("websocket", &super::websocket::tests::CASES),
    ("grpc", &super::grpc::tests::CASES),
    ("prometheus", &super::service::tests::PROMETHEUS),
    ("alertmanager", &super::service::tests::ALERTMANAGER),
    ("grafana", &super::service::tests::GRAFANA),
    ("logstash", &super::service::tests::LOGSTASH),
    ("chroma", &super::service::tests::CHROMA),
    ("openai", &super::service::tests::OPENAI),
    ("mcp", &super::service::tests::MCP),
    ("dns", &super::dns::tests::CASES),
    ("unix", &super::unix::tests::CASES),
    ("smtp", &super::smtp::tests::CASES),
];

/// A kind that looks at something else than a peer on the network: what each of the six cases comes to there.
struct Peerless {
    ok: Case,
    /// Nothing is there.
    absent: Case,
    /// Something else is there.
    wrong_answer: Case,
    /// It has no end that one run could reach.
    oversize: Case,
    /// It is not there to its end yet.
    slow_drip: Case,
    /// What each of these five comes to.
    expected: [Option<Reason>; 5],
}

/// Their cases; a mount that hangs, their timeout, is a test of `file::worker`.
static PEERLESS: &[(&str, &Peerless)] = &[
    (
        "file",
        &Peerless {
            ok: || Box::pin(super::file::tests::whole()),
            absent: || Box::pin(super::file::tests::nothing()),
            wrong_answer: || Box::pin(super::file::tests::garbage()),
            // No failure, for the next run goes on.
            oversize: || Box::pin(super::file::tests::endless()),
            slow_drip: || Box::pin(super::file::tests::dripping()),
            expected: [None, Some(Reason::Stale), Some(Reason::Body), None, Some(Reason::Stale)],
        },
    ),
    (
        "cert",
        &Peerless {
            ok: || Box::pin(super::cert::tests::sound()),
            absent: || Box::pin(super::cert::tests::nothing()),
            wrong_answer: || Box::pin(super::cert::tests::garbage()),
            oversize: || Box::pin(super::cert::tests::endless()),
            slow_drip: || Box::pin(super::cert::tests::half()),
            expected: [None, Some(Reason::Config), Some(Reason::Config), Some(Reason::Config), Some(Reason::Config)],
        },
    ),
];

/// Kinds whose peer is the kernel: their six cases need a network of their own, and stand in `tests/it/<kind>.rs`.
static FROM_OUTSIDE: &[&str] = &["icmp"];

/// Long enough for a busy machine to answer, short enough to wait for.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(700);

/// Looks once at a URL with the keys of a check, given as JSON.
pub(crate) async fn look(url: &str, keys: &str) -> Outcome {
    let target = Target::parse(url).unwrap();
    let mut problems = Problems::default();
    let probe = super::build(kind_of(&target.scheme).unwrap(), &target, &node(keys), &mut problems);
    assert_eq!(problems, Problems::default());
    run(probe.unwrap().as_mut(), &Net::default(), TIMEOUT, Depth::Peer).await
}

/// What is wrong with the keys of a check, one a line.
pub(crate) fn problems(url: &str, keys: &str) -> String {
    let target = Target::parse(url).unwrap();
    let mut problems = Problems::default();
    let built = super::build(kind_of(&target.scheme).unwrap(), &target, &node(keys), &mut problems);
    assert_eq!(built.is_none(), !problems.0.is_empty(), "a probe or problems");
    problems.0.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect::<Vec<_>>().join("\n")
}

/// The keys of a check, given as JSON.
pub(crate) fn node(json: &str) -> Node {
    fn of(value: serde_json::Value) -> Node {
        let value = match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(number) => number.as_i64().map_or(Value::Float(0.5), Value::Integer),
            serde_json::Value::String(text) => Value::Text(text),
            serde_json::Value::Array(items) => Value::List(items.into_iter().map(of).collect()),
            serde_json::Value::Object(entries) => {
                let key = |name| Key { name, at: Place::default() };
                Value::Map(entries.into_iter().map(|(name, value)| (key(name), of(value))).collect())
            }
        };
        Node { value, at: Place::default() }
    }
    of(serde_json::from_str(json).unwrap())
}

/// Loads a config file with these checks; the messages when it is refused.
fn load_checks(checks: &str) -> Result<usize, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let indented: String = checks.lines().map(|line| format!("  {line}\n")).collect();
    file.write_all(format!("checks:\n{indented}").as_bytes()).unwrap();
    let flags = Flags { config: Some(file.path().display().to_string()), ..Flags::default() };
    let loaded = load(&flags, &Environment::default(), Tables::of_program());
    loaded.map(|loaded| loaded.plan.checks.len()).map_err(|error| error.render(Paint::OFF))
}

#[test]
fn every_example_loads_and_its_twin_with_an_unknown_key_does_not() {
    for kind in KINDS {
        assert_eq!(load_checks(kind.example), Ok(1), "{}", kind.name);
        let slip = kind.keys.first().map_or("no_such_ke", |key| &key.name[..key.name.len() - 1]);
        let twin = format!("{}  {slip}: 1\n", kind.example);
        let refused = load_checks(&twin).unwrap_err();
        assert!(refused.contains(&format!("unknown key `{slip}`")), "{refused}");
        assert!(refused.contains("did you mean"), "{refused}");
    }
}

#[test]
fn the_keys_of_a_row_are_the_fields_of_its_type() {
    for kind in KINDS {
        let listed: Vec<_> = kind.keys.iter().map(|key| key.name).collect();
        assert_eq!(listed, (kind.fields)(), "{}", kind.name);
        for key in kind.keys {
            assert!(key.doc.ends_with('.') && !key.form.is_empty(), "{}.{}", kind.name, key.name);
        }
    }
}

#[test]
fn facts_are_named_by_convention_and_listed_once() {
    for kind in KINDS {
        let names: HashSet<_> = kind.facts.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), kind.facts.len(), "{}", kind.name);
        for metric in kind.facts {
            let ours = ["probe_", "sidecar_"].iter().any(|prefix| metric.name.starts_with(prefix));
            let theirs = ["redis_", "pg_", "mysql_", "nginx_"].iter().any(|prefix| metric.name.starts_with(prefix));
            assert!(ours || theirs, "{}", metric.name);
            assert!(!metric.help.ends_with('.') && !metric.help.is_empty(), "{}", metric.name);
        }
    }
}

#[test]
fn a_peers_text_is_cleaned_and_capped_before_it_is_kept() {
    let most = crate::limits::PEER_TEXT_CHARS;
    assert_eq!(super::clean(&format!(" a\r\nb\u{1b}[31m{}", "ü".repeat(2 * most))).chars().count(), most);
    assert_eq!(super::clean(" 220 mail\r\n\tready "), "220 mail   ready");
}

#[test]
fn every_kind_and_scheme_is_there_once() {
    let names: HashSet<_> = KINDS.iter().map(|kind| kind.name).collect();
    let schemes: HashSet<_> = KINDS.iter().flat_map(|kind| kind.schemes).collect();
    assert_eq!((names.len(), schemes.len()), (KINDS.len(), super::schemes().len()));
}

#[test]
fn every_kind_has_its_six_cases() {
    let with_cases = CASES.iter().map(|(name, _)| *name).chain(PEERLESS.iter().map(|(name, _)| *name));
    let with_cases: HashSet<_> = with_cases.chain(FROM_OUTSIDE.iter().copied()).collect();
    let kinds: HashSet<_> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(with_cases, kinds, "a kind needs its row in CASES, or in PEERLESS when it has no peer on the network");
    assert_eq!(CASES.len() + PEERLESS.len() + FROM_OUTSIDE.len(), KINDS.len());
}

/// Runs one case of every kind; only metrics of the row, and of connections in general, may come.
async fn each(pick: fn(&Cases) -> Option<Case>, check: fn(&str, &Outcome)) {
    for (name, cases) in CASES {
        let Some(case) = pick(cases) else { continue };
        let outcome = case().await;
        let kind = KINDS.iter().find(|kind| kind.name == *name).unwrap();
        for metric in outcome.readings.iter().map(|reading| reading.metric) {
            let common = FACTS.contains(&metric) || SECURE_FACTS.contains(&metric);
            assert!(
                common || kind.facts.iter().any(|fact| fact.covers(metric)),
                "{name} does not list {}",
                metric.name
            );
        }
        let internal = outcome.fault.as_ref().is_some_and(|fault| fault.reason == Reason::Internal);
        assert!(!internal, "{name}: {outcome:?}");
        assert!(outcome.took < TIMEOUT * 3, "{name} outlived its deadline: {outcome:?}");
        check(name, &outcome);
    }
}

fn reason(outcome: &Outcome) -> Option<Reason> {
    outcome.fault.as_ref().map(|fault| fault.reason)
}

#[tokio::test]
async fn a_healthy_peer_is_ok() {
    each(|cases| cases.ok, |name, outcome| assert!(outcome.ok(), "{name}: {outcome:?}")).await;
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    each(|cases| Some(cases.refused), |name, outcome| assert_eq!(reason(outcome), Some(Reason::Refused), "{name}"))
        .await;
}

#[tokio::test]
async fn a_silent_peer_is_a_timeout() {
    each(
        |cases| Some(cases.timeout),
        |name, outcome| assert_eq!(reason(outcome), Some(Reason::Timeout), "{name}: {outcome:?}"),
    )
    .await;
}

#[tokio::test]
async fn a_wrong_answer_is_a_fault_that_is_no_timeout() {
    each(
        |cases| Some(cases.wrong_answer),
        |name, outcome| {
            assert!(reason(outcome).is_some_and(|reason| reason != Reason::Timeout), "{name}: {outcome:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_before_the_deadline() {
    each(
        |cases| Some(cases.oversize),
        |name, outcome| {
            assert!(reason(outcome).is_some_and(|reason| reason != Reason::Timeout), "{name}: {outcome:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn a_slow_drip_is_a_timeout() {
    each(
        |cases| Some(cases.slow_drip),
        |name, outcome| assert_eq!(reason(outcome), Some(Reason::Timeout), "{name}: {outcome:?}"),
    )
    .await;
}

#[tokio::test]
async fn kinds_without_a_peer_have_the_six_cases_in_their_own_way() {
    for (name, cases) in PEERLESS {
        let kind = KINDS.iter().find(|kind| kind.name == *name).unwrap();
        let all = [cases.ok, cases.absent, cases.wrong_answer, cases.oversize, cases.slow_drip];
        for (at, (case, expected)) in all.into_iter().zip(cases.expected).enumerate() {
            let outcome = case().await;
            assert_eq!(reason(&outcome), expected, "{name}, case {at}: {outcome:?}");
            assert!(outcome.took < TIMEOUT, "{name}, case {at} took all of its time: {outcome:?}");
            assert!(outcome.readings.iter().all(|reading| kind.facts.contains(&reading.metric)), "{name}: {outcome:?}");
        }
    }
}
