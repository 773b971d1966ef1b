//! What is said over a WebSocket once it is one: the steps of a dialogue, a ping, a goodbye.

use super::FAILED_REGEX;
use super::frame::{Event, Inbox, Say};
use crate::limits;
use crate::probes::dialogue::{EXPECT, Step};
use crate::probes::http::page::Agreed;
use crate::probes::net::{Stream, fault_of};
use crate::probes::{Context, Fault, Reason, clean};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// An open WebSocket.
pub(super) struct Talk {
    stream: Box<dyn Stream>,
    inbox: Inbox,
    came: usize,
}

impl Talk {
    pub(super) fn new(agreed: Agreed) -> Self {
        let mut inbox = Inbox::default();
        inbox.feed(&agreed.came);
        Self { stream: agreed.stream, inbox, came: agreed.came.len() }
    }

    /// Does one step. As in blackbox the next message must match, be it text or not.
    pub(super) async fn hold(&mut self, cx: &mut Context<'_>, step: &Step) -> Result<(), Fault> {
        let mut send = step.send.as_ref().map(|send| send.expose().to_owned());
        if let Some(pattern) = &step.expect {
            let message = self.message().await.inspect_err(|_| cx.measure(FAILED_REGEX.is(1.0)))?;
            let Some(found) = pattern.captures(&message) else {
                cx.measure(FAILED_REGEX.is(1.0));
                let begins: String = clean(&message).chars().take(60).collect();
                let said = format!("the message does not match `{pattern}`, it is `{begins}`");
                return Err(Fault::new(Reason::Body, said));
            };
            let fill = |template: &str| {
                let mut text = String::new();
                found.expand(template, &mut text);
                text
            };
            for label in &step.labels {
                cx.measure(EXPECT.with([&*label.name, &clean(&fill(&label.value))], 1.0));
            }
            send = send.map(|send| fill(&send));
        }
        match send {
            Some(send) => self.say(Say::Text(&send)).await,
            None => Ok(()),
        }
    }

    /// Asks for a sign of life; what else comes meanwhile is passed over.
    pub(super) async fn ping(&mut self) -> Result<(), Fault> {
        let word = fastrand::u64(..).to_be_bytes();
        self.say(Say::Ping(&word)).await?;
        loop {
            match self.next().await? {
                Event::Pong(answer) if answer == word => return Ok(()),
                Event::Close(code, why) => return Err(closed(code, &why)),
                _ => {}
            }
        }
    }

    /// Says goodbye and waits a moment for the answer, so that the server logs no broken connection.
    pub(super) async fn close(mut self) {
        let goodbye = async {
            self.say(Say::Close).await?;
            while !matches!(self.next().await?, Event::Close(..)) {}
            Ok::<(), Fault>(())
        };
        // The verdict stands; how the server takes leave is its own affair.
        drop(timeout(limits::WEBSOCKET_GOODBYE, goodbye).await);
    }

    /// The next message, as text.
    async fn message(&mut self) -> Result<String, Fault> {
        loop {
            match self.next().await? {
                Event::Text(text) => return Ok(text),
                Event::Binary(bytes) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
                Event::Close(code, why) => return Err(closed(code, &why)),
                Event::Ping(_) | Event::Pong(_) => {}
            }
        }
    }

    /// The next event; a ping has been answered.
    async fn next(&mut self) -> Result<Event, Fault> {
        loop {
            let taken = self.inbox.take();
            match taken.map_err(|broken| Fault::new(Reason::Body, broken.to_string()))? {
                Some(Event::Ping(payload)) => {
                    self.say(Say::Pong(&payload)).await?;
                    return Ok(Event::Ping(payload));
                }
                Some(event) => return Ok(event),
                None => self.more().await?,
            }
        }
    }

    async fn more(&mut self) -> Result<(), Fault> {
        let mut piece = [0; 4096];
        let read = self.stream.read(&mut piece).await.map_err(|error| broken_off(&fault_of(&error, "read from it")))?;
        let came = piece.get(..read).unwrap_or_default();
        self.came += read;
        if came.is_empty() {
            return Err(Fault::new(Reason::Body, "the server closed the connection without a goodbye")
                .hint("did the service behind the proxy crash, or does the proxy cut idle connections?"));
        }
        if self.came > limits::WEBSOCKET_RUN_BYTES {
            return Err(Fault::new(Reason::Body, "the server said 4 MiB and not what was waited for"));
        }
        self.inbox.feed(came);
        Ok(())
    }

    async fn say(&mut self, say: Say<'_>) -> Result<(), Fault> {
        // The mask keeps proxies from taking what a web page says for HTTP; what a check says is its operator's own.
        let frame = say.frame(fastrand::u32(..).to_be_bytes());
        self.stream.write_all(&frame).await.map_err(|error| broken_off(&fault_of(&error, "send to it")))
    }
}

/// A connection that breaks after the upgrade was a WebSocket, so the protocol is the right one.
fn broken_off(fault: &Fault) -> Fault {
    let reason = if fault.reason == Reason::ProtocolMismatch { Reason::Body } else { fault.reason };
    Fault::new(reason, format!("the WebSocket broke off: {}", fault.message))
}

/// The fault of a goodbye that came too early. Codes: RFC 6455, section 7.4, and IANA's registry.
fn closed(code: Option<u16>, why: &str) -> Fault {
    let why = clean(why);
    let because = if why.is_empty() { String::new() } else { format!(": `{why}`") };
    let Some(code) = code else {
        return Fault::new(Reason::Body, format!("the server said goodbye without a code{because}"));
    };
    let fault = |reason| Fault::new(reason, format!("the server said goodbye with code {code}{because}"));
    match code {
        1008 | 3000 | 3003 | 4401 | 4403 => {
            fault(Reason::Auth).hint("it refuses this client; does it want a token, or another `Origin`?")
        }
        1013 => fault(Reason::Saturated).hint("it asks to try again later"),
        1001 | 1012 => fault(Reason::Body).hint("it is being stopped or restarted"),
        1011 => fault(Reason::Body).hint("it met an error of its own, see its log"),
        _ => fault(Reason::Body),
    }
}
