//! A journey: what its steps are, and what a user does one after the other.

use super::entry::{Entry, HurlFile};
use super::websocket::WebSocketStep;

/// A journey: steps that share variables and cookies.
#[derive(Debug)]
pub struct Journey {
    /// Its name, for people.
    pub name: String,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// A step of a journey.
#[derive(Debug)]
pub enum Step {
    /// A file of entries.
    File(HurlFile),
    /// A WebSocket.
    WebSocket(Box<WebSocketStep>),
}

/// One thing that a user does.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// An entry of a file.
    Entry(&'a Entry),
    /// A WebSocket, from opening to closing it.
    WebSocket(&'a WebSocketStep),
}

impl Journey {
    /// Its files, in order.
    pub fn files(&self) -> impl Iterator<Item = &HurlFile> {
        self.steps.iter().filter_map(|step| match step {
            Step::File(file) => Some(file),
            Step::WebSocket(_) => None,
        })
    }

    /// Whether some of its entries are page loads, with several connections at once.
    #[must_use]
    pub fn has_pages(&self) -> bool {
        self.files().flat_map(|file| &file.entries).any(|entry| entry.page)
    }

    /// All that a user does, in order.
    pub fn acts(&self) -> impl Iterator<Item = Act<'_>> {
        self.steps.iter().flat_map(|step| {
            let (entries, socket) = match step {
                Step::File(file) => (file.entries.as_slice(), None),
                Step::WebSocket(socket) => (&[][..], Some(Act::WebSocket(socket))),
            };
            entries.iter().map(Act::Entry).chain(socket)
        })
    }

    /// Names and routes of its requests, in order.
    pub fn requests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.acts().flat_map(|act| {
            let (first, second) = match act {
                Act::Entry(entry) => ((entry.name.as_str(), entry.route.as_str()), None),
                Act::WebSocket(step) => {
                    let route = step.route.as_str();
                    ((step.opening.as_str(), route), Some((step.name.as_str(), route)))
                }
            };
            [first].into_iter().chain(second)
        })
    }

    /// What was written, step after step.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| match step {
            Step::File(file) => file.source.text.as_str(),
            Step::WebSocket(socket) => socket.written.as_str(),
        })
    }
}

impl Act<'_> {
    /// Its name in messages: that of its requests.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Entry(entry) => &entry.name,
            Self::WebSocket(step) => &step.name,
        }
    }

    /// Where it is written: file and line.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Entry(entry) => format!("{}:{}", entry.source.name, entry.span.line),
            Self::WebSocket(step) => step.place.clone(),
        }
    }
}
