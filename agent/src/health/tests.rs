//! `agent health` against servers made for it, and against the agent with TLS.

use super::*;
use rustls::crypto::ring::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;
use std::net::TcpListener;
use std::sync::Arc;

/// A server for one connection that sends these pieces, and what `get` makes of it.
fn asked(pieces: &'static [&'static [u8]], pause: Duration) -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        for piece in pieces {
            if stream.write_all(piece).is_err() {
                break;
            }
            std::thread::sleep(pause);
        }
    });
    let answer = get(&format!("http://{address}/live"), clock::now() + Duration::from_millis(300));
    server.join().unwrap();
    answer.map_err(|why| why.replace(&address.to_string(), "ADDRESS"))
}

#[test]
fn the_status_decides() {
    assert_eq!(asked(&[b"HTTP/1.1 200 OK\r\n\r\n"], Duration::ZERO), Ok(200));
    assert_eq!(asked(&[b"HTTP/1.0 503 No\r\n"], Duration::ZERO), Ok(503));
    assert_eq!(asked(&[b"HTT", b"P/1.1 20", b"4\r\n"], Duration::from_millis(5)), Ok(204));
}

#[test]
fn rude_servers_are_unhealthy_in_time() {
    let no_http = Err("the answer is no HTTP".to_owned());
    assert_eq!(asked(&[], Duration::ZERO), no_http);
    assert_eq!(asked(&[b"SSH-2.0-x\r\n"], Duration::ZERO), no_http);
    assert_eq!(asked(&[b"HTTP/1.1 9999 x\r\n"], Duration::ZERO), no_http);
    assert_eq!(asked(&[&[b'x'; 4096], &[b'x'; 4096], &[b'x'; 4096]], Duration::ZERO), no_http);
    let drip: &[&[u8]] = &[b"H", b"T", b"T", b"P", b"/", b"1", b".", b"1", b" ", b"2"];
    let late = Err("no answer within 2 s".to_owned());
    assert_eq!(asked(drip, Duration::from_millis(50)), late);
}

#[test]
fn what_cannot_be_asked_is_said() {
    let refused = |url: &str| get(url, clock::now() + Duration::from_millis(300)).unwrap_err();
    insta::assert_snapshot!(refused("h:1"), @"not a URL, write it like `http://127.0.0.1:9797/live`");
    insta::assert_snapshot!(refused("http://u:hunter2@h/"), @"credentials and spaces have no place in this URL");
    insta::assert_snapshot!(refused("http://127.0.0.1:1/\r\nX: y"), @"credentials and spaces have no place in this URL");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(refused(&format!("http://127.0.0.1:{port}")), format!("nothing listens on 127.0.0.1:{port}"));
}

#[test]
fn asks_the_port_that_the_agent_listens_on() {
    let cases = [
        (None, "http://127.0.0.1:9797/live"),
        (Some("0.0.0.0:80"), "http://127.0.0.1:80/live"),
        (Some(":81"), "http://127.0.0.1:81/live"),
        (Some("[::]:82"), "http://[::1]:82/live"),
        (Some("10.0.0.1:83"), "http://10.0.0.1:83/live"),
        (Some("nonsense"), "http://127.0.0.1:9797/live"),
    ];
    for (listen, expected) in cases {
        assert_eq!(own(listen), expected);
    }
}

/// A server with this TLS configuration of the web configuration's format, and how the questions end.
fn asked_over_tls(client_auth: Option<&str>, urls: &[&str]) -> Vec<Result<u16, String>> {
    let signed = rcgen::generate_simple_self_signed(vec!["somebody-else".to_owned()]).unwrap();
    let certificate = signed.cert.der().clone();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = match client_auth {
        Some("TLS12") => builder.with_protocol_versions(&[&rustls::version::TLS12]).unwrap(),
        _ => builder.with_safe_default_protocol_versions().unwrap(),
    };
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let builder = match client_auth {
        Some(_) => {
            let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(clients)
        }
        None => builder.with_no_client_auth(),
    };
    let config = Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream.unwrap());
            if stream.read(&mut [0; 1024]).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            } else {
                // What rustls has to say of it is sent, as a server that runs on would.
                let _ = stream.conn.write_tls(&mut stream.sock);
            }
        }
    });
    let full = |url: &&str| url.replace("ADDRESS", &address.to_string()).replace("PORT", &address.port().to_string());
    urls.iter().map(|url| get(&full(url), clock::now() + Duration::from_secs(2))).collect()
}

#[test]
fn an_agent_with_tls_is_asked_over_tls_whatever_its_certificate_says() {
    let urls = ["https://ADDRESS/live", "http://ADDRESS/live", "https://localhost:PORT/live"];
    assert_eq!(asked_over_tls(None, &urls), [Ok(200), Ok(200), Ok(200)]);
}

#[test]
fn an_agent_that_wants_client_certificates_says_what_to_do() {
    for versions in ["TLS12", "TLS13"] {
        let why = asked_over_tls(Some(versions), &["http://ADDRESS/live"]).remove(0).unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(why, @"the agent wants a client certificate, which a health check has not; `client_auth_type: VerifyClientCertIfGiven` lets it in, and users keep the pages closed");
        }
    }
}

#[test]
fn over_tls_only_this_machine_is_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert!(Timed { stream: near, deadline: clock::now() }.is_loopback());
    assert!(tls::speaks(&[0x15, 3, 3]) && !tls::speaks(b"HTTP/1.1 200 OK") && !tls::speaks(&[0x15, 3]));
}
