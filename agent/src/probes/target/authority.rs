//! The part of a URL between `://` and the path: `user:password@host:port`, as strictly as RFC 3986 where that gives an answer and
//! as leniently as the drivers are where people did not percent-encode. What must stay true: two readings are an error, never a guess.

use super::TargetError;
use percent_encoding::percent_decode_str;
use std::net::Ipv6Addr;

/// What stands after `://`.
pub(super) struct Parts {
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) path: String,
    pub(super) query: Option<String>,
}

const ENCODE: &str =
    "percent-encode the password: `@` is `%40`, `:` is `%3A`, `/` is `%2F`, `?` is `%3F`, `#` is `%23`, `%` is `%25`";

/// Splits it. In a database's URL `#` begins no fragment, and an `@` behind the authority means that a password was not encoded.
pub(super) fn split(rest: &str, database: bool) -> Result<Parts, TargetError> {
    let ends: &[char] = if database { &['/', '?'] } else { &['/', '?', '#'] };
    let end = rest.find(ends).unwrap_or(rest.len());
    let (strict, behind) = rest.split_at(end);
    let (user, host, tail) = match strict.rsplit_once('@') {
        Some((user, host)) => (Some(user), host, behind),
        None => (None, strict, behind),
    };
    match host_and_port(host) {
        Ok(_) if database && hides_a_password(behind) => Err(ambiguous()),
        // With a password before the host, a second `@` may be the true end of that password, and the host a piece of it.
        Ok(_) if user.is_some_and(|user| user.contains(':')) && behind.contains('@') => Err(ambiguous()),
        Ok(place) => parts(user, place, tail),
        Err(error) => {
            let unclear = if database && rest.matches('@').count() > 1 { ambiguous() } else { error };
            let (user, host, tail) = only_other_reading(rest).ok_or(unclear)?;
            if tail.contains('@') {
                return Err(ambiguous());
            }
            parts(Some(user), host_and_port(host)?, tail)
        }
    }
}

/// Whether an `@` stands where a database's URL has none: anywhere but in the values that drivers take credentials from.
fn hides_a_password(behind: &str) -> bool {
    let (path, query) = behind.split_once('?').unwrap_or((behind, ""));
    let in_a_value = |pair: &str| pair.split_once('=').is_some_and(|(key, _)| matches!(key, "user" | "password"));
    path.contains('@') || query.split('&').any(|pair| pair.contains('@') && !in_a_value(pair))
}

/// The one `@` after which a host stands, when there is exactly one: then everything before it is user and password.
fn only_other_reading(rest: &str) -> Option<(&str, &str, &str)> {
    let mut readings = rest.match_indices('@').filter_map(|(at, _)| {
        let (user, behind) = (rest.get(..at)?, rest.get(at + 1..)?);
        let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
        let (host, tail) = behind.split_at(end);
        (!host.is_empty() && host_and_port(host).is_ok()).then_some((user, host, tail))
    });
    let only = readings.next()?;
    readings.next().is_none().then_some(only)
}

fn parts(user: Option<&str>, (host, port): (String, Option<u16>), tail: &str) -> Result<Parts, TargetError> {
    let (tail, fragment) = tail.split_once('#').unwrap_or((tail, ""));
    if fragment.contains('@') {
        return Err(ambiguous());
    }
    if tail.contains(' ') {
        return Err(TargetError::new("the URL contains a space", "percent-encode it: a space is `%20`"));
    }
    let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
    let (user, password) =
        user.map_or(("", None), |user| user.split_once(':').map_or((user, None), |(u, p)| (u, Some(p))));
    Ok(Parts {
        user: decoded(user)?,
        password: password.map(decoded).transpose()?,
        host,
        port,
        path: path.to_owned(),
        query: query.map(str::to_owned),
    })
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), TargetError> {
    if let Some(inside) = text.strip_prefix('[') {
        let (address, behind) = inside.split_once(']').ok_or_else(bad_address)?;
        let bare = address.split('%').next().unwrap_or_default();
        bare.parse::<Ipv6Addr>().map_err(|_| bad_address())?;
        let port = if behind.is_empty() { "" } else { behind.strip_prefix(':').ok_or_else(bad_address)? };
        return Ok((address.replacen("%25", "%", 1), port_of(port)?));
    }
    if text.contains(',') {
        return Err(TargetError::new(
            "the URL names several hosts",
            "write one check for each host, so that each is seen",
        ));
    }
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    if port.contains(':') && text.parse::<Ipv6Addr>().is_ok() {
        return Err(bad_address());
    }
    Ok((host_name(host)?, port_of(port)?))
}

fn host_name(written: &str) -> Result<String, TargetError> {
    let host = decoded(written)?;
    if host.chars().any(|c| {
        c.is_whitespace() || matches!(c, '@' | '[' | ']' | '<' | '>' | '\\' | '^' | '|' | '"' | '`' | '{' | '}')
    }) {
        return Err(TargetError::new("the host of the URL has a character that no host name has", ENCODE));
    }
    if host.is_ascii() {
        return Ok(host);
    }
    let ascii =
        url::Host::parse(&host).map_err(|_| TargetError::new("the host of the URL is not a host name", ENCODE))?;
    Ok(ascii.to_string())
}

fn port_of(text: &str) -> Result<Option<u16>, TargetError> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.chars().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|port| *port > 0 && digits).map(Some).ok_or_else(bad_port)
}

/// Percent-decoded; a `%` without two hex digits stays, as drivers have it.
fn decoded(text: &str) -> Result<String, TargetError> {
    let bytes = percent_decode_str(text).decode_utf8();
    bytes.map(Into::into).map_err(|_| TargetError::new("a percent-encoded part of the URL is not UTF-8 text", ENCODE))
}

/// The port is not shown: when a password was not encoded, it is a piece of it.
pub(super) fn bad_port() -> TargetError {
    TargetError::new(
        "the port of the URL is not a number from 1 to 65535",
        &format!("if it is part of a password, {ENCODE}"),
    )
}

fn bad_address() -> TargetError {
    TargetError::new("the IPv6 address of the URL is not one in brackets", "write it like `tcp://[::1]:5432`")
}

fn ambiguous() -> TargetError {
    TargetError::new("the URL can be read in two ways, for there is an `@` behind the host", ENCODE)
}
