//! The unix check: connects to a socket in the file system, and if told so holds a dialogue as the TCP check does.
//! What must stay true: what the peer says is kept only up to its cap.

use super::dialogue::{EXPECT, FAILED_BYTES, FAILED_REGEX, QUERY_RESPONSE, Step, StepParams, hold};
use super::net::{Stream, Tls, TlsConfig, facts as net, fault_of, handshake, keys};
use super::{Context, Detail, Fault, Key, Kind, Probe, Reason, Run, Target, fields_of, parameters, place_of};
use crate::node::{Node, Problems};
use crate::reading::Metric;
use std::io::ErrorKind;
use std::path::PathBuf;
use tokio::net::UnixStream;

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "unix",
    schemes: &["unix"],
    summary: "Connects to a unix socket; with `query_response` it also sends and expects, line by line, with TLS where wanted",
    example: "- name: app-socket\n  url: unix:///run/app/app.sock\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[],
    slow: false,
    build,
};

static FACTS: &[&Metric] = &[
    &FAILED_REGEX,
    &FAILED_BYTES,
    &EXPECT,
    &net::EARLIEST_EXPIRY,
    &net::LAST_CHAIN_EXPIRY,
    &net::LAST_CHAIN,
    &net::VERSION,
    &net::CIPHER,
    &super::facts::CERTIFICATE_EXPIRES_IN_SECONDS,
];

static KEYS: &[Key] = &[
    QUERY_RESPONSE,
    Key {
        name: "tls",
        form: "true or false",
        default: "false",
        doc: "Shakes hands over TLS before the dialogue; `tls_config` then needs a `server_name`.",
    },
    keys::TLS_CONFIG,
];

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    query_response: Vec<StepParams>,
    tls: bool,
    tls_config: TlsConfig,
}

struct Unix {
    path: PathBuf,
    steps: Vec<Step>,
    tls_first: bool,
    tls: Tls,
    name: String,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let steps = Step::all(&params.query_response, place_of(own, "query_response"), problems);
    let changes = params.tls || steps.iter().flatten().any(|step| step.starttls);
    let before = problems.0.len();
    // A path is no name for a certificate.
    if changes && params.tls_config.server_name.is_none() && !params.tls_config.insecure_skip_verify {
        problems.add("tls_config", place_of(own, "tls_config"), "TLS over a unix socket needs a `server_name`");
    }
    if !target.host.is_empty() || target.database().is_empty() {
        let hint = "write it as `unix:///run/app/app.sock`, with three slashes";
        problems.add_with_hint("url", place_of(own, "url"), "a `unix` URL is the path of a socket", hint);
    }
    let tls = Tls::new(&params.tls_config, place_of(own, "tls_config"), problems);
    if problems.0.len() > before {
        return None;
    }
    Some(Box::new(Unix {
        path: PathBuf::from(format!("/{}", target.database())),
        steps: steps?,
        tls_first: params.tls,
        tls: tls?,
        name: params.tls_config.server_name.unwrap_or_else(|| "localhost".to_owned()),
    }))
}

impl Probe for Unix {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(self.probe(cx))
    }
}

impl Unix {
    async fn probe(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        cx.measure(FAILED_REGEX.is(0.0));
        cx.measure(FAILED_BYTES.is(0.0));
        cx.phase("connect");
        let connected = UnixStream::connect(&self.path).await;
        cx.end_phase();
        let mut stream: Box<dyn Stream> = Box::new(connected.map_err(|error| self.fault(&error))?);
        if self.tls_first {
            stream = Box::new(handshake(cx, stream, &self.name, &self.tls).await?);
        }
        hold(cx, stream, &self.steps, &self.name, &self.tls).await
    }

    fn fault(&self, error: &std::io::Error) -> Fault {
        let path = self.path.display();
        match error.kind() {
            ErrorKind::NotFound => Fault::new(Reason::Refused, format!("there is no socket: `{path}`"))
                .hint("is the service up, and is the socket's directory mounted into this container?"),
            ErrorKind::PermissionDenied => {
                Fault::new(Reason::Config, format!("this user may not connect to the socket: `{path}`"))
                    .hint("let the agent run with the group that the socket belongs to")
            }
            ErrorKind::WouldBlock => {
                Fault::new(Reason::Saturated, format!("its queue of connections is full: `{path}`"))
                    .exactly(Detail::NoAnswer)
                    .hint("the service accepts too slowly: does it hang, or has it too few workers?")
            }
            _ => fault_of(error, &format!("connect to `{path}`")),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::probes::net::test_peers::{self, Peer};
    use crate::probes::tests::{Cases, look, problems};
    use crate::probes::{Outcome, Reason};
    use std::time::Duration;
    use tokio::net::{TcpStream, UnixListener};

    /// The six cases that every kind has.
    pub(in crate::probes) static CASES: Cases = Cases {
        ok: Some(|| Box::pin(async { at(&test_peers::silent().await, "{}").await })),
        refused: || Box::pin(async { at_nobody().await }),
        timeout: || Box::pin(async { at(&test_peers::silent().await, PING).await }),
        wrong_answer: || Box::pin(async { at(&test_peers::answers(|_| None).await, PING).await }),
        oversize: || Box::pin(async { at(&test_peers::floods(b"PONG", b"xxxxxxxx").await, PING).await }),
        slow_drip: || Box::pin(async { at(&test_peers::drips(b"", Duration::from_millis(50)).await, PING).await }),
    };

    const PING: &str = r#"{"query_response": [{"send": "PING"}, {"expect": "^PONG$"}]}"#;

    /// A look at a peer through a unix socket.
    async fn at(peer: &Peer, keys: &str) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b.sock");
        let (listener, address) = (UnixListener::bind(&path).unwrap(), peer.address);
        let relay = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut inside = TcpStream::connect(address).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut inside).await;
        });
        let outcome = look(&format!("unix://{}", path.display().to_string().replace(' ', "%20")), keys).await;
        relay.abort();
        outcome
    }

    /// A look at a socket that nobody listens on any more.
    async fn at_nobody() -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("left.sock");
        drop(UnixListener::bind(&path).unwrap());
        look(&format!("unix://{}", path.display()), "{}").await
    }

    #[tokio::test]
    async fn holds_a_dialogue() {
        let peer = test_peers::says(b"+OK\r\nPONG\r\n").await;
        let outcome = at(&peer, PING).await;
        assert_eq!(outcome.fault, None);
        let names: Vec<_> = outcome.readings.iter().map(|reading| reading.metric.name).collect();
        assert_eq!(names, ["probe_failed_due_to_regex", "probe_failed_due_to_bytes"]);
    }

    #[tokio::test]
    async fn a_socket_that_is_not_there_is_told() {
        let fault = look("unix:///nowhere/app.sock", "{}").await.fault.unwrap();
        assert_eq!(
            (fault.reason, fault.message.as_str()),
            (Reason::Refused, "there is no socket: `/nowhere/app.sock`")
        );
    }

    #[test]
    fn each_mistake_has_its_message() {
        insta::assert_snapshot!(problems("unix://run/app.sock", "{}"), @"url: a `unix` URL is the path of a socket");
        insta::assert_snapshot!(problems("unix:///run/app.sock", r#"{"tls": true}"#), @"tls_config: TLS over a unix socket needs a `server_name`");
    }
}
