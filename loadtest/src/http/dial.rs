//! Opening a connection: addresses, TCP, TLS. Each step's failure has its own class.

use super::address::{Names, Place};
use super::own::{is_own_name, is_private};
use super::tls::{HTTP2, Setups, classify};
use super::{Protocol, RequestOptions, TransportError};
use bytes::Bytes;
use rustls_pki_types::ServerName;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

/// What all users of a run share: looked-up names and TLS set-ups.
#[derive(Debug, Default)]
pub struct Network {
    names: Names,
    setups: Setups,
    /// Whether public addresses are refused.
    private: bool,
}

/// An open connection.
pub(super) struct Line {
    pub(super) stream: Stream,
    pub(super) address: IpAddr,
    /// The peer's certificate, DER.
    pub(super) certificate: Option<Bytes>,
    /// Whether HTTP/2 is spoken on it.
    pub(super) is_http2: bool,
}

impl Network {
    /// One whose users reach no public address, wherever redirects, captured URLs and name servers send them.
    #[must_use]
    pub fn private() -> Self {
        Self { private: true, ..Self::default() }
    }

    /// Opens a TCP connection to the host and port of a URL. The caller sets the deadline.
    ///
    /// # Errors
    /// When there is none, or it may not be opened.
    pub async fn connect(&self, url: &Url) -> Result<TcpStream, TransportError> {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let place = Place { host, port: url.port_or_known_default().unwrap_or(443) };
        self.open(&place, &RequestOptions::default()).await.map(|(stream, _)| stream)
    }

    /// Connects, and speaks TLS when asked. The caller sets the deadline.
    pub(super) async fn dial(
        &self,
        place: &Place,
        https: bool,
        options: &RequestOptions,
    ) -> Result<Line, TransportError> {
        let (stream, address) = self.open(place, options).await?;
        let is_http2 = options.protocol == Protocol::Http2Known;
        if !https {
            return Ok(Line { stream: Stream::Plain(stream), address, certificate: None, is_http2 });
        }
        let stream = self.secure(stream, place, options).await?;
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(<[_]>::first).map(|der| Bytes::copy_from_slice(der));
        let is_http2 = is_http2 || session.alpn_protocol() == Some(HTTP2);
        Ok(Line { stream: Stream::Tls(Box::new(stream)), address, certificate, is_http2 })
    }

    async fn open(&self, place: &Place, options: &RequestOptions) -> Result<(TcpStream, IpAddr), TransportError> {
        let addresses = self.names.addresses(place, options).await?;
        let mut failure = TransportError::Dns(place.host.clone());
        // With rules of its own, the request may go elsewhere than its name says.
        let own_name = is_own_name(&place.host) && options.connect_to.is_empty() && options.resolve.is_empty();
        for address in addresses {
            // Asked here, after the look-up and for every connection: the plan's own check sees neither redirects nor later answers of
            // a name server.
            if self.private && !is_private(address.ip()) && !own_name {
                return Err(TransportError::Public(format!("`{place}` ({})", address.ip())));
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Without this, Nagle's algorithm and delayed acknowledgements add 40 ms to a request in two writes.
                    let _ = stream.set_nodelay(true);
                    return Ok((stream, address.ip()));
                }
                Err(error) => failure = refused(&error, place),
            }
        }
        Err(failure)
    }

    async fn secure(
        &self,
        stream: TcpStream,
        place: &Place,
        options: &RequestOptions,
    ) -> Result<TlsStream<TcpStream>, TransportError> {
        let name = ServerName::try_from(place.host.clone());
        let name = name.map_err(|_| TransportError::Tls(format!("`{}` cannot be a server name", place.host)))?;
        let connector = TlsConnector::from(self.setups.get(options)?);
        connector.connect(name, stream).await.map_err(|error| classify(&error))
    }
}

fn refused(error: &io::Error, place: &Place) -> TransportError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => TransportError::Refused(place.to_string()),
        _ => TransportError::Unreachable(place.to_string()),
    }
}

/// TCP, or TLS over it.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
