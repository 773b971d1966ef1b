//! Where a sidecar is, as people write it: `host`, `host:port`, `http://…`, `https://…`. Pure.

use crate::config::LISTEN;
use crate::probes::Target;
use std::net::Ipv6Addr;

/// The page that is asked for.
const PAGE: &str = "/health";

/// A sidecar to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// What it is called in the table: as written, without scheme, credentials and the usual port.
    pub(super) name: String,
    /// The whole URL, without credentials.
    pub(super) url: String,
    /// What is asked.
    pub(super) target: Target,
}

/// Reads one. The port is that of every agent unless one is written, whatever the scheme.
///
/// # Errors
/// When the text is no such address; the error says what to write and repeats no credentials.
pub(super) fn parse(written: &str) -> Result<Address, String> {
    let text = written.trim();
    let text = if text.parse::<Ipv6Addr>().is_ok() { format!("[{text}]") } else { text.to_owned() };
    let url = if text.contains("://") { text } else { format!("http://{text}") };
    let mut target = Target::parse(&url).map_err(|error| match error.hint {
        Some(hint) => format!("{}\nhint: {hint}", error.message),
        None => error.message,
    })?;
    if !matches!(target.scheme.as_str(), "http" | "https") || !target.driver.is_empty() {
        return Err(format!("a sidecar is asked over http or https, not {}", target.scheme));
    }
    if target.query.is_some() || target.path.contains('#') {
        return Err("the address of a sidecar has no query and no fragment".to_owned());
    }
    let port = *target.port.get_or_insert(LISTEN.port());
    let before = target.path.trim_end_matches('/');
    let before = before.strip_suffix(PAGE).unwrap_or(before).to_owned();
    target.path = format!("{before}{PAGE}");
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let shown_port = if port == LISTEN.port() { String::new() } else { format!(":{port}") };
    let url = format!("{}://{host}:{port}{}", target.scheme, target.path);
    Ok(Address { name: format!("{host}{shown_port}{before}"), url, target })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, name: &str, url: &str) {
        let address = parse(written).unwrap();
        assert_eq!((address.name.as_str(), address.url.as_str()), (name, url));
    }

    #[test]
    fn an_address_may_be_written_as_short_as_it_is_clear() {
        check("backend", "backend", "http://backend:9797/health");
        check(" backend:9000 ", "backend:9000", "http://backend:9000/health");
        check("http://backend", "backend", "http://backend:9797/health");
        check("http://backend:80/", "backend:80", "http://backend:80/health");
        check("https://backend/health", "backend", "https://backend:9797/health");
        check("https://edge:443/agents/db/", "edge:443/agents/db", "https://edge:443/agents/db/health");
        check("10.0.0.7", "10.0.0.7", "http://10.0.0.7:9797/health");
        check("[::1]:99", "[::1]:99", "http://[::1]:99/health");
        check("fd00::7", "[fd00::7]", "http://[fd00::7]:9797/health");
    }

    #[test]
    fn credentials_are_sent_and_not_shown() {
        let address = parse("https://ops:s3cret-word@db:9797").unwrap();
        assert_eq!(address.target.user, "ops");
        assert!(!format!("{address:?}").contains("s3cret-word"), "{address:?}");
        assert_eq!(address.url, "https://db:9797/health");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_credentials() {
        for written in
            ["", "redis://cache", "http://", "http://h/?role=liveness", "http+x://h", "h:99999", "http://a b"]
        {
            assert!(parse(written).is_err(), "{written}");
        }
        let refused = parse("ftp://ops:s3cret-word@h").unwrap_err();
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}
