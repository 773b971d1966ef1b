//! WebSockets (RFC 6455): the upgrade is an ordinary request on a connection of its own, read with the caps of every answer; the
//! frames behind it are tungstenite's. The only file that names that crate. What must stay true: nothing is stored beyond the
//! caps of `limits`, whatever a frame's head announces; deadlines are the caller's.

use super::dial::{Network, Stream};
use super::prepared::Prepareds;
use super::sent::has_token;
use super::wire::{Answer, Wire};
use super::{Fields, Request, RequestOptions, Response, Timings, TransportError};
use crate::{clock, limits};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method};
use std::sync::Arc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use url::Url;

/// An open WebSocket.
pub struct WebSocket(WebSocketStream<Stream>);

impl std::fmt::Debug for WebSocket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("WebSocket")
    }
}

impl Network {
    /// Connects and asks for a WebSocket: the server's answer, and the WebSocket where it agreed (101). The caller sets the deadline.
    ///
    /// # Errors
    /// When there is no answer, or it agrees to something else.
    pub async fn open_websocket(
        &self,
        url: &Arc<Url>,
        mut headers: HeaderMap,
        options: &Arc<RequestOptions>,
    ) -> Result<(Response, Option<WebSocket>), TransportError> {
        let start = clock::now();
        let to = Prepareds::default().get(url)?;
        let key = generate_key();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let bad_key = |_| TransportError::WebSocket("no key could be made".to_owned());
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::try_from(&key).map_err(bad_key)?);
        let (url, options) = (Arc::clone(url), Arc::clone(options));
        let request = Request { method: Method::GET, url, headers, body: Bytes::new(), options };
        let mut wire = Wire::new(self.dial(&to.place, to.https, &request.options).await?);
        let connect = clock::now().saturating_duration_since(start);
        let answer = wire.exchange(&request, &to).await.map_err(|broken| broken.error)?;
        let Answer { version, status, fields, body, first_byte, end, switched } = answer;
        let response = Response {
            version,
            status,
            headers: fields,
            body,
            address: Some(wire.address),
            certificate: wire.certificate.clone(),
            timings: Timings {
                connect,
                first_byte: first_byte.saturating_duration_since(start),
                total: end.saturating_duration_since(start),
            },
        };
        if response.status != 101 {
            return Ok((response, None));
        }
        agreed(&response.headers, &request.headers, &key)?;
        let stream = wire.into_stream();
        let inner = WebSocketStream::from_partially_read(stream, switched, Role::Client, Some(config())).await;
        Ok((response, Some(WebSocket(inner))))
    }
}

fn config() -> WebSocketConfig {
    let most = Some(limits::WEBSOCKET_MESSAGE);
    let config = WebSocketConfig::default().max_message_size(most).max_frame_size(most);
    config.read_buffer_size(limits::WEBSOCKET_READ).write_buffer_size(0)
}

/// Whether a 101 is about the WebSocket that was asked for (RFC 6455, 4.1).
fn agreed(answer: &Fields, asked: &HeaderMap, key: &str) -> Result<(), TransportError> {
    let bad = |what: &str| Err(TransportError::WebSocket(what.to_owned()));
    if !answer.all(UPGRADE.as_str()).any(|value| has_token(value, b"websocket")) {
        return bad("the server switched to another protocol");
    }
    if !answer.all(CONNECTION.as_str()).any(|value| has_token(value, b"upgrade")) {
        return bad("the server's `Connection` does not say `Upgrade`");
    }
    if answer.get(SEC_WEBSOCKET_ACCEPT.as_str()) != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return bad("the server's `Sec-WebSocket-Accept` does not fit our key");
    }
    if answer.get(SEC_WEBSOCKET_EXTENSIONS.as_str()).is_some_and(|value| !value.is_empty()) {
        return bad("the server uses an extension that nobody offered");
    }
    let offered = |one: &[u8]| asked.get_all(SEC_WEBSOCKET_PROTOCOL).iter().any(|list| has_token(list.as_bytes(), one));
    if answer.get(SEC_WEBSOCKET_PROTOCOL.as_str()).is_some_and(|chosen| !offered(chosen)) {
        return bad("the server chose a subprotocol that nobody offered");
    }
    Ok(())
}

impl WebSocket {
    /// Sends a text.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send(&mut self, text: &str) -> Result<(), TransportError> {
        self.0.send(Message::text(text)).await.map_err(error)
    }

    /// The bytes of the next message; none for a ping, which is answered, or a pong. May be dropped and asked again.
    ///
    /// # Errors
    /// When no more will come.
    pub async fn receive(&mut self) -> Result<Option<Bytes>, TransportError> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Some(text.into())),
            Some(Ok(Message::Binary(bytes))) => Ok(Some(bytes)),
            Some(Ok(Message::Close(frame))) => {
                // The answer to it waits to be sent; whether it can be is the peer's affair.
                let _ = self.0.flush().await;
                Err(TransportError::Closed(why(frame)))
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
            Some(Err(failed)) => Err(error(failed)),
            None => Err(TransportError::Reset),
        }
    }

    /// Says goodbye (1000) and waits a little for the answer.
    pub async fn close(mut self) {
        let goodbye = async {
            let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            if self.0.close(Some(normal)).await.is_ok() {
                while let Some(Ok(_)) = self.0.next().await {}
            }
        };
        let _ = tokio::time::timeout(limits::WEBSOCKET_CLOSE, goodbye).await;
    }
}

/// What a server says when it closes; the text is its own, so it is cut and cleaned.
fn why(frame: Option<CloseFrame>) -> String {
    let Some(CloseFrame { code, reason }) = frame else { return "without a reason".to_owned() };
    let reason: String = reason.chars().filter(|letter| !letter.is_control()).take(limits::EXAMPLE_CHARS).collect();
    let code = u16::from(code);
    if reason.is_empty() { format!("(code {code})") } else { format!("(code {code}, `{reason}`)") }
}

fn error(error: Error) -> TransportError {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            TransportError::WebSocket(format!("a message of {size} bytes or more, and at most {max_size} are read"))
        }
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => {
            TransportError::Reset
        }
        Error::Protocol(what) => TransportError::WebSocket(what.to_string().to_lowercase()),
        Error::Utf8(_) => TransportError::WebSocket("a text message is not UTF-8".to_owned()),
        other => TransportError::WebSocket(other.to_string().to_lowercase()),
    }
}
