//! The SMTP check: greeting, EHLO, TLS where it is offered or wanted, EHLO again, and the farewell. It never sends mail, and gives no
//! name or password. What must stay true: with TLS required, a server (or somebody before it) that hides STARTTLS fails the check.

use super::dialogue::Dialogue;
use super::dialogue::starttls::{any_reply, reply, reply_line};
use super::net::{
    Addresses, IpProtocol, Stream, Tls, TlsConfig, connect_from, explained, facts as net, handshake, keys, session,
    watched,
};
use super::{Context, Detail, Fault, Key, Kind, Probe, Reason, Run, Target, clean, fields_of, parameters, place_of};
use crate::limits;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::reading::Metric;
use std::net::{IpAddr, SocketAddr};
use tokio::time::timeout;

static CODE: Metric = Metric::gauge("sidecar_smtp_status_code", "Code of the server's last reply before the farewell");
static OFFERED: Metric =
    Metric::gauge("sidecar_smtp_starttls_offered", "1 when the server offers STARTTLS on the plain connection, else 0");
static SIZE: Metric = Metric::gauge("sidecar_smtp_size_limit_bytes", "Largest mail that the server says it takes");

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "smtp",
    schemes: &["smtp"],
    summary: "Greets a mail server, changes to TLS where that is offered, reads what it can do, and leaves; sends no mail",
    example: "- name: mail\n  url: smtp://mail:25\n  starttls: required\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "smtp_reply", read: feed }],
    slow: false,
    build,
};

static FACTS: &[&Metric] = &[
    &net::LOOKUP_TIME,
    &net::IP_PROTOCOL,
    &net::IP_HASH,
    &CODE,
    &OFFERED,
    &SIZE,
    &net::EARLIEST_EXPIRY,
    &net::LAST_CHAIN_EXPIRY,
    &net::LAST_CHAIN,
    &net::VERSION,
    &net::CIPHER,
    &super::facts::CERTIFICATE_EXPIRES_IN_SECONDS,
];

static KEYS: &[Key] = &[
    Key {
        name: "starttls",
        form: "offered, required or never",
        default: "offered",
        doc: "Whether the connection changes to TLS: when the server offers it, in any case, or not at all.",
    },
    Key {
        name: "tls",
        form: "true or false",
        default: "true at port 465, else false",
        doc: "Shakes hands over TLS before the greeting.",
    },
    Key { name: "ehlo", form: "host name", default: "`localhost`", doc: "The name given to the server." },
    keys::TLS_CONFIG,
    keys::PREFERRED_IP_PROTOCOL,
    keys::IP_PROTOCOL_FALLBACK,
    keys::SOURCE_IP_ADDRESS,
];

#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum StartTls {
    #[default]
    Offered,
    Required,
    Never,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    starttls: StartTls,
    tls: Option<bool>,
    ehlo: String,
    tls_config: TlsConfig,
    preferred_ip_protocol: IpProtocol,
    ip_protocol_fallback: bool,
    source_ip_address: Option<IpAddr>,
}

impl Default for Params {
    fn default() -> Self {
        let Addresses { prefer, fallback } = Addresses::default();
        Self {
            starttls: StartTls::default(),
            tls: None,
            ehlo: "localhost".to_owned(),
            tls_config: TlsConfig::default(),
            preferred_ip_protocol: prefer,
            ip_protocol_fallback: fallback,
            source_ip_address: None,
        }
    }
}

struct Smtp {
    host: String,
    port: u16,
    addresses: Addresses,
    source: Option<IpAddr>,
    starttls: StartTls,
    tls_first: bool,
    tls: Tls,
    hello: String,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let port = target.port.unwrap_or(25);
    let tls_first = params.tls.unwrap_or(port == 465);
    if tls_first && params.starttls == StartTls::Required {
        problems.add("starttls", place_of(own, "starttls"), "`tls` and `starttls: required` exclude each other");
        return None;
    }
    if params.ehlo.is_empty() || !params.ehlo.bytes().all(|byte| byte.is_ascii_graphic()) {
        problems.add("ehlo", place_of(own, "ehlo"), "this is no host name: letters, digits, `.` and `-`");
        return None;
    }
    Some(Box::new(Smtp {
        host: target.host.clone(),
        port,
        addresses: Addresses { prefer: params.preferred_ip_protocol, fallback: params.ip_protocol_fallback },
        source: params.source_ip_address,
        starttls: if tls_first { StartTls::Never } else { params.starttls },
        tls_first,
        tls: Tls::new(&params.tls_config, place_of(own, "tls_config"), problems)?,
        hello: format!("EHLO {}\r\n", params.ehlo),
    }))
}

impl Probe for Smtp {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(self.probe(cx))
    }
}

impl Smtp {
    async fn probe(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let connected = connect_from(cx, self.source, &self.host, self.port, self.addresses).await?;
        let address = connected.address;
        let stream: Box<dyn Stream> = if self.tls_first {
            Box::new(session(cx, connected, &self.host, &self.tls, "smtp with tls").await?)
        } else {
            Box::new(connected.stream)
        };
        cx.phase("greeting");
        let mut dialogue = Dialogue::new(stream);
        self.greeting(cx, &mut dialogue, address).await?;
        let mut offered = self.hello(cx, &mut dialogue).await?;
        let has = |offered: &[String]| offered.iter().any(|line| line.eq_ignore_ascii_case("STARTTLS"));
        if !self.tls_first {
            cx.measure(OFFERED.is(if has(&offered) { 1.0 } else { 0.0 }));
        }
        if self.starttls == StartTls::Required && !has(&offered) {
            return Err(Fault::new(Reason::Tls, "the server does not offer STARTTLS, which is required")
                .exactly(Detail::TlsMissing)
                .hint("is TLS set up there, and does nothing between strip it off?"));
        }
        if self.starttls != StartTls::Never && has(&offered) {
            dialogue.say(b"STARTTLS\r\n").await?;
            self.wanted(cx, &mut dialogue, "220").await?;
            let session = handshake(cx, dialogue.into_stream()?, &self.host, &self.tls).await?;
            dialogue = Dialogue::new(Box::new(session));
            offered = self.hello(cx, &mut dialogue).await?;
        }
        describe(cx, &offered);
        cx.phase("farewell");
        let farewell = async {
            dialogue.say(b"QUIT\r\n").await?;
            reply(cx, &mut dialogue, "221").await
        };
        // What was to be learnt is known; a server that does not say good-bye is no worse for it.
        let _ = timeout(limits::FAREWELL.min(cx.left() / 2), farewell).await;
        cx.end_phase();
        Ok(())
    }

    async fn greeting(&self, cx: &mut Context<'_>, dialogue: &mut Dialogue, address: SocketAddr) -> Result<(), Fault> {
        let scheme = if self.tls_first { "smtp with tls" } else { "smtp" };
        match watched((cx.net, cx.deadline), address, scheme, self.wanted(cx, dialogue, "220")).await {
            Ok(lines) => {
                cx.note("server", lines.first().map_or("", String::as_str));
                Ok(())
            }
            Err(fault) => Err(explained(cx, fault, address, scheme).await),
        }
    }

    async fn hello(&self, cx: &mut Context<'_>, dialogue: &mut Dialogue) -> Result<Vec<String>, Fault> {
        cx.phase("hello");
        dialogue.say(self.hello.as_bytes()).await?;
        self.wanted(cx, dialogue, "250").await
    }

    /// A reply with this code; the server's own words for it when it has another.
    async fn wanted(&self, cx: &mut Context<'_>, dialogue: &mut Dialogue, code: &str) -> Result<Vec<String>, Fault> {
        let (came, lines) = any_reply(cx, dialogue).await?;
        cx.measure(CODE.is(came.parse().unwrap_or_default()));
        if came == code {
            return Ok(lines);
        }
        // 421 and 4xx: not now, mostly for want of room.
        let reason = if came.starts_with('4') { Reason::Saturated } else { Reason::Status };
        Err(Fault::new(reason, format!("the server answered `{came} {}`, not `{code}`", clean(&lines.join(" ")))))
    }
}

fn describe(cx: &mut Context<'_>, offered: &[String]) {
    // The first line is the server's name.
    let capabilities = offered.get(1..).unwrap_or_default();
    cx.note("capabilities", &capabilities.join(", "));
    let size = capabilities.iter().find_map(|line| line.strip_prefix("SIZE ")?.trim().parse::<u64>().ok());
    #[expect(clippy::cast_precision_loss, reason = "a limit beyond 2^53 is none")]
    if let Some(size) = size.filter(|size| *size > 0) {
        cx.measure(SIZE.is(size as f64));
    }
}

/// What a server's lines go through.
fn feed(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        let _ = reply_line(String::from_utf8_lossy(line).trim_end_matches('\r'));
    }
}

#[cfg(test)]
#[path = "smtp_tests.rs"]
pub(super) mod tests;
