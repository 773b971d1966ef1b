//! Asks the sidecars once a second, each in a task of its own, so that a slow one delays nobody. The tasks end with the watch.

use super::figures::wanted;
use super::page::Page;
use super::reader::Reader;
use super::{Evidence, Service, Sidecar};
use crate::http::{Client, Network, Request, RequestOptions, Response, Transport, basic, user_of};
use crate::{clock, limits};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// A watch on all sidecars; it ends when dropped.
pub struct Watch {
    begun: Instant,
    books: Vec<Arc<Mutex<Service>>>,
    _tasks: JoinSet<()>,
}

/// Begins to ask.
#[must_use]
pub fn watch(sidecars: &[Sidecar], network: &Arc<Network>) -> Watch {
    let begun = clock::now();
    let (mut books, mut tasks) = (Vec::new(), JoinSet::new());
    for sidecar in sidecars {
        let service = Arc::new(Mutex::new(Service::new(&sidecar.name)));
        tasks.spawn(ask(sidecar.clone(), Client::new(Arc::clone(network)), Arc::clone(&service), begun));
        books.push(service);
    }
    Watch { begun, books, _tasks: tasks }
}

impl Watch {
    /// Seconds since it began.
    #[must_use]
    pub fn age(&self) -> f64 {
        clock::now().saturating_duration_since(self.begun).as_secs_f64()
    }

    /// What was told so far, in seconds since the watch began, or since the load began where that moment is known.
    #[must_use]
    pub fn evidence(&self, load: Option<Instant>) -> Evidence {
        let load = load.map_or(0.0, |load| load.saturating_duration_since(self.begun).as_secs_f64());
        let service = |book: &Arc<Mutex<Service>>| {
            let mut service = lock(book).clone();
            service.since(load);
            service
        };
        Evidence { services: self.books.iter().map(service).collect() }
    }
}

async fn ask(sidecar: Sidecar, mut client: Client, book: Arc<Mutex<Service>>, begun: Instant) {
    let (request, wanted) = (request(&sidecar), wanted());
    let mut reader = Reader::default();
    let mut due = begun;
    loop {
        let asked = clock::now();
        let answer = client.send(request.clone()).await.map_err(|error| error.to_string());
        let heard = answer.and_then(|answer| page(&answer, &wanted));
        // The moment of the question: what the page tells was so then, however long the answer took.
        let at = asked.saturating_duration_since(begun).as_secs_f64();
        match heard {
            Ok(page) => {
                let values = reader.read(&page);
                lock(&book).told(at, values);
            }
            Err(why) => lock(&book).silent(at, &why),
        }
        // A beat that was slept through is not made up for.
        due = (due + limits::SIDECAR_EVERY).max(clock::now());
        sleep_until(due).await;
    }
}

fn page(answer: &Response, wanted: &[&'static str]) -> Result<Page, String> {
    if answer.status != 200 {
        let hint = if answer.status == 401 { " (a user and password may stand in its URL)" } else { "" };
        return Err(format!("it answers with status {}{hint}", answer.status));
    }
    Page::read(&String::from_utf8_lossy(&answer.body), wanted).map_err(|error| error.to_string())
}

fn request(sidecar: &Sidecar) -> Request {
    let mut url = sidecar.url.clone();
    let mut headers = http::HeaderMap::new();
    let user = user_of(&url).and_then(|user| http::HeaderValue::from_str(&basic(&user)).ok());
    headers.extend(user.map(|value| (http::header::AUTHORIZATION, value)));
    // Neither can fail for a URL with a host, which a sidecar's has.
    let _ = (url.set_username(""), url.set_password(None));
    headers.insert(http::header::ACCEPT, http::HeaderValue::from_static("text/plain;version=0.0.4"));
    let options = RequestOptions {
        max_time: Some(limits::SIDECAR_TIMEOUT),
        most_body: Some(limits::SIDECAR_BYTES),
        ..RequestOptions::default()
    };
    Request {
        method: http::Method::GET,
        url: Arc::new(url),
        headers,
        body: bytes::Bytes::new(),
        options: Arc::new(options),
    }
}

/// A panic while it was locked leaves a course that is still one.
fn lock(service: &Mutex<Service>) -> MutexGuard<'_, Service> {
    service.lock().unwrap_or_else(PoisonError::into_inner)
}
