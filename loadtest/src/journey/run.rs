//! Runs an entry: options, request, redirects, captures, asserts, repetitions and retries, in Hurl's order.
//!
//! A run is cancelled by dropping its future: nothing is left behind but what the session already holds.

mod files;

pub use files::PageLoad;

use super::entry::{Entry, OptionsSpec};
use super::fault::{Cause, Fault};
use super::judge;
use super::options::{Follow, Options};
use super::received::Received;
use super::request::{self, Rendered};
use super::session::Session;
use crate::clock;
use crate::http::{HttpVersion, Request, Timings, Transport, TransportError};
use crate::measure::Failure;
use http::Method;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// One request that was sent, or could not be, as the books want it.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The entry it belongs to.
    pub entry: &'a Entry,
    /// 0 for the entry's own request, then one more for each redirect.
    pub hop: usize,
    /// The status; none without a response.
    pub status: Option<u16>,
    /// Where the time went; none when nothing was sent, and only the total when no response came.
    pub timings: Option<Timings>,
    /// Bytes of body received, still encoded.
    pub bytes: u64,
    /// Whether the answer came over HTTP/2.
    pub http2: bool,
    /// Why it counts as an error: the faults of an entry belong to its last exchange.
    pub fault: Option<&'a Fault>,
    /// What came with the document of a page.
    pub page: Option<PageLoad>,
    /// Whether the entry is tried again: then a failed assert is part of waiting, not an error.
    pub retried: bool,
}

impl Exchange<'_> {
    /// Why it counts as an error, if it does.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.fault.map(Fault::class)
    }
}

/// Hears of every exchange as soon as it is judged.
pub trait Observer: Send {
    /// One more.
    fn exchange(&mut self, exchange: &Exchange<'_>);
}

/// How an entry ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What went wrong in the last attempt; empty when it passed.
    pub faults: Vec<Fault>,
    /// Whether it was left out.
    pub skipped: bool,
    /// Attempts made, over all repetitions.
    pub attempts: usize,
}

impl Outcome {
    /// Whether the journey goes on.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.faults.is_empty()
    }
}

/// What an entry runs against.
struct Runner<'a> {
    entry: &'a Entry,
    session: &'a mut Session,
    transport: &'a mut dyn Transport,
    observer: &'a mut dyn Observer,
}

/// What the books need of the last exchange, which is reported only when the asserts have been judged.
#[derive(Default)]
struct Last {
    hop: usize,
    status: Option<u16>,
    timings: Option<Timings>,
    bytes: u64,
    http2: bool,
    /// When it was sent.
    sent: Option<Instant>,
    page: Option<PageLoad>,
    /// What a file of the page lacked.
    lacks: Option<Fault>,
}

/// Runs one entry for one user, with all its repetitions and retries.
pub async fn run_entry(
    entry: &Entry,
    session: &mut Session,
    transport: &mut dyn Transport,
    observer: &mut dyn Observer,
) -> Outcome {
    Runner { entry, session, transport, observer }.run().await
}

impl Runner<'_> {
    async fn run(&mut self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut repetitions = 0;
        loop {
            let options = match self.options() {
                Ok(options) => options,
                Err(fault) => {
                    outcome.faults = vec![fault];
                    self.report(&Last::default(), &outcome.faults, false);
                    return outcome;
                }
            };
            if options.skip || options.repeat == Some(Some(0)) {
                outcome.skipped = repetitions == 0;
                return outcome;
            }
            pause(options.delay).await;
            outcome.faults = self.attempts(&options, &mut outcome.attempts).await;
            repetitions += 1;
            let done = options.repeat.unwrap_or(Some(1)).is_some_and(|repeat| repetitions >= repeat);
            if done || !outcome.passed() {
                return outcome;
            }
        }
    }

    fn options(&mut self) -> Result<Arc<Options>, Fault> {
        match &self.entry.options {
            OptionsSpec::Default(options) => Ok(self.session.defaults.or(options)),
            OptionsSpec::Settings(settings) => {
                Options::evaluate(settings, self.session, &self.entry.source.root).map(Arc::new)
            }
        }
    }

    /// Tries until it passes or the tries are used up; the faults of the last try.
    async fn attempts(&mut self, options: &Options, attempts: &mut usize) -> Vec<Fault> {
        let mut retries = 0;
        loop {
            let mut last = Last::default();
            let mut faults = match self.attempt(options, &mut last).await {
                Ok(hops) => judge::judge(self.entry, self.session, &hops, options.coerce),
                Err(fault) => vec![fault],
            };
            faults.extend(last.lacks.take());
            *attempts += 1;
            let more = options.retry.is_some_and(|limit| limit.is_none_or(|limit| retries < limit));
            let retried = !faults.is_empty() && more;
            self.report(&last, &faults, retried);
            if !retried {
                return faults;
            }
            retries += 1;
            pause(options.retry_interval).await;
        }
    }

    fn report(&mut self, last: &Last, faults: &[Fault], retried: bool) {
        let Last { hop, status, timings, bytes, http2, page, .. } = *last;
        // Wrong data is graver than whatever else an assert found.
        let fault = faults.iter().find(|fault| fault.class() == Failure::Data).or_else(|| faults.first());
        let entry = self.entry;
        self.observer.exchange(&Exchange { entry, hop, status, timings, bytes, http2, fault, page, retried });
    }

    /// Sends the request and follows redirects: every response, the last one last.
    async fn attempt(&mut self, options: &Options, last: &mut Last) -> Result<Vec<Received>, Fault> {
        let place = request::place(self.entry);
        self.session.cookies.prepare(&self.entry.storage, Session::now());
        let mut rendered = Rendered::new(self.entry, self.session.scope(&self.entry.source.root))?;
        let (origin, mut url, mut method) =
            (Arc::clone(&rendered.url), Arc::clone(&rendered.url), rendered.method.clone());
        let mut hops: Vec<Received> = vec![];
        loop {
            let trusted = options.follow == Follow::Trusting || hops.is_empty() || same_origin(&origin, &url);
            let headers = rendered.head(&url, options, self.session, trusted).map_err(|c| Fault::error(place, c))?;
            let request = Request {
                method: method.clone(),
                url: Arc::clone(&url),
                headers,
                body: rendered.body.clone(),
                options: Arc::clone(&options.wire),
            };
            let received = self.send(request, last).await.map_err(|e| Fault::error(place, Cause::Transport(e)))?;
            let next = redirect(&received, options.follow).map_err(|cause| Fault::error(place, cause))?;
            hops.push(received);
            let Some(next) = next else {
                // In a box of its own: what a page needs would be carried along by every request.
                if let Some(links) = hops.last().filter(|_| self.entry.page).and_then(files::links) {
                    let document = files::Document { url, origin, options };
                    last.lacks = Box::pin(self.page(document, links, last)).await;
                }
                return Ok(hops);
            };
            if hops.len() > options.redirects_max {
                return Err(Fault::error(place, Cause::TooManyRedirects(options.redirects_max)));
            }
            self.report(last, &[], false);
            last.hop += 1;
            if matches!(hops.last(), Some(hop) if (301..=303).contains(&hop.response.status)) && method != Method::GET {
                method = Method::GET;
                rendered.without_body();
            }
            url = Arc::new(next);
        }
    }

    async fn send(&mut self, request: Request, last: &mut Last) -> Result<Received, TransportError> {
        let url = Arc::clone(&request.url);
        let start = clock::now();
        *last = Last { hop: last.hop, sent: Some(start), ..Last::default() };
        match self.transport.send(request).await {
            Ok(response) => {
                last.status = Some(response.status);
                last.timings = Some(response.timings);
                last.bytes = response.body.len() as u64;
                last.http2 = response.version == HttpVersion::Http2;
                let received = Received::new(url, response);
                self.keep_cookies(&received);
                Ok(received)
            }
            Err(error) => {
                let total = clock::now().saturating_duration_since(start);
                last.timings = Some(Timings { total, ..Timings::default() });
                Err(error)
            }
        }
    }

    fn keep_cookies(&mut self, received: &Received) {
        let mut headers = received.headers("set-cookie").peekable();
        if headers.peek().is_some() {
            let now = Session::now();
            headers.for_each(|header| self.session.cookies.take(&header, &received.url, now));
        }
    }
}

/// Where the response sends us, when we follow.
fn redirect(received: &Received, follow: Follow) -> Result<Option<Url>, Cause> {
    if follow == Follow::No || !(300..400).contains(&received.response.status) {
        return Ok(None);
    }
    let Some(location) = received.headers("location").next() else { return Ok(None) };
    let bad = |reason: String| Cause::Url { url: location.to_string(), reason };
    let url = received.url.join(&location).map_err(|error| bad(format!("the redirect leads nowhere: {error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(Some(url)),
        scheme => Err(bad(format!("the redirect leads to `{scheme}`"))),
    }
}

pub(super) fn same_origin(one: &Url, two: &Url) -> bool {
    one.scheme() == two.scheme()
        && one.host() == two.host()
        && one.port_or_known_default() == two.port_or_known_default()
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

#[cfg(test)]
mod tests;
