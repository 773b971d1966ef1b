//! A URL's form on the wire: origin, path and `Host`, worked out once for each constant URL of a journey and not for
//! each request (goose spends 7 % of its time on parsing URLs again).

use super::TransportError;
use super::address::Place;
use crate::limits;
use http::HeaderValue;
use std::sync::Arc;
use url::{Host, Url};

/// A URL, ready to be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) https: bool,
    pub(super) place: Place,
    /// Path and query.
    pub(super) target: String,
    /// The value of the `Host` header.
    pub(super) host: HeaderValue,
}

impl Prepared {
    fn new(url: &Url) -> Result<Self, TransportError> {
        let bad = || TransportError::Option(format!("`{}:` is not a scheme that can be sent", url.scheme()));
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(bad()),
        };
        let host = match url.host().ok_or_else(bad)? {
            Host::Ipv6(address) => address.to_string(),
            other => other.to_string(),
        };
        let place = Place { host, port: url.port_or_known_default().ok_or_else(bad)? };
        let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let authority = match url.port() {
            Some(_) => place.to_string(),
            None => url.host_str().unwrap_or_default().to_owned(),
        };
        let unsendable = || TransportError::Option("the URL cannot be written on the wire".to_owned());
        // A URL is ASCII without blanks once it is parsed; a line of the request must never come out of a URL.
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unsendable());
        }
        Ok(Self { https, place, target, host: HeaderValue::try_from(authority).map_err(|_| unsendable())? })
    }

    /// Whether it goes to the same server in the same way.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        self.https == other.https && self.place == other.place
    }
}

/// The constant URLs of one user's journey.
#[derive(Debug, Default)]
pub(super) struct Prepareds(Vec<(Arc<Url>, Arc<Prepared>)>);

impl Prepareds {
    /// The wire form of a URL. A URL that nobody else holds was made for this request: it is not kept.
    pub(super) fn get(&mut self, url: &Arc<Url>) -> Result<Arc<Prepared>, TransportError> {
        if let Some((_, known)) = self.0.iter().find(|(known, _)| Arc::ptr_eq(known, url)) {
            return Ok(Arc::clone(known));
        }
        let prepared = Arc::new(Prepared::new(url)?);
        if Arc::strong_count(url) > 1 {
            if self.0.len() >= limits::PREPARED_PER_USER {
                self.0.clear();
            }
            self.0.push((Arc::clone(url), Arc::clone(&prepared)));
        }
        Ok(prepared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_become_origin_target_and_host() {
        let check = |url: &str, place: &str, target: &str, host: &str| {
            let prepared = Prepared::new(&url.parse().unwrap()).unwrap();
            let got = (prepared.place.to_string(), prepared.target.clone(), prepared.host.to_str().unwrap().to_owned());
            assert_eq!(got, (place.to_owned(), target.to_owned(), host.to_owned()));
        };
        check("http://a.example/", "a.example:80", "/", "a.example");
        check("http://a.example:8080/x?y=1#z", "a.example:8080", "/x?y=1", "a.example:8080");
        check("https://user:secret@[::1]/%20", "[::1]:443", "/%20", "[::1]");
        check("https://[::1]:8443/", "[::1]:8443", "/", "[::1]:8443");
        assert!(Prepared::new(&"ftp://a/".parse().unwrap()).is_err());
    }

    #[test]
    fn a_shared_url_is_worked_out_once_and_a_passing_one_is_not_kept() {
        let mut prepareds = Prepareds::default();
        let shared: Arc<Url> = Arc::new("http://a/".parse().unwrap());
        let holder = Arc::clone(&shared);
        let (one, two) = (prepareds.get(&shared).unwrap(), prepareds.get(&holder).unwrap());
        assert!(Arc::ptr_eq(&one, &two));
        prepareds.get(&Arc::new("http://b/".parse().unwrap())).unwrap();
        assert_eq!(prepareds.0.len(), 1);
    }
}
