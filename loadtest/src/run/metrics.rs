//! `--metrics-listen`: a page for Prometheus while the run goes on. A few lines of HTTP, for it has one page and its readers are
//! scrapers: one request a connection, a head of a few KiB within seconds, a handful of connections at once. The page is made at most
//! once a second, whoever asks how often: adding up histograms takes time from the users' threads.

use crate::clock;
use crate::engine::Control;
use crate::limits::{SCRAPE_EVERY, SCRAPE_HEAD, SCRAPE_TIME, SCRAPES};
use crate::problem::{Problem, why};
use crate::report::{self, ScrapeMoment};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};

/// A port that is taken, before the first request.
pub(super) struct Metrics(TcpListener);

impl Metrics {
    /// Listens at an address such as `127.0.0.1:9646` or `:9646`, which is every address of this machine.
    pub(super) async fn listen(address: &str) -> Result<Self, Problem> {
        let whole = if address.starts_with(':') { format!("0.0.0.0{address}") } else { address.to_owned() };
        let parsed: SocketAddr = whole.parse().map_err(|_| {
            Problem::new(format!("`{address}` is not an address to listen at"))
                .at("--metrics-listen")
                .hint("write it like `127.0.0.1:9646`, or `:9646` for every address of this machine")
        })?;
        let listener = TcpListener::bind(parsed).await.map_err(|error| {
            Problem::new(format!("cannot listen at `{address}`: {}", why(&error)))
                .at("--metrics-listen")
                .hint("name a free port; 0 takes any")
        })?;
        Ok(Self(listener))
    }

    /// Where it listens, for people.
    pub(super) fn said(&self) -> String {
        self.0.local_addr().map_or(String::new(), |address| format!("metrics at http://{address}/metrics"))
    }

    /// Answers until it is dropped with the run.
    pub(super) async fn serve<T>(self, control: &Control, moment: impl Fn() -> ScrapeMoment) -> T {
        let (places, page) = (Arc::new(Semaphore::new(SCRAPES)), Arc::new(Mutex::new(Page::default())));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return std::future::pending().await };
            let Ok((connection, _)) = self.0.accept().await else {
                // No descriptor is free: later perhaps.
                tokio::time::sleep(SCRAPE_EVERY).await;
                continue;
            };
            let (control, moment, page) = (control.clone(), moment(), Arc::clone(&page));
            tokio::spawn(async move {
                // A scraper that is slow or gone is no affair of the run.
                let _ = timeout(SCRAPE_TIME, answer(connection, &control, &moment, &page)).await;
                drop(place);
            });
        }
    }
}

/// The page as it was made last.
#[derive(Default)]
struct Page {
    text: String,
    made: Option<Instant>,
}

async fn answer(
    mut connection: TcpStream,
    control: &Control,
    moment: &ScrapeMoment,
    page: &Mutex<Page>,
) -> std::io::Result<()> {
    let head = head(&mut connection).await?;
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, body) = match (method, path.split('?').next().unwrap_or_default()) {
        ("GET" | "HEAD", "/metrics") => ("200 OK", fresh(control, moment, page).await),
        ("GET" | "HEAD", _) => ("404 Not Found", "the page is /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "GET /metrics\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        connection.write_all(body.as_bytes()).await?;
    }
    connection.shutdown().await
}

/// The first line of a request, once its head is whole.
async fn head(connection: &mut TcpStream) -> std::io::Result<String> {
    let (mut head, mut buffer) = (Vec::new(), [0; 1024]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = connection.read(&mut buffer).await?;
        if read == 0 || head.len() + read > SCRAPE_HEAD {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        head.extend(buffer.iter().take(read));
    }
    let text = String::from_utf8_lossy(&head);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

async fn fresh(control: &Control, moment: &ScrapeMoment, page: &Mutex<Page>) -> String {
    let mut page = page.lock().await;
    let now = clock::now();
    if page.made.is_none_or(|made| now - made >= SCRAPE_EVERY) {
        // Not on a thread that users need.
        let (control, moment) = (control.clone(), moment.clone());
        let made = tokio::task::spawn_blocking(move || report::to_exposition(&control.finished(), &moment));
        page.text = made.await.unwrap_or_default();
        page.made = Some(now);
    }
    page.text.clone()
}
