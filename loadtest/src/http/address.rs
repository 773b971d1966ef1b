//! Where to connect: `resolve` and `connect_to` of a request, and names looked up once for all users.

use super::{Family, RequestOptions, TransportError};
use crate::{clock, limits};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// A host and a port, as a URL has them; IPv6 without brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            return write!(out, "[{}]:{}", self.host, self.port);
        }
        write!(out, "{}:{}", self.host, self.port)
    }
}

/// The run's look-up cache: 200 users starting together ask the name server once, and a change of address is seen
/// within [`limits::NAME_LIFETIME`].
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Mutex<HashMap<Place, Known>>,
    /// One look-up at a time: the others wait and find the answer.
    asking: tokio::sync::Mutex<()>,
}

/// What was found, and when.
type Known = (Instant, Arc<[SocketAddr]>);

impl Names {
    /// The addresses of a place, in the order in which to try them.
    pub(super) async fn addresses(
        &self,
        place: &Place,
        options: &RequestOptions,
    ) -> Result<Vec<SocketAddr>, TransportError> {
        let target = redirected(place, &options.connect_to)?;
        let all = match pinned(&target, &options.resolve)? {
            Some(address) => Arc::from([SocketAddr::new(address, target.port)]),
            None => self.look_up(&target).await?,
        };
        let wanted = |address: &&SocketAddr| match options.family {
            None => true,
            Some(Family::V4) => address.is_ipv4(),
            Some(Family::V6) => address.is_ipv6(),
        };
        let chosen: Vec<_> = all.iter().filter(wanted).copied().collect();
        if chosen.is_empty() { Err(TransportError::Dns(target.host)) } else { Ok(chosen) }
    }

    async fn look_up(&self, place: &Place) -> Result<Arc<[SocketAddr]>, TransportError> {
        if let Ok(address) = place.host.parse::<IpAddr>() {
            return Ok(Arc::from([SocketAddr::new(address, place.port)]));
        }
        if let Some(known) = self.known(place) {
            return Ok(known);
        }
        let _asking = self.asking.lock().await;
        if let Some(known) = self.known(place) {
            return Ok(known);
        }
        let found = tokio::net::lookup_host((place.host.as_str(), place.port)).await;
        let found: Arc<[SocketAddr]> = found.map_err(|_| TransportError::Dns(place.host.clone()))?.collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= limits::NAMES {
            known.clear();
        }
        known.insert(place.clone(), (clock::now(), Arc::clone(&found)));
        Ok(found)
    }

    fn known(&self, place: &Place) -> Option<Arc<[SocketAddr]>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, found) = known.get(place)?;
        (clock::now().saturating_duration_since(*at) < limits::NAME_LIFETIME).then(|| Arc::clone(found))
    }
}

/// Splits at colons, but not within brackets: `[::1]:80` has two parts.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for letter in text.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().into_iter().for_each(|part| part.push(letter)),
        }
    }
    parts
}

/// `HOST1:PORT1:HOST2:PORT2`: the first rule that fits; empty parts match anything, or keep what there is.
fn redirected(place: &Place, rules: &[String]) -> Result<Place, TransportError> {
    for rule in rules {
        let bad = || TransportError::Option(format!("`connect-to` is not `HOST1:PORT1:HOST2:PORT2`: `{rule}`"));
        let Ok([host, port, to_host, to_port]) = <[String; 4]>::try_from(parts(rule)) else { return Err(bad()) };
        if (host.is_empty() || host.eq_ignore_ascii_case(&place.host))
            && (port.is_empty() || port == place.port.to_string())
        {
            let host = if to_host.is_empty() { place.host.clone() } else { to_host };
            let port = if to_port.is_empty() { place.port } else { to_port.parse().map_err(|_| bad())? };
            return Ok(Place { host, port });
        }
    }
    Ok(place.clone())
}

/// `HOST:PORT:ADDRESS`: the address of the first rule that fits; `*` matches any host. IPv6 needs no brackets here.
fn pinned(place: &Place, rules: &[String]) -> Result<Option<IpAddr>, TransportError> {
    for rule in rules {
        let bad = || TransportError::Option(format!("`resolve` is not `HOST:PORT:ADDRESS`: `{rule}`"));
        let mut fields = rule.splitn(3, ':');
        let (host, port, address) = (fields.next(), fields.next(), fields.next());
        let (Some(host), Some(port), Some(address)) = (host, port, address) else { return Err(bad()) };
        let address = address.trim_start_matches('[').trim_end_matches(']').parse().map_err(|_| bad())?;
        let port: u16 = port.parse().map_err(|_| bad())?;
        if (host == "*" || host.eq_ignore_ascii_case(&place.host)) && port == place.port {
            return Ok(Some(address));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, port: u16) -> Place {
        Place { host: host.to_owned(), port }
    }

    #[test]
    fn connect_to_takes_the_first_rule_that_fits() {
        let rules = ["b:80:c:81", ":80::8080", "::[::1]:9"].map(str::to_owned);
        assert_eq!(redirected(&place("b", 80), &rules), Ok(place("c", 81)));
        assert_eq!(redirected(&place("a", 80), &rules), Ok(place("a", 8080)));
        assert_eq!(redirected(&place("a", 443), &rules), Ok(place("::1", 9)));
        assert_eq!(place("::1", 9).to_string(), "[::1]:9");
        insta::assert_snapshot!(redirected(&place("a", 1), &["a:1".to_owned()]).unwrap_err(),
            @"`connect-to` is not `HOST1:PORT1:HOST2:PORT2`: `a:1`");
    }

    #[test]
    fn resolve_pins_an_address() {
        let rules = ["a:80:127.0.0.9", "*:81:::1"].map(str::to_owned);
        assert_eq!(pinned(&place("A", 80), &rules), Ok("127.0.0.9".parse().ok()));
        assert_eq!(pinned(&place("x", 81), &rules), Ok("::1".parse().ok()));
        assert_eq!(pinned(&place("x", 82), &rules), Ok(None));
        insta::assert_snapshot!(pinned(&place("a", 1), &["a:1:b".to_owned()]).unwrap_err(),
            @"`resolve` is not `HOST:PORT:ADDRESS`: `a:1:b`");
    }

    #[tokio::test]
    async fn a_family_without_an_address_is_a_name_without_one() {
        let options = RequestOptions { family: Some(Family::V6), ..RequestOptions::default() };
        let found = Names::default().addresses(&place("127.0.0.1", 80), &options).await;
        assert_eq!(found, Err(TransportError::Dns("127.0.0.1".to_owned())));
    }
}
