//! The measured client of one virtual user: its connections, its deadline, its clock. Times are taken here, as near to
//! the wire as they can be, from the start to the last byte of the body.

mod shared;

use super::alarm::Alarm;
use super::dial::{Line, Network};
use super::lanes::Budget;
use super::prepared::{Prepared, Prepareds};
use super::two;
use super::wire::{Answer, Broken, Wire};
use super::{Fetched, Request, RequestOptions, Response, Timings, Transport, TransportError, lanes};
use crate::{clock, limits};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;

/// One user's client. Connections are kept, one an origin, as long as the peer keeps them.
pub struct Client {
    network: Arc<Network>,
    prepareds: Prepareds,
    kept: Vec<Kept>,
    alarm: Option<Alarm>,
    /// The further connections on which it fetches the files of a page.
    beside: Vec<Client>,
}

/// A kept connection and what it is good for.
struct Kept {
    to: Arc<Prepared>,
    options: Arc<RequestOptions>,
    line: Spoken,
}

impl Kept {
    /// Whether it is good for a request.
    fn fits(&self, to: &Arc<Prepared>, options: &Arc<RequestOptions>) -> bool {
        (Arc::ptr_eq(&self.to, to) || self.to.is_at(to))
            && (Arc::ptr_eq(&self.options, options) || self.options == *options)
    }
}

/// A connection and what is spoken on it. The state of HTTP/2 is large, so it has a box of its own.
enum Spoken {
    One(Wire),
    Two(Box<two::Wire>),
}

impl Spoken {
    async fn new(line: Line) -> Result<Self, TransportError> {
        if line.is_http2 {
            return two::Wire::new(line).await.map(|wire| Self::Two(Box::new(wire)));
        }
        Ok(Self::One(Wire::new(line)))
    }

    async fn exchange(&mut self, request: &Request, to: &Prepared) -> Result<Answer, Broken> {
        match self {
            Self::One(wire) => wire.exchange(request, to).await,
            Self::Two(wire) => Box::pin(wire.exchange(request, to)).await,
        }
    }

    const fn is_ready(&self) -> bool {
        match self {
            Self::One(wire) => wire.is_ready(),
            Self::Two(wire) => wire.is_ready(),
        }
    }

    /// Address and certificate of the peer.
    fn peer(&self) -> (IpAddr, Option<Bytes>) {
        match self {
            Self::One(wire) => (wire.address, wire.certificate.clone()),
            Self::Two(wire) => (wire.address, wire.certificate.clone()),
        }
    }
}

impl Client {
    /// A client over what all users of the run share.
    #[must_use]
    pub fn new(network: Arc<Network>) -> Self {
        Self { network, prepareds: Prepareds::default(), kept: Vec::new(), alarm: None, beside: Vec::new() }
    }

    async fn request(&mut self, request: Request) -> Result<Response, TransportError> {
        let start = clock::now();
        let limit = request.options.max_time.unwrap_or(limits::REQUEST_TIMEOUT);
        let mut alarm = self.alarm.take().unwrap_or_else(|| Alarm::new(start + limit));
        alarm.set(start + limit);
        let done = {
            let mut work = pin!(self.attempts(&request, start));
            let done = poll_fn(|cx| match work.as_mut().poll(cx) {
                Poll::Pending => alarm.poll(cx).map(|()| Err(TransportError::Timeout(limit))),
                done => done,
            });
            done.await
        };
        self.alarm = Some(alarm);
        done
    }

    /// A kept connection first; if the peer closed it before any byte of an answer, once more on a new one, as
    /// browsers and curl do: the peer had given up the connection before it saw the request.
    async fn attempts(&mut self, request: &Request, start: Instant) -> Result<Response, TransportError> {
        let to = self.prepareds.get(&request.url)?;
        if let Some(line) = self.take(&to, &request.options) {
            match self.exchange(line, &to, request, (start, Duration::ZERO)).await {
                Err(broken) if broken.unanswered => {}
                done => return done.map_err(|broken| broken.error),
            }
        }
        // In a box of its own: the state of a handshake is large, and would be carried along by every request.
        Box::pin(self.fresh(&to, request, start)).await
    }

    async fn fresh(
        &mut self,
        to: &Arc<Prepared>,
        request: &Request,
        start: Instant,
    ) -> Result<Response, TransportError> {
        let limit = request.options.connect_timeout.unwrap_or(limits::CONNECT_TIMEOUT);
        let dial = self.network.dial(&to.place, to.https, &request.options);
        let open = async { Spoken::new(dial.await?).await };
        let line = tokio::time::timeout(limit, open).await.map_err(|_| TransportError::ConnectTimeout(limit))??;
        let connect = clock::now().saturating_duration_since(start);
        self.exchange(line, to, request, (start, connect)).await.map_err(|broken| broken.error)
    }

    async fn exchange(
        &mut self,
        mut line: Spoken,
        to: &Arc<Prepared>,
        request: &Request,
        (start, connect): (Instant, Duration),
    ) -> Result<Response, Broken> {
        let answer = line.exchange(request, to).await?;
        let total = answer.end.saturating_duration_since(start);
        let first_byte = answer.first_byte.saturating_duration_since(start);
        let (address, certificate) = line.peer();
        if line.is_ready() && !request.options.fresh_connection {
            let options = Arc::clone(&request.options);
            self.keep(Kept { to: Arc::clone(to), options, line });
        }
        let timings = Timings { connect, first_byte, total };
        let Answer { version, status, fields: headers, body, .. } = answer;
        Ok(Response { version, status, headers, body, address: Some(address), certificate, timings })
    }

    fn take(&mut self, to: &Arc<Prepared>, options: &Arc<RequestOptions>) -> Option<Spoken> {
        if options.fresh_connection {
            return None;
        }
        let index = self.kept.iter().position(|kept| kept.fits(to, options))?;
        Some(self.kept.swap_remove(index).line)
    }

    fn keep(&mut self, kept: Kept) {
        if self.kept.len() >= limits::CONNECTIONS_PER_USER {
            self.kept.remove(0);
        }
        self.kept.push(kept);
    }
}

impl Transport for Client {
    fn send(&mut self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.request(request))
    }

    fn send_all(&mut self, requests: Vec<Request>) -> BoxFuture<'_, Vec<Result<Fetched, TransportError>>> {
        Box::pin(async move {
            let budget = Budget::default();
            let (mut came, left) = self.send_shared(requests.into_iter().enumerate().collect(), &budget).await;
            // Out of our hands while all are at work; when this is cancelled, they end with it.
            let mut beside = std::mem::take(&mut self.beside);
            let lanes = left.len().min(limits::CONNECTIONS_PER_USER);
            beside.resize_with(beside.len().max(lanes.saturating_sub(1)), || Self::new(Arc::clone(&self.network)));
            came.extend(lanes::send_all(std::iter::once(&mut *self).chain(&mut beside), left, &budget).await);
            self.beside = beside;
            came.sort_by_key(|(index, _)| *index);
            came.into_iter().map(|(_, came)| came).collect()
        })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Client").field("kept", &self.kept.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each request allocates its state; a large one is slow to allocate, and a thousand users carry it.
    #[test]
    fn the_state_of_a_request_is_small() {
        let request = Request {
            method: http::Method::GET,
            url: Arc::new("http://127.0.0.1/".parse().unwrap()),
            headers: http::HeaderMap::new(),
            body: Bytes::new(),
            options: Arc::default(),
        };
        let mut client = Client::new(Arc::default());
        let size = size_of_val(&client.request(request));
        assert!(size < 2048, "{size} bytes");
    }
}
