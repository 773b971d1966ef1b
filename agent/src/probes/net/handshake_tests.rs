//! Handshakes with every kind of certificate, and with peers that speak something else.

use super::*;
use crate::clock;
use crate::probes::net::test_peers::{self, Pair, Peer};
use crate::probes::net::{Addresses, Net, SECURE_FACTS, TlsConfig, connect};
use std::io::Write as _;
use std::time::Duration;

struct Seen {
    fault: Option<Fault>,
    metrics: Vec<String>,
}

/// Connects to `host` at a peer and shakes hands.
async fn shake(peer: &Peer, host: &str, tls: &Tls) -> Seen {
    let net = Net::default();
    let mut cx = Context::new(&net, clock::now() + Duration::from_secs(5), crate::probes::Depth::Peer);
    let stream = connect(&mut cx, "127.0.0.1", peer.port(), Addresses::default()).await.unwrap().stream;
    let fault = handshake(&mut cx, stream, host, tls).await.err();
    assert!(cx.took("tls").is_some());
    let metrics = SECURE_FACTS.iter().filter(|metric| cx.value(metric).is_some()).map(|metric| metric.name.to_owned());
    Seen { fault, metrics: metrics.collect() }
}

fn trusting(pem: &str) -> Tls {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(pem.as_bytes()).unwrap();
    Tls::build(&TlsConfig { ca_file: Some(file.path().to_owned()), ..TlsConfig::default() }).unwrap()
}

async fn fault_with(pair: Pair, host: &str, tls: &Tls) -> String {
    let seen = shake(&test_peers::tls(pair).await, host, tls).await;
    let fault = seen.fault.expect("refused");
    assert!(seen.metrics.contains(&"probe_ssl_earliest_cert_expiry".to_owned()), "described although refused");
    assert!(seen.metrics.contains(&"probe_tls_version_info".to_owned()), "described although refused");
    assert!(!seen.metrics.contains(&"probe_ssl_last_chain_expiry_timestamp_seconds".to_owned()), "no verified chain");
    format!("{}: {}\nhint: {}", fault.reason, fault.message, fault.hint.unwrap_or_default())
}

#[tokio::test]
async fn a_good_certificate_gives_every_fact() {
    let (pair, authority) = test_peers::signed(|_| ());
    let seen = shake(&test_peers::tls(pair).await, "localhost", &trusting(&authority)).await;
    assert_eq!(seen.fault, None);
    let all: Vec<_> = SECURE_FACTS.iter().map(|metric| metric.name).collect();
    assert_eq!(seen.metrics, all);
}

#[tokio::test]
async fn an_expired_certificate_is_named_with_its_date() {
    let (pair, authority) = test_peers::signed(|params| params.not_after = rcgen::date_time_ymd(2020, 2, 3));
    insta::assert_snapshot!(fault_with(pair, "localhost", &trusting(&authority)).await, @r"
    certificate: the certificate expired on 2020-02-03 (subject `CN=rcgen self signed cert`)
    hint: renew it, and see that the server loads the new file
    ");
}

#[tokio::test]
async fn a_certificate_of_the_future_is_named_with_its_date() {
    let (pair, authority) = test_peers::signed(|params| params.not_before = rcgen::date_time_ymd(3020, 2, 3));
    insta::assert_snapshot!(fault_with(pair, "localhost", &trusting(&authority)).await, @r"
    certificate: the certificate is not valid before 3020-02-03 (subject `CN=rcgen self signed cert`)
    hint: is the clock of this host right?
    ");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_named_with_the_names_it_has() {
    let (pair, authority) = test_peers::signed(|_| ());
    insta::assert_snapshot!(fault_with(pair, "api.example", &trusting(&authority)).await, @r"
    certificate: the certificate is not for `api.example`, it names `localhost`
    hint: use a name that it has, or set `server_name`
    ");
}

#[tokio::test]
async fn an_unknown_issuer_is_named() {
    let (pair, _) = test_peers::signed(|_| ());
    insta::assert_snapshot!(fault_with(pair, "localhost", &Tls::default()).await, @r"
    certificate: the certificate's issuer is not known: `CN=test authority`
    hint: put the issuer's certificate into `ca_file`; or does the server leave out its intermediate?
    ");
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_until_it_stands_in_ca_file() {
    for authority in [rcgen::IsCa::NoCa, rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained)] {
        let pair = test_peers::certificate(|params| params.is_ca = authority);
        let pem = pair.pem.clone();
        let peer = test_peers::tls(pair).await;
        let fault = shake(&peer, "localhost", &Tls::default()).await.fault.unwrap();
        assert_eq!((fault.reason, fault.hint.as_deref()), (Reason::Certificate, Some("put it into `ca_file`")));
        assert_eq!(shake(&peer, "localhost", &trusting(&pem)).await.fault, None);
        let fault = shake(&peer, "other.example", &trusting(&pem)).await.fault.unwrap();
        assert_eq!(fault.message, "the certificate is not for `other.example`, it names `localhost`");
    }
}

#[tokio::test]
async fn an_expired_certificate_is_refused_although_it_stands_in_ca_file() {
    let pair = test_peers::certificate(|params| params.not_after = rcgen::date_time_ymd(2020, 2, 3));
    let tls = trusting(&pair.pem.clone());
    assert!(fault_with(pair, "localhost", &tls).await.contains("expired on 2020-02-03"));
}

#[tokio::test]
async fn without_verification_a_bad_certificate_is_taken_and_described() {
    let pair = test_peers::certificate(|params| params.not_after = rcgen::date_time_ymd(2020, 2, 3));
    let tls = Tls::build(&TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() }).unwrap();
    let seen = shake(&test_peers::tls(pair).await, "other.example", &tls).await;
    assert_eq!(seen.fault, None);
    assert!(seen.metrics.contains(&"sidecar_certificate_expires_in_seconds".to_owned()));
    assert!(!seen.metrics.contains(&"probe_ssl_last_chain_expiry_timestamp_seconds".to_owned()));
}

#[tokio::test]
async fn what_speaks_no_tls_is_told_what_it_speaks() {
    let cases: &[(&'static [u8], &str)] = &[
        (b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n", "speaks http nginx, not TLS"),
        (b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0", "speaks mysql 8.0.36, not TLS"),
        (b"-ERR unknown command\r\n", "speaks redis, not TLS"),
        (b"good morning\r\n", "what answered is no TLS; it begins with `good morning`"),
    ];
    for (greeting, message) in cases {
        let fault = shake(&test_peers::says(greeting).await, "localhost", &Tls::default()).await.fault.unwrap();
        assert_eq!((fault.reason, fault.message.as_str()), (Reason::ProtocolMismatch, *message));
    }
}

#[tokio::test]
async fn a_peer_that_hangs_up_is_a_mismatch_and_an_alert_is_tls() {
    let closes = test_peers::answers(|_| None).await;
    let fault = shake(&closes, "localhost", &Tls::default()).await.fault.unwrap();
    assert_eq!(fault.reason, Reason::ProtocolMismatch, "{fault:?}");
    let alerts = test_peers::answers(|_| Some(b"\x15\x03\x03\0\x02\x02\x46")).await;
    let fault = shake(&alerts, "localhost", &Tls::default()).await.fault.unwrap();
    insta::assert_snapshot!(format!("{}: {}", fault.reason, fault.message), @"tls: the server refused the handshake: alert `ProtocolVersion`");
}

#[tokio::test]
async fn a_client_certificate_is_shown_when_the_server_wants_one() {
    let (server, authority) = test_peers::signed(|_| ());
    let client = test_peers::certificate(|_| ());
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let config = TlsConfig {
        ca_file: file("ca.pem", &authority),
        cert_file: file("cert.pem", &client.pem),
        key_file: file("key.pem", &client.key_pem),
        ..TlsConfig::default()
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(client.der.clone()).unwrap();
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), super::super::tls::provider());
    let chain = vec![server.der.clone()];
    let key = rustls_pki_types::PrivateKeyDer::Pkcs8(server.key.clone().into());
    let server = rustls::ServerConfig::builder_with_provider(super::super::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap();
    let sessions = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&sessions);
    let peer = test_peers::serve_tls(server, move |session| {
        assert!(session.get_ref().1.peer_certificates().is_some_and(|shown| shown.len() == 1));
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async {}
    })
    .await;
    let net = Net::default();
    let mut cx = Context::new(&net, clock::now() + Duration::from_secs(5), crate::probes::Depth::Peer);
    let stream = connect(&mut cx, "127.0.0.1", peer.port(), Addresses::default()).await.unwrap().stream;
    let mut session = handshake(&mut cx, stream, "localhost", &Tls::build(&config).unwrap()).await.unwrap();
    // In TLS 1.3 the server judges our certificate after our handshake has ended; its goodbye shows that it has.
    let _ = tokio::io::AsyncReadExt::read(&mut session, &mut [0; 16]).await;
    assert_eq!(sessions.load(std::sync::atomic::Ordering::SeqCst), 1);
}
