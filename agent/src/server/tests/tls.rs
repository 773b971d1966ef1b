//! The web configuration's TLS, seen by a real client.

use super::*;
use crate::metrics::sample;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Value as Json, json};
use tokio_rustls::TlsConnector;

/// An authority that issues certificates for both sides.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, name: &str) -> Pair {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    fn client(&self, versions: &[&'static SupportedProtocolVersion], own: Option<&Pair>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(versions).unwrap().with_root_certificates(roots);
        let Some(Pair { certificate, key }) = own else { return builder.with_no_client_auth() };
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
    }
}

const BOTH: &[&SupportedProtocolVersion] = &[&version::TLS12, &version::TLS13];

fn on_disk(pair: &Pair, mut tls: Json) -> OnDisk {
    tls["cert_file"] = json!("server.pem");
    tls["key_file"] = json!("server.key");
    let on_disk = OnDisk::new(&json!({"tls_server_config": tls}));
    on_disk.write("server.pem", &pair.certificate);
    on_disk.write("server.key", &pair.key);
    on_disk
}

/// The status of `/ready` over TLS, or nothing when the handshake or the request fails; and the server's certificate.
async fn ask(server: &Running, client: ClientConfig) -> Option<(u16, CertificateDer<'static>)> {
    let stream = TcpStream::connect(server.at).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await.ok()?;
    let certificate = stream.get_ref().1.peer_certificates()?.first()?.clone().into_owned();
    stream.write_all(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.ok()?;
    let raw = read_all(&mut stream).await;
    (!raw.is_empty()).then(|| (Answer::parse(&raw).status, certificate))
}

async fn answers(server: &Running, client: ClientConfig) -> bool {
    ask(server, client).await.is_some_and(|(status, _)| status == 200)
}

#[tokio::test]
async fn answers_over_tls_and_not_in_clear() {
    let authority = Authority::new();
    let on_disk = on_disk(&authority.issue("localhost"), json!({}));
    let server = start_with(sample::healthy(), on_disk.plan()).await;
    for version in BOTH {
        assert!(answers(&server, authority.client(&[version], None)).await);
    }
    let mut clear = TcpStream::connect(server.at).await.unwrap();
    clear.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert!(!read_all(&mut clear).await.starts_with(b"HTTP"));
}

#[tokio::test]
async fn versions_and_suites_are_those_configured() {
    let authority = Authority::new();
    let pair = authority.issue("localhost");
    let only_13 = on_disk(&pair, json!({"min_version": "TLS13"}));
    let server = start_with(sample::healthy(), only_13.plan()).await;
    assert!(answers(&server, authority.client(&[&version::TLS13], None)).await);
    assert!(!answers(&server, authority.client(&[&version::TLS12], None)).await);

    let suites =
        json!({"cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"], "curve_preferences": ["CurveP256"]});
    let rsa_only = on_disk(&pair, suites);
    let server = start_with(sample::healthy(), rsa_only.plan()).await;
    assert!(answers(&server, authority.client(&[&version::TLS13], None)).await, "TLS 1.3 keeps its suites");
    assert!(!answers(&server, authority.client(&[&version::TLS12], None)).await, "the key is not RSA");
}

#[tokio::test]
async fn each_way_to_ask_for_client_certificates_lets_in_whom_it_should() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let pair = authority.issue("localhost");
    let (known, unknown) = (authority.issue("scraper"), stranger.issue("scraper"));
    // Without a certificate, with one of our authority, with one of a stranger's.
    let cases = [
        ("NoClientCert", [true, true, true]),
        ("RequestClientCert", [true, true, true]),
        ("RequireAnyClientCert", [false, true, true]),
        ("VerifyClientCertIfGiven", [true, true, false]),
        ("RequireAndVerifyClientCert", [false, true, false]),
    ];
    for (kind, expected) in cases {
        let mut tls = json!({"client_auth_type": kind});
        if kind != "NoClientCert" {
            tls["client_ca"] = json!(authority.0.pem());
        }
        let on_disk = on_disk(&pair, tls);
        let server = start_with(sample::healthy(), on_disk.plan()).await;
        for version in BOTH {
            let ask = async |own| answers(&server, authority.client(&[version], own)).await;
            let got = [ask(None).await, ask(Some(&known)).await, ask(Some(&unknown)).await];
            assert_eq!(got, expected, "{kind} {version:?}");
        }
    }
}

#[tokio::test]
async fn only_allowed_names_come_in() {
    let authority = Authority::new();
    let tls = json!({
        "client_auth_type": "RequireAndVerifyClientCert",
        "client_ca": authority.0.pem(),
        "client_allowed_sans": ["scraper", "192.0.2.7"],
    });
    let on_disk = on_disk(&authority.issue("localhost"), tls);
    let server = start_with(sample::healthy(), on_disk.plan()).await;
    for (name, expected) in [("scraper", true), ("192.0.2.7", true), ("other", false), ("192.0.2.8", false)] {
        let own = authority.issue(name);
        assert_eq!(answers(&server, authority.client(BOTH, Some(&own))).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    let authority = Authority::new();
    let on_disk = on_disk(&authority.issue("localhost"), json!({}));
    let server = start_with(sample::healthy(), on_disk.plan()).await;
    let before = ask(&server, authority.client(BOTH, None)).await.unwrap().1;
    let renewed = authority.issue("localhost");
    on_disk.write("server.key", &renewed.key);
    on_disk.write("server.pem", &renewed.certificate);
    let served = async || ask(&server, authority.client(BOTH, None)).await.is_some_and(|(_, now)| now != before);
    eventually("the renewed certificate is served", served).await;
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_comes_is_cut_off() {
    let authority = Authority::new();
    let on_disk = on_disk(&authority.issue("localhost"), json!({}));
    let server = start_with(sample::healthy(), on_disk.plan()).await;
    let began = crate::clock::now();
    let mut silent = TcpStream::connect(server.at).await.unwrap();
    assert_eq!(read_all(&mut silent).await, b"");
    assert!(crate::clock::now().duration_since(began) < crate::limits::HANDSHAKE_TIMEOUT * 3);
}
