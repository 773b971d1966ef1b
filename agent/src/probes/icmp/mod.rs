//! The ICMP check: one echo request, and its reply, over the kernel's ping socket, which needs no capability, only a group that
//! `net.ipv4.ping_group_range` names. It never opens a raw socket. What must stay true: only a reply with what was sent counts.

mod echo;
mod socket;

use super::net::{Addresses, IpProtocol, addresses, facts as net, keys, matching, record};
use super::outcome::late;
use super::{Context, Fault, Key, Kind, Probe, Reason, Run, Target, fields_of, parameters, place_of};
use crate::limits;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::reading::Metric;
use echo::Echo;
use socket::Ping;
use std::net::IpAddr;
use tokio::time::timeout_at;

static DURATION: Metric =
    Metric::gauge("probe_icmp_duration_seconds", "Seconds that each phase of the ping took").labelled(&["phase"]);
static HOP_LIMIT: Metric =
    Metric::gauge("probe_icmp_reply_hop_limit", "Hop limit of the reply as it arrived, for IPv4 its TTL");

const PHASES: [&str; 3] = ["resolve", "setup", "rtt"];
/// As many bytes as blackbox_exporter sends.
const PAYLOAD: usize = 28;
/// As most hosts send.
const TTL: u8 = 64;

/// The row of the table.
pub static KIND: Kind = Kind {
    name: "icmp",
    schemes: &["icmp"],
    summary: "Sends one ping over the kernel's ping socket, without any capability, and waits for its reply",
    example: "- name: gateway\n  url: icmp://192.0.2.1\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: &[&net::LOOKUP_TIME, &net::IP_PROTOCOL, &net::IP_HASH, &DURATION, &HOP_LIMIT],
    parsers: &[Parser { name: "icmp_reply", read: echo::feed }],
    slow: false,
    build,
};

static KEYS: &[Key] = &[
    Key { name: "payload_size", form: "whole number", default: "28", doc: "Bytes that travel there and back." },
    Key {
        name: "dont_fragment",
        form: "true or false",
        default: "false",
        doc: "Forbids that the packet is split, so that one too large for the path fails the check (IPv4).",
    },
    Key { name: "ttl", form: "1 to 255", default: "64", doc: "How many routers the packet may pass." },
    keys::PREFERRED_IP_PROTOCOL,
    keys::IP_PROTOCOL_FALLBACK,
    keys::SOURCE_IP_ADDRESS,
];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    payload_size: usize,
    dont_fragment: bool,
    ttl: u8,
    preferred_ip_protocol: IpProtocol,
    ip_protocol_fallback: bool,
    source_ip_address: Option<IpAddr>,
}

impl Default for Params {
    fn default() -> Self {
        let Addresses { prefer, fallback } = Addresses::default();
        Self {
            payload_size: PAYLOAD,
            dont_fragment: false,
            ttl: TTL,
            preferred_ip_protocol: prefer,
            ip_protocol_fallback: fallback,
            source_ip_address: None,
        }
    }
}

struct Icmp {
    host: String,
    params: Params,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let before = problems.0.len();
    if params.payload_size > limits::PING_PAYLOAD_BYTES {
        let message = format!("at most {} bytes fit into a packet", limits::PING_PAYLOAD_BYTES);
        problems.add("payload_size", place_of(own, "payload_size"), message);
    }
    if params.ttl == 0 {
        problems.add("ttl", place_of(own, "ttl"), "a packet with `ttl` 0 goes nowhere");
    }
    if target.port.is_some() {
        problems.add("url", place_of(own, "url"), "a ping has no port, write `icmp://host`");
    }
    (problems.0.len() == before).then(|| Box::new(Icmp { host: target.host.clone(), params }) as Box<dyn Probe>)
}

impl Probe for Icmp {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(self.probe(cx))
    }
}

impl Icmp {
    /// Runs under the deadline itself, so that the phases are exported when it passes.
    async fn probe(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let whole = cx.left();
        let ended = timeout_at(cx.deadline, self.ping(cx)).await;
        let phase = cx.current_phase();
        cx.end_phase();
        let took = PHASES.map(|name| DURATION.with([name], cx.took(name).unwrap_or_default().as_secs_f64()));
        cx.measure_all(took);
        ended.unwrap_or_else(|_elapsed| {
            let fault = late(phase, whole);
            let quiet = "many hosts and firewalls do not answer pings; is the host known to?";
            Err(if phase == Some("rtt") { fault.hint(quiet) } else { fault })
        })
    }

    async fn ping(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Params { preferred_ip_protocol: prefer, ip_protocol_fallback: fallback, .. } = self.params;
        let found = addresses(cx, &self.host, Addresses { prefer, fallback }).await?;
        let found = matching(self.params.source_ip_address, &self.host, found)?;
        let Some(address) = found.first().copied() else {
            return Err(Fault::new(Reason::Dns, format!("`{}` has no address", self.host)));
        };
        record(cx, address);
        cx.phase("setup");
        let echo = Echo::new(address.is_ipv6(), self.params.payload_size);
        let ping = Ping::open(address, &self.params)?;
        cx.phase("rtt");
        ping.send(&echo.request()).await?;
        for _ in 0..limits::STRANGERS {
            let reply = ping.receive(echo.reply_bytes()).await?;
            if reply.from == address && echo.is_answered_by(&reply.message) {
                cx.end_phase();
                if let Some(hops) = reply.hop_limit {
                    cx.measure(HOP_LIMIT.is(hops.into()));
                }
                return Ok(());
            }
        }
        let message = format!("{} packets from {address} are no reply to what was sent", limits::STRANGERS);
        Err(Fault::new(Reason::ProtocolMismatch, message))
    }
}

#[cfg(test)]
mod tests {
    use crate::probes::tests::{look, problems};

    /// What this kernel lets the test do: everything else is looked at from outside, in `tests/it/icmp.rs`.
    #[tokio::test]
    async fn answers_or_says_which_switch_forbids_it() {
        let outcome = look("icmp://127.0.0.1", "{}").await;
        if let Some(fault) = &outcome.fault {
            assert_eq!(fault.reason, crate::probes::Reason::Config, "{fault:?}");
            assert!(fault.hint.as_ref().is_some_and(|hint| hint.contains("net.ipv4.ping_group_range")), "{fault:?}");
        }
        assert_eq!(outcome.readings.iter().filter(|reading| reading.metric == &super::DURATION).count(), 3);
    }

    #[test]
    fn each_mistake_has_its_message() {
        insta::assert_snapshot!(problems("icmp://a", r#"{"payload_size": 65500}"#), @"payload_size: at most 65499 bytes fit into a packet");
        insta::assert_snapshot!(problems("icmp://a:7", r#"{"ttl": 0}"#), @r"
        ttl: a packet with `ttl` 0 goes nowhere
        url: a ping has no port, write `icmp://host`
        ");
    }
}
