//! Whose address is it? A load test of somebody else's service is an attack, so what is not plainly one's own takes a word of consent.
//! Pure: it looks at addresses and names, and asks nobody.

use std::net::{IpAddr, Ipv6Addr};

/// Whether a name can only be one's own: it has no dot, or ends in a name that no public server has (RFC 6761, RFC 6762, `.internal`).
#[must_use]
pub fn is_own_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let own = [".local", ".internal", ".localhost", ".test"].iter().any(|end| name.ends_with(end));
    own || !name.contains(['.', ':'])
}

/// Whether an address belongs to the own machine or a private network: loopback, RFC 1918, link-local, shared (RFC 6598),
/// unique local.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_unspecified()
                || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private(IpAddr::V4(v4)),
            None => {
                v6 == Ipv6Addr::LOCALHOST || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local()
            }
        },
    }
}
