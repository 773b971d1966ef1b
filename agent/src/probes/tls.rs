//! The TLS check: shakes hands, and says what is to be said of the certificate.

use super::facts::CERTIFICATE_EXPIRES_IN_SECONDS;
use super::net::{Addresses, IpProtocol, Tls, TlsConfig, connect, facts as net, keys, session};
use super::{Context, Detail, Fault, Key, Kind, Probe, Reason, Run, Target, fields_of, parameters, place_of};
use crate::node::{Node, Problems};
use crate::reading::Metric;
use crate::units::Span;
use std::time::Duration;

/// The row of the table.
pub static KIND: Kind = Kind {
    name: "tls",
    schemes: &["tls"],
    summary: "Shakes hands over TLS and describes the certificate, also one that is refused; fails before it expires, if told so",
    example: "- name: certificate\n  url: tls://shop.example\n  expires_after: 14d\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[],
    slow: true,
    build,
};

static FACTS: &[&Metric] = &[
    &net::LOOKUP_TIME,
    &net::IP_PROTOCOL,
    &net::IP_HASH,
    &net::EARLIEST_EXPIRY,
    &net::LAST_CHAIN_EXPIRY,
    &net::LAST_CHAIN,
    &net::VERSION,
    &net::CIPHER,
    &CERTIFICATE_EXPIRES_IN_SECONDS,
];

static KEYS: &[Key] = &[
    Key {
        name: "expires_after",
        form: "duration",
        default: "0s",
        doc: "Fails when the first certificate of the chain expires sooner than this.",
    },
    keys::TLS_CONFIG,
    keys::PREFERRED_IP_PROTOCOL,
    keys::IP_PROTOCOL_FALLBACK,
];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    expires_after: Span,
    tls_config: TlsConfig,
    preferred_ip_protocol: IpProtocol,
    ip_protocol_fallback: bool,
}

impl Default for Params {
    fn default() -> Self {
        let Addresses { prefer, fallback } = Addresses::default();
        Self {
            expires_after: Span(Duration::ZERO),
            tls_config: TlsConfig::default(),
            preferred_ip_protocol: prefer,
            ip_protocol_fallback: fallback,
        }
    }
}

struct Handshake {
    host: String,
    port: u16,
    tls: Tls,
    addresses: Addresses,
    expires_after: Duration,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    Some(Box::new(Handshake {
        host: target.host.clone(),
        port: target.port.unwrap_or(443),
        tls: Tls::new(&params.tls_config, place_of(own, "tls_config"), problems)?,
        addresses: Addresses { prefer: params.preferred_ip_protocol, fallback: params.ip_protocol_fallback },
        expires_after: params.expires_after.0,
    }))
}

impl Probe for Handshake {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(self.probe(cx))
    }
}

impl Handshake {
    async fn probe(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let connected = connect(cx, &self.host, self.port, self.addresses).await?;
        drop(session(cx, connected, &self.host, &self.tls, "tls").await?);
        let left = cx.value(&CERTIFICATE_EXPIRES_IN_SECONDS).unwrap_or(f64::INFINITY);
        if left >= self.expires_after.as_secs_f64() {
            return Ok(());
        }
        let message = match Duration::try_from_secs_f64(left) {
            Ok(left) => format!("the certificate expires in {}, sooner than {}", Span(left), Span(self.expires_after)),
            Err(_negative) => "the certificate has expired".to_owned(),
        };
        let detail = if left < 0.0 { Detail::CertificateExpired } else { Detail::CertificateNearExpiry };
        Err(Fault::new(Reason::Certificate, message)
            .exactly(detail)
            .hint("renew it, and see that the server loads the new file"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::probes::net::test_peers::{self, Peer};
    use crate::probes::tests::{Cases, look};
    use crate::probes::{Outcome, Reason};
    use std::time::Duration;

    /// The six cases that every kind has.
    pub(in crate::probes) static CASES: Cases = Cases {
        ok: Some(|| Box::pin(async { at(&test_peers::tls(test_peers::certificate(|_| ())).await, SKIP).await })),
        refused: || {
            Box::pin(async { look(&format!("tls://127.0.0.1:{}", test_peers::closed_port().await), "{}").await })
        },
        timeout: || Box::pin(async { at(&test_peers::silent().await, "{}").await }),
        wrong_answer: || Box::pin(async { at(&test_peers::says(b"SSH-2.0-OpenSSH_9.2\r\n").await, "{}").await }),
        oversize: || {
            Box::pin(async {
                at(&test_peers::floods(b"\x16\x03\x03\x40\0\x02\xff\xff\xff", b"xxxx").await, "{}").await
            })
        },
        slow_drip: || {
            Box::pin(async {
                at(&test_peers::drips(b"\x16\x03\x03\x40\0\x02", Duration::from_millis(50)).await, "{}").await
            })
        },
    };

    const SKIP: &str = r#"{"tls_config": {"insecure_skip_verify": true}}"#;

    async fn at(peer: &Peer, keys: &str) -> Outcome {
        look(&format!("tls://localhost:{}", peer.port()), keys).await
    }

    /// A look at a server whose certificate holds for so many days and an hour and a half.
    async fn in_days(days: u64, keys: &str) -> Outcome {
        let until = crate::clock::wall() + Duration::from_secs(days * 86_400 + 5400);
        let pair = test_peers::certificate(|params| params.not_after = until.into());
        at(&test_peers::tls(pair).await, keys).await
    }

    #[tokio::test]
    async fn fails_before_the_certificate_expires_when_told_so() {
        let keys = r#"{"expires_after": "14d", "tls_config": {"insecure_skip_verify": true}}"#;
        let fault = in_days(3, keys).await.fault.unwrap();
        assert_eq!(fault.reason, Reason::Certificate);
        insta::assert_snapshot!(fault.message, @"the certificate expires in 3d 1h, sooner than 14d");
        assert_eq!(in_days(15, keys).await.fault, None);
        assert_eq!(in_days(3, SKIP).await.fault, None);
    }

    #[tokio::test]
    async fn an_expired_certificate_fails_also_when_it_is_not_verified() {
        let pair = test_peers::certificate(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
        let fault = at(&test_peers::tls(pair).await, SKIP).await.fault.unwrap();
        insta::assert_snapshot!(format!("{}: {}", fault.reason, fault.message), @"certificate: the certificate has expired");
    }

    #[tokio::test]
    async fn says_what_answers_on_a_port_without_tls() {
        let peer = test_peers::says(b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0").await;
        let fault = at(&peer, "{}").await.fault.unwrap();
        assert_eq!(fault.message, format!("127.0.0.1:{} speaks mysql 8.0.36, the URL says tls", peer.port()));
    }
}
