//! Who may see the restricted pages when no users are configured. Pure.
//!
//! A proxy on this host makes every stranger look local, so a request that says it was forwarded is trusted by nobody's address.
//! A web page in a browser on this host can reach loopback under a name of its own (DNS rebinding), so a loopback request must
//! name an address or `localhost`.

use http::{HeaderMap, header};
use ipnet::IpNet;
use std::net::IpAddr;

const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Whether a request from this address may see them; if not, why, for the one who asked.
pub(super) fn trust(networks: &[IpNet], from: IpAddr, headers: &HeaderMap) -> Result<(), &'static str> {
    let from = from.to_canonical();
    if FORWARDED.iter().any(|name| headers.contains_key(*name)) {
        return Err(
            "the request was forwarded by a proxy; ask from the host itself, or set users in the web configuration",
        );
    }
    if networks.iter().any(|network| network.contains(&from)) {
        return Ok(());
    }
    if !from.is_loopback() {
        return Err(
            "ask from the host itself, add your network to `diagnostics_from`, or set users in the web configuration",
        );
    }
    if names_this_host(headers) { Ok(()) } else { Err("name the host by its address or as `localhost`") }
}

/// The same for a request that changes something. A page under a name that a browser was tricked into (DNS rebinding) is of the same site
/// as itself, so one that a browser sends must name this host wherever it comes from.
pub(super) fn trust_to_change(networks: &[IpNet], from: IpAddr, headers: &HeaderMap) -> Result<(), &'static str> {
    trust(networks, from, headers)?;
    if !headers.contains_key(header::ORIGIN) || names_this_host(headers) {
        return Ok(());
    }
    Err("name the host by its address or as `localhost`")
}

fn names_this_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let host = host.to_str().unwrap_or_default();
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, _port)) => v6,
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn check(from: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let networks = ["10.20.0.0/16".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let headers = headers.iter().map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_static(v))).collect();
        trust(&networks, from.parse().unwrap(), &headers).is_ok()
    }

    #[test]
    fn loopback_and_the_configured_networks_are_trusted() {
        for from in
            ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "10.20.3.4", "::ffff:10.20.3.4", "2001:db8::7"]
        {
            assert!(check(from, &[]), "{from}");
        }
        for from in ["10.21.0.1", "192.168.1.1", "172.17.0.1", "8.8.8.8", "2001:db9::1", "fe80::1"] {
            assert!(!check(from, &[]), "{from}");
        }
    }

    #[test]
    fn a_forwarded_request_is_trusted_by_no_address() {
        for name in ["forwarded", "x-forwarded-for", "x-real-ip"] {
            assert!(!check("127.0.0.1", &[(name, "127.0.0.1")]), "{name}");
            assert!(!check("10.20.3.4", &[(name, "")]), "{name}");
        }
    }

    #[test]
    fn a_browser_that_changes_something_names_this_host_from_a_trusted_network_too() {
        let networks = ["10.20.0.0/16".parse().unwrap()];
        let may = |host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            headers.extend(origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))));
            trust_to_change(&networks, "10.20.3.4".parse().unwrap(), &headers).is_ok()
        };
        assert!(may("agent.internal", None) && may("10.20.0.1:9797", Some("http://10.20.0.1:9797")));
        assert!(!may("rebound.example", Some("http://rebound.example")));
    }

    #[test]
    fn a_name_that_a_browser_was_tricked_into_is_not_loopback() {
        for host in ["127.0.0.1:9797", "localhost", "LOCALHOST:9797", "[::1]:9797", "[::1]"] {
            assert!(check("127.0.0.1", &[("host", host)]), "{host}");
        }
        for host in ["rebound.example:9797", "localhost.example", "", "[::1.example"] {
            assert!(!check("127.0.0.1", &[("host", host)]), "{host}");
        }
        assert!(check("10.20.3.4", &[("host", "agent.internal")]), "networks are trusted under any name");
    }
}
