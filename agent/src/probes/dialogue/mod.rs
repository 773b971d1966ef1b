//! A dialogue over a connection, shared by the kinds that hold one: lines and bytes are looked for in what the peer says.
//! It knows no protocol, but for the changes to TLS of [`starttls`]. What must stay true: what the peer says is kept only up to its
//! cap, and nothing that came before a handshake is taken for something that came inside.

pub(super) mod starttls;
mod steps;

use crate::limits;
use crate::probes::net::{Stream, Tls, classify, fault_of, handshake};
use crate::probes::{Context, Detail, Fault, Key, Reason, clean};
use crate::reading::{Metric, Type};
use crate::units::human_bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout_at;

pub(super) use steps::{Step, StepParams};

pub(super) static FAILED_REGEX: Metric =
    Metric::gauge("probe_failed_due_to_regex", "1 when the check failed because of a regular expression, else 0");
pub(super) static FAILED_BYTES: Metric =
    Metric::gauge("probe_failed_due_to_bytes", "1 when the check failed because expected bytes did not come, else 0");
pub(super) static EXPECT: Metric = Metric::gauge(
    "sidecar_expect_info",
    "What a dialogue was told to take from the peer's answer, one series a label of `query_response`",
)
.of(Type::Info)
.labelled(&["name", "value"]);

/// The key that holds the steps.
pub(super) const QUERY_RESPONSE: Key = Key {
    name: "query_response",
    form: "list of mappings: expect, expect_bytes, labels, send, starttls",
    default: "",
    doc: "A dialogue after connecting. Each step waits for a line that matches `expect`, or for `expect_bytes`, then sends `send` \
          and a line feed (`${1}` stands for what the pattern's first group found), then changes to TLS if `starttls`. `labels` \
          (name, value) become `sidecar_expect_info`.",
};

/// Holds a dialogue to its end, in phase `dialogue`; `host` is the name that a certificate must have.
pub(super) async fn hold(
    cx: &mut Context<'_>,
    stream: Box<dyn Stream>,
    steps: &[Step],
    host: &str,
    tls: &Tls,
) -> Result<(), Fault> {
    if steps.is_empty() {
        return Ok(());
    }
    cx.phase("dialogue");
    let mut dialogue = Dialogue::new(stream);
    for step in steps {
        dialogue.hold(cx, step).await?;
        if step.starttls {
            let session = handshake(cx, dialogue.into_stream()?, host, tls).await?;
            dialogue = Dialogue::new(Box::new(session));
            cx.phase("dialogue");
        }
    }
    cx.end_phase();
    Ok(())
}

/// A connection and what has come over it and has not been taken yet.
pub(super) struct Dialogue {
    stream: Box<dyn Stream>,
    pending: Vec<u8>,
    /// The beginning of all that came, for messages.
    first: Vec<u8>,
    /// How much came.
    came: usize,
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
        Self { stream, pending: Vec::new(), first: Vec::new(), came: 0 }
    }

    /// The stream, for a handshake. What came before it must have been taken: bytes sent ahead of the handshake could be anybody's.
    pub(super) fn into_stream(self) -> Result<Box<dyn Stream>, Fault> {
        if self.pending.is_empty() {
            return Ok(self.stream);
        }
        Err(Fault::new(Reason::Body, "the peer went on talking in plain text after `starttls`"))
    }

    /// The next line, without its end.
    pub(super) async fn next_line(&mut self, cx: &Context<'_>) -> Result<String, Fault> {
        let any = self.line(cx, |_| true).await;
        any.map_err(|missing| self.fault(missing, "no line came"))
    }

    /// The next `count` bytes, as they are.
    pub(super) async fn next_bytes(&mut self, cx: &Context<'_>, count: usize) -> Result<Vec<u8>, Fault> {
        while self.pending.len() < count {
            self.more(cx).await.map_err(|missing| self.fault(missing, &format!("{count} bytes did not come")))?;
        }
        Ok(self.pending.drain(..count).collect())
    }

    /// Sends bytes as they are.
    pub(super) async fn say(&mut self, words: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(words).await.map_err(|error| fault_of(&error, "send to the peer"))
    }

    /// The beginning of all that came.
    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }

    /// Does one step: waits for what is expected, then sends.
    async fn hold(&mut self, cx: &mut Context<'_>, step: &Step) -> Result<(), Fault> {
        let mut send = step.send.as_ref().map(|send| send.expose().to_owned());
        if let Some(pattern) = &step.expect {
            let line = self.line(cx, |line| pattern.is_match(line)).await.map_err(|missing| {
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
        match send {
            Some(send) => self.say(format!("{send}\n").as_bytes()).await,
            None => Ok(()),
        }
    }

    /// The first line that matches; those before it are passed over, as in blackbox. The last may lack its line feed.
    async fn line(&mut self, cx: &Context<'_>, wanted: impl Fn(&str) -> bool) -> Result<String, Missing> {
        loop {
            while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                if wanted(&line) {
                    return Ok(line);
                }
            }
            if let Err(missing) = self.more(cx).await {
                let rest = String::from_utf8_lossy(&std::mem::take(&mut self.pending)).into_owned();
                let ended = matches!(missing, Missing::Closed) && !rest.is_empty();
                return if ended && wanted(&rest) { Ok(rest) } else { Err(missing) };
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
        if self.pending.len() >= limits::DIALOGUE_BYTES || self.came >= limits::DIALOGUE_RUN_BYTES {
            return Err(Missing::TooLong);
        }
        let mut piece = [0; 4096];
        let read = timeout_at(cx.deadline, self.stream.read(&mut piece)).await.map_err(|_elapsed| Missing::Late)?;
        let length = read.map_err(|error| Missing::Broken(fault_of(&error, "read from the peer")))?;
        let came = piece.get(..length).unwrap_or_default();
        self.came += length;
        self.pending.extend_from_slice(came);
        self.first.extend(came.iter().take(limits::FIRST_BYTES.saturating_sub(self.first.len())));
        if came.is_empty() { Err(Missing::Closed) } else { Ok(()) }
    }

    fn fault(&self, missing: Missing, what: &str) -> Fault {
        let text = String::from_utf8_lossy(&self.first);
        let begins: String = clean(&text).chars().take(60).collect();
        let said = match classify(&self.first) {
            _ if self.first.is_empty() => "it said nothing".to_owned(),
            Some(spoken) => format!("it speaks {spoken}: `{begins}`"),
            None => format!("it said `{begins}`"),
        };
        match missing {
            Missing::Closed => {
                Fault::new(Reason::Body, format!("{what} before the peer closed the connection; {said}"))
            }
            Missing::TooLong => {
                Fault::new(Reason::Body, format!("{what} in the first {}; {said}", human_bytes(self.came as u64)))
            }
            Missing::Late => Fault::new(Reason::Timeout, format!("{what} in time; {said}")).exactly(Detail::NoAnswer),
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
