//! The DNS check: asks a name server one question, and holds the answer's code and records against what is wanted. Names, values and
//! keys are blackbox_exporter's. What must stay true: it asks the server that it is told, never the resolver of this process.

mod ask;
mod message;
mod record;
mod rules;
#[cfg(test)]
pub(super) mod tests;
mod words;

use super::net::{Addresses, IpProtocol, Tls, TlsConfig, facts as net, keys};
use super::outcome::late;
use super::{Context, Fault, Key, Kind, Probe, Run, Target, fields_of, key, parameters, place_of};
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::reading::Metric;
use ask::{Server, Transport};
use message::{Question, read, wire_name};
use rules::{RecordsParams, Rules, malformed};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout_at;
use words::{class_number, rcode_name, type_number};

static DURATION: Metric = Metric::gauge(
    "probe_dns_duration_seconds",
    "Seconds that each phase of the question took, a TLS handshake in `connect`",
)
.labelled(&["phase"]);
static ANSWER: Metric = Metric::gauge("probe_dns_answer_rrs", "Records in the answer section, 0 when no answer came");
static AUTHORITY: Metric =
    Metric::gauge("probe_dns_authority_rrs", "Records in the authority section, 0 when no answer came");
static ADDITIONAL: Metric =
    Metric::gauge("probe_dns_additional_rrs", "Records in the additional section, 0 when no answer came");
static SUCCEEDED: Metric =
    Metric::gauge("probe_dns_query_succeeded", "1 when an answer came, whatever it says, else 0");
static SERIAL: Metric =
    Metric::gauge("probe_dns_serial", "Serial number of the zone, when its SOA record was asked for and came");

const PHASES: [&str; 3] = ["resolve", "connect", "request"];

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "dns",
    schemes: &["dns"],
    summary: "Asks a name server a question; without a server in the URL (`dns:///name`) the first one of /etc/resolv.conf",
    example: "- name: zone\n  url: dns://ns1.example:53/shop.example?type=SOA\n  validate_answer_rrs:\n    fail_if_none_matches_regexp: ['SOA\\tns1\\.']\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "dns_message", read: feed }],
    slow: false,
    build,
};

static FACTS: &[&Metric] = &[
    &net::LOOKUP_TIME,
    &net::IP_PROTOCOL,
    &net::IP_HASH,
    &DURATION,
    &ANSWER,
    &AUTHORITY,
    &ADDITIONAL,
    &SUCCEEDED,
    &SERIAL,
    &net::EARLIEST_EXPIRY,
    &net::LAST_CHAIN_EXPIRY,
    &net::LAST_CHAIN,
    &net::VERSION,
    &net::CIPHER,
    &super::facts::CERTIFICATE_EXPIRES_IN_SECONDS,
];

const PATTERNS: &str = "mapping: fail_if_matches_regexp, fail_if_all_match_regexp, fail_if_not_matches_regexp, \
                        fail_if_none_matches_regexp, each a list";

static KEYS: &[Key] = &[
    key("query_name", "domain name", "the path of the URL", "The name that is asked about, complete."),
    key(
        "query_type",
        "`A`, `AAAA`, `MX`, … or `TYPE65`",
        "`type` of the URL's query, else `A`",
        "The type of record that is asked for.",
    ),
    key(
        "query_class",
        "IN, CH, HS or `CLASS1`",
        "`class` of the URL's query, else `IN`",
        "The class that is asked in.",
    ),
    key(
        "transport_protocol",
        "udp or tcp",
        "udp, with `dns_over_tls` tcp",
        "How the question is sent; an answer that is cut off over UDP is fetched over TCP.",
    ),
    key("dns_over_tls", "true or false", "false", "Asks over TLS, at port 853 unless the URL says another."),
    keys::TLS_CONFIG,
    key(
        "recursion_desired",
        "true or false",
        "true",
        "Asks the server to ask others; off, it tells what it knows itself.",
    ),
    key("valid_rcodes", "list of response codes", "[NOERROR]", "Response codes that are no failure."),
    key(
        "validate_answer_rrs",
        PATTERNS,
        "",
        "Patterns for the records of the answer section, which stand as in a zone file: `shop.example.`, a tab, `60`, a tab, `IN`, a tab, `A`, a tab, `192.0.2.1`.",
    ),
    key("validate_authority_rrs", PATTERNS, "", "The same for the authority section."),
    key("validate_additional_rrs", PATTERNS, "", "The same for the additional section."),
    keys::PREFERRED_IP_PROTOCOL,
    keys::IP_PROTOCOL_FALLBACK,
    keys::SOURCE_IP_ADDRESS,
];

#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Udp,
    Tcp,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    query_name: Option<String>,
    query_type: Option<String>,
    query_class: Option<String>,
    transport_protocol: Option<Protocol>,
    dns_over_tls: bool,
    tls_config: TlsConfig,
    recursion_desired: bool,
    valid_rcodes: Vec<String>,
    validate_answer_rrs: RecordsParams,
    validate_authority_rrs: RecordsParams,
    validate_additional_rrs: RecordsParams,
    preferred_ip_protocol: IpProtocol,
    ip_protocol_fallback: bool,
    source_ip_address: Option<IpAddr>,
}

impl Default for Params {
    fn default() -> Self {
        let Addresses { prefer, fallback } = Addresses::default();
        Self {
            query_name: None,
            query_type: None,
            query_class: None,
            transport_protocol: None,
            dns_over_tls: false,
            tls_config: TlsConfig::default(),
            recursion_desired: true,
            valid_rcodes: Vec::new(),
            validate_answer_rrs: RecordsParams::default(),
            validate_authority_rrs: RecordsParams::default(),
            validate_additional_rrs: RecordsParams::default(),
            preferred_ip_protocol: prefer,
            ip_protocol_fallback: fallback,
            source_ip_address: None,
        }
    }
}

struct Dns {
    server: Server,
    question: Question,
    recursion: bool,
    rules: Rules,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let question = question(target, &params, own, problems);
    let sections = [&params.validate_answer_rrs, &params.validate_authority_rrs, &params.validate_additional_rrs];
    let rules = Rules::new(&params.valid_rcodes, sections, own, problems);
    if params.dns_over_tls && params.transport_protocol == Some(Protocol::Udp) {
        problems.add("transport_protocol", place_of(own, "transport_protocol"), "`dns_over_tls` works over `tcp` only");
        return None;
    }
    let transport = if params.dns_over_tls {
        Transport::Tls(Tls::new(&params.tls_config, place_of(own, "tls_config"), problems)?)
    } else if params.transport_protocol == Some(Protocol::Tcp) {
        Transport::Tcp
    } else {
        Transport::Udp
    };
    let server = Server {
        host: target.host.clone(),
        port: target.port.unwrap_or(if params.dns_over_tls { 853 } else { 53 }),
        addresses: Addresses { prefer: params.preferred_ip_protocol, fallback: params.ip_protocol_fallback },
        source: params.source_ip_address,
        transport,
    };
    Some(Box::new(Dns { server, question: question?, recursion: params.recursion_desired, rules: rules? }))
}

fn question(target: &Target, params: &Params, own: &Node, problems: &mut Problems) -> Option<Question> {
    let written = |key: &Option<String>, short: &str, default: &str| {
        key.clone().or_else(|| target.param(&[short])).unwrap_or_else(|| default.to_owned())
    };
    let (kind, class) = (written(&params.query_type, "type", "A"), written(&params.query_class, "class", "IN"));
    let name = params.query_name.clone().unwrap_or_else(|| target.database());
    let mut wanted = |key: &str, what: &str, text: &str| {
        let place = if own.get(key).is_some() { key } else { "url" };
        problems.add(place, place_of(own, place), format!("no DNS {what}: `{text}`"));
    };
    let type_of = type_number(&kind).filter(|number| !(251..255).contains(number));
    let class_of = class_number(&class);
    if type_of.is_none() {
        wanted("query_type", "type to ask for", &kind);
    }
    if class_of.is_none() {
        wanted("query_class", "class", &class);
    }
    let wire = wire_name(&name).filter(|_| !name.is_empty());
    if wire.is_none() {
        let (place, hint) = (
            if own.get("query_name").is_some() { "query_name" } else { "url" },
            "write it as `dns://server/shop.example?type=A`",
        );
        let message =
            if name.is_empty() { "no name to ask about".to_owned() } else { format!("no domain name: `{name}`") };
        problems.add_with_hint(place, place_of(own, place), message, hint);
    }
    Some(Question { name: wire?, kind: type_of?, class: class_of? })
}

impl Probe for Dns {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(self.probe(cx))
    }
}

impl Dns {
    /// Runs under the deadline itself, so that the phases are exported when it passes.
    async fn probe(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let whole = cx.left();
        // As in blackbox, figures of an answer that did not come are 0.
        for metric in [&ANSWER, &AUTHORITY, &ADDITIONAL, &SUCCEEDED] {
            cx.measure(metric.is(0.0));
        }
        let ended = timeout_at(cx.deadline, self.ask_and_judge(cx)).await;
        let phase = cx.current_phase();
        cx.end_phase();
        let took = |name: &str| cx.took(name).unwrap_or_default();
        let connect = took("connect") + took("tls");
        let times: [Duration; 3] = [took("resolve"), connect, took("request")];
        cx.measure_all(PHASES.into_iter().zip(times).map(|(name, took)| DURATION.with([name], took.as_secs_f64())));
        ended.unwrap_or_else(|_elapsed| Err(late(phase, whole)))
    }

    async fn ask_and_judge(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let message = self.server.ask(cx, self.recursion, &self.question).await?;
        cx.end_phase();
        let (_, answer) = read(&message).map_err(malformed)?;
        for (metric, count) in [&ANSWER, &AUTHORITY, &ADDITIONAL].into_iter().zip(answer.counts()) {
            cx.measure(metric.is(f64::from(count)));
        }
        cx.measure(SUCCEEDED.is(1.0));
        cx.note("rcode", &rcode_name(answer.rcode));
        if let Some(text) = answer.records(0).next().and_then(|record| record.text().ok()) {
            cx.note("answer", &text);
        }
        if let Some(serial) = answer.records(0).find_map(|record| record.serial()) {
            cx.measure(SERIAL.is(f64::from(serial)));
        }
        self.rules.judge(&answer)
    }
}

/// What a server's bytes go through.
fn feed(bytes: &[u8]) {
    let Ok((_, answer)) = read(bytes) else { return };
    for record in (0..3).flat_map(|section| answer.records(section)) {
        drop((record.text(), record.serial()));
    }
}
