//! The TCP check: connects, and if told so holds a dialogue: send, expect a line, expect bytes, change to TLS.
//! It knows no protocol. What must stay true: what the peer says is kept only up to its cap.

mod dialogue;
mod steps;
#[cfg(test)]
mod tests;

use super::facts::CERTIFICATE_EXPIRES_IN_SECONDS;
use super::net::{Addresses, IpProtocol, Stream, Tls, TlsConfig, connect, explained, facts as net, handshake, keys};
use super::{Context, Fault, Key, Kind, Probe, Run, Target, fields_of, parameters, place_of};
use crate::node::{Node, Problems};
use crate::reading::{Metric, Type};
use dialogue::Dialogue;
pub(super) use steps::{Step, StepParams};
#[cfg(test)]
pub(super) use tests::CASES;

static FAILED_REGEX: Metric =
    Metric::gauge("probe_failed_due_to_regex", "1 when the check failed because of a regular expression, else 0");
static FAILED_BYTES: Metric =
    Metric::gauge("probe_failed_due_to_bytes", "1 when the check failed because expected bytes did not come, else 0");
pub(super) static EXPECT: Metric = Metric::gauge(
    "sidecar_expect_info",
    "What a dialogue was told to take from the peer's answer, one series a label of `query_response`",
)
.of(Type::Info)
.labelled(&["name", "value"]);

/// The row of the table.
pub static KIND: Kind = Kind {
    name: "tcp",
    schemes: &["tcp"],
    summary: "Connects; with `query_response` it also sends and expects, line by line, with TLS where wanted",
    example: "- name: mail\n  url: tcp://mail:25\n  query_response:\n    - expect: '^220 ([^ ]+) ESMTP'\n    - send: QUIT\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[],
    slow: false,
    build,
};

static FACTS: &[&Metric] = &[
    &net::LOOKUP_TIME,
    &net::IP_PROTOCOL,
    &net::IP_HASH,
    &FAILED_REGEX,
    &FAILED_BYTES,
    &EXPECT,
    &net::EARLIEST_EXPIRY,
    &net::LAST_CHAIN_EXPIRY,
    &net::LAST_CHAIN,
    &net::VERSION,
    &net::CIPHER,
    &CERTIFICATE_EXPIRES_IN_SECONDS,
];

const fn key(name: &'static str, form: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key { name, form, default, doc }
}

static KEYS: &[Key] = &[
    key(
        "query_response",
        "list of mappings: expect, expect_bytes, labels, send, starttls",
        "",
        "A dialogue after connecting. Each step waits for a line that matches `expect`, or for `expect_bytes`, then sends `send` \
         and a line feed (`${1}` stands for what the pattern's first group found), then changes to TLS if `starttls`. `labels` \
         (name, value) become `sidecar_expect_info`.",
    ),
    key("tls", "true or false", "false", "Shakes hands over TLS before the dialogue."),
    keys::TLS_CONFIG,
    keys::PREFERRED_IP_PROTOCOL,
    keys::IP_PROTOCOL_FALLBACK,
];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    query_response: Vec<StepParams>,
    tls: bool,
    tls_config: TlsConfig,
    preferred_ip_protocol: IpProtocol,
    ip_protocol_fallback: bool,
}

impl Default for Params {
    fn default() -> Self {
        let Addresses { prefer, fallback } = Addresses::default();
        Self {
            query_response: Vec::new(),
            tls: false,
            tls_config: TlsConfig::default(),
            preferred_ip_protocol: prefer,
            ip_protocol_fallback: fallback,
        }
    }
}

struct Tcp {
    host: String,
    port: u16,
    addresses: Addresses,
    steps: Vec<Step>,
    tls_first: bool,
    tls: Tls,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let at = place_of(own, "query_response");
    if target.port.is_none() {
        problems.add_with_hint(
            "url",
            place_of(own, "url"),
            "a `tcp` URL needs a port",
            "write it as `tcp://host:port`",
        );
    }
    let steps: Vec<_> = params.query_response.iter().filter_map(|step| Step::new(step, at, problems)).collect();
    let tls = Tls::new(&params.tls_config, place_of(own, "tls_config"), problems);
    if steps.len() < params.query_response.len() {
        return None;
    }
    Some(Box::new(Tcp {
        host: target.host.clone(),
        port: target.port?,
        addresses: Addresses { prefer: params.preferred_ip_protocol, fallback: params.ip_protocol_fallback },
        steps,
        tls_first: params.tls,
        tls: tls?,
    }))
}

impl Probe for Tcp {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(self.probe(cx))
    }
}

impl Tcp {
    async fn probe(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        cx.measure(FAILED_REGEX.is(0.0));
        cx.measure(FAILED_BYTES.is(0.0));
        let connected = connect(cx, &self.host, self.port, self.addresses).await?;
        let mut stream: Box<dyn Stream> = Box::new(connected.stream);
        if self.tls_first {
            stream = match handshake(cx, stream, &self.host, &self.tls).await {
                Ok(session) => Box::new(session),
                Err(fault) => return Err(explained(cx, fault, connected.address, "tls").await),
            };
        }
        if self.steps.is_empty() {
            return Ok(());
        }
        cx.phase("dialogue");
        let mut dialogue = Dialogue::new(stream);
        for step in &self.steps {
            dialogue.hold(cx, step).await?;
            if step.starttls {
                let session = handshake(cx, dialogue.into_stream()?, &self.host, &self.tls).await?;
                dialogue = Dialogue::new(Box::new(session));
                cx.phase("dialogue");
            }
        }
        cx.end_phase();
        Ok(())
    }
}
