//! The files of a page over HTTP/2: all at once on the connection on which the page came, as browsers do.

use super::{Client, Kept, Spoken};
use crate::http::lanes::{Budget, Came, Numbered};
use crate::http::prepared::Prepared;
use crate::http::two::{Flight, Wire};
use crate::http::wire::Answer;
use crate::http::{RequestOptions, Response, Timings, TransportError};
use crate::{clock, limits};
use std::sync::Arc;
use std::time::Duration;

/// A kept HTTP/2 connection, taken out.
struct Shared {
    to: Arc<Prepared>,
    options: Arc<RequestOptions>,
    wire: Box<Wire>,
}

impl Client {
    /// What came of the requests that go over a kept HTTP/2 connection, and the ones left for other connections: those that it does not fit,
    /// and those that the peer has not looked at.
    pub(super) async fn send_shared(&mut self, requests: Numbered, budget: &Budget) -> (Vec<Came>, Numbered) {
        let Some(shared) = self.take_shared(&requests) else { return (Vec::new(), requests) };
        let Shared { to, options, mut wire } = shared;
        let (mut came, mut mine, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for (index, request) in requests {
            match self.prepareds.get(&request.url) {
                Ok(own) if own.is_at(&to) && request.options == options => {
                    mine.push((Flight::new(&request, &own), index, request));
                }
                _ => left.push((index, request)),
            }
        }
        let (start, limit) = (clock::now(), options.max_time.unwrap_or(limits::REQUEST_TIMEOUT));
        let (mut flights, asked): (Vec<Flight>, Numbered) =
            mine.into_iter().map(|(flight, index, request)| (flight, (index, request))).unzip();
        // What is still under way then has had its time.
        let _in_time = tokio::time::timeout(limit, wire.exchange_all(&mut flights)).await;
        let (address, certificate) = (wire.address, wire.certificate.clone());
        for (flight, (index, request)) in flights.into_iter().zip(asked) {
            let fetched = match flight.landed() {
                None => Err(TransportError::Timeout(limit)),
                Some(Err(broken)) if broken.unanswered => {
                    left.push((index, request));
                    continue;
                }
                Some(Err(broken)) => Err(broken.error),
                Some(Ok(answer)) => {
                    let Answer { version, status, fields: headers, body, first_byte, end, .. } = answer;
                    let since = |at: tokio::time::Instant| at.saturating_duration_since(start);
                    let timings = Timings { connect: Duration::ZERO, first_byte: since(first_byte), total: since(end) };
                    let certificate = certificate.clone();
                    let address = Some(address);
                    budget.take(Response { version, status, headers, body, address, certificate, timings })
                }
            };
            came.push((index, fetched));
        }
        if wire.is_ready() {
            self.keep(Kept { to, options, line: Spoken::Two(wire) });
        }
        (came, left)
    }

    /// The kept HTTP/2 connection to where the first request goes.
    fn take_shared(&mut self, requests: &Numbered) -> Option<Shared> {
        let (_, first) = requests.first()?;
        let to = self.prepareds.get(&first.url).ok()?;
        let fits = |kept: &Kept| matches!(kept.line, Spoken::Two(_)) && kept.fits(&to, &first.options);
        let index = self.kept.iter().position(fits).filter(|_| !first.options.fresh_connection)?;
        match self.kept.swap_remove(index) {
            Kept { to, options, line: Spoken::Two(wire) } => Some(Shared { to, options, wire }),
            Kept { line: Spoken::One(_), .. } => None,
        }
    }
}
