//! Peers for the tests of probes: in-process servers on port 0 of loopback, polite and rude, and certificates of every kind.

use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A server that stops when it is dropped.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Peer {
    /// How many connections it has accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A peer that does the same with every connection.
pub(crate) async fn serve<F, R>(with: F) -> Peer
where
    F: Fn(TcpStream) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(with(stream));
        }
    });
    Peer { address, accepted, task }
}

/// A port where nothing listens.
pub(crate) async fn closed_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port()
}

/// Accepts and never says a word.
pub(crate) async fn silent() -> Peer {
    serve(|mut stream| async move {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await
}

/// Greets at once and then listens.
pub(crate) async fn says(words: &'static [u8]) -> Peer {
    serve(move |mut stream| async move {
        let _ = stream.write_all(words).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await
}

/// Answers the first thing it is asked, or closes the connection.
pub(crate) async fn answers(answer: impl Fn(&[u8]) -> Option<&'static [u8]> + Send + Sync + 'static) -> Peer {
    let answer = Arc::new(answer);
    serve(move |mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap_or(0);
            if let Some(words) = answer(&asked[..length]) {
                let _ = stream.write_all(words).await;
            }
        }
    })
    .await
}

/// Sends `words`, then one byte a tick for ever.
pub(crate) async fn drips(words: &'static [u8], tick: std::time::Duration) -> Peer {
    serve(move |mut stream| async move {
        let mut sent = stream.write_all(words).await;
        while sent.is_ok() {
            tokio::time::sleep(tick).await;
            sent = stream.write_all(b"x").await;
        }
    })
    .await
}

/// Sends `words`, then `filler` for as long as anybody reads.
pub(crate) async fn floods(words: &'static [u8], filler: &'static [u8]) -> Peer {
    serve(move |mut stream| async move {
        let mut sent = stream.write_all(words).await;
        while sent.is_ok() {
            sent = stream.write_all(filler).await;
        }
    })
    .await
}

/// A certificate with its key.
pub(crate) struct Pair {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) pem: String,
    pub(crate) key: Vec<u8>,
    pub(crate) key_pem: String,
    pub(crate) above: Vec<CertificateDer<'static>>,
}

/// A certificate for `localhost`, signed by itself, changed as wanted.
pub(crate) fn certificate(change: impl FnOnce(&mut rcgen::CertificateParams)) -> Pair {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    let made = params.self_signed(&key).unwrap();
    Pair {
        der: made.der().clone(),
        pem: made.pem(),
        key: key.serialize_der(),
        key_pem: key.serialize_pem(),
        above: Vec::new(),
    }
}

/// A certificate for `localhost` under an authority of its own: the server's pair, and the authority's PEM.
pub(crate) fn signed(change: impl FnOnce(&mut rcgen::CertificateParams)) -> (Pair, String) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "test authority");
    let authority_made = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    let made = params.signed_by(&key, &issuer).unwrap();
    let pair = Pair {
        der: made.der().clone(),
        pem: made.pem(),
        key: key.serialize_der(),
        key_pem: key.serialize_pem(),
        above: vec![authority_made.der().clone()],
    };
    (pair, authority_made.pem())
}

/// The server side of TLS with this certificate.
pub(crate) fn server_config(pair: &Pair) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.key.clone()));
    let chain = std::iter::once(&pair.der).chain(&pair.above).cloned().collect();
    ServerConfig::builder_with_provider(super::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

/// A TLS server that does the same with every session.
pub(crate) async fn serve_tls<F, R>(config: ServerConfig, with: F) -> Peer
where
    F: Fn(TlsStream<TcpStream>) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let (acceptor, with) = (TlsAcceptor::from(Arc::new(config)), Arc::new(with));
    serve(move |stream| {
        let (acceptor, with) = (acceptor.clone(), Arc::clone(&with));
        async move {
            if let Ok(session) = acceptor.accept(stream).await {
                with(session).await;
            }
        }
    })
    .await
}

/// A TLS server that shakes hands and then listens.
pub(crate) async fn tls(pair: Pair) -> Peer {
    serve_tls(server_config(&pair), |mut session| async move {
        let _ = tokio::io::copy(&mut session, &mut tokio::io::sink()).await;
    })
    .await
}
