//! The files of a page: fetched right behind the document, and with it one request in the books.

use super::{Last, Runner, redirect, same_origin};
use crate::clock;
use crate::http::{Request, Timings, TransportError};
use crate::journey::fault::{Cause, Fault, transport_class};
use crate::journey::options::{Follow, Options};
use crate::journey::page::{self, Linked};
use crate::journey::received::Received;
use crate::journey::request::{self, Rendered};
use crate::journey::value::cut;
use crate::limits::{PAGE_FILES, PAGE_REDIRECTS, PAGE_TIME};
use crate::measure::Failure;
use bytes::Bytes;
use http::Method;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use url::Url;

/// What came beside a page's document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PageLoad {
    /// Files of its own origin that were asked for.
    pub files: usize,
    /// Files of other origins, which were not.
    pub elsewhere: usize,
}

impl fmt::Display for PageLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.files, if self.files == 1 { "file" } else { "files" })?;
        match self.elsewhere {
            0 => Ok(()),
            left_out => write!(f, " ({left_out} of other origins left out)"),
        }
    }
}

/// A page's document: where it came from, where its entry was sent, and how.
pub(super) struct Document<'a> {
    pub(super) url: Arc<Url>,
    pub(super) origin: Arc<Url>,
    pub(super) options: &'a Options,
}

/// What a document links; nothing where it is no page.
pub(super) fn links(document: &Received) -> Option<Result<Linked, Cause>> {
    let shown = document.response.status < 400 && page::is_page(document);
    shown.then(|| Ok(page::linked(document.bytes()?, &document.url)))
}

impl Runner<'_> {
    /// Fetches what a page links; the time and the bytes of it are the document's from then on. The fault, if a file is missing.
    pub(super) async fn page(
        &mut self,
        document: Document<'_>,
        links: Result<Linked, Cause>,
        last: &mut Last,
    ) -> Option<Fault> {
        let place = request::place(self.entry);
        let links = match links {
            Ok(links) => links,
            Err(cause) => return Some(Fault::error(place, cause)),
        };
        let (mut load, mut bytes) = (PageLoad { files: 0, elsewhere: links.elsewhere }, last.bytes);
        let files = self.files(&document, links.files, (&mut load, &mut bytes));
        let done = tokio::time::timeout(PAGE_TIME, files).await;
        (last.page, last.bytes) = (Some(load), bytes);
        if let (true, Some(sent)) = (load.files > 0, last.sent) {
            let total = clock::now().saturating_duration_since(sent);
            last.timings = last.timings.map(|timings| Timings { total, ..timings });
        }
        let late = || Err(Cause::Transport(TransportError::Timeout(PAGE_TIME)));
        done.unwrap_or_else(|_| late()).err().map(|cause| Fault::error(place, cause))
    }

    async fn files(
        &mut self,
        document: &Document<'_>,
        mut wanted: Vec<Url>,
        (load, bytes): (&mut PageLoad, &mut u64),
    ) -> Result<(), Cause> {
        let mut seen: HashSet<Url> = wanted.iter().cloned().collect();
        let mut faults = vec![];
        for _ in 0..=PAGE_REDIRECTS {
            load.files += wanted.len();
            if let Some(beyond) = wanted.first().filter(|_| load.files > PAGE_FILES) {
                return Err(missing(beyond, format!("the page links more than {PAGE_FILES} files"), Failure::Protocol));
            }
            if wanted.is_empty() {
                break;
            }
            for url in self.fetch(document, std::mem::take(&mut wanted), (bytes, &mut faults)).await? {
                match url.origin() == document.url.origin() {
                    true if seen.insert(url.clone()) => wanted.push(url),
                    true => {}
                    false => load.elsewhere += 1,
                }
            }
        }
        if let Some(url) = wanted.first() {
            faults.push(missing(url, format!("more than {PAGE_REDIRECTS} redirects"), Failure::Protocol));
        }
        faults.into_iter().next().map_or(Ok(()), Err)
    }

    /// One round: the files asked for, and where redirects lead from them.
    async fn fetch(
        &mut self,
        document: &Document<'_>,
        wanted: Vec<Url>,
        (bytes, faults): (&mut u64, &mut Vec<Cause>),
    ) -> Result<Vec<Url>, Cause> {
        let requests = wanted.iter().map(|url| self.file(document, url)).collect::<Result<Vec<_>, Cause>>()?;
        let mut next = vec![];
        for (url, came) in wanted.into_iter().zip(self.transport.send_all(requests).await) {
            let fetched = match came {
                Ok(fetched) => fetched,
                Err(error) => {
                    faults.push(missing(&url, error.to_string(), transport_class(&error)));
                    continue;
                }
            };
            *bytes += fetched.bytes;
            let received = Received::new(Arc::new(url), fetched.response);
            self.keep_cookies(&received);
            match (received.response.status, redirect(&received, Follow::Careful)) {
                (status @ 400.., _) => {
                    faults.push(missing(&received.url, format!("status {status}"), Failure::Status));
                }
                (_, Ok(moved)) => next.extend(moved),
                (_, Err(cause)) => faults.push(missing(&received.url, cause.to_string(), Failure::Protocol)),
            }
        }
        Ok(next)
    }

    /// The request for a file: with the cookies, the plan's headers and the user of the document, and without the headers that
    /// the entry has for its document.
    fn file(&self, document: &Document<'_>, url: &Url) -> Result<Request, Cause> {
        let options = document.options;
        let trusted = options.follow == Follow::Trusting || same_origin(&document.origin, url);
        let url = Arc::new(url.clone());
        let rendered = Rendered::plain(Method::GET, Arc::clone(&url));
        let headers = rendered.head(&url, options, self.session, trusted)?;
        // Nobody else holds the URL, or the transport would keep its wire form for the next time.
        drop(rendered);
        Ok(Request { method: Method::GET, url, headers, body: Bytes::new(), options: Arc::clone(&options.wire) })
    }
}

fn missing(file: &Url, why: String, class: Failure) -> Cause {
    Cause::PageFile { file: cut(file.path()).into_owned(), why, class }
}
