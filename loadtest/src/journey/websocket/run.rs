//! Runs a WebSocket step for one user. Each request is told to a [`Ledger`] when it is back; the first that fails ends the step.
//! What must stay true: nothing is sent that the ledger did not allow, and nothing is awaited beyond the step's time.

use super::WebSocketStep;
use crate::clock;
use crate::http::{Network, TransportError, WebSocket};
use crate::journey::fault::{Cause, Fault};
use crate::journey::json;
use crate::journey::request::{WHO, sendable};
use crate::journey::run::same_origin;
use crate::journey::session::Session;
use crate::journey::source::Span;
use crate::journey::value::Value;
use crate::limits;
use bytes::Bytes;
use http::header::{COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// Which request of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Connection and upgrade.
    Opening,
    /// From what is sent to the answer that fits.
    RoundTrip,
}

/// A request of a step that is back, or has failed.
#[derive(Debug, Default)]
pub struct Done {
    /// How long it took; nothing when it could not be sent.
    pub latency: Duration,
    /// The status of an opening that was answered.
    pub status: Option<u16>,
    /// Bytes of messages received.
    pub bytes: u64,
    /// Why it counts as an error.
    pub fault: Option<Fault>,
}

/// Keeps the books of a step's requests.
pub trait Ledger: Send {
    /// Asks for one more request; `false` when the run is ending, and then none is sent.
    fn departs(&mut self, part: Part) -> bool;
    /// It is back. The session knows what must not be shown.
    fn lands(&mut self, done: &Done, session: &Session);
}

/// How a step ended.
#[derive(Debug)]
pub enum Ended {
    /// All round trips were made.
    Passed,
    /// The run is ending: the rest was not sent.
    Early,
    /// A request failed.
    Failed(Box<Fault>),
}

/// Why a step goes no further.
enum Stop {
    Early,
    Failed(Box<Fault>),
}

struct Runner<'a> {
    step: &'a WebSocketStep,
    session: &'a mut Session,
    network: &'a Network,
    ledger: &'a mut dyn Ledger,
}

/// Opens the WebSocket, makes the round trips, closes it.
pub async fn run_websocket(
    step: &WebSocketStep,
    session: &mut Session,
    network: &Network,
    ledger: &mut dyn Ledger,
) -> Ended {
    let mut runner = Runner { step, session, network, ledger };
    match runner.run().await {
        Ok(()) => Ended::Passed,
        Err(Stop::Early) => Ended::Early,
        Err(Stop::Failed(fault)) => Ended::Failed(fault),
    }
}

fn fault(cause: Cause) -> Fault {
    Fault::error(Span::default(), cause)
}

fn transport(error: TransportError) -> Fault {
    fault(Cause::Transport(error))
}

/// Nothing in a step is read from a file.
fn nowhere() -> &'static Path {
    Path::new("")
}

impl Runner<'_> {
    async fn run(&mut self) -> Result<(), Stop> {
        let mut socket = self.open().await?;
        let went = self.trips(&mut socket).await;
        // After a failure the connection just ends: whoever did not answer does not answer to that either.
        if !matches!(went, Err(Stop::Failed(_))) {
            socket.close().await;
        }
        went
    }

    async fn trips(&mut self, socket: &mut WebSocket) -> Result<(), Stop> {
        let mut texts = self.step.send.iter().cycle();
        for _ in 0..self.step.messages {
            self.departs(Part::RoundTrip)?;
            let text =
                texts.next().map(|text| text.render(self.session.scope(nowhere())).map(|text| text.into_owned()));
            let done = match text.transpose() {
                Ok(text) => self.trip(socket, text.as_deref()).await,
                Err(fault) => Done { fault: Some(fault), ..Done::default() },
            };
            self.lands(done)?;
        }
        Ok(())
    }

    fn departs(&mut self, part: Part) -> Result<(), Stop> {
        if self.ledger.departs(part) { Ok(()) } else { Err(Stop::Early) }
    }

    fn lands(&mut self, done: Done) -> Result<(), Stop> {
        self.ledger.lands(&done, self.session);
        match done.fault {
            None => Ok(()),
            Some(fault) => Err(Stop::Failed(Box::new(fault))),
        }
    }

    async fn open(&mut self) -> Result<WebSocket, Stop> {
        self.departs(Part::Opening)?;
        let (done, socket) = self.opening().await;
        self.lands(done)?;
        socket.ok_or(Stop::Early)
    }

    /// The opening, and the WebSocket where it has no fault.
    async fn opening(&mut self) -> (Done, Option<WebSocket>) {
        let (url, headers) = match self.ask() {
            Ok(ask) => ask,
            Err(fault) => return (Done { fault: Some(fault), ..Done::default() }, None),
        };
        let (start, limit) = (clock::now(), self.step.timeout);
        let opened = timeout(limit, self.network.open_websocket(&url, headers, &self.step.options)).await;
        let latency = clock::now().saturating_duration_since(start);
        match opened.unwrap_or(Err(TransportError::Timeout(limit))) {
            Ok((response, socket)) => {
                let now = Session::now();
                for cookie in response.headers.all("set-cookie") {
                    self.session.cookies.take(&String::from_utf8_lossy(cookie), &url, now);
                }
                let status = Cause::Status { expected: 101, actual: response.status };
                let fault = socket.is_none().then(|| fault(status).in_assert());
                let (status, bytes) = (Some(response.status), response.body.len() as u64);
                (Done { latency, status, bytes, fault }, socket)
            }
            Err(error) => (Done { latency, fault: Some(transport(error)), ..Done::default() }, None),
        }
    }

    /// What the opening asks for. Credentials of the plan and cookies of other ports go to the target only; a header of the step itself
    /// was written for this URL.
    fn ask(&self) -> Result<(Arc<Url>, HeaderMap), Fault> {
        let (session, scope) = (&*self.session, self.session.scope(nowhere()));
        let url = self.step.address.render(scope)?;
        let target = session.variables.get("target").and_then(Value::render).and_then(|text| Url::parse(&text).ok());
        let trusted = target.is_some_and(|target| same_origin(&target, &url));
        let mut headers = HeaderMap::new();
        self.step.headers.add(&mut headers, scope, true).map_err(fault)?;
        session.headers.add(&mut headers, scope, trusted).map_err(fault)?;
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(WHO));
        let (jar, now) = (&session.cookies, Session::now());
        let cookies = if trusted { jar.header(&url, now) } else { jar.header_after_redirect(&url, now) };
        if let Some(cookies) = cookies {
            headers.append(COOKIE, sendable(&COOKIE, &cookies).map_err(fault)?);
        }
        Ok((url, headers))
    }

    async fn trip(&mut self, socket: &mut WebSocket, text: Option<&str>) -> Done {
        let (start, limit) = (clock::now(), self.step.timeout);
        let mut heard = Heard::default();
        let answer = timeout(limit, exchange(self.step, self.session, socket, (text, &mut heard))).await;
        let latency = clock::now().saturating_duration_since(start);
        let answer = answer.unwrap_or_else(|_| Err(heard.too_late(limit)));
        let fault = answer.and_then(|answer| self.keep(&answer)).err();
        Done { latency, status: None, bytes: heard.bytes, fault }
    }

    fn keep(&mut self, answer: &Bytes) -> Result<(), Fault> {
        if self.step.keeps.is_empty() {
            return Ok(());
        }
        let root = std::str::from_utf8(answer).ok().and_then(|text| json::parse(text).ok());
        let root = root.ok_or_else(|| fault(Cause::Body("the answer is not JSON".to_owned())))?;
        for wanted in &self.step.keeps {
            let nodes = wanted.path.find(&root);
            let value = match nodes.as_slice() {
                [] => return Err(fault(Cause::NothingToCapture)),
                [one] => (*one).clone(),
                many => Value::List(many.iter().map(|node| (*node).clone()).collect()),
            };
            match value {
                Value::String(secret) if wanted.is_secret() => self.session.variables.set_secret(&wanted.name, secret),
                value => self.session.variables.set(&wanted.name, value),
            }
        }
        Ok(())
    }
}

/// What came in a round trip so far.
#[derive(Debug, Default)]
struct Heard {
    frames: usize,
    answers: usize,
    bytes: u64,
    /// What was wrong with the last answer.
    last: String,
}

/// Sends, and reads until an answer fits.
async fn exchange(
    step: &WebSocketStep,
    session: &Session,
    socket: &mut WebSocket,
    (text, heard): (Option<&str>, &mut Heard),
) -> Result<Bytes, Fault> {
    if let Some(text) = text {
        socket.send(text).await.map_err(transport)?;
    }
    loop {
        let answer = socket.receive().await.map_err(transport)?;
        heard.frames += 1;
        if let Some(answer) = answer {
            heard.answers += 1;
            heard.bytes += answer.len() as u64;
            let Some(expected) = &step.expect else { return Ok(answer) };
            match expected.judge(&answer, session.scope(nowhere()))? {
                None => return Ok(answer),
                Some(wrong) => heard.last = wrong,
            }
        }
        if heard.frames >= limits::WEBSOCKET_SKIPPED || heard.bytes > limits::WEBSOCKET_SKIPPED_BYTES {
            return Err(heard.too_many());
        }
    }
}

impl Heard {
    /// Nothing fitted until the time was over.
    fn too_late(&self, limit: Duration) -> Fault {
        match self.answers {
            0 => transport(TransportError::Timeout(limit)),
            answers => self.unfit(answers, format!("within {limit:?}")),
        }
    }

    fn too_many(&self) -> Fault {
        match self.answers {
            0 => transport(TransportError::WebSocket(format!("{} pings and no answer", self.frames))),
            answers => self.unfit(answers, "(no more are read)".to_owned()),
        }
    }

    fn unfit(&self, answers: usize, until: String) -> Fault {
        fault(Cause::Unfit { answers, until, last: self.last.clone() }).in_assert()
    }
}
