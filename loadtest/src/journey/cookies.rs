//! The cookie jar of one virtual user, with curl's rules (RFC 6265 and the prefixes of its successor): which cookies are
//! taken, which are sent where and in what order (longest path first, then longest name, then the youngest). Knows nothing of journeys. A hostile server can neither grow it
//! without bound nor set cookies for others; it knows no list of public suffixes, so `Domain=co.uk` is taken.

use super::limits::{COOKIE_BYTES_MAX, COOKIES_MAX};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use std::net::IpAddr;
use url::{Host, Url};

/// The cookies of one user.
#[derive(Debug, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
    made: u64,
}

#[derive(Debug, Clone)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Whether subdomains get it too.
    wide: bool,
    path: String,
    secure: bool,
    expires: Option<DateTime<Utc>>,
    /// The port that set it; none where a file did.
    port: Option<u16>,
    order: u64,
}

/// What an entry does to the cookies before it is sent.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    /// Cookies to add.
    pub(super) set: Vec<Stored>,
    /// Whether all are forgotten, those just added too, as in Hurl.
    pub(super) clear: bool,
}

/// A cookie as a line of curl's cookie file.
#[derive(Clone, Debug)]
pub(super) struct Stored(Cookie);

impl Stored {
    /// Reads `domain subdomains path tls expiry name value`, separated by white space; the value may be empty.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ([domain, wide, path, secure, expires, name], value) = match words.as_slice() {
            [words @ .., value] if words.len() == 6 => (<[&str; 6]>::try_from(words).ok()?, *value),
            words => (<[&str; 6]>::try_from(words).ok()?, ""),
        };
        let domain = domain.strip_prefix("#HttpOnly_").unwrap_or(domain);
        let flag = |word: &str| match word {
            "TRUE" => Some(true),
            "FALSE" => Some(false),
            _ => None,
        };
        let expires = match expires.parse::<i64>().ok()? {
            0 => None,
            seconds => Some(DateTime::from_timestamp(seconds, 0)?),
        };
        Some(Self(Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase(),
            wide: flag(wide)?,
            path: Some(path).filter(|path| path.starts_with('/')).map(without_slash)?,
            secure: flag(secure)?,
            expires,
            port: None,
            order: 0,
        }))
    }
}

/// One attribute of a `Set-Cookie` header: its name in lower case, and its value.
type Attribute<'a> = (String, Option<&'a str>);

impl Jar {
    /// Takes a `Set-Cookie` header that came from `url`; a bad one is dropped without a word, as browsers do.
    pub fn take(&mut self, header: &str, url: &Url, now: DateTime<Utc>) {
        let Some(cookie) = read(header, url, now) else { return };
        let old = self.cookies.iter().find(|old| old.is(&cookie));
        if old.is_none_or(|old| !old.secure) || is_secure(url) {
            self.put(cookie, now);
        }
    }

    /// Does what the comments above an entry ask for.
    pub fn prepare(&mut self, storage: &Storage, now: DateTime<Utc>) {
        storage.set.iter().for_each(|Stored(cookie)| self.put(cookie.clone(), now));
        if storage.clear {
            self.cookies.clear();
        }
    }

    fn put(&mut self, mut cookie: Cookie, now: DateTime<Utc>) {
        let old = self.cookies.iter().position(|old| old.is(&cookie));
        // A cookie that is replaced keeps its age, which decides the order of sending.
        cookie.order = old.map_or(self.made, |at| self.cookies.remove(at).order);
        self.made += 1;
        if cookie.expires.is_none_or(|end| end > now) {
            self.cookies.push(cookie);
        }
        if self.cookies.len() > COOKIES_MAX {
            self.cookies.remove(0);
        }
    }

    /// The value of the `Cookie` header for a request to `url`; none where no cookie goes there.
    #[must_use]
    pub fn header(&self, url: &Url, now: DateTime<Utc>) -> Option<String> {
        self.chosen(url, now, |_| true)
    }

    /// The same where a redirect leads to another origin: cookies know no ports (RFC 6265, 8.5), but another port may be another service,
    /// and whoever is redirected there did not choose it. From port 80 to port 443 it is the same service, made safe.
    #[must_use]
    pub fn header_after_redirect(&self, url: &Url, now: DateTime<Utc>) -> Option<String> {
        let to = url.port_or_known_default();
        self.chosen(url, now, |cookie| {
            cookie.port.is_none() || cookie.port == to || (cookie.port, to) == (Some(80), Some(443))
        })
    }

    fn chosen(&self, url: &Url, now: DateTime<Utc>, fits: impl Fn(&Cookie) -> bool) -> Option<String> {
        if self.cookies.is_empty() {
            return None;
        }
        let goes = |cookie: &&Cookie| cookie.goes_to(url, now) && fits(cookie);
        let mut sent: Vec<&Cookie> = self.cookies.iter().filter(goes).collect();
        let length = |cookie: &Cookie| (cookie.path.len(), cookie.domain.len(), cookie.name.len());
        sent.sort_by(|one, two| length(two).cmp(&length(one)).then(two.order.cmp(&one.order)));
        let pairs: Vec<String> = sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        if pairs.is_empty() { None } else { Some(pairs.join("; ")) }
    }
}

impl Cookie {
    /// Whether one takes the other's place.
    fn is(&self, other: &Self) -> bool {
        (&self.name, &self.domain, self.wide, &self.path) == (&other.name, &other.domain, other.wide, &other.path)
    }

    fn goes_to(&self, url: &Url, now: DateTime<Utc>) -> bool {
        let host = host(url).unwrap_or_default();
        let domain = if self.wide { is_within(&host, &self.domain) } else { host == self.domain };
        let alive = self.expires.is_none_or(|end| end > now);
        domain && alive && (!self.secure || is_secure(url)) && path_matches(url.path(), &self.path)
    }

    fn prefix_is_kept(&self) -> bool {
        let is = |prefix: &str| self.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        let host_kept = self.secure && !self.wide && self.path == "/";
        (!is("__Secure-") || self.secure) && (!is("__Host-") || host_kept)
    }
}

fn read(header: &str, url: &Url, now: DateTime<Utc>) -> Option<Cookie> {
    let (pair, rest) = header.split_once(';').unwrap_or((header, ""));
    let (name, value) = pair.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let bad = |c: char| c.is_ascii_control();
    if name.is_empty() || name.contains(bad) || value.contains(bad) || name.len() + value.len() > COOKIE_BYTES_MAX {
        return None;
    }
    let host = host(url)?;
    let attributes: Vec<Attribute<'_>> = rest.split(';').map(attribute).collect();
    let last = |wanted: &str| attributes.iter().rev().find(|(name, _)| name == wanted).and_then(|(_, value)| *value);
    let secure = attributes.iter().any(|(name, _)| name == "secure");
    let (domain, wide) = domain(last("domain"), &host)?;
    let path = last("path").map(|path| path.trim_matches('"')).filter(|path| path.starts_with('/'));
    let cookie = Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain,
        wide,
        path: path.map_or_else(|| default_path(url.path()), without_slash),
        secure,
        expires: last("max-age").and_then(|age| after(age, now)).or_else(|| last("expires").and_then(date)),
        port: url.port_or_known_default(),
        order: 0,
    };
    let allowed = (!secure || is_secure(url)) && cookie.prefix_is_kept();
    allowed.then_some(cookie)
}

fn attribute(part: &str) -> Attribute<'_> {
    let (name, value) = part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value.trim())));
    (name.trim().to_ascii_lowercase(), value)
}

/// The domain that a cookie is for, and whether its subdomains get it; none when the server may not speak for it.
fn domain(attribute: Option<&str>, host: &str) -> Option<(String, bool)> {
    let Some(domain) = attribute.map(|domain| domain.strip_prefix('.').unwrap_or(domain)).filter(|d| !d.is_empty())
    else {
        return Some((host.to_owned(), false));
    };
    let domain = domain.to_ascii_lowercase();
    if host.parse::<IpAddr>().is_ok() {
        return (domain == host).then_some((domain, false));
    }
    let has_dot = domain.trim_end_matches('.').contains('.');
    let allowed = (has_dot || domain == "localhost") && is_within(host, &domain);
    allowed.then_some((domain, true))
}

fn is_within(host: &str, domain: &str) -> bool {
    let is_below = || host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.'));
    host == domain || (host.parse::<IpAddr>().is_err() && is_below())
}

fn path_matches(path: &str, of_cookie: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    of_cookie == "/" || path.strip_prefix(of_cookie).is_some_and(below)
}

fn default_path(path: &str) -> String {
    match path.rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(end) => path.get(..end).unwrap_or("/").to_owned(),
    }
}

fn without_slash(path: &str) -> String {
    let short = path.strip_suffix('/').unwrap_or(path);
    if short.is_empty() { "/".to_owned() } else { short.to_owned() }
}

fn host(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.to_ascii_lowercase()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

/// HTTPS, or this very machine: what stays on loopback nobody else reads.
fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || host(url).is_some_and(|host| matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1"))
}

fn after(age: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let age = age.trim_matches('"');
    let seconds = match age.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) if !age.is_empty() && age.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Some(DateTime::<Utc>::MAX_UTC);
        }
        Err(_) => return None,
    };
    let end = TimeDelta::try_seconds(seconds).and_then(|age| now.checked_add_signed(age));
    Some(end.unwrap_or(if seconds > 0 { DateTime::<Utc>::MAX_UTC } else { DateTime::<Utc>::MIN_UTC }))
}

/// The forms of dates in use; one that cannot be read makes a cookie for the session.
fn date(text: &str) -> Option<DateTime<Utc>> {
    const FORMS: [&str; 4] =
        ["%a, %d-%b-%Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let text = text.trim_matches('"');
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(date.to_utc());
    }
    FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|date| date.and_utc())
}

#[cfg(test)]
mod tests;
