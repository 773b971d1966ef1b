//! One dialogue: lines and bytes are looked for in what the peer says, which is kept up to a cap.

use super::steps::Step;
use super::{EXPECT, FAILED_BYTES, FAILED_REGEX};
use crate::limits;
use crate::probes::net::{Stream, classify, fault_of};
use crate::probes::{Context, Fault, Reason, clean};
use regex_lite::Regex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout_at;

/// A connection and what has come over it and has not been taken yet.
pub(super) struct Dialogue {
    stream: Box<dyn Stream>,
    pending: Vec<u8>,
    /// The beginning of all that came, for messages.
    first: Vec<u8>,
}

/// How waiting for something ended without it.
enum Missing {
    Closed,
    Late,
    TooLong,
    Broken(Fault),
}

impl Dialogue {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, pending: Vec::new(), first: Vec::new() }
    }

    /// The stream, for a handshake. What came before it must have been taken: bytes sent ahead of the handshake could be anybody's.
    pub(super) fn into_stream(self) -> Result<Box<dyn Stream>, Fault> {
        if self.pending.is_empty() {
            return Ok(self.stream);
        }
        Err(Fault::new(Reason::Body, "the peer went on talking in plain text after `starttls`"))
    }

    /// Does one step: waits for what is expected, then sends.
    pub(super) async fn hold(&mut self, cx: &mut Context<'_>, step: &Step) -> Result<(), Fault> {
        let mut send = step.send.as_ref().map(|send| send.expose().to_owned());
        if let Some(pattern) = &step.expect {
            let line = self.line(cx, pattern).await.map_err(|missing| {
                cx.measure(FAILED_REGEX.is(1.0));
                self.fault(missing, &format!("no line matches `{pattern}`"))
            })?;
            let found = pattern.captures(&line);
            let fill = |template: &str| {
                let mut text = String::new();
                found.iter().for_each(|found| found.expand(template, &mut text));
                text
            };
            for label in &step.labels {
                cx.measure(EXPECT.with([&*label.name, &clean(&fill(&label.value))], 1.0));
            }
            send = send.map(|send| fill(&send));
        }
        if let Some(bytes) = &step.expect_bytes {
            self.bytes(cx, bytes).await.map_err(|missing| {
                cx.measure(FAILED_BYTES.is(1.0));
                self.fault(missing, &format!("the bytes `{}` did not come", clean(&String::from_utf8_lossy(bytes))))
            })?;
        }
        let Some(send) = send else { return Ok(()) };
        let sending = self.stream.write_all(format!("{send}\n").as_bytes()).await;
        sending.map_err(|error| fault_of(&error, "send to the peer"))
    }

    /// The first line that matches; those before it are passed over, as in blackbox. The last may lack its line feed.
    async fn line(&mut self, cx: &Context<'_>, pattern: &Regex) -> Result<String, Missing> {
        loop {
            while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                if pattern.is_match(&line) {
                    return Ok(line);
                }
            }
            if let Err(missing) = self.more(cx).await {
                let rest = String::from_utf8_lossy(&std::mem::take(&mut self.pending)).into_owned();
                return if matches!(missing, Missing::Closed) && pattern.is_match(&rest) {
                    Ok(rest)
                } else {
                    Err(missing)
                };
            }
        }
    }

    async fn bytes(&mut self, cx: &Context<'_>, wanted: &[u8]) -> Result<(), Missing> {
        loop {
            if let Some(at) = position(&self.pending, wanted) {
                self.pending.drain(..at + wanted.len());
                return Ok(());
            }
            self.more(cx).await?;
        }
    }

    async fn more(&mut self, cx: &Context<'_>) -> Result<(), Missing> {
        if self.pending.len() >= limits::DIALOGUE_BYTES {
            return Err(Missing::TooLong);
        }
        let mut piece = [0; 4096];
        let read = timeout_at(cx.deadline, self.stream.read(&mut piece)).await.map_err(|_elapsed| Missing::Late)?;
        let length = read.map_err(|error| Missing::Broken(fault_of(&error, "read from the peer")))?;
        let came = piece.get(..length).unwrap_or_default();
        self.pending.extend_from_slice(came);
        self.first.extend(came.iter().take(limits::FIRST_BYTES.saturating_sub(self.first.len())));
        if came.is_empty() { Err(Missing::Closed) } else { Ok(()) }
    }

    fn fault(&self, missing: Missing, what: &str) -> Fault {
        let begins: String = clean(&String::from_utf8_lossy(&self.first)).chars().take(60).collect();
        let said = match classify(&self.first) {
            _ if self.first.is_empty() => "it said nothing".to_owned(),
            Some(spoken) => format!("it speaks {spoken}: `{begins}`"),
            None => format!("it said `{begins}`"),
        };
        match missing {
            Missing::Closed => {
                Fault::new(Reason::Body, format!("{what} before the peer closed the connection; {said}"))
            }
            Missing::TooLong => Fault::new(Reason::Body, format!("{what} in the first 64 KiB; {said}")),
            Missing::Late => Fault::new(Reason::Timeout, format!("{what} in time; {said}")),
            Missing::Broken(fault) => fault,
        }
    }
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    text.windows(wanted.len()).position(|window| window == wanted)
}
