//! The TCP check: connects, and if told so holds a dialogue: send, expect a line, expect bytes, change to TLS.
//! It knows no protocol. What must stay true: what the peer says is kept only up to its cap.

#[cfg(test)]
mod tests;

use super::dialogue::starttls::{self, Protocol};
use super::dialogue::{EXPECT, FAILED_BYTES, FAILED_REGEX, QUERY_RESPONSE, Step, StepParams, hold};
use super::facts::CERTIFICATE_EXPIRES_IN_SECONDS;
use super::net::{Addresses, IpProtocol, Stream, Tls, TlsConfig, connect_from, facts as net, keys, session};
use super::{Context, Fault, Key, Kind, Probe, Run, Target, fields_of, key, parameters, place_of};
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::reading::Metric;
use std::net::IpAddr;
#[cfg(test)]
pub(super) use tests::CASES;

/// The row of the table.
pub static KIND: Kind = Kind {
    name: "tcp",
    schemes: &["tcp"],
    summary: "Connects; with `query_response` it also sends and expects, line by line, with TLS where wanted",
    example: "- name: mail\n  url: tcp://mail:25\n  query_response:\n    - expect: '^220 ([^ ]+) ESMTP'\n    - send: QUIT\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser {
        name: "ldap_result",
        read: |bytes| {
            let _ = starttls::ldap_result(bytes);
        },
    }],
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

static KEYS: &[Key] = &[
    QUERY_RESPONSE,
    starttls::KEY,
    key("tls", "true or false", "false", "Shakes hands over TLS before the dialogue."),
    keys::TLS_CONFIG,
    keys::PREFERRED_IP_PROTOCOL,
    keys::IP_PROTOCOL_FALLBACK,
    keys::SOURCE_IP_ADDRESS,
];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    query_response: Vec<StepParams>,
    starttls: Option<Protocol>,
    tls: bool,
    tls_config: TlsConfig,
    preferred_ip_protocol: IpProtocol,
    ip_protocol_fallback: bool,
    source_ip_address: Option<IpAddr>,
}

impl Default for Params {
    fn default() -> Self {
        let Addresses { prefer, fallback } = Addresses::default();
        Self {
            query_response: Vec::new(),
            starttls: None,
            tls: false,
            tls_config: TlsConfig::default(),
            preferred_ip_protocol: prefer,
            ip_protocol_fallback: fallback,
            source_ip_address: None,
        }
    }
}

struct Tcp {
    host: String,
    port: u16,
    addresses: Addresses,
    source: Option<IpAddr>,
    steps: Vec<Step>,
    starttls: Option<Protocol>,
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
    if params.tls && params.starttls.is_some() {
        problems.add("starttls", place_of(own, "starttls"), "`tls` and `starttls` exclude each other");
        return None;
    }
    let steps = Step::all(&params.query_response, at, problems);
    let tls = Tls::new(&params.tls_config, place_of(own, "tls_config"), problems);
    Some(Box::new(Tcp {
        host: target.host.clone(),
        port: target.port?,
        addresses: Addresses { prefer: params.preferred_ip_protocol, fallback: params.ip_protocol_fallback },
        source: params.source_ip_address,
        steps: steps?,
        starttls: params.starttls,
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
        let connected = connect_from(cx, self.source, &self.host, self.port, self.addresses).await?;
        let stream: Box<dyn Stream> = if let Some(protocol) = self.starttls {
            starttls::change(cx, Box::new(connected.stream), protocol, &self.host, &self.tls).await?
        } else if self.tls_first {
            Box::new(session(cx, connected, &self.host, &self.tls, "tcp with tls").await?)
        } else {
            Box::new(connected.stream)
        };
        hold(cx, stream, &self.steps, &self.host, &self.tls).await
    }
}
