//! The target as validators see it: its addresses, its pages (asked once for all of them), and a client that gives up in time and comes
//! again when it is told to come later. Certificates are not verified here, for one validator does just that and the others have their own
//! question; nothing secret is sent.

use super::finding::{Miss, Seen};
use crate::http::{Client, Network, Request, RequestOptions, Response, Transport as _, TransportError};
use crate::limits::{CONNECT_TIMEOUT, VALIDATE_ANSWER, VALIDATE_PAUSE, VALIDATE_REDIRECTS, VALIDATE_TRIES};
use crate::plan::{Plan, Url};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// What validators look at.
pub struct Site<'a> {
    /// What is asked for.
    pub plan: &'a Plan,
    /// The network.
    pub(super) network: Arc<Network>,
    options: Arc<RequestOptions>,
    pages: OnceCell<Vec<Page>>,
}

/// A page and what came of it.
pub(super) struct Page {
    /// Its path, for people.
    pub(super) path: String,
    /// Its answer; where that is a redirect within the site, the answer that it leads to.
    pub(super) answer: Result<Response, TransportError>,
}

/// Values of a header as text, each answer's lines in order.
pub(super) fn values(response: &Response, name: &str) -> Vec<String> {
    response.headers.all(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

/// The first value of a header as text.
pub(super) fn value(response: &Response, name: &str) -> Option<String> {
    values(response, name).into_iter().next()
}

/// What to say where a validator needs TLS and the target has none.
const PLAIN: &str = "the target is plain HTTP";
const NAME_HTTPS: &str = "name the HTTPS address: `--target https://…`";

impl<'a> Site<'a> {
    /// The plan's target.
    #[must_use]
    pub fn new(plan: &'a Plan, network: Arc<Network>) -> Self {
        let options = RequestOptions {
            connect_timeout: Some(CONNECT_TIMEOUT),
            max_time: Some(VALIDATE_ANSWER),
            insecure: true,
            ..RequestOptions::default()
        };
        Self { plan, network, options: Arc::new(options), pages: OnceCell::new() }
    }

    /// The target's URL.
    pub(super) fn target(&self) -> &Url {
        &self.plan.target.value
    }

    /// The target's host and port, for people.
    pub(super) fn host(&self) -> String {
        let host = self.target().host_str().unwrap_or_default();
        self.target().port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// What to say where there is no TLS; none where there is.
    pub(super) fn without_tls(&self, expected: &str) -> Option<Vec<Seen>> {
        let plain = self.target().scheme() != "https";
        plain.then(|| vec![Seen::not_applicable(&self.host(), expected, PLAIN, NAME_HTTPS)])
    }

    /// A path below the target.
    pub(super) fn url(&self, path: &str) -> Arc<Url> {
        let target = self.target();
        let base = target.as_str().trim_end_matches('/');
        Arc::new(Url::parse(&format!("{base}{path}")).unwrap_or_else(|_| target.clone()))
    }

    /// A client with connections of its own.
    pub(super) fn client(&self) -> Client {
        Client::new(Arc::clone(&self.network))
    }

    /// A request as validators send it.
    pub(super) fn request(&self, method: &Method, url: &Arc<Url>, headers: &[(&'static str, &str)]) -> Request {
        let field = |(name, value): &(&'static str, &str)| {
            Some((HeaderName::from_static(name), HeaderValue::try_from(*value).ok()?))
        };
        let mut map: HeaderMap = headers.iter().filter_map(field).collect();
        let who = HeaderValue::from_static(concat!("loadtest/", env!("CARGO_PKG_VERSION"), " (validate)"));
        map.insert(http::header::USER_AGENT, who);
        map.insert(http::header::ACCEPT, HeaderValue::from_static("*/*"));
        let options = Arc::clone(&self.options);
        Request { method: method.clone(), url: Arc::clone(url), headers: map, body: Bytes::new(), options }
    }

    /// Asks, and asks again when told to come later: our own questions may have used up a rate limit.
    pub(super) async fn ask(
        &self,
        method: &Method,
        url: &Arc<Url>,
        headers: &[(&'static str, &str)],
    ) -> Result<Response, TransportError> {
        let mut client = self.client();
        let mut tries = 1;
        loop {
            let response = client.send(self.request(method, url, headers)).await?;
            if response.status != 429 || tries >= VALIDATE_TRIES {
                return Ok(response);
            }
            tries += 1;
            let asked = value(&response, "retry-after").and_then(|text| text.trim().parse().ok()).unwrap_or(1);
            tokio::time::sleep(Duration::from_secs(asked).min(VALIDATE_PAUSE)).await;
        }
    }

    /// A plain GET.
    pub(super) async fn get(&self, url: &Arc<Url>) -> Result<Response, TransportError> {
        self.ask(&Method::GET, url, &[]).await
    }

    /// The pages whose headers are looked at.
    pub(super) async fn pages(&self) -> &[Page] {
        self.pages.get_or_init(|| self.fetch()).await
    }

    async fn fetch(&self) -> Vec<Page> {
        let paths = &self.plan.validation.pages;
        let mut pages = Vec::new();
        for path in paths {
            pages.push(Page { path: path.clone(), answer: self.landing(self.url(path)).await });
        }
        if pages.is_empty() {
            let target = Arc::new(self.target().clone());
            pages.push(Page { path: target.path().to_owned(), answer: self.landing(target).await });
        }
        pages
    }

    /// The answer where redirects within the site end.
    async fn landing(&self, mut url: Arc<Url>) -> Result<Response, TransportError> {
        let mut response = self.get(&url).await?;
        for _ in 0..VALIDATE_REDIRECTS {
            let Some(next) = redirect(&response, &url).filter(|next| next.origin() == url.origin()) else { break };
            url = Arc::new(next);
            response = self.get(&url).await?;
        }
        Ok(response)
    }

    /// Judges each page's answer.
    pub(super) async fn on_pages(
        &self,
        expected: &str,
        judge: impl Fn(&Response) -> Result<String, Miss>,
    ) -> Vec<Seen> {
        let seen = |page: &Page| match &page.answer {
            Ok(response) => Seen::judged(&page.path, expected, judge(response)),
            Err(error) => Seen::unknown(&page.path, expected, error.to_string()),
        };
        self.pages().await.iter().map(seen).collect()
    }
}

/// Where a response sends us.
pub(super) fn redirect(response: &Response, from: &Url) -> Option<Url> {
    let moved = matches!(response.status, 301 | 302 | 303 | 307 | 308);
    moved.then(|| value(response, "location")).flatten().and_then(|location| from.join(location.trim()).ok())
}
