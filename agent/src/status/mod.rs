//! `agent status`: asks `/health` of many agents at once and shows them side by side, once or again and again.
//! The rendering is pure; what is asked, and when, is decided here. What must stay true: the rows come in the order given, each
//! sidecar costs nobody else more than its own deadline, and no answer is never a good one.

mod address;
mod json;
mod page;
mod screen;
mod table;
#[cfg(test)]
mod tests;

pub use screen::Screen;

use crate::exit::Exit;
use crate::paint::Paint;
use crate::probes::http::{Fetched, fetch};
use crate::probes::net::Net;
use crate::probes::{Fault, Reason};
use crate::secret::veiled;
use crate::{clock, limits};
use address::Address;
use futures_util::StreamExt as _;
use page::Page;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How the answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs: one object, and with `--watch` one a line.
    Json,
}

/// What to ask, and for how long.
#[derive(Debug)]
pub struct Plan {
    sidecars: Vec<Address>,
    timeout: Duration,
    ca_file: Option<PathBuf>,
    net: Net,
}

/// A sidecar and what came of asking it.
#[derive(Debug)]
struct Row {
    address: Address,
    took: Duration,
    answer: Answer,
}

#[derive(Debug)]
enum Answer {
    /// An agent's page, as read and as it came.
    Page { status: u16, page: Page, body: serde_json::Value },
    /// Anything else, or nothing.
    None(Fault),
}

/// All sidecars at one moment.
#[derive(Debug)]
pub struct Round {
    rows: Vec<Row>,
    at: SystemTime,
}

impl Plan {
    /// Reads the addresses; one that is written twice is asked once.
    ///
    /// # Errors
    /// Every address that is none, with what to write; also when there are none or too many.
    pub fn new(written: &[String], timeout: Duration, ca_file: Option<PathBuf>) -> Result<Self, Vec<String>> {
        let (mut sidecars, mut wrong) = (Vec::<Address>::new(), Vec::new());
        for text in written {
            match address::parse(text) {
                Ok(one) if sidecars.contains(&one) => {}
                Ok(one) => sidecars.push(one),
                Err(why) => wrong.push(refusal(text, &why)),
            }
        }
        if sidecars.len() > limits::STATUS_SIDECARS {
            wrong.push(format!("{} sidecars are too many, at most {}", sidecars.len(), limits::STATUS_SIDECARS));
        }
        if wrong.is_empty() { Ok(Self { sidecars, timeout, ca_file, net: Net::default() }) } else { Err(wrong) }
    }

    /// Asks all of them, [`limits::STATUS_AT_ONCE`] at a time, each under its own deadline.
    pub async fn ask(&self) -> Round {
        let asking = self.sidecars.iter().map(|address| async move {
            let began = clock::now();
            let answer = Answer::of(fetch(&self.net, &address.target, self.ca_file.clone(), self.timeout).await);
            Row { address: address.clone(), took: clock::now().duration_since(began), answer }
        });
        let rows = futures_util::stream::iter(asking).buffered(limits::STATUS_AT_ONCE).collect().await;
        Round { rows, at: clock::wall() }
    }
}

/// What is wrong with an address, and which one; what stands before an `@` may be a password, with a scheme or without.
fn refusal(text: &str, why: &str) -> String {
    let text =
        text.rsplit_once('@').filter(|_| !text.contains("//")).map_or_else(|| veiled(text), |(_, host)| host.into());
    let (message, hint) =
        why.split_once('\n').map_or((why, String::new()), |(message, hint)| (message, format!("\n{hint}")));
    format!("{message}\n  at `{text}`{hint}")
}

impl Answer {
    fn of(fetched: Result<Fetched, Fault>) -> Self {
        match fetched {
            Ok(Fetched { status, body }) => match (Page::read(&body), serde_json::from_slice(&body)) {
                (Some(page), Ok(body)) => Self::Page { status, page, body },
                _ => Self::None(stranger(status)),
            },
            Err(fault) => Self::None(fault),
        }
    }
}

/// The fault of an answer that no agent gave. What it says is not repeated: it may be anything.
fn stranger(status: u16) -> Fault {
    match status {
        401 | 403 => Fault::new(Reason::Auth, format!("answered status {status}: it wants credentials"))
            .hint("its web configuration has users: write `https://user:password@host`"),
        404 => Fault::new(Reason::Status, "answered status 404: there is no `/health`")
            .hint("is it an agent that listens there?"),
        _ => Fault::new(Reason::Body, format!("answered status {status} with something that is no agent's `/health`"))
            .hint("is it an agent that listens there?"),
    }
}

/// The state of a row in one word, for people and programs.
fn state(answer: &Answer) -> &str {
    match answer {
        Answer::Page { page, .. } => &page.status,
        Answer::None(fault) => match fault.reason {
            Reason::Dns => "unknown name",
            Reason::Refused => "refused",
            Reason::Unreachable => "unreachable",
            Reason::Timeout => "silent",
            Reason::Tls | Reason::Certificate => "no trust",
            Reason::Auth => "locked",
            _ => "no agent",
        },
    }
}

/// Whether the service behind a row may work: what its `/health` answers 200 for, healthy or degraded.
fn works(answer: &Answer) -> bool {
    matches!(answer, Answer::Page { status: 200..=299, page, .. } if matches!(page.status.as_str(), "healthy" | "degraded"))
}

impl Round {
    /// Good when every service may work.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.rows.iter().all(|row| works(&row.answer)) { Exit::Good } else { Exit::BadNews }
    }

    /// The round as text, with its last line break; a table is at most `width` characters wide.
    #[must_use]
    pub fn text(&self, format: Format, paint: Paint, width: Option<usize>) -> String {
        match format {
            Format::Table => table::render(self, paint, width),
            Format::Json => json::render(self),
        }
    }
}
